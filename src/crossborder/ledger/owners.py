"""Who is alive: a ledger that holds something keeps a lock that the system frees when the process dies.

On SQLite, whose users are processes of one machine, a locked file; on PostgreSQL, whose users may be on other hosts, a
lock of the database that belongs to a session. A process that loses its session while it lives counts as dead from then
on: what it holds may be taken from it, which it notices when it asks whether it still holds it, as after a lease.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import threading
import uuid
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from crossborder.ledger.dialects import glancing, is_shared
from crossborder.ledger.postgres import owner_number

FOLDER = "owners"
_OURS = re.compile(r"[0-9A-Za-z-]+-[0-9]+-[0-9a-f]{8}")


class Owners(Protocol):
    """This process's name in the ledger, and whether other names belong to living processes."""

    @property
    def name(self) -> str:
        """This process's name."""

    def appear(self) -> None:
        """From now on this process may hold things under its name."""

    def alive(self, owner: str) -> bool | None:
        """Whether the process behind `owner` (`name` or `name/part`) lives; None if that cannot be known."""

    def forget_dead(self) -> None:
        """Remove the traces of dead processes, which must hold nothing any more."""

    def close(self) -> None:
        """Give the name up; from now on it counts as dead."""


def open_owners(home: Path, engine: Engine) -> Owners:
    """Who is alive among the users of a ledger."""
    return SessionOwners(engine) if is_shared(engine.dialect) else FileOwners(home)


def _new_name() -> str:
    host = re.sub(r"[^0-9A-Za-z]+", "-", socket.gethostname())[:32] or "host"
    return f"{host}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


class FileOwners:
    """Processes of one machine: each keeps a locked file."""

    def __init__(self, home: Path) -> None:
        self.name = _new_name()
        self._folder = home / FOLDER
        self._guard = threading.Lock()
        self._lock = FileLock(str(self._folder / f"{self.name}.lock"), thread_local=False)

    def appear(self) -> None:
        """See `Owners`."""
        with self._guard:
            if not self._lock.is_locked:
                self._folder.mkdir(exist_ok=True)
                self._lock.acquire(timeout=10)

    def alive(self, owner: str) -> bool | None:
        """See `Owners`; None if it left no file."""
        name = owner.split("/", 1)[0]
        if name == self.name:
            return True
        path = self._folder / f"{name}.lock"
        if not re.fullmatch(r"[0-9A-Za-z-]+", name) or not path.exists():
            return None
        lock = FileLock(str(path))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        lock.release()
        return False

    def forget_dead(self) -> None:
        """See `Owners`: the files of dead processes."""
        for path in self._folder.glob("*.lock"):
            if path.name == f"{self.name}.lock":
                continue
            lock = FileLock(str(path))
            with contextlib.suppress(Timeout, OSError), lock.acquire(timeout=0):
                path.unlink()

    def close(self) -> None:
        """See `Owners`."""
        self._lock.release()


class SessionOwners:
    """Processes of any host: each keeps a session that holds the lock of its name."""

    def __init__(self, engine: Engine) -> None:
        self.name = _new_name()
        self._engine = glancing(engine)
        self._guard = threading.Lock()
        self._session: Connection | None = None

    def appear(self) -> None:
        """See `Owners`. If the session was lost, another takes its place."""
        with self._guard:
            if self._session is not None and not self._answers(self._session):
                self._end()
            if self._session is None:
                session = self._engine.connect()
                session.detach()
                session.execute(select(func.pg_advisory_lock(owner_number(self.name))))
                self._session = session

    def alive(self, owner: str) -> bool | None:
        """See `Owners`; None for a name that no process can have."""
        name = owner.split("/", 1)[0]
        if name == self.name:
            return True
        if not _OURS.fullmatch(name):
            return None
        free = select(func.pg_try_advisory_xact_lock_shared(owner_number(name)))
        with self._engine.connect() as connection:
            return not connection.execute(free).scalar_one()

    def forget_dead(self) -> None:
        """The database keeps no trace of them."""

    def close(self) -> None:
        """See `Owners`."""
        with self._guard:
            self._end()

    def _answers(self, session: Connection) -> bool:
        try:
            session.execute(select(1))
        except SQLAlchemyError:
            return False
        return True

    def _end(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with contextlib.suppress(SQLAlchemyError):  # closing alone takes the server a moment
                session.execute(select(func.pg_advisory_unlock_all()))
            with contextlib.suppress(SQLAlchemyError):
                session.close()
