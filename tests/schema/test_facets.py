"""Facets as expressions: the verdict is libxml2's on the packaged types, and the facet named is the right one."""

from __future__ import annotations

import functools
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from crossborder import resources, schema
from crossborder.errors import UnsupportedType
from crossborder.schema import Element

XS = "http://www.w3.org/2001/XMLSchema"


def distinct(*messages: str) -> dict[str, Element]:
    """One element for each named simple type."""
    return {e.type_name: e for m in messages for e in schema.load_elements(m)}


OUTGOING = distinct("EXP301", "EXP311")
ALL = {**distinct(*schema.messages()), **{e.type_name: e for e in schema.envelope_elements()}}


@functools.cache
def judge(type_name: str) -> etree.XMLSchema:
    """libxml2 on one named type of the packaged `types.xsd`."""
    text = (
        f'<xs:schema xmlns:xs="{XS}"><xs:include schemaLocation="types.xsd"/>'
        f'<xs:element name="v" type="{type_name}"/></xs:schema>'
    )
    base = resources.path("schemas/xsd/express") / "judge.xsd"
    return etree.XMLSchema(etree.fromstring(text, base_url=base.as_uri()))


def verdicts(validator: etree.XMLSchema, values: list[str]) -> list[bool]:
    node = etree.Element("v")
    found = []
    for value in values:
        node.text = value
        found.append(validator.validate(node))
    return found


def broken(element: Element, values: list[str | None]) -> list[list[str]]:
    """The facets each value breaks; `holds` must say the same."""
    frame = pl.DataFrame({"v": values}, schema={"v": pl.String})
    made = schema.facet_failures(element, pl.col("v"))
    table = frame.select(schema.holds(element, pl.col("v")).alias("holds"), **made)
    found = [[name for name in made if row[name]] for row in table.iter_rows(named=True)]
    for value, facets, sound in zip(values, found, table["holds"], strict=True):
        assert len(facets) <= 1
        assert sound is (None if value is None else not facets)
    return found


def agree(element: Element, validator: etree.XMLSchema, values: list[str]) -> None:
    ours = [not facets for facets in broken(element, list(values))]
    theirs = verdicts(validator, values)
    assert ours == theirs, [v for v, a, b in zip(values, ours, theirs, strict=True) if a != b]


ADVERSARIAL = [
    "", "0", "1", "00", "007", "1.5", "01.50", ".5", "5.", "+1", "-1", "1e5", "1E5", "1,5", "1 ", " 1", "1\n", "\n1", "１", "1．5",
    "٣", "0x1", "NaN", "INF", "9" * 9, "9" * 13, "9" * 14, "9" * 15, "9" * 18, "9" * 19, "9" * 20, "9" * 21,
    "9" * 14 + ".99999", "9" * 15 + ".9999", "9" * 14 + ".999999", "9" * 13 + ".99999", "9" * 9 + ".99", "9" * 9 + ".999",
    "0." + "0" * 17, "1.12345", "1.123456", "1.00000000", "20240229", "20230229", "21000229", "20000229", "20241301",
    "20240229\n", "２０２４０２２９", "20240229235959", "20240229240000", "20240229235959+08", "20240229235959+14",
    "A", "AB", "ABC", "ADD", "ADDX", "国", "国国", "国国国", "𠮷", "𠮷𠮷", "𠮷𠮷𠮷", "𠮷𠮷𠮷𠮷", "e\u0301", "a\nb", "\r\n", "\t", "&<>\"'",
    *["𠮷" * n for n in (10, 11, 15, 16, 18, 19, 20, 32, 33, 50, 51, 64, 65, 100, 101, 255, 256, 512, 513, 2000, 2001)],
    *["x" * n for n in (4, 5, 6, 8, 9, 12, 13, 17, 30, 31, 61, 1024, 1025, 4096, 4097)],
    "ab20261123010203" + "c" * 11, "n.EXP", "n\n.EXP", ".EXP", "EXP301", "EXP3012", "2026-11-23T01:02:03",
]  # fmt: skip


LEGAL = st.characters(
    exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff", include_characters="\t\n\r"
)
TRICKY = ["", "\n", "\r", "\t", " ", "\u3000", "０", "９", "٣", "²", "Ⅷ", "一", "𠮷", "𪚥", "e\u0301", "+", "-", ".", ",", "e", "E5",
          "0", "00", "9", "1", "\u2028", "\u200b", "\ufeff", "x", "&", "<", "]]>", "−", "．"]  # fmt: skip


