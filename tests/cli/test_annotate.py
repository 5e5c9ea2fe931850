"""`check --annotate`: the user's own file back, corrected where it is marked, and handed in again.

Broken by: a value that changes on the way, a mark on the wrong cell or none, an added sheet or comment that intake takes
for data, an identity number that becomes a number when it is typed again.
"""

from __future__ import annotations

import json
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import fastexcel
import openpyxl
import polars as pl
import pytest
import xlwt
from tests.cli.conftest import Run

from crossborder import intake, samples
from crossborder.samples import dirt

MENDED_BY_CELLS = {"set", "clear", "append", "lower", "widen", "turn", "fifteen", "scientific", "pad", "scale", "swap", "s10"}  # fmt: skip
"""What dirt does to cells; the rest spoils the sheet (rows apart, waybills twice) or the parcel itself."""


ELSEWHERE = (
    "general_cargo",
    "other_charges_without_amount",
    "price_times_quantity",
    "trade_and_declared_total_differ",
)
"""Two values disagree, one wants another, or a parcel fits no class: which of them is wrong only a person knows."""


@pytest.fixture
def curable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only dirt that a person mends by writing the right value into a cell."""
    kinds = tuple(k for k in dirt.kinds() if k.op in MENDED_BY_CELLS and k.severity == "reject")
    kinds = tuple(k for k in kinds if k.name not in ELSEWHERE)
    monkeypatch.setattr(dirt, "kinds", lambda: kinds)


def sample(out: Path, shipments: int = 160, dirty: float = 0.5, **more: Any) -> None:
    samples.create(
        out, shipments=shipments, seed=5, dirty=dirty, mapping="zh-desk", day=date(2026, 11, 23), **more
    )  # fmt: skip


def cells(file: Path) -> pl.DataFrame:
    """The first sheet as intake reads it."""
    reader = fastexcel.read_excel(file)
    return reader.load_sheet(0, header_row=None, skip_rows=0, dtypes="string").to_polars()


def fills(cell: Any) -> bool:
    return cell.fill.fill_type == "solid"


def test_a_dirty_desk_file_comes_back_is_corrected_where_it_is_marked_and_passes(
    run: Run, tmp_path: Path, curable: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, marked, clean, mended = (tmp_path / f"{n}.xlsx" for n in ("ours", "marked", "clean", "mended"))  # fmt: skip
    report = tmp_path / "dirt.jsonl"
    sample(ours, dirt_report=report)
    monkeypatch.setattr(dirt, "spoil", lambda _order, _name, frame: frame)
    sample(clean)
    said = run("check", ours, "--profile", "demo", "--annotate", marked, "--json").json
    planted = [json.loads(line) for line in report.read_text("utf-8").splitlines()]
    assert said["rejected"] == len(planted) == 80
    assert cells(marked).equals(cells(ours))

    right = openpyxl.load_workbook(clean).active
    for rounds in (
        1,
        2,
    ):  # what is filled in may want something else filled in: a freight its currency
        corrected = correct(marked, right, mended)
        assert corrected >= (len(planted) if rounds == 1 else 1)
        again = run("check", mended, "--profile", "demo", "--annotate", marked, "--json").json
        assert (again["shipments"], again["rows"]) == (said["shipments"], said["rows"])
    assert again["rejected"] == 0, [f for f in again["findings"] if f["severity"] == "reject"]


def correct(marked: Path, right: Any, mended: Path) -> int:
    """Write the right value into every marked cell, and nowhere else; how many changed."""
    book, corrected = openpyxl.load_workbook(marked), 0
    for row in book.worksheets[0].iter_rows(min_row=3):
        for cell in filter(fills, row):
            wanted = right.cell(cell.row, cell.column).value
            if cell.value != wanted:
                cell.value, corrected = wanted, corrected + 1
    book.save(mended)
    return corrected


def test_every_finding_with_a_row_is_marked_where_it_says(run: Run, tmp_path: Path) -> None:
    ours, marked = tmp_path / "ours.xlsx", tmp_path / "marked.xlsx"
    sample(ours, 120)
    said = run("check", ours, "--profile", "demo", "--annotate", marked, "--json").json
    book = openpyxl.load_workbook(marked)
    sheet = book.worksheets[0]
    named = {c.value: c.column for c in sheet[2]}
    placed = [f for f in said["findings"] if f["row"]]
    expected = {(f["row"], named.get(f["column"], named["分运单号"])) for f in placed}
    found = {(c.row, c.column) for row in sheet.iter_rows() for c in row if fills(c)}
    assert {(c.row, c.column) for row in sheet.iter_rows() for c in row if c.comment} == expected
    assert expected <= found
    house = named["分运单号"]
    for row, column in found - expected:  # a further row of a parcel that repeats a faulty value
        first = next(r for r in range(row, 2, -1) if (r, column) in expected)
        assert sheet.cell(first, house).value == sheet.cell(row, house).value
        assert sheet.cell(first, column).value == sheet.cell(row, column).value
    for finding in placed:
        comment = sheet.cell(
            finding["row"], named.get(finding["column"], named["分运单号"])
        ).comment
        assert finding["rule"] in comment.text
        assert finding["zh"] in comment.text
        assert finding["en"] in comment.text


def test_the_added_sheets_say_rules_partners_and_places(run: Run, tmp_path: Path) -> None:
    ours, marked = tmp_path / "ours.xlsx", tmp_path / "marked.xlsx"
    sample(ours, 120)
    said = run("check", ours, "--profile", "demo", "--annotate", marked, "--json").json
    book = openpyxl.load_workbook(marked)
    assert book.sheetnames == ["Sheet1", "校验汇总 check", "校验问题 findings"]
    summary = [[v for v in row if v is not None] for row in book.worksheets[1].iter_rows(values_only=True)]  # fmt: skip
    assert [f"未通过 rejected: {said['rejected']}"] in summary
    rules = {
        row[1]: row
        for row in summary
        if len(row) > 3 and row[0] in ("拒收 reject", "转一般报关 general declaration")
    }
    assert set(rules) == {f["rule"] for f in said["findings"] if f["severity"] == "reject"}
    at = next(i for i, row in enumerate(summary) if row and row[0].startswith("合作方"))
    partners = summary[at + 1 : summary.index([], at)]
    assert sum(row[1] for row in partners) == said["shipments"]
    assert sum(row[3] for row in partners) == said["rejected"]
    listed = list(book.worksheets[2].iter_rows(min_row=2))
    assert len(listed) == len(said["findings"])
    assert book.worksheets[2].auto_filter.ref
    first = next(row for row in listed if row[0].value)
    column = next(f["column"] for f in said["findings"] if f["row"] == first[0].value)
    header = [c.value for c in book.worksheets[0][2]]
    place = openpyxl.utils.get_column_letter(header.index(column) + 1)
    assert first[0].hyperlink.location == f"'Sheet1'!{place}{first[0].value}"


def test_a_csv_comes_back_as_a_workbook_of_text_with_equal_values(run: Run, tmp_path: Path) -> None:
    ours, marked = tmp_path / "ours.csv", tmp_path / "marked.xlsx"
    sample(ours, 120)
    said = run("check", ours, "--profile", "demo", "--annotate", marked, "--json").json
    again = run("check", marked, "--profile", "demo", "--json").json
    plain = [{k: v for k, v in f.items() if k != "sheet"} for f in said["findings"]]
    assert [{k: v for k, v in f.items() if k != "sheet"} for f in again["findings"]] == plain
    one, other = intake.read(ours), intake.read(marked)
    assert one.frames.shipments.drop("sheet").equals(other.frames.shipments.drop("sheet"))
    assert one.frames.goods.drop("sheet").equals(other.frames.goods.drop("sheet"))
    sheet = openpyxl.load_workbook(marked).worksheets[0]
    body = [c for row in sheet.iter_rows(min_row=3) for c in row if c.value is not None]
    assert {c.data_type for c in body} == {"s"}
    assert {c.number_format for c in body} == {"@"}


def test_a_csv_of_several_blocks_is_written_whole(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, whole, parts = tmp_path / "ours.csv", tmp_path / "whole.xlsx", tmp_path / "parts.xlsx"
    sample(ours, 200)
    told = [run("check", ours, "--profile", "demo", "--annotate", whole, "--json").json["findings"]]
    with monkeypatch.context() as patched:
        patched.setattr(intake, "open_blocks", partial(intake.open_blocks, block_bytes=20_000))
        told.append(run("check", ours, "--profile", "demo", "--annotate", parts, "--json").json["findings"])  # fmt: skip
    assert told[0]
    one, other = (sorted(json.dumps(f, sort_keys=True) for f in findings) for findings in told)
    assert one == other
    assert cells(parts).equals(cells(whole))
    marks = [
        {c.coordinate: c.comment.text for row in openpyxl.load_workbook(f).worksheets[0].iter_rows() for c in row if c.comment}
        for f in (whole, parts)
    ]  # fmt: skip
    assert marks[0] == marks[1]


def test_a_torn_line_stands_whole_in_one_cell_and_is_refused_again(
    run: Run, tmp_path: Path
) -> None:
    ours, marked = tmp_path / "ours.csv", tmp_path / "marked.xlsx"
    sample(ours, 5, 0)
    lines = ours.read_text("utf-8-sig").splitlines(keepends=True)
    lines[4] = lines[4].rstrip("\r\n") + ",one too many,\r\n"
    ours.write_text("".join(lines), "utf-8-sig")
    said = run("check", ours, "--profile", "demo", "--annotate", marked, "--json").json
    assert said["rejected"] > 0
    row = openpyxl.load_workbook(marked).worksheets[0][5]
    (cell,) = [c for c in row if c.value is not None]
    assert " ¦ one too many ¦ " in cell.value
    assert fills(cell)
    assert "INT-ragged" in cell.comment.text
    assert run("check", marked, "--profile", "demo", "--json").json["rejected"] > 0


def test_what_is_missing_for_all_is_listed_once_and_marks_no_cell(
    run: Run, home: Path, tmp_path: Path
) -> None:
    """A missing exchange rate is mended in the tables, not in the user's cells."""
    home.mkdir()
    demo = (Path(__file__).resolve().parents[2] / "mappings/profiles/demo.toml").read_text("utf-8")
    body = demo.replace("demo = true\n", "").replace("\n[", "\n[profiles.firm.")
    (home / "crossborder.toml").write_text("[profiles.firm]\n" + body, encoding="utf-8")
    ours, marked = tmp_path / "ours.xlsx", tmp_path / "marked.xlsx"
    sample(ours, 40, 0)
    said = run("check", ours, "--profile", "firm", "--annotate", marked, "--json").json
    assert said["not_evaluated"] > 1
    book = openpyxl.load_workbook(marked)
    filled = [c for row in book.worksheets[0].iter_rows() for c in row if fills(c)]
    assert len(filled) == len({(f["row"], f["column"]) for f in said["findings"] if f["row"]})
    assert len(list(book.worksheets[2].iter_rows(min_row=2))) == len(said["findings"])


