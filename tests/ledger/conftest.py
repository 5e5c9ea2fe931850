from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossborder.ledger import Ledger


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home folder of an empty ledger, to be copied: quicker than migrating for each test."""
    folder = tmp_path_factory.mktemp("empty") / "home"
    Ledger.open(folder).close()
    return folder


@pytest.fixture
def ledger(home: Path, empty: Path) -> Iterator[Ledger]:
    shutil.copytree(empty, home)
    with Ledger.open(home) as opened:
        yield opened
