"""Promises P3 to P8 on PostgreSQL: 30 seeds (`make test`), 300 more (`make soak`)."""

from __future__ import annotations

import pytest

from .conftest import Seeds, refuse

AGAIN = " --postgresql"


@pytest.mark.parametrize("first", range(1, 31, 10))
def test_ten_seeds(simulate_on_postgres: Seeds, first: int) -> None:
    done = [simulate_on_postgres(seed) for seed in range(first, first + 10)]
    for one in done:
        refuse(one, AGAIN)
    assert simulate_on_postgres(first).trace == done[0].trace


@pytest.mark.slow
@pytest.mark.parametrize("first", range(31, 331, 100))
def test_a_hundred_seeds(simulate_on_postgres: Seeds, first: int) -> None:
    for seed in range(first, first + 100):
        refuse(simulate_on_postgres(seed), AGAIN)
