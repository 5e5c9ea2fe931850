"""`suspend`, `resume`, `void` on the command line: what they say, in both languages, and with which exit code."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from tests.cli.conftest import Run


@pytest.fixture
def batch(run: Run, clean_day: Path) -> str:
    done = run("prepare", clean_day, "--profile", "demo", "--mapping", "elements", "--json")
    return str(done.json["batch"])


def house(clean_day: Path, number: int = 0) -> str:
    with clean_day.open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))[number]["AssBillNo"]


def test_suspend_and_resume_one(run: Run, batch: str, clean_day: Path) -> None:
    own = house(clean_day)
    dry = run("suspend", own, "--reason", "papers", "--dry-run", "--lang", "en")
    assert dry.code == 0
    assert "(dry run: nothing changed)" in dry.lines[-1]
    assert "suspended: 1; left alone: 0" in dry.lines[-1]
    assert run("suspend", own, "--reason", "papers", "--lang", "en").code == 0
    again = run("suspend", own, "--reason", "papers", "--lang", "en")
    assert (again.code, "it is suspended already" in again.out) == (1, True)
    back = run("resume", own, "--reason", "came", "--lang", "zh")
    assert (back.code, back.lines[-1]) == (0, "已恢复 1 份，未动 0 份")


def test_a_batch_as_json(run: Run, batch: str) -> None:
    told = run("void", "--batch", batch, "--reason", "cancelled", "--who", "wang", "--json")
    assert told.code == 0
    assert (told.json["format"], told.json["verb"], len(told.json["done"])) == (1, "void", 17)
    assert {d["to"] for d in told.json["done"]} == {"voided"}
    assert any(d.get("waiting") == 0 for d in told.json["done"])
    assert run("void", "--batch", batch, "--reason", "again").code == 1


def test_a_manifest_names_who_waits(run: Run, batch: str, clean_day: Path) -> None:
    with clean_day.open(encoding="utf-8-sig") as file:
        master = next(csv.DictReader(file))["BillNo"]
    said = run("suspend", master, "--reason", "flight", "--lang", "en")
    assert said.code == 0
    assert "declarations wait for manifests that are suspended now" in said.out
    assert (
        "份报关单等待的舱单已作废" in run("void", master, "--reason", "flight", "--lang", "zh").out
    )


def test_what_cannot_run_exits_2(run: Run, batch: str) -> None:
    assert run("void", "--reason", "why").code == 2
    assert run("void", "NOBODY", "--reason", "why").code == 2
    assert run("void", "X").code == 2
    assert "--reason" in run("void", "X").err