@pytest.mark.parametrize("name", ["out.csv", "out", "ours.xlsx"])
def test_what_cannot_be_written_is_refused_before_anything_is_read(
    run: Run, tmp_path: Path, name: str
) -> None:
    ours = tmp_path / "ours.xlsx"
    ours.write_bytes(b"PK\x03\x04 not read") if name != "ours.xlsx" else sample(ours, 3, 0)
    before = ours.read_bytes()
    said = run("check", ours, "--profile", "demo", "--annotate", tmp_path / name)
    assert said.code == 2
    assert ours.read_bytes() == before


def test_nested_records_have_no_cells_to_mark(run: Run, tmp_path: Path) -> None:
    parcel = tmp_path / "parcels.json"
    record = json.loads((Path(__file__).resolve().parents[2] / "fixtures/cli/parcel.json").read_text("utf-8"))  # fmt: skip
    parcel.write_text(json.dumps([record]), "utf-8")
    said = run("check", parcel, "--profile", "demo", "--annotate", tmp_path / "out.xlsx")
    assert said.code == 2
    assert "--findings" in said.err
    assert not (tmp_path / "out.xlsx").exists()


@pytest.mark.parametrize("suffix", [".parquet", ".ndjson"])
def test_a_table_without_a_header_row_gets_one_and_marks_stand_a_row_further_down(
    run: Run, tmp_path: Path, suffix: str
) -> None:
    ours, marked = tmp_path / f"ours{suffix}", tmp_path / "marked.xlsx"
    sample(ours, 60)
    said = run("check", ours, "--profile", "demo", "--annotate", marked, "--json").json
    assert said["rejected"] == 30
    sheet = openpyxl.load_workbook(marked).worksheets[0]
    named = {c.value: c.column for c in sheet[1]}
    placed = [f for f in said["findings"] if f["row"] and f["column"] in named]
    assert placed
    for finding in placed:
        cell = sheet.cell(finding["row"] + 1, named[finding["column"]])
        assert fills(cell)
        assert finding["rule"] in cell.comment.text
    again = run("check", marked, "--profile", "demo", "--json").json
    assert again["rejected"] == said["rejected"]
    assert again["shipments"] == said["shipments"]


def test_an_old_workbook_comes_back_as_a_new_one_of_text(run: Run, tmp_path: Path) -> None:
    xlsx, old, marked = tmp_path / "ours.xlsx", tmp_path / "ours.xls", tmp_path / "marked.xlsx"
    sample(xlsx, 30)
    book = xlwt.Workbook()
    sheet = book.add_sheet("Sheet1")
    for row, values in enumerate(cells(xlsx).iter_rows()):
        for column, value in enumerate(values):
            if value is not None:
                sheet.write(row, column, value)
    book.save(str(old))
    said = run("check", old, "--profile", "demo", "--annotate", marked, "--json").json
    assert said["rejected"] > 0
    assert cells(marked).equals(cells(old))
    again = run("check", marked, "--profile", "demo", "--json").json
    assert again["findings"] == said["findings"]
