"""A crash while a rule is accepted loses nothing and doubles nothing: all of it happened, or nothing (promise P7).

Broken by: a shipment that is moved in another transaction than its attempt, its document, its batch's counts or the entry
that says who decided.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import crossborder
from crossborder.engine import Engine
from crossborder.samples import Sample

from .crash_settings import SETTINGS
from .cutting import in_blocks
from .firm import changed, day, put
from .test_crash import shape

CHILD = Path(__file__).with_name("accept_child.py")


def sample() -> Sample:
    """Eleven parcels of which two, of class B, tell of arms."""
    return changed(day(11), "name", {0: "合金仿真枪", 2: "合金仿真枪"}, frame="goods")


def child(home: Path, batch: str, at: int) -> subprocess.CompletedProcess[str]:
    """Accept in a process of its own."""
    source = str(Path(crossborder.__file__).parents[1])
    return subprocess.run(
        [sys.executable, str(CHILD), str(home), batch, "PRO-01", str(at)],
        env={**os.environ, "PYTHONPATH": source}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "size", [0, pytest.param(3, marks=pytest.mark.slow)], ids=["whole", "blocks"]
)
def test_at_every_single_point(tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if size:
        in_blocks(monkeypatch, size)
    with Engine(SETTINGS, home=tmp_path / "home") as engine:
        done = engine.prepare(put(sample(), tmp_path / "day.csv"), mapping="elements")
        held = shape(engine)
    assert done.counts == {"on_hold": 2, "prepared": 9}
    shutil.copytree(tmp_path / "home", tmp_path / "lives")
    lived = child(tmp_path / "lives", done.batch, 0)
    assert lived.returncode == 0, lived.stderr
    with Engine(SETTINGS, home=tmp_path / "lives") as engine:
        expected = shape(engine)
    assert expected["batches"][0][3] == {"on_hold": 0, "prepared": 11}
    points = int(lived.stdout)
    assert points >= 2
    seen = []
    for at in range(1, points + 1):
        home = tmp_path / str(at)
        shutil.copytree(tmp_path / "home", home)
        assert child(home, done.batch, at).returncode == 9, at
        with Engine(SETTINGS, home=home) as engine:
            left = shape(engine)
            assert left in (held, expected), at
            assert engine.reconcile(ask_endpoints=False).differences == [], at
            seen.append(left == expected)
            again = engine.accept("PRO-01", done.batch, reason="seen", who="Li")
            assert again.again == (left == expected), at
            assert shape(engine) == expected, at
            assert engine.reconcile(ask_endpoints=False).differences == [], at
            assert len(engine.acceptances([done.batch])) == 1, at
    assert seen == sorted(seen)
    assert set(seen) == {False, True}  # it died before and after the commit
