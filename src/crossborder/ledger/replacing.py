"""Replacing: a declaration that never left, and whose house the port refused on its manifest, gives way to a corrected one.

The manifest is then sent again with what the file says now, and both messages must tell the same facts. So the old
attempt is voided in the transaction that records what was handed in instead: a new attempt with the next number, or
a shipment that must be corrected once more. If that hand-in is discarded, what it voided stands again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, exists, select, update

from crossborder import china_time
from crossborder.ledger import tables
from crossborder.ledger.base import EventRow, event
from crossborder.ledger.dialects import chunks
from crossborder.ledger.records import KeysTaken
from crossborder.ledger.states import (
    AWAITING_MANIFEST,
    DECLARATION,
    HOUSE_REFUSED,
    PREPARED,
    VOIDED,
)

A = tables.attempts
B = tables.batches
E = tables.events
H = tables.manifest_houses
REPLACED, RESTORED = "replaced", "restored"
REASON = (
    "the port refused its house waybill on the manifest; it was handed in again with other content"
)


def replaceable(
    connection: Connection, attempt_ids: Sequence[int], batch_id: str
) -> dict[int, tuple[str, str]]:
    """Those of the attempts that another content may replace, each with its key and state.

    They are live and complete, nobody sends them, and the port has refused their house on every manifest that stands;
    manifests of `batch_id`, which is being recorded, do not count.
    """
    sealed = exists().where(B.c.id == A.c.batch_id, B.c.state == "sealed")
    found: dict[int, tuple[str, str]] = {}
    for block in chunks(attempt_ids):
        query = select(A.c.id, A.c.key, A.c.state).where(
            A.c.id.in_(block), A.c.live, A.c.kind == DECLARATION, ~A.c.ready, A.c.first_sent_at.is_(None),
            A.c.state.in_((PREPARED, AWAITING_MANIFEST)), sealed, _house_refused(batch_id),
        )  # fmt: skip
        found |= {row.id: (row.key, row.state) for row in connection.execute(query)}
    return found


def replace(
    connection: Connection, attempt_ids: Sequence[int], batch_id: str, who: str, now: datetime
) -> list[EventRow]:
    """Void attempts for what `batch_id` brings instead; the events of it.

    Raises `KeysTaken` if one of them may not be replaced any more: its manifest was sent again meanwhile, or the
    attempt itself went or was replaced.
    """
    found = replaceable(connection, attempt_ids, batch_id)
    gone = [i for i in attempt_ids if i not in found]
    if gone:
        query = select(A.c.key).where(A.c.id.in_(gone))
        raise KeysTaken(tuple(connection.execute(query).scalars()))
    at = china_time.iso(now)
    for block in chunks(found):
        connection.execute(
            update(A)
            .where(A.c.id.in_(block))
            .values(live=False, final=True, state=VOIDED, state_since=at)
        )
    return [
        event(at, who, REPLACED, batch_id=batch_id, attempt_id=i, from_state=state, to_state=VOIDED,
              detail={"reason": REASON})
        for i, (_, state) in found.items()
    ]  # fmt: skip


def restore(
    connection: Connection, batch_id: str, who: str, reason: str, now: datetime
) -> list[EventRow]:
    """What a batch replaced stands again, now that the batch is discarded; the events of it.

    Not where another attempt has the key by now, or a manifest stands that lists the house otherwise.
    """
    at = china_time.iso(now)
    other = A.alias()
    taken = exists().where(other.c.kind == A.c.kind, other.c.key == A.c.key, other.c.live)
    rows = connection.execute(
        select(A.c.id, E.c.from_state)
        .join(E, and_(E.c.attempt_id == A.c.id, E.c.batch_id == batch_id, E.c.verb == REPLACED))
        .where(A.c.state == VOIDED, ~taken, _house_refused(batch_id))
    ).all()
    for state in (PREPARED, AWAITING_MANIFEST):
        for block in chunks(row.id for row in rows if row.from_state == state):
            connection.execute(
                update(A)
                .where(A.c.id.in_(block))
                .values(live=True, final=False, state=state, state_since=at)
            )
    return [
        event(at, who, RESTORED, batch_id=batch_id, attempt_id=row.id, from_state=VOIDED, to_state=row.from_state,
              detail={"reason": reason})
        for row in rows
    ]  # fmt: skip


def _house_refused(beside: str) -> ColumnElement[bool]:
    """Whether a house was refused, and stands on no live manifest but those of one batch."""
    manifest = A.alias()
    own = H.c.declaration_key == A.c.key
    stands = (
        select(H.c.attempt_id)
        .join(manifest, manifest.c.id == H.c.attempt_id)
        .where(own, H.c.state != HOUSE_REFUSED, manifest.c.live, manifest.c.batch_id != beside)
    )
    refused = select(H.c.attempt_id).where(own, H.c.state == HOUSE_REFUSED)
    return and_(
        refused.correlate(A).exists(),
        ~stands.correlate(A).exists(),
    )
