"""The proof must be able to fail: each planted fault is found, and named for what it is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from tests.backends import spoil

from crossborder import reconcile
from crossborder.ledger import AttemptDraft, BatchDraft, ShipmentRow
from crossborder.reconcile import Difference, differences
from crossborder.reconcile.difference import WORST_FIRST
from crossborder.reports import LABELS

from .book import MASTER, VOYAGE, Book, house, key


@pytest.fixture
def full(book: Book) -> Book:
    """Five declarations at every stage, one manifest, receipts; all of it in order."""
    book.hand_in(range(5), listed=range(5), manifest_first=True)
    book.send()
    book.say_manifest("NY", 1)
    book.apply()
    book.send()
    for n, code in ((0, "11"), (1, "N"), (2, "05")):
        book.say(n, "D0", 2)
        book.say(n, code, 4)
    book.apply()
    book.hand_in([10, 11], release=False)
    assert differences(book.ledger, {"hangzhou": received(book)}) == []
    return book


def received(book: Book) -> list[dict[str, Any]]:
    """What the endpoint says: everything that left, once."""
    return [
        {"message_id": a.message_id, "digest": a.digest, "arrivals": 1}
        for a in book.ledger.attempts_in()
        if a.message_id
    ]


def change(book: Book, *statements: str) -> None:
    """Edit the database behind the ledger's back; even events."""
    with book.ledger.write() as connection:
        shared = connection.dialect.name == "postgresql"
        loose = (
            "SET LOCAL session_replication_role = replica"
            if shared
            else "PRAGMA defer_foreign_keys = ON"
        )
        for statement in (loose, *statements):
            connection.execute(text(statement))


def found(book: Book, said: list[dict[str, Any]] | None = None) -> set[str]:
    return {d.what for d in differences(book.ledger, None if said is None else {"hangzhou": said})}


def test_a_declaration_was_removed(full: Book) -> None:
    change(full, f"DELETE FROM attempts WHERE key = '{key(3)}'")
    (missing,) = [d for d in differences(full.ledger) if d.what == "attempt_missing"]
    assert missing.where == f"20261123-01 {house(3)}"
    assert "没有对应的报关单" in missing.detail_zh


def test_a_shipment_counts_as_filed_with_a_batch_that_never_was(full: Book) -> None:
    """The first batch was broken off, and a second file counted its parcels as already filed."""
    change(
        full,
        "UPDATE batches SET state = 'recording' WHERE id = '20261123-02'",
        "UPDATE shipments SET outcome = 'already_filed', attempt_id = "
        f"(SELECT id FROM attempts WHERE key = '{key(10)}'), key = '{key(10)}' "
        "WHERE batch_id = '20261123-01' AND position = 4",
    )
    told = [d for d in differences(full.ledger) if d.what == "filed_nowhere"]
    assert [d.where for d in told] == [f"20261123-01 {house(4)}"]
    assert "20261123-02" in told[0].detail


def test_filed_since_it_is_filed_nowhere_no_more(book: Book) -> None:
    """A file counted on one that was given up, and was handed in again: what became of its parcel then is nobody's fault."""
    ledger, now = book.ledger, book.now
    first = ledger.begin_batch(BatchDraft("first.csv", "1" * 64, "canonical", "demo"), now)
    row = ShipmentRow(0, key(1), MASTER, house(1), house(1), "I", "B", "2", 1, "prepared", "c" * 64)
    draft = AttemptDraft("declaration", "EXP301", key(1), "hangzhou", MASTER, house(1), VOYAGE, "I", "c" * 64, b"<EXP301/>", 0)  # fmt: skip
    ledger.record_block(first.id, [row], [draft], [], [], now)
    book.hand_in([], outcomes={1: "already_filed"})
    assert ledger.being_recorded() == [first.id]
    assert found(book) == set(), "it may yet be sealed"
    ledger.leave_batch(first.id)
    assert ledger.being_recorded() == []
    assert found(book) == {"filed_nowhere"}
    ledger.discard_batch(first.id, "tester", "not wanted", now)
    assert found(book) == {"filed_nowhere"}
    book.filed([1])
    assert found(book) == set()
    book.told(1, ("D0", 1), ("N", 2))
    assert (book.of(1).live, found(book)) == (False, set())


