"""10,000 seeds (`make soak`)."""

from __future__ import annotations

import pytest

from .conftest import Seeds, refuse


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1_001, 11_001, 100))
def test_a_hundred_seeds(simulate: Seeds, first: int) -> None:
    for seed in range(first, first + 100):
        refuse(simulate(seed))
