"""Proving promise P3: that shipments, attempts, bytes, receipts, history and the endpoint tell the same story."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from crossborder.errors import PayloadDamaged, PayloadErased
from crossborder.ledger import AttemptRecord, Ledger, PayloadRef, tables
from crossborder.ledger.looking import attempt_record
from crossborder.reconcile.difference import Difference, worst_first
from crossborder.reconcile.history import history
from crossborder.reconcile.inventory import inventory
from crossborder.reconcile.status_table import StatusTable

A = tables.attempts.c
_UNSETTLED = frozenset({"sending", "unknown", "suspended", "voided"})
_NOT_THERE = frozenset({"queued", "not_received"})


def differences(
    ledger: Ledger,
    endpoint_accounts: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    table: StatusTable | None = None,
) -> list[Difference]:
    """Everything in the whole ledger that does not agree, the worst first; empty means it is proven.

    `endpoint_accounts`: endpoint → messages it says it received (`message_id`, `digest`, `arrivals`, of which
    `not_taken`); it must have been asked while nothing was being sent. Every stored byte is read once.
    """
    table = table or StatusTable.load()
    found: list[Difference] = []
    being_recorded = frozenset(ledger.being_recorded())
    with ledger.read() as connection:
        found += inventory(connection, being_recorded)
        found += history(connection, table, ledger)
        for record in _records(connection):
            found += _bytes(ledger, record)
        found += _held_bytes(connection, ledger)
        for endpoint, messages in sorted((endpoint_accounts or {}).items()):
            found += _endpoint(connection, endpoint, messages)
    return worst_first(found)


def _records(connection: Connection, endpoint: str | None = None) -> Iterator[AttemptRecord]:
    query = select(tables.attempts).order_by(A.id)
    if endpoint is not None:
        query = query.where(A.endpoint == endpoint)
    for row in connection.execute(query.execution_options(yield_per=2000)).mappings():
        yield attempt_record(row)


def _bytes(ledger: Ledger, record: AttemptRecord) -> Iterator[Difference]:
    for ref in (record.draft, record.frozen):
        if ref is None:
            continue
        try:
            ledger.peek(ref)
        except PayloadErased:  # on purpose; that it was settled was proven before
            continue
        except PayloadDamaged as error:
            yield Difference(
                "payload_damaged", f"{record.batch_id} {record.key}", error.place, error.place
            )


def _held_bytes(connection: Connection, ledger: Ledger) -> Iterator[Difference]:
    """The documents of shipments that wait for a person."""
    d, s = tables.held_drafts.c, tables.shipments.c
    query = (
        select(
            s.batch_id, s.shown_as, d.draft_segment, d.draft_offset, d.draft_length, d.draft_digest
        )
        .join(tables.held_drafts, d.shipment_id == s.id)
        .order_by(s.id)
    )
    for batch, shown_as, *place in connection.execute(query.execution_options(yield_per=2000)):
        try:
            ledger.peek(PayloadRef(*place))
        except PayloadErased:
            continue
        except PayloadDamaged as error:
            yield Difference("payload_damaged", f"{batch} {shown_as}", error.place, error.place)


def _endpoint(
    connection: Connection, endpoint: str, messages: Sequence[Mapping[str, Any]]
) -> Iterator[Difference]:
    """What the endpoint says it received against what the ledger says left."""
    told = {str(message["message_id"]): message for message in messages}
    for record in _records(connection, endpoint):
        if record.message_id is None:
            continue
        where = f"{endpoint} {record.key} {record.message_id}"
        message = told.pop(record.message_id, None)
        if message is None:
            yield from _absent(record, where)
            continue
        if record.state in _NOT_THERE:
            yield Difference(
                "received_unrecorded", where, f"the ledger says {record.state}, the endpoint has it",
                f"台账状态为 {record.state}，但端点已收到",
            )  # fmt: skip
        if message.get("digest") != record.digest:
            yield Difference(
                "digest_differs", where, f"sent {record.digest}, received {message.get('digest')}",
                f"发出 {record.digest}，收到 {message.get('digest')}",
            )  # fmt: skip
        arrivals = int(message.get("arrivals", 1)) - int(message.get("not_taken", 0))
        if arrivals != 1:
            yield Difference(
                "arrived_twice", where, f"it arrived {arrivals} times", f"端点共收到 {arrivals} 次"
            )
    for message_id in sorted(told):
        yield Difference(
            "not_ours", f"{endpoint} {message_id}", "the endpoint has a message this ledger never sent",
            "端点收到的报文不是由本台账发出",
        )  # fmt: skip


def _absent(record: AttemptRecord, where: str) -> Iterator[Difference]:
    declined = record.state == "platform_failed" and record.last_code is None
    if record.state in _UNSETTLED or record.state in _NOT_THERE or declined:
        return
    yield Difference(
        "lost", where, f"the ledger says {record.state}, the endpoint never received it",
        f"台账状态为 {record.state}，但端点没有收到",
    )  # fmt: skip
