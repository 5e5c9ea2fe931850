"""The outbox: let go, freeze, claim, record what became of it. Ids and bytes are stored before any byte leaves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Integer,
    RowMapping,
    Select,
    bindparam,
    func,
    select,
    update,
)

from crossborder import china_time
from crossborder.errors import LedgerError, PayloadDamaged, PayloadErased
from crossborder.ledger import tables
from crossborder.ledger.base import Base, EventRow, again_if_busy, event, with_attention
from crossborder.ledger.batches import SEALED, batch_row
from crossborder.ledger.datakeys import batch_scope
from crossborder.ledger.dialects import EVERYTHING, chunks
from crossborder.ledger.dialects import SENDING as AS_SENDER
from crossborder.ledger.houses import let_go_of, passed_since, refuse_houses
from crossborder.ledger.records import (
    Draft,
    Frozen,
    Outgoing,
    PayloadRef,
    Released,
    Sent,
)
from crossborder.ledger.resuming import DAMAGED, ERASED, resume
from crossborder.ledger.states import (
    AWAITING_MANIFEST,
    DECLARATION,
    MANIFEST,
    NOT_RECEIVED,
    PLATFORM_FAILED,
    PREPARED,
    QUEUED,
    SENDING,
    STAGE_OURS,
    STAGE_PLATFORM,
    SUSPENDED,
    UNKNOWN,
    WAITING,
)
from crossborder.ledger.states import SENT as STATE_SENT

A = tables.attempts
_FREEZE = (
    update(A)
    .where(A.c.id == bindparam("attempt"))
    .values(
        message_id=bindparam("id_"),
        segment=bindparam("segment_"),
        offset=bindparam("offset_"),
        length=bindparam("length_"),
        digest=bindparam("digest_"),
        state=QUEUED,
        state_since=bindparam("at"),
        queued_at=bindparam("at"),
        ready=False,
    )
)


class Outbox(Base):
    """Attempts on their way to an endpoint."""

    def release(
        self,
        batch_ids: Sequence[str],
        who: str,
        now: datetime,
        manifest_first: Mapping[str, bool],
    ) -> Released:
        """A person lets batches go. Batches that have been let go before are passed over, but for messages whose
        damaged bytes have been put back, and for declarations of shipments that were let pass since: those go on.

        `manifest_first` says per endpoint whether a declaration waits for its house's NY (an endpoint not named
        wants it). Raises `NotFound`, or `LedgerError` if a batch is not sealed; nothing is let go then.
        """
        done: list[str] = []
        total = {MANIFEST: 0, DECLARATION: 0, AWAITING_MANIFEST: 0}
        with self.write() as connection:
            self._record(
                connection,
                resume(connection, batch_ids, self._is_whole, manifest_first, who, now),
            )
            for batch_id in dict.fromkeys(batch_ids):
                if not _submit(connection, batch_id, who, now) and not passed_since(connection, batch_id):  # fmt: skip
                    continue
                moved = let_go_of(connection, batch_id, who, now, manifest_first)
                self._record(
                    connection,
                    [event(now, who, "submitted", batch_id=batch_id, detail=moved)],
                )
                done.append(batch_id)
                for name, count in moved.items():
                    total[name] += count
        return Released(tuple(done), total[MANIFEST], total[DECLARATION], total[AWAITING_MANIFEST])

    def freezable(self, limit: int) -> list[Draft]:
        """Attempts that may be queued now, manifests first.

        Those are manifests of batches that were let go (an APD once the part before it is accepted), and
        declarations whose house stands accepted on a manifest or whose endpoint wants none.
        """
        drafts: list[Draft] = []
        with self.read() as connection:
            for kind in (MANIFEST, DECLARATION):
                query = select(A).where(A.c.ready, A.c.kind == kind).order_by(A.c.id)
                rows = connection.execute(query.limit(limit - len(drafts))).mappings()
                drafts += [_draft(row) for row in rows]
        return drafts

    @again_if_busy
    def freeze(self, frozen: Sequence[Frozen], now: datetime) -> list[int]:
        """Keep final bytes (flushed to the disk first), then queue; ids of the attempts that were queued.

        An attempt that is no longer freezable (queued meanwhile, suspended) is passed over: its bytes stay those
        it has.
        """
        with self.write(AS_SENDER) as connection:
            ready = self._freezable_now(connection, [f.attempt_id for f in frozen])
            chosen = [f for f in frozen if f.attempt_id in ready]
            keys = {
                batch: self._keys.writing(connection, batch_scope(batch), now)
                for batch in dict.fromkeys(ready[f.attempt_id][1] for f in chosen)
            }
            refs = self._payloads.append(
                connection, [f.body for f in chosen], [keys[ready[f.attempt_id][1]] for f in chosen]
            )
            at = china_time.iso(now)
            if chosen:
                connection.execute(
                    _FREEZE,
                    [
                        {"attempt": f.attempt_id, "id_": f.message_id, "at": at, "segment_": ref.segment,
                         "offset_": ref.offset, "length_": ref.length, "digest_": ref.digest}
                        for f, ref in zip(chosen, refs, strict=True)
                    ],
                )  # fmt: skip
            events: list[EventRow] = [
                event(at, self.owner, "queued", batch_id=ready[f.attempt_id][1], attempt_id=f.attempt_id,
                      from_state=ready[f.attempt_id][0], to_state=QUEUED,
                      detail={"digest": ref.digest, "message_id": f.message_id})
                for f, ref in zip(chosen, refs, strict=True)
            ]  # fmt: skip
            self._record(connection, events)
        return [f.attempt_id for f in chosen]

    @again_if_busy
    def claim(
        self, endpoint: str, owner: str, limit: int, now: datetime, lease: timedelta
    ) -> list[Outgoing]:
        """Take up to `limit` messages to send: nobody else gets them while the lease runs; manifests first.

        `owner` is `Ledger.owner`, or that with `/` and a part of its own. Each is `sending` from here on, and
        `unknown` if nobody says what became of it.
        """
        self._owners.appear()
        at = china_time.iso(now)
        until = china_time.iso(now + lease)
        with self.write(AS_SENDER) as connection:
            rows = _due(connection, endpoint, limit, at)
            for block in chunks([row["id"] for row in rows]):
                connection.execute(
                    update(A).where(A.c.id.in_(block)).values(
                        state=SENDING, state_since=at, owner=owner, lease_until=until, retry_at=None,
                        sends=A.c.sends + 1,
                    )
                )  # fmt: skip
                connection.execute(
                    update(A)
                    .where(A.c.id.in_(block), A.c.first_sent_at.is_(None))
                    .values(first_sent_at=at)
                )
            self._record(
                connection,
                [
                    event(at, owner, "claimed", batch_id=row["batch_id"], attempt_id=row["id"],
                          from_state=row["state"], to_state=SENDING)
                    for row in rows
                ],
            )  # fmt: skip
            return [_outgoing(row, row["sends"] + 1) for row in rows]

    @again_if_busy
    def renew(self, owner: str, now: datetime, lease: timedelta) -> int:
        """Prolong the lease of everything this owner still holds; how many that is."""
        with self.write(AS_SENDER) as connection:
            done = connection.execute(
                update(A)
                .where(A.c.state == SENDING, A.c.owner == owner)
                .values(lease_until=china_time.iso(now + lease))
            )
            return int(done.rowcount)

    def holds(self, attempt_id: int, owner: str) -> bool:
        """Whether a claimed message is still this owner's to send, whatever any clock says."""
        held = select(A.c.id).where(A.c.id == attempt_id, A.c.state == SENDING, A.c.owner == owner)
        with self.glance() as connection:
            return connection.execute(held).first() is not None

    def payload(self, ref: PayloadRef, now: datetime) -> bytes:
        """The bytes at `ref`, compared with their digest.

        Raises `PayloadDamaged` if they differ; the attempt whose bytes they are is then marked
        `payload_damaged` and, unless it may have left already, suspended. Raises `PayloadErased` if their key was
        destroyed; that is marked only where the attempt was still to be sent.
        """
        try:
            return self._payloads.read(ref)
        except PayloadDamaged as error:
            if ref.attempt_id is not None:
                self._damaged(ref.attempt_id, now, erased=isinstance(error, PayloadErased))
            raise

    def record_outcome(
        self,
        attempt_id: int,
        outcome: str,
        detail: str,
        now: datetime,
        owner: str,
        *,
        retry_at: datetime | None = None,
        attention: str | None = None,
    ) -> str:
        """`record_outcomes` for one; the state the attempt has afterwards."""
        sent = Sent(attempt_id, outcome, detail, retry_at, attention)
        return self.record_outcomes([sent], now, owner)[0]

    @again_if_busy
    def record_outcomes(self, outcomes: Sequence[Sent], now: datetime, owner: str) -> list[str]:
        """What became of claimed messages, in one transaction; the states they have afterwards.

        received → sent; declined → platform_failed, the key is free; not_received → not_received, to be claimed
        again with the same bytes from `retry_at`; unknown → unknown. Where a receipt was faster the receipt's
        state stays. An answer that comes after the lease was lost only counts if it says `received`.
        """
        with self.write(_hold(o.outcome for o in outcomes)) as connection:
            found = _by_id(connection, [o.attempt_id for o in outcomes])
            events: list[EventRow] = []
            states = [
                self._settle(connection, found[o.attempt_id], o, now, owner, events)
                for o in outcomes
            ]
            self._record(connection, events)
        return states

    def recover(self, now: datetime, owner: str) -> int:
        """Everything left in `sending` by a process that is no more, or beyond its lease, becomes unknown.

        A worker calls it before it claims anything: what stands under its own `owner` counts as left behind.
        """
        at = china_time.iso(now)
        with self.write() as connection:
            held = connection.execute(
                select(A.c.id, A.c.batch_id, A.c.owner, A.c.lease_until).where(A.c.state == SENDING)
            ).all()
            alive = {o: self._owners.alive(o) for o in {row.owner for row in held} if o}
            lost = [
                row for row in held
                if row.owner == owner or not row.lease_until or row.lease_until <= at or alive.get(row.owner) is False
            ]  # fmt: skip
            for block in chunks([row.id for row in lost]):
                connection.execute(
                    update(A).where(A.c.id.in_(block)).values(
                        state=UNKNOWN, state_since=at, unknown_since=at, owner=None, lease_until=None
                    )
                )  # fmt: skip
            self._record(
                connection,
                [
                    event(at, owner, "recovered", batch_id=row.batch_id, attempt_id=row.id,
                          from_state=SENDING, to_state=UNKNOWN, detail={"held_by": row.owner})
                    for row in lost
                ],
            )  # fmt: skip
        self._owners.forget_dead()
        return len(lost)

    def unknowns(
        self, endpoint: str, now: datetime, rest: timedelta = timedelta(0), limit: int | None = None
    ) -> list[Outgoing]:
        """Messages of unknown fate that have rested for `rest` since they became so, longest first."""
        query = (
            select(A)
            .where(A.c.state == UNKNOWN, A.c.endpoint == endpoint)
            .where(A.c.unknown_since <= china_time.iso(now - rest))
            .order_by(A.c.unknown_since, A.c.id)
            .limit(limit)
        )
        with self.read() as connection:
            return [_outgoing(row, row["sends"]) for row in connection.execute(query).mappings()]

    @again_if_busy
    def settle_unknown(
        self,
        attempt_id: int,
        found: str,
        detail: str,
        now: datetime,
        *,
        owner: str = "",
        sends: int | None = None,
        retry_at: datetime | None = None,
        attention: str | None = None,
    ) -> str:
        """What a look-up found of an unknown message: received, declined, not_received, or still unknown.

        Answers the state afterwards; one that is no longer unknown (a receipt was faster) stays as it is, and so does
        one that was claimed again since it was asked for (`sends`, as it was then): the answer is about an older try.
        """
        with self.write(_hold([found])) as connection:
            row = _by_id(connection, [attempt_id])[attempt_id]
            if row["state"] != UNKNOWN or sends not in (None, row["sends"]):
                return str(row["state"])
            sent, events = Sent(attempt_id, found, detail, retry_at, attention), list[EventRow]()
            state = self._move(connection, row, sent, now, owner or self.owner, "looked_up", events)
            self._record(connection, events)
        return state

    def refuse_handed_over(
        self, endpoint: str, refusals: Mapping[str, str], now: datetime
    ) -> tuple[int, set[str]]:
        """Messages that were handed over and refused afterwards, before any receipt: they are declined.

        `refusals`: SHA-256 of the bytes → detail. Answers how many were declined, and the digests that need not be
        named again (all but those of messages whose sending is not settled yet).
        """
        declined = 0
        unsettled: set[str] = set()
        events: list[EventRow] = []
        with self.write() as connection:
            for block in chunks(list(refusals)):
                query = select(A).where(
                    A.c.endpoint == endpoint, A.c.state.in_((STATE_SENT, SENDING, UNKNOWN)), A.c.digest.in_(block)
                )  # fmt: skip
                for row in connection.execute(query).mappings().all():
                    if row["state"] != STATE_SENT:
                        unsettled.add(row["digest"])
                        continue
                    sent = Sent(row["id"], "declined", refusals[row["digest"]])
                    self._move(connection, row, sent, now, self.owner, "refused_later", events)
                    declined += 1
            self._record(connection, events)
        return declined, set(refusals) - unsettled

    def pending(self, endpoints: Iterable[str]) -> dict[str, int]:
        """How many attempts of these endpoints stand in each state that filing still works on, and `ready`."""
        names = list(endpoints)
        states = (QUEUED, NOT_RECEIVED, SENDING, UNKNOWN, AWAITING_MANIFEST)
        with self.read() as connection:
            found = connection.execute(
                select(A.c.state, func.count())
                .where(A.c.state.in_(states), A.c.endpoint.in_(names))
                .group_by(A.c.state)
            )
            counts = {str(state): int(count) for state, count in found}
            ready = connection.execute(
                select(func.count()).select_from(A).where(A.c.ready, A.c.endpoint.in_(names))
            ).scalar_one()
        return {**dict.fromkeys(states, 0), **counts, "ready": int(ready)}

    # -- parts of the above

    def _freezable_now(
        self, connection: Connection, ids: Sequence[int]
    ) -> dict[int, tuple[str, str]]:
        found: dict[int, tuple[str, str]] = {}
        for block in chunks(ids):
            rows = connection.execute(
                select(A.c.id, A.c.state, A.c.batch_id)
                .where(A.c.id.in_(block), A.c.ready, A.c.state.in_((PREPARED, AWAITING_MANIFEST)))
                .order_by(A.c.id)
                .with_for_update()
            )
            found |= {row.id: (row.state, row.batch_id) for row in rows}
        return found

    def _is_whole(self, row: RowMapping) -> bool:
        """Whether the bytes that an attempt would send, or be stamped from, are those of their digest."""
        frozen = row["segment"] is not None
        ref = _outgoing(row, row["sends"]).ref if frozen else _draft(row).ref
        try:
            self._payloads.read(ref)
        except PayloadDamaged:
            return False
        return True

    def _damaged(self, attempt_id: int, now: datetime, *, erased: bool) -> None:
        at = china_time.iso(now)
        mark = ERASED if erased else DAMAGED
        with self.write() as connection:
            row = _by_id(connection, [attempt_id])[attempt_id]
            if erased and row["state"] not in (*WAITING, SENDING):
                return
            attention = with_attention(row["attention"], mark)
            values: dict[str, Any] = {"attention": attention, "ready": False}
            if row["state"] in (*WAITING, SENDING):
                values |= {
                    "state": SUSPENDED,
                    "state_since": at,
                    "owner": None,
                    "lease_until": None,
                }
            connection.execute(update(A).where(A.c.id == attempt_id).values(values))
            self._record(
                connection,
                [
                    event(at, self.owner, mark, batch_id=row["batch_id"], attempt_id=attempt_id,
                          from_state=row["state"], to_state=values.get("state", row["state"]))
                ],
            )  # fmt: skip

    def _settle(
        self,
        connection: Connection,
        row: RowMapping,
        sent: Sent,
        now: datetime,
        owner: str,
        events: list[EventRow],
    ) -> str:
        """As `_move`, unless the answer comes too late."""
        held = row["state"] == SENDING and row["owner"] == owner
        late = row["state"] in (UNKNOWN, QUEUED, NOT_RECEIVED) and sent.outcome == "received"
        if held or late:
            return self._move(connection, row, sent, now, owner, "answered", events)
        attention = row["attention"]
        if sent.outcome in ("declined", "not_received") and row["stage"] != STAGE_OURS:
            attention = with_attention(attention, "contradictory")
        if sent.attention:
            attention = with_attention(attention, sent.attention)
        connection.execute(update(A).where(A.c.id == row["id"]).values(attention=attention))
        events.append(
            event(now, owner, "answered_late", batch_id=row["batch_id"], attempt_id=row["id"],
                  from_state=row["state"], to_state=row["state"],
                  detail={"outcome": sent.outcome, "detail": sent.detail})
        )  # fmt: skip
        return str(row["state"])

    def _move(
        self,
        connection: Connection,
        row: RowMapping,
        sent: Sent,
        now: datetime,
        owner: str,
        verb: str,
        events: list[EventRow],
    ) -> str:
        """Move an attempt that is sending or unknown by what is known of it now; the event is added to `events`."""
        at = china_time.iso(now)
        values = values_of(sent, at)
        state = values["state"]
        if state == UNKNOWN and row["state"] == UNKNOWN:
            values.pop("unknown_since")
            values.pop("state_since")
        if sent.attention:
            values["attention"] = with_attention(row["attention"], sent.attention)
        connection.execute(update(A).where(A.c.id == row["id"]).values(values))
        events.append(
            event(at, owner, verb, batch_id=row["batch_id"], attempt_id=row["id"], from_state=row["state"],
                  to_state=state, detail={"outcome": sent.outcome, "detail": sent.detail})
        )  # fmt: skip
        if state == PLATFORM_FAILED and row["kind"] == MANIFEST:
            refuse_houses(connection, row["id"])
        return str(state)


