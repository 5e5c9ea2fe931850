"""Lists and unions, in and upon each other: libxml2 agrees, and where the text is silent the type is refused."""

from __future__ import annotations

import random
from typing import Any

import pytest

TYPES = {
    "union of primitives": '<xs:simpleType name="t"><xs:union memberTypes="xs:duration xs:decimal"/></xs:simpleType>',
    "enumerated union": '<xs:simpleType name="u"><xs:union memberTypes="xs:short xs:gYear"/></xs:simpleType>'
    '<xs:simpleType name="t"><xs:restriction base="u"><xs:enumeration value="12"/><xs:enumeration value="2020"/>'
    '<xs:enumeration value="-2000"/><xs:enumeration value="40000Z"/></xs:restriction></xs:simpleType>',
    "union under a pattern": '<xs:simpleType name="u"><xs:union memberTypes="xs:token xs:string"/></xs:simpleType>'
    '<xs:simpleType name="t"><xs:restriction base="u"><xs:pattern value="[a-z ]*"/></xs:restriction></xs:simpleType>',
    "inline members": '<xs:simpleType name="t"><xs:union><xs:simpleType><xs:restriction base="xs:string"><xs:pattern value="a+"/>'
    '</xs:restriction></xs:simpleType><xs:simpleType><xs:restriction base="xs:int"><xs:maxInclusive value="5"/></xs:restriction>'
    "</xs:simpleType></xs:union></xs:simpleType>",
    "union in a union": '<xs:simpleType name="u"><xs:union memberTypes="xs:gYear xs:gMonth"/></xs:simpleType>'
    '<xs:simpleType name="t"><xs:union memberTypes="u xs:boolean"/></xs:simpleType>',
    "list of a union": '<xs:simpleType name="u"><xs:union memberTypes="xs:byte xs:date"/></xs:simpleType>'
    '<xs:simpleType name="l"><xs:list itemType="u"/></xs:simpleType>'
    '<xs:simpleType name="t"><xs:restriction base="l"><xs:minLength value="2"/><xs:maxLength value="3"/></xs:restriction></xs:simpleType>',
    "union with a list": '<xs:simpleType name="l"><xs:list itemType="xs:short"/></xs:simpleType>'
    '<xs:simpleType name="t"><xs:union memberTypes="l xs:boolean xs:NCName"/></xs:simpleType>',
    "enumerated list": '<xs:simpleType name="l"><xs:list itemType="xs:decimal"/></xs:simpleType><xs:simpleType name="t">'
    '<xs:restriction base="l"><xs:enumeration value=" 1.0  2 "/><xs:enumeration value="12"/></xs:restriction></xs:simpleType>',
    "list under a pattern": '<xs:simpleType name="t"><xs:restriction><xs:simpleType><xs:list itemType="xs:NMTOKEN"/></xs:simpleType>'
    '<xs:pattern value="[a-z]+( [a-z]+)*"/><xs:length value="2"/></xs:restriction></xs:simpleType>',
    "tokens restricted": '<xs:simpleType name="t"><xs:restriction base="xs:NMTOKENS"><xs:length value="2"/></xs:restriction></xs:simpleType>',
    "three steps": '<xs:simpleType name="a"><xs:restriction base="xs:string"><xs:pattern value="[a-z]*"/><xs:minLength value="1"/>'
    '</xs:restriction></xs:simpleType><xs:simpleType name="b"><xs:restriction base="a"><xs:pattern value="a.*"/><xs:maxLength value="4"/>'
    '</xs:restriction></xs:simpleType><xs:simpleType name="t"><xs:restriction base="b"><xs:enumeration value="ab"/><xs:enumeration value="abcd"/>'
    "</xs:restriction></xs:simpleType>",
    "white space by steps": '<xs:simpleType name="a"><xs:restriction base="xs:string"><xs:whiteSpace value="replace"/></xs:restriction></xs:simpleType>'
    '<xs:simpleType name="t"><xs:restriction base="a"><xs:whiteSpace value="collapse"/><xs:length value="3"/></xs:restriction></xs:simpleType>',
}  # fmt: skip
ITEMS = [
    "1", "12", "127", "128", "2", "1.0", "01.00", "2.0", "2020", "-2000", "40000Z", "2020Z", "--01", "P1Y", "1.5", "true", "false", "0",
    "a", "ab", "abc", "abcd", "aab", "aaa", "5", "6", "2024-02-29", "2023-02-29", "A", "é", "x:y", "-1", "+2", ".",
]  # fmt: skip
BLANKS = [" ", " ", "  ", "\n", "\t "]


@pytest.mark.parametrize("name", sorted(TYPES))
def test_libxml2_agrees(name: str, bench: Any) -> None:
    draw = random.Random(name)
    values = ["", " ", *ITEMS]
    for _ in range(300):
        parts = draw.choices(ITEMS, k=draw.randint(1, 4))
        values.append(draw.choice(["", "", " "]) + draw.choice(BLANKS).join(parts))
    ours, theirs = bench.ours(TYPES[name], values), bench.libxml2(TYPES[name], values)
    wrong = [v for v, o, t in zip(values, ours, theirs, strict=True) if o != t]
    # libxml2 does not collapse white space around dates, which `test_differences.py` lists
    assert [v for v in wrong if v == v.strip()] == []
    assert {True, False} <= set(ours)


def test_the_first_member_that_accepts_decides_the_value(bench: Any) -> None:
    """`1.0` is a token before it is a number, so it is not the listed `1`."""
    for members, expected in (("xs:token xs:decimal", False), ("xs:decimal xs:token", True)):
        types = (
            f'<xs:simpleType name="u"><xs:union memberTypes="{members}"/></xs:simpleType><xs:simpleType name="t">'
            '<xs:restriction base="u"><xs:enumeration value="1"/></xs:restriction></xs:simpleType>'
        )
        assert bench.ours(types, ["1", "1.0", None]) == [True, expected, None]


def test_a_restricted_union_inside_a_union_is_refused(bench: Any) -> None:
    types = (
        '<xs:simpleType name="u"><xs:union memberTypes="xs:int xs:date"/></xs:simpleType><xs:simpleType name="r">'
        '<xs:restriction base="u"><xs:pattern value="1.*"/></xs:restriction></xs:simpleType>'
        '<xs:simpleType name="t"><xs:union memberTypes="r xs:boolean"/></xs:simpleType>'
    )
    assert bench.refused(types) == "union-facets"
    assert bench.refused(types, "r") == ""


def test_a_hundred_members_but_no_more(bench: Any) -> None:
    for count, reason in ((100, ""), (101, "nesting")):
        types = (
            f'<xs:simpleType name="t"><xs:union memberTypes="{"xs:int " * count}"/></xs:simpleType>'
        )
        assert bench.refused(types) == reason
    assert bench.ours(types.replace("xs:int ", "", 1), ["1", "x"]) == [True, False]
