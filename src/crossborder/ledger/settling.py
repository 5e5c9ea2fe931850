"""Settling a batch when it is sealed: what only the whole hand-in shows of shipments recorded block by block.

A house waybill that stands a second time in a later block spoils the first one too, which was prepared by then. Its
attempt is voided in the transaction that seals the batch, so there is no moment at which it could be sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

from crossborder import china_time
from crossborder.ledger import tables
from crossborder.ledger.base import EventRow, event
from crossborder.ledger.dialects import chunks
from crossborder.ledger.records import Settled
from crossborder.ledger.states import DECLARATION, PREPARED, SETTLED, VOIDED

A = tables.attempts
S = tables.shipments


def settle(
    connection: Connection, batch_id: str, settled: Sequence[Settled], who: str, now: datetime
) -> list[EventRow]:
    """Give shipments their outcome unless they have a worse one, void the attempts they had; the events of it."""
    if not settled:
        return []
    for worst, outcome in enumerate(SETTLED):
        better = (PREPARED, *SETTLED[worst + 1 :])
        for block in chunks(s.position for s in settled if s.outcome == outcome):
            connection.execute(
                update(S)
                .where(S.c.batch_id == batch_id, S.c.position.in_(block), S.c.outcome.in_(better))
                .values(outcome=outcome)
            )
    return _void(connection, batch_id, who, now)


def _void(connection: Connection, batch_id: str, who: str, now: datetime) -> list[EventRow]:
    """Attempts of this batch whose shipment is prepared no more."""
    at = china_time.iso(now)
    found = connection.execute(
        select(A.c.id, S.c.outcome)
        .join(S, S.c.attempt_id == A.c.id)
        .where(S.c.batch_id == batch_id, S.c.outcome.in_(SETTLED))
        .where(A.c.batch_id == batch_id, A.c.kind == DECLARATION, A.c.state == PREPARED)
    ).all()
    for block in chunks(attempt for attempt, _ in found):
        connection.execute(
            update(A)
            .where(A.c.id.in_(block))
            .values(live=False, final=True, state=VOIDED, state_since=at)
        )
    return [
        event(at, who, "voided", batch_id=batch_id, attempt_id=attempt, from_state=PREPARED, to_state=VOIDED,
              detail={"shipment": outcome})
        for attempt, outcome in found
    ]  # fmt: skip
