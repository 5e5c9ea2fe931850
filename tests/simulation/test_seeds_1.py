"""Promises P3 to P8 under 300 seeds, the first half (files are what workers of a test run share out).

The first sixty are also looked at for what happens in them: the same seed is the same run, in another process too, and the
runs hold what they are meant to hold.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .backend import Sqlite
from .conftest import Seeds, refuse
from .world import Run, run

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def sixty(sqlite: Sqlite, tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    """The runs of seeds 1 to 60, with every line of them."""
    homes = tmp_path_factory.mktemp("sixty")
    return [run(seed, homes / f"{seed}", sqlite, keep=True) for seed in range(1, 61)]


def test_sixty_seeds(sixty: list[Run]) -> None:
    for done in sixty:
        refuse(done)


@pytest.mark.parametrize("first", range(61, 151, 10))
def test_ten_seeds(simulate: Seeds, first: int) -> None:
    for seed in range(first, first + 10):
        refuse(simulate(seed))


def test_the_same_seed_gives_the_same_trace(sixty: list[Run], simulate: Seeds) -> None:
    for done in sixty[:5]:
        assert simulate(done.seed).trace == done.trace
    assert len({done.trace for done in sixty}) == 60


def test_in_another_process_too(sixty: list[Run]) -> None:
    """The command that a failing seed prints repeats exactly that run, whatever order its sets have."""
    env = {**os.environ, "PYTHONHASHSEED": "4711"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation", "7", "-v"], cwd=ROOT, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = re.search(r"^seed 7: trace ([0-9a-f]+)", done.stdout, re.MULTILINE)
    assert found is not None
    assert found[1] == sixty[6].trace[:16]


def test_a_failing_seed_says_how_to_repeat_it(
    simulate: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    from .planted import FAULTS

    FAULTS["send_before_record"](monkeypatch)
    with pytest.raises(pytest.fail.Exception, match=r"again: python -m tests\.simulation 1 -v"):
        refuse(simulate(1))


def test_everything_that_is_meant_to_happen_happens(sixty: list[Run]) -> None:
    """Sixty seeds hold every kind of trouble, and most declarations are declared in spite of it."""
    lines = [line for one in sixty for line in one.lines]
    text = "\n".join(lines)
    for what in (
        "kill ", "full ", "dies", "leaves", "clock ", "rot ", "rings up", "does not arrive", "never comes", "desk suspend", "desk resume", "desk void", "answer_lost",
        "delayed", "twice", "nonsense", "raises", "conflict", "declined", "foreign", "unreadable", " ZZ ", "fails",
    ):  # fmt: skip
        assert what in text, f"{what!r} happens in none of sixty seeds"
    assert sum(line.startswith("arrives") for line in lines) > 100
    assert sum(one.kills for one in sixty) > 20
    assert sum(one.points for one in sixty) > 10_000
