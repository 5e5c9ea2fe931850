"""Typed columns to text, without losing or inventing a digit: for frames, Parquet, JSON and Excel numbers."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import polars as pl

from crossborder.china_time import CHINA
from crossborder.errors import InputError

_NESTED = (pl.List, pl.Array, pl.Struct, pl.Object)


def to_text(values: pl.Series, place: str) -> tuple[pl.Series, str]:
    """Text of a column, and what it was: `` text or number, `d` date or moment, `b` boolean.

    Dates become `yyyyMMdd`, moments `yyyyMMddHHmmss` in China time (those without a zone as they are),
    booleans 0 and 1, numbers plain digits without exponent or trailing zeros. Raises `InputError` for nested
    columns.
    """
    kind = values.dtype
    if isinstance(kind, _NESTED):
        raise InputError(
            f"column {values.name!r} holds lists or structures",
            f"列 {values.name!r} 含有列表或结构",
            place=place,
            fix_en="one row per goods line with plain columns, or Shipments(shipments=, goods=, documents=)",
            fix_zh="请一项商品一行、每列单一值，或使用 Shipments(shipments=, goods=, documents=)",
        )
    if kind == pl.String:
        return values, ""
    if kind == pl.Boolean:
        return values.cast(pl.UInt8).cast(pl.String), "b"
    if kind == pl.Date:
        return values.dt.strftime("%Y%m%d"), "d"
    if isinstance(kind, pl.Datetime):
        local = values.dt.convert_time_zone(str(CHINA)) if kind.time_zone else values
        return local.dt.strftime("%Y%m%d%H%M%S"), "d"
    if kind.is_float():
        return plain_numbers(values.cast(pl.String)), ""
    if kind.is_decimal():
        return _shortened(values.cast(pl.String)), ""
    if kind == pl.Binary:
        return values.cast(pl.String, strict=False), ""
    return values.cast(pl.String), ""


def plain_numbers(texts: pl.Series) -> pl.Series:
    """Shortest text of floats: `100000.0` → `100000`, `1e-07` → `0.0000001`. What is no number stays."""
    odd = texts.filter(texts.str.contains("[eE]")).unique()
    spelled = [plain_number(t) for t in odd]
    whole = texts.str.replace(r"\.0$", "")
    return whole.replace(odd, pl.Series(spelled, dtype=pl.String)) if spelled else whole


def plain_number(text: str) -> str:
    """One number without exponent; text that is none is given back."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    if not number.is_finite() or abs(number.adjusted()) > 60:
        return text
    plain = format(number, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _shortened(texts: pl.Series) -> pl.Series:
    """Trailing zeros of a fraction removed."""
    return texts.str.replace(r"(\.[0-9]*?)0+$", "$1").str.replace(r"\.$", "")
