"""The condition language of the filling tables: clauses joined with ` & `."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from crossborder.errors import SchemaError

Operator = Literal["in", "not in", "filled", "empty"]

_OPERATORS: dict[str, Operator] = {name: name for name in get_args(Operator)}
_CLAUSE = re.compile(
    r"(?P<element>[A-Za-z][A-Za-z0-9_]*) "
    r"(?:(?P<op>in|not in) (?P<values>[A-Za-z0-9]+(?:,[A-Za-z0-9]+)*)|(?P<state>filled|empty))"
)


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison; an empty element is `in` no list and `not in` every list."""

    element: str
    op: Operator
    values: tuple[str, ...] = ()

    def holds(self, value: str | None) -> bool:
        """Whether the clause holds for the element's value (for tests and single look-ups)."""
        if self.op == "in":
            return bool(value) and value in self.values
        if self.op == "not in":
            return not value or value not in self.values
        return bool(value) == (self.op == "filled")


def parse_when(text: str, *, place: str = "") -> tuple[Clause, ...]:
    """The clauses of a condition; none for an empty text (always). Raises `SchemaError`."""
    if not text:
        return ()
    clauses: list[Clause] = []
    for part in text.split(" & "):
        match = _CLAUSE.fullmatch(part)
        if match is None:
            raise SchemaError(
                f"not a condition: {part!r}", f"不是条件表达式：{part!r}", place=place
            )
        values = tuple(match["values"].split(",")) if match["values"] else ()
        clauses.append(Clause(match["element"], _OPERATORS[match["op"] or match["state"]], values))
    return tuple(clauses)
