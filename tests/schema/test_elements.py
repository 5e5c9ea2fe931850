"""What the room reads from the XSDs is what the facts say; broken XSDs are refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from crossborder import schema
from crossborder.errors import NotFound, SchemaError, UnsupportedType

from .conftest import FORMS, MESSAGES, Documents

XS = "http://www.w3.org/2001/XMLSchema"


def test_all_messages_are_known() -> None:
    assert schema.messages() == MESSAGES
    assert {schema.family(m) for m in MESSAGES} == {"express"}


@pytest.mark.parametrize("message", MESSAGES)
def test_elements_are_those_of_the_facts(documents: Documents, message: str) -> None:
    tree = schema.load_elements(message)
    assert (tree.message, tree.root) == (message, message)
    said = [r for r in documents.facts if r["message"] == message and r["base_type"] != "complex"]
    assert [(e.group, e.name) for e in tree] == [(r["parent"], r["element"]) for r in said]
    for element, row in zip(tree, said, strict=True):
        assert element.base == "string"
        assert element.min_occurs == 1
        assert (element.label_zh, element.meaning_en) == (row["label_zh"], row["meaning_en"])
        assert element.total_digits == (int(row["total_digits"]) if row["total_digits"] else None)
        assert element.fraction_digits == (
            int(row["fraction_digits"]) if row["fraction_digits"] else None
        )
        if row["base_type"] == "string":
            assert element.max_length == (int(row["max_length"]) if row["max_length"] else None)
            assert (element.min_length or 0) == int(row["min_length"])
        else:
            assert element.pattern
            assert element.max_length is None


def test_occurrence_of_groups() -> None:
    times = {
        (m, g.name): (g.min_occurs, g.max_occurs)
        for m in MESSAGES
        for g in schema.load_elements(m).groups
    }
    assert times.pop(("EXP301", "EntryList")) == times.pop(("EXP304", "EntryList")) == (0, 20)
    assert times.pop(("EXP301", "EntryDocu")) == times.pop(("EXP304", "EntryDocu")) == (0, None)
    assert times.pop(("EXP306", "DutyFormList")) == times.pop(("EXP306", "EntryList")) == (1, None)
    assert times.pop(("EXP311", "ExpMftList")) == (1, None)
    assert times.pop(("EXP312", "ExpMftList")) == (0, None)
    assert set(times.values()) == {(1, 1)}


def test_elements_below_the_root_form_a_group_of_its_name() -> None:
    (only,) = schema.load_elements("EXP307").groups
    assert (only.name, only.parent, only.once) == ("EXP307", "", True)
    assert schema.load_elements("EXP301").group("EntryList").parent == "EXP301"


def test_envelope() -> None:
    elements = schema.envelope_elements()
    assert [e.name for e in elements] == [
        "version", "message_id", "file_name", "message_type", "sender_id", "receiver_id",
        "send_time", "HashSign", "SignerInfo",
    ]  # fmt: skip
    by_name = {e.name: e for e in elements}
    assert (by_name["message_id"].max_length, by_name["HashSign"].max_length) == (61, None)
    assert by_name["HashSign"].group == "SignedData"


def test_resolving_an_element_of_a_condition() -> None:
    tree = schema.load_elements("EXP301")
    line = tree.resolve("EntryList", "OpType")
    head = tree.resolve("EntryList", "EntryType")
    assert line is not None
    assert line.group == "EntryList"
    assert head is not None
    assert head.group == "EntryHead"
    assert tree.resolve("EntryHead", "GNo") is None
    with pytest.raises(SchemaError, match="no group"):
        tree.group("Elsewhere")


def test_results_are_read_once() -> None:
    for read in (schema.load_elements, schema.filling, schema.facet_rules, schema.code_lists):
        assert read("EXP301") is read("EXP301")
    assert schema.validator("EXP301") is schema.validator("EXP301", "written")
    assert schema.validator("EXP301") is not schema.validator("EXP301", "strict")


@pytest.mark.parametrize("form", FORMS)
def test_xsd_path(form: str) -> None:
    assert schema.xsd_path("EXP302", form).name == f"EXP302.{form}.xsd"


@pytest.mark.parametrize("message", ["EXP303", "envelope", "ENVELOPE", "", "../EXP301", "types"])
def test_unknown_messages(message: str) -> None:
    with pytest.raises(NotFound, match="no schema for the message"):
        schema.validator(message)
    if message != schema.ENVELOPE:
        with pytest.raises(NotFound):
            schema.load_elements(message)


def test_unknown_form() -> None:
    with pytest.raises(NotFound, match="written or strict"):
        schema.xsd_path("EXP301", "loose")


def library(folder: Path, body: str, types: str = "") -> schema.Library:
    """A library with one message `NEW1` of the family `other`."""
    place = folder / "xsd" / "other"
    place.mkdir(parents=True)
    head = f'<xs:schema xmlns:xs="{XS}" elementFormDefault="qualified">'
    (place / "NEW1.body.xsd").write_text(f"{head}{body}</xs:schema>", encoding="utf-8")
    if types:
        (place / "types.xsd").write_text(f"{head}{types}</xs:schema>", encoding="utf-8")
    return schema.Library(folder)


def sequence(inner: str) -> str:
    return f'<xs:complexType name="NEW1"><xs:sequence>{inner}</xs:sequence></xs:complexType>'


def test_a_made_up_family_needs_data_only(tmp_path: Path) -> None:
    """A folder whose name has a blank and Chinese characters; inline and derived types; circular includes."""
    types = """
      <xs:include schemaLocation="NEW1.body.xsd"/>
      <xs:simpleType name="Word"><xs:restriction base="xs:string">
        <xs:maxLength value="9"/></xs:restriction></xs:simpleType>
      <xs:simpleType name="Short"><xs:restriction base="Word">
        <xs:maxLength value="4"/><xs:pattern value="[a-z]*"/></xs:restriction></xs:simpleType>"""
    body = '<xs:include schemaLocation="types.xsd"/>' + sequence(
        """<xs:element name="Head"><xs:complexType><xs:sequence>
             <xs:element name="One" type="Short"/>
             <xs:element name="Two" minOccurs="0"><xs:simpleType><xs:restriction base="Word">
               <xs:length value="2"/><xs:enumeration value="ab"/><xs:enumeration value="cd"/>
             </xs:restriction></xs:simpleType></xs:element>
             <xs:element name="Three"><xs:simpleType><xs:restriction base="xs:decimal">
               <xs:totalDigits value="5"/><xs:fractionDigits value="2"/>
             </xs:restriction></xs:simpleType></xs:element>
           </xs:sequence></xs:complexType></xs:element>"""
    )
    made = library(tmp_path / "数据 库", body, types)
    place = tmp_path / "数据 库"
    (place / "xsd/other/NEW1.written.xsd").write_text(
        f'<xs:schema xmlns:xs="{XS}" elementFormDefault="qualified" targetNamespace="urn:new" '
        'xmlns="urn:new"><xs:include schemaLocation="NEW1.body.xsd"/>'
        '<xs:element name="NEW1" type="NEW1"/></xs:schema>',
        encoding="utf-8",
    )
    (place / "filling/other").mkdir(parents=True)
    (place / "filling/other/NEW1.csv").write_text(
        "group,element,need,when,rule,note\nHead,One,R,Two in ab,FIL-One,\nHead,Two,O,,,\n"
        "Head,Three,E,Two filled,FIL-Three,\n",
        encoding="utf-8",
    )
    assert dict(made.families()) == {"NEW1": "other"}
    one, two, three = made.load_elements("NEW1").group("Head").elements
    assert (one.type_name, one.base, one.max_length, one.pattern) == (
        "Short",
        "string",
        4,
        "[a-z]*",
    )
    assert (two.type_name, two.min_length, two.max_length) == ("", 2, 2)
    assert (two.enumeration, two.min_occurs) == (("ab", "cd"), 0)
    assert (three.base, three.total_digits, three.fraction_digits) == ("decimal", 5, 2)
    judge = made.validator("NEW1")
    good = "<NEW1 xmlns='urn:new'><Head><One>abc</One><Three>1.5</Three></Head></NEW1>"
    assert judge.validate(etree.fromstring(good))
    assert not judge.validate(etree.fromstring(good.replace("abc", "abcde")))
    assert [r.need for r in made.filling("NEW1")] == ["R", "O", "E"]
    assert made.code_lists("NEW1") == ()
    assert dict(made.facet_rules("NEW1")) == {}
    assert [r["filling_en"] for r in made.describe("NEW1")] == [
        "required if Two is ab", "optional", "must be empty if Two is filled",
    ]  # fmt: skip


def restricted(facets: str, base: str = "xs:string", name: str = "A") -> str:
    return (
        f'<xs:element name="{name}"><xs:simpleType><xs:restriction base="{base}">{facets}'
        "</xs:restriction></xs:simpleType></xs:element>"
    )


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("<", "not XML"),
        ('<xs:include schemaLocation="none.xsd"/>', "none.xsd: the schema cannot be read"),
        ("<xs:include/>", "lacks 'schemaLocation'"),
        ("", "no complex type 'NEW1'"),
        (sequence("") + sequence(""), "defined twice"),
        (sequence('<xs:element name="A" type="Gone"/>'), "unknown or circular type 'Gone'"),
        (sequence('<xs:element name="A"/>'), "lacks 'type'"),
        (sequence('<xs:element type="A"/>'), "element is not understood"),
        (sequence("<xs:any/>"), "any is not understood"),
        ('<xs:notation name="a" public="b"/>', "notation is not understood"),
        ('<xs:complexType name="NEW1"><xs:choice/></xs:complexType>', "not one plain sequence"),
        (sequence('<xs:element name="A" type="xs:string" maxOccurs="2"/>'), "repeats by itself"),
        (sequence('<xs:element name="A" type="xs:string" minOccurs="x"/>'), "'x' is not a count"),
        (sequence('<xs:element name="A" type="NEW1"/>'), "contains itself"),
        (sequence(restricted('<xs:maxLength value="-1"/>')), "'-1' is not a count"),
        (sequence(restricted("", base="A")) + '<xs:simpleType name="A"><xs:restriction base="A"/>'
         "</xs:simpleType>", "unknown or circular"),
    ],
)  # fmt: skip
def test_broken_schemas(tmp_path: Path, body: str, says: str) -> None:
    with pytest.raises(SchemaError, match=says) as raised:
        library(tmp_path, body).load_elements("NEW1")
    assert not isinstance(raised.value, UnsupportedType)
    assert raised.value.place.endswith(".xsd")


@pytest.mark.parametrize(
    ("inner", "reason"),
    [
        (restricted('<xs:minInclusive value="1"/>'), "facet"),
        (restricted('<xs:whiteSpace value="collapse"/>'), "facet"),
        ('<xs:element name="A"><xs:simpleType><xs:list itemType="xs:string"/></xs:simpleType>'
         "</xs:element>", "derivation"),
        ('<xs:element name="A"><xs:simpleType><xs:restriction><xs:simpleType><xs:restriction '
         'base="xs:string"><xs:pattern value="a"/></xs:restriction></xs:simpleType>'
         '<xs:pattern value="b"/></xs:restriction></xs:simpleType></xs:element>', "pattern-steps"),
    ],
)  # fmt: skip
def test_types_that_are_refused_rather_than_guessed(
    tmp_path: Path, inner: str, reason: str
) -> None:
    with pytest.raises(UnsupportedType) as raised:
        library(tmp_path, sequence(inner)).load_elements("NEW1")
    assert raised.value.reason == reason


def test_a_schema_that_is_no_schema(tmp_path: Path) -> None:
    made = library(tmp_path, sequence(""))
    (tmp_path / "xsd/other/NEW1.body.xsd").write_text("<html/>")
    with pytest.raises(SchemaError, match="not an XSD"):
        made.load_elements("NEW1")
    (tmp_path / "xsd/other/NEW1.strict.xsd").write_text("<html/>")
    with pytest.raises(SchemaError, match="does not compile"):
        made.validator("NEW1", "strict")
    with pytest.raises(NotFound, match=r"schema is missing: other/NEW1\.written\.xsd"):
        made.validator("NEW1")


def test_an_entity_in_a_schema_is_not_expanded(tmp_path: Path) -> None:
    made = library(tmp_path, sequence(""))
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    (tmp_path / "xsd/other/NEW1.body.xsd").write_text(
        f'<!DOCTYPE a [<!ENTITY e SYSTEM "{secret.as_uri()}">]><xs:schema xmlns:xs="{XS}">'
        + sequence(restricted('<xs:annotation><xs:documentation xml:lang="en">&e;'
                              "</xs:documentation></xs:annotation>"))
        + "</xs:schema>"
    )  # fmt: skip
    assert "secret" not in repr(made.load_elements("NEW1"))


def test_a_message_in_two_families(tmp_path: Path) -> None:
    made = library(tmp_path, sequence(""))
    (tmp_path / "xsd/third").mkdir()
    (tmp_path / "xsd/third/NEW1.body.xsd").write_text("<a/>")
    with pytest.raises(SchemaError, match="two families: other, third"):
        made.family("NEW1")
