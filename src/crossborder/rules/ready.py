"""Cases made ready to be asked: every expression built once for a context, then used for every hand-in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from crossborder.rules.charsets import unusual
from crossborder.rules.context import Context
from crossborder.rules.elements import element
from crossborder.rules.grades import action_of
from crossborder.rules.model import Case, Rule
from crossborder.shipments.asking import Panel, Question, filled
from crossborder.shipments.columns import COLUMNS, personal_names

_PERSONAL = personal_names() | {"_party", "_party_address", "_party_phone", "_id"}


def _impersonal(expr: pl.Expr) -> bool:
    return _PERSONAL.isdisjoint(expr.meta.root_names())


def _only_if(when: pl.Expr) -> tuple[pl.Expr, ...]:
    """The conditions among those of `when` that look at one column only, which is nobody's personal data."""
    parts = list(_all_of(when))
    if len(parts) == 1:
        return ()
    return tuple(p for p in parts if len(set(p.meta.root_names())) == 1 and _impersonal(p))


def _all_of(when: pl.Expr) -> Iterator[pl.Expr]:
    """The conditions that must all hold."""
    inputs = when.meta.pop()
    if len(inputs) == 2 and when.meta.eq(inputs[1] & inputs[0]):
        for part in reversed(inputs):
            yield from _all_of(part)
    else:
        yield when


@dataclass(frozen=True, eq=False)
class Said:
    """What the findings of a case say.

    `fixed` are the columns of a finding that are the same in all of them; `value` is the column of the frame that
    is shown as value, if any; `made` are the columns that are made from each row.
    """

    fixed: Mapping[str, str | None]
    value: str | None
    made: Mapping[str, pl.Expr]

    @cached_property
    def needed(self) -> list[str]:
        """The columns of the frame that `made` looks at."""
        return sorted({n for expr in self.made.values() for n in expr.meta.root_names()})


@dataclass(frozen=True, eq=False)
class Ready:
    """One case of a rule in a context. `force` says in which rows the rule is in force; None: in all."""

    rule: Rule
    case: Case
    said: Said
    force: pl.Expr | None = None

    def within(self, force: pl.Expr) -> Ready:
        """The same case where its rule is in force in some rows only."""
        return Ready(self.rule, self.case, self.said, force)

    @cached_property
    def when(self) -> pl.Expr:
        """Where the rule is broken this way: in force, for its class, by the case's own condition."""
        when = self.case.when if self.force is None else self.case.when & self.force
        if self.rule.applies_to in ("A", "B", "C"):
            return (pl.col("_class") == self.rule.applies_to) & when
        return when

    @cached_property
    def screen(self) -> pl.Expr | None:
        """The rows in which the case is looked at; None: all."""
        if self.case.holds:
            return pl.col(self.case.column).str.contains(self.case.holds)
        return self.case.screen

    @cached_property
    def question(self) -> Question:
        """Which rows are to be looked at: those of the screen; without one, where the rule is broken.

        What is asked only where there are unusual characters is not worth remembering.
        """
        when = self.when if self.screen is None else self.screen
        keep = _impersonal(when) and not self.unusual
        only_if = () if self.case.over else _only_if(when)
        return Question(when, bool(self.case.over), keep=keep, only_if=only_if)

    @property
    def own_question(self) -> Question:
        """Whether the rule is broken, in rows that the screen has let through."""
        over = bool(self.case.over)
        return Question(self.when, over, keep=_impersonal(self.when) and not self.unusual)

    @cached_property
    def unusual(self) -> bool:
        """Whether it looks for the characters that are unusual for its column."""
        case = self.case
        return bool(case.holds) and case.holds == unusual(COLUMNS[case.frame][case.column].kind)

    @property
    def together(self) -> object:
        """Cases with the same key are looked at in the same rows."""
        case = self.case
        if case.holds:
            return (case.frame, case.column, case.holds)
        return id(self if case.screen is None else case.screen)

    @cached_property
    def needed(self) -> list[str]:
        """The columns of the frame that `when` looks at."""
        return sorted(set(self.when.meta.root_names()))


