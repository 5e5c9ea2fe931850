"""Suspend, resume, void, and what only a person may decide: never what has left, and whoever comes first has it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import text
from tests.backends import put, spoil

from crossborder.errors import LedgerError, NotFound
from crossborder.ledger import Frozen, Ledger, Ruling, Selection, verbs
from crossborder.ledger.houses import set_houses
from crossborder.ledger.records import Sent

from .desk import (
    MASTER,
    MINUTE,
    NOW,
    claim,
    declaration,
    hand_in,
    house,
    key,
    manifest,
    queue,
    ready,
    shipment,
    source,
)

WHY = "customs asked for it by telephone"


def holds(_message: str, code: str) -> bool:
    return code not in ("N", "NN", "D1")


def suspend(
    ledger: Ledger, *waybills: str, dry: bool = False, **more: Sequence[str]
) -> list[Ruling]:
    return ledger.suspend(Selection(waybills, **more), WHY, "wang", NOW, dry_run=dry)


def resume(ledger: Ledger, *waybills: str, first: bool = True, dry: bool = False, **more: Sequence[str]) -> list[Ruling]:  # fmt: skip
    return ledger.resume(Selection(waybills, **more), WHY, "wang", NOW, {"hangzhou": first}, dry_run=dry)  # fmt: skip


def void(ledger: Ledger, *waybills: str, dry: bool = False, **more: Sequence[str]) -> list[Ruling]:
    return ledger.void(Selection(waybills, **more), WHY, "wang", NOW, holds, dry_run=dry)


def states(ledger: Ledger, kind: str | None = None) -> list[str]:
    return [a.state for a in ledger.attempts_in(kind=kind)]


def told(rulings: Sequence[Ruling]) -> list[tuple[str, str, str]]:
    return [(r.from_state, r.to_state, r.why) for r in rulings]


def intact(ledger: Ledger) -> bool:
    return ledger.audit().intact


# -- suspend and resume


def test_nothing_suspended_is_sent_and_it_goes_on_where_it_was(ledger: Ledger) -> None:
    ready(ledger, 2)
    (done,) = suspend(ledger, house(0))
    assert done == Ruling(1, "declaration", key(0), "20261123-01", "queued", "suspended")
    assert [o.key for o in claim(ledger)] == [key(1)]
    last = ledger.timeline(1)[-1]
    assert (last.who, last.verb, last.from_state, last.to_state, last.detail) == (
        "wang", "suspended", "queued", "suspended", {"reason": WHY},
    )  # fmt: skip
    before = ledger.attempt(1)
    assert told(resume(ledger, house(0))) == [("suspended", "queued", "")]
    (sent,) = claim(ledger)
    assert (sent.message_id, sent.digest) == (before.message_id, before.digest)
    assert ledger.timeline(1)[-2].verb == "resumed"
    assert intact(ledger)


def test_a_dry_run_says_the_same_and_changes_nothing(ledger: Ledger) -> None:
    ready(ledger, 2)
    head = ledger.audit_head()
    tried = [suspend(ledger, house(0), dry=True), void(ledger, house(1), dry=True)]
    assert (ledger.audit_head(), states(ledger)) == (head, ["queued", "queued"])
    assert tried == [suspend(ledger, house(0)), void(ledger, house(1))]
    tried_again = resume(ledger, house(0), dry=True)
    assert states(ledger) == ["suspended", "voided"]
    assert tried_again == resume(ledger, house(0))


@pytest.mark.parametrize("first", [True, False])
def test_what_was_suspended_before_its_batch_was_let_go(ledger: Ledger, first: bool) -> None:
    """Letting the batch go does not let it go; resumed, it goes as far as the others have."""
    batch = hand_in(ledger, 2)
    suspend(ledger, house(0))
    ledger.release([batch], "tester", NOW, {"hangzhou": first})
    queue(ledger)
    assert ledger.attempt(1).state == "suspended"
    expected = "awaiting_manifest" if first else "prepared"
    assert told(resume(ledger, house(0), first=first)) == [("suspended", expected, "")]
    assert [d.key for d in ledger.freezable(10)] == ([] if first else [key(0)])
    assert intact(ledger)


def test_a_batch_that_nobody_let_go_stays_so(ledger: Ledger) -> None:
    hand_in(ledger, 1)
    suspend(ledger, batches=["20261123-01"])
    assert states(ledger) == ["suspended", "suspended"]
    assert told(resume(ledger, batches=["20261123-01"])) == [("suspended", "prepared", "")] * 2
    assert ledger.freezable(10) == []


def accept_houses(ledger: Ledger, *, refuse: Sequence[int] = ()) -> None:
    """Customs takes the manifest in."""
    ledger.record_outcomes([Sent(o.attempt_id, "received") for o in claim(ledger)], NOW, f"{ledger.owner}/w")  # fmt: skip
    with ledger.write() as connection:
        (own,) = [a.id for a in ledger.attempts_in(kind="manifest", states=["sent"])]
        known = {key(n) for n in refuse}
        rows = connection.execute(text("SELECT declaration_key FROM manifest_houses")).scalars()
        said = {k: "refused" if k in known else "accepted" for k in rows}
        set_houses(connection, own, said)


def test_one_that_waits_for_its_manifest_is_ready_if_that_came_meanwhile(ledger: Ledger) -> None:
    batch = hand_in(ledger, 2)
    ledger.release([batch], "tester", NOW, {})
    suspend(ledger, house(0))
    queue(ledger)
    accept_houses(ledger)
    assert [d.key for d in ledger.freezable(10)] == [key(1)]
    resume(ledger, house(0))
    assert [d.key for d in ledger.freezable(10)] == [key(0), key(1)]


def test_one_whose_house_was_refused_meanwhile_says_so(ledger: Ledger) -> None:
    batch = hand_in(ledger, 2)
    ledger.release([batch], "tester", NOW, {})
    suspend(ledger, house(0))
    queue(ledger)
    accept_houses(ledger, refuse=[0])
    assert ledger.attempt(1).attention == ()
    resume(ledger, house(0))
    assert (ledger.attempt(1).state, ledger.attempt(1).attention) == ("awaiting_manifest", ("house_refused",))  # fmt: skip
    assert [d.key for d in ledger.freezable(10)] == [key(1)]


def test_a_suspended_manifest_and_who_waits_for_it(ledger: Ledger) -> None:
    batch = hand_in(ledger, 3)
    ledger.release([batch], "tester", NOW, {})
    (done,) = suspend(ledger, MASTER)
    assert (done.kind, done.waiting, done.to_state) == ("manifest", 3, "suspended")
    assert ledger.freezable(10) == []
    assert states(ledger, "declaration") == ["awaiting_manifest"] * 3
    resume(ledger, MASTER)
    assert [d.kind for d in ledger.freezable(10)] == ["manifest"]


def test_a_manifest_that_was_let_go_for_another_batch_is_let_go_again(ledger: Ledger) -> None:
    """The declarations stand in a second file; its manifest came with the first, which nobody submits."""
    batch = ledger.begin_batch(source("a.csv"), NOW)
    ledger.record_block(batch.id, [shipment(0, 0, "rejected")], [manifest([0])], [], [], NOW)
    ledger.seal(batch.id, {}, NOW, rows=2)
    second = hand_in(ledger, 1, listed=False, name="b.csv")
    ledger.release([second], "tester", NOW, {})
    assert [d.kind for d in ledger.freezable(10)] == ["manifest"]
    suspend(ledger, MASTER)
    assert ledger.freezable(10) == []
    resume(ledger, MASTER)
    assert [d.kind for d in ledger.freezable(10)] == ["manifest"]


def test_a_later_part_is_not_let_go_before_its_time(ledger: Ledger) -> None:
    batch = ledger.begin_batch(source(), NOW)
    drafts = [declaration(0), manifest([0]), manifest([1], part=2)]
    ledger.record_block(batch.id, [shipment(0)], drafts, [], [], NOW)
    ledger.seal(batch.id, {}, NOW, rows=2)
    ledger.release([batch.id], "tester", NOW, {})
    suspend(ledger, MASTER)
    resume(ledger, MASTER)
    assert [d.key for d in ledger.freezable(10)] == [f"{MASTER}|CX123|I|1"]


# -- what is left alone


def test_each_says_why_it_is_left_alone(ledger: Ledger) -> None:
    ready(ledger, 5)
    sent = claim(ledger, 3)
    ledger.record_outcomes(
        [Sent(sent[0].attempt_id, "received"), Sent(sent[1].attempt_id, "unknown")], NOW, f"{ledger.owner}/w"
    )  # fmt: skip
    suspend(ledger, house(3))
    all_ = {"batches": ["20261123-01"]}
    assert [r.why for r in sorted(suspend(ledger, **all_, dry=True))] == ["left", "unknown", "being_sent", "suspended", ""]  # fmt: skip
    assert [r.why for r in sorted(resume(ledger, **all_, dry=True))] == ["not_suspended"] * 3 + ["", "not_suspended"]  # fmt: skip
    assert [r.why for r in sorted(void(ledger, **all_, dry=True))] == ["left", "unknown", "being_sent", "", ""]  # fmt: skip
    before = states(ledger)
    assert suspend(ledger, house(0), house(1), house(2))
    assert states(ledger) == before


def test_what_has_ended_is_left_alone(ledger: Ledger) -> None:
    ready(ledger, 1)
    (one,) = claim(ledger)
    ledger.record_outcome(one.attempt_id, "declined", "", NOW, f"{ledger.owner}/w")
    assert [r.why for r in (*suspend(ledger, house(0)), *void(ledger, house(0)))] == ["ended"] * 2


def test_what_is_being_recorded_is_left_alone(ledger: Ledger) -> None:
    batch = ledger.begin_batch(source(), NOW)
    ledger.record_block(batch.id, [shipment(0)], [declaration(0)], [], [], NOW)
    for verb in (suspend, resume, void):
        assert [r.why for r in verb(ledger, house(0))] == ["unsealed"]
    assert states(ledger) == ["prepared"]


def test_bytes_that_are_still_damaged_stay_suspended(ledger: Ledger) -> None:
    ready(ledger, 2)
    (one, _) = claim(ledger)
    whole = spoil(ledger.home, one.ref)
    with pytest.raises(LedgerError):
        ledger.payload(one.ref, NOW)
    assert [r.why for r in resume(ledger, house(0))] == ["payload_damaged"]
    put(ledger.home, one.ref, whole)
    assert told(resume(ledger, house(0))) == [("suspended", "not_received", "")]
    assert ledger.attempt(1).attention == ()


def test_a_person_s_suspension_outlives_damage(ledger: Ledger) -> None:
    """Damage that is found and repaired meanwhile does not let it go."""
    batch = ready(ledger, 1)
    suspend(ledger, house(0))
    ref = ledger.attempt(1).frozen
    assert ref is not None
    whole = spoil(ledger.home, ref)
    with pytest.raises(LedgerError):
        ledger.payload(ref, NOW)
    put(ledger.home, ref, whole)
    ledger.release([batch], "tester", NOW, {})
    assert (ledger.attempt(1).state, ledger.attempt(1).attention) == ("suspended", ())
    assert told(resume(ledger, house(0))) == [("suspended", "queued", "")]


@pytest.mark.parametrize("verb", [suspend, resume, void])
def test_nobody_s_waybill_and_no_reason(ledger: Ledger, verb: Any) -> None:
    hand_in(ledger, 1)
    with pytest.raises(NotFound, match="NOBODY"):
        verb(ledger, "NOBODY")
    with pytest.raises(NotFound):
        verb(ledger, batches=["20200101-01"])
    hand_in(ledger, 1, first=7, listed=False, name="b.csv")
    with pytest.raises(NotFound, match="in these batches"):
        verb(ledger, house(0), batches=["20261123-02"])
    assert set(states(ledger)) == {"prepared"}


def test_a_verb_needs_a_reason_and_keeps_no_personal_number(ledger: Ledger) -> None:
    ready(ledger, 1)
    with pytest.raises(LedgerError, match="reason"):
        ledger.suspend(Selection([house(0)]), " \n", "wang", NOW)
    ledger.suspend(
        Selection([house(0)]), "收件人\n330100199001011234 电话 13800000000", "wang", NOW
    )
    assert ledger.timeline(1)[-1].detail["reason"] == "收件人 *** 电话 ***"


# -- void


def test_what_is_voided_never_goes_and_its_key_is_free(ledger: Ledger) -> None:
    ready(ledger, 2)
    assert told(void(ledger, house(0))) == [("queued", "voided", "")]
    assert [o.key for o in claim(ledger)] == [key(1)]
    row = ledger.attempt(1)
    assert (row.live, row.final, row.state) == (False, True, "voided")
    hand_in(ledger, 1, listed=False, name="again.csv")
    assert [(a.number, a.live) for a in ledger.attempts_of(house(0))] == [(1, False), (2, True)]
    assert [r.why for r in void(ledger, house(0), dry=True)] == [""]
    assert intact(ledger)


@pytest.mark.parametrize(
    ("outcome", "verb", "why"),
    [("not_received", "answered", ""), ("unknown", "looked_up", "left")],
)
def test_a_byte_may_have_left_or_certainly_has_not(
    ledger: Ledger, outcome: str, verb: str, why: str
) -> None:
    """Taken and given back, or the far side was not reached: nothing left. A look-up's 'not there' is another matter."""
    ready(ledger, 1)
    (one,) = claim(ledger)
    ledger.record_outcome(one.attempt_id, outcome, "given_back", NOW, f"{ledger.owner}/w")
    if verb == "looked_up":
        ledger.settle_unknown(one.attempt_id, "not_received", "", NOW)
    assert (ledger.attempt(1).state, ledger.timeline(1)[-1].verb) == ("not_received", verb)
    assert [r.why for r in void(ledger, house(0))] == [why]
    assert ledger.attempt(1).state == ("not_received" if why else "voided")


