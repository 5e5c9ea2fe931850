"""Promise P9: whatever is done to the history behind the ledger's back is found, and its place is named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import text

from crossborder.ledger import Ledger, chain, database, dialects, migrations
from crossborder.ledger.audit_faults import FAULTS, Fault, Faults
from crossborder.ledger.auditing import Audit
from crossborder.ledger.chain import GENESIS, Head
from crossborder.ledger.records import Sent

from .desk import MINUTE, NOW, claim, hand_in, ready, shipment, source

TRIGGERS = ("events_no_update", "events_no_delete")


@pytest.fixture
def full(ledger: Ledger) -> Ledger:
    """Two batches, one of them sent, a third discarded; twenty entries."""
    ready(ledger, 4)
    sent = claim(ledger, 3)
    ledger.record_outcomes([Sent(o.attempt_id, "received") for o in sent], NOW, f"{ledger.owner}/w")
    hand_in(ledger, 3, first=10, name="b.csv")
    batch = ledger.begin_batch(source("c.csv"), NOW)
    ledger.record_block(batch.id, [shipment(20, 0, "rejected")], [], [], [], NOW)
    ledger.leave_batch(batch.id)
    ledger.discard_batch(batch.id, "tester", "not wanted", NOW)
    found = ledger.audit()
    assert (found.intact, found.entries, found.head) == (True, ledger.audit_head().last, ledger.audit_head())  # fmt: skip
    assert found.entries == 20
    assert (found.blocks, found.attempts) == (3, 8)
    return ledger


SQLITE = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def tamper(ledger: Ledger, *statements: str) -> None:
    """Edit the database as somebody would who owns it: past its triggers."""
    with ledger.write() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            for statement in statements:
                connection.execute(text(statement))
            return
        triggers = connection.execute(
            text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        ).all()
        assert {name for name, _ in triggers} == set(TRIGGERS)
        connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        for name in TRIGGERS:
            connection.execute(text(f"DROP TRIGGER {name}"))
        for statement in statements:
            connection.execute(text(statement))
        for _, sql in triggers:
            connection.execute(text(sql))


def found(ledger: Ledger, *since: Head) -> list[tuple[str, int, int]]:
    return [(f.what, f.entry, f.to) for f in ledger.audit(since).faults]


def at(ledger: Ledger, number: int) -> str:
    with ledger.read() as connection:
        return str(connection.execute(text(f"SELECT at FROM events WHERE id = {number}")).scalar())


# -- one entry


@pytest.mark.parametrize("column", chain.COLUMNS[1:])
@pytest.mark.parametrize("number", [1, 7, 12])
def test_one_byte_of_any_column_was_changed(full: Ledger, column: str, number: int) -> None:
    spoilt = f"coalesce({column}, '') || 'x'"
    if column == "attempt_id":
        spoilt = "coalesce(attempt_id, 0) + 1"
    if column == "detail":
        spoilt = "replace(detail, '}', ' }')"
    tamper(full, f"UPDATE events SET {column} = {spoilt} WHERE id = {number}")
    chained = [f for f in full.audit().faults if f.what in ("changed", "digest_changed", "moved", "missing")]  # fmt: skip
    assert [(f.what, f.entry, f.at) for f in chained] == [("changed", number, at(full, number))]
    assert f"#{number} ({at(full, number)}" in chained[0].text("en")
    assert f"第 {number} 条" in chained[0].text("zh")


def test_the_last_entry_was_changed(full: Ledger) -> None:
    last = full.audit_head().last
    tamper(full, f"UPDATE events SET who = 'nobody' WHERE id = {last}")
    assert found(full) == [("changed", last, 0)]


@pytest.mark.parametrize("digest", ["CASE substr(digest, 1, 1) WHEN '0' THEN '1' ELSE '0' END || substr(digest, 2)", "NULL", "''", "x'00'", "upper(digest)"])  # fmt: skip
def test_a_digest_was_changed(full: Ledger, digest: str) -> None:
    tamper(full, f"UPDATE events SET digest = {digest} WHERE id = 9")
    assert found(full) == [("digest_changed", 9, 0)]


def test_an_entry_was_rewritten_with_its_digest(full: Ledger) -> None:
    rewrite(full, 9, 9)
    assert found(full) == [("changed", 10, 0)]
    assert "or #9 was rewritten with its digest" in full.audit().faults[0].text("en")


@pytest.mark.parametrize("what", ["x'ff00'", "12", "'{'", "x'7b7d'"])
def test_a_detail_that_is_none(full: Ledger, what: str) -> None:
    tamper(full, f"UPDATE events SET detail = {what} WHERE id = 9")
    assert found(full)[0] == ("changed", 9, 0)


@SQLITE  # the column of the other takes numbers only
def test_an_attempt_that_is_no_number(full: Ledger) -> None:
    tamper(full, "UPDATE events SET attempt_id = 'one' WHERE id = 12")
    assert found(full)[0] == ("changed", 12, 0)


# -- gaps and places


@pytest.mark.parametrize(("first", "last"), [(1, 1), (9, 9), (9, 12)])
def test_entries_were_deleted(full: Ledger, first: int, last: int) -> None:
    tamper(full, f"DELETE FROM events WHERE id BETWEEN {first} AND {last}")
    (gap,) = [f for f in full.audit().faults if f.what == "missing"]
    assert (gap.entry, gap.to, gap.at) == (first, last, at(full, last + 1))


def test_two_gaps_and_a_change(full: Ledger) -> None:
    tamper(full, "DELETE FROM events WHERE id IN (3, 8)", "UPDATE events SET who = 'x' WHERE id = 11")  # fmt: skip
    kinds = [f for f in found(full) if f[0] in ("missing", "changed")]
    assert kinds == [("missing", 3, 3), ("missing", 8, 8), ("changed", 11, 0)]


@pytest.mark.parametrize(("one", "other"), [(5, 6), (5, 9), (1, 2), (2, 15)])
def test_two_entries_were_swapped_with_their_digests(full: Ledger, one: int, other: int) -> None:
    tamper(
        full,
        f"UPDATE events SET id = -1 WHERE id = {one}",
        f"UPDATE events SET id = {one} WHERE id = {other}",
        f"UPDATE events SET id = {other} WHERE id = -1",
    )
    moved = [f for f in found(full) if f[0] in ("moved", "changed", "missing")]
    assert moved == [("moved", one, other), ("moved", other, one)]


@pytest.mark.parametrize(("one", "other"), [(5, 6), (5, 9)])
def test_what_two_entries_say_was_swapped(full: Ledger, one: int, other: int) -> None:
    told = chain.COLUMNS[1:]
    sets = ", ".join(f"{c} = (SELECT {c} FROM old WHERE old.id = {one} + {other} - events.id)" for c in told)  # fmt: skip
    tamper(
        full,
        "CREATE TEMP TABLE old AS SELECT * FROM events",
        f"UPDATE events SET {sets} WHERE id IN ({one}, {other})",
        "DROP TABLE old",
    )
    moved = [f for f in found(full) if f[0] in ("moved", "changed")]
    assert moved == [("moved", one, other), ("moved", other, one)]


def test_an_entry_was_put_in(full: Ledger) -> None:
    """All that follow are numbered anew, to make room."""
    tamper(
        full,
        "UPDATE events SET id = -id WHERE id > 9",
        "UPDATE events SET id = 1 - id WHERE id < 0",
        "INSERT INTO events SELECT 10, at, who, verb, batch_id, attempt_id, from_state, to_state, detail, digest"
        " FROM events WHERE id = 9",
    )
    kinds = found(full)
    assert ("changed", 10, 0) in kinds
    assert kinds[-1][0] == "beyond_head" or ("beyond_head", full.audit_head().last + 1, full.audit_head().last + 1) in kinds  # fmt: skip


def test_an_impossible_number(full: Ledger) -> None:
    tamper(full, "INSERT INTO events (id, at, who, verb, detail) VALUES (-4, 'x', 'x', 'x', '{}')")
    assert ("foreign", -4, 0) in found(full)


# -- the end


def test_the_tail_was_cut_off(full: Ledger) -> None:
    last = full.audit_head().last
    tamper(full, f"DELETE FROM events WHERE id > {last - 2}")
    assert ("tail_missing", last - 1, last) in found(full)


def test_everything_was_deleted(full: Ledger) -> None:
    last = full.audit_head().last
    tamper(full, "DELETE FROM events")
    assert ("tail_missing", 1, last) in found(full)


@pytest.mark.parametrize("head", ["digest = '" + "0" * 64 + "'", "digest = ''"])
def test_the_head_was_changed(full: Ledger, head: str) -> None:
    tamper(full, f"UPDATE audit_head SET {head}")
    assert found(full) == [("head_changed", full.audit_head().last, 0)]


def test_the_head_was_set_back_or_on(full: Ledger) -> None:
    last = full.audit_head().last
    tamper(full, "UPDATE audit_head SET last = last - 3")
    assert found(full) == [("beyond_head", last - 2, last)]
    tamper(full, "UPDATE audit_head SET last = last + 5")
    assert found(full) == [("tail_missing", last + 1, last + 2)]


def test_the_head_is_gone(full: Ledger) -> None:
    tamper(full, "DELETE FROM audit_head")
    assert found(full) == [("head_gone", 0, 0)]


# -- what only a head that was kept elsewhere shows


def rewrite(ledger: Ledger, first: int, last: int, change: str = "who = 'somebody else'") -> None:
    """Change an entry, and chain what follows anew: what somebody does who knows how."""
    tamper(ledger, f"UPDATE events SET {change} WHERE id = {first}")
    names = ", ".join(chain.COLUMNS)
    with ledger.read() as connection:
        rows = connection.execute(text(f"SELECT {names}, digest FROM events ORDER BY id")).all()
    before = GENESIS if first == 1 else rows[first - 2][-1]
    new = []
    for row in rows[first - 1 : last]:
        before = chain.following(before, chain.written(*row[:-1]))
        new.append(f"UPDATE events SET digest = '{before}' WHERE id = {row[0]}")
    tamper(ledger, *new)
    if last == rows[-1][0]:
        tamper(ledger, f"UPDATE audit_head SET digest = '{before}'")


def test_a_whole_chain_written_anew_is_found_by_an_earlier_head_only(full: Ledger) -> None:
    """What verifying cannot show by itself, said plainly; and what it can with a head that was kept."""
    kept = full.audit_head()
    hand_in(full, 1, first=30, listed=False, name="d.csv", now=NOW + MINUTE)
    assert found(full, kept, full.audit_head(), Head(0, GENESIS)) == []
    rewrite(full, 9, full.audit_head().last)
    assert found(full) == []
    assert found(full, kept) == [("since_gone", kept.last, 0)]
    assert found(full, Head(9999, "0" * 64)) == [("since_gone", 9999, 0)]


# -- the ledger against its history


def story(ledger: Ledger, statement: str) -> list[tuple[str, str]]:
    tamper(ledger, statement)
    return [(f.what, f.where) for f in ledger.audit().faults]


KEY = "99900000001|TST000000|I"


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        (f"UPDATE attempts SET state = 'released', released = true WHERE key = '{KEY}'", "state_differs"),
        (f"UPDATE attempts SET sends = 0 WHERE key = '{KEY}'", "sends_differ"),
        (f"UPDATE attempts SET digest = '{'0' * 64}' WHERE key = '{KEY}'", "bytes_differ"),
        (f"UPDATE attempts SET message_id = 'ID9' WHERE key = '{KEY}'", "bytes_differ"),
    ],
)  # fmt: skip
def test_an_attempt_was_changed_without_an_entry(full: Ledger, statement: str, what: str) -> None:
    assert story(full, statement) == [(what, f"20261123-01 {KEY}")]


def test_an_attempt_nobody_touched_was_moved(full: Ledger) -> None:
    moved = "UPDATE attempts SET state = 'sent' WHERE key = '99900000001|TST000010|I'"
    assert story(full, moved) == [("state_differs", "20261123-02 99900000001|TST000010|I")]


@pytest.mark.parametrize("column", ["key", "rows", "content_digest"])
def test_a_recorded_shipment_was_changed(full: Ledger, column: str) -> None:
    change = f"UPDATE shipments SET {column} = '1' WHERE batch_id = '20261123-02' AND position = 1"
    assert story(full, change) == [("block_differs", "20261123-02")]


def test_a_shipment_was_given_another_attempt(full: Ledger) -> None:
    change = "UPDATE shipments SET attempt_id = 1 WHERE batch_id = '20261123-02' AND position = 1"
    assert story(full, change) == [("block_differs", "20261123-02")]


def test_a_document_was_replaced(full: Ledger) -> None:
    change = f"UPDATE attempts SET draft_digest = '{'1' * 64}' WHERE key = '{KEY}'"
    tamper(full, change)
    (fault,) = full.audit().faults
    assert (fault.what, fault.where) == ("block_differs", "20261123-01")
    assert "the digests of the documents" in fault.text("en")
    assert "报文摘要" in fault.text("zh")


def test_an_outcome_was_changed(full: Ledger) -> None:
    change = "UPDATE shipments SET outcome = 'rejected' WHERE batch_id = '20261123-02' AND position = 1"  # fmt: skip
    assert story(full, change) == [("outcomes_differ", "20261123-02")]


def test_a_shipment_was_put_in_or_taken_away(full: Ledger) -> None:
    put = (
        "INSERT INTO shipments SELECT 900, batch_id, 77, key, master_waybill, house_waybill, house_key, shown_as,"
        " direction, declaration_class, rows, row_count, outcome, content_digest, attempt_id FROM shipments"
        " WHERE batch_id = '20261123-02' AND position = 1"
    )
    assert story(full, put) == [("outcomes_differ", "20261123-02"), ("not_recorded", "20261123-02")]
    tamper(full, "DELETE FROM shipments WHERE id = 900")
    assert found(full) == []
    gone = "DELETE FROM shipments WHERE batch_id = '20261123-02' AND position = 1"
    assert story(full, gone) == [("block_differs", "20261123-02"), ("outcomes_differ", "20261123-02")]  # fmt: skip


def test_an_attempt_was_taken_away(full: Ledger) -> None:
    kinds = {what for what, _ in story(full, f"DELETE FROM attempts WHERE key = '{KEY}'")}
    assert kinds == {"block_differs", "attempt_gone"}


def test_proving_changes_nothing(full: Ledger) -> None:
    before = full.audit_head()
    full.audit()
    assert full.audit_head() == before


def test_progress_and_memory_are_bounded(full: Ledger) -> None:
    told: list[tuple[int, int]] = []
    full.audit(progress=lambda done, total: told.append((done, total)))
    last = full.audit_head().last
    assert told[-1] == (last, last)
    many = Faults()
    for n in range(Faults.MOST + 7):
        many.add(Fault("changed", n))
    assert (len(many.found), many.more) == (Faults.MOST, 7)
    assert not Audit(1, Head(0, GENESIS), [], 1).intact


def test_a_ledger_that_was_chained_later_says_so(full: Ledger) -> None:
    database.migrate(full._engine, "0004")
    database.migrate(full._engine, migrations.HEAD)
    seen = full.audit()
    assert seen.intact
    assert [number for number, _ in seen.chained_later] == [full.audit_head().last]


def test_what_was_missing_before_it_was_chained_is_told_apart(full: Ledger) -> None:
    database.migrate(full._engine, "0004")
    with full._engine.begin() as connection:
        for statement in (
            *dialects.append_only_undone(connection.dialect, "events"),
            "DELETE FROM events WHERE id = 2",
            *dialects.append_only(connection.dialect, "events"),
        ):
            connection.execute(text(statement))
    database.migrate(full._engine, migrations.HEAD)
    assert ("missing_before_chain", 2, 2) in found(full)


def test_every_fault_has_its_words() -> None:
    said: Sequence[tuple[str, Any]] = [
        ("first", 0), ("what_zh", "甲"), ("what_en", "a"), ("count", 1), ("state", "s"), ("told", "t"),
    ]  # fmt: skip
    for what in FAULTS:
        fault = Fault(what, 1, 2, "at", "verb", "where", tuple(said))
        assert fault.text("en").isascii()
        assert re.search(r"[\u4e00-\u9fff]", fault.text("zh"))
        assert set(fault.as_dict()) == {"what", "entry", "to", "at", "where", "en", "zh"}
