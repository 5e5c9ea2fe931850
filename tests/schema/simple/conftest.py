"""Simple types written as XSD text, judged by the compiler and by libxml2, and the table of their known differences."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import polars as pl
import pytest
from lxml import etree

import crossborder.schema.simple
from crossborder.errors import UnsupportedType
from crossborder.schema import compile_simple_type

XSD = "http://www.w3.org/2001/XMLSchema"
HEAD = f'<xs:schema xmlns:xs="{XSD}">'
TABLE = Path(crossborder.schema.simple.__file__).parent / "tables" / "libxml2_differences.csv"
Verdicts = list[bool | None]
Facets = dict[str, str | list[str]]


class Differences:
    """Where libxml2 is known to judge otherwise: rows as they stand in the table, and what they allow."""

    def __init__(self) -> None:
        self.rows = list(csv.DictReader(TABLE.read_text("utf-8").splitlines()))

    def allow(self, base: str, facets: Iterable[str], value: str, ours: bool) -> bool:
        """Whether a row says that libxml2 does not say `ours` of this value; of a list any item may be the cause."""
        said = "valid" if ours else "invalid"
        return any(
            row["base"] == base
            and row["spec"] == said
            and {facet.partition("=")[0] for facet in row["facets"].split(";") if facet} <= set(facets)
            and any(
                re.fullmatch(row["values"], part, re.DOTALL) if row["values"] else part == row["value"]
                for part in (value, *value.split())
            )
            for row in self.rows
        )  # fmt: skip


class Bench:
    """Writes schemas into one folder; the type under test is always called `t`."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "types.xsd"

    def write(self, types: str) -> Path:
        self.path.write_text(f'{HEAD}<xs:element name="e" type="t"/>{types}</xs:schema>', "utf-8")
        return self.path

    def ours(self, types: str, values: Sequence[str | None], name: str = "t") -> Verdicts:
        judge = compile_simple_type(self.write(types), name)
        frame = pl.DataFrame({"v": values}, schema={"v": pl.String})
        return frame.select(judge(pl.col("v"))).to_series().to_list()

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
def differences() -> Differences:
    return Differences()


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
