"""Retelling: receipts and events, read again from the beginning, must lead to the states that are there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, RowMapping, and_, exists, func, or_, select

from crossborder.ledger import Ledger, PendingLine, tables
from crossborder.reconcile.difference import Difference
from crossborder.reconcile.order import deciding, judge, moment
from crossborder.reconcile.status_table import StatusTable

A = tables.attempts.c
E = tables.events.c
L = tables.receipt_lines.c
R = tables.receipts.c
_LOT = 1000


def history(connection: Connection, table: StatusTable, ledger: Ledger) -> Iterator[Difference]:
    """Every difference between what was told and what it led to."""
    yield from _receipts(connection, ledger)
    yield from _lines(connection)
    yield from _retold(connection, table)
    yield from _events(connection)


def _receipts(connection: Connection, ledger: Ledger) -> Iterator[Difference]:
    """What was erased on purpose is no difference; its digest stands for it."""
    seen: dict[str, int] = {}
    for receipt_id, endpoint, digest, now in ledger.receipts_proven(connection):
        actual = digest if now is None else now
        if actual != digest:
            yield Difference(
                "receipt_changed", f"{endpoint} #{receipt_id}", f"stored as {digest}, now {actual or 'unreadable'}",
                f"存入时为 {digest}，现为 {actual or '无法读取'}",
            )  # fmt: skip
            if not actual:
                continue
        if f"{endpoint} {actual}" in seen:
            yield Difference(
                "receipt_doubled", f"{endpoint} #{receipt_id}",
                f"the same bytes as #{seen[f'{endpoint} {actual}']}",
                f"与 #{seen[f'{endpoint} {actual}']} 内容相同",
            )  # fmt: skip
        seen.setdefault(f"{endpoint} {actual}", receipt_id)


def _lines(connection: Connection) -> Iterator[Difference]:
    loose = ("read", "unmatched")
    wrong = or_(
        R.id.is_(None),
        and_(L.outcome.not_in(loose), A.id.is_(None)),
        and_(L.outcome.in_(loose), L.attempt_id.is_not(None)),
    )
    joined = tables.receipt_lines.outerjoin(tables.receipts, R.id == L.receipt_id)
    joined = joined.outerjoin(tables.attempts, A.id == L.attempt_id)
    query = select(L.receipt_id, L.line, L.outcome).select_from(joined).where(wrong).order_by(L.id)
    for receipt_id, line, outcome in connection.execute(query):
        yield Difference(
            "receipt_line_loose", f"#{receipt_id}/{line}", f"it is {outcome}, but of no attempt or receipt",
            f"标为 {outcome}，但没有对应的申报或回执",
        )  # fmt: skip
    yield from _silent(connection)


def _silent(connection: Connection) -> Iterator[Difference]:
    """Receipts that were read, but of which nothing is there."""
    unread, unreadable = tables.unread.c.receipt_id, tables.unreadable.c.receipt_id
    elsewhere = (exists().where(column == R.id) for column in (L.receipt_id, unread, unreadable))
    query = select(R.id, R.endpoint).where(*(~one for one in elsewhere)).order_by(R.id)
    for receipt_id, endpoint in connection.execute(query):
        yield Difference(
            "receipt_silent", f"{endpoint} #{receipt_id}", "it was read, but no line of it is there",
            "已解析，但没有任何内容行",
        )  # fmt: skip


def _retold(connection: Connection, table: StatusTable) -> Iterator[Difference]:
    """Judge all receipt lines of each attempt again: the same line must decide."""
    after = 0
    while True:
        query = (
            select(tables.attempts)
            .where(A.id > after, or_(A.last_code.is_not(None), A.first_sent_at.is_not(None)))
            .order_by(A.id)
            .limit(_LOT)
        )
        attempts = connection.execute(query).mappings().all()
        if not attempts:
            return
        after = attempts[-1]["id"]
        told = _told(connection, [row["id"] for row in attempts])
        for row in attempts:
            yield from _one(row, told.get(row["id"], []), table)


def _one(row: RowMapping, lines: Sequence[PendingLine], table: StatusTable) -> Iterator[Difference]:
    decides = deciding(judge(lines, row["key"], table))
    where = f"{row['batch_id']} {row['key']}"
    if decides is None or decides.status is None:
        declined = row["state"] == "platform_failed"
        if row["last_code"] is not None or (row["stage"] != "ours" and not declined):
            yield Difference(
                "state_without_receipt", where, f"{row['state']} ({row['last_code']}), but no receipt says so",
                f"状态 {row['state']}（{row['last_code']}）没有回执依据",
            )  # fmt: skip
        return
    status = decides.status
    expected = (status.state, status.code, moment(decides.line), status.terminal, status.released)
    present = (row["state"], row["last_code"], row["last_op_time"], bool(row["final"]), bool(row["released"]))  # fmt: skip
    if expected != present:
        yield Difference(
            "state_differs", where,
            f"{row['state']} ({row['last_code']}), but its receipts say {status.state} ({status.code})",
            f"状态 {row['state']}（{row['last_code']}），但回执为 {status.state}（{status.code}）",
        )  # fmt: skip


def _told(connection: Connection, ids: Sequence[int]) -> dict[int, list[PendingLine]]:
    query = (
        select(L.id, L.receipt_id, R.endpoint, R.received_at, L.line, L.message_type, L.key, L.code,
               L.op_type, L.op_time, L.pre_entry_id, L.entry_id, L.outcome, L.attempt_id)
        .select_from(tables.receipt_lines.join(tables.receipts, R.id == L.receipt_id))
        .where(L.attempt_id.in_(list(ids)), L.line == 0)
    )  # fmt: skip
    told: dict[int, list[PendingLine]] = {}
    for row in connection.execute(query):
        told.setdefault(row.attempt_id, []).append(PendingLine._make(row))
    return told


def _events(connection: Connection) -> Iterator[Difference]:
    """The last event of each attempt must have led to the state it is in."""
    newest = (
        select(E.attempt_id, func.max(E.id).label("id"))
        .where(E.attempt_id.is_not(None), E.to_state.is_not(None))
        .group_by(E.attempt_id)
        .subquery()
    )
    joined = tables.attempts.outerjoin(newest, newest.c.attempt_id == A.id)
    joined = joined.outerjoin(tables.events, E.id == newest.c.id)
    query = (
        select(A.batch_id, A.key, A.state, func.coalesce(E.to_state, "prepared"))
        .select_from(joined)
        .where(func.coalesce(E.to_state, "prepared") != A.state)
        .order_by(A.id)
    )
    for batch, key, state, told in connection.execute(query):
        yield Difference(
            "history_differs", f"{batch} {key}", f"it is {state}, but its history ends with {told}",
            f"状态为 {state}，但历史记录止于 {told}",
        )  # fmt: skip
