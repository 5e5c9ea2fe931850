"""A lost answer means `unknown`: left by a receipt, a look-up or a recorded decision, never by a blind resend (P5).

Broken by: sending again what may have arrived, counting an unknown twice, or leaving that state without a trace.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from crossborder.engine import Engine
from crossborder.errors import LedgerError, NotFound
from crossborder.sandbox import Faults
from crossborder.settings import Endpoint
from crossborder.transport import LookedUp, Outgoing, Submitted, load_dialect
from crossborder.transport.http import HttpTransport

from .firm import HTTP, Firm, day, ending, endpoints, firm, houses

LOST = {"SBW5": "error", "SBW6": "hang", "SBW7": "reset", "SBW8": "nonsense"}


@pytest.mark.parametrize("end", LOST, ids=LOST.values())
def test_a_lost_answer_is_settled_by_look_up_or_receipt_and_counted_once(
    tmp_path: Path, end: str
) -> None:
    sample = ending(day(4), {0: end, 2: end})
    with firm(tmp_path, faults=Faults(hang_seconds=3), timeout_seconds=0.5) as desk:
        batch = desk.flow(sample)
        assert desk.lines(batch) == {"released": 4}
        assert desk.arrivals() == dict.fromkeys(houses(sample), 1)
        verbs = [
            line["what"].split(":")[0]
            for line in desk.engine.status(houses(sample)[0])[0]["timeline"]
        ]
        assert verbs.count("claimed") == 1
        desk.balanced(batch)


def test_what_never_arrived_goes_again_with_the_same_bytes(tmp_path: Path) -> None:
    sample = ending(day(4), {1: "SBW9"})
    house = houses(sample)[1]
    with firm(tmp_path) as desk:
        batch = desk.prepare(sample).batch
        desk.engine.submit([batch], wait=30)
        desk.settled()
        assert desk.lines(batch) == {"released": 4}
        assert desk.sandbox is not None
        (told,) = desk.engine.status(house)
        arrived = [a for a in desk.sandbox.arrivals(HTTP) if a["message_id"] == told["message_id"]]
        assert len(arrived) == 2, "the first was not taken"
        assert desk.arrivals()[house] == 1
        assert desk.sandbox.received(HTTP, told["message_id"]) == desk.engine.document(
            told["attempt_id"]
        )
        desk.balanced(batch)


def test_manifests_may_be_unknown_too(tmp_path: Path) -> None:
    with firm(tmp_path, faults=Faults(lost_answers=0.4)) as desk:
        batch = desk.flow(day(10))
        assert desk.lines(batch) == {"released": 10}
        assert set((desk.arrivals() + desk.arrivals("EXP311")).values()) == {1}
        desk.balanced(batch)


class Blind(HttpTransport):
    """The same gateway, which nobody can ask afterwards."""

    can_look_up = False

    def __init__(self, endpoint: Endpoint, name: str) -> None:
        super().__init__(endpoint, name, load_dialect("http-gateway"))

    def look_up(self, key: str, message_id: str, digest: str) -> LookedUp:
        """Never to be called."""
        raise AssertionError("asked although it cannot look up")


class Silent:
    """A transport that loses every answer; `taken` are the messages it was given."""

    can_look_up = False
    trouble = ""
    taken: ClassVar[list[Outgoing]] = []

    def __init__(self, endpoint: Endpoint, name: str) -> None:
        del endpoint, name

    def submit(self, message: Outgoing) -> Submitted:
        """Take it and lose the answer."""
        self.taken.append(message)
        return Submitted("unknown", detail="lost")

    def look_up(self, key: str, message_id: str, digest: str) -> LookedUp:
        """Never to be called."""
        raise AssertionError("asked although it cannot look up")

    def receipts(self) -> Iterator[object]:
        """Nothing ever comes back."""
        return iter(())


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[tuple[Firm, str]]:
    """A firm whose every message is of unknown fate, and its batch."""
    Silent.taken.clear()
    desk = Firm(tmp_path, None)
    served = {
        n: e.model_copy(
            update={
                "transport": f"{__name__}:Silent",
                "address": "nowhere",
                "manifest_first": False,
            }
        )
        for n, e in endpoints(None).items()
    }
    desk.engine = Engine(desk.settings.model_copy(update={"endpoints": served}), home=desk.home)
    with desk.engine:
        batch = desk.prepare(day(3)).batch
        done = desk.engine.submit([batch], wait=1)
        assert done.unknown == sum(done.states.values()) + sum(done.manifests.values())
        yield desk, batch


def test_an_unknown_that_nobody_can_look_up_stays_and_is_shown(silent: tuple[Firm, str]) -> None:
    desk, batch = silent
    given = len(Silent.taken)
    assert desk.lines(batch) == {"unknown": 3}
    desk.engine.submit([batch], wait=1)
    assert len(Silent.taken) == given, "sent again blindly"
    assert desk.engine.submit([batch], wait=0).needs_attention
    named = [row for row in desk.engine.report([batch]).attention if row["what"] == "unknown"]
    assert {row["shipment"] for row in named} >= set(houses(day(3)))


@pytest.mark.parametrize("as_", ["received", "not-received"])
def test_a_person_may_decide_with_a_reason(silent: tuple[Firm, str], as_: str) -> None:
    desk, batch = silent
    house = houses(day(3))[0]
    first = next(m for m in Silent.taken if house in m.key)
    tried = desk.engine.resolve(house, as_, reason="asked the port", who="wang", dry_run=True)
    assert (tried["from"], desk.states(batch)[house]) == ("unknown", "unknown")
    done = desk.engine.resolve(house, as_, reason="asked the port", who="wang")
    assert (
        done["to"]
        == desk.states(batch)[house]
        == {"received": "sent", "not-received": "not_received"}[as_]
    )
    (event,) = [e for e in desk.engine.ledger.timeline(told(desk, house)) if e.verb == "resolved"]
    assert (event.who, event.detail["reason"]) == ("wang", "asked the port")
    given = len(Silent.taken)
    desk.engine.submit([batch], wait=1)
    again = Silent.taken[given:]
    if as_ == "received":
        assert again == []
    else:
        assert [(m.message_id, m.digest, m.body) for m in again] == [
            (first.message_id, first.digest, first.body)
        ]


def told(desk: Firm, house: str) -> int:
    """The attempt of a house waybill."""
    return int(desk.engine.status(house)[0]["attempt_id"])


def test_a_decision_needs_a_reason_an_unknown_and_a_known_word(silent: tuple[Firm, str]) -> None:
    desk, batch = silent
    house = houses(day(3))[0]
    before = desk.states(batch)
    for wrong in ({"as_": "received", "reason": " "}, {"as_": "maybe", "reason": "x"}):
        with pytest.raises(LedgerError):
            desk.engine.resolve(house, **wrong)
    with pytest.raises(NotFound):
        desk.engine.resolve("NOBODY1", "received", reason="x")
    assert desk.states(batch) == before
    desk.engine.resolve(house, "received", reason="x")
    with pytest.raises(LedgerError, match="not unknown"):
        desk.engine.resolve(house, "not-received", reason="x")


def test_a_receipt_settles_an_unknown_that_nobody_could_look_up(tmp_path: Path) -> None:
    sample = ending(day(4), {0: "SBW7"})
    with firm(tmp_path, transport_for={HTTP: f"{__name__}:Blind"}) as desk:
        batch = desk.flow(sample)
        assert desk.lines(batch) == {"released": 4}
        assert desk.arrivals() == dict.fromkeys(houses(sample), 1)


def test_declined_by_the_gateway_frees_the_key(tmp_path: Path) -> None:
    sample = ending(day(4), {3: "SBW2"})
    with firm(tmp_path) as desk:
        batch = desk.flow(sample)
        assert desk.lines(batch) == {"refused": 1, "released": 3}
        assert desk.states(batch)[houses(sample)[3]] == "platform_failed"
        assert desk.prepare(sample).counts == {"already_filed": 3, "prepared": 1}
        desk.balanced(batch)


def test_what_the_import_client_refuses_afterwards_is_not_lost_from_sight(tmp_path: Path) -> None:
    sample = ending(day(4, port="3101"), {3: "SBW2"})
    house = houses(sample)[3]
    with firm(tmp_path) as desk:
        batch = desk.flow(sample)
        assert desk.lines(batch) == {"refused": 1, "released": 3}
        (told,) = desk.engine.status(house)
        assert told["state"] == "platform_failed"
        (event,) = [
            e for e in desk.engine.ledger.timeline(told["attempt_id"]) if e.verb == "refused_later"
        ]
        assert "SANDBOX" in event.detail["detail"], "what the client wrote beside it"
        again = desk.prepare(sample)
        assert again.counts == {"already_filed": 3, "prepared": 1}
        desk.engine.submit([again.batch], wait=20)
        desk.settled()
        assert [s["state"] for s in desk.engine.status(house)] == ["platform_failed"] * 2
        assert house in {row["shipment"] for row in desk.engine.report([again.batch]).attention}
        desk.balanced(batch, again.batch)
