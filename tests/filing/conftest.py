from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .office import Office


@pytest.fixture
def office(ledger_home: Path) -> Iterator[Office]:
    made = Office(ledger_home)
    yield made
    made.ledger.close()
