"""A folder as the examples expect it: made-up parcels, receipts, and a home whose endpoints are a sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from crossborder import china_time, samples
from crossborder.sandbox import EndpointSpec, Mix, Sandbox

ROOT = Path(__file__).resolve().parents[2]
DAY = date(2026, 11, 23)
"""The day the documents were written on: what they show of a check is what it said then."""
RECEIPTS = ("exp302-no-namespace.xml", "exp312-xmldsig.xml")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which an example runs; its home is `home` and nothing of the host's settings counts."""
    place = tmp_path / "example"
    place.mkdir()
    samples.create(
        place / "parcels.csv", shipments=40, seed=7, dirty=0.1, mapping="elements", day=DAY
    )
    (place / "receipts").mkdir()
    for name in RECEIPTS:
        (place / "receipts" / name).write_bytes((ROOT / "fixtures/golden" / name).read_bytes())
    monkeypatch.chdir(place)
    monkeypatch.setenv("CROSSBORDER_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CROSSBORDER_CONFIG", raising=False)
    return place


@pytest.fixture
def on_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock goes on from the day of the documents."""
    shift = china_time.now().date() - DAY
    real = china_time.now
    monkeypatch.setattr(china_time, "now", lambda: real() - shift)


@pytest.fixture
def port(folder: Path) -> Iterator[Sandbox]:
    """A sandbox that releases everything, and settings of the home that name it."""
    doors = [
        EndpointSpec("hangzhou", "http", districts=("29",)),
        EndpointSpec("ningbo", "folder", districts=("31",)),
    ]
    with Sandbox(folder.parent / "port", doors, Mix.load().with_shares(**{"11": 1}), speed=0) as sandbox:  # fmt: skip
        home = folder.parent / "home"
        home.mkdir()
        (home / "crossborder.toml").write_text(settings(sandbox), encoding="utf-8")
        yield sandbox
        assert sandbox.problems == []


def settings(sandbox: Sandbox) -> str:
    """A settings file whose endpoints are this sandbox."""
    return f"""
profile = "demo"
[service]
profile = "demo"
[endpoints.hangzhou]
districts = ["29"]
transport = "http"
address = "{sandbox.address("hangzhou")}"
poll_seconds = 0.1
settle_seconds = 0.2
[endpoints.ningbo]
districts = ["31"]
transport = "folder"
address = '{sandbox.boxes("ningbo")}'
poll_seconds = 0.1
settle_seconds = 0.2
"""
