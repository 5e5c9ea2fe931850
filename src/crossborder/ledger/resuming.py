"""Attempts whose stored bytes were damaged and have been put back: they go on where they stood."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, select, update

from crossborder import china_time
from crossborder.ledger import tables
from crossborder.ledger.base import EventRow, event
from crossborder.ledger.houses import make_ready, ready_manifests
from crossborder.ledger.states import (
    AWAITING_MANIFEST,
    DECLARATION,
    NOT_RECEIVED,
    PREPARED,
    SENDING,
    SUSPENDED,
)

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
    state = _before(connection, row["id"])
    let_go = state == PREPARED and row["submitted_at"] is not None
    declaration, waits = row["kind"] == DECLARATION, manifest_first.get(row["endpoint"], True)
    if let_go and declaration and waits:  # it was suspended when its batch was let go
        state = AWAITING_MANIFEST
    values: dict[str, Any] = {"state": state, "state_since": at, "attention": None}
    if state == NOT_RECEIVED:
        values["retry_at"] = at
    values["ready"] = let_go and declaration and not waits
    connection.execute(update(A).where(A.c.id == row["id"]).values(values))
    if let_go and not declaration:
        ready_manifests(connection, A.c.id == row["id"])
    if state == AWAITING_MANIFEST:
        make_ready(connection, keys=[row["key"]])
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
