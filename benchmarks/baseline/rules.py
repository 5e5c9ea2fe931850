"""The rejecting rules of the catalogue, row by row, in plain Python with exact decimals.

Warnings and notes are left out, so this does less than the engine's rules: the comparison errs in its favour.
Which rules stand here is `RULES`; a shipment without class is refused, for nothing is classified.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from benchmarks.baseline.spec import Shipment
from crossborder.rules import Context

RULES = (
    "CLS-02", "CLS-04", "CLS-05", "CLS-06", "CLS-07", "CLS-13", "CLS-20", "EXP-01", "EXP-07", "EXP-13", "EXP-14",
    "EXP-15", "EXP-18", "EXP-19", "EXP-21", "EXP-22", "EXP-23", "EXP-24", "EXP-25", "EXP-26", "EXP-27", "EXP-28",
    "EXP-34", "EXP-38", "EXP-44", "EXP-45", "EXP-48", "ID-01", "ID-02", "ID-09", "ID-11", "ID-18", "LIM-01", "LIM-02",
    "LIM-03", "LIM-04", "TXT-04",
)  # fmt: skip

CHINA = "142"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_USCC = {c: i for i, c in enumerate("0123456789ABCDEFGHJKLMNPQRTUWXY")}
_USCC_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))
_HAN = "\u2e80-\u2fdf\u3005\u3007\u3021-\u3029\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"
_has_han = re.compile(f"[{_HAN}]").search
_all_han = re.compile(f"[{_HAN}]+").fullmatch
_has_latin = re.compile("[A-Za-zªº\u00c0-\u024f\u1e00-\u1eff]").search
_illegal = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ue000-\uf8ff\ufe0f\u2764"
    "\U0001f000-\U0001faff\U000e0000-\U000e007f\U000f0000-\U0010ffff]"
).search
_full_width = re.compile("[\uff01-\uff5e\u3000]").search
_odd = re.compile("[^\x20-\x7e\u3001-\u3011\u4e00-\u9fff\uff01-\uff0f]").search
_eighteen = re.compile("[0-9]{18}").fullmatch
_registered = re.compile("[0-9]{4}[0-9A-HJ-NP-Z]{6}").fullmatch
_phone = re.compile("[0-9|\u2223-]*").fullmatch
_punctuation = re.compile(r"[\W_]+")
_LIKE_CODES = ("SendId", "BillNo", "AssBillNo", "TradeCo", "SendTelNo", "ReceiveTelNo")


@dataclass(frozen=True, slots=True)
class Limit:
    """One dated value limit."""

    rule: str
    kind: str
    direction: str
    first: str
    last: str
    territory: str
    countries: frozenset[str]
    most: Decimal


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules look up."""

    limits: tuple[Limit, ...]
    rates: dict[str, Decimal]
    countable: frozenset[str]
    vague: frozenset[str]
    served: tuple[str, ...]
    tolerance: Decimal
    refused: Decimal
    today: str


def facts(context: Context, served: Sequence[str]) -> Facts:
    """The same tables and settings that the engine's rules use."""
    limits = tuple(
        Limit(
            row["rule"], row["declaration_class"], row["direction"], row["effective_from"].replace("-", ""),
            (row["effective_to"] or "9999-12-31").replace("-", ""), row["territory"],
            frozenset((row["countries"] or "").split(";")), Decimal(row["value_cny"]),
        )
        for row in context.tables.frame("limits").to_dicts()
    )  # fmt: skip
    units = context.tables.frame("units").to_dicts()
    return Facts(
        limits,
        dict(context.rates),
        frozenset(u["customs_code"] for u in units if u.get("kind", "count") == "count"),
        frozenset(w.lower() for w in context.words("vague_goods")),
        tuple(served),
        context.number("total_tolerance"),
        context.number("total_reject_percent") / 100,
        context.declared_on,
    )


def judge(ship: Shipment, look: Facts, found: set[str]) -> None:
    """Add the ids of the rules that a shipment breaks. `EXP-48` needs the whole file: `duplicates`."""
    _head(ship, found)
    _class(ship, found)
    _person(ship, look, found)
    _firms(ship, found)
    _characters(ship, found)
    _scripts(ship, found)
    _lines(ship, look, found)
    _amounts(ship, look, found)
    port = ship["DeclPort"]
    if port and not port.startswith(look.served):
        found.add("ID-18")


