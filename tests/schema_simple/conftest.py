"""Helpers: simple types written as XSD text, judged by the compiler, by libxml2 and by xmlschema."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import pytest
from lxml import etree

from crossborder.errors import UnsupportedType
from crossborder.schema.simple import compile_simple_type

HEAD = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
Verdicts = list[bool | None]


class Bench:
    """Writes schemas into one folder; the type under test is always called `t`."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "types.xsd"

    def write(self, types: str) -> Path:
        self.path.write_text(f'{HEAD}<xs:element name="e" type="t"/>{types}</xs:schema>', "utf-8")
        return self.path

    def ours(self, types: str, values: Sequence[str | None], name: str = "t") -> Verdicts:
        judge = compile_simple_type(self.write(types), name)
        return (
            pl.DataFrame({"v": pl.Series(values, dtype=pl.String)})
            .select(judge(pl.col("v")))["v"]
            .to_list()
        )

    def refused(self, types: str, name: str = "t") -> str:
        try:
            compile_simple_type(self.write(types), name)
        except UnsupportedType as refusal:
            return refusal.reason
        return ""

    def libxml2(self, types: str, values: Sequence[str]) -> Verdicts:
        schema = etree.XMLSchema(etree.parse(self.write(types)))
        element = etree.Element("e")
        verdicts: Verdicts = []
        for value in values:
            element.text = value
            verdicts.append(schema.validate(element))
        return verdicts


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture(scope="session")
def restriction() -> Callable[..., str]:
    """`restriction("xs:int", maxInclusive="5", pattern=["a", "b"])` → the XSD text of the type `t`."""

    def make(base: str, name: str = "t", **facets: str | Sequence[str]) -> str:
        inside = ""
        for facet, values in facets.items():
            for value in [values] if isinstance(values, str) else values:
                written = etree.Element("x", value=value)
                inside += etree.tostring(written).decode().replace("<x", f"<xs:{facet}")
        return (
            f'<xs:simpleType name="{name}"><xs:restriction base="{base}">{inside}'
            "</xs:restriction></xs:simpleType>"
        )

    return make
