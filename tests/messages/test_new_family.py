"""A message nobody has heard of works by adding data only: schema, filling table, mapping (design, section 6)."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from crossborder import messages, resources
from crossborder.errors import SchemaError
from crossborder.messages.compose import shell
from crossborder.messages.mapping import message_mapping
from crossborder.messages.plan import compile_plan

XS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'
BODY = f"""<xs:schema {XS} elementFormDefault="qualified">
  <xs:include schemaLocation="../express/types.xsd"/>
  <xs:complexType name="EXP399">
    <xs:annotation><xs:documentation xml:lang="zh">宠物申报</xs:documentation></xs:annotation>
    <xs:sequence>
      <xs:element name="PetHead" type="EXP399.PetHead"/>
      <xs:element name="PetToy" type="EXP399.PetToy" minOccurs="0" maxOccurs="5"/>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="EXP399.PetHead"><xs:sequence>
    <xs:element name="WaybillNo" type="TextMax10"/>
    <xs:element name="PetName"><xs:annotation><xs:documentation xml:lang="zh">宠物名</xs:documentation></xs:annotation>
      <xs:simpleType><xs:restriction base="xs:string"><xs:maxLength value="5"/></xs:restriction></xs:simpleType>
    </xs:element>
    <xs:element name="Weight" type="Decimal11_2"/>
    <xs:element name="Chip" type="TextMax15"/>
    <xs:element name="Moment" type="DateTime"/>
    <xs:element name="Kind" type="TextMax3"/>
  </xs:sequence></xs:complexType>
  <xs:complexType name="EXP399.PetToy"><xs:sequence>
    <xs:element name="Toy" type="TextMax10"/>
    <xs:element name="Unit" type="TextMax3"/>
  </xs:sequence></xs:complexType>
