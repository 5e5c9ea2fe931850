"""What a message's checks say of a file as a whole, from the counts of its blocks.

Broken by: a count that does not add up over blocks, or a column that a manifest looks at and nobody keeps.
"""

from __future__ import annotations

import dataclasses

import polars as pl
import pytest

from crossborder import intake, messages, samples
from crossborder.codes import Tables
from crossborder.settings import Operator, Settings, find_profile
from crossborder.shipments import FrameSet, apply_profile
from crossborder.shipments.frames import complete, empty

ON = "20261123"


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> FrameSet:
    """A dirty day as it is checked."""
    file = tmp_path_factory.mktemp("day") / "day.csv"
    samples.create(file, shipments=240, seed=5, dirty=0.6, mapping="elements")
    read = intake.read(file, mapping="elements").frames
    readable = read.take(read.shipments.filter(~pl.col("unreadable"))["ship"])
    return apply_profile(readable, find_profile(Settings(), "demo"), Operator())


def test_counts_of_blocks_tell_what_the_whole_tells(day: FrameSet) -> None:
    plan, tables = messages.compile_plan("EXP301"), Tables.load()
    whole = plan.check(plan.project(day), day, tables, ON).filter(pl.col("ship").is_null())
    assert whole.height > 1
    ships = day.shipments["ship"]
    parts = []
    for first in range(0, len(ships), 31):
        block = day.take(ships[first : first + 31])
        parts.append(plan.judge(plan.project(block), block, tables, ON)[1])
    nothing = FrameSet(empty("shipments"), empty("goods"), empty("documents"), day.headers)
    told = messages.told(plan, messages.summed(parts), nothing, tables, ON)
    assert sorted(map(repr, told.iter_rows())) == sorted(map(repr, whole.iter_rows()))


def test_a_manifest_needs_no_other_columns(day: FrameSet) -> None:
    row = pl.int_range(pl.len())
    odd = day.shipments.with_columns(
        pl.when(row % 40 == 7).then(pl.lit("2233")).otherwise("entry_exit_port").alias("entry_exit_port"),
        pl.when(row % 50 == 9).then(pl.lit("长" * 250)).otherwise("main_goods_name").alias("main_goods_name"),
        pl.when(row % 60 == 11).then(None).otherwise("transport_mode").alias("transport_mode"),
    )  # fmt: skip
    day = dataclasses.replace(day, shipments=odd)
    keys = ("ship", "sheet", "row", "rows", "unreadable")
    few = FrameSet(
        complete("shipments", day.shipments.select(*keys, *messages.manifest_columns())),
        empty("goods"), empty("documents"), day.headers,
    )  # fmt: skip
    tables = Tables.load()
    told = [messages.manifest_findings(frames, tables, ON) for frames in (day, few)]
    assert {"IEPort", "MainGName"} <= set(told[0]["element"])
    assert told[1].equals(told[0])