def _hold(outcomes: Iterable[str]) -> str:
    """What recording outcomes excludes: a refused manifest changes declarations that others may hold."""
    return EVERYTHING if "declined" in outcomes else AS_SENDER


def values_of(sent: Sent, at: str) -> dict[str, Any]:
    """The columns of an attempt that is sending or unknown, by what is known of it now."""
    common: dict[str, Any] = {"state_since": at, "owner": None, "lease_until": None, "unknown_since": None,
                              "retry_at": None}  # fmt: skip
    if sent.outcome == "received":
        return {**common, "state": STATE_SENT}
    if sent.outcome == "declined":
        return {**common, "state": PLATFORM_FAILED, "stage": STAGE_PLATFORM, "final": True, "live": False}  # fmt: skip
    if sent.outcome == "not_received":
        retry = china_time.iso(sent.retry_at) if sent.retry_at else at
        return {**common, "state": NOT_RECEIVED, "retry_at": retry}
    if sent.outcome == "unknown":
        return {**common, "state": UNKNOWN, "unknown_since": at}
    raise LedgerError(f"no outcome is called {sent.outcome!r}", f"没有名为 {sent.outcome!r} 的结果")


def _submit(connection: Connection, batch_id: str, who: str, now: datetime) -> bool:
    row = batch_row(connection, batch_id)
    if row["state"] != SEALED:
        raise LedgerError(
            "this batch is not completely recorded and cannot be submitted",
            "该批次尚未录入完毕，不能申报",
            place=batch_id,
            fix_en="hand the same file in again; recording goes on where it stopped",
            fix_zh="请重新提交同一文件，录入将从中断处继续",
        )
    if row["submitted_at"] is not None:
        return False
    connection.execute(
        update(tables.batches)
        .where(tables.batches.c.id == batch_id)
        .values(submitted_at=china_time.iso(now), submitted_by=who)
    )
    return True


