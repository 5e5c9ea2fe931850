"""What only the whole hand-in shows, when it came block by block: shipments compared with each other, and manifests.

Each block leaves the facts that are needed in a spool. When the last one has passed, shipments that have something in
common come back together and are judged by the same rules as a hand-in that was read in one piece.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import polars as pl

from crossborder import messages, rules
from crossborder.engine import repeats
from crossborder.engine.pure import Judge, JudgedBlock, of_manifest
from crossborder.engine.results import Checked
from crossborder.engine.spool import Spool
from crossborder.shipments import FrameSet
from crossborder.shipments import findings as found
from crossborder.shipments.columns import COLUMNS, FrameName
from crossborder.shipments.frames import complete, empty

_MASTER = ("_master",)
_KEPT = ("ship", "sheet", "row", "unreadable")
_FACTS = {"key": pl.String, "outcome": pl.String, "endpoint": pl.String, "verdict": pl.String}


@dataclass(frozen=True)
class Lot:
    """Shipments that have something in common, all of the hand-in; `facts`: `ship, key, outcome, endpoint, verdict`.

    `survey` is what their manifests hold, where these are whole master waybills.
    """

    frames: FrameSet
    facts: pl.DataFrame
    survey: messages.Survey | None = None


@dataclass(frozen=True)
class Told:
    """What a step found; `lot` where it was about master waybills, which then are whole in it."""

    findings: pl.DataFrame
    lot: Lot | None = None


Step = Callable[[], Told]


class Across:
    """The facts of one hand-in, and what they show in the end. For one thread."""

    def __init__(self, judge: Judge, spool: Spool) -> None:
        self._judge = judge
        self._spool = spool
        self._bonds = list(dict.fromkeys([repeats.OVER, *rules.bonds(judge.context)]))
        self._columns = sorted({*messages.manifest_columns(), *rules.ACROSS_COLUMNS})
        self._headers: Mapping[FrameName, Mapping[str, str]] = {}
        self._unanswered = pl.DataFrame(schema=messages.UNANSWERED)
        self._about_file = found.empty()
        self._missing: frozenset[str] | None = None

    @property
    def missing(self) -> list[str]:
        """Columns that always must be filled, and that nobody filled in any block."""
        return [c for c in COLUMNS["shipments"] if c in (self._missing or ())]

    def facts(self, checked: Checked, plan: pl.DataFrame) -> pl.DataFrame:
        """What is to be kept of a block; `plan` is `ship, key`, and where there is a ledger `outcome, endpoint`.

        May be called from several threads.
        """
        ships = checked.frames.shipments
        known = ships.select("ship").join(
            checked.verdicts.join(plan, on="ship"), on="ship", maintain_order="left"
        )
        return ships.select(*_KEPT, *self._columns).with_columns(
            *(rules.in_common(ships, over).alias(_name(over)) for over in [_MASTER, *self._bonds]),
            *(
                known[n] if n in known.columns else pl.lit(None, dtype=kind).alias(n)
                for n, kind in _FACTS.items()
            ),
        )

    def correct(self, facts: pl.DataFrame) -> None:
        """The facts of the last block are others after all."""
        self._spool.correct(facts)

    def add(self, block: JudgedBlock, facts: pl.DataFrame) -> None:
        """The next block."""
        self._spool.add(facts)
        self._headers = block.checked.frames.headers
        self._missing = block.missing if self._missing is None else self._missing & block.missing
        self._unanswered = messages.summed([self._unanswered, block.unanswered])
        told = [self._about_file, block.about_file]
        self._about_file = pl.concat(told).unique(maintain_order=True)

    def about_file(self) -> pl.DataFrame:
        """Findings that are about no single shipment: from reading, and codes that no table could judge."""
        context = self._judge.context
        none = empty("shipments"), empty("goods"), empty("documents")
        frames = FrameSet(*none, self._headers)
        plan = messages.compile_plan("EXP301")
        told = messages.told(plan, self._unanswered, frames, context.tables, context.declared_on)
        return found.gather([self._about_file, told])

    def steps(self) -> Iterator[Step]:
        """What is left to do when the last block has passed: first shipments are compared, then come master waybills.

        Steps may be done in several threads; taking the next one reads what it needs.
        """
        for over in self._bonds:
            for lot in self._lots(over, least=2):
                yield partial(self._compared, lot, over)
        for lot in self._lots(_MASTER, least=1):
            yield partial(self._master, lot)
        for rows in self._spool.without(_name(_MASTER), self._wanted):
            yield partial(_nothing_told, self._lot(rows))

    def _compared(self, lot: Lot, over: tuple[str, ...]) -> Told:
        """The findings of the rules that compare shipments."""
        told = rules.check_across(lot.frames, self._judge.context, over)
        if over == repeats.OVER:
            told = found.gather([told, self._unnoticed(lot, told)])
        return Told(_not_filed(told, lot))

    def _master(self, lot: Lot) -> Told:
        """Whole master waybills, with the findings that only their manifests have."""
        context = self._judge.context
        options = context.profile.options
        survey = messages.survey_manifests(lot.frames, options)
        told = messages.manifest_findings(
            lot.frames, context.tables, context.declared_on, options=options,
            most_houses=self._judge.most_houses, surveyed=survey,
        )  # fmt: skip
        told = of_manifest(told, context)
        return Told(_not_filed(told, lot), replace(lot, survey=survey))

    @property
    def _wanted(self) -> list[str]:
        return [*_KEPT, *self._columns, *_FACTS]

    def _lots(self, over: tuple[str, ...], least: int) -> Iterator[Lot]:
        for rows in self._spool.lots(_name(over), self._wanted, least=least):
            yield self._lot(rows)

    def _lot(self, rows: pl.DataFrame) -> Lot:
        heads = complete("shipments", rows)
        frames = FrameSet(heads, empty("goods"), empty("documents"), self._headers)
        return Lot(frames, rows.select("ship", *_FACTS))

    def _unnoticed(self, lot: Lot, told: pl.DataFrame) -> pl.DataFrame:
        """Keys that the ledger will not take twice, where no rule said so; only where there is a ledger."""
        fine = lot.facts.filter(pl.col("verdict") == "valid", pl.col("outcome").is_not_null())
        rejected = told.filter(pl.col("action") == "reject")["ship"]
        fine = fine.filter(
            ~pl.col("ship").is_in(rejected.implode()), pl.col("outcome") != "already_filed"
        )
        return repeats.unnoticed(lot.frames, lot.facts, fine["ship"], self._judge.context)


def _nothing_told(lot: Lot) -> Told:
    return Told(found.empty(), lot)


def _name(over: tuple[str, ...]) -> str:
    return "#" + "&".join(over)


def _not_filed(findings: pl.DataFrame, lot: Lot) -> pl.DataFrame:
    """Without those of shipments that are already filed, of which nothing is said."""
    filed = lot.facts.filter(pl.col("outcome") == "already_filed")["ship"]
    return findings.filter(~pl.col("ship").is_in(filed.implode()))