def test_damage_found_while_it_waits_says_nothing_of_what_left(ledger: Ledger) -> None:
    ready(ledger, 1)
    (one,) = claim(ledger)
    ledger.record_outcome(one.attempt_id, "unknown", "", NOW, f"{ledger.owner}/w")
    ledger.settle_unknown(one.attempt_id, "not_received", "", NOW)
    spoil(ledger.home, one.ref)
    with pytest.raises(LedgerError):
        ledger.payload(one.ref, NOW)
    assert ledger.attempt(1).state == "suspended"
    assert [r.why for r in void(ledger, house(0))] == ["left"]


def test_one_try_that_may_have_left_is_enough(ledger: Ledger) -> None:
    ready(ledger, 1)
    for outcome in ("unknown", "not_received"):
        (one,) = claim(ledger)
        ledger.record_outcome(one.attempt_id, outcome, "", NOW, f"{ledger.owner}/w")
        if outcome == "unknown":
            ledger.resolve(one.attempt_id, "not-received", WHY, "wang", NOW)
    assert [r.why for r in void(ledger, house(0))] == ["left"]


def test_damaged_before_it_was_sent_it_may_be_voided(ledger: Ledger) -> None:
    """As the message about damaged bytes says."""
    ready(ledger, 1)
    (one,) = claim(ledger)
    spoil(ledger.home, one.ref)
    with pytest.raises(LedgerError, match="void the attempt"):
        ledger.payload(one.ref, NOW)
    assert told(void(ledger, house(0))) == [("suspended", "voided", "")]


