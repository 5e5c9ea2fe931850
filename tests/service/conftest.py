"""Fixtures of the service: an engine on a home of its own, and partners of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.service.house import Partner, settings_text

from crossborder import settings
from crossborder.engine import Engine


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder whose endpoints have no address."""
    place = tmp_path / "home"
    place.mkdir()
    (place / "crossborder.toml").write_text(settings_text(None), encoding="utf-8")
    monkeypatch.setenv("CROSSBORDER_HOME", str(place))
    monkeypatch.delenv("CROSSBORDER_CONFIG", raising=False)
    return place


@pytest.fixture
def engine(home: Path) -> Iterator[Engine]:
    """The engine of that home."""
    with Engine(settings.load(home=home)) as opened:
        yield opened


@pytest.fixture
def shop(engine: Engine) -> Partner:
    """A partner."""
    return Partner(engine, "shop-one")
