"""Workbooks: what Excel did to a cell is told, rows are Excel's rows, bombs and ruins end in one message."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter
import xlwt

from crossborder import intake
from crossborder.errors import InputError
from crossborder.intake import biff, ooxml

HEAD = [
    "BillNo",
    "AssBillNo",
    "IEFlag",
    "GName",
    "SendId",
    "GrossWt",
    "IEDate",
    "TradeCountry",
    "WoodWrap",
    "IEPort",
    "DDate",
]
GOOD = ["999-1", "H1", "I", "shoe", "330100199001010001", "1.5", "20261123", "502", "0", "2901", ""]


def book(path: Path, *rows: list[Any], sheet: str = "数据") -> Path:
    """A workbook whose cells are written as their Python types say."""
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd"}) as out:
        page = out.add_worksheet(sheet)
        for r, row in enumerate(rows):
            for c, cell in enumerate(row):
                if isinstance(cell, str) and not cell.startswith("="):
                    page.write_string(r, c, cell)
                else:
                    page.write(r, c, cell)
    return path


def with_cell(column: str, value: Any) -> list[Any]:
    return [value if name == column else cell for name, cell in zip(HEAD, GOOD, strict=True)]


def found(read: intake.Intake) -> list[tuple[object, ...]]:
    return read.findings.select("row", "column", "rule", "value").rows()


def test_text_cells_come_through_as_they_are(tmp_path: Path) -> None:
    read = intake.read(book(tmp_path / "a.xlsx", HEAD, GOOD))
    assert read.findings.is_empty()
    shipment = read.frames.shipments.row(0, named=True)
    assert (shipment["sheet"], shipment["row"], shipment["party_id"]) == (
        "数据",
        2,
        "330100199001010001",
    )


@pytest.mark.parametrize(
    ("column", "value", "canonical", "becomes"),
    [
        ("GrossWt", 1.25, "gross_weight", "1.25"),
        ("GrossWt", 100.0, "gross_weight", "100"),
        ("GrossWt", 1e-7, "gross_weight", "0.0000001"),
        ("IEDate", dt.date(2026, 11, 23), "movement_date", "20261123"),
        ("IEDate", 20261123, "movement_date", "20261123"),
        (
            "DDate",
            dt.datetime.fromisoformat("2026-11-23T08:30:01"),
            "declaration_time",
            "20261123083001",
        ),
        ("TradeCountry", 502, "trade_country", "502"),
        ("WoodWrap", 0, "wooden_packaging", "0"),
        ("WoodWrap", True, "wooden_packaging", "1"),
    ],
)
def test_typed_cells_that_are_welcome(
    tmp_path: Path, column: str, value: Any, canonical: str, becomes: str
) -> None:
    read = intake.read(book(tmp_path / "a.xlsx", HEAD, with_cell(column, value)))
    assert read.frames.shipments[canonical].to_list() == [becomes]
    assert read.findings.is_empty()


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("SendId", 440305195108268089, "INT-number-cell"),
        ("AssBillNo", 17, "INT-number-cell"),
        ("IEPort", 2901, "INT-number-cell"),
        ("TradeCountry", 502.5, "INT-number-cell"),
        ("IEDate", 46349, "INT-number-cell"),
        ("GrossWt", 1234567890123456, "INT-number-cell"),
        ("AssBillNo", dt.date(2026, 3, 11), "INT-date-cell"),
        ("GName", dt.date(2026, 3, 11), "INT-date-cell"),
        ("GName", True, "INT-boolean-cell"),
        ("SendId", "4.40305E+17", "INT-scientific"),
    ],
)
def test_what_excel_spoilt_is_told(tmp_path: Path, column: str, value: Any, rule: str) -> None:
    read = intake.read(book(tmp_path / "a.xlsx", HEAD, with_cell(column, value)))
    assert [(r, c, i) for r, c, i, _ in found(read)] == [(2, column, rule)]
    assert read.findings["action"].to_list() == ["reject"]


@pytest.mark.parametrize("suffix", ["xlsx", "xlsm"])
def test_a_formula_that_failed_is_told(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    with xlsxwriter.Workbook(path) as out:
        page = out.add_worksheet()
        page.write_row(2, 1, HEAD)
        page.write_row(3, 1, GOOD[:5])
        page.write_formula(3, 6, "=1/0", None, "#DIV/0!")
        page.write_formula(3, 5, '="330"&"1"', None, "3301")
    read = intake.read(path)
    assert found(read) == [(4, "GrossWt", "INT-error-cell", None)]
    assert read.frames.shipments["party_id"].to_list() == ["3301"]


def test_a_binary_fraction_is_read_as_excel_shows_it(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book(path, HEAD, with_cell("GrossWt", 7.25))
    with zipfile.ZipFile(path) as old:
        parts = {n: old.read(n) for n in old.namelist()}
    with zipfile.ZipFile(path, "w") as new:
        for name, data in parts.items():
            new.writestr(name, data.replace(b"<v>7.25</v>", b"<v>0.30000000000000004</v>"))
    assert intake.read(path).frames.shipments["gross_weight"].to_list() == ["0.3"]


def test_old_workbooks(tmp_path: Path) -> None:
    path = tmp_path / "a.xls"
    out = xlwt.Workbook()
    page = out.add_sheet("S")
    for c, (name, cell) in enumerate(zip(HEAD, GOOD, strict=True)):
        page.write(0, c, name)
        page.write(1, c, cell)
        page.write(2, c, cell.replace("H1", "H2"))
    page.write(3, 0, "999-1")
    page.write(3, 1, 17)
    page.write(3, 2, "I")
    page.write(3, 3, "hat")
    page.row(3).set_cell_error(5, 0x2A)
    out.save(str(path))
    assert biff.error_cells(path.read_bytes(), 0) == [(3, 5)]
    read = intake.read(path)
    assert sorted(f[:3] for f in found(read)) == [
        (4, "AssBillNo", "INT-number-cell"),
        (4, "GrossWt", "INT-error-cell"),
    ]
    assert read.frames.shipments["house_waybill"].to_list() == ["H1", "H2", "17"]


def test_a_large_old_workbook_has_its_stream_in_big_sectors(tmp_path: Path) -> None:
    out = xlwt.Workbook()
    out.add_sheet("first").write(0, 0, "x")
    page = out.add_sheet("second")
    for r in range(2000):
        page.write(r, 0, f"text number {r}")
    page.row(1999).set_cell_error(3, "#REF!")
    out.save(str(tmp_path / "a.xls"))
    data = (tmp_path / "a.xls").read_bytes()
    assert biff.error_cells(data, 1) == [(1999, 3)]
    assert biff.error_cells(data, 0) == biff.error_cells(data, 7) == []
    assert biff.error_cells(data[:600], 0) == []


def test_title_above_and_totals_below(tmp_path: Path) -> None:
    head = ["总运单号", "分运单号", "进出口标志", "商品名称", "毛重"]
    rows = [["预报清单"], head, ["999-1", "H1", "进口", "鞋", 1.5], [], ["合计", "", "", "", 1.5]]
    read = intake.read(book(tmp_path / "a.xlsx", *rows))
    assert (read.mapping, read.rows, read.frames.shipments["row"].to_list()) == ("zh-desk", 1, [3])
    assert read.raw.preamble == (("预报清单", "", "", "", ""),)


def two_sheets(path: Path) -> Path:
    with xlsxwriter.Workbook(path) as out:
        for name, house in (("说明", None), ("一", "H1"), ("二", "H2"), ("空", None)):
            page = out.add_worksheet(name)
            if house:
                page.write_row(0, 0, HEAD[:4])
                page.write_row(1, 0, ["999-1", house, "I", "shoe"])
            elif name == "说明":
                page.write(0, 0, "see below")
    return path


def test_the_sheet_that_fits_is_read_and_the_others_are_named(tmp_path: Path) -> None:
    read = intake.read(two_sheets(tmp_path / "a.xlsx"))
    assert read.frames.shipments.select("sheet", "house_waybill").rows() == [("一", "H1")]
    assert read.findings.select("rule", "severity", "ship").rows() == [
        ("INT-other-sheets", "warn", None)
    ]
    assert "二" in read.findings["en"][0]


@pytest.mark.parametrize("sheet", ["二", 2])
def test_a_named_sheet(tmp_path: Path, sheet: str | int) -> None:
    read = intake.read(two_sheets(tmp_path / "a.xlsx"), sheet=sheet)
    assert read.frames.shipments["house_waybill"].to_list() == ["H2"]
    assert read.findings.is_empty()


def test_a_sheet_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no sheet '三'.*说明, 一, 二, 空"):
        intake.read(two_sheets(tmp_path / "a.xlsx"), sheet="三")


def rezip(path: Path, change: Callable[[str, bytes], bytes]) -> None:
    with zipfile.ZipFile(path) as old:
        parts = {n: old.read(n) for n in old.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in parts.items():
            new.writestr(name, change(name, data))


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", HEAD, GOOD)
    rezip(path, lambda n, d: d + b" " * 150_000_000 if n.endswith("sharedStrings.xml") else d)
    with pytest.raises(InputError, match="believable"):
        intake.read(path)


def test_a_bomb_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", HEAD, GOOD)
    rezip(path, lambda n, d: d + b" " * 3_000_000 if n.endswith("sheet1.xml") else d)
    data = bytearray(path.read_bytes())
    for sign, at in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        place = data.find(sign)
        while place >= 0:
            if int.from_bytes(data[place + at : place + at + 4], "little") > 3_000_000:
                data[place + at : place + at + 4] = (1000).to_bytes(4, "little")
            place = data.find(sign, place + 4)
    path.write_bytes(bytes(data))
    with pytest.raises(InputError, match="damaged"):
        intake.read(path)


def test_a_cell_in_the_far_corner_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as out:
        page = out.add_worksheet()
        page.write_row(0, 0, HEAD)
        page.write_row(1, 0, GOOD)
        page.write(1_048_575, 900, "x")
    with pytest.raises(InputError, match="spans 1,048,576 rows and 901 columns"):
        intake.read(path)


def test_cells_that_are_only_formatted_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as out:
        page = out.add_worksheet()
        page.write_row(0, 0, HEAD)
        page.write_row(1, 0, GOOD)
        page.write_blank(1_048_575, 16_383, None, out.add_format({"bold": True}))
    assert intake.read(path).rows == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PK\x03\x04 not really", "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "damaged"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
            + bytes(600)
            + "EncryptedPackage".encode("utf-16-le"),
            "password",
        ),
        (b"<html><table>", "not an Excel workbook"),
        (b"", "empty"),
    ],
)
def test_workbooks_that_cannot_be_read(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "a.xlsx").write_bytes(content)
    with pytest.raises(InputError, match=says) as caught:
        intake.read(tmp_path / "a.xlsx")
    assert caught.value.place.endswith("a.xlsx")


def test_an_archive_that_is_no_workbook(tmp_path: Path) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as out:
        out.writestr("letter.txt", "hello")
    (tmp_path / "a.xlsx").write_bytes(held.getvalue())
    with pytest.raises(InputError, match="damaged"):
        intake.read(tmp_path / "a.xlsx")


def test_external_entities_of_the_workbook_part_are_not_fetched(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("hidden")
    path = book(tmp_path / "a.xlsx", HEAD, GOOD, sheet="S")
    doctype = f'<!DOCTYPE workbook [<!ENTITY e SYSTEM "{secret.as_uri()}">]>'.encode()
    rezip(
        path,
        lambda n, d: (
            d.replace(b"<workbook ", doctype + b"<workbook ").replace(b'name="S"', b'name="&e;"')
            if n == "xl/workbook.xml"
            else d
        ),
    )
    with pytest.raises(InputError) as caught:
        intake.read(path)
    assert "hidden" not in caught.value.text()


def test_letters() -> None:
    assert [ooxml.letters(n) for n in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


def test_a_full_sheet_is_noted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("crossborder.intake.excel.FULL", (2,))
    read = intake.read(book(tmp_path / "a.xlsx", HEAD, GOOD))
    assert read.findings.select("rule", "row").rows() == [("INT-sheet-full", 2)]
    assert read.findings.filter(pl.col("ship").is_not_null()).is_empty()


@pytest.mark.parametrize("name", ["day.csv", "day.ndjson", "day.parquet"])
def test_a_sheet_of_another_kind_of_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"BillNo\n1\n")
    with pytest.raises(InputError, match="only a workbook has sheets") as told:
        intake.read(tmp_path / name, sheet="Tabelle1")
    assert told.value.place == name


def test_a_sheet_of_records_is_refused() -> None:
    with pytest.raises(InputError, match="only a workbook has sheets"):
        intake.read([{"BillNo": "1"}], sheet=0)
