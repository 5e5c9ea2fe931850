"""What receipts do to declarations: design section 7, notes on the messages sections 9 and 10."""

from __future__ import annotations

import pytest

from crossborder.errors import LedgerError
from crossborder.ledger import ReceiptLine, Selection
from crossborder.reconcile import apply_receipts, differences

from .book import MASTER, Book, at, house, key


def test_from_stored_to_released(book: Book) -> None:
    book.filed([1])
    done = book.told(1, ("D0", 1), ("D2", 2), ("Y", 3), ("03", 4), ("11", 5))
    assert (done.state, done.stage, done.released, done.final) == ("released", "customs", True, True)  # fmt: skip
    assert (done.last_code, done.last_op_time) == ("11", at(5))
    assert book.known(1).live
    told = [(e.verb, e.to_state) for e in book.ledger.timeline(done.id)][3:]
    assert told == [("receipt", s) for s in ("stored", "forwarded", "accepted", "manual_review", "released")]  # fmt: skip
    assert differences(book.ledger) == []


def test_all_at_once_in_any_order_reads_the_same(book: Book) -> None:
    book.filed([1])
    for code, minutes in (("11", 5), ("D2", 2), ("Y", 3), ("D0", 1)):
        book.say(1, code, minutes)
    done = book.apply()
    assert (book.of(1).state, dict(done.outcomes), done.moved) == ("released", {"applied": 4}, 1)


def test_an_older_one_is_kept_and_moves_nothing(book: Book) -> None:
    book.filed([1])
    assert book.told(1, ("Y", 3), ("10", 6), ("05", 5)).state == "review_passed"
    assert book.outcomes(1) == [("Y", "applied"), ("10", "applied"), ("05", "older")]


def test_a_platform_code_never_moves_what_customs_has_set(book: Book) -> None:
    book.filed([1])
    assert book.told(1, ("Y", 3), ("D2", 9), ("D0", 10)).state == "accepted"
    assert book.outcomes(1)[1:] == [("D2", "older"), ("D0", "older")]


def test_a_customs_code_wins_over_a_later_platform_code(book: Book) -> None:
    book.filed([1])
    assert book.told(1, ("D2", 9), ("Y", 3)).state == "accepted"
    assert book.outcomes(1) == [("D2", "applied"), ("Y", "applied")]


@pytest.mark.parametrize("order", [("05", "11"), ("11", "05")])
def test_on_a_tie_the_row_further_down_wins(book: Book, order: tuple[str, str]) -> None:
    book.filed([1])
    assert book.told(1, ("Y", 1), (order[0], 5), (order[1], 5)).state == "released"


def test_a_repeated_receipt_is_repeated(book: Book) -> None:
    book.filed([1])
    book.told(1, ("D0", 1), ("D0", 1), ("D0", 1))
    assert book.outcomes(1) == [("D0", "applied"), ("D0", "repeated"), ("D0", "repeated")]


@pytest.mark.parametrize(
    ("before", "late"),
    [
        ([("D0", 1)], ("D1", 2)),
        ([("D2", 1)], ("D1", 2)),
        ([("Y", 1)], ("D1", 2)),
        ([("D0", 1), ("D2", 2)], ("D3", 3)),
        ([("Y", 1)], ("D3", 3)),
        ([("Y", 1)], ("N", 3)),
        ([("Y", 1), ("11", 2)], ("N", 3)),
        ([("Y", 1), ("05", 2)], ("D1", 3)),
    ],
)
def test_contradictory_ones_wait_for_a_person(
    book: Book, before: list[tuple[str, float]], late: tuple[str, float]
) -> None:
    book.filed([1])
    stood = book.told(1, *before)
    after = book.told(1, late)
    assert (after.state, after.last_code, after.attention) == (stood.state, stood.last_code, ("contradictory",))  # fmt: skip
    assert book.known(1).live
    assert book.outcomes(1)[-1] == (late[0], "contradictory")
    assert differences(book.ledger) == []


def test_a_failure_that_came_first_is_seen_through(book: Book) -> None:
    """D1 arrives before the D0 it contradicts: the end is the same as in the right order."""
    book.filed([1])
    assert book.told(1, ("D1", 2)).state == "platform_failed"
    assert not book.known(1).live
    after = book.told(1, ("D0", 1))
    assert (after.state, after.attention) == ("stored", ("contradictory",))
    assert book.known(1).live
    assert book.outcomes(1) == [("D1", "contradictory"), ("D0", "applied")]
    assert differences(book.ledger) == []


