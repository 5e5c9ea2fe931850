"""The compiled checks of one message: what is looked for in every value, and what is said about it.

Each element may have one filling fault, else one facet fault, else one code fault: one fault, one finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from crossborder import codes, schema
from crossborder.messages import conditions, texts
from crossborder.messages.mapping import MessageMapping
from crossborder.messages.texts import Text
from crossborder.shipments.asking import Look, Question
from crossborder.shipments.columns import personal_names

FILLING, FACET, CODE = range(3)
"""Ranks of checks. Those of one element are asked in this order; of several faults the first is told."""


@dataclass(frozen=True, eq=False)
class Check:
    """One question about one element. `fails` is true where the value breaks it (null: it does not).

    `keep`: it looks at nobody's personal data, so that answers may be remembered; `looks` and `only_if` as of a `Question`.
    `known`: the codes that there are, where it looks one up.
    """

    element: str
    rank: int
    rule: str
    fails: pl.Expr
    text: Text
    keep: bool = False
    known: frozenset[str] = frozenset()
    looks: Mapping[str, Look] = field(default_factory=dict)
    only_if: tuple[pl.Expr, ...] = ()

    @property
    def question(self) -> Question:
        """Where it fails."""
        return Question(self.fails, keep=self.keep, looks=self.looks, only_if=self.only_if)

    @cached_property
    def alone(self) -> Gate:
        """A gate of this check by itself, which only a filled value can fail."""
        return Gate(self.question, (self,))


@dataclass(frozen=True, eq=False)
class Gate:
    """Checks of one element that are looked at singly only if the question is answered with yes: two phases.

    `of_empty`: only an empty value can fail; else only a filled one. `within`: no value can fail that has this many
    characters, neither fewer nor more, because nothing but its length is looked at.
    """

    question: Question
    checks: tuple[Check, ...]
    of_empty: bool = False
    within: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class Lookup:
    """A code table to be asked for an element; `asked` is true where the value is to be looked up."""

    element: schema.Element
    table: str
    rule: str
    asked: pl.Expr
    keep: bool = False
    only_if: tuple[pl.Expr, ...] = ()

    def misses(self, known: frozenset[str]) -> pl.Expr:
        """Where the value is looked up and is none of the codes known."""
        codes_known = pl.Series(sorted(known), dtype=pl.String)
        return self.asked & ~pl.col(self.element.name).is_in(codes_known.implode())

    def check(self, known: frozenset[str]) -> Check:
        """The check against a complete table."""
        about = codes.info(self.table)
        text = texts.not_in_table(self.element, about.title_zh, about.title_en)
        misses = self.misses(known)
        return Check(
            self.element.name, CODE, self.rule, misses, text, self.keep, known, only_if=self.only_if
        )


@dataclass(frozen=True, eq=False)
class GroupChecks:
    """All checks of the rows of one group.

    `context` are head elements that conditions here refer to: head element → column name in the rows.
    """

    group: str
    gates: tuple[Gate, ...]
    lookups: tuple[Lookup, ...]
    context: Mapping[str, str]


def compile_checks(tree: schema.ElementTree, mapping: MessageMapping) -> tuple[GroupChecks, ...]:
    """The checks of every group, in schema order."""
    return tuple(_Compiler(tree, mapping, group).compiled() for group in tree.groups)


def context_name(group: str, element: str) -> str:
    """Column that holds a head element beside the rows of another group."""
    return f"{group}.{element}"


class _Compiler:
    """Collects the checks of one group."""

    def __init__(
        self, tree: schema.ElementTree, mapping: MessageMapping, group: schema.Group
    ) -> None:
        self.tree = tree
        self.mapping = mapping
        self.group = group
        self.context: dict[str, str] = {}
        self.filling = [r for r in schema.filling(tree.message) if r.group == group.name]
        self.codes = [r for r in schema.code_lists(tree.message) if r.group == group.name]
        self.rules = schema.facet_rules(tree.message)

    def compiled(self) -> GroupChecks:
        gates = [gate for element in self.group.elements for gate in self._element(element)]
        lookups = tuple(self._lookups())
        return GroupChecks(self.group.name, tuple(gates), lookups, dict(self.context))

    def _element(self, element: schema.Element) -> Iterator[Gate]:
        source = self.mapping.groups[self.group.name].elements.get(element.name)
        if source is None or source.sum or source.count:
            return
        given = source.given is not None
        for row in self.filling:
            if row.element == element.name and row.need != "O" and not given:
                check = self._filling(element, row)
                yield Gate(check.question, (check,), of_empty=row.need == "R")
        facets = self._facets(element)
        if facets:
            yield Gate(self._sound(element), facets, within=schema.lengths(element))
        for code in self.codes:
            if code.element == element.name and not code.table and not given:
                yield self._listed(element, code).alone

    def _sound(self, element: schema.Element) -> Question:
        """Whether a value breaks any facet."""
        unsound = ~schema.holds(element, pl.col(element.name))
        look = schema.looks_at(element)
        keep = look == "length" or self._plain(element.name)
        return Question(unsound, keep=keep, looks={element.name: look})

    def _plain(self, element: str) -> bool:
        """Whether the values of an element are nobody's personal data."""
        found = self.tree.resolve(self.group.name, element)
        source = self.mapping.groups[found.group].elements.get(element) if found else None
        return source is None or personal_names().isdisjoint(
            {*source.columns(), *source.expr().meta.root_names()}
        )

    def _only_given(
        self, element: schema.Element, clauses: tuple[schema.Clause, ...]
    ) -> dict[str, Look]:
        """The columns of which a check of filling asks only whether they hold a value."""
        looks: dict[str, Look] = {element.name: "given"}
        for clause in clauses:
            (name,) = self._column(clause.element).meta.root_names()
            if clause.op in ("in", "not in"):
                looks[name] = "value"
            else:
                looks.setdefault(name, "given")
        return looks

    def _filling(self, element: schema.Element, row: schema.FillingRow) -> Check:
        value, when = pl.col(element.name), self._words(row.clauses)
        needed = row.need == "R"
        fails = value.is_null() if needed else value.is_not_null()
        text = texts.required(element, when) if needed else texts.must_be_empty(element, when)
        looks = self._only_given(element, row.clauses)
        compared = [c.element for c in row.clauses if c.op in ("in", "not in")]
        keep = all(map(self._plain, compared))
        fails = self._while(row.clauses, fails)
        only_if = self._only_if(row.clauses)
        return Check(
            element.name, FILLING, row.rule, fails, text, keep, looks=looks, only_if=only_if
        )

    def _facets(self, element: schema.Element) -> tuple[Check, ...]:
        broken = schema.facet_failures(element, pl.col(element.name))
        return tuple(
            Check(
                element.name, FACET, self._facet_rule(element.name, facet), fails,
                texts.facet(element, facet),
            )
            for facet, fails in broken.items()
        )  # fmt: skip

    def _facet_rule(self, element: str, facet: str) -> str:
        found = self.rules.get((element, facet))
        if found is None and facet == "maxLength":
            found = self.mapping.too_long
        return found or f"XSD-{element}-{facet}"

    def _listed(self, element: schema.Element, row: schema.CodeRow) -> Check:
        value, when = pl.col(element.name), self._words(row.clauses)
        if row.values:
            fails = ~value.is_in(list(row.values))
            text = texts.allowed(element, row.values, when)
        else:
            fails = ~value.str.contains(schema.to_rust(row.form))
            text = texts.form(element, row.form, when)
        keep, fails = self._plain(element.name), self._while(row.clauses, fails)
        only_if = self._only_if(row.clauses)
        return Check(element.name, CODE, row.rule, fails, text, keep, only_if=only_if)

    def _lookups(self) -> Iterator[Lookup]:
        named = self.mapping.groups[self.group.name].elements
        for row in self.codes:
            element = next(e for e in self.group.elements if e.name == row.element)
            if not row.table or element.name not in named:
                continue
            asked = pl.col(element.name).is_not_null()
            if row.form:
                asked &= pl.col(element.name).str.contains(schema.to_rust(row.form))
            asked = self._while(row.clauses, asked)
            keep, only_if = self._plain(element.name), self._only_if(row.clauses)
            yield Lookup(element, row.table, row.rule, asked, keep, only_if)

    def _while(self, clauses: tuple[schema.Clause, ...], fails: pl.Expr) -> pl.Expr:
        condition = conditions.holds(clauses, self._column)
        return fails if condition is None else fails & condition

    def _only_if(self, clauses: tuple[schema.Clause, ...]) -> tuple[pl.Expr, ...]:
        """The single conditions of clauses that compare nobody's personal data."""
        plain = [(clause,) for clause in clauses if self._plain(clause.element)]
        return tuple(
            e for e in (conditions.holds(one, self._column) for one in plain) if e is not None
        )

    def _column(self, element: str) -> pl.Expr:
        if any(e.name == element for e in self.group.elements):
            return pl.col(element)
        head = self.tree.resolve(self.group.name, element)
        if head is None:
            raise AssertionError(f"{element} was resolved when the filling table was read")
        return pl.col(self.context.setdefault(element, context_name(head.group, element)))

    def _words(self, clauses: tuple[schema.Clause, ...]) -> tuple[str, str]:
        def label(element: str) -> str:
            found = self.tree.resolve(self.group.name, element)
            return found.label_zh if found else element

        return conditions.words(clauses, label)
