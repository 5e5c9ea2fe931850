"""The date and time types of Part 2 (3.2.7 to 3.2.14): calendar rules, zones, and the partial order of 3.2.7.4.

A value becomes the seconds of its first instant since 1970-01-01 (Int64, shifted to UTC where it has a zone) and the
digits of its fraction of a second as text. Year 0000 is no year (3.2.7, note): -0001 comes right before 0001.
"""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from crossborder.schema.simple.primitive import BOUNDS, EVERYWHERE, Order, Ordered, Parts

_YEAR: Final = r"-?(?:[1-9][0-9]{3,}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
_MONTH: Final = r"(?:0[1-9]|1[0-2])"
_DAY: Final = r"(?:0[1-9]|[12][0-9]|3[01])"
_MONTH_DAY: Final = (
    r"(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|[12][0-9]))"
)
_TIME: Final = r"(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?|24:00:00(?:\.0+)?)"
_ZONE: Final = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))?"
_LEAP: Final = (
    r"\A-?(?:[0-9]*(?:[02468][048]|[13579][26])00|[0-9]*(?:0[48]|[2468][048]|[13579][26]))-02-29"
)
_FEBRUARY: Final = r"\A-?[0-9]{4,}-02-29"

FORMS: Final = {
    "dateTime": f"{_YEAR}-{_MONTH_DAY}T{_TIME}{_ZONE}",
    "date": f"{_YEAR}-{_MONTH_DAY}{_ZONE}",
    "time": f"{_TIME}{_ZONE}",
    "gYearMonth": f"{_YEAR}-{_MONTH}{_ZONE}",
    "gYear": f"{_YEAR}{_ZONE}",
    "gMonthDay": f"--{_MONTH_DAY}{_ZONE}",
    "gMonth": f"--{_MONTH}{_ZONE}",
    "gDay": f"---{_DAY}{_ZONE}",
}
"""Lexical form of each type, in Rust's dialect; 29 February of a common year is caught beside it."""

_MONTH_OF: Final = {
    "dateTime": r"\A-?[0-9]{4,}-([0-9]{2})",
    "date": r"\A-?[0-9]{4,}-([0-9]{2})",
    "gYearMonth": r"\A-?[0-9]{4,}-([0-9]{2})",
    "gMonthDay": r"\A--([0-9]{2})",
    "gMonth": r"\A--([0-9]{2})",
}
_DAY_OF: Final = {
    "dateTime": r"\A-?[0-9]{4,}-[0-9]{2}-([0-9]{2})",
    "date": r"\A-?[0-9]{4,}-[0-9]{2}-([0-9]{2})",
    "gMonthDay": r"\A--[0-9]{2}-([0-9]{2})",
    "gDay": r"\A---([0-9]{2})",
}
_ANY_YEAR: Final = 2000
_LONGEST_YEAR: Final = 10
_BEYOND: Final = 99_999_999_999
_FOURTEEN_HOURS: Final = 14 * 3600