@pytest.mark.parametrize("op_type", ["MOD", "APP", "mod"])
@pytest.mark.parametrize("code", ["D1", "D3", "N", "Y"])
def test_the_answer_to_a_change_decides_the_change_only(
    book: Book, code: str, op_type: str
) -> None:
    book.filed([1])
    book.told(1, ("Y", 1), ("08", 2))
    book.say(1, code, 3, op_type=op_type)
    book.apply()
    assert (book.of(1).state, book.of(1).attention) == ("to_be_amended", ())
    assert book.outcomes(1)[-1] == (code, "noted")


def test_a_and_r_move_nothing(book: Book) -> None:
    book.filed([1])
    assert book.told(1, ("Y", 1), ("A", 2), ("R", 3)).state == "accepted"
    assert book.outcomes(1)[1:] == [("A", "noted"), ("R", "noted")]


def test_a_code_after_a_release_is_applied_and_raised(book: Book) -> None:
    book.filed([1])
    after = book.told(1, ("Y", 1), ("11", 2), ("05", 3))
    assert (after.state, after.released, after.attention) == ("inspection", False, ("reopened",))
    after = book.told(1, ("18", 4))
    assert (after.state, after.released, after.attention) == ("released", True, ("reopened",))
    book.ledger.acknowledge(after.id, "looked", "tester", book.now)
    assert book.told(1, ("18", 4), ("05", 3)).attention == ()


def test_the_same_release_said_later_is_no_news(book: Book) -> None:
    book.filed([1])
    after = book.told(1, ("11", 2), ("11", 3))
    assert (after.state, after.last_op_time, after.attention) == ("released", at(3), ())
    assert book.told(1, ("17", 4)).attention == ("reopened",)


def test_refused_twice_is_no_contradiction(book: Book) -> None:
    book.filed([1])
    after = book.told(1, ("N", 1), ("N", 2), ("D1", 3))
    assert (after.state, after.attention) == ("refused", ())
    assert book.outcomes(1) == [("N", "applied"), ("N", "applied"), ("D1", "older")]


def test_numbers_are_taken_where_they_are_told_and_believed(book: Book) -> None:
    book.filed([1])
    book.say(1, "D0", 1, pre_entry_id="201900001507083001")
    book.say(1, "Y", 2, entry_id="310120261234567890")
    book.say(1, "N", 3, pre_entry_id="201900001507089999")
    book.apply()
    found = book.of(1)
    assert (found.pre_entry_id, found.entry_id) == ("201900001507083001", "310120261234567890")


def test_an_unknown_code_is_kept_and_raised(book: Book) -> None:
    book.filed([1])
    after = book.told(1, ("Y", 1), ("77", 2))
    assert (after.state, after.attention) == ("accepted", ("unknown_code",))
    assert book.outcomes(1)[-1] == ("77", "unknown_code")


@pytest.mark.parametrize(
    ("code", "live"),
    [("D1", False), ("N", False), ("00", False), ("20", False), ("D", True), ("22", True), ("43", True),
     ("44", True), ("02", True), ("07", True), ("11", True), ("32", True), ("36", True)],
)  # fmt: skip
def test_only_a_final_code_that_allows_it_frees_the_key(book: Book, code: str, live: bool) -> None:
    book.filed([1])
    assert book.told(1, (code, 1)).final
    assert book.known(1).live is live


def only_22(_message: str, code: str) -> bool:
    """What a person may free here."""
    return code == "22"


def test_a_person_frees_what_only_a_person_may(book: Book) -> None:
    book.filed([1])
    ended = book.told(1, ("Y", 1), ("22", 2))
    ledger = book.ledger
    assert ledger.free(ended.id, only_22, "class A", "tester", book.now, dry_run=True).dry_run
    assert book.known(1).live
    ledger.free(ended.id, only_22, "class A", "tester", book.now)
    assert not book.known(1).live
    book.filed([1])
    assert book.of(1).number == 2
    assert differences(book.ledger) == []
    released = book.told(1, ("11", 5))
    with pytest.raises(LedgerError):
        ledger.free(released.id, only_22, "again", "tester", book.now)


