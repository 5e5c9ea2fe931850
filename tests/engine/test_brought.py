"""What one run of receiving brought that needs a person, and nothing that stood there before.

Broken by: a refusal that only the ledger knows of, a trouble told again and again, or one told without what to do.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from crossborder import china_time
from crossborder.engine import Received
from crossborder.sandbox import Faults
from crossborder.sandbox import receipts as port

from .firm import HTTP, Firm, firm, houses
from .test_replacing import DAY, MASTER, MINE

SILENT = Faults(never_answered=1.0)
VOYAGE = DAY.frames.shipments["voyage"][0]
HOUSES = houses(DAY)
SPELLING = port.Spelling()


def later(minutes: float = 1) -> str:
    """OpTime, 14 digits."""
    return china_time.digits14(china_time.now() + timedelta(minutes=minutes))


def of_declaration(box: Path, house: str, code: str) -> Path:
    """A file with an EXP302 about a parcel of `MASTER`."""
    made = port.exp302(
        serial=1, moment=0, receiver="DEMO", op_type="ADD", master=MASTER, house=house, direction="I",
        op_time=f"{later()}000", code=code, pre_entry_id="", entry_id="", text="", spelling=SPELLING,
    )  # fmt: skip
    file = box / f"{house}_{code}.xml"
    file.write_bytes(made.body)
    return file


def of_manifest(box: Path, code: str, *said: tuple[str, str, str]) -> Path:
    """A file with an EXP312 about the manifest of `MASTER`: its code, and (house, code, notes) of its lines."""
    made = port.exp312(
        serial=1, moment=0, receiver="DEMO", master=MASTER, voyage=VOYAGE, entry_date=later(0), code=code,
        text="重量不符", houses=said, spelling=SPELLING,
    )  # fmt: skip
    file = box / f"{MASTER}_{code}.xml"
    file.write_bytes(made.body)
    return file


def brought(got: Received) -> dict[tuple[str, str], tuple[int, tuple[str, ...]]]:
    """(what, code) → (count, examples); every one says what to do, and stands in the JSON."""
    assert all(one.zh and one.en for one in got.brought)
    assert got.as_json()["brought"] == [one.as_dict() for one in got.brought]
    return {(one.what, one.code): (one.count, one.examples) for one in got.brought}


def test_what_needs_a_person_is_told_once_by_kind(tmp_path: Path) -> None:
    with firm(tmp_path) as desk:
        desk.flow(DAY)
        files = [
            of_declaration(tmp_path, HOUSES[MINE[0]], "00"), of_declaration(tmp_path, HOUSES[MINE[1]], "ZZ"),
            of_declaration(tmp_path, "NOBODY1", "11"), of_declaration(tmp_path, "NOBODY2", "11"),
        ]  # fmt: skip
        got = desk.engine.receive(files, endpoint=HTTP)
        assert got.needs_attention
        assert brought(got) == {
            ("sent_back", "00"): (1, (HOUSES[MINE[0]],)), ("reopened", ""): (1, (HOUSES[MINE[0]],)),
            ("unknown_code", "ZZ"): (1, (HOUSES[MINE[1]],)), ("unmatched", "11"): (2, ("NOBODY1", "NOBODY2")),
        }  # fmt: skip
        assert (got.counts["unmatched"], got.counts["unknown_code"], got.before) == (2, 1, {})
        told = {one.what: one.en for one in got.brought}
        assert "Repair and file again" in told["sent_back"]
        again = desk.engine.receive(files, endpoint=HTTP)
        assert (again.needs_attention, brought(again)) == (False, {})
        assert again.before == {"unmatched": 2, "unknown_code": 1}


def test_a_refused_manifest_and_a_refused_house_are_told(tmp_path: Path) -> None:
    with firm(tmp_path, faults=SILENT) as desk:
        batch = desk.prepare(DAY).batch
        desk.engine.submit([batch], wait=0)
        first, *others = [HOUSES[n] for n in MINE]
        file = of_manifest(tmp_path, "NY", (first, "NN", "毛重不符"), *((h, "NY", "") for h in others))  # fmt: skip
        got = desk.engine.receive([file], endpoint=HTTP)
        assert (got.needs_attention, brought(got)) == (True, {("house_refused", "NN"): (1, (first,))})  # fmt: skip
        assert not desk.engine.receive([file], endpoint=HTTP).needs_attention


def test_a_manifest_refused_as_a_whole_is_told_once_however_many_stand_on_it(
    tmp_path: Path,
) -> None:
    with firm(tmp_path, faults=SILENT) as desk:
        batch = desk.prepare(DAY).batch
        desk.engine.submit([batch], wait=0)
        said = [(HOUSES[n], "NN", "") for n in MINE]
        got = desk.engine.receive([of_manifest(tmp_path, "NN", *said)], endpoint=HTTP)
        assert brought(got) == {("manifest_refused", "NN"): (1, (MASTER,))}
        assert got.needs_attention


def story(desk: Firm, house: str) -> dict[str, Any]:
    """The only attempt of a house waybill."""
    (told,) = desk.engine.status(house)
    return told


def test_a_parcel_says_what_the_port_said_of_its_house_on_the_manifest(tmp_path: Path) -> None:
    with firm(tmp_path, faults=SILENT) as desk:
        batch = desk.prepare(DAY).batch
        desk.engine.submit([batch], wait=0)
        first, *others = [HOUSES[n] for n in MINE]
        assert "Waits for the manifest" in str(story(desk, first)["next"])
        file = of_manifest(tmp_path, "NY", (first, "NN", "毛重不符"), *((h, "NY", "") for h in others))  # fmt: skip
        desk.engine.receive([file], endpoint=HTTP)
        told = story(desk, first)
        assert all(
            word in str(told["next"]) for word in ("NN", "毛重不符", "hand the file in again")
        )
        assert all(word in str(told["next_zh"]) for word in ("NN", "毛重不符", "整份再交"))
        assert [(r["code"], r["notes"]) for r in told["receipts"]] == [("NN", "毛重不符")]
        assert any("EXP312 NN" in line["what"] for line in told["timeline"])


def test_a_parcel_on_a_manifest_refused_as_a_whole_says_why(tmp_path: Path) -> None:
    with firm(tmp_path, faults=SILENT) as desk:
        batch = desk.prepare(DAY).batch
        desk.engine.submit([batch], wait=0)
        desk.engine.receive([of_manifest(tmp_path, "NN")], endpoint=HTTP)
        for n in MINE:
            assert "NN" in str(story(desk, HOUSES[n])["next"])
            assert "重量不符" in str(story(desk, HOUSES[n])["next"])
