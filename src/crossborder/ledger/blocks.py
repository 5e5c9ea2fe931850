"""The rows of a block of a batch, written in bulk: attempts, shipments, houses, findings, and what they must fulfil."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, case, func, select

from crossborder.errors import LedgerError
from crossborder.keys import normalise
from crossborder.ledger import tables
from crossborder.ledger.dialects import chunks, insert_rows, texts
from crossborder.ledger.houses import standing
from crossborder.ledger.records import Attempts, FindingRow, KeysTaken, ShipmentRow
from crossborder.ledger.sealing import DataKey, place, seal_text
from crossborder.ledger.states import LISTED, MANIFEST, OUTCOMES, PREPARED, STAGE_OURS

_SHIPMENT = (
    "position", "key", "master_waybill", "house_waybill", "shown_as", "direction", "declaration_class", "rows",
    "row_count", "outcome", "content_digest", "attempt_id", "house_key", "id",
)  # fmt: skip
_ATTEMPT = (
    "id", "kind", "message_type", "key", "endpoint", "master_waybill", "house_waybill", "voyage", "direction",
    "content_digest", "number", "draft_offset", "draft_length", "draft_digest",
)  # fmt: skip
NEW = {
    "live": True, "state": PREPARED, "stage": STAGE_OURS, "ready": False, "sends": 0, "released": False,
    "final": False,
}  # fmt: skip
SURE = ("key", "rows", "row_count", "content_digest")
"""Columns of a shipment that never change, beside its position and its attempt."""
_SURE = itemgetter(1, 7, 8, 10)  # their places in a `ShipmentRow`
_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_HELD = (
    "shipment_id", "message_type", "endpoint", "voyage", "draft_offset", "draft_length", "draft_digest",
)  # fmt: skip
_KIND: Final = 0  # places in an `AttemptRow`
_TYPE: Final = 1
_ENDPOINT: Final = 3
_VOYAGE: Final = 6
_KEY: Final = 2
_CONTENT: Final = 8
_HOUSE: Final = 3  # places in a `ShipmentRow`
_OUTCOME: Final = 9
_ATTEMPT_ID: Final = 11
_HOUSE_KEY: Final = 12


def refuse_gaps(shipments: Sequence[ShipmentRow], recorded: int) -> None:
    """Raise `LedgerError` unless the positions go on from `recorded`."""
    if any(row[0] != position for position, row in enumerate(shipments, recorded)):
        raise LedgerError(
            f"a block must begin at position {recorded} and have no gaps",
            f"区块须从第 {recorded} 位起且连续",
        )


def not_yet(connection: Connection, batch_id: str, attempts: Attempts) -> Attempts:
    """Attempts without the manifests that this batch has recorded already."""
    a = tables.attempts.c
    keys = [row[_KEY] for row in attempts.rows if row[_KIND] == MANIFEST]
    if not keys:
        return attempts
    wanted = texts(connection, keys)
    query = (
        select(a.key, a.content_digest, a.batch_id)
        .select_from(wanted.join(tables.attempts, a.key == wanted.c.value))
        .where(a.kind == MANIFEST, a.live)
    )  # the batch is compared here: SQLite would look through all of it, not for the keys
    there = {(key, digest) for key, digest, own in connection.execute(query) if own == batch_id}
    if not there:
        return attempts
    return attempts.without(
        n for n, row in enumerate(attempts.rows)
        if row[_KIND] == MANIFEST and (row[_KEY], row[_CONTENT]) in there
    )  # fmt: skip


def numbers(connection: Connection, attempts: Attempts) -> list[int]:
    """The number of each new attempt under its key. Raises `KeysTaken`."""
    a = tables.attempts.c
    latest: dict[tuple[str, str], int] = {}
    taken: list[str] = []
    for kind in dict.fromkeys(row[_KIND] for row in attempts.rows):
        own = [row[_KEY] for row in attempts.rows if row[_KIND] == kind]
        taken += _twice(own)
        wanted = texts(connection, own)
        found = connection.execute(
            select(a.key, func.max(a.number), func.max(case((a.live, 1), else_=0)))
            .select_from(wanted.join(tables.attempts, a.key == wanted.c.value))
            .where(a.kind == kind)
            .group_by(a.key)
        )
        for key, number, live in found:
            latest[(kind, key)] = number
            if live:
                taken.append(key)
    if taken:
        raise KeysTaken(tuple(taken))
    if not latest:
        return [1] * len(attempts.rows)
    return [latest.get((row[_KIND], row[_KEY]), 0) + 1 for row in attempts.rows]


def refuse_listed(connection: Connection, batch_id: str, attempts: Attempts) -> None:
    """Raise `KeysTaken` if a house of these manifests has come to stand on one of another batch.

    Who drafts them asks before, without keeping others from recording meanwhile.
    """
    on = {key: number for number, key, _ in attempts.houses}
    if not on:
        return
    rows = connection.execute(standing(connection, on, batch_id)).mappings()
    taken = {attempts.rows[on[row["declaration_key"]]][_KEY] for row in rows}
    if taken:
        raise KeysTaken(tuple(sorted(taken)))


def _twice(keys: Sequence[str]) -> list[str]:
    """Keys that stand more than once."""
    if len(set(keys)) == len(keys):
        return []
    return [key for key, times in Counter(keys).items() if times > 1]


def insert_attempts(
    connection: Connection, batch_id: str, attempts: Attempts, ids: range, numbered: Sequence[int],
    where: tuple[str, Sequence[int]], at: str,
) -> None:  # fmt: skip
    """Attempts, whose bytes lie at `where` (segment, offset of each)."""
    segment, offsets = where
    payload = attempts.payload
    insert_rows(
        connection, tables.attempts, _ATTEMPT,
        (
            (i, *row, number, offset, length, digest)
            for i, row, number, offset, length, digest in zip(
                ids, attempts.rows, numbered, offsets, payload.lengths, payload.digests, strict=False
            )
        ),
        {**NEW, "batch_id": batch_id, "state_since": at, "draft_segment": segment},
    )  # fmt: skip
    insert_rows(
        connection, tables.manifest_houses, ("attempt_id", "declaration_key", "house_waybill"),
        ((ids[number], key, house) for number, key, house in attempts.houses), {"state": LISTED},
    )  # fmt: skip


def insert_shipments(
    connection: Connection, batch_id: str, shipments: Sequence[ShipmentRow], attempts: Attempts,
    ids: range, first: int,
) -> None:  # fmt: skip
    """Shipments numbered from `first`; each prepared one belongs to its attempt. Raises `LedgerError` else."""
    own = {p: i for p, i in zip(attempts.positions, ids, strict=True) if p is not None}
    _refuse_wrong(batch_id, shipments, own)
    insert_rows(
        connection, tables.shipments, _SHIPMENT,
        (
            (*row[:_ATTEMPT_ID], own.get(row[0], row[_ATTEMPT_ID]), _house_key(row), number)
            for number, row in enumerate(shipments, first)
        ),
        {"batch_id": batch_id},
    )  # fmt: skip


def _refuse_wrong(batch_id: str, shipments: Sequence[ShipmentRow], own: Mapping[int, int]) -> None:
    """Raise `LedgerError` unless exactly the prepared shipments have an attempt."""
    prepared = {row[0] for row in shipments if row[_OUTCOME] == PREPARED}
    if prepared == own.keys() and {row[_OUTCOME] for row in shipments} <= set(OUTCOMES):
        return
    for row in shipments:
        position, outcome = row[0], row[_OUTCOME]
        if (outcome == PREPARED) != (position in own) or outcome not in OUTCOMES:
            raise LedgerError(
                f"shipment {position} is {outcome} but {'has' if position in own else 'has no'} attempt",
                f"第 {position} 票状态为 {outcome}，与申报记录不符",
                place=batch_id,
            )  # fmt: skip


def _house_key(row: ShipmentRow) -> str | None:
    given, house = row[_HOUSE_KEY], row[_HOUSE]
    return given if given is not None or not house else normalise(house)


def insert_held(
    connection: Connection, held: Attempts, number: int, where: tuple[str, Sequence[int]]
) -> None:
    """Documents of shipments that wait for a person; `where` they lie: segment, and offset of each.

    The shipment at a position is the row `number` + position.
    """
    segment, offsets = where
    payload = held.payload
    insert_rows(
        connection, tables.held_drafts, _HELD,
        (
            (number + (position or 0), row[_TYPE], row[_ENDPOINT], row[_VOYAGE], offset, length, digest)
            for position, row, offset, length, digest in zip(
                held.positions, held.rows, offsets, payload.lengths, payload.digests, strict=False
            )
        ),
        {"draft_segment": segment},
    )  # fmt: skip


def insert_findings(
    connection: Connection, batch_id: str, findings: Sequence[FindingRow], key: DataKey | None
) -> None:
    """Findings in their order; `key` seals what they say."""
    columns = ("position", "rule", "severity", "action", "record")
    rows: Iterable[tuple[Any, ...]] = findings
    if key is not None:
        rows = (
            (*row[:-1], seal_text(key, row[-1], place("finding", key.scope, *row[:-1])))
            for row in findings
        )
    insert_rows(connection, tables.findings, columns, rows, {"batch_id": batch_id})


def insert_not_manifested(
    connection: Connection, batch_id: str, rows: Sequence[tuple[int, str]]
) -> None:
    """Reasons why shipments stand on no manifest; what is told already is passed over."""
    s = tables.shipments.c
    reasons = dict(rows)
    for block in chunks(reasons):
        found = connection.execute(
            select(s.id, s.position)
            .outerjoin(tables.not_manifested, tables.not_manifested.c.shipment_id == s.id)
            .where(s.batch_id == batch_id, s.position.in_(block))
            .where(tables.not_manifested.c.shipment_id.is_(None))
        ).all()
        insert_rows(
            connection,
            tables.not_manifested,
            ("shipment_id", "reason"),
            [(shipment_id, reasons[position]) for shipment_id, position in found],
        )


def told(
    first: int, shipments: Sequence[ShipmentRow], attempts: Attempts, ids: range, held: Attempts | None = None,
) -> dict[str, Any]:  # fmt: skip
    """What the one event of a block says of it: how much there is, and digests over what must not change any more."""
    own = {p: i for p, i in zip(attempts.positions, ids, strict=True) if p is not None}
    links = [own.get(row[0], row[_ATTEMPT_ID]) for row in shipments]
    return {
        "first": first,
        "shipments": len(shipments),
        "attempts": len(attempts.rows),
        "digest": of_documents(attempts.payload.digests),
        "recorded": of_shipments(map(_SURE, shipments), links),
        **({"held": of_documents(held.payload.digests)} if held is not None else {}),
    }


def of_documents(digests: Iterable[str]) -> str:
    """SHA-256 over the digests of a block's documents, in the order of their attempts."""
    return hashlib.sha256("".join(digests).encode("ascii")).hexdigest()


def of_shipments(sure: Iterable[Sequence[Any]], attempts: Sequence[int | None]) -> str:
    """SHA-256 over a block's shipments by position: (`SURE` of each, in their order; then the attempt of each).

    Outcomes are not in it: until its batch is sealed a shipment may still turn out to be worse.
    """
    text = _compact([list(sure), attempts])
    return hashlib.sha256(text.encode()).hexdigest()
