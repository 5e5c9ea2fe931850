"""Decimals as text: their shortest form, and rounding half up, exact at any size.

A column is changed only where it holds a value that needs it; what is no decimal stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from crossborder.shipments.asking import AS_WRITTEN, filled

_LEADING = r"^0[0-9]+(?:\.[0-9]+)?$"
_TRAILING = r"^[0-9]+\.[0-9]*0$"


def tidied(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """`frame` with `012.50` as `12.5` in the String columns `names`; only the values concerned are touched."""
    values = filled(frame)
    some = [name for name in names if values[name]]
    if not some:
        return frame
    forms = {_LEADING: _without_leading, _TRAILING: _without_trailing}
    asked = [pl.col(n).str.contains(form).alias(f"{n} {form}") for form in forms for n in some]
    found = frame.lazy().select(asked).collect(engine="in-memory", optimizations=AS_WRITTEN)
    for form, tidy in forms.items():
        for name in some:
            idle = found.get_column(f"{name} {form}")
            if idle.any():
                column, rows = frame.get_column(name), idle.arg_true()
                right = column.gather(rows).to_frame().select(tidy(pl.col(name))).to_series()
                frame = frame.with_columns(column.scatter(rows, right))
    return frame


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
