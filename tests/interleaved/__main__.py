"""Run seeds and tell what happened: `python -m tests.interleaved SEED [FIRST-LAST…]`, `-v` for every turn.

`--postgresql`: the ledger lies on a server that is started for it, and every actor has a home of its own.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.postgres import Server, running

from .world import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.interleaved")
    parser.add_argument("seeds", nargs="+", help="a seed, or FIRST-LAST")
    parser.add_argument("-v", action="store_true", dest="lines", help="print every turn")
    parser.add_argument("--postgresql", action="store_true", help="on PostgreSQL, not in a file")
    asked = parser.parse_args()
    failed = 0
    with ExitStack() as held:
        server = held.enter_context(running()) if asked.postgresql else None
        for word in asked.seeds:
            first, _, last = word.partition("-")
            for seed in range(int(first), int(last or first) + 1):
                failed += _one(seed, server, lines=asked.lines)
    return 1 if failed else 0


def _one(seed: int, server: Server | None, *, lines: bool) -> bool:
    """Run a seed and tell what happened; whether something was wrong."""
    began = time.process_time()
    url = server.database() if server is not None else ""
    with tempfile.TemporaryDirectory() as folder:
        done = run(seed, Path(folder), url)
    if server is not None:
        server.give_back(url)
    if lines:
        sys.stdout.writelines(f"{line}\n" for line in done.lines)
    took = time.process_time() - began
    sys.stdout.write(
        f"seed {seed}: trace {done.trace[:16]}, {done.turns} turns, {took:.2f} s, {dict(done.did)}\n"
    )
    sys.stdout.writelines(f"  WRONG {wrong}\n" for wrong in done.wrongs)
    sys.stdout.flush()
    return bool(done.wrongs)


if __name__ == "__main__":
    sys.exit(main())
