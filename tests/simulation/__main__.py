"""Run seeds and tell what happened: `python -m tests.simulation SEED [SEED…]`, `-v` for every line of the trace, `--sealed` for an encrypted ledger."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from .backend import Sqlite
from .world import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("seeds", nargs="+", help="a seed, or FIRST-LAST")
    parser.add_argument(
        "-v", action="store_true", dest="lines", help="print everything that happened"
    )
    parser.add_argument("--sealed", action="store_true", help="the ledger is encrypted")
    asked = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        backend = Sqlite(Path(folder) / "empty", sealed=asked.sealed)
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
