from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.backends import open_ledger

from crossborder.errors import LedgerError, NotFound
from crossborder.ledger import Attempts, FindingRow, KeysTaken, Ledger, Settled, tables
from crossborder.ledger.dialects import insert_rows

from .desk import MASTER, NOW, declaration, hand_in, house, key, manifest, shipment, source


def test_a_batch_is_counted_from_its_days_first(ledger: Ledger) -> None:
    ids = [ledger.begin_batch(source(f"{n}.csv"), NOW).id for n in range(3)]
    assert ids == ["20261123-01", "20261123-02", "20261123-03"]
    assert [b.id for b in ledger.batches("20261123")] == ids
    assert ledger.batches("20261124") == []


def test_the_working_day_may_be_handed_in(ledger: Ledger) -> None:
    from dataclasses import replace

    assert ledger.begin_batch(replace(source(), day="20261122"), NOW).id == "20261122-01"


def test_block_by_block_then_sealed(ledger: Ledger) -> None:
    batch = ledger.begin_batch(source(), NOW)
    first = [shipment(0), shipment(1, outcome="rejected")]
    found = FindingRow(1, "EXP-04", "reject", "reject", '{"rule":"EXP-04"}')
    ledger.record_block(batch.id, first, [declaration(0)], [found], [(1, "too long")], NOW)
    ledger.record_block(batch.id, [shipment(2)], [declaration(2)], [], [], NOW)
    assert ledger.batch(batch.id).recorded == 3
    sealed = ledger.seal(batch.id, {"prepared": 2, "rejected": 1}, NOW, rows=6)
    assert (sealed.state, sealed.rows, sealed.counts) == ("sealed", 6, {"prepared": 2, "rejected": 1})  # fmt: skip
    assert [s.outcome for s in ledger.shipments_in(batch.id)] == ["prepared", "rejected", "prepared"]  # fmt: skip
    assert ledger.findings_of(batch.id) == [found]
    assert [(s.position, why) for s, why in ledger.not_manifested([batch.id])] == [(1, "too long")]
    assert [e.verb for e in ledger.batch_events(batch.id)] == ["begun", "recorded", "recorded", "sealed"]  # fmt: skip


def test_gaps_and_repetitions_of_a_block_are_refused(ledger: Ledger) -> None:
    batch = ledger.begin_batch(source(), NOW)
    ledger.record_block(batch.id, [shipment(0)], [declaration(0)], [], [], NOW)
    for positions in ([0], [2], [1, 3]):
        with pytest.raises(LedgerError, match="position 1"):
            ledger.record_block(batch.id, [shipment(p) for p in positions], [], [], [], NOW)
    assert ledger.batch(batch.id).recorded == 1


def test_outcome_and_attempt_must_agree(ledger: Ledger) -> None:
    batch = ledger.begin_batch(source(), NOW)
    with pytest.raises(LedgerError, match="has no attempt"):
        ledger.record_block(batch.id, [shipment(0)], [], [], [], NOW)
    with pytest.raises(LedgerError, match="has attempt"):
        ledger.record_block(
            batch.id, [shipment(0, outcome="rejected")], [declaration(0)], [], [], NOW
        )
    assert ledger.known([key(0)]) == []


def test_a_key_that_became_live_meanwhile_records_nothing(ledger: Ledger) -> None:
    mine = ledger.begin_batch(source("mine.csv"), NOW)
    hand_in(ledger, 2, name="other.csv", listed=False)
    with pytest.raises(KeysTaken) as taken:
        ledger.record_block(
            mine.id, [shipment(5, 0), shipment(1, 1)], [declaration(5, 0), declaration(1, 1)], [], [], NOW
        )  # fmt: skip
    assert taken.value.keys == (key(1),)
    assert ledger.batch(mine.id).recorded == 0
    assert ledger.known([key(5)]) == []


def test_a_house_that_came_to_stand_on_another_manifest_meanwhile_records_nothing(
    ledger: Ledger,
) -> None:
    """Both parts would be true to what their drafters were told, and customs would be told of the parcel twice."""
    mine = ledger.begin_batch(source("mine.csv"), NOW)
    other = hand_in(ledger, 2, name="other.csv")
    late = manifest([1, 5], part=2)
    with pytest.raises(KeysTaken) as taken:
        ledger.record_block(mine.id, [], [late, manifest([6], part=3)], [], [], NOW)
    assert taken.value.keys == (late.key,)
    assert [a.batch_id for a in ledger.attempts_of(MASTER) if a.kind == "manifest"] == [other]
    with ledger.write() as connection:
        refused = tables.manifest_houses.update().values(state="refused")
        connection.execute(refused.where(tables.manifest_houses.c.declaration_key == key(1)))
    ledger.record_block(mine.id, [], [late], [], [], NOW)
    assert set(ledger.manifested([key(1), key(5)], beside=other)) == {key(1), key(5)}


