"""Unknown ends by asking: received, not received and sent again with the same bytes, or it stays and is shown."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from crossborder.transport import LookedUp, Outgoing, Submitted

from .office import POLICY, Far, Office, answer_lost, conflict, message_lost


def resolve(office: Office, far: Far) -> None:
    """Ask, and ask again after a rest."""
    resolver = office.resolver(far)
    for _ in range(2):
        office.later(2)
        office.run(resolver)


def lost(office: Office, far: Far, count: int = 1) -> None:
    """`count` messages queued and tried."""
    office.queue(count)
    office.run(office.filer(far))


def test_a_lost_answer_is_found_and_nothing_is_sent_again(office: Office) -> None:
    far = Far(answer_lost)
    lost(office, far)
    office.later(2)
    office.run(office.resolver(far))
    assert office.states() == {"sent": 1}
    office.run(office.filer(far))
    assert len(far.tries) == len(far.arrived) == 1


def test_a_lost_message_goes_again_with_the_same_id_and_bytes(office: Office) -> None:
    tried: list[Outgoing] = []

    def lost_and_seen(far: Far, sent: Outgoing) -> Submitted:
        tried.append(sent)
        return message_lost(far, sent)

    far = Far(lost_and_seen)
    lost(office, far)
    resolve(office, far)
    assert office.states() == {"not_received": 1}
    office.run(office.filer(far))
    assert office.states() == {"sent": 1}
    assert far.arrived == tried


def test_nothing_is_asked_before_it_has_settled(office: Office) -> None:
    """A message still on its way when we ask would be sent twice."""
    far = Far(message_lost)
    lost(office, far)
    resolver = office.resolver(far)
    office.run(resolver)
    office.later(1.9)
    office.run(resolver)
    assert far.asked == []
    office.later(0.1)
    office.run(resolver)
    assert len(far.asked) == 1


def test_not_received_must_be_said_twice(office: Office) -> None:
    """The message was on its way while we asked: the second answer shows it, and it is not sent again."""
    far = Far()
    on_its_way: list[Outgoing] = []

    def slow(far: Far, sent: Outgoing) -> Submitted:
        on_its_way.append(sent)
        return message_lost(far, sent)

    far.script = [slow]
    lost(office, far)
    resolver = office.resolver(far)
    office.later(2)
    wake = office.run(resolver)
    assert wake == office.now + POLICY.settle
    assert office.states() == {"unknown": 1}
    far.arrived += on_its_way
    office.now = wake
    office.run(resolver)
    assert office.states() == {"sent": 1}


def test_an_answer_between_two_denials_starts_anew(office: Office) -> None:
    far = Far(message_lost)
    lost(office, far)
    resolver = office.resolver(far)
    no, odd = LookedUp("not_received", detail="not_there"), LookedUp("unknown", detail="no_answer")
    answers = [no, odd, no, no]
    far.says = lambda message_id, digest: answers.pop(0)
    states = []
    for _ in range(40):
        office.later(1)
        before = len(answers)
        office.run(resolver)
        if len(answers) < before:
            states += list(office.states())
        if not answers:
            break
    assert states == ["unknown", "unknown", "unknown", "not_received"]


def test_still_unknown_stays_and_is_asked_less_and_less_often(office: Office) -> None:
    far = Far(message_lost)
    lost(office, far)
    far.says = lambda message_id, digest: LookedUp("unknown", detail="no_answer")
    resolver = office.resolver(far)
    asked = []
    for _ in range(600):
        office.later(1)
        before = len(far.asked)
        office.run(resolver)
        if len(far.asked) > before:
            asked.append(office.now.timestamp())
    gaps = [b - a for a, b in itertools.pairwise(asked)]
    assert gaps == [5, 7, 14, 28, 56, *[60] * 8]
    assert office.states() == {"unknown": 1}
    assert len(far.tries) == 1
    assert len(office.events("looked_up")) == 1  # the same answer again is no news


def test_a_receipt_that_was_faster_wins(office: Office) -> None:
    far = Far(message_lost)
    lost(office, far)
    office.later(2)
    resolver = office.resolver(far)

    def meanwhile(message_id: str, digest: str) -> LookedUp:
        with office.ledger.write() as connection:
            connection.exec_driver_sql("UPDATE attempts SET state = 'stored', stage = 'platform'")
        return LookedUp("not_received")

    far.says = meanwhile
    office.run(resolver)
    office.later(2)
    office.run(resolver)
    assert office.states() == {"stored": 1}


@pytest.mark.parametrize(
    ("answer", "state", "attention"),
    [
        (LookedUp("not_received", declined=True, detail="declined: x"), "platform_failed", None),
        (LookedUp("unknown", conflict=True, detail="other_digest"), "unknown", "other_digest"),
        (LookedUp("unknown", detail="connect_failed"), "unknown", None),
        ("nonsense", "unknown", None),
        (None, "unknown", None),
    ],
)
def test_each_answer(office: Office, answer: object, state: str, attention: str | None) -> None:
    far = Far(message_lost)
    lost(office, far)
    office.later(2)

    def says(message_id: str, digest: str) -> LookedUp:
        if answer is None:
            raise ZeroDivisionError
        return answer  # type: ignore[return-value]  # one of them is no answer at all

    far.says = says
    office.run(office.resolver(far))
    assert office.rows("state, attention") == [(state, attention)]


def test_other_content_under_our_id_stays_for_a_person(office: Office) -> None:
    far = Far(conflict)
    lost(office, far)
    office.later(2)
    far.says = lambda message_id, digest: LookedUp("unknown", conflict=True, detail="other_digest")
    office.run(office.resolver(far))
    office.run(office.filer(far))
    assert office.rows("state, attention") == [("unknown", "other_digest")]
    assert len(far.tries) == 1


def test_a_transport_that_cannot_ask_is_not_asked(office: Office) -> None:
    far = Far(message_lost, can_look_up=False)
    lost(office, far)
    office.later(10_000)
    office.run(office.resolver(far))
    assert far.asked == []
    assert office.states() == {"unknown": 1}


def test_what_dead_processes_hold_becomes_unknown_and_is_asked_for(office: Office) -> None:
    office.queue(5)
    far = Far()
    filer = office.filer(far)
    for _ in range(3):
        filer.step(office.now)  # three arrive, two are only claimed, nothing is recorded
    assert office.states() == {"sending": 5}
    office.later(POLICY.lease.total_seconds() + 1)
    resolver = office.resolver(far)
    resolver.step(office.now)
    assert office.states() == {"unknown": 5}
    for _ in range(2):
        office.later(2)
        office.run(resolver)
    assert office.states() == {"sent": 3, "not_received": 2}
    office.run(office.filer(far, "2"))
    assert office.states() == {"sent": 5}
    assert len(far.arrived) == len({m.message_id for m in far.arrived}) == 5


def test_leases_that_end_later_are_seen_too(office: Office) -> None:
    far = Far()
    resolver = office.resolver(far)
    wake = office.run(resolver)
    assert wake == office.now + POLICY.lease
    office.queue(1)
    office.filer(far).step(office.now)
    office.now = wake + timedelta(seconds=1)
    office.run(resolver)
    assert office.states() in ({"unknown": 1}, {"sent": 1})
    office.later(2)
    office.run(resolver)
    assert office.states() == {"sent": 1}


def test_many_unknowns_are_asked_one_per_step(office: Office) -> None:
    far = Far()
    office.queue(30)
    far.script = [answer_lost if n % 3 else message_lost for n in range(30)]
    filer = office.filer(far)
    while set(office.states()) - {"unknown"}:
        wake = office.run(filer)
        assert wake is not None
        office.now = wake
    office.later(2)
    resolver = office.resolver(far)
    for count in range(1, 31):
        assert resolver.step(office.now) == office.now
        assert len(far.asked) == count
    office.later(2)
    office.run(resolver)
    assert office.states() == {"sent": 20, "not_received": 10}


def test_a_new_unknown_of_the_same_message_is_asked_afresh(office: Office) -> None:
    """Lost, found not received, sent again, answer lost: the second unknown must not rest as long as the first."""
    far = Far(message_lost, answer_lost)
    lost(office, far)
    resolver = office.resolver(far)
    for _ in range(2):
        office.later(2)
        office.run(resolver)
    office.run(office.filer(far))
    assert office.states() == {"unknown": 1}
    office.later(2)
    office.run(resolver)
    assert office.states() == {"sent": 1}
    assert len(far.arrived) == 1


def test_an_answer_about_an_older_try_frees_nothing(office: Office) -> None:
    """Two ask at once; while one waits for its answer the other has the message sent again, and that answer is lost."""
    far = Far(message_lost, answer_lost)
    lost(office, far)
    slow, quick = office.resolver(far), office.resolver(far)
    office.later(2)
    office.run(slow)
    office.run(quick)
    office.later(2)

    def sent_meanwhile(message_id: str, digest: str) -> LookedUp:
        far.says = None
        office.run(quick)
        office.run(office.filer(far))
        return LookedUp("not_received")

    far.says = sent_meanwhile
    slow.step(office.now)
    assert len(far.arrived) == 1
    assert office.states() == {"unknown": 1}
    office.later(2)
    office.run(slow)
    assert office.states() == {"sent": 1}
    assert len(far.tries) == 2
