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
from crossborder.intake.framing import complete, constant
from crossborder.shipments.asking import AS_WRITTEN, columns_of
from crossborder.shipments.columns import FrameName
from crossborder.shipments.frames import empty

KEY = ("shipments.master_waybill", "shipments.house_waybill", "shipments.direction")


_BEGINS = (
    pl.any_horizontal(pl.col(k).ne_missing(pl.col(k).shift(1)) for k in KEY)
    | pl.col(KEY[1]).is_null()
    | (pl.int_range(pl.len()) == 0)
).alias("begins")


_PLACE, _SHIP = pl.int_range(pl.len(), dtype=pl.UInt32), pl.col("ship")
_FIRST = pl.when(_SHIP.ne_missing(_SHIP.shift(1))).then(_PLACE).otherwise(0).cum_max()
_NUMBERED = _PLACE - _FIRST
"""Rows numbered within their shipment, whose rows stand together."""


@dataclass(frozen=True)
class Grouped:
    """The three frames, and what was found while grouping."""

    shipments: pl.DataFrame
    goods: pl.DataFrame
    documents: pl.DataFrame
    problems: pl.DataFrame


def begins(table: pl.DataFrame) -> pl.Series:
    """Mask of the rows on which another waybill stands than on the row above: there a run of rows begins."""
    return (
        table.lazy().select(_BEGINS).collect(engine="in-memory", optimizations=AS_WRITTEN)["begins"]
    )


def group(
    table: pl.DataFrame,
    begin: pl.Series,
    *,
    goods: pl.Series,
    documents: pl.Series,
    broken: Sequence[int],
    unreadable: pl.Series,
    sheet: str,
    ships: int = 0,
) -> Grouped:
    """Group `table`: `row` and columns named `frame.column`, key columns always present; `begin` as `begins`
    gives it.

    `goods` and `documents` are masks of rows that name a goods line or a document; `broken` are rows that
    could not be read, each becoming a shipment; `unreadable` masks rows that spoil their shipment. Shipments
    are numbered from `ships`, in the order of their first rows.
    """
    runs = _runs(_where(table[["row", *KEY]], begin))
    lost = pl.Series("row", broken, dtype=pl.UInt32).sort()
    owners = runs["run"] == runs["owner"]
    heads = runs["row"] if owners.all() else runs["row"].filter(owners)
    of_head, of_lost = _numbers(heads, lost, ships), _numbers(lost, heads, ships)
    of_run = of_head.gather(runs["place"])
    ship = of_run.gather(begin.cum_sum() - 1).alias("ship")
    table = table.hstack(
        [ship, goods.alias("_goods"), documents.alias("_documents"), unreadable.alias("_bad")]
    )
    if not owners.all():
        table = table.sort("ship", maintain_order=True)
        begin = table["ship"].ne_missing(table["ship"].shift(1))
    shipments = _shipments(table, begin, sheet)
    if len(lost):
        shipments = pl.concat([shipments, _unread(of_lost, lost, sheet)]).sort("ship")
    return Grouped(
        shipments,
        _lines(table, "goods", "line", sheet),
        _lines(table, "documents", "doc", sheet),
        pl.concat([_apart(runs, owners), _head_differs(table, begin)]),
    )


def _runs(heads: pl.DataFrame) -> pl.DataFrame:
    """Runs by their first rows: their number from 0 (`run`), the first run of the same waybill (`owner`), and
    which of all owners that is (`place`)."""
    runs = heads.with_row_index("run")
    house = runs[KEY[1]]
    if house.n_unique() - (house.null_count() > 0) == len(house) - house.null_count():
        return runs.hstack([runs["run"].alias("owner"), runs["run"].alias("place")])
    runs = runs.with_columns(
        pl.when(pl.col(KEY[1]).is_null())
        .then("run")
        .otherwise(pl.col("run").first().over(*KEY))
        .alias("owner")
    )
    places = (runs["run"] == runs["owner"]).cum_sum() - 1
    return runs.with_columns(places.gather(runs["owner"]).alias("place"))


def _numbers(rows: pl.Series, others: pl.Series, first: int) -> pl.Series:
    """Numbers from `first` of `rows` when they are counted together with `others`, both sorted."""
    numbers = pl.int_range(first, first + len(rows), dtype=pl.UInt32, eager=True)
    return numbers + others.search_sorted(rows) if len(others) and len(rows) else numbers


def _apart(runs: pl.DataFrame, owners: pl.Series) -> pl.DataFrame:
    """Later runs of a waybill that already had one."""
    if owners.all():
        return problems.none()
    later = runs.filter(~owners)
    first = runs.select(pl.col("run").alias("owner"), pl.col("row").alias("a"))
    return problems.many(
        "not-adjacent",
        later.join(first, on="owner", how="left").select(
            "row", "a", pl.lit(KEY[1]).alias("column"), pl.col(KEY[1]).alias("value")
        ),
    )


