"""Simple types as values: variety, white space, and the facets of every step of derivation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from crossborder.schema.simple.primitive import Primitive, WhiteSpace

BOUND_NAMES = ("minInclusive", "minExclusive", "maxInclusive", "maxExclusive")
COUNT_NAMES = ("length", "minLength", "maxLength", "totalDigits", "fractionDigits")


@dataclass(frozen=True, slots=True)
class Step:
    """The facets that one restriction adds.

    `patterns` are XSD patterns of which one must match; `enumeration` holds the keys (`judge.key_of`) of the listed
    values, or is None; `counts` are lengths and digits; `bounds` are literals of the base type.
    """

    patterns: tuple[str, ...] = ()
    enumeration: tuple[str, ...] | None = None
    counts: dict[str, int] = field(default_factory=dict)
    bounds: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SimpleType:
    """A resolved type. `primitive` belongs to atomic types, `item` to lists, `members` to unions (none a union).

    `base` is the type the last step restricts, or None for a primitive, a list or a union itself. `fixed` names the
    facets that no derived type may change, `final` the derivations that are closed.
    """

    name: str
    variety: Literal["atomic", "list", "union"]
    white_space: WhiteSpace
    primitive: Primitive | None = None
    item: SimpleType | None = None
    members: tuple[SimpleType, ...] = ()
    base: SimpleType | None = None
    steps: tuple[Step, ...] = ()
    fixed: frozenset[str] = frozenset()
    final: frozenset[str] = frozenset()

    def counts(self) -> dict[str, int]:
        """Lengths and digits in force: those of the latest step that names them, for a step can only narrow."""
        return {name: n for step in self.steps for name, n in step.counts.items()}

    def bounds(self) -> dict[str, str]:
        """Bounds in force: a step's lower (upper) bound replaces every lower (upper) one before it."""
        found: dict[str, str] = {}
        for step in self.steps:
            for side in ("min", "max"):
                if any(name.startswith(side) for name in step.bounds):
                    found = {n: v for n, v in found.items() if not n.startswith(side)}
            found |= step.bounds
        return found

    def patterns(self) -> list[tuple[str, ...]]:
        """The patterns of every step that has some: of each one must match."""
        return [step.patterns for step in self.steps if step.patterns]

    def enumeration(self) -> tuple[str, ...] | None:
        """The keys of the latest enumeration: its values are values of every type before it."""
        listed = [step.enumeration for step in self.steps if step.enumeration is not None]
        return listed[-1] if listed else None
