"""Settings that change while something waits hold back what they concern, and nothing else.

Broken by: one row whose endpoint or profile is gone stopping the filing of every other batch.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from crossborder.engine import Engine
from crossborder.errors import CrossborderError
from crossborder.settings import Settings, find_profile

from .firm import FOLDER, HTTP, Firm, day, firm, houses


def let_go(desk: Firm, engine: Engine, profile: str = "") -> str:
    """A batch for Hangzhou that was let go and of which nothing has left."""
    done = engine.prepare(desk.file(day(4)), mapping="elements", profile=profile)
    engine.let_go(done.batch, "tester")
    return str(done.batch)


def files_another(desk: Firm, settings: Settings, left: str) -> None:
    """With these settings a batch for Ningbo goes; that for Hangzhou stays, is listed and is refused by name."""
    sample = day(4, seed=5, port="3101")
    with Engine(settings, home=desk.home) as engine:
        batch = engine.prepare(desk.file(sample), mapping="elements", profile="demo").batch
        engine.submit([batch], wait=20)
        assert desk.arrivals() == dict.fromkeys(houses(sample), 1)
        assert [(w.batch, w.declarations) for w in engine.waiting()] == [(left, 4)]
        with pytest.raises(CrossborderError):
            engine.submit([left], wait=0)


def test_an_endpoint_that_is_gone(tmp_path: Path) -> None:
    with firm(tmp_path) as desk:
        left = let_go(desk, desk.engine)
        fewer = {FOLDER: desk.settings.endpoints[FOLDER]}
        files_another(desk, desk.settings.model_copy(update={"endpoints": fewer}), left)
        desk.engine.submit([left], wait=20)
        desk.settled()
        assert desk.lines(left) == {"released": 4}
        desk.balanced()


def test_a_profile_that_is_gone(tmp_path: Path) -> None:
    with firm(tmp_path, profile="") as desk:
        named = {"mine": find_profile(desk.settings, "demo")}
        with Engine(desk.settings.model_copy(update={"profiles": named}), home=desk.home) as engine:
            left = let_go(desk, engine, "mine")
            assert engine.waiting()[0].endpoint == HTTP
        files_another(desk, desk.settings, left)
