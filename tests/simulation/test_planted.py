"""A check that cannot fail proves nothing: faults planted in our code are found by the first few seeds."""

from __future__ import annotations

import pytest

from .conftest import Seeds
from .planted import FAULTS

SEEDS = 60
"""Within so many seeds each fault must be found; most are found by the first ten."""


@pytest.mark.parametrize("name", FAULTS)
def test_it_is_found(simulate: Seeds, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    FAULTS[name](monkeypatch)
    for seed in range(1, SEEDS + 1):
        if simulate(seed).wrongs:
            return
    pytest.fail(f"{SEEDS} seeds did not find it", pytrace=False)


def test_there_are_many_kinds() -> None:
    assert len(FAULTS) >= 20