def test_a_house_stands_on_two_manifests(full: Book) -> None:
    full.hand_in([20], listed=[20], part=2, release=False)
    another = "(SELECT max(id) FROM attempts WHERE kind = 'manifest')"
    change(
        full,
        f"INSERT INTO manifest_houses SELECT {another}, declaration_key, house_waybill, state FROM manifest_houses"
        f" WHERE declaration_key = '{key(2)}'",
    )
    (twice,) = differences(full.ledger)
    assert (twice.what, twice.where) == ("listed_twice", key(2))
    assert f"{MASTER}|{VOYAGE}|I|1, {MASTER}|{VOYAGE}|I|2" in twice.detail
    change(full, f"UPDATE manifest_houses SET state = 'refused' WHERE attempt_id = {another}")
    assert found(full) == set()


def test_a_shipment_was_removed(full: Book) -> None:
    change(full, "DELETE FROM shipments WHERE position = 4 AND batch_id = '20261123-01'")
    assert found(full) == {
        "shipments_missing", "rows_differ", "counts_differ", "attempt_without_shipment",
    }  # fmt: skip


def test_a_shipment_was_doubled(full: Book) -> None:
    change(
        full,
        "INSERT INTO shipments SELECT 9000, batch_id, 99, key, master_waybill, house_waybill, house_key, shown_as,"
        " direction, declaration_class, rows, row_count, outcome, content_digest, attempt_id"
        " FROM shipments WHERE position = 4 AND batch_id = '20261123-01'",
    )
    assert found(full) == {
        "shipments_missing", "rows_differ", "counts_differ", "attempt_without_shipment",
    }  # fmt: skip


def test_an_outcome_was_changed(full: Book) -> None:
    change(full, "UPDATE shipments SET outcome = 'rejected' WHERE position = 4 AND batch_id = '20261123-01'")  # fmt: skip
    assert found(full) == {"counts_differ", "attempt_without_shipment"}


def test_one_byte_was_changed(full: Book) -> None:
    ref = full.of(2).frozen
    assert ref is not None
    spoil(full.ledger.home, ref, at=3)
    (one,) = differences(full.ledger)
    assert (one.what, one.where) == ("payload_damaged", f"20261123-01 {key(2)}")
    assert full.of(2).attention == ()  # proving changes nothing


def test_a_digest_was_changed(full: Book) -> None:
    change(full, f"UPDATE attempts SET digest = '{'0' * 64}' WHERE key = '{key(2)}'")
    assert found(full, received(full)) == {"payload_damaged"}
    said = received(full)
    said[0]["digest"] = "0" * 64
    assert found(full, said) == {"payload_damaged", "digest_differs"}


def test_a_state_was_moved_without_a_receipt(full: Book) -> None:
    change(full, f"UPDATE attempts SET state = 'accepted', stage = 'customs' WHERE key = '{key(4)}'")  # fmt: skip
    assert found(full) == {"state_without_receipt", "history_differs"}


def test_a_state_is_not_what_its_receipts_say(full: Book) -> None:
    change(full, f"UPDATE attempts SET state = 'stored', stage = 'platform' WHERE key = '{key(0)}'")
    assert found(full) == {"state_differs", "history_differs"}


def test_a_receipt_line_was_removed(full: Book) -> None:
    change(full, "DELETE FROM receipt_lines WHERE code = '11'")
    assert found(full) == {"state_differs", "receipt_silent"}


def test_a_receipt_was_changed(full: Book) -> None:
    change(full, "UPDATE receipts SET raw = substr(raw, 2) WHERE id = 2")
    assert found(full) == {"receipt_changed"}


