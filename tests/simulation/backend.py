"""Where the ledger of a run lies: in a file, or on a PostgreSQL server."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Dialect, create_engine, event, text
from tests.postgres import Server

from crossborder.ledger import KeyRing, Ledger, PayloadRef
from crossborder.settings import LedgerSettings

from .disk import Disk


class Store(Protocol):
    """What lies below the payload store."""

    def watched(self) -> AbstractContextManager[None]:
        """Within, it is known what is lasting."""

    def rot(self, ref: PayloadRef, at: int) -> None:
        """One byte changes, the `at`-th of a document, if it is there at all."""


class Backend(Protocol):
    """An empty ledger to begin with, and how several processes open it."""

    def begin(self, home: Path) -> None:
        """An empty ledger in a new home folder, quickly."""

    def open(self, checkpoint: Callable[[str], None]) -> Ledger:
        """A process opens the ledger of the home that was begun last."""

    def crash(self) -> None:
        """What was not flushed to the disk is gone."""

    @property
    def disk(self) -> Store:
        """The payload store's disk."""


Compiled = tuple[Dialect, Any]
"""A dialect, and the statements that are compiled for it."""


def _shared(ledger: Ledger, compiled: Compiled | None) -> Compiled:
    """Have a ledger use the statements that an earlier one has compiled; those, or its own if there was none."""
    own = ledger._engine
    compiled = compiled or (own.dialect, own._compiled_cache)
    for engine in (own, ledger._reading, ledger._glancing):
        engine.dialect, engine._compiled_cache = compiled
    return compiled


class Sqlite:
    """A ledger in a file. What is committed is on the disk, what is not is gone: SQLite is trusted with that, so its
    own flushing is off, and a run costs no waiting. Statements that one run has compiled serve the next."""

    _compiled: Compiled | None = None

    def __init__(self, template: Path, *, sealed: bool = False) -> None:
        self._template = template
        self._home = template
        self._disk = Disk(template)
        self._sealed = sealed
        if not template.exists():
            Ledger.open(template, ring=self._ring()).close()

    def _ring(self) -> KeyRing | None:
        """The key file of the home, where the ledger is encrypted."""
        return KeyRing.of(LedgerSettings(), self._home) if self._sealed else None

    @property
    def disk(self) -> Disk:
        return self._disk

    def begin(self, home: Path) -> None:
        shutil.copytree(self._template, home)
        self._home, self._disk = home, Disk(home)

    def open(self, checkpoint: Callable[[str], None]) -> Ledger:
        ledger = Ledger.open(self._home, checkpoint=checkpoint, ring=self._ring())
        engine = ledger._engine
        engine.dispose()
        event.listen(engine, "connect", _unflushed)
        self._compiled = _shared(ledger, self._compiled)
        return ledger

    def crash(self) -> None:
        self._disk.crash()


def _unflushed(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=OFF").close()


class Postgres:
    """A ledger on a server. What is committed is kept, what is not is gone: PostgreSQL is trusted with that."""

    _compiled: Compiled | None = None

    def __init__(self, server: Server) -> None:
        self._server = server
        self._home = Path()
        self._url = ""

    @property
    def disk(self) -> Postgres:
        return self

    def begin(self, home: Path) -> None:
        if self._url:
            self._server.give_back(self._url)
        home.mkdir()
        self._home, self._url = home, self._server.database()

    def open(self, checkpoint: Callable[[str], None]) -> Ledger:
        ledger = Ledger.open(self._home, url=self._url, checkpoint=checkpoint)
        self._compiled = _shared(ledger, self._compiled)
        return ledger

    def crash(self) -> None:
        """The server goes on; whoever died has taken its session along."""

    def watched(self) -> AbstractContextManager[None]:
        return nullcontext()

    def rot(self, ref: PayloadRef, at: int) -> None:
        rotten = text(
            "UPDATE payload SET body = set_byte(body, :at, get_byte(body, :at) # 1)"
            ' WHERE segment = :segment AND "offset" = :offset AND length(body) > :at'
        )
        engine = create_engine(self._url)
        with engine.begin() as connection:
            connection.execute(rotten, {"at": at, "segment": ref.segment, "offset": ref.offset})
        engine.dispose()
