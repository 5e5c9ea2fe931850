from __future__ import annotations

from crossborder.reconcile import LINES, Count, account, differences

from .book import Book


def test_every_line_of_the_account(book: Book) -> None:
    book.filed(range(10))
    book.told(0, ("Y", 1), ("11", 2))
    book.told(1, ("N", 1))
    book.told(2, ("Y", 1), ("32", 2))
    book.told(3, ("Y", 1), ("05", 2))
    lost = book.hand_in([20])
    book.send("unknown")
    kinds = {30: "unreadable", 31: "rejected", 32: "not_evaluated", 33: "on_hold", 34: "to_general", 4: "already_filed"}  # fmt: skip
    waiting = book.hand_in([21, 22], outcomes=kinds, release=False)
    counted = account(book.ledger)
    assert list(counted.lines) == list(LINES)
    assert {name: c.shipments for name, c in counted.lines.items()} == {
        "unreadable": 1, "rejected": 1, "to_general": 1, "not_evaluated": 1, "on_hold": 1, "already_filed": 1,
        "prepared": 2, "suspended_or_voided": 0, "unknown": 1, "in_flight": 7, "refused": 1,
        "released": 1, "other_final": 1,
    }  # fmt: skip
    assert counted.handed_in.shipments == 19
    assert counted.handed_in.rows == sum(c.rows for c in counted.lines.values())
    assert counted.conserved
    assert counted.states["sent"].shipments == 6
    one = account(book.ledger, [lost])
    assert (one.handed_in.shipments, one.lines["unknown"].shipments) == (1, 1)
    assert account(book.ledger, [waiting]).lines["prepared"] == Count(2, 3)
    assert account(book.ledger, day="20261123") == counted
    assert account(book.ledger, day="20261122").handed_in == Count(0, 0)


def test_receipts_that_wait_stand_beside_it(book: Book) -> None:
    book.filed([1])
    book.told(1, ("Y", 1), ("N", 2))
    book.say(2, "D0", 1)
    book.apply()
    book.say(1, "05", 3)
    ref = book.ledger.store_receipt("hangzhou", "x", b"junk", book.now)
    book.ledger.save_unreadable(ref.id, "no XML")
    book.ledger.store_receipt("hangzhou", "y", b"more", book.now)
    counted = account(book.ledger)
    assert counted.unapplied == {
        "unread": 2, "unmatched": 1, "unreadable": 1, "contradictory": 1, "unknown_code": 0,
    }  # fmt: skip
    assert counted.attention == {"contradictory": 1}


def test_manifests_and_what_stands_on_none(book: Book) -> None:
    batch = book.hand_in([1, 2], listed=[1], manifest_first=True)
    book.send()
    assert account(book.ledger, [batch]).manifests == {"sent": 1}
    assert account(book.ledger).not_manifested == Count(0, 0)


def test_a_lost_shipment_is_not_conserved(book: Book) -> None:
    """The account must be able to fail: what was committed is counted apart from what is there."""
    book.filed(range(3))
    with book.ledger.write() as connection:
        connection.exec_driver_sql("DELETE FROM shipments WHERE position = 1")
    counted = account(book.ledger)
    assert counted.handed_in.shipments == 3
    assert sum(c.shipments for c in counted.lines.values()) == 2
    assert not counted.conserved
    assert {d.what for d in differences(book.ledger)} >= {"shipments_missing", "rows_differ", "counts_differ"}  # fmt: skip
