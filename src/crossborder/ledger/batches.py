"""Recording a hand-in: begin, block by block, seal. Nothing of an unsealed batch can be sent."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select, update

from crossborder import china_time
from crossborder.errors import LedgerError, NotFound
from crossborder.ledger import blocks, replacing, tables
from crossborder.ledger.base import event, to_json
from crossborder.ledger.datakeys import batch_scope
from crossborder.ledger.dialects import RECORDING as AS_RECORDER
from crossborder.ledger.driver import texts_of
from crossborder.ledger.marks import Marked, Marks
from crossborder.ledger.posted import partner_of
from crossborder.ledger.records import (
    AttemptDraft,
    Attempts,
    BatchDraft,
    BatchRecord,
    FindingRow,
    KeyInUse,
    Settled,
    ShipmentRow,
)
from crossborder.ledger.settling import settle
from crossborder.ledger.states import MANIFEST, OUTCOMES, VOIDED

RECORDING, SEALED, DISCARDED = "recording", "sealed", "discarded"
OUTCOMES_DIGEST = "outcomes"
"""What the entry of a seal calls the digest over the outcome of every shipment."""


class Batches(Marks):
    """Batches while they are recorded."""

    def begin_batch(self, draft: BatchDraft, now: datetime) -> BatchRecord:
        """Begin a batch, or continue one that a process which is no more left unsealed.

        A batch is continued if it has the same source digest, mapping and profile; `continued` is then true and
        `recorded` shipments are committed already. A batch that a living process (or another thread of this
        one) still records is left alone. When recording breaks off in a living process, call `leave_batch`.
        Raises `KeyInUse` where a request with the same Idempotency-Key has a batch; nothing is begun then.
        """
        self._owners.appear()
        with self._guard, self.write(AS_RECORDER) as connection:
            found = self._abandoned(connection, draft)
            batch_id = found or self._new_id(connection, draft.day or _day(now))
            if found is None:
                connection.execute(
                    tables.batches.insert().values(
                        id=batch_id, day=draft.day or _day(now), state=RECORDING, recorder=self.owner,
                        source_name=draft.source_name, source_digest=draft.source_digest,
                        mapping=draft.mapping, profile=draft.profile, rows=draft.rows, recorded=0,
                        counts="{}", created_at=china_time.iso(now),
                    )
                )  # fmt: skip
            else:
                connection.execute(
                    _one(batch_id).values(recorder=self.owner, rows=draft.rows or tables.batches.c.rows)
                )  # fmt: skip
            if draft.idempotency is not None:
                self._bind(connection, draft.idempotency, batch_id)
            self._keys.writing(connection, batch_scope(batch_id), now)
            verb = "begun" if found is None else "continued"
            self._record(connection, [event(now, self.owner, verb, batch_id=batch_id)])
            self._recording.add(batch_id)
            return _batch(connection, batch_id, continued=found is not None)

    def leave_batch(self, batch_id: str) -> None:
        """This process stops recording a batch without sealing it; whoever hands the file in again continues.

        Others learn it too, as far as the ledger can be written at this moment. Nothing happens if it is sealed.
        """
        with self._guard:
            if batch_id not in self._recording:
                return
            self._recording.discard(batch_id)
            with contextlib.suppress(LedgerError), self.write(AS_RECORDER) as connection:
                connection.execute(
                    _one(batch_id)
                    .where(tables.batches.c.state == RECORDING, tables.batches.c.recorder == self.owner)
                    .values(recorder=None)
                )  # fmt: skip

    def record_block(
        self,
        batch_id: str,
        shipments: Sequence[ShipmentRow],
        attempts: Attempts | Sequence[AttemptDraft],
        findings: Sequence[FindingRow],
        not_manifested: Sequence[tuple[int, str]],
        now: datetime,
        replaced: Sequence[int] = (),
        who: str = "",
        marked: Marked | None = None,
        held: Attempts | None = None,
    ) -> None:
        """Record a block of a batch: bytes first, flushed to the disk, then all rows in one transaction.

        `shipments` (plain tuples in the order of `ShipmentRow` will do) begin at position
        `BatchRecord.recorded` and have no gaps (none at all in a block of manifests). Declarations refer to
        shipments of this block by position; `not_manifested` (position, reason) to any shipment of the batch.
        A manifest this batch has recorded already (same key, same content) is passed over, so that a block of
        manifests may be repeated after a crash. `replaced` are attempts (see `replaceable`) that `who` lets give way
        to what this block brings: they are voided in the same transaction. `marked` is what its shipments may have in
        common with later ones; `held` are the documents of those that wait for a person (see `accept`): they are kept,
        but are no attempts.

        Raises `KeysTaken` if keys have become live since `known` was asked, stand twice in the block, or can no
        longer be replaced, if a house of a manifest has come to stand on another one since `manifested` was asked, and `LedgerError` if the batch is not this process's to record; nothing is recorded then.
        """
        new = attempts if isinstance(attempts, Attempts) else Attempts.of(attempts)
        with self.write(AS_RECORDER) as connection:
            recorded = self._mine(connection, batch_id)
            blocks.refuse_gaps(shipments, recorded)
            new = blocks.not_yet(connection, batch_id, new)
            blocks.refuse_listed(connection, batch_id, new)
            gone = replacing.replace(connection, replaced, batch_id, who or self.owner, now)
            numbered = blocks.numbers(connection, new)
            key = self._keys.writing(connection, batch_scope(batch_id), now)
            place = self._payloads.extend(connection, new.payload, [key])
            ids = self._reserve(connection, "attempt", len(new.rows))
            blocks.insert_attempts(
                connection, batch_id, new, ids, numbered, place, china_time.iso(now)
            )
            first = self._reserve(connection, "shipment", len(shipments)).start
            blocks.insert_shipments(connection, batch_id, shipments, new, ids, first)
            if held is not None:
                blocks.insert_held(
                    connection,
                    held,
                    first - recorded,
                    self._payloads.extend(connection, held.payload, [key]),
                )
            blocks.insert_findings(connection, batch_id, findings, key)
            blocks.insert_not_manifested(connection, batch_id, not_manifested)
            if marked is not None:
                self._mark(connection, batch_id, recorded, marked)
            connection.execute(_one(batch_id).values(recorded=recorded + len(shipments)))
            detail = blocks.told(recorded, shipments, new, ids, held)
            self._record(
                connection,
                [event(now, self.owner, "recorded", batch_id=batch_id, detail=detail), *gone],
            )

    def seal(
        self,
        batch_id: str,
        counts: Mapping[str, int],
        now: datetime,
        rows: int | None = None,
        settled: Sequence[Settled] = (),
        findings: Iterable[Sequence[FindingRow]] = (),
        judged_by: Mapping[str, Any] | None = None,
        marks_from: str = "",
    ) -> BatchRecord:
        """The batch is complete; `counts` are kept with it, shipments by outcome as they were recorded.

        (A batch continued after a crash keeps what its first blocks said, so the outcomes are counted here and
        override those handed in.) `settled` and `findings` (lot by lot) are what only the whole hand-in showed:
        in the same transaction shipments that were prepared lose their attempts, which are voided and can never
        be sent. `judged_by` (JSON) says by which rules; it becomes an entry of its own. Marks of earlier batches
        that were kept from a day before `marks_from` (yyyyMMdd) are forgotten. Raises `LedgerError` if the batch is
        not being recorded.
        """
        with self.write(AS_RECORDER) as connection:
            self._mine(connection, batch_id)
            if judged_by is not None:
                self._record(
                    connection,
                    [event(now, self.owner, "judged", batch_id=batch_id, detail=judged_by)],
                )
            key = self._keys.writing(connection, batch_scope(batch_id), now)
            for lot in findings:
                blocks.insert_findings(connection, batch_id, lot, key)
            self._record(connection, settle(connection, batch_id, settled, self.owner, now))
            self._seal_marks(connection, batch_id)
            self._forget_marks(connection, before=marks_from)
            outcomes, digest = _outcomes(connection, batch_id)
            counts = {**counts, **_named(counts, outcomes)}
            values: dict[str, Any] = {
                "state": SEALED, "recorder": None, "sealed_at": china_time.iso(now),
                "counts": to_json(counts),
            }  # fmt: skip
            if rows is not None:
                values["rows"] = rows
            connection.execute(_one(batch_id).values(values))
            self._record(
                connection,
                [
                    event(
                        now,
                        self.owner,
                        "sealed",
                        batch_id=batch_id,
                        detail={**counts, OUTCOMES_DIGEST: digest},
                    )
                ],
            )
            sealed = _batch(connection, batch_id)
        with self._guard:
            self._recording.discard(batch_id)
        return sealed

    def discard_batch(self, batch_id: str, who: str, reason: str, now: datetime) -> int:
        """Give up a batch that was never sealed: its attempts are voided, their keys free; how many.

        Raises `LedgerError` if it is sealed, or a living process records it.
        """
        with self._guard, self.write() as connection:
            row = batch_row(connection, batch_id)
            if row["state"] != RECORDING or self._held(batch_id, row["recorder"]):
                raise LedgerError(
                    "only a batch whose recording was broken off can be discarded",
                    "只能丢弃录入中断的批次",
                    place=batch_id,
                )
            return self._discard(connection, batch_id, who, reason, now)

    def discard_abandoned(
        self, masters: Iterable[str], who: str, reason: str, now: datetime
    ) -> list[str]:
        """Discard every batch that a dead process left unsealed and that holds one of these master waybills.

        `masters` are normalised. Such a batch can never be sent, yet its attempts keep their keys: what is handed
        in now in another file would count as already filed, and would never be. Answers the batches discarded.
        """
        wanted = frozenset(masters)
        b, a = tables.batches.c, tables.attempts.c
        with self._guard, self.write() as connection:
            left = [
                i for i, recorder in connection.execute(select(b.id, b.recorder).where(b.state == RECORDING)).all()
                if not self._held(i, recorder)
            ]  # fmt: skip
            found = [
                i for i in left
                if any(key.partition("|")[0] in wanted
                       for key in connection.execute(select(a.key).where(a.batch_id == i)).scalars())
            ]  # fmt: skip
            for batch_id in found:
                self._discard(connection, batch_id, who, reason, now)
        return found

    def replaceable(self, attempt_ids: Sequence[int], batch_id: str) -> frozenset[int]:
        """Those of the attempts that never left and whose house was refused on its manifest: they may be replaced.

        Manifests of `batch_id`, which is being recorded, do not count.
        """
        with self.read() as connection:
            return frozenset(replacing.replaceable(connection, attempt_ids, batch_id))

    def batch(self, batch_id: str) -> BatchRecord:
        """One batch. Raises `NotFound`."""
        with self.read() as connection:
            return _batch(connection, batch_id)

    def batches(self, day: str | None = None) -> list[BatchRecord]:
        """All batches, or those of a working day `yyyyMMdd`, oldest first."""
        query = select(tables.batches).order_by(tables.batches.c.created_at, tables.batches.c.id)
        if day is not None:
            query = query.where(tables.batches.c.day == day)
        with self.read() as connection:
            return [_record(row) for row in connection.execute(query).mappings()]

    def manifests_of(self, batch_id: str) -> list[str]:
        """The keys of the manifests that a batch has recorded."""
        a = tables.attempts.c
        query = select(a.key).where(a.batch_id == batch_id, a.kind == MANIFEST)
        with self.read() as connection:
            return list(connection.execute(query).scalars())

    def abandoned(self) -> list[str]:
        """Batches that are being recorded by no living process."""
        return [i for i, held in self._unsealed() if not held]

    def being_recorded(self) -> list[str]:
        """Batches that a living process records at this moment."""
        return [i for i, held in self._unsealed() if held]

    # -- parts of the above

    def _unsealed(self) -> list[tuple[str, bool]]:
        """Every batch that is not sealed, and whether a living process records it."""
        b = tables.batches.c
        query = select(b.id, b.recorder).where(b.state == RECORDING).order_by(b.id)
        with self.read() as connection:
            left = connection.execute(query).all()
        with self._guard:
            return [(i, self._held(i, recorder)) for i, recorder in left]

    def _discard(
        self, connection: Connection, batch_id: str, who: str, reason: str, now: datetime
    ) -> int:
        attempts, shipments = tables.attempts, tables.shipments.c
        held = connection.execute(
            select(attempts.c.id, attempts.c.state).where(attempts.c.batch_id == batch_id)
        ).all()
        connection.execute(
            update(attempts)
            .where(attempts.c.batch_id == batch_id)
            .values(live=False, final=True, state=VOIDED, state_since=china_time.iso(now))
        )
        there = select(func.coalesce(func.sum(shipments.row_count), 0)).where(
            shipments.batch_id == batch_id
        )
        rows = connection.execute(there).scalar_one()
        self._forget_marks(connection, batch_id)
        connection.execute(_one(batch_id).values(state=DISCARDED, recorder=None, rows=rows))
        detail = {"reason": reason, "attempts": len(held)}
        self._record(
            connection,
            [event(now, who, "discarded", batch_id=batch_id, detail=detail)]
            + [
                event(now, who, "voided", batch_id=batch_id, attempt_id=i, from_state=s, to_state=VOIDED)
                for i, s in held
            ]
            + replacing.restore(connection, batch_id, who, reason, now),
        )  # fmt: skip
        return len(held)

    def _abandoned(self, connection: Connection, draft: BatchDraft) -> str | None:
        b = tables.batches.c
        found = connection.execute(
            select(b.id, b.recorder, b.source_name)
            .where(b.source_digest == draft.source_digest, b.mapping == draft.mapping)
            .where(b.profile == draft.profile, b.state == RECORDING)
            .order_by(b.created_at, b.id)
        ).all()
        own = partner_of(draft.source_name)
        return next(
            (i for i, recorder, name in found if partner_of(name) == own and not self._held(i, recorder)), None
        )  # fmt: skip

    def _held(self, batch_id: str, recorder: str | None) -> bool:
        """Whether a living process, this one included, records the batch at this moment."""
        if recorder == self.owner:
            return batch_id in self._recording
        return recorder is not None and self._owners.alive(recorder) is True

    def _new_id(self, connection: Connection, day: str) -> str:
        return f"{day}-{self._reserve(connection, f'batch:{day}', 1)[0]:02d}"

    def _bind(self, connection: Connection, idempotency: tuple[int, str], batch_id: str) -> None:
        """The batch of a request; another one may have been begun for it by a process that was quicker, or is no more."""
        i, b = tables.idempotency.c, tables.batches.c
        mine = (i.api_key_id == idempotency[0]) & (i.key == idempotency[1])
        query = select(b.id, b.state, b.recorder).join(tables.idempotency, i.batch_id == b.id)
        other = connection.execute(query.where(mine, b.id != batch_id)).first()
        if other is not None:
            there, state, recorder = other
            if state == SEALED or (state == RECORDING and self._held(there, recorder)):
                raise KeyInUse(there)
        connection.execute(update(tables.idempotency).where(mine).values(batch_id=batch_id))

    def _mine(self, connection: Connection, batch_id: str) -> int:
        row = batch_row(connection, batch_id)
        if row["state"] != RECORDING or row["recorder"] != self.owner:
            raise LedgerError(
                "this batch is not being recorded by this process",
                "该批次不在本进程录入中",
                place=batch_id,
                fix_en="hand the file in again",
                fix_zh="请重新提交该文件",
            )
        return int(row["recorded"])


def _day(now: datetime) -> str:
    return china_time.day(now).strftime("%Y%m%d")


def _one(batch_id: str) -> Any:
    return update(tables.batches).where(tables.batches.c.id == batch_id)


def batch_row(connection: Connection, batch_id: str) -> RowMapping:
    """The row of a batch. Raises `NotFound`."""
    found = (
        connection.execute(select(tables.batches).where(tables.batches.c.id == batch_id))
        .mappings()
        .first()
    )
    if found is None:
        raise NotFound(
            f"no batch {batch_id!r}",
            f"没有批次 {batch_id!r}",
            fix_en="`crossborder batches` lists them",
            fix_zh="可用 `crossborder batches` 列出批次",
        )
    return found


def _batch(connection: Connection, batch_id: str, *, continued: bool = False) -> BatchRecord:
    return _record(batch_row(connection, batch_id), continued=continued)


def _record(row: RowMapping, *, continued: bool = False) -> BatchRecord:
    values = {k: row[k] for k in BatchRecord.__dataclass_fields__ if k in row}
    return BatchRecord(**{**values, "counts": json.loads(row["counts"])}, continued=continued)


def outcomes_digest(connection: Connection, batch_id: str) -> str:
    """SHA-256 over the outcomes of a batch's shipments by position, a line break after each."""
    return _outcomes(connection, batch_id)[1]


def _outcomes(connection: Connection, batch_id: str) -> tuple[Counter[str], str]:
    """Shipments by outcome, and the digest of these outcomes."""
    s = tables.shipments.c
    query = select(s.outcome).where(s.batch_id == batch_id).order_by(s.position)
    counts: Counter[str] = Counter()
    digest = hashlib.sha256()
    for lot in texts_of(connection, query):
        counts.update(lot)
        digest.update(("\n".join(lot) + "\n").encode())
    return counts, digest.hexdigest()


def _named(counts: Mapping[str, int], outcomes: Mapping[str, int]) -> dict[str, int]:
    """Every outcome that is counted or was handed in, with how many shipments have it."""
    return {**{name: 0 for name in OUTCOMES if name in counts}, **dict(sorted(outcomes.items()))}
