"""Drawn types and values near their bounds: the compiler agrees with libxml2, or with the text of Part 2 spelt out.

The drawn values keep clear of what `tables/libxml2_differences.csv` lists; `test_differences.py` judges those.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossborder.errors import UnsupportedType

SETTINGS = settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

DIGITS = st.text("0159", min_size=1, max_size=4)
DECIMALS = st.builds(
    lambda sign, whole, fraction: f"{sign}{whole}{fraction}",
    st.sampled_from(["", "-", "+"]),
    st.one_of(DIGITS, st.text("0129", min_size=20, max_size=40)),
    st.one_of(
        st.just(""), st.just("."), DIGITS.map(lambda d: f".{d}"), DIGITS.map(lambda d: f".{d}000")
    ),
)
INTEGERS = st.builds(lambda sign, d: f"{sign}{d}", st.sampled_from(["", "-", "+"]), DIGITS)
ZONES = st.sampled_from(["", "", "Z", "+14:00", "-14:00", "+00:00", "-05:30"])
CLOCKS = st.sampled_from(
    ["00:00:00", "23:59:59.9", "12:30:00", "10:00:00.50", "10:00:00.5", "24:00:00"]
)
YEARS = st.sampled_from(["2000", "1999", "2001", "1900", "-0001", "0001", "12000", "0004", "2004"])
MONTHS = st.sampled_from(["01", "02", "03", "12", "06"])
DAYS = st.sampled_from(["01", "02", "28", "29", "30", "31"])
DATED = {
    "dateTime": st.builds(
        lambda y, m, d, c, z: f"{y}-{m}-{d}T{c}{z}", YEARS, MONTHS, DAYS, CLOCKS, ZONES
    ),
    "date": st.builds(lambda y, m, d, z: f"{y}-{m}-{d}{z}", YEARS, MONTHS, DAYS, ZONES),
    "time": st.builds(lambda c, z: c + z, CLOCKS, ZONES),
    "gYear": st.builds(lambda y, z: y + z, YEARS, ZONES),
    "gYearMonth": st.builds(lambda y, m, z: f"{y}-{m}{z}", YEARS, MONTHS, ZONES),
    "gMonthDay": st.builds(lambda m, d, z: f"--{m}-{d}{z}", MONTHS, DAYS, ZONES),
    "gMonth": st.builds(lambda m, z: f"--{m}{z}", MONTHS, ZONES),
    "gDay": st.builds(lambda d, z: f"---{d}{z}", DAYS, ZONES),
}
DURATIONS = st.builds(
    lambda sign, date, time: f"{sign}P{date}{'T' if time else ''}{time}",
    st.sampled_from(["", "", "-"]),
    st.sampled_from(
        ["1Y", "12M", "1M", "30D", "31D", "28D", "1Y2M3D", "2M", "59D", "365D", "0D", "P"]
    ),
    st.sampled_from(["", "24H", "1440M", "86400S", "0S", "0.5S", "1H30M", "0.50S", "1.25S"]),
)
FLOATS = st.one_of(
    st.builds(
        lambda sign, d, f, e: f"{sign}{d}{f}{e}",
        st.sampled_from(["", "-", "+"]),
        DIGITS,
        st.sampled_from(["", ".", ".5", ".10"]),
        st.sampled_from(["", "e1", "E-2", "E+03"]),
    ),
    st.sampled_from(["INF", "-INF", "NaN", "0", "-0", "16777217", "16777216", "0.1"]),
)
BOUNDS = ("minInclusive", "minExclusive", "maxInclusive", "maxExclusive")


REGEX_PARTS = st.sampled_from(
    ["a", "b", "-", "[a-c]", "[^a]", "[a-z-[b]]", "[^a-c-[x]]", ".", r"\d", r"\D", r"\s", r"\S", r"\w", r"\W", r"\i", r"\C", r"\c",
     r"\I", r"\p{Lu}", r"\P{L}", r"\.", r"\-", "^", "$", "(a|b)", "(ab|)", r"[\d\-]", r"[\s\w-[a]]", r"\p{IsBasicLatin}",
     r"\P{IsGreek}", r"[\p{L}-[a-z]]", "[.]", "[a-]", "中", r"\n", "[|]", "(a(b|c)*)"]
)  # fmt: skip
PATTERNS = st.lists(
    st.builds(
        lambda part, count: part + count,
        REGEX_PARTS,
        st.sampled_from(["", "", "?", "*", "+", "{2}", "{0,2}", "{1,}"]),
    ),
    min_size=1,
    max_size=4,
).map("".join)
TEXTS = st.text("aabbcxzA09-_. \n\t^$é中αΑ٣|:·\u2003\U0001d7d8", max_size=5)


def compare(bench: Any, types: str, values: list[str]) -> None:
    """libxml2 judges alike, or the type is refused."""
    try:
        ours = bench.ours(types, values)
    except UnsupportedType:
        assert bench.refused(types) == "invalid"
        return
    assert dict(zip(values, ours, strict=True)) == dict(
        zip(values, bench.libxml2(types, values), strict=True)
    )


def facets(data: st.DataObject, values: st.SearchStrategy[str]) -> dict[str, Any]:
    """Up to two bounds and sometimes an enumeration."""
    names = data.draw(st.lists(st.sampled_from(BOUNDS), max_size=2, unique=True))
    drawn: dict[str, Any] = {name: data.draw(values) for name in names}
    if data.draw(st.integers(0, 3)) == 0:
        drawn["enumeration"] = data.draw(st.lists(values, min_size=1, max_size=4))
    return drawn


@SETTINGS
@given(data=st.data())
def test_decimals(data: st.DataObject, bench: Any, restriction: Callable[..., str]) -> None:
    base = data.draw(st.sampled_from(["decimal", "integer", "long", "nonNegativeInteger"]))
    values = DECIMALS if base == "decimal" else INTEGERS
    drawn = facets(data, values)
    for name in data.draw(
        st.lists(st.sampled_from(["totalDigits", "fractionDigits"]), unique=True)
    ):
        drawn[name] = str(data.draw(st.integers(1 if name == "totalDigits" else 0, 6)))
    compare(
        bench,
        restriction(f"xs:{base}", **drawn),
        data.draw(st.lists(values, min_size=20, max_size=30)),
    )


@SETTINGS
@given(data=st.data())
def test_dates(data: st.DataObject, bench: Any, restriction: Callable[..., str]) -> None:
    """libxml2 orders zones only of xs:dateTime and xs:date (the table names that)."""
    base = data.draw(st.sampled_from(sorted(DATED)))
    values = DATED[base]
    if base not in ("dateTime", "date"):
        values = values.filter(lambda text: not ZONE.search(text))
    compare(
        bench,
        restriction(f"xs:{base}", **facets(data, values)),
        data.draw(st.lists(values, min_size=20, max_size=30)),
    )


@SETTINGS
@given(data=st.data())
def test_dates_against_the_text(
    data: st.DataObject, bench: Any, restriction: Callable[..., str]
) -> None:
    """3.2.7.4 spelt out with fractions, for every type, with zones and without."""
    base = data.draw(st.sampled_from(sorted(DATED)))
    drawn = facets(data, DATED[base])
    values = data.draw(st.lists(DATED[base], min_size=20, max_size=30))
    real = [
        v for v, ok in zip(values, bench.ours(restriction(f"xs:{base}"), values), strict=True) if ok
    ]
    try:
        ours = bench.ours(restriction(f"xs:{base}", **drawn), real)
    except UnsupportedType:
        return
    expected = [
        all(meets(base, value, name, said) for name, said in drawn.items()) for value in real
    ]
    assert dict(zip(real, ours, strict=True)) == dict(zip(real, expected, strict=True))


@SETTINGS
@given(data=st.data())
def test_durations_against_the_text(
    data: st.DataObject, bench: Any, restriction: Callable[..., str]
) -> None:
    """3.2.6.2 spelt out with fractions at its four dates."""
    drawn = facets(data, DURATIONS)
    values = data.draw(st.lists(DURATIONS, min_size=20, max_size=30))
    ours = bench.ours(restriction("xs:duration"), values)
    assert ours == bench.libxml2(restriction("xs:duration"), values)
    real = [value for value, ok in zip(values, ours, strict=True) if ok]
    try:
        ours = bench.ours(restriction("xs:duration", **drawn), real)
    except UnsupportedType:
        return
    expected = [all(lasts(value, name, said) for name, said in drawn.items()) for value in real]
    assert dict(zip(real, ours, strict=True)) == dict(zip(real, expected, strict=True))


@SETTINGS
@given(data=st.data())
def test_floats(data: st.DataObject, bench: Any, restriction: Callable[..., str]) -> None:
    """NaN apart, which libxml2 compares with bounds (the table names that)."""
    base = data.draw(st.sampled_from(["float", "double"]))
    values = FLOATS.filter(lambda text: text != "NaN")
    compare(
        bench,
        restriction(f"xs:{base}", **facets(data, values)),
        data.draw(st.lists(values, min_size=20, max_size=30)),
    )


@SETTINGS
@given(data=st.data())
def test_patterns(data: st.DataObject, bench: Any, restriction: Callable[..., str]) -> None:
    patterns = data.draw(st.lists(PATTERNS, min_size=1, max_size=2))
    texts = data.draw(st.lists(TEXTS, min_size=20, max_size=40))
    types = restriction("xs:string", pattern=patterns)
    assert dict(zip(texts, bench.ours(types, texts), strict=True)) == dict(
        zip(texts, bench.libxml2(types, texts), strict=True)
    )


ZONE = re.compile(r"(Z|[+-][0-9]{2}:[0-9]{2})$")
PARTS = {
    "dateTime": r"(?P<y>-?[0-9]+)-(?P<m>..)-(?P<d>..)T(?P<h>..):(?P<n>..):(?P<s>[0-9.]+)",
    "date": r"(?P<y>-?[0-9]+)-(?P<m>..)-(?P<d>..)",
    "time": r"(?P<h>..):(?P<n>..):(?P<s>[0-9.]+)",
    "gYear": r"(?P<y>-?[0-9]+)",
    "gYearMonth": r"(?P<y>-?[0-9]+)-(?P<m>..)",
    "gMonthDay": r"--(?P<m>..)-(?P<d>..)",
    "gMonth": r"--(?P<m>..)",
    "gDay": r"---(?P<d>..)",
}


def leap(year: int) -> bool:
    return year % 400 == 0 or (year % 100 != 0 and year % 4 == 0)


@cache
def days_before(year: int) -> int:
    """Days from 0001-01-01 to the first day of a year; there is no year 0."""
    between = range(1, year) if year > 0 else range(year, 0)
    days = sum(366 if leap(one) else 365 for one in between)
    return days if year > 0 else -days


def instant(base: str, text: str) -> tuple[bool, Fraction]:
    """Has it a zone, and its first instant in hours."""
    zone = ZONE.search(text)
    found = re.match(PARTS[base], text)
    assert found is not None
    part = {"y": "2000", "m": "01", "d": "01", "h": "0", "n": "0", "s": "0"} | found.groupdict()
    year, month = int(part["y"]), int(part["m"])
    lengths = [31, 29 if leap(year) else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    days = days_before(year) + sum(lengths[: month - 1]) + int(part["d"]) - 1
    hour = int(part["h"]) % 24 if base == "time" else int(part["h"])
    hours = Fraction(days * 24 + hour) + Fraction(part["n"]) / 60 + Fraction(part["s"]) / 3600
    if zone and zone[1] != "Z":
        east = int(zone[1][1:3]) + Fraction(zone[1][4:6]) / 60
        hours += east if zone[1][0] == "-" else -east
    return zone is not None, hours


def meets(base: str, value: str, name: str, said: str | list[str]) -> bool:
    """Does a value meet one facet by the letter of 3.2.7.4?"""
    if isinstance(said, list):
        return any(instant(base, value) == instant(base, one) for one in said)
    (zoned, mine), (theirs_zoned, theirs) = instant(base, value), instant(base, said)
    slack = 0 if zoned == theirs_zoned else 14
    ordered = mine < theirs - slack if name.startswith("max") else mine > theirs + slack
    return ordered or (name.endswith("Inclusive") and slack == 0 and mine == theirs)


SPAN = re.compile(
    r"(-?)P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([0-9.]+)S)?)?"
)
FROM = ((1696, 9), (1697, 2), (1903, 3), (1903, 7))


def ends(text: str) -> list[Fraction]:
    """Where a duration leads from each of the four dates, in hours; these are first days of months, never clipped."""
    found = SPAN.fullmatch(text)
    assert found is not None
    sign = -1 if found[1] else 1
    years, months, days, hours, minutes = (int(part or 0) for part in found.groups()[1:6])
    rest = Fraction(days * 24 + hours) + Fraction(minutes, 60) + Fraction(found[7] or 0) / 3600
    made = []
    for year, month in FROM:
        later, first = divmod(year * 12 + month - 1 + sign * (years * 12 + months), 12)
        lengths = [31, 29 if leap(later) else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        made.append((days_before(later) + sum(lengths[:first])) * 24 + sign * rest)
    return made


def lasts(value: str, name: str, said: str | list[str]) -> bool:
    """Does a duration meet one facet by the letter of 3.2.6.2?"""
    if isinstance(said, list):
        return any(ends(value) == ends(one) for one in said)
    pairs = list(zip(ends(value), ends(said), strict=True))
    ordered = all(a < b if name.startswith("max") else a > b for a, b in pairs)
    return ordered or (name.endswith("Inclusive") and all(a == b for a, b in pairs))
