"""One batch from its beginning to its seal: met with the ledger, composed, recorded, its manifests, sealed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from crossborder import china_time
from crossborder.engine import earlier, endpoints, history, proving
from crossborder.engine.batches import Listing, draft_declarations, draft_manifests
from crossborder.engine.handing_in import HandIn, meet_ledger
from crossborder.engine.judged_by import JudgedBy
from crossborder.engine.pieces import Piece, manifests, piece_of
from crossborder.engine.pure import Judge
from crossborder.engine.results import Checked
from crossborder.engine.sources import Blocks
from crossborder.errors import CrossborderError, LedgerError
from crossborder.keys import normalise
from crossborder.ledger import (
    Attempts,
    BatchDraft,
    BatchRecord,
    FindingRow,
    KeysTaken,
    Ledger,
    Marked,
    Settled,
)
from crossborder.messages import Elements
from crossborder.settings import Settings

Progress = Callable[[int, int], None]
Met = tuple[HandIn, Piece]
Amended = Callable[[HandIn, Marked | None], HandIn]
TRIES = 3
GIVEN_UP = "its recording was broken off, and another file brings the same master waybill"
CHANGED = "its recording was broken off, and the same file is judged otherwise now"
FAILED = "the file could not be read and judged to its end"


class JudgedOtherwise(Exception):
    """What was recorded before a crash is not what the file would be recorded as now; the batch was discarded."""


def _unwatched(_done: int, _total: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class Desk:
    """Who records, in which ledger, by which rules: the same for all blocks of a hand-in. Thread-safe.

    `alone` is held while a hand-in is recorded, so that one is after another in this process.
    """

    ledger: Ledger
    settings: Settings
    judge: Judge
    profile: str
    now: datetime
    who: str
    source_name: str = ""
    idempotency: tuple[int, str] | None = None
    verify: proving.Verify = "sample"
    progress: Progress = _unwatched
    alone: threading.RLock = field(default_factory=threading.RLock)

    def listed(self, hand_in: HandIn) -> pl.DataFrame:
        """`ship, key, outcome, endpoint` (null where nobody serves its port)."""
        served = endpoints.by_port(self.settings.endpoints).alias("endpoint")
        where = hand_in.checked.frames.shipments.select("ship", served)
        plan = hand_in.plan.select("ship", "key", "outcome")
        return plan.join(where, on="ship", maintain_order="left")


@dataclass(frozen=True)
class Drafted:
    """Manifests of a listing, not recorded yet; `left_out` are (position, reason) of who stands on none."""

    listing: Listing
    manifests: Attempts
    left_out: Sequence[tuple[int, str]]


class Recording:
    """A batch that is being recorded. `met` and `drafted` may be called from several threads, everything else from one."""

    def __init__(self, desk: Desk, blocks: Blocks, rows: int = 0) -> None:
        self.desk = desk
        self.day = day = china_time.day(desk.now, desk.settings.day_starts).strftime("%Y%m%d")
        self.batch: BatchRecord = desk.ledger.begin_batch(
            BatchDraft(
                source_name=desk.source_name or blocks.source_name, source_digest=blocks.source_digest,
                mapping=blocks.mapping, profile=desk.profile, rows=rows, day=day,
                idempotency=desk.idempotency,
            ),
            desk.now,
        )  # fmt: skip
        self._recorded = self.batch.recorded
        self._done: Sequence[str] = ()
        if self.batch.continued:
            self._done = desk.ledger.manifests_of(self.batch.id)
        self._abandoned = bool(set(desk.ledger.abandoned()) - {self.batch.id})
        self._left_out = 0
        self._judged_by = JudgedBy(desk.judge.context)
        self._manifests = len(self._done)

    @contextmanager
    def ends(self) -> Iterator[None]:
        """However it ends, the batch is this process's no more; what cannot be recorded to its end is discarded.

        After a fault of the ledger it stays as it is: handing the same file in again goes on in it.
        """
        try:
            yield
        except LedgerError:
            raise
        except JudgedOtherwise:
            self._discard(CHANGED)
            raise
        except CrossborderError:
            self._discard(FAILED)
            raise
        finally:
            self.desk.ledger.leave_batch(self.batch.id)

    def met(
        self, checked: Checked, amended: Amended, *, small: bool,
        elements: Elements | None = None,
    ) -> Met:  # fmt: skip
        """What the ledger knows of these shipments, and a document for each that is new (`elements`: its values)."""
        desk, batch = self.desk, self.batch
        if self._abandoned:
            masters = checked.frames.shipments["master_waybill"].drop_nulls().unique()
            desk.ledger.discard_abandoned(map(normalise, masters), desk.who, GIVEN_UP, desk.now)
        context = desk.judge.context
        met = meet_ledger(checked, desk.ledger, desk.now, own_batch=batch.id, context=context)
        filed = met.plan.filter(pl.col("outcome") == "already_filed")["ship"]
        marked = earlier.marked(checked.frames, filed, self.day, desk.ledger, context)
        hand_in = amended(met, marked)
        served = desk.settings.endpoints
        documents = draft_declarations(hand_in, served, desk.now, batch.recorded, elements)
        proving.prove(documents, "EXP301", served, desk.verify, small=small)
        return hand_in, piece_of(hand_in, documents, marked)

    def put(self, made: Met, again: Callable[[], Met]) -> Met:
        """Record a block, or what of it is not recorded yet. If other processes took keys, `again` is asked.

        Keys that an earlier block of this batch has prepared are not prepared again. Raises `JudgedOtherwise`,
        `KeysTaken` where others keep taking keys.
        """
        own: set[str] = set()
        for left in range(TRIES, -1, -1):
            hand_in, piece = self._compared(made)
            hand_in, piece = _without(hand_in, piece, own)
            try:
                self._write(piece)
            except KeysTaken as taken:
                if not left:
                    raise
                mine = self._own(taken.keys)
                own |= mine
                if len(mine) < len(taken.keys):
                    made = again()
                continue
            self._judged_by.add(hand_in.checked.frames.shipments)
            return hand_in, piece
        raise AssertionError("unreachable: the last try raises")

    def drafted(self, listing: Listing) -> Drafted:
        """The manifests of whole master waybills, and who stands on none. May be called from several threads."""
        desk, served = self.desk, self.desk.settings.endpoints
        made = draft_manifests(listing, desk.ledger, served, desk.now, self.batch.id, self._done)
        small = listing.plan.height + made.manifests.height < proving.SMALL
        proving.prove(made.manifests, "EXP311", served, desk.verify, small=small)
        left_out = [(int(ship), en) for ship, en in made.left_out.select("ship", "en").iter_rows()]
        return Drafted(listing, manifests(made), left_out)

    def manifest(self, drafted: Drafted) -> None:
        """Record the manifests of whole master waybills; they are drafted anew if other processes took their keys."""
        desk = self.desk
        for left in range(TRIES, -1, -1):
            rows, left_out = drafted.manifests, drafted.left_out
            if not rows.rows and not left_out:
                return
            try:
                desk.ledger.record_block(self.batch.id, [], rows, [], left_out, desk.now)
            except KeysTaken:
                if not left:
                    raise
                drafted = self.drafted(drafted.listing)
                continue
            self._manifests += len(rows.rows)
            self._left_out += len(left_out)
            return

    def sealed(
        self, rows: int, settled: Sequence[Settled], findings: Iterable[Sequence[FindingRow]]
    ) -> tuple[BatchRecord, int, int]:
        """Seal the batch with what only the whole hand-in showed; (batch, its manifests, shipments on none)."""
        desk, ledger = self.desk, self.desk.ledger
        batch = ledger.seal(
            self.batch.id, {}, desk.now, rows=rows, settled=settled, findings=findings,
            judged_by=self._judged_by.told(),
            marks_from=earlier.marks_from(desk.settings, desk.judge.context, desk.now),
        )  # fmt: skip
        if self.batch.continued:
            self._left_out = len(ledger.not_manifested([batch.id]))
        return batch, self._manifests, self._left_out

    def split(self, own: pl.DataFrame, keys: earlier.Keys, heads: earlier.Heads) -> pl.DataFrame:
        """What earlier batches say about parcels of this one; `own` are the marks of all of it, as `earlier.split`."""
        ledger = self.desk.ledger
        return earlier.split(own, keys, heads, history.of(ledger), ledger, self.desk.judge.context)

    # -- parts of the above

    def _discard(self, reason: str) -> None:
        ledger, desk = self.desk.ledger, self.desk
        ledger.leave_batch(self.batch.id)
        ledger.discard_batch(self.batch.id, desk.who, reason, desk.now)

    def _write(self, piece: Piece) -> None:
        desk = self.desk
        for first, stop in _cut(self._recorded, piece.stop, desk.settings.ledger.block):
            part = piece.part(first, stop)
            desk.ledger.record_block(
                self.batch.id, part.shipments, part.declarations, part.findings, [], desk.now,
                [attempt for _, attempt in part.replaced], desk.who, part.marked, part.held,
            )  # fmt: skip
            self._recorded = stop

    def _compared(self, made: Met) -> Met:
        """What was committed of a block before a crash must be what it would be recorded as now."""
        hand_in, piece = made
        if piece.first >= self.batch.recorded:
            return made
        rows = self.desk.ledger.shipments_in(
            self.batch.id, offset=piece.first, limit=len(piece.shipments)
        )
        now = hand_in.plan.sort("ship").head(len(rows))
        before = pl.Series("before", [row.outcome for row in rows], dtype=pl.String)
        differs = now.with_columns(before).filter(pl.col("before") != pl.col("outcome"))
        later = differs.filter(pl.col("before") == "rejected", pl.col("outcome") == "prepared")
        own = self._own(later["key"].to_list())
        if later.height < differs.height or not set(later["key"]) <= own:
            raise JudgedOtherwise
        return _without(hand_in, piece, own)

    def _own(self, keys: Sequence[str]) -> set[str]:
        """Those of the keys that this batch itself has prepared."""
        known = self.desk.ledger.known(keys)
        return {k.key for k in known if k.live and k.batch_id == self.batch.id}


def _without(hand_in: HandIn, piece: Piece, keys: set[str]) -> Met:
    return (hand_in.without(keys), piece.without(keys)) if keys else (hand_in, piece)


def _cut(first: int, stop: int, size: int) -> Iterator[tuple[int, int]]:
    """`first` to `stop` in parts of about `size`, none much smaller than the others."""
    count = max(1, round((stop - first) / size))
    step = -(-(stop - first) // count)
    while first < stop:
        yield first, min(first + step, stop)
        first += step
