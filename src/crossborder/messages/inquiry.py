"""The compiled checks of a group and the code tables of a day, made ready to be asked together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import polars as pl

from crossborder import codes
from crossborder.messages.checks import Check, Gate, GroupChecks, Lookup
from crossborder.shipments.asking import AS_WRITTEN, MANY, Panel, Question, filled

Places = Mapping[int, pl.Series]
"""Number of a question → the places of the rows (UInt32, from 0) where it holds; none where it holds nowhere."""


@dataclass(frozen=True, eq=False)
class Unsure:
    """A look-up that no complete table can answer; `misses`: where the incomplete one has no answer.

    `known`: there is a table at all.
    """

    lookup: Lookup
    known: bool
    misses: Question


@dataclass(frozen=True, eq=False)
class Inquiry:
    """Gates, and look-ups that are unsure. Questions are counted through: first the gates, then the look-ups."""

    gates: tuple[Gate, ...]
    unsure: tuple[Unsure, ...] = ()

    @cached_property
    def panel(self) -> Panel:
        """All questions."""
        return Panel(
            [*(gate.question for gate in self.gates), *(one.misses for one in self.unsure)]
        )

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        """The single checks, gate by gate."""
        return tuple(check for gate in self.gates for check in gate.checks)

    @cached_property
    def firsts(self) -> list[int]:
        """The place of the first check of each gate among `checks`."""
        sizes, at = [len(gate.checks) for gate in self.gates], 0
        firsts = []
        for size in sizes:
            firsts.append(at)
            at += size
        return firsts

    @cached_property
    def _about(self) -> list[tuple[int, str, bool]]:
        """Number, element, and whether only an empty value counts."""
        asked = [(gate.checks[0].element, gate.of_empty) for gate in self.gates]
        asked += [(one.lookup.element.name, False) for one in self.unsure]
        return [(i, element, empty) for i, (element, empty) in enumerate(asked)]

    def ask(self, rows: pl.DataFrame) -> Places:
        """Where each question holds; those that no value of the rows can fail are not asked."""
        values, height = filled(rows), rows.height
        asked = [
            i for i, element, empty in self._about
            if (values[element] < height if empty else values[element])
        ]  # fmt: skip
        if height >= MANY:
            within = self._within(rows, asked)
            asked = [i for i in asked if i not in within]
        return self.panel.ask(rows, asked, sparing=True)

    def _within(self, rows: pl.DataFrame, asked: Sequence[int]) -> frozenset[int]:
        """The gates that look at lengths alone, and need not, since the bytes of every value are as few and as many as
        the characters may be; bytes are counted already. (A character has one to four of them in UTF-8.)"""
        bounds = {
            str(i): gate.within
            for i, gate in ((i, self.gates[i]) for i in asked if i < len(self.gates))
            if gate.within is not None
        }
        if not bounds:
            return frozenset()
        sizes = [
            pl.col(self.gates[int(i)].checks[0].element).str.len_bytes().alias(i) for i in bounds
        ]
        fits = [
            (pl.col(i).min() > 4 * (least - 1)) & (pl.col(i).max() <= most)
            for i, (least, most) in bounds.items()
        ]
        query = rows.lazy().select(sizes).select(fits)
        told = query.collect(engine="in-memory", optimizations=AS_WRITTEN)
        return frozenset(int(name) for name, fit in zip(bounds, told.row(0), strict=True) if fit)


@lru_cache(maxsize=64)
def inquiry(
    checks: GroupChecks, tables: codes.Tables | None = None, on: str | None = None
) -> Inquiry:
    """The checks of a group, with its look-ups in the tables of a day; without tables none are looked up."""
    if tables is None:
        return Inquiry(checks.gates)
    sure, unsure = in_tables(checks.lookups, tables, on)
    return Inquiry((*checks.gates, *(check.alone for check in sure)), unsure)


@lru_cache(maxsize=64)
def only_tables(checks: GroupChecks, tables: codes.Tables, on: str | None) -> Inquiry:
    """The look-ups of a group in complete tables, nothing else."""
    return Inquiry(tuple(check.alone for check in in_tables(checks.lookups, tables, on)[0]))


def in_tables(
    lookups: Sequence[Lookup], tables: codes.Tables, on: str | None
) -> tuple[tuple[Check, ...], tuple[Unsure, ...]]:
    """Checks against complete tables, and the look-ups that no complete table can answer."""
    checks: list[Check] = []
    unsure: list[Unsure] = []
    for lookup in lookups:
        known = tables.codes(lookup.table, on)
        if tables.coverage(lookup.table, on) == "complete":
            checks.append(lookup.check(known))
        else:
            misses = Question(lookup.misses(known), keep=lookup.keep, only_if=lookup.only_if)
            unsure.append(Unsure(lookup, bool(known), misses))
    return tuple(checks), tuple(unsure)
