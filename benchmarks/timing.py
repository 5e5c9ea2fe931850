"""Racing: cases take turns, round after round, so that a busy moment of the machine hits all of them."""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

WARM = "warm"


@dataclass(frozen=True)
class Case:
    """Something to be timed: `run` does `units` of work; `before` (untimed) gives what `run` is handed."""

    name: str
    run: Callable[[object], object]
    units: int
    before: Callable[[], object] = field(default=lambda: None)


@dataclass
class Times:
    """Microseconds per unit, one value per round."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Spread:
    """Smallest, median, greatest."""

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of some values."""
        return cls(min(values), statistics.median(values), max(values))

    def as_json(self) -> dict[str, float]:
        """`min`, `median`, `max`, rounded to four places."""
        return {
            "min": round(self.low, 4), "median": round(self.middle, 4), "max": round(self.high, 4),
        }  # fmt: skip


def race(cases: Sequence[Case], rounds: int) -> dict[str, Times]:
    """Each case once to warm up, then `rounds` times in turns, every other round in reverse order.

    `wall` is elapsed time, `cpu` the time of all threads of this process and of its ended children, user and system.
    """
    times = {case.name: Times() for case in cases}
    for case in cases:
        case.run(case.before())
    for number in range(rounds):
        for case in cases if number % 2 == 0 else reversed(cases):
            given = case.before()
            gc.collect()
            cpu, wall = spent(), time.perf_counter()
            done = case.run(given)
            wall, cpu = time.perf_counter() - wall, spent() - cpu
            del done, given
            times[case.name].wall.append(wall / case.units * 1e6)
            times[case.name].cpu.append(cpu / case.units * 1e6)
    return times


def spent() -> float:
    """CPU seconds of this process and of the children it has waited for (on Windows without these)."""
    own = time.process_time()
    if sys.platform == "win32":
        return own
    import resource

    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own + children.ru_utime + children.ru_stime


def ratios(baseline: Sequence[float], ours: Sequence[float]) -> Spread:
    """How many times quicker, round by round (both were timed in the same round)."""
    return Spread.of([b / o for b, o in zip(baseline, ours, strict=True)])


def times(ratio: float) -> str:
    """A ratio in words: `3.1x`, and `1/48x` where the engine is so many times slower."""
    return f"{ratio:.1f}x" if ratio >= 0.5 else f"1/{1 / ratio:.0f}x"
