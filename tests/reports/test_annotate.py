"""A user's own workbook with marks put in: what was there stays, what would run does not, twice is as once.

Broken by: a format, comment, sheet or value that is lost; a formula that still runs; a mark that stays where nothing is
wrong any more; a file that is laid out to hurt.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import fastexcel
import openpyxl
import polars as pl
import pytest
import xlsxwriter
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill

from crossborder.errors import InputError
from crossborder.reports import grouped
from crossborder.reports.annotate import FINDINGS, SUMMARY, Marks, Place, Told, annotate
from crossborder.reports.annotate.marks import HOLD, LISTED, NOTE, REJECT
from crossborder.reports.annotate.texts import escaped, escaped_column
from crossborder.shipments import findings as found

HEADER = ("总运单号", "分运单号", "证件", "价值", "日期", "备注")
RED, AMBER, BLUE = "FFFFADAD", "FFFFE08A", "FFD6E9F8"


def finding(row: int | None, column: str | None, **more: Any) -> dict[str, Any]:
    plain = {
        "ship": 0, "sheet": "清单", "row": row, "column": column, "shipment": "HX1", "rule": "EXP-13",
        "severity": "reject", "action": "reject", "value": "1", "zh": "毛重小于净重", "en": "gross below net",
        "fix_zh": "核对毛重", "fix_en": "check the weights", "source": "x",
    }  # fmt: skip
    return plain | more


def told(findings: pl.DataFrame) -> Told:
    counts = {
        "rows": 3,
        "shipments": 3,
        "valid": 2,
        "rejected": 1,
        "not_evaluated": 0,
        "on_hold": 0,
    }
    partners = pl.DataFrame({"partner": ["甲", None], "shipments": [2, 1], "valid": [1, 1], "rejected": [1, 0], "not_evaluated": [0, 0], "on_hold": [0, 0]})  # fmt: skip
    nothing = pl.DataFrame(schema=dict.fromkeys(("rule", "reason_zh", "reason_en"), pl.String))
    return Told("ours.xlsx", "m", counts, grouped(findings), partners, nothing, findings.height)


def annotated(
    book: bytes,
    *findings: Mapping[str, Any],
    header_row: int = 2,
    first_column: int = 0,
    sheet: str = "清单",
) -> bytes:
    frame = found.build(findings)
    marks, out = Marks(), io.BytesIO()
    marks.add(frame)
    place = Place(sheet, HEADER, header_row, first_column, anchor=1)
    annotate(io.BytesIO(book), out, place, marks, told(frame), lambda done, total: None)
    return out.getvalue()


def loaded(data: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(data))


def texts(data: bytes) -> pl.DataFrame:
    sheet = fastexcel.read_excel(data).load_sheet(
        "清单", header_row=None, skip_rows=0, dtypes="string"
    )
    return sheet.to_polars()


def saved(book: Any) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def desk_book(change: Callable[[Any], None] = lambda sheet: None) -> bytes:
    """A workbook as a desk keeps it: title, formats, text cells, a date, comments, a list, another sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "清单"
    sheet["A1"] = "11月清单"
    sheet["A1"].font = Font(bold=True, size=18)
    sheet.merge_cells("A1:F1")
    for at, name in enumerate(HEADER, 1):
        sheet.cell(2, at, name).fill = PatternFill("solid", fgColor="FF00FF00")
    rows = [
        ("999-12345675", f"HX{i}", f"33010019900101000{i}", 12.5 + i, 45000 + i, "x")
        for i in range(3)
    ]
    for number, row in enumerate(rows, 3):
        for at, value in enumerate(row, 1):
            sheet.cell(number, at, value)
        sheet.cell(number, 3).number_format = "@"
        sheet.cell(number, 4).number_format = "0.00"
        sheet.cell(number, 5).number_format = "yyyy-mm-dd"
    sheet.column_dimensions["C"].width = 30
    sheet["B3"].comment = Comment("客户要求加急", "王")
    sheet["F4"].comment = Comment("看这里", "王")
    other = book.create_sheet("说明")
    other["A1"], other["B1"] = "=1+1", "保留"
    change(sheet)
    return saved(book)


