"""xs:decimal as text of any length: sign, whole digits and fraction digits, never a number of fixed width."""

from __future__ import annotations

import polars as pl

from crossborder.schema.simple.primitive import BOUNDS, DIGITS, EVERYWHERE, Order, Ordered

_LEXICAL = r"\A[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)\z"


class Decimal(Ordered):
    """xs:decimal (3.2.3): leading zeros, zeros at the end of the fraction and the sign of zero do not count."""

    facets = EVERYWHERE | BOUNDS | DIGITS | {"enumeration"}

    def __init__(self) -> None:
        super().__init__("decimal")

    def valid(self, text: pl.Expr) -> pl.Expr:
        return text.str.contains(_LEXICAL)

    def key(self, text: pl.Expr) -> pl.Expr:
        whole, fraction = _whole(text), _fraction(text)
        sign = pl.when(_negative(text)).then(pl.lit("-")).otherwise(pl.lit(""))
        return pl.concat_str(sign, whole, pl.lit("."), fraction)

    def digits(self, text: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
        """The least n and t with value = i / 10^n, |i| < 10^t, n <= t (4.3.11)."""
        places = _fraction(text).str.len_bytes()
        return _whole(text).str.len_bytes() + places, places

    def order(self, text: pl.Expr, literal: str) -> Order:
        negative, whole, fraction = pl.select(
            a=_negative(pl.lit(literal)), b=_whole(pl.lit(literal)), c=_fraction(pl.lit(literal))
        ).row(0)
        below = _negative(text)
        size = _magnitude(text, whole, fraction)
        if negative:
            return Order(below & size.greater, below & size.equal, ~below | size.less)
        return Order(below | size.less, ~below & size.equal, ~below & size.greater)


def _whole(text: pl.Expr) -> pl.Expr:
    """Digits before the point without leading zeros; empty for none."""
    return text.str.extract(r"\A[+-]?0*([0-9]*)", 1)


def _fraction(text: pl.Expr) -> pl.Expr:
    """Digits after the point without zeros at the end; empty for none."""
    return text.str.extract(r"\.([0-9]*)\z", 1).fill_null("").str.strip_chars_end("0")


def _negative(text: pl.Expr) -> pl.Expr:
    """True for values below zero; `-0` is zero."""
    return text.str.contains(r"\A-[0.]*[1-9]")


def _magnitude(text: pl.Expr, whole: str, fraction: str) -> Order:
    """How the absolute values stand to that of a literal: first by the number of whole digits, then as text."""
    mine = _whole(text)
    length = mine.str.len_bytes()
    same = length == len(whole)
    digits = pl.concat_str(mine, pl.lit("."), _fraction(text))
    theirs = f"{whole}.{fraction}"
    return Order(
        (length < len(whole)) | (same & (digits < theirs)),
        digits == theirs,
        (length > len(whole)) | (same & (digits > theirs)),
    )
