from __future__ import annotations

import errno
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.backends import URLS, open_ledger, put, spoil

from crossborder.errors import LedgerError, PayloadDamaged
from crossborder.ledger import Frozen, Ledger
from crossborder.ledger.payloads import Segments

from .desk import (
    NOW,
    claim,
    declaration,
    hand_in,
    key,
    manifest,
    queue,
    ready,
    shipment,
    source,
)

SQLITE = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
POSTGRESQL = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)


def segment(home: Path) -> Path:
    return home / "payload" / "000001.seg"


def test_bytes_come_back_as_they_were(ledger: Ledger) -> None:
    hand_in(ledger, 20)
    for n in range(20):
        (known,) = ledger.known([key(n)])
        assert ledger.payload(known.ref, NOW) == declaration(n).body


@SQLITE
def test_what_lies_behind_the_last_commit_is_cut_off(home: Path) -> None:
    with open_ledger(home) as ledger:
        hand_in(ledger, 3)
    whole = segment(home).read_bytes()
    segment(home).write_bytes(whole + b"half a declaration")
    (home / "payload" / "000002.seg").write_bytes(b"of a segment nobody knows")
    with open_ledger(home) as ledger:
        assert segment(home).read_bytes() == whole
        assert (home / "payload" / "000002.seg").stat().st_size == 0
        hand_in(ledger, 3, first=10, name="b.csv", listed=False)
        (known,) = ledger.known([key(12)])
        assert ledger.payload(known.ref, NOW) == declaration(12).body


@SQLITE
def test_a_write_that_was_rolled_back_is_written_over(ledger: Ledger, home: Path) -> None:
    hand_in(ledger, 1)
    end = segment(home).stat().st_size
    batch = ledger.begin_batch(source("b.csv"), NOW)
    with pytest.raises(LedgerError):
        ledger.record_block(batch.id, [shipment(5, 0, "rejected")], [declaration(5, 0, content="x" * 200)], [], [], NOW)  # fmt: skip
    assert segment(home).stat().st_size > end + 2 * len(declaration(6).body)
    ledger.record_block(batch.id, [shipment(6, 0)], [declaration(6, 0)], [], [], NOW)
    (known,) = ledger.known([key(6)])
    assert known.ref.offset == end
    assert segment(home).stat().st_size == end + len(declaration(6).body)
    assert ledger.payload(known.ref, NOW) == declaration(6).body


