from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.backends import open_ledger

from crossborder.ledger import Ledger


@pytest.fixture
def home(ledger_home: Path) -> Path:
    return ledger_home


@pytest.fixture
def ledger(home: Path) -> Iterator[Ledger]:
    with open_ledger(home) as opened:
        yield opened
