"""Promises P3 to P8 under 300 seeds, the second half (files are what workers of a test run share out)."""

from __future__ import annotations

import pytest

from .conftest import Seeds, refuse


@pytest.mark.parametrize("first", range(151, 301, 10))
def test_ten_seeds(simulate: Seeds, first: int) -> None:
    for seed in range(first, first + 10):
        refuse(simulate(seed))