def _due_query(kind: str, state: str) -> Select[Any]:
    """Messages of an `endpoint` that may be sent: `most` of them at moment `at`, longest waiting first."""
    query = select(A).where(A.c.state == state, A.c.endpoint == bindparam("to"), A.c.kind == kind)
    if state == NOT_RECEIVED:
        query = query.where(A.c.retry_at <= bindparam("at"))
    most: BindParameter[int] = bindparam("most", type_=Integer)
    return query.order_by(A.c.id).limit(most).with_for_update(skip_locked=True)


_DUE = [
    _due_query(kind, state) for kind in (MANIFEST, DECLARATION) for state in (NOT_RECEIVED, QUEUED)
]
"""Asked again and again by every worker: made once."""


def _due(connection: Connection, endpoint: str, limit: int, at: str) -> list[RowMapping]:
    """Messages to send, manifests first, longest waiting first within a state; nobody else is given them meanwhile."""
    rows: list[RowMapping] = []
    for query in _DUE:
        if len(rows) >= limit:
            break
        given = {"to": endpoint, "at": at, "most": limit - len(rows)}
        rows += connection.execute(query, given).mappings().all()
    return rows


def _by_id(connection: Connection, ids: Sequence[int]) -> dict[int, RowMapping]:
    """Attempts by number, locked until the end of the transaction."""
    found: dict[int, RowMapping] = {}
    for block in chunks(sorted(ids)):
        query = select(A).where(A.c.id.in_(block)).order_by(A.c.id).with_for_update()
        found |= {row["id"]: row for row in connection.execute(query).mappings()}
    missing = [i for i in ids if i not in found]
    if missing:
        raise LedgerError(f"no attempt {missing[0]}", f"没有编号为 {missing[0]} 的申报记录")
    return found


def _draft(row: RowMapping) -> Draft:
    ref = PayloadRef(
        row["draft_segment"], row["draft_offset"], row["draft_length"], row["draft_digest"], row["id"]
    )  # fmt: skip
    return Draft(
        row["id"], row["kind"], row["message_type"], row["key"], row["endpoint"], row["direction"],
        row["batch_id"], ref,
    )  # fmt: skip


def _outgoing(row: RowMapping, sends: int) -> Outgoing:
    ref = PayloadRef(row["segment"], row["offset"], row["length"], row["digest"], row["id"])
    since = row["unknown_since"]
    return Outgoing(
        row["id"], row["kind"], row["message_type"], row["key"], row["message_id"], row["endpoint"], ref,
        china_time.parse(row["queued_at"]), sends, china_time.parse(since) if since else None,
    )  # fmt: skip
