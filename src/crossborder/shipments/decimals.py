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
    places = _zeros(columns)
    if not places:
        return frame
    maybe = pl.concat([column[where].alias("value") for column, where in places]).to_frame()
    (idle,) = columns_of(maybe, [_SAID_IDLE])
    if not idle.any():
        return frame
    right = _shortened(maybe.filter(idle))
    changed = frame.clone()
    seen = shortened = 0
    for column, where in places:
        mine = where.filter(idle.slice(seen, len(where)))
        seen += len(where)
        if len(mine):
            better = column.scatter(mine, right.slice(shortened, len(mine)))
            changed.replace_column(frame.get_column_index(column.name), better)
            shortened += len(mine)
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


def _zeros(columns: Sequence[pl.Series]) -> list[tuple[pl.Series, pl.Series]]:
    """The columns with values that may have idle zeros, and the places of these."""
    places = everywhere(len(columns[0]))
    masks = columns_of(pl.DataFrame(columns), [_maybe(pl.col(c.name)) for c in columns])
    return [
        (column, places.filter(mask))
        for column, mask in zip(columns, masks, strict=True)
        if mask.any()
    ]


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


def _leading(value: pl.Expr) -> pl.Expr:
    """Decimal text with a zero too many at its beginning."""
    return value.str.starts_with("0") & ~value.str.starts_with("0.")


def _maybe(value: pl.Expr) -> pl.Expr:
    """Decimal text that may have zeros that say nothing."""
    return value.str.ends_with("0") | _leading(value)


_VALUE = pl.col("value")
_LEADING = _leading(_VALUE).alias("leading")
_SAID_IDLE, _SHORT, _END = _VALUE.str.contains(_IDLE), shortest(_VALUE), _cut(_VALUE)
"""Of values said to be idle, `_END` is the shortest form of those that have no zero too many at their beginning."""
