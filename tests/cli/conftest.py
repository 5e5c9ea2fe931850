"""The command line in process: a home folder of its own, and what a command says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from crossborder import china_time, samples
from crossborder.cli import main
from crossborder.sandbox import EndpointSpec, Mix, Sandbox


@dataclass(frozen=True)
class Said:
    """Exit code, standard output and standard error of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The answer of a `--json` run: one document and nothing else."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        """The lines of the answer."""
        return self.out.splitlines()


Run = Callable[..., Said]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder; nothing of the host's settings or language counts."""
    place = tmp_path / "home"
    for name in ("CROSSBORDER_CONFIG", "CROSSBORDER_LANG", "LC_ALL", "LC_MESSAGES", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.setenv("CROSSBORDER_HOME", str(place))
    return place


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in process."""

    def go(*args: object) -> Said:
        capsys.readouterr()
        code = main([str(arg) for arg in args])
        shown = capsys.readouterr()
        return Said(code, shown.out, shown.err)

    return go


@pytest.fixture(scope="session")
def dirty_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 made-up import parcels, four of them with a fault."""
    file = tmp_path_factory.mktemp("days") / "dirty.csv"
    samples.create(
        file, shipments=40, seed=7, dirty=0.1, mapping="elements", day=china_time.now().date()
    )
    return file


@pytest.fixture(scope="session")
def clean_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve made-up import parcels of both ports without a fault."""
    file = tmp_path_factory.mktemp("days") / "clean.csv"
    samples.create(file, shipments=12, seed=8, mapping="elements", day=china_time.now().date())
    return file


@pytest.fixture
def port(tmp_path: Path, home: Path) -> Iterator[Sandbox]:
    """A simulated port that releases everything, and settings of the home that name it."""
    doors = [
        EndpointSpec("hangzhou", "http", districts=("29",)),
        EndpointSpec("ningbo", "both", districts=("31",)),
    ]
    with Sandbox(tmp_path / "port", doors, Mix.load().with_shares(**{"11": 1}), speed=0) as sandbox:
        home.mkdir(exist_ok=True)
        (home / "crossborder.toml").write_text(settings(sandbox), encoding="utf-8")
        yield sandbox


def settings(sandbox: Sandbox) -> str:
    """A settings file whose endpoints are this sandbox."""
    return f"""
profile = "demo"
[endpoints.hangzhou]
districts = ["29"]
transport = "http"
address = "{sandbox.address("hangzhou")}"
account = "{sandbox.address("hangzhou")}/account"
poll_seconds = 0.1
settle_seconds = 0.2
[endpoints.ningbo]
districts = ["31"]
transport = "folder"
address = '{sandbox.boxes("ningbo")}'
account = "{sandbox.address("ningbo")}/account"
poll_seconds = 0.1
settle_seconds = 0.2
"""
