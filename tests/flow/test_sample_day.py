"""A sample day by command: exactly the dirt is rejected, by the rule named, and what is prepared is valid XML.

Broken by: a check that misses a kind of dirt, one that rejects a clean shipment, or a document that libxml2 refuses.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from .house import House, nowhere

ROOT = Path(__file__).resolve().parents[2]
COUNT = 2000


@dataclass(frozen=True)
class Day:
    """The sample of the acceptance, what `check` said of it, and its dirt by house waybill."""

    house: House
    file: Path
    dirt: dict[str, dict[str, Any]]
    answer: dict[str, Any]

    def wanted(self) -> set[str]:
        """House waybills whose dirt is a reject."""
        return {name for name, one in self.dirt.items() if one["severity"] == "reject"}

    def rejected(self) -> dict[str, set[str]]:
        """House waybill → rules that reject it."""
        found: dict[str, set[str]] = {}
        for finding in self.answer["findings"]:
            if finding["severity"] == "reject":
                found.setdefault(finding["shipment"], set()).add(finding["rule"])
        return found


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    """`sample`, then `check`, as the issue words them."""
    folder = tmp_path_factory.mktemp("day")
    house = nowhere(folder / "house")
    (
        house.home / "crossborder.toml"
    ).unlink()  # an empty home: both endpoints as they ship, without address
    file, report = folder / "m.csv", folder / "d.jsonl"
    house.run(
        "sample", "--shipments", str(COUNT), "--seed", "1", "--dirty", "0.05", "--mapping", "elements",
        "-o", str(file), "--dirt-report", str(report), "--rates-out", str(folder / "r.csv"),
    )  # fmt: skip
    answer = house.run("check", str(file), "--mapping", "elements", "--profile", "demo", good=(1,))
    told = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]
    assert (folder / "r.csv").stat().st_size > 100
    return Day(house, file, {one["shipment"]: one for one in told}, answer)


def test_the_four_counts_add_up(day: Day) -> None:
    answer = day.answer
    assert answer["format"] == 1
    assert answer["shipments"] == COUNT
    assert answer["rows"] == len(day.file.read_text("utf-8").splitlines()) - 1
    verdicts = ("valid", "rejected", "not_evaluated", "on_hold")
    assert sum(answer[name] for name in verdicts) == COUNT


def test_exactly_the_shipments_with_reject_dirt_are_rejected(day: Day) -> None:
    assert len(day.dirt) == COUNT * 0.05
    assert len({one["kind"] for one in day.dirt.values()}) >= 40
    assert set(day.rejected()) == day.wanted()
    assert day.answer["rejected"] == len(day.wanted())


def test_each_by_the_rule_named_and_by_no_other_but_those_allowed(day: Day) -> None:
    rejected = day.rejected()
    for name in day.wanted():
        one = day.dirt[name]
        assert one["rule"] in rejected[name], one
        assert rejected[name] <= {one["rule"], *one["also"]}, one


def test_every_finding_has_every_field(day: Day) -> None:
    fields = {"sheet", "row", "column", "element", "shipment", "master", "rule", "severity", "value", "zh", "en", "fix", "suggest", "source"}  # fmt: skip
    assert all(set(f) == fields for f in day.answer["findings"])
    rows = {(f["shipment"], f["rule"]): f["row"] for f in day.answer["findings"]}
    for name in day.wanted():
        assert rows[name, day.dirt[name]["rule"]] is not None


def test_what_is_prepared_is_valid_under_the_schemas(day: Day, tmp_path: Path) -> None:
    done = day.house.run(
        "prepare", str(day.file), "--mapping", "elements", "--profile", "demo", "-o", str(tmp_path), good=(1,)
    )  # fmt: skip
    schemas = {
        name: etree.XMLSchema(
            file=str(ROOT / "schemas" / "xsd" / "express" / f"{name}.written.xsd")
        )
        for name in ("EXP301", "EXP311")
    }
    kinds = dict.fromkeys(schemas, 0)
    listed: list[str] = []
    declared: list[str] = []
    for file in tmp_path.iterdir():
        kind = file.name.partition("_")[0]
        kinds[kind] += 1
        document = etree.parse(file)
        assert schemas[kind].validate(document), (
            f"{file.name}: {schemas[kind].error_log.last_error}"
        )
        names = [node.text or "" for node in document.iter("{*}AssBillNo")]
        (listed if kind == "EXP311" else declared).extend(names)
    assert kinds == {"EXP301": day.answer["valid"], "EXP311": done["manifests"]}
    assert not set(declared) & day.wanted()
    assert len(declared) == len(set(declared))
    assert len(listed) == len(set(listed)) == COUNT - done["not_manifested"]
    held = COUNT - len(declared) - len(day.wanted())
    warned = [one for one in day.dirt.values() if one["severity"] == "warn"]
    assert 0 <= held <= len(warned)
    assert done["outcomes"]["prepared"] == len(declared)
    leave = {n for n in day.wanted() if day.dirt[n]["kind"] == "general_cargo"}
    assert done["outcomes"].get("to_general", 0) == len(leave) == done["to_general"]
    assert done["outcomes"]["rejected"] == len(day.wanted()) - len(leave)


def test_the_same_seed_gives_the_same_bytes(day: Day, tmp_path: Path) -> None:
    again = tmp_path / "again.csv"
    day.house.run(
        "sample", "--shipments", str(COUNT), "--seed", "1", "--dirty", "0.05", "--mapping", "elements", "-o", str(again)
    )  # fmt: skip
    assert again.read_bytes() == day.file.read_bytes()