def _head_differs(table: pl.DataFrame, begin: pl.Series) -> pl.DataFrame:
    """Head columns that say something else than the shipment's first row; a blank says nothing."""
    if begin.all():
        return problems.none()
    names = [c for c in table.columns if c.startswith("shipments.") and c not in KEY]
    parts = []
    firsts: pl.DataFrame | None = None
    for name in _suspects(table[names], ~begin):
        firsts = table.filter(begin) if firsts is None else firsts
        both = table.select("ship", "row", pl.col(name).alias("value")).join(
            firsts.select("ship", pl.col("row").alias("a"), pl.col(name).alias("b")),
            on="ship",
            how="left",
            maintain_order="left",
        )
        wrong = both.filter(
            pl.col("value").is_not_null() & pl.col("value").ne_missing(pl.col("b"))
        ).unique("ship", keep="first", maintain_order=True)
        told = wrong.with_columns(pl.lit(name).alias("column"), pl.col("b").fill_null("–"))
        parts.append(problems.many("head-differs", told))
    return pl.concat(parts) if parts else problems.none()


def _suspects(heads: pl.DataFrame, below: pl.Series) -> list[str]:
    """Columns in which a row that is `below` another of its shipment says something else than that one."""
    names = [s.name for s in heads.iter_columns() if s.null_count() < len(s)]
    if not names:
        return []
    row, some = pl.struct(names), heads[names]
    query = some.lazy().select(row.ne_missing(row.shift(1)))
    differs = query.collect(engine="in-memory", optimizations=AS_WRITTEN)
    places = pl.int_range(len(below), dtype=pl.UInt32, eager=True)
    places = places.filter(below & differs.to_series())
    rows, above = some[places], some[places - 1]
    return [
        a.name
        for a, b in zip(rows.iter_columns(), above.iter_columns(), strict=True)
        if not a.equals(b) and (a.is_not_null() & a.ne_missing(b)).any()
    ]


def _shipments(table: pl.DataFrame, begin: pl.Series, sheet: str) -> pl.DataFrame:
    own = [c for c in table.columns if c.startswith("shipments.")]
    first = _where(table[["ship", "row", "_bad", *own]], begin)
    bad = first["_bad"]
    if table["_bad"].any():
        bad = first["ship"].is_in(table.filter("_bad")["ship"].implode())
    keys = [
        first["ship"],
        constant(sheet, first.height).alias("sheet"),
        first["row"],
        _rows(table),
        bad.alias("unreadable"),
    ]
    return complete("shipments", _named(first, "shipments").hstack(keys))


def _rows(table: pl.DataFrame) -> pl.Series:
    """The rows of each shipment."""
    by_ship = (
        table.lazy()
        .select(pl.col("ship").set_sorted(), "row")
        .group_by("ship", maintain_order=True)
    )
    return (
        by_ship.agg("row")
        .collect(engine="in-memory", optimizations=AS_WRITTEN)["row"]
        .alias("rows")
    )


def _unread(ships: pl.Series, rows: pl.Series, sheet: str) -> pl.DataFrame:
    """Shipments of which nothing is known but the row."""
    alone = pl.DataFrame([ships.alias("ship"), rows]).with_columns(
        pl.concat_list("row").alias("rows"),
        pl.lit(True).alias("unreadable"),
        pl.lit(sheet).alias("sheet"),
    )
    return complete("shipments", alone)


def _lines(table: pl.DataFrame, name: FrameName, number: str, sheet: str) -> pl.DataFrame:
    """Goods lines or documents, numbered within their shipment."""
    own = [c for c in table.columns if c.startswith(f"{name}.")]
    named = table[f"_{name}"]
    if not named.any():
        return empty(name)
    lines = _where(table[["ship", "row", *own]], named)
    order = f"{name}.order_number"
    if order in own:
        again = pl.col(order).is_not_null() & ~pl.struct("ship", *own).is_first_distinct()
        lines = lines.filter(~again)
    keys = [
        lines["ship"],
        constant(sheet, lines.height).alias("sheet"),
        lines["row"],
        *columns_of(lines[["ship"]], [_NUMBERED.alias(number)]),
    ]
    return complete(name, _named(lines, name).hstack(keys))


def _where(table: pl.DataFrame, mask: pl.Series) -> pl.DataFrame:
    """The rows of a mask; the table itself where that is all of them."""
    return table if mask.all() else table.filter(mask)


def _named(table: pl.DataFrame, frame: FrameName) -> pl.DataFrame:
    """The columns of one frame by their canonical names."""
    prefix = f"{frame}."
    own = table[[name for name in table.columns if name.startswith(prefix)]]
    own.columns = [name.removeprefix(prefix) for name in own.columns]
    return own
