"""Whole days composed: every document is its own canonical form, and read back it is the frame it was made of."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest
from lxml import etree

from crossborder import messages, samples
from crossborder.engine import pure
from crossborder.shipments import FrameSet

DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>'
KEYS = {"ship", "line", "doc"}


@pytest.fixture(scope="module", params=["I", "E"])
def day(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> FrameSet:
    """The valid shipments of a day, some of which hold `&`, `<` and rare ideographs."""
    out = tmp_path_factory.mktemp("day") / "day.csv"
    samples.create(
        out, shipments=400, seed=8, dirty=0.1, direction=request.param, mapping="elements", day=date(2026, 11, 23)
    )  # fmt: skip
    checked = pure.check(out, mapping="elements", profile="demo", declared_on="20261123")
    frames = checked.frames.take(checked.valid["ship"])
    marked = frames.shipments.with_row_index("n").with_columns(
        remarks=pl.when(pl.col("n") % 7 == 0).then(pl.lit("A&B <1>\r\n𠮷 \"'"))
    )
    return FrameSet(marked.drop("n"), frames.goods, frames.documents, frames.headers)


def written(day: FrameSet, ids: Any, envelope: Any) -> list[bytes]:
    made = messages.compose_declarations(
        day, form="written", ids=ids(day.shipments.height), **envelope
    )
    assert made["ship"].to_list() == day.shipments["ship"].to_list()
    return [xml.encode() for xml in made["xml"]]


def test_each_is_its_own_canonical_form(day: FrameSet, ids: Any, envelope: Any) -> None:
    for xml in written(day, ids, envelope):
        root = etree.fromstring(xml)
        for exclusive in (True, False):
            assert xml == DECLARATION + etree.tostring(root, method="c14n", exclusive=exclusive)


def test_read_back_it_is_the_frame(day: FrameSet, ids: Any, envelope: Any) -> None:
    plan = messages.compile_plan("EXP301")
    rows: dict[str, dict[int, list[list[tuple[str, str | None]]]]] = {}
    for name, frame in plan.project(day).groups.items():
        for row in frame.to_dicts():
            said = [(e, v) for e, v in row.items() if e not in KEYS]
            rows.setdefault(name, {}).setdefault(row["ship"], []).append(said)
    given = plan.mapping.given("moment")
    for ship, xml in zip(day.shipments["ship"], written(day, ids, envelope), strict=True):
        message = etree.fromstring(xml).find(".//{*}EXP301")
        assert message is not None
        read: dict[str, list[list[tuple[str, str | None]]]] = {}
        for group in message:
            values = [(etree.QName(e).localname, e.text or None) for e in group]
            read.setdefault(etree.QName(group).localname, []).append(
                [(e, None if e in given else v) for e, v in values]
            )
        assert read == {name: of[ship] for name, of in rows.items() if ship in of}


def test_the_same_frames_give_the_same_bytes(day: FrameSet, ids: Any, envelope: Any) -> None:
    assert written(day, ids, envelope) == written(day, ids, envelope)
