"""What is refused, and under which name: schemas that are not valid, and what cannot be judged from the value alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xmlschema
from lxml import etree

from crossborder.schema.simple import REASONS, compile_simple_type

INT = 'base="xs:int"'
CASES = [
    ('<xs:simpleType name="t"/>', "invalid"),
    ('<xs:simpleType name="t"><xs:restriction/></xs:simpleType>', "invalid"),
    ('<xs:simpleType name="t"><xs:list/></xs:simpleType>', "invalid"),
    ('<xs:simpleType name="t"><xs:union/></xs:simpleType>', "invalid"),
    ('<xs:simpleType name="t"><xs:restriction base="t"/></xs:simpleType>', "invalid"),
    ('<xs:simpleType name="t"><xs:restriction base="xs:anySimpleType"/></xs:simpleType>', "invalid"),
    ('<xs:simpleType name="t"><xs:restriction base="p:x"/></xs:simpleType>', "invalid"),
    ('<xs:simpleType name="t"><xs:restriction base="x"/></xs:simpleType>', "unknown-type"),
    ('<xs:simpleType name="t"><xs:restriction base="xs:Int"/></xs:simpleType>', "unknown-type"),
    ('<xs:simpleType name="t"><xs:list itemType="xs:NMTOKENS"/></xs:simpleType>', "invalid"),
    ('<xs:simpleType name="t"><xs:list itemType="xs:QName"/></xs:simpleType>', "context"),
    (f'<xs:simpleType name="t"><xs:restriction {INT}>text</xs:restriction></xs:simpleType>', "invalid"),
    (f'<xs:simpleType name="t"><xs:restriction {INT}><xs:foo value="1"/></xs:restriction></xs:simpleType>', "invalid"),
    (f'<xs:simpleType name="t"><xs:restriction {INT}><xs:maxInclusive/></xs:restriction></xs:simpleType>', "invalid"),
    ('<xs:simpleType name="t" final="list"><xs:restriction base="xs:int"/></xs:simpleType>'
     '<xs:simpleType name="l"><xs:list itemType="t"/></xs:simpleType>', ""),
]  # fmt: skip
FACETS = [
    ("int", {"maxLength": "3"}, "invalid"), ("int", {"maxInclusive": "x"}, "invalid"), ("int", {"maxInclusive": "9999999999"}, "invalid"),
    ("int", {"maxInclusive": "5", "maxExclusive": "6"}, "invalid"), ("int", {"minInclusive": "6", "maxInclusive": "5"}, "invalid"),
    ("int", {"minExclusive": "5", "maxExclusive": "5"}, ""), ("int", {"minInclusive": "5", "maxExclusive": "5"}, "invalid"),
    ("int", {"fractionDigits": "1"}, "invalid"), ("int", {"totalDigits": "0"}, "invalid"), ("decimal", {"totalDigits": "2", "fractionDigits": "3"}, "invalid"),
    ("int", {"enumeration": ["1", "x"]}, "invalid"), ("boolean", {"enumeration": ["true"]}, "invalid"), ("string", {"length": "-1"}, "invalid"),
    ("string", {"length": "1", "minLength": "1"}, "invalid"), ("string", {"minLength": "3", "maxLength": "2"}, "invalid"), ("string", {"maxInclusive": "a"}, "invalid"),
    ("token", {"whiteSpace": "preserve"}, "invalid"), ("string", {"whiteSpace": "none"}, "invalid"), ("string", {"pattern": "a**"}, "pattern"),
    ("string", {"pattern": r"\p{IsNowhere}"}, "block"), ("string", {"pattern": r"\w{9999}"}, "pattern-size"), ("string", {"length": ["1", "1"]}, "invalid"),
    ("date", {"maxInclusive": "99999999999-01-01"}, "bound"), ("duration", {"maxInclusive": "P99999Y"}, "bound"), ("duration", {"enumeration": ["P99999Y"]}, "bound"),
    ("anyURI", {"enumeration": ["c:\\d"]}, "uri"), ("anyURI", {"enumeration": ["<a>"]}, ""), ("anyURI", {"enumeration": ["http://%"]}, "invalid"),
    ("base64Binary", {"enumeration": ["AB=="]}, "invalid"), ("NMTOKENS", {"minLength": "0"}, "invalid"), ("NMTOKENS", {"length": "2"}, ""),
    ("QName", {"length": "2"}, "context"), ("NOTATION", {}, "context"), ("ENTITY", {}, "context"), ("ENTITIES", {"length": "1"}, "context"),
]  # fmt: skip


def libxml2_refuses(path: Path) -> bool:
    try:
        etree.XMLSchema(etree.parse(path))
    except etree.XMLSchemaParseError:
        return True
    return False


def xmlschema_refuses(path: Path) -> bool:
    try:
        xmlschema.XMLSchema10(str(path))
    except xmlschema.XMLSchemaException:
        return True
    return False


WITNESSES = (libxml2_refuses, xmlschema_refuses)


@pytest.mark.parametrize(("types", "reason"), CASES)
def test_definitions(types: str, reason: str, bench: Any) -> None:
    assert bench.refused(types) == reason


@pytest.mark.parametrize(("base", "facets", "reason"), FACETS)
def test_facets(
    base: str, facets: dict[str, Any], reason: str, bench: Any, restriction: Callable[..., str]
) -> None:
    types = restriction(f"xs:{base}", **facets)
    assert bench.refused(types) == reason
    assert reason == "" or reason in REASONS
    assert reason != "invalid" or any(refuses(bench.write(types)) for refuses in WITNESSES)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [({"maxLength": "3"}, {"maxLength": "4"}, "invalid"), ({"minLength": "3"}, {"minLength": "2"}, "invalid"), ({"length": "3"}, {"length": "4"}, "invalid"),
     ({"minLength": "3"}, {"length": "4", "minLength": "3"}, ""), ({"pattern": "a*"}, {"pattern": "b*"}, ""), ({"enumeration": ["a"]}, {"enumeration": ["b"]}, "invalid")],
)  # fmt: skip
def test_a_step_can_only_narrow(
    old: Any, new: Any, reason: str, bench: Any, restriction: Any
) -> None:
    assert bench.refused(restriction("xs:string", "b", **old) + restriction("b", **new)) == reason


def test_fixed_and_final(bench: Any) -> None:
    fixed = '<xs:simpleType name="b"><xs:restriction base="xs:string"><xs:maxLength value="3" fixed="{}"/></xs:restriction></xs:simpleType>'
    narrower = '<xs:simpleType name="t"><xs:restriction base="b"><xs:maxLength value="{}"/></xs:restriction></xs:simpleType>'
    assert bench.refused(fixed.format("true") + narrower.format(2)) == "invalid"
    assert bench.refused(fixed.format("1") + narrower.format(3)) == ""
    assert bench.refused(fixed.format("false") + narrower.format(2)) == ""
    final = '<xs:simpleType name="b" final="{}"><xs:restriction base="xs:string"/></xs:simpleType>'
    assert bench.refused(final.format("restriction") + narrower.format(2)) == "invalid"
    assert bench.refused(final.format("list union") + narrower.format(2)) == ""


def test_depth_is_bounded(bench: Any) -> None:
    def chain(length: int) -> str:
        steps = '<xs:simpleType name="s0"><xs:restriction base="xs:string"/></xs:simpleType>'
        for n in range(1, length):
            steps += f'<xs:simpleType name="s{n}"><xs:restriction base="s{n - 1}"/></xs:simpleType>'
        return (
            steps
            + f'<xs:simpleType name="t"><xs:restriction base="s{length - 1}"/></xs:simpleType>'
        )

    assert bench.refused(chain(40)) == ""
    assert bench.refused(chain(2000)) == "nesting"


@pytest.mark.parametrize("name", ["", "{", "{urn:x", "a:b", "{}{}t", "t{u}"])
def test_names_of_no_type(name: str, bench: Any) -> None:
    assert (
        bench.refused(
            '<xs:simpleType name="t"><xs:restriction base="xs:int"/></xs:simpleType>', name
        )
        == "unknown-type"
    )


def test_a_refusal_speaks_two_languages(bench: Any) -> None:
    with pytest.raises(Exception, match="needs the document") as raised:
        compile_simple_type(bench.write(""), "{http://www.w3.org/2001/XMLSchema}QName")
    assert "整份文档" in raised.value.text("zh")
