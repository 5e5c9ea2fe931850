"""Promise P10: documents, receipts, findings and notes are encrypted where they rest, each bound to its place."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.exc import IntegrityError, OperationalError

from crossborder.errors import LedgerError, PayloadDamaged
from crossborder.ledger import (
    FindingRow,
    Frozen,
    Ledger,
    PassingKey,
    Payload,
    ReceiptLine,
    database,
    migrations,
    sealing,
    tables,
)
from crossborder.ledger.dialects import open_engine
from crossborder.ledger.sealing import DataKey, Unsealable

from .desk import MASTER, NOW, declaration, hand_in, key, shipment, source
from .sealed import PERSON, found_in, opened, ring

RECORD = f'{{"rule":"IDT-01","value":"{PERSON}"}}'


@pytest.fixture
def ledger(home: Path) -> Iterator[Ledger]:
    with opened(home) as made:
        yield made


def person(ledger: Ledger) -> str:
    """A batch with a person in its document, in a finding, in a receipt and in its notes; its id."""
    batch = ledger.begin_batch(source(), NOW)
    draft = declaration(0, content=PERSON)
    finding = FindingRow(0, "IDT-01", "warn", "note", RECORD)
    ledger.record_block(batch.id, [shipment(0)], [draft], [finding], [], NOW)
    of_file = FindingRow(None, "IDT-02", "warn", "note", RECORD)
    ledger.seal(batch.id, {"prepared": 1}, NOW, rows=2, findings=[[of_file]])
    ledger.release([batch.id], "tester", NOW, {"hangzhou": False})
    (ready,) = ledger.freezable(10)
    ledger.freeze([Frozen(ready.attempt_id, "ID1", b"<!-- 1 -->" + ledger.payload(ready.ref, NOW))], NOW)  # fmt: skip
    (ref,) = ledger.store_receipts("hangzhou", [("a.xml", PERSON.encode())], NOW)
    line = ReceiptLine(0, "EXP302", MASTER, "X1", None, "I", "ADD", "D0", "20261123180500123", notes=PERSON)  # fmt: skip
    ledger.save_read(ref.id, "EXP302", [line])
    return batch.id


def test_nothing_of_it_can_be_read_on_the_disk_and_all_of_it_in_the_ledger(
    ledger: Ledger, home: Path
) -> None:
    batch = person(ledger)
    assert found_in(home, *PERSON.split()) == []
    (attempt,) = ledger.attempts_in()
    assert ledger.peek(attempt.draft) == declaration(0, content=PERSON).body
    assert attempt.frozen is not None
    assert ledger.peek(attempt.frozen).endswith(declaration(0, content=PERSON).body)
    assert attempt.draft.segment.endswith(".aes.seg")
    assert [f.record for f in ledger.findings_of(batch)] == [RECORD, RECORD]
    assert [f.record for f in ledger.each_finding(batch)] == [RECORD, RECORD]
    assert ledger.findings_at(batch, 0)[0].record == RECORD
    assert ledger.receipt_raw(1) == PERSON.encode()
    (said,) = ledger.receipts_for(f"{MASTER}|X1|I")
    assert said.notes == PERSON


def test_without_encryption_the_same_search_finds_all_of_it(home: Path) -> None:
    with opened(home, encryption="off") as ledger:
        person(ledger)
        names = {name for name, _ in found_in(home, PERSON)}
        assert {"payload/000001.seg"} < names


def test_what_another_process_stored_is_read_by_the_next(home: Path) -> None:
    with opened(home) as ledger:
        ledger.store_receipts("hangzhou", [("a.xml", b"1"), ("b.xml", b"2")], NOW)
        ledger.store_receipts("ningbo", [("a.xml", b"1")], NOW)
    with opened(home) as ledger:
        lot = ledger.unread_receipts(10)
        assert list(zip(lot.endpoints, lot.raws, strict=True)) == [
            ("hangzhou", b"1"), ("hangzhou", b"2"), ("ningbo", b"1"),
        ]  # fmt: skip


def test_documents_of_several_batches_are_frozen_in_one_go_each_with_its_own_key(
    ledger: Ledger, home: Path
) -> None:
    batches = [hand_in(ledger, 2, first=10 * n, name=f"{n}.csv", listed=False) for n in range(3)]
    ledger.release(batches, "tester", NOW, {"hangzhou": False})
    drafts = ledger.freezable(10)
    ledger.freeze([Frozen(d.attempt_id, f"ID{n}", b"%d" % n) for n, d in enumerate(drafts)], NOW)
    frozen = [ledger.attempt(d.attempt_id).frozen for d in drafts]
    assert [ledger.peek(ref) for ref in frozen if ref] == [b"%d" % n for n in range(6)]
    segment = (home / "payload" / "000001.aes.seg").read_bytes()
    numbers = [sealing.number_of(segment[ref.offset :]) for ref in frozen if ref]
    assert [numbers.count(number) for number in dict.fromkeys(numbers)] == [2, 2, 2]


@pytest.mark.parametrize("at", [0, 3, 4, 15, 16, 40, -1])
def test_one_changed_byte_is_damage_wherever_it_is(ledger: Ledger, home: Path, at: int) -> None:
    hand_in(ledger, 2)
    ref = ledger.known([key(0)])[0].ref
    path = home / "payload" / ref.segment
    data = bytearray(path.read_bytes())
    data[ref.offset + (ref.length + sealing.OVERHEAD + at if at < 0 else at)] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(PayloadDamaged):
        ledger.peek(ref)
    assert ledger.peek(ledger.known([key(1)])[0].ref) == declaration(1).body


def test_exchanged_documents_are_found(ledger: Ledger, home: Path) -> None:
    """Also where row and bytes agree with each other: what is sealed for one place opens at no other."""
    hand_in(ledger, 2)
    a, b = (ledger.known([key(n)])[0].ref for n in range(2))
    path = home / "payload" / a.segment
    data = bytearray(path.read_bytes())
    size = a.length + sealing.OVERHEAD
    assert a.length == b.length
    first = bytes(data[a.offset : a.offset + size])
    data[a.offset : a.offset + size] = data[b.offset : b.offset + size]
    data[b.offset : b.offset + size] = first
    path.write_bytes(bytes(data))
    for ref in (a, b, a._replace(digest=b.digest), b._replace(digest=a.digest)):
        with pytest.raises(PayloadDamaged):
            ledger.peek(ref)


def test_exchanged_receipts_findings_and_notes_are_found(ledger: Ledger, home: Path) -> None:
    batch = person(ledger)
    ledger.store_receipts("hangzhou", [("b.xml", b"other")], NOW)
    with closing(sqlite3.connect(home / database.FILE)) as other, other:
        other.execute(
            "UPDATE receipts SET raw = (SELECT raw FROM receipts WHERE id = 2) WHERE id = 1"
        )
        other.execute(
            "UPDATE findings SET record = (SELECT record FROM findings WHERE position IS NULL)"
        )
        other.execute("UPDATE receipt_lines SET notes = (SELECT record FROM findings LIMIT 1)")
    with pytest.raises(PayloadDamaged, match="receipt"):
        ledger.receipt_raw(1)
    assert '"damaged":true' in ledger.findings_at(batch, 0)[0].record
    assert ledger.receipts_for(f"{MASTER}|X1|I")[0].notes == "[damaged 已损坏]"


def test_a_block_that_came_to_nothing_leaves_no_key_behind_that_later_bytes_are_sealed_with(
    home: Path,
) -> None:
    """A batch begun without encryption gets its key with its first block; if that is rolled back, so is the key."""
    with opened(home, encryption="off") as ledger:
        batch = ledger.begin_batch(source(), NOW)
        ledger.record_block(batch.id, [shipment(0)], [declaration(0)], [], [], NOW)
        ledger.leave_batch(batch.id)
    with opened(home) as ledger:
        again = ledger.begin_batch(source(), NOW)
        assert again.recorded == 1
        with pytest.raises(LedgerError):
            ledger.record_block(again.id, [shipment(5, 1, "rejected")], [declaration(5, 1)], [], [], NOW)  # fmt: skip
        ledger.record_block(again.id, [shipment(1)], [declaration(1)], [], [], NOW)
    with opened(home) as ledger:
        refs = [ledger.known([key(n)])[0].ref for n in range(2)]
        assert [r.segment for r in refs] == ["000001.seg", "000002.aes.seg"]
        assert [ledger.peek(r) for r in refs] == [declaration(n).body for n in range(2)]


def test_a_key_whose_transaction_came_to_nothing_seals_nothing(home: Path) -> None:
    """The disk was full when the batch was begun, and when the day's first receipt came: both are tried again."""

    def full(name: str) -> None:
        if name == "rows:written" and failing:
            failing.pop()
            raise OperationalError("COMMIT", {}, sqlite3.OperationalError("disk is full"))

    failing: list[bool] = []
    with Ledger.open(home, ring=ring(home), checkpoint=full) as ledger:
        failing.append(True)
        with pytest.raises(LedgerError, match="full"):
            ledger.begin_batch(source(), NOW)
        failing.append(True)
        with pytest.raises(LedgerError, match="full"):
            ledger.store_receipts("hangzhou", [("a.xml", b"one")], NOW)
        hand_in(ledger, 1)
        (ref,) = ledger.store_receipts("hangzhou", [("a.xml", b"one")], NOW)
    with opened(home) as ledger:
        assert ledger.peek(ledger.known([key(0)])[0].ref) == declaration(0).body
        assert ledger.receipt_raw(ref.id) == b"one"


