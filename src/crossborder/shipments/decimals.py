"""Decimals without zeros that say nothing: `012.50` becomes `12.5`. What is no decimal stays as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import polars as pl

from crossborder.shipments.asking import FEW, columns_of, everywhere

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
    height = frame.height
    texts = pl.concat([column.alias("value") for column in columns]).to_frame()
    places = _zeros(texts)
    if places is None:
        return frame
    idle, right = columns_of(texts[places], [_SAID_IDLE, _SHORT])
    if not idle.any():
        return frame
    places, right = places.filter(idle), right.filter(idle)
    changed = frame.clone()
    borders = pl.Series([at * height for at in range(len(columns) + 1)], dtype=pl.UInt32)
    ends = places.search_sorted(borders).to_list()
    for at, column in enumerate(columns):
        first, size = ends[at], ends[at + 1] - ends[at]
        if size:
            mine = places.slice(first, size) - at * height
            better = column.scatter(mine, right.slice(first, size))
            changed.replace_column(frame.get_column_index(column.name), better)
    return changed


def _given(frame: pl.DataFrame, names: Sequence[str]) -> Iterator[str]:
    """The columns worth a look: not empty, and of few rows those in which there is something to do."""
    for name in names:
        values = frame.get_column(name)
        if values.null_count() == len(values):
            continue
        if len(values) > FEW or any(map(_IDLE_TEXT.fullmatch, values.drop_nulls().to_list())):
            yield name


def _zeros(texts: pl.DataFrame) -> pl.Series | None:
    """The places of the values that may have idle zeros."""
    (zeros,) = columns_of(texts, [_MAYBE])
    return everywhere(texts.height).filter(zeros) if zeros.any() else None


def shortest(value: pl.Expr) -> pl.Expr:
    """Decimal text without leading zeros and without zeros at the end of the fraction."""
    whole = value.str.replace(r"^0+([0-9])", "$1")
    return (
        pl.when(whole.str.contains(".", literal=True))
        .then(whole.str.strip_chars_end("0").str.strip_chars_end("."))
        .otherwise(whole)
    )


_VALUE = pl.col("value")
_MAYBE = _VALUE.str.ends_with("0") | (_VALUE.str.starts_with("0") & ~_VALUE.str.starts_with("0."))
_SAID_IDLE, _SHORT = _VALUE.str.contains(_IDLE).alias("idle"), shortest(_VALUE)