def test_a_block_of_manifests_may_be_recorded_again_by_its_own_batch(ledger: Ledger) -> None:
    batch = ledger.begin_batch(source(), NOW)
    for _ in range(2):
        ledger.record_block(batch.id, [], [manifest([1])], [], [], NOW)
    assert len([a for a in ledger.attempts_of(MASTER) if a.kind == "manifest"]) == 1


def test_a_key_twice_in_one_block_is_refused(ledger: Ledger) -> None:
    batch = ledger.begin_batch(source(), NOW)
    rows = [shipment(7, 0), shipment(7, 1)]
    with pytest.raises(KeysTaken):
        ledger.record_block(batch.id, rows, [declaration(7, 0), declaration(7, 1)], [], [], NOW)


def test_only_the_recorder_may_record(ledger: Ledger, home: Path) -> None:
    batch = ledger.begin_batch(source(), NOW)
    with open_ledger(home) as other:
        with pytest.raises(LedgerError):
            other.record_block(batch.id, [shipment(0)], [declaration(0)], [], [], NOW)
        with pytest.raises(LedgerError):
            other.seal(batch.id, {}, NOW)


def test_the_same_file_continues_what_a_dead_process_left(home: Path) -> None:
    with open_ledger(home) as dead:
        batch = dead.begin_batch(source(), NOW)
        dead.record_block(batch.id, [shipment(0)], [declaration(0)], [], [], NOW)
    with open_ledger(home) as ledger:
        again = ledger.begin_batch(source(), NOW)
        assert (again.id, again.continued, again.recorded) == (batch.id, True, 1)
        other_file = ledger.begin_batch(source("other.csv"), NOW)
        assert not other_file.continued
        ledger.record_block(batch.id, [shipment(1)], [declaration(1)], [], [], NOW)
        ledger.seal(batch.id, {}, NOW)


def test_what_a_living_process_records_is_left_alone(ledger: Ledger, home: Path) -> None:
    batch = ledger.begin_batch(source(), NOW)
    with open_ledger(home) as other:
        assert other.begin_batch(source(), NOW).id != batch.id
    assert ledger.begin_batch(source(), NOW).id not in (batch.id,)


def test_a_batch_that_was_left_is_continued_by_the_same_process(ledger: Ledger) -> None:
    batch = ledger.begin_batch(source(), NOW)
    ledger.leave_batch(batch.id)
    assert ledger.begin_batch(source(), NOW).id == batch.id


def test_a_batch_that_was_left_is_continued_by_any_process(ledger: Ledger, home: Path) -> None:
    """Where the process that broke off lives on, as the service does."""
    batch = ledger.begin_batch(source(), NOW)
    ledger.leave_batch(batch.id)
    with open_ledger(home) as other:
        assert other.begin_batch(source(), NOW).id == batch.id


def test_a_batch_is_sealed_with_what_was_recorded(ledger: Ledger) -> None:
    """Handed-in counts may be of a second look at the file, after a crash."""
    batch = ledger.begin_batch(source(), NOW)
    rows = [shipment(0), shipment(1, outcome="not_evaluated")]
    ledger.record_block(batch.id, rows, [declaration(0)], [], [], NOW)
    sealed = ledger.seal(batch.id, {"prepared": 2, "on_hold": 0, "rows": 4}, NOW)
    assert sealed.counts == {"prepared": 1, "not_evaluated": 1, "on_hold": 0, "rows": 4}


def test_a_sealed_batch_is_not_continued(ledger: Ledger) -> None:
    assert ledger.begin_batch(source(), NOW).id != hand_in(ledger, 1, name="x.csv")
    first = hand_in(ledger, 1, first=50, listed=False)
    assert ledger.begin_batch(source(), NOW).id != first


