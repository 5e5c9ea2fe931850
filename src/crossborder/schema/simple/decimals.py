"""xs:decimal as text of any length: sign and canonical digits, never a number of fixed width."""

from __future__ import annotations

import polars as pl

from crossborder.schema.simple.primitive import BOUNDS, DIGITS, EVERYWHERE, Order, Ordered, Parts

_LEXICAL = r"\A[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)\z"


def _digits(part: Parts) -> dict[str, pl.Expr]:
    """`digits`: the absolute value without zeros that do not count: `12`, `12.5`, `.5`, empty for zero."""
    bare = part("text").str.strip_chars_start("+-0")
    shortened = bare.str.strip_chars_end("0").str.strip_chars_end(".")
    pointed = bare.str.contains(".", literal=True)
    return {"digits": pl.when(pointed).then(shortened).otherwise(bare)}


def _measures(part: Parts) -> dict[str, pl.Expr]:
    """`whole`: how many digits stand before the point; `negative`: below zero, which `-0` is not."""
    digits = part("digits")
    return {
        "whole": digits.str.find(".", literal=True).fill_null(digits.str.len_bytes()),
        "negative": part("text").str.starts_with("-") & (digits != ""),
    }


class Decimal(Ordered):
    """xs:decimal (3.2.3): leading zeros, zeros at the end of the fraction and the sign of zero do not count."""

    facets = EVERYWHERE | BOUNDS | DIGITS | {"enumeration"}
    stages = (_digits, _measures)

    def __init__(self) -> None:
        super().__init__("decimal")

    def valid(self, part: Parts) -> pl.Expr:
        return part("text").str.contains(_LEXICAL)

    def key(self, part: Parts) -> pl.Expr:
        sign = pl.when(part("negative")).then(pl.lit("-")).otherwise(pl.lit(""))
        return pl.concat_str(sign, part("digits"))

    def count(self, part: Parts) -> tuple[pl.Expr, pl.Expr]:
        """The least t and n with value = i / 10^n, |i| < 10^t, n <= t (4.3.11)."""
        size, whole = part("digits").str.len_bytes(), part("whole")
        point = (size > whole).cast(pl.UInt32)
        return size - point, size - whole - point

    def order(self, part: Parts, literal: str) -> Order:
        there = self.parts_of(literal)
        size = _magnitude(part, there["digits"], there["whole"])
        below = part("negative")
        if there["negative"]:
            return Order(below & size.greater, below & size.equal, ~below | size.less)
        return Order(below | size.less, ~below & size.equal, ~below & size.greater)


def _magnitude(part: Parts, there: str, whole: int) -> Order:
    """How the absolute values stand to that of a literal: by the number of whole digits, then as text."""
    digits, length = part("digits"), part("whole")
    same = length == whole
    return Order(
        (length < whole) | (same & (digits < there)),
        digits == there,
        (length > whole) | (same & (digits > there)),
    )
