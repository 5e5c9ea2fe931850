"""Keys that stand more than once in a hand-in without a rule having said so.

The rule about repeated house waybills (EXP-48) is in force from a day on, and a shipment may be older. The ledger's key
knows no days: at most one attempt of a key is live, so every copy is refused here, in the words of the rule.
"""

from __future__ import annotations

import polars as pl

from crossborder import rules
from crossborder.shipments import FrameSet
from crossborder.shipments import findings as found

RULE = "EXP-48"
OVER = ("_master", "_house", "direction")
"""What shipments with the same key have in common."""


def unnoticed(
    frames: FrameSet, keys: pl.DataFrame, valid: pl.Series, context: rules.Context
) -> pl.DataFrame:
    """Findings of the shipments that are `valid` although their key stands with another valid one.

    `keys` is `ship, key`; both it and `frames` hold every shipment of these keys.
    """
    ships = keys.filter(pl.col("key").is_not_null(), pl.col("ship").is_in(valid.implode()))
    again = ships.filter(pl.col("key").is_duplicated())["ship"]
    if again.is_empty():
        return found.empty()
    rule = next(r for r in rules.registry() if r.id == RULE)
    case = next(c for c in rule.cases(context) if c.over)
    said = {
        "element": "AssBillNo", "rule": rule.id, "severity": rule.severity, "action": rule.action, "zh": case.zh,
        "en": case.en, "fix_zh": rule.fix_zh, "fix_en": rule.fix_en, "source": rule.legal_source,
        "column": frames.header("shipments", "house_waybill"),
    }  # fmt: skip
    told = frames.shipments.filter(pl.col("ship").is_in(again.implode())).select(
        "ship",
        "sheet",
        "row",
        shipment="house_waybill",
        master="master_waybill",
        value="house_waybill",
    )
    return found.gather([told.with_columns(pl.lit(v).alias(n) for n, v in said.items())])
