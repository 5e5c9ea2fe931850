"""Everything that can happen, in any order: nothing is lost, doubled or left standing nowhere (P3, P4, P5)."""

from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from crossborder.ledger import Ledger
from crossborder.reconcile import account, differences

from .book import MASTER, Book, at, house, key

HOUSES = range(4)
CODES = ["D0", "D1", "D2", "D3", "Y", "N", "A", "00", "05", "11", "22", "77"]


class Desk(RuleBasedStateMachine):
    """A desk with four parcels, a far side that loses answers, and receipts in any order."""

    _empty: Path | None = None

    @initialize()
    def begin(self) -> None:
        if Desk._empty is None:
            Desk._empty = Path(tempfile.mkdtemp()) / "home"
            Ledger.open(Desk._empty).close()
        self.folder = Path(tempfile.mkdtemp())
        shutil.copytree(Desk._empty, self.folder / "home")
        self.book = Book(self.folder / "home")
        self.there: dict[str, tuple[str, int]] = {}
        self.shipments = 0
        self.manifests = 0

    def teardown(self) -> None:
        if hasattr(self, "book"):
            self.book.ledger.close()
            shutil.rmtree(self.folder)

    @rule(numbers=st.sets(st.sampled_from(HOUSES), min_size=1), manifest=st.booleans())
    def hand_in(self, numbers: set[int], manifest: bool) -> None:
        """As the engine does: what is live is already filed, the rest becomes attempts."""
        live = {k.key for k in self.book.ledger.known([key(n) for n in numbers]) if k.live}
        filed = {n: "already_filed" for n in numbers if key(n) in live}
        listed = sorted(numbers) if manifest and not self.manifested() else []
        self.book.hand_in(
            sorted(numbers - set(filed)), outcomes=filed, listed=listed, manifest_first=bool(listed),
            content=str(self.shipments),
        )  # fmt: skip
        self.shipments += len(numbers)

    def manifested(self) -> bool:
        return bool(self.book.ledger.live_manifest_parts(f"{MASTER}|CX123|I|"))

    @rule(
        outcomes=st.lists(
            st.sampled_from(["received", "lost_answer", "lost", "not_received", "declined"]),
            min_size=8, max_size=8,
        )
    )  # fmt: skip
    def send(self, outcomes: list[str]) -> None:
        """The far side takes it, takes it and says nothing, or never gets it."""
        self.book.queue()
        ledger, now = self.book.ledger, self.book.now
        claimed = ledger.claim("hangzhou", self.book.owner, 8, now, timedelta(minutes=1))
        for one, outcome in zip(claimed, outcomes, strict=False):
            assert ledger.payload(one.ref, now)
            if outcome in ("received", "lost_answer"):
                digest, arrivals = self.there.get(one.message_id, (one.digest, 0))
                self.there[one.message_id] = (digest, arrivals + 1)
            said = "unknown" if outcome.startswith("lost") else outcome
            ledger.record_outcome(one.attempt_id, said, "", now, self.book.owner)
        self.book.later(0.5)

    @rule()
    def look_up(self) -> None:
        for one in self.book.ledger.unknowns("hangzhou", self.book.now):
            found = "received" if one.message_id in self.there else "not_received"
            self.book.ledger.settle_unknown(one.attempt_id, found, "", self.book.now)

    @rule(n=st.sampled_from(HOUSES), code=st.sampled_from(CODES), minutes=st.integers(0, 6),
          op_type=st.sampled_from(["ADD", "ADD", "MOD"]))  # fmt: skip
    def hear(self, n: int, code: str, minutes: int, op_type: str) -> None:
        """Anything may be said of anything, also nonsense, of messages the far side has."""
        if any(a.message_id in self.there for a in self.book.ledger.attempts_of(house(n))):
            self.book.say(n, code, minutes, op_type=op_type)

    @rule(code=st.sampled_from(["DY", "NY", "NN", "DN"]), minutes=st.integers(0, 6),
          houses=st.dictionaries(st.sampled_from(HOUSES), st.sampled_from(["NY", "NN"])))  # fmt: skip
    def hear_of_manifest(self, code: str, minutes: int, houses: dict[int, str]) -> None:
        if any(a.message_id in self.there for a in self.book.ledger.attempts_of(MASTER)):
            self.book.say_manifest(code, minutes, houses)

    @rule()
    def apply(self) -> None:
        self.book.apply()

    @rule()
    def restart(self) -> None:
        """The process dies with messages in its hands; the next one takes over."""
        ledger, now = self.book.ledger, self.book.now
        self.book.queue()
        held = ledger.claim("hangzhou", self.book.owner, 2, now, timedelta(hours=9))
        ledger.close()
        self.book.ledger = Ledger.open(self.folder / "home")
        assert self.book.ledger.recover(now, self.book.owner) == len(held)

    @rule(n=st.sampled_from(HOUSES))
    def a_person_frees(self, n: int) -> None:
        for one in self.book.ledger.attempts_of(house(n)):
            if one.live and one.final and not one.released:
                self.book.ledger.free(one.id, "decided", "tester", self.book.now)

    @invariant()
    def everything_is_somewhere(self) -> None:
        if not hasattr(self, "book"):
            return
        counted = account(self.book.ledger)
        assert counted.handed_in.shipments == self.shipments
        assert counted.conserved
        said = [
            {"message_id": message, "digest": digest, "arrivals": arrivals}
            for message, (digest, arrivals) in self.there.items()
        ]
        assert differences(self.book.ledger, {"hangzhou": said}) == []

    @invariant()
    def one_is_live_at_most(self) -> None:
        if not hasattr(self, "book"):
            return
        attempts = self.book.ledger.attempts_in()
        live = [(a.kind, a.key) for a in attempts if a.live]
        assert len(live) == len(set(live))
        released = {a.key for a in attempts if a.released}
        newer = [a for a in attempts if a.key in released and a.state in ("queued", "not_received")]
        assert all(a.attention for a in newer)

    @invariant()
    def nothing_arrived_twice(self) -> None:
        if hasattr(self, "book"):
            assert all(arrivals == 1 for _, arrivals in self.there.values())


TestDesk = Desk.TestCase
TestDesk.settings = settings(
    max_examples=12,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def test_the_clock_of_receipts_is_ours() -> None:
    assert at(1.5) == "20261123180130000"