def test_manifests_of_a_repeated_block_are_passed_over(ledger: Ledger) -> None:
    batch = ledger.begin_batch(source(), NOW)
    ledger.record_block(batch.id, [shipment(0)], [declaration(0)], [], [], NOW)
    for _ in range(2):
        ledger.record_block(batch.id, [], [manifest([0])], [], [(0, "why")], NOW)
    found = ledger.attempts_in(batch_ids=[batch.id], kind="manifest")
    assert [a.number for a in found] == [1]
    assert len(ledger.not_manifested()) == 1
    with pytest.raises(KeysTaken):
        ledger.record_block(batch.id, [], [manifest([0, 1])], [], [], NOW)


def test_a_discarded_batch_frees_its_keys(home: Path) -> None:
    with open_ledger(home) as dead:
        batch = dead.begin_batch(source(), NOW)
        dead.record_block(batch.id, [shipment(0)], [declaration(0)], [], [], NOW)
        with pytest.raises(LedgerError):
            dead.discard_batch(batch.id, "tester", "wrong file", NOW)
    with open_ledger(home) as ledger:
        assert ledger.discard_batch(batch.id, "tester", "wrong file", NOW) == 1
        (known,) = ledger.known([key(0)])
        assert (known.live, known.state, known.sealed) == (False, "voided", False)
        with pytest.raises(LedgerError):
            ledger.discard_batch(batch.id, "tester", "again", NOW)
        sealed = hand_in(ledger, 1, name="b.csv")
        assert ledger.attempts_of(house(0))[-1].number == 2
        with pytest.raises(LedgerError):
            ledger.discard_batch(sealed, "tester", "no", NOW)


def test_known_answers_for_many_keys(ledger: Ledger) -> None:
    hand_in(ledger, 30)
    known = {k.key: k for k in ledger.known([key(n) for n in range(5000)])}
    assert len(known) == 30
    assert known[key(3)].live
    assert known[key(3)].fresh_attempt == "no"
    assert ledger.peek(known[key(3)].ref) == declaration(3).body
    assert ledger.known([key(3)], kind="manifest") == []


def test_manifested_names_the_live_manifest(ledger: Ledger) -> None:
    hand_in(ledger, 3)
    found = ledger.manifested([key(n) for n in range(5)])
    assert sorted(found) == [key(n) for n in range(3)]
    (part,) = ledger.live_manifest_parts("99900000001|CX123|I|")
    assert part.part == 1
    assert ledger.live_manifest_parts("99900000001|CX12|I|") == []


def test_nobody_knows_such_a_batch(ledger: Ledger) -> None:
    with pytest.raises(NotFound):
        ledger.batch("20261123-99")
    with pytest.raises(NotFound):
        ledger.release(["20261123-99"], "tester", NOW, {})


def test_what_another_file_needs_is_taken_from_dead_batches_only(
    ledger: Ledger, home: Path
) -> None:
    with open_ledger(home) as dead:
        left = dead.begin_batch(source("left.csv"), NOW)
        dead.record_block(left.id, [shipment(0)], [declaration(0)], [], [], NOW)
    with open_ledger(home) as living:
        held = living.begin_batch(source("held.csv"), NOW)
        living.record_block(held.id, [shipment(1, 0)], [declaration(1, 0)], [], [], NOW)
        assert ledger.discard_abandoned(["99900000002"], "tester", "why", NOW) == []
        assert ledger.discard_abandoned([MASTER], "tester", "why", NOW) == [left.id]
    assert {k.key: k.live for k in ledger.known([key(0), key(1)])} == {key(0): False, key(1): True}
    assert (ledger.batch(left.id).state, ledger.batch(left.id).rows) == ("discarded", 2)