def tiled(piece: str, length: int) -> str:
    return (piece * (length // len(piece) + 1))[:length]


def damaged(text: str, part: str, at: int, cut: int) -> str:
    """`part` in place of `cut` characters somewhere in the text."""
    place = at % (len(text) + 1)
    return text[:place] + part + text[place + cut :]


def around(element: Element) -> st.SearchStrategy[str]:
    """Values at the limits of the type, and damage done to them."""
    longest = element.max_length or 18
    limits = {0, 1, 2, longest - 1, longest, longest + 1, longest + 2}
    whole = st.integers(0, 20).map(lambda n: tiled("1029384756", n))
    fraction = st.integers(0, 7).map(lambda n: tiled("50", n))
    sound = st.one_of(
        st.builds(tiled, st.text(LEGAL, min_size=1, max_size=6), st.sampled_from(sorted(limits))),
        st.builds(str.__add__, whole, st.one_of(st.just(""), fraction.map(".{}".format))),
        st.builds(
            "{:04}{:02}{:02}{}".format,
            st.integers(900, 3100), st.integers(0, 13), st.integers(0, 32),
            st.sampled_from(["", "000000", "235959", "240000", "126000", "120060"]),
        ),
        st.sampled_from(ADVERSARIAL),
    )  # fmt: skip
    return st.one_of(
        sound,
        st.builds(damaged, sound, st.sampled_from(TRICKY), st.integers(0, 3000), st.integers(0, 2)),
        st.builds(str.__add__, sound, st.sampled_from(TRICKY)),
    )


@pytest.mark.parametrize("name", sorted(OUTGOING))
def test_same_verdict_as_libxml2(name: str) -> None:
    element = OUTGOING[name]

    @settings(max_examples=60, deadline=None, derandomize=True, database=None)
    @given(st.lists(around(element), min_size=20, max_size=40))
    def check(values: list[str]) -> None:
        agree(element, judge(name), values)

    check()


@pytest.mark.parametrize("name", sorted(ALL))
def test_same_verdict_on_known_trouble(name: str) -> None:
    """Every simple type of all messages and of the envelope."""
    agree(ALL[name], judge(name), ADVERSARIAL)


def element(name: str, message: str = "EXP301") -> Element:
    return next(e for e in schema.load_elements(message) if e.name == name)


@pytest.mark.parametrize(
    ("name", "value", "facet"),
    [
        ("GrossWt", "1.5", ""), ("GrossWt", "", ""), ("GrossWt", "00000000000001.5", ""),
        ("GrossWt", "1e5", "type"), ("GrossWt", "-1", "type"), ("GrossWt", "+1", "type"),
        ("GrossWt", ".5", "type"), ("GrossWt", "5.", "type"), ("GrossWt", "１", "type"),
        ("GrossWt", "1\n", "type"), ("GrossWt", "1,000", "type"), ("GrossWt", "x" * 21, "type"),
        ("GrossWt", "1.123456", "fractionDigits"), ("GrossWt", "1." + "0" * 30, "fractionDigits"),
        ("GrossWt", "123456789012345", "totalDigits"), ("GrossWt", "1" * 15 + ".123456", "totalDigits"),
        ("TotalValue", "1.12345", "fractionDigits"), ("TotalValue", "123456789012345.1", ""),
        ("PackNo", "1.0", "fractionDigits"), ("PackNo", "9" * 19, ""), ("PackNo", "9" * 20, "totalDigits"),
        ("BillNo", "x" * 32, ""), ("BillNo", "x" * 33, "maxLength"), ("BillNo", "𠮷" * 32, ""),
        ("IEDate", "20240229", ""), ("IEDate", "20230229", "pattern"), ("IEDate", "2024022", "pattern"),
        ("IEDate", "", "pattern"), ("IEDate", "20240229\n", "pattern"),
        ("OpType", "AD", "minLength"), ("OpType", "ADDS", "maxLength"), ("OpType", "ADD", ""),
    ],
)  # fmt: skip
def test_the_facet_named(name: str, value: str, facet: str) -> None:
    assert broken(element(name), [value]) == [[facet] if facet else []]


def test_null_in_null_out() -> None:
    frame = pl.DataFrame({"v": [None, "1"]}, schema={"v": pl.String})
    for one in (*ALL.values(), replace(element("IEFlag"), enumeration=("I", "E"))):
        made = schema.facet_failures(one, pl.col("v"))
        table = frame.select(schema.holds(one, pl.col("v")).alias("holds"), **made)
        assert set(table.row(0)) == {None}, one.name
        assert None not in table.row(1), one.name


def test_facets_are_among_those_that_can_be_named() -> None:
    assert {f for e in ALL.values() for f in schema.facet_failures(e, pl.col("v"))} <= set(
        schema.FACETS
    )


def made_up(base: str, facets: str) -> etree.XMLSchema:
    return etree.XMLSchema(
        etree.fromstring(
            f'<xs:schema xmlns:xs="{XS}"><xs:element name="v"><xs:simpleType><xs:restriction '
            f'base="xs:{base}">{facets}</xs:restriction></xs:simpleType></xs:element></xs:schema>'
        )
    )


DECIMALS = st.one_of(
    st.from_regex(r"[ \t\n]?[+-]?0{0,3}[0-9]{0,6}(\.[0-9]{0,5}0{0,3})?[ \r]?", fullmatch=True),
    st.from_regex(r"0{0,40}[0-9]{0,40}\.?[0-9]{0,40}", fullmatch=True),
    st.sampled_from([*TRICKY, *ADVERSARIAL]),
    st.builds("{}{}{}".format, st.sampled_from(TRICKY), st.integers(0, 9999), st.sampled_from(TRICKY)),
)  # fmt: skip


@pytest.mark.parametrize(("total", "fraction"), [(None, None), (3, None), (3, 0), (5, 2), (2, 2)])
def test_xs_decimal(total: int | None, fraction: int | None) -> None:
    """`.5`, `+1.5`, `1.` are numbers there; zeros that say nothing do not count."""
    facets = f'<xs:totalDigits value="{total}"/>' if total else ""
    facets += f'<xs:fractionDigits value="{fraction}"/>' if fraction is not None else ""
    validator = made_up("decimal", facets)
    one = Element("v", "g", "decimal", total_digits=total, fraction_digits=fraction)

    @settings(max_examples=30, deadline=None, derandomize=True, database=None)
    @given(st.lists(DECIMALS, min_size=10, max_size=40))
    def check(values: list[str]) -> None:
        agree(one, validator, values)

    check()
    agree(one, validator, ADVERSARIAL)


def test_the_facet_of_an_xs_decimal() -> None:
    one = Element("v", "g", "decimal", total_digits=4, fraction_digits=2, pattern="[0-9.]*")
    assert broken(one, ["12.50", "012.500", "1e1", "", "123.45", "1.234", "1.2345", "+1", ".5", None]) == [
        [], [], ["type"], ["type"], ["totalDigits"], ["fractionDigits"], ["totalDigits"], ["pattern"], [], [],
    ]  # fmt: skip


def test_enumeration() -> None:
    validator = made_up("string", '<xs:enumeration value="I"/><xs:enumeration value="E"/>')
    one = Element("v", "g", "string", enumeration=("I", "E"))
    agree(one, validator, [*ADVERSARIAL, "I", "E", "i", "I ", "IE"])
    assert broken(one, ["I", "X", ""]) == [[], ["enumeration"], ["enumeration"]]


def test_a_text_without_facets_breaks_none() -> None:
    assert broken(Element("v", "g", "string"), ["", "x", None]) == [[], [], []]


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (Element("v", "g", "date"), "base"),
        (Element("v", "g", "token"), "base"),
        (Element("v", "g", "string", fraction_digits=2), "digits"),
        (Element("v", "g", "string", total_digits=5), "digits"),
        (replace(element("GrossWt"), pattern="[0-9]*"), "digits"),
        (replace(element("GrossWt"), fraction_digits=4), "digits"),
        (replace(element("GrossWt"), max_length=19), "digits"),
        (replace(element("GrossWt"), min_length=1), "digits"),
        (replace(element("GrossWt"), enumeration=("1",)), "digits"),
        (replace(element("GrossWt"), total_digits=5), "digits"),
        (Element("v", "g", "decimal", enumeration=("1",)), "facets"),
        (Element("v", "g", "decimal", max_length=3), "facets"),
        (Element("v", "g", "decimal", min_length=3), "facets"),
        (Element("v", "g", "string", pattern=r"\y"), "pattern"),
    ],
)
def test_types_that_are_not_compiled(one: Element, reason: str) -> None:
    for compiled in (schema.facet_failures, schema.holds):
        with pytest.raises(UnsupportedType) as raised:
            compiled(one, pl.col("v"))
        assert raised.value.reason == reason


@pytest.mark.parametrize("message", schema.messages())
def test_what_decides_is_all_that_is_looked_at(message: str) -> None:
    """Values of the same length, or with digits in the same places, have the same verdict where that is said to decide."""
    pairs = {
        "length": [("a" * n, "陈" * n) for n in range(600)],
        "digits": [
            (text, text.translate(str.maketrans("0123456789", "1029384756")))
            for whole in range(21)
            for text in (
                "9" * whole,
                "1" * whole + ".",
                "3" * whole + ".5",
                "12.3456789"[:whole],
                "x" * whole,
            )
        ],
        "value": [],
    }
    for element in schema.load_elements(message):
        some = pairs[schema.looks_at(element)]
        if some:
            frame = pl.DataFrame(some, schema={"a": pl.String, "b": pl.String}, orient="row")
            verdicts = frame.select(
                a=schema.holds(element, pl.col("a")), b=schema.holds(element, pl.col("b"))
            )
            assert verdicts["a"].equals(verdicts["b"].alias("a")), element.name
    looks = {schema.looks_at(element) for element in schema.load_elements(message)}
    assert "length" in looks
