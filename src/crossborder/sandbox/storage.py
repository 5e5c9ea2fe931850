"""The port's own memory: one SQLite file in its own folder, held by one process at a time.

Everything that arrives, what was filed, what is still to be answered and the receipts not yet picked up.
A row is committed before the sender is answered, so that a restart on the same folder remembers.
"""

from __future__ import annotations

import sqlite3
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crossborder.errors import SettingsError

Row = sqlite3.Row

_TABLES = """
CREATE TABLE IF NOT EXISTS messages (
  n INTEGER PRIMARY KEY, endpoint TEXT NOT NULL, door TEXT NOT NULL, message_id TEXT NOT NULL,
  message_type TEXT NOT NULL, sender TEXT NOT NULL, op_type TEXT NOT NULL, master TEXT NOT NULL,
  house TEXT NOT NULL, direction TEXT NOT NULL, voyage TEXT NOT NULL, ie_date TEXT NOT NULL,
  decl_port TEXT NOT NULL, houses INTEGER NOT NULL, key TEXT NOT NULL, scope TEXT NOT NULL,
  digest TEXT NOT NULL, body BLOB NOT NULL, at REAL NOT NULL, attempt INTEGER NOT NULL,
  repeat_of INTEGER, lives INTEGER NOT NULL DEFAULT 1, path TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL DEFAULT 'received', codes TEXT NOT NULL DEFAULT '', op_time TEXT NOT NULL DEFAULT '',
  UNIQUE (endpoint, message_id)
) STRICT;
CREATE INDEX IF NOT EXISTS messages_key ON messages (key, lives);
CREATE INDEX IF NOT EXISTS messages_scope ON messages (scope, message_type);
CREATE TABLE IF NOT EXISTS arrivals (
  n INTEGER PRIMARY KEY, endpoint TEXT NOT NULL, door TEXT NOT NULL, at REAL NOT NULL,
  message_id TEXT NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL, outcome TEXT NOT NULL,
  reason TEXT NOT NULL, file TEXT NOT NULL, settled INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS arrivals_id ON arrivals (endpoint, message_id);
CREATE INDEX IF NOT EXISTS arrivals_open ON arrivals (endpoint, file) WHERE settled = 0;
CREATE TABLE IF NOT EXISTS schedule (
  n INTEGER PRIMARY KEY, due REAL NOT NULL, message INTEGER NOT NULL, step INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS schedule_due ON schedule (due, n);
CREATE TABLE IF NOT EXISTS receipts (
  n INTEGER PRIMARY KEY, message INTEGER NOT NULL, endpoint TEXT NOT NULL, door TEXT NOT NULL,
  name TEXT NOT NULL, body BLOB,
  at REAL NOT NULL, settled INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS receipts_open ON receipts (endpoint, door, n) WHERE settled = 0;
CREATE INDEX IF NOT EXISTS receipts_held ON receipts (message) WHERE settled = 2;
CREATE TABLE IF NOT EXISTS houses (
  n INTEGER PRIMARY KEY, message INTEGER NOT NULL, scope TEXT NOT NULL, house TEXT NOT NULL,
  ie_date TEXT NOT NULL, state TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS houses_house ON houses (house, scope);
CREATE INDEX IF NOT EXISTS houses_message ON houses (message);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
"""


class Store:
    """One connection behind one lock; safe for any number of threads of this process."""

    def __init__(self, folder: Path) -> None:
        """Open or create `sandbox.sqlite` in `folder`. Raises `SettingsError` if another process holds it."""
        place = str(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                folder / "sandbox.sqlite", timeout=2, isolation_level=None, check_same_thread=False
            )
            self._db.row_factory = sqlite3.Row
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.executescript(f"BEGIN IMMEDIATE;{_TABLES}COMMIT;")
        except (OSError, sqlite3.Error) as error:
            if hasattr(self, "_db"):
                self._db.close()
            raise SettingsError(
                f"the sandbox folder cannot be used: {error}",
                f"无法使用模拟口岸的文件夹：{error}",
                place=place,
                fix_en="choose a folder that can be written and that no other sandbox uses",
                fix_zh="请选择可写且未被其他模拟口岸占用的文件夹",
            ) from error
        self._lock = threading.RLock()

    def close(self) -> None:
        """Close the file; another process may open it."""
        with self._lock:
            self._db.close()

    @contextmanager
    def work(self) -> Iterator[Store]:
        """One transaction: all of it or nothing."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def all(self, sql: str, *values: Any) -> list[Row]:
        """All rows of a query."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def one(self, sql: str, *values: Any) -> Row | None:
        """The first row of a query, or None."""
        with self._lock:
            row: Row | None = self._db.execute(sql, values).fetchone()
            return row

    def run(self, sql: str, *values: Any) -> int:
        """One statement; the number of the row it inserted, if it did."""
        with self._lock:
            return self._db.execute(sql, values).lastrowid or 0

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """One statement for many rows."""
        with self._lock:
            self._db.executemany(sql, rows)

    def next_number(self, counter: str) -> int:
        """The next number of a counter, from 1; survives a restart."""
        row = self.one(
            "INSERT INTO counters (name, value) VALUES (?, 1)"
            " ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
            counter,
        )
        return int(row["value"]) if row is not None else 0


def packed(body: bytes) -> bytes:
    """The bytes as they lie in the file."""
    return zlib.compress(body, 1)


def unpacked(stored: bytes) -> bytes:
    """The bytes as they arrived."""
    return zlib.decompress(stored)
