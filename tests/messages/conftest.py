"""Shared by the tests of the messages room: golden inputs as frames, one moment, ids."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from crossborder import codes, messages
from crossborder.shipments import frames as canonical
from crossborder.shipments.frames import FrameSet

GOLDEN = Path(__file__).parents[2] / "fixtures" / "golden"
Build = Callable[..., FrameSet]


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of golden messages."""
    return GOLDEN


@pytest.fixture(scope="session")
def tables() -> codes.Tables:
    """The packaged code tables."""
    return codes.Tables.load()


@pytest.fixture(scope="session")
def moment() -> datetime:
    """2026-11-23 18:05:09 in China, given in another zone."""
    return datetime(2026, 11, 23, 10, 5, 9, tzinfo=UTC)


@pytest.fixture(scope="session")
def envelope(moment: datetime) -> dict[str, Any]:
    """The arguments that every composing call shares."""
    return {"sender": "DXPESW0000000001", "receiver": "E010000", "at": moment}


@pytest.fixture(scope="session")
def ids(moment: datetime) -> Callable[[int], list[str]]:
    """So many message ids, serials from 1."""
    return lambda n, start=1: [
        messages.message_id("DXPESW0000000001", "E010000", moment, i)
        for i in range(start, start + n)
    ]


def _frame(name: Any, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    if not rows:
        return canonical.empty(name)
    return canonical.complete(name, pl.DataFrame(rows, infer_schema_length=None))


@pytest.fixture(scope="session")
def build() -> Build:
    """`build(shipment, …, headers=…)`: frames of shipments, each `{"shipment", "goods", "documents"}`.

    Rows are numbered as in a sheet with one row per goods line and a header row.
    """

    def made(*said: Mapping[str, Any], headers: Mapping[str, Any] | None = None) -> FrameSet:
        ships: list[dict[str, Any]] = []
        goods: list[dict[str, Any]] = []
        documents: list[dict[str, Any]] = []
        row = 2
        for ship, one in enumerate(said):
            lines = one.get("goods", [])
            at = {"ship": ship, "sheet": "Sheet1"}
            rows = list(range(row, row + max(1, len(lines))))
            ships.append({"unreadable": False, **one["shipment"], **at, "row": row, "rows": rows})
            goods += [{**g, **at, "line": i, "row": row + i} for i, g in enumerate(lines)]
            documents += [
                {**d, **at, "doc": i, "row": row} for i, d in enumerate(one.get("documents", []))
            ]
            row = rows[-1] + 1
        return FrameSet(
            _frame("shipments", ships), _frame("goods", goods), _frame("documents", documents), headers or {}
        )  # fmt: skip

    return made


@pytest.fixture(scope="session")
def example() -> Callable[[str], dict[str, Any]]:
    """A fresh copy of a golden input by name, e.g. `import-b`."""
    return lambda name: tomllib.loads((GOLDEN / f"exp301-{name}.toml").read_text("utf-8"))


@pytest.fixture(scope="session")
def houses() -> Callable[[], list[dict[str, Any]]]:
    """Fresh copies of the four shipments of the golden manifest, to be changed and built."""

    def made() -> list[dict[str, Any]]:
        data = tomllib.loads((GOLDEN / "exp311.toml").read_text("utf-8"))
        return [{"shipment": {**data["common"], **s}} for s in data["shipments"]]

    return made
