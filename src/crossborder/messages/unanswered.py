"""Codes that no table could judge, counted block by block: what `Plan.check` says of the file as a whole.

`Plan.check` tells them once for the frames it is given. Of a hand-in that is checked in blocks the counts of all blocks
are summed first, and told in the end.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from crossborder import codes
from crossborder.messages import texts
from crossborder.messages.checks import GroupChecks, Lookup
from crossborder.messages.plan import Elements, Plan, PlannedGroup, with_context
from crossborder.shipments import findings
from crossborder.shipments.frames import FrameSet

UNANSWERED = {
    "group": pl.String, "element": pl.String, "value": pl.String, "count": pl.UInt64,
}  # fmt: skip
"""Columns of the counts."""


def unanswered(
    plan: Plan, elements: Elements, tables: codes.Tables, on: str | None = None
) -> pl.DataFrame:
    """How often each code stands in these elements that an incomplete or missing table cannot judge."""
    parts = [pl.DataFrame(schema=UNANSWERED)]
    for group, checks, lookups in _open(plan, tables, on):
        rows = with_context(elements, group, checks)
        for lookup in lookups:
            name = lookup.element.name
            miss = lookup.asked & ~pl.col(name).is_in(list(tables.codes(lookup.table, on)))
            counted = (
                rows.select(pl.col(name).filter(miss).alias("value")).group_by("value").len("count")
            )
            named = counted.with_columns(group=pl.lit(group.name), element=pl.lit(name))
            parts.append(named.select(pl.col(n).cast(t) for n, t in UNANSWERED.items()))
    return pl.concat(parts)


def summed(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """The counts of several blocks together."""
    by = ["group", "element", "value"]
    return pl.concat(parts).group_by(by, maintain_order=True).agg(pl.col("count").sum())


def told(
    plan: Plan, counted: pl.DataFrame, frames: FrameSet, tables: codes.Tables, on: str | None = None
) -> pl.DataFrame:
    """Findings about the file from the counts of all of it; `frames` only name its columns."""
    said = []
    for group, _, lookups in _open(plan, tables, on):
        for lookup in lookups:
            of = (pl.col("group") == group.name) & (pl.col("element") == lookup.element.name)
            columns = group.source(lookup.element.name).columns()
            header = [frames.header(group.mapping.frame, c) for c in columns]
            said += [
                {
                    "column": header[0] if header else None, "element": lookup.element.name,
                    "rule": lookup.rule, "severity": "not_evaluated", "action": "mark",
                    "source": plan.mapping.source, **words,
                }
                for words in _words(lookup, counted.filter(of).sort("value"), tables, on)
            ]  # fmt: skip
    return findings.build(said)


def _open(
    plan: Plan, tables: codes.Tables, on: str | None
) -> Iterator[tuple[PlannedGroup, GroupChecks, list[Lookup]]]:
    """The look-ups that no complete table can answer, group by group."""
    for group, checks in zip(plan.groups, plan.checks, strict=True):
        yield group, checks, [
            lookup for lookup in checks.lookups if tables.coverage(lookup.table, on) != "complete"
        ]  # fmt: skip


def _words(
    lookup: Lookup, values: pl.DataFrame, tables: codes.Tables, on: str | None
) -> Iterator[dict[str, str | None]]:
    about, element = codes.info(lookup.table), lookup.element
    title = (about.title_zh, about.title_en)
    fix = {
        "fix_zh": f"可用 crossborder codes import {lookup.table} 导入完整的表",
        "fix_en": f"bring the whole table: crossborder codes import {lookup.table}",
    }
    if values.height and not tables.codes(lookup.table, on):
        zh, en = texts.not_looked_up(element, title, int(values["count"].sum()), values.height)
        yield {"zh": zh, "en": en, **fix}
        return
    for value, count in values.select("value", "count").iter_rows():
        zh, en = texts.not_looked_up(element, title, count, 0)
        yield {"value": value, "zh": zh, "en": en, **fix}
