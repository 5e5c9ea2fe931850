"""Rules that look across shipments, for a hand-in that is checked block by block.

A case that says `over` compares the shipments that have some columns in common: it cannot be answered by a block.
`check_alone` leaves such cases out; `check_across` asks only them, of shipments brought together from all blocks.
Together they find what `check` finds in the whole hand-in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import polars as pl

from crossborder.keys import normalised
from crossborder.rules.check import check_rules, registry
from crossborder.rules.context import Context
from crossborder.rules.model import Case, Cases, Rule
from crossborder.shipments.frames import FrameSet

Over = tuple[str, ...]

NEEDED = (
    "master_waybill", "house_waybill", "direction", "declaration_class", "movement_date", "party_id",
    "receiver_name", "sender_name", "receiver_phone", "sender_phone",
)  # fmt: skip
"""The columns of shipments that cases with `over` look at."""
COMMON = ("_master", "_house", "direction", "party_id", "_party_phone")
"""What shipments may have in common."""


def check_alone(frames: FrameSet, ctx: Context) -> pl.DataFrame:
    """Findings of every case that judges each shipment by itself, as `check`."""
    return _check(frames, ctx, lambda case: not case.over, "alone")


def check_across(frames: FrameSet, ctx: Context, over: Over) -> pl.DataFrame:
    """Findings of the cases that compare shipments with these columns in common.

    `frames` hold every shipment of the hand-in that has them in common with another one of `frames`; of its
    columns only those of `NEEDED` need be filled.
    """
    return _check(frames, ctx, lambda case: case.over == over, "|".join(over))


def bonds(ctx: Context) -> list[Over]:
    """Every `over` that some case of a context says, without repetition."""
    return list(dict.fromkeys(c.over for rule in registry() for c in rule.cases(ctx) if c.over))


def in_common(ships: pl.DataFrame, over: Over) -> pl.Series:
    """A number for each row of a shipments frame, equal where the columns `over` are; null where one is null.

    Rows that have nothing in common may, rarely, have the same number too.
    """
    incoming, outgoing = pl.col("direction") == "I", pl.col("direction") == "E"
    known: dict[str, pl.Expr | pl.Series] = {
        "_master": normalised(ships["master_waybill"]),
        "_house": normalised(ships["house_waybill"]),
        "_party_phone": pl.when(incoming).then("receiver_phone").when(outgoing).then("sender_phone"),
    }  # fmt: skip
    parts = ships.select(
        (given if isinstance(given := known.get(name, pl.col(name)), pl.Expr) else pl.lit(given)).alias(name)
        for name in over
    )  # fmt: skip
    filled = pl.all_horizontal(pl.col(n).is_not_null() for n in over)
    return parts.select(pl.when(filled).then(pl.struct(over).hash(0))).to_series()


def _check(
    frames: FrameSet, ctx: Context, wanted: Callable[[Case], bool], name: str
) -> pl.DataFrame:
    """The findings of some cases; a context remembers the cases it made, so each choice has one of its own."""
    key = f"across:{name}"
    if key not in ctx.memo:
        rules = [replace(rule, cases=_only(rule, wanted)) for rule in registry()]
        some = [rule for rule in rules if next(rule.cases(ctx), None) is not None]
        ctx.memo[key] = (replace(ctx, memo={}), some)
    own, some = ctx.memo[key]
    return check_rules(frames, own, some)


def _only(rule: Rule, wanted: Callable[[Case], bool]) -> Callable[[Context], Cases]:
    def cases(ctx: Context) -> Cases:
        return (case for case in rule.cases(ctx) if wanted(case))

    return cases