def test_a_voided_manifest_leaves_its_houses_listed_nowhere(ledger: Ledger) -> None:
    batch = hand_in(ledger, 2)
    ledger.release([batch], "tester", NOW, {})
    (done,) = void(ledger, MASTER)
    assert (done.waiting, done.to_state) == (2, "voided")
    assert ledger.manifested([key(0), key(1)]) == {}
    assert states(ledger, "declaration") == ["awaiting_manifest"] * 2
    again = ledger.begin_batch(source("again.csv"), NOW)
    rows = [shipment(n, outcome="already_filed")._replace(attempt_id=n + 1) for n in range(2)]
    ledger.record_block(again.id, rows, [manifest([0, 1])], [], [], NOW)
    ledger.seal(again.id, {}, NOW, rows=4)
    ledger.release([again.id], "tester", NOW, {})
    assert [d.kind for d in ledger.freezable(10)] == ["manifest"]


def test_an_earlier_part_is_not_voided_alone(ledger: Ledger) -> None:
    batch = ledger.begin_batch(source(), NOW)
    drafts = [declaration(0), manifest([0]), manifest([1], part=2)]
    ledger.record_block(batch.id, [shipment(0)], drafts, [], [], NOW)
    ledger.seal(batch.id, {}, NOW, rows=2)
    suspend(ledger, masters=[MASTER])
    (first, second) = [a.id for a in ledger.attempts_in(kind="manifest")]
    with ledger.write() as connection:  # the later part has left by now
        connection.execute(text(f"UPDATE attempts SET state = 'sent' WHERE id = {second}"))
    rulings = {r.attempt_id: r.why for r in void(ledger, MASTER)}
    assert rulings == {first: "later_part", second: "left"}
    with ledger.write() as connection:
        connection.execute(text(f"UPDATE attempts SET state = 'suspended' WHERE id = {second}"))
    assert {r.why for r in void(ledger, masters=[MASTER])} == {""}
    assert set(states(ledger)) == {"voided"}


