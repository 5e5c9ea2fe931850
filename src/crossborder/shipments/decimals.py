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

    Only values that begin or end with a zero are looked at closely, those of all columns together.
    """
    columns = [frame.get_column(name) for name in _given(frame, names)]
    if not columns:
        return frame
    found = [(column, places) for column, places in _zeros(frame, columns) if len(places)]
    if not found:
        return frame
    values = pl.concat([column[places].alias("value") for column, places in found])
    value = pl.col("value")
    shorter = values.to_frame().lazy().select(idle=value.str.contains(_IDLE), value=shortest(value))
    told = shorter.collect(engine="in-memory", optimizations=AS_WRITTEN)
    idle, right = told.get_columns()
    if not idle.any():
        return frame
    changed, at = frame.clone(), 0
    for column, places in found:
        mine = idle.slice(at, len(places))
        if mine.any():
            better = right.slice(at, len(places)).filter(mine)
            place = frame.get_column_index(column.name)
            changed.replace_column(place, column.scatter(places.filter(mine), better))
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
) -> Iterator[tuple[pl.Series, pl.Series]]:
    """The places of the values that begin or end with a zero."""
    texts = [pl.col(column.name) for column in columns]
    asked = [
        (text.str.ends_with("0") | text.str.starts_with("0")).arg_true().implode() for text in texts
    ]
    query = frame.lazy().select(asked)
    told = query.collect(engine="in-memory", optimizations=AS_WRITTEN)
    for column in columns:
        yield column, told.get_column(column.name)[0]


def shortest(value: pl.Expr) -> pl.Expr:
    """Decimal text without leading zeros and without zeros at the end of the fraction."""
    whole = value.str.replace(r"^0+([0-9])", "$1")
    return (
        pl.when(whole.str.contains(".", literal=True))
        .then(whole.str.strip_chars_end("0").str.strip_chars_end("."))
        .otherwise(whole)
    )
