"""Throughput against named baselines, in one run: `python -m benchmarks.run`.

Every contest first proves that both sides give the same; only then are they timed, taking turns. `BENCH_N` sets how
many shipments the columnar side works on (default 100,000; plain Python gets a tenth, its cost per shipment is the same).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import chart, data, machine, report
from benchmarks.contests import (
    check,
    compose,
    facets,
    filing,
    ledger,
    memory,
    receipts,
    reconcile,
    rules,
    single,
    start,
)
from benchmarks.contests.contest import Contest, Disagreement, Line, Maker
from benchmarks.sizes import DEFAULT, SEED, Sizes
from benchmarks.timing import Spread, Times, race, ratios

OUT = Path(__file__).parent / "out"
CONTESTS: Mapping[str, Maker] = {
    "facets": facets.contest,
    "check": check.contest,
    "compose": compose.contest,
    "rules": rules.contest,
    "bundle": ledger.contest,
    "receipts": receipts.contest,
    "reconcile": reconcile.contest,
    "single": single.contest,
    "filing": filing.contest,
    "help": start.contest,
}
REQUIRED: Mapping[str, Mapping[str, float]] = json.loads(
    (Path(__file__).parent / "required.json").read_text(encoding="utf-8")
)
"""Line → how many times quicker (`wall`), and at how many times less CPU time (`cpu`), the engine must be."""
QUICK = 300
MEMORY = 200_000
"""Shipments of the larger hand-in whose memory is measured, if not said; the full size is a million."""


@dataclass(frozen=True)
class Asked:
    """What the command line asks for."""

    shipments: int
    quick: bool
    only: Sequence[str]
    out: Path
    memory: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print the table, write `bench.json` and `bench.svg`; 1 if two sides disagree."""
    asked = _asked(arguments)
    started = time.perf_counter()
    try:
        result = run(asked)
    except Disagreement as error:
        print(f"nothing was timed: {error}", file=sys.stderr)
        return 1
    result["seconds"] = round(time.perf_counter() - started, 1)
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "bench.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (asked.out / "bench.svg").write_text(chart.svg(result), encoding="utf-8")
    print(report.text(result))
    return 0


def run(asked: Asked) -> dict[str, Any]:
    """All contests asked for, as `bench.json` holds them. Raises `Disagreement`."""
    sizes = Sizes.of(asked.shipments, quick=asked.quick)
    made: dict[str, Any] = {
        "machine": machine.describe(),
        "versions": machine.versions(),
        "seed": SEED,
        "shipments": {"columnar": sizes.columnar, "rowwise": sizes.rowwise, "xmlschema": sizes.slow},
        "rounds": sizes.rounds,
        "lines": [],
    }  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="crossborder-bench-") as place:
        for name in (n for n in asked.only or CONTESTS if n in CONTESTS):
            folder = Path(place) / name
            folder.mkdir()
            print(f"{name} …", file=sys.stderr, flush=True)
            contest = CONTESTS[name](sizes, folder)
            made["lines"] += lines(contest, sizes.rounds)
            made |= contest.besides()
        if asked.memory:
            print("memory …", file=sys.stderr, flush=True)
            made["memory"] = memory.measure(asked.memory, Path(place))
        document = _document(Path(place))
    made["document_bytes"] = len(document)
    megabytes = 4 if asked.quick else machine.MEGABYTES
    made["limits"] = machine.limits(document, sizes.rounds, megabytes)
    return made


def lines(contest: Contest, rounds: int) -> list[dict[str, Any]]:
    """The lines of one contest: proof first, then the race."""
    contest.prove()
    times = race(contest.cases, contest.rounds(rounds))
    return [line(one, times[one.ours], times[one.theirs]) for one in contest.lines]


def line(one: Line, ours: Times, theirs: Times) -> dict[str, Any]:
    """A line of `bench.json`; `wall` and `cpu` are microseconds per shipment, ratios say how many times less.

    `required` is the line of `required.json`, `met` whether it was reached; both null where nothing is required.
    """
    required = REQUIRED.get(one.name)
    wall, cpu = ratios(theirs.wall, ours.wall), ratios(theirs.cpu, ours.cpu)
    reached = {"wall": wall.middle, "cpu": cpu.middle}
    return {
        "name": one.name,
        "work": one.work,
        "baseline": one.baseline,
        "ratio": round(wall.middle, 4),
        "ratio_wall": wall.as_json(),
        "ratio_cpu": cpu.as_json(),
        "wall": {
            "engine": Spread.of(ours.wall).as_json(),
            "baseline": Spread.of(theirs.wall).as_json(),
        },
        "cpu": {"engine": Spread.of(ours.cpu).as_json(), "baseline": Spread.of(theirs.cpu).as_json()},
        "required": required,
        "met": None if required is None else all(reached[n] >= least for n, least in required.items()),
    }  # fmt: skip


def _document(folder: Path) -> bytes:
    """A document of about the mean length of a day."""
    frames = data.check(data.write(folder / "one.csv", 200)).frames
    xmls = sorted(compose.engine(frames, data.ids(200))["xml"].to_list(), key=len)
    middle: str = xmls[len(xmls) // 2]
    return middle.encode()


def _asked(arguments: Sequence[str] | None) -> Asked:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few hundred shipments, one round")
    parser.add_argument(
        "--only", action="append", choices=sorted([*CONTESTS, "memory"]), default=[]
    )
    parser.add_argument(
        "--memory", type=int, metavar="N",
        help=f"measure memory with N shipments (full size 1000000; {MEMORY} if not said, 0: not at all)",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, default=OUT, help="folder of bench.json and bench.svg")
    given = parser.parse_args(arguments)
    shipments = int(os.environ.get("BENCH_N", QUICK if given.quick else DEFAULT))
    wanted = not given.quick and (not given.only or "memory" in given.only)
    measured = given.memory if given.memory is not None else MEMORY if wanted else 0
    return Asked(shipments, given.quick, given.only, given.out, measured)


if __name__ == "__main__":
    sys.exit(main())
