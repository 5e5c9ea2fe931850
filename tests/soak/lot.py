"""Runs in a process of its own, which imports once and forks, for tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from .__main__ import again

ROOT = Path(__file__).parents[2]


def lot(server: str, *args: str) -> list[dict[str, Any]]:
    """What each run came to (`run.Done.as_json`)."""
    if not hasattr(os, "fork"):
        pytest.fail("this test needs a system with fork")
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak", *args, "--json", "--server", server],
        env={**os.environ, "POLARS_MAX_THREADS": "1"}, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def refuse(runs: list[dict[str, Any]]) -> None:
    """Fail if anything was wrong in a run, with the command that repeats it."""
    wrong = [run for run in runs if run["wrongs"]]
    if wrong:
        told = "\n".join(
            [f"seed {run['seed']}, {run['name']}:\n  " + "\n  ".join(run["wrongs"][:20]) + f"\n  again: {again(run['seed'])}" for run in wrong]
        )  # fmt: skip
        pytest.fail(
            f"{told}\nThe plan is repeated, kills and all; what the machine does meanwhile is not."
        )


def total(runs: list[dict[str, Any]]) -> Counter[str]:
    """The figures of all runs together."""
    return sum((Counter(run["figures"]) for run in runs), Counter())
