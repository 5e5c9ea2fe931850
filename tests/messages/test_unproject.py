"""Declarations read back to frames are the frames they were composed of."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from crossborder import messages, samples
from crossborder.engine import pure
from crossborder.errors import SchemaError
from crossborder.shipments import FrameSet


@pytest.fixture(scope="module", params=["I", "E"])
def day(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> FrameSet:
    out: Path = tmp_path_factory.mktemp("day") / "day.csv"
    samples.create(
        out, shipments=120, seed=11, dirty=0, direction=request.param, mapping="elements", day=date(2026, 11, 23)
    )  # fmt: skip
    checked = pure.check(out, mapping="elements", profile="demo", declared_on="20261123")
    frames = checked.frames.take(checked.valid["ship"])
    transit = frames.shipments.with_row_index("n").with_columns(
        transit_declaration=pl.when(pl.col("n") % 5 == 0).then(pl.lit("2991201900012345"))
    )
    return FrameSet(transit.drop("n"), frames.goods, frames.documents, frames.headers)


def test_composed_and_read_back_the_elements_are_the_same(
    day: FrameSet, ids: Any, envelope: Any
) -> None:
    plan = messages.compile_plan("EXP301")
    made = messages.compose_declarations(
        day, form="written", ids=ids(day.shipments.height), **envelope
    )
    back = messages.read_declarations(
        (ship, xml.encode()) for ship, xml in made.select("ship", "xml").iter_rows()
    )
    assert (
        back.shipments["transit_declaration"].drop_nulls().len() == (day.shipments.height + 4) // 5
    )
    before, after = plan.project(day).groups, plan.project(back).groups
    assert before.keys() == after.keys()
    for name, frame in before.items():
        assert after[name].drop("ship", strict=False).equals(frame.drop("ship", strict=False)), name


def test_what_is_no_declaration_is_an_error() -> None:
    with pytest.raises(SchemaError, match="EXP301"):
        messages.read_declarations([(0, b"<EXP311/>")])


def test_nothing_is_no_frame_of_nothing() -> None:
    assert messages.read_declarations([]).shipments.height == 0
