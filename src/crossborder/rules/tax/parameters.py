"""The figures of the tax rules: dated rows of `tax_parameters.csv`, chosen for every line by its own date."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation

import polars as pl

from crossborder.codes import Tables
from crossborder.errors import CodesError

DAYS = {"movement": "_day", "declaration": "_declared"}
"""The column of dates by which a parameter is chosen."""


class Parameters:
    """All tax parameters of a snapshot of code tables, as expressions over the dates of a line."""

    def __init__(self, tables: Tables) -> None:
        self._rows = tables.frame("tax_parameters").to_dicts()

    def text(self, name: str) -> pl.Expr:
        """The value in force, as text; null if there is none on that day."""
        return self._chosen(name, "value")

    def number(self, name: str, kind: pl.DataType) -> pl.Expr:
        """The value in force as a decimal. Raises `CodesError` if the table holds no number there."""
        chosen: pl.Expr = pl.lit(None, dtype=kind)
        for row in self._of(name):
            chosen = (
                pl.when(_in_force(row)).then(pl.lit(_number(row), dtype=kind)).otherwise(chosen)
            )
        return chosen

    def rule(self, name: str) -> pl.Expr:
        """The id of the rule that gives the value in force."""
        return self._chosen(name, "rule")

    def source(self, name: str) -> pl.Expr:
        """The law or notice that gives it."""
        return self._chosen(name, "legal_source")

    def _of(self, name: str) -> list[dict[str, str]]:
        return [row for row in self._rows if row["name"] == name]

    def _chosen(self, name: str, column: str) -> pl.Expr:
        chosen: pl.Expr = pl.lit(None, dtype=pl.String)
        for row in self._of(name):
            chosen = pl.when(_in_force(row)).then(pl.lit(row[column])).otherwise(chosen)
        return chosen


def _in_force(row: dict[str, str]) -> pl.Expr:
    try:
        day = pl.col(DAYS[row["dated_by"]])
        first = date.fromisoformat(row["effective_from"] or "0001-01-01")
        last = date.fromisoformat(row["effective_to"] or "9999-12-31")
    except (KeyError, ValueError) as error:
        raise _unusable(row, f"{row['dated_by']} {row['effective_from']} {row['effective_to']}") from error  # fmt: skip
    return day.is_between(first, last).fill_null(value=False)


def _number(row: dict[str, str]) -> Decimal:
    try:
        return Decimal(row["value"])
    except (InvalidOperation, TypeError) as error:
        raise _unusable(row, row["value"]) from error


def _unusable(row: dict[str, str], what: str) -> CodesError:
    return CodesError(
        f"{row['name']}: cannot be used: {what!r}", f"{row['name']} 无效：{what!r}", place="tax_parameters",
        fix_en="correct the table and import it again: crossborder codes import tax_parameters FILE --from DATE",
        fix_zh="请更正后重新导入：crossborder codes import tax_parameters 文件 --from 日期",
    )  # fmt: skip
