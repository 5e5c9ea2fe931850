"""Decimals as text: their shortest form, and rounding half up, exact at any size.

A column is changed only where it holds a value that needs it; what is no decimal stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import compress

import polars as pl

from crossborder.shipments.asking import AS_WRITTEN, FEW, filled

_IDLE = r"^(?:0[0-9]+(?:\.[0-9]+)?|[0-9]+\.[0-9]*0)$"
"""A decimal with zeros that say nothing."""
_IDLE_TEXT = re.compile(_IDLE[1:-1])


def tidied(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """`frame` with `012.50` as `12.5` in the String columns `names`; only the values concerned are touched."""
    values = filled(frame)
    some = [name for name in names if values[name]]
    idle = list(_with_idle(frame, some))
    if not idle:
        return frame
    asked = [
        expr
        for name in idle
        for is_idle in (pl.col(name).str.contains(_IDLE),)
        for expr in (
            is_idle.arg_true().implode().alias(f"{name} rows"),
            shortest(pl.col(name).filter(is_idle)).implode(),
        )
    ]
    found = frame.lazy().select(asked).collect(engine="in-memory", optimizations=AS_WRITTEN)
    changed = frame.clone()
    for name in idle:
        rows, right = found.get_column(f"{name} rows")[0], found.get_column(name)[0]
        place = frame.get_column_index(name)
        changed.replace_column(place, frame.get_column(name).scatter(rows, right))
    return changed


def _with_idle(frame: pl.DataFrame, names: Sequence[str]) -> Iterator[str]:
    """The columns in which some value has idle zeros: only what begins or ends with one is looked at closely."""
    if frame.height <= FEW:
        for name in names:
            if any(map(_IDLE_TEXT.fullmatch, frame.get_column(name).drop_nulls().to_list())):
                yield name
        return
    texts = [pl.col(name) for name in names]
    asked = [
        text.filter(text.str.starts_with("0") | text.str.ends_with("0")).str.contains(_IDLE).any()
        for text in texts
    ]
    if asked:
        told = frame.lazy().select(asked).collect(engine="in-memory", optimizations=AS_WRITTEN)
        yield from compress(names, told.row(0))


def rounded(frame: pl.DataFrame, name: str, places: int) -> pl.DataFrame:
    """`frame` with the decimals of the String column `name` rounded half up to `places`."""
    long = rf"^[0-9]{{1,30}}\.[0-9]{{{places + 1},}}$"
    if not frame.get_column(name).str.contains(long).any():
        return frame
    value = pl.col(name)
    # only the first digit that is dropped decides, so the text is cut behind it and half a unit is added
    scale = pl.Decimal(38, places + 1)
    cut = value.str.extract(rf"^([0-9]{{1,30}}\.[0-9]{{{places + 1}}})").cast(scale, strict=False)
    half = pl.lit(f"0.{'0' * places}5").cast(scale)
    kept = rf"^([0-9]+\.[0-9]{{{places}}})" if places else r"^([0-9]+)"
    near = (cut + half).cast(pl.String).str.extract(kept)
    return frame.with_columns(
        pl.when(value.str.contains(long)).then(near).otherwise(value).alias(name)
    )


def shortest(value: pl.Expr) -> pl.Expr:
    """Decimal text without leading zeros and without zeros at the end of the fraction."""
    whole = _without_leading(value)
    return (
        pl.when(whole.str.contains(".", literal=True))
        .then(_without_trailing(whole))
        .otherwise(whole)
    )


def _without_leading(value: pl.Expr) -> pl.Expr:
    return value.str.replace(r"^0+([0-9])", "$1")


def _without_trailing(value: pl.Expr) -> pl.Expr:
    return value.str.strip_chars_end("0").str.strip_chars_end(".")
