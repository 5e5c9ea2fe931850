"""Run by test_crash: dies (`os._exit`) at every point in turn, in forks of its own, and tells how it went on.

Usage: crash_child.py FOLDER plain|sealed [SERVER]. Prints one JSON line per point: what stood after the crash, and after
going on. SERVER: a PostgreSQL server with the template of `tests.postgres`; without it the ledger lies in a file.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from desk import NOW, claim, declaration, key, manifest, queue, shipment, source
from sqlalchemy.engine import make_url
from tests.postgres import Server

from crossborder.ledger import KeyRing, Ledger, Sent
from crossborder.ledger.sealing import OVERHEAD
from crossborder.settings import LedgerSettings

COUNT, BLOCK = 5, 3
SEALED = sys.argv[2] == "sealed"
SERVER = Server(make_url(sys.argv[3])) if sys.argv[3:] else None
URLS: dict[Path, str] = {}
"""Homes whose ledger is on the server."""


def opened(home: Path, checkpoint: Callable[[str], None] = lambda _: None) -> Ledger:
    """The ledger; the first that opens it encrypted makes the key file."""
    ring = KeyRing.of(LedgerSettings(), home) if SEALED else None
    return Ledger.open(home, url=URLS.get(home), checkpoint=checkpoint, ring=ring)


def stored(home: Path) -> int:
    """How many bytes of documents there are, whoever they belong to."""
    if SERVER is None:
        return sum(p.stat().st_size for p in (home / "payload").glob("*.seg"))
    return int(SERVER.ask(URLS[home], "SELECT coalesce(sum(length(body)), 0) FROM payload"))


def fresh(folder: Path, at: int) -> Path:
    """A home with an empty ledger."""
    home = folder / str(at)
    if SERVER is None:
        shutil.copytree(folder / "empty", home)
    else:
        home.mkdir()
        URLS[home] = SERVER.database()
        SERVER.close()  # no session of ours goes into a fork
    return home


def left(home: Path) -> None:
    """Return when the server, if there is one, has noticed that whoever worked on this ledger is dead."""
    if SERVER is None:
        return
    until = time.monotonic() + 60
    sql = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{make_url(URLS[home]).database}'"
    while SERVER.ask(SERVER.address, sql):
        assert time.monotonic() < until, "a dead process still has a session"
        time.sleep(0.01)


def work(ledger: Ledger) -> None:
    """Hand in, let go, freeze, claim, record; goes on wherever an earlier run stopped."""
    ledger.recover(NOW, f"{ledger.owner}/w")
    done = [b for b in ledger.batches() if b.state == "sealed"]
    batch = done[0] if done else ledger.begin_batch(source(), NOW)
    for start in range(batch.recorded, COUNT, BLOCK):
        numbers = range(start, min(start + BLOCK, COUNT))
        rows = [shipment(n) for n in numbers]
        ledger.record_block(batch.id, rows, [declaration(n) for n in numbers], [], [], NOW)
    if not done:
        ledger.record_block(batch.id, [], [manifest(range(COUNT))], [], [], NOW)
        ledger.seal(batch.id, {"prepared": COUNT}, NOW, rows=2 * COUNT)
    ledger.release([batch.id], "tester", NOW, {"hangzhou": False})
    queue(ledger)
    claimed = claim(ledger)
    ledger.record_outcomes([Sent(o.attempt_id, "received") for o in claimed], NOW, f"{ledger.owner}/w")  # fmt: skip


def dying(at: int) -> Callable[[str], None]:
    """A checkpoint that kills the process the `at`-th time it is passed."""
    passed = 0

    def checkpoint(_name: str) -> None:
        nonlocal passed
        passed += 1
        if passed == at:
            os._exit(9)

    return checkpoint


def seen(home: Path) -> dict[str, Any]:
    with opened(home) as ledger:
        attempts = ledger.attempts_in()
        refs = [a.draft for a in attempts] + [a.frozen for a in attempts if a.frozen]
        return {
            "batches": [(b.id, b.state, b.recorded) for b in ledger.batches()],
            "positions": [s.position for b in ledger.batches() for s in ledger.shipments_in(b.id)],
            "attempts": {a.key: a.number for a in attempts},
            "rows": len(attempts),
            "states": sorted({a.state for a in attempts}),
            "frozen": {a.key: (a.message_id, a.digest) for a in attempts if a.frozen},
            "bytes": all(ledger.peek(ref) for ref in refs),
            "drafts": all(
                ledger.peek(a.draft) == declaration(n).body
                for n in range(COUNT)
                for a in attempts
                if a.key == key(n)
            ),
            "loose": stored(home) - sum(ref.length + OVERHEAD * SEALED for ref in refs),
            "keys": sum(ledger.ring().keys.values()),
        }


def main(folder: Path) -> None:
    if SERVER is None:
        Ledger.open(folder / "empty").close()
    for at in range(1, 1000):
        home = fresh(folder, at)
        pid = os.fork()
        if pid == 0:
            with opened(home, dying(at)) as ledger:
                work(ledger)
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        left(home)
        after = seen(home)
        with opened(home) as ledger:
            work(ledger)
        sys.stdout.write(
            json.dumps({"at": at, "code": code, "after": after, "end": seen(home)}) + "\n"
        )
        if SERVER is not None:
            SERVER.give_back(URLS[home])
        if code == 0:
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]))
