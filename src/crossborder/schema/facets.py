"""Simple types as polars expressions: which facet a value breaks, without parsing any XML.

The verdict over all facets equals libxml2's on the packaged XSDs (promise P1; `tests/schema/test_facets.py` compares
the two). A value breaks at most one facet, judged in the order `type`, `totalDigits`/`fractionDigits`, lengths,
`pattern`, `enumeration`, so that one fault gives one finding. Null in, null out: an empty column is not judged here.
"""

from __future__ import annotations

import polars as pl

from crossborder.errors import UnsupportedType
from crossborder.schema.model import Element
from crossborder.schema.simple.regex import to_rust

_NUMBER = r"\A[0-9]+(?:\.[0-9]+)?\z"
_XS_DECIMAL = r"\A[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)\z"
_BLANKS = " \t\n\r"


def number_pattern(total: int, fraction: int) -> str:
    """The XSD pattern of a string that holds DECIMAL(total, fraction); empty is allowed."""
    decimals = rf"(\.[0-9]{{1,{fraction}}})?" if fraction else ""
    return f"([0-9]{{1,{total - fraction}}}{decimals})?"


def facet_failures(element: Element, value: pl.Expr) -> dict[str, pl.Expr]:
    """Boolean expressions by facet, true where `value` (String) breaks it.

    Facets: `type` (not a number at all), `totalDigits`, `fractionDigits`, `maxLength`, `minLength`, `pattern`,
    `enumeration`; only those the element has. Raises `UnsupportedType` for a base type or a combination of facets
    that cannot be judged exactly.
    """
    if element.base == "decimal":
        broken = _decimal(element, value)
    elif element.base != "string":
        raise _refuse(element, "base", f"is an xs:{element.base}")
    elif element.total_digits is not None:
        broken = _digits(element, value)
    else:
        broken = _text(element, value)
    return _first_only(broken)


def holds(element: Element, value: pl.Expr) -> pl.Expr:
    """True where `value` breaks no facet; cheaper than `facet_failures` where most values are sound."""
    if element.base == "string" and element.total_digits is not None and element.pattern:
        _digits(element, value)
        return value.str.contains(to_rust(element.pattern, place=element.name))
    broken = list(facet_failures(element, value).values())
    if not broken:
        return pl.when(value.is_not_null()).then(pl.lit(True))
    return ~pl.any_horizontal(broken)


def _first_only(broken: dict[str, pl.Expr]) -> dict[str, pl.Expr]:
    """Each facet only where none before it is broken."""
    kept: dict[str, pl.Expr] = {}
    earlier: pl.Expr | None = None
    for facet, fails in broken.items():
        kept[facet] = fails if earlier is None else fails & ~earlier
        earlier = fails if earlier is None else earlier | fails
    return kept


def _text(element: Element, value: pl.Expr) -> dict[str, pl.Expr]:
    broken: dict[str, pl.Expr] = {}
    if element.fraction_digits is not None:
        raise _refuse(element, "digits", "is a string with fractionDigits but no totalDigits")
    length = value.str.len_chars()
    if element.max_length is not None:
        broken["maxLength"] = length > element.max_length
    if element.min_length:
        broken["minLength"] = length < element.min_length
    if element.pattern is not None:
        broken["pattern"] = ~value.str.contains(to_rust(element.pattern, place=element.name))
    if element.enumeration:
        broken["enumeration"] = ~value.is_in(list(element.enumeration))
    return broken


def _digits(element: Element, value: pl.Expr) -> dict[str, pl.Expr]:
    """A string that holds DECIMAL(p, s): its pattern must say just that, so that the facets can be told apart."""
    total, fraction = element.total_digits or 0, element.fraction_digits or 0
    longest = total + bool(fraction)
    if (
        total <= fraction
        or element.pattern != number_pattern(total, fraction)
        or element.min_length
        or element.enumeration
        or (element.max_length is not None and element.max_length < longest)
    ):
        raise _refuse(element, "digits", f"does not hold just DECIMAL({total},{fraction})")
    whole = rf"\A[0-9]{{1,{total - fraction}}}(?:\.|\z)"
    after = rf"\A[0-9]+(?:\.[0-9]{{1,{fraction}}})?\z" if fraction else r"\A[0-9]+\z"
    filled = value != ""
    return {
        "type": filled & ~value.str.contains(_NUMBER),
        "totalDigits": filled & ~value.str.contains(whole),
        "fractionDigits": filled & ~value.str.contains(after),
    }


def _decimal(element: Element, value: pl.Expr) -> dict[str, pl.Expr]:
    """xs:decimal: outer blanks do not count, nor do leading zeros and zeros at the end of the fraction."""
    if element.min_length or element.max_length is not None or element.enumeration:
        raise _refuse(element, "facets", "is an xs:decimal with facets of a text")
    bare = value.str.strip_chars(_BLANKS)
    whole = bare.str.extract(r"\A[+-]?0*([0-9]*)", 1).str.len_chars()
    fraction = bare.str.extract(r"\.([0-9]*)\z", 1).fill_null("").str.strip_chars_end("0")
    places = fraction.str.len_chars()
    broken = {"type": ~bare.str.contains(_XS_DECIMAL)}
    if element.total_digits is not None:
        broken["totalDigits"] = whole + places > element.total_digits
    if element.fraction_digits is not None:
        broken["fractionDigits"] = places > element.fraction_digits
    if element.pattern is not None:
        broken["pattern"] = ~bare.str.contains(to_rust(element.pattern, place=element.name))
    return broken


def _refuse(element: Element, reason: str, what: str) -> UnsupportedType:
    return UnsupportedType(
        reason,
        f"{element.name!r} {what}; this is not compiled",
        f"{element.name!r} 的类型暂不支持",
        place=element.type_name,
    )
