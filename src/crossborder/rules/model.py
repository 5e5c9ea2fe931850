"""What a rule is: a named, documented object; its body is a function that yields `Case`s.

A case is one way of breaking the rule: a polars expression that is true for the rows at fault, and the texts
for them. Rules register themselves with `@rule(...)`; a family is one file. Nothing here evaluates anything
(`check.py` does).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import polars as pl

from crossborder.shipments.columns import FrameName

if TYPE_CHECKING:
    from crossborder.rules.context import Context

Severity = Literal["reject", "warn", "not_evaluated"]
Action = Literal["reject", "transfer", "hold", "note", "mark"]
Applies = Literal["all", "EXP", "A", "B", "C"]
DatedBy = Literal["movement", "declaration"]
Certainty = Literal["primary", "secondary", "inferred"]

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Case:
    """One way of breaking a rule.

    `when` is over the columns of `frame` and the helper columns of `prepare.py`; null counts as false.
    `column` is the canonical column concerned ("" for none); its text becomes the finding's value. `zh` and
    `en` may hold `{name}`: an expression of `values`, else a column of the frame; never personal data.
    Empty `severity`, `action`, `fix_zh`, `fix_en` mean those of the rule. `screen` is a cheap condition that
    must also hold; cases that share the same `screen` object are looked at only in its rows (a `when` that
    compares rows compares only those). `holds` says such a screen as a regular expression for one character
    that the text of `column` must hold. A case speaks about the value in `column`: where there is none it is
    silent, unless it is `blank`; `says` names another column (or helper column) whose text is the finding's value.
    `over` names columns (of `across.COMMON`): the case compares the shipments that have them in common, so only the
    whole hand-in can answer it; every other case judges each shipment by itself. `fixed`: what it finds cannot be filed
    at all, so no switch changes it.
    """

    when: pl.Expr
    column: str
    zh: str
    en: str
    frame: FrameName = "shipments"
    severity: Severity | Literal[""] = ""
    action: Action | Literal[""] = ""
    values: Mapping[str, pl.Expr] = field(default_factory=dict)
    suggest: pl.Expr | None = None
    screen: pl.Expr | None = None
    holds: str = ""
    blank: bool = False
    says: str = ""
    over: tuple[str, ...] = ()
    fixed: bool = False
    fix_zh: str = ""
    fix_en: str = ""

    def text(self, template: str) -> pl.Expr:
        """A template of this case as a String expression (missing values as empty text)."""
        names = self.names(template)
        if not names:
            return pl.lit(template)
        parts = [self.values.get(n, pl.col(n)).cast(pl.String).fill_null("") for n in names]
        return pl.format(_PLACEHOLDER.sub("{}", template), *parts)

    @staticmethod
    def names(template: str) -> list[str]:
        """What a template shows."""
        return _PLACEHOLDER.findall(template)

    def placeholders(self) -> frozenset[str]:
        """Columns of the frame that its texts show."""
        found = {n for t in (self.zh, self.en, self.fix_zh, self.fix_en) for n in self.names(t)}
        return frozenset(found - set(self.values))


@dataclass(frozen=True, slots=True)
class Parcel:
    """A shipment as columns that differ from the base record of its class and direction.

    `goods` are the lines, each as columns that differ from the base line; null removes a value.
    """

    kind: Literal["A", "B", "C", "D"] = "B"
    direction: Literal["I", "E"] = "I"
    head: Mapping[str, str | None] = field(default_factory=dict)
    goods: tuple[Mapping[str, str | None], ...] = ({},)


@dataclass(frozen=True, slots=True)
class Example:
    """Shipments handed in together, and what else the rule looks at; `earlier` were handed in before and are live."""

    parcels: tuple[Parcel, ...]
    options: Mapping[str, str] = field(default_factory=dict)
    declared_on: str = "20261123"
    classes: tuple[str, ...] = ("A", "B", "C")
    earlier: tuple[Parcel, ...] = ()


Cases = Iterator[Case]
Body = Callable[["Context"], Cases]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule with everything that can be said about it. Dates are yyyy-mm-dd, "" where open.

    `applies_to` is a class, or EXP or all for every express shipment. `fields` are schema elements, `inputs`
    facts that no element holds. `bounds` names the code table that holds dated bounds: then its rows decide
    the dates and not `effective_from` and `effective_to`. `certainty`: primary (text read), secondary (trustworthy report), inferred.
    """

    id: str
    family: str
    title_zh: str
    title_en: str
    applies_to: Applies
    fields: tuple[str, ...]
    severity: Severity
    action: Action
    legal_source: str
    effective_from: str
    effective_to: str
    dated_by: DatedBy
    certainty: Certainty
    fix_zh: str
    fix_en: str
    passing: Example
    failing: Example
    cases: Body
    inputs: tuple[str, ...] = ()
    bounds: str = ""
    meaning: str = ""


_REGISTRY: dict[str, Rule] = {}


def rule(
    rule_id: str,
    *,
    title: tuple[str, str],
    fields: str,
    source: str,
    fix: tuple[str, str],
    passing: Parcel | tuple[Parcel, ...] | Example,
    failing: Parcel | tuple[Parcel, ...] | Example,
    applies: Applies = "EXP",
    severity: Severity = "reject",
    action: Action = "reject",
    start: str = "",
    end: str = "",
    dated_by: DatedBy = "movement",
    certainty: Certainty = "secondary",
    inputs: str = "",
    bounds: str = "",
) -> Callable[[Body], Body]:
    """Register a function as the body of a rule; pairs are (zh, en), lists are separated by `;`."""

    def register(body: Body) -> Body:
        if rule_id in _REGISTRY:
            raise ValueError(f"two rules called {rule_id}")
        _REGISTRY[rule_id] = Rule(
            id=rule_id,
            family=body.__module__.rpartition(".")[2],
            title_zh=title[0],
            title_en=title[1],
            applies_to=applies,
            fields=tuple(fields.split(";")),
            severity=severity,
            action=action,
            legal_source=source,
            effective_from=start,
            effective_to=end,
            dated_by=dated_by,
            certainty=certainty,
            fix_zh=fix[0],
            fix_en=fix[1],
            passing=_example(passing),
            failing=_example(failing),
            cases=body,
            inputs=tuple(inputs.split(";")) if inputs else (),
            bounds=bounds,
            meaning=(body.__doc__ or "").strip(),
        )
        return body

    return register


def _example(given: Parcel | tuple[Parcel, ...] | Example) -> Example:
    if isinstance(given, Example):
        return given
    return Example(given if isinstance(given, tuple) else (given,))


def registered() -> tuple[Rule, ...]:
    """All rules that have registered so far, in order of registration."""
    return tuple(_REGISTRY.values())