class Date(Ordered):
    """One of the eight types of `FORMS`."""

    facets = EVERYWHERE | BOUNDS | {"enumeration"}

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.pattern = rf"\A{FORMS[name]}\z"
        self.years = name in ("dateTime", "date")
        self.stages = (self._instant,)

    def valid(self, part: Parts) -> pl.Expr:
        shaped = part("text").str.contains(self.pattern)
        if not self.years:
            return shaped
        february = part("text").str.contains(_FEBRUARY)
        return shaped & (~february | part("text").str.contains(_LEAP))

    def unsuitable(self, literal: str) -> str:
        return "bound" if re.match(rf"-?[0-9]{{{_LONGEST_YEAR + 1}}}", literal) else ""

    def key(self, part: Parts) -> pl.Expr:
        zone = pl.when(part("zoned")).then(pl.lit("Z")).otherwise(pl.lit(""))
        return pl.concat_str(part("seconds"), pl.lit("."), part("fraction"), zone)

    def order(self, part: Parts, literal: str) -> Order:
        there = self.parts_of(literal)
        comparable = part("zoned") if there["zoned"] else ~part("zoned")
        same = _compare(part, there["seconds"], there["fraction"])
        early = _compare(part, there["seconds"] - _FOURTEEN_HOURS, there["fraction"])
        late = _compare(part, there["seconds"] + _FOURTEEN_HOURS, there["fraction"])
        return Order(
            pl.when(comparable).then(same.less).otherwise(early.less),
            comparable & same.equal,
            pl.when(comparable).then(same.greater).otherwise(late.greater),
        )

    def _instant(self, part: Parts) -> dict[str, pl.Expr]:
        """`zoned`; `seconds` since 1970-01-01 in UTC; the digits of the `fraction` of a second."""
        text = part("text")
        zone = text.str.extract(r"(Z|[+-][0-9]{2}:[0-9]{2})\z", 1)
        timed = self.name in ("dateTime", "time")
        clock, fraction = _clock(text) if timed else (pl.lit(0), pl.lit(""))
        if self.name == "time":
            clock = clock % 86_400
        return {
            "zoned": zone.is_not_null(),
            "seconds": self._days(text) * 86_400 + clock - _offset(zone),
            "fraction": fraction,
        }

    def _days(self, text: pl.Expr) -> pl.Expr:
        """Days from 1970-01-01; a missing year is a leap year, a missing month has 31 days."""
        dated = FORMS[self.name].startswith(_YEAR)
        year = _year(text) if dated else pl.lit(_ANY_YEAR, pl.Int64)
        month = (
            _number(text, _MONTH_OF[self.name]) if self.name in _MONTH_OF else pl.lit(1, pl.Int64)
        )
        day = _number(text, _DAY_OF[self.name]) if self.name in _DAY_OF else pl.lit(1, pl.Int64)
        shifted = year - (month <= 2).cast(pl.Int64)
        age = shifted // 400
        year_of_age = shifted - age * 400
        day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
        within = year_of_age * 365 + year_of_age // 4 - year_of_age // 100 + day_of_year
        no_year_zero = pl.when(year < 0).then(pl.lit(366, pl.Int64)).otherwise(pl.lit(0, pl.Int64))
        return age * 146_097 + within - 719_468 + no_year_zero


def _number(text: pl.Expr, pattern: str) -> pl.Expr:
    return text.str.extract(pattern, 1).cast(pl.Int64, strict=False)


def _year(text: pl.Expr) -> pl.Expr:
    """The year; beyond ten digits one that is later (or earlier) than every literal that is compared with."""
    digits = text.str.extract(r"\A-?([0-9]+)", 1)
    near = digits.str.len_bytes() <= _LONGEST_YEAR
    size = pl.when(near).then(digits).otherwise(pl.lit(str(_BEYOND))).cast(pl.Int64, strict=False)
    return pl.when(text.str.starts_with("-")).then(-size).otherwise(size)


def _clock(text: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    hours = _number(text, r"([0-9]{2}):[0-9]{2}:[0-9]{2}")
    minutes = _number(text, r"[0-9]{2}:([0-9]{2}):[0-9]{2}")
    seconds = _number(text, r"[0-9]{2}:[0-9]{2}:([0-9]{2})")
    fraction = text.str.extract(r"\.([0-9]+)", 1).fill_null("").str.strip_chars_end("0")
    return hours * 3600 + minutes * 60 + seconds, fraction


def _offset(zone: pl.Expr) -> pl.Expr:
    """Seconds east of Greenwich; 0 for `Z` and for none."""
    size = _number(zone, r"([0-9]{2}):") * 3600 + _number(zone, r":([0-9]{2})") * 60
    return pl.when(zone.str.starts_with("-")).then(-size).otherwise(size).fill_null(0)


def _compare(part: Parts, seconds: int, fraction: str) -> Order:
    """How instants stand to one other."""
    same = part("seconds") == seconds
    mine = part("fraction")
    return Order(
        (part("seconds") < seconds) | (same & (mine < fraction)),
        same & (mine == fraction),
        (part("seconds") > seconds) | (same & (mine > fraction)),
    )