class TestSecondAttempt:
    def refused_and_filed_again(self, book: Book) -> tuple[int, int]:
        book.filed([1])
        first = book.told(1, ("D0", 1), ("N", 2)).id
        book.later(10)
        book.filed([1])
        return first, book.of(1).id

    def test_by_time(self, book: Book) -> None:
        first, second = self.refused_and_filed_again(book)
        book.say(1, "D2", 1.5)
        book.say(1, "D0", 11)
        book.apply()
        old, new = book.ledger.attempt(first), book.ledger.attempt(second)
        assert (old.state, new.state) == ("refused", "stored")
        assert (old.number, new.number) == (1, 2)
        assert [r.code for r in book.ledger.receipts_of(first)] == ["D0", "D2", "N"]

    def test_by_number_whatever_the_time(self, book: Book) -> None:
        book.filed([1])
        book.say(1, "D0", 1, pre_entry_id="201900001507083001")
        book.say(1, "N", 2)
        book.apply()
        book.later(10)
        book.filed([1])
        first, second = book.ledger.attempts_of(house(1))
        book.say(1, "A", 12, pre_entry_id="201900001507083001")
        book.say(1, "D0", 9.5, pre_entry_id="201900001507083002")  # the port's clock is behind
        book.apply()
        assert [r.code for r in book.ledger.receipts_of(first.id)] == ["D0", "N", "A"]
        assert [r.code for r in book.ledger.receipts_of(second.id)] == ["D0"]
        assert book.of(1).pre_entry_id == "201900001507083002"

    @pytest.mark.parametrize("code", ["D0", "D1"])
    def test_the_ports_clock_is_a_little_behind(self, book: Book, code: str) -> None:
        """Said without a number, a second before it was sent by our clock, and after the first had ended."""
        first, second = self.refused_and_filed_again(book)
        book.say(1, code, 9.9)
        book.say(1, "Y", 12, pre_entry_id="201900001507083002")
        book.apply()
        assert [r.code for r in book.ledger.receipts_of(first)] == ["D0", "N"]
        assert [r.code for r in book.ledger.receipts_of(second)] == [code, "Y"]

    @pytest.mark.parametrize(("code", "minutes"), [("D0", 7.9), ("N", 9.9), ("D2", 1.9)])
    def test_what_may_be_said_of_the_first_stays_with_it(
        self, book: Book, code: str, minutes: float
    ) -> None:
        """Long before the second was sent; the same refusal once more; before the first had ended."""
        first, second = self.refused_and_filed_again(book)
        book.say(1, code, minutes)
        book.apply()
        assert code in [r.code for r in book.ledger.receipts_of(first)]
        assert book.ledger.receipts_of(second) == []

    @pytest.mark.parametrize(
        ("minutes", "matched"), [(-13, False), (-2.1, False), (-1.9, True), (0, True)]
    )
    @pytest.mark.parametrize("number", [None, "201900001507083001"])
    def test_what_was_said_before_anything_was_sent_belongs_to_nobody(
        self, book: Book, minutes: float, matched: bool, number: str | None
    ) -> None:
        """It answers what another program filed; the port's clock may be two minutes behind, no more."""
        book.filed([1])
        book.say(1, "00", minutes, pre_entry_id=number)
        book.apply()
        assert book.of(1).state == ("sent_back" if matched else "sent")
        (line,) = book.ledger.receipts_for(key(1))
        assert line.outcome == ("applied" if matched else "unmatched")

    @pytest.mark.parametrize(("code", "minutes"), [("D2", 9), ("A", 10.5)])
    def test_what_was_tried_in_vain_is_not_answered_while_an_older_one_can_be(
        self, book: Book, code: str, minutes: float
    ) -> None:
        """A late receipt of the first would move the second, of which no byte left, and it would never be sent."""
        book.filed([1])
        book.told(1, ("D0", 1), ("N", 2))
        book.later(10)
        book.hand_in([1])
        book.send("not_received")
        book.say(1, code, minutes)
        book.apply()
        first, second = book.ledger.attempts_of(house(1))
        assert code in [r.code for r in book.ledger.receipts_of(first.id)]
        assert (second.state, book.ledger.receipts_of(second.id)) == ("not_received", [])
        book.later(5)
        assert [o.attempt_id for o in book.send()] == [second.id]
        book.say(1, "D0", 16)
        book.apply()
        assert book.of(1).state == "stored"

    def test_a_receipt_proves_that_it_was_received_after_all(self, book: Book) -> None:
        """The only one of its key: whatever the transport said, the port has it."""
        book.hand_in([1])
        book.send("not_received")
        book.say(1, "D0", 1)
        book.apply()
        assert book.of(1).state == "stored"

    def test_the_later_attempt_is_the_later_one_whatever_the_clock_said(self, book: Book) -> None:
        """The first was declined by a clock that was ahead; it is set right, and the port's was right all the time."""
        book.later(10)
        book.hand_in([1])
        book.send("declined")
        book.later(-8.5)
        book.filed([1])
        book.say(1, "D0", 10.5)
        book.apply()
        first, second = book.ledger.attempts_of(house(1))
        assert (first.state, second.state) == ("platform_failed", "stored")
        assert book.ledger.receipts_of(first.id) == []

    @pytest.mark.parametrize("number", [None, "201900001507083001"])
    def test_what_was_tried_in_vain_and_voided_is_not_answered(
        self, book: Book, number: str | None
    ) -> None:
        """No byte of it left. Then the clock is set back, and the receipt of the next one comes before we know it is sent."""
        book.hand_in([1], listed=[1])
        book.send("not_received")
        (voided,) = book.ledger.attempts_of(house(1))
        rulings = book.ledger.void(
            Selection(batches=[voided.batch_id]), "wrong file", "tester", book.now, lambda *_: True
        )
        assert [r.to_state for r in rulings] == ["voided", "voided"]
        book.later(-1)
        book.hand_in([1], listed=[1])
        book.say(1, "D0", -0.9, pre_entry_id=number)
        book.say_manifest("DY", -0.9)
        assert book.apply().outcomes == {"unmatched": 2}
        book.send()
        book.apply()
        old, new = book.ledger.attempts_of(house(1))
        assert (old.id, old.state, new.state) == (voided.id, "voided", "stored")
        assert book.ledger.receipts_of(old.id) == []
        manifests = book.ledger.attempts_of(MASTER)
        states = [(m.number, m.state) for m in manifests if m.kind == "manifest"]
        assert states == [(1, "voided"), (2, "stored")]

    def test_an_older_receipt_that_waited_is_not_told_of_what_is_sent_later(
        self, book: Book
    ) -> None:
        book.say(1, "00", -13)
        book.apply()
        book.filed([1])
        book.say(1, "11", 1)
        book.apply()
        assert book.of(1).state == "released"
        assert [r.outcome for r in book.ledger.receipts_for(key(1))] == ["unmatched", "applied"]

    @pytest.mark.parametrize("pages", ["by time", "by nothing known beforehand"])
    def test_those_that_belong_to_nobody_do_not_hold_back_later_ones(
        self, book: Book, monkeypatch: pytest.MonkeyPatch, pages: str
    ) -> None:
        """Many lines under a key that was sent only later, and behind them one whose declaration is sent now."""
        if pages != "by time":
            monkeypatch.setattr("crossborder.reconcile.apply.timely", lambda *_: True)
        for minute in range(7):
            book.say(1, "A", -20 + minute)
        book.say(2, "D0", 1)
        assert book.apply().lines == 8
        book.filed([1, 2])
        assert apply_receipts(book.ledger, 2, book.now).outcomes == {"applied": 1}
        assert book.of(2).state == "stored"
        assert apply_receipts(book.ledger, 2, book.now).lines == 0
        assert {r.outcome for r in book.ledger.receipts_for(key(1))} == {"unmatched"}

    def test_the_second_it_left_in_belongs_to_it(self, book: Book) -> None:
        """Receipts that tell whole seconds are compared by the second."""
        book.later(0.005)
        _, second = self.refused_and_filed_again(book)
        book.say(1, "D0", 10)
        book.apply()
        assert [r.code for r in book.ledger.receipts_of(second)] == ["D0"]

    def test_the_old_one_stands_after_all(self, book: Book) -> None:
        """Customs released what it seemed to have refused, while a new attempt was under way: both are named."""
        first, second = self.refused_and_filed_again(book)
        book.say(1, "Y", 3)
        book.say(1, "11", 4)
        book.apply()
        old, new = book.ledger.attempt(first), book.ledger.attempt(second)
        assert (old.state, new.state) == ("released", "sent")
        assert "stands_after_all" in old.attention
        assert new.attention == ("older_stands",)
        assert (old.live, new.live) == (False, True)
        assert differences(book.ledger) == []

    def test_a_new_one_that_has_not_left_is_stopped(self, book: Book) -> None:
        book.filed([1])
        book.told(1, ("N", 2))
        book.later(10)
        book.hand_in([1])
        book.queue()
        book.told(1, ("Y", 3), ("11", 4))
        new = book.of(1)
        assert (new.number, new.state, new.attention) == (2, "suspended", ("older_stands",))
        assert book.send() == []
        assert differences(book.ledger) == []

    def test_alone_it_simply_lives_again(self, book: Book) -> None:
        book.filed([1])
        book.told(1, ("00", 2))
        assert not book.known(1).live
        assert book.told(1, ("11", 4)).live