def looks(cell: Any) -> tuple[Any, ...]:
    return (
        cell.value, cell.data_type, cell.number_format, cell.font.b, cell.font.sz, cell.fill.fgColor.rgb,
        cell.alignment.wrap_text, cell.border.left.style,
    )  # fmt: skip


def test_only_what_is_marked_changes() -> None:
    ours = desk_book()
    theirs, again = loaded(ours), loaded(annotated(ours, finding(4, "证件"), finding(5, None)))
    assert again.sheetnames == ["清单", "说明", SUMMARY, FINDINGS]
    before, after = theirs["清单"], again["清单"]
    changed = {
        a.coordinate for x, y in zip(before.iter_rows(), after.iter_rows(), strict=True)
        for a, b in zip(x, y, strict=True) if looks(a) != looks(b)
    }  # fmt: skip
    assert changed == {"C4", "B5"}
    assert after["C4"].value == before["C4"].value
    assert after["C4"].number_format == "@"
    assert after.column_dimensions["C"].width == 30
    assert after.merged_cells.ranges == before.merged_cells.ranges
    assert after["B3"].comment.text == "客户要求加急"
    assert after["F4"].comment.text == "看这里"
    assert after.auto_filter.ref == "A2:F5"
    with zipfile.ZipFile(io.BytesIO(ours)) as a, zipfile.ZipFile(io.BytesIO(annotated(ours, finding(4, "证件")))) as b:  # fmt: skip
        assert a.read("xl/worksheets/sheet2.xml") == b.read("xl/worksheets/sheet2.xml")


def test_the_gravest_finding_colours_a_cell_and_all_are_told() -> None:
    note = {"severity": "warn", "action": "note", "rule": "N-1"}
    hold = {"severity": "not_evaluated", "action": "hold", "rule": "H-1", "suggest": "0101"}
    sheet = loaded(
        annotated(
            desk_book(), finding(3, "证件", **note), finding(3, "证件"), finding(4, "证件", **note),
            finding(4, "证件", **hold), finding(5, "证件", **note),
        )
    )["清单"]  # fmt: skip
    assert [sheet[c].fill.fgColor.rgb for c in ("C3", "C4", "C5")] == [RED, AMBER, BLUE]
    text = sheet["C3"].comment.text
    assert text.index("EXP-13") < text.index("N-1")
    for part in ("拒收 reject", "提示 note", "毛重小于净重", "gross below net", "→ 核对毛重", "→ check the weights"):  # fmt: skip
        assert part in text
    assert "未能评估 not evaluated" in sheet["C4"].comment.text
    assert "suggested: 0101" in sheet["C4"].comment.text


def test_many_findings_of_a_cell_are_counted() -> None:
    many = [finding(3, "证件", rule=f"R-{i}") for i in range(8)]
    text = loaded(annotated(desk_book(), *many))["清单"]["C3"].comment.text
    assert text.count("【") == 5
    assert "另有 3 条" in text


def test_a_comment_of_the_user_stays_and_ours_goes_below_it() -> None:
    sheet = loaded(annotated(desk_book(), finding(3, "分运单号")))["清单"]
    assert sheet["B3"].comment.text.startswith("客户要求加急\n◆ crossborder\n")
    assert sheet["B3"].fill.fgColor.rgb == RED


@pytest.mark.parametrize("through", [lambda data: data, lambda data: saved(loaded(data))], ids=["as it is", "saved by a program"])  # fmt: skip
def test_annotating_again_is_as_annotating_once(through: Callable[[bytes], bytes]) -> None:
    ours = desk_book()
    first = through(annotated(ours, finding(3, "分运单号"), finding(4, "证件"), finding(5, None)))
    second = annotated(first, finding(4, "证件"), finding(4, "价值"))
    book = loaded(second)
    sheet, once = (
        book["清单"],
        loaded(annotated(ours, finding(4, "证件"), finding(4, "价值")))["清单"],
    )
    assert book.sheetnames == ["清单", "说明", SUMMARY, FINDINGS]
    said = [{c.coordinate: c.comment.text for r in s.iter_rows() for c in r if c.comment} for s in (sheet, once)]  # fmt: skip
    assert said[0] == said[1]
    filled = [{c.coordinate: c.fill.fgColor.rgb for r in s.iter_rows() for c in r if c.fill.fill_type} for s in (sheet, once)]  # fmt: skip
    assert filled[0] == filled[1]
    assert len(list(book[FINDINGS].iter_rows())) == 3
    assert texts(second).equals(texts(ours))


