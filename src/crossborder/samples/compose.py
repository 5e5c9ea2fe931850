"""Composes a sample block by block: skeleton, wishes of the dirt, heads and lines, then the dirt itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import cast

import polars as pl

from crossborder.errors import InputError
from crossborder.samples import dirt, plan
from crossborder.samples.plan import DIRECTIONS, Order
from crossborder.samples.shipments import compose_block
from crossborder.samples.vocabulary import table
from crossborder.shipments import frames as canonical
from crossborder.shipments.columns import COLUMNS, FrameName

BLOCK = 50_000

REPORT: dict[str, pl.DataType | type[pl.DataType]] = {
    "ship": pl.UInt32, "line": pl.UInt32, "shipment": pl.String, "kind": pl.String, "rule": pl.String,
    "severity": pl.String, "also": pl.List(pl.String),
}  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """Shipments of one composed day, or of a block of it.

    `frames` are the canonical frames as composed (texts; `ship`, `line`, `doc` as keys, other columns null
    where nothing fills them); their `row` is the record number of the `canonical` shape. `dirt` has one row
    per dirty shipment: `ship`, `line` (null: the head), `shipment`, `kind`, `rule`, `severity`, `also`.
    `rates`: `currency`, `rate`, made up.
    """

    order: Order
    frames: canonical.FrameSet
    dirt: pl.DataFrame
    rates: pl.DataFrame


def compose(
    shipments: int,
    seed: int,
    dirty: float = 0.0,
    direction: str = "I",
    day: date | None = None,
    districts: Sequence[str] = (),
    *,
    mapping: str = "canonical",
    suffix: str = ".csv",
) -> Sample:
    """A believable day of `shipments` house waybills, the same for the same arguments.

    `dirty` is the share of shipments that are spoiled, one kind each, dealt in rotation, reject kinds first;
    `mapping` and `suffix` (`.csv`, `.xlsx`, …) leave out dirt that cannot be written there. `districts` are
    the declaration ports, dealt to flights in turn. Raises `InputError` for a request that makes no sense.
    """
    blocks = list(
        compose_blocks(order(shipments, seed, dirty, direction, day, districts, mapping, suffix))
    )
    if len(blocks) == 1:
        return blocks[0]
    parts = [
        pl.concat([getattr(b.frames, name) for b in blocks])
        for name in ("shipments", "goods", "documents")
    ]
    return dataclasses.replace(
        blocks[0],
        frames=canonical.FrameSet(*parts),
        dirt=pl.concat([b.dirt for b in blocks]),
    )  # fmt: skip


def order(
    shipments: int, seed: int, dirty: float, direction: str, day: date | None, districts: Sequence[str],
    mapping: str, suffix: str,
) -> Order:  # fmt: skip
    """What is asked for, checked. Raises `InputError`."""
    if shipments < 1 or shipments > 100_000_000:
        raise InputError("a sample has 1 to 100,000,000 shipments", "样例的票数须为 1 至 1 亿")
    if not 0 <= dirty <= 1:
        raise InputError("the dirty share lies between 0 and 1", "脏数据比例须在 0 与 1 之间")
    if direction not in DIRECTIONS:
        raise InputError("the direction is I or E", "进出口标志须为 I 或 E")
    given = Order(shipments, seed, dirty, direction, mapping=mapping, suffix=suffix)
    if day is not None:
        given = dataclasses.replace(given, day=day)
    return dataclasses.replace(given, districts=tuple(districts)) if districts else given


def compose_blocks(asked: Order, size: int = BLOCK) -> Iterator[Sample]:
    """The same sample as `compose`, at most `size` shipments at a time, so that memory stays small."""
    all_masters = plan.masters(asked)
    spoiled = dirt.deal(asked)
    rates = table("rates")
    for start in range(0, asked.shipments, size):
        stop = min(start + size, asked.shipments)
        skeleton = plan.skeleton(asked, all_masters, spoiled, start, stop)
        yield _block(asked, dirt.wishes(asked, skeleton), rates)


def _block(asked: Order, skeleton: pl.DataFrame, rates: pl.DataFrame) -> Sample:
    marks = skeleton.select("ship", pl.col("kind").alias("_dirt"))
    report = _report(asked, skeleton.select("ship", "kind", "house_waybill"))
    heads, goods, documents = compose_block(
        asked, skeleton.with_columns(pl.col("kind").is_not_null().alias("spoiled")).drop("kind")
    )
    ready: dict[str, pl.DataFrame] = {}
    for name, frame in (("shipments", heads), ("goods", goods), ("documents", documents)):
        marked = _whole(name, frame).join(marks, on="ship", how="left", maintain_order="left")
        ready[name] = dirt.spoil(asked, name, marked).drop("_dirt")
    return Sample(asked, _frameset(ready), _said(report, ready["shipments"]), rates)


def _whole(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    columns = COLUMNS[cast("FrameName", name)]
    keys = [c for c in ("ship", "line", "doc") if c in frame.columns]
    return frame.select(
        *keys,
        *(
            pl.col(c) if c in frame.columns else pl.lit(None, dtype=pl.String).alias(c)
            for c in columns
        ),
    )


def _frameset(ready: dict[str, pl.DataFrame]) -> canonical.FrameSet:
    """Canonical frames with their key columns; rows count goods lines from 1 (0 where there is none)."""
    goods = ready["goods"].with_columns(
        pl.lit("").alias("sheet"), (pl.int_range(pl.len()) + 1).cast(pl.UInt32).alias("row")
    )
    rows = goods.group_by("ship", maintain_order=True).agg(
        pl.col("row").min(), pl.col("row").alias("rows")
    )
    heads = ready["shipments"].join(rows, on="ship", how="left", maintain_order="left")
    heads = heads.with_columns(pl.lit("").alias("sheet"), pl.lit(False).alias("unreadable"))
    papers = ready["documents"].join(
        rows.select("ship", "row"), on="ship", how="left", maintain_order="left"
    )
    return canonical.FrameSet(
        canonical.complete("shipments", heads),
        canonical.complete("goods", goods),
        canonical.complete("documents", papers.with_columns(pl.lit("").alias("sheet"))),
    )


def _report(asked: Order, marked: pl.DataFrame) -> pl.DataFrame:
    rows = [
        (number, kind.line, kind.name, kind.rule, kind.severity, list(kind.also))
        for number, kind in enumerate(dirt.dealt(asked))
    ]
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "kind": pl.UInt32,
        "line": pl.UInt32,
        "name": pl.String,
        **{n: REPORT[n] for n in ("rule", "severity", "also")},
    }
    said = pl.DataFrame(rows, schema=schema, orient="row")
    return marked.join(said, on="kind", maintain_order="left").drop("kind", "house_waybill")


def _said(report: pl.DataFrame, heads: pl.DataFrame) -> pl.DataFrame:
    """The dirt report with the house waybill as it is written."""
    named = report.join(heads.select("ship", "house_waybill"), on="ship", maintain_order="left")
    return named.rename({"house_waybill": "shipment", "name": "kind"}).select(
        pl.col(n).cast(t) for n, t in REPORT.items()
    )
