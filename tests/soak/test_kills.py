"""200 runs of real processes that are killed at random (`make soak`): fifty for each transport on each back end."""

from __future__ import annotations

import pytest
from tests.postgres import Server

from .lot import lot, refuse, total

LOT = 10


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 200, LOT))
def test_ten_runs(first: int, postgres: Server) -> None:
    runs = lot(postgres.address, f"{first}-{first + LOT - 1}")
    refuse(runs)
    assert [run["seed"] for run in runs] == list(range(first, first + LOT))
    figures = total(runs)
    assert figures["kills"] > 5 * LOT
    assert figures["recovered"] > LOT, "hardly a kill hit a message on its way"
    assert figures["arrivals"] > 10 * LOT