def test_an_empty_cell_is_marked_and_takes_text() -> None:
    def gap(sheet: Any) -> None:
        sheet["A4"], sheet["F5"] = None, None

    ours = desk_book(gap)
    sheet = loaded(annotated(ours, finding(4, "总运单号"), finding(5, "备注")))["清单"]
    assert [sheet[c].fill.fgColor.rgb for c in ("A4", "F5")] == [RED, RED]
    assert [sheet[c].number_format for c in ("A4", "F5")] == ["@", "@"]
    assert sheet["B4"].value == "HX1"
    assert texts(annotated(ours, finding(4, "总运单号"))).equals(texts(ours))


def test_numbers_and_dates_keep_their_formats_and_long_numbers_become_text_when_typed_again() -> (
    None
):
    def number(sheet: Any) -> None:
        sheet["C5"] = 330100199001010000
        sheet["C5"].number_format = "General"

    ours = desk_book(number)
    marked = annotated(ours, *(finding(4, n) for n in ("价值", "日期")), finding(5, "证件"))
    sheet = loaded(marked)["清单"]
    assert [sheet[c].number_format for c in ("D4", "E4", "C5")] == ["0.00", "yyyy-mm-dd", "@"]
    assert sheet["C5"].data_type == "n"
    assert texts(marked).equals(texts(ours))


def quoted(data: bytes) -> set[str]:
    """Cells of the first sheet that are kept as text whatever they begin with."""
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        xfs = re.findall(r"<xf [^>]*>", re.search(r"<cellXfs.*?</cellXfs>", book.read("xl/styles.xml").decode(), re.DOTALL)[0])  # type: ignore[index]  # fmt: skip
        cells = re.findall(r'<c r="([A-Z]+\d+)"[^>]*? s="(\d+)"', book.read("xl/worksheets/sheet1.xml").decode())  # fmt: skip
    return {ref for ref, style in cells if 'quotePrefix="1"' in xfs[int(style)]}


@pytest.mark.parametrize("shared", [True, False])
def test_texts_that_look_like_formulas_stay_texts(shared: bool) -> None:
    held = io.BytesIO()
    book = xlsxwriter.Workbook(held, {"constant_memory": not shared, "strings_to_formulas": False})
    sheet = book.add_worksheet("清单")
    for at, name in enumerate(HEADER):
        sheet.write_string(1, at, name)
    for row, text in enumerate(("=cmd|' /C calc'!A0", "+1", "-2", "@SUM(1)", "plain", "a=b"), 2):
        sheet.write_string(row, 5, text)
        sheet.write_number(row, 3, -row)
    book.close()
    ours = held.getvalue()
    marked = annotated(ours, finding(3, "备注"))
    assert quoted(marked) == {"F3", "F4", "F5", "F6"}
    assert texts(marked).equals(texts(ours))
    assert loaded(marked)["清单"]["F3"].fill.fgColor.rgb == RED


def test_live_formulas_become_their_values_and_nothing_is_left_to_calculate() -> None:
    held = io.BytesIO()
    book = xlsxwriter.Workbook(held)
    sheet = book.add_worksheet("清单")
    for at, name in enumerate(HEADER):
        sheet.write_string(1, at, name)
    sheet.write_formula("D3", "=1+1", None, 2)
    sheet.write_formula("F3", '=HYPERLINK("http://example.invalid","x>y")', None, "x>y")
    sheet.write_dynamic_array_formula("D4:D4", "=SUM(D3:D3)", None, 2)
    book.close()
    ours = held.getvalue()
    with zipfile.ZipFile(io.BytesIO(ours)) as parts:
        changed = {n: parts.read(n) for n in parts.namelist()}
    changed["xl/calcChain.xml"] = b'<calcChain xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><c r="D3" i="1"/></calcChain>'  # fmt: skip
    changed["xl/_rels/workbook.xml.rels"] = changed["xl/_rels/workbook.xml.rels"].replace(b"</Relationships>", b'<Relationship Id="rId99" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/calcChain" Target="calcChain.xml"/></Relationships>')  # fmt: skip
    marked = annotated(zipped(changed), finding(3, "价值"))
    with zipfile.ZipFile(io.BytesIO(marked)) as parts:
        names, xml = parts.namelist(), parts.read("xl/worksheets/sheet1.xml")
        relations = parts.read("xl/_rels/workbook.xml.rels")
    assert b"<f" not in xml
    assert b" cm=" not in xml
    assert "xl/calcChain.xml" not in names
    assert b"calcChain" not in relations
    assert texts(marked).equals(texts(ours))
    summary = [row[0].value for row in loaded(marked)[SUMMARY].iter_rows()]
    assert any(str(text).startswith("3 个公式已改为其结果") for text in summary)


