"""Conditions of the filling tables, compiled to polars expressions and to words.

The language is that of `schemas/filling/README.md`; `schema` parses it. An empty element is not `in` any list,
and is `not in` every list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce

import polars as pl

from crossborder.schema import Clause


def holds(clauses: Iterable[Clause], column: Callable[[str], pl.Expr]) -> pl.Expr | None:
    """Boolean without nulls: all clauses hold; None where there is no condition.

    `column` gives the value of an element (String, empty = null).
    """
    exprs = [_clause(clause, column(clause.element)) for clause in clauses]
    return reduce(lambda a, b: a & b, exprs) if exprs else None


def words(clauses: Iterable[Clause], label: Callable[[str], str]) -> tuple[str, str]:
    """`（当…时）` with the labels of the elements and ` when …` with their names; empty without a condition."""
    said = [_words(clause, label(clause.element)) for clause in clauses]
    if not said:
        return "", ""
    return (
        f"（{'，且'.join(zh for zh, _ in said)} 时）",
        f" when {' and '.join(en for _, en in said)}",
    )


def _clause(clause: Clause, value: pl.Expr) -> pl.Expr:
    if clause.op in ("filled", "empty"):
        return value.is_not_null() if clause.op == "filled" else value.is_null()
    inside = (
        value.eq_missing(pl.lit(clause.values[0]))
        if len(clause.values) == 1
        else value.is_in(list(clause.values)).fill_null(value=False)
    )
    return inside if clause.op == "in" else ~inside


def _words(clause: Clause, label: str) -> tuple[str, str]:
    zh_values, en_values = "、".join(clause.values), ", ".join(clause.values)
    return {
        "in": (f"{label}为 {zh_values}", f"{clause.element} is {en_values}"),
        "not in": (f"{label}不为 {zh_values}", f"{clause.element} is not {en_values}"),
        "filled": (f"{label}已填", f"{clause.element} is filled"),
        "empty": (f"{label}为空", f"{clause.element} is empty"),
    }[clause.op]
