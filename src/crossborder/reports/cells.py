"""Cells that a spreadsheet would run as formulas are written as text."""

from __future__ import annotations

import polars as pl


def neutralised(column: str) -> pl.Expr:
    """A text column in which a leading `= + - @` (or tab, line end) gets an apostrophe before it."""
    cell = pl.col(column)
    risky = cell.str.contains(r"^[=+\-@\t\r\n]")
    return pl.when(risky).then(pl.concat_str(pl.lit("'"), cell)).otherwise(cell).alias(column)
