from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.postgres import Server

if "PYTEST_XDIST_WORKER" in os.environ:
    # One of several workers that share the cores: more threads each would only wait for each other.
    os.environ.setdefault("POLARS_MAX_THREADS", "1")

BACKENDS = ("sqlite", "postgresql")
LONG = ("simulation", "interleaved", "soak", "flow", "benchmarks", "engine")
"""Rooms whose files take long: several workers begin with them, so that none is left with one alone in the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; otherwise as collected."""
    here = Path(__file__).parent
    rank = {room: number for number, room in enumerate(LONG)}
    items.sort(key=lambda item: rank.get(item.path.relative_to(here).parts[0], len(LONG)))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server, started when the first test wants it. If it cannot start, every such test fails."""
    from tests.postgres import running

    with running() as server:
        yield server


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home folder of an empty ledger in a file, to be copied: quicker than migrating for each test."""
    from crossborder.ledger import Ledger

    folder = tmp_path_factory.mktemp("empty") / "home"
    Ledger.open(folder).close()
    return folder


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """The tests of the ledger run on both."""
    return str(request.param)


@pytest.fixture
def ledger_home(tmp_path: Path, backend: str, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A home folder with an empty ledger; open it with `backends.open_ledger`."""
    from tests.backends import URLS

    home = tmp_path / "home"
    if backend == "sqlite":
        shutil.copytree(request.getfixturevalue("empty"), home)
        yield home
        return
    server: Server = request.getfixturevalue("postgres")
    home.mkdir()
    URLS[home] = server.database()
    yield home
    server.give_back(URLS.pop(home))