@SQLITE
def test_a_segment_begun_in_vain_is_lasting_by_name_once_it_is_written(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broken by flushing the folder only where the file is new: the first try made it, and a power cut takes it."""
    full = [True]
    flushed: list[Path] = []
    monkeypatch.setattr("crossborder.ledger.payloads.flush_folder", flushed.append)

    def disk(point: str) -> None:
        if point == "payload:half" and full:
            full.clear()
            raise OSError(errno.ENOSPC, "No space left on device")

    with Ledger.open(home, checkpoint=disk) as ledger:
        with pytest.raises(LedgerError, match="No space left"):
            hand_in(ledger, 1)
        assert flushed == []
        batch = ledger.begin_batch(source("b.csv"), NOW)
        ledger.record_block(batch.id, [shipment(5, 0)], [declaration(5, 0)], [], [], NOW)
        assert flushed == [segment(home).parent]


def test_a_damaged_draft_is_suspended_and_named(ledger: Ledger, home: Path) -> None:
    batch = hand_in(ledger, 2, listed=False)
    ledger.release([batch], "tester", NOW, {"hangzhou": False})
    first, second = ledger.freezable(10)
    spoil(home, first.ref)
    with pytest.raises(PayloadDamaged, match=r"payload/0+1\.(seg|row) @ 0"):
        ledger.payload(first.ref, NOW)
    damaged = ledger.attempt(first.attempt_id)
    assert (damaged.state, damaged.attention) == ("suspended", ("payload_damaged",))
    assert ledger.freezable(10) == [second]
    assert ledger.freeze([Frozen(first.attempt_id, "ID1", b"composed again")], NOW) == []
    assert ledger.timeline(first.attempt_id)[-1].to_state == "suspended"
    assert ledger.document(first.attempt_id) is None


def test_a_damaged_message_is_not_sent(ledger: Ledger, home: Path) -> None:
    ready(ledger, 2)
    first, _ = claim(ledger)
    spoil(home, first.ref)
    with pytest.raises(PayloadDamaged):
        ledger.payload(first.ref, NOW)
    assert ledger.attempt(first.attempt_id).state == "suspended"
    assert ledger.known([first.key])[0].live


def test_damage_does_not_hide_that_a_message_may_be_there(ledger: Ledger, home: Path) -> None:
    ready(ledger, 1)
    (lost,) = claim(ledger)
    ledger.record_outcome(lost.attempt_id, "unknown", "", NOW, f"{ledger.owner}/w")
    spoil(home, lost.ref)
    with pytest.raises(PayloadDamaged):
        ledger.payload(lost.ref, NOW)
    found = ledger.attempt(lost.attempt_id)
    assert (found.state, found.attention) == ("unknown", ("payload_damaged",))


@SQLITE
@pytest.mark.parametrize("how", ["short", "gone"])
def test_short_or_missing_bytes_are_damaged(ledger: Ledger, home: Path, how: str) -> None:
    hand_in(ledger, 1)
    (known,) = ledger.known([key(0)])
    if how == "gone":
        segment(home).unlink()
    else:
        segment(home).write_bytes(segment(home).read_bytes()[:-1])
    (listed,) = ledger.attempts_in(kind="manifest")
    with pytest.raises(PayloadDamaged):
        ledger.payload(listed.draft, NOW)
    assert ledger.attempt(listed.id).state == "suspended"
    assert ledger.attempt(known.attempt_id).state == "prepared"


@SQLITE
def test_a_full_segment_is_followed_by_the_next(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(Segments.__init__, "__defaults__", (64,))
    with open_ledger(home) as ledger:
        batch = ledger.begin_batch(source(), NOW)
        for n in range(4):
            ledger.record_block(batch.id, [shipment(n)], [declaration(n)], [], [], NOW)
        ledger.record_block(batch.id, [], [manifest(range(4))], [], [], NOW)
        segments = {a.draft.segment for a in ledger.attempts_in()}
        assert len(segments) > 2
        for n in range(4):
            assert ledger.peek(ledger.known([key(n)])[0].ref) == declaration(n).body


@SQLITE
def test_a_disk_that_cannot_be_written_changes_nothing(ledger: Ledger, home: Path) -> None:
    (home / "payload").write_text("not a folder")
    batch = ledger.begin_batch(source(), NOW)
    with pytest.raises(LedgerError, match="payload store"):
        ledger.record_block(batch.id, [shipment(0)], [declaration(0)], [], [], NOW)
    assert ledger.batch(batch.id).recorded == 0
    (home / "payload").unlink()
    ledger.record_block(batch.id, [shipment(0)], [declaration(0)], [], [], NOW)


def test_frozen_bytes_are_other_bytes_than_the_draft(ledger: Ledger) -> None:
    batch = hand_in(ledger, 1, listed=False)
    ledger.release([batch], "tester", NOW, {"hangzhou": False})
    queue(ledger)
    (attempt,) = ledger.attempts_in()
    assert attempt.frozen is not None
    assert ledger.peek(attempt.draft) == declaration(0).body
    assert ledger.peek(attempt.frozen).endswith(declaration(0).body)
    assert attempt.digest == attempt.frozen.digest != attempt.draft.digest


def test_bytes_that_were_put_back_go_on_where_they_stood(ledger: Ledger, home: Path) -> None:
    """A draft damaged before its batch was let go waits for its manifest afterwards, as it would have."""
    batch = hand_in(ledger, 2)
    (first,) = ledger.known([key(0)])
    good = spoil(home, first.ref)
    with pytest.raises(PayloadDamaged):
        ledger.payload(first.ref, NOW)
    ledger.release([batch], "wang", NOW, {})
    assert ledger.attempt(first.attempt_id).state == "suspended"
    ledger.release([batch], "wang", NOW, {})
    assert ledger.attempt(first.attempt_id).state == "suspended"
    put(home, first.ref, good)
    ledger.release([batch], "wang", NOW, {})
    back = ledger.attempt(first.attempt_id)
    assert (back.state, back.attention) == ("awaiting_manifest", ())
    assert [(e.verb, e.to_state) for e in ledger.timeline(back.id)][-1] == (
        "bytes_restored",
        "awaiting_manifest",
    )
    assert back.key not in {d.key for d in ledger.freezable(10)}


@pytest.mark.parametrize("wants_manifest", [True, False])
def test_bytes_put_back_before_a_batch_is_let_go_are_let_go_with_it(
    ledger: Ledger, home: Path, wants_manifest: bool
) -> None:
    batch = hand_in(ledger, 2)
    (first,) = ledger.known([key(0)])
    good = [(known.draft, spoil(home, known.draft)) for known in ledger.attempts_in()]
    for ref, _ in good:
        with pytest.raises(PayloadDamaged):
            ledger.payload(ref, NOW)
    for ref, body in good:
        put(home, ref, body)
    ledger.release([batch], "wang", NOW, {"hangzhou": wants_manifest})
    assert {a.state for a in ledger.attempts_in(kind="manifest")} == {"prepared"}
    ready_keys = {d.key for d in ledger.freezable(10)}
    assert {a.key for a in ledger.attempts_in(kind="manifest")} <= ready_keys
    assert (first.key in ready_keys) is not wants_manifest


@POSTGRESQL
@pytest.mark.parametrize(
    "change", ["UPDATE payload SET body = substr(body, 2)", "DELETE FROM payload"]
)
def test_short_or_missing_rows_are_damaged(ledger: Ledger, change: str) -> None:
    hand_in(ledger, 1)
    with ledger.write() as connection:
        connection.execute(text(change))
    (listed,) = ledger.attempts_in(kind="manifest")
    with pytest.raises(PayloadDamaged):
        ledger.payload(listed.draft, NOW)
    assert ledger.attempt(listed.id).state == "suspended"


@POSTGRESQL
def test_rows_of_a_transaction_that_was_rolled_back_are_gone(ledger: Ledger, home: Path) -> None:
    """And whoever is on another host, with an empty home folder, reads what was committed."""
    hand_in(ledger, 2)
    batch = ledger.begin_batch(source("b.csv"), NOW)
    with pytest.raises(LedgerError):
        ledger.record_block(batch.id, [shipment(5, 0, "rejected")], [declaration(5, 0)], [], [], NOW)  # fmt: skip
    with ledger.read() as connection:
        kept = connection.execute(text("SELECT count(*) FROM payload")).scalar()
    assert kept == len(ledger.attempts_in()) == 3
    with Ledger.open(home.with_name("other-host"), url=URLS[home]) as other:
        assert [other.peek(a.draft) for a in other.attempts_in(kind="declaration")] == [
            declaration(n).body for n in range(2)
        ]
    assert not (home / "payload").exists()
