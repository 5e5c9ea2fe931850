"""Run by test_crash: `crash_child.py HOME FILE AT`. Prepares a file and dies (`os._exit`) at the AT-th point.

Prints the batch and the number of points passed if it lives to the end. AT 0: never dies. Blocks are small, so that
a crash falls between them.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from crossborder.engine import Engine
from crossborder.engine import engine as module
from crossborder.ledger import Ledger
from crossborder.settings import Endpoint, LedgerSettings, Settings

SETTINGS = Settings(
    profile="demo",
    ledger=LedgerSettings(block=3),
    endpoints={"hangzhou": Endpoint(districts=("29",)), "ningbo": Endpoint(districts=("31",))},
)


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
    def open(cls, home: Path, **_: object) -> Ledger:  # type: ignore[override]  # the engine names the home only
        """Open with the checkpoint that kills."""
        return Ledger.open(home, checkpoint=cls.dying)


def main(home: Path, file: Path, at: int) -> None:
    """Prepare, perhaps to the end."""
    DyingLedger.dying = Dying(at)
    module.Ledger = DyingLedger  # type: ignore[misc, assignment]  # the crash is planted here
    with Engine(SETTINGS, home=home) as engine:
        done = engine.prepare(file, mapping="elements")
    sys.stdout.write(f"{done.batch} {DyingLedger.dying.passed}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
