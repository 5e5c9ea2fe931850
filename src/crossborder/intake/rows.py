"""Which rows of a grid are data: not blank, not totals, not named by the mapping as rows to skip."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from crossborder.intake.convert import trim
from crossborder.intake.grid import Grid
from crossborder.intake.mapping.choose import plain
from crossborder.intake.mapping.model import Mapping, TotalsRule


def data_rows(grid: Grid, mapping: Mapping) -> tuple[pl.DataFrame, pl.DataFrame | None, set[int]]:
    """Trimmed cells of the data rows, the types of the same rows, and the columns that hold anything."""
    cells = grid.cells
    trimmed = [cells["row"], *(trim(cells.to_series(i)) for i in range(1, cells.width))]
    frame = pl.DataFrame(trimmed)
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
        keep &= ~_totals(columns, grid.header, mapping.totals)
    types = grid.types
    if not keep.all():
        frame = frame.filter(keep)
        types = types.filter(keep) if types is not None else None
    filled = {i for i in range(columns.width) if columns.to_series(i).null_count() < columns.height}
    return frame, types, filled


def _totals(columns: pl.DataFrame, header: Sequence[str], rule: TotalsRule) -> pl.Series:
    wanted = {plain(c) for c in rule.columns}
    looked_at = [pl.col(f"c{i}") for i, name in enumerate(header) if plain(name) in wanted]
    cells = looked_at or [pl.coalesce(pl.all())]
    tests = [_says(cell, rule).fill_null(False) for cell in cells]
    return columns.select(pl.any_horizontal(tests).alias("totals"))["totals"]


def _says(cell: pl.Expr, rule: TotalsRule) -> pl.Expr:
    if rule.match == "equals":
        return cell.is_in(list(rule.words))
    if rule.match == "contains":
        return cell.str.contains_any(list(rule.words))
    return pl.any_horizontal(cell.str.starts_with(w) for w in rule.words)


def is_totals(fields: Sequence[str], mapping: Mapping) -> bool:
    """Whether a record that could not be matched to columns is plainly a totals row."""
    first = next((f.strip() for f in fields if f.strip()), "")
    return any(first.startswith(w) for w in mapping.totals.words)
