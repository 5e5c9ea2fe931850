"""Magic endings: every result code can be forced, and so can every kind of trouble."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from crossborder import resources
from crossborder.sandbox import Faults, Mix
from crossborder.sandbox.endings import SPECIALS, ending_of

from .builder import declaration, manifest
from .conftest import Desk, entry_heads

TABLE = Path(__file__).parents[2] / "fixtures" / "sandbox" / "endings.csv"
with TABLE.open(encoding="utf-8", newline="") as _file:
    EXPECTED = {row["ending"]: row["codes"].split() for row in csv.DictReader(_file)}


def test_the_table_knows_every_code_a_declaration_can_get() -> None:
    rows = csv.DictReader(resources.text("codes/status_codes.csv").splitlines())
    codes = [row["code"] for row in rows if row["message"] == "EXP302"]
    assert len(codes) == 47
    assert {f"SB{code}" if len(code) == 2 else f"SB{code}X" for code in codes} <= set(EXPECTED)


def test_every_ending_forces_its_path(free: Desk) -> None:
    houses = {f"DEMO0001{ending}": path for ending, path in EXPECTED.items()}
    free.file(*(declaration(house) for house in houses))
    given: dict[str, list[str]] = {}
    for head in free.answers():
        given.setdefault(head["AssBillNo"], []).append(head["OpResult"])
    assert given == houses
    states = {m["house"]: m["state"] for m in free.sandbox.account("hangzhou")["messages"]}
    moving = {house: [c for c in path if c not in ("A", "R")][-1] for house, path in houses.items()}
    assert states == moving


def test_an_ending_is_found_whatever_the_spelling(free: Desk) -> None:
    for house in ("demo 1-sb05", "DEMO2ＳＢ０５", "DEMO3-S-B-0-5"):
        free.file(declaration(house))
        assert free.codes(house)[-1] == "05"


@pytest.mark.parametrize(
    "house", ["DEMOSB99", "DEMOSBQQ", "SB05DEMO", "B05", "", "DEMOSFZ0", "SBXX"]
)
def test_other_endings_force_nothing(house: str) -> None:
    codes = {"05", "11", "Y", "00"}
    assert ending_of(house, 0, codes) == ending_of("DEMO000001", 0, codes)


def test_a_first_filing_can_be_refused_and_its_correction_released(free: Desk) -> None:
    for code in ("00", "D1", "20", "NX"):
        house = f"DEMO0001SF{code}"
        free.file(declaration(house))
        free.file(declaration(house, NoteS="更正"))
        refused = EXPECTED[f"SB{code}"]
        assert free.codes(house) == [*refused, "D0", "D2", "Y", "11"]


def test_a_forced_refusal_without_the_first_filing_mark_is_repeated(free: Desk) -> None:
    free.file(declaration("DEMO0001SB00"))
    free.file(declaration("DEMO0001SB00", NoteS="更正"))
    assert free.codes("DEMO0001SB00") == ["D0", "D2", "Y", "00"] * 2


def test_never_answered(free: Desk) -> None:
    message = declaration("DEMO0001SBZ0")
    free.file(message)
    assert free.fetch() == []
    assert free.state(message) == "received"


def test_answered_twice_with_the_same_bytes(free: Desk) -> None:
    free.file(declaration("DEMO0001SBZ1"))
    bodies = free.bodies()
    assert bodies[::2] == bodies[1::2]
    assert free.codes("DEMO0001SBZ1") == ["D0", "D0", "D2", "D2", "Y", "Y", "11", "11"]
    assert len({receipt["name"] for receipt in free.fetch()}) == 8


def test_answered_out_of_order_with_rising_times(free: Desk) -> None:
    free.file(declaration("DEMO0001SBZ2"))
    answers = free.answers()
    assert [a["OpResult"] for a in answers] == ["11", "Y", "D2", "D0"]
    times = [a["OpTime"] for a in answers]
    assert times == sorted(times, reverse=True)


def test_answered_with_nonsense_first(free: Desk) -> None:
    free.file(declaration("DEMO0001SBZ3"))
    first, *rest = free.bodies()
    assert b"\x00" in first
    assert [head["OpResult"] for body in rest for head in entry_heads(body)] == [
        "D0",
        "D2",
        "Y",
        "11",
    ]


def test_a_receipt_for_a_waybill_nobody_declared(free: Desk) -> None:
    free.file(declaration("DEMO0001SBZ6"))
    stray, *rest = free.answers()
    assert stray["AssBillNo"].startswith("SANDBOXSTRAY")
    assert [a["OpResult"] for a in rest] == ["D0", "D2", "Y", "11"]


def test_declined_on_the_wire_as_often_as_it_comes(free: Desk) -> None:
    message = declaration("DEMO0001SBW2")
    for _ in range(2):
        answer = free.post(message)
        assert (answer.status_code, answer.json()["status"]) == (422, "declined")
    account = free.sandbox.account("hangzhou")
    assert (account["messages"], account["arrivals"]) == ([], 2)
    assert free.get(f"messages/{message.message_id}").status_code == 404


@pytest.mark.parametrize("ending", ["SBW5", "SBW6", "SBW7", "SBW8"])
def test_the_answer_is_lost_but_the_message_is_taken_and_answered(
    run: Callable[..., Desk], ending: str
) -> None:
    desk = run(require_manifest=False, faults=Faults(hang_seconds=0.1))
    message = declaration(f"DEMO0001{ending}")
    try:
        assert desk.post(message).status_code in (200, 500)
    except httpx.TransportError:
        assert ending in ("SBW6", "SBW7")
    else:
        assert ending in ("SBW5", "SBW8")
    desk.settle()
    assert desk.codes(f"DEMO0001{ending}") == ["D0", "D2", "Y", "11"]
    assert desk.post(message).status_code == 409


def test_not_taken_at_the_first_try(free: Desk) -> None:
    message = declaration("DEMO0001SBW9")
    assert free.post(message).status_code == 503
    assert free.get(f"messages/{message.message_id}").status_code == 404
    assert free.post(message).status_code == 202
    assert free.post(message).status_code == 409


def test_a_house_waybill_refused_in_its_manifest(desk: Desk) -> None:
    message = manifest(["DEMO0001SBNN", "DEMO0002"])
    desk.file(message)
    assert desk.state(message) == "NY"
    desk.file(declaration("DEMO0001SBNN"), declaration("DEMO0002"))
    assert desk.codes("DEMO0001SBNN") == ["D0", "D2", "N"]
    assert desk.codes("DEMO0002") == ["D0", "D2", "Y", "11"]


def test_a_house_waybill_refused_once_is_stored_when_it_is_appended(desk: Desk) -> None:
    desk.file(manifest(["DEMO0001SFNN", "DEMO0002SBNN", "DEMO0003"]))
    again = manifest(["DEMO0001SFNN", "DEMO0002SBNN"], OpType="APD")
    desk.file(again)
    assert desk.state(again) == "NY"
    desk.file(*(declaration(house) for house in ("DEMO0001SFNN", "DEMO0002SBNN", "DEMO0003")))
    assert desk.codes("DEMO0001SFNN") == ["D0", "D2", "Y", "11"]
    assert desk.codes("DEMO0002SBNN") == ["D0", "D2", "N"]


def test_a_manifest_whose_only_house_waybill_is_refused_once_is_stored_at_the_second_try(
    desk: Desk,
) -> None:
    first, second = manifest(["DEMO0001SFNN"]), manifest(["DEMO0001SFNN"])
    desk.file(first)
    desk.file(second)
    assert (desk.state(first), desk.state(second)) == ("NN", "NY")


def test_an_ending_does_not_excuse_a_fault(free: Desk) -> None:
    free.file(declaration("DEMO0001SB11", NetWt="9"))
    assert free.codes("DEMO0001SB11") == ["D1"]


def test_every_special_stands_in_the_documentation() -> None:
    text = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
    assert [s for s in sorted(SPECIALS) if f"`SB{s}`" not in text] == []
    assert [c for c in Mix.load().paths if len(c) <= 2 and f"`SB{c:X<2}`" not in text] == []
