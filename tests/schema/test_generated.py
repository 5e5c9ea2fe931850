"""The XSDs are what the generator makes of the facts, and the facts are those of the interface."""

from __future__ import annotations

import calendar
import csv
import hashlib
import re
from pathlib import Path
from types import ModuleType

import pytest
from lxml import etree

from crossborder import resources, schema

STRUCTURE = (
    "message", "parent", "seq", "element", "cardinality", "base_type", "min_length", "max_length",
    "pattern", "total_digits", "fraction_digits", "code_list",
)  # fmt: skip
STRUCTURE_DIGEST = "eb3a04d7af50aae480a2a7588a7740206b7fafab7f4b4e68e47a2311493b43ee"
"""SHA-256 over the structure columns of the interface's field list, as gathered for this project from the port's schema
set (copy of 2019): cells joined with U+001F, every row ended with a line feed, rows in the order of the list."""


def test_structure_is_that_of_the_interface(facts: list[dict[str, str]]) -> None:
    text = "".join("\x1f".join(row[c] for c in STRUCTURE) + "\n" for row in facts)
    assert hashlib.sha256(text.encode()).hexdigest() == STRUCTURE_DIGEST


def test_files_are_what_the_generator_writes(generator: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "stale.xsd").write_text("left over")
    assert generator.main(["--facts", str(resources.path("schemas/facts/express.csv")),
                           "--out", str(tmp_path)]) == 0  # fmt: skip
    made = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    kept = {p.name: p.read_bytes() for p in resources.path("schemas/xsd/express").iterdir()}
    assert made == kept


def test_generator_refuses_a_type_it_does_not_know(generator: ModuleType) -> None:
    facts = generator.Facts.read(resources.path("schemas/facts/express.csv"))
    with pytest.raises(SystemExit, match="unknown base type"):
        generator.type_name({**facts.fields[2], "base_type": "float"}, facts)


def test_patterns_use_no_class_that_engines_disagree_about() -> None:
    found = 0
    for path in resources.path("schemas/xsd/express").iterdir():
        text = path.read_text(encoding="utf-8")
        for pattern in re.findall(r'<xs:pattern value="([^"]*)"', text):
            assert not re.search(r"\\[dDwWsSpPiIcC]", pattern), (path.name, pattern)
            found += 1
    assert found > 10


def date_types() -> dict[str, str]:
    path = resources.path("schemas/facts/express.types.csv")
    with path.open(encoding="utf-8", newline="") as file:
        return {row["base_type"]: row["pattern"] for row in csv.DictReader(file)}


def test_date_pattern_is_the_calendar() -> None:
    """All month and day combinations of all years 0999 to 3000."""
    pattern = re.compile(date_types()["yyyyMMdd"])
    for year in range(999, 3001):
        feb = (28, 29)[calendar.isleap(year)]
        lengths = (0, 31, feb, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
        wrong = [
            f"{year:04}{month:02}{day:02}"
            for month in (range(14) if year % 100 < 5 else (2,))
            for day in range(33)
            if bool(pattern.fullmatch(f"{year:04}{month:02}{day:02}"))
            != (1000 <= year <= 2999 and 1 <= month <= 12 and 1 <= day <= lengths[month])
        ]
        assert not wrong


def test_only_leap_days_of_common_centuries_differ_from_the_interface(
    facts: list[dict[str, str]],
) -> None:
    theirs = re.compile(next(r["pattern"] for r in facts if r["base_type"] == "yyyyMMdd"))
    ours = re.compile(date_types()["yyyyMMdd"])
    differ = [
        day
        for year in range(1000, 3000)
        for day in (f"{year}0228", f"{year}0229", f"{year}0301", f"{year}1131")
        if bool(theirs.fullmatch(day)) != bool(ours.fullmatch(day))
    ]
    assert differ == [f"{c}000229" for c in range(10, 30) if c % 4]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("yyyyMMddHHmmss", "20240229235959", "20240229240000"),
        ("yyyyMMddHHmmss", "20241231000000", "20241231006000"),
        ("yyyyMMddHHmmsszzz", "20240229235959+08", "20191101002839995"),
        ("yyyyMMddHHmmsszzz", "20240229235959-13", "20240229235959+14"),
    ],
)
def test_times(kind: str, good: str, bad: str) -> None:
    pattern = re.compile(date_types()[kind])
    assert pattern.fullmatch(good)
    assert not pattern.fullmatch(bad)


def test_conditions_of_the_facts_are_those_of_the_filling_tables(
    facts: list[dict[str, str]],
) -> None:
    for row in facts:
        if row["base_type"] == "complex" or row["message"] == "ENVELOPE":
            continue
        needs = [
            f"{r.need}: {r.when}" if r.when else r.need
            for r in schema.filling(row["message"])
            if (r.group, r.element) == (row["parent"], row["element"])
        ]
        said = "O" if row["required_when"] == "P" else row["required_when"]
        assert "; ".join(needs) == said, (row["message"], row["parent"], row["element"])


def test_every_element_is_explained(facts: list[dict[str, str]]) -> None:
    for row in facts:
        assert row["label_zh"]
        assert len(row["meaning_en"]) > 5
    for message in schema.messages():
        for element in schema.load_elements(message):
            assert element.label_zh
            assert element.meaning_en


@pytest.mark.parametrize("message", ["EXP301", "EXP311"])
def test_the_entry_file_takes_every_spelling(message: str) -> None:
    folder = resources.path("schemas/xsd/express")
    entry = etree.XMLSchema(etree.parse(str(folder / f"{message}.xsd")))
    taken = 0
    for form in ("written", "strict"):
        one = schema.validator(message, form)
        for golden in sorted(resources.path("schemas").parent.glob("fixtures/golden/*.xml")):
            document = etree.parse(str(golden))
            if one.validate(document):
                assert entry.validate(document), (golden.name, entry.error_log)
                taken += 1
    assert taken
    assert not entry.validate(etree.fromstring("<Package/>"))
