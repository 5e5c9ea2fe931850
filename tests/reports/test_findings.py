"""Findings for people: grouped, worst first; as text of any width; as CSV that no spreadsheet runs."""

from __future__ import annotations

import contextlib
import csv
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rich.console import Console

from crossborder.errors import InputError
from crossborder.reports import findings_csv, findings_list, grouped, merged, write_findings_csv
from crossborder.shipments import findings as found
from crossborder.wide import width


def finding(rule: str = "EXP-13", shipment: str | None = "HX1", **more: Any) -> dict[str, Any]:
    """One finding; without `action` it rejects."""
    plain = {
        "ship": 0, "sheet": "", "row": 2, "column": "GrossWt", "element": "GrossWt", "shipment": shipment,
        "master": "999-1", "rule": rule, "severity": "reject", "action": "reject", "value": "1", "zh": "毛重小于净重",
        "en": "gross weight is below net weight", "fix_zh": "核对毛重", "fix_en": "check the weights", "source": "x",
    }  # fmt: skip
    return plain | more


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return found.build(rows)


def shown(findings: pl.DataFrame, lang: str = "en", columns: int = 80) -> str:
    console = Console(width=500, color_system=None)
    with console.capture() as caught:
        console.print(findings_list(grouped(findings), lang, columns), soft_wrap=True)
    return caught.get().rstrip("\n")


def test_worst_first_then_most_frequent_then_by_rule() -> None:
    rows = [
        finding("N-1", severity="warn", action="note"),
        finding("M-1", severity="not_evaluated", action="mark"),
        finding("H-1", severity="warn", action="hold"),
        finding("E-1", severity="not_evaluated", action="hold"),
        finding("B-1"), finding("C-1"), finding("A-1"), finding("A-1", "HX2"),
    ]  # fmt: skip
    ordered = grouped(frame(*rows))
    assert ordered["rule"].to_list() == ["A-1", "B-1", "C-1", "E-1", "H-1", "M-1", "N-1"]
    assert ordered["what"].to_list() == ["reject"] * 3 + ["not_evaluated", "hold", "mark", "note"]
    assert ordered["count"].to_list() == [2, 1, 1, 1, 1, 1, 1]


def test_one_rule_with_two_consequences_stands_twice() -> None:
    ordered = grouped(frame(finding("X-1"), finding("X-1", severity="warn", action="note")))
    assert ordered.select("rule", "what").rows() == [("X-1", "reject"), ("X-1", "note")]


def test_examples_are_of_three_different_shipments() -> None:
    rows = [finding(shipment=s, row=n) for n, s in enumerate(("A", "A", "B", "A", "C", "D"), 2)]
    one = grouped(frame(*rows)).row(0, named=True)
    assert [(e["shipment"], e["row"]) for e in one["examples"]] == [("A", 2), ("B", 4), ("C", 6)]
    assert (one["count"], one["shipments"]) == (6, 4)


def test_no_findings_is_no_text() -> None:
    assert grouped(found.empty()).height == 0
    assert shown(found.empty()) == ""


def test_one_text_is_said_once_with_remedy_and_examples() -> None:
    said = shown(frame(finding(), finding(shipment="HX2", row=3), finding(shipment="HX2", row=4)))
    assert said.splitlines() == [
        "reject  EXP-13  × 3 in 2 shipments",
        "   gross weight is below net weight",
        "   → check the weights",
        "   e.g. HX1 row 2 GrossWt; HX2 row 3 GrossWt",
    ]
    zh = shown(frame(finding(), finding(shipment="HX2", row=3)), "zh")
    assert zh.splitlines() == [
        "拒收  EXP-13  × 2",
        "   毛重小于净重",
        "   → 核对毛重",
        "   例 HX1 第 2 行 GrossWt；HX2 第 3 行 GrossWt",
    ]


def test_different_texts_stand_with_their_own_examples() -> None:
    said = shown(frame(finding(en="worth 6000"), finding(shipment="HX2", en="worth 7000")))
    assert said.splitlines()[1:] == [
        "   HX1 row 2 GrossWt: worth 6000",
        "   HX2 row 2 GrossWt: worth 7000",
        "   → check the weights",
    ]
    said = shown(frame(finding(en="a"), finding(shipment="HX2", en="b", fix_en="mend it")))
    assert said.splitlines()[1:] == [
        "   HX1 row 2 GrossWt: a → check the weights",
        "   HX2 row 2 GrossWt: b → mend it",
    ]


