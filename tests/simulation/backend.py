"""Where the ledger of a run lies. SQLite here; another back end is one more class with the same four methods."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import event

from crossborder.ledger import KeyRing, Ledger
from crossborder.settings import LedgerSettings

from .disk import Disk


class Backend(Protocol):
    """An empty ledger to begin with, and how several processes open it."""

    def begin(self, home: Path) -> None:
        """An empty ledger in a new home folder, quickly."""

    def open(self, checkpoint: Callable[[str], None]) -> Ledger:
        """A process opens the ledger of the home that was begun last."""

    def crash(self) -> None:
        """What was not flushed to the disk is gone."""

    @property
    def disk(self) -> Disk:
        """The payload store's disk."""


class Sqlite:
    """A ledger in a file. What is committed is on the disk, what is not is gone: SQLite is trusted with that, so its
    own flushing is off, and a run costs no waiting."""

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
        ledger._engine.dispose()
        event.listen(ledger._engine, "connect", _unflushed)
        return ledger

    def crash(self) -> None:
        self._disk.crash()


def _unflushed(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=OFF").close()
