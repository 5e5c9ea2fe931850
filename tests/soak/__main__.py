"""Run seeds: `python -m tests.soak SEED [SEED…]`, `-v` for everything that happens; one JSON line for each with `--json`.

A seed draws the day, the faults and the moments of the kills. What the machine does meanwhile is not in anybody's hand: the
same seed is the same plan, not the same run.
"""

from __future__ import annotations

import argparse
import gc
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url
from tests.postgres import Server, running

from . import planted
from .plan import Plan, plan
from .process import import_everything
from .run import Done, run


def main() -> int:
    """Exit 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("seeds", nargs="+", help="a seed, or FIRST-LAST")
    parser.add_argument("-v", action="store_true", dest="lines", help="print what happens")
    parser.add_argument("--json", action="store_true", dest="as_json", help="a JSON line for each")
    parser.add_argument(
        "--keep", type=Path, help="a new folder that keeps everything, not only what went wrong"
    )
    parser.add_argument("--server", help="a PostgreSQL server with the template of tests.postgres")
    parser.add_argument("--fault", default="", choices=["", *planted.FAULTS], help="plant a fault")
    parser.add_argument("--until-wrong", action="store_true", help="end after the first wrong one")
    asked = parser.parse_args()
    seeds = [seed for word in asked.seeds for seed in _seeds(word)]
    import_everything()
    gc.freeze()
    failed = 0
    with ExitStack() as held:
        folder = asked.keep or Path(tempfile.mkdtemp(prefix="crossborder-soak-"))
        servers: list[Server] = []
        for seed in seeds:
            chosen = plan(seed)
            if chosen.backend == "postgresql" and not servers:
                servers.append(held.enter_context(_server(asked.server)))
            with _database(chosen, servers) as url:
                say = _say if asked.lines else lambda _: None
                done = run(chosen, folder / str(seed), url, fault=asked.fault, say=say)
            failed += bool(done.wrongs)
            sys.stdout.write(
                json.dumps(done.as_json()) + "\n" if asked.as_json else _shown(done, asked.fault)
            )
            sys.stdout.flush()
            if not asked.keep and (asked.fault or not done.wrongs):
                shutil.rmtree(folder / str(seed))
            if asked.until_wrong and failed:
                break
    if not any(folder.iterdir()):
        folder.rmdir()
    else:
        sys.stderr.write(f"kept: {folder}\n")
    return 1 if failed else 0


def again(seed: int, fault: str = "") -> str:
    """The command that repeats a seed."""
    return f"python -m tests.soak {seed} -v" + (f" --fault {fault}" if fault else "")


def _seeds(word: str) -> range:
    first, _, last = word.partition("-")
    return range(int(first), int(last or first) + 1)


def _say(line: str) -> None:
    sys.stdout.write(f"  {line}\n")
    sys.stdout.flush()


def _shown(done: Done, fault: str) -> str:
    figures = ", ".join(f"{name} {count}" for name, count in done.figures.items())
    return "".join(
        [f"seed {done.seed}, {done.name}: {figures}; {dict(done.states)}\n"]
        + [f"  WRONG {wrong}\n" for wrong in done.wrongs]
        + ([f"  again: {again(done.seed, fault)}\n"] if done.wrongs else [])
    )


@contextmanager
def _server(address: str | None) -> Iterator[Server]:
    """The one that is running, or one of our own."""
    if address is None:
        with running() as server:
            yield server
        return
    server = Server(make_url(address))
    try:
        yield server
    finally:
        server.close()


@contextmanager
def _database(chosen: Plan, servers: list[Server]) -> Iterator[str | None]:
    """A database for one run; no session of ours is open while it goes on."""
    if chosen.backend == "sqlite":
        yield None
        return
    (server,) = servers
    url = server.database() if chosen.tables_made else server.empty_database()
    server.close()
    try:
        yield url
    finally:
        server.drop(url)
        server.close()


if __name__ == "__main__":
    sys.exit(main())
