"""`Grid`: what a physical reader hands on. Text in rows and columns, nothing named or typed yet.

Every reader offers a `Source`: the first records, among which a mapping finds its header row, and `load`,
which reads the records below that header.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from crossborder.errors import InputError
from crossborder.intake.limits import Limits

PREVIEW = 50
"""How many records at the beginning of a file may hold the header."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record as read: `row` where the user sees it, its fields as written."""

    row: int
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Broken:
    """A record that could not be read as one: it becomes a shipment of its own with one finding.

    `kind` is the last part of the rule id (`ragged`, `quote`, `json` …); `found` and `wanted` are counts of
    fields where these matter; `fields` what could be told apart.
    """

    row: int
    kind: str
    fields: tuple[str, ...] = ()
    found: int = 0
    wanted: int = 0


@dataclass(frozen=True)
class Grid:
    """Records below a header.

    `cells`: `row` (UInt32) and `c0`, `c1` … (String, as written, null where empty), one per header name.
    `types`: for workbooks, the same columns saying what kind of cell it was, where it was not text:
    `n` number, `d` date, `b` boolean, `e` formula error. `dates` and booleans of a typed frame are text
    already; there `types` only says `d` or `b` and no finding follows (`strict` is false). `full` says that
    the sheet is used to its last row, `others` names sheets that would have fitted too.
    """

    header: tuple[str, ...]
    header_row: int
    cells: pl.DataFrame
    preamble: tuple[tuple[str, ...], ...] = ()
    broken: tuple[Broken, ...] = ()
    types: pl.DataFrame | None = None
    strict: bool = False
    sheet: str = ""
    full: bool = False
    others: tuple[str, ...] = ()


class Source(Protocol):
    """A file or frame that has been opened."""

    @property
    def sheet(self) -> str:
        """Name of the sheet, "" where there is none."""

    def preview(self) -> Sequence[Record]:
        """The first records, at most `PREVIEW`."""

    def load(self, header: int) -> Grid:
        """Everything below record number `header` of the preview."""


def check_width(width: int, limits: Limits, place: str) -> None:
    """Raise `InputError` if a header has more columns than allowed."""
    if width > limits.max_columns:
        raise InputError(
            f"{width:,} columns; at most {limits.max_columns:,} are read",
            f"共 {width:,} 列，最多读取 {limits.max_columns:,} 列",
            place=place,
            fix_en="remove columns that are not used, or check the delimiter",
            fix_zh="请删除无用的列，或检查分隔符",
        )


def check_height(height: int, limits: Limits, place: str) -> None:
    """Raise `InputError` if there are more records than allowed."""
    if height > limits.max_rows:
        raise InputError(
            f"{height:,} rows; at most {limits.max_rows:,} are read at a time",
            f"共 {height:,} 行，一次最多读取 {limits.max_rows:,} 行",
            place=place,
            fix_en="split the file, or raise intake.max_rows in the settings",
            fix_zh="请拆分文件，或在设置中调高 intake.max_rows",
        )
