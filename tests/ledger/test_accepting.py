"""Letting pass, as the ledger does it: one transaction, one attempt per key, nothing sent before a person lets it go."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select
from tests.backends import spoil

from crossborder.errors import LedgerError
from crossborder.ledger import Attempts, Ledger, PayloadRef, Settled, tables
from crossborder.reconcile import differences

from .desk import (
    MINUTE,
    NOW,
    declaration,
    held,
    house,
    key,
    manifest,
    queue,
    shipment,
    source,
    waits,
)


def accept(ledger: Ledger, batch: str, rule: str = "PRO-01", **more: object):  # type: ignore[no-untyped-def]  # the answer
    return ledger.accept(batch, rule, "seen", "Li", NOW + MINUTE, **more)  # type: ignore[arg-type]


def test_the_kept_bytes_are_those_of_the_attempt(ledger: Ledger) -> None:
    batch = held(ledger, 3)
    assert differences(ledger) == []
    assert ledger.freezable(10) == []
    accept(ledger, batch)
    made = ledger.attempts_in(batch_ids=[batch], kind="declaration")
    assert [(a.key, a.number, a.live, a.state, a.endpoint) for a in made] == [
        (key(n), 1, True, "prepared", "hangzhou") for n in range(3)
    ]
    assert [ledger.draft(a.id) for a in made] == [declaration(n).body for n in range(3)]
    assert ledger.batch(batch).counts == {"on_hold": 0, "prepared": 3}
    assert differences(ledger) == []


def test_nothing_of_it_goes_before_it_is_submitted(ledger: Ledger) -> None:
    batch = held(ledger, 2)
    ledger.release([batch], "Li", NOW, {"hangzhou": False})
    assert queue(ledger) == 1  # the manifest
    accept(ledger, batch)
    assert queue(ledger) == 0
    moved = ledger.release([batch], "Li", NOW, {"hangzhou": False})
    assert moved.declarations == 2
    assert queue(ledger) == 2
    assert ledger.release([batch], "Li", NOW, {"hangzhou": False}).batches == ()
    assert differences(ledger) == []


def test_a_rule_accepted_before_counts(ledger: Ledger) -> None:
    batch = held(ledger, 2, rules=("PRO-01", "CLS-17", "NAM-01"))
    assert accept(ledger, batch, "CLS-17").by == {"NAM-01": 2, "PRO-01": 2}
    assert accept(ledger, batch, "NAM-01", waybills=[house(1)]).by == {"PRO-01": 1}
    last = accept(ledger, batch)
    assert (last.prepared, last.by) == (1, {"NAM-01": 1})
    assert [e.detail["accepted"] for e in ledger.timeline(ledger.attempts_of(house(1))[0].id)] == [
        [{"rule": r, "who": "Li", "reason": "seen"} for r in ("CLS-17", "NAM-01", "PRO-01")]
    ]
    assert differences(ledger) == []


def test_what_was_voided_when_the_batch_was_sealed_stands_again(ledger: Ledger) -> None:
    """Its document is that of the voided attempt: the same attempt, which never left, stands again."""
    batch = ledger.begin_batch(source(), NOW)
    drafts = [declaration(0), declaration(1), manifest([0, 1])]
    ledger.record_block(batch.id, [shipment(0), shipment(1)], drafts, [], [], NOW)
    ledger.seal(batch.id, {"prepared": 2}, NOW, rows=4, settled=[Settled(1, "on_hold")], findings=[[waits(1)]])  # fmt: skip
    (voided,) = [a for a in ledger.attempts_of(house(1)) if not a.live]
    assert accept(ledger, batch.id).prepared == 1
    (again,) = ledger.attempts_of(house(1))
    assert (again.id, again.number, again.live, again.state, again.final) == (voided.id, 1, True, "prepared", False)  # fmt: skip
    assert differences(ledger) == []


def test_a_shipment_with_a_rejecting_finding_never_passes(ledger: Ledger) -> None:
    """Even if it should be recorded as held: the finding counts."""
    batch = ledger.begin_batch(source(), NOW)
    findings = [waits(0), waits(0, "LIM-01", "reject")]
    ledger.record_block(batch.id, [shipment(0, outcome="on_hold")], [], findings, [], NOW)
    ledger.seal(batch.id, {"on_hold": 1}, NOW, rows=2)
    assert accept(ledger, batch.id).by == {"LIM-01": 1}
    with pytest.raises(LedgerError, match="LIM-01 rejects 1"):
        accept(ledger, batch.id, "LIM-01")


def test_a_rule_that_holds_and_rejects_the_same_shipment_lets_it_not_pass(ledger: Ledger) -> None:
    batch = ledger.begin_batch(source(), NOW)
    findings = [waits(0, "CLS-17"), waits(0, "CLS-17", "reject")]
    kept = Attempts.of([declaration(0)])
    ledger.record_block(
        batch.id, [shipment(0, outcome="on_hold")], [], findings, [], NOW, held=kept
    )
    ledger.seal(batch.id, {"on_hold": 1}, NOW, rows=2)
    said = accept(ledger, batch.id, "CLS-17")
    assert (said.prepared, said.by) == (0, {"CLS-17": 1})


def test_only_of_a_sealed_batch(ledger: Ledger) -> None:
    batch = ledger.begin_batch(source(), NOW)
    ledger.record_block(batch.id, [shipment(0, outcome="on_hold")], [], [waits(0)], [], NOW)
    with pytest.raises(LedgerError, match="completely recorded"):
        accept(ledger, batch.id)


def test_damaged_bytes_of_a_held_one_are_named(ledger: Ledger, home: Path) -> None:
    batch = held(ledger, 2)
    with ledger.read() as connection:
        kept = tables.held_drafts.c
        query = select(kept.draft_segment, kept.draft_offset, kept.draft_length, kept.draft_digest)
        place = connection.execute(query.order_by(kept.shipment_id)).all()[-1]
    spoil(home, PayloadRef(*place))
    (found,) = differences(ledger)
    assert (found.what, found.where) == ("payload_damaged", f"{batch} {house(1)}")


def test_a_document_that_was_left_is_a_difference(ledger: Ledger) -> None:
    held(ledger, 1)
    with ledger.write() as connection:
        connection.exec_driver_sql("UPDATE shipments SET outcome = 'already_filed'")
    assert "document_left" in {d.what for d in differences(ledger)}
