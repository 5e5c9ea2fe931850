"""`prepare` on a PostgreSQL ledger, killed at every single point of recording: begun again it reaches the same end (P7)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.postgres import Server

from .firm import put
from .test_crash import SAMPLE, live

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("size", [0, 3], ids=["whole", "blocks"])
def test_at_every_single_point(tmp_path: Path, postgres: Server, size: int) -> None:
    file = put(SAMPLE, tmp_path / "day.csv")
    done = subprocess.run(
        [sys.executable, "-m", "tests.engine.points", postgres.address, str(file), str(tmp_path / "homes"), str(size)],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    whole, *runs = [json.loads(line) for line in done.stdout.splitlines()]
    expected = whole["shape"]
    assert len(expected["shipments"]) == 11
    assert expected["bytes"]
    assert [run["code"] for run in runs] == [-9] * (len(runs) - 1) + [0]
    assert len(runs) > 10
    for run in runs:
        found, at = run["shape"], run["at"]
        assert live(found) == live(expected), at
        assert found["houses"] == expected["houses"], at
        assert found["bytes"], at
        assert run["differences"] == [], at
        if len(found["batches"]) == 1:
            assert found["batches"] == expected["batches"], at
            assert found["findings"] == expected["findings"], at
        else:  # it died after the seal: the second hand-in is one of what is already there
            assert [batch[0] for batch in found["batches"]] == ["sealed", "sealed"], at
