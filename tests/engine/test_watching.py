"""When filing ends: when nothing has moved for as long as it may wait, however often it is tried in vain.

Broken by: taking a try that came to nothing for a step forward, or overlooking one that did not.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from crossborder import china_time, messages
from crossborder.engine import filing
from crossborder.filing import Tally, drain, queue_job

from .firm import HTTP, Firm, day, firm


class Looked:
    """A batch that is queued, and the watch over it with a clock of its own."""

    def __init__(self, desk: Firm) -> None:
        self.ledger, self.tally = desk.engine.ledger, Tally()
        batch = desk.prepare(day(4)).batch
        desk.engine.let_go(batch, "library")
        ids = filing._Ids(self.ledger, desk.settings)
        queued = queue_job(
            self.ledger, messages.stamp, ids, stop=threading.Event(), tally=self.tally
        )
        drain([queued], until_idle=True)
        self.start = china_time.now()
        wait = timedelta(seconds=60)
        self.watch = filing._Watch(
            self.ledger, [batch], wait, self.tally, lambda _done, _total: None
        )

    def at(self, seconds: float) -> datetime:
        return self.start + timedelta(seconds=seconds)

    def ended(self, seconds: float) -> bool:
        return self.watch._finished(self.at(seconds))

    def send(self, outcome: str, seconds: float) -> None:
        """One message leaves, and this is what becomes of it."""
        now, owner = self.at(seconds), self.ledger.owner
        (out,) = self.ledger.claim(HTTP, owner, 1, now, timedelta(seconds=120))
        self.ledger.record_outcome(out.attempt_id, outcome, "", now, owner, retry_at=now)
        self.tally.add(outcome)


@pytest.mark.parametrize("outcome", ["not_received", "unknown"])
def test_tries_in_vain_are_no_step_forward(tmp_path: Path, outcome: str) -> None:
    with firm(tmp_path) as desk:
        looked = Looked(desk)
        assert not looked.ended(0)
        for second in (10, 59):
            looked.send(outcome, second)
            looked.tally.add("looked_up")
            assert not looked.ended(second)
        assert looked.ended(60)


def test_what_arrives_is_a_step_forward(tmp_path: Path) -> None:
    with firm(tmp_path) as desk:
        looked = Looked(desk)
        assert not looked.ended(0)
        looked.send("received", 50)
        assert not looked.ended(50)
        assert not looked.ended(109)
        assert looked.ended(110)
