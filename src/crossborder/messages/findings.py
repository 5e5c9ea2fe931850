"""From compiled checks to findings, in two phases: one row of answers, then rows only for what failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress
from typing import Any

import polars as pl

from crossborder import codes
from crossborder.messages import texts
from crossborder.messages.checks import Check, GroupChecks, Lookup
from crossborder.messages.mapping import Source
from crossborder.shipments import findings
from crossborder.shipments.asking import AS_WRITTEN, FEW, Question, answers, collect_all, filled
from crossborder.shipments.columns import FrameName
from crossborder.shipments.frames import FrameSet


@dataclass(frozen=True)
class RowsOf:
    """Where the rows of a group come from, so that a finding can name sheet, row and column."""

    frame: FrameName
    keys: tuple[str, ...]
    sources: Mapping[str, Source]
    said_by: str  # what findings give as their source
    where: tuple[str, str] = ("", "")  # words before each text, zh and en


def failures(
    rows: pl.DataFrame, checks: GroupChecks, extra: Sequence[Check] = ()
) -> list[pl.DataFrame]:
    """For each check that failed somewhere: the failing rows with key columns, `_check`, `_value`, `_length`.

    `_check` counts through `numbered(checks, extra)`. Of several faults of one value only the first is kept.
    """
    values, possible, number = filled(rows), [], 0
    for gate in (*checks.gates, *(check.alone for check in extra)):
        if gate.can_fail(values[gate.checks[0].element], rows.height):
            possible.append((number, gate))
        number += len(gate.checks)
    told = answers(rows, [gate.question for _, gate in possible])
    failed = list(compress(possible, told))
    keys = [k for k in ("ship", "line", "doc") if k in rows.columns]
    looked_at = collect_all(
        [
            rows.lazy().filter(gate.question.when).select(*keys, *gate.question.columns)
            for _, gate in failed
        ]
    )
    queries = [
        _failing(few.lazy(), check, alone=len(gate.checks) == 1)
        .select(*keys, *check.told, pl.lit(place).alias("_check"))
        for (first, gate), few in zip(failed, looked_at, strict=True)
        for place, check in enumerate(gate.checks, first)
    ]  # fmt: skip
    return [part for part in collect_all(queries) if part.height]


def _failing(few: pl.LazyFrame, check: Check, *, alone: bool) -> pl.LazyFrame:
    """The rows of a gate that fail one of its checks; the gate of a single check has let through only those."""
    return few if alone else few.filter(check.fails)


def numbered(checks: GroupChecks, extra: Sequence[Check] = ()) -> list[Check]:
    """All single checks in the order that `_check` counts."""
    return [check for gate in checks.gates for check in gate.checks] + list(extra)


def first_faults(parts: Sequence[pl.DataFrame], keys: Sequence[str]) -> pl.DataFrame:
    """One fault per value, that of the check that comes first: filling, then form, then codes."""
    return (
        pl.concat(parts)
        .lazy()
        .sort(*keys, "_check")
        .unique([*keys, "_element"], keep="first", maintain_order=True)
        .collect(engine="in-memory", optimizations=AS_WRITTEN)
    )


@dataclass(frozen=True, eq=False)
class Unsure:
    """A look-up that no complete table can answer; `misses`: where the incomplete one has no answer."""

    lookup: Lookup
    known: bool
    misses: Question


@lru_cache(maxsize=64)
def complete_tables(
    lookups: tuple[Lookup, ...], tables: codes.Tables, on: str | None
) -> tuple[tuple[Check, ...], tuple[Unsure, ...]]:
    """Checks against complete tables, and the look-ups that no complete table can answer."""
    checks: list[Check] = []
    unsure: list[Unsure] = []
    for lookup in lookups:
        known = tables.codes(lookup.table, on)
        if tables.coverage(lookup.table, on) == "complete":
            checks.append(lookup.check(known))
        else:
            misses = Question(lookup.misses(known), keep=lookup.keep)
            unsure.append(Unsure(lookup, bool(known), misses))
    return tuple(checks), tuple(unsure)


def to_findings(
    faults: pl.DataFrame, checks: Sequence[Check], frames: FrameSet, of: RowsOf
) -> pl.DataFrame:
    """Faults (of one group) as findings: where the user sees them, in both languages, with the remedy."""
    numbers = [int(n) for n in faults.get_column("_check").unique(maintain_order=True)]
    elements = dict.fromkeys(checks[n].element for n in numbers)
    shown = [expr for name in elements for expr in _shown(frames, of, name)]
    source = getattr(frames, of.frame).lazy().select(*of.keys, *shown)
    beside = faults.lazy()
    if shown:
        beside = beside.join(source, on=list(of.keys), how="left", maintain_order="left")
    known = beside.collect(engine="in-memory", optimizations=AS_WRITTEN)
    parts = [
        known.lazy().filter(pl.col("_check") == n).select(*_worded(checks[n], frames, of))
        for n in numbers
    ]
    return place(pl.concat(collect_all(parts)), frames, of.frame, of.keys)


def place(
    found: pl.DataFrame, frames: FrameSet, frame: FrameName, keys: Sequence[str]
) -> pl.DataFrame:
    """Add sheet, row, house and master waybill; a line's finding names the row of the line."""
    names = frames.shipments.lazy().select(
        "ship", "sheet", "row", master="master_waybill",
        _house_as_given="house_waybill", _head_row="row",
    )  # fmt: skip
    placed = found.lazy()
    if frame != "shipments":
        rows = getattr(frames, frame).lazy().select(*keys, "sheet", "row")
        placed = placed.join(rows, on=list(keys), how="left", maintain_order="left")
        names = names.drop("sheet", "row")
    placed = placed.join(names, on="ship", how="left", maintain_order="left").with_columns(
        shipment=pl.coalesce("_house_as_given", pl.format("#{}", "_head_row"))
    )
    return placed.drop("_house_as_given", "_head_row").collect(
        engine="in-memory", optimizations=AS_WRITTEN
    )


