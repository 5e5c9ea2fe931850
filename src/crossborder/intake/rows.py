"""Which rows of a grid are data: not blank, not totals, not named by the mapping as rows to skip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import and_
from typing import Any

import polars as pl

from crossborder.intake.grid import Grid
from crossborder.intake.mapping.choose import plain
from crossborder.intake.mapping.model import Mapping as PartnerMapping
from crossborder.intake.mapping.model import TotalsRule
from crossborder.shipments.frames import side_by_side

_SMALL = 100_000
"""Cells that are trimmed together."""


@dataclass(frozen=True)
class DataRows:
    """Rows that are data: trimmed `cells` (`row`, `c0` …), the `types` of the same rows, and the size in bytes
    of the longest cell of each column (`longest`, None where a column holds nothing at all)."""

    cells: pl.DataFrame
    types: pl.DataFrame | None
    longest: Mapping[str, int | None]

    def head(self, n: int) -> DataRows:
        """The first `n` rows."""
        return replace(
            self, cells=self.cells.head(n), types=self.types.head(n) if self.types is not None else None
        )  # fmt: skip

    def tail(self, n: int) -> DataRows:
        """The last `n` rows."""
        return replace(
            self, cells=self.cells.tail(n), types=self.types.tail(n) if self.types is not None else None
        )  # fmt: skip


def data_rows(
    grid: Grid, mapping: PartnerMapping, name_at: int | None, skip: int | None = None
) -> DataRows:
    """The data rows of a grid: neither blank, nor totals, nor named by the mapping as rows to skip.

    `name_at` is the position of the goods name: a row that has one is no totals row merely because its first
    cell begins like one. `skip` rows at the beginning are no data (left out: as the mapping says).
    """
    frame = trim_all(grid.cells)
    skip = mapping.header.skip_after if skip is None else skip
    tests: list[pl.Series] = []
    if skip:
        tests.append(pl.int_range(frame.height, eager=True) >= skip)
    if mapping.skip_rows:
        tests.append(~frame["row"].is_in(list(mapping.skip_rows)))
    columns = frame[_texts(frame)]
    if columns.width and not any(s.null_count() == 0 for s in columns.iter_columns()):
        said = columns.select(pl.any_horizontal(pl.all().is_not_null()).alias("said"))["said"]
        if grid.types is not None:
            errors = grid.types.select(pl.any_horizontal(pl.all() == "e").alias("e"))["e"]
            said |= errors.fill_null(False)
        tests.append(said)
    if mapping.totals.words and columns.width:
        tests.append(~_totals(columns, grid.header, mapping.totals, name_at))
    types = grid.types
    keep = reduce(and_, tests) if tests else None
    if keep is not None and not keep.all():
        frame = frame.filter(keep)
        types = types.filter(keep) if types is not None else None
    names = _texts(frame)
    return DataRows(frame, types, dict(zip(names, _longest(frame, names), strict=True)))


def _texts(frame: pl.DataFrame) -> list[str]:
    return [name for name in frame.columns if name != "row"]


def _longest(frame: pl.DataFrame, names: Sequence[str]) -> Sequence[int | None]:
    """The size in bytes of the longest cell of each column."""
    if not names or not frame.height:
        return [None] * len(names)
    if frame.height * len(names) > _SMALL:
        return _told(frame, pl.col(names).str.len_bytes().max())
    sizes = _end_to_end(frame, names).str.len_bytes()
    return sizes.reshape((len(names), frame.height)).arr.max().to_list()


def _end_to_end(frame: pl.DataFrame, names: Sequence[str]) -> pl.Series:
    """All columns as one: of few cells it is the number of expressions that costs."""
    if len(names) == frame.width - 1 and frame.columns[0] == "row":
        return pl.concat(frame.get_columns()[1:])
    return pl.concat([frame.get_column(name) for name in names])


def _told(frame: pl.DataFrame, asked: pl.Expr) -> tuple[Any, ...]:
    return frame.lazy().select(asked).collect(engine="in-memory").row(0)


def trim_all(cells: pl.DataFrame) -> pl.DataFrame:
    """Outer white space (every Unicode white space) removed from every text column; empty text is null."""
    if cells.width < 2 or not cells.height:
        return cells
    names = _texts(cells)
    if cells.height * len(names) <= _SMALL:
        return _trimmed_together(cells, names)
    trimmed = cells.with_columns(pl.col(names).str.strip_chars())
    empty = _told(trimmed, (pl.col(names) == "").any())
    loose = [name for name, some in zip(names, empty, strict=True) if some]
    if not loose:
        return trimmed
    return trimmed.with_columns(
        pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in loose
    )


def _trimmed_together(cells: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """The same with all columns laid end to end."""
    given = _end_to_end(cells, names)
    made = given.str.strip_chars()
    empty = made == ""
    made = made.set(empty, None) if empty.any() else made
    if made.equals(given):
        return cells
    height = cells.height
    columns = {n: made.slice(at * height, height).alias(n) for at, n in enumerate(names)}
    return side_by_side([columns.get(name, cells.get_column(name)) for name in cells.columns])


def _totals(
    columns: pl.DataFrame, header: Sequence[str], rule: TotalsRule, name_at: int | None
) -> pl.Series:
    wanted = {plain(c) for c in rule.columns}
    looked_at = [pl.col(f"c{i}") for i, name in enumerate(header) if plain(name) in wanted]
    if looked_at:
        test = pl.any_horizontal(_says(cell, rule).fill_null(False) for cell in looked_at)
    else:
        test = _says(_first_filled(columns), rule).fill_null(False)
        if name_at is not None:
            name = pl.col(f"c{name_at}")
            test &= name.is_null() | _says(name, rule)
    return columns.select(test.alias("totals"))["totals"]


def _first_filled(columns: pl.DataFrame) -> pl.Expr:
    """The first cell of a row that is not empty."""
    some = [s for s in columns.iter_columns() if s.null_count() < len(s)]
    full = next((i for i, s in enumerate(some) if s.null_count() == 0), len(some))
    looked_at = [s.name for s in some[: full + 1]]
    return pl.coalesce(looked_at) if looked_at else pl.lit(None, dtype=pl.String)


def _says(cell: pl.Expr, rule: TotalsRule) -> pl.Expr:
    if rule.match == "equals":
        return cell.is_in(list(rule.words))
    if rule.match == "contains":
        return cell.str.contains_any(list(rule.words))
    return pl.any_horizontal(cell.str.starts_with(w) for w in rule.words)


def is_totals(fields: Sequence[str], mapping: PartnerMapping) -> bool:
    """Whether a record that could not be matched to columns is plainly a totals row."""
    first = next((f.strip() for f in fields if f.strip()), "")
    return any(first.startswith(w) for w in mapping.totals.words)
