"""Looking: what is known of keys, what stands where, what happened. Nothing here changes anything."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, func, or_, select

from crossborder.errors import NotFound, PayloadDamaged, PayloadErased
from crossborder.keys import normalise
from crossborder.ledger import chain, tables
from crossborder.ledger.base import Base, to_json
from crossborder.ledger.batches import SEALED
from crossborder.ledger.dialects import chunks, texts
from crossborder.ledger.houses import standing
from crossborder.ledger.lots import having
from crossborder.ledger.receipts import opened_notes, opened_receipt, proven
from crossborder.ledger.records import (
    AttemptRecord,
    Event,
    FindingRow,
    Known,
    Listed,
    ManifestPart,
    PayloadRef,
    ReceiptRecord,
    ShipmentRecord,
)
from crossborder.ledger.sealing import Unsealable
from crossborder.ledger.states import DECLARATION, HOUSE_REFUSED, MANIFEST

A = tables.attempts
S = tables.shipments
L = tables.receipt_lines
R = tables.receipts
H = tables.manifest_houses


class Looking(Base):
    """Questions to the ledger."""

    def known(self, keys: Sequence[str], kind: str = DECLARATION) -> list[Known]:
        """The attempt that counts under each key (the live one, else the latest); keys without one are absent."""
        found: dict[str, Known] = {}
        with self.read() as connection:
            wanted = texts(connection, dict.fromkeys(keys))
            rows = connection.execute(
                select(A, tables.batches.c.state.label("batch_state"))
                .select_from(wanted.join(A, A.c.key == wanted.c.value))
                .join(tables.batches, tables.batches.c.id == A.c.batch_id)
                .where(A.c.kind == kind)
                .order_by(A.c.number)
            ).mappings()
            for row in rows:
                if row["key"] not in found or not found[row["key"]].live:
                    found[row["key"]] = _known(row)
        return list(found.values())

    def manifested(self, keys: Sequence[str], *, beside: str | None = None) -> dict[str, Listed]:
        """Declaration keys whose house stands on a live manifest that has not refused it.

        `beside`: manifests of this batch do not count.
        """
        with self.read() as connection:
            rows = connection.execute(standing(connection, keys, beside or ""))
            return {row[0]: Listed(*row) for row in rows}

    def refused_houses(self, attempt_ids: Sequence[int]) -> frozenset[tuple[int, str]]:
        """(manifest, declaration key) of the houses of some manifests that were refused."""
        found: set[tuple[int, str]] = set()
        with self.read() as connection:
            for block in chunks(attempt_ids):
                query = select(H.c.attempt_id, H.c.declaration_key).where(
                    H.c.attempt_id.in_(block), H.c.state == HOUSE_REFUSED
                )
                found |= {(attempt, key) for attempt, key in connection.execute(query)}
        return frozenset(found)

    def live_manifest_parts(self, stem: str) -> list[ManifestPart]:
        """The live parts of `MASTER|VOYAGE|I|` in their order: without one the next is an ADD."""
        draft = (A.c.draft_segment, A.c.draft_offset, A.c.draft_length, A.c.draft_digest, A.c.id)
        query = (
            select(A.c.key, *draft)
            .where(A.c.kind == MANIFEST, A.c.live)
            .where(A.c.key >= stem, A.c.key < _beyond(stem))
        )
        with self.read() as connection:
            found = connection.execute(query).all()
        return sorted(ManifestPart(int(key[len(stem) :]), ref[-1], PayloadRef(*ref)) for key, *ref in found)  # fmt: skip

    def attempt(self, attempt_id: int) -> AttemptRecord:
        """One attempt. Raises `NotFound`."""
        with self.read() as connection:
            row = connection.execute(select(A).where(A.c.id == attempt_id)).mappings().first()
        if row is None:
            raise NotFound(f"no attempt {attempt_id}", f"没有编号为 {attempt_id} 的申报记录")
        return attempt_record(row)

    def attempts_of(self, waybill: str) -> list[AttemptRecord]:
        """Every attempt of a house or master waybill (written in any way), oldest first.

        A house waybill gives its declarations; a master waybill its manifests. Empty if nobody knows it.
        """
        wanted = normalise(waybill)
        with self.read() as connection:
            keys = connection.execute(
                select(S.c.key).where(S.c.house_key == wanted, S.c.key.is_not(None)).distinct()
            ).scalars().all()  # fmt: skip
            stem = f"{wanted}|"
            rows = connection.execute(
                select(A)
                .where(
                    or_(
                        A.c.key.in_(keys),
                        (A.c.kind == MANIFEST) & (A.c.key >= stem) & (A.c.key < _beyond(stem)),
                    )
                )
                .order_by(A.c.id)
            ).mappings()
            return [attempt_record(row) for row in rows]

    def shipments_of(self, waybill: str) -> list[ShipmentRecord]:
        """Every time a house waybill (written in any way) was handed in, oldest first."""
        query = select(S).where(S.c.house_key == normalise(waybill)).order_by(S.c.id)
        with self.read() as connection:
            return [_shipment(row) for row in connection.execute(query).mappings()]

    def shipments_in(
        self, batch_id: str, outcome: str | None = None, offset: int = 0, limit: int | None = None
    ) -> list[ShipmentRecord]:
        """The shipments of a batch by position, all or those of one outcome."""
        query = select(S).where(S.c.batch_id == batch_id).order_by(S.c.position)
        if outcome is not None:
            query = query.where(S.c.outcome == outcome)
        with self.read() as connection:
            rows = connection.execute(query.offset(offset).limit(limit)).mappings()
            return [_shipment(row) for row in rows]

    def attempts_in(
        self,
        *,
        batch_ids: Sequence[str] | None = None,
        kind: str | None = None,
        states: Sequence[str] | None = None,
        endpoint: str | None = None,
        attention: bool | None = None,
        master: str | None = None,
        limit: int | None = None,
        after: int = 0,
    ) -> list[AttemptRecord]:
        """Attempts that fit every given selector, by id; go on with `after` the last one."""
        query = select(A).where(A.c.id > after).order_by(A.c.id).limit(limit)
        if batch_ids is not None:
            query = query.where(A.c.batch_id.in_(list(batch_ids)))
        if kind is not None:
            query = query.where(A.c.kind == kind)
        if states is not None:
            query = query.where(A.c.state.in_(list(states)))
        if endpoint is not None:
            query = query.where(A.c.endpoint == endpoint)
        if attention is not None:
            present = A.c.attention.is_not(None)
            query = query.where(present if attention else ~present)
        if master is not None:
            stem = f"{normalise(master)}|"
            query = query.where(A.c.key >= stem, A.c.key < _beyond(stem))
        with self.read() as connection:
            return [attempt_record(row) for row in connection.execute(query).mappings()]

    def unanswered(self, endpoint: str, sent_before: str) -> list[AttemptRecord]:
        """Attempts sent before a moment (`china_time.iso`) that nothing has been heard of since."""
        query = (
            select(A)
            .where(A.c.state == "sent", A.c.endpoint == endpoint, A.c.first_sent_at < sent_before)
            .order_by(A.c.first_sent_at, A.c.id)
        )
        with self.read() as connection:
            return [attempt_record(row) for row in connection.execute(query).mappings()]

    def findings_of(
        self,
        batch_id: str,
        offset: int = 0,
        limit: int | None = None,
        *,
        once: Collection[str] = (),
    ) -> list[FindingRow]:
        """The findings of a batch in the order they were recorded; of the rules `once` only those about the file."""
        f = tables.findings.c
        query = (
            select(f.position, f.rule, f.severity, f.action, f.record)
            .where(f.batch_id == batch_id, _told(once))
            .order_by(f.id)
            .offset(offset)
            .limit(limit)
        )
        with self.read() as connection:
            return [self._finding(row) for row in connection.execute(query)]

    def findings_at(self, batch_id: str, position: int) -> list[FindingRow]:
        """The findings of one shipment of a batch."""
        f = tables.findings.c
        query = (
            select(f.position, f.rule, f.severity, f.action, f.record)
            .where(f.batch_id == batch_id, f.position == position)
            .order_by(f.id)
        )
        with self.read() as connection:
            return [self._finding(row) for row in connection.execute(query)]

    def each_finding(
        self, batch_id: str, lot: int = 2000, *, once: Collection[str] = ()
    ) -> Iterator[FindingRow]:
        """As `findings_of`, one by one, for batches of any size."""
        f, after = tables.findings.c, 0
        query = select(f.id, f.position, f.rule, f.severity, f.action, f.record).order_by(f.id)
        while True:
            with self.read() as connection:
                some = query.where(f.batch_id == batch_id, f.id > after, _told(once)).limit(lot)
                rows = connection.execute(some).all()
            if not rows:
                return
            after = rows[-1].id
            yield from (self._finding(row[1:]) for row in rows)

    def not_manifested(
        self, batch_ids: Sequence[str] | None = None
    ) -> list[tuple[ShipmentRecord, str]]:
        """Shipments that stand on no manifest because their line cannot be written, with the reason."""
        n = tables.not_manifested
        query = select(S, n.c.reason).join(n, n.c.shipment_id == S.c.id).order_by(S.c.id)
        if batch_ids is not None:
            query = query.where(S.c.batch_id.in_(list(batch_ids)))
        with self.read() as connection:
            rows = connection.execute(query).mappings()
            return [(_shipment(row), row["reason"]) for row in rows]

    def already_filed_in(self, batch_id: str) -> dict[str, int]:
        """Batch → how many shipments of this one are already filed with a declaration of that one."""
        query = (
            select(A.c.batch_id, func.count())
            .join(S, S.c.attempt_id == A.c.id)
            .where(S.c.batch_id == batch_id, S.c.outcome == "already_filed", A.c.batch_id != batch_id)
            .group_by(A.c.batch_id)
            .order_by(A.c.batch_id)
        )  # fmt: skip
        with self.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def timeline(self, attempt_id: int) -> list[Event]:
        """What happened to an attempt, in the order it was recorded."""
        return self._events(tables.events.c.attempt_id == attempt_id)

    def batch_events(self, batch_id: str) -> list[Event]:
        """What happened to a batch as a whole (not to its single attempts)."""
        e = tables.events.c
        return self._events((e.batch_id == batch_id) & e.attempt_id.is_(None))

    def receipts_of(self, attempt_id: int) -> list[ReceiptRecord]:
        """Every receipt line that belongs to an attempt, by OpTime."""
        return self._receipts(L.c.attempt_id == attempt_id)

    def receipts_for(self, key: str) -> list[ReceiptRecord]:
        """Every receipt line that names a key, matched or not, by OpTime. It looks at every line there is."""
        return self._receipts(L.c.key == key)

    def receipts_by_outcome(
        self, outcomes: Iterable[str], *, after: int = 0, code: str | None = None
    ) -> list[ReceiptRecord]:
        """Receipt lines of some outcomes, e.g. unmatched ones; written `after` a line (see `high_water`), of one code."""
        which = having(outcomes) & (L.c.id > after)
        return self._receipts(which if code is None else which & (L.c.code == code))

    def high_water(self) -> tuple[int, int]:
        """The latest event and the latest receipt line: what comes later has higher numbers."""
        with self.read() as connection:
            latest = [connection.execute(select(func.max(c))).scalar() for c in (tables.events.c.id, L.c.id)]  # fmt: skip
        return latest[0] or 0, latest[1] or 0

    def moved_by_receipts(self, after: int, states: Iterable[str]) -> list[AttemptRecord]:
        """Attempts that receipts have put into the state they are in, one of `states`, since an event, by id."""
        e = tables.events.c
        moved = (
            select(e.attempt_id)
            .join(A, A.c.id == e.attempt_id)
            .where(e.id > after, e.verb == "receipt", e.to_state.in_(sorted(states)))
            .where(e.to_state == A.c.state, e.from_state != e.to_state)
        )
        with self.read() as connection:
            rows = connection.execute(select(A).where(A.c.id.in_(moved)).order_by(A.c.id)).mappings()  # fmt: skip
            return [attempt_record(row) for row in rows]

    def house_refused_by(self, key: str) -> list[ReceiptRecord]:
        """What the receipts of the latest manifest that lists a declaration's house, and lost it, say of it, by OpTime.

        Those that name the house itself, else those of the manifest as a whole.
        """
        listed = (
            select(func.max(H.c.attempt_id))
            .join(A, A.c.id == H.c.attempt_id)
            .where(H.c.declaration_key == key, H.c.state == HOUSE_REFUSED)
            .scalar_subquery()
        )
        said = self._receipts(
            (L.c.attempt_id == listed) & ((L.c.line == 0) | (L.c.key == key[:-1]))
        )
        return [r for r in said if r.line > 0] or said

    def receipt_raw(self, receipt_id: int) -> bytes:
        """The stored bytes of a receipt. Raises `NotFound`, `PayloadErased`, `PayloadDamaged`."""
        with self.read() as connection:
            row = connection.execute(select(R).where(R.c.id == receipt_id)).first()
        if row is None:
            raise NotFound(f"no receipt {receipt_id}", f"没有编号为 {receipt_id} 的回执")
        return opened_receipt(row, self._keys)

    def receipts_proven(self, connection: Connection) -> Iterator[tuple[int, str, str, str | None]]:
        """(id, endpoint, digest as stored, digest as it is now) of every receipt; see `receipts.proven`."""
        query = select(R).order_by(R.c.id).execution_options(yield_per=500)
        for row in connection.execute(query):
            yield row.id, row.endpoint, row.digest, proven(row, self._keys)

    def unreadable_receipts(self) -> list[tuple[int, str, str, str]]:
        """(id, endpoint, name, problem) of receipts that could not be read."""
        query = (
            select(R.c.id, R.c.endpoint, R.c.name, tables.unreadable.c.problem)
            .join(tables.unreadable, tables.unreadable.c.receipt_id == R.c.id)
            .order_by(R.c.id)
        )
        with self.read() as connection:
            return [(r[0], r[1], r[2], r[3]) for r in connection.execute(query)]

    def document(self, attempt_id: int) -> bytes | None:
        """The exact XML of an attempt: as frozen, else its draft; None if the bytes are damaged."""
        found = self.attempt(attempt_id)
        try:
            return self._payloads.read(found.frozen or found.draft)
        except PayloadDamaged:
            return None

    def draft(self, attempt_id: int) -> bytes | None:
        """The draft of an attempt as composed, before id and moment were set; None if damaged."""
        try:
            return self._payloads.read(self.attempt(attempt_id).draft)
        except PayloadDamaged:
            return None

    def peek(self, ref: PayloadRef) -> bytes:
        """The bytes at `ref`, compared with their digest; unlike `payload` it marks nothing.

        Raises `PayloadDamaged`.
        """
        return self._payloads.read(ref)

    def _finding(self, row: Sequence[Any]) -> FindingRow:
        """A finding as it was recorded; one that was erased keeps what stands in columns, and `erased_at`."""
        position, rule, severity, action, record = row
        left: dict[str, str | bool] = {"rule": rule, "severity": severity, "action": action}
        try:
            record = self._keys.text(record, "finding", position, rule, severity, action)
        except PayloadErased as error:
            record = to_json({**left, "erased_at": error.day})
        except Unsealable:
            record = to_json({**left, "damaged": True})
        return FindingRow(position, rule, severity, action, record)

    def _events(self, which: Any) -> list[Event]:
        e = tables.events.c
        query = select(*(e[name] for name in chain.COLUMNS)).where(which).order_by(e.id)
        with self.read() as connection:
            return [
                Event(**{**row, "detail": json.loads(row["detail"])})
                for row in connection.execute(query).mappings()
            ]

    def _receipts(self, which: Any) -> list[ReceiptRecord]:
        names = ("name", "endpoint", "received_at", "copies")
        query = (
            select(L, *(R.c[n] for n in names))
            .join(R, R.c.id == L.c.receipt_id)
            .where(which)
            .order_by(L.c.op_time, L.c.id)
        )
        with self.read() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            ReceiptRecord(**{
                **{k: v for k, v in row.items() if k != "id"},
                "notes": opened_notes(row["notes"], row["receipt_id"], row["line"], self._keys),
            })
            for row in rows
        ]  # fmt: skip


def attempt_record(row: RowMapping) -> AttemptRecord:
    """An attempt from its row."""
    values = {k: row[k] for k in AttemptRecord.__dataclass_fields__ if k in row}
    attention = row["attention"]
    frozen = None
    if row["segment"] is not None:
        frozen = PayloadRef(row["segment"], row["offset"], row["length"], row["digest"], row["id"])
    return AttemptRecord(
        **{**values, "attention": tuple(attention.split(",")) if attention else ()},
        draft=_draft_ref(row),
        frozen=frozen,
    )


def _draft_ref(row: RowMapping) -> PayloadRef:
    names = ("draft_segment", "draft_offset", "draft_length", "draft_digest", "id")
    return PayloadRef(*(row[n] for n in names))


def _known(row: RowMapping) -> Known:
    return Known(
        row["key"], row["id"], row["number"], bool(row["live"]), row["state"], bool(row["final"]),
        bool(row["released"]), row["content_digest"], row["batch_id"], row["batch_state"] == SEALED,
        row["endpoint"], row["first_sent_at"] is not None, row["last_code"], _draft_ref(row),
    )  # fmt: skip


def _shipment(row: RowMapping) -> ShipmentRecord:
    return ShipmentRecord(**{k: row[k] for k in ShipmentRecord.__dataclass_fields__})


def _told(once: Collection[str]) -> ColumnElement[bool]:
    """Findings without those of single shipments by rules that are told once for all of them."""
    f = tables.findings.c
    return f.position.is_(None) | f.rule.not_in(list(once))


def _beyond(stem: str) -> str:
    """The first text after all that begin with `stem`, which ends with a bar."""
    return stem[:-1] + chr(ord(stem[-1]) + 1)
