"""Patterns of XSD in the regular expressions of polars: same verdict as libxml2, or refused."""

from __future__ import annotations

import polars as pl
import pytest
from lxml import etree

from crossborder.errors import UnsupportedType
from crossborder.schema import to_rust

TEXTS = [
    "", "a", "b", "ab", "aab", "abab", "a.b", "axb", "a\nb", "a\rb", "ab\n", "\nab", "-", "^", "$", "^a$",
    "a-c", "]", "[", "\\", "|", "a|b", "+", "{", "}", "{2}", "(a)", "&&", "~~", "--", "é", "国", "𠮷",
    "０", "1", "٣", "_", "a b", "\t", "#", "\u2028", "aaaa", "z", "A", "/", ":",
]  # fmt: skip
PATTERNS = [
    "", "a", "ab", "a|b", "a||b", "(a|b)*", "(ab){2}", "a{2,}b", "a{0,1}b?", "a.b", ".", ".*", r"a\.b", "^a$",
    "[a-c]", "[^a-c]", "[a-]", "[-a]", "[a^]", r"[\-\^\[\]]", r"[\\]", r"\|", r"\{2\}", "[&]+", "[~-]+", r"[a\-c]+",
    r"\d", r"\D", r"[\d\s]+", r"\w+", r"\W", r"\s", r"\S+", r"\i\c*", r"\I", r"\C", r"\p{IsBasicLatin}+",
    "[a-z-[b]]+", "[^a-c-[z]]", r"[\w-[a-z]]+", "[国𠮷]", "[一-鿿]", "[0-9]+", r"\t", r"[^\n]*", r"\(a\)", "a/b|/|:", "$", "[_#]", "é|[é]",
]  # fmt: skip
AT_SURROGATES = [
    "[^\ud7ff\ue000]", "[^ -\ud7ff\ue000-\ufffd]", r"\P{Cf}", r"\p{IsPrivateUse}+", r"\P{IsPrivateUse}", r"[^\p{Co}]",
]  # fmt: skip
"""Where ranges end and begin at the surrogates, of which a text has none."""


@pytest.mark.parametrize("pattern", [*PATTERNS, *AT_SURROGATES])
def test_same_verdict_as_libxml2(pattern: str) -> None:
    texts = TEXTS if pattern in PATTERNS else [*TEXTS, "\ud7ff", "\ue000", "\uf8ff"]
    schema = etree.fromstring(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="v"><xs:simpleType>'
        '<xs:restriction base="xs:string"><xs:pattern/></xs:restriction></xs:simpleType></xs:element>'
        "</xs:schema>"
    )
    next(schema.iter("{*}pattern")).set("value", pattern)
    judge = etree.XMLSchema(schema)
    node = etree.Element("v")
    expected = []
    for text in texts:
        node.text = text
        expected.append(judge.validate(node))
    frame = pl.DataFrame({"v": texts})
    assert frame.select(pl.col("v").str.contains(to_rust(pattern)))["v"].to_list() == expected
    assert True in expected


@pytest.mark.parametrize(
    "inside",
    [
        "\ud7ff\ue000",
        "a-\ud7ff\ue000-\ufffd",
        " -\ud7ff",
        "\ue000-\U0010ffff",
        "\ud7fe\ue001",
        "a\ue000",
    ],
)
def test_a_negated_class_holds_just_what_the_class_does_not(inside: str) -> None:
    edges = [0x9, 0x20, 0x61, 0x7A, 0xD7FE, 0xD7FF, 0xE000, 0xE001, 0xFFFD, 0x10000, 0x10FFFF]
    frame = pl.DataFrame({"v": list(map(chr, edges))})
    held, others = (
        frame.select(pl.col("v").str.contains(to_rust(f"[{sign}{inside}]")))["v"]
        for sign in ("", "^")
    )
    assert others.to_list() == (~held).to_list()
    assert held.any()
    assert others.any()


@pytest.mark.parametrize(
    "pattern",
    [r"\b", r"\x", r"\u0041", r"\$", "(?:a)", "(?i)a", "a**", "a+?", "*", "a{", "a{x}", "a{,2}", "a{2}{3}", "a{3,2}", "}", "]",
     "(", ")", "(a", "a)", "[", "[a", "[]", "[^]", "[b-a]", "[a-", "\\", "[a--]", "[[]", "[a-c-1-4]", r"[a-\d]", r"[\d-a]",
     r"\p{Xx}", r"\p{Cs}", r"\p{}", r"\pL", "[a-b-[c]d]"],
)  # fmt: skip
def test_what_the_grammar_does_not_derive_is_refused(pattern: str) -> None:
    with pytest.raises(UnsupportedType) as raised:
        to_rust(pattern, place="T")
    assert raised.value.reason == "pattern"
    assert raised.value.place == "T"


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [(r"\p{IsKlingon}", "block"), (r"\w{9999}", "pattern-size"), ("a{100000}", "pattern-size"),
     ("(" * 61 + ")" * 61, "pattern-size"), ("((a{1000}){1000}){1000}", "pattern-size")],
)  # fmt: skip
def test_what_is_too_much_is_refused(pattern: str, reason: str) -> None:
    with pytest.raises(UnsupportedType) as raised:
        to_rust(pattern)
    assert raised.value.reason == reason


@pytest.mark.parametrize("pattern", ["a{" + "0" * 5000 + "1}", "(" * 60 + "a" + ")" * 60])
def test_what_only_looks_like_too_much(pattern: str) -> None:
    assert pl.select(pl.lit("a").str.contains(to_rust(pattern))).item()