def test_what_only_the_whole_shows_is_settled_with_the_seal(ledger: Ledger) -> None:
    """The worse outcome counts; an attempt whose shipment is prepared no more is voided and its key free."""
    batch = ledger.begin_batch(source(), NOW)
    outcomes = ["prepared", "prepared", "on_hold", "rejected", "already_filed", "prepared"]
    rows = [shipment(n, outcome=o) for n, o in enumerate(outcomes)]
    ledger.record_block(batch.id, rows, [declaration(n) for n in (0, 1, 5)], [], [], NOW)
    settled = [
        Settled(0, "rejected"), Settled(1, "on_hold"), Settled(2, "not_evaluated"), Settled(3, "on_hold"),
        Settled(4, "rejected"),
    ]  # fmt: skip
    told = [
        [FindingRow(0, "EXP-48", "reject", "reject", "{}")],
        [FindingRow(None, "COD", "warn", "mark", "{}")],
    ]
    sealed = ledger.seal(batch.id, {}, NOW, settled=settled, findings=told)
    assert [s.outcome for s in ledger.shipments_in(batch.id)] == [
        "rejected", "on_hold", "not_evaluated", "rejected", "already_filed", "prepared",
    ]  # fmt: skip
    assert sealed.counts == {
        "rejected": 2, "on_hold": 1, "not_evaluated": 1, "already_filed": 1, "prepared": 1,
    }  # fmt: skip
    known = {k.key: (k.live, k.state) for k in ledger.known([key(n) for n in range(6)])}
    assert known == {
        key(0): (False, "voided"), key(1): (False, "voided"), key(5): (True, "prepared"),
    }  # fmt: skip
    assert [f.rule for f in ledger.findings_of(batch.id)] == ["EXP-48", "COD"]
    (voided,) = ledger.timeline(ledger.attempts_of(house(0))[0].id)
    assert (voided.verb, voided.from_state, voided.to_state) == ("voided", "prepared", "voided")
    released = ledger.release([batch.id], "tester", NOW, {"hangzhou": False})
    assert released.declarations == 1
    assert [d.key for d in ledger.freezable(10)] == [key(5)]


def test_nothing_is_settled_when_the_seal_fails(ledger: Ledger) -> None:
    batch = ledger.begin_batch(source(), NOW)
    ledger.record_block(batch.id, [shipment(0)], [declaration(0)], [], [], NOW)

    def breaking() -> Iterator[list[FindingRow]]:
        yield [FindingRow(0, "EXP-48", "reject", "reject", "{}")]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        ledger.seal(batch.id, {}, NOW, settled=[Settled(0, "rejected")], findings=breaking())
    assert ledger.batch(batch.id).state == "recording"
    assert ledger.findings_of(batch.id) == []
    assert [s.outcome for s in ledger.shipments_in(batch.id)] == ["prepared"]


def test_attempts_in_bulk_are_those_one_by_one(ledger: Ledger) -> None:
    drafts = [declaration(n) for n in (0, 2, 3, 7)]
    bulk = Attempts.of(drafts)
    part, without = bulk.part(2, 7), bulk.without([1, 3])
    assert part == Attempts.of(drafts[1:3])
    assert b"".join(part.payload.runs) == drafts[1].body + drafts[2].body
    assert without == Attempts.of([drafts[0], drafts[2]])
    assert b"".join(without.payload.runs) == drafts[0].body + drafts[2].body
    listed = Attempts.of([manifest([0, 1]), manifest([2], part=2)])
    assert listed.without([0]) == Attempts.of([manifest([2], part=2)])
    batch = ledger.begin_batch(source(), NOW)
    rows = [
        tuple(shipment(n, outcome="prepared" if n in (0, 2, 3, 7) else "rejected"))
        for n in range(8)
    ]
    ledger.record_block(batch.id, rows, bulk, [], [], NOW)
    for draft in drafts:
        (known,) = ledger.known([draft.key])
        assert ledger.peek(known.ref) == draft.body
        assert known.content_digest == draft.content_digest


def test_findings_one_by_one_are_all_of_a_batch(ledger: Ledger) -> None:
    batch = ledger.begin_batch(source(), NOW)
    told = [FindingRow(0, f"R-{n}", "warn", "note", "{}") for n in range(7)]
    ledger.record_block(batch.id, [shipment(0, outcome="rejected")], [], told, [], NOW)
    assert list(ledger.each_finding(batch.id, lot=3)) == told
    assert list(ledger.each_finding("20260101-01")) == []


def test_texts_with_quotes_are_recorded_as_they_are(ledger: Ledger) -> None:
    """Constants of a block stand in the statement itself."""
    batch = ledger.begin_batch(source(), NOW)
    drafts = [declaration(0, endpoint='o\'clock "%s" ?')]
    ledger.record_block(batch.id, [shipment(0)], drafts, [], [], NOW)
    assert ledger.attempts_in()[0].endpoint == 'o\'clock "%s" ?'
    with ledger.write() as connection:
        insert_rows(
            connection, tables.facts, ("name",), [("a",), ("b",)], {"value": "it's 100 % -- ;?"}
        )
    assert ledger.get_fact("b") == "it's 100 % -- ;?"
