"""Faults planted in our own code, in the processes that are killed: the judge must find what comes of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from tests.simulation.planted import FAULTS as OF_SIMULATION

from crossborder.ledger import Ledger

Plant = Callable[[pytest.MonkeyPatch], None]


def what_the_dead_held_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Nobody looks after what a dead process was sending."""

    def recover(self: Ledger, now: datetime, owner: str) -> int:
        return 0

    patch.setattr(Ledger, "recover", recover)


FAULTS: dict[str, Plant] = {
    "what_the_dead_held_is_forgotten": what_the_dead_held_is_forgotten,
    **{
        name: OF_SIMULATION[name]
        for name in (
            "send_before_record", "what_the_dead_held_is_sent_again", "acknowledged_before_stored",
            "unknown_sent_again_blindly",
        )
    },
}  # fmt: skip


def with_fault(name: str, work: Callable[[], int]) -> Callable[[], int]:
    """The same work with a fault in it; for a process of its own, for it stays there."""

    def faulty() -> int:
        FAULTS[name](pytest.MonkeyPatch())
        return work()

    return faulty
