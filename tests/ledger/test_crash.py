"""Promise P7 for the ledger: killed at any point, a restart reaches the same end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CHILD = Path(__file__).with_name("crash_child.py")


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("plain", marks=pytest.mark.slow), "sealed",
        pytest.param("plain postgresql", marks=pytest.mark.slow),
        pytest.param("sealed postgresql", marks=pytest.mark.slow),
    ],
)  # fmt: skip
def runs(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> list[dict[str, Any]]:
    if not hasattr(os, "fork"):
        pytest.fail("this test needs a system with fork")
    import crossborder

    source, root = str(Path(crossborder.__file__).parents[1]), str(CHILD.parents[2])
    path = os.pathsep.join([source, str(CHILD.parent), root])
    kind, _, backend = str(request.param).partition(" ")
    server = [request.getfixturevalue("postgres").address] if backend else []
    done = subprocess.run(
        [sys.executable, str(CHILD), str(tmp_path_factory.mktemp("homes")), kind, *server],
        env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_there_are_points_to_die_at(runs: list[dict[str, Any]]) -> None:
    assert len(runs) > 20
    assert [r["code"] for r in runs] == [9] * (len(runs) - 1) + [0]


def test_what_stands_after_a_crash_is_whole(runs: list[dict[str, Any]]) -> None:
    for run in runs:
        after = run["after"]
        recorded = after["batches"][0][2] if after["batches"] else 0
        assert after["positions"] == list(range(recorded)), run["at"]
        assert after["bytes"], run["at"]
        assert after["drafts"], run["at"]
        assert after["loose"] == 0, run["at"]


def test_going_on_reaches_the_same_end(runs: list[dict[str, Any]]) -> None:
    whole = runs[-1]["end"]
    assert whole["states"] == ["sent"]
    for run in runs:
        end = run["end"]
        for same in ("batches", "positions", "attempts", "rows"):
            assert end[same] == whole[same], (run["at"], same)
        assert set(end["states"]) <= {"sent", "unknown"}
        assert end["bytes"]
        assert end["drafts"]
        assert end["loose"] == 0


def test_what_was_frozen_keeps_its_id_and_bytes(runs: list[dict[str, Any]]) -> None:
    checked = 0
    for run in runs:
        for key, frozen in run["after"]["frozen"].items():
            assert run["end"]["frozen"][key] == frozen
            checked += 1
    assert checked > 10


def test_only_what_may_have_left_is_unknown(runs: list[dict[str, Any]]) -> None:
    for run in runs:
        was_sending = "sending" in run["after"]["states"]
        assert ("unknown" in run["end"]["states"]) == was_sending, run["at"]
    assert any("sending" in run["after"]["states"] for run in runs)


def test_the_key_of_a_batch_is_made_once_whenever_the_process_dies(
    runs: list[dict[str, Any]],
) -> None:
    sealed = runs[-1]["end"]["keys"] > 0
    for run in runs:
        assert run["end"]["keys"] == (1 if sealed else 0), run["at"]
        if sealed and run["after"]["batches"]:
            assert run["after"]["keys"] == 1, run["at"]
