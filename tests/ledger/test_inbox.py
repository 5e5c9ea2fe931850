from __future__ import annotations

from pathlib import Path

import pytest

from crossborder.errors import NotFound
from crossborder.ledger import Ledger, Read, ReceiptLine

from .desk import MASTER, NOW


def line(code: str = "D0", number: int = 0) -> ReceiptLine:
    return ReceiptLine(number, "EXP302", MASTER, "TST 00-1", None, "I", "ADD", code, "20261123180500123",
                       "201900001507083001", None, "notes")  # fmt: skip


def test_raw_bytes_first(ledger: Ledger, home: Path) -> None:
    ref = ledger.store_receipt("hangzhou", "a.xml", b"\x00<no xml", NOW)
    assert ref.new
    with Ledger.open(home) as other:
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
    assert ledger.unread_receipts(10) == []


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
