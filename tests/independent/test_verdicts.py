"""The engine's verdicts against a script that shares nothing with it, and both against what was written down."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import crossborder

HERE = Path(__file__).resolve().parent
FIXTURE = HERE.parents[1] / "fixtures" / "checks" / "independent.csv"
EXPECTED: dict[str, list[str]] = json.loads(
    FIXTURE.with_suffix(".expected.json").read_text(encoding="utf-8")
)


def by_script(file: Path) -> dict[str, list[str]]:
    done = subprocess.run(
        [sys.executable, "-I", str(HERE / "verdicts.py"), str(file)], capture_output=True, check=True, text=True
    )  # fmt: skip
    answer: dict[str, list[str]] = json.loads(done.stdout)
    return answer


def by_engine(file: Path) -> dict[str, list[str]]:
    checked = crossborder.check(file, "elements", "demo", declared_on="20261120")
    rejecting = checked.findings.filter(pl.col("action") == "reject")
    found = {house: set() for house in checked.frames.shipments["house_waybill"].to_list()}
    for house, rule in rejecting.select("shipment", "rule").iter_rows():
        found[house].add(rule)
    return {house: sorted(rules) for house, rules in found.items()}


def test_the_script_imports_nothing_of_the_engine() -> None:
    names = runpy.run_path(str(HERE / "verdicts.py"))
    assert not any(getattr(v, "__module__", "").startswith("crossborder") for v in names.values())


def test_the_script_agrees_with_what_was_written_down() -> None:
    assert by_script(FIXTURE) == EXPECTED


def test_the_engine_agrees_with_the_script() -> None:
    assert by_engine(FIXTURE) == by_script(FIXTURE)


@pytest.mark.parametrize(
    ("house", "element", "value", "rule"),
    [
        ("HX101188258939", "SendId", "440100198203056624", "ID-01"),
        ("HX101142694700", "GrossWt", "0.1", "EXP-13"),
        ("HX101133823178", "SendCountry", "142", "EXP-15"),
    ],
)
def test_one_more_fault_is_seen_by_both(
    tmp_path: Path, house: str, element: str, value: str, rule: str
) -> None:
    frame = pl.read_csv(FIXTURE, infer_schema=False)
    spoiled = frame.with_columns(
        pl.when(pl.col("AssBillNo") == house).then(pl.lit(value)).otherwise(pl.col(element)).alias(element)
    )  # fmt: skip
    file = tmp_path / "spoiled.csv"
    spoiled.write_csv(file)
    assert rule in by_script(file)[house]
    assert rule in by_engine(file)[house]
