"""Decimals without zeros that say nothing: `012.50` becomes `12.5`. What is no decimal stays as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import polars as pl

from crossborder.shipments.asking import FEW, columns_of, everywhere

_IDLE = r"^(?:0[0-9]+(?:\.[0-9]+)?|[0-9]+\.[0-9]*0)$"
"""A decimal with zeros that say nothing."""
_IDLE_TEXT = re.compile(_IDLE[1:-1])
_LEADING_ZEROS = re.compile("^0+(?=[0-9])")


def tidied(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """`frame` with the decimals of the String columns `names` in their shortest form.

    Only values with a zero at the end, or one too many at the beginning, are looked at closely, those of all columns
    together.
    """
    columns = [frame.get_column(name) for name in _given(frame, names)]
    if not columns:
        return frame
    if frame.height <= FEW:
        return _few_tidied(frame, columns)
    height = frame.height
    texts = pl.concat([column.alias("value") for column in columns]).to_frame()
    places = _zeros(texts)
    if places is None:
        return frame
    maybe = texts[places]
    (idle,) = columns_of(maybe, [_SAID_IDLE])
    if not idle.any():
        return frame
    places, right = places.filter(idle), _shortened(maybe.filter(idle))
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


def _few_tidied(frame: pl.DataFrame, columns: Sequence[pl.Series]) -> pl.DataFrame:
    """The same for a few values, which cost polars more to be asked about than to be shortened here."""
    changed = frame.clone()
    for column in columns:
        texts = [
            _short(text) if text and _IDLE_TEXT.fullmatch(text) else text
            for text in column.to_list()
        ]
        better = pl.Series(column.name, texts, dtype=pl.String)
        changed.replace_column(frame.get_column_index(column.name), better)
    return changed


def _short(text: str) -> str:
    """The shortest form of a decimal, as `shortest` has it."""
    whole = _LEADING_ZEROS.sub("", text)
    return whole.rstrip("0").rstrip(".") if "." in whole else whole


def _given(frame: pl.DataFrame, names: Sequence[str]) -> Iterator[str]:
    """The columns worth a look: not empty, and of few rows those in which there is something to do."""
    for name in names:
        values = frame.get_column(name)
        if values.null_count() == len(values):
            continue
        if len(values) > FEW or any(map(_IDLE_TEXT.fullmatch, filter(None, values.to_list()))):
            yield name


def _zeros(texts: pl.DataFrame) -> pl.Series | None:
    """The places of the values that may have idle zeros."""
    (zeros,) = columns_of(texts, [_MAYBE])
    return everywhere(texts.height).filter(zeros) if zeros.any() else None


def _shortened(idle: pl.DataFrame) -> pl.Series:
    """The shortest form of decimals with idle zeros; most have them at the end only."""
    before, behind = columns_of(idle, [_LEADING, _END])
    return columns_of(idle, [_SHORT])[0] if before.any() else behind


def shortest(value: pl.Expr) -> pl.Expr:
    """Decimal text without leading zeros and without zeros at the end of the fraction."""
    whole = value.str.replace(r"^0+([0-9])", "$1")
    return pl.when(whole.str.contains(".", literal=True)).then(_cut(whole)).otherwise(whole)


def _cut(fraction: pl.Expr) -> pl.Expr:
    """A decimal with a point, without zeros at its end."""
    return fraction.str.strip_chars_end("0").str.strip_chars_end(".")


_VALUE = pl.col("value")
_LEADING = (_VALUE.str.starts_with("0") & ~_VALUE.str.starts_with("0.")).alias("leading")
_MAYBE = _VALUE.str.ends_with("0") | _LEADING
_SAID_IDLE, _SHORT, _END = _VALUE.str.contains(_IDLE), shortest(_VALUE), _cut(_VALUE)
"""Of values said to be idle, `_END` is the shortest form of those that have no zero too many at their beginning."""
