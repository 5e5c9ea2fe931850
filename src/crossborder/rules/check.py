"""Applying the rules: first one question per case over the whole frame, then findings for those that are broken.

A hand-in without faults costs one column of answers per case; findings are made only where one is yes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from crossborder.rules.context import Context
from crossborder.rules.model import Rule, registered
from crossborder.rules.prepare import Prepared, prepare
from crossborder.rules.ready import Bundle, Inquiry, Ready, inquiry, ready
from crossborder.rules.telling import Fired, placed, told
from crossborder.shipments import findings
from crossborder.shipments.asking import FEW
from crossborder.shipments.columns import FRAME_NAMES, FrameName
from crossborder.shipments.frames import FrameSet

_KEPT = 64
"""Hand-ins, by their days and classes, whose inquiries are kept."""


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
    return in_order(prepared, broken(prepared, ctx, FRAME_NAMES, tuple(rules)))


def broken(
    prepared: Prepared, ctx: Context, names: Iterable[FrameName], rules: tuple[Rule, ...] | None = None
) -> list[pl.DataFrame]:  # fmt: skip
    """What the rules find in some of the frames of a hand-in, frame by frame; `in_order` makes findings of it.

    May be called for other frames of the same hand-in at the same time. `rules`: all, if left out.
    """
    ships = prepared.frames["shipments"]
    if not ships.height:
        return []
    inquiries = _inquiries(registry() if rules is None else rules, ctx, _seen(ships))
    fired = []
    for name in names:
        one = inquiries[name]
        asked = one.asked(prepared.frames[name], prepared.unusual[name])
        found = sorted(looked_at(prepared.frames[name], one, asked), key=lambda f: f.position)
        if found:
            fired.append(told(found, prepared, name))
    return fired


def in_order(prepared: Prepared, parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The findings of `broken`, those of all frames in the order of `FRAME_NAMES`, as `check` gives them."""
    return placed(parts, prepared.frames["shipments"]) if parts else findings.empty()


@dataclass(frozen=True)
class Seen:
    """What a hand-in holds at all: first and last movement day, whether one is unknown, classes."""

    first: date | None
    last: date | None
    gap: bool
    classes: frozenset[str]


def _seen(ships: pl.DataFrame) -> Seen:
    day, classes = ships.get_column("_day"), ships.get_column("_class")
    if ships.height > FEW:
        classes = classes.unique()
    first, last = day.min(), day.max()
    assert first is None or isinstance(first, date)
    assert last is None or isinstance(last, date)
    return Seen(first, last, day.null_count() > 0, frozenset(filter(None, classes.to_list())))


def _inquiries(rules: tuple[Rule, ...], ctx: Context, seen: Seen) -> Mapping[FrameName, Inquiry]:
    """What is asked of each frame; kept for the next hand-in that holds the same days and classes."""
    kept: dict[Any, Any] = ctx.memo.setdefault("inquiries", {})
    key = (tuple(map(id, rules)), seen)
    if key not in kept:
        if len(kept) >= _KEPT:
            kept.clear()
        asked = list(enumerate(one for rule in rules for one in _concerned(rule, ctx, seen)))
        made = {
            name: inquiry(pair for pair in asked if pair[1].case.frame == name)
            for name in FRAME_NAMES
        }
        kept[key] = (rules, made)
    found: Mapping[FrameName, Inquiry] = kept[key][1]
    return found


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


def looked_at(frame: pl.DataFrame, inquiry: Inquiry, asked: Sequence[int]) -> Iterator[Fired]:
    """The cases of a frame that are broken somewhere, and where."""
    for number, places in inquiry.panel.ask(frame, asked, sparing=True).items():
        bundle = inquiry.bundles[number]
        if bundle.screened:
            yield from _members(frame, bundle, places)
        else:
            position, one = bundle.members[0]
            yield Fired(position, one, places)


def _members(frame: pl.DataFrame, bundle: Bundle, places: pl.Series) -> Iterator[Fired]:
    """Those of a bundle with a screen: the members are asked in the rows that it let through."""
    found = bundle.panel.ask(frame[bundle.needed][places])
    for number, at in sorted(found.items()):
        position, one = bundle.members[number]
        yield Fired(position, one, places.gather(at))
