"""The table of known differences says the truth about both sides, and names nothing twice."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import crossborder.schema.simple

TABLE = Path(crossborder.schema.simple.__file__).parent / "tables" / "libxml2_differences.csv"
ROWS = list(csv.DictReader(TABLE.read_text("utf-8").splitlines()))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['base']}-{row['value']}")
def test_row(row: dict[str, str], bench: Any, restriction: Callable[..., str]) -> None:
    facets: dict[str, str | list[str]] = {}
    for facet in filter(None, row["facets"].split(";")):
        name, _, value = facet.partition("=")
        facets[name] = value
    types = restriction(f"xs:{row['base']}", **facets)
    ours = {"valid": [True], "invalid": [False]}
    assert bench.ours(types, [row["value"]]) == ours[row["spec"]]
    assert bench.libxml2(types, [row["value"]]) == ours[row["libxml2"]]
    assert row["spec"] != row["libxml2"]
    assert row["clause"]


def test_each_row_once() -> None:
    assert len({(r["base"], r["facets"], r["value"]) for r in ROWS}) == len(ROWS)


def test_a_row_is_one_of_the_values_it_stands_for() -> None:
    for row in ROWS:
        assert not row["values"] or re.fullmatch(row["values"], row["value"], re.DOTALL), row


def test_only_what_the_table_lists_is_allowed(differences: Any) -> None:
    assert differences.allow("float", {}, "1e", ours=False)
    assert differences.allow("float", {"pattern": "x"}, "3.5E+ 7", ours=False)
    assert differences.allow("duration", {"minInclusive": "P28D"}, "P1MT0.5S", ours=True)
    assert not differences.allow("float", {}, "1e", ours=True)
    assert not differences.allow("float", {}, "1e5", ours=False)
    assert not differences.allow("decimal", {}, "1e", ours=False)
    assert not differences.allow("duration", {}, "P1MT0.5S", ours=True)
