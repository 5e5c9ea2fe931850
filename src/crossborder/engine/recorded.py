"""Recorded batches as a hand-in: their declarations read back, lot by lot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crossborder import china_time, messages
from crossborder.engine.pure import NOTHING
from crossborder.intake import Intake
from crossborder.ledger import AttemptRecord, Ledger
from crossborder.ledger.states import DECLARATION
from crossborder.shipments import FrameSet
from crossborder.shipments import findings as found

_LOT = 2_000


@dataclass(frozen=True)
class RecordedBlock:
    """Some declarations of recorded batches."""

    intake: Intake
    done: int


class RecordedBatches:
    """The declarations of batches, as `sources.Blocks`. A shipment that was refused has no document and is not here."""

    def __init__(self, ledger: Ledger, batches: Sequence[str]) -> None:
        self._ledger = ledger
        self._batches = list(batches)
        self.mapping = "EXP301"
        self.source_name = ", ".join(self._batches)
        self.source_digest = ""
        self.total = sum(ledger.batch(one).counts.get("prepared", 0) for one in self._batches)

    def __iter__(self) -> Iterator[RecordedBlock]:
        done = 0
        for lot in self._lots():
            now = china_time.now()
            bodies = [self._ledger.payload(a.frozen or a.draft, now) for a in lot]
            frames = messages.read_declarations(enumerate(bodies, done))
            done += len(lot)
            yield RecordedBlock(self._intake(frames, len(lot)), done)
        if not done:
            yield RecordedBlock(self._intake(messages.read_declarations(()), 0), 0)

    def _lots(self) -> Iterator[list[AttemptRecord]]:
        after = 0
        while lot := self._ledger.attempts_in(batch_ids=self._batches, after=after, limit=_LOT):
            after = lot[-1].id
            kept = [a for a in lot if a.kind == DECLARATION and (a.frozen or a.state != "voided")]
            if kept:
                yield kept

    def _intake(self, frames: FrameSet, count: int) -> Intake:
        return Intake(
            frames, found.empty(), count, self.mapping, self.source_name, self.source_digest,
            NOTHING,
        )  # fmt: skip
