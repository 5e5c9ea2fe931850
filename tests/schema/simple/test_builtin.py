"""Built-in types on values at the edges of their lexical spaces: libxml2 and xmlschema stand witness."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xmlschema

import crossborder.schema.simple
from crossborder.errors import UnsupportedType
from crossborder.schema.simple import compile_simple_type

XSD = "{http://www.w3.org/2001/XMLSchema}"
TABLE = Path(crossborder.schema.simple.__file__).parent / "tables" / "libxml2_differences.csv"
KNOWN = {
    (row["base"], row["value"])
    for row in csv.DictReader(TABLE.read_text("utf-8").splitlines())
    if not row["facets"]
}
NUMBER = [
    "1",
    "+1",
    "-1",
    "0",
    "-0",
    "+0",
    "1.0",
    "",
    "007",
    "1.",
    ".",
    "1 2",
    " 1 ",
    "--1",
    "+-1",
    "1e2",
    "٣",
    "0x1",
]
VALUES = {
    "string": ["", "a", " a", "\t", "中"],
    "normalizedString": ["a\tb", "", "\n"],
    "token": [" a  b ", "\n", ""],
    "boolean": ["true", "1", " 0 ", "TRUE", "", "false", "yes"],
    "decimal": [*NUMBER, "+1.", "-.5", "1,2"],
    "integer": NUMBER,
    "nonNegativeInteger": NUMBER,
    "positiveInteger": NUMBER,
    "nonPositiveInteger": NUMBER,
    "negativeInteger": NUMBER,
    "unsignedLong": [*NUMBER, "18446744073709551615", "18446744073709551616", "000000000000000000000001"],
    "unsignedInt": [*NUMBER, "4294967296", "4294967295"],
    "unsignedShort": [*NUMBER, "65535", "65536"],
    "unsignedByte": [*NUMBER, "255", "256", "00255"],
    "long": [*NUMBER, "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809"],
    "int": [*NUMBER, "2147483647", "2147483648", "-2147483648", "-2147483649"],
    "short": [*NUMBER, "32767", "32768", "-32768", "-32769"],
    "byte": [*NUMBER, "127", "128", "-128", "-129"],
    "float": ["1", "1e5", "INF", "-INF", "+INF", "NaN", "nan", "e5", ".5", "5.", ".", "1E+05", "1e400", "0x1p3", ".e5"],
    "double": ["1e400", "1.5E-3", "+INF", " 1 "],
    "dateTime": [
        "2000-01-01T00:00:00", "2000-02-30T00:00:00", "2000-02-29T00:00:00Z", "1900-02-29T00:00:00",
        "0000-01-01T00:00:00", "-0000-01-01T00:00:00", "-0001-01-01T00:00:00", "-0004-02-29T00:00:00",
        "12000-01-01T00:00:00", "02000-01-01T00:00:00", "2000-01-01T24:00:00", "2000-01-01T24:00:00.0",
        "2000-01-01T24:00:01", "2000-01-01T23:59:60", "2000-01-01T00:00:00.", "2000-01-01T00:00:00.10",
        "2000-01-01T00:00:00+14:00", "2000-01-01T00:00:00+14:01", "2000-01-01T00:00:00+13:59",
        "2000-01-01T00:00:00-14:00", "2000-01-01T00:00:00+1:00", "2000-01-01T00:00", "2000-1-1T00:00:00",
        "+2000-01-01T00:00:00", "2000-01-01t00:00:00", "2000-01-01T00:00:00z", "2000-01-01 00:00:00",
        "200-01-01T00:00:00", "2000-13-01T00:00:00", "2000-01-01T00:00:00+15:00", "2000-00-01T00:00:00",
    ],
    "date": ["2000-01-01", "2001-02-29", "2000-02-29+05:00", "2000-04-31", "-2000-01-01", "0000-01-01", "2000-01-01Z",
             "2000-01-32", "2000-01-00", "10000-12-31", "2100-02-29", "2400-02-29", "1200004-02-29"],
    "time": ["00:00:00", "24:00:00", "24:00:01", "23:59:59.999Z", "12:00", "12:00:60", "12:00:00-14:00",
             "12:00:00+24:00", "1:00:00", "25:00:00", "12:60:00"],
    "gYear": ["2000", "-2000", "0000", "20000", "02000", "2000Z", "2000-05:00", "200", "+2000", "-0000"],
    "gYearMonth": ["2000-01", "2000-13", "2000-00", "0000-01", "2000-01Z", "2000-01-05:00"],
    "gMonthDay": ["--02-29", "--02-30", "--04-31", "--12-31Z", "-02-29", "--2-29", "--01-00", "--13-01"],
    "gMonth": ["--01", "--13", "--01--", "--00", "--12Z", "--12-05:00"],
    "gDay": ["---01", "---31", "---32", "---00", "---15Z", "--15"],
    "duration": ["P1Y", "P", "PT", "P1YT", "-P1D", "P1M2D", "PT1.5S", "P1.5D", "P1S", "PT1M1H", "P1DT1H", "+P1D",
                 "P-1D", "p1d", "P1Y2M3DT4H5M6.7S", "PT0S", "P1W", "PT1.5M", ""],
    "hexBinary": ["", "0a", "0", "0G", "0a 0b", " 0A "],
    "base64Binary": ["", "AAAA", "AA==", "AAA=", "A===", "AB==", "AA A A", "AA = =", "AAA =", "AAE=", "AAB=",
                     "A A A A A A A A", "====", "AA", "=AAA", "AAAA==", "AQ=="],
    "anyURI": ["", "a", "http://a/b?c#d", "a b", "%20", "//", "http://[::1]/", "中", "\\", "?q", "urn:a:b", "mailto:a@b",
               "http://", "#", "./a:b", "/a:b", "%", "a%zz", "a#b#c", ":a", "1a:b", "[", "##"],
    "language": ["en", "en-US", "abcdefghi", "", "e1", "en-", "zh-Hans-CN", "x-12345678", "x-123456789", " en "],
    "Name": ["a", "_a", ":a", "1a", "a b", "", "中", "a-b.c·d", "-a", "é"],
    "NCName": ["a", "a:b", "_", "1", ":"],
    "ID": ["a", "1", "a:b"],
    "NMTOKEN": ["1a", "-", ":", "a b", "", "·", "\u3021"],
    "NMTOKENS": ["a b", " a  b", "a \n b", "a b !"],
}  # fmt: skip
LENIENT = {"٣", "1 2"}
"""Taken by xmlschema through Python's own number parser; its anyURI takes nearly anything."""
SECOND_EDITION_OF_XML = {
    ("NMTOKEN", "\u203f"),
    ("Name", "ꀀ"),
    ("Name", "\u0132"),
    ("Name", "\u2070"),
}


