"""The payload store, which holds the exact bytes of every attempt: in segment files (SQLite) or a table (PostgreSQL).

With files the order is always: write, flush to the disk, commit the rows that point at them. How far each segment is committed
stands in `facts` (`payload/000001.seg` → bytes) and is written by the same transaction as those rows; what lies
behind is the rest of a write that no row knows, and is cut off. Writers exclude each other by the database's
write lock, in which every method that changes a file must be called. Documents are sealed (`ledger.sealing`) or plain, as
the name of the segment tells; lengths and digests in rows are always those of the plain bytes.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, select

from crossborder.errors import LedgerError, PayloadDamaged, PayloadErased
from crossborder.ledger import tables
from crossborder.ledger.bodies import Payload, Run
from crossborder.ledger.datakeys import DataKeys
from crossborder.ledger.dialects import glancing, insert_rows, is_shared
from crossborder.ledger.keyring import flush_folder
from crossborder.ledger.records import PayloadRef
from crossborder.ledger.sealing import (
    OVERHEAD,
    SEALED_SEGMENT,
    DataKey,
    Unsealable,
    document_place,
    is_sealed,
    seal_payload,
)

FOLDER = "payload"
SEGMENT_BYTES = 256 * 1024 * 1024
"""A segment that has reached this size is followed by the next."""
Overhang = Mapping[str, tuple[int, int]]
"""Segment → its size, and when it was last written (nanoseconds)."""
Keys = Sequence[DataKey | None]
"""What seals documents: one key for all of them, or one for each; None leaves them plain."""


class Payloads(Protocol):
    """Where bytes lie; an attempt's row holds their place and digest (`PayloadRef`). Thread-safe."""

    def extend(
        self, connection: Connection, payload: Payload, keys: Keys
    ) -> tuple[str, Sequence[int]]:
        """Keep documents, one after another; the segment, and the offset of each.

        What is kept is as lasting as the transaction: on the disk before it is committed, gone if it is not. Raises
        `LedgerError` if it cannot be kept; the transaction must then be rolled back.
        """

    def append(
        self, connection: Connection, bodies: Sequence[bytes], keys: Keys
    ) -> list[PayloadRef]:
        """As `extend`, for bodies that are not gathered yet; where each of them lies."""

    def read(self, ref: PayloadRef) -> bytes:
        """The plain bytes at `ref`. Raises `PayloadDamaged` if they are short, gone or not those of its digest.

        Raises `PayloadErased` if their key was destroyed.
        """

    def cut(self, connection: Connection) -> int:
        """Cut off whatever no committed row knows; how many bytes that was."""

    def overhang(self, connection: Connection) -> Overhang:
        """What there is to be cut off; while somebody writes, also what is being written. Unequal if written since."""


def open_payloads(
    home: Path, engine: Engine, checkpoint: Callable[[str], None], keys: DataKeys
) -> Payloads:
    """The payload store that belongs to a ledger's database."""
    if is_shared(engine.dialect):
        return Rows(engine, checkpoint, keys)
    return Segments(home, checkpoint, keys)


class Rows:
    """Bytes in the table `payload`, one row for each document, so that every host can read them.

    What is kept by one transaction is a segment of its own: nobody waits for another to learn where the end is.
    """

    def __init__(self, engine: Engine, checkpoint: Callable[[str], None], keys: DataKeys) -> None:
        self._engine = glancing(engine)
        self._checkpoint = checkpoint
        self._keys = keys

    def append(
        self, connection: Connection, bodies: Sequence[bytes], keys: Keys
    ) -> list[PayloadRef]:
        """See `Payloads`."""
        return _append(self, connection, bodies, keys)

    def extend(
        self, connection: Connection, payload: Payload, keys: Keys
    ) -> tuple[str, Sequence[int]]:
        """See `Payloads`."""
        number = connection.execute(select(tables.payload_segments.next_value())).scalar_one()
        sealers = [key for key in keys if key is not None]
        name = f"{number:012d}{SEALED_SEGMENT if sealers else '.row'}"
        offsets, stored = _laid_out(payload, sealers, name, 0)
        rows = zip(offsets, map(bytes, stored.bodies()), strict=True)
        insert_rows(
            connection, tables.payload, ("offset", "body"),
            ((place, body) for place, body in rows if body), {"segment": name},
        )  # fmt: skip
        self._checkpoint("payload:written")
        return name, offsets

    def read(self, ref: PayloadRef) -> bytes:
        """See `Payloads`."""
        p = tables.payload.c
        query = select(p.body).where(p.segment == ref.segment, p.offset == ref.offset)
        with self._engine.connect() as connection:
            stored = connection.execute(query).scalar() or b""
        return _whole(stored, ref, self._keys)

    def cut(self, connection: Connection) -> int:
        """Nothing: bytes are committed with the rows that know them."""
        return 0

    def overhang(self, connection: Connection) -> Overhang:
        """Nothing: bytes are committed with the rows that know them."""
        return {}


