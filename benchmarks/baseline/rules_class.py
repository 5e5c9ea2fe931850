"""What a class allows: CLS-*, who declares, used goods, time limits."""

from __future__ import annotations

import re

from benchmarks.baseline.characters import digits
from benchmarks.baseline.facts import Facts, day
from benchmarks.baseline.found import Found
from benchmarks.baseline.spec import Shipment

RULES = (
    "CLS-01", "CLS-02", "CLS-05", "CLS-06", "CLS-07", "CLS-08", "CLS-09", "CLS-10", "CLS-12", "CLS-14", "CLS-16", "EXP-07",
    "EXP-32", "EXP-42",
)  # fmt: skip
_condition = re.compile(r"[^\s/;,|-]").search
_licence = re.compile(r"[^ABab\s/;,|-]").search
_inspection = re.compile(r"[ABab\s/;,|]*[ABab][ABab\s/;,|]*").fullmatch
_DAYS = 14


def judge(ship: Shipment, look: Facts, found: Found) -> None:
    """All rules of the class, and when it is declared."""
    kind = ship["EntryType"]
    if kind == "B":
        _articles(ship, look, found)
    elif kind == "C":
        _goods(ship, look, found)
    elif kind == "A":
        _papers(ship, found)
    elif kind == "D" and kind not in look.classes:
        found.hold("CLS-12")
    if kind in ("A", "C", "D") and ship["AgentType"] == "1":
        found.refuse("EXP-07")
    if kind in ("B", "C") and ship["GoodsUsed"] == "1":
        found.hold("EXP-32")
    moved = day(ship["IEDate"])
    if moved is not None and moved < look.declared:
        waited, direction = (look.declared - moved).days, ship["IEFlag"]
        if direction == "E" or (direction == "I" and waited > _DAYS):
            found.note("EXP-42")


def _fact(ship: Shipment, name: str, column: str) -> str | None:
    """What the file says of a fact that no element holds, else what the firm states of all its parcels."""
    stated: str | None = ship.get(name) or ship.get(column)
    return stated


def _unstated(rule: str, look: Facts, found: Found) -> None:
    if look.unstated_facts != "assume_no":
        (found.unjudge if look.unstated_facts == "hold" else found.note)(rule)


def _excluded(ship: Shipment, rule: str, name: str, column: str, look: Facts, found: Found) -> None:
    """A fact that the class excludes."""
    stated = _fact(ship, name, column)
    if stated == "1":
        found.refuse(rule)
    elif stated is None:
        _unstated(rule, look, found)


def _articles(ship: Shipment, look: Facts, found: Found) -> None:
    _excluded(ship, "CLS-02", "SeparatedLuggage", "separated_luggage", look, found)
    _excluded(ship, "CLS-16", "PlatformPurchase", "platform_purchase", look, found)


def _goods(ship: Shipment, look: Facts, found: Found) -> None:
    _excluded(ship, "CLS-06", "TaxRefundClaimed", "tax_refund_claimed", look, found)
    _excluded(ship, "CLS-07", "ForeignExchangeSettled", "foreign_exchange_settled", look, found)
    mode, nature = ship["TradeMode"], ship["CutMode"]
    if mode not in ("0110", "3010") and mode is not None:
        _other_mode(mode, look, found)
    if nature != "101" and nature is not None and len(nature) == 3 and digits(nature):
        found.refuse("CLS-10")
    for line in ship["lines"]:
        conditions = _fact(line, "SupervisionConditions", "supervision_conditions")
        if conditions is None:
            _unstated("CLS-05", look, found)
        elif conditions != "/":
            if _licence(conditions):
                found.refuse("CLS-05")
            elif _inspection(conditions):
                found.hold("CLS-14")


def _other_mode(mode: str, look: Facts, found: Found) -> None:
    if mode != "3039":
        if len(mode) == 4 and digits(mode):
            found.refuse("CLS-08")
    elif look.mode_3039 != "pass":
        found.grade("CLS-09", refuse=look.mode_3039 == "reject")


_OF_GOODS = (
    ("TaxRefundClaimed", "tax_refund_claimed"), ("ForeignExchangeSettled", "foreign_exchange_settled"),
    ("PlatformPurchase", "platform_purchase"), ("SeparatedLuggage", "separated_luggage"),
)  # fmt: skip


def _papers(ship: Shipment, found: Found) -> None:
    """CLS-01: facts that only goods and articles have."""
    conditions = [
        _fact(line, "SupervisionConditions", "supervision_conditions") for line in ship["lines"]
    ]
    if any(_fact(ship, name, column) == "1" for name, column in _OF_GOODS) or any(
        text is not None and _condition(text) for text in conditions
    ):
        found.refuse("CLS-01")
