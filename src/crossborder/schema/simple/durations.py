"""xs:duration (3.2.6): months and seconds, compared at the four dates that 3.2.6.2 names.

A value is less than another only if it is less from every one of 1696-09-01, 1697-02-01, 1903-03-01 and 1903-07-01;
else the two cannot be compared. All four are first days of months, so that no day is ever clipped.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from crossborder.schema.simple.primitive import BOUNDS, EVERYWHERE, Order, Ordered, Parts

_LEXICAL: Final = (
    r"\A-?P(?:([0-9]+)Y)?(?:([0-9]+)M)?(?:([0-9]+)D)?"
    r"(?:T(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+)(?:\.([0-9]+))?S)?)?\z"
)
_FROM: Final = ((1696, 9), (1697, 2), (1903, 3), (1903, 7))
_LONGEST: Final = {1: 10, 2: 11, 3: 12, 4: 13, 5: 13, 6: 13}
_FARTHEST: Final = 10**11


def _span(part: Parts) -> dict[str, pl.Expr]:
    """`months`, `seconds` and the digits of the `fraction` of a second: the absolute value."""
    text = part("text")
    number = {place: _number(text, place) for place in _LONGEST}
    fraction = text.str.extract(r"\.([0-9]+)S\z", 1).fill_null("").str.strip_chars_end("0")
    return {
        "months": number[1] * 12 + number[2],
        "seconds": number[3] * 86_400 + number[4] * 3600 + number[5] * 60 + number[6],
        "fraction": fraction,
    }


def _sign(part: Parts) -> dict[str, pl.Expr]:
    """`negative`: shorter than nothing; `-PT0S` is not."""
    something = (part("months") > 0) | (part("seconds") > 0) | (part("fraction") != "")
    return {"negative": part("text").str.starts_with("-") & something}


def _ends(part: Parts) -> dict[str, pl.Expr]:
    """`from0` to `from3`: seconds from 0000-03-01 to each of the four dates moved by the span, without the fraction."""
    sign = pl.when(part("negative")).then(-1).otherwise(1)
    made = {}
    for place, (year, month) in enumerate(_FROM):
        moved = sign * part("months") + (year * 12 + month - 3)
        years, months = moved // 12, moved % 12
        days = years * 365 + years // 4 - years // 100 + years // 400 + (153 * months + 2) // 5
        made[f"from{place}"] = days * 86_400 + sign * part("seconds")
    return made


class Duration(Ordered):
    """xs:duration. Literals of facets may reach some three thousand years; longer values are only ever longer."""

    facets = EVERYWHERE | BOUNDS | {"enumeration"}
    stages = (_span, _sign, _ends)

    def __init__(self) -> None:
        super().__init__("duration")

    def valid(self, part: Parts) -> pl.Expr:
        return part("text").str.contains(_LEXICAL) & ~part("text").str.contains(r"[PT]\z")

    def unsuitable(self, literal: str) -> str:
        span = self.parts_of(literal)
        reach = span["months"] * 31 * 86_400 + span["seconds"]
        return "" if reach <= _FARTHEST else "bound"

    def key(self, part: Parts) -> pl.Expr:
        sign = pl.when(part("negative")).then(pl.lit("-")).otherwise(pl.lit(""))
        return pl.concat_str(
            sign, part("months"), pl.lit("M"), part("seconds"), pl.lit("."), part("fraction")
        )

    def order(self, part: Parts, literal: str) -> Order:
        there = self.parts_of(literal)
        mine, fraction = part("fraction"), there["fraction"]
        shorter, longer = mine < fraction, mine > fraction
        if there["negative"]:
            shorter, longer = longer, shorter
        less, equal, greater = pl.lit(True), pl.lit(True), pl.lit(True)
        for place in range(len(_FROM)):
            reach, goal = part(f"from{place}"), there[f"from{place}"]
            same = reach == goal
            less &= (reach < goal) | (same & shorter)
            equal &= same & (mine == fraction)
            greater &= (reach > goal) | (same & longer)
        below = part("negative")
        if there["negative"]:
            return Order(below & less, below & equal, ~below | greater)
        return Order(below | less, ~below & equal, ~below & greater)


def _number(text: pl.Expr, place: int) -> pl.Expr:
    """One number of the literal; one too long for Int64 becomes one that is longer than every facet's literal."""
    digits = text.str.extract(_LEXICAL, place).fill_null("0").str.strip_chars_start("0")
    kept = pl.when(digits.str.len_bytes() <= _LONGEST[place]).then(digits)
    longest = pl.lit("9" * _LONGEST[place])
    return kept.otherwise(longest).replace({"": "0"}).cast(pl.Int64, strict=False)