def not_looked_up(
    rows: pl.DataFrame, lookups: Sequence[Unsure], frames: FrameSet, of: RowsOf
) -> pl.DataFrame:
    """Findings about the file, not about a shipment: codes that an incomplete or missing table cannot judge."""
    values = filled(rows)
    asked = [one for one in lookups if values[one.lookup.element.name]]
    if rows.height <= FEW:
        asked = list(compress(asked, answers(rows, [one.misses for one in asked])))
    if not asked:
        return findings.empty()
    query = rows.lazy().select(_missed(one).alias(str(i)) for i, one in enumerate(asked))
    missed = query.collect(engine="in-memory", optimizations=AS_WRITTEN).row(0)
    said = [
        {
            "column": next(iter(_headers(frames, of, one.lookup.element.name)), None),
            "element": one.lookup.element.name,
            "rule": one.lookup.rule,
            "severity": "not_evaluated",
            "action": "mark",
            "source": of.said_by,
            **words,
        }
        for one, counted in zip(asked, missed, strict=True)
        for words in _unknown(one, counted)
    ]
    return findings.build(said)


def _missed(one: Unsure) -> pl.Expr:
    """The values that are missed, with their numbers; of a table that knows nothing only how many."""
    missed = pl.col(one.lookup.element.name).filter(one.misses.when)
    if one.known:
        return missed.value_counts(name="count").implode()
    return pl.concat_list(missed.len(), missed.n_unique())


def _unknown(one: Unsure, counted: list[Any]) -> list[dict[str, str | None]]:
    element, about = one.lookup.element, codes.info(one.lookup.table)
    title = (about.title_zh, about.title_en)
    fix = {
        "fix_zh": f"可用 crossborder codes import {about.name} 导入完整的表",
        "fix_en": f"bring the whole table: crossborder codes import {about.name}",
    }
    if not one.known:
        count, values = counted
        if not count:
            return []
        zh, en = texts.not_looked_up(element, title, count, values)
        return [{"zh": zh, "en": en, **fix}]
    by_value = sorted((entry[element.name], entry["count"]) for entry in counted)
    worded = [(v, texts.not_looked_up(element, title, n, 0)) for v, n in by_value]
    return [{"value": value, "zh": zh, "en": en, **fix} for value, (zh, en) in worded]


def _shown(frames: FrameSet, of: RowsOf, element: str) -> list[pl.Expr]:
    """What the canonical frame knows of an element: the value as written, and where it was written."""
    source = of.sources.get(element)
    if source is None or not source.as_written():
        return []
    written = pl.coalesce(source.columns()).alias(f"_written_{element}")
    return [written, _header(frames, of, element).alias(f"_column_{element}")]


def _worded(check: Check, frames: FrameSet, of: RowsOf) -> list[pl.Expr]:
    source, text = of.sources.get(check.element), check.text
    if source is not None and source.as_written():
        value, column = pl.col(f"_written_{check.element}"), pl.col(f"_column_{check.element}")
    else:
        value, column = pl.col("_value"), _header(frames, of, check.element)
    return [
        *map(pl.col, of.keys),
        column.alias("column"),
        value.alias("value"),
        (pl.lit(of.where[0]) + text.zh).alias("zh"),
        (pl.lit(of.where[1]) + text.en).alias("en"),
        *check.worded,
        pl.lit(of.said_by).alias("source"),
    ]


def _headers(frames: FrameSet, of: RowsOf, element: str) -> list[str]:
    source = of.sources.get(element)
    return [frames.header(of.frame, column) for column in source.columns()] if source else []


def _header(frames: FrameSet, of: RowsOf, element: str) -> pl.Expr:
    """The source header of the column that is meant: of several the first filled one, else the last."""
    headers = _headers(frames, of, element)
    source = of.sources.get(element)
    if source is None or not source.first:
        return pl.lit(headers[0] if headers else None, dtype=pl.String)
    filled = [
        pl.when(pl.col(column).is_not_null()).then(pl.lit(header))
        for column, header in zip(source.first, headers, strict=True)
    ]
    return pl.coalesce(*filled, pl.lit(headers[-1]))
