"""A table that was no workbook as one: every cell text, every row where its line stood, written as it is read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence

import polars as pl

from crossborder.errors import InputError
from crossborder.intake import SourceTable
from crossborder.reports.annotate.marks import letters
from crossborder.reports.annotate.styles import Styles
from crossborder.reports.annotate.texts import HEAD, MAIN, MOST, escaped, escaped_column

MOST_ROWS = 1_048_576
SHEET = "预报清单"
ROWS = "xl/worksheets/sheet1.xml"
_RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACK = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACK}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACK}/relationships">'
    f'<Relationship Id="rId1" Type="{_RELS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{_RELS}"><sheets>'
    f'<sheet name="{SHEET}" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACK}/relationships">'
    f'<Relationship Id="rId1" Type="{_RELS}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_RELS}/styles" Target="styles.xml"/></Relationships>',
}  # fmt: skip


def shift(source: SourceTable) -> int:
    """How many rows further down a row stands in the workbook: one, where the header is no row of the source."""
    return 0 if source.header_row else 1


def book() -> io.BytesIO:
    """A workbook of one sheet, without its rows: `rows` gives the part `ROWS`."""
    held, styles = io.BytesIO(), _styles()[0]
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as made:
        for part, xml in _PARTS.items():
            made.writestr(zipfile.ZipInfo(part), HEAD + xml.encode())
        made.writestr(zipfile.ZipInfo("xl/styles.xml"), styles.xml())
    held.seek(0)
    return held


def rows(sources: Iterable[SourceTable], name: str, anchor: int = 0) -> Iterator[bytes]:
    """The XML of the sheet, block by block of the table.

    A record that could not be cut into columns stands whole in one cell, that of the waybill (`anchor`), so that it is
    never taken for a good one. Raises `InputError` where there are more rows than a sheet holds, or where the source is
    no table.
    """
    _, text, bold = _styles()
    begun = False
    for source in sources:
        if not source.header:
            raise no_table(name)
        if not begun:
            yield _head(source, text)
            yield from _above(source, text, bold)
            begun = True
        yield _rows(source, text, name, anchor)
    yield b"</sheetData></worksheet>"


def _styles() -> tuple[Styles, int, int]:
    """The styles of the workbook, that of a cell, and that of a header."""
    styles = Styles(None)
    return styles, styles.as_text(), styles.own(bold=True)


def _head(source: SourceTable, text: int) -> bytes:
    top, wide = source.header_row or 1, len(source.header)
    return (
        HEAD
        + (
            f'<worksheet xmlns="{MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="{top}" '
            f'topLeftCell="A{top + 1}" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
            f'<cols><col min="1" max="{wide}" width="16" style="{text}" customWidth="1"/></cols><sheetData>'
        ).encode()
    )


def _above(source: SourceTable, text: int, bold: int) -> Iterator[bytes]:
    """Title rows right above the header, and the header."""
    header_row = source.header_row or 1
    first = header_row - len(source.preamble)
    for at, fields in enumerate([*source.preamble, source.header], first):
        yield _row(at, fields, bold if at == header_row else text).encode()


def _row(row: int, fields: Sequence[str | None], style: int) -> str:
    cells = "".join(_cell(f"{letters(i)}{row}", v, style) for i, v in enumerate(fields) if v)
    return f'<row r="{row}">{cells}</row>'


def _cell(ref: str, value: str, style: int) -> str:
    return f'<c r="{ref}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{escaped(value[:MOST])}</t></is></c>'


def _rows(source: SourceTable, style: int, name: str, anchor: int) -> bytes:
    down = shift(source)
    torn = {b.row: " ¦ ".join(b.fields) for b in source.broken}
    last = max([*torn, *source.cells["row"].tail(1)], default=0)
    if last + down > MOST_ROWS:
        raise InputError(
            f"a sheet holds at most {MOST_ROWS:,} rows", f"一个工作表最多 {MOST_ROWS:,} 行", place=name,
            fix_en="split the file, or use --findings", fix_zh="请拆分文件，或改用 --findings",
        )  # fmt: skip
    columns = [escaped_column(s.str.head(MOST)) for s in source.cells.drop("row").iter_columns()]
    frame = pl.DataFrame([source.cells["row"], *columns])
    row = (pl.col("row") + down).cast(pl.String)
    cells = [
        pl.when(pl.col(c.name).is_null()).then(pl.lit("")).otherwise(
            pl.format(f'<c r="{letters(i)}{{}}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{{}}</t></is></c>', row, pl.col(c.name))
        )
        for i, c in enumerate(columns)
    ]  # fmt: skip
    lines = frame.select(
        "row", x=pl.concat_str(pl.format('<row r="{}">', row), *cells, pl.lit("</row>"))
    )
    if torn:
        broken = pl.DataFrame(
            {
                "row": list(torn),
                "x": [_row(r + down, [*[None] * anchor, text], style) for r, text in torn.items()],
            },
            schema={"row": pl.UInt32, "x": pl.String},
        )
        lines = pl.concat([lines, broken]).sort("row")
    return "".join(lines["x"]).encode()


def no_table(name: str) -> InputError:
    """The error for a hand-in that has no columns of its own."""
    return InputError(
        "only a table can be annotated, not nested records", "只能标注表格，不能标注嵌套记录", place=name,
        fix_en="use --findings", fix_zh="请改用 --findings",
    )  # fmt: skip
