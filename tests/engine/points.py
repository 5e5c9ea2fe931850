"""Run by test_crash_postgres: `python -m tests.engine.points SERVER FILE FOLDER SIZE`.

`prepare` on a PostgreSQL ledger dies at every point in turn and is then begun again, each time in a process and a database of
its own. One JSON line per point: `at`, its exit `code`, and what stands in the end: `shape`, `differences`. First the line of
a run that is left in peace, as point 0. SIZE: shipments per block, 0: the file is read in one piece.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.engine import make_url
from tests.postgres import Server
from tests.soak.process import begin, import_everything

from crossborder.engine import Engine, sources, spool
from crossborder.engine import engine as module
from crossborder.ledger import KeyRing, Ledger
from crossborder.settings import Settings

from .crash_settings import SETTINGS
from .cutting import opened


def dying(at: int) -> Callable[[str], None]:
    """A checkpoint that kills the process the `at`-th time it is passed; 0: never."""
    passed = 0

    def checkpoint(_name: str) -> None:
        nonlocal passed
        passed += 1
        if passed == at:
            os.kill(os.getpid(), signal.SIGKILL)

    return checkpoint


def prepare(settings: Settings, home: Path, file: Path, at: int, size: int) -> Callable[[], int]:
    """Prepare; die at the AT-th point, 0: never."""

    def work() -> int:
        if size:
            sources.open_blocks = opened(size)  # type: ignore[assignment]  # the hand-in is cut here
            spool.LOT, spool.MEMORY = 4, 0
        checkpoint = dying(at)

        class DyingLedger(Ledger):
            """A ledger whose checkpoint kills."""

            @classmethod
            def open(cls, home: Path, *, url: str | None, ring: KeyRing | None) -> Ledger:  # type: ignore[override]  # as the engine names them
                """Open it."""
                return Ledger.open(home, url=url, checkpoint=checkpoint, ring=ring)

        module.Ledger = DyingLedger  # type: ignore[misc]  # the crash is planted here
        with Engine(settings, home=home) as engine:
            engine.prepare(file, mapping="elements")
        return 0

    return work


def look(settings: Settings, home: Path) -> Callable[[], int]:
    """What stands, as a line of JSON."""

    def work() -> int:
        from .test_crash import shape  # what it imports composes a sample, which starts threads

        with Engine(settings, home=home) as engine:
            differences = [
                str(found) for found in engine.reconcile(ask_endpoints=False).differences
            ]
            sys.stdout.write(
                json.dumps({"shape": shape(engine), "differences": differences}) + "\n"
            )
        return 0

    return work


def main(server: Server, file: Path, folder: Path, size: int) -> None:
    """Point after point, until one is not reached."""
    import_everything()
    at, code = 0, 9
    while code or at < 2:
        home, url = folder / str(at), server.database()
        server.close()  # no session of ours goes into a fork
        home.mkdir(parents=True)
        ledger = SETTINGS.ledger.model_copy(update={"url": url})
        settings = SETTINGS.model_copy(update={"ledger": ledger})
        code = begin("prepare", prepare(settings, home, file, at, size), home / "dies").wait()
        _wait_for_the_dead(server, url)
        if code:
            again = begin("prepare", prepare(settings, home, file, 0, size), home / "lives")
            assert again.wait() == 0, again.said()
        looking = begin("look", look(settings, home), home / "seen")
        assert looking.wait() == 0, looking.said()
        seen = json.loads(looking.said())
        sys.stdout.write(json.dumps({"at": at, "code": code, **seen}) + "\n")
        server.give_back(url)
        at += 1


def _wait_for_the_dead(server: Server, url: str) -> None:
    """Return when the server has noticed that its client is dead."""
    until = time.monotonic() + 60
    name = make_url(url).database
    sql = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'"
    while server.ask(server.address, sql):
        assert time.monotonic() < until, "a dead process still has a session"
        time.sleep(0.01)


if __name__ == "__main__":
    main(Server(make_url(sys.argv[1])), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
