"""`replay` on the command line: packs listed, files and batches judged under two of them, written as tables."""

from __future__ import annotations

from pathlib import Path

import fastexcel
import polars as pl
import pytest
from tests.cli.conftest import Run

from crossborder import samples

PACKS = ("--pack", "2024-11-30", "--pack", "2024-12-01")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    out = tmp_path / "day.csv"
    samples.create(out, shipments=120, seed=3, dirty=0, direction="I", mapping="elements")
    return out


def test_without_packs_all_are_listed(run: Run) -> None:
    listed = run("replay", "--json").json["packs"]
    assert listed[-1]["id"] == "2024-12-01"
    assert listed[-1]["to"] is None
    shown = run("replay", "--lang", "en")
    assert shown.code == 0
    assert all(pack["id"] in shown.out for pack in listed)
    assert "LIM-02" in shown.out


def test_what_differs_is_shown_written_and_told_as_json(
    run: Run, file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "changes.xlsx"
    told = run("replay", str(file), *PACKS, "--profile", "demo", "--json", "-o", str(out))
    assert told.code == 1
    changed = told.json["changed"]
    assert 0 < changed < told.json["shipments"] == 120
    assert told.json["by_rule"] == [{"rule": "LIM-01", "before": changed, "after": 0}]
    assert {one["verdict_after"] for one in told.json["changes"]} == {"valid"}
    book = fastexcel.read_excel(out)
    assert book.sheet_names[2:] in (["Shipments", "Taxes"], ["分运单", "税额"])
    assert book.load_sheet(2).height == changed
    assert book.load_sheet(3).height == len(told.json["taxes"])
    shown = run("replay", str(file), *PACKS, "--profile", "demo", "--lang", "en")
    assert f"{changed} of 120 shipments differ between packs 2022-11-01 and 2024-12-01" in shown.out
    chinese = run("replay", str(file), *PACKS, "--profile", "demo", "--lang", "zh")
    assert f"120 票中 {changed} 票" in chinese.out


def test_a_batch_and_a_csv(run: Run, file: Path, tmp_path: Path) -> None:
    run("prepare", str(file), "--profile", "demo")
    out = tmp_path / "changes.csv"
    batch = run("batches", "--json").json["batches"][0]["id"]
    told = run("replay", "--batch", batch, *PACKS, "--profile", "demo", "--json", "-o", str(out))
    assert pl.read_csv(out).height == told.json["changed"] > 0


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--pack", "2024-12-01"), "two"),
        (PACKS, "FILE"),
        ((*PACKS, "--batch", "20260101-01"), "no batch"),
        (("--pack", "then", "--pack", "now", "--date", "2026-01-01"), "no rule pack"),
    ],
)
def test_what_cannot_be_replayed_is_refused(run: Run, args: tuple[str, ...], said: str) -> None:
    told = run("replay", *args, "--lang", "en")
    assert told.code == 2
    assert said in told.err


def test_an_unknown_suffix_is_refused(run: Run, file: Path, tmp_path: Path) -> None:
    told = run(
        "replay",
        str(file),
        *PACKS,
        "--profile",
        "demo",
        "-o",
        str(tmp_path / "x.doc"),
        "--lang",
        "en",
    )
    assert told.code == 2
    assert ".xlsx or .csv" in told.err