def test_a_receipt_was_doubled(full: Book) -> None:
    change(
        full,
        f"INSERT INTO receipts SELECT 900, endpoint, '{'1' * 64}', name, raw, received_at, copies, data_key FROM receipts"
        " WHERE id = 2",
        "INSERT INTO receipt_lines SELECT 900, 900, line, message_type, key, code, op_type, op_time, pre_entry_id,"
        " entry_id, notes, outcome, attempt_id FROM receipt_lines WHERE receipt_id = 2",
    )
    assert found(full) == {"receipt_changed", "receipt_doubled"}


def test_a_receipt_line_without_its_attempt(full: Book) -> None:
    change(full, "UPDATE receipt_lines SET attempt_id = 4711 WHERE code = '05'")
    assert "receipt_line_loose" in found(full)


def test_columns_that_cannot_be(full: Book) -> None:
    change(full, f"UPDATE attempts SET ready = true WHERE key = '{key(4)}'")
    assert found(full) == {"state_impossible"}


def test_a_sent_attempt_without_bytes(full: Book) -> None:
    change(full, f"UPDATE attempts SET segment = NULL WHERE key = '{key(4)}'")
    assert found(full) == {"state_impossible"}


def test_a_manifest_without_houses_and_who_waits_for_it(book: Book) -> None:
    book.hand_in([1, 2], listed=[1, 2], manifest_first=True)
    change(book, "DELETE FROM manifest_houses")
    assert found(book) == {"manifest_empty", "awaits_no_manifest"}


class TestEndpoint:
    def test_it_lost_one(self, full: Book) -> None:
        said = received(full)
        lost = said.pop()
        (one,) = differences(full.ledger, {"hangzhou": said})
        assert one.what == "lost"
        assert str(lost["message_id"]) in one.where

    def test_one_arrived_twice(self, full: Book) -> None:
        said = received(full)
        said[1]["arrivals"] = 2
        assert found(full, said) == {"arrived_twice"}

    def test_it_has_one_that_we_never_sent(self, full: Book) -> None:
        extra = {"message_id": "ID99999999999", "digest": "0" * 64, "arrivals": 1}
        assert found(full, [*received(full), extra]) == {"not_ours"}

    def test_it_has_one_that_we_hold_for_not_received(self, full: Book) -> None:
        full.ledger.release(["20261123-02"], "tester", full.now, {"hangzhou": False})
        full.send("not_received")
        assert found(full, received(full)) == {"received_unrecorded"}
        left = [m for m in received(full) if m["message_id"] not in {full.of(10).message_id, full.of(11).message_id}]  # fmt: skip
        assert found(full, left) == set()

    @pytest.mark.parametrize("outcome", ["unknown", "declined"])
    def test_of_an_unknown_or_declined_one_either_may_be_true(
        self, full: Book, outcome: str
    ) -> None:
        before = received(full)
        full.ledger.release(["20261123-02"], "tester", full.now, {"hangzhou": False})
        full.send(outcome)
        assert found(full, before) == set()
        if outcome == "unknown":
            assert found(full, received(full)) == set()


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
class TestSeveralAtOnce:
    """One declaration removed, one receipt doubled, one digest changed: just these are listed, row by row.

    The schema itself refuses such damage; whoever owns the file goes around it.
    """

    def damage(self, book: Book) -> None:
        """Behind the ledger's back, without foreign keys and without the index that refuses doubled receipts."""
        with book.ledger._engine.connect() as connection:
            raw: Any = connection.connection.dbapi_connection
            raw.execute("PRAGMA foreign_keys = OFF")
            doubled = [row[0] for row in raw.execute("SELECT sql FROM sqlite_master WHERE name = 'receipts'")]  # fmt: skip
            assert "UNIQUE" in doubled[0]
            for statement in (
                f"DELETE FROM attempts WHERE key = '{key(3)}'",
                *without_unique(raw, "receipts"),
                "INSERT INTO receipts SELECT 900, endpoint, digest, name, raw, received_at, copies, data_key FROM receipts"
                " WHERE id = 2",
                "INSERT INTO receipt_lines SELECT 900, 900, line, message_type, key, code, op_type, op_time, pre_entry_id,"
                " entry_id, notes, outcome, attempt_id FROM receipt_lines WHERE receipt_id = 2",
                f"UPDATE attempts SET digest = '{'0' * 64}' WHERE key = '{key(4)}'",
            ):
                raw.execute(statement)
            raw.execute("PRAGMA foreign_keys = ON")

    def test_exactly_those_are_reported(self, full: Book) -> None:
        said = received(full)
        ident = full.of(3).message_id
        self.damage(full)
        told = [(d.what, d.where) for d in differences(full.ledger, {"hangzhou": said})]
        assert told == [
            ("digest_differs", f"hangzhou {key(4)} {full.of(4).message_id}"),
            ("payload_damaged", f"20261123-01 {key(4)}"),
            ("attempt_missing", f"20261123-01 {house(3)}"),
            ("receipt_doubled", "hangzhou #900"),
            ("not_ours", f"hangzhou {ident}"),
        ]  # fmt: skip

    def test_without_the_endpoint(self, full: Book) -> None:
        self.damage(full)
        told = [(d.what, d.where) for d in differences(full.ledger)]
        assert told == [
            ("payload_damaged", f"20261123-01 {key(4)}"),
            ("attempt_missing", f"20261123-01 {house(3)}"),
            ("receipt_doubled", "hangzhou #900"),
        ]  # fmt: skip

    def test_the_history_tells_them_too(self, full: Book) -> None:
        """The audit names the declaration and the digest; of receipts the history tells only what they moved."""
        self.damage(full)
        found = full.ledger.audit().faults
        assert {f.what for f in found} == {"attempt_gone", "block_differs", "bytes_differ"}


