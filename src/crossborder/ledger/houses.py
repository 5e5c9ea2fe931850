"""Manifest first: which declarations may go because of what stands on, and happened to, manifests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, select, update

from crossborder import china_time
from crossborder.ledger import tables
from crossborder.ledger.base import event, with_attention, without_attention
from crossborder.ledger.dialects import chunks, insert_rows
from crossborder.ledger.states import (
    ACCEPTED,
    AWAITING_MANIFEST,
    DECLARATION,
    HOUSE_ACCEPTED,
    HOUSE_REFUSED,
    LISTED,
    MANIFEST,
    PREPARED,
)

A = tables.attempts
H = tables.manifest_houses
REFUSED = "house_refused"


def let_go_of(
    connection: Connection,
    batch_id: str,
    who: str,
    now: datetime,
    manifest_first: Mapping[str, bool],
) -> dict[str, int]:
    """Move the prepared attempts of a batch that a person let go; how many of which kind."""
    mine = (A.c.batch_id == batch_id) & (A.c.state == PREPARED)
    endpoints = [
        e for (e,) in connection.execute(select(A.c.endpoint).where(mine).distinct()) if e is not None
    ]  # fmt: skip
    direct = [e for e in endpoints if not manifest_first.get(e, True)]
    manifests = _ready_manifests(connection, mine)
    declarations = connection.execute(
        update(A).where(mine, A.c.kind == DECLARATION, A.c.endpoint.in_(direct)).values(ready=True)
    ).rowcount
    waiting = mine & (A.c.kind == DECLARATION) & A.c.endpoint.not_in(direct)
    awaiting = _await(connection, waiting, who, now)
    make_ready(connection, batch_id=batch_id)
    return {MANIFEST: manifests, DECLARATION: declarations, AWAITING_MANIFEST: awaiting}


def _await(connection: Connection, which: ColumnElement[bool], who: str, now: datetime) -> int:
    at = china_time.iso(now)
    rows = connection.execute(select(A.c.id, A.c.batch_id).where(which)).all()
    insert_rows(
        connection, tables.events,
        ("at", "who", "verb", "batch_id", "attempt_id", "from_state", "to_state", "detail"),
        [event(at, who, "submitted", batch_id=b, attempt_id=i, from_state=PREPARED, to_state=AWAITING_MANIFEST)
         for i, b in rows],
    )  # fmt: skip
    connection.execute(update(A).where(which).values(state=AWAITING_MANIFEST, state_since=at))
    return len(rows)


def _part(key: str) -> tuple[str, int]:
    stem, _, part = key.rpartition("|")
    return stem, int(part)


def _ready_manifests(connection: Connection, mine: ColumnElement[bool]) -> int:
    """All manifests count as let go; only those whose part before is accepted (or the first) are ready."""
    rows = connection.execute(select(A.c.id, A.c.key).where(mine, A.c.kind == MANIFEST)).all()
    now_ready = [i for i, key in rows if _before_accepted(connection, key)]
    for block in chunks(now_ready):
        connection.execute(update(A).where(A.c.id.in_(block)).values(ready=True))
    return len(rows)


def _before_accepted(connection: Connection, key: str) -> bool:
    stem, part = _part(key)
    if part == 1:
        return True
    before = connection.execute(
        select(A.c.id).where(
            A.c.kind == MANIFEST, A.c.key == f"{stem}|{part - 1}", A.c.live, A.c.state == ACCEPTED
        )
    ).first()
    return before is not None


def next_part_ready(connection: Connection, key: str) -> None:
    """The manifest part after `key`, if it was let go and waits, may be queued."""
    stem, part = _part(key)
    submitted = exists().where(
        tables.batches.c.id == A.c.batch_id, tables.batches.c.submitted_at.is_not(None)
    )
    connection.execute(
        update(A)
        .where(A.c.kind == MANIFEST, A.c.key == f"{stem}|{part + 1}", A.c.live)
        .where(A.c.state == PREPARED, submitted)
        .values(ready=True)
    )


def make_ready(
    connection: Connection, *, batch_id: str | None = None, keys: Iterable[str] = ()
) -> int:
    """Declarations that await their manifest and whose house stands accepted may be queued; how many."""
    accepted = exists().where(H.c.declaration_key == A.c.key, H.c.state == HOUSE_ACCEPTED)
    awaiting = (A.c.kind == DECLARATION) & (A.c.state == AWAITING_MANIFEST) & ~A.c.ready
    if batch_id is not None:
        done = connection.execute(
            update(A).where(A.c.batch_id == batch_id, awaiting, accepted).values(ready=True)
        )
        return int(done.rowcount)
    count = 0
    for block in chunks(keys):
        count += connection.execute(
            update(A).where(A.c.key.in_(block), awaiting, accepted).values(ready=True)
        ).rowcount
    return count


def set_houses(connection: Connection, attempt_id: int, states: Mapping[str, str]) -> None:
    """What customs said of houses (declaration key → accepted | refused) of one manifest, and what follows."""
    by_state: dict[str, list[str]] = {}
    for key, state in states.items():
        by_state.setdefault(state, []).append(key)
    for state, keys in by_state.items():
        for block in chunks(keys):
            connection.execute(
                update(H)
                .where(H.c.attempt_id == attempt_id, H.c.declaration_key.in_(block))
                .values(state=state)
            )
    make_ready(connection, keys=by_state.get(HOUSE_ACCEPTED, ()))
    _mark(connection, by_state.get(HOUSE_ACCEPTED, ()), refused=False)
    _mark(connection, by_state.get(HOUSE_REFUSED, ()), refused=True)


def refuse_houses(connection: Connection, attempt_id: int) -> None:
    """A manifest came to nothing: the houses it lists and that nobody accepted stand refused."""
    keys = connection.execute(
        select(H.c.declaration_key).where(H.c.attempt_id == attempt_id, H.c.state == LISTED)
    ).scalars()
    set_houses(connection, attempt_id, dict.fromkeys(keys, HOUSE_REFUSED))


def _mark(connection: Connection, keys: Iterable[str], *, refused: bool) -> None:
    """Raise, or take back, `house_refused` on declarations that still await their manifest."""
    accepted = exists().where(H.c.declaration_key == A.c.key, H.c.state == HOUSE_ACCEPTED)
    for block in chunks(keys):
        if refused:
            connection.execute(
                update(A)
                .where(A.c.key.in_(block), A.c.state == AWAITING_MANIFEST, A.c.ready, ~accepted)
                .values(ready=False)
            )
        query = select(A.c.id, A.c.attention).where(
            A.c.key.in_(block), A.c.kind == DECLARATION, A.c.live
        )
        if refused:
            query = query.where(A.c.state.in_((PREPARED, AWAITING_MANIFEST)), ~accepted)
        else:
            query = query.where(A.c.attention.is_not(None))
        changes: dict[str | None, list[int]] = {}
        for attempt_id, present in connection.execute(query).all():
            wanted: Any = (
                with_attention(present, REFUSED) if refused else without_attention(present, REFUSED)
            )
            if wanted != present:
                changes.setdefault(wanted, []).append(attempt_id)
        for wanted, ids in changes.items():
            connection.execute(update(A).where(A.c.id.in_(ids)).values(attention=wanted))
