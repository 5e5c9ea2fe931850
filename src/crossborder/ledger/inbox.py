"""The inbox: a receipt is stored raw, then read, then (by reconcile) applied; each step may be repeated."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

import polars as pl
from sqlalchemy import Connection, Integer, bindparam, func, select, update

from crossborder import china_time
from crossborder.keys import declaration_key, normalise
from crossborder.ledger import tables
from crossborder.ledger.base import Base
from crossborder.ledger.dialects import chunks, insert_rows
from crossborder.ledger.driver import insert_missing, run_rows
from crossborder.ledger.lots import (
    NOT_APPLIED,
    READ,
    STORED,
    UNREADABLE,
    ReadLot,
    fresh,
    save_lines,
    save_problems,
)
from crossborder.ledger.records import Read, ReceiptLine, ReceiptRef, StoredReceipt

R = tables.receipts
_LINE = (
    "receipt_id", "line", "message_type", "key", "code", "op_type", "op_time", "pre_entry_id", "entry_id",
    "notes", "outcome",
)  # fmt: skip
_KEY_LENGTH = 160
_MOST_BYTES = 32 * 1024 * 1024
_FETCHED = 50
_RECEIPT = ("id", "endpoint", "digest", "name", "raw", "received_at", "copies", "state")
_MORE = (
    update(R)
    .where(R.c.id == bindparam("receipt"))
    .values(copies=R.c.copies + bindparam("more", type_=Integer))
)
_StoredRow = tuple[int, str, str, str, bytes, str, int, str]


class Inbox(Base):
    """Receipts, from the endpoint to their lines."""

    def store_receipt(self, endpoint: str, name: str, raw: bytes, now: datetime) -> ReceiptRef:
        """Keep the raw bytes of a receipt; on the disk when this returns.

        The same bytes from the same endpoint are the same receipt: only its `copies` are counted.
        """
        return self.store_receipts(endpoint, [(name, raw)], now)[0]

    def store_receipts(
        self, endpoint: str, items: Sequence[tuple[str, bytes]], now: datetime
    ) -> list[ReceiptRef]:
        """`store_receipt` for many (name, raw), in one transaction."""
        digests = [hashlib.sha256(raw).hexdigest() for _, raw in items]
        copies = Counter(digests)
        first = dict(zip(reversed(digests), reversed(items), strict=True))
        with self.write() as connection:
            ids = dict(zip(copies, self._reserve(connection, "receipt", len(copies)), strict=True))
            at = china_time.iso(now)
            rows = [
                (ids[d], endpoint, d, _clean(first[d][0]), first[d][1], at, count, STORED)
                for d, count in copies.items()
            ]
            known = _insert_new(connection, rows)
        news = {d: d not in known for d in copies}
        ids |= known
        refs: list[ReceiptRef] = []
        for digest in digests:
            refs.append(ReceiptRef(ids[digest], news[digest]))
            news[digest] = False
        return refs

    def unread_receipts(self, limit: int, most_bytes: int = _MOST_BYTES) -> list[StoredReceipt]:
        """Receipts that are stored and not yet read, oldest first; few more once they exceed `most_bytes`."""
        query = (
            select(R.c.id, R.c.endpoint, R.c.name, R.c.raw)
            .where(R.c.state == STORED)
            .order_by(R.c.id)
            .limit(limit)
        )
        found: list[StoredReceipt] = []
        size = 0
        with self.read() as connection:
            for rows in connection.execute(query).partitions(_FETCHED):
                found += map(StoredReceipt._make, rows)
                size += sum(len(raw) for *_, raw in rows)
                if size > most_bytes:
                    break
        return found

    def unread_count(self) -> int:
        """How many receipts are stored and not yet read."""
        with self.read() as connection:
            query = select(func.count()).select_from(R).where(R.c.state == STORED)
            return int(connection.execute(query).scalar_one())

    def line_counts(self, outcomes: Iterable[str]) -> dict[str, int]:
        """How many receipt lines have each of some outcomes; those that none has are left out."""
        own = tables.receipt_lines.c.outcome
        query = select(own, func.count()).where(own.in_(list(outcomes))).group_by(own)
        with self.read() as connection:
            return {str(outcome): int(count) for outcome, count in connection.execute(query)}

    def save_lot(self, lot: ReadLot) -> None:
        """What a lot of stored receipts says, in one transaction; the lines wait to be applied.

        Receipts that were read before are left as they are.
        """
        with self.write() as connection:
            said, problems = fresh(connection, lot)
            waiting = said.with_columns(
                pl.lit(NOT_APPLIED).alias("outcome"), pl.lit(None, pl.Int64).alias("attempt_id")
            )
            save_lines(connection, waiting)
            save_problems(connection, problems)

    def save_read(self, receipt_id: int, message_type: str, lines: Sequence[ReceiptLine]) -> None:
        """What a stored receipt says; it waits to be applied. Nothing happens if it was read before."""
        self.save_reads([Read(receipt_id, message_type, tuple(lines))])

    def save_unreadable(self, receipt_id: int, reason: str) -> None:
        """A stored receipt cannot be read; it is kept, shown and counted. `reason` without personal data."""
        self.save_reads([Read(receipt_id, None, (), reason)])

    def save_reads(self, reads: Sequence[Read]) -> None:
        """`save_read` and `save_unreadable` for many, in one transaction."""
        with self.write() as connection:
            open_ids: set[int] = set()
            for block in chunks([r.receipt_id for r in reads]):
                open_ids |= set(
                    connection.execute(
                        select(R.c.id).where(R.c.id.in_(block), R.c.state == STORED)
                    ).scalars()
                )
            by_id = {r.receipt_id: _sound(r) for r in reads}
            todo = [r for r in by_id.values() if r.receipt_id in open_ids]
            rows = [
                (r.receipt_id, x.line, x.message_type, line_key(x), x.code[:4], _cut(x.op_type, 3), x.op_time[:17],
                 _cut(x.pre_entry_id, 18), _cut(x.entry_id, 18), x.notes, NOT_APPLIED)
                for r in todo if r.problem is None for x in r.lines
            ]  # fmt: skip
            insert_rows(connection, tables.receipt_lines, _LINE, rows)
            by_type: dict[str | None, list[int]] = {}
            for r in todo:
                if r.problem is None:
                    by_type.setdefault(r.message_type, []).append(r.receipt_id)
                    continue
                connection.execute(
                    update(R)
                    .where(R.c.id == r.receipt_id)
                    .values(state=UNREADABLE, message_type=r.message_type, problem=r.problem)
                )
            for message_type, ids in by_type.items():
                for block in chunks(ids):
                    connection.execute(
                        update(R)
                        .where(R.c.id.in_(block))
                        .values(state=READ, message_type=message_type)
                    )


def line_key(line: ReceiptLine) -> str:
    """By what a line is looked for: see `tables.receipt_lines.key`."""
    if line.message_type != "EXP312":
        return declaration_key(line.master_waybill, line.house_waybill or "", line.direction or "")[
            :_KEY_LENGTH
        ]
    part = line.voyage if line.line == 0 else line.house_waybill
    stem = f"{normalise(line.master_waybill)}|"
    return (stem + f"{normalise(part)}|" if part else stem)[:_KEY_LENGTH]


def _insert_new(connection: Connection, rows: Sequence[_StoredRow]) -> dict[str, int]:
    """Insert receipts (columns `_RECEIPT`); digest → id of those that were there already, whose copies are counted."""
    if insert_missing(connection, R, _RECEIPT, rows) == len(rows):
        return {}
    there: dict[str, int] = {}
    for block in chunks(row[2] for row in rows):
        found = select(R.c.digest, R.c.id).where(R.c.endpoint == rows[0][1], R.c.digest.in_(block))
        there |= {row.digest: row.id for row in connection.execute(found)}
    known = {row[2]: there[row[2]] for row in rows if there[row[2]] != row[0]}
    run_rows(connection, _MORE, ("more", "receipt"), [(row[6], known[row[2]]) for row in rows if row[2] in known])  # fmt: skip
    return known


def _cut(text: str | None, length: int) -> str | None:
    return text[:length] if text else None


def _clean(name: str) -> str:
    """A file name that can be stored: no halves of characters (undecodable bytes on disk), not endless."""
    return name.encode("utf-8", "replace").decode("utf-8")[:255]


def _sound(read: Read) -> Read:
    """Lines must be numbered once each; a receipt that breaks this must not stop the others."""
    if len({line.line for line in read.lines}) == len(read.lines):
        return read
    return Read(read.receipt_id, read.message_type, (), "lines numbered twice")
