"""`record`: a hand-in from its first block to a sealed batch.

Two threads judge and compose blocks, the caller's thread reads the file and writes the ledger, so memory is bounded by a
few blocks. A hand-in of one block takes the same steps in the caller's thread; what compares its shipments is known
before the first row is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import polars as pl

from crossborder.engine import pure, repeats
from crossborder.engine.across import Across
from crossborder.engine.answers import Prepared
from crossborder.engine.batches import Listing
from crossborder.engine.handing_in import HandIn
from crossborder.engine.looking import recorded_elsewhere
from crossborder.engine.pieces import finding_rows
from crossborder.engine.profiles import not_given
from crossborder.engine.proving import SMALL
from crossborder.engine.pure import Judge, JudgedBlock
from crossborder.engine.recording import Desk, Met, Recording
from crossborder.engine.results import Checked
from crossborder.engine.sources import Block, Blocks, begun
from crossborder.engine.spool import Spool
from crossborder.engine.summary import RANKS, Tally, worst
from crossborder.engine.threads import in_order
from crossborder.ledger import Settled


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
        return recording.met(checked, lambda h: _refuse_repeats(h, desk.judge), small=small)

    hand_in = recording.put(made(), made)
    desk.progress(hand_in.plan.height, hand_in.plan.height)
    recording.manifest(Listing(hand_in.checked.frames, desk.listed(hand_in), desk.judge.firm))
    about_file = hand_in.checked.by_shipment.filter(pl.col("ship").is_null())
    tally = Tally()
    tally.add(hand_in.checked)
    return _answer(recording, tally, checked.rows, [], iter([about_file]))


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
    facts: pl.DataFrame
    done: int


def _streamed(recording: Recording, blocks: Blocks, several: Iterator[Block]) -> Prepared:
    desk, tally = recording.desk, Tally()
    rows = shipments = 0
    with Spool(desk.ledger.home) as spool:
        across = Across(desk.judge, spool)

        def work(block: Block) -> _Made:
            judged = desk.judge.block(block.intake)
            met = _met(judged, recording)
            return _Made(judged, met, across.facts(met[0].checked, desk.listed(met[0])), block.done)

        for made in in_order(work, several):
            hand_in, facts = (
                recording.put(made.met, partial(_met, made.judged, recording)),
                made.facts,
            )
            if hand_in is not made.met[0]:
                facts = across.facts(hand_in.checked, desk.listed(hand_in))
            across.add(made.judged, facts)
            tally.add(hand_in.checked)
            rows, shipments = rows + hand_in.checked.rows, made.met[1].stop
            desk.progress(shipments, max(shipments, round(shipments * blocks.total / made.done)))
        desk.progress(shipments, shipments)
        if across.missing:
            raise not_given(across.missing)
        settled = _settled(across, spool, tally, recording)
        return _answer(recording, tally, rows, settled, spool.kept())


def _met(judged: JudgedBlock, recording: Recording) -> Met:
    return recording.met(judged.checked, lambda hand_in: hand_in, small=False)


def _settled(across: Across, spool: Spool, tally: Tally, recording: Recording) -> list[Settled]:
    """Keep the findings that only the whole hand-in shows, record its manifests; what follows for shipments."""
    worse = []

    def tell(findings: pl.DataFrame) -> None:
        spool.keep(findings)
        tally.tell(findings)
        worse.append(worst(findings))

    for findings in across.compared():
        tell(findings)
    for lot, findings in across.masters():
        tell(findings)
        recording.manifest(Listing(lot.frames, lot.facts, recording.desk.judge.firm))
    tell(across.about_file())
    ranked = pl.concat(worse).group_by("ship").agg(pl.col("rank").max()).sort("ship")
    tally.worsen(ranked)
    names = {rank: verdict for verdict, rank in RANKS.items()}
    return [Settled(ship, names[rank]) for ship, rank in ranked.iter_rows()]


def _answer(
    recording: Recording, tally: Tally, rows: int, settled: Sequence[Settled],
    findings: Iterator[pl.DataFrame],
) -> Prepared:  # fmt: skip
    records = (finding_rows(frame) for frame in (*findings, tally.told_once()))
    batch, manifests, left_out = recording.sealed(rows, settled, records)
    elsewhere = recorded_elsewhere(recording.desk.ledger, [batch.id])
    return Prepared(batch.id, tally.summary(), batch.counts, manifests, left_out, elsewhere)
