"""Codes that no table could judge, counted block by block: what a check says of the file as a whole.

`Plan.check` tells them once for the frames it is given. Of a hand-in that is checked in blocks the counts of all blocks
are summed first, and told in the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import polars as pl

from crossborder import codes
from crossborder.messages import texts
from crossborder.messages.inquiry import Inquiry, Places, Unsure, inquiry
from crossborder.shipments import findings
from crossborder.shipments.frames import FrameSet

if TYPE_CHECKING:
    from crossborder.messages.plan import Plan

UNANSWERED = {
    "group": pl.String, "element": pl.String, "value": pl.String, "count": pl.UInt64,
}  # fmt: skip
"""Columns of the counts."""
_NONE = pl.DataFrame(schema=UNANSWERED)


def counted(group: str, rows: pl.DataFrame, asked: Inquiry, told: Places) -> pl.DataFrame:
    """How often each code stands in the rows of a group that an incomplete or missing table cannot judge."""
    parts = []
    for number, one in enumerate(asked.unsure, len(asked.gates)):
        if number in told:
            name = one.lookup.element.name
            values = rows.get_column(name)[told[number]].alias("value")
            counts = values.value_counts(name="count")
            parts.append(
                pl.DataFrame(
                    [
                        _same("group", group, counts.height),
                        _same("element", name, counts.height),
                        counts.get_column("value"),
                        counts.get_column("count").cast(pl.UInt64),
                    ]
                )
            )
    return together(parts)


def _same(name: str, value: str, times: int) -> pl.Series:
    return pl.Series(name, [value], dtype=pl.String).new_from_index(0, times)


def together(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """Counts of several groups."""
    filled = [part for part in parts if part.height]
    return pl.concat(filled) if filled else _NONE.clone()


def summed(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """The counts of several blocks together."""
    by = ["group", "element", "value"]
    return pl.concat(parts).group_by(by, maintain_order=True).agg(pl.col("count").sum())


def told(
    plan: Plan, counts: pl.DataFrame, frames: FrameSet, tables: codes.Tables, on: str | None = None
) -> pl.DataFrame:
    """Findings about the file from the counts of all of it; `frames` only name its columns."""
    if not counts.height:
        return findings.empty()
    by_element: dict[tuple[str, str], dict[str, int]] = {}
    for name, element, value, count in counts.iter_rows():
        by_element.setdefault((name, element), {})[value] = count
    said = []
    for group, checks in zip(plan.groups, plan.checks, strict=True):
        for one in inquiry(checks, tables, on).unsure:
            lookup = one.lookup
            values = by_element.get((group.name, lookup.element.name))
            if not values:
                continue
            columns = group.source(lookup.element.name).columns()
            header = [frames.header(group.mapping.frame, c) for c in columns]
            said += [
                {
                    "column": header[0] if header else None, "element": lookup.element.name,
                    "rule": lookup.rule, "severity": "not_evaluated", "action": "mark",
                    "source": plan.mapping.source, **words,
                }
                for words in _words(one, values)
            ]  # fmt: skip
    return findings.build(said)


def _words(one: Unsure, values: Mapping[str, int]) -> Iterator[dict[str, str | None]]:
    lookup = one.lookup
    about, element = codes.info(lookup.table), lookup.element
    title = (about.title_zh, about.title_en)
    fix = {
        "fix_zh": f"可用 crossborder codes import {lookup.table} 导入完整的表",
        "fix_en": f"bring the whole table: crossborder codes import {lookup.table}",
    }
    if not one.known:
        zh, en = texts.not_looked_up(element, title, sum(values.values()), len(values))
        yield {"zh": zh, "en": en, **fix}
        return
    for value in sorted(values):
        zh, en = texts.not_looked_up(element, title, values[value], 0)
        yield {"value": value, "zh": zh, "en": en, **fix}
