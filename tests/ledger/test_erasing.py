"""Promise P10: personal data is destroyed by key, and everything else stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from crossborder import reconcile
from crossborder.errors import LedgerError, NotFound, PayloadDamaged, PayloadErased
from crossborder.ledger import FindingRow, Ledger, ReceiptLine, Sent

from .desk import MASTER, NOW, claim, declaration, hand_in, house, key, queue, shipment, source
from .sealed import PERSON, found_in, opened, pieces
from .test_keyring import wrapped_in

YEARS = timedelta(days=1096)
LATER = NOW + timedelta(days=1100)
RECORD = f'{{"rule":"IDT-01","value":"{PERSON}"}}'


@pytest.fixture
def ledger(home: Path) -> Iterator[Ledger]:
    with opened(home) as made:
        yield made


def ended(ledger: Ledger, numbers: range, name: str = "day.csv") -> str:
    """A batch whose declarations were all declined, each with a finding and a receipt."""
    batch = ledger.begin_batch(source(name), NOW)
    rows = [shipment(n, i) for i, n in enumerate(numbers)]
    drafts = [declaration(n, i) for i, n in enumerate(numbers)]
    finding = FindingRow(0, "IDT-01", "warn", "note", RECORD)
    ledger.record_block(batch.id, rows, drafts, [finding], [], NOW)
    ledger.seal(batch.id, {"prepared": len(rows)}, NOW, rows=2 * len(rows))
    ledger.release([batch.id], "tester", NOW, {"hangzhou": False})
    queue(ledger)
    owner = f"{ledger.owner}/w"
    ledger.record_outcomes([Sent(o.attempt_id, "received") for o in claim(ledger)], NOW, owner)
    answers = [(f"{n}.xml", f"{n} {PERSON}".encode()) for n in numbers]
    for n, ref in zip(numbers, ledger.store_receipts("hangzhou", answers, NOW), strict=True):
        line = ReceiptLine(0, "EXP302", MASTER, house(n), None, "I", "ADD", "N", "20261123180500123", notes=PERSON)  # fmt: skip
        ledger.save_read(ref.id, "EXP302", [line])
    reconcile.apply_receipts(ledger, 1000, NOW)
    return batch.id


def erase(ledger: Ledger, *batches: str, now=LATER, **how):  # type: ignore[no-untyped-def]
    return ledger.erase(batches, YEARS, "wang", how.pop("reason", ""), now, **how)


def test_what_was_erased_says_so_everywhere_and_the_account_closes(
    ledger: Ledger, home: Path
) -> None:
    batch = ended(ledger, range(3))
    (attempt, *_) = ledger.attempts_in()
    assert attempt.state == "refused"
    before = reconcile.account(ledger)
    wrapped = wrapped_in(home)
    assert len(wrapped) == 2
    done = erase(ledger)
    assert (done.batches, done.refused, done.dry_run, done.wiped) == ((batch,), (), False, True)
    assert (done.documents, done.findings, done.receipts) == (6, 1, 3)
    assert done.days == (("hangzhou", "20261123"),)
    assert wrapped_in(home) == {}
    assert found_in(home, *pieces(wrapped.values()), PERSON) == []
    day = "2029-11-27"
    for ref in (attempt.draft, attempt.frozen):
        assert ref is not None
        with pytest.raises(PayloadErased, match=f"erased on {day}"):
            ledger.peek(ref)
    with pytest.raises(PayloadErased, match=day):
        ledger.payload(attempt.draft, LATER)
    with pytest.raises(PayloadErased, match=day):
        ledger.receipt_raw(1)
    assert f'"erased_at":"{day}"' in ledger.findings_of(batch)[0].record
    assert "已于 2029-11-27 销毁" in str(ledger.receipts_of(attempt.id)[0].notes)
    assert ledger.attempt(attempt.id).attention == ()
    assert reconcile.differences(ledger) == []
    assert reconcile.account(ledger) == before
    assert reconcile.account(ledger).conserved


def test_another_process_is_told_too(ledger: Ledger, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    ended(ledger, range(1))
    with opened(home) as other:
        ref = other.attempts_in()[0].draft
        assert other.peek(ref)
        erase(ledger)
        monkeypatch.setattr("crossborder.ledger.datakeys.REMEMBERED", -1.0)
        other._keys.forget(*other._keys._held)
        with pytest.raises(PayloadErased):
            other.peek(ref)


def test_it_is_in_the_history_with_who_why_and_counts(ledger: Ledger) -> None:
    batch = ended(ledger, range(2))
    erase(ledger, batch, reason="time is over")
    (event,) = [e for e in ledger.batch_events(batch) if e.verb == "erased"]
    assert (event.who, event.detail["reason"], event.detail["documents"]) == (
        "wang",
        "time is over",
        4,
    )
    (of_receipts,) = [e for e in ledger._events(True) if e.verb == "erased" and not e.batch_id]
    assert (of_receipts.detail["endpoint"], of_receipts.detail["receipts"]) == ("hangzhou", 2)


def test_a_dry_run_changes_nothing(ledger: Ledger, home: Path) -> None:
    batch = ended(ledger, range(2))
    before = wrapped_in(home)
    done = erase(ledger, dry_run=True)
    assert (done.batches, done.documents, done.receipts, done.dry_run) == ((batch,), 4, 2, True)
    assert wrapped_in(home) == before
    assert ledger.receipt_raw(1)


def test_only_what_is_due_goes_of_itself(ledger: Ledger) -> None:
    """Old and settled goes; young, or with a declaration of which something may still become, stays."""
    old = ended(ledger, range(1))
    waiting = hand_in(ledger, 1, first=10, name="b.csv")
    young = NOW + YEARS
    assert erase(ledger, now=young - timedelta(seconds=1)).batches == ()
    assert erase(ledger, now=young + timedelta(seconds=1)).batches == (old,)
    assert erase(ledger).batches == ()
    assert erase(ledger, waiting, old).refused == ((waiting, "open"), (old, "erased"))
    assert ledger.peek(ledger.known([key(10)])[0].ref)


def test_before_its_time_only_by_name_with_a_reason(ledger: Ledger) -> None:
    batch = ended(ledger, range(1))
    assert erase(ledger, batch, now=NOW).refused == ((batch, "young"),)
    for batches, reason in (((), "asked"), ((batch,), " ")):
        with pytest.raises(LedgerError, match="by name and a reason"):
            erase(ledger, *batches, now=NOW, force=True, reason=reason)
    done = erase(ledger, batch, now=NOW, force=True, reason="the partner asked")
    assert done.batches == (batch,)
    assert done.days == ()  # more may come today under that key
    with pytest.raises(NotFound):
        erase(ledger, "20261123-99")


def test_what_was_still_to_be_sent_is_suspended_and_cannot_go(ledger: Ledger) -> None:
    batch = hand_in(ledger, 2)
    done = erase(ledger, batch, force=True, reason="handed in by mistake")
    assert done.suspended == 3
    attempts = ledger.attempts_in()
    assert {(a.state, a.attention) for a in attempts} == {("suspended", ("payload_erased",))}
    ledger.release([batch], "wang", LATER, {"hangzhou": False})
    assert ledger.freezable(10) == []
    assert [e.verb for e in ledger.timeline(attempts[0].id)][-1] == "payload_erased"
    assert [d for d in reconcile.differences(ledger) if "damaged" in d.what] == []


def test_what_is_being_sent_or_recorded_is_not_touched_by_force_either(ledger: Ledger) -> None:
    sending = hand_in(ledger, 1, listed=False)
    ledger.release([sending], "tester", NOW, {"hangzhou": False})
    queue(ledger)
    claim(ledger)
    recording = ledger.begin_batch(source("b.csv"), NOW).id
    done = erase(ledger, sending, recording, force=True, reason="asked")
    assert done.refused == ((sending, "sending"), (recording, "recording"))


def test_what_was_recorded_without_encryption_is_named_and_not_pretended(home: Path) -> None:
    with Ledger.open(home) as plain:
        batch = ended(plain, range(1))
    with opened(home) as ledger:
        assert erase(ledger).batches == ()
        assert erase(ledger, batch).refused == ((batch, "plain"),)


def test_receipts_that_answer_something_else_stay(ledger: Ledger) -> None:
    one, two = ended(ledger, range(1)), ended(ledger, range(10, 12), "b.csv")
    assert erase(ledger, one).receipts == 0
    assert ledger.receipt_raw(1)
    assert erase(ledger, two).receipts == 3
    with pytest.raises(PayloadErased):
        ledger.receipt_raw(1)


def test_receipts_that_are_not_read_or_not_understood_stay_until_they_are_old(
    ledger: Ledger,
) -> None:
    ended(ledger, range(1))
    (ref,) = ledger.store_receipts("hangzhou", [("z.xml", b"what is this")], NOW)
    assert erase(ledger).receipts == 0
    ledger.save_unreadable(ref.id, "no XML")
    assert ledger.erase((), YEARS, "wang", "", NOW + timedelta(days=2)).receipts == 0
    assert erase(ledger).receipts == 2


def test_after_a_clock_was_set_back_receipts_of_an_erased_day_are_still_taken(
    ledger: Ledger,
) -> None:
    ended(ledger, range(1))
    erase(ledger)
    (ref,) = ledger.store_receipts("hangzhou", [("late.xml", b"late")], NOW)
    assert ledger.receipt_raw(ref.id) == b"late"


@pytest.mark.parametrize("point", ["rows:written", "rows:committed", "keys:erased"])
def test_killed_while_erasing_it_is_all_or_nothing(home: Path, point: str) -> None:
    class Died(Exception):
        pass

    def dying(name: str) -> None:
        if armed and name == point:
            raise Died

    armed: list[bool] = []
    from .sealed import ring

    with Ledger.open(home, ring=ring(home), checkpoint=dying) as ledger:
        ended(ledger, range(1))
        ref = ledger.attempts_in()[0].draft
        armed.append(True)
        with pytest.raises(Died):
            erase(ledger)
    with opened(home) as ledger:
        if point == "rows:written":
            assert ledger.peek(ref)
            assert ledger.receipt_raw(1)
        erase(ledger)
        with pytest.raises(PayloadDamaged):
            ledger.peek(ref)
    assert wrapped_in(home) == {}
