"""The inbox: a receipt is stored raw, then read, then (by reconcile) applied; each step may be repeated."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update

from crossborder import china_time
from crossborder.keys import declaration_key, normalise
from crossborder.ledger import tables
from crossborder.ledger.base import Base
from crossborder.ledger.dialects import chunks, insert_rows
from crossborder.ledger.records import Read, ReceiptLine, ReceiptRef, StoredReceipt

R = tables.receipts
STORED, READ, UNREADABLE = "stored", "read", "unreadable"
NOT_APPLIED = "read"
"""Outcome of a line that reconcile has not looked at."""

_LINE = (
    "receipt_id", "line", "message_type", "key", "code", "op_type", "op_time", "pre_entry_id", "entry_id",
    "notes", "outcome",
)  # fmt: skip
_KEY_LENGTH = 160


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
        items = [(_clean(name), raw) for name, raw in items]
        digests = [hashlib.sha256(raw).hexdigest() for _, raw in items]
        with self.write() as connection:
            known: dict[str, int] = {}
            for block in chunks(digests):
                rows = connection.execute(
                    select(R.c.digest, R.c.id).where(
                        R.c.endpoint == endpoint, R.c.digest.in_(block)
                    )
                )
                known |= {row.digest: row.id for row in rows}
            fresh = {d: item for d, item in zip(digests, items, strict=True) if d not in known}
            ids = dict(zip(fresh, self._reserve(connection, "receipt", len(fresh)), strict=True))
            copies = Counter(digests)
            insert_rows(
                connection, R,
                ("id", "endpoint", "digest", "name", "raw", "received_at", "copies", "state"),
                [(ids[d], endpoint, d, name, raw, china_time.iso(now), copies[d], STORED)
                 for d, (name, raw) in fresh.items()],
            )  # fmt: skip
            for digest, receipt_id in known.items():
                connection.execute(
                    update(R).where(R.c.id == receipt_id).values(copies=R.c.copies + copies[digest])
                )
        seen: set[str] = set(known)
        refs: list[ReceiptRef] = []
        for digest in digests:
            receipt_id = known[digest] if digest in known else ids[digest]
            refs.append(ReceiptRef(receipt_id, digest not in seen))
            seen.add(digest)
        return refs

    def unread_receipts(self, limit: int) -> list[StoredReceipt]:
        """Receipts that are stored and not yet read, oldest first."""
        query = (
            select(R.c.id, R.c.endpoint, R.c.name, R.c.raw)
            .where(R.c.state == STORED)
            .order_by(R.c.id)
            .limit(limit)
        )
        with self.read() as connection:
            return [StoredReceipt(*row) for row in connection.execute(query)]

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
