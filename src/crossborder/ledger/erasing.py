"""Erasing: the key of a batch, or of a day's receipts, is destroyed, and with it what it sealed.

Rows, digests and history stay: the account closes as before, and who asks is told on which day it was erased.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select, update

from crossborder import china_time
from crossborder.errors import LedgerError
from crossborder.ledger import dialects, tables
from crossborder.ledger.base import Base, EventRow, event, with_attention
from crossborder.ledger.batches import RECORDING, batch_row
from crossborder.ledger.datakeys import batch_scope
from crossborder.ledger.decisions import reasoned
from crossborder.ledger.dialects import chunks
from crossborder.ledger.resuming import ERASED
from crossborder.ledger.sealing import SEALED_SEGMENT, SEALED_TEXT
from crossborder.ledger.states import DECLARATION, SENDING, STAGE_CUSTOMS, SUSPENDED, WAITING

A = tables.attempts
B = tables.batches
K = tables.data_keys
L = tables.receipt_lines
R = tables.receipts
FORCEABLE = ("young", "open")
"""Reasons against erasing that a person may overrule."""


@dataclass(frozen=True)
class Erasure:
    """What was erased, or would be. `receipts`: raw receipts; `days` (endpoint, yyyymmdd) they came on.

    `refused`: (batch, why) of batches that were named: `young`, `open` (a declaration is not settled), `sending`,
    `recording`, `erased` (already), `plain` (some of it was recorded without encryption). `suspended`: messages that
    were still to be sent. `wiped`: the old keys are out of the database's log too.
    """

    batches: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]
    documents: int
    findings: int
    receipts: int
    days: tuple[tuple[str, str], ...]
    suspended: int
    dry_run: bool
    wiped: bool = True


class Erasing(Base):
    """Destroying data keys."""

    def erase(
        self,
        batch_ids: Sequence[str],
        retention: timedelta,
        who: str,
        reason: str,
        now: datetime,
        *,
        force: bool = False,
        dry_run: bool = False,
    ) -> Erasure:
        """Destroy the keys of batches, named or (none named) all that are due, and of the receipts that answer only them.

        Due is a batch of which nothing has moved for `retention`, and in which every declaration is settled. `force`
        overrules both for batches that are named; what was still to be sent is suspended. Raises `NotFound`, and
        `LedgerError` if `force` comes without batches or without a reason.
        """
        if force and not (batch_ids and reason.strip()):
            raise LedgerError(
                "erasing before the time needs the batches by name and a reason",
                "提前销毁须指明批次并注明原因",
                fix_en="crossborder erase BATCH --force --reason TEXT",
                fix_zh="crossborder erase 批次 --force --reason 原因",
            )
        reason = reasoned(reason) if reason.strip() else ""
        before = china_time.iso(now - retention)
        with self._erasing(dry_run) as connection:
            chosen, refused = _chosen(connection, batch_ids, before, force=force)
            keys = _keys_of(connection, [batch_scope(batch) for batch in chosen])
            days = _days(
                connection, [key.id for key in keys], before, f"{china_time.day(now):%Y%m%d}"
            )
            made = Erasure(
                tuple(chosen), tuple(refused), _documents(connection, chosen),
                _count(connection, tables.findings.c.batch_id, chosen),
                _count(connection, R.c.data_key, [key.id for key in days]),
                tuple((day.scope.split("|")[1], day.scope.split("|")[2]) for day in days),
                _count(connection, A.c.batch_id, chosen, A.c.state.in_(WAITING)), dry_run,
            )  # fmt: skip
            if dry_run:
                return made
            _destroy(connection, [key.id for key in (*keys, *days)], china_time.iso(now))
            events = _suspend(connection, chosen, who, china_time.iso(now))
            self._record(connection, [*events, *_told(connection, keys, days, who, reason, now)])
        self._checkpoint("keys:erased")
        self._keys.forget(*(key.id for key in (*keys, *days)))
        return replace(made, wiped=dialects.empty_log(self._engine))

    @contextmanager
    def _erasing(self, dry_run: bool) -> Iterator[Connection]:
        """A transaction in which what is replaced is overwritten in the file; one that only looks for a dry run."""
        if dry_run:
            with self.read() as connection:
                yield connection
            return
        with self.write() as connection:
            dialects.wipe_deleted(connection, on=True)
            try:
                yield connection
            finally:
                dialects.wipe_deleted(connection, on=False)


def _chosen(
    connection: Connection, batch_ids: Sequence[str], before: str, *, force: bool
) -> tuple[list[str], list[tuple[str, str]]]:
    """Batches to be erased; of those named, the others with the reason."""
    named = list(dict.fromkeys(batch_ids))
    query = select(B.c.id).join(K, K.c.scope == "batch|" + B.c.id)
    candidates = named or [
        str(batch)
        for batch in connection.execute(
            query.where(K.c.wrapped.is_not(None)).order_by(B.c.created_at, B.c.id)
        ).scalars()
    ]
    chosen: list[str] = []
    refused: list[tuple[str, str]] = []
    for batch in candidates:
        why = _against(connection, batch, before)
        if why is None or (force and why in FORCEABLE):
            chosen.append(batch)
        elif named:
            refused.append((batch, why))
    return chosen, refused


def _against(connection: Connection, batch_id: str, before: str) -> str | None:
    """What speaks against erasing a batch; what nobody can overrule first. Raises `NotFound`."""
    batch = batch_row(connection, batch_id)
    key = connection.execute(select(K).where(K.c.scope == batch_scope(batch_id))).first()
    own = A.c.batch_id == batch_id

    def has(which: ColumnElement[bool]) -> bool:
        return connection.execute(select(A.c.id).where(own, which).limit(1)).first() is not None

    latest = connection.execute(select(func.max(A.c.state_since)).where(own)).scalar()
    moments = (batch["created_at"], batch["sealed_at"] or "", latest or "")
    if key is not None and key.wrapped is None:
        return "erased"
    if batch["state"] == RECORDING:
        return "recording"
    if key is None or has(_PLAIN) or _plain_findings(connection, batch_id):
        return "plain"
    if has(A.c.state == SENDING):
        return "sending"
    if has(_OPEN):
        return "open"
    return "young" if max(moments) >= before else None


_PLAIN = or_(
    ~A.c.draft_segment.endswith(SEALED_SEGMENT), ~func.coalesce(A.c.segment, SEALED_SEGMENT).endswith(SEALED_SEGMENT)
)  # fmt: skip
_OPEN = and_(
    A.c.live,
    or_(
        and_(A.c.kind == DECLARATION, ~A.c.final),
        and_(A.c.kind != DECLARATION, A.c.stage != STAGE_CUSTOMS),
        A.c.attention.is_not(None),
    ),
)
"""Attempts of which something may still become, or at which a person must look."""


def _plain_findings(connection: Connection, batch_id: str) -> bool:
    f = tables.findings.c
    plain = select(f.id).where(f.batch_id == batch_id, ~f.record.startswith(SEALED_TEXT)).limit(1)
    return connection.execute(plain).first() is not None


def _keys_of(connection: Connection, scopes: Iterable[str]) -> list[Row[Any]]:
    found: list[Row[Any]] = []
    for block in chunks(scopes):
        query = select(K).where(K.c.scope.in_(block), K.c.wrapped.is_not(None)).order_by(K.c.id)
        found += connection.execute(query).all()
    return found


def _days(connection: Connection, erased: Sequence[int], before: str, today: str) -> list[Row[Any]]:
    """Keys of receipts that answer only what is erased, and else nothing younger than `before`; never of today."""
    gone = or_(K.c.wrapped.is_(None), K.c.id.in_(erased))
    answers = (
        select(R.c.data_key)
        .join(L, L.c.receipt_id == R.c.id)
        .outerjoin(A, A.c.id == L.c.attempt_id)
        .outerjoin(K, and_(K.c.scope == "batch|" + A.c.batch_id, gone))
        .where(R.c.data_key.is_not(None), K.c.id.is_(None))
        .where(or_(L.c.attempt_id.is_not(None), R.c.received_at >= before))
    )
    waiting = select(R.c.data_key).join(tables.unread, tables.unread.c.receipt_id == R.c.id)
    puzzling = (
        select(R.c.data_key)
        .join(tables.unreadable, tables.unreadable.c.receipt_id == R.c.id)
        .where(R.c.received_at >= before)
    )
    needed = {
        key
        for query in (answers, waiting, puzzling)
        for key in connection.execute(query.distinct()).scalars()
    }
    query = select(K).where(K.c.scope.startswith("receipts|"), K.c.wrapped.is_not(None))
    rows = connection.execute(query.order_by(K.c.id)).all()
    return [row for row in rows if row.id not in needed and row.scope.split("|")[2] < today]


def _count(
    connection: Connection, column: Any, values: Iterable[Any], *which: ColumnElement[bool]
) -> int:
    return sum(
        connection.execute(select(func.count()).where(column.in_(block), *which)).scalar_one()
        for block in chunks(values)
    )


def _documents(connection: Connection, batches: Sequence[str]) -> int:
    """Drafts and frozen documents."""
    return _count(connection, A.c.batch_id, batches) + _count(
        connection, A.c.batch_id, batches, A.c.segment.is_not(None)
    )


def _destroy(connection: Connection, numbers: Iterable[int], at: str) -> None:
    for block in chunks(numbers):
        connection.execute(update(K).where(K.c.id.in_(block)).values(wrapped=None, erased_at=at))


def _suspend(connection: Connection, batches: Sequence[str], who: str, at: str) -> list[EventRow]:
    """What was still to be sent cannot be any more: it is suspended and named; the events of it."""
    events: list[EventRow] = []
    for block in chunks(batches):
        query = select(A.c.id, A.c.batch_id, A.c.state, A.c.attention)
        for row in connection.execute(
            query.where(A.c.batch_id.in_(block), A.c.state.in_(WAITING)).order_by(A.c.id)
        ).all():
            connection.execute(
                update(A)
                .where(A.c.id == row.id)
                .values(
                    state=SUSPENDED, state_since=at, ready=False,
                    attention=with_attention(row.attention, ERASED),
                )
            )  # fmt: skip
            events.append(
                event(at, who, ERASED, batch_id=row.batch_id, attempt_id=row.id, from_state=row.state,
                      to_state=SUSPENDED)
            )  # fmt: skip
    return events


def _told(
    connection: Connection, keys: Sequence[Row[Any]], days: Sequence[Row[Any]], who: str, reason: str, now: datetime
) -> list[EventRow]:  # fmt: skip
    """One event for each key."""
    events = []
    for key in keys:
        batch = key.scope.split("|")[1]
        detail = {
            "key": key.id, "reason": reason, "documents": _documents(connection, [batch]),
            "findings": _count(connection, tables.findings.c.batch_id, [batch]),
        }  # fmt: skip
        events.append(event(now, who, "erased", batch_id=batch, detail=detail))
    for day in days:
        _, endpoint, date, *_ = day.scope.split("|")
        detail = {
            "key": day.id, "reason": reason, "endpoint": endpoint, "day": date,
            "receipts": _count(connection, R.c.data_key, [day.id]),
        }  # fmt: skip
        events.append(event(now, who, "erased", detail=detail))
    return events