def _laid_out(
    payload: Payload, sealers: Sequence[DataKey], name: str, first: int
) -> tuple[Sequence[int], Payload]:
    """The offset of each document behind `first`, and what is to be stored: sealed for those places, if keys are given."""
    lengths = [length + (OVERHEAD if sealers else 0) for length in payload.lengths]
    *offsets, _ = accumulate(lengths, initial=first)
    if not sealers or not payload.size:
        return offsets, payload
    runs = seal_payload(payload, sealers, name, offsets)
    return offsets, replace(payload, runs=runs, lengths=lengths)


def _append(
    store: Payloads, connection: Connection, bodies: Sequence[bytes], keys: Keys
) -> list[PayloadRef]:
    payload = Payload.of(bodies)
    name, offsets = store.extend(connection, payload, keys)
    return [
        PayloadRef(name, *place)
        for place in zip(offsets, payload.lengths, payload.digests, strict=True)
    ]


def _whole(stored: bytes, ref: PayloadRef, keys: DataKeys) -> bytes:
    """The plain bytes of what was found at `ref`. Raises as `Payloads.read`."""
    body = stored
    if is_sealed(ref.segment):
        try:
            body = keys.unsealed(
                stored, lambda scope: document_place(scope, ref.segment, ref.offset, ref.digest)
            )
        except Unsealable:
            body = b""
        except PayloadErased as error:
            raise PayloadErased(error.day, _place(ref)) from None
    if len(body) != ref.length or hashlib.sha256(body).hexdigest() != ref.digest:
        raise PayloadDamaged(
            "stored bytes are damaged; they are not sent and not composed again",
            "已存储的报文损坏，不会发送，也不会重新生成",
            place=_place(ref),
            fix_en="restore the payload store from a backup, or void the attempt and hand it in again",
            fix_zh="请从备份恢复报文存储，或作废该次申报后重新提交",
        )
    return body


