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
from crossborder.engine.earlier import Heads, Keys
from crossborder.engine.pure import Judge, JudgedBlock, of_manifest
from crossborder.engine.results import Checked
from crossborder.engine.spool import Spool
from crossborder.shipments import FrameSet
from crossborder.shipments import findings as found
from crossborder.shipments.columns import COLUMNS, FrameName
from crossborder.shipments.frames import complete, empty

_MASTER = ("_master",)
_PARTY = ("_party",)
_WIDE = ("party_id", "receiver_phone", "sender_phone", "receiver_address", "sender_address")
"""What only shipments that are compared are asked for: their numbers stand in for it until something is found."""
_NAMES = ("receiver_name", "sender_name")
"""What is compared and never shown: its number is all that is kept."""
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


@dataclass(frozen=True)
class Facts:
    """What is kept of a block: a narrow frame, and of the same shipments the wide columns."""

    narrow: pl.DataFrame
    wide: pl.DataFrame


Step = Callable[[], Told]
Earlier = Callable[[pl.DataFrame, Keys, Heads], pl.DataFrame]


class Across:
    """The facts of one hand-in, and what they show in the end. For one thread."""

    def __init__(self, judge: Judge, spool: Spool) -> None:
        self._judge = judge
        self._spool = spool
        self._bonds = list(dict.fromkeys([repeats.OVER, *rules.bonds(judge.context)]))
        compared = {*rules.ACROSS_COLUMNS} - {*_WIDE, *_NAMES}
        self._columns = sorted({*messages.manifest_columns(), *compared})
        self._numbers = [_name(over) for over in (_PARTY, *_STAND_IN)]
        self._headers: Mapping[FrameName, Mapping[str, str]] = {}
        self._unanswered = pl.DataFrame(schema=messages.UNANSWERED)
        self._about_file = found.empty()
        self._missing: frozenset[str] | None = None

    @property
    def missing(self) -> list[str]:
        """Columns that always must be filled, and that nobody filled in any block."""
        return [c for c in COLUMNS["shipments"] if c in (self._missing or ())]

    def facts(self, checked: Checked, plan: pl.DataFrame) -> Facts:
        """What is to be kept of a block; `plan` is `ship, key`, and where there is a ledger `outcome, endpoint`.

        May be called from several threads.
        """
        ships = checked.frames.shipments
        known = ships.select("ship").join(
            checked.verdicts.join(plan, on="ship"), on="ship", maintain_order="left"
        )
        overs = dict.fromkeys([_MASTER, _PARTY, *_STAND_IN, *self._bonds])
        narrow = ships.select(*_KEPT, *self._columns).with_columns(
            *(rules.in_common(ships, over).alias(_name(over)) for over in overs),
            *(
                known[n] if n in known.columns else pl.lit(None, dtype=kind).alias(n)
                for n, kind in _FACTS.items()
            ),
        )
        return Facts(narrow, ships.select("ship", *_WIDE))

    def correct(self, facts: Facts, marks: pl.DataFrame | None = None) -> None:
        """The facts of the last block, and its marks, are others after all."""
        self._spool.correct(facts.narrow, marks)

    def add(self, block: JudgedBlock, facts: Facts, marks: pl.DataFrame | None = None) -> None:
        """The next block; `marks` are what its parcels may have in common with those of earlier batches."""
        self._spool.add(facts.narrow, facts.wide, marks)
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

    def steps(self, earlier: Earlier | None = None) -> Iterator[Step]:
        """What is left to do when the last block has passed: first shipments are compared, then come master waybills.

        `earlier` finds what those of earlier batches say. Steps may be done in several threads; taking the next one reads what it needs.
        """
        marks = self._spool.marks() if earlier is not None else None
        if earlier is not None and marks is not None:
            yield partial(self._before, marks, earlier)
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
        return Told(self._named(_not_filed(told, lot)))

    def _before(self, marks: pl.DataFrame, earlier: Earlier) -> Told:
        """The findings about parcels that earlier batches make one purchase."""
        return Told(earlier(marks, self._anew, self._heads))

    def _anew(self, keys: pl.Series) -> pl.Series:
        """Those of some keys that stand in this hand-in, but not as already filed."""
        here = pl.col("key").is_in(keys.implode()) & (pl.col("outcome") != "already_filed")
        return self._spool.where(here, ["key", "outcome"])["key"]

    def _heads(self, ships: pl.Series) -> FrameSet:
        """Some shipments, as far as findings show them."""
        rows = self._spool.where(pl.col("ship").is_in(ships.implode()), [*_KEPT, *self._columns])
        heads = complete("shipments", rows.join(self._spool.wide(ships), on="ship"))
        return FrameSet(heads, empty("goods"), empty("documents"), self._headers)

    def _named(self, findings: pl.DataFrame) -> pl.DataFrame:
        """With the texts that numbers stood in for."""
        of_wide = pl.col("element").is_in(list(_ELEMENTS)) & pl.col("value").is_not_null()
        ships = findings.filter(of_wide)["ship"].unique()
        if ships.is_empty():
            return findings
        texts = findings.select("ship").join(
            self._spool.wide(ships), on="ship", how="left", maintain_order="left"
        )
        value = pl.coalesce(
            *(pl.when(pl.col("element") == e).then(texts[c]) for e, c in _ELEMENTS.items()), "value"
        )
        return findings.with_columns(value=pl.when(of_wide).then(value).otherwise("value"))

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
        return [*_KEPT, *self._columns, *self._numbers, *_FACTS]

    def _lots(self, over: tuple[str, ...], least: int) -> Iterator[Lot]:
        for rows in self._spool.lots(_name(over), self._wanted, least=least):
            yield self._lot(rows)

    def _lot(self, rows: pl.DataFrame) -> Lot:
        heads = complete("shipments", rows.with_columns(_stand_ins()))
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


_STAND_IN = (("party_id",), ("_party_phone",), ("_party_address",))
_ELEMENTS = {str(rules.element("shipments", column)): column for column in _WIDE}


def _stand_ins() -> list[pl.Expr]:
    """Numbers as texts in the place of what is compared: equal where it is, and null where it is."""
    found = [pl.col(_name(("party_id",))).cast(pl.String).alias("party_id")]
    for what in ("name", "phone", "address"):
        over = _PARTY if what == "name" else (f"_party_{what}",)
        number = pl.col(_name(over)).cast(pl.String)
        for side, way in (("receiver", "I"), ("sender", "E")):
            found.append(pl.when(pl.col("direction") == way).then(number).alias(f"{side}_{what}"))
    return found


def _not_filed(findings: pl.DataFrame, lot: Lot) -> pl.DataFrame:
    """Without those of shipments that are already filed, of which nothing is said."""
    filed = lot.facts.filter(pl.col("outcome") == "already_filed")["ship"]
    return findings.filter(~pl.col("ship").is_in(filed.implode()))
