"""Receipts: on the disk before they are acknowledged, read afterwards, every one in some place."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import polars as pl
import pytest
from sqlalchemy import text
from tests.backends import open_ledger

from crossborder.errors import LedgerError
from crossborder.filing import Reader, ReceiptPoller, Tally
from crossborder.ledger import Ledger, ReadLot, StoredLot, Unread
from crossborder.ledger.lots import LINES
from crossborder.transport import Incoming

from .office import POLICY, Far, Office


def poller(office: Office, far: Far) -> ReceiptPoller:
    return ReceiptPoller(office.ledger, "hangzhou", far, POLICY, tally=office.tally)


def stored(office: Office) -> list[tuple[str, bytes, int]]:
    with office.ledger.read() as connection:
        rows = connection.exec_driver_sql("SELECT name, raw, copies FROM receipts ORDER BY id")
        return [(str(name), bytes(raw), int(copies)) for name, raw, copies in rows]


def test_receipts_are_stored_raw_and_acknowledged(office: Office) -> None:
    far = Far()
    far.waiting = {f"r{n:03}": b"\x00<not even xml \xff" + str(n).encode() for n in range(250)}
    left = dict(far.waiting)
    step = poller(office, far)
    assert step.step(office.now) == office.now
    assert {name: raw for name, raw, _ in stored(office)} == left
    assert far.acknowledged == list(left)
    assert step.step(office.now) == office.now + POLICY.poll


def test_nothing_is_acknowledged_before_it_is_on_the_disk(office: Office) -> None:
    far, seen = Far(), []
    far.waiting = {f"r{n:03}": str(n).encode() for n in range(250)}
    acknowledge = far._acknowledge

    def looks_first(name: str) -> None:
        other = open_ledger(office.home)  # what another process sees is committed
        with other.read() as connection:
            sql = text("SELECT count(*) FROM receipts WHERE name = :name")
            seen.append(connection.execute(sql, {"name": name}).scalar())
        other.close()
        acknowledge(name)

    far._acknowledge = looks_first  # type: ignore[method-assign]  # to stand between the two
    for name in list(far.waiting)[5:]:
        del far.waiting[name]
    poller(office, far).step(office.now)
    assert seen == [1] * 5


def test_if_they_cannot_be_stored_none_is_acknowledged(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = Far()
    far.waiting = {"r1": b"1", "r2": b"2"}

    def full(*_: object) -> None:
        raise LedgerError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "take_receipts", full)
        with pytest.raises(LedgerError):
            poller(office, far).step(office.now)
    assert far.acknowledged == []
    poller(office, far).step(office.now)
    assert far.acknowledged == ["r1", "r2"]


def test_what_comes_again_is_counted_and_does_not_keep_the_poller_busy(office: Office) -> None:
    far = Far()
    far.waiting = {"r1": b"same"}
    far._acknowledge = lambda name: None  # type: ignore[method-assign]  # an acknowledgement that is never heard
    step = poller(office, far)
    assert step.step(office.now) == office.now
    wake = step.step(office.now)
    assert wake == office.now + POLICY.poll
    assert stored(office) == [("r1", b"same", 2)]
    assert office.tally.counts == {"receipts": 1, "repeated": 1}


def test_what_was_stored_may_be_read_before_more_is_fetched(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A million receipts in one round are not a million in memory, nor a million that wait."""
    monkeypatch.setattr("crossborder.filing.receiver._GROUP", 100)
    far, seen = Far(), []
    far.waiting = {f"r{n:03}": str(n).encode() for n in range(250)}
    reader = Reader(office.ledger, read_well, nothing_to_apply, tally=office.tally)

    def look(now: datetime) -> None:
        reader.step(now)
        seen.append((len(stored(office)), len(far.acknowledged), office.tally.counts["read"]))
        assert not office.ledger._at_hand

    step = ReceiptPoller(office.ledger, "hangzhou", far, POLICY, tally=office.tally, stored=look)
    assert step.step(office.now) == office.now
    assert seen == [(100, 100, 100), (200, 200, 200), (250, 250, 250)]


def test_an_acknowledgement_that_fails_harms_nothing(office: Office) -> None:
    far = Far()
    far.waiting = {"r1": b"1", "r2": b"2"}

    def fails(name: str) -> None:
        raise OSError("broken pipe")

    far._acknowledge = fails  # type: ignore[method-assign]  # the far side breaks here
    poller(office, far).step(office.now)
    assert len(stored(office)) == 2


def test_trouble_is_named_and_the_rests_grow(office: Office) -> None:
    class Troubled(Far):
        def receipts(self) -> Iterator[Incoming]:
            yield Incoming("r1", b"1", lambda: None)
            self.trouble = "connection_lost"

    step = poller(office, Troubled())
    rests = []
    for _ in range(5):
        wake = step.step(office.now)
        assert wake is not None
        rests.append((wake - office.now).total_seconds())
        assert step.step(office.now) == wake
        office.now = wake
    assert rests == [5, 10, 20, 40, 60]
    assert office.tally.troubles == {"hangzhou": "connection_lost"}
    assert len(stored(office)) == 1


