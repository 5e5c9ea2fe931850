"""Whether the ledger is what its entries say: blocks as they were recorded, attempts where their last entry left them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from crossborder.ledger import tables
from crossborder.ledger.accepting import ACCEPTED, MOVED
from crossborder.ledger.audit_faults import Fault, Faults
from crossborder.ledger.batches import OUTCOMES_DIGEST, outcomes_digest
from crossborder.ledger.blocks import SURE, of_documents, of_shipments
from crossborder.ledger.dialects import chunks
from crossborder.ledger.states import PREPARED

A = tables.attempts.c
E = tables.events.c
S = tables.shipments.c
_LOT = 2_000
_SHIPMENTS = ("货物记录", "the shipments")
_DOCUMENTS = ("报文摘要", "the digests of the documents")
_HELD = ("待人工票的报文摘要", "the digests of the documents of shipments that wait")


def blocks(connection: Connection, faults: Faults) -> int:
    """Compare every block with what was recorded; how many there are."""
    count = 0
    batches = connection.execute(select(tables.batches.c.id).order_by(tables.batches.c.id))
    for batch in batches.scalars().all():
        count += _batch(connection, batch, faults)
    return count


def _batch(connection: Connection, batch: str, faults: Faults) -> int:
    told = connection.execute(
        select(E.id, E.at, E.verb, E.detail)
        .where(E.batch_id == batch, E.attempt_id.is_(None), E.verb.in_(("recorded", "sealed", ACCEPTED)))
        .order_by(E.id)
    ).all()  # fmt: skip
    passed = Passed.told(_read(entry.detail) for entry in told if entry.verb == ACCEPTED)
    shipments = _streamed(
        connection,
        select(S.position, *(S[n] for n in SURE), S.attempt_id).where(S.batch_id == batch).order_by(S.position),
    )  # fmt: skip
    made = {moved.after for moved in passed.made()}
    documents = (
        digest for number, digest in _streamed(
            connection, select(A.id, A.draft_digest).where(A.batch_id == batch).order_by(A.id)
        ) if number not in made
    )  # fmt: skip
    held = _held(connection, batch, passed)
    count, outcomes = 0, None
    for entry in told:
        detail = _read(entry.detail)
        if entry.verb == "recorded":
            count += 1
            _block(batch, entry, detail, shipments, documents, passed, held, faults)
        if OUTCOMES_DIGEST in detail:
            outcomes = (entry, detail[OUTCOMES_DIGEST])
    if outcomes is not None and outcomes[1] != outcomes_digest(connection, batch):
        faults.add(Fault("outcomes_differ", outcomes[0].id, at=outcomes[0].at, where=batch))
    _made(connection, batch, passed, faults)
    left = sum(1 for _ in shipments) + sum(1 for _ in documents)
    if left:
        faults.add(Fault("not_recorded", where=batch, said=(("count", left),)))
    return count


def _block(
    batch: str, entry: Any, detail: dict[str, Any], shipments: Iterator[Sequence[Any]], documents: Iterator[str],
    passed: Passed, held: Mapping[int, str], faults: Faults,
) -> None:  # fmt: skip
    """One block: so many shipments and documents as it says, with the digests that it says."""
    rows = list(islice(shipments, _count(detail, "shipments")))
    made = of_documents(islice(documents, _count(detail, "attempts")))
    links = [passed.before(row[0], row[-1]) for row in rows]
    differ = []
    if "recorded" in detail and detail["recorded"] != of_shipments([r[1:-1] for r in rows], links):
        differ.append(_SHIPMENTS)
    if detail.get("digest") != made:
        differ.append(_DOCUMENTS)
    if "held" in detail and detail["held"] != of_documents(
        held[r[0]] for r in rows if r[0] in held
    ):
        differ.append(_HELD)
    if differ:
        said = (
            ("first", detail.get("first", "?")),
            ("what_zh", "、".join(zh for zh, _ in differ)),
            ("what_en", ", ".join(en for _, en in differ)),
        )
        faults.add(Fault("block_differs", entry.id, at=entry.at, where=batch, said=said))


class Moved(NamedTuple):
    """A shipment that a person let pass: its attempt before and after, and the digest of the document kept for it."""

    position: int
    before: int | None
    after: int
    digest: str | None


class Passed:
    """The shipments of a batch that a person let pass, by position."""

    def __init__(self, moved: Iterable[Moved]) -> None:
        self.moved = {one.position: one for one in moved}

    @classmethod
    def told(cls, details: Iterable[dict[str, Any]]) -> Passed:
        """From the entries of acceptances."""
        return cls(Moved(*one) for detail in details for one in detail.get(MOVED, ()))

    def before(self, position: int, attempt: int | None) -> int | None:
        """The attempt that a shipment had when it was recorded, if it has now the one that it was given."""
        one = self.moved.get(position)
        return one.before if one is not None and one.after == attempt else attempt

    def made(self) -> list[Moved]:
        """Those for which an attempt may have been made of the document kept."""
        return [one for one in self.moved.values() if one.digest is not None]


def _held(connection: Connection, batch: str, passed: Passed) -> dict[int, str]:
    """Position → digest of the document that was kept when the shipment was recorded as one that waits."""
    kept = tables.held_drafts.c
    query = (
        select(S.position, kept.draft_digest)
        .join(tables.held_drafts, kept.shipment_id == S.id)
        .where(S.batch_id == batch)
    )
    found: dict[int, str] = {row[0]: row[1] for row in connection.execute(query)}
    return found | {one.position: one.digest for one in passed.moved.values() if one.digest}


def _made(connection: Connection, batch: str, passed: Passed, faults: Faults) -> None:
    """The attempts made of documents that were kept have those documents."""
    for lot in chunks(passed.made()):
        query = select(A.id, A.draft_digest).where(
            A.id.in_([one.after for one in lot]), A.batch_id == batch
        )
        there: dict[int, str] = {row[0]: row[1] for row in connection.execute(query)}
        for one in lot:
            if one.after in there and there[one.after] != one.digest:
                faults.add(Fault("bytes_differ", where=f"{batch} #{one.after}"))


def _count(detail: dict[str, Any], name: str) -> int:
    value = detail.get(name, 0)
    return value if isinstance(value, int) and value > 0 else 0


def _streamed(connection: Connection, query: Any) -> Iterator[Sequence[Any]]:
    """Rows one after another, of which few are in memory."""
    for row in connection.execute(query.execution_options(yield_per=_LOT)):
        yield tuple(row)


def standing(connection: Connection, faults: Faults) -> int:
    """Compare every attempt with its own entries; how many there are."""
    query = select(A.id, A.batch_id, A.key, A.state, A.sends, A.message_id, A.digest)
    after, count = -1, 0
    while True:
        lot = connection.execute(query.where(A.id > after).order_by(A.id).limit(_LOT)).all()
        last = lot[-1].id if lot else None
        told = _told(connection, after, last)
        for row in lot:
            _one(row, told.pop(row.id, {}), faults)
        for number, gone in told.items():
            entry = gone.get("last", (0, ""))[0]
            faults.add(Fault("attempt_gone", entry, where=f"{gone['batch'] or ''} #{number}"))
        if last is None:
            return count
        after, count = last, count + len(lot)


def _told(connection: Connection, after: int, last: int | None) -> dict[int, dict[str, Any]]:
    """Attempt → what its entries say: the last state, how often it was claimed, what was queued."""
    query = select(E.id, E.attempt_id, E.batch_id, E.verb, E.to_state, E.detail).where(
        E.attempt_id > after
    )
    if last is not None:
        query = query.where(E.attempt_id <= last)
    found: dict[int, dict[str, Any]] = {}
    for row in connection.execute(query.order_by(E.attempt_id, E.id).execution_options(yield_per=_LOT)):  # fmt: skip
        mine = found.setdefault(row.attempt_id, {"claims": 0, "batch": row.batch_id})
        if row.to_state is not None:
            mine["last"] = (row.id, row.to_state)
        if row.verb == "claimed":
            mine["claims"] += 1
        elif row.verb == "queued":
            mine["queued"] = (row.id, _read(row.detail))
    return found


def _one(row: Any, told: dict[str, Any], faults: Faults) -> None:
    where = f"{row.batch_id} {row.key}"
    entry, state = told.get("last", (0, PREPARED))
    if state != row.state:
        said = (("state", row.state), ("told", state))
        faults.add(Fault("state_differs", entry, where=where, said=said))
    if told.get("claims", 0) != row.sends:
        said = (("count", row.sends), ("told", told.get("claims", 0)))
        faults.add(Fault("sends_differ", where=where, said=said))
    queued, detail = told.get("queued", (0, {}))
    if (detail.get("message_id"), detail.get("digest")) != (row.message_id, row.digest):
        faults.add(Fault("bytes_differ", queued, where=where))


def _read(detail: Any) -> dict[str, Any]:
    """A detail; empty if it is none."""
    try:
        found = json.loads(detail)
    except (TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