def without_unique(raw: Any, table: str) -> list[str]:
    """Statements that make a table anew, as it is but for what it holds only once."""
    (sql,) = [
        row[0] for row in raw.execute(f"SELECT sql FROM sqlite_master WHERE name = '{table}'")
    ]
    bare = re.sub(r",\s*CONSTRAINT \w+ UNIQUE \([^)]*\)", "", sql)
    assert bare != sql
    return [
        "PRAGMA legacy_alter_table = ON",
        f"ALTER TABLE {table} RENAME TO old_{table}",
        bare,
        f"INSERT INTO {table} SELECT * FROM old_{table}",
        f"DROP TABLE old_{table}",
    ]


def test_a_difference_reads_in_both_languages(full: Book) -> None:
    change(full, "DELETE FROM receipt_lines WHERE code = '11'")
    for one in differences(full.ledger):
        assert isinstance(one, Difference)
        assert one.detail
        assert any("\u4e00" <= c <= "\u9fff" for c in one.detail_zh)


def test_every_difference_has_a_place_in_the_order_and_a_word() -> None:
    source = "".join(p.read_text("utf-8") for p in Path(reconcile.__file__).parent.glob("*.py"))
    named = set(re.findall(r'Difference\(\s*"([a-z_]+)"', source))
    assert named == set(WORST_FIRST)
    assert named <= set(LABELS)


def test_what_is_not_ours_never_stands_before_what_is(full: Book) -> None:
    change(full, f"UPDATE attempts SET state = 'sent' WHERE key = '{key(0)}'")
    strangers = [{"message_id": f"X{n}", "digest": "", "arrivals": 1} for n in range(100)]
    kinds = [d.what for d in differences(full.ledger, {"hangzhou": received(full) + strangers})]
    assert kinds[-100:] == ["not_ours"] * 100
    assert "state_differs" in kinds[:-100]
    assert "not_ours" not in kinds[:-100]
