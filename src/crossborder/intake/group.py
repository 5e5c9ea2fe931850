"""From one row per goods line to shipments, goods and documents.

Rows next to each other with equal master, house and direction, as written, are one shipment. Rows of one
waybill that stand apart are still that one shipment, with a finding; a row without a house waybill is a
shipment of its own. A document repeated word for word under the same sequence number is one document.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from crossborder.intake import problems
from crossborder.shipments.frames import complete

KEY = ("shipments.master_waybill", "shipments.house_waybill", "shipments.direction")


@dataclass(frozen=True)
class Grouped:
    """The three frames, and what was found while grouping."""

    shipments: pl.DataFrame
    goods: pl.DataFrame
    documents: pl.DataFrame
    problems: pl.DataFrame


def group(
    table: pl.DataFrame,
    *,
    goods: pl.Series,
    documents: pl.Series,
    broken: Sequence[int],
    unreadable: pl.Series,
    sheet: str,
) -> Grouped:
    """Group `table`: `row` and columns named `frame.column`, key columns always present.

    `goods` and `documents` are masks of rows that name a goods line or a document; `broken` are rows that
    could not be read, each becoming a shipment; `unreadable` masks rows that spoil their shipment.
    """
    runs, table = _runs(table)
    lost = pl.DataFrame({"row": broken}, schema={"row": pl.UInt32})
    heads = (
        pl.concat(
            [
                runs.filter(pl.col("run") == pl.col("owner")).select("row", "owner"),
                lost.select("row", pl.lit(None, dtype=pl.UInt32).alias("owner")),
            ]
        )
        .sort("row", maintain_order=True)
        .with_row_index("ship")
    )
    table = table.join(
        heads.filter(pl.col("owner").is_not_null()).select("owner", "ship"),
        on="owner",
        how="left",
        maintain_order="left",
    )
    found = [_apart(runs), _head_differs(table)]
    shipments = _shipments(table, heads, unreadable, sheet)
    return Grouped(
        complete("shipments", shipments),
        complete("goods", _lines(table, goods, "goods", "line", sheet)),
        complete("documents", _lines(table, documents, "documents", "doc", sheet)),
        pl.concat(found),
    )


def _runs(table: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Runs of rows with equal keys, each with the first run of that waybill as `owner`."""
    changed = pl.any_horizontal(pl.col(k).ne_missing(pl.col(k).shift(1)) for k in KEY)
    new = changed | pl.col(KEY[1]).is_null() | (pl.int_range(pl.len()) == 0)
    table = table.with_columns(new.cast(pl.UInt32).cum_sum().alias("run"), new.alias("new"))
    runs = table.filter("new").select("run", "row", *KEY)
    runs = runs.with_columns(
        pl.when(pl.col(KEY[1]).is_null())
        .then("run")
        .otherwise(pl.col("run").first().over(*KEY))
        .alias("owner")
    )
    owner = runs["owner"].gather(table["run"] - 1)
    return runs, table.with_columns(owner.alias("owner")).drop("new")


def _apart(runs: pl.DataFrame) -> pl.DataFrame:
    """Later runs of a waybill that already had one."""
    later = runs.filter(pl.col("run") != pl.col("owner"))
    if not later.height:
        return problems.none()
    first = runs.select(pl.col("run").alias("owner"), pl.col("row").alias("a"))
    return problems.many(
        "not-adjacent",
        later.join(first, on="owner", how="left").select(
            "row", "a", pl.lit(KEY[1]).alias("column"), pl.col(KEY[1]).alias("value")
        ),
    )


def _head_differs(table: pl.DataFrame) -> pl.DataFrame:
    """Head columns that say something else than the shipment's first row; a blank says nothing."""
    if not table["ship"].is_sorted():
        table = table.sort("ship", maintain_order=True)
    names = [c for c in table.columns if c.startswith("shipments.") and c not in KEY]
    inside = pl.col("ship") == pl.col("ship").shift(1)
    changes = table.select(
        (inside & pl.col(n).is_not_null() & pl.col(n).ne_missing(pl.col(n).shift(1))).any().alias(n)
        for n in names
    )
    suspects = [n for n in names if changes[n].item()] if table.height and names else []
    firsts = table.group_by("ship", maintain_order=True).agg(pl.col("row", *suspects).first())
    parts = []
    for n in suspects:
        both = table.select("ship", "row", pl.col(n).alias("value")).join(
            firsts.select("ship", pl.col("row").alias("a"), pl.col(n).alias("b")),
            on="ship",
            how="left",
            maintain_order="left",
        )
        wrong = both.filter(
            pl.col("value").is_not_null() & pl.col("value").ne_missing(pl.col("b"))
        ).unique("ship", keep="first", maintain_order=True)
        told = wrong.with_columns(pl.lit(n).alias("column"), pl.col("b").fill_null("–"))
        parts.append(problems.many("head-differs", told))
    return pl.concat(parts) if parts else problems.none()


def _shipments(
    table: pl.DataFrame, heads: pl.DataFrame, unreadable: pl.Series, sheet: str
) -> pl.DataFrame:
    numbered = (
        table.select("ship", "row").with_columns(unreadable.alias("bad")).with_row_index("at")
    )
    by_ship = numbered.group_by("ship", maintain_order=True).agg(
        pl.col("at").first(), pl.col("row").alias("rows"), pl.col("bad").any()
    )
    names = [c for c in table.columns if c.startswith("shipments.")]
    first = table.select(pl.col(names).gather(by_ship["at"])).rename(lambda n: n.partition(".")[2])
    read = pl.concat([by_ship.select("ship", "rows", "bad"), first], how="horizontal")
    return (
        heads.select("ship", "row")
        .join(read, on="ship", how="left", maintain_order="left")
        .with_columns(
            pl.lit(sheet).alias("sheet"),
            pl.coalesce("rows", pl.concat_list("row")).alias("rows"),
            pl.col("bad").fill_null(True).alias("unreadable"),
        )
    )


def _lines(
    table: pl.DataFrame, given: pl.Series, frame: str, number: str, sheet: str
) -> pl.DataFrame:
    """Goods lines or documents, numbered within their shipment."""
    names = [c for c in table.columns if c.startswith(f"{frame}.")]
    lines = table.filter(given).select("ship", "row", *names).rename(lambda n: n.rpartition(".")[2])
    if not lines["ship"].is_sorted():
        lines = lines.sort("ship", maintain_order=True)
    if number == "doc" and "order_number" in lines.columns:
        same = [c for c in lines.columns if c != "row"]
        again = pl.col("order_number").is_not_null() & ~pl.struct(same).is_first_distinct()
        lines = lines.filter(~again)
    return lines.with_columns(
        pl.int_range(pl.len()).over("ship").alias(number), pl.lit(sheet).alias("sheet")
    )
