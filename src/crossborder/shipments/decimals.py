"""Decimals without zeros that say nothing: `012.50` becomes `12.5`. What is no decimal stays as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import polars as pl

from crossborder.shipments.asking import AS_WRITTEN, FEW

_IDLE = r"^(?:0[0-9]+(?:\.[0-9]+)?|[0-9]+\.[0-9]*0)$"
"""A decimal with zeros that say nothing."""
_IDLE_TEXT = re.compile(_IDLE[1:-1])


def tidied(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """`frame` with the decimals of the String columns `names` in their shortest form.

    Only values with a zero at the end, or one too many at the beginning, are looked at closely, those of all columns
    together.
    """
    columns = [frame.get_column(name) for name in _given(frame, names)]
    if not columns:
        return frame
    found, leading = _zeros(frame, columns)
    if not found:
        return frame
    values = pl.concat([column[places].alias("value") for column, places in found])
    value = pl.col("value")
    better = shortest(value) if leading else _without_trailing(value)
    shorter = values.to_frame().lazy().select(idle=value.str.contains(_IDLE), value=better)
    told = shorter.collect(engine="in-memory", optimizations=AS_WRITTEN)
    idle, right = told.get_columns()
    if not idle.any():
        return frame
    changed, at = frame.clone(), 0
    for column, places in found:
        mine = idle.slice(at, len(places))
        if mine.any():
            own = right.slice(at, len(places)).filter(mine)
            place = frame.get_column_index(column.name)
            changed.replace_column(place, column.scatter(places.filter(mine), own))
        at += len(places)
    return changed


def _given(frame: pl.DataFrame, names: Sequence[str]) -> Iterator[str]:
    """The columns worth a look: not empty, and of few rows those in which there is something to do."""
    for name in names:
        values = frame.get_column(name)
        if values.null_count() == len(values):
            continue
        if len(values) > FEW or any(map(_IDLE_TEXT.fullmatch, values.drop_nulls().to_list())):
            yield name


def _zeros(
    frame: pl.DataFrame, columns: Sequence[pl.Series]
) -> tuple[list[tuple[pl.Series, pl.Series]], bool]:
    """The columns with values that may have idle zeros, and their places; whether any may have a leading one."""
    asked = []
    for column in columns:
        text = pl.col(column.name)
        first = text.str.starts_with("0") & ~text.str.starts_with("0.")
        asked.append((text.str.ends_with("0") | first).arg_true().implode())
        asked.append((first & (text != "0")).any().alias(f"{column.name} first"))
    query = frame.lazy().select(asked)
    told = query.collect(engine="in-memory", optimizations=AS_WRITTEN)
    places = [(column, told.get_column(column.name)[0]) for column in columns]
    leading = any(told.get_column(f"{column.name} first")[0] for column in columns)
    return [(column, where) for column, where in places if len(where)], leading


def shortest(value: pl.Expr) -> pl.Expr:
    """Decimal text without leading zeros and without zeros at the end of the fraction."""
    return _without_trailing(value.str.replace(r"^0+([0-9])", "$1"))


def _without_trailing(value: pl.Expr) -> pl.Expr:
    return (
        pl.when(value.str.contains(".", literal=True))
        .then(value.str.strip_chars_end("0").str.strip_chars_end("."))
        .otherwise(value)
    )