def key(ship: Shipment) -> str:
    """The business key."""
    return "|".join(
        (ship[n] or "").replace("-", "").replace(" ", "").upper()
        for n in ("BillNo", "AssBillNo", "IEFlag")
    )


def number(text: Any) -> Decimal | None:
    """An exact number, None where there is none."""
    try:
        return Decimal(text)
    except (InvalidOperation, TypeError, ValueError):
        return None


def _head(ship: Shipment, found: set[str]) -> None:
    gross, net = number(ship["GrossWt"]), number(ship["NetWt"])
    if gross == 0 or net == 0 or (gross is not None and net is not None and gross < net):
        found.add("EXP-13")
    if number(ship["PackNo"]) == 0:
        found.add("EXP-34")
    if ship["TradeCountry"] == CHINA:
        found.add("EXP-14")
    if ship["IEFlag"] in ("I", "E"):
        ours, theirs = ("Receive", "Send") if ship["IEFlag"] == "I" else ("Send", "Receive")
        if ship[f"{ours}Country"] not in (None, CHINA) or ship[f"{theirs}Country"] == CHINA:
            found.add("EXP-15")
    if ship["EntryId"] and not _eighteen(ship["EntryId"]):
        found.add("EXP-01")


def _class(ship: Shipment, found: set[str]) -> None:
    kind = ship["EntryType"]
    if ship["AgentType"] == "1" and kind != "B":
        found.add("EXP-07")
    if ship["SeparatedLuggage"] == "1" and kind in ("A", "B"):
        found.add("CLS-02")
    if kind in ("A", "C"):
        if ship["TaxRefundClaimed"] == "1":
            found.add("CLS-06")
        if ship["ForeignExchangeSettled"] == "1":
            found.add("CLS-07")


def _person(ship: Shipment, look: Facts, found: set[str]) -> None:
    own = ship["SendId"]
    if ship["SendIdType"] == "1" and own is not None:
        if len(own) == 15 and own.isdecimal():
            found.add("ID-02")
        elif not _identity(own) or not _born(own[6:14], look.today):
            found.add("ID-01")


def _identity(own: str) -> bool:
    """Seventeen digits and the check character that they ask for."""
    if len(own) != 18 or not own.isascii() or not own[:17].isdigit():
        return False
    total = sum(int(c) * w for c, w in zip(own, _WEIGHTS, strict=False))
    return own[17].upper() == "10X98765432"[total % 11]


def _born(day: str, today: str) -> bool:
    try:
        datetime.strptime(day, "%Y%m%d")  # noqa: DTZ007  # a calendar day, no moment
    except ValueError:
        return False
    return "19000101" <= day <= today


def _firms(ship: Shipment, found: set[str]) -> None:
    for name in ("TradeScc", "AgentScc"):
        if ship[name] is not None and not _social_credit(ship[name]):
            found.add("ID-09")
    for name in ("TradeCo", "AgentCode"):
        if ship[name] is not None and not _registered(ship[name]):
            found.add("ID-11")
    if (
        ship["EntryType"] in ("C", "D")
        and ship["TradeCo"]
        and ship["CoOwner"] != ship["TradeCo"][5:6]
    ):
        found.add("EXP-38")


def _social_credit(code: str) -> bool:
    places = [_USCC.get(c, -1) for c in code]
    if len(places) != 18 or -1 in places:
        return False
    total = sum(p * w for p, w in zip(places, _USCC_WEIGHTS, strict=False))
    return (31 - total % 31) % 31 == places[17]


def _characters(ship: Shipment, found: set[str]) -> None:
    every = "".join([v for v in ship.values() if v.__class__ is str])
    for row in (*ship["lines"], *ship["docs"]):
        every += "".join([v for v in row.values() if v is not None])
    if _odd(every) and _illegal(every):
        found.add("TXT-04")
    for name in _LIKE_CODES:
        if ship[name] is not None and not ship[name].isascii() and _full_width(ship[name]):
            found.add("TXT-04")
    for name in ("SendTelNo", "ReceiveTelNo"):
        if ship[name] is not None and not _phone(ship[name]):
            found.add("EXP-24")


def _scripts(ship: Shipment, found: set[str]) -> None:
    if ship["ReceiveCity"] is not None and not _has_han(ship["ReceiveCity"]):
        found.add("EXP-25")
    if ship["IEFlag"] == "E":
        if ship["SendCity"] is not None and not _all_han(ship["SendCity"]):
            found.add("EXP-26")
        if _not_latin(ship["ReceiveNameEn"]):
            found.add("EXP-28")
        return
    texts = [ship["SendNameEn"], ship["SendCityEn"], ship["StopCityEn"]]
    if any(map(_not_latin, [*texts, *(line["GNameEn"] for line in ship["lines"])])):
        found.add("EXP-27")


