from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .book import Book

ALWAYS = "test_prove.py"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """On PostgreSQL what proves conservation runs always, the rest in `make soak`: the ledger's own tests run on both."""
    here = Path(__file__).parent
    for item in items:
        mine = here in item.path.parents and item.path.name != ALWAYS
        if mine and "[postgresql" in item.nodeid:
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def book(ledger_home: Path) -> Iterator[Book]:
    made = Book(ledger_home)
    yield made
    made.ledger.close()
