"""The content digest: equal for what says the same, different for everything else."""

from __future__ import annotations

import hashlib
import random
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from crossborder import intake, keys
from crossborder.shipments import COLUMNS, Column, FrameName, FrameSet, content_digests
from crossborder.shipments.frames import complete

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
        {"master_pieces": "9", "master_gross_weight": "12.5"},
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


def slow_digest(frames: FrameSet, ship: int) -> str:
    """The documented form, value by value: what the columnar digest must equal for ever."""

    def value(column: Column, text: str) -> str:
        if column.name in ("master_waybill", "house_waybill"):
            return keys.normalise(text)
        if column.kind in ("decimal", "integer") and re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
            whole, _, fraction = text.partition(".")
            fraction = fraction.rstrip("0")
            return (whole.lstrip("0") or "0") + (f".{fraction}" if fraction else "")
        return text

    def said(frame: FrameName, row: dict[str, Any]) -> str:
        left_out = ("master_pieces", "master_gross_weight")  # they are no part of what is declared
        columns = [
            c for c in COLUMNS[frame].values() if row[c.name] is not None and c.name not in left_out
        ]
        return f"\x1e{frame}" + "".join(f"\x1f{c.name}={value(c, row[c.name])}" for c in columns)

    def place(number: str | None, position: int) -> tuple[bool, int, int]:
        known = number is not None and re.fullmatch(r"\+?[0-9]{1,18}", number)
        return (not known, int(number) if known and number else 0, position)

    (head,) = frames.shipments.filter(pl.col("ship") == ship).to_dicts()
    goods = frames.goods.filter(pl.col("ship") == ship).to_dicts()
    documents = frames.documents.filter(pl.col("ship") == ship).to_dicts()
    goods.sort(key=lambda row: place(row["line_number"], row["line"]))
    documents.sort(key=lambda row: place(row["order_number"], row["doc"]))
    text = said("shipments", head)
    text += "".join(said("goods", row) for row in goods)
    text += "".join(said("documents", row) for row in documents)
    return hashlib.sha256(text.encode()).hexdigest()


NUMBERS = ["0", "00", "007", "0.50", "00.0", "12.000", "1.5", "1.", ".5", "1e2", "１.50", "10", "100.", "0.0"]  # fmt: skip
WAYBILLS = ["999-12345675", "H 1", "h1", "Ｈ１", "H\u20101", "A_B-1", "-", "H1"]
TEXTS = ["围巾", "a=b", "0.50", "\x1f", "\U00020bb7", "x y"]


def drawn(rng: random.Random, frame: FrameName, rows: int, columns: int) -> dict[str, list[Any]]:
    """Rows in which some columns are empty, some the same everywhere, some mixed."""
    kinds: dict[str, list[str]] = {"decimal": NUMBERS, "integer": NUMBERS}
    found: dict[str, list[Any]] = {}
    for column in rng.sample(list(COLUMNS[frame].values()), columns):
        pool: list[Any] = kinds.get(column.kind, TEXTS)
        if column.name in ("master_waybill", "house_waybill"):
            pool = WAYBILLS
        pool = rng.choice([pool, [*pool, None, None], pool[-1:], pool[:1], pool[1:3]])
        found[column.name] = [rng.choice(pool) for _ in range(rows)]
    return found


@pytest.mark.parametrize("seed", range(25))
def test_digests_are_those_of_the_documented_form(seed: int) -> None:
    rng = random.Random(seed)
    ships = rng.choice([1, 2, 9, 40])
    under = sorted(rng.choice(range(ships)) for _ in range(rng.choice([0, ships, 3 * ships])))
    shipments = pl.DataFrame(drawn(rng, "shipments", ships, rng.choice([1, 8, 40]))).with_columns(
        ship=pl.int_range(ships, dtype=pl.UInt32)
    )
    below = {
        name: pl.DataFrame(
            {**drawn(rng, name, len(under), 4), position: range(len(under)), "ship": under}
        )
        for name, position in (("goods", "line"), ("documents", "doc"))
    }
    made = FrameSet(
        complete("shipments", shipments),
        complete("goods", below["goods"]),
        complete("documents", below["documents"]),
    )
    digests = content_digests(made)
    assert digests["ship"].to_list() == list(range(ships))
    assert digests["digest"].to_list() == [slow_digest(made, ship) for ship in range(ships)]