def zipped(parts: Mapping[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as out:
        for name, body in parts.items():
            out.writestr(name, body)
    return held.getvalue()


def with_part(data: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        return zipped(
            {n: change(parts.read(n)) if n == part else parts.read(n) for n in parts.namelist()}
        )


def test_a_table_that_begins_further_right_is_marked_there() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "清单"
    for at, name in enumerate(HEADER, 3):
        sheet.cell(2, at, name)
        sheet.cell(3, at, "v")
    marked = loaded(annotated(saved(book), finding(3, "证件"), finding(3, None), first_column=2))[
        "清单"
    ]
    filled = {c.coordinate for row in marked.iter_rows() for c in row if c.fill.fill_type}
    assert filled == {"E3", "D3"}
    assert marked.auto_filter.ref == "C2:H3"


def test_a_filter_or_a_list_that_is_there_is_kept() -> None:
    def filtered(sheet: Any) -> None:
        sheet.auto_filter.ref = "A2:C5"

    def listed(sheet: Any) -> None:
        sheet.add_table(openpyxl.worksheet.table.Table(displayName="T", ref="A2:F5"))

    assert (
        loaded(annotated(desk_book(filtered), finding(3, "证件")))["清单"].auto_filter.ref
        == "A2:C5"
    )
    again = loaded(annotated(desk_book(listed), finding(3, "证件")))["清单"]
    assert again.auto_filter.ref is None
    assert list(again.tables) == ["T"]


def test_prefixed_and_strict_workbooks_are_annotated_too() -> None:
    ours = desk_book()
    prefixed = with_part(
        ours, "xl/worksheets/sheet1.xml",
        lambda xml: re.sub(rb"<(/?)(?=[a-zA-Z])", rb"<\1x:", xml).replace(b"xmlns=", b"xmlns:x="),
    )  # fmt: skip
    assert texts(annotated(prefixed, finding(4, "证件"), finding(3, "总运单号"))).equals(
        texts(ours)
    )
    with zipfile.ZipFile(io.BytesIO(annotated(prefixed, finding(4, "证件")))) as parts:
        assert parts.read("xl/worksheets/sheet1.xml").count(b"<x:row") == 5
    with zipfile.ZipFile(io.BytesIO(ours)) as parts:
        strict = {
            n: parts.read(n)
            .replace(b"http://schemas.openxmlformats.org/spreadsheetml/2006/main", b"http://purl.oclc.org/ooxml/spreadsheetml/main")
            .replace(b"http://schemas.openxmlformats.org/officeDocument/2006/relationships", b"http://purl.oclc.org/ooxml/officeDocument/relationships")
            for n in parts.namelist()
        }  # fmt: skip
    marked = annotated(zipped(strict), finding(4, "证件"))
    with zipfile.ZipFile(io.BytesIO(marked)) as parts:
        for name in parts.namelist():
            assert b"spreadsheetml/2006/main" not in parts.read(name), name
    assert texts(marked).equals(texts(ours))


def test_macros_are_left_out() -> None:
    ours = with_part(desk_book(), "[Content_Types].xml", lambda xml: xml.replace(b"spreadsheetml.sheet.main+xml", b"sheet.macroEnabled.main+xml").replace(b"application/vnd.openxmlformats-officedocument.sheet.macro", b"application/vnd.ms-excel.sheet.macro"))  # fmt: skip
    ours = with_part(ours, "xl/_rels/workbook.xml.rels", lambda xml: xml.replace(b"</Relationships>", b'<Relationship Id="rId77" Type="http://schemas.microsoft.com/office/2006/relationships/vbaProject" Target="vbaProject.bin"/></Relationships>'))  # fmt: skip
    with zipfile.ZipFile(io.BytesIO(ours)) as parts:
        ours = zipped(
            {**{n: parts.read(n) for n in parts.namelist()}, "xl/vbaProject.bin": b"macro"}
        )
    with zipfile.ZipFile(io.BytesIO(annotated(ours, finding(3, "证件")))) as parts:
        assert "xl/vbaProject.bin" not in parts.namelist()
        assert b"vbaProject" not in parts.read("xl/_rels/workbook.xml.rels")
        assert b"macro" not in parts.read("[Content_Types].xml")


@pytest.mark.parametrize(
    "change",
    [
        lambda xml: xml.replace(b"<sheetData>", b"<!-- </row> --><sheetData>"),
        lambda xml: b'<!DOCTYPE x [<!ENTITY a "b">]>' + xml,
        lambda xml: xml.replace(b"<sheetData>", b"<sheetDatum>"),
        lambda xml: xml.decode().encode("utf-16"),
        lambda xml: xml[: len(xml) // 2],
    ],
)
def test_a_sheet_laid_out_to_mislead_is_refused(change: Callable[[bytes], bytes]) -> None:
    ours = with_part(desk_book(), "xl/worksheets/sheet1.xml", change)
    with pytest.raises(InputError, match="unusual way"):
        annotated(ours, finding(3, "证件"))


def test_what_xml_cannot_hold_is_written_as_excel_does() -> None:
    odd = ["a\x01b", "_x0041_", "<&>", "c\rd", "plain", None]
    assert [None if t is None else escaped(t) for t in odd] == escaped_column(pl.Series("x", odd)).to_list()  # fmt: skip
    sheet = loaded(annotated(desk_book(), finding(3, "证件", zh="坏\x01字", value="=1+1")))
    assert "坏_x0001_字" in sheet["清单"]["C3"].comment.text
    assert sheet[FINDINGS]["F2"].value == "=1+1"
    assert sheet[FINDINGS]["F2"].data_type == "s"


def test_a_finding_about_no_row_is_listed_first_and_marks_nothing() -> None:
    book = loaded(annotated(desk_book(), finding(None, "备注", rule="COD-1"), finding(4, "证件")))
    assert [book[FINDINGS].cell(n, 5).value for n in (2, 3)] == ["COD-1", "EXP-13"]
    assert {c.coordinate for r in book["清单"].iter_rows(min_row=3) for c in r if c.fill.fill_type} == {"C4"}  # fmt: skip


def test_of_very_many_findings_the_grave_ones_are_kept() -> None:
    marks = Marks()
    for block in range(13):
        rows = pl.int_range(1, 10_001, eager=True)
        frame = pl.DataFrame({"row": rows + block * 10_000}).with_columns(
            column=pl.lit("证件"), ship=pl.lit(0), rule=pl.lit("N-1"), severity=pl.lit("warn"), action=pl.lit("note"),
        )  # fmt: skip
        marks.add(found.gather([frame]))
    marks.add(found.build([finding(200_000, "证件")]))
    place = Place("清单", HEADER, 2)
    listed = marks.listed(place)
    assert marks.count == 130_001
    assert listed.height == LISTED // 2 + 1
    assert listed["kind"].value_counts().sort("kind")["kind"].to_list() == [REJECT, NOTE]
    cells = marks.cells(place)
    assert len(cells) == 130_001
    assert cells[200_000] == {2: REJECT}
    assert HOLD not in {kind for row in cells.values() for kind in row.values()}


def test_where_a_workbook_was_marked_before_by_somebody_else_stays_theirs(tmp_path: Path) -> None:
    """A sheet that has the name of ours in a workbook we never annotated is not ours."""
    book = openpyxl.load_workbook(io.BytesIO(desk_book()))
    book.create_sheet(SUMMARY)["A1"] = "theirs"
    file = tmp_path / "ours.xlsx"
    book.save(file)
    again = loaded(annotated(file.read_bytes(), finding(3, "证件")))
    assert again[SUMMARY]["A1"].value == "theirs"
    assert again.sheetnames == ["清单", "说明", SUMMARY, f"{SUMMARY} 2", FINDINGS]
