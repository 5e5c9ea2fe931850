"""What every part of the ledger stands on: transactions, events, reserved numbers, facts."""

from __future__ import annotations

import contextlib
import functools
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, ProgrammingError

from crossborder import china_time
from crossborder.errors import LedgerError
from crossborder.ledger import chain, database, dialects, tables
from crossborder.ledger.datakeys import DataKeys
from crossborder.ledger.keyring import KeyRing
from crossborder.ledger.owners import open_owners
from crossborder.ledger.payloads import open_payloads

EventRow = chain.EventRow
_OUR_FAULT = (IntegrityError, ProgrammingError, DataError)
"""What the database refuses because of us; everything else is the disk's or the file's fault, and told as such."""

_TRIES = 3


class Base:
    """Connections, transactions and the small shared tables."""

    def __init__(
        self,
        home: Path,
        engine: Engine,
        checkpoint: Callable[[str], None] = lambda _: None,
        ring: KeyRing | None = None,
    ) -> None:
        self.home = home
        self._engine = engine
        self._checkpoint = checkpoint
        self._reading = dialects.reading(engine)
        self._glancing = dialects.glancing(engine)
        self._owners = open_owners(home, engine)
        self._keys = DataKeys(engine, ring, checkpoint)
        self._payloads = open_payloads(home, engine, checkpoint, self._keys)
        self._recording: set[str] = set()
        self._at_hand: dict[int, tuple[str, str, bytes]] = {}
        self._guard = threading.Lock()

    @property
    def owner(self) -> str:
        """This process's name for leases; a worker appends `/` and its own part."""
        return self._owners.name

    @contextmanager
    def write(self, hold: str = dialects.EVERYTHING) -> Iterator[Connection]:
        """One transaction that holds the write lock from its beginning; committed at the end, or nothing is.

        `hold` says whom it excludes where several may write at once (PostgreSQL): see `ledger.postgres`. On SQLite it
        always excludes all. Raises `LedgerError` if the database is locked for too long, full or cannot be written.
        """
        try:
            with database.write_connection(self._engine, hold) as connection, connection.begin():
                with chain.kept(connection):
                    yield connection
                self._checkpoint("rows:written")
        except _OUR_FAULT:
            raise
        except DatabaseError as error:
            raise database.unusable(self.home, self._engine, error) from error
        self._checkpoint("rows:committed")

    def read(self) -> AbstractContextManager[Connection]:
        """One transaction that sees a single moment and changes nothing."""
        return self._look(self._reading)

    def glance(self) -> AbstractContextManager[Connection]:
        """A connection for one statement that changes nothing; quicker than `read` where others may write at once."""
        return self._look(self._glancing)

    @contextmanager
    def _look(self, engine: Engine) -> Iterator[Connection]:
        try:
            with engine.connect() as connection, connection.begin():
                yield connection
        except _OUR_FAULT:
            raise
        except DatabaseError as error:
            raise database.unusable(self.home, self._engine, error) from error

    def get_fact(self, name: str) -> str | None:
        """The value kept under a name, if any."""
        with self.read() as connection:
            return connection.execute(
                select(tables.facts.c.value).where(tables.facts.c.name == name)
            ).scalar()

    def set_fact(self, name: str, value: str) -> str:
        """Keep a value under a name for ever; answers what is kept, which is the first value ever given."""
        with self.write() as connection:
            present = connection.execute(
                select(tables.facts.c.value).where(tables.facts.c.name == name)
            ).scalar()
            if present is None:
                connection.execute(tables.facts.insert().values(name=name, value=value))
            return str(value if present is None else present)

    def require_kind(self, kind: str) -> None:
        """Bind this ledger to one kind of endpoint, `sandbox` or `live`, the first time it files.

        Raises `LedgerError` if it has filed to the other kind before (promise P12).
        """
        kept = self.set_fact("endpoint_kind", kind)
        if kept != kind:
            raise LedgerError(
                f"this ledger has filed to {kept} endpoints and refuses {kind} ones",
                f"该台账已用于 {kept} 端点，不能再用于 {kind} 端点",
                place=str(self.home),
                fix_en="use another home folder",
                fix_zh="请改用其他数据目录",
            )

    def reserve_serials(self, count: int, name: str = "message") -> range:
        """`count` numbers that were never given before and never will be again (from 1)."""
        with self.write(dialects.NOTHING) as connection:
            return dialects.reserve(connection, name, count)

    def _reserve(self, connection: Connection, name: str, count: int) -> range:
        return dialects.reserve(connection, name, count)

    def lookup_key(self) -> bytes:
        """The key of this ledger's keyed hashes: the same 32 bytes for ever, wherever the ring has turned to.

        With it personal values (identity numbers, telephones) are compared without being kept: see `ledger.lookup_hashes`.
        """
        with self.read() as connection:
            key = self._keys.look_up(connection, make=False)
        if key is None:
            with self.write() as connection:
                key = self._keys.look_up(connection, make=True)
        assert key is not None  # made, or there already
        return key

    def _record(self, connection: Connection, events: Sequence[EventRow]) -> None:
        """Events, chained to those before (`ledger.chain`); from here on nobody else adds any before the transaction ends.

        What else the transaction changes must be locked before, or excluded by what it holds.
        """
        chain.record(connection, events)


_P = ParamSpec("_P")
_T = TypeVar("_T")


def again_if_busy(method: Callable[_P, _T]) -> Callable[_P, _T]:
    """A method that is one transaction and nothing else, done again when it met others at a bad moment (`LedgerBusy`)."""

    @functools.wraps(method)
    def patiently(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        for _ in range(_TRIES - 1):
            with contextlib.suppress(database.LedgerBusy):
                return method(*args, **kwargs)
        return method(*args, **kwargs)

    return patiently


def event(
    now: datetime | str,
    who: str,
    verb: str,
    *,
    batch_id: str | None = None,
    attempt_id: int | None = None,
    from_state: str | None = None,
    to_state: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> EventRow:
    """A row of `events`; `detail` must hold no personal data."""
    at = now if isinstance(now, str) else china_time.iso(now)
    return (at, who, verb, batch_id, attempt_id, from_state, to_state, to_json(detail or {}))


def to_json(value: Mapping[str, Any]) -> str:
    """Compact JSON, keys sorted."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def with_attention(present: str | None, *reasons: str) -> str | None:
    """Attention texts as one sorted, comma-separated text without repetition."""
    found = {*(present.split(",") if present else ()), *reasons}
    return ",".join(sorted(found)) or None


def without_attention(present: str | None, reason: str) -> str | None:
    """The same without one reason."""
    return ",".join(r for r in (present.split(",") if present else ()) if r != reason) or None
