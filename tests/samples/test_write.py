"""Files are written in the partner's shape, and the dirt report points at the row a user sees there."""

from __future__ import annotations

import csv
import hashlib
import json
import sys
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from crossborder import samples
from crossborder.errors import InputError, NotFound
from crossborder.samples.workbook import Workbook

Rows = dict[int, list[str]]


def physical_rows(path: Path) -> Rows:
    """Row number as a user sees it → fields, with the csv module or openpyxl."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            found: Rows = {}
            while True:
                line = reader.line_num + 1
                fields = next(reader, None)
                if fields is None:
                    return found
                found[line] = fields
    sheet = openpyxl.load_workbook(path).active
    assert sheet is not None
    return {
        i: ["" if v is None else str(v) for v in row]
        for i, row in enumerate(sheet.iter_rows(values_only=True), 1)
    }


def report(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    ("mapping", "suffix", "house", "first"),
    [
        ("elements", ".csv", "AssBillNo", 2),
        ("canonical", ".csv", "house_waybill", 2),
        ("zh-desk", ".csv", "分运单号", 3),
        ("zh-desk", ".xlsx", "分运单号", 3),
        ("elements", ".xlsx", "AssBillNo", 2),
    ],
)
def test_report_rows_are_the_rows_of_the_file(
    tmp_path: Path, mapping: str, suffix: str, house: str, first: int
) -> None:
    out, dirt = tmp_path / f"day{suffix}", tmp_path / "dirt.jsonl"
    done = samples.create(out, shipments=300, seed=2, dirty=0.5, mapping=mapping, dirt_report=dirt)
    lines = physical_rows(out)
    header = lines[first - 1]
    at = header.index(house)
    said = report(dirt)
    assert len(said) == done.dirty == 150
    assert set(said[0]) == {"row", "shipment", "kind", "rule", "severity", "also"}
    for one in said:
        assert lines[int(str(one["row"]))][at] == one["shipment"]
    assert done.records == len(lines) - (first - 1) - (1 if first == 3 else 0)
    if first == 3:
        assert lines[1][0].startswith("2026年11月23日")
        assert lines[max(lines)][0] == "合计"


def test_a_goods_line_is_pointed_at_where_a_line_is_spoiled(tmp_path: Path) -> None:
    out, dirt = tmp_path / "day.csv", tmp_path / "dirt.jsonl"
    samples.create(out, shipments=400, seed=2, dirty=1, mapping="elements", dirt_report=dirt)
    lines = physical_rows(out)
    number = lines[1].index("GNo")
    gaps = [one for one in report(dirt) if one["kind"] == "line_number_gap"]
    assert gaps
    for one in gaps:
        row = int(str(one["row"]))
        assert lines[row][number] == "3"
        assert lines[row - 1][number] == "1"


@pytest.mark.parametrize("suffix", [".ndjson", ".parquet"])
def test_records_are_counted_from_one_where_there_are_no_rows(tmp_path: Path, suffix: str) -> None:
    out, dirt = tmp_path / f"day{suffix}", tmp_path / "dirt.jsonl"
    samples.create(out, shipments=120, seed=2, dirty=0.5, dirt_report=dirt)
    if suffix == ".ndjson":
        frame = pl.DataFrame(report(out), infer_schema_length=None)
    else:
        frame = pl.read_parquet(out)
    assert set(frame.dtypes) <= {pl.String, pl.Null}
    for one in report(dirt):
        assert frame["house_waybill"][int(str(one["row"])) - 1] == one["shipment"]


def test_a_desks_sheet_says_words_and_its_own_dates(tmp_path: Path) -> None:
    out = tmp_path / "day.csv"
    samples.create(out, shipments=50, seed=1, direction="E", mapping="zh-desk")
    lines = physical_rows(out)
    first = dict(zip(lines[2], lines[3], strict=True))
    assert first["进出口标志"] == "出口"
    assert first["进出口日期"] == "2026-11-23"
    assert first["发件人国别"] in ("中国", "中国大陆")
    assert first["申报口岸代码"] == "杭州海关"
    assert first["报关类别"] in ("A类", "B类", "C类", "文件", "个人物品", "低值货物")


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".ndjson"])
def test_the_same_arguments_give_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    digests = set()
    for name in ("one", "two"):
        out = tmp_path / f"{name}{suffix}"
        samples.create(out, shipments=200, seed=7, dirty=0.2, mapping="zh-desk")
        digests.add(hashlib.sha256(out.read_bytes()).hexdigest())
    assert len(digests) == 1


def test_create_and_write_make_the_same_file(tmp_path: Path) -> None:
    samples.create(tmp_path / "a.csv", shipments=150, seed=7, dirty=0.2, mapping="elements")
    sample = samples.compose(150, 7, 0.2, mapping="elements")
    samples.write(sample, "elements", tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_a_dirty_sample_is_not_written_where_its_dirt_cannot_be_told(tmp_path: Path) -> None:
    sample = samples.compose(150, 7, 0.2, mapping="elements")
    with pytest.raises(InputError, match="composed for elements"):
        samples.write(sample, "zh-desk", tmp_path / "b.csv")


def test_an_identity_number_can_stand_in_a_number_cell(tmp_path: Path) -> None:
    out, dirt = tmp_path / "day.xlsx", tmp_path / "dirt.jsonl"
    samples.create(out, shipments=150, seed=3, dirty=1, mapping="elements", dirt_report=dirt)
    sheet = openpyxl.load_workbook(out).active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))
    at, house = rows[0].index("SendId"), rows[0].index("AssBillNo")
    spoiled = {o["shipment"] for o in report(dirt) if o["kind"] == "identity_in_a_number_cell"}
    assert spoiled
    for row in rows[1:]:
        assert isinstance(row[at], (int, float)) == (row[house] in spoiled)


def test_a_table_of_made_up_rates_covers_the_months_around_the_day(tmp_path: Path) -> None:
    out = tmp_path / "rates.csv"
    sample = samples.compose(1, 1)
    samples.write_rates(out, sample.order.day)
    frame = pl.read_csv(out, infer_schema=False)
    assert frame.columns == ["currency", "month", "rate", "fictional"]
    assert set(frame["fictional"]) == {"1"}
    assert (frame["month"].min(), frame["month"].max()) == ("202511", "202711")
    assert frame.height == sample.rates.height * 25
    assert "142" not in frame["currency"]


def test_unknown_mappings_and_suffixes_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="elements"):
        samples.create(tmp_path / "a.csv", shipments=1, seed=1, mapping="element")
    with pytest.raises(InputError, match="pdf"):
        samples.create(tmp_path / "a.pdf", shipments=1, seed=1)
    with pytest.raises(InputError, match="cannot be written"):
        samples.create(tmp_path / "no" / "a.csv", shipments=1, seed=1)


def test_a_sheet_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossborder.samples.workbook.MOST_ROWS", 3)
    with (tmp_path / "a.xlsx").open("wb") as file, Workbook(file) as book:
        book.rows(pl.DataFrame({"a": ["1", "2"]}))
        with pytest.raises(InputError, match="at most 3"):
            book.rows(pl.DataFrame({"a": ["3", "4"]}))


@pytest.mark.parametrize("shipments", [400, 2])
def test_lines_of_one_waybill_can_stand_apart(tmp_path: Path, shipments: int) -> None:
    out, dirt = tmp_path / "day.csv", tmp_path / "dirt.jsonl"
    samples.create(out, shipments=shipments, seed=2, dirty=1, mapping="elements", dirt_report=dirt)
    lines = physical_rows(out)
    at = lines[1].index("AssBillNo")
    apart = {}
    for row, fields in sorted(lines.items()):
        before = lines.get(row - 1, lines[1])[at]
        if row > 1 and fields[at] != before:
            apart[fields[at]] = apart.get(fields[at], 0) + 1
    named = {str(o["shipment"]) for o in report(dirt) if o["kind"] == "lines_apart"}
    assert {house for house, runs in apart.items() if runs > 1} == named
    assert named or shipments == 2


def test_the_head_of_one_waybill_can_differ_between_its_lines(tmp_path: Path) -> None:
    out, dirt = tmp_path / "day.csv", tmp_path / "dirt.jsonl"
    samples.create(out, shipments=400, seed=2, dirty=1, mapping="elements", dirt_report=dirt)
    lines = physical_rows(out)
    at, remarks = lines[1].index("AssBillNo"), lines[1].index("NoteS")
    said: dict[str, set[str]] = {}
    for row, fields in lines.items():
        if row > 1:
            said.setdefault(fields[at], set()).add(fields[remarks])
    named = {str(o["shipment"]) for o in report(dirt) if o["kind"] == "head_differs"}
    assert named
    assert {house for house, texts in said.items() if len(texts) > 1} == named


def test_parquet_is_written_row_group_by_row_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads it, and whoever writes it, has no more of it in memory."""
    import pyarrow.parquet as pq

    monkeypatch.setattr(sys.modules["crossborder.samples.write"], "ROW_GROUP", 50)
    text, columns = tmp_path / "day.csv", tmp_path / "day.parquet"
    for out in (text, columns):
        samples.create(out, shipments=120, seed=4, mapping="elements")
    with pq.ParquetFile(columns) as file:
        sizes = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
    assert max(sizes) <= 50
    expected = pl.read_csv(text, infer_schema=False)
    assert sum(sizes) == expected.height
    assert pl.read_parquet(columns).equals(expected)