</xs:schema>
"""
FILLING = """group,element,need,when,rule,note
PetHead,WaybillNo,R,,FIL-WaybillNo,
PetHead,PetName,R,,FIL-PetName,
PetHead,Weight,O,,,
PetHead,Chip,R,Kind in DOG,PET-01,dogs are chipped
PetHead,Chip,E,Kind in CAT,PET-01,
PetHead,Moment,R,,FIL-Moment,given while composing
PetHead,Kind,R,,FIL-Kind,
PetToy,Toy,R,Kind in DOG,PET-02,
PetToy,Unit,O,,,
"""
CODES = """group,element,table,values,form,when,rule,note
PetHead,Kind,,"DOG,CAT",,,PET-03,
PetToy,Unit,units,,,,COD-Unit,
"""
MAPPING = """message = "EXP399"
source = "pets, made up"
[groups.PetHead]
frame = "shipments"
[groups.PetHead.elements]
WaybillNo = "house_waybill"
PetName = { sql = "upper(main_goods_name)", column = "main_goods_name" }
Weight = "gross_weight"
Chip = "contract_number"
Moment = { given = "moment" }
Kind = { first = ["remarks", "related_number"] }
[groups.PetToy]
frame = "goods"
[groups.PetToy.elements]
Toy = "name"
Unit = { value = "007" }
"""


@pytest.fixture
def pets(tmp_path: Path, monkeypatch):
    """Packaged data with one more family, and nothing of it remembered afterwards."""
    for folder in ("schemas", "mappings"):
        shutil.copytree(resources.root() / folder, tmp_path / folder)
    xsd, filling = tmp_path / "schemas/xsd", tmp_path / "schemas/filling"
    (xsd / "pets").mkdir()
    (filling / "pets").mkdir()
    (xsd / "pets/EXP399.body.xsd").write_text(BODY, "utf-8")
    for kind in ("message", "written"):
        text = (xsd / f"express/EXP301.{kind}.xsd").read_text("utf-8").replace("EXP301", "EXP399")
        text = text.replace("envelope.body.xsd", "../express/envelope.body.xsd")
        (xsd / f"pets/EXP399.{kind}.xsd").write_text(text, "utf-8")
    (filling / "pets/EXP399.csv").write_text(FILLING, "utf-8")
    (filling / "pets/EXP399.codes.csv").write_text(CODES, "utf-8")
    (tmp_path / "mappings/messages/EXP399.toml").write_text(MAPPING, "utf-8")
    monkeypatch.setattr(resources, "root", lambda: tmp_path)
    yield tmp_path
    _forget()


def _forget() -> None:
    for remembered in (shell, message_mapping, compile_plan):
        remembered.cache_clear()


REX = {"house_waybill": "W1", "main_goods_name": "rex", "gross_weight": "12.50", "contract_number": "900", "remarks": "DOG"}  # fmt: skip


def test_it_is_checked_and_composed(pets, build, tables, envelope, ids):
    tom = {
        "house_waybill": "W2",
        "main_goods_name": "a<b>cdef",
        "contract_number": "901",
        "related_number": "CAT",
    }
    frames = build(
        {"shipment": REX, "goods": [{"name": "ball"}, {"name": "bone & co"}]},
        {"shipment": tom, "goods": [{}]},
        {"shipment": {**REX, "remarks": "EMU", "contract_number": None}, "goods": [{}]},
        {"shipment": {**REX, "contract_number": None}, "goods": [{}]},
    )
    plan = messages.compile_plan("EXP399")
    found = plan.check(plan.project(frames), frames, tables)
    assert found.select("ship", "element", "rule", "column").sort("ship", "rule").rows() == [
        (1, "Chip", "PET-01", "contract_number"),
        (1, "PetName", "XSD-PetName-maxLength", "main_goods_name"),
        (2, "Kind", "PET-03", "remarks"),
        (3, "Chip", "PET-01", "contract_number"),
        (3, "Toy", "PET-02", "name"),
    ]
    assert "宠物名（PetName）有 8 个字符，最多 5 个" in found["zh"].to_list()
    assert set(found["source"]) == {"pets, made up"}
    good = frames.take(pl.Series([0], dtype=pl.UInt32))
    made = messages.compose("EXP399", good, form="written", ids=ids(1), **envelope)
    xml = made["xml"][0]
    assert (
        '<EXP399 xmlns="http://www.chinaport.gov.cn/Exp"><PetHead><WaybillNo>W1</WaybillNo><PetName>REX</PetName>'
        "<Weight>12.5</Weight><Chip>900</Chip><Moment>20261123180509</Moment><Kind>DOG</Kind></PetHead>"
        "<PetToy><Toy>ball</Toy><Unit>007</Unit></PetToy><PetToy><Toy>bone &amp; co</Toy><Unit>007</Unit></PetToy>"
        "</EXP399>"
    ) in xml
    assert messages.verify([xml.encode()], "EXP399", "written") == [None]
    stamped = messages.stamp(xml.encode(), message_id=ids(1)[0], at=envelope["at"])
    assert stamped == xml.encode()


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('WaybillNo = "house_waybill"', 'WaybillNo = "house_weybill"', "no column 'house_weybill'"),
        ("upper(main_goods_name)", "upper(main_goods", "not a SQL expression"),
        ("upper(main_goods_name)", "upper(no_such)", "no column 'no_such'"),
        ('Weight = "gross_weight"', 'Wait = "gross_weight"', "no element PetHead.Wait"),
        ("groups.PetToy", "groups.PetToys", "the schema has no group 'PetToys'"),
        ('frame = "goods"', 'frame = "toys"', "no frame 'toys'"),
        ('given = "moment"', 'given = "luck"', "nothing is given as 'luck'"),
        ('{ value = "007" }', '{ value = "007", sql = "1" }', "exactly one of"),
        ('{ value = "007" }', "{ valu = 7 }", "unknown key 'valu'"),
        ('{ value = "007" }', "{}", "exactly one of"),
        ("[groups.PetHead]", "[groups.PetHead", "not a message mapping"),
        (
            "[groups.PetToy.elements]",
            "[groups.Other.elements]",
            "not a message mapping: the key .frame. is missing|.elements. is missing",
        ),
    ],
)
def test_a_wrong_mapping_is_refused_with_its_place(before, after, says, pets):
    (pets / "mappings/messages/EXP399.toml").write_text(MAPPING.replace(before, after), "utf-8")
    with pytest.raises(SchemaError, match=says) as told:
        messages.compile_plan("EXP399")
    assert "EXP399.toml" in told.value.place


def test_a_group_without_a_mapping_is_refused(pets):
    short = MAPPING.partition("[groups.PetToy]")[0]
    (pets / "mappings/messages/EXP399.toml").write_text(short, "utf-8")
    with pytest.raises(SchemaError, match="no mapping for the group 'PetToy'"):
        messages.compile_plan("EXP399")
