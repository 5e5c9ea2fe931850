from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .office import Office


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path / "home")
    yield made
    made.ledger.close()
