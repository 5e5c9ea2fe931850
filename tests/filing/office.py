"""For tests: a ledger with messages to file, and a far side in memory that does everything that goes wrong."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import text
from tests.backends import open_ledger

from crossborder.china_time import CHINA
from crossborder.filing import EndpointPolicy, Filer, Queuer, Resolver, Tally
from crossborder.ledger import AttemptDraft, BatchDraft, Draft, ShipmentRow
from crossborder.testing import message
from crossborder.transport import Incoming, LookedUp, Outgoing, Submitted, detail

START = datetime(2026, 11, 23, 18, 0, tzinfo=CHINA)
NO_ID = "ID-NOT-SET"
POLICY = EndpointPolicy(
    workers=1,
    lot=5,
    lease=timedelta(seconds=120),
    longest=timedelta(seconds=30),
    settle=timedelta(seconds=2),
    retry=timedelta(seconds=5),
    retry_most=timedelta(seconds=60),
    poll=timedelta(seconds=2),
)


def stamp(xml: bytes, *, message_id: str, at: datetime) -> bytes:
    """As `messages.stamp`, on the composed messages of the transport contract."""
    assert xml.count(NO_ID.encode()) == 1
    return xml.replace(NO_ID.encode(), message_id.encode())


def message_id(draft: Draft, at: datetime, serial: int) -> str:
    return f"DXPENT0000000001E010000{at:%Y%m%d%H%M%S}{serial:011d}"


class Office:
    """A ledger and a hand on the clock: `now` is moved by the test."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.ledger = open_ledger(home)
        self.now = START
        self.tally = Tally()
        self._numbers = itertools.count(1)

    def later(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now

    def prepare(self, count: int, endpoint: str = "hangzhou") -> str:
        """A sealed batch of `count` declarations, let go, waiting for no manifest."""
        drafts = [message(next(self._numbers), message_id=NO_ID) for _ in range(count)]
        batch = self.ledger.begin_batch(
            BatchDraft(f"{endpoint}.csv", "0" * 64, "canonical", "demo", count), self.now
        )
        shipments = [
            ShipmentRow(n, m.key, "99900000001", m.key.split("|")[1], m.key.split("|")[1], "I", "B",
                        str(n + 2), 1, "prepared", m.digest)
            for n, m in enumerate(drafts)
        ]  # fmt: skip
        attempts = [
            AttemptDraft("declaration", "EXP301", m.key, endpoint, "99900000001", m.key.split("|")[1],
                         None, "I", m.digest, m.body, n)
            for n, m in enumerate(drafts)
        ]  # fmt: skip
        self.ledger.record_block(batch.id, shipments, attempts, [], [], self.now)
        self.ledger.seal(batch.id, {"prepared": count}, self.now)
        self.ledger.release([batch.id], "tester", self.now, {endpoint: False})
        return batch.id

    def queue(self, count: int, endpoint: str = "hangzhou") -> str:
        """The same, frozen and queued."""
        batch = self.prepare(count, endpoint)
        queuer = Queuer(self.ledger, stamp, message_id)
        while queuer.step(self.now) is not None:
            pass
        return batch

    def states(self) -> Counter[str]:
        return Counter(self.attempts().values())

    def attempts(self) -> dict[str, str]:
        """House waybill → state, of every attempt."""
        with self.ledger.read() as connection:
            rows = connection.exec_driver_sql("SELECT house_waybill, state FROM attempts").all()
        return {str(house): str(state) for house, state in rows}

    def rows(self, columns: str) -> list[tuple[object, ...]]:
        with self.ledger.read() as connection:
            sql = f"SELECT {columns} FROM attempts ORDER BY id"
            return [tuple(row) for row in connection.exec_driver_sql(sql)]

    def events(self, verb: str) -> list[tuple[object, ...]]:
        with self.ledger.read() as connection:
            sql = "SELECT attempt_id, from_state, to_state, detail FROM events WHERE verb = :verb ORDER BY id"
            return [tuple(row) for row in connection.execute(text(sql), {"verb": verb})]

    def filer(self, far: Far, part: str = "1", policy: EndpointPolicy = POLICY) -> Filer:
        return Filer(
            self.ledger, "hangzhou", far, policy, f"{self.ledger.owner}/{part}", tally=self.tally
        )

    def resolver(self, far: Far, policy: EndpointPolicy = POLICY) -> Resolver:
        owner = f"{self.ledger.owner}/resolver"
        return Resolver(self.ledger, "hangzhou", far, policy, owner, tally=self.tally)

    def run(self, step: Filer | Resolver, limit: int = 1000) -> datetime | None:
        """Step until there is nothing to do at this moment; what the step said then."""
        for _ in range(limit):
            wake = step.step(self.now)
            if wake is None or wake > self.now:
                return wake
        raise AssertionError("it never comes to rest")


Answer = Callable[["Far", Outgoing], Submitted]


class Far:
    """A transport and its far side. `script` gives, try by try, what happens; afterwards all is well."""

    def __init__(self, *script: Answer, can_look_up: bool = True) -> None:
        self.can_look_up = can_look_up
        self.trouble = ""
        self.script = list(script)
        self.arrived: list[Outgoing] = []
        self.tries: list[str] = []
        self.asked: list[str] = []
        self.says: Callable[[str, str], LookedUp] | None = None
        self.waiting: dict[str, bytes] = {}
        self.acknowledged: list[str] = []

    def submit(self, message: Outgoing) -> Submitted:
        self.tries.append(message.message_id)
        answer = self.script.pop(0) if self.script else arrives
        return answer(self, message)

    def look_up(self, key: str, message_id: str, digest: str) -> LookedUp:
        self.asked.append(message_id)
        if self.says is not None:
            return self.says(message_id, digest)
        there = any((m.message_id, m.digest) == (message_id, digest) for m in self.arrived)
        return LookedUp("received" if there else "not_received")

    def receipts(self) -> Iterator[Incoming]:
        self.trouble = ""
        for name, data in list(self.waiting.items()):
            yield Incoming(name, data, partial(self._acknowledge, name))

    def _acknowledge(self, name: str) -> None:
        self.acknowledged.append(name)
        del self.waiting[name]

    def close(self) -> None:
        """Nothing to close."""


def arrives(far: Far, message: Outgoing) -> Submitted:
    far.arrived.append(message)
    return Submitted("received")


def answer_lost(far: Far, message: Outgoing) -> Submitted:
    far.arrived.append(message)
    return Submitted("unknown", detail=detail("connection_lost"))


def message_lost(far: Far, message: Outgoing) -> Submitted:
    return Submitted("unknown", detail=detail("no_answer"))


def down(far: Far, message: Outgoing) -> Submitted:
    return Submitted("unknown", nothing_left=True, detail=detail("connect_failed"))


def declined(far: Far, message: Outgoing) -> Submitted:
    return Submitted("declined", detail=detail("declined", "no such sender"))


def conflict(far: Far, message: Outgoing) -> Submitted:
    return Submitted("unknown", conflict=True, detail=detail("other_digest"))


def raises(far: Far, message: Outgoing) -> Submitted:
    raise ZeroDivisionError("a transport of somebody")
