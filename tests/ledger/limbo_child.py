"""Run by test_limbo: `limbo_child.py HOME`. A process dies in the middle of a commit of SQLite, then others come.

A commit is in the write-ahead log before the shared index says so. Whoever dies in between leaves it in limbo: the next one
does not see it, and when the log is read anew, after everybody has died, it may be there after all.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from desk import NOW, declaration, shipment, source

from crossborder.ledger import Ledger


def process(work: Callable[[], None]) -> None:
    """Do it in a process that is killed afterwards: nothing is closed."""
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9


def main(home: Path) -> None:
    index = home / "ledger.sqlite3-shm"
    Ledger.open(home).close()

    def dies_while_it_commits() -> None:
        with Ledger.open(home) as ledger:
            batch = ledger.begin_batch(source(), NOW).id
            ledger.record_block(batch, [shipment(0)], [declaration(0)], [], [], NOW)
            before = index.read_bytes()
            ledger.record_block(batch, [shipment(1)], [declaration(1)], [], [], NOW)
            with index.open("r+b") as file:  # the log has it, the index does not say so yet
                file.write(before)
            process(comes_next)
            os._exit(9)  # only now: while it lives the index stays

    def comes_next() -> None:
        ledger = Ledger.open(home)
        assert len(ledger.attempts_in()) == 1, "what is in limbo is seen"
        os._exit(9)

    process(dies_while_it_commits)
    with Ledger.open(home) as ledger:
        attempts = ledger.attempts_in()
        whole = []
        for attempt in attempts:
            try:
                whole.append(bool(ledger.peek(attempt.draft)))
            except Exception as error:
                whole.append(type(error).__name__)
        loose = sum(p.stat().st_size for p in (home / "payload").glob("*.seg"))
        loose -= sum(a.draft.length for a in attempts)
        sys.stdout.write(json.dumps({"attempts": len(attempts), "whole": whole, "loose": loose}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
