"""The same seed is the same run, in another process too; and the runs do hold what they are meant to hold."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .backend import Sqlite
from .conftest import Seeds
from .world import run

ROOT = Path(__file__).parents[2]


def test_the_same_seed_gives_the_same_trace(simulate: Seeds) -> None:
    for seed in range(1, 6):
        assert simulate(seed).trace == simulate(seed).trace
    assert len({simulate(seed).trace for seed in range(1, 6)}) == 5


def test_in_another_process_too(simulate: Seeds) -> None:
    """The command that a failing seed prints repeats exactly that run, whatever order its sets have."""
    env = {**os.environ, "PYTHONHASHSEED": "4711"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation", "7", "-v"], cwd=ROOT, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = re.search(r"^seed 7: trace ([0-9a-f]+)", done.stdout, re.MULTILINE)
    assert found is not None
    assert found[1] == simulate(7).trace[:16]


def test_a_failing_seed_says_how_to_repeat_it(
    simulate: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    from .conftest import refuse
    from .planted import FAULTS

    FAULTS["send_before_record"](monkeypatch)
    with pytest.raises(pytest.fail.Exception, match=r"again: python -m tests\.simulation 1 -v"):
        refuse(simulate(1))


def test_everything_that_is_meant_to_happen_happens(sqlite: Sqlite, tmp_path: Path) -> None:
    """Sixty seeds hold every kind of trouble, and most declarations are declared in spite of it."""
    seen = [run(seed, tmp_path / f"{seed}", sqlite, keep=True) for seed in range(1, 61)]
    lines = [line for one in seen for line in one.lines]
    text = "\n".join(lines)
    for what in (
        "kill ", "full ", "dies", "leaves", "clock ", "rot ", "rings up", "does not arrive", "never comes", "desk suspend", "desk resume", "desk void", "answer_lost",
        "delayed", "twice", "nonsense", "raises", "conflict", "declined", "foreign", "unreadable", " ZZ ", "fails",
    ):  # fmt: skip
        assert what in text, f"{what!r} happens in none of sixty seeds"
    assert sum(line.startswith("arrives") for line in lines) > 100
    assert sum(one.kills for one in seen) > 20
    assert sum(one.points for one in seen) > 10_000
