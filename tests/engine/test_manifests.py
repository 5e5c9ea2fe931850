"""Manifest first, and whole: what stands on it, what cannot, and what follows when customs refuses it.

Broken by: filing a declaration before its house is accepted, forgetting a rejected parcel on the manifest, counting
totals of one part only, or losing sight of what stands on no manifest.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from crossborder.engine import filing, standing
from crossborder.filing import Tally
from crossborder.ledger import Ledger, PayloadRef
from crossborder.sandbox import Faults
from crossborder.sandbox.faults import ManifestFault

from .firm import HTTP, Firm, changed, day, ending, firm, houses, only


def manifests(desk: Firm, batch: str) -> list[dict[str, list[str]]]:
    """The manifests of a batch as documents: element → its values in order."""
    found = []
    for attempt in desk.engine.attempts(batches=[batch]):
        if attempt["message_type"] == "EXP311":
            values: dict[str, list[str]] = {}
            for node in etree.fromstring(desk.engine.document(attempt["attempt_id"])).iter():
                values.setdefault(etree.QName(node).localname, []).append(node.text or "")
            found.append(values)
    return found


def nothing_to_wait_for(desk: Firm, batch: str) -> bool:
    """Whether `submit` would end at its first look, however long it may wait."""
    watch = filing._Watch(
        desk.engine.ledger, [batch], timedelta(days=1), Tally(), lambda _done, _total: None
    )
    return watch.finished()


def test_a_rejected_parcel_still_stands_on_the_manifest(tmp_path: Path) -> None:
    sample = changed(day(6), "receiver_city", {2: "London"})
    with firm(tmp_path) as desk:
        done = desk.prepare(sample)
        assert done.counts == {"prepared": 5, "rejected": 1}
        assert done.not_manifested == 0
        listed = [house for m in manifests(desk, done.batch) for house in m["AssBillNo"]]
        assert sorted(listed) == sorted(houses(sample))
        desk.engine.submit([done.batch], wait=20)
        desk.settled()
        assert desk.lines(done.batch) == {"rejected": 1, "released": 5}
        assert houses(sample)[2] not in desk.arrivals()


def test_a_parcel_that_no_manifest_can_list_heads_the_report(tmp_path: Path) -> None:
    sample = changed(day(6), "pieces", {0: "many"})
    with firm(tmp_path) as desk:
        done = desk.prepare(sample)
        assert (done.counts, done.not_manifested) == ({"prepared": 5, "rejected": 1}, 1)
        (told,) = desk.engine.not_manifested([done.batch])
        assert told["shipment"] == houses(sample)[0]
        assert "PackNo" in told["reason"]
        first = desk.engine.report([done.batch]).attention[0]
        assert (first["what"], first["shipment"]) == ("not_manifested", houses(sample)[0])
        assert houses(sample)[0] not in [h for m in manifests(desk, done.batch) for h in m["AssBillNo"]]  # fmt: skip


@pytest.mark.parametrize(
    ("column", "value", "listed"),
    [
        ("voyage", None, False), ("voyage", "ZX 9999", True), ("direction", "X", False), ("direction", None, False),
        ("master_waybill", None, False), ("master_waybill", "- -", False), ("house_waybill", None, False),
        ("house_waybill", "- -", False), ("house_waybill", "A" * 40, False), ("declaration_port", None, True),
        ("declaration_port", "5301", True), ("movement_date", "20261131", True), ("gross_weight", "-1", False),
    ],
)  # fmt: skip
def test_every_parcel_stands_on_a_manifest_or_is_named_as_standing_on_none(
    tmp_path: Path, column: str, value: str | None, listed: bool
) -> None:
    desk = Firm(tmp_path, None)
    with desk.engine:
        done = desk.prepare(changed(day(6), column, {3: value}))
        lines = [house for m in manifests(desk, done.batch) for house in m["AssBillNo"]]
        named = desk.engine.not_manifested([done.batch])
        assert (len(lines), len(named), done.not_manifested) == ((6, 0, 0) if listed else (5, 1, 1))


def test_a_file_for_a_district_nobody_serves_stands_on_no_manifest(tmp_path: Path) -> None:
    desk = Firm(tmp_path, None)
    with desk.engine:
        done = desk.prepare(changed(day(3), "declaration_port", dict.fromkeys(range(3), "5301")))
        assert (done.counts, done.manifests, done.not_manifested) == ({"rejected": 3}, 0, 3)
        assert {"no endpoint serves its port of declaration"} == {
            n["reason"] for n in desk.engine.not_manifested([done.batch])
        }


def test_a_second_file_with_more_houses_of_a_live_master_appends(tmp_path: Path) -> None:
    sample = day(6)
    masters = sample.frames.shipments["master_waybill"]
    master = masters[0]
    mine = [n for n, m in enumerate(masters) if m == master]
    assert len(mine) >= 3
    with firm(tmp_path) as desk:
        first = desk.flow(only(sample, mine[:1]))
        second = desk.prepare(sample)
        assert second.counts == {"already_filed": 1, "prepared": 5}
        appended = next(m for m in manifests(desk, second.batch) if m["BillNo"][0] == master)
        assert appended["OpType"] == ["APD"]
        assert appended["AssBillNo"] == [houses(sample)[n] for n in mine[1:]]
        assert appended["BillNum"] == [str(len(mine))]
        pieces = [int(sample.frames.shipments["pieces"][n]) for n in mine]
        assert appended["PackNo"][0] == str(sum(pieces))
        desk.engine.submit([second.batch], wait=20)
        desk.settled()
        assert desk.lines(first, second.batch) == {"already_filed": 1, "released": 6}
        keys = [a.key for a in desk.engine.ledger.attempts_in(kind="manifest", master=master)]
        assert [k.rpartition("|")[2] for k in keys] == ["1", "2"]
        desk.balanced(first, second.batch)


@pytest.mark.parametrize("at_hand", [200_000, 3])
def test_a_flight_that_comes_parcel_by_parcel_is_counted_without_reading_all_of_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_hand: int
) -> None:
    """The totals of each part are those of all so far; a part is read once, or again where there is no more room."""
    monkeypatch.setattr(standing, "MOST_HOUSES", at_hand)
    monkeypatch.setattr(standing, "_at_hand", standing._AtHand())
    count = 7
    sample = day(count)
    for column in ("master_waybill", "voyage"):
        first = sample.frames.shipments[column][0]
        sample = changed(sample, column, dict.fromkeys(range(count), first))
    read: list[str] = []
    payload = Ledger.payload

    def counted(ledger: Ledger, ref: PayloadRef, now: datetime) -> bytes:
        read.append(ref.digest)
        return payload(ledger, ref, now)

    monkeypatch.setattr(Ledger, "payload", counted)
    desk = Firm(tmp_path, None)
    with desk.engine:
        batches = [desk.prepare(only(sample, [n])).batch for n in range(count)]
        monkeypatch.undo()
        parts = [part for batch in batches for part in manifests(desk, batch)]
        ships = sample.frames.shipments
        for n, part in enumerate(parts, 1):
            assert part["OpType"] == ["ADD" if n == 1 else "APD"]
            assert part["BillNum"] == [str(n)]
            assert part["PackNo"][0] == str(sum(map(int, ships["pieces"][:n])))
            assert Decimal(part["GrossWt"][0]) == sum(map(Decimal, ships["gross_weight"][:n]))
        desk.balanced(*batches)
    assert len(set(read)) == count - 1
    assert (len(read) == count - 1) == (at_hand > count)


def test_three_parts_wait_for_each_other_in_order(tmp_path: Path) -> None:
    sample = day(6)
    masters = list(sample.frames.shipments["master_waybill"])
    mine = [n for n, m in enumerate(masters) if m == masters[0]][:3]
    with firm(tmp_path) as desk:
        batches = [desk.prepare(only(sample, mine[: n + 1])).batch for n in range(3)]
        desk.engine.submit([batches[2], batches[1], batches[0]], wait=20)
        desk.settled()
        assert desk.lines(*batches) == {"already_filed": 3, "released": 3}
        assert desk.arrivals("EXP311") == {masters[0]: 3}
        desk.balanced(*batches)


def test_no_declaration_leaves_before_its_house_is_accepted(tmp_path: Path) -> None:
    with firm(tmp_path) as desk:
        desk.flow(day(12))
        assert desk.sandbox is not None
        kinds = [m["message_type"] for m in desk.sandbox.account(HTTP)["messages"]]
        assert kinds.index("EXP301") >= kinds.count("EXP311")
        assert {m["state"] for m in desk.sandbox.account(HTTP)["messages"]} == {"NY", "11"}


def test_without_manifest_first_nothing_is_waited_for(tmp_path: Path) -> None:
    with firm(tmp_path, manifest=False, manifest_first=False) as desk:
        sample = day(4)
        batch = desk.prepare(sample).batch
        assert desk.engine.submit([batch], wait=20).awaiting == 0
        desk.settled()
        assert desk.lines(batch) == {"released": 4}


@pytest.mark.parametrize("fault", ["NN", "DN"])
def test_a_refused_manifest_holds_its_declarations_and_says_so(
    tmp_path: Path, fault: ManifestFault
) -> None:
    sample = day(6)
    masters = sample.frames.shipments["master_waybill"]
    mine = {h for h, m in zip(houses(sample), masters, strict=True) if m == masters[0]}
    with firm(tmp_path, faults=Faults(manifests={masters[0]: fault})) as desk:
        batch = desk.prepare(sample).batch
        done = desk.engine.submit([batch], wait=30)
        assert (done.awaiting, done.needs_attention) == (len(mine), True)
        desk.settled()
        assert {h for h, s in desk.states(batch).items() if s == "awaiting_manifest"} == mine
        assert desk.lines(batch) == {"prepared": len(mine), "released": 6 - len(mine)}
        assert not mine & desk.arrivals().keys()
        named = [r for r in desk.engine.report([batch]).attention if r["shipment"] in mine]
        assert len(named) == len(mine)
        assert all("house_refused" in row["en"] for row in named)
        assert nothing_to_wait_for(desk, batch)
        desk.balanced(batch)


def test_a_house_refused_in_its_manifest_goes_again_when_the_file_is_handed_in_again(
    tmp_path: Path,
) -> None:
    sample = ending(day(6), {0: "SBNN"})
    house = houses(sample)[0]
    with firm(tmp_path) as desk:
        first = desk.flow(sample, wait=30)
        assert desk.states(first)[house] == "awaiting_manifest"
        again = desk.prepare(sample)
        assert again.counts == {"already_filed": 6}
        (appended,) = manifests(desk, again.batch)
        assert (appended["OpType"], appended["AssBillNo"]) == (["APD"], [house])
        master = sample.frames.shipments["master_waybill"][0]
        (whole,) = [m for m in manifests(desk, first) if m["BillNo"][0] == master]
        for total in ("BillNum", "PackNo", "GrossWt"):  # the refused line is not counted twice
            assert appended[total][0] == whole[total][0]
        desk.balanced(first, again.batch)


@pytest.mark.parametrize(("end", "state"), [("SFNN", "released"), ("SBNN", "awaiting_manifest")])
def test_after_a_house_was_refused_the_appended_manifest_is_stored(
    tmp_path: Path, end: str, state: str
) -> None:
    """Its totals are those of what stands: the house that was refused counts once, as a line of the new part."""
    sample = ending(day(6), {0: end})
    masters = list(sample.frames.shipments["master_waybill"])
    late = next(n for n in range(5, 0, -1) if masters[n] == masters[0])
    assert masters.count(masters[0]) >= 3
    with firm(tmp_path) as desk:
        first = desk.flow(only(sample, [n for n in range(6) if n != late]), wait=30)
        assert desk.states(first)[houses(sample)[0]] == "awaiting_manifest"
        second = desk.prepare(sample)
        assert second.counts == {"already_filed": 5, "prepared": 1}
        (appended,) = manifests(desk, second.batch)
        assert appended["OpType"] == ["APD"]
        assert appended["AssBillNo"] == [houses(sample)[0], houses(sample)[late]]
        assert appended["BillNum"] == [str(masters.count(masters[0]))]
        desk.engine.submit([second.batch], wait=20)
        desk.settled()
        (part,) = [
            a for a in desk.engine.attempts(batches=[second.batch]) if a["message_type"] == "EXP311"
        ]
        assert part["state"] == "accepted"
        assert desk.states(second.batch)[houses(sample)[late]] == "released"
        assert desk.states(first)[houses(sample)[0]] == state
        desk.balanced(first, second.batch)


def test_a_corrected_manifest_lets_the_declarations_of_the_first_batch_go(tmp_path: Path) -> None:
    sample = day(6)
    master = sample.frames.shipments["master_waybill"][0]
    faults: dict[str, ManifestFault] = {master: "NN"}
    with firm(tmp_path, faults=Faults(manifests=faults)) as desk:
        first = desk.flow(sample, wait=30)
        assert desk.lines(first) == {"prepared": 3, "released": 3}
        faults.clear()  # the port has mended its ways
        second = desk.prepare(sample)
        assert second.counts == {"already_filed": 6}
        assert [m["OpType"] for m in manifests(desk, second.batch)] == [["ADD"]]
        desk.engine.submit([second.batch], wait=20)
        desk.settled()
        assert desk.lines(first) == {"released": 6}
        assert set(desk.arrivals().values()) == {1}
        desk.balanced(first, second.batch)