def _not_latin(text: str | None) -> bool:
    return text is not None and (not _has_latin(text) or bool(_has_han(text)))


def _lines(ship: Shipment, look: Facts, found: set[str]) -> None:
    lines, kind = ship["lines"], ship["EntryType"]
    if len(lines) > 20:
        found.add("CLS-20")
    numbers = [line["GNo"] for line in lines]
    wanted = [str(i) for i in range(1, len(lines) + 1)]
    if not lines or (numbers != wanted and sorted(map(str, numbers)) != sorted(wanted)):
        found.add("EXP-22")
    digits = {"B": 8, "C": 10, "D": 10}.get(kind or "")
    lengths = {len(line["CodeTS"]) for line in lines if line["CodeTS"]}
    if {8, 10} <= lengths:
        found.add("CLS-13")
    for line in lines:
        code, name = line["CodeTS"], line["GName"]
        if digits and code and (len(code) != digits or not code.isdecimal()):
            found.add("EXP-18")
        if name and kind != "A":
            bare = _punctuation.sub("", name.lower())
            if not bare or bare.isdecimal() or bare in look.vague:
                found.add("EXP-45")
        conditions = line["SupervisionConditions"]
        if conditions and (kind == "A" or (kind == "C" and conditions.strip("ABab /;,|"))):
            found.add("CLS-05")


def _amounts(ship: Shipment, look: Facts, found: set[str]) -> None:
    totals, cny = [], []
    best: Decimal | None = None
    main = None
    for line in ship["lines"]:
        trade, declared = number(line["TradeTotal"]), number(line["DeclTotal"])
        if number(line["Qty1"]) == 0:
            found.add("EXP-19")
        if trade is not None and (best is None or trade > best):
            best, main = trade, line["GNameEn"]
        totals.append(declared)
        rate = look.rates.get(line["TradeCurr"])
        cny.append(declared * rate if declared is not None and rate is not None else None)
        if declared is not None:
            if trade is not None and trade != declared:
                found.add("EXP-21")
            quantity, price = number(line["GQty"]), number(line["DeclPrice"])
            if quantity is not None and price is not None:
                _compare(quantity * price, declared, look, found)
    if main is not None and ship["MainGNameEn"] is not None and ship["MainGNameEn"] != main:
        found.add("EXP-23")
    _value(ship, _sum(totals), _sum(cny), look, found)


def _sum(values: list[Decimal | None]) -> Decimal | None:
    """None where one is missing."""
    total = Decimal(0)
    for value in values:
        if value is None:
            return None
        total += value
    return total


def _value(
    ship: Shipment, total: Decimal | None, cny: Decimal | None, look: Facts, found: set[str]
) -> None:
    """The sum against the head, the value against the limits."""
    head = number(ship["TotalValue"])
    same = {line["TradeCurr"] for line in ship["lines"]} == {ship["CurrCode"]}
    if total is not None and head is not None and same:
        _compare(total, head, look, found)
    if cny is None:
        return
    if not same and head is not None:
        cny = max(cny, head * look.rates.get(ship["CurrCode"], Decimal(0)))
    _limits(ship, cny, look, found)


def _compare(apart_from: Decimal, total: Decimal, look: Facts, found: set[str]) -> None:
    if abs(apart_from - total) - look.tolerance > total * look.refused:
        found.add("EXP-44")


def _limits(ship: Shipment, value: Decimal, look: Facts, found: set[str]) -> None:
    kind, direction, day = ship["EntryType"], ship["IEFlag"], ship["IEDate"] or ""
    country = ship["SendCountry" if direction == "I" else "ReceiveCountry"]
    for limit in look.limits:
        if (
            limit.kind != kind
            or limit.direction != direction
            or not limit.first <= day <= limit.last
        ):
            continue
        there = limit.territory == "any" or (country in limit.countries) == (
            limit.territory == "in"
        )
        if there and value > limit.most and not (kind == "B" and _single(ship, look)):
            found.add(limit.rule)


def _single(ship: Shipment, look: Facts) -> bool:
    lines = ship["lines"]
    return len(lines) == 1 and number(lines[0]["GQty"]) == 1 and lines[0]["GUnit"] in look.countable