class Segments:
    """Segment files in one folder. Thread-safe: it keeps no file open."""

    def __init__(
        self,
        home: Path,
        checkpoint: Callable[[str], None],
        keys: DataKeys,
        limit: int = SEGMENT_BYTES,
    ) -> None:
        self._folder = home / FOLDER
        self._checkpoint = checkpoint
        self._keys = keys
        self._limit = limit
        self._left = (0, 0)  # how this process left the segment that it wrote last

    def append(
        self, connection: Connection, bodies: Sequence[bytes], keys: Keys
    ) -> list[PayloadRef]:
        """See `Payloads`."""
        return _append(self, connection, bodies, keys)

    def extend(
        self, connection: Connection, payload: Payload, keys: Keys
    ) -> tuple[str, Sequence[int]]:
        """Write documents behind the last committed byte and flush them; see `Payloads`.

        Where another process left bytes there and died, behind these: its commit may be in limbo (`Ledger.open`), and come
        back if this one dies too. What is sealed and what is plain lie in different segments. Raises `LedgerError` if the
        disk is full or the folder cannot be written.
        """
        sealers = [key for key in keys if key is not None]
        name, first = self._current(connection, sealed=bool(sealers))
        if not payload.size:
            return name, [first] * len(payload.lengths)
        new = not first  # a segment of which nothing is committed: its name must be lasting too, whoever made the file
        left = _state(self._folder / name)
        if left != self._left:
            first = max(first, left[0])
        offsets, stored = _laid_out(payload, sealers, name, first)
        try:
            self._write(self._folder / name, first, stored, new=new)
        except OSError as error:
            raise LedgerError(
                f"the payload store cannot be written ({error.strerror or error})",
                f"报文存储无法写入（{error.strerror or error}）",
                place=str(self._folder / name),
                fix_en="make room on the disk or check the folder's permissions, then run the command again",
                fix_zh="请清理磁盘空间或检查目录权限，然后重新执行",
            ) from error
        finally:
            self._left = _state(self._folder / name)
        self._commit_end(connection, name, first + stored.size)
        return name, offsets

    def read(self, ref: PayloadRef) -> bytes:
        """See `Payloads`."""
        longer = OVERHEAD if is_sealed(ref.segment) else 0
        try:
            with (self._folder / ref.segment).open("rb") as file:
                file.seek(ref.offset)
                stored = file.read(ref.length + longer)
        except OSError:
            stored = b""
        return _whole(stored, ref, self._keys)

    def cut(self, connection: Connection) -> int:
        """Cut off whatever lies behind the last committed byte of each segment; how many bytes that was."""
        if not self._folder.is_dir():
            return 0
        ends = self._ends(connection)
        lost = 0
        for path in sorted(self._folder.glob("*.seg")):
            over = path.stat().st_size - ends.get(path.name, 0)
            if over > 0:
                with path.open("r+b") as file:
                    file.truncate(ends.get(path.name, 0))
                    os.fsync(file.fileno())
                lost += over
        return lost

    def overhang(self, connection: Connection) -> Overhang:
        """Segments that are longer than what is committed (also while somebody writes)."""
        ends = self._ends(connection)
        states = {path.name: _state(path) for path in self._folder.glob("*.seg")}
        return {name: state for name, state in states.items() if state[0] > ends.get(name, 0)}

    def _current(self, connection: Connection, *, sealed: bool) -> tuple[str, int]:
        ends = self._ends(connection)
        name = max(ends, default="")
        end = ends.get(name, 0)
        if not name or end >= self._limit or is_sealed(name) != sealed:
            number = int(name.split(".", 1)[0]) + 1 if name else 1
            name, end = f"{number:06d}{SEALED_SEGMENT if sealed else '.seg'}", 0
        return name, end

    def _ends(self, connection: Connection) -> dict[str, int]:
        found = connection.execute(
            select(tables.facts.c.name, tables.facts.c.value).where(
                tables.facts.c.name.like(f"{FOLDER}/%")
            )
        )
        return {name.removeprefix(f"{FOLDER}/"): int(value) for name, value in found}

    def _commit_end(self, connection: Connection, name: str, end: int) -> None:
        fact = f"{FOLDER}/{name}"
        done = connection.execute(
            tables.facts.update().where(tables.facts.c.name == fact).values(value=str(end))
        )
        if not done.rowcount:
            connection.execute(tables.facts.insert().values(name=fact, value=str(end)))

    def _write(self, path: Path, end: int, payload: Payload, *, new: bool) -> None:
        self._folder.mkdir(exist_ok=True)
        half = payload.size // 2
        with path.open("r+b" if path.exists() else "xb", buffering=0) as file:
            file.truncate(end)
            file.seek(end)
            _write_all(file, payload.between(0, half))
            self._checkpoint("payload:half")
            _write_all(file, payload.between(half, payload.size))
            self._checkpoint("payload:written")
            os.fsync(file.fileno())
        if new:
            flush_folder(self._folder)
        self._checkpoint("payload:flushed")


def _state(path: Path) -> tuple[int, int]:
    """Size of a file, and when it was last written (nanoseconds); nothing of one that is not there."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


def _write_all(file: io.FileIO, runs: Sequence[Run]) -> None:
    """Write every byte; a raw file may take fewer than it was given."""
    for run in runs:
        left = memoryview(run)
        while left:
            left = left[file.write(left) :]


def _place(ref: PayloadRef) -> str:
    return f"{FOLDER}/{ref.segment} @ {ref.offset}+{ref.length}"
