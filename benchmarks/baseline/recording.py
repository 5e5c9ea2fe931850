"""A file to a ledger: check, compose, digest, record, in plain Python and SQLite.

The rows are those that the engine records, in tables of the same definition, with the same pragmas, `executemany` and
the same transaction sizes; the bytes of each block are flushed to the disk before its rows are committed.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

from benchmarks.baseline import documents, marks
from benchmarks.baseline.checking import IDENTITY, Desk, Judged, check
from benchmarks.baseline.rules import Key
from benchmarks.baseline.spec import Shipment
from crossborder import schema

SHIPMENT = (
    "id", "batch_id", "position", "key", "master_waybill", "house_waybill", "house_key", "shown_as", "direction",
    "declaration_class", "rows", "row_count", "outcome", "content_digest", "attempt_id",
)  # fmt: skip
ATTEMPT = (
    "id", "kind", "message_type", "key", "number", "live", "batch_id", "endpoint", "master_waybill", "house_waybill",
    "voyage", "direction", "content_digest", "state", "stage", "state_since", "ready", "draft_segment", "draft_offset",
    "draft_length", "draft_digest", "sends", "released", "final",
)  # fmt: skip
MARKS = ("batch_id", "first", "first_day", "last_day", "kept_from", "shipments", "body")
SEGMENT = "000001.seg"
LOOK_UP = "look-up"
"""Under what a ledger keeps the key of its hashes."""


@dataclass(frozen=True)
class Book:
    """Where the baseline records: an empty ledger's database and a payload file beside it."""

    database: Path
    payload: Path
    endpoints: dict[str, str]
    block: int
    at: str
    day: str


def prepare(path: Path, at: Desk, book: Book) -> int:
    """Check the file, record every shipment, compose and record what is valid; how many documents."""
    judged = check(path, at)
    book.payload.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(book.database, isolation_level=None)
    try:
        for pragma in (
            "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536", "temp_store=MEMORY",
            "wal_autocheckpoint=10000",
        ):  # fmt: skip
            connection.execute(f"PRAGMA {pragma}")
        return _Recording(connection, book, at).all(path, judged)
    finally:
        connection.close()


