"""Run by test_crash: `crash_child.py HOME FILE AT SIZE`. Prepares a file and dies (`os._exit`) at the AT-th point.

Prints the batch and the number of points passed if it lives to the end. AT 0: never dies. Blocks are small, so that
a crash falls between them; with a SIZE the file is read in blocks of so many shipments, and manifests come in lots.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from crash_settings import SETTINGS
from cutting import opened

from crossborder.engine import Engine, sources, spool
from crossborder.engine import engine as module
from crossborder.ledger import KeyRing, Ledger


class Dying:
    """A checkpoint that ends the process the `at`-th time it is passed."""

    def __init__(self, at: int) -> None:
        self.at, self.passed = at, 0

    def __call__(self, _name: str) -> None:
        """One point."""
        self.passed += 1
        if self.passed == self.at:
            os._exit(9)


class DyingLedger(Ledger):
    """A ledger whose checkpoint is set from outside."""

    dying: Dying

    @classmethod
    def open(cls, home: Path, *, ring: KeyRing | None = None, **_: object) -> Ledger:  # type: ignore[override]  # the engine names these only
        """Open with the checkpoint that kills."""
        return Ledger.open(home, checkpoint=cls.dying, ring=ring)


def main(home: Path, file: Path, at: int, size: int) -> None:
    """Prepare, perhaps to the end."""
    if size:
        sources.open_blocks = opened(size)  # type: ignore[assignment]  # the hand-in is cut here
        spool.LOT, spool.MEMORY = 4, 0
    DyingLedger.dying = Dying(at)
    module.Ledger = DyingLedger  # type: ignore[misc, assignment]  # the crash is planted here
    with Engine(SETTINGS, home=home) as engine:
        done = engine.prepare(file, mapping="elements")
    sys.stdout.write(f"{done.batch} {DyingLedger.dying.passed}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
