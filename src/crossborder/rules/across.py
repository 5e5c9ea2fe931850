"""Rules that look across shipments, for a hand-in that is checked block by block.

A case that says `over` compares the shipments that have some columns in common: it cannot be answered by a block.
`check_alone` leaves such cases out; `check_across` asks only them, of shipments brought together from all blocks.
Together they find what `check` finds in the whole hand-in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from crossborder.keys import normalised
from crossborder.rules.check import check_rules, registry
from crossborder.rules.context import Context
from crossborder.rules.model import Cases, Rule
from crossborder.shipments import findings
from crossborder.shipments.frames import FrameSet

Over = tuple[str, ...]

NEEDED = (
    "master_waybill", "house_waybill", "direction", "declaration_class", "movement_date", "party_id",
    "receiver_name", "sender_name", "receiver_phone", "sender_phone", "receiver_address", "sender_address",
    "sender_country", "receiver_country", "total_value", "currency",
)  # fmt: skip
"""The columns of shipments that cases with `over` look at."""
COMMON = ("_master", "_house", "direction", "party_id", "_party", "_party_phone", "_party_address")
"""What shipments may have in common."""
_NORMALISED = {"_master": "master_waybill", "_house": "house_waybill"}


def check_alone(frames: FrameSet, ctx: Context) -> pl.DataFrame:
    """Findings of every case that judges each shipment by itself, as `check`."""
    parted = _parted(ctx)
    return check_rules(frames, parted.alone[0], parted.alone[1])


def check_across(frames: FrameSet, ctx: Context, over: Over) -> pl.DataFrame:
    """Findings of the cases that compare shipments with these columns in common.

    `frames` hold every shipment of the hand-in that has them in common with another one of `frames`; of its
    columns only those of `NEEDED` need be filled.
    """
    bound = _parted(ctx).bound
    return check_rules(frames, *bound[over]) if over in bound else findings.empty()


def bonds(ctx: Context) -> list[Over]:
    """Every `over` that some case of a context says, without repetition."""
    return list(_parted(ctx).bound)


def in_common(ships: pl.DataFrame, over: Over) -> pl.Series:
    """A number for each row of a shipments frame, equal where the columns `over` are; null where one is null.

    Rows that have nothing in common may, rarely, have the same number too.
    """
    parts = ships.select(_part(ships, name).alias(name) for name in over)
    filled = pl.all_horizontal(pl.col(n).is_not_null() for n in over)
    return parts.select(pl.when(filled).then(pl.struct(over).hash(0))).to_series()


def _part(ships: pl.DataFrame, name: str) -> pl.Expr:
    """One of `COMMON`, or a column as it is."""
    if name in _NORMALISED:
        return pl.lit(normalised(ships[_NORMALISED[name]]))
    if name == "_party" or name.startswith("_party_"):
        incoming, outgoing = pl.col("direction") == "I", pl.col("direction") == "E"
        what = name.removeprefix("_party").removeprefix("_") or "name"
        return pl.when(incoming).then(f"receiver_{what}").when(outgoing).then(f"sender_{what}")
    return pl.col(name)


Choice = tuple[Context, list[Rule]]
"""Rules with some of their cases only, and a context to ask them in, which remembers the cases it made."""


@dataclass(frozen=True)
class _Parted:
    """The rules of a context: what judges each shipment by itself, and what compares those with `over` in common."""

    alone: Choice
    bound: Mapping[Over, Choice]


def _parted(ctx: Context) -> _Parted:
    """Made once for a context and the rules there are: should one be added or exchanged later, it is asked as well."""
    rules = registry()
    kept: dict[Any, tuple[Any, _Parted]] = ctx.memo.setdefault("across", {})
    key = tuple(map(id, rules))
    if key not in kept:
        kept[key] = (rules, _part_rules(rules, ctx))
    return kept[key][1]


def _part_rules(rules: Sequence[Rule], ctx: Context) -> _Parted:
    said = {rule.id: {case.over for case in rule.cases(ctx)} for rule in rules}
    overs = dict.fromkeys(over for found in said.values() for over in found if over)
    alone = [_only(rule, ()) if any(said[rule.id]) else rule for rule in rules]
    bound = {
        over: (replace(ctx, memo={}), [_only(r, over) for r in rules if over in said[r.id]])
        for over in overs
    }
    return _Parted((replace(ctx, memo={}), alone), bound)


def _only(rule: Rule, over: Over) -> Rule:
    """The rule with those of its cases that say `over` (`()`: that say none)."""
    every = rule.cases

    def cases(ctx: Context) -> Cases:
        return (case for case in every(ctx) if case.over == over)

    return replace(rule, cases=cases)
