"""Facets of the packaged elements as polars expressions: which facet a value breaks, without parsing any XML.

An element's type is compiled by the compiler of simple types (`crossborder.schema.simple`), like any type of any XSD.
Two things are particular to elements: characters that XML does not allow are not judged here (a rule of their own does
that), and a string that holds DECIMAL(p, s) is judged by the facets of a number, so that people are told which.

The verdict over all facets equals libxml2's on the packaged XSDs (promise P1; `tests/schema/test_facets.py` compares
the two). A value breaks at most one facet, judged in the order `type`, `totalDigits`/`fractionDigits`, lengths,
`pattern`, `enumeration`, so that one fault gives one finding. Null in, null out: an empty column is not judged here.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import polars as pl

from crossborder.errors import UnsupportedType
from crossborder.schema.model import Element
from crossborder.schema.simple.builtin import builtin
from crossborder.schema.simple.judge import failures, in_space, normalised
from crossborder.schema.simple.model import SimpleType, Step
from crossborder.schema.simple.regex import to_rust

_NUMBER = r"\A[0-9]+(?:\.[0-9]+)?\z"


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
    return _first_only(_broken(element, value))


def holds(element: Element, value: pl.Expr) -> pl.Expr:
    """True where `value` breaks no facet; cheaper than `facet_failures` where most values are sound."""
    broken = _broken(element, value)
    if _holds_digits(element):
        return value.str.contains(to_rust(element.pattern or "", place=element.name))
    if broken.keys() >= {"maxLength", "minLength"}:
        del broken["maxLength"]
        length = value.str.len_chars()
        broken["minLength"] = ~length.is_between(element.min_length, element.max_length)
    if not broken:
        return pl.when(value.is_not_null()).then(pl.lit(True))
    return ~pl.any_horizontal(broken.values())


def looks_at(element: Element) -> Literal["value", "length", "digits"]:
    """What of a value decides whether it breaks a facet: how long it is, or where digits stand in it (which digits they
    are does not matter), else all of it."""
    if _holds_digits(element):
        return "digits"
    text = element.base == "string" and _compiled(element).white_space == "preserve"
    return "length" if text and element.pattern is None and not element.enumeration else "value"


def lengths(element: Element) -> tuple[int, int] | None:
    """The least and the greatest length of a value whose length alone decides; else, or where there is no greatest, None."""
    if looks_at(element) != "length" or element.max_length is None:
        return None
    return element.min_length or 0, element.max_length


def _broken(element: Element, value: pl.Expr) -> dict[str, pl.Expr]:
    """What `facet_failures` gives, each facet by itself."""
    if _holds_digits(element):
        return _digits(element, value)
    kind = _compiled(element)
    parts = {"text": normalised(value, kind.white_space)}
    for stage in kind.primitive.stages if kind.primitive else ():
        parts |= stage(parts.__getitem__)
    part = parts.__getitem__
    no_number = {"type": ~in_space(kind, part)} if element.base == "decimal" else {}
    return no_number | failures(kind, part)


def _holds_digits(element: Element) -> bool:
    return element.base == "string" and element.total_digits is not None


@cache
def _compiled(element: Element) -> SimpleType:
    """The element's simple type. Raises `UnsupportedType` (`base`, `digits`, `facets`, `pattern`)."""
    if element.base not in ("string", "decimal"):
        raise _refuse(element, "base", f"is an xs:{element.base}")
    number = element.base == "decimal"
    if not number and element.fraction_digits is not None:
        raise _refuse(element, "digits", "is a string with fractionDigits but no totalDigits")
    if number and (element.min_length or element.max_length is not None or element.enumeration):
        raise _refuse(element, "facets", "is an xs:decimal with facets of a text")
    if element.pattern is not None:
        to_rust(element.pattern, place=element.name)
    stated = {
        "totalDigits": element.total_digits,
        "fractionDigits": element.fraction_digits,
        "maxLength": element.max_length,
        "minLength": element.min_length or None,
    }
    step = Step(
        () if element.pattern is None else (element.pattern,),
        element.enumeration or None,
        {facet: number for facet, number in stated.items() if number is not None},
    )
    base = builtin(element.base)
    return SimpleType(
        element.type_name or element.name,
        "atomic",
        base.white_space,
        primitive=base.primitive,
        base=base,
        steps=(step,),
    )


def _first_only(broken: dict[str, pl.Expr]) -> dict[str, pl.Expr]:
    """Each facet only where none before it is broken."""
    kept: dict[str, pl.Expr] = {}
    earlier: pl.Expr | None = None
    for facet, fails in broken.items():
        kept[facet] = fails if earlier is None else fails & ~earlier
        earlier = fails if earlier is None else earlier | fails
    return kept


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


def _refuse(element: Element, reason: str, what: str) -> UnsupportedType:
    return UnsupportedType(
        reason,
        f"{element.name!r} {what}; this is not compiled",
        f"{element.name!r} 的类型暂不支持",
        place=element.type_name,
    )
