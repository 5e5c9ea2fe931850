from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossborder.ledger import Ledger

from .book import Book


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home folder of an empty ledger, to be copied: quicker than migrating for each test."""
    folder = tmp_path_factory.mktemp("empty") / "home"
    Ledger.open(folder).close()
    return folder


@pytest.fixture
def book(tmp_path: Path, empty: Path) -> Iterator[Book]:
    shutil.copytree(empty, tmp_path / "home")
    made = Book(tmp_path / "home")
    yield made
    made.ledger.close()
