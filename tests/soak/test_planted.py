"""Faults planted in the processes that are killed: what comes of each is found, or the judge proves nothing."""

from __future__ import annotations

import pytest
from tests.postgres import Server

from .lot import lot
from .planted import FAULTS

FOUND = {
    "what_the_dead_held_is_forgotten": "is left sending",
    "send_before_record": "ARRIVED",
    "what_the_dead_held_is_sent_again": "ARRIVED",
    "acknowledged_before_stored": "is kept 0 times",
    "unknown_sent_again_blindly": "ARRIVED",
}
"""What is said of each."""
RUNS = {"http": [str(seed) for seed in range(24) if seed % 2 == 0], "folder": [str(seed) for seed in range(24) if seed % 2]}  # fmt: skip


def test_every_fault_has_its_sign() -> None:
    assert FOUND.keys() == FAULTS.keys()


@pytest.mark.slow
@pytest.mark.parametrize("fault", FOUND)
def test_it_is_found_over_http(fault: str, postgres: Server) -> None:
    *_, last = lot(postgres.address, *RUNS["http"], "--until-wrong", "--fault", fault)
    assert any(FOUND[fault] in wrong for wrong in last["wrongs"]), last["wrongs"]


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["what_the_dead_held_is_forgotten", "acknowledged_before_stored"])
def test_it_is_found_over_folders(fault: str, postgres: Server) -> None:
    """The boxes themselves see to it that a file stands in them once: what is sent again there does no harm."""
    *_, last = lot(postgres.address, *RUNS["folder"], "--until-wrong", "--fault", fault)
    assert any(FOUND[fault] in wrong for wrong in last["wrongs"]), last["wrongs"]
