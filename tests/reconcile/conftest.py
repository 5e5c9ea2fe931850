from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .book import Book


@pytest.fixture
def book(ledger_home: Path) -> Iterator[Book]:
    made = Book(ledger_home)
    yield made
    made.ledger.close()
