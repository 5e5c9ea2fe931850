from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.postgres import Server

from .backend import Backend, Postgres, Sqlite
from .world import Run, run

Seeds = Callable[[int], Run]


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Sqlite:
    return Sqlite(tmp_path_factory.mktemp("simulation") / "empty")


@pytest.fixture(scope="session")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Sqlite:
    """An encrypted ledger, its key file beside it."""
    return Sqlite(tmp_path_factory.mktemp("sealed") / "empty", sealed=True)


@pytest.fixture
def simulate(sqlite: Sqlite, tmp_path: Path) -> Seeds:
    """Run a seed in a home of its own, which is gone afterwards."""
    return seeds(sqlite, tmp_path)


@pytest.fixture
def simulate_on_postgres(postgres: Server, tmp_path: Path) -> Seeds:
    """The same on PostgreSQL."""
    return seeds(Postgres(postgres), tmp_path)


def seeds(backend: Backend, folder: Path) -> Seeds:
    """Run a seed in a home below `folder`, which is gone afterwards."""

    def one(seed: int) -> Run:
        home = folder / f"{seed}"
        try:
            return run(seed, home, backend)
        finally:
            shutil.rmtree(home, ignore_errors=True)

    return one


def refuse(done: Run, *options: str) -> None:
    """Fail with what was wrong, and the command that repeats it."""
    if done.wrongs:
        again = " ".join(["python -m tests.simulation", str(done.seed), *options])
        pytest.fail(
            "\n".join([f"seed {done.seed}; again: {again} -v", *done.wrongs]), pytrace=False
        )
