"""Run by test_accept_crash: `accept_child.py HOME BATCH RULE AT`. Accepts a rule and dies at the AT-th point (0: never).

Prints how many points were passed if it lives to the end.
"""

from __future__ import annotations

import sys
from pathlib import Path

from crash_child import Dying, DyingLedger
from crash_settings import SETTINGS

from crossborder.engine import Engine
from crossborder.engine import engine as module


def main(home: Path, batch: str, rule: str, at: int) -> None:
    """Accept, perhaps to the end."""
    module.Ledger = DyingLedger  # type: ignore[misc, assignment]  # the crash is planted here
    DyingLedger.dying = Dying(0)
    with Engine(SETTINGS, home=home) as engine:
        engine.ledger.batch(batch)
        DyingLedger.dying.at, DyingLedger.dying.passed = at, 0
        engine.accept(rule, batch, reason="seen", who="Li")
    sys.stdout.write(f"{DyingLedger.dying.passed}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
