"""Derivation by restriction: which facets may be given and how they may narrow those of the base (Part 2, 4.3).

Everything that breaks a rule is refused as `invalid`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

import polars as pl

from crossborder.schema.simple.judge import all_valid, keys, text_of
from crossborder.schema.simple.model import BOUND_NAMES, COUNT_NAMES, SimpleType, Step
from crossborder.schema.simple.primitive import EVERYWHERE, LENGTHS, Ordered, WhiteSpace
from crossborder.schema.simple.refusal import refuse
from crossborder.schema.simple.regex import anchored

_SPACES: Final = ("preserve", "replace", "collapse")
_INTEGER: Final = re.compile(r"\+?[0-9]+|-0+")
_LARGEST: Final = 2**40


@dataclass(frozen=True, slots=True)
class Facet:
    """One facet as written: its name, value and whether it is fixed."""

    name: str
    value: str
    fixed: bool = False


def restrict(
    name: str, base: SimpleType, facets: Sequence[Facet], final: frozenset[str]
) -> SimpleType:
    """The type that these facets make of `base`. Raises `UnsupportedType`."""
    _applicable(name, base, facets)
    patterns = tuple(facet.value for facet in facets if facet.name == "pattern")
    if patterns:
        anchored(patterns)
    literals = tuple(facet.value for facet in facets if facet.name == "enumeration")
    if not all_valid(base, literals):
        raise refuse("invalid", f"{name}: an enumerated value that the base type does not have")
    _comparable(base, literals)
    counts = {f.name: _number(name, f) for f in facets if f.name in COUNT_NAMES}
    bounds = {f.name: text_of(base, f.value) for f in facets if f.name in BOUND_NAMES}
    _check_counts(name, base, counts)
    _check_bounds(name, base, bounds)
    _comparable(base, tuple(bounds.values()))
    _check_fixed(name, base, facets)
    listed = tuple(dict.fromkeys(keys(base, literals))) if literals else None
    made = SimpleType(
        name,
        base.variety,
        _white_space(name, base, facets),
        primitive=base.primitive,
        item=base.item,
        members=base.members,
        base=base,
        steps=(*base.steps, Step(patterns, listed, counts, bounds)),
        fixed=base.fixed | {facet.name for facet in facets if facet.fixed},
        final=final,
    )
    _check_together(name, made)
    return made


def _applicable(name: str, base: SimpleType, facets: Sequence[Facet]) -> None:
    """4.1.5 and `cos-applicable-facets`; each facet but pattern and enumeration once (4.1.2)."""
    if base.variety == "atomic" and base.primitive is not None:
        allowed = base.primitive.facets
    elif base.variety == "list":
        allowed = EVERYWHERE | LENGTHS | {"enumeration"}
    else:
        allowed = frozenset({"pattern", "enumeration"})
    if base.name == "anySimpleType" and base.base is None:
        raise refuse("invalid", f"{name} restricts anySimpleType")
    seen: set[str] = set()
    for facet in facets:
        if facet.name not in allowed:
            raise refuse("invalid", f"{name}: {facet.name} does not apply")
        if facet.name in seen and facet.name not in ("pattern", "enumeration"):
            raise refuse("invalid", f"{name}: {facet.name} twice")
        seen.add(facet.name)


def _number(name: str, facet: Facet) -> int:
    text = facet.value.strip(" \t\n\r")
    if not _INTEGER.fullmatch(text) or not text.isascii():
        raise refuse("invalid", f"{name}: {facet.name} is not a number")
    digits = text.lstrip("+-").lstrip("0") or "0"
    number = int(digits) if len(digits) < 13 else _LARGEST
    if facet.name == "totalDigits" and number == 0:
        raise refuse("invalid", f"{name}: totalDigits 0")
    return min(number, _LARGEST)


def _white_space(name: str, base: SimpleType, facets: Sequence[Facet]) -> WhiteSpace:
    """4.3.6.4: never less than the base does."""
    for facet in facets:
        if facet.name == "whiteSpace":
            if facet.value not in _SPACES or _SPACES.index(facet.value) < _SPACES.index(
                base.white_space
            ):
                raise refuse("invalid", f"{name}: whiteSpace {facet.value!r}")
            return cast("WhiteSpace", facet.value)
    return base.white_space


def _check_counts(name: str, base: SimpleType, counts: dict[str, int]) -> None:
    """Lengths and digits may only narrow (4.3.1.4, 4.3.2.4, 4.3.3.4, 4.3.11.4, 4.3.12.4)."""
    for facet, old in base.counts().items():
        new = counts.get(facet, old)
        widened = {"length": new != old, "minLength": new < old}.get(facet, new > old)
        if widened:
            raise refuse("invalid", f"{name}: {facet} {new} does not narrow {old}")


def _check_bounds(name: str, base: SimpleType, bounds: dict[str, str]) -> None:
    """A bound is a value of the base (4.3.7 to 4.3.10), or repeats its exclusive bound."""
    if {"minInclusive", "minExclusive"} <= bounds.keys() or {
        "maxInclusive",
        "maxExclusive",
    } <= bounds.keys():
        raise refuse("invalid", f"{name}: an inclusive and an exclusive bound on one side")
    inherited = base.bounds()
    for facet, literal in bounds.items():
        if all_valid(base, [literal]):
            continue
        old = inherited.get(facet)
        root = _root(base)
        if old is None or facet.endswith("Inclusive") or not all_valid(root, [literal]):
            raise refuse("invalid", f"{name}: {facet} {literal!r} is no value of the base type")
        if len(set(keys(root, [literal, old]))) != 1:
            raise refuse("invalid", f"{name}: {facet} {literal!r} does not narrow {old!r}")


def _root(base: SimpleType) -> SimpleType:
    while base.base is not None:
        base = base.base
    return base


def _comparable(base: SimpleType, literals: Sequence[str]) -> None:
    """Refuses literals that cannot be compared: of a list every item is asked, of a union the member that accepts."""
    for literal in literals:
        text = text_of(base, literal)
        if base.primitive is not None:
            reason = base.primitive.unsuitable(text)
            if reason:
                raise refuse(reason, literal)
        elif base.item is not None:
            _comparable(base.item, text.split())
        else:
            _comparable(next(m for m in base.members if all_valid(m, [literal])), [literal])


def _check_fixed(name: str, base: SimpleType, facets: Sequence[Facet]) -> None:
    """A fixed facet may be repeated but not changed."""
    now: dict[str, int | str] = {**base.counts(), **base.bounds(), "whiteSpace": base.white_space}
    for facet in facets:
        if facet.name not in base.fixed:
            continue
        old = now[facet.name]
        if isinstance(old, int):
            same = _number(name, facet) == old
        elif facet.name == "whiteSpace":
            same = facet.value == old
        else:
            same = len(set(keys(_root(base), [facet.value, old]))) == 1
        if not same:
            raise refuse("invalid", f"{name}: {facet.name} is fixed")


def _check_together(name: str, made: SimpleType) -> None:
    """Rules between facets in force at once (4.3.1.4, 4.3.2.4, 4.3.7.3 and the like, 4.3.12.4)."""
    counts = made.counts()
    length, least, most = (counts.get(facet) for facet in ("length", "minLength", "maxLength"))
    if least is not None and most is not None and least > most:
        raise refuse("invalid", f"{name}: minLength above maxLength")
    if length is not None:
        lengths = (("minLength", least, length), ("maxLength", length, most))
        for facet, small, large in lengths:
            if small is None or large is None:
                continue
            if small > large or not _came_first(made, facet):
                raise refuse("invalid", f"{name}: length beside {facet}")
    if counts.get("fractionDigits", 0) > counts.get("totalDigits", _LARGEST):
        raise refuse("invalid", f"{name}: fractionDigits above totalDigits")
    bounds = made.bounds()
    for low in ("minInclusive", "minExclusive"):
        for high in ("maxInclusive", "maxExclusive"):
            if low in bounds and high in bounds and not _in_order(made, low, high):
                raise refuse("invalid", f"{name}: {low} and {high} leave nothing")


def _came_first(made: SimpleType, facet: str) -> bool:
    """4.3.1.4: an ancestor has the same value of the facet and no length yet."""
    value = made.counts()[facet]
    ancestor = made.base
    while ancestor is not None:
        counts = ancestor.counts()
        if counts.get(facet) == value and "length" not in counts:
            return True
        ancestor = ancestor.base
    return False


def _in_order(made: SimpleType, low: str, high: str) -> bool:
    bounds = made.bounds()
    if not isinstance(made.primitive, Ordered):
        return False
    order = made.primitive.order(pl.field, bounds[high])
    both = made.primitive.taken_apart(pl.lit(bounds[low])).struct.with_fields(
        order.less.alias("less"), order.equal.alias("equal")
    )
    less, equal = pl.select(both.struct.field("less"), both.struct.field("equal")).row(0)
    may_touch = low.endswith("Inclusive") == high.endswith("Inclusive")
    return bool(less or (equal and may_touch))
