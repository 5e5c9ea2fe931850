"""Earlier marks in memory: found as a look at every one of them would find them, however many come and go.

Broken by: a mark that is only found while it is new, a batch that is read twice or never, and rows of batches that the ledger
has forgotten.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from crossborder.china_time import CHINA
from crossborder.engine import history
from crossborder.engine.history import History
from crossborder.ledger import HASHES, MARKS, BatchDraft, Ledger, Marked, ShipmentRow

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=CHINA)
DAY = date(2026, 11, 23)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "home") as opened:
        yield opened


def drawn(rng: random.Random, count: int) -> pl.DataFrame:
    rows = [
        (n, rng.random() < 0.5, *(rng.choice([None, *range(2**64 - 40, 2**64)]) for _ in HASHES), 1, 2,
         DAY + timedelta(days=rng.randrange(-9, 9)))
        for n in range(count)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=MARKS, orient="row")


def shipment(n: int) -> ShipmentRow:
    return ShipmentRow(
        n, f"M|H{n}|I", "M", f"H{n}", f"H{n}", "I", "B", f"{n + 2}", 1, "rejected", ""
    )


def sealed(
    ledger: Ledger, name: str, marks: pl.DataFrame, day: str = "20261123", forget: str = ""
) -> str:
    batch = ledger.begin_batch(BatchDraft(name, name, "m", "p"), NOW)
    half = marks.height // 2
    for first, stop in ((0, half), (half, marks.height)):
        rows = [shipment(n) for n in range(first, stop)]
        ledger.record_block(batch.id, rows, [], [], [], NOW, marked=Marked(marks, day).part(first, stop))  # fmt: skip
    ledger.seal(batch.id, {}, NOW, marks_from=forget)
    return batch.id


def obvious(
    own: pl.DataFrame, known: dict[str, pl.DataFrame], within: timedelta
) -> list[tuple[str, int]]:
    days = own["day"].to_list()
    found = []
    for batch, marks in known.items():
        for row in marks.to_dicts():
            shared = any(row[m] is not None and row[m] in own[m].to_list() for m in HASHES)
            if shared and min(days) - within <= row["day"] <= max(days) + within:
                found.append((batch, row["position"]))
    return sorted(found)


def pairs(found: pl.DataFrame) -> list[tuple[str, int]]:
    return list(found.select("batch", "position").iter_rows())


@pytest.mark.parametrize(("small", "pool", "tail"), [
    (5_000, 2_000_000, 10_000), (5_000, 2_000_000, 20), (5_000, 90, 20), (5_000, 0, 0), (0, 0, 0),
])  # fmt: skip
def test_what_is_shared_is_found(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, small: int, pool: int, tail: int
) -> None:
    for name, value in (("SMALL", small), ("POOL", pool), ("TAIL", tail)):
        monkeypatch.setattr(history, name, value)
    rng, seen, known = random.Random(5), History(ledger), {}
    for n in range(8):
        own = drawn(rng, 3)
        within = timedelta(days=rng.randrange(6))
        assert pairs(seen.sharing(own, within)) == obvious(own, known, within)
        marks = drawn(rng, rng.choice([1, 10, 40]))
        known[sealed(ledger, f"{n}.csv", marks)] = marks
    own = drawn(rng, 6)
    assert pairs(seen.sharing(own, timedelta(days=2))) == obvious(own, known, timedelta(days=2))
    assert obvious(own, known, timedelta(days=2))
    assert seen.sharing(own.clear(), timedelta(days=2)).height == 0


def test_a_batch_that_is_not_sealed_or_was_given_up_says_nothing(ledger: Ledger) -> None:
    rng, seen = random.Random(1), History(ledger)
    marks = drawn(rng, 20)
    batch = ledger.begin_batch(BatchDraft("a", "a", "m", "p"), NOW)
    rows = [shipment(n) for n in range(20)]
    ledger.record_block(batch.id, rows, [], [], [], NOW, marked=Marked(marks, "20261123"))
    assert seen.sharing(marks, timedelta(days=99)).height == 0
    ledger.leave_batch(batch.id)
    ledger.discard_batch(batch.id, "me", "no more", NOW)
    assert seen.sharing(marks, timedelta(days=99)).height == 0
    with ledger.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM marks").scalar() == 0


def test_what_the_ledger_forgot_makes_room(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "POOL", 30)
    rng, seen = random.Random(2), History(ledger)
    old, new = drawn(rng, 20), drawn(rng, 20)
    sealed(ledger, "a", old)
    assert seen.sharing(old, timedelta(days=99)).height
    late = sealed(ledger, "b", new, "20271231", forget="20270101")
    found = seen.sharing(pl.concat([old, new]), timedelta(days=99))
    assert set(found["batch"]) == {late}
    assert seen._pool.until == 2


def test_one_history_for_a_ledger(ledger: Ledger) -> None:
    assert history.of(ledger) is history.of(ledger)
