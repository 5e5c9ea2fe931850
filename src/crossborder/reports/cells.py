"""Cells that a spreadsheet would run as formulas are written as text."""

from __future__ import annotations

import polars as pl


def neutralised(cell: pl.Expr) -> pl.Expr:
    """A leading `= + - @` (or tab, CR) gets an apostrophe before it."""
    risky = cell.str.contains(r"^[=+\-@\t\r]")
    return pl.when(risky).then(pl.concat_str([pl.lit("'"), cell])).otherwise(cell).name.keep()
