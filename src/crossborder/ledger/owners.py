"""Who is alive: a ledger that holds something keeps a locked file, which the system frees when the process dies."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import threading
import uuid
from pathlib import Path

from filelock import FileLock, Timeout

FOLDER = "owners"


class Owners:
    """This process's name in the ledger, and whether other names belong to living processes of this machine."""

    def __init__(self, home: Path) -> None:
        host = re.sub(r"[^0-9A-Za-z]+", "-", socket.gethostname())[:32] or "host"
        self.name = f"{host}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._folder = home / FOLDER
        self._guard = threading.Lock()
        self._lock = FileLock(str(self._folder / f"{self.name}.lock"), thread_local=False)

    def appear(self) -> None:
        """From now on this process may hold things under its name."""
        with self._guard:
            if not self._lock.is_locked:
                self._folder.mkdir(exist_ok=True)
                self._lock.acquire(timeout=10)

    def alive(self, owner: str) -> bool | None:
        """Whether the process behind `owner` (`name` or `name/part`) lives; None if it left no trace."""
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
        """Remove the files of dead processes, which must hold nothing any more."""
        for path in self._folder.glob("*.lock"):
            if path.name == f"{self.name}.lock":
                continue
            lock = FileLock(str(path))
            with contextlib.suppress(Timeout, OSError), lock.acquire(timeout=0):
                path.unlink()

    def close(self) -> None:
        """Give the name up; from now on it counts as dead."""
        self._lock.release()
