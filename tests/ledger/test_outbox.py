from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from tests.backends import open_ledger, plan_of

from crossborder.errors import LedgerError, NotFound
from crossborder.ledger import AttemptDraft, Frozen, Ledger, ReceiptLine, Sent
from crossborder.reconcile import apply_receipts

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


def states(ledger: Ledger) -> list[str]:
    return [a.state for a in ledger.attempts_in()]


def test_nothing_goes_before_a_person_lets_it_go(ledger: Ledger) -> None:
    batch = hand_in(ledger, 2)
    assert ledger.freezable(10) == []
    done = ledger.release([batch], "tester", NOW, {"hangzhou": True})
    assert (done.manifests, done.declarations, done.awaiting_manifest) == (1, 0, 2)
    assert [d.kind for d in ledger.freezable(10)] == ["manifest"]
    assert ledger.batch(batch).submitted_by == "tester"
    again = ledger.release([batch], "another", NOW, {"hangzhou": True})
    assert (again.batches, again.manifests) == ((), 0)
    assert ledger.batch(batch).submitted_by == "tester"


def test_where_no_manifest_is_wanted_all_goes(ledger: Ledger) -> None:
    batch = hand_in(ledger, 2)
    done = ledger.release([batch], "tester", NOW, {"hangzhou": False})
    assert (done.manifests, done.declarations, done.awaiting_manifest) == (1, 2, 0)
    assert [d.kind for d in ledger.freezable(10)] == ["manifest", "declaration", "declaration"]


def test_an_unsealed_batch_cannot_go(ledger: Ledger) -> None:
    sealed = hand_in(ledger, 1)
    batch = ledger.begin_batch(source("b.csv"), NOW)
    with pytest.raises(LedgerError, match="not completely recorded"):
        ledger.release([sealed, batch.id], "tester", NOW, {})
    assert ledger.batch(sealed).submitted_at is None


def test_an_appended_manifest_waits_for_the_part_before(ledger: Ledger) -> None:
    batch = ledger.begin_batch(source(), NOW)
    drafts = [declaration(0), manifest([0]), manifest([1], part=2)]
    ledger.record_block(batch.id, [shipment(0)], drafts, [], [], NOW)
    ledger.seal(batch.id, {}, NOW)
    ledger.release([batch.id], "tester", NOW, {})
    assert [d.key for d in ledger.freezable(10)] == [f"{MASTER}|CX123|I|1"]


def other_file(ledger: Ledger, drafts: list[AttemptDraft], rows: int, **named: Any) -> str:
    """A sealed batch of shipments 0, 1, … with these attempts; what has no declaration was rejected."""
    batch = ledger.begin_batch(source(**named), NOW)
    declared = {d.position for d in drafts if d.kind == "declaration"}
    shipments = [
        shipment(n, outcome="prepared" if n in declared else "rejected") for n in range(rows)
    ]
    ledger.record_block(batch.id, shipments, drafts, [], [], NOW)
    ledger.seal(batch.id, {}, NOW)
    return batch.id


def accept(ledger: Ledger) -> str:
    """Queue and send what is ready, one manifest of it, and have customs take that; its key."""
    queue(ledger)
    sent = [Sent(o.attempt_id, "received") for o in claim(ledger)]
    ledger.record_outcomes(sent, NOW, f"{ledger.owner}/w")
    (key_,) = [a.key for a in ledger.attempts_in(kind="manifest", states=["sent"])]
    master, voyage, _, _ = key_.split("|")
    line = ReceiptLine(0, "EXP312", master, None, voyage, None, None, "NY", "20261123190000000", None, None, None)  # fmt: skip
    ref = ledger.store_receipt("hangzhou", key_, key_.encode(), NOW)
    ledger.save_read(ref.id, "EXP312", [line])
    apply_receipts(ledger, 10, NOW)
    return key_


def test_letting_declarations_go_lets_their_manifest_of_an_earlier_file_go(ledger: Ledger) -> None:
    """All of the first file was rejected, so nobody submits it; its manifest lists what the second one files."""
    first = other_file(ledger, [manifest([0, 1])], 2)
    second = other_file(ledger, [declaration(0), declaration(1)], 2, name="corrected.csv")
    done = ledger.release([second], "tester", NOW, {})
    assert (done.manifests, done.awaiting_manifest) == (1, 2)
    assert [(d.kind, d.batch_id) for d in ledger.freezable(10)] == [("manifest", first)]
    assert ledger.batch(first).submitted_at is None
    (told,) = [e for a in ledger.attempts_in(kind="manifest") for e in ledger.timeline(a.id)]
    assert (told.verb, told.who, told.to_state) == ("submitted", "tester", None)


