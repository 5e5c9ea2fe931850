"""Messages written by hand from the facts: the code must give these very bytes, and libxml2 must take them."""

from __future__ import annotations

import polars as pl
import pytest
from lxml import etree

from crossborder import messages

NAMES = ["import-b", "import-c", "export-a", "export-c-transit"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["written", "strict"])  # the two spellings of EXP301 are the same
def test_declaration_bytes(name, form, golden, build, example, envelope, ids):
    made = messages.compose_declarations(build(example(name)), form=form, ids=ids(1), **envelope)
    expected = (golden / f"exp301-{name}.xml").read_bytes()
    assert made["xml"][0].encode("utf-8") == expected
    assert made["ship"].to_list() == [0]
    assert made["message_id"].to_list() == ids(1)
    assert messages.verify([expected], "EXP301", form) == [None]


@pytest.mark.parametrize("name", NAMES)
def test_golden_inputs_pass_the_check(name, build, example, tables):
    frames = build(example(name))
    plan = messages.compile_plan("EXP301")
    found = plan.check(plan.project(frames), frames, tables, "20261123")
    assert found.filter(pl.col("severity") == "reject").is_empty()
    assert messages.manifest_findings(
        build({"shipment": {**example(name)["shipment"], **MANIFEST_FACTS}}), tables
    ).is_empty()


MANIFEST_FACTS = {
    "manifest_operator_code": "330196DEM0",
    "manifest_operator_name": "示范快件有限公司",
    "input_person_name": "演示录入员",
}


def test_all_declarations_at_once_are_the_same_bytes(golden, build, example, envelope, ids):
    frames = build(*(example(name) for name in NAMES))
    made = messages.compose_declarations(frames, form="written", ids=ids(1) * 4, **envelope)
    assert [xml.encode() for xml in made["xml"]] == [
        (golden / f"exp301-{name}.xml").read_bytes() for name in NAMES
    ]


def test_manifest_add(golden, build, houses, envelope, ids):
    frames = build(*houses()[:3])
    made = messages.compose_manifests(frames, form="written", ids=ids(1, 9), **envelope)
    expected = (golden / "exp311-import-add.xml").read_bytes()
    assert made.documents["xml"][0].encode() == expected
    assert messages.verify([expected], "EXP311", "written") == [None]
    assert made.houses.rows() == [(0, 0), (0, 1), (0, 2)]
    assert made.left_out.is_empty()
    assert made.findings.is_empty()
    totals = made.documents.select(
        "master_waybill", "voyage", "direction", "houses", "pieces", "gross_weight"
    )
    assert totals.rows() == [("999-12345675", "CA1702", "I", 3, "4", "11.85005")]


def test_manifest_append_lists_only_the_new(golden, build, houses, envelope, ids):
    new = pl.Series([3], dtype=pl.UInt32)
    made = messages.compose_manifests(
        build(*houses()), form="strict", ids=ids(1, 10), operation="APD", only_ships=new, **envelope
    )
    expected = (golden / "exp311-import-apd-strict.xml").read_bytes()
    assert made.documents["xml"][0].encode() == expected
    assert messages.verify([expected], "EXP311", "strict") == [None]
    assert made.houses.rows() == [(0, 3)]


def test_manifest_append_counts_what_stood_there_before(golden, build, houses, envelope, ids):
    first = messages.compose_manifests(
        build(*houses()[:3]), form="written", ids=ids(1, 9), **envelope
    )
    made = messages.compose_manifests(
        build(houses()[3]), form="strict", ids=ids(1, 10), operation="APD",
        before=first.documents, **envelope,
    )  # fmt: skip
    assert (
        made.documents["xml"][0].encode() == (golden / "exp311-import-apd-strict.xml").read_bytes()
    )


@pytest.mark.parametrize(
    "file", ["exp301-import-c", "exp311-import-add", "exp311-import-apd-strict"]
)
def test_documents_are_canonical(file, golden):
    xml = (golden / f"{file}.xml").read_bytes()
    declaration = b'<?xml version="1.0" encoding="UTF-8"?>'
    assert xml.startswith(declaration)
    canonical = etree.tostring(etree.fromstring(xml), method="c14n", exclusive=True)
    assert xml.removeprefix(declaration) == canonical


def _receipts(golden):
    files = sorted(golden.glob("exp302-*.xml")) + sorted(golden.glob("exp312-*.xml"))
    return [(f.name, f.read_bytes()) for f in files]


def test_receipts_in_all_spellings(golden):
    read = messages.read_receipts(_receipts(golden))
    assert read.problems.is_empty()
    shown = read.lines.select(
        "name", "line", "house_waybill", "direction", "code", "op_time", "entry_id", "notes"
    )
    house, yes = "HZ2611230001", "I"
    assert shown.rows() == [
        ("exp302-lower-exp-offset.xml", 0, house, yes, "11", "20261123181111000", "292820261000000138", None),
        ("exp302-no-namespace.xml", 0, house, yes, "D0", "20261123180911995", None, "入库成功"),
        ("exp302-upper-exp.xml", 0, house, yes, "D2", "20261123181011000", None, None),
        ("exp302-xmldsig-prefixed-bare.xml", 0, house, yes, "N", "20261123181211007", None, "毛重 < 净重 & 退单"),
        ("exp312-xmldsig.xml", 0, None, None, "NY", "20261123181311000", None, None),
        ("exp312-xmldsig.xml", 1, house, None, "NY", "20261123181311000", None, None),
        ("exp312-xmldsig.xml", 2, "HZ2611230005", None, "NN", "20261123181312000", None, "重复"),
    ]  # fmt: skip
    assert read.lines["index"].to_list() == [0, 1, 2, 3, 4, 4, 4]
    assert set(read.lines["master_waybill"]) == {"999-12345675"}
    assert read.lines["voyage"].to_list() == [None] * 4 + ["CA1702", None, None]
    assert read.lines["pre_entry_id"].to_list() == ["202600001507083001"] * 4 + [None] * 3
    assert read.lines["op_type"].to_list() == ["ADD"] * 4 + [None] * 3
