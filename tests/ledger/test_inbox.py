from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select
from tests.backends import open_ledger, plan_of

from crossborder.errors import NotFound
from crossborder.ledger import Ledger, Read, ReceiptLine, StoredLot, tables
from crossborder.ledger.lots import having

from .desk import MASTER, NOW


def line(code: str = "D0", number: int = 0) -> ReceiptLine:
    return ReceiptLine(number, "EXP302", MASTER, "TST 00-1", None, "I", "ADD", code, "20261123180500123",
                       "201900001507083001", None, "notes")  # fmt: skip


def test_raw_bytes_first(ledger: Ledger, home: Path) -> None:
    ref = ledger.store_receipt("hangzhou", "a.xml", b"\x00<no xml", NOW)
    assert ref.new
    with open_ledger(home) as other:
        (found,) = other.unread_receipts(10)
    assert (found.id, found.endpoint, found.name, found.raw) == (ref.id, "hangzhou", "a.xml", b"\x00<no xml")  # fmt: skip


def test_the_same_bytes_are_the_same_receipt(ledger: Ledger) -> None:
    first = ledger.store_receipt("hangzhou", "a.xml", b"one", NOW)
    again = ledger.store_receipt("hangzhou", "b.xml", b"one", NOW)
    other = ledger.store_receipt("ningbo", "a.xml", b"one", NOW)
    assert (again.id, again.new) == (first.id, False)
    assert other.new
    assert other.id != first.id
    refs = ledger.store_receipts("hangzhou", [("c", b"two"), ("d", b"two"), ("e", b"one")], NOW)
    assert [r.new for r in refs] == [True, False, False]
    assert refs[0].id == refs[1].id
    assert len(ledger.unread_receipts(10)) == 3
    ledger.save_read(first.id, "EXP302", [line()])
    (found,) = ledger.receipts_for(f"{MASTER}|TST001|I")
    assert (found.copies, found.name) == (3, "a.xml")


def test_read_lines_wait_to_be_applied(ledger: Ledger) -> None:
    ref = ledger.store_receipt("hangzhou", "a.xml", b"one", NOW)
    ledger.save_read(ref.id, "EXP302", [line()])
    ledger.save_read(ref.id, "EXP302", [line("Y")])  # read once
    (found,) = ledger.receipts_by_outcome(["read"])
    assert (found.key, found.code, found.outcome) == (f"{MASTER}|TST001|I", "D0", "read")
    assert len(ledger.unread_receipts(10)) == 0


def test_unreadable_ones_are_kept_and_named(ledger: Ledger) -> None:
    a = ledger.store_receipt("hangzhou", "a.xml", b"one", NOW)
    b = ledger.store_receipt("hangzhou", "b.xml", b"two", NOW)
    ledger.save_reads([Read(a.id, "EXP302", (line(),)), Read(b.id, None, (), "no XML")])
    assert ledger.unreadable_receipts() == [(b.id, "hangzhou", "b.xml", "no XML")]
    assert ledger.receipt_raw(b.id) == b"two"
    with pytest.raises(NotFound):
        ledger.receipt_raw(99)


def test_a_manifests_receipt_is_kept_by_master_and_house(ledger: Ledger) -> None:
    ref = ledger.store_receipt("hangzhou", "m.xml", b"m", NOW)
    head = ReceiptLine(0, "EXP312", "999-0000 0001", None, "cx 123", None, None, "NY", "20261123180500000")  # fmt: skip
    bare = head._replace(voyage=None)
    ledger.save_read(ref.id, "EXP312", [head, head._replace(line=1, house_waybill="TST-1", code="NN")])  # fmt: skip
    other = ledger.store_receipt("hangzhou", "n.xml", b"n", NOW)
    ledger.save_read(other.id, "EXP312", [bare])
    found = {r.key for r in ledger.receipts_by_outcome(["read"])}
    assert found == {f"{MASTER}|CX123|", f"{MASTER}|TST1|", f"{MASTER}|"}


def test_huge_and_empty_fields_do_not_stop_it(ledger: Ledger) -> None:
    ref = ledger.store_receipt("hangzhou", "a.xml", b"one", NOW)
    huge = line()._replace(master_waybill="9" * 10_000, code="X" * 99, pre_entry_id="1" * 400, op_time="")  # fmt: skip
    ledger.save_read(ref.id, "EXP302", [huge])
    (found,) = ledger.receipts_by_outcome(["read"])
    assert (len(found.key), found.code, len(found.pre_entry_id or "")) == (160, "XXXX", 18)


