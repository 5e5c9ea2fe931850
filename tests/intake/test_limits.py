"""Limits while blocks come: hostile and mistaken files end in findings or one clear error, never in all memory."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from crossborder import intake
from crossborder.errors import InputError
from crossborder.intake import Block, Limits, csvparse, grid

HEAD = "BillNo,AssBillNo,IEFlag,GName,NoteS"
SMALL = 2_000


def put(folder: Path, text: str | bytes, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def lines(first: int, last: int) -> str:
    return "".join(f"999-1,H{n},I,shoe,\n" for n in range(first, last))


def blocks(path: Path, **how: Any) -> list[Block]:
    with intake.open_blocks(path, mapping="elements", **how) as opened:
        return list(opened)


def rules(found: list[Block]) -> list[tuple[object, ...]]:
    return [row for b in found for row in b.intake.findings.select("row", "rule").iter_rows()]


def test_blocks_are_bounded_by_bytes_and_by_records(tmp_path: Path) -> None:
    path = put(tmp_path, f"{HEAD}\n{lines(0, 60_000)}")
    by_bytes = blocks(path, block_bytes=100_000)
    assert max(b.intake.raw.cells.height for b in by_bytes) < 100_000 / 16
    by_records = blocks(path)
    assert len(by_records) > 60_000 // grid.MOST_RECORDS
    assert max(b.intake.rows for b in by_records) <= grid.MOST_RECORDS + 1
    assert sum(b.intake.rows for b in by_records) == 60_000


def test_a_shipment_is_never_split(tmp_path: Path) -> None:
    text = "".join(f"999-1,H{n // 7},I,shoe,{n}\n" for n in range(700))
    for size in (1, 50, 1_000):
        found = blocks(put(tmp_path, f"{HEAD}\n{text}"), block_bytes=size)
        assert {n for b in found for n in b.intake.frames.shipments["rows"].list.len()} == {7}
        numbers = [n for b in found for n in b.intake.frames.shipments["ship"]]
        assert numbers == list(range(100))


def test_rows_that_stand_apart_in_different_blocks_are_shipments_of_their_own(
    tmp_path: Path,
) -> None:
    text = f"{HEAD}\n999-1,H1,I,shoe,\n{lines(2, 300)}999-1,H1,I,hat,\n"
    path = put(tmp_path, text)
    assert "INT-not-adjacent" in intake.read(path, mapping="elements").findings["rule"]
    found = pl.concat([b.intake.frames.shipments for b in blocks(path, block_bytes=SMALL)])
    assert found.filter(pl.col("house_waybill") == "H1")["row"].to_list() == [2, 301]


def test_a_torn_row_stops_the_shipment_it_names_in_a_later_block(tmp_path: Path) -> None:
    text = f"{HEAD}\n999-1,H900,I\n{lines(1, 300)}999-1,H900,I,hat,\n"
    assert rules(blocks(put(tmp_path, text), block_bytes=SMALL)) == [
        (2, "INT-ragged"),
        (302, "INT-ragged"),
    ]


def test_a_quote_never_closed_spoils_its_row_only_and_no_block_grows(tmp_path: Path) -> None:
    text = f'{HEAD}\n999-1,H0,I,"shoe,\n{lines(1, 30_000)}'
    found = blocks(put(tmp_path, text), block_bytes=50_000)
    assert rules(found) == [(2, "INT-quote")]
    assert sum(b.intake.rows for b in found) == 30_000
    assert max(b.intake.rows for b in found) < 50_000 / 16


@pytest.mark.parametrize("size", [100, 10_000_000])
def test_a_quoted_field_longer_than_a_record_may_be_was_never_closed(
    tmp_path: Path, size: int
) -> None:
    limits = Limits(max_record_bytes=1_000)
    long = "\n".join(["x" * 90] * 20)
    path = put(tmp_path, f'{HEAD}\n999-1,H1,I,"{long}",\n999-1,H2,I,hat,\n')
    found = blocks(path, limits=limits, block_bytes=size)
    assert rules(found)[0] == (2, "INT-quote")
    assert found[-1].intake.frames.goods["name"].to_list() == ["hat"]
    assert intake.read(path, mapping="elements").findings.is_empty()


@pytest.mark.parametrize("size", [100, 10_000_000])
@pytest.mark.parametrize("short", ["", "999-1,H3\n"])
def test_a_quoted_field_of_a_thousand_lines(tmp_path: Path, size: int, short: str) -> None:
    for count, first in ((998, "INT-ragged"), (999, "INT-ragged"), (1_000, "INT-quote")):
        text = f'{HEAD}\n999-1,H1,I,"{"x" + chr(10) * count}"\n{short}999-1,H2,I,hat,\n'
        found = blocks(put(tmp_path, text), block_bytes=size)
        assert rules(found)[0] == (2, first)
        assert found[-1].intake.frames.goods["name"].to_list() == ["hat"]


@pytest.mark.parametrize("before", ["", '999-1,H0,I,"a ""b""",\n'])
def test_a_line_longer_than_a_record_may_be(tmp_path: Path, before: str) -> None:
    text = f"{HEAD}\n{before}999-1,H1,I,{'x' * 5_000},\n{lines(2, 9)}"
    path, limits = put(tmp_path, text), Limits(max_record_bytes=4_000)
    place = 2 + bool(before)
    for size in (100, 10_000_000):
        with pytest.raises(InputError, match=f"line {place} has more than 4,000 bytes"):
            blocks(path, limits=limits, block_bytes=size)
    with pytest.raises(InputError, match=f"line {place} has more"):
        intake.read(path, mapping="elements", limits=limits)