def ready(rule: Rule, ctx: Context) -> tuple[Ready, ...]:
    """The cases of a rule, made once for each context; two threads may make them at once, the same ones."""
    known: tuple[Rule, tuple[Ready, ...]] | None = ctx.memo.get(rule.id)
    if known is None or known[0] is not rule:
        known = rule, tuple(Ready(rule, c, _said(rule, c, ctx)) for c in cases_of(rule, ctx))
        ctx.memo[rule.id] = known
    return known[1]


def cases_of(rule: Rule, ctx: Context) -> Iterator[Case]:
    """The cases of a rule that are looked at: of one that is switched off only those that no switch changes."""
    off = ctx.grades.get(rule.id) == "off"
    return (case for case in rule.cases(ctx) if case.fixed or not off)


def _said(rule: Rule, case: Case, ctx: Context) -> Said:
    severity: str = case.severity or rule.severity
    action: str = case.action or rule.action
    if case.severity == "warn" and not case.action:
        action = "note"
    if not case.fixed:
        grade = ctx.grades.get(rule.id, "")
        severity, action = action_of(grade, rule.action, severity, action)
    texts = {
        "zh": case.zh,
        "en": case.en,
        "fix_zh": case.fix_zh or rule.fix_zh,
        "fix_en": case.fix_en or rule.fix_en,
    }
    shaped = {name: text for name, text in texts.items() if case.names(text)}
    made = {name: case.text(text) for name, text in shaped.items()}
    if case.suggest is not None:
        made["suggest"] = case.suggest.cast(pl.String)
    fixed = {
        "element": element(case.frame, case.column),
        "rule": rule.id,
        "severity": severity,
        "action": action,
        **{name: text for name, text in texts.items() if name not in shaped},
        "source": rule.legal_source,
    }
    own = case.column if case.column in COLUMNS[case.frame] else None
    shown = case.says or own
    return Said(fixed, shown, made)


@dataclass(frozen=True, eq=False)
class Bundle:
    """Cases that are looked at in the same rows of one frame, with the position of each among all."""

    members: tuple[tuple[int, Ready], ...]

    @property
    def question(self) -> Question:
        """Which rows are to be looked at: any member knows."""
        return self.members[0][1].question

    @property
    def screened(self) -> bool:
        """Whether the members have yet to be asked in these rows."""
        return self.members[0][1].screen is not None

    @cached_property
    def panel(self) -> Panel:
        """The questions of the members, in their order; about few rows that a screen lets through again and again, as
        it does with a word that counts in no rule, they are remembered."""
        return Panel(one.own_question for _, one in self.members)

    @cached_property
    def needed(self) -> list[str]:
        """The columns of the frame that the members look at."""
        return sorted({name for _, one in self.members for name in one.needed})


@dataclass(frozen=True, eq=False)
class Inquiry:
    """The cases that look at one frame, in bundles, made ready to be asked together."""

    bundles: tuple[Bundle, ...]

    @cached_property
    def panel(self) -> Panel:
        """The questions of the bundles, in their order."""
        return Panel(bundle.question for bundle in self.bundles)

    @cached_property
    def _about(self) -> list[tuple[str, ...]]:
        """Of each bundle the columns one of which must hold a value, none where that does not matter."""
        return [
            () if any(one.case.blank for _, one in bundle.members)
            else tuple({one.case.column for _, one in bundle.members})
            for bundle in self.bundles
        ]  # fmt: skip

    @cached_property
    def _holding(self) -> list[bool]:
        """Of each bundle whether it looks for the characters that are unusual for its column."""
        return [bundle.members[0][1].unusual for bundle in self.bundles]

    def asked(self, frame: pl.DataFrame, odd: frozenset[str]) -> list[int]:
        """Numbers of the bundles that may speak about a frame: some of their columns hold a value, and if they
        look for characters, unusual ones (`odd`)."""
        given = {n for n, count in filled(frame).items() if count}
        return [
            i for i, (names, holding) in enumerate(zip(self._about, self._holding, strict=True))
            if (not odd.isdisjoint(names) if holding else not names or not given.isdisjoint(names))
        ]  # fmt: skip


def inquiry(asked: Iterable[tuple[int, Ready]]) -> Inquiry:
    """Cases with the same screen together; one without a screen by itself."""
    found: dict[object, list[tuple[int, Ready]]] = {}
    for position, one in asked:
        found.setdefault(one.together, []).append((position, one))
    return Inquiry(tuple(Bundle(tuple(members)) for members in found.values()))