def test_the_parts_before_go_too_each_in_its_turn(ledger: Ledger) -> None:
    other_file(ledger, [manifest([0])], 1)
    other_file(ledger, [manifest([1], part=2)], 2, name="b.csv")
    last = other_file(
        ledger, [declaration(0), declaration(1), declaration(2), manifest([2], part=3)], 3, name="c.csv"
    )  # fmt: skip
    ledger.release([last], "tester", NOW, {})
    assert [accept(ledger).rpartition("|")[2] for _ in range(3)] == ["1", "2", "3"]
    queue(ledger)
    assert [a.state for a in ledger.attempts_in(kind="declaration")] == ["sent", "sent", "queued"]


def test_a_manifest_that_nothing_let_go_stands_on_stays(ledger: Ledger) -> None:
    other_file(ledger, [manifest([0])], 1)
    other_file(ledger, [manifest([1], endpoint="ningbo", part=2)], 2, name="b.csv")
    other = other_file(ledger, [declaration(1)], 2, name="c.csv")
    ledger.release([other], "tester", NOW, {})
    assert [d.key.rpartition("|")[2] for d in ledger.freezable(10)] == ["1"]
    assert accept(ledger).endswith("|1")
    assert [d.endpoint for d in ledger.freezable(10)] == []


def test_bytes_are_frozen_once(ledger: Ledger) -> None:
    batch = hand_in(ledger, 1, listed=False)
    ledger.release([batch], "tester", NOW, {"hangzhou": False})
    (draft,) = ledger.freezable(10)
    assert ledger.freeze([Frozen(draft.attempt_id, "ID1", b"first")], NOW) == [draft.attempt_id]
    assert ledger.freeze([Frozen(draft.attempt_id, "ID2", b"second")], NOW) == []
    assert ledger.document(draft.attempt_id) == b"first"
    assert ledger.draft(draft.attempt_id) == declaration(0).body
    assert ledger.attempt(draft.attempt_id).message_id == "ID1"
    assert ledger.freezable(10) == []


def test_manifests_are_claimed_first(ledger: Ledger) -> None:
    batch = hand_in(ledger, 3)
    ledger.release([batch], "tester", NOW, {"hangzhou": False})
    queue(ledger)
    claimed = claim(ledger, 2)
    assert [o.kind for o in claimed] == ["manifest", "declaration"]
    assert [o.sends for o in claimed] == [1, 1]
    assert len(claim(ledger)) == 2
    assert claim(ledger) == []
    assert ledger.claim("ningbo", ledger.owner, 10, NOW, MINUTE) == []


def test_what_became_of_it(ledger: Ledger) -> None:
    ready(ledger, 4)
    a, b, c, d = claim(ledger)
    done = [
        Sent(a.attempt_id, "received"),
        Sent(b.attempt_id, "declined", "declined: no such port"),
        Sent(c.attempt_id, "not_received", retry_at=NOW + MINUTE),
        Sent(d.attempt_id, "unknown", "no_answer"),
    ]
    told = ledger.record_outcomes(done, NOW, f"{ledger.owner}/w")
    assert told == ["sent", "platform_failed", "not_received", "unknown"]
    (declined,) = ledger.known([b.key])
    assert (declined.live, declined.final) == (False, True)
    assert [k.live for k in ledger.known([a.key, c.key, d.key])] == [True] * 3
    assert [e.to_state for e in ledger.timeline(d.attempt_id)] == ["queued", "sending", "unknown"]


def test_not_received_goes_again_with_the_same_bytes(ledger: Ledger) -> None:
    ready(ledger, 1)
    (first,) = claim(ledger)
    ledger.record_outcome(
        first.attempt_id, "not_received", "connect_failed", NOW, f"{ledger.owner}/w", retry_at=NOW + MINUTE
    )  # fmt: skip
    assert claim(ledger, now=NOW) == []
    (again,) = claim(ledger, now=NOW + MINUTE)
    assert (again.message_id, again.ref, again.sends) == (first.message_id, first.ref, 2)
    assert again.created == first.created


def test_an_unknown_is_never_claimed(ledger: Ledger) -> None:
    ready(ledger, 1)
    (lost,) = claim(ledger)
    ledger.record_outcome(lost.attempt_id, "unknown", "no_answer", NOW, f"{ledger.owner}/w")
    assert claim(ledger, now=NOW + 100 * MINUTE) == []
    assert ledger.unknowns("hangzhou", NOW, rest=MINUTE) == []
    (found,) = ledger.unknowns("hangzhou", NOW + MINUTE, rest=MINUTE)
    assert found.attempt_id == lost.attempt_id
    assert found.unknown_since == NOW


