"""Run seeds and tell what happened: `python -m tests.simulation SEED [SEED…]`, `-v` for every line of the trace.

`--sealed`: the ledger is encrypted; `--postgresql`: it lies on a server that is started for it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.postgres import running

from .backend import Backend, Postgres, Sqlite
from .world import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("seeds", nargs="+", help="a seed, or FIRST-LAST")
    parser.add_argument(
        "-v", action="store_true", dest="lines", help="print everything that happened"
    )
    parser.add_argument("--sealed", action="store_true", help="the ledger is encrypted")
    parser.add_argument("--postgresql", action="store_true", help="on PostgreSQL, not in a file")
    asked = parser.parse_args()
    failed = 0
    with ExitStack() as held:
        folder = held.enter_context(tempfile.TemporaryDirectory())
        backend: Backend = Sqlite(Path(folder) / "empty", sealed=asked.sealed)
        if asked.postgresql:
            backend = Postgres(held.enter_context(running()))
        for word in asked.seeds:
            first, _, last = word.partition("-")
            for seed in range(int(first), int(last or first) + 1):
                began = time.process_time()
                done = run(seed, Path(folder) / str(seed), backend, keep=asked.lines)
                for line in done.lines:
                    sys.stdout.write(f"{line}\n")
                took = time.process_time() - began
                sys.stdout.write(
                    f"seed {seed}: trace {done.trace[:16]}, {done.points} points, {done.kills} kills, {took:.2f} s\n"
                )
                for wrong in done.wrongs:
                    sys.stdout.write(f"  WRONG {wrong}\n")
                failed += bool(done.wrongs)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
