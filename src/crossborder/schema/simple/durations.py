"""xs:duration (3.2.6): months and seconds, compared at the four dates that 3.2.6.2 names.

A value is less than another only if it is less from every one of 1696-09-01, 1697-02-01, 1903-03-01 and 1903-07-01;
else the two cannot be compared. All four are first days of months, so that no day is ever clipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from crossborder.schema.simple.primitive import BOUNDS, EVERYWHERE, Order, Ordered

_LEXICAL: Final = (
    r"\A-?P(?:([0-9]+)Y)?(?:([0-9]+)M)?(?:([0-9]+)D)?"
    r"(?:T(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+)(?:\.([0-9]+))?S)?)?\z"
)
_FROM: Final = ((1696, 9), (1697, 2), (1903, 3), (1903, 7))
_LONGEST: Final = {1: 10, 2: 11, 3: 12, 4: 13, 5: 13, 6: 13}
_FARTHEST: Final = 10**11


@dataclass(frozen=True, slots=True)
class _Span:
    """Sign and absolute value; zero has no sign."""

    negative: pl.Expr
    months: pl.Expr
    seconds: pl.Expr
    fraction: pl.Expr

    def from_month(self, year: int, month: int) -> pl.Expr:
        """Seconds from 0000-03-01 to the first day of a month moved by this span, without the fraction."""
        sign = pl.when(self.negative).then(-1).otherwise(1)
        moved = sign * self.months + (year * 12 + month - 3)
        years, months = moved // 12, moved % 12
        days = years * 365 + years // 4 - years // 100 + years // 400 + (153 * months + 2) // 5
        return days * 86_400 + sign * self.seconds


class Duration(Ordered):
    """xs:duration. Literals of facets may reach some three thousand years; longer values are only ever longer."""

    facets = EVERYWHERE | BOUNDS | {"enumeration"}

    def __init__(self) -> None:
        super().__init__("duration")

    def valid(self, text: pl.Expr) -> pl.Expr:
        return text.str.contains(_LEXICAL) & ~text.str.contains(r"[PT]\z")

    def unsuitable(self, literal: str) -> str:
        span = _span(pl.lit(literal))
        reach = pl.select(span.months * (31 * 86_400) + span.seconds).item()
        return "" if reach <= _FARTHEST else "bound"

    def key(self, text: pl.Expr) -> pl.Expr:
        span = _span(text)
        sign = pl.when(span.negative).then(pl.lit("-")).otherwise(pl.lit(""))
        return pl.concat_str(
            sign, span.months, pl.lit("M"), span.seconds, pl.lit("."), span.fraction
        )

    def order(self, text: pl.Expr, literal: str) -> Order:
        theirs = _span(pl.lit(literal))
        negative, months, seconds, fraction = pl.select(
            a=theirs.negative, b=theirs.months, c=theirs.seconds, d=theirs.fraction
        ).row(0)
        there = _Span(
            pl.lit(negative), pl.lit(months, pl.Int64), pl.lit(seconds, pl.Int64), pl.lit("")
        )
        mine = _span(text)
        less, equal, greater = pl.lit(True), pl.lit(True), pl.lit(True)
        for year, month in _FROM:
            reach, goal = (
                mine.from_month(year, month),
                pl.select(there.from_month(year, month)).item(),
            )
            same = reach == goal
            shorter, longer = mine.fraction < fraction, mine.fraction > fraction
            if negative:
                shorter, longer = longer, shorter
            less &= (reach < goal) | (same & shorter)
            equal &= same & (mine.fraction == fraction)
            greater &= (reach > goal) | (same & longer)
        if negative:
            return Order(mine.negative & less, mine.negative & equal, ~mine.negative | greater)
        return Order(mine.negative | less, ~mine.negative & equal, ~mine.negative & greater)


def _span(text: pl.Expr) -> _Span:
    part = {place: _part(text, place) for place in _LONGEST}
    months = part[1] * 12 + part[2]
    seconds = part[3] * 86_400 + part[4] * 3600 + part[5] * 60 + part[6]
    fraction = text.str.extract(r"\.([0-9]+)S\z", 1).fill_null("").str.strip_chars_end("0")
    something = (months > 0) | (seconds > 0) | (fraction != "")
    return _Span(text.str.starts_with("-") & something, months, seconds, fraction)


def _part(text: pl.Expr, place: int) -> pl.Expr:
    """One number of the literal; one too long for Int64 becomes one that is longer than every facet's literal."""
    digits = text.str.extract(_LEXICAL, place).fill_null("0").str.strip_chars_start("0")
    kept = pl.when(digits.str.len_bytes() <= _LONGEST[place]).then(digits)
    longest = pl.lit("9" * _LONGEST[place])
    return kept.otherwise(longest).replace({"": "0"}).cast(pl.Int64, strict=False)
