"""Rule packs: the rules that are in force together, from one day on until any of them changes.

A pack is named by its first day (`2024-12-01`) and has a version, a digest of what it says: the rules with their dates
and actions, the dated bounds and the dated figures of the tax in force. Choosing a pack means judging as of its first day.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from crossborder.codes import Tables
from crossborder.errors import NotFound
from crossborder.rules.catalogue import Entry, catalogue

_BOUNDS = "limits"
_FIGURES = "tax_parameters"


@dataclass(frozen=True, slots=True)
class Pack:
    """Rules in force from `start` to `end` (both included; None: until further notice).

    `rules` are ids of implemented rules; `version` is the beginning of a SHA-256 of what they say.
    """

    id: str
    start: date
    end: date | None
    rules: tuple[str, ...]
    version: str


@dataclass(frozen=True, slots=True)
class _Dated:
    """A rule, or one dated bound of a rule: when it is in force, and what the version covers."""

    rule: str
    start: date
    end: date
    says: str


def packs(tables: Tables) -> tuple[Pack, ...]:
    """Every pack in the order of time; the first begins where the first dated rule does."""
    dated = list(_dated(tables))
    starts = {one.start for one in dated} | {
        one.end + timedelta(days=1) for one in dated if one.end != date.max
    }
    days = sorted(starts - {date.min})
    ends: list[date | None] = [following - timedelta(days=1) for following in days[1:]]
    return tuple(_pack(start, end, dated) for start, end in zip(days, [*ends, None], strict=True))


def find_pack(day: str, tables: Tables) -> Pack:
    """The pack in force on a day (yyyy-mm-dd; a pack's id is one). Raises `NotFound` naming the nearest."""
    known = packs(tables)
    for pack in reversed(known):
        if _is_day(day) and pack.id <= day:
            return pack
    near = difflib.get_close_matches(day, [p.id for p in known], 1) or [known[-1].id]
    raise NotFound(
        f"no rule pack {day!r}", f"没有规则包 {day!r}",
        fix_en=f"a day (yyyy-mm-dd) from {known[0].id} on, e.g. {near[0]}; crossborder replay lists the packs",
        fix_zh=f"请给 {known[0].id} 起的日期（yyyy-mm-dd），如 {near[0]}；crossborder replay 列出全部规则包",
    )  # fmt: skip


def _is_day(text: str) -> bool:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _pack(start: date, end: date | None, dated: Iterable[_Dated]) -> Pack:
    inside = [one for one in dated if one.start <= start <= one.end]
    said = "\n".join(sorted(f"{one.rule} {one.says}" for one in inside))
    version = hashlib.sha256(said.encode()).hexdigest()[:12]
    return Pack(start.isoformat(), start, end, tuple(sorted({one.rule for one in inside})), version)


def _dated(tables: Tables) -> Iterator[_Dated]:
    for entry in catalogue():
        if entry.rule is not None and not entry.rule.bounds:
            yield _rule(entry)
    for row in tables.frame(_BOUNDS).to_dicts():
        words = (
            row["declaration_class"],
            row["direction"],
            row["territory"],
            row["countries"] or "",
            row["value_cny"],
        )
        yield _Dated(row["rule"], _first(row["effective_from"]), _last(row["effective_to"]), " ".join(words))  # fmt: skip
    computed = {entry.id for entry in catalogue() if entry.shown is not None}
    for row in tables.frame(_FIGURES).filter(pl.col("rule").is_in(computed)).to_dicts():
        says = f"{row['name']} {row['value']}"
        yield _Dated(row["rule"], _first(row["effective_from"]), _last(row["effective_to"]), says)


def _rule(entry: Entry) -> _Dated:
    says = f"{entry.severity} {entry.action} {entry.dated_by} {entry.enforced_by}"
    return _Dated(entry.id, _first(entry.effective_from), _last(entry.effective_to), says)


def _first(text: str | None) -> date:
    return date.fromisoformat(text) if text else date.min


def _last(text: str | None) -> date:
    return date.fromisoformat(text) if text else date.max
