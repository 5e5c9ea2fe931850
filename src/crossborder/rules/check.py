"""Applying the rules: first one question per case over the whole frame, then rows for those that are broken.

A hand-in without faults costs one aggregate per case; findings are made only where an answer was yes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import compress

import polars as pl

from crossborder.rules.context import Context
from crossborder.rules.model import Rule, registered
from crossborder.rules.prepare import Prepared, prepare
from crossborder.rules.ready import Bundle, Ready, bundles, ready
from crossborder.shipments import findings
from crossborder.shipments.asking import AS_WRITTEN, answers, collect_all, filled
from crossborder.shipments.columns import FRAME_NAMES
from crossborder.shipments.frames import FrameSet


def registry() -> tuple[Rule, ...]:
    """Every implemented rule, family by family."""
    return registered()


def check(frames: FrameSet, ctx: Context) -> pl.DataFrame:
    """Findings of all rules over a hand-in, in the order of its shipments; never raises for bad data.

    May be called from several threads with the same context. Cases that say `over` compare only what is in
    `frames`: the caller says what a hand-in is.
    """
    return check_rules(frames, ctx, registry())


def check_rules(frames: FrameSet, ctx: Context, rules: Iterable[Rule]) -> pl.DataFrame:
    """The same for some rules only."""
    prepared = prepare(frames, ctx)
    if not prepared.frames["shipments"].height:
        return findings.empty()
    seen = _seen(prepared.frames["shipments"])
    asked = [one for rule in rules for one in _concerned(rule, ctx, seen)]
    parts = _broken(prepared, asked)
    return _placed(parts, prepared) if parts else findings.empty()


@dataclass(frozen=True)
class Seen:
    """What a hand-in holds at all: first and last movement day, whether one is unknown, classes."""

    first: date | None
    last: date | None
    gap: bool
    classes: frozenset[str]


def _seen(ships: pl.DataFrame) -> Seen:
    day = pl.col("_day")
    query = ships.lazy().select(
        first=day.min(),
        last=day.max(),
        gap=day.is_null().any(),
        classes=pl.col("_class").drop_nulls().unique().implode(),
    )
    first, last, gap, classes = query.collect(engine="in-memory", optimizations=AS_WRITTEN).row(0)
    return Seen(first, last, gap, frozenset(classes))


def _concerned(rule: Rule, ctx: Context, seen: Seen) -> Sequence[Ready]:
    """The cases of a rule that may speak about a hand-in; those bound to days say so themselves."""
    if rule.applies_to in ("A", "B", "C") and rule.applies_to not in seen.classes:
        return ()
    force = _in_force(rule, ctx, seen)
    if force is False:
        return ()
    found = ready(rule, ctx)
    return found if force is True else [one.within(force) for one in found]


def _in_force(rule: Rule, ctx: Context, seen: Seen) -> pl.Expr | bool:
    """Where a rule is in force: everywhere, nowhere, or on which rows.

    A row without a readable movement date is judged by the rules that have no end.
    """
    if rule.bounds:
        return True
    start = date.fromisoformat(rule.effective_from) if rule.effective_from else date.min
    end = date.fromisoformat(rule.effective_to) if rule.effective_to else date.max
    if rule.dated_by == "declaration":
        return start <= ctx.declaration_day <= end
    if seen.first is None or seen.last is None:
        return not rule.effective_to
    if start <= seen.first and seen.last <= end and not (seen.gap and rule.effective_to):
        return True
    return pl.col("_day").is_between(start, end).fill_null(not rule.effective_to)


def _broken(prepared: Prepared, asked: Sequence[Ready]) -> list[pl.DataFrame]:
    """Finding rows of the cases that fire somewhere, frame by frame in the order of the rules."""
    source = prepared.source
    queries: dict[int, pl.LazyFrame] = {}
    screened: dict[Bundle, pl.LazyFrame] = {}
    ordered = sorted(asked, key=lambda one: FRAME_NAMES.index(one.case.frame))
    for bundle in _open(prepared, list(enumerate(ordered))):
        frame = prepared.frames[bundle.first.case.frame].lazy()
        if bundle.first.screen is None:
            position, one = bundle.members[0]
            queries[position] = frame.filter(one.when).select(_columns(one, source))
        else:
            screened[bundle] = frame.filter(bundle.first.screen).select(bundle.needed)
    looked_at = collect_all([*queries.values(), *screened.values()])
    found = dict(zip(queries, looked_at, strict=False))
    queries = {
        position: rows.lazy().filter(one.when).select(_columns(one, source))
        for bundle, rows in zip(screened, looked_at[len(found) :], strict=True)
        for position, one in bundle.members
    }
    found |= zip(queries, collect_all(list(queries.values())), strict=True)
    return [found[position] for position in sorted(found) if found[position].height]


def _open(prepared: Prepared, asked: Sequence[tuple[int, Ready]]) -> Iterator[Bundle]:
    """The cases that fire somewhere, or whose screen lets a row through."""
    for name in FRAME_NAMES:
        frame, values = prepared.frames[name], filled(prepared.frames[name])
        mine = bundles(
            (position, one)
            for position, one in asked
            if one.case.frame == name and (one.case.blank or values[one.case.column])
        )
        told = answers(frame, [bundle.question for bundle in mine], sparing=True)
        yield from compress(mine, told)


def _columns(one: Ready, source: FrameSet) -> list[pl.Expr]:
    case = one.case
    header = source.header(case.frame, case.column) if case.column else None
    return [*one.told, pl.lit(header, dtype=pl.String).alias("column")]


def _placed(parts: Sequence[pl.DataFrame], prepared: Prepared) -> pl.DataFrame:
    """The findings with house and master waybill, shipment by shipment."""
    heads = prepared.frames["shipments"].lazy().select(
        "ship", master="master_waybill", _house_as_given="house_waybill", _head_row="row"
    )  # fmt: skip
    shipment = pl.coalesce("_house_as_given", pl.format("#{}", "_head_row"))
    return (
        pl.concat(parts)
        .lazy()
        .join(heads, on="ship", how="left", maintain_order="left")
        .with_columns(shipment=shipment)
        .sort("ship", "row", nulls_last=True, maintain_order=True)
        .select(*findings.SCHEMA)
        .collect(engine="in-memory", optimizations=AS_WRITTEN)
    )
