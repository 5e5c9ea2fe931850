"""The folder door: OutBox, SentBox, FailBox, InBox."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from crossborder.sandbox import EndpointSpec, Faults, Sandbox
from crossborder.sandbox.storage import Store

from .builder import Message, declaration, manifest
from .conftest import Desk, entry_heads, until

FOLDER = [EndpointSpec("ningbo", "folder")]


class Boxes:
    def __init__(self, path: Path | None) -> None:
        assert path is not None
        self.path = path

    def put(self, name: str, body: bytes) -> None:
        part = self.path / "OutBox" / f"{name}.part"
        part.write_bytes(body)
        part.replace(self.path / "OutBox" / name)

    def names(self, box: str) -> list[str]:
        return sorted(p.name for p in (self.path / box).iterdir())

    def codes(self) -> dict[str, list[str]]:
        """Codes in InBox by house waybill, in the order of their times."""
        heads = [
            head for p in (self.path / "InBox").iterdir() for head in entry_heads(p.read_bytes())
        ]
        found: dict[str, list[str]] = {}
        for head in sorted(heads, key=lambda head: head["OpTime"]):
            found.setdefault(head["AssBillNo"], []).append(head["OpResult"])
        return found


@pytest.fixture
def folder(run: Callable[..., Desk]) -> tuple[Sandbox, Boxes]:
    desk = run(endpoints=FOLDER, require_manifest=False)
    return desk.sandbox, Boxes(desk.sandbox.boxes("ningbo"))


def test_a_message_moves_to_sentbox_and_its_receipts_appear(folder: tuple[Sandbox, Boxes]) -> None:
    sandbox, boxes = folder
    message = declaration("DEMO1")
    boxes.put("S_1.xml", message.body)
    assert sandbox.wait_idle(20)
    assert (boxes.names("OutBox"), boxes.names("SentBox")) == ([], ["S_1.xml"])
    assert (boxes.path / "SentBox" / "S_1.xml").read_bytes() == message.body
    assert boxes.codes() == {"DEMO1": ["D0", "D2", "Y", "11"]}
    names = boxes.names("InBox")
    assert len(names) == 4
    assert all(n.startswith("Receipt_E010000") and n.endswith(".xml") for n in names)
    entry = sandbox.account("ningbo")["messages"][0]
    assert (entry["door"], entry["arrivals"], entry["digest"]) == ("folder", 1, message.digest)
    assert sandbox.address("ningbo") == ""


def test_unfinished_and_foreign_files_stay_where_they_are(folder: tuple[Sandbox, Boxes]) -> None:
    sandbox, boxes = folder
    for name in ("S_1.xml.part", "S_2.part", "notes.txt"):
        (boxes.path / "OutBox" / name).write_bytes(declaration("DEMO1").body)
    boxes.put("S_3.XML", declaration("DEMO3").body)
    assert sandbox.wait_idle(20)
    assert boxes.names("OutBox") == ["S_1.xml.part", "S_2.part", "notes.txt"]
    assert boxes.names("SentBox") == ["S_3.XML"]
    assert sandbox.account("ningbo")["arrivals"] == 1


@pytest.mark.parametrize(
    "body", [b"", b"this is not XML", b"<Package>", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"]
)
def test_what_is_no_message_goes_to_failbox_with_its_reason(
    folder: tuple[Sandbox, Boxes], body: bytes
) -> None:
    sandbox, boxes = folder
    boxes.put("S_1.xml", body)
    assert sandbox.wait_idle(20)
    until(lambda: "S_1.xml" in boxes.names("FailBox"))
    assert boxes.names("FailBox") == ["S_1.txt", "S_1.xml"]
    reason = (boxes.path / "FailBox" / "S_1.txt").read_text(encoding="utf-8")
    assert "拒收" in reason
    assert "declined" in reason
    assert (boxes.path / "FailBox" / "S_1.xml").read_bytes() == body
    account = sandbox.account("ningbo")
    assert (account["messages"], account["arrivals"]) == ([], 1)


def test_the_same_file_again_is_counted_and_not_filed_twice(folder: tuple[Sandbox, Boxes]) -> None:
    sandbox, boxes = folder
    message = declaration("DEMO1")
    for name in ("S_1.xml", "S_1.xml", "S_2.xml"):
        boxes.put(name, message.body)
        assert sandbox.wait_idle(20)
    assert boxes.names("SentBox") == ["S_1.2.xml", "S_1.xml", "S_2.xml"]
    assert sandbox.account("ningbo")["messages"][0]["arrivals"] == 3
    assert boxes.codes() == {"DEMO1": ["D0", "D2", "Y", "11"]}


def test_other_bytes_under_a_known_id_are_refused(folder: tuple[Sandbox, Boxes]) -> None:
    sandbox, boxes = folder
    message = declaration("DEMO1")
    boxes.put("S_1.xml", message.body)
    assert sandbox.wait_idle(20)
    boxes.put("S_2.xml", declaration("DEMO2", message_id=message.message_id).body)
    assert sandbox.wait_idle(20)
    assert boxes.names("FailBox") == ["S_2.txt", "S_2.xml"]
    assert boxes.codes() == {"DEMO1": ["D0", "D2", "Y", "11"]}


def test_an_ending_declines_here_too_and_lost_answers_do_not_exist(
    folder: tuple[Sandbox, Boxes],
) -> None:
    sandbox, boxes = folder
    for n, ending in enumerate(("SBW2", "SBW5", "SBW6", "SBW7", "SBW8", "SBW9")):
        boxes.put(f"S_{n}.xml", declaration(f"DEMO{ending}").body)
    assert sandbox.wait_idle(20)
    assert boxes.names("FailBox") == ["S_0.txt", "S_0.xml"]
    assert boxes.names("SentBox") == [f"S_{n}.xml" for n in range(1, 6)]
    assert set(boxes.codes()) == {f"DEMOSBW{n}" for n in range(5, 10)}


def test_manifest_and_declarations_by_folder(run: Callable[..., Desk]) -> None:
    desk = run(endpoints=FOLDER)
    boxes = Boxes(desk.sandbox.boxes("ningbo"))
    houses = [f"DEMO{n:03d}" for n in range(40)]
    boxes.put("S_manifest.xml", manifest(houses).body)
    assert desk.sandbox.wait_idle(20)
    for house in houses:
        boxes.put(f"S_{house}.xml", declaration(house).body)
    assert desk.sandbox.wait_idle(20)
    assert boxes.codes() == {house: ["D0", "D2", "Y", "11"] for house in houses}
    roots = [etree.fromstring(p.read_bytes()) for p in (boxes.path / "InBox").iterdir()]
    assert sum(len(list(root.iter("{*}EXP312"))) for root in roots) == 2


def test_both_doors_of_one_endpoint_answer_where_the_message_came_in(
    run: Callable[..., Desk], tmp_path: Path
) -> None:
    desk = run(
        endpoints=[EndpointSpec("hangzhou", "both", tmp_path / "client")], require_manifest=False
    )
    boxes = Boxes(desk.sandbox.boxes("hangzhou"))
    assert boxes.path == tmp_path / "client"
    by_folder, by_http = declaration("DEMO1"), declaration("DEMO2")
    boxes.put("S_1.xml", by_folder.body)
    desk.file(by_http)
    assert list(boxes.codes()) == ["DEMO1"]
    assert {a["AssBillNo"] for a in desk.answers()} == {"DEMO2"}
    assert desk.get(f"messages/{by_folder.message_id}").json()["digest"] == by_folder.digest


def test_a_file_counted_before_a_crash_is_not_counted_again(
    run: Callable[..., Desk], tmp_path: Path
) -> None:
    desk = run(endpoints=FOLDER, require_manifest=False)
    boxes = Boxes(desk.sandbox.boxes("ningbo"))
    message = declaration("DEMO1")
    boxes.put("S_1.xml", message.body)
    assert desk.sandbox.wait_idle(20)
    desk.sandbox.stop()
    (boxes.path / "SentBox" / "S_1.xml").replace(boxes.path / "OutBox" / "S_1.xml")
    store = Store(tmp_path / "port")
    store.run("UPDATE arrivals SET settled = 0")
    store.close()
    again = run(endpoints=FOLDER, require_manifest=False)
    assert again.sandbox.wait_idle(20)
    assert boxes.names("SentBox") == ["S_1.xml"]
    assert again.sandbox.account("ningbo")["messages"][0]["arrivals"] == 1


def test_a_file_above_the_limit_goes_to_failbox(run: Callable[..., Desk]) -> None:
    desk = run(endpoints=FOLDER, body_limit=1000)
    boxes = Boxes(desk.sandbox.boxes("ningbo"))
    boxes.put("S_1.xml", declaration("DEMO1").body)
    assert desk.sandbox.wait_idle(20)
    assert boxes.names("FailBox") == ["S_1.txt", "S_1.xml"]


def test_receipts_answered_twice_are_two_files(run: Callable[..., Desk]) -> None:
    desk = run(endpoints=FOLDER, require_manifest=False, faults=Faults(answered_twice=1.0))
    boxes = Boxes(desk.sandbox.boxes("ningbo"))
    message: Message = declaration("DEMO1")
    boxes.put("S_1.xml", message.body)
    assert desk.sandbox.wait_idle(20)
    assert len(boxes.names("InBox")) == 8
    assert len({p.read_bytes() for p in (boxes.path / "InBox").iterdir()}) == 4
