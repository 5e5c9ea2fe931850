"""`Grid`: what a physical reader hands on. Text in rows and columns, nothing named or typed yet.

Every reader offers a `Source`: the first records, among which a mapping finds its header row, and `pieces`,
which reads the records below that header, part by part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import polars as pl

from crossborder.errors import InputError
from crossborder.intake.limits import Limits

PREVIEW = 50
"""How many records at the beginning of a file may hold the header."""
MOST_RECORDS = 20_000
"""Records in one piece of a table, however short they are."""


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
    the sheet is used to its last row, `others` names sheets that would have fitted too; `first_column` is the column
    of the sheet (from 0) that `c0` is.
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
    first_column: int = 0

    @property
    def height(self) -> int:
        """Records, broken ones too."""
        return self.cells.height + len(self.broken)

    def with_records(
        self, cells: pl.DataFrame, broken: Sequence[Broken], types: pl.DataFrame | None = None
    ) -> Grid:
        """The same header over other records."""
        return replace(self, cells=cells, broken=tuple(broken), types=types)

    def parted(self, row: int) -> tuple[Grid, Grid]:
        """The records before `row`, and those from `row` on."""
        at = int(self.cells["row"].search_sorted(row))
        types = (
            (self.types.head(at), self.types.slice(at)) if self.types is not None else (None,) * 2
        )
        return (
            self.with_records(self.cells.head(at), [b for b in self.broken if b.row < row], types[0]),
            self.with_records(self.cells.slice(at), [b for b in self.broken if b.row >= row], types[1]),
        )  # fmt: skip


def joined(grids: Sequence[Grid]) -> Grid:
    """Parts of one table that follow each other, as one that lies together in memory."""
    first = grids[0]
    if len(grids) == 1:
        return replace(first, cells=first.cells.rechunk())
    types = [g.types for g in grids if g.types is not None]
    return first.with_records(
        pl.concat([g.cells for g in grids], rechunk=True),
        [b for g in grids for b in g.broken],
        pl.concat(types) if types else None,
    )


class Piece(NamedTuple):
    """A part of a table, of `MOST_RECORDS` at most: its records, how much of the source is `done` with it, and whether it is the last."""

    grid: Grid
    done: int
    last: bool


class Source(Protocol):
    """A file or frame that has been opened."""

    @property
    def sheet(self) -> str:
        """Name of the sheet, "" where there is none."""

    @property
    def total(self) -> int:
        """What `Piece.done` counts towards: bytes of a text file, records of everything else."""

    def preview(self) -> Sequence[Record]:
        """The first records, at most `PREVIEW`."""

    def pieces(self, header: int, size: int) -> Iterator[Piece]:
        """Everything below record number `header` of the preview, in parts of about `size` bytes; no part
        where there is nothing."""


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
