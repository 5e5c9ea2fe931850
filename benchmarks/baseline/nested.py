"""Canonical frames as nested shipments: what the rules' own examples are handed over as."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.baseline.spec import (
    DOCU,
    FACTS,
    HEAD,
    LINE,
    LINE_FACTS,
    Shipment,
    key_of,
    names,
    shortest,
)
from crossborder.shipments import FrameSet
from crossborder.shipments.columns import COLUMNS

_FACTS = {
    "tax_refund_claimed": "TaxRefundClaimed", "foreign_exchange_settled": "ForeignExchangeSettled",
    "separated_luggage": "SeparatedLuggage", "platform_purchase": "PlatformPurchase",
    "supervision_conditions": "SupervisionConditions",
}  # fmt: skip
"""How a file calls the facts that no element holds."""


def shipments(frames: FrameSet) -> dict[int, Shipment]:
    """The shipments of frames by their number, as reading a file gives them; all of them can be read."""
    found: dict[int, Shipment] = {}
    for row in frames.shipments.iter_rows(named=True):
        head = _row(HEAD, {column: row[column] for column in COLUMNS["shipments"]})
        found[row["ship"]] = {**head, "lines": [], "docs": [], "rows": row["rows"], "broken": False}
    for row in frames.goods.iter_rows(named=True):
        line = _row(LINE, {column: row[column] for column in COLUMNS["goods"]})
        found[row["ship"]]["lines"].append(line)
    for row in frames.documents.iter_rows(named=True):
        docu = _row(DOCU, {column: row[column] for column in COLUMNS["documents"]})
        found[row["ship"]]["docs"].append(docu)
    return found


def _row(group: str, values: Mapping[str, Any]) -> Shipment:
    spec, keys = names("EXP301", group), key_of(group)
    facts = {HEAD: FACTS, LINE: LINE_FACTS}.get(group, ())
    made: Shipment = dict.fromkeys((*spec.elements, *facts))
    for column, value in values.items():
        made[keys.get(column) or _FACTS.get(column, column)] = value
    for name in spec.decimals:
        if made[name] is not None:
            made[name] = shortest(made[name])
    return made