@pytest.mark.parametrize(
    ("found", "state", "live"),
    [
        ("received", "sent", True),
        ("not_received", "not_received", True),
        ("declined", "platform_failed", False),
        ("unknown", "unknown", True),
    ],
)
def test_a_look_up_settles_an_unknown(ledger: Ledger, found: str, state: str, live: bool) -> None:
    ready(ledger, 1)
    (lost,) = claim(ledger)
    ledger.record_outcome(lost.attempt_id, "unknown", "", NOW, f"{ledger.owner}/w")
    assert ledger.settle_unknown(lost.attempt_id, found, "", NOW + MINUTE) == state
    assert ledger.known([lost.key])[0].live is live
    still = ledger.unknowns("hangzhou", NOW + MINUTE)
    assert [o.unknown_since for o in still] == ([NOW] if state == "unknown" else [])
    if state != "unknown":
        assert ledger.settle_unknown(lost.attempt_id, "not_received", "", NOW) == state


def test_other_content_under_the_id_calls_a_person(ledger: Ledger) -> None:
    ready(ledger, 1)
    (one,) = claim(ledger)
    ledger.record_outcome(
        one.attempt_id, "unknown", "other_digest", NOW, f"{ledger.owner}/w", attention="other_digest"
    )  # fmt: skip
    (marked,) = ledger.attempts_in(attention=True)
    assert marked.attention == ("other_digest",)


def test_a_dead_workers_messages_become_unknown_at_once(home: Path) -> None:
    with open_ledger(home) as dead:
        ready(dead, 3)
        assert len(claim(dead, 2)) == 2
    with open_ledger(home) as ledger:
        assert ledger.recover(NOW, f"{ledger.owner}/w") == 2
        assert states(ledger) == ["unknown", "unknown", "queued"]
        assert ledger.recover(NOW, f"{ledger.owner}/w") == 0


def test_a_living_workers_messages_are_its_own(ledger: Ledger, home: Path) -> None:
    ready(ledger, 1)
    claim(ledger)
    with open_ledger(home) as other:
        assert other.recover(NOW + MINUTE, f"{other.owner}/w") == 0
        assert other.recover(NOW + 2 * MINUTE, f"{other.owner}/w") == 1  # the lease has run out


def test_a_lease_is_renewed(ledger: Ledger) -> None:
    ready(ledger, 1)
    claim(ledger)
    assert ledger.renew(f"{ledger.owner}/w", NOW + MINUTE, 2 * MINUTE) == 1
    assert ledger.recover(NOW + 2 * MINUTE, f"{ledger.owner}/other") == 0


@pytest.mark.parametrize("late", ["received", "declined", "not_received", "unknown"])
def test_of_late_answers_only_received_counts(ledger: Ledger, late: str) -> None:
    ready(ledger, 1)
    (one,) = claim(ledger)
    ledger.recover(NOW + 3 * MINUTE, f"{ledger.owner}/other")
    told = ledger.record_outcome(one.attempt_id, late, "", NOW + 3 * MINUTE, f"{ledger.owner}/w")
    assert told == ("sent" if late == "received" else "unknown")
    assert ledger.timeline(one.attempt_id)[-1].verb in ("answered", "answered_late")


def test_a_late_received_stops_the_next_try(ledger: Ledger) -> None:
    ready(ledger, 1)
    (one,) = claim(ledger)
    ledger.recover(NOW + 3 * MINUTE, f"{ledger.owner}/other")
    ledger.settle_unknown(one.attempt_id, "not_received", "", NOW + 3 * MINUTE)
    told = ledger.record_outcome(one.attempt_id, "received", "", NOW + 4 * MINUTE, f"{ledger.owner}/w")  # fmt: skip
    assert told == "sent"
    assert claim(ledger, now=NOW + 5 * MINUTE) == []


def test_an_outcome_nobody_knows_is_refused(ledger: Ledger) -> None:
    ready(ledger, 1)
    (one,) = claim(ledger)
    with pytest.raises(LedgerError):
        ledger.record_outcome(one.attempt_id, "perhaps", "", NOW, f"{ledger.owner}/w")
    assert states(ledger) == ["sending"]