def test_a_line_of_ndjson_longer_than_a_record_may_be(tmp_path: Path) -> None:
    row = '{"BillNo":"1","AssBillNo":"H1","IEFlag":"I","GName":"%s"}\n'
    path = put(tmp_path, row % "a" + row % ("b" * 5_000), "a.ndjson")
    with pytest.raises(InputError, match="line 2 has more than 4,000 bytes"):
        blocks(path, limits=Limits(max_record_bytes=4_000), block_bytes=100)


def test_too_many_rows_under_one_waybill(tmp_path: Path) -> None:
    path = put(tmp_path, f"{HEAD}\n{lines(0, 5)}" + "999-1,H9,I,shoe,\n" * 300 + lines(10, 20))
    limits = Limits(max_shipment_rows=200)
    for size in (100, 10_000_000):
        with pytest.raises(InputError, match=r"more than 200 rows .* from row 7"):
            blocks(path, limits=limits, block_bytes=size)
    assert len(blocks(path, limits=Limits(max_shipment_rows=300), block_bytes=100)) > 1


def test_rows_are_counted_as_blocks_come(tmp_path: Path) -> None:
    path = put(tmp_path, f"{HEAD}\n{lines(0, 500)}")
    seen = []
    with (
        intake.open_blocks(path, limits=Limits(max_rows=300), block_bytes=SMALL) as opened,
        pytest.raises(InputError, match="at most 300 are read"),
    ):
        seen.extend(b.intake.rows for b in opened)
    assert 0 < sum(seen) <= 300


@pytest.mark.parametrize("name", ["a.csv", "a.ndjson", "a.parquet"])
def test_a_file_that_changes_meanwhile(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    frame = pl.DataFrame(
        {"BillNo": "1", "AssBillNo": [f"H{n}" for n in range(500)], "IEFlag": "I", "GName": "x"}
    )
    write = {"a.csv": frame.write_csv, "a.ndjson": frame.write_ndjson}.get(name)
    path.touch()
    if write is not None:
        write(path)
    else:
        frame.write_parquet(path)
    with intake.open_blocks(path, block_bytes=SMALL) as opened:
        coming = iter(opened)
        next(coming)
        os.utime(path, (0, 0))
        with pytest.raises(InputError, match="changed while it was read"):
            list(coming)


def test_done_goes_up_to_the_total(tmp_path: Path) -> None:
    path = put(tmp_path, f"{HEAD}\n{lines(0, 500)}")
    with intake.open_blocks(path, block_bytes=SMALL) as opened:
        done = [b.done for b in opened]
        assert (opened.kind, opened.total) == ("csv", path.stat().st_size)
    assert all(a < b for a, b in pairwise(done))
    assert done[-1] == path.stat().st_size


def test_what_is_no_file_by_lines_is_one_block() -> None:
    rows = [{"BillNo": "1", "AssBillNo": f"H{n}", "IEFlag": "I", "GName": "x"} for n in range(50)]
    for source, kind in ((rows, "records"), (pl.DataFrame(rows), "frame")):
        with intake.open_blocks(source, block_bytes=1) as opened:
            (block,) = opened
            assert (opened.kind, opened.total, block.done) == (kind, 50, 50)


def test_rows_of_a_block_can_be_written_back(tmp_path: Path) -> None:
    path = put(tmp_path, f"预报\n{HEAD},自家列\n" + lines(0, 200).replace(",\n", ",,y\n"))
    out = tmp_path / "out.csv"
    for block in blocks(path, block_bytes=SMALL):
        rows = block.intake.frames.shipments.explode("rows").select(pl.col("rows").alias("row"))
        assert intake.write_rows(block.intake.raw, rows, out) == rows.height
        assert intake.read(out, mapping="elements").raw.header[-1] == "自家列"


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ('"' * 300_000, "INT-ragged"),
        ('"' * 300_001, "INT-quote"),
        ("999-1,H1" + "," * 300_000, "INT-ragged"),
        ("ab," * 100_000, "INT-ragged"),
        ("999-1,H1,I," + "\0" * 300_000 + ",", "INT-cell-too-long"),
        ('"a""\n' * 30_000, "INT-quote"),
        ("a,b\n" * 30_000, "INT-ragged"),
    ],
)
def test_hostile_rows_are_findings(tmp_path: Path, body: str, rule: str) -> None:
    good = lines(2, 400)
    found = blocks(put(tmp_path, f"{HEAD}\n{good}{body}\n"), block_bytes=20_000)
    assert {r for _, r in rules(found)} == {rule}
    assert sum(b.intake.rows for b in found) == 398 + body.count("\n") + (not body.endswith("\n"))


@pytest.mark.parametrize("body", ["\n" * 300_000, ",,,,\n" * 100_000, '"\n"\n' * 100_000])
def test_files_of_nothing(tmp_path: Path, body: str) -> None:
    with pytest.raises(InputError, match="no row below"):
        blocks(put(tmp_path, f"{HEAD}\n{body}"), block_bytes=20_000)


def test_a_file_of_zero_bytes(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="many zero bytes"):
        blocks(put(tmp_path, b"\0" * 1_000_000))


def test_quotes_opened_again_and_again_are_refused_in_bounded_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csvparse, "_MAX_TRIED", 20_000)
    with pytest.raises(InputError, match="not closed, over and over"):
        blocks(put(tmp_path, f"{HEAD}\n" + 'b",x"y,"c\n' * 3_000))


def test_a_long_line_before_many_short_ones(tmp_path: Path) -> None:
    text = f"{HEAD}\n{'x' * 400_000}\n" + "\n" * 50_000 + lines(1, 3)
    for size in (1_000, 10_000_000):
        found = blocks(put(tmp_path, text), block_bytes=size)
        assert rules(found) == [(2, "INT-ragged")]
        assert sum(b.intake.rows for b in found) == 3
