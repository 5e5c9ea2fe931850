"""Run by test_limbo: `limbo_child.py HOME next|there`. A process dies in the middle of a commit of SQLite; another comes next,
or was there before and dies too, between the bytes that it writes and its own commit.

A commit is in the write-ahead log before the shared index says so. Whoever dies in between leaves it in limbo: the next one
does not see it, and when the log is read anew, after everybody has died, it may be there after all.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
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


def until(there: Path) -> None:
    """Wait for a sign."""
    while not there.exists():
        time.sleep(0.01)


@dataclass(frozen=True)
class Signs:
    """What processes tell each other, as files: the other one is ready; a commit is in limbo; the other one is gone."""

    ready: Path
    limbo: Path
    gone: Path


def dies_while_it_commits(home: Path, other: str, signs: Signs) -> None:
    index = home / "ledger.sqlite3-shm"
    with Ledger.open(home) as ledger:
        if other == "there":
            until(signs.ready)
        batch = ledger.begin_batch(source(), NOW).id
        ledger.record_block(batch, [shipment(0)], [declaration(0)], [], [], NOW)
        before = index.read_bytes()
        ledger.record_block(batch, [shipment(1)], [declaration(1)], [], [], NOW)
        with index.open("r+b") as file:  # the log has it, the index does not say so yet
            file.write(before)
        signs.limbo.touch()
        if other == "next":
            process(lambda: comes_next(home, signs))
        until(signs.gone)
        os._exit(9)  # only now: while it lives the index stays


def comes_next(home: Path, signs: Signs) -> None:
    ledger = Ledger.open(home)
    assert len(ledger.attempts_in()) == 1, "what is in limbo is seen"
    signs.gone.touch()


def was_there(home: Path, signs: Signs) -> None:
    def dies_before_its_commit(point: str) -> None:
        if signs.limbo.exists() and point == "payload:flushed":
            signs.gone.touch()
            os._exit(9)

    ledger = Ledger.open(home, checkpoint=dies_before_its_commit)
    batch = ledger.begin_batch(source("other.csv"), NOW).id
    signs.ready.touch()
    until(signs.limbo)
    assert len(ledger.attempts_in()) == 1, "what is in limbo is seen"
    ledger.record_block(batch, [shipment(2, 0)], [declaration(2, 0)], [], [], NOW)


def main(home: Path, other: str) -> None:
    Ledger.open(home).close()
    signs = Signs(*(home.parent / name for name in ("ready", "limbo", "gone")))
    there = os.fork() if other == "there" else None
    if there == 0:
        was_there(home, signs)
        os._exit(1)
    process(lambda: dies_while_it_commits(home, other, signs))
    if there is not None:  # as long as it lives, the index stays
        assert os.waitstatus_to_exitcode(os.waitpid(there, 0)[1]) == 9
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
    main(Path(sys.argv[1]), sys.argv[2])