# -- an older attempt that stands after all


def stands(ledger: Ledger, code: str = "11") -> None:
    """Customs refused the first attempt, a second was prepared; then it turned out that the first stands."""
    with ledger.write() as connection:
        for statement in (
            f"UPDATE attempts SET live = false, final = true, last_code = '{code}', attention = 'stands_after_all' WHERE id = 1",
        ):
            connection.execute(text(statement))
    hand_in(ledger, 1, listed=False, name="again.csv")
    with ledger.write() as connection:
        connection.execute(
            text("UPDATE attempts SET state = 'suspended', attention = 'older_stands' WHERE id = 2")
        )


@pytest.mark.parametrize(("code", "live"), [("11", True), ("N", False)])
def test_the_older_one_has_its_key_again(ledger: Ledger, code: str, live: bool) -> None:
    ready(ledger, 1)
    stands(ledger, code)
    assert [r.why for r in resume(ledger, house(0))] == ["older_stands"]
    assert told(void(ledger, house(0))) == [("suspended", "voided", "")]
    older = ledger.attempt(1)
    assert (older.live, older.attention) == (live, () if live else ("stands_after_all",))
    assert ledger.known([key(0)])[0].live is live


# -- who comes first


def test_a_sender_and_a_person_never_both_have_it(ledger: Ledger, home: Any) -> None:
    """Two processes, as many threads: of each message either the sender or the person gets hold."""
    ready(ledger, 60)
    got: set[str] = set()
    start = threading.Barrier(2)

    def send() -> None:
        with Ledger.open(home) as other:
            start.wait()
            for _ in range(30):
                got.update(o.key for o in claim(other, 2))

    sender = threading.Thread(target=send)
    sender.start()
    start.wait()
    mine: set[str] = set()
    for n in reversed(range(60)):
        verb = suspend if n % 2 else void
        mine |= {r.key for r in verb(ledger, house(n)) if not r.why}
    sender.join()
    assert not got & mine
    assert len(got | mine) == 60
    assert intact(ledger)


