"""What a table is worth: coverage, where its rows come from, how many nobody has verified, and since when they hold."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import polars as pl

from crossborder import resources
from crossborder.codes.tables import EXCHANGE_RATES, Coverage, Tables, info

UNVERIFIED = "M"
"""The tag of what was written down from memory."""


@dataclass(frozen=True, slots=True)
class About:
    """One table of a snapshot.

    `start` is the day from which an imported edition is in force ("" for the packaged one), `first` and `last` the
    earliest and latest dates of validity that its rows carry ("" where they carry none, or are open). `sources` are
    tags and what they stand for; `unverified` counts rows that rest on memory alone.
    """

    name: str
    coverage: Coverage
    rows: int
    start: str
    first: str
    last: str
    unverified: int
    sources: Mapping[str, str]


def about(name: str, tables: Tables | None = None, on: str | None = None) -> About:
    """What is known of a table on a date (without one: its newest edition, whole). Raises `NotFound`."""
    info(name)
    snapshot = tables or Tables()
    if name == EXCHANGE_RATES:
        rates = snapshot.rates()
        months = rates["month"].sort()
        return About(
            name, "partial" if rates.height else "absent", rates.height, "",
            months[0] if rates.height else "", months[-1] if rates.height else "", 0, {},
        )  # fmt: skip
    frame = snapshot.frame(name, on)
    return About(
        name,
        snapshot.coverage(name, on),
        frame.height,
        snapshot.edition(name, on).start,
        _edge(frame, "effective_from", latest=False),
        _edge(frame, "effective_to", latest=True),
        _unverified(frame),
        _sources(frame),
    )


def _edge(frame: pl.DataFrame, column: str, *, latest: bool) -> str:
    """The earliest start, or the latest end if every row has one."""
    if column not in frame.columns:
        return ""
    days = frame[column]
    if latest and days.null_count():
        return ""
    known = days.drop_nulls().sort(descending=latest)
    return str(known[0]) if len(known) else ""


def _unverified(frame: pl.DataFrame) -> int:
    if "source" not in frame.columns:
        return 0
    return int((frame["source"] == UNVERIFIED).sum())


def _sources(frame: pl.DataFrame) -> dict[str, str]:
    if "source" not in frame.columns:
        return {}
    tags = frame["source"].drop_nulls().str.split(";").explode().unique().sort()
    return {tag: tag_meanings()[tag] for tag in tags if tag in tag_meanings()}


@cache
def tag_meanings() -> Mapping[str, str]:
    """Source tag of the code tables → what it stands for (`sources.csv`)."""
    with resources.path("codes/sources.csv").open(encoding="utf-8", newline="") as stream:
        return {
            tag: row["what"] for row in csv.DictReader(stream) for tag in row["tags"].split(";")
        }
