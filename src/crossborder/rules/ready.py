"""Cases made ready to be asked: every expression built once for a context, then used for every hand-in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from crossborder.rules.context import Context
from crossborder.rules.elements import element
from crossborder.rules.model import Case, Rule
from crossborder.shipments.asking import Question
from crossborder.shipments.columns import COLUMNS, personal_names

KEYS = ("ship", "sheet", "row")
"""Columns that a finding takes from the frame of its case."""
_PERSONAL = personal_names() | {"_party", "_party_address", "_party_phone", "_id"}


@dataclass(frozen=True, eq=False)
class Ready:
    """One case of a rule in a context. `force` says in which rows the rule is in force; None: in all.

    `told` are the columns of a finding that the case itself knows, over its rows.
    """

    rule: Rule
    case: Case
    told: tuple[pl.Expr, ...]
    force: pl.Expr | None = None

    def within(self, force: pl.Expr) -> Ready:
        """The same case where its rule is in force in some rows only."""
        return Ready(self.rule, self.case, self.told, force)

    @cached_property
    def when(self) -> pl.Expr:
        """Where the rule is broken this way: in force, for its class, by the case's own condition."""
        when = self.case.when if self.force is None else self.case.when & self.force
        if self.rule.applies_to in ("A", "B", "C"):
            return (pl.col("_class") == self.rule.applies_to) & when
        return when

    @cached_property
    def alone(self) -> Question:
        """The question of a case without a screen."""
        return self._question(self.when)

    @cached_property
    def screen(self) -> pl.Expr | None:
        """The rows in which the case is looked at; None: all."""
        if self.case.holds:
            return pl.col(self.case.column).str.contains(self.case.holds)
        return self.case.screen

    @cached_property
    def screened(self) -> Question:
        """Whether the screen lets a row through.

        Where a character is looked for it is looked for in the texts of all rows put together, which is quicker
        than row by row.
        """
        if self.case.holds:
            text = pl.col(self.case.column).str.join("")
            return self._question(text.str.contains(self.case.holds))
        assert self.case.screen is not None
        return self._question(self.case.screen)

    def _question(self, when: pl.Expr) -> Question:
        return Question(
            when, bool(self.case.over), keep=_PERSONAL.isdisjoint(when.meta.root_names())
        )

    @property
    def together(self) -> object:
        """Cases with the same key are looked at in the same rows."""
        case = self.case
        if case.holds:
            return (case.frame, case.column, case.holds)
        return id(self if case.screen is None else case.screen)

    @cached_property
    def needed(self) -> frozenset[str]:
        """The columns of the frame that `when` and `told` look at."""
        looked = (self.when, *self.told)
        return frozenset(name for expr in looked for name in expr.meta.root_names())


def ready(rule: Rule, ctx: Context) -> tuple[Ready, ...]:
    """The cases of a rule, made once for each context; two threads may make them at once, the same ones."""
    if rule.id not in ctx.memo:
        ctx.memo[rule.id] = tuple(Ready(rule, c, tuple(_told(rule, c))) for c in rule.cases(ctx))
    found: tuple[Ready, ...] = ctx.memo[rule.id]
    return found


def _told(rule: Rule, case: Case) -> Iterator[pl.Expr]:
    severity, action = case.severity or rule.severity, case.action or rule.action
    if case.severity == "warn" and not case.action:
        action = "note"
    shown = case.says or (case.column if case.column in COLUMNS[case.frame] else "")
    said = {
        "element": pl.lit(element(case.frame, case.column), dtype=pl.String),
        "rule": pl.lit(rule.id),
        "severity": pl.lit(severity),
        "action": pl.lit(action),
        "value": pl.col(shown) if shown else pl.lit(None, dtype=pl.String),
        "zh": case.text(case.zh),
        "en": case.text(case.en),
        "fix_zh": case.text(case.fix_zh or rule.fix_zh),
        "fix_en": case.text(case.fix_en or rule.fix_en),
        "suggest": (pl.lit(None) if case.suggest is None else case.suggest).cast(pl.String),
        "source": pl.lit(rule.legal_source),
    }
    yield from map(pl.col, KEYS)
    yield from (expr.alias(name) for name, expr in said.items())


@dataclass(frozen=True, eq=False)
class Bundle:
    """Cases that are looked at in the same rows of one frame, with the position of each among all."""

    members: tuple[tuple[int, Ready], ...]

    @property
    def first(self) -> Ready:
        """The case that speaks for all about frame and screen."""
        return self.members[0][1]

    @property
    def question(self) -> Question:
        """Whether there is any row to look at."""
        return self.first.alone if self.first.screen is None else self.first.screened

    @property
    def needed(self) -> list[str]:
        """The columns that are wanted of these rows."""
        return sorted({*KEYS, *(name for _, one in self.members for name in one.needed)})


def bundles(asked: Iterable[tuple[int, Ready]]) -> list[Bundle]:
    """Cases with the same screen together; one without a screen by itself."""
    found: dict[object, list[tuple[int, Ready]]] = {}
    for position, one in asked:
        found.setdefault(one.together, []).append((position, one))
    return [Bundle(tuple(members)) for members in found.values()]
