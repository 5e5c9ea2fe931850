"""Manifest first: which declarations may go because of what stands on, and happened to, manifests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, exists, func, select, update

from crossborder import china_time
from crossborder.ledger import chain, tables
from crossborder.ledger.base import event, with_attention, without_attention
from crossborder.ledger.dialects import chunks, texts
from crossborder.ledger.states import (
    ACCEPTED,
    AWAITING_MANIFEST,
    DECLARATION,
    HOUSE_ACCEPTED,
    HOUSE_REFUSED,
    LISTED,
    MANIFEST,
    NOT_RECEIVED,
    PREPARED,
)

A = tables.attempts
H = tables.manifest_houses
REFUSED = "house_refused"


def standing(connection: Connection, keys: Iterable[str], beside: str = "") -> Select[Any]:
    """Of some declaration keys those whose house stands on a live manifest that has not refused it: `Listed`, a row for each.

    `beside`: manifests of this batch do not count.
    """
    wanted = texts(connection, dict.fromkeys(keys))
    return (
        select(H.c.declaration_key, A.c.id, A.c.key, A.c.state, H.c.state)
        .select_from(wanted.join(H, H.c.declaration_key == wanted.c.value))
        .join(A, A.c.id == H.c.attempt_id)
        .where(A.c.live, H.c.state != HOUSE_REFUSED, A.c.batch_id != beside)
        .order_by(A.c.id)
    )


def let_go_of(
    connection: Connection,
    batch_id: str,
    who: str,
    now: datetime,
    manifest_first: Mapping[str, bool],
) -> dict[str, int]:
    """Move the prepared attempts of a batch that a person let go; how many of which kind."""
    mine = (A.c.batch_id == batch_id) & (A.c.state == PREPARED)
    new = mine & (A.c.kind == DECLARATION) & ~A.c.ready
    endpoints = [
        e for (e,) in connection.execute(select(A.c.endpoint).where(mine).distinct()) if e is not None
    ]  # fmt: skip
    direct = [e for e in endpoints if not manifest_first.get(e, True)]
    manifests = ready_manifests(connection, mine & (A.c.kind == MANIFEST))
    declarations = connection.execute(
        update(A).where(new, A.c.endpoint.in_(direct)).values(ready=True)
    ).rowcount
    waiting = new & A.c.endpoint.not_in(direct)
    awaiting = _await(connection, waiting, who, now)
    make_ready(connection, batch_id=batch_id)
    manifests += _let_go_with(connection, batch_id, who, now)
    return {MANIFEST: manifests, DECLARATION: declarations, AWAITING_MANIFEST: awaiting}


def passed_since(connection: Connection, batch_id: str) -> bool:
    """Whether declarations of a batch that was let go wait to be let go too: their shipments were let pass since."""
    late = (A.c.kind == DECLARATION) & (A.c.state == PREPARED) & ~A.c.ready & A.c.live
    query = select(A.c.id).where(A.c.batch_id == batch_id, late).limit(1)
    return connection.execute(query).first() is not None


def _await(connection: Connection, which: ColumnElement[bool], who: str, now: datetime) -> int:
    at = china_time.iso(now)
    rows = connection.execute(select(A.c.id, A.c.batch_id).where(which)).all()
    chain.record(
        connection,
        [event(at, who, "submitted", batch_id=b, attempt_id=i, from_state=PREPARED, to_state=AWAITING_MANIFEST)
         for i, b in rows],
    )  # fmt: skip
    connection.execute(update(A).where(which).values(state=AWAITING_MANIFEST, state_since=at))
    return len(rows)


def _part(key: str) -> tuple[str, int]:
    stem, _, part = key.rpartition("|")
    return stem, int(part)


def _let_go_with(connection: Connection, batch_id: str, who: str, now: datetime) -> int:
    """Letting a declaration go lets its manifest go, and the parts before it, whichever file brought them; how many.

    A manifest is whole: it may have come with an earlier file that nobody submits any more, because all of its
    declarations had to be corrected first. Only for the same endpoints and profile, which were looked at.
    """
    found = _stood_on(connection, batch_id)
    chain.record(
        connection,
        [event(china_time.iso(now), who, "submitted", batch_id=b, attempt_id=i, detail={"for": batch_id})
         for i, b in found],
    )  # fmt: skip
    return ready_manifests(connection, A.c.id.in_([i for i, _ in found]))


def _stood_on(connection: Connection, batch_id: str) -> list[tuple[int, str]]:
    """(id, batch) of manifests in other sealed batches, not let go, that what awaits in this batch stands on."""
    declaration, own = A.alias(), tables.batches.alias()
    stand = (
        select(A.c.key)
        .join(H, H.c.attempt_id == A.c.id)
        .join(declaration, declaration.c.key == H.c.declaration_key)
        .where(A.c.live, A.c.state == PREPARED, A.c.batch_id != batch_id)
        .where(declaration.c.batch_id == batch_id, declaration.c.state == AWAITING_MANIFEST)
        .distinct()
    )
    needed = [_part(key) for key in connection.execute(stand).scalars()]
    keys = [f"{stem}|{part}" for stem, last in needed for part in range(1, last + 1)]
    endpoints = select(A.c.endpoint).where(A.c.batch_id == batch_id).distinct()
    batch = tables.batches.c
    found: list[tuple[int, str]] = []
    for block in chunks(dict.fromkeys(keys)):
        rows = connection.execute(
            select(A.c.id, A.c.batch_id)
            .join(tables.batches, batch.id == A.c.batch_id)
            .join(own, (own.c.id == batch_id) & (own.c.profile == batch.profile))
            .where(A.c.kind == MANIFEST, A.c.key.in_(block), A.c.live, A.c.state == PREPARED)
            .where(~A.c.ready, A.c.batch_id != batch_id, A.c.endpoint.in_(endpoints))
            .where(batch.state == "sealed", batch.submitted_at.is_(None))
        )
        found += [(row.id, row.batch_id) for row in rows]
    return found


def ready_manifests(connection: Connection, which: ColumnElement[bool]) -> int:
    """All manifests count as let go; only those whose part before is accepted (or the first) are ready."""
    rows = connection.execute(select(A.c.id, A.c.key).where(which)).all()
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
    """The manifest part after `key` may be queued, if it was let go: with its batch, or for what stands on it.

    A part also counts as let go if a later part of the same manifest does.
    """
    stem, part = _part(key)
    rows = connection.execute(
        select(A.c.id, A.c.key, A.c.batch_id).where(
            A.c.kind == MANIFEST, A.c.live, A.c.state == PREPARED,
            A.c.key > f"{stem}|", A.c.key < f"{stem}}}",
        )
    ).all()  # fmt: skip
    later = [row for row in rows if _part(row.key) >= (stem, part + 1)]
    after = [row.id for row in later if _part(row.key) == (stem, part + 1)]
    if after and _let_go(connection, [row.id for row in later]):
        connection.execute(update(A).where(A.c.id.in_(after)).values(ready=True))


def _let_go(connection: Connection, manifests: Sequence[int]) -> bool:
    """Whether one of these manifests was let go, or lists a declaration that was."""
    declaration = A.alias()
    batch = tables.batches.c
    submitted = select(A.c.id).join(tables.batches, batch.id == A.c.batch_id).where(
        A.c.id.in_(list(manifests)), batch.state == "sealed", batch.submitted_at.is_not(None)
    )  # fmt: skip
    awaited = select(H.c.attempt_id).join(declaration, declaration.c.key == H.c.declaration_key).where(
        H.c.attempt_id.in_(list(manifests)), declaration.c.state == AWAITING_MANIFEST
    ).join(A, (A.c.id == H.c.attempt_id) & (A.c.endpoint == declaration.c.endpoint))  # fmt: skip
    return any(connection.execute(q.limit(1)).first() is not None for q in (submitted, awaited))


def waiting_for(connection: Connection, manifest: int) -> int:
    """How many declarations wait, or will wait, for what becomes of their house on a manifest."""
    own = select(H.c.declaration_key).where(H.c.attempt_id == manifest)
    query = select(func.count()).select_from(A).where(
        A.c.key.in_(own), A.c.kind == DECLARATION, A.c.live, A.c.state.in_((PREPARED, AWAITING_MANIFEST)), ~A.c.ready
    )  # fmt: skip
    return int(connection.execute(query).scalar_one())


def let_go_on(
    connection: Connection,
    row: RowMapping,
    state: str,
    manifest_first: Mapping[str, bool],
    at: str,
) -> str:
    """A suspended message goes on in `state`, the one it was in; the state it has then.

    `row` has `id`, `kind`, `key`, `endpoint`, and `submitted_at` of its batch. What was suspended when its batch was let
    go is let go now. Nothing goes that would not have gone without the suspension.
    """
    let_go = state == PREPARED and row["submitted_at"] is not None
    declaration, waits = row["kind"] == DECLARATION, manifest_first.get(row["endpoint"], True)
    if let_go and declaration and waits:
        state = AWAITING_MANIFEST
    values: dict[str, Any] = {"state": state, "state_since": at}
    if state == NOT_RECEIVED:
        values["retry_at"] = at
    values["ready"] = let_go and declaration and not waits
    connection.execute(update(A).where(A.c.id == row["id"]).values(values))
    if declaration:
        if state == AWAITING_MANIFEST:
            make_ready(connection, keys=[row["key"]])
        _mark_again(connection, row["key"])
    elif state == PREPARED and (let_go or _let_go(connection, _parts_from(connection, row["key"]))):
        ready_manifests(connection, A.c.id == row["id"])
    return state


def _parts_from(connection: Connection, key: str) -> list[int]:
    """A manifest and its later parts, as far as they are live."""
    stem, part = _part(key)
    rows = connection.execute(
        select(A.c.id, A.c.key).where(A.c.kind == MANIFEST, A.c.live, A.c.key > f"{stem}|", A.c.key < f"{stem}}}")
    ).all()  # fmt: skip
    return [row.id for row in rows if _part(row.key) >= (stem, part)]


def _mark_again(connection: Connection, key: str) -> None:
    """What was refused of a house while its declaration was suspended is raised now."""
    manifest = A.alias()
    of_it = select(H.c.attempt_id).join(manifest, manifest.c.id == H.c.attempt_id).where(H.c.declaration_key == key)  # fmt: skip
    refused = of_it.where(H.c.state == HOUSE_REFUSED)
    stands = of_it.where(H.c.state != HOUSE_REFUSED, manifest.c.live)
    found = [connection.execute(query.limit(1)).first() for query in (refused, stands)]
    if found[0] is not None and found[1] is None:
        _mark(connection, [key], refused=True)


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
