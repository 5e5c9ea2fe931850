"""One column from what the partner wrote to what canonical text is: trimmed, its words, dates and units.

Everything works on whole columns; Python sees distinct values only. A value no step understands stays as it
was written, and a later check finds it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal, localcontext

import polars as pl

from crossborder.china_time import CHINA
from crossborder.intake.mapping.model import ColumnRule, date_pattern
from crossborder.intake.typed import plain_number, plain_numbers
from crossborder.shipments.columns import Column

SCIENTIFIC = r"^[0-9]+(\.[0-9]+)?[eE]\+?[0-9]+$"
POWER = r"[0-9][eE]\+?[0-9]"
"""What every number in scientific notation holds."""
LEAST_SCIENTIFIC = 3
"""Characters of the shortest number in scientific notation."""
IDENTITY = ("identity", "code", "phone")
"""Kinds of columns whose values are digits that no notation may shorten."""


def trim(values: pl.Series) -> pl.Series:
    """Outer white space (every Unicode white space) removed; empty text becomes null."""
    if values.dtype != pl.String:
        values = values.cast(pl.String)
    trimmed = values.str.strip_chars()
    if (trimmed.str.len_bytes() == values.str.len_bytes()).all():
        trimmed = values
    return trimmed.set(trimmed == "", None) if (trimmed == "").any() else trimmed


def through(values: pl.Series, change: Callable[[str], str]) -> pl.Series:
    """`change` applied to each distinct value."""
    old: list[str] = []
    new: list[str] = []
    for value in values.drop_nulls().unique(maintain_order=True):
        changed = change(value)
        if changed != value:
            old.append(value)
            new.append(changed)
    return values.replace(old, new) if old else values


def dates(values: pl.Series, forms: Iterable[str], kind: str) -> pl.Series:
    """Dates in one of `forms` as `yyyyMMdd` (moments `yyyyMMddHHmmss`); impossible ones stay as written."""
    patterns = [date_pattern(form) for form in forms]
    return through(values, lambda value: _date(value, patterns, kind))


def _date(value: str, patterns: list[re.Pattern[str]], kind: str) -> str:
    for pattern in patterns:
        found = pattern.fullmatch(value)
        if found is None:
            continue
        p = {k: int(v) for k, v in found.groupdict().items()}
        try:
            time = (p.get("H", 0), p.get("m", 0), p.get("s", 0))
            moment = datetime(p["y"], p["M"], p["d"], *time, tzinfo=CHINA)
        except ValueError:
            return value
        return moment.strftime("%Y%m%d" if kind == "date" else "%Y%m%d%H%M%S")
    return value


def times(values: pl.Series, factor: str) -> pl.Series:
    """Every decimal multiplied by `factor`, exactly: `250` g with factor `0.001` → `0.25`."""
    by, form = Decimal(factor), re.compile(r"[0-9]{1,40}(\.[0-9]{1,20})?")

    def change(value: str) -> str:
        if not form.fullmatch(value):
            return value
        with localcontext() as exact:
            exact.prec = 100
            return plain_number(format(Decimal(value) * by, "f"))

    return through(values, change)


def cells(
    values: pl.Series, types: pl.Series, column: Column, rule: ColumnRule, *, strict: bool
) -> tuple[pl.Series, pl.Series]:
    """Cells that were not text, as canonical text; and the kind of problem each of them is (or null).

    `types` as in `Grid.types`. Only a workbook (`strict`) can have spoilt what was typed: the typed columns
    of a frame mean what they say.
    """
    number, day, truth = (_is(types, letter) for letter in "ndb")
    problem = pl.Series("problem", [None], dtype=pl.String).new_from_index(0, len(values))
    problem = problem.set(_is(types, "e"), "error-cell")
    if number.any():
        values, odd = _numbers(values, number, column, rule)
        problem = problem.set(odd, "number-cell")
    if day.any() and column.kind in ("date", "datetime"):
        values = values.zip_with(~day, _day(values, column.kind))
    elif strict and day.any():
        problem = problem.set(day, "date-cell")
    if strict and truth.any():
        if column.kind == "flag":
            values = values.zip_with(~truth, values.replace({"true": "1", "false": "0"}))
        else:
            problem = problem.set(truth, "boolean-cell")
    return values, problem


def _is(types: pl.Series, letter: str) -> pl.Series:
    return (types == letter).fill_null(False)


def _day(values: pl.Series, kind: str) -> pl.Series:
    digits = values.str.replace_all("[^0-9]", "")
    if kind == "date":
        return digits.str.slice(0, 8)
    return digits.str.slice(0, 14).str.pad_end(14, "0")


def _numbers(
    values: pl.Series, number: pl.Series, column: Column, rule: ColumnRule
) -> tuple[pl.Series, pl.Series]:
    """Numeric cells as plain digits, and which of them cannot be trusted."""
    numbers, kind = plain_numbers(values), column.kind
    if kind in ("decimal", "integer"):
        numbers = through(numbers, _displayed)
        odd = numbers.str.replace_all(r"^0+|\.|0+$", "").str.len_chars() > 15
    elif kind == "flag" or (kind == "code" and rule.number_cells):
        odd = numbers.str.contains(".", literal=True)
    elif kind in ("date", "datetime"):
        odd = ~numbers.str.contains("^[0-9]{8}([0-9]{6})?$")
    elif kind in IDENTITY:
        odd = number
    else:
        odd = numbers.str.len_chars() > 15
    return values.zip_with(~number, numbers), (number & odd).fill_null(False)


def _displayed(number: str) -> str:
    """A binary fraction as Excel shows it: `0.30000000000000004` → `0.3` (15 significant digits)."""
    if "." not in number or len(number.replace(".", "").lstrip("0")) <= 15:
        return number
    return plain_number(f"{Decimal(number):.15g}")


def scientific(values: pl.Series) -> pl.Series:
    """Mask of values such as `1.23E+17`."""
    return values.str.contains(SCIENTIFIC).fill_null(False)
