"""Attempts whose stored bytes were damaged and have been put back: they go on where they stood."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, select, update

from crossborder import china_time
from crossborder.ledger import tables
from crossborder.ledger.base import EventRow, event, without_attention
from crossborder.ledger.houses import let_go_on
from crossborder.ledger.states import NOT_RECEIVED, SENDING, SUSPENDED

A = tables.attempts
B = tables.batches
E = tables.events
DAMAGED = "payload_damaged"
ERASED = "payload_erased"


def resume(
    connection: Connection,
    batch_ids: Sequence[str],
    whole: Callable[[RowMapping], bool],
    manifest_first: Mapping[str, bool],
    who: str,
    now: datetime,
) -> list[EventRow]:
    """Let what was suspended for its bytes alone go on, where `whole` says that they are there again; the events.

    Nothing is composed anew: the bytes have the digest they always had. `manifest_first` as for letting go.
    """
    query = (
        select(A, B.c.submitted_at)
        .join(B, B.c.id == A.c.batch_id)
        .where(A.c.batch_id.in_(list(batch_ids)), A.c.state == SUSPENDED, A.c.attention == DAMAGED)
        .order_by(A.c.id)
    )
    rows = [row for row in connection.execute(query).mappings().all() if whole(row)]
    return [_go_on(connection, row, manifest_first, who, china_time.iso(now)) for row in rows]


def _go_on(
    connection: Connection, row: RowMapping, manifest_first: Mapping[str, bool], who: str, at: str
) -> EventRow:
    mark = without_attention(row["attention"], DAMAGED)
    connection.execute(update(A).where(A.c.id == row["id"]).values(attention=mark))
    state = let_go_on(connection, row, _before(connection, row["id"]), manifest_first, at)
    return event(
        at, who, "bytes_restored", batch_id=row["batch_id"], attempt_id=row["id"], from_state=SUSPENDED, to_state=state
    )  # fmt: skip


def _before(connection: Connection, attempt_id: int) -> str:
    """The state in which the damage was found; what was about to be sent then had not left."""
    found = connection.execute(
        select(E.c.from_state)
        .where(E.c.attempt_id == attempt_id, E.c.verb == DAMAGED, E.c.to_state == SUSPENDED)
        .order_by(E.c.id.desc())
        .limit(1)
    ).scalar_one()
    return NOT_RECEIVED if found == SENDING else str(found)
