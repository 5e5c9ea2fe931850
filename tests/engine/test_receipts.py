"""Every receipt is stored raw before it is read, and each has a place: also unreadable, stray and contradictory ones.

Broken by: acknowledging before storing, an order of arrival that matters, or a receipt that ends in a log line only.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import text

from crossborder.errors import InputError, NotFound
from crossborder.filing.receiver import Reader
from crossborder.sandbox import Faults

from .firm import HTTP, day, ending, firm, houses

BOMB = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]><Package>&d;</Package>"""
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]><Package>&f;</Package>"""
DEEP = b"<a>" * 50_000 + b"</a>" * 50_000


def test_overtaking_receipts_reach_the_same_state(tmp_path: Path) -> None:
    sample = ending(day(6), {0: "SBZ2", 1: "SBZ1", 2: "SBZ2"})
    with firm(tmp_path, faults=Faults(answered_twice=0.3)) as desk:
        batch = desk.flow(sample)
        assert desk.lines(batch) == {"released": 6}
        codes = [r["code"] for r in desk.engine.status(houses(sample)[0])[0]["receipts"]]
        assert sorted(codes) == ["11", "D0", "D2", "Y"]
        desk.balanced(batch)


def test_every_repetition_is_counted_and_changes_nothing(tmp_path: Path) -> None:
    sample = ending(day(3), {0: "SBZ1"})
    with firm(tmp_path) as desk:
        batch = desk.flow(sample)
        (told,) = desk.engine.status(houses(sample)[0])
        assert [r["code"] for r in told["receipts"]] == ["D0", "D2", "Y", "11"]
        assert {r["copies"] for r in told["receipts"]} == {2}
        assert desk.lines(batch) == {"released": 3}


def test_unreadable_stray_and_contradictory_receipts_have_a_place(tmp_path: Path) -> None:
    sample = ending(day(6), {0: "SBZ3", 1: "SBZ6", 2: "SBZ4", 3: "SBZ5"})
    names = houses(sample)
    with firm(tmp_path) as desk:
        batch = desk.prepare(sample).batch
        filed = desk.engine.submit([batch], wait=20)
        assert desk.sandbox is not None
        assert desk.sandbox.wait_idle()
        got = desk.engine.receive()
        assert filed.brought or got.needs_attention  # whichever run took them in tells
        shown = desk.engine.report([batch]).attention
        whats = {row["what"] for row in shown}
        assert {"unreadable_receipt", "unmatched_receipt", "contradictory_receipt"} <= whats
        assert all(row["zh"] and row["en"] for row in shown)
        states = desk.states(batch)
        assert [states[name] for name in names] == [
            "released", "released", "accepted", "amendment_after_inspection", "released", "released",
        ]  # fmt: skip
        marks = {a["house_waybill"]: a["attention"] for a in desk.engine.attempts(batches=[batch])}
        assert (marks[names[2]], marks[names[3]]) == (["contradictory"], ["reopened"])
        desk.balanced(batch)


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """A folder with every receipt that another home got for the same parcels."""
    box = tmp_path / "told"
    box.mkdir()
    with firm(tmp_path / "other") as other:
        other.flow(day(3))
        with other.engine.ledger.read() as connection:
            found = connection.execute(text("SELECT id, name FROM receipts")).all()
        raws = {number: other.engine.ledger.receipt_raw(number) for number, _ in found}
    for number, name in found:
        (box / f"{number}_{name}").write_bytes(raws[number])
    return box


SILENT = Faults(never_answered=1.0)


def test_receipts_may_come_as_files(tmp_path: Path, told: Path) -> None:
    count = len(list(told.iterdir()))
    with firm(tmp_path, faults=SILENT, manifest=False, manifest_first=False) as desk:
        batch = desk.prepare(day(3)).batch
        desk.engine.submit([batch], wait=1)
        assert desk.lines(batch) == {"in_flight": 3}
        got = desk.engine.receive([told], endpoint=HTTP)
        assert (got.counts["receipts"], got.counts["repeated"]) == (count, 0)
        assert not got.needs_attention
        assert desk.lines(batch) == {"released": 3}
        again = desk.engine.receive(sorted(told.iterdir()), endpoint=HTTP)
        assert (again.counts["receipts"], again.counts["repeated"]) == (0, count)
        assert desk.lines(batch) == {"released": 3}
        desk.balanced(batch)


def test_receiving_tells_how_far_it_is(tmp_path: Path, told: Path) -> None:
    """First the files that are stored, then the receipts that are read; each up to its total."""
    count = len(list(told.iterdir()))
    seen: list[tuple[int, int]] = []
    with firm(tmp_path, faults=SILENT, manifest=False, manifest_first=False) as desk:
        desk.engine.receive(
            [told], endpoint=HTTP, progress=lambda done, total: seen.append((done, total))
        )
    assert set(seen) == {(count, count)}
    assert len(seen) >= 2


def test_receipts_that_came_before_their_declaration_are_applied_when_it_is_filed(
    tmp_path: Path, told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read when the declarations have arrived: what another program has declared meanwhile would not be sent at all."""
    with firm(tmp_path, faults=SILENT, manifest=False, manifest_first=False) as desk:
        early = desk.engine.receive([told], endpoint=HTTP)
        assert early.counts["unmatched"] > 0
        assert early.needs_attention
        batch = desk.prepare(day(3)).batch
        with monkeypatch.context() as patched:
            patched.setattr(Reader, "step", lambda _self, _now: None)
            desk.engine.submit([batch], wait=1)
        assert desk.lines(batch) == {"in_flight": 3}
        desk.settled()
        assert desk.lines(batch) == {"released": 3}
        assert not desk.engine.receive().needs_attention
        desk.balanced(batch)


