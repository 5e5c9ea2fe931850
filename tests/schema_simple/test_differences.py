"""The table of known differences says the truth about both sides, and names nothing twice."""

from __future__ import annotations

import csv
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