def test_one_bad_receipt_does_not_stop_the_others(ledger: Ledger) -> None:
    refs = ledger.store_receipts("hangzhou", [("bad\udcff.xml", b"1"), ("good.xml", b"2")], NOW)
    ledger.save_reads(
        [Read(refs[0].id, "EXP302", (line(), line())), Read(refs[1].id, "EXP302", (line(),))]
    )
    assert [r[0] for r in ledger.unreadable_receipts()] == [refs[0].id]
    assert len(ledger.receipts_by_outcome(["read"])) == 1


def test_a_lot_to_be_read_is_bounded_by_number_and_bytes(ledger: Ledger) -> None:
    ledger.store_receipts("hangzhou", [(str(n), b"%04d" % n) for n in range(300)], NOW)
    assert ledger.unread_count() == 300
    assert [r.name for r in ledger.unread_receipts(7)] == list("0123456")
    assert 10 < len(ledger.unread_receipts(1000, most_bytes=40)) < 100
    assert len(ledger.unread_receipts(1000)) == 300


def test_some_new_and_some_that_came_before(ledger: Ledger) -> None:
    before = ledger.store_receipts("hangzhou", [("a", b"1"), ("b", b"2")], NOW)
    refs = ledger.store_receipts(
        "hangzhou", [("c", b"3"), ("d", b"2"), ("e", b"3"), ("f", b"2")], NOW
    )
    assert [r.new for r in refs] == [True, False, False, False]
    assert {refs[1].id, refs[3].id} == {before[1].id}
    with ledger.read() as connection:
        rows = connection.exec_driver_sql("SELECT name, copies FROM receipts ORDER BY id").all()
    assert [tuple(row) for row in rows] == [("a", 1), ("b", 3), ("c", 2)]
    assert ledger.store_receipts("hangzhou", [], NOW) == []


def test_lines_are_counted_by_outcome(ledger: Ledger) -> None:
    for n in range(3):
        ref = ledger.store_receipt("hangzhou", f"{n}", b"%d" % n, NOW)
        ledger.save_read(ref.id, "EXP302", [line()])
    assert ledger.line_counts(["read", "applied"]) == {"read": 3}
    assert ledger.line_counts([]) == {}


def test_what_was_just_stored_is_at_hand_once_and_on_the_disk(ledger: Ledger, home: Path) -> None:
    """Reading must not depend on it: another process, a second look and what no longer had room get the same bytes."""
    items = [(f"{n}.xml", b"%04d" % n) for n in range(300)]
    assert ledger.take_receipts("hangzhou", [*items, ("again", b"0007")], NOW) == 300
    with open_ledger(home) as other:
        told = list(other.unread_receipts(1000))
    assert [(one.name, one.raw) for one in told] == items
    assert [list(ledger.unread_receipts(1000)) for _ in range(2)] == [told, told]
    assert ledger.take_receipts("ningbo", [("b", b"x"), ("c", b"0001"), ("d", b"x")], NOW) == 2
    assert ledger.take_receipts("ningbo", [("e", b"x"), ("f", b"y")], NOW) == 1
    names = [(one.endpoint, one.name) for one in ledger.unread_receipts(1000)][300:]
    assert names == [("ningbo", "b"), ("ningbo", "c"), ("ningbo", "f")]


def test_little_is_kept_at_hand_and_nothing_that_others_have_read(
    ledger: Ledger, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossborder.ledger.inbox._MOST_BYTES", 40)
    for first in (0, 100):
        ledger.take_receipts(
            "hangzhou", [(f"{n}", b"%04d" % n) for n in range(first, first + 100)], NOW
        )
    assert len(ledger._at_hand) == 10
    with open_ledger(home) as other:
        for one in other.unread_receipts(1000, most_bytes=10_000):
            other.save_read(one.id, "EXP302", [line()])
    assert len(ledger.unread_receipts(1000)) == 0
    assert ledger._at_hand == {}


def test_a_lot_of_stored_receipts_is_a_sequence(ledger: Ledger) -> None:
    ledger.take_receipts("hangzhou", [("a", b"1"), ("b", b"2"), ("c", b"3")], NOW)
    lot = ledger.unread_receipts(10)
    assert [one.raw for one in lot] == [b"1", b"2", b"3"]
    assert [one.name for one in lot[1:]] == ["b", "c"]
    assert (lot[0].name, lot[-1].raw, len(lot[5:])) == ("a", b"3", 0)
    assert StoredLot.of(lot) == lot
    assert len(StoredLot.of([])) == 0


@pytest.mark.parametrize("outcomes", [["read"], ["unmatched", "unknown_code"], tables.LOOSE])
def test_loose_lines_are_found_by_their_own_index(ledger: Ledger, outcomes: list[str]) -> None:
    with ledger.read() as connection:
        query = select(tables.receipt_lines.c.id).where(having(outcomes))
        text = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
        plan = " ".join(plan_of(connection, text))
    assert "ix_receipt_lines_loose" in plan
