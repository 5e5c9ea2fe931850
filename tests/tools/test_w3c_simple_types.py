"""The script for the W3C suite, on a small suite of the same shape, composed here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("w3c_simple_types.py")
XS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
NAMED = f"""<xs:schema {XS} xmlns="urn:n" targetNamespace="urn:n">
  <xs:element name="e" type="t"/>
  <xs:simpleType name="l"><xs:list itemType="xs:gMonth"/></xs:simpleType>
  <xs:simpleType name="t"><xs:restriction base="l"><xs:maxLength value="2"/></xs:restriction></xs:simpleType>
</xs:schema>"""
ANONYMOUS = f"""<xs:schema {XS} elementFormDefault="qualified">
  <xs:include schemaLocation="types.xsd"/>
  <xs:element name="doc"><xs:complexType><xs:sequence maxOccurs="unbounded">
    <xs:element name="n" nillable="true"><xs:simpleType><xs:restriction base="xs:int">
      <xs:maxInclusive value="9"/></xs:restriction></xs:simpleType></xs:element>
    <xs:element ref="price" minOccurs="0"/>
  </xs:sequence><xs:attribute name="a"><xs:simpleType><xs:restriction base="xs:token">
    <xs:pattern value="[a-c]+( [a-c]+)*"/></xs:restriction></xs:simpleType></xs:attribute>
    <xs:attributeGroup ref="more"/></xs:complexType></xs:element>
  <xs:element name="price"><xs:complexType><xs:simpleContent><xs:extension base="money">
    <xs:attribute name="unit" type="xs:NCName"/></xs:extension></xs:simpleContent></xs:complexType></xs:element>
  <xs:attributeGroup name="more"><xs:attribute name="on" type="xs:date"/></xs:attributeGroup>
</xs:schema>"""
TYPES = f"""<xs:schema {XS}><xs:complexType name="money"><xs:simpleContent><xs:restriction base="any">
  <xs:fractionDigits value="2"/></xs:restriction></xs:simpleContent></xs:complexType>
  <xs:complexType name="any"><xs:simpleContent><xs:extension base="xs:decimal"/></xs:simpleContent></xs:complexType>
