"""A process killed in the middle of a commit of SQLite: its rows and its bytes are there, or neither (promise P7)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import crossborder

CHILD = Path(__file__).with_name("limbo_child.py")


@pytest.mark.parametrize(("other", "attempts"), [("next", 1), ("there", 2)])
def test_what_was_in_limbo_never_comes_back_without_its_bytes(
    tmp_path: Path, other: str, attempts: int
) -> None:
    """Whoever comes next takes its place; if the other dies as well, it comes back, and whole."""
    if not hasattr(os, "fork"):
        pytest.fail("this test needs a system with fork")
    path = os.pathsep.join([str(Path(crossborder.__file__).parents[1]), str(CHILD.parent)])
    done = subprocess.run(
        [sys.executable, str(CHILD), str(tmp_path / "home"), other],
        env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "attempts": attempts, "whole": [True] * attempts, "loose": 0,
    }  # fmt: skip