@pytest.mark.parametrize("base", sorted(VALUES))
def test_values(base: str, bench: Any, restriction: Callable[..., str]) -> None:
    """libxml2 agrees on every value; where xmlschema does not, it stands alone."""
    values = [value for value in VALUES[base] if (base, value) not in KNOWN]
    types = restriction(f"xs:{base}")
    ours = bench.ours(types, values)
    assert dict(zip(values, ours, strict=True)) == dict(
        zip(values, bench.libxml2(types, values), strict=True)
    )
    if base != "anyURI":
        second = xmlschema.XMLSchema10(str(bench.path)).types["t"]
        both = {v: second.is_valid(v) for v in values if v not in LENIENT}
        assert both == {v: o for v, o in zip(values, ours, strict=True) if v not in LENIENT}
    assert True in ours


@pytest.mark.parametrize(("base", "value"), sorted(SECOND_EDITION_OF_XML))
def test_names_are_those_of_xml_second_edition(
    base: str, value: str, bench: Any, restriction: Callable[..., str]
) -> None:
    """Part 2 cites XML 1.0 second edition; the fifth edition would allow these."""
    assert bench.ours(restriction(f"xs:{base}"), [value]) == [False]
    assert bench.libxml2(restriction(f"xs:{base}"), [value]) == [False]


def test_built_in_by_name_null_and_other_characters(bench: Any) -> None:
    path = bench.write("")
    frame = pl.DataFrame({"v": ["1", None, "x", " 2 "]})
    judge = compile_simple_type(path, f"{XSD}integer")
    assert frame.select(judge(pl.col("v")))["v"].to_list() == [True, None, False, True]
    assert bench.ours("", ["a\x00", "\ufffe", "\U0001f600", None], f"{XSD}string") == [
        False,
        False,
        True,
        None,
    ]
    assert bench.ours("", ["\x0b"], f"{XSD}anySimpleType") == [False]
    at_surrogates = ["\ud7ff", "\ue000", "\uf8ff", "\ufffd"]
    assert bench.ours("", at_surrogates, f"{XSD}string") == [True] * 4
    assert bench.ours("", at_surrogates, f"{XSD}token") == [True] * 4


@pytest.mark.parametrize("name", ["QName", "NOTATION", "ENTITY", "ENTITIES"])
def test_types_that_need_the_document(name: str, bench: Any) -> None:
    with pytest.raises(UnsupportedType) as refusal:
        compile_simple_type(bench.write(""), f"{XSD}{name}")
    assert refusal.value.reason == "context"
