"""The findings frame: one row per fault, the same columns from intake to the report.

`severity` is `reject` (must not be sent), `warn`, or `not_evaluated` (a table, rate or input is missing:
neither fault nor pass). `action` is what follows: `reject`; `transfer` (it leaves the express flow and is declared as
ordinary goods: transfer to general declaration); `hold` (waits for a person); `note` (goes on,
the note stays with it); `mark` (goes on marked: a check that could not run against an incomplete table).
A `not_evaluated` finding whose action is `hold` makes the shipment *not evaluated*.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from crossborder.shipments.asking import AS_WRITTEN

SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "ship": pl.UInt32,  # null: about the file as a whole
    "sheet": pl.String,
    "row": pl.UInt32,
    "column": pl.String,  # the source header
    "element": pl.String,  # schema element, if one is concerned
    "shipment": pl.String,  # house waybill as written, "#row" where there is none
    "master": pl.String,
    "rule": pl.String,
    "severity": pl.String,
    "action": pl.String,
    "value": pl.String,
    "zh": pl.String,
    "en": pl.String,
    "fix_zh": pl.String,
    "fix_en": pl.String,
    "suggest": pl.String,
    "source": pl.String,  # law, notice or schema the rule comes from
}
"""Columns of a findings frame."""

VERDICTS = ("valid", "rejected", "not_evaluated", "on_hold")
"""What is counted of a check: these add up to the shipments. `TO_GENERAL` is counted with what is rejected, and by itself."""

TO_GENERAL = "to_general"
"""The verdict of what is not sent by express because it fits none of its classes: it is declared as ordinary goods."""

LIVE_DIFFERS = "INT-live-differs"
"""The finding of a shipment whose live declaration has other content: a person must look, whatever else is said."""


_NONE = pl.DataFrame(schema=SCHEMA)


def empty() -> pl.DataFrame:
    """No findings."""
    return _NONE.clone()


def build(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Findings from dictionaries (few rows only: bulk rules build columns)."""
    given = list(rows)
    return pl.DataFrame(given, schema=SCHEMA) if given else empty()


def gather(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """All findings of several stages in one frame; missing columns become null."""
    shaped = [
        part if part.schema == _NONE.schema else _shaped(part) for part in parts if part.height
    ]
    return pl.concat(shaped) if shaped else empty()


def _shaped(part: pl.DataFrame) -> pl.DataFrame:
    return part.select(
        pl.col(n).cast(t) if n in part.columns else pl.lit(None, dtype=t).alias(n)
        for n, t in SCHEMA.items()
    )


def heads(shipments: pl.DataFrame, ships: pl.Series) -> pl.DataFrame:
    """`sheet`, `row`, `shipment`, `master` of some shipments of a frame, as findings name them."""
    known = shipments[["ship", "sheet", "row", "house_waybill", "master_waybill"]]
    if not known.get_column("ship").is_sorted():
        known = known.sort("ship")
    own = known[known.get_column("ship").search_sorted(ships)]
    house, row = own.get_column("house_waybill"), own.get_column("row")
    shipment = house.zip_with(house.is_not_null(), "#" + row.cast(pl.String))
    master = own.get_column("master_waybill").alias("master")
    return pl.DataFrame([own.get_column("sheet"), row, shipment.alias("shipment"), master])


def verdicts(ships: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """`ship`, `verdict` for every shipment: to_general, else rejected, else not_evaluated, else on_hold, else valid.

    What leaves the express flow is not judged by the express rules; but what is live with other content is rejected.
    """
    if not findings.height:
        valid = pl.Series("verdict", ["valid"], dtype=pl.String)
        return ships[["ship"]].hstack([valid.new_from_index(0, ships.height)])
    told = findings.lazy().filter(pl.col("ship").is_not_null())
    reject, hold = pl.col("action") == "reject", pl.col("action") == "hold"
    unjudged = (pl.col("severity") == "not_evaluated") & hold
    leaves, live = pl.col("action") == "transfer", pl.col("rule") == LIVE_DIFFERS
    worst = told.group_by("ship").agg(
        reject.any().alias("_r"),
        unjudged.any().alias("_n"),
        hold.any().alias("_h"),
        (leaves.any() & ~(reject & live).any()).alias("_t"),
    )
    verdict = (
        pl.when(pl.col("_t"))
        .then(pl.lit(TO_GENERAL))
        .when(pl.col("_r"))
        .then(pl.lit("rejected"))
        .when(pl.col("_n"))
        .then(pl.lit("not_evaluated"))
        .when(pl.col("_h"))
        .then(pl.lit("on_hold"))
        .otherwise(pl.lit("valid"))
    )
    return (
        ships.lazy()
        .select("ship")
        .join(worst, on="ship", how="left", maintain_order="left")
        .select("ship", verdict.alias("verdict"))
        .collect(engine="in-memory", optimizations=AS_WRITTEN)
    )