@pytest.mark.parametrize("state", ["unknown", "sending", "not_received"])
@pytest.mark.parametrize("code", ["D0", "A", "77"])
def test_a_receipt_proves_that_it_was_received(book: Book, state: str, code: str) -> None:
    book.hand_in([1])
    if state == "sending":
        book.queue()
        book.ledger.claim("hangzhou", book.owner, 1, book.now, book.now - book.now)
    else:
        book.send(state)
    book.told(1, (code, 1))
    assert book.of(1).state == ("stored" if code == "D0" else "sent")
    assert book.of(1).unknown_since is None
    assert book.send() == []
    late = book.ledger.record_outcome(book.of(1).id, "unknown", "", book.now, book.owner)
    assert late == book.of(1).state
    assert differences(book.ledger) == []


def test_declined_but_answered_is_contradictory_for_the_sender(book: Book) -> None:
    book.hand_in([1])
    book.queue()
    (one,) = book.ledger.claim("hangzhou", book.owner, 1, book.now, book.now - book.now)
    book.told(1, ("D0", 1))
    book.ledger.record_outcome(one.attempt_id, "declined", "declined", book.now, book.owner)
    assert (book.of(1).state, book.of(1).attention) == ("stored", ("contradictory",))


def test_nothing_matches_what_has_not_left(book: Book) -> None:
    book.hand_in([1], release=False)
    book.say(1, "D0", 1)
    assert dict(book.apply().outcomes) == {"unmatched": 1}
    assert book.of(1).state == "prepared"
    book.ledger.release([book.of(1).batch_id], "tester", book.now, {"hangzhou": False})
    book.queue()
    assert book.apply().lines == 0
    assert book.of(1).state == "queued"
    book.send()
    assert dict(book.apply().outcomes) == {"applied": 1}


