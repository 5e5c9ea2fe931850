"""XLSX, XLSM and XLS to `Grid`: text, with the kind of every cell that was not text.

The sheet is read three times by calamine (as text, as boolean, as duration): a boolean reading is filled
for numbers and booleans only, a duration reading for dates only, so the kind of each cell is known without
walking cells in Python. Rows are numbered as Excel shows them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import fastexcel
import polars as pl

from crossborder.errors import InputError
from crossborder.intake import biff, ooxml
from crossborder.intake.grid import PREVIEW, Grid, Piece, Record, check_height, check_width
from crossborder.intake.limits import Limits

FULL = (1_048_576, 65_536)
"""Rows of a full sheet: what came after was cut off when it was exported."""


class Workbook:
    """A workbook in memory: its sheets, each opened when it is asked for."""

    def __init__(self, data: bytes, place: str, limits: Limits) -> None:
        self._data, self._place, self._limits = data, place, limits
        if data.startswith(b"PK"):
            ooxml.guard(data, place, limits)
        try:
            self._reader = fastexcel.read_excel(data)
        except fastexcel.FastExcelError as error:
            raise _unreadable(data, place) from error
        self._opened: dict[str, ExcelSource] = {}
        self.names = tuple(self._reader.sheet_names)
        if not self.names:
            raise _unreadable(data, place)

    @property
    def sheets(self) -> tuple[str, ...]:
        """The sheets that may be meant where none is named: visible and not empty, else the first."""
        used = [n for n in self.names if self.open(n).preview() and self.open(n).visible]
        return tuple(used) or self.names[:1]

    def find(self, wanted: str | int) -> str:
        """The name of a sheet given by name or by number from 0. Raises `InputError`."""
        if isinstance(wanted, int) and 0 <= wanted < len(self.names):
            return self.names[wanted]
        if isinstance(wanted, str) and wanted in self.names:
            return wanted
        raise InputError(
            f"there is no sheet {wanted!r}",
            f"没有工作表 {wanted!r}",
            place=self._place,
            fix_en=f"sheets: {', '.join(self.names)}",
            fix_zh=f"现有工作表：{'、'.join(self.names)}",
        )

    def open(self, sheet: str) -> ExcelSource:
        """One sheet. Raises `InputError` where there is none of that name, or a limit is passed."""
        name = self.find(sheet)
        if name not in self._opened:
            if self._data.startswith(b"PK"):
                errors = self._inspect(name)
            else:
                errors = biff.error_cells(self._data, self.names.index(name))
            self._opened[name] = ExcelSource(
                self._reader, name, errors, self._data, self._place, self._limits
            )
        return self._opened[name]

    def _inspect(self, sheet: str) -> Sequence[tuple[int, int]]:
        place = f"{self._place} [{sheet}]"
        extent = ooxml.inspect(self._data, sheet, place, self._limits)
        check_height(extent.rows, self._limits, place)
        check_width(extent.columns, self._limits, place)
        if extent.rows * extent.columns > self._limits.max_cells:
            raise InputError(
                f"the sheet spans {extent.rows:,} rows and {extent.columns:,} columns; at most {self._limits.max_cells:,} cells are read",
                f"工作表范围为 {extent.rows:,} 行 × {extent.columns:,} 列，最多读取 {self._limits.max_cells:,} 个单元格",
                place=place,
                fix_en="delete stray cells far below or to the right, or export as CSV UTF-8",
                fix_zh="请删除表格下方或右侧多余的单元格，或导出为 CSV UTF-8",
            )
        return extent.errors


class ExcelSource:
    """One sheet of a workbook."""

    def __init__(
        self,
        reader: fastexcel.ExcelReader,
        sheet: str,
        errors: Sequence[tuple[int, int]],
        data: bytes,
        place: str,
        limits: Limits,
    ) -> None:
        self._reader, self.sheet, self._errors = reader, sheet, errors
        self._data, self._place, self._limits = data, place, limits
        self._offset, self.visible = 0, True

    def preview(self) -> Sequence[Record]:
        """The first records."""
        return [
            Record(number, tuple(value or "" for value in values))
            for number, values in enumerate(self._text.head(PREVIEW).iter_rows(), 1)
        ]

    @property
    def total(self) -> int:
        """Rows of the sheet."""
        return self._text.height

    def pieces(self, header: int, size: int) -> Iterator[Piece]:
        """Everything below the header, as one piece. Raises `InputError` where a limit is passed."""
        text = self._text
        if not text.width or header >= text.height:
            raise InputError("the sheet is empty", "工作表为空", place=self._place)
        head = [value or "" for value in text.row(header)]
        check_width(len(head), self._limits, self._place)
        body = text.slice(header + 1)
        check_height(body.height, self._limits, self._place)
        names = [f"c{i}" for i in range(text.width)]
        numbered = body.rename(dict(zip(text.columns, names, strict=True))).with_row_index(
            "row", offset=header + 2
        )
        grid = Grid(
            header=tuple(head),
            header_row=header + 1,
            cells=numbered.with_columns(pl.col("row").cast(pl.UInt32)),
            preamble=tuple(r.fields for r in self.preview()[:header]),
            types=self._types(header + 1, names),
            strict=True,
            sheet=self.sheet,
            full=text.height in FULL,
            first_column=self._offset,
        )
        yield Piece(grid, text.height, True)

    @cached_property
    def _text(self) -> pl.DataFrame:
        return self._read("string")

    def _read(self, kind: fastexcel.DType) -> pl.DataFrame:
        try:
            sheet = self._reader.load_sheet(self.sheet, header_row=None, skip_rows=0, dtypes=kind)
            self._offset = min((c.absolute_index for c in sheet.available_columns()), default=0)
            self.visible = sheet.visible == "visible"
            return sheet.to_polars()
        except fastexcel.FastExcelError as error:
            raise _unreadable(self._data, self._place) from error

    def _types(self, first: int, names: list[str]) -> pl.DataFrame:
        numbers, dates = self._read("boolean").slice(first), self._read("duration").slice(first)
        text = self._text.slice(first)
        kinds = []
        for i, name in enumerate(names):
            word = text.to_series(i).is_in(["true", "false"])
            kind = pl.DataFrame(
                {"n": numbers.to_series(i).is_not_null(), "d": dates.to_series(i).is_not_null(), "w": word}
            ).select(
                pl.when("d").then(pl.lit("d"))
                .when(pl.col("n") & pl.col("w").fill_null(False)).then(pl.lit("b"))
                .when("n").then(pl.lit("n"))
                .alias(name)
            )  # fmt: skip
            kinds.append(kind.to_series())
        for row, column in self._errors:
            at, height = column - self._offset, text.height
            if first <= row < first + height and 0 <= at < len(kinds):
                kinds[at] = kinds[at].scatter(row - first, "e")
        return pl.DataFrame(kinds)


def _unreadable(data: bytes, place: str) -> InputError:
    if "EncryptedPackage".encode("utf-16-le") in data:
        return InputError(
            "the workbook is protected by a password", "工作簿有密码保护", place=place,
            fix_en="save it without a password", fix_zh="请取消密码后另存",
        )  # fmt: skip
    return ooxml.broken(place)