@pytest.mark.parametrize(
    "body", [BOMB, OUTSIDE, DEEP, b"", b"\x00\xff\xfe", b"<Package>", b"PK\x03\x04", b"<Package/>"],
    ids=["bomb", "outside", "deep", "empty", "binary", "torn", "zip", "nothing"],
)  # fmt: skip
def test_a_hostile_file_is_stored_named_and_moves_nothing(tmp_path: Path, body: bytes) -> None:
    with firm(tmp_path) as desk:
        batch = desk.flow(day(2))
        before = desk.engine.attempts(batches=[batch])
        file = tmp_path / "Receipt_odd.xml"
        file.write_bytes(body)
        got = desk.engine.receive([file], endpoint=HTTP)
        assert (got.counts["receipts"], got.counts["unreadable"], got.needs_attention) == (
            1,
            1,
            True,
        )
        (row,) = [
            r for r in desk.engine.report([batch]).attention if r["what"] == "unreadable_receipt"
        ]
        assert row["shipment"] == file.name
        ((number, *_),) = desk.engine.ledger.unreadable_receipts()
        assert desk.engine.ledger.receipt_raw(number) == body
        assert desk.engine.attempts(batches=[batch]) == before
        desk.balanced(batch)


def test_a_hostile_receipt_fetched_does_not_hold_up_the_others(tmp_path: Path) -> None:
    sample = day(3, port="3101")
    with firm(tmp_path) as desk:
        batch = desk.prepare(sample).batch
        assert desk.sandbox is not None
        box = desk.sandbox.boxes("ningbo")
        assert box is not None
        for number, body in enumerate((BOMB, DEEP, b"<Package>")):
            file = box / "InBox" / f"Receipt_000{number}.xml"
            file.write_bytes(body)
            old = file.stat().st_mtime - 60
            os.utime(file, (old, old))
        desk.engine.submit([batch], wait=20)
        desk.settled()
        assert desk.lines(batch) == {"released": 3}
        assert len(desk.engine.ledger.unreadable_receipts()) == 3
        assert not [p for p in (box / "InBox").iterdir() if p.is_file()]


def test_a_file_that_cannot_be_read_is_named_and_nothing_is_stored(tmp_path: Path) -> None:
    with firm(tmp_path) as desk:
        good = tmp_path / "Receipt_good.xml"
        good.write_bytes(b"<Package/>")
        with pytest.raises(InputError) as told:
            desk.engine.receive([good, tmp_path / "missing.xml"], endpoint=HTTP)
        assert "missing.xml" in told.value.place
        assert desk.engine.ledger.unreadable_receipts() == []
        with pytest.raises(NotFound):
            desk.engine.receive([good], endpoint="shanghai")


def test_read_receipts_of_the_library_names_what_it_cannot_read(tmp_path: Path) -> None:
    import crossborder

    (tmp_path / "a.xml").write_bytes(BOMB)
    told = crossborder.read_receipts([tmp_path / "a.xml", b"<Package/>"])
    assert told.counts == {"unreadable": 2}
    assert told.problems["name"][0] == "a.xml"
