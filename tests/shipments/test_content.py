"""The content digest: equal for what says the same, different for everything else."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from crossborder import intake
from crossborder.shipments import FrameSet, content_digests

RECORD: dict[str, Any] = {
    "master_waybill": "999-12345675", "house_waybill": "H1", "direction": "I", "gross_weight": "1.50",
    "goods": [{"line_number": "1", "name": "围巾"}, {"line_number": "2", "name": "hat"}],
    "documents": [{"order_number": "1", "number": "C1"}],
}  # fmt: skip


def digest(*records: dict[str, Any]) -> list[str]:
    return content_digests(intake.read(list(records), mapping="canonical").frames)[
        "digest"
    ].to_list()


def test_the_text_is_what_the_docstring_says() -> None:
    """Written by hand: should this ever fail, every live declaration would look changed."""
    text = (
        "\x1eshipments\x1fdirection=I\x1fmaster_waybill=99912345675\x1fhouse_waybill=H1\x1fgross_weight=1.5"
        "\x1egoods\x1fline_number=1\x1fname=围巾\x1egoods\x1fline_number=2\x1fname=hat"
        "\x1edocuments\x1forder_number=1\x1fnumber=C1"
    )
    assert digest(RECORD) == [hashlib.sha256(text.encode()).hexdigest()]


@pytest.mark.parametrize(
    "change",
    [
        {"gross_weight": "1.5"},
        {"gross_weight": "01.500"},
        {"gross_weight": 1.5},
        {"house_waybill": " h-1 "},
        {"master_waybill": "999 1234 5675"},
        {"goods": RECORD["goods"][::-1]},
        {"yard": None, "remarks": "  "},
        {"documents": [{"number": "C1", "order_number": 1}]},
    ],
)
def test_the_same_content(change: dict[str, Any]) -> None:
    assert digest({**RECORD, **change}) == digest(RECORD)


@pytest.mark.parametrize(
    "change",
    [
        {"gross_weight": "1.51"},
        {"gross_weight": "15"},
        {"direction": "E"},
        {"house_waybill": "H2"},
        {"remarks": "x"},
        {"goods": RECORD["goods"][:1]},
        {"goods": [*RECORD["goods"], {"name": "hat"}]},
        {"goods": [{"line_number": "1", "name": "hat"}, {"line_number": "2", "name": "围巾"}]},
        {"documents": []},
    ],
)
def test_other_content(change: dict[str, Any]) -> None:
    assert digest({**RECORD, **change}) != digest(RECORD)


def test_columns_of_neighbours_do_not_matter() -> None:
    other = {**RECORD, "house_waybill": "H2", "remarks": "x", "goods": []}
    assert digest(RECORD, other)[0] == digest(RECORD)[0]


def test_neither_row_numbers_nor_mappings_matter(tmp_path: Path) -> None:
    frames = intake.read([RECORD], mapping="canonical").frames
    for name in intake.mapping_names():
        table = intake.flatten(frames, intake.load_mapping(name))
        path = tmp_path / f"{name}.csv"
        lines = table.select(sorted(table.columns, reverse=True)).write_csv().split("\n", 1)
        path.write_text(f"{lines[0]}\n\n\n{lines[1]}", encoding="utf-8")
        again = intake.read(path, mapping=name).frames
        assert again.shipments["row"].to_list() == [4]
        assert content_digests(again)["digest"].to_list() == digest(RECORD)


def test_every_shipment_has_one() -> None:
    frames = intake.read([RECORD, {**RECORD, "house_waybill": "H2"}], mapping="canonical").frames
    got = content_digests(frames)
    assert got.schema == {"ship": pl.UInt32, "digest": pl.String}
    assert got["ship"].to_list() == [0, 1]
    assert got["digest"].n_unique() == 2
    none = FrameSet(frames.shipments.clear(), frames.goods.clear(), frames.documents.clear())
    assert content_digests(none).height == 0