def test_an_unmatched_one_is_tried_again(book: Book) -> None:
    book.say(1, "D0", 1)
    book.say(2, "D0", 1)
    assert dict(book.apply().outcomes) == {"unmatched": 2}
    assert book.apply().lines == 0
    book.filed([1])
    assert dict(book.apply().outcomes) == {"applied": 1}
    assert book.of(1).state == "stored"
    assert book.outcomes(2) == [("D0", "unmatched")]


def test_keys_are_compared_normalised(book: Book) -> None:
    book.filed([1])
    line = ReceiptLine(0, "EXP302", "999-00000001 ", f" {house(1).lower()}", None, "I", "ADD", "D0", at(1))  # fmt: skip
    book.store([line])
    assert dict(book.apply().outcomes) == {"applied": 1}


def test_a_number_alone_is_enough(book: Book) -> None:
    book.filed([1])
    book.say(1, "D0", 1, pre_entry_id="201900001507083001")
    book.apply()
    bare = ReceiptLine(0, "EXP302", "", None, None, None, "ADD", "Y", at(2), "201900001507083001", "310120261234567890")  # fmt: skip
    book.store([bare])
    book.store([bare._replace(pre_entry_id=None, code="11", op_time=at(3))])
    book.apply()
    assert (book.of(1).state, book.of(1).entry_id) == ("released", "310120261234567890")


def test_a_number_of_one_under_the_key_of_another_waits_for_a_person(book: Book) -> None:
    book.filed([1, 2])
    book.say(1, "D0", 1, pre_entry_id="201900001507083001")
    book.say(2, "N", 2, pre_entry_id="201900001507083001")
    book.apply()
    assert (book.of(1).state, book.of(1).attention) == ("stored", ("contradictory",))
    assert (book.of(2).state, book.of(2).attention) == ("sent", ())
    assert differences(book.ledger) == []


def test_without_a_time_the_moment_of_receiving_counts(book: Book) -> None:
    book.filed([1])
    book.told(1, ("Y", 3))
    book.later(5)
    book.say(1, "05", 0, op_time="")
    book.apply()
    assert (book.of(1).state, book.of(1).last_op_time) == ("inspection", at(5))


def test_one_run_takes_no_more_than_it_is_asked_for(book: Book) -> None:
    from crossborder.reconcile import apply_receipts

    book.filed(range(10))
    for n in range(10):
        book.say(n, "D0", 1)
    assert [apply_receipts(book.ledger, 4, book.now).lines for _ in range(4)] == [4, 4, 2, 0]


def test_the_master_waybill_counts_too(book: Book) -> None:
    book.filed([1])
    other = ReceiptLine(0, "EXP302", MASTER + "9", house(1), None, "I", "ADD", "D0", at(1))
    book.store([other])
    book.store([other._replace(master_waybill=MASTER, direction="E")])
    assert dict(book.apply().outcomes) == {"unmatched": 2}
    assert book.ledger.receipts_for(key(1)) == []