def test_a_transport_that_raises_in_between_loses_nothing(office: Office) -> None:
    class Raises(Far):
        def receipts(self) -> Iterator[Incoming]:
            yield Incoming("r1", b"1", lambda: self.acknowledged.append("r1"))
            raise ZeroDivisionError

    far = Raises()
    poller(office, far).step(office.now)
    assert far.acknowledged == ["r1"]
    assert office.tally.troubles == {"hangzhou": "transport_failed: ZeroDivisionError"}


# ---- reading ----------------------------------------------------------------------------------------


def read_well(items: StoredLot) -> ReadLot:
    lines = [
        (item.id, item.endpoint, 0, "EXP302", "99900000001", "CB1", None, "I", "ADD", "D0", "20261123180000000",
         None, None, None)
        for item in items if item.raw != b"bad"
    ]  # fmt: skip
    return ReadLot(
        pl.DataFrame(lines, schema=LINES, orient="row"),
        [Unread(item.id, None, "no XML") for item in items if item.raw == b"bad"],
    )


def states(office: Office) -> list[tuple[str, str | None]]:
    with office.ledger.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT CASE WHEN u.receipt_id IS NOT NULL THEN 'stored' WHEN p.problem IS NOT NULL THEN 'unreadable'"
            " ELSE 'read' END, p.problem FROM receipts r LEFT JOIN unread u ON u.receipt_id = r.id"
            " LEFT JOIN unreadable p ON p.receipt_id = r.id ORDER BY r.id"
        )
        return [(str(state), problem) for state, problem in rows]


def nothing_to_apply(now: datetime) -> int:
    return 0


def test_stored_receipts_are_read_and_the_unreadable_kept(office: Office) -> None:
    for raw in (b"1", b"bad", b"3"):
        office.ledger.store_receipt("hangzhou", "r", raw, office.now)
    tally = Tally()
    reader = Reader(office.ledger, read_well, nothing_to_apply, tally=tally)
    assert reader.step(office.now) == office.now
    assert states(office) == [("read", None), ("unreadable", "no XML"), ("read", None)]
    assert tally.counts == {"read": 2, "unreadable": 1, "applied": 0}
    assert reader.step(office.now) != office.now


def test_a_reader_that_fails_on_one_receipt_reads_the_others(office: Office) -> None:
    for raw in (b"1", b"poison", b"3"):
        office.ledger.store_receipt("hangzhou", "r", raw, office.now)

    def fragile(items: StoredLot) -> ReadLot:
        if any(item.raw == b"poison" for item in items):
            raise RecursionError
        return read_well(items)

    Reader(office.ledger, fragile, nothing_to_apply).step(office.now)
    assert states(office) == [
        ("read", None), ("unreadable", "the reader failed: RecursionError"), ("read", None),
    ]  # fmt: skip


def test_a_receipt_that_the_reader_leaves_out_is_not_lost(office: Office) -> None:
    for raw in (b"1", b"2"):
        office.ledger.store_receipt("hangzhou", "r", raw, office.now)
    Reader(office.ledger, lambda items: read_well(items[:1]), nothing_to_apply).step(office.now)
    assert states(office) == [("read", None), ("unreadable", "the reader left it out")]


def test_lines_are_applied_until_none_is_left_and_looked_after_again(office: Office) -> None:
    left, called = [3, 2, 0, 0, 1, 0], []

    def apply(now: datetime) -> int:
        called.append(now)
        return left.pop(0)

    office.ledger.store_receipt("hangzhou", "r", b"1", office.now)
    reader = Reader(office.ledger, read_well, apply)
    assert [reader.step(office.now) for _ in range(2)] == [office.now] * 2
    wake = reader.step(office.now)
    assert wake == office.now + timedelta(seconds=5)
    assert reader.step(office.now) == wake
    assert len(called) == 3
    office.now = wake
    reader.step(office.now)
    assert len(called) == 4


def test_what_is_read_is_saved_by_whoever_applies_it(office: Office) -> None:
    """What was applied on saving counts, and may call for another look."""
    office.ledger.store_receipt("hangzhou", "r", b"1", office.now)
    tally = Tally()

    def save(lot: ReadLot, now: datetime) -> int:
        office.ledger.save_lot(lot)
        return lot.lines.height

    reader = Reader(office.ledger, read_well, nothing_to_apply, save=save, tally=tally)
    assert reader.step(office.now) == office.now
    assert tally.counts == {"read": 1, "unreadable": 0, "applied": 1}


def test_a_clock_set_back_does_not_keep_receipts_waiting(office: Office) -> None:
    far = Far()
    step = poller(office, far)
    assert step.step(office.now) == office.now + POLICY.poll
    far.waiting = {"late": b"<late/>"}
    assert step.step(office.now + POLICY.poll / 2) == office.now + POLICY.poll  # it rests
    assert stored(office) == []
    step.step(office.now - timedelta(hours=1))
    assert [name for name, _, _ in stored(office)] == ["late"]