def test_a_finding_of_the_file_has_no_waybill_to_show() -> None:
    said = shown(frame(finding(shipment=None, row=None, column="Extra", fix_en=None)))
    assert said.splitlines()[1:] == ["   gross weight is below net weight", "   e.g. Extra"]
    bare = shown(frame(finding(shipment=None, row=None, column=None)))
    assert bare.splitlines()[-1] == "   → check the weights"
    unnamed = shown(frame(finding(shipment="#7", row=7)))
    assert unnamed.splitlines()[-1] == "   e.g. row 7 GrossWt"


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_lines_fit_the_screen(lang: str, columns: int) -> None:
    long = {"zh": "毛重小于净重，" * 30, "en": "gross weight is below net weight, " * 20}
    rows = [finding(shipment=f"HX{n:012d}", row=n, **long) for n in range(2, 6)]
    for line in shown(frame(*rows), lang, columns).splitlines():
        assert width(line) <= columns


def test_markup_in_values_is_text() -> None:
    said = shown(frame(finding(en="[bold red]x[/] [/nonsense]")))
    assert "[bold red]x[/] [/nonsense]" in said


def test_csv_has_every_finding_and_no_formula(tmp_path: Path) -> None:
    risky = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "plain", "", "1-2"]
    rows = [finding(value=v, shipment=v or None, ship=n) for n, v in enumerate(risky)]
    file = tmp_path / "all.csv"
    write_findings_csv(frame(*rows), file)
    raw = file.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    with file.open(encoding="utf-8-sig", newline="") as opened:
        read = list(csv.DictReader(opened))
    assert [r["value"] for r in read] == [*(f"'{v}" for v in risky[:7]), *risky[7:]]
    assert [r["shipment"] for r in read] == [r["value"] for r in read]
    assert "ship" not in read[0]
    assert list(read[0]) == [n for n in found.SCHEMA if n != "ship"]


def test_a_csv_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "all.csv").mkdir()
    with pytest.raises(InputError) as told:
        write_findings_csv(frame(finding()), tmp_path / "all.csv")
    assert "all.csv" in told.value.place
    assert told.value.fix_zh
    assert [p.name for p in tmp_path.iterdir()] == ["all.csv"]


def test_groups_of_blocks_merge_into_those_of_the_whole() -> None:
    rows = [
        finding("X-1", shipment="A"), finding("X-1", shipment="B", en="other"), finding("X-2", shipment="A"),
        finding("X-1", shipment="C"), finding("X-2", shipment="D"), finding("X-3", shipment="E", severity="warn", action="note"),
        finding("X-1", shipment="F"), finding("X-1", shipment="F"),
    ]  # fmt: skip
    whole = grouped(frame(*rows))
    blocks = [grouped(frame(*part)) for part in (rows[:2], rows[2:3], rows[3:6], rows[6:])]
    told = blocks[0]
    for block in blocks[1:]:
        told = merged([told, block])
    same = ["what", "rule", "count", "shipments", "zh", "en", "fix_zh", "fix_en", "examples"]
    assert told.select(same).equals(whole.select(same))
    several = pl.col("texts", "fixes") > 1
    assert told.select(several).equals(whole.select(several))


def test_findings_that_come_frame_by_frame_make_the_same_file(tmp_path: Path) -> None:
    rows = [finding(f"X-{n}", value="=1+1") for n in range(5)]
    whole, parts = tmp_path / "whole.csv", tmp_path / "parts.csv"
    write_findings_csv(frame(*rows), whole)
    with findings_csv(parts) as write:
        for few in (rows[:2], [], rows[2:]):
            write(frame(*few))
        assert not parts.exists()
    assert parts.read_bytes() == whole.read_bytes()
    broken = tmp_path / "broken.csv"
    with contextlib.suppress(RuntimeError), findings_csv(broken) as write:
        write(frame(*rows))
        raise RuntimeError
    assert sorted(p.name for p in tmp_path.iterdir()) == ["parts.csv", "whole.csv"]