</xs:schema>"""
REFUSED = f'<xs:schema {XS}><xs:element name="e" type="xs:QName"/></xs:schema>'
MIXED = f"""<xs:schema {XS}><xs:element name="e"><xs:complexType mixed="true"><xs:sequence>
  <xs:any minOccurs="0"/></xs:sequence><xs:attribute name="k" type="xs:ID"/></xs:complexType></xs:element></xs:schema>"""

TESTS: dict[str, list[tuple[str, str, str, str]]] = {
    "nistData/list/gMonth/one.xsd": [
        ("two", "valid", "", '<e xmlns="urn:n">\n --01 --12Z\t</e>'),
        ("none", "valid", "", '<e xmlns="urn:n"/>'),
        ("three", "invalid", "", '<e xmlns="urn:n">--01 --02 --03</e>'),
        ("thirteen", "invalid", "", '<e xmlns="urn:n">--01 --13</e>'),
        ("old", "valid", "queried", '<e xmlns="urn:n">--01--</e>'),
        ("its type", "valid", "", f'<e xmlns="urn:n" {XSI} xsi:type="t">--01</e>'),
        ("later", "valid", "1.1", '<e xmlns="urn:n">--01 --02 --03</e>'),
    ],
    "msData/simpleType/two.xsd": [
        ("all", "valid", "", '<doc a=" a  bc " on="2024-02-29"><n> 7 </n><n>9</n><price unit="u">1.50</price></doc>'),
        ("comment", "valid", "", "<doc><n>0<!-- 5 -->9</n></doc>"),
        ("nil", "valid", "", f'<doc a="a" {XSI}><n xsi:nil="true"/></doc>'),
        ("second", "invalid", "", "<doc><n>1</n><n>10</n></doc>"),
        ("attribute", "invalid", "", '<doc a="d"><n>1</n></doc>'),
        ("in a group", "invalid", "", '<doc on="2023-02-29"><n>1</n></doc>'),
        ("content", "invalid", "", "<doc><n>1</n><price>1.505</price></doc>"),
        ("its attribute", "invalid", "", '<doc><n>1</n><price unit="1u">1</price></doc>'),
        ("order", "invalid", "", "<doc><price>1</price></doc>"),
        ("broken", "invalid", "", "<doc><n>1</doc>"),
    ],
    "msData/datatypes/three.xsd": [("name", "valid", "", "<e>a</e>")],
    "msData/other/four.xsd": [("any", "valid", "", '<e k="a"><x/></e>'), ("text", "valid", "", "<e>text</e>")],
}  # fmt: skip
SCHEMAS = {
    "nistData/list/gMonth/one.xsd": NAMED, "msData/simpleType/two.xsd": ANONYMOUS, "msData/simpleType/types.xsd": TYPES,
    "msData/datatypes/three.xsd": REFUSED, "msData/other/four.xsd": MIXED,
}  # fmt: skip
HEAD = '<testSet xmlns="http://www.w3.org/XML/2004/xml-schema-test-suite/" xmlns:xlink="http://www.w3.org/1999/xlink" '


def compose(folder: Path, tests: dict[str, list[tuple[str, str, str, str]]]) -> None:
    """A suite: schemas, instances, and one test set for each part, whose links lead up and down again."""
    for path, text in SCHEMAS.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    sets: dict[str, list[str]] = {"nistMeta/NIST.testSet": [], "msMeta/Types_w3c.xml": []}
    for path, instances in tests.items():
        made = ""
        for number, (name, validity, note, text) in enumerate(instances):
            file = f"{path.removesuffix('.xsd')}{number}.xml"
            (folder / file).write_text(text, "utf-8")
            version = f' version="{note}"' if note == "1.1" else ""
            made += (
                f'<instanceTest name="{name}"{version}><instanceDocument xlink:href="../{file}"/>'
                f'<expected validity="{validity}"/><current status="{note if note == "queried" else "accepted"}"/></instanceTest>'
            )
        sets["nistMeta/NIST.testSet" if path.startswith("nist") else "msMeta/Types_w3c.xml"].append(
            f'<testGroup name="{path}"><schemaTest name="s"><schemaDocument xlink:href="../{path}"/>'
            f'<expected validity="valid"/></schemaTest>{made}</testGroup>'
        )
    for path, found in sets.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(f'{HEAD} name="x" contributor="y">{"".join(found)}</testSet>', "utf-8")  # fmt: skip
    (folder / "suite.xml").write_text("<testSuite/>", "utf-8")


def run(*arguments: str) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False
    )
    return done.returncode, (done.stdout or done.stderr).splitlines()


def counts(lines: list[str], group: str) -> list[int]:
    line = next(line for line in lines if line.startswith(f"{group} "))
    return [int(number) for number in line.split()[1:]]


def test_right_wrong_refused_and_disputed_by_group(tmp_path: Path) -> None:
    compose(tmp_path, TESTS)
    code, lines = run(str(tmp_path))
    assert counts(lines, "nistData/list/gMonth") == [4, 0, 0, 1]
    assert counts(lines, "msData/simpleType") == [8, 0, 0, 0]
    assert counts(lines, "msData/datatypes") == [0, 0, 1, 0]
    assert counts(lines, "all") == [12, 0, 1, 1]
    assert "  refused for context: 1" in lines
    passed_over = {line.split(" for ")[1] for line in lines if "passed over" in line}
    assert passed_over == {
        "structure: 2",
        "xsi:type: 1",
        "nothing to judge: 1",
        "an unreadable instance: 1",
    }
    assert not [line for line in lines if line.startswith("wrong")]
    assert code == 1  # of seven types one is refused: more than a tenth


def test_a_wrong_verdict_is_named(tmp_path: Path) -> None:
    planted = [("planted", "invalid", "", "<doc><n>1</n></doc>"), ("too", "valid", "", "<doc><n>10</n></doc>")]  # fmt: skip
    compose(tmp_path, {"msData/simpleType/two.xsd": planted})
    code, lines = run(str(tmp_path))
    assert counts(lines, "msData/simpleType") == [0, 2, 0, 0]
    assert lines[-2:] == ["wrong: planted", "wrong: too"]
    assert code == 1


def test_all_right_ends_with_0(tmp_path: Path) -> None:
    compose(tmp_path, {"msData/simpleType/two.xsd": TESTS["msData/simpleType/two.xsd"]})
    assert run(str(tmp_path))[0] == 0


@pytest.mark.parametrize("made", [False, True])
def test_no_suite_ends_with_2(tmp_path: Path, made: bool) -> None:
    folder = tmp_path / "suite"
    if made:
        folder.mkdir()
    assert run(str(folder))[0] == 2
    assert run()[0] == 2
