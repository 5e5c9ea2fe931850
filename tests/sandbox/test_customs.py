"""What is decided across messages: manifests first, one live declaration per business key."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lxml import etree

from crossborder.sandbox import EndpointSpec, Faults

from .builder import EXPORT_C, declaration, manifest
from .conftest import Desk, fields_of


def receipts_312(desk: Desk) -> list[tuple[dict[str, str], list[dict[str, str]]]]:
    """Head and lines of all EXP312 waiting."""
    found = []
    for body in desk.bodies():
        root = etree.fromstring(body)
        for message in root.iter("{*}EXP312"):
            head, *lines = [fields_of(child) for child in message]
            found.append((head, lines))
    return found


def test_a_manifest_is_answered_for_the_head_and_then_house_by_house(desk: Desk) -> None:
    desk.file(manifest(["DEMO1", "DEMO2"]))
    (stored, no_lines), (accepted, lines) = receipts_312(desk)
    assert (stored["RtnFlag"], no_lines) == ("DY", [])
    assert (accepted["RtnFlag"], accepted["BillNo"], accepted["VoyageNo"]) == (
        "NY",
        "99912345675",
        "ZZ8801",
    )
    assert [(line["AssBillNo"], line["RtnFlag"]) for line in lines] == [
        ("DEMO1", "NY"),
        ("DEMO2", "NY"),
    ]
    for record in (stored, accepted, *lines):
        assert record["Notes"].startswith("SANDBOX")
        assert len(record["Notes"]) <= 30
        assert len(record["EntryDate"]) == 14


def test_a_manifest_that_cannot_be_stored_is_dn_and_can_be_sent_again(desk: Desk) -> None:
    wrong = manifest(["DEMO1", "DEMO2"], BillNum="3")
    desk.file(wrong)
    ((head, lines),) = receipts_312(desk)
    assert (head["RtnFlag"], lines) == ("DN", [])
    assert "BillNum" in head["Notes"]
    desk.listed("DEMO1", "DEMO2")


def test_a_manifest_again_under_a_new_id_is_refused_and_counted_as_a_repeat(desk: Desk) -> None:
    first, second = manifest(["DEMO1"]), manifest(["DEMO1"])
    desk.file(first, second)
    assert (desk.state(first), desk.state(second)) == ("NY", "NN")
    assert desk.entry(second)["repeat_of"] == first.message_id
    desk.file(declaration("DEMO1"))
    assert desk.codes("DEMO1")[-1] == "11"


def test_appending_needs_a_manifest_and_adds_to_it(desk: Desk) -> None:
    early = manifest(["DEMO2"], OpType="APD")
    desk.file(early)
    assert desk.state(early) == "NN"
    desk.listed("DEMO1")
    own_totals = manifest(["DEMO2"], OpType="APD")
    whole_totals = manifest(["DEMO3"], OpType="APD", BillNum="3", PackNo="3", GrossWt="2.4")
    wrong_totals = manifest(["DEMO4"], OpType="APD", BillNum="3")
    desk.file(own_totals)
    desk.file(whole_totals)
    desk.file(wrong_totals)
    states = [desk.state(m) for m in (own_totals, whole_totals, wrong_totals)]
    assert states == ["NY", "NY", "DN"]
    desk.file(*(declaration(f"DEMO{n}") for n in range(1, 5)))
    assert [desk.codes(f"DEMO{n}")[-1] for n in range(1, 5)] == ["11", "11", "11", "N"]


def test_what_was_refused_does_not_stand_on_the_manifest_that_is_appended_to(desk: Desk) -> None:
    """Two houses, one of them refused: one more makes two, not three."""
    desk.listed("DEMO0001SBNN", "DEMO2")
    counted = manifest(["DEMO3"], OpType="APD", BillNum="3", PackNo="3", GrossWt="2.4")
    standing = manifest(["DEMO3"], OpType="APD", BillNum="2", PackNo="2", GrossWt="1.6")
    desk.file(counted)
    desk.file(standing)
    assert (desk.state(counted), desk.state(standing)) == ("DN", "NY")
    whole = manifest(["DEMO4"], OpType="APD", BillNum="3", PackNo="3", GrossWt="2.4")
    desk.file(whole)
    assert desk.state(whole) == "NY"


def test_a_house_waybill_listed_already_is_refused_line_by_line(desk: Desk) -> None:
    desk.listed("DEMO1", "DEMO2")
    other = manifest(["demo-2", "DEMO3"], VoyageNo="ZZ8802")
    desk.file(other)
    assert desk.state(other) == "NY"
    lines = receipts_312(desk)[-1][1]
    assert [line["RtnFlag"] for line in lines] == ["NN", "NY"]
    none_new = manifest(["DEMO1"], VoyageNo="ZZ8803")
    desk.file(none_new)
    assert desk.state(none_new) == "NN"
    another_master = manifest(["DEMO1"], BillNo="99900000001")
    desk.file(another_master)
    assert desk.state(another_master) == "NY"


@pytest.mark.parametrize(
    ("fault", "codes"),
    [("DN", ["DN"]), ("NN", ["DY", "NN"]), ("DY", ["DY"]), ("never", [])],
)
def test_a_manifest_can_be_made_to_fail(
    run: Callable[..., Desk], fault: str, codes: list[str]
) -> None:
    desk = run(faults=Faults.parse(f"manifest:999-12345675={fault}"))
    message, other = manifest(["DEMO1"]), manifest(["DEMO1"], BillNo="99900000001")
    desk.file(message, other)
    assert desk.entry(message)["codes"] == codes
    assert desk.entry(other)["codes"] == ["DY", "NY"]


def test_a_declaration_without_its_manifest_is_refused_by_customs(desk: Desk) -> None:
    desk.listed("DEMO1")
    desk.file(declaration("DEMO2"))
    desk.file(declaration("DEMO1", BillNo="99900000001"))
    desk.file(declaration("DEMO1", VoyageNo="ZZ8802"))
    assert desk.codes("DEMO2") == ["D0", "D2", "N"]
    assert desk.codes("DEMO1") == ["D0", "D2", "N"] * 2
    refused = [a for a in desk.answers() if a["OpResult"] == "N"]
    assert all("舱单" in a["Notes"] and "manifest" in a["Notes"] for a in refused)


def test_the_date_must_be_that_of_the_manifest(desk: Desk) -> None:
    desk.listed("DEMO1")
    desk.file(declaration("DEMO1", IEDate="20261124"))
    assert desk.codes("DEMO1") == ["D0", "D2", "N"]
    assert "[IEDate]" in desk.answers("DEMO1")[-1]["Notes"]
    desk.file(declaration("DEMO1"))
    assert desk.codes("DEMO1")[3:] == ["D0", "D2", "Y", "11"]


def test_keys_are_compared_normalised(desk: Desk) -> None:
    desk.listed("DEMO-0001")
    desk.file(declaration("ｄｅｍｏ0001", BillNo="999-1234 5675"))
    assert desk.codes("ｄｅｍｏ0001")[-1] == "11"


def test_a_live_declaration_again_under_a_new_id_is_taken_and_refused(free: Desk) -> None:
    first, second = declaration("DEMO1"), declaration("DEMO1", NoteS="again")
    free.file(first)
    free.file(second)
    assert free.codes("DEMO1") == ["D0", "D2", "Y", "11", "N"]
    assert "重复申报" in free.answers("DEMO1")[-1]["Notes"]
    one, two = free.entry(first), free.entry(second)
    assert (one["state"], one["repeat_of"]) == ("11", None)
    assert (two["state"], two["repeat_of"], two["arrivals"]) == ("N", first.message_id, 1)


def test_a_declaration_still_on_its_way_is_live_too(run: Callable[..., Desk]) -> None:
    desk = run(require_manifest=False, speed=0.001)
    first, second = declaration("DEMO1"), declaration("DEMO1")
    assert [desk.post(m).status_code for m in (first, second)] == [202, 202]
    assert desk.entry(second)["repeat_of"] == first.message_id
    assert desk.sandbox.account("hangzhou")["answers_to_come"] == 2


@pytest.mark.parametrize("ending", ["SBD1", "SBD3", "SBNX", "SB00", "SB20", "SB22", "SB43", "SBDX"])
def test_an_ended_declaration_frees_its_key(free: Desk, ending: str) -> None:
    house = f"DEMO1{ending}"
    second = declaration(house)
    free.file(declaration(house))
    free.file(second)
    assert free.entry(second)["repeat_of"] is None
    assert free.entry(second)["attempt"] == 2


@pytest.mark.parametrize("ending", ["SB11", "SB05", "SB02", "SB07", "SB32", "SB44", "SBYX", "SBAX"])
def test_any_other_state_keeps_it(free: Desk, ending: str) -> None:
    house = f"DEMO1{ending}"
    second = declaration(house)
    free.file(declaration(house))
    free.file(second)
    assert free.entry(second)["repeat_of"] is not None
    assert free.state(second) == "N"


def test_the_other_direction_is_another_declaration(free: Desk) -> None:
    out = declaration("DEMO1", base=EXPORT_C)
    free.file(declaration("DEMO1"), out)
    assert free.entry(out)["repeat_of"] is None
    assert free.state(out) == "11"


def test_a_key_is_live_at_every_endpoint(run: Callable[..., Desk]) -> None:
    both = [EndpointSpec("hangzhou", "http"), EndpointSpec("ningbo", "http")]
    desk = run(endpoints=both, require_manifest=False)
    there = Desk(desk.sandbox, "ningbo")
    first, second = declaration("DEMO1"), declaration("DEMO1")
    desk.file(first)
    there.file(second)
    assert there.entry(second)["repeat_of"] == first.message_id
    assert desk.codes("DEMO1") == ["D0", "D2", "Y", "11"]
    assert there.codes("DEMO1") == ["N"]
    there.client.close()


def test_an_endpoint_refuses_what_belongs_to_another_district(run: Callable[..., Desk]) -> None:
    desk = run(
        endpoints=[EndpointSpec("ningbo", "http", districts=("31",))], require_manifest=False
    )
    desk.file(declaration("DEMO1"), declaration("DEMO2", DeclPort="3104"))
    assert desk.codes("DEMO1") == ["D1"]
    assert desk.codes("DEMO2")[-1] == "11"
    assert "[DeclPort]" in desk.answers("DEMO1")[0]["Notes"]


@pytest.mark.parametrize("fault", ["never_answered", "answered_twice"])
def test_receipts_can_be_made_to_fail(run: Callable[..., Desk], fault: str) -> None:
    desk = run(require_manifest=False, faults=Faults(**{fault: 1.0}))
    desk.file(declaration("DEMO1"), manifest(["DEMO1"]))
    assert len(desk.fetch()) == (0 if fault == "never_answered" else 12)


@pytest.mark.parametrize("element", ["PackNo", "GrossWt"])
def test_a_line_of_nothing_is_refused_alone(desk: Desk, element: str) -> None:
    row = {
        "BillNo": "99912345675",
        "AssBillNo": "DEMO1",
        "VoyageNo": "ZZ8801",
        "MainGName": "面霜",
        "PackNo": "1",
        "GrossWt": "0.8",
        "TradeTotal": "300",
        "TradeCurr": "142",
    }
    rows = [row, row | {"AssBillNo": "DEMO2", element: "0"}]
    totals = {"PackNo": "2", "GrossWt": "1.6"} | (
        {"PackNo": "1"} if element == "PackNo" else {"GrossWt": "0.8"}
    )
    message = manifest([], lines=rows, **totals)
    desk.file(message)
    assert desk.state(message) == "NY"
    lines = receipts_312(desk)[-1][1]
    assert [line["RtnFlag"] for line in lines] == ["NY", "NN"]
    assert element in lines[1]["Notes"]