class TestResolve:
    def lost(self, ledger: Ledger) -> int:
        ready(ledger, 2)
        one, _ = claim(ledger)
        ledger.record_outcome(one.attempt_id, "unknown", "", NOW, f"{ledger.owner}/w")
        return one.attempt_id

    @pytest.mark.parametrize(("as_", "state"), [("received", "sent"), ("not-received", "not_received")])  # fmt: skip
    def test_by_waybill(self, ledger: Ledger, as_: str, state: str) -> None:
        attempt = self.lost(ledger)
        tried = ledger.resolve(f" {house(0).lower()} ", as_, "asked the desk", "tester", NOW, dry_run=True)  # fmt: skip
        assert (tried.to_state, ledger.attempt(attempt).state) == (state, "unknown")
        done = ledger.resolve(house(0), as_, "asked the desk", "tester", NOW)
        assert (done.attempt_id, ledger.attempt(attempt).state) == (attempt, state)
        last = ledger.timeline(attempt)[-1]
        assert (last.who, last.verb, last.detail) == ("tester", "resolved", {"reason": "asked the desk"})  # fmt: skip
        with pytest.raises(LedgerError, match="nothing to resolve"):
            ledger.resolve(attempt, as_, "again", "tester", NOW)

    def test_needs_a_reason_a_word_and_an_unknown(self, ledger: Ledger) -> None:
        self.lost(ledger)
        with pytest.raises(LedgerError, match="reason"):
            ledger.resolve(house(0), "received", " ", "tester", NOW)
        with pytest.raises(LedgerError, match="maybe"):
            ledger.resolve(house(0), "maybe", "why", "tester", NOW)
        with pytest.raises(LedgerError, match="sending"):
            ledger.resolve(house(1), "received", "why", "tester", NOW)
        with pytest.raises(NotFound):
            ledger.resolve("NOBODY", "received", "why", "tester", NOW)

    def test_a_manifest_by_its_master_waybill(self, ledger: Ledger) -> None:
        batch = hand_in(ledger, 1)
        ledger.release([batch], "tester", NOW, {})
        queue(ledger)
        (one,) = claim(ledger)
        ledger.record_outcome(one.attempt_id, "unknown", "", NOW, f"{ledger.owner}/w")
        assert ledger.resolve(MASTER, "received", "seen there", "tester", NOW).key == one.key


def test_acknowledging_takes_the_mark_away(ledger: Ledger) -> None:
    ready(ledger, 1)
    (one,) = claim(ledger)
    ledger.record_outcome(one.attempt_id, "unknown", "", NOW, f"{ledger.owner}/w", attention="other_digest")  # fmt: skip
    ledger.acknowledge(one.attempt_id, "looked", "tester", NOW)
    assert ledger.attempts_in(attention=True) == []
    assert ledger.timeline(one.attempt_id)[-1].detail["attention"] == "other_digest"


def test_pending_counts_what_filing_works_on(ledger: Ledger) -> None:
    batch = hand_in(ledger, 3)
    ledger.release([batch], "tester", NOW, {})
    assert ledger.pending(["hangzhou"])["ready"] == 1
    queue(ledger)
    found = ledger.pending(["hangzhou"])
    assert (found["queued"], found["awaiting_manifest"], found["ready"]) == (1, 3, 0)
    assert ledger.pending(["ningbo"])["queued"] == 0


def test_serials_are_never_given_twice(ledger: Ledger, home: Path) -> None:
    first = ledger.reserve_serials(5)
    with open_ledger(home) as other:
        second = other.reserve_serials(3)
    assert [*first, *second] == list(range(1, 9))
    assert list(ledger.reserve_serials(1)) == [9]


def test_the_searches_use_indexes(ledger: Ledger) -> None:
    """What runs every second must not read every attempt there ever was."""
    plans = {
        "ready": "SELECT * FROM attempts WHERE attempts.ready AND kind = 'x' ORDER BY id LIMIT 20",
        "state": "SELECT * FROM attempts WHERE state = 'queued' AND endpoint = 'x' AND kind = 'declaration'"
        " ORDER BY id LIMIT 20",
        "key": "SELECT * FROM attempts WHERE kind = 'declaration' AND key IN ('a', 'b')",
    }  # fmt: skip
    with ledger.read() as connection:
        if connection.dialect.name == "postgresql":
            plans["state"] += " FOR UPDATE SKIP LOCKED"
        else:
            plans["ready"] = plans["ready"].replace("ready AND", "ready = 1 AND")
        for name, sql in plans.items():
            plan = " ".join(plan_of(connection, sql))
            assert re.search("USING INDEX|Index Scan|Bitmap Index", plan), (name, plan)
            assert "TEMP B-TREE" not in plan, (name, plan)


def test_keys_of_a_batch_are_listed(ledger: Ledger) -> None:
    hand_in(ledger, 2)
    assert [a.key for a in ledger.attempts_in(kind="declaration")] == [key(0), key(1)]
    assert [a.key for a in ledger.attempts_in(master="999-0000 0001", limit=1)] == [key(0)]
    assert [a.kind for a in ledger.attempts_of(MASTER)] == ["manifest"]
    assert ledger.shipments_of(house(1))[0].position == 1
