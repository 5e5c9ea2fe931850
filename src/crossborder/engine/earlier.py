"""What the ledger knows of earlier batches, handed to the rules that look at it (CLS-17, EXP-50)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import polars as pl

from crossborder import china_time, rules
from crossborder.engine.history import History
from crossborder.keys import normalised
from crossborder.ledger import Ledger, Marked
from crossborder.settings import Settings
from crossborder.shipments import FrameSet
from crossborder.shipments import findings as found

Heads = Callable[[pl.Series], FrameSet]
"""The shipments of a hand-in that are asked for by `ship`."""
Keys = Callable[[pl.Series], pl.Series]
"""Which of some declaration keys are those of shipments that the hand-in brings anew."""


def marked(
    frames: FrameSet, filed: pl.Series, day: str, ledger: Ledger, context: rules.Context
) -> Marked | None:
    """The marks of the shipments of a block, but those that are `filed` already; None if they are not wanted.

    `day` is the working day, yyyyMMdd.
    """
    if not rules.marks_wanted(context):
        return None
    made = rules.marks_of(frames, context, ledger.marks_key())
    if len(filed):
        made = made.filter(~pl.col("ship").is_in(filed.implode()))
    return Marked(made.rename({"ship": "position"}), day)


def split(
    own: pl.DataFrame, keys: Keys, heads: Heads, history: History, ledger: Ledger, context: rules.Context
) -> pl.DataFrame:  # fmt: skip
    """Findings about parcels of a hand-in that may be one purchase with parcels of earlier batches.

    `own` are the marks of all of it. Of earlier parcels those count whose declaration is live and that are not handed in
    anew; the ledger is asked about the few that make a sum too large.
    """
    own = own.rename({"position": "ship"})
    near = history.sharing(own, rules.split_days(context))
    if not near.height:
        return found.empty()
    wanted = rules.split_partners(own, near, context)
    if not wanted.height:
        return found.empty()
    standing = ledger.standing(wanted)
    anew = keys(standing["key"])
    standing = standing.filter(~pl.col("key").is_in(anew.implode()))
    near = near.join(standing.select("batch", "position", "house"), on=["batch", "position"])
    concerned = rules.split_concerned(own, near, context)
    if concerned.is_empty():
        return found.empty()
    return rules.told_split(own, near, heads(concerned), context)


def again(
    frames: FrameSet, keys: pl.DataFrame, ledger: Ledger, context: rules.Context, now: datetime, own_batch: str
) -> pl.DataFrame:  # fmt: skip
    """Findings about house waybills that are live under another master waybill; `keys` is `ship, key` of whom to ask for."""
    ships = frames.shipments.join(keys.drop_nulls("key"), on="ship", maintain_order="left")
    if not ships.height:
        return found.empty()
    since = (china_time.day(now) - rules.house_days(context)).strftime("%Y%m%d")
    houses = ships.select("ship", "key", house=normalised(ships["house_waybill"]))
    rows = ledger.elsewhere(houses["house"].to_list(), since, own_batch)
    if not rows:
        return found.empty()
    schema = {"house": pl.String, "there": pl.String, "master": pl.String, "batch": pl.String}
    there = pl.DataFrame(rows, schema=schema, orient="row")
    other = (pl.col("there") != pl.col("key")) & (
        pl.col("there").str.tail(1) == pl.col("key").str.tail(1)
    )
    elsewhere = houses.join(there, on="house", maintain_order="left_right").filter(other)
    return rules.told_again(frames, elsewhere.select(*rules.ELSEWHERE), context)


def marks_from(settings: Settings, context: rules.Context, now: datetime) -> str:
    """The day (yyyyMMdd) before which no marks are kept: the longest window that any profile has."""
    days = rules.largest([context.profile, *settings.profiles.values()], "split_days")
    first = china_time.day(now).toordinal() - int(days)
    return china_time.day(now).fromordinal(max(first, 1)).strftime("%Y%m%d")
