"""`memory`: how much of it a hand-in takes, and that five times the shipments take hardly more.

A Parquet file of samples goes through `Engine.prepare` in a process of its own, whose peak the system tells (VmHWM of
`/proc/self/status`; `ru_maxrss` would be inherited). There is no baseline: what is demanded is a bound.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks import data
from benchmarks.contests.ledger import empty_home, settings
from crossborder import Engine, china_time

MOST_MB = 900
MOST_GROWTH = 1.3
PART = 5
"""The smaller hand-in has one shipment for so many of the larger one."""


def measure(shipments: int, folder: Path) -> dict[str, Any]:
    """A line of `bench.json`: peaks in MB of a hand-in of `shipments` and of a fifth of them."""
    small, large = (peak(count, folder) for count in (shipments // PART, shipments))
    known = small["mb"] is not None
    growth = round(large["mb"] / small["mb"], 3) if known else None
    return {
        "name": "memory",
        "work": "Parquet to checked, composed, digested, recorded documents",
        "peaks": [small, large],
        "growth": growth,
        "required": {"mb": MOST_MB, "growth": MOST_GROWTH},
        "met": large["mb"] < MOST_MB and growth <= MOST_GROWTH if growth is not None else None,
    }


def peak(shipments: int, folder: Path) -> dict[str, Any]:
    """`shipments`, `mb` (None where the system does not tell), `seconds` of one hand-in in a process of its own."""
    path, home = folder / f"{shipments}.parquet", folder / f"home-{shipments}"
    data.write(path, shipments, day=china_time.now().date())
    empty_home(home)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.contests.memory", str(path), str(home)],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    told: dict[str, Any] = json.loads(done.stdout)
    if told.pop("prepared") != shipments:
        raise ValueError(f"not every one of {shipments} clean shipments was prepared")
    path.unlink()
    return {"shipments": shipments, **told}


def text(line: dict[str, Any]) -> str:
    """The line for people."""
    peaks = ", ".join(
        f"{one['shipments']:,} shipments {one['mb'] or '?'} MB in {one['seconds']:.0f} s" for one in line["peaks"]
    )  # fmt: skip
    wanted = line["required"]
    return (
        f"memory of prepare: {peaks}; grows {line['growth']}x "
        f"(below {wanted['mb']} MB and at most {wanted['growth']}x: {_word(line['met'])})"
    )


def _word(met: bool | None) -> str:
    return "not measured" if met is None else "met" if met else "missed"


def _child(path: Path, home: Path) -> None:
    """Prepare, and print what it took."""
    import time

    begun = time.perf_counter()
    with Engine(settings(home), home=home) as engine:
        done = engine.prepare(path, mapping=data.MAPPING)
    seconds = round(time.perf_counter() - begun, 1)
    print(
        json.dumps({"prepared": done.counts.get("prepared", 0), "mb": _peak(), "seconds": seconds})
    )


def _peak() -> int | None:
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    lines = status.read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    _child(Path(sys.argv[1]), Path(sys.argv[2]))
