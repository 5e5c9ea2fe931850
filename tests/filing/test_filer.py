"""Sending: each message once, outcomes recorded, what is not sent given back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from tests.backends import spoil

from crossborder.errors import LedgerError
from crossborder.ledger import Ledger
from crossborder.testing import message
from crossborder.transport import Submitted

from .office import (
    POLICY,
    Far,
    Office,
    answer_lost,
    arrives,
    conflict,
    declined,
    down,
    message_lost,
    raises,
)


def test_everything_queued_is_sent_once(office: Office) -> None:
    office.queue(12)
    far = Far()
    assert office.run(office.filer(far)) is None
    assert office.states() == {"sent": 12}
    assert len(far.arrived) == len({m.message_id for m in far.arrived}) == 12
    assert office.tally.counts == {"received": 12}


def test_what_is_sent_is_what_was_frozen(office: Office) -> None:
    office.queue(1)
    far = Far()
    office.run(office.filer(far))
    (sent,) = far.arrived
    ((ident, digest, kind),) = office.rows("message_id, digest, message_type")
    assert (sent.message_id, sent.digest, sent.message_type) == (ident, digest, kind)
    assert sent.body == message(1, message_id=sent.message_id).body
    assert sent.created == office.now


def test_a_step_sends_at_most_one_message(office: Office) -> None:
    office.queue(7)
    far = Far()
    filer = office.filer(far)
    for count in range(1, 8):
        assert filer.step(office.now) == office.now
        assert len(far.tries) == count


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (answer_lost, "unknown"),
        (message_lost, "unknown"),
        (raises, "unknown"),
        (declined, "platform_failed"),
        (down, "not_received"),
    ],
)
def test_each_outcome_has_its_state_and_stops_nobody_else(
    office: Office, answer: Any, state: str
) -> None:
    office.queue(3)
    far = Far(answer)
    office.run(office.filer(far))
    assert office.states()[state] >= 1
    office.later(61)
    office.run(office.filer(far))
    expected = {"sent": 3} if answer is down else {"sent": 2, state: 1}
    assert office.states() == expected


def test_an_unknown_is_never_sent_again_by_a_sender(office: Office) -> None:
    office.queue(3)
    far = Far(answer_lost, message_lost)
    for _ in range(5):
        office.run(office.filer(far))
        office.later(10_000)
    assert len(far.tries) == len(set(far.tries)) == 3
    assert office.states() == {"unknown": 2, "sent": 1}


def test_the_same_bytes_go_again_when_nothing_had_left(office: Office) -> None:
    office.queue(1)
    seen = []

    def down_and_seen(far: Far, sent: object) -> Submitted:
        seen.append(sent)
        return Submitted("unknown", nothing_left=True, detail="connect_failed")

    far = Far(down_and_seen)
    wake = office.run(office.filer(far))
    assert wake == office.now + POLICY.retry
    office.now = wake
    office.run(office.filer(far))
    assert seen == far.arrived
    assert office.states() == {"sent": 1}


def test_an_endpoint_that_is_down_is_left_in_peace_with_growing_rests(office: Office) -> None:
    office.queue(10)
    far = Far(*[down] * 4)
    filer = office.filer(far)
    rests = []
    for _ in range(4):
        wake = office.run(filer)
        assert wake is not None
        rests.append((wake - office.now).total_seconds())
        office.now = wake
    assert rests == [5, 10, 20, 40]
    assert len(far.tries) == 4  # one try per rest, not ten
    assert office.tally.troubles == {"hangzhou": "connect_failed"}
    assert office.run(filer) is None
    assert office.states() == {"sent": 10}
    assert office.tally.troubles == {}


def test_sending_rests_when_answers_are_lost_in_a_row(office: Office) -> None:
    office.queue(10)
    far = Far(answer_lost, answer_lost, answer_lost)
    filer = office.filer(far)
    wake = office.run(filer)
    assert wake is not None
    assert wake > office.now
    assert office.states() == {"unknown": 3, "not_received": 2, "queued": 5}
    office.now = wake
    office.run(filer)
    assert office.states() == {"unknown": 3, "sent": 7}


def test_single_losses_do_not_stop_sending(office: Office) -> None:
    office.queue(9)
    far = Far(answer_lost, arrives, answer_lost, answer_lost, arrives)
    assert office.run(office.filer(far)) is None
    assert office.states() == {"unknown": 3, "sent": 6}


def test_other_bytes_under_our_id_call_a_person(office: Office) -> None:
    office.queue(1)
    office.run(office.filer(Far(conflict)))
    assert office.rows("state, attention") == [("unknown", "other_digest")]


def test_manifests_and_declarations_of_another_endpoint_are_not_touched(office: Office) -> None:
    office.queue(2, "hangzhou")
    office.queue(2, "ningbo")
    office.run(office.filer(Far()))
    assert office.states() == {"sent": 2, "queued": 2}


def test_damaged_bytes_are_never_sent(office: Office) -> None:
    office.queue(3)
    second = office.ledger.attempts_in()[1]
    assert second.frozen is not None
    spoil(office.home, second.frozen, at=5)
    far = Far()
    office.run(office.filer(far))
    assert len(far.arrived) == 2
    assert office.rows("state, attention") == [
        ("sent", None), ("suspended", "payload_damaged"), ("sent", None),
    ]  # fmt: skip
    assert office.tally.counts["damaged"] == 1


# ---- the end, and leases ----------------------------------------------------------------------------


def test_when_the_end_is_near_the_rest_goes_back(office: Office) -> None:
    office.queue(5)
    far = Far()
    filer = office.filer(far)
    filer._stopping = lambda: len(far.tries) == 2
    office.run(filer)
    assert office.states() == {"sent": 2, "not_received": 3}
    office.run(office.filer(far, "another"))
    assert office.states() == {"sent": 5}
    assert len(set(far.tries)) == len(far.tries) == 5


def test_close_records_what_is_known(office: Office) -> None:
    office.queue(5)
    far = Far()
    filer = office.filer(far)
    filer.step(office.now)
    filer.step(office.now)
    assert office.states() == {"sending": 5}
    filer.close(office.now)
    assert office.states() == {"sent": 2, "not_received": 3}


def test_what_is_known_is_recorded_within_a_second(office: Office) -> None:
    office.queue(5)
    filer = office.filer(Far())
    filer.step(office.now)
    assert office.states() == {"sending": 5}
    filer.step(office.later(1.0))
    assert office.states() == {"sending": 3, "sent": 2}


def test_nothing_is_sent_when_the_lease_may_end_before_the_answer(office: Office) -> None:
    office.queue(5)
    slow = Far()
    filer = office.filer(slow)
    filer.step(office.now)
    office.later((POLICY.lease - POLICY.longest).total_seconds())
    filer.step(office.now)
    assert len(slow.tries) == 1
    assert office.states() == {"sent": 1, "not_received": 4}


def test_a_clock_set_back_ends_the_claim(office: Office) -> None:
    office.queue(5)
    far = Far()
    filer = office.filer(far)
    filer.step(office.now)
    filer.step(office.now - timedelta(hours=1))
    assert len(far.tries) == 1
    assert office.states() == {"sent": 1, "not_received": 4}


def test_a_clock_set_forward_and_back_sends_nothing_twice(office: Office) -> None:
    """While the clock was ahead its lease ended, and another sent what it held; its own clock shows nothing of that."""
    office.queue(3)
    far = Far()
    asleep = office.filer(far, "asleep")
    asleep.step(office.now)
    began = office.now
    office.later(POLICY.lease.total_seconds() + 1)
    resolver = office.resolver(far)
    for _ in range(3):
        office.run(resolver)
        office.later(2)
    office.run(office.filer(far, "other"))
    assert office.states() == {"sent": 3}
    office.now = began + timedelta(seconds=1)
    office.run(asleep)
    assert len(far.tries) == len(set(far.tries)) == 3
    assert office.states() == {"sent": 3}
    assert office.tally.counts["lost"] == 2


def test_two_senders_never_hold_the_same_message(office: Office) -> None:
    office.queue(20)
    far = Far()
    one, two = office.filer(far, "1"), office.filer(far, "2")
    for _ in range(40):
        one.step(office.now)
        two.step(office.now)
    assert len(far.tries) == len(set(far.tries)) == 20
    assert office.states() == {"sent": 20}


def test_a_sender_that_lost_its_lease_does_no_harm(office: Office) -> None:
    """It hung in one try until another took its rows back: its 'received' still counts, nothing is doubled."""
    office.queue(3)
    far = Far()
    hung = office.filer(far, "hung")
    hung.step(office.now)
    office.later(POLICY.lease.total_seconds() + 1)
    other = office.filer(far, "other")
    office.run(other)
    assert office.states() == {"unknown": 3}
    hung.close(office.now)
    assert office.states() == {"unknown": 2, "sent": 1}


def test_a_sender_that_cannot_ask_afterwards_takes_one_at_a_time(office: Office) -> None:
    office.queue(5)
    far = Far(can_look_up=False)
    filer = office.filer(far)
    filer.step(office.now)
    assert office.states() == {"sent": 1, "queued": 4}


def test_what_its_own_former_life_left_is_unknown(office: Office) -> None:
    office.queue(3)
    far = Far()
    office.filer(far, "1").step(office.now)  # and then it is lost without a word
    assert office.states() == {"sending": 3}
    office.run(office.filer(far, "1"))
    assert office.states() == {"unknown": 3}
    assert len(far.tries) == 1


# ---- the ledger fails -------------------------------------------------------------------------------


def test_an_outcome_that_cannot_be_recorded_is_not_forgotten(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.queue(1)
    far = Far()
    filer = office.filer(far)

    def locked(*_: object) -> None:
        raise LedgerError("database is locked") from OperationalError("", {}, Exception("locked"))

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "record_outcomes", locked)
        with pytest.raises(LedgerError):
            filer.step(office.now)
        with pytest.raises(LedgerError):
            filer.step(office.now)
    assert far.tries == [m.message_id for m in far.arrived]
    assert office.states() == {"sending": 1}
    filer.close(office.now)
    assert office.states() == {"sent": 1}


def test_an_answer_that_is_none_is_unknown(office: Office) -> None:
    office.queue(2)
    odd: list[Any] = [lambda far, m: None, lambda far, m: SimpleNamespace(outcome="received")]
    office.run(office.filer(Far(*odd), policy=replace(POLICY, patience=9)))
    assert office.states() == {"unknown": 2}
