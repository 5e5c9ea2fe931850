"""Compares the ratios of a run with those expected: `python -m benchmarks.gate [bench.json]`.

Ratios only, never times: both sides of a ratio ran in turns on the same machine. They are ratios of CPU time, for
elapsed time swings by a factor of two where other processes want the cores. A line fails when its ratio falls below `expected * factor`; the factors in `expected.json` are generous, for machines differ. With `--update` the
expected ratios become those of the run.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FACTOR = 0.6


def failures(result: Mapping[str, Any], expected: Mapping[str, Mapping[str, float]]) -> list[str]:
    """What is too slow or missing, in words."""
    ratio = ratios(result)
    told = []
    for name, wanted in expected.items():
        least = wanted["ratio"] * wanted["factor"]
        if name not in ratio:
            told.append(f"{name}: not measured")
        elif ratio[name] < least:
            told.append(
                f"{name}: {ratio[name]:.2f}x, at least {least:.2f}x (expected {wanted['ratio']:.2f}x)"
            )
    return told


def ratios(result: Mapping[str, Any]) -> dict[str, float]:
    """Line → how many times less CPU time the engine needs than the baseline."""
    return {one["name"]: one["ratio_cpu"]["median"] for one in result["lines"]}


def main(arguments: Sequence[str] | None = None) -> int:
    """1 if a line is slower, against its baseline, than expected."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gate", description=__doc__)
    parser.add_argument("result", type=Path, nargs="?", default=HERE / "out" / "bench.json")
    parser.add_argument("--expected", type=Path, default=HERE / "expected.json")
    parser.add_argument("--update", action="store_true", help="take over the ratios of the run")
    given = parser.parse_args(arguments)
    result = json.loads(given.result.read_text(encoding="utf-8"))
    if given.update:
        made = {name: {"ratio": ratio, "factor": FACTOR} for name, ratio in ratios(result).items()}
        given.expected.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
        return 0
    told = failures(result, json.loads(given.expected.read_text(encoding="utf-8")))
    print("\n".join(told) if told else "every ratio is as expected or better")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