def test_no_nonce_is_used_twice_also_where_the_end_of_a_segment_is_written_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies behind the last commit is cut off and written again with other bytes: under another nonce."""
    used: list[tuple[int, bytes, int]] = []
    real = sealing.seal_payload

    def watched(
        payload: Payload, keys: Sequence[DataKey], segment: str, offsets: Sequence[int]
    ) -> list[bytes | memoryview]:
        runs = real(payload, keys, segment, offsets)
        stored = b"".join(runs)
        for n, offset in enumerate(offsets):
            begin = offset - offsets[0] + sealing.NUMBER
            nonce = stored[begin : begin + sealing.NONCE]
            used.append((keys[0 if len(keys) == 1 else n].number, nonce, offset))
        return runs

    monkeypatch.setattr("crossborder.ledger.payloads.seal_payload", watched)
    with opened(home) as ledger:
        batch = ledger.begin_batch(source(), NOW)
        with pytest.raises(LedgerError):
            ledger.record_block(batch.id, [shipment(0, 0, "rejected")], [declaration(0)], [], [], NOW)  # fmt: skip
        ledger.record_block(batch.id, [shipment(1, 0)], [declaration(1, 0)], [], [], NOW)
    assert [(number, offset) for number, _, offset in used] == [(1, 0), (1, 0)]
    assert len({nonce for _, nonce, _ in used}) == 2


def test_a_plain_ledger_goes_on_encrypted_and_what_was_plain_stays_readable(home: Path) -> None:
    with Ledger.open(home) as ledger:
        person(ledger)
        hand_in(ledger, 2, first=10, name="b.csv", listed=False)
    with opened(home) as ledger:
        hand_in(ledger, 2, first=20, name="c.csv", listed=False)
        ledger.store_receipts("hangzhou", [("c.xml", b"sealed")], NOW)
        assert ledger.receipt_raw(1) == PERSON.encode()
        assert ledger.receipt_raw(2) == b"sealed"
        assert ledger.ring().plain == 2
        for n in (10, 11, 20, 21):
            assert ledger.peek(ledger.known([key(n)])[0].ref) == declaration(n, n % 10).body
        names = {ledger.known([key(n)])[0].ref.segment for n in (10, 20)}
        assert names == {"000001.seg", "000002.aes.seg"}


def test_an_encrypted_ledger_does_not_go_back_to_tables_without_keys(home: Path) -> None:
    with opened(home) as ledger:
        hand_in(ledger, 1)
    engine = open_engine(f"sqlite:///{home / database.FILE}")
    with pytest.raises(LedgerError, match="encrypted"):
        database.migrate(engine, "0004")
    assert database.version(engine) == migrations.HEAD
    engine.dispose()


def test_an_error_of_the_database_does_not_show_what_it_was_about(ledger: Ledger) -> None:
    row = {"name": "x", "value": PERSON}
    with pytest.raises(IntegrityError) as refused, ledger.write() as connection:
        connection.execute(tables.facts.insert(), [row, row])
    assert PERSON not in str(refused.value)


def test_what_is_sealed_opens_with_its_key_at_its_place_only() -> None:
    one = DataKey(1, "batch|a", AESGCM(os.urandom(32)))
    other = DataKey(1, "batch|a", AESGCM(os.urandom(32)))
    stored = sealing.seal(one, b"plain", b"here")
    assert sealing.unseal(one, stored, b"here") == b"plain"
    for wrong_key, wrong, place in (
        (other, stored, b"here"),
        (one, stored, b"there"),
        (one, stored[:20], b"here"),
    ):
        with pytest.raises(Unsealable):
            sealing.unseal(wrong_key, wrong, place)
    with pytest.raises(Unsealable):
        sealing.number_of(stored[:8])


@pytest.mark.parametrize("sizes", [[0], [1, 0, 2], [5], [600_000] * 5, [2_000_000, 3, 2_000_000]])
def test_runs_of_any_sizes_come_out_as_they_went_in(sizes: list[int]) -> None:
    key_ = DataKey(9, "batch|a", AESGCM(os.urandom(32)))
    bodies = [os.urandom(size) for size in sizes]
    payload = Payload.of(bodies)
    offsets, at = [], 100
    for size in sizes:
        offsets.append(at)
        at += size + sealing.OVERHEAD
    stored = b"".join(sealing.seal_payload(payload, [key_], "1.aes.seg", offsets))
    assert len(stored) == at - 100
    for offset, body, digest in zip(offsets, bodies, payload.digests, strict=True):
        part = stored[offset - 100 : offset - 100 + len(body) + sealing.OVERHEAD]
        where = sealing.document_place(key_.scope, "1.aes.seg", offset, digest)
        assert sealing.unseal(key_, part, where) == body


def test_a_passing_key_reads_what_it_wrote_and_nobody_else_does() -> None:
    one = PassingKey()
    stored = one.sealed(b"plain")
    assert b"plain" not in stored
    assert one.opened(stored) == b"plain"
    for key_, text in ((PassingKey(), stored), (one, stored[:-1]), (one, b"")):
        with pytest.raises(OSError, match="not what was written"):
            key_.opened(text)
