"""What the ledger keeps of a block for later ones, and what became of the shipments it speaks about.

Broken by: marks of a block that was not committed, of a batch that is not sealed or was given up, kept longer than asked, or a
shipment that counts although its declaration is dead or stands in another batch.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import event, inspect

from crossborder.errors import LedgerError
from crossborder.ledger import MARKS, BatchDraft, Ledger, Marked, Settled, database, migrations
from crossborder.ledger.dialects import open_engine

from .desk import MASTER, NOW, declaration, hand_in, house, key, shipment


def marks(*positions: int, day: date = date(2026, 11, 23)) -> Marked:
    rows = [(p, False, p + 1, 2**64 - 1, None, 10, 20, day) for p in positions]
    return Marked(pl.DataFrame(rows, schema=MARKS, orient="row"), "20261123")


def recorded(
    ledger: Ledger, name: str, count: int = 3, day: date = date(2026, 11, 23), first: int = 0
) -> str:
    """A batch that is not sealed, of the parcels from `first` on; of its shipments the last one is rejected."""
    batch = ledger.begin_batch(BatchDraft(name, name, "m", "p"), NOW)
    rows = [
        shipment(first + n, n, "prepared" if n < count - 1 else "rejected") for n in range(count)
    ]
    drafts = [declaration(first + n, n) for n in range(count - 1)]
    ledger.record_block(batch.id, rows, drafts, [], [], NOW, marked=marks(*range(count), day=day))
    return batch.id


def test_marks_of_sealed_batches_come_back_in_the_order_of_sealing(ledger: Ledger) -> None:
    first = recorded(ledger, "a")
    assert list(ledger.marks_since(0)) == []
    other = ledger.begin_batch(BatchDraft("b", "b", "m", "p"), NOW)
    ledger.record_block(other.id, [shipment(9, 0, "rejected")], [], [], [], NOW, marked=marks(0))
    ledger.record_block(other.id, [shipment(8, 1, "rejected")], [], [], [], NOW, marked=marks(1))
    ledger.seal(other.id, {}, NOW)
    ledger.seal(first, {}, NOW)
    found = list(ledger.marks_since(0))
    assert [(b, n, f["position"].to_list()) for b, n, f in found] == [
        (other.id, 1, [0]), (other.id, 1, [1]), (first, 2, [0, 1, 2]),
    ]  # fmt: skip
    assert found[2][2].equals(marks(0, 1, 2).frame)
    assert [b for b, _, _ in ledger.marks_since(1)] == [first]
    assert ledger.first_sealed() == 1


def test_days_choose_blocks(ledger: Ledger) -> None:
    ledger.seal(recorded(ledger, "a", day=date(2026, 11, 20)), {}, NOW)
    for days, found in (
        (("20261120", "20261120"), 1),
        (("20261121", "20261130"), 0),
        (("20261101", "20261119"), 0),
    ):
        assert len(list(ledger.marks_since(0, *days))) == found


def test_marks_are_forgotten_with_their_batch_or_after_their_day(ledger: Ledger) -> None:
    batch = recorded(ledger, "a")
    ledger.leave_batch(batch)
    ledger.discard_batch(batch, "me", "no", NOW)
    second = recorded(ledger, "b")
    ledger.seal(second, {}, NOW, marks_from="20261124")  # its own are sealed, and too old
    assert list(ledger.marks_since(0)) == []
    third = ledger.begin_batch(BatchDraft("c", "c", "m", "p"), NOW)
    late = marks(0, day=date(2026, 11, 25))
    ledger.record_block(third.id, [shipment(9, 0, "rejected")], [], [], [], NOW, marked=late)
    ledger.seal(third.id, {}, NOW, marks_from="20261125")
    assert [b for b, _, _ in ledger.marks_since(0)] == [third.id]
    with ledger.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM marks").scalar() == 1


def test_a_block_that_was_not_recorded_leaves_no_marks(ledger: Ledger) -> None:
    batch = ledger.begin_batch(BatchDraft("a", "a", "m", "p"), NOW)
    with pytest.raises(LedgerError):
        ledger.record_block(batch.id, [shipment(0)], [], [], [], NOW, marked=marks(0))
    ledger.record_block(batch.id, [shipment(0, 0, "rejected")], [], [], [], NOW, marked=marks())
    ledger.seal(batch.id, {}, NOW)
    assert list(ledger.marks_since(0)) == []


def test_only_what_is_live_stands(ledger: Ledger) -> None:
    batch = recorded(ledger, "a", 4)
    ledger.seal(batch, {}, NOW, settled=[Settled(1, "rejected")])
    asked = pl.DataFrame(
        {"batch": [batch] * 4, "position": range(4)}, schema_overrides={"position": pl.UInt32}
    )
    found = ledger.standing(asked)
    assert found.rows() == [(batch, 0, key(0), house(0)), (batch, 2, key(2), house(2))]
    again = ledger.begin_batch(BatchDraft("b", "b", "m", "p"), NOW)
    (live, *_) = ledger.attempts_of(house(0))
    row = shipment(0, 0, "already_filed")._replace(attempt_id=live.id)
    ledger.record_block(again.id, [row], [], [], [], NOW)
    ledger.seal(again.id, {}, NOW)
    assert ledger.standing(pl.DataFrame({"batch": [again.id], "position": [0]})).height == 0
    assert ledger.standing(asked.clear()).height == 0


def test_a_house_waybill_whose_declaration_is_dead_is_nowhere(ledger: Ledger) -> None:
    batch = recorded(ledger, "a", 4)
    ledger.seal(batch, {}, NOW, settled=[Settled(1, "rejected")])
    found = ledger.elsewhere([house(n) for n in range(4)], "20261123", "")
    assert [row[0] for row in found] == [house(0), house(2)]


def test_house_waybills_elsewhere(ledger: Ledger) -> None:
    batch = hand_in(ledger, 3)
    wanted = [house(0), house(2), "NOBODY"]
    expected = [(house(n), key(n), MASTER, batch) for n in (0, 2)]
    assert ledger.elsewhere(wanted, "20261123", "") == expected
    assert ledger.elsewhere(wanted, "20261124", "") == []
    assert ledger.elsewhere(wanted, "20261123", batch) == []
    unsealed = ledger.begin_batch(BatchDraft("b", "b", "m", "p"), NOW)
    ledger.record_block(unsealed.id, [shipment(7, 0)], [declaration(7, 0)], [], [], NOW)
    assert ledger.elsewhere([house(7)], "20261123", "") == []
    ledger.leave_batch(unsealed.id)
    ledger.discard_batch(unsealed.id, "me", "no", NOW)
    assert ledger.elsewhere([house(7)], "20261123", "") == []


def test_down_and_up_loses_nothing_but_marks(home: Path) -> None:
    with Ledger.open(home) as opened:
        opened.seal(recorded(opened, "a"), {}, NOW)
    engine = open_engine(f"sqlite:///{home / database.FILE}")
    database.migrate(engine, "0004")
    assert not inspect(engine).has_table("marks")
    database.migrate(engine, migrations.HEAD)
    engine.dispose()
    with Ledger.open(home) as opened:
        assert list(opened.marks_since(0)) == []
        opened.seal(recorded(opened, "b", 1), {}, NOW)
        assert len(list(opened.marks_since(0))) == 1


def test_shipments_of_many_batches_are_asked_for_together(ledger: Ledger) -> None:
    """A partner posts parcel by parcel, each a batch: what they share must not take a question for each."""
    batches = [recorded(ledger, f"file-{n}", first=2 * n) for n in range(5)]
    for batch in batches:
        ledger.seal(batch, {}, NOW)
    asked = pl.DataFrame(
        [(batch, position) for batch in reversed(batches) for position in (1, 0, 7)],
        schema={"batch": pl.String, "position": pl.UInt32}, orient="row",
    )  # fmt: skip
    statements: list[str] = []
    listened = ledger._engine, "before_cursor_execute", lambda *said: statements.append(said[2])
    event.listen(*listened)
    try:
        found = ledger.standing(asked)
    finally:
        event.remove(*listened)
    wanted = [
        (b, p, key(2 * n + p), house(2 * n + p)) for n, b in enumerate(batches) for p in (0, 1)
    ]
    assert found.rows() == wanted
    assert sum("shown_as" in said for said in statements) == 1
