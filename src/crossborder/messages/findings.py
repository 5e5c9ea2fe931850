"""From compiled checks to findings, in two phases: one row of answers, then rows only for what failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from crossborder import codes
from crossborder.messages import texts
from crossborder.messages.checks import Check, GroupChecks, Lookup
from crossborder.messages.mapping import Source
from crossborder.shipments import findings
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
    if not rows.height:
        return []
    gates = [(gate.any_fails, gate.checks) for gate in checks.gates]
    gates += [(check.fails, (check,)) for check in extra]
    answers = rows.select(fails.any().alias(str(i)) for i, (fails, _) in enumerate(gates)).row(0)
    number, found = 0, []
    for hit, (_, group) in zip(answers, gates, strict=True):
        for check in group:
            if hit:
                found.append(_failing(rows, check, number))
            number += 1
    return [part for part in found if part.height]


def numbered(checks: GroupChecks, extra: Sequence[Check] = ()) -> list[Check]:
    """All single checks in the order that `_check` counts."""
    return [check for gate in checks.gates for check in gate.checks] + list(extra)


def first_faults(parts: Sequence[pl.DataFrame], keys: Sequence[str]) -> pl.DataFrame:
    """One fault per value, that of the check that comes first: filling, then form, then codes."""
    return (
        pl.concat(parts)
        .sort(*keys, "_check")
        .unique([*keys, "_element"], keep="first", maintain_order=True)
    )


def complete_tables(
    lookups: Sequence[Lookup], tables: codes.Tables, on: str | None
) -> tuple[list[Check], list[Lookup]]:
    """Checks against complete tables, and the look-ups that no complete table can answer."""
    checks, open_questions = [], []
    for lookup in lookups:
        if tables.coverage(lookup.table, on) == "complete":
            checks.append(lookup.check(tables.codes(lookup.table, on)))
        else:
            open_questions.append(lookup)
    return checks, open_questions


def to_findings(
    faults: pl.DataFrame, checks: Sequence[Check], frames: FrameSet, of: RowsOf
) -> pl.DataFrame:
    """Faults (of one group) as findings: where the user sees them, in both languages, with the remedy."""
    parts = [
        _worded(part, checks[int(number[0])], frames, of)
        for number, part in faults.group_by("_check", maintain_order=True)
    ]
    return place(pl.concat(parts), frames, of.frame, of.keys)


def place(
    found: pl.DataFrame, frames: FrameSet, frame: FrameName, keys: Sequence[str]
) -> pl.DataFrame:
    """Add sheet, row, house and master waybill; a line's finding names the row of the line."""
    ships = frames.shipments.select(
        "ship", "sheet", "row",
        shipment=pl.coalesce("house_waybill", pl.format("#{}", "row")), master="master_waybill",
    )  # fmt: skip
    if frame == "shipments":
        return found.join(ships, on="ship", how="left", maintain_order="left")
    names = ships.select("ship", "shipment", "master")
    rows = getattr(frames, frame).select(*keys, "sheet", "row")
    return found.join(rows, on=list(keys), how="left", maintain_order="left").join(
        names, on="ship", how="left", maintain_order="left"
    )


def not_looked_up(
    rows: pl.DataFrame, lookups: Sequence[Lookup], tables: codes.Tables, on: str | None,
    frames: FrameSet, of: RowsOf,
) -> pl.DataFrame:  # fmt: skip
    """Findings about the file, not about a shipment: codes that an incomplete or missing table cannot judge."""
    said = [
        {
            "column": next(iter(_headers(frames, of, lookup.element.name)), None),
            "element": lookup.element.name,
            "rule": lookup.rule,
            "severity": "not_evaluated",
            "action": "mark",
            "source": of.said_by,
            **words,
        }
        for lookup in lookups
        for words in _unknown(rows, lookup, tables, on)
    ]
    return findings.build(said)


def _unknown(
    rows: pl.DataFrame, lookup: Lookup, tables: codes.Tables, on: str | None
) -> list[dict[str, str | None]]:
    name, about = lookup.element.name, codes.info(lookup.table)
    known = tables.codes(lookup.table, on)
    miss = lookup.asked & ~pl.col(name).is_in(list(known))
    values = rows.select(pl.col(name).filter(miss)).group_by(name).len().sort(name)
    title = (about.title_zh, about.title_en)
    fix = {
        "fix_zh": f"可用 crossborder codes import {lookup.table} 导入完整的表",
        "fix_en": f"bring the whole table: crossborder codes import {lookup.table}",
    }
    if values.height and not known:
        zh, en = texts.not_looked_up(lookup.element, title, int(values["len"].sum()), values.height)
        return [{"zh": zh, "en": en, **fix}]
    worded = [(v, texts.not_looked_up(lookup.element, title, n, 0)) for v, n in values.iter_rows()]
    return [{"value": value, "zh": zh, "en": en, **fix} for value, (zh, en) in worded]


def _failing(rows: pl.DataFrame, check: Check, number: int) -> pl.DataFrame:
    keys = [k for k in ("ship", "line", "doc") if k in rows.columns]
    value = pl.col(check.element)
    few = rows.lazy().filter(check.fails).select(*keys, value.alias("_value")).collect()
    return few.with_columns(
        pl.lit(check.element).alias("_element"),
        pl.lit(check.rank).alias("_rank"),
        pl.lit(number).alias("_check"),
        pl.col("_value").str.len_chars().alias(texts.LENGTH),
    )


def _worded(faults: pl.DataFrame, check: Check, frames: FrameSet, of: RowsOf) -> pl.DataFrame:
    source = of.sources.get(check.element)
    if source is not None and source.as_written():
        written = getattr(frames, of.frame).select(
            *of.keys,
            pl.coalesce(source.columns()).alias("_written"),
            _header(frames, of, check.element).alias("column"),
        )
        faults = faults.join(written, on=list(of.keys), how="left", maintain_order="left")
    else:
        header = _header(frames, of, check.element).alias("column")
        faults = faults.with_columns(pl.col("_value").alias("_written"), header)
    text = check.text
    return faults.select(
        *of.keys,
        "column",
        pl.lit(check.element).alias("element"),
        pl.lit(check.rule).alias("rule"),
        pl.lit("reject").alias("severity"),
        pl.lit("reject").alias("action"),
        pl.col("_written").alias("value"),
        (pl.lit(of.where[0]) + text.zh).alias("zh"),
        (pl.lit(of.where[1]) + text.en).alias("en"),
        pl.lit(text.fix_zh).alias("fix_zh"),
        pl.lit(text.fix_en).alias("fix_en"),
        pl.lit(text.suggest, dtype=pl.String).alias("suggest"),
        pl.lit(of.said_by).alias("source"),
    )


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