def test_it_moves_only_what_stands_as_it_was_looked_at(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Where rows may change between looking and moving (PostgreSQL), the update itself decides."""
    ready(ledger, 2)
    real = verbs._moved

    def overtaken(connection: Any, rows: Any, values: Any) -> set[int]:
        connection.execute(
            text(
                "UPDATE attempts SET state = 'sending', owner = 'x', sends = sends + 1 WHERE id = 1"
            )
        )
        return real(connection, rows, values)

    monkeypatch.setattr(verbs, "_moved", overtaken)
    assert [r.why for r in suspend(ledger, batches=["20261123-01"])] == ["being_sent", ""]
    assert states(ledger) == ["sending", "suspended"]
    monkeypatch.setattr(verbs, "_moved", real)
    assert [e.verb for e in ledger.timeline(1)] == ["queued"]


def test_what_is_frozen_meanwhile_is_passed_over(ledger: Ledger) -> None:
    """The queuer has looked, the person suspends, the queuer freezes: nothing is queued."""
    batch = hand_in(ledger, 1, listed=False)
    ledger.release([batch], "tester", NOW, {"hangzhou": False})
    (draft,) = ledger.freezable(10)
    suspend(ledger, house(0))
    assert ledger.freeze([Frozen(draft.attempt_id, "ID1", b"<x/>")], NOW) == []
    assert (ledger.attempt(1).state, ledger.attempt(1).frozen) == ("suspended", None)


# -- declined, and filed again by a person's decision


def test_a_person_knows_that_it_was_refused(ledger: Ledger) -> None:
    ready(ledger, 1)
    (one,) = claim(ledger)
    ledger.record_outcome(one.attempt_id, "unknown", "", NOW, f"{ledger.owner}/w")
    done = ledger.resolve(house(0), "declined", "customs 14:05: refused", "wang", NOW)
    row = ledger.attempt(1)
    assert (done.to_state, row.state, row.live, row.final, row.stage) == (
        "platform_failed", "platform_failed", False, True, "platform",
    )  # fmt: skip
    assert claim(ledger, now=NOW + 60 * MINUTE) == []
    hand_in(ledger, 1, listed=False, name="again.csv")
    assert intact(ledger)


def test_a_manifest_that_was_refused_loses_its_houses(ledger: Ledger) -> None:
    batch = hand_in(ledger, 2)
    ledger.release([batch], "tester", NOW, {})
    queue(ledger)
    (one,) = claim(ledger)
    ledger.record_outcome(one.attempt_id, "unknown", "", NOW, f"{ledger.owner}/w")
    ledger.resolve(MASTER, "declined", WHY, "wang", NOW)
    assert [a.attention for a in ledger.attempts_in(kind="declaration")] == [("house_refused",)] * 2
    assert ledger.manifested([key(0)]) == {}


def ended(ledger: Ledger, code: str, state: str, *, released: bool = False) -> None:
    ready(ledger, 1)
    (one,) = claim(ledger)
    ledger.record_outcome(one.attempt_id, "received", "", NOW, f"{ledger.owner}/w")
    with ledger.write() as connection:
        connection.execute(
            text(f"UPDATE attempts SET final = true, last_code = '{code}', state = '{state}', released = {released}")
        )  # fmt: skip


def person(message: str, code: str) -> bool:
    return (message, code) in {("EXP301", "D"), ("EXP301", "22"), ("EXP301", "43")}


def test_a_person_lets_it_be_filed_again(ledger: Ledger) -> None:
    ended(ledger, "D", "deleted")
    tried = ledger.free(house(0), person, WHY, "wang", NOW, dry_run=True)
    assert (tried.from_state, ledger.attempt(1).live) == ("deleted", True)
    ledger.free(house(0), person, WHY, "wang", NOW)
    assert (ledger.attempt(1).state, ledger.attempt(1).live) == ("deleted", False)
    last = ledger.timeline(1)[-1]
    assert (last.verb, last.who, last.detail) == ("freed", "wang", {"reason": WHY})
    hand_in(ledger, 1, listed=False, name="again.csv")
    with pytest.raises(LedgerError, match="leaves it to a person"):
        ledger.free(house(0), person, WHY, "wang", NOW)


@pytest.mark.parametrize(("code", "state"), [("07", "confiscated"), ("11", "released"), ("44", "sent_back")])  # fmt: skip
def test_what_is_not_a_person_s_to_decide_stays_taken(
    ledger: Ledger, code: str, state: str
) -> None:
    ended(ledger, code, state, released=code == "11")
    with pytest.raises(LedgerError, match="leaves it to a person") as caught:
        ledger.free(house(0), person, WHY, "wang", NOW)
    assert state in caught.value.text("en")
    assert ledger.attempt(1).live
