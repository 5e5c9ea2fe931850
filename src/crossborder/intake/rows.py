"""Which rows of a grid are data: not blank, not totals, not named by the mapping as rows to skip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from crossborder.intake.convert import trim
from crossborder.intake.grid import Grid
from crossborder.intake.mapping.choose import plain
from crossborder.intake.mapping.model import Mapping as PartnerMapping
from crossborder.intake.mapping.model import TotalsRule


@dataclass(frozen=True)
class DataRows:
    """Rows that are data: trimmed `cells` (`row`, `c0` …), the `types` of the same rows, which columns hold
    anything at all (`filled`), and the size in bytes of the longest cell of each column (`longest`)."""

    cells: pl.DataFrame
    types: pl.DataFrame | None
    filled: frozenset[int]
    longest: Mapping[str, int]


def data_rows(grid: Grid, mapping: PartnerMapping, name_at: int | None) -> DataRows:
    """The data rows of a grid: neither blank, nor totals, nor named by the mapping as rows to skip.

    `name_at` is the position of the goods name: a row that has one is no totals row merely because its first
    cell begins like one.
    """
    frame = trim_all(grid.cells)
    columns = frame.drop("row")
    keep = pl.int_range(frame.height, eager=True) >= mapping.header.skip_after
    if mapping.skip_rows:
        keep &= ~frame["row"].is_in(list(mapping.skip_rows))
    if columns.width and not any(s.null_count() == 0 for s in columns.iter_columns()):
        said = columns.select(pl.any_horizontal(pl.all().is_not_null()).alias("said"))["said"]
        if grid.types is not None:
            errors = grid.types.select(pl.any_horizontal(pl.all() == "e").alias("e"))["e"]
            said |= errors.fill_null(False)
        keep &= said
    if mapping.totals.words and columns.width:
        keep &= ~_totals(columns, grid.header, mapping.totals, name_at)
    types = grid.types
    if not keep.all():
        frame = frame.filter(keep)
        types = types.filter(keep) if types is not None else None
    columns = frame.drop("row")
    sizes = columns.select(pl.all().str.len_bytes().max())
    longest = dict(zip(columns.columns, sizes.row(0), strict=True)) if columns.width else {}
    filled = frozenset(i for i, size in enumerate(longest.values()) if size is not None)
    return DataRows(frame, types, filled, {name: size or 0 for name, size in longest.items()})


def trim_all(cells: pl.DataFrame) -> pl.DataFrame:
    """Outer white space removed from every text column, empty text null; untouched columns stay shared."""
    texts = [n for n in cells.columns if n != "row"]
    if not texts or not cells.height:
        return cells
    loose = cells.select(
        (
            (pl.col(n).str.strip_chars().str.len_bytes() != pl.col(n).str.len_bytes())
            | (pl.col(n) == "")
        ).any()
        for n in texts
    ).row(0)
    return cells.with_columns(
        trim(cells[n]) for n, is_loose in zip(texts, loose, strict=True) if is_loose
    )


def _totals(
    columns: pl.DataFrame, header: Sequence[str], rule: TotalsRule, name_at: int | None
) -> pl.Series:
    wanted = {plain(c) for c in rule.columns}
    looked_at = [pl.col(f"c{i}") for i, name in enumerate(header) if plain(name) in wanted]
    if looked_at:
        test = pl.any_horizontal(_says(cell, rule).fill_null(False) for cell in looked_at)
    else:
        test = _says(pl.coalesce(pl.all()), rule).fill_null(False)
        if name_at is not None:
            name = pl.col(f"c{name_at}")
            test &= name.is_null() | _says(name, rule)
    return columns.select(test.alias("totals"))["totals"]


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
