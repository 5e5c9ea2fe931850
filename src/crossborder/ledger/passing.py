"""The rows that change when held shipments pass: attempts, shipments, kept documents, what the batch counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, delete, func, select, update

from crossborder import china_time
from crossborder.ledger import tables
from crossborder.ledger.base import to_json
from crossborder.ledger.blocks import NEW
from crossborder.ledger.dialects import chunks, insert_rows, texts
from crossborder.ledger.states import DECLARATION, PREPARED, VOIDED

A = tables.attempts
B = tables.batches
D = tables.held_drafts
S = tables.shipments
PASSED = "passed"
"""The event of an attempt whose shipment waited for a person and was let pass."""

_ATTEMPT = (
    "id", "key", "endpoint", "master_waybill", "house_waybill", "voyage", "direction", "content_digest", "number",
    "draft_segment", "draft_offset", "draft_length", "draft_digest", "message_type",
)  # fmt: skip


class Waiting:
    """A shipment that waits for a person: the rules it waits for, and where its document is.

    `attempt_id`: the attempt that was voided when its batch was sealed, if that has the document; `filed`: the attempt
    with which the same content is filed by now.
    """

    def __init__(self, row: Row[Any], rules: frozenset[str], rejecting: frozenset[str]) -> None:
        self.row, self.rules, self.rejecting = row, rules, rejecting
        self.batch_id: str = row.batch_id
        self.position: int = row.position
        self.shown_as: str = row.shown_as
        self.outcome: str = row.outcome
        self.key: str = row.key
        self.content_digest: str = row.content_digest
        self.attempt_id: int | None = row.voided
        self.filed: int | None = None

    @property
    def has_document(self) -> bool:
        """Whether its document was kept."""
        return self.attempt_id is not None or self.row.draft_segment is not None


def documents(connection: Connection, batch_id: str, which: ColumnElement[bool]) -> list[Row[Any]]:
    """Shipments of a batch by position, each with where its document is."""
    voided = (A.c.id == S.c.attempt_id) & (A.c.batch_id == batch_id) & (A.c.state == VOIDED)
    query = (
        select(
            S.c.id, S.c.batch_id, S.c.position, S.c.key, S.c.master_waybill, S.c.house_waybill, S.c.house_key, S.c.direction,
            S.c.shown_as, S.c.outcome, S.c.content_digest, S.c.attempt_id, A.c.id.label("voided"), D.c.message_type, D.c.endpoint,
            D.c.voyage, D.c.draft_segment, D.c.draft_offset, D.c.draft_length, D.c.draft_digest,
        )
        .outerjoin(D, D.c.shipment_id == S.c.id)
        .outerjoin(A, voided & (A.c.kind == DECLARATION) & A.c.first_sent_at.is_(None))
        .where(which)
        .order_by(S.c.position)
    )  # fmt: skip
    return list(connection.execute(query))


def brought_again() -> Select[Any]:
    """Later hand-ins of a shipment `S`, in sealed batches; correlated with it."""
    later, batch = S.alias(), B.alias()
    return (
        select(later.c.id)
        .join(batch, (batch.c.id == later.c.batch_id) & (batch.c.state == "sealed"))
        .where(later.c.house_key == S.c.house_key, later.c.key == S.c.key, later.c.id > S.c.id)
        .correlate(S)
    )


def changed_since(connection: Connection, waiting: Sequence[Waiting]) -> set[int]:
    """The positions of those that a later batch brought again with other content."""
    if not waiting:
        return set()
    mine = {w.key: w for w in waiting}
    wanted = texts(connection, dict.fromkeys(w.row.house_key for w in waiting))
    query = (
        select(S.c.id, S.c.key, S.c.content_digest)
        .select_from(wanted.join(S, S.c.house_key == wanted.c.value))
        .join(B, (B.c.id == S.c.batch_id) & (B.c.state == "sealed"))
    )
    found = set()
    for number, key, digest in connection.execute(query):
        own = mine.get(key)
        if own is not None and number > own.row.id and digest != own.content_digest:
            found.add(own.position)
    return found


def numbers(connection: Connection, new: Sequence[Waiting]) -> list[int]:
    """The number of each new attempt under its key."""
    if not new:
        return []
    wanted = texts(connection, [w.key for w in new])
    query = (
        select(A.c.key, func.max(A.c.number))
        .select_from(wanted.join(A, A.c.key == wanted.c.value))
        .where(A.c.kind == DECLARATION)
        .group_by(A.c.key)
    )
    latest: dict[str, int] = {row[0]: row[1] for row in connection.execute(query)}
    return [latest.get(w.key, 0) + 1 for w in new]


def insert(
    connection: Connection, batch_id: str, new: Sequence[Waiting], ids: Sequence[int], numbered: Sequence[int], at: str
) -> None:  # fmt: skip
    """An attempt for each, as recording would have made it, with the document that was kept."""
    insert_rows(
        connection, A, _ATTEMPT,
        (
            (i, w.key, w.row.endpoint, w.row.master_waybill, w.row.house_waybill, w.row.voyage, w.row.direction,
             w.content_digest, number, w.row.draft_segment, w.row.draft_offset, w.row.draft_length, w.row.draft_digest,
             w.row.message_type)
            for i, w, number in zip(ids, new, numbered, strict=True)
        ),
        {**NEW, "kind": DECLARATION, "batch_id": batch_id, "state_since": at},
    )  # fmt: skip


def revive(connection: Connection, waiting: Iterable[Waiting], now: datetime) -> None:
    """Attempts that were voided when their batch was sealed, and can never have left, stand again."""
    for block in chunks(w.attempt_id for w in waiting):
        connection.execute(
            update(A)
            .where(A.c.id.in_(block))
            .values(live=True, final=False, state=PREPARED, state_since=china_time.iso(now))
        )


def move(connection: Connection, fresh: Iterable[Waiting], filed: Iterable[Waiting]) -> None:
    """Shipments become prepared, or already filed, and belong to the live attempt of their key."""
    live = (
        select(A.c.id)
        .where(A.c.key == S.c.key, A.c.kind == DECLARATION, A.c.live)
        .scalar_subquery()
    )
    for outcome, waiting in ((PREPARED, fresh), ("already_filed", filed)):
        for block in chunks(w.row.id for w in waiting):
            connection.execute(
                update(S).where(S.c.id.in_(block)).values(outcome=outcome, attempt_id=live)
            )


def forget(connection: Connection, waiting: Iterable[Waiting]) -> None:
    """Their documents are those of attempts now, or needed no more."""
    for block in chunks(w.row.id for w in waiting):
        connection.execute(delete(D).where(D.c.shipment_id.in_(block)))


def recount(connection: Connection, batch_id: str, counts: Mapping[str, int]) -> None:
    """What a batch counts by outcome, as its shipments are now."""
    query = select(S.c.outcome, func.count()).where(S.c.batch_id == batch_id).group_by(S.c.outcome)
    found: dict[str, int] = {row[0]: row[1] for row in connection.execute(query)}
    now = {**dict.fromkeys(counts, 0), **found}
    connection.execute(update(B).where(B.c.id == batch_id).values(counts=to_json(now)))
