"""The inbox: a receipt is stored raw, then read, then (by reconcile) applied; each step may be repeated."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import accumulate, repeat, takewhile
from typing import Any

import polars as pl
from sqlalchemy import Connection, Integer, bindparam, func, select, update

from crossborder import china_time
from crossborder.errors import PayloadDamaged
from crossborder.keys import declaration_key, normalise
from crossborder.ledger import tables
from crossborder.ledger.base import Base
from crossborder.ledger.dialects import chunks, numbers
from crossborder.ledger.driver import insert_columns, update_columns
from crossborder.ledger.lots import (
    KEY_LENGTH,
    LINES,
    NOT_APPLIED,
    ReadLot,
    StoredLot,
    Unread,
    having,
    save_lines,
    take_out,
)
from crossborder.ledger.receipts import opened_receipt, seal_notes, seal_receipts
from crossborder.ledger.records import Read, ReceiptLine, ReceiptRef

R = tables.receipts
U = tables.unread
_MOST_BYTES = 32 * 1024 * 1024
_FETCHED = 50
_NAME_LENGTH = 255
_MORE = (
    update(R)
    .where(R.c.id == bindparam("receipt"))
    .values(copies=R.c.copies + bindparam("more", type_=Integer))
)
_Stored = tuple[int, str, str, bytes]


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
        digests, numbered, news = self._store(endpoint, items, now)
        refs = []
        for number in (numbered[digest] for digest in digests):
            refs.append(ReceiptRef(number, number in news))
            news.discard(number)
        return refs

    def take_receipts(
        self, endpoint: str, items: Sequence[tuple[str, bytes]], now: datetime
    ) -> int:
        """`store_receipts`, for who only wants to know how many of them were new."""
        return len(self._store(endpoint, items, now)[2])

    def _store(
        self, endpoint: str, items: Sequence[tuple[str, bytes]], now: datetime
    ) -> tuple[list[str], dict[str, int], set[int]]:
        """Store receipts: their digests in order, digest → id, and the ids of those that are new."""
        digests = [hashlib.sha256(raw).hexdigest() for _, raw in items]
        copies = Counter(digests)
        if not copies:
            return [], {}, set()
        if len(copies) < len(items):  # of the same bytes, those that came first
            first = dict(zip(reversed(digests), reversed(items), strict=True))
            items = [first[digest] for digest in copies]
        names = _clean([name for name, _ in items])
        raws = [raw for _, raw in items]
        with self.write() as connection:
            ids = self._reserve(connection, "receipt", len(copies))
            fixed: dict[str, Any] = {"endpoint": endpoint, "received_at": china_time.iso(now)}
            key = self._keys.receiving(connection, endpoint, now)
            stored: Iterable[bytes] = raws
            if key is not None:
                fixed["data_key"] = key.number
                stored = seal_receipts(key, raws, ids, copies)
            columns = {
                "id": ids,
                "digest": copies,
                "name": names,
                "raw": stored,
                "copies": copies.values(),
            }
            inserted = insert_columns(connection, R, columns, fixed, missing=True)
            known = {} if inserted == len(copies) else _count_known(connection, endpoint, copies, ids)  # fmt: skip
            numbered = dict(zip(copies, ids, strict=True)) | known
            news = {*ids} & {*numbered.values()}
            insert_columns(connection, U, {"receipt_id": sorted(news)})
        self._keep(ids, list(zip(repeat(endpoint), names, raws, strict=False)), news)
        return digests, numbered, news

    def unread_receipts(self, limit: int, most_bytes: int = _MOST_BYTES) -> StoredLot:
        """Receipts that are stored and not yet read, oldest first; few more once they exceed `most_bytes`."""
        query = select(U.c.receipt_id).order_by(U.c.receipt_id).limit(limit)
        with self.read() as connection:
            ids = numbers(connection, query)
            found = self._kept(ids, most_bytes)
            size = sum(len(raw) for *_, raw in found)
            for block in chunks(ids[len(found) :], _FETCHED):
                if size > most_bytes:
                    break
                rows = self._opened(connection, block)
                found += rows
                size += sum(len(raw) for *_, raw in rows)
        self._forget(ids[0] if ids else None)
        return StoredLot.of(found)

    def unread_count(self) -> int:
        """How many receipts are stored and not yet read."""
        with self.read() as connection:
            return int(connection.execute(select(func.count()).select_from(U)).scalar_one())

    def line_counts(self, outcomes: Iterable[str]) -> dict[str, int]:
        """How many receipt lines have each of some outcomes; those that none has are left out."""
        own = tables.receipt_lines.c.outcome
        query = select(own, func.count()).where(having(outcomes)).group_by(own)
        with self.read() as connection:
            return {str(outcome): int(count) for outcome, count in connection.execute(query)}

    def save_lot(self, lot: ReadLot) -> None:
        """What a lot of stored receipts says, in one transaction; the lines wait to be applied.

        Receipts that were read before are left as they are.
        """
        with self.write() as connection:
            said = seal_notes(connection, take_out(connection, lot), self._keys)
            waiting = said.with_columns(
                pl.lit(NOT_APPLIED).alias("outcome"), pl.lit(None, pl.Int64).alias("attempt_id")
            )
            save_lines(connection, waiting)

    def save_read(self, receipt_id: int, message_type: str, lines: Sequence[ReceiptLine]) -> None:
        """What a stored receipt says; it waits to be applied. Nothing happens if it was read before."""
        self.save_reads([Read(receipt_id, message_type, tuple(lines))])

    def save_unreadable(self, receipt_id: int, reason: str) -> None:
        """A stored receipt cannot be read; it is kept, shown and counted. `reason` without personal data."""
        self.save_reads([Read(receipt_id, None, (), reason)])

    def save_reads(self, reads: Sequence[Read]) -> None:
        """`save_read` and `save_unreadable` for many, in one transaction."""
        sound = [_sound(read) for read in reads]
        lines = [
            (r.receipt_id, None, *line) for r in sound if r.problem is None for line in r.lines
        ]
        problems = [
            Unread(r.receipt_id, r.message_type, r.problem) for r in sound if r.problem is not None
        ]
        self.save_lot(ReadLot(pl.DataFrame(lines, schema=LINES, orient="row"), problems))

    def _opened(self, connection: Connection, ids: Sequence[int]) -> list[_Stored]:
        """Receipts by their ids; of those that cannot be opened any more nothing is there to be read."""
        query = select(R).where(R.c.id.in_(ids)).order_by(R.c.id)
        found = []
        for row in connection.execute(query):
            try:
                raw = opened_receipt(row, self._keys)
            except PayloadDamaged:
                raw = b""
            found.append((row.id, row.endpoint, row.name, raw))
        return found

    # -- bytes that were just stored, so that they need not be fetched again to be read

    def _keep(self, ids: range, stored: Sequence[tuple[str, str, bytes]], news: set[int]) -> None:
        """Keep receipts (endpoint, name, raw) that are new at hand, as far as there is room."""
        with self._guard:
            room = _MOST_BYTES - sum(len(raw) for *_, raw in self._at_hand.values())
            fit = bisect_right(list(accumulate(len(raw) for *_, raw in stored)), room)
            self._at_hand.update(zip(ids[:fit], stored[:fit], strict=True))
            for number in {*ids} - news:
                self._at_hand.pop(number, None)

    def _kept(self, ids: Sequence[int], most_bytes: int) -> list[_Stored]:
        """The first of some receipts, as many as are at hand one after the other; afterwards they are not any more."""
        with self._guard:
            here = list(takewhile(self._at_hand.__contains__, ids))
            sizes = list(accumulate(len(self._at_hand[number][2]) for number in here))
            few = here[: bisect_right(sizes, most_bytes) + 1]
            return [(number, *self._at_hand.pop(number)) for number in few]

    def _forget(self, oldest: int | None) -> None:
        """Of receipts older than the oldest that is not read, others have read what is at hand."""
        with self._guard:
            for number in [n for n in self._at_hand if oldest is None or n < oldest]:
                del self._at_hand[number]


def line_key(line: ReceiptLine) -> str:
    """By what a line is looked for: see `tables.receipt_lines.key`."""
    if line.message_type != "EXP312":
        return declaration_key(line.master_waybill, line.house_waybill or "", line.direction or "")[
            :KEY_LENGTH
        ]
    part = line.voyage if line.line == 0 else line.house_waybill
    stem = f"{normalise(line.master_waybill)}|"
    return (stem + f"{normalise(part)}|" if part else stem)[:KEY_LENGTH]


def _count_known(
    connection: Connection, endpoint: str, copies: Mapping[str, int], ids: range
) -> dict[str, int]:
    """Of receipts by digest, of which those got `ids` that are new: the ids of the others, whose copies are counted."""
    there: dict[str, int] = {}
    for block in chunks(copies):
        found = select(R.c.digest, R.c.id).where(R.c.endpoint == endpoint, R.c.digest.in_(block))
        there |= {row.digest: row.id for row in connection.execute(found)}
    known = {digest: there[digest] for digest in copies if there[digest] not in ids}
    more = [copies[digest] for digest in known]
    update_columns(connection, _MORE, {"more": more, "receipt": known.values()})
    return known


def _clean(names: list[str]) -> list[str]:
    """File names that can be stored: no halves of characters (undecodable bytes on disk), not endless."""
    if all(map(str.isascii, names)) and max(map(len, names)) <= _NAME_LENGTH:
        return names
    return [name.encode("utf-8", "replace").decode("utf-8")[:_NAME_LENGTH] for name in names]


def _sound(read: Read) -> Read:
    """Lines must be numbered once each; a receipt that breaks this must not stop the others."""
    if len({line.line for line in read.lines}) == len(read.lines):
        return read
    return Read(read.receipt_id, read.message_type, (), "lines numbered twice")
