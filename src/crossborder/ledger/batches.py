"""Recording a hand-in: begin, block by block, seal. Nothing of an unsealed batch can be sent."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, case, func, select, update

from crossborder import china_time
from crossborder.errors import LedgerError, NotFound
from crossborder.keys import normalise
from crossborder.ledger import tables
from crossborder.ledger.base import Base, event, to_json
from crossborder.ledger.dialects import chunks, insert_rows
from crossborder.ledger.records import (
    AttemptDraft,
    BatchDraft,
    BatchRecord,
    FindingRow,
    KeysTaken,
    PayloadRef,
    ShipmentRow,
)
from crossborder.ledger.states import LISTED, MANIFEST, OUTCOMES, PREPARED, STAGE_OURS, VOIDED

RECORDING, SEALED, DISCARDED = "recording", "sealed", "discarded"

_SHIPMENT = (
    "id", "batch_id", "position", "key", "master_waybill", "house_waybill", "house_key", "shown_as",
    "direction", "declaration_class", "rows", "row_count", "outcome", "content_digest", "attempt_id",
)  # fmt: skip
_ATTEMPT = (
    "id", "kind", "message_type", "key", "number", "live", "batch_id", "endpoint", "master_waybill",
    "house_waybill", "voyage", "direction", "content_digest", "state", "stage", "state_since", "ready",
    "draft_segment", "draft_offset", "draft_length", "draft_digest", "sends", "released", "final",
)  # fmt: skip


class Batches(Base):
    """Batches while they are recorded."""

    def begin_batch(self, draft: BatchDraft, now: datetime) -> BatchRecord:
        """Begin a batch, or continue one that a process which is no more left unsealed.

        A batch is continued if it has the same source digest, mapping and profile; `continued` is then true and
        `recorded` shipments are committed already. A batch that a living process (or another thread of this
        one) still records is left alone. When recording breaks off in a living process, call `leave_batch`.
        """
        self._owners.appear()
        with self._guard, self.write() as connection:
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
            with contextlib.suppress(LedgerError), self.write() as connection:
                connection.execute(
                    _one(batch_id)
                    .where(tables.batches.c.state == RECORDING, tables.batches.c.recorder == self.owner)
                    .values(recorder=None)
                )  # fmt: skip

    def record_block(
        self,
        batch_id: str,
        shipments: Sequence[ShipmentRow],
        attempts: Sequence[AttemptDraft],
        findings: Sequence[FindingRow],
        not_manifested: Sequence[tuple[int, str]],
        now: datetime,
    ) -> None:
        """Record a block of a batch: bytes first, flushed to the disk, then all rows in one transaction.

        `shipments` begin at position `BatchRecord.recorded` and have no gaps (none at all in a block of
        manifests). Declarations refer to shipments of this block by position; `not_manifested` (position,
        reason) to any shipment of the batch. A manifest this batch has recorded already (same key, same
        content) is passed over, so that a block of manifests may be repeated after a crash.

        Raises `KeysTaken` if keys have become live since `known` was asked, or stand twice in the block, and
        `LedgerError` if the batch is not this process's to record; nothing is recorded then.
        """
        with self.write() as connection:
            recorded = self._mine(connection, batch_id)
            _in_order(shipments, recorded)
            attempts = _not_yet(connection, batch_id, attempts)
            numbers = _numbers(connection, attempts)
            refs = self._payloads.append(connection, [a.body for a in attempts])
            ids = self._reserve(connection, "attempt", len(attempts))
            insert_rows(
                connection, tables.attempts, _ATTEMPT,
                _attempt_rows(batch_id, attempts, ids, refs, numbers, china_time.iso(now)),
            )  # fmt: skip
            self._insert_shipments(connection, batch_id, shipments, attempts, ids)
            insert_rows(
                connection, tables.manifest_houses,
                ("attempt_id", "declaration_key", "house_waybill", "state"),
                [(i, key, house, LISTED) for i, a in zip(ids, attempts, strict=True) for key, house in a.houses],
            )  # fmt: skip
            insert_rows(
                connection, tables.findings,
                ("batch_id", "position", "rule", "severity", "action", "record"),
                [(batch_id, *f) for f in findings],
            )  # fmt: skip
            _insert_not_manifested(connection, batch_id, not_manifested)
            connection.execute(_one(batch_id).values(recorded=recorded + len(shipments)))
            detail = _block_detail(recorded, shipments, refs)
            self._record(
                connection, [event(now, self.owner, "recorded", batch_id=batch_id, detail=detail)]
            )

    def seal(
        self, batch_id: str, counts: Mapping[str, int], now: datetime, rows: int | None = None
    ) -> BatchRecord:
        """The batch is complete; `counts` are kept with it, shipments by outcome as they were recorded.

        (A batch continued after a crash keeps what its first blocks said, so the outcomes are counted here and
        override those handed in.) Raises `LedgerError` if it is not being recorded.
        """
        with self.write() as connection:
            self._mine(connection, batch_id)
            counts = {**counts, **_by_outcome(connection, batch_id, counts)}
            values: dict[str, Any] = {
                "state": SEALED, "recorder": None, "sealed_at": china_time.iso(now),
                "counts": to_json(counts),
            }  # fmt: skip
            if rows is not None:
                values["rows"] = rows
            connection.execute(_one(batch_id).values(values))
            self._record(
                connection,
                [event(now, self.owner, "sealed", batch_id=batch_id, detail=dict(counts))],
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

    # -- parts of the above

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
        connection.execute(_one(batch_id).values(state=DISCARDED, recorder=None, rows=rows))
        detail = {"reason": reason, "attempts": len(held)}
        self._record(
            connection,
            [event(now, who, "discarded", batch_id=batch_id, detail=detail)]
            + [
                event(now, who, "voided", batch_id=batch_id, attempt_id=i, from_state=s, to_state=VOIDED)
                for i, s in held
            ],
        )  # fmt: skip
        return len(held)

    def _abandoned(self, connection: Connection, draft: BatchDraft) -> str | None:
        b = tables.batches.c
        found = connection.execute(
            select(b.id, b.recorder)
            .where(b.source_digest == draft.source_digest, b.mapping == draft.mapping)
            .where(b.profile == draft.profile, b.state == RECORDING)
            .order_by(b.created_at, b.id)
        ).all()
        return next((i for i, recorder in found if not self._held(i, recorder)), None)

    def _held(self, batch_id: str, recorder: str | None) -> bool:
        """Whether a living process, this one included, records the batch at this moment."""
        if recorder == self.owner:
            return batch_id in self._recording
        return recorder is not None and self._owners.alive(recorder) is True

    def _new_id(self, connection: Connection, day: str) -> str:
        return f"{day}-{self._reserve(connection, f'batch:{day}', 1)[0]:02d}"

    def _bind(self, connection: Connection, idempotency: tuple[int, str], batch_id: str) -> None:
        i = tables.idempotency
        connection.execute(
            update(i)
            .where(i.c.api_key_id == idempotency[0], i.c.key == idempotency[1])
            .values(batch_id=batch_id)
        )

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

    def _insert_shipments(
        self,
        connection: Connection,
        batch_id: str,
        shipments: Sequence[ShipmentRow],
        attempts: Sequence[AttemptDraft],
        ids: range,
    ) -> None:
        own = {a.position: i for a, i in zip(attempts, ids, strict=True) if a.position is not None}
        rows = []
        first = self._reserve(connection, "shipment", len(shipments)).start
        for shipment_id, s in enumerate(shipments, first):
            house_key = normalise(s.house_waybill) if s.house_waybill else None
            attempt = own.get(s.position, s.attempt_id)
            if (s.outcome == PREPARED) != (s.position in own) or s.outcome not in OUTCOMES:
                raise LedgerError(
                    f"shipment {s.position} is {s.outcome} but {'has' if s.position in own else 'has no'} attempt",
                    f"第 {s.position} 票状态为 {s.outcome}，与申报记录不符",
                    place=batch_id,
                )  # fmt: skip
            rows.append(
                (shipment_id, batch_id, s.position, s.key, s.master_waybill, s.house_waybill, house_key,
                 s.shown_as, s.direction, s.declaration_class, s.rows, s.row_count, s.outcome,
                 s.content_digest, attempt)
            )  # fmt: skip
        insert_rows(connection, tables.shipments, _SHIPMENT, rows)


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


def _by_outcome(connection: Connection, batch_id: str, counts: Mapping[str, int]) -> dict[str, int]:
    s = tables.shipments.c
    found = connection.execute(
        select(s.outcome, func.count()).where(s.batch_id == batch_id).group_by(s.outcome)
    )
    named = {name: 0 for name in OUTCOMES if name in counts}
    return {**named, **{str(outcome): int(count) for outcome, count in found}}


def _in_order(shipments: Sequence[ShipmentRow], recorded: int) -> None:
    if [s.position for s in shipments] != list(range(recorded, recorded + len(shipments))):
        raise LedgerError(
            f"a block must begin at position {recorded} and have no gaps",
            f"区块须从第 {recorded} 位起且连续",
        )


def _not_yet(
    connection: Connection, batch_id: str, attempts: Sequence[AttemptDraft]
) -> Sequence[AttemptDraft]:
    """Attempts without the manifests that this batch has recorded already."""
    a = tables.attempts.c
    keys = [x.key for x in attempts if x.kind == MANIFEST]
    there: set[tuple[str, str]] = set()
    for block in chunks(keys):
        there |= {
            (key, digest)
            for key, digest in connection.execute(
                select(a.key, a.content_digest)
                .where(a.kind == MANIFEST, a.batch_id == batch_id)
                .where(a.key.in_(block), a.live)
            )
        }
    if not there:
        return attempts
    return [x for x in attempts if x.kind != MANIFEST or (x.key, x.content_digest) not in there]


def _numbers(connection: Connection, attempts: Sequence[AttemptDraft]) -> list[int]:
    """The number of each new attempt under its key. Raises `KeysTaken`."""
    a = tables.attempts.c
    latest: dict[tuple[str, str], int] = {}
    taken: list[str] = []
    for kind in {x.kind for x in attempts}:
        own = [x.key for x in attempts if x.kind == kind]
        taken += [key for key, times in Counter(own).items() if times > 1]
        for block in chunks(own):
            found = connection.execute(
                select(a.key, func.max(a.number), func.max(case((a.live, 1), else_=0)))
                .where(a.kind == kind, a.key.in_(block))
                .group_by(a.key)
            )
            for key, number, live in found:
                latest[(kind, key)] = number
                if live:
                    taken.append(key)
    if taken:
        raise KeysTaken(tuple(taken))
    return [latest.get((x.kind, x.key), 0) + 1 for x in attempts]


def _attempt_rows(
    batch_id: str,
    attempts: Sequence[AttemptDraft],
    ids: range,
    refs: Sequence[PayloadRef],
    numbers: Sequence[int],
    at: str,
) -> list[tuple[Any, ...]]:
    return [
        (i, a.kind, a.message_type, a.key, number, True, batch_id, a.endpoint, a.master_waybill,
         a.house_waybill, a.voyage, a.direction, a.content_digest, PREPARED, STAGE_OURS, at, False,
         ref.segment, ref.offset, ref.length, ref.digest, 0, False, False)
        for i, a, ref, number in zip(ids, attempts, refs, numbers, strict=True)
    ]  # fmt: skip


def _insert_not_manifested(
    connection: Connection, batch_id: str, rows: Sequence[tuple[int, str]]
) -> None:
    s = tables.shipments.c
    reasons = dict(rows)
    for block in chunks(reasons):
        found = connection.execute(
            select(s.id, s.position)
            .outerjoin(tables.not_manifested, tables.not_manifested.c.shipment_id == s.id)
            .where(s.batch_id == batch_id, s.position.in_(block))
            .where(tables.not_manifested.c.shipment_id.is_(None))
        ).all()
        insert_rows(
            connection,
            tables.not_manifested,
            ("shipment_id", "reason"),
            [(shipment_id, reasons[position]) for shipment_id, position in found],
        )


def _block_detail(
    first: int, shipments: Sequence[ShipmentRow], refs: Sequence[PayloadRef]
) -> dict[str, Any]:
    digest = hashlib.sha256("".join(ref.digest for ref in refs).encode("ascii")).hexdigest()
    return {
        "first": first,
        "shipments": len(shipments),
        "attempts": len(refs),
        "digest": digest,
    }
