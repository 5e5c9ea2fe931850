"""`record`: a hand-in from its first block to a sealed batch.

Two threads read, judge and compose blocks, the caller's thread writes the ledger, so memory is bounded by a few
blocks. A hand-in of one block takes the same steps in the caller's thread; what compares its shipments is known
before the first row is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import polars as pl

from crossborder.engine import pure, repeats
from crossborder.engine.across import Across, Facts, Step
from crossborder.engine.answers import Prepared
from crossborder.engine.batches import Listing
from crossborder.engine.collector import passing_over_what_is_there
from crossborder.engine.handing_in import HandIn
from crossborder.engine.looking import recorded_elsewhere
from crossborder.engine.pieces import finding_rows
from crossborder.engine.profiles import not_given
from crossborder.engine.proving import SMALL
from crossborder.engine.pure import Judge, JudgedBlock
from crossborder.engine.recording import Desk, Drafted, Met, Recording
from crossborder.engine.results import Checked
from crossborder.engine.sources import Block, Blocks, begun
from crossborder.engine.spool import Spool
from crossborder.engine.summary import RANKS, Tally, worst
from crossborder.engine.threads import begun as working
from crossborder.engine.threads import with_last
from crossborder.ledger import Marked, Settled
from crossborder.ledger.states import HELD


def record(blocks: Blocks, desk: Desk) -> Prepared:
    """Judge, compose, record, seal. A crash loses nothing and doubles nothing.

    Raises `JudgedOtherwise` where the hand-in must be opened and recorded anew, `LedgerError`, and what reading and
    judging raises; a batch begun by then is discarded.
    """
    only, several = begun(blocks)
    if only is not None:
        checked = desk.judge.whole(only.intake)
        with desk.alone:
            recording = Recording(desk, blocks, checked.rows)
            with recording.ends():
                return _whole(recording, checked)
    with desk.alone:
        recording = Recording(desk, blocks)
        with recording.ends():
            return _streamed(recording, blocks, several)


# -- a hand-in of one block


def _whole(recording: Recording, checked: Checked) -> Prepared:
    desk = recording.desk

    def made() -> Met:
        small = checked.verdicts.height < SMALL
        return recording.met(checked, partial(_compared, recording), small=small)

    hand_in, _ = recording.put(made(), made)
    desk.progress(hand_in.plan.height, hand_in.plan.height)
    listing = Listing(hand_in.checked.frames, desk.listed(hand_in), desk.judge.firm)
    recording.manifest(recording.drafted(listing))
    about_file = hand_in.checked.by_shipment.filter(pl.col("ship").is_null())
    tally = Tally()
    tally.add(hand_in.checked)
    return _answer(recording, tally, checked.rows, [], iter([about_file]))


def _compared(recording: Recording, hand_in: HandIn, marked: Marked | None) -> HandIn:
    """With what comparing its shipments shows: with each other, and with those of earlier batches."""
    hand_in = _refuse_repeats(hand_in, recording.desk.judge)
    if marked is None:
        return hand_in
    anew = hand_in.plan.filter(pl.col("outcome") != "already_filed")["key"]

    def keys(some: pl.Series) -> pl.Series:
        return some.filter(some.is_in(anew.implode()))

    return hand_in.told(recording.split(marked.frame, keys, lambda _: hand_in.checked.frames))


def _refuse_repeats(hand_in: HandIn, judge: Judge) -> HandIn:
    """Keys that stand more than once although no rule refused them are refused here."""
    valid = hand_in.checked.verdicts.filter(pl.col("verdict") == "valid")
    fine = hand_in.plan.join(valid, on="ship", how="semi").filter(
        pl.col("outcome").is_in(["prepared", "rejected"])
    )
    keys = hand_in.plan.select("ship", "key")
    told = repeats.unnoticed(hand_in.checked.frames, keys, fine["ship"], judge.context)
    if not told.height:
        return hand_in
    refused = pl.col("ship").is_in(told["ship"].implode())
    outcome = pl.when(refused).then(pl.lit("rejected")).otherwise("outcome").alias("outcome")
    return HandIn(pure.narrowed(hand_in.checked, told), hand_in.plan.with_columns(outcome))


# -- a hand-in of several blocks


@dataclass(frozen=True)
class _Made:
    """A block as a worker hands it over: what is to be recorded, and the facts that are kept for the end."""

    judged: JudgedBlock
    met: Met
    facts: Facts
    done: int


def _streamed(recording: Recording, blocks: Blocks, several: Iterator[Block]) -> Prepared:
    with passing_over_what_is_there(), Spool(recording.desk.ledger.home) as spool:
        streaming = _Streaming(recording, blocks, spool)
        settled: list[Settled] = []
        with working(streaming.made, several, ahead=0) as results:
            for made, last in with_last(results):
                if last:
                    settled = streaming.end(made)
                else:
                    streaming.take(made)
                del made  # before the next one is waited for
        return _answer(recording, streaming.tally, streaming.rows, settled, spool.kept())


class _Streaming:
    """A hand-in of several blocks on its way into the ledger."""

    def __init__(self, recording: Recording, blocks: Blocks, spool: Spool) -> None:
        self.tally = Tally()
        self.rows = 0
        self._recording = recording
        self._blocks = blocks
        self._spool = spool
        self._across = Across(recording.desk.judge, spool)

    def made(self, block: Block) -> _Made:
        """A block, judged and composed. May be called from several threads."""
        judged = self._recording.desk.judge.block(block.intake)
        met = self._met(judged)
        return _Made(replace(judged, elements=None), met, self._facts(met[0]), block.done)

    def take(self, made: _Made) -> None:
        """Record a block."""
        facts, marks = self._put(made)
        self._across.add(made.judged, facts, marks)

    def end(self, made: _Made) -> list[Settled]:
        """Record the last block, and meanwhile find what only the whole hand-in shows."""
        self._across.add(made.judged, made.facts, _marks(made.met))
        earlier = self._recording.split
        with working(self._found, self._across.steps(earlier), ahead=0) as found:
            facts, marks = self._put(made)
            self._recording.desk.progress(made.met[1].stop, made.met[1].stop)
            if facts is made.facts:
                return self._settled(found)
        self._across.correct(facts, marks)
        with working(self._found, self._across.steps(earlier), ahead=0) as found:
            return self._settled(found)

    def _met(self, judged: JudgedBlock) -> Met:
        return self._recording.met(
            judged.checked, lambda hand_in, _: hand_in, small=False, elements=judged.elements
        )

    def _facts(self, hand_in: HandIn) -> Facts:
        return self._across.facts(hand_in.checked, self._recording.desk.listed(hand_in))

    def _put(self, made: _Made) -> tuple[Facts, pl.DataFrame | None]:
        """Record a block; its facts and marks, which are others where other processes have taken keys."""
        hand_in, piece = self._recording.put(made.met, partial(self._met, made.judged))
        self.tally.add(hand_in.checked)
        self.rows += hand_in.checked.rows
        shipments, total = made.met[1].stop, self._blocks.total
        expected = max(shipments, round(shipments * total / made.done))
        self._recording.desk.progress(shipments, expected)
        same = hand_in is made.met[0]
        return made.facts if same else self._facts(hand_in), _marks((hand_in, piece))

    def _found(self, step: Step) -> tuple[pl.DataFrame, Drafted | None]:
        """What a step tells, and the manifests it is about. May be called from several threads."""
        told = step()
        if told.lot is None:
            return told.findings, None
        lot, firm = told.lot, self._recording.desk.judge.firm
        listing = Listing(lot.frames, lot.facts, firm, lot.survey)
        return told.findings, self._recording.drafted(listing)

    def _settled(self, found: Iterator[tuple[pl.DataFrame, Drafted | None]]) -> list[Settled]:
        """Keep the findings that only the whole hand-in shows, record its manifests; what follows for shipments."""
        if self._across.missing:
            raise not_given(self._across.missing)
        worse = []

        def tell(findings: pl.DataFrame) -> None:
            self._spool.keep(findings)
            self.tally.tell(findings)
            worse.append(worst(findings))

        for findings, manifests in found:
            tell(findings)
            if manifests is not None:
                self._recording.manifest(manifests)
        tell(self._across.about_file())
        ranked = pl.concat(worse).group_by("ship").agg(pl.col("rank").max()).sort("ship")
        self.tally.worsen(ranked)
        names = {rank: verdict for verdict, rank in RANKS.items()}
        return [Settled(ship, names[rank]) for ship, rank in ranked.iter_rows()]


def _marks(met: Met) -> pl.DataFrame | None:
    marked = met[1].marked
    return None if marked is None else marked.frame


def _answer(
    recording: Recording, tally: Tally, rows: int, settled: Sequence[Settled],
    findings: Iterator[pl.DataFrame],
) -> Prepared:  # fmt: skip
    records = (finding_rows(frame) for frame in (*findings, tally.told_once()))
    batch, manifests, left_out = recording.sealed(rows, settled, records)
    elsewhere = recorded_elsewhere(recording.desk.ledger, [batch.id])
    held: Mapping[str, int] = {}
    if any(batch.counts.get(outcome) for outcome in HELD):
        held = recording.desk.ledger.held_by([batch.id]).get(batch.id, {})
    return Prepared(batch.id, tally.summary(), batch.counts, manifests, left_out, elsewhere, held)
