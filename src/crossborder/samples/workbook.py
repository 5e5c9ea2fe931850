"""A workbook written row by row: one sheet, every cell text, as a desk's export is. Same input, same bytes."""

from __future__ import annotations

import zipfile
from types import TracebackType
from typing import IO

import polars as pl

from crossborder.errors import InputError

MOST_ROWS = 1_048_576
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACK = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PARTS = {
    "[Content_Types].xml": f'{_HEAD}<Types xmlns="{_PACK}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/></Types>',
    "_rels/.rels": f'{_HEAD}<Relationships xmlns="{_PACK}/relationships">'
    f'<Relationship Id="rId1" Type="{_RELS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_RELS}"><sheets>'
    '<sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'{_HEAD}<Relationships xmlns="{_PACK}/relationships">'
    f'<Relationship Id="rId1" Type="{_RELS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}  # fmt: skip


class Workbook:
    """Use as a context manager; `rows` takes frames of text in order, the first row is row 1."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self._row = 0
        for name, text in _PARTS.items():
            self._zip.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
        sheet = zipfile.ZipInfo("xl/worksheets/sheet1.xml")
        sheet.compress_type = zipfile.ZIP_DEFLATED
        self._sheet = self._zip.open(sheet, "w", force_zip64=True)
        self._sheet.write(f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>'.encode())

    def rows(self, frame: pl.DataFrame, numbers: frozenset[tuple[int, str]] = frozenset()) -> None:
        """Append the rows of `frame`; `numbers` are (row of the frame, column) whose cells are numbers.

        Raises `InputError` beyond the rows a sheet can hold.
        """
        if self._row + frame.height > MOST_ROWS:
            raise InputError(
                f"a sheet holds at most {MOST_ROWS:,} rows",
                f"一个工作表最多 {MOST_ROWS:,} 行",
                fix_en="write CSV or Parquet",
                fix_zh="请改用 CSV 或 Parquet",
            )
        row = pl.int_range(self._row + 1, self._row + 1 + frame.height).cast(pl.String)
        cells = [
            _cell(row, place, name, {at for at, column in numbers if column == name})
            for place, name in enumerate(frame.columns)
        ]
        lines = frame.select(
            pl.concat_str(pl.format('<row r="{}">', row), *cells, pl.lit("</row>")).alias("x")
        )
        self._sheet.write("".join(lines["x"]).encode())
        self._row += frame.height

    def __enter__(self) -> Workbook:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sheet.write(b"</sheetData></worksheet>")
        self._sheet.close()
        self._zip.close()


def _cell(row: pl.Expr, place: int, name: str, numbers: set[int]) -> pl.Expr:
    escaped = pl.col(name).str.replace_many(["&", "<", ">"], ["&amp;", "&lt;", "&gt;"])
    letters = _letters(place)
    text = pl.format(
        f'<c r="{letters}{{}}" t="inlineStr"><is><t xml:space="preserve">{{}}</t></is></c>',
        row,
        escaped,
    )
    if numbers:
        at = pl.int_range(pl.len()).is_in(list(numbers))
        text = (
            pl.when(at)
            .then(pl.format(f'<c r="{letters}{{}}"><v>{{}}</v></c>', row, pl.col(name)))
            .otherwise(text)
        )
    return pl.when(pl.col(name).is_null()).then(pl.lit("")).otherwise(text)


def _letters(place: int) -> str:
    """0 → A, 26 → AA."""
    found = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        found = chr(65 + rest) + found
    return found