class _Recording:
    def __init__(self, connection: sqlite3.Connection, book: Book, at: Desk) -> None:
        self.connection, self.book, self.at = connection, book, at
        self.batch = f"{book.day}-01"
        self.marker = marks.Marker(self._look_up_key(), at.facts)
        self.attempts = 0
        self.written = 0

    def all(self, path: Path, judged: Sequence[Judged]) -> int:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        self.connection.execute("BEGIN IMMEDIATE")
        self._insert(
            "batches",
            ("id", "day", "state", "recorder", "source_name", "source_digest", "mapping", "profile", "rows", "recorded",
             "counts", "created_at"),
            [(self.batch, self.book.day, "recording", "baseline", path.name, digest, "elements", "demo", 0, 0, "{}",
              self.book.at)],
        )  # fmt: skip
        self._event("begun")
        self.connection.execute("COMMIT")
        for first in range(0, len(judged), self.book.block):
            self._block(first, judged[first : first + self.book.block])
        self._manifests(judged)
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.execute(
            "UPDATE batches SET state = 'sealed', recorder = NULL, rows = ? WHERE id = ?",
            (sum(len(one.ship["rows"]) for one in judged), self.batch),
        )
        self.connection.execute(
            "UPDATE marks SET sealed = (SELECT coalesce(max(sealed), 0) + 1 FROM marks) WHERE batch_id = ?",
            (self.batch,),
        )
        self._event("sealed")
        self.connection.execute("COMMIT")
        return self.attempts

    def _block(self, first: int, block: Sequence[Judged]) -> None:
        shipments, attempts = [], []
        bodies: list[bytes] = []
        for position, one in enumerate(block, first):
            ship, key = one.ship, _written(one.key)
            master, house, direction = ship["BillNo"], ship["AssBillNo"], ship["IEFlag"]
            digest, attempt, verdict = _digest(ship), None, one.found.verdict
            if verdict == "valid" and one.tree is not None:
                body = documents.written(one.tree)
                attempt = self.attempts + len(bodies) + 1
                attempts.append(
                    self._attempt(
                        attempt, "declaration", "EXP301", key, ship["DeclPort"], master, house, ship["VoyageNo"],
                        direction, digest, body,
                    )
                )  # fmt: skip
                bodies.append(body)
            shipments.append(
                (position + 1, self.batch, position, key, master, house, one.key[1],
                 house or f"#{ship['rows'][0]}", direction, ship["EntryType"], _ranges(ship["rows"]), len(ship["rows"]),
                 "prepared" if verdict == "valid" else verdict, digest, attempt)
            )  # fmt: skip
        self._write(bodies)
        self.connection.execute("BEGIN IMMEDIATE")
        self._insert("attempts", ATTEMPT, attempts)
        self._insert("shipments", SHIPMENT, shipments)
        self._marks(first, block)
        self.connection.execute(
            "UPDATE batches SET recorded = ? WHERE id = ?", (first + len(block), self.batch)
        )
        self._event("recorded")
        self.connection.execute("COMMIT")
        self.attempts += len(bodies)

    def _marks(self, first: int, block: Sequence[Judged]) -> None:
        made = self.marker.of((position, one.ship) for position, one in enumerate(block, first))
        if made:
            earliest, latest = marks.days(made)
            kept = max(latest, self.book.day)
            row = (self.batch, first, earliest, latest, kept, len(made), marks.packed(made))
            self._insert("marks", MARKS, [row])

    def _look_up_key(self) -> bytes:
        """The key of the ledger's hashes, made where it has none."""
        query = "SELECT wrapped FROM data_keys WHERE scope = ? AND key_name = ''"
        row = self.connection.execute(query, (LOOK_UP,)).fetchone()
        if row is not None:
            return bytes(row[0])
        key = os.urandom(32)
        columns = ("scope", "key_name", "wrapped", "made_at")
        self._insert("data_keys", columns, [(LOOK_UP, "", key, self.book.at)])
        return key

    def _manifests(self, judged: Sequence[Judged]) -> None:
        groups: dict[tuple[str, str, str], list[Judged]] = {}
        for one in judged:
            ship = one.ship
            groups.setdefault((ship["BillNo"], ship["VoyageNo"], ship["IEFlag"]), []).append(one)
        judge = schema.validator("EXP311", "written")
        attempts, houses = [], []
        bodies: list[bytes] = []
        for (master, voyage, direction), own in groups.items():
            tree = documents.manifest([one.ship for one in own], IDENTITY, self.at.sender)
            if not judge.validate(tree):
                raise ValueError(f"the manifest of {master} is not valid: {judge.error_log}")
            body = documents.written(tree)
            number = self.attempts + len(bodies) + 1
            key = f"{own[0].key[0]}|{voyage.upper()}|{direction}|1"
            port = own[0].ship["DeclPort"]
            attempts.append(
                self._attempt(
                    number,
                    "manifest",
                    "EXP311",
                    key,
                    port,
                    master,
                    None,
                    voyage,
                    direction,
                    _content(tree),
                    body,
                )
            )
            bodies.append(body)
            houses += [(number, _written(one.key), one.ship["AssBillNo"], "listed") for one in own]
        self._write(bodies)
        self.connection.execute("BEGIN IMMEDIATE")
        self._insert("attempts", ATTEMPT, attempts)
        self._insert(
            "manifest_houses", ("attempt_id", "declaration_key", "house_waybill", "state"), houses
        )
        self._event("recorded")
        self.connection.execute("COMMIT")
        self.attempts += len(bodies)

    def _attempt(
        self, number: int, kind: str, message: str, key: str, port: str, master: str, house: str | None, voyage: str,
        direction: str, content: str, body: bytes,
    ) -> tuple[Any, ...]:  # fmt: skip
        offset = self.written
        self.written += len(body)
        return (
            number, kind, message, key, 1, 1, self.batch, self.book.endpoints[port[:2]], master, house, voyage, direction,
            content, "prepared", "ours", self.book.at, 0, SEGMENT, offset, len(body), hashlib.sha256(body).hexdigest(),
            0, 0, 0,
        )  # fmt: skip

    def _write(self, bodies: Sequence[bytes]) -> None:
        with self.book.payload.open("ab", buffering=0) as file:
            file.write(b"".join(bodies))
            os.fsync(file.fileno())

    def _insert(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        marks = ", ".join("?" * len(columns))
        self.connection.executemany(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows
        )

    def _event(self, verb: str) -> None:
        self._insert(
            "events", ("at", "who", "verb", "batch_id", "detail"), [(self.book.at, "baseline", verb, self.batch, "{}")]
        )  # fmt: skip


def _written(key: Key) -> str:
    """A business key as a ledger keeps it: `MASTER|HOUSE|I`."""
    return "|".join(part or "" for part in key)


def _digest(ship: Shipment) -> str:
    """SHA-256 of everything that was declared."""
    parts = [
        v or "" for k, v in ship.items() if k not in ("lines", "docs", "rows", "broken", "DDate")
    ]
    for row in (*ship["lines"], *ship["docs"]):
        parts += [v or "" for v in row.values()]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def _content(tree: etree._Element) -> str:
    found = tree.find("DataInfo/SignedData/Data")
    return hashlib.sha256(b"" if found is None else etree.tostring(found)).hexdigest()


def _ranges(rows: Sequence[int]) -> str:
    """`[5, 6, 7]` → `5-7`; rows of one shipment stand together here."""
    return str(rows[0]) if len(rows) == 1 else f"{rows[0]}-{rows[-1]}"
