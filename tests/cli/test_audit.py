"""`audit verify` and `audit export`: what they say, and with which exit code."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from tests.cli.conftest import Run


@pytest.fixture
def recorded(run: Run, clean_day: Path) -> None:
    assert run("prepare", clean_day, "--profile", "demo", "--mapping", "elements").code == 0


def edit(home: Path, statement: str) -> None:
    """Edit the ledger's file as somebody would who owns it."""
    with sqlite3.connect(home / "ledger.sqlite3") as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()  # fmt: skip
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement)
        for _, sql in triggers:
            connection.execute(sql)
    connection.close()


def test_a_whole_chain(run: Run, recorded: None) -> None:
    said = run("audit", "verify", "--lang", "en")
    assert said.code == 0
    assert "Whole: nothing was edited, is missing or moved." in said.lines
    assert "found only by a head kept elsewhere (--since)" in said.out
    assert said.lines[-1].startswith("head ")
    zh = run("audit", "verify", "--lang", "zh")
    assert "完好：没有记录被改动、缺失或调换。" in zh.lines
    told = run("audit", "verify", "--json").json
    assert (told["format"], told["intact"], told["faults"], told["attempts"]) == (1, True, [], 17)  # fmt: skip
    assert said.lines[-1] == f"head {told['head']}"


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE events SET who = who || 'x' WHERE id = 2", "#2 ("),
        ("DELETE FROM events WHERE id = 2", "#2 to #2 are missing"),
        ("DELETE FROM events WHERE id >= 3", "nothing is there from #3 on"),
        ("UPDATE attempts SET state = 'released' WHERE id = 1", "it is released"),
    ],
)
def test_a_fault_is_named_and_exits_1(
    run: Run, home: Path, recorded: None, statement: str, place: str
) -> None:
    edit(home, statement)
    said = run("audit", "verify", "--lang", "en")
    assert said.code == 1
    assert place in said.out
    assert "Whole" not in said.out
    assert run("audit", "verify", "--lang", "zh").lines[0].startswith("✗ ")
    told = run("audit", "verify", "--json")
    assert (told.code, told.json["intact"]) == (1, False)
    assert told.json["faults"][0]["zh"]


def test_what_is_exported_and_kept(run: Run, recorded: None, tmp_path: Path) -> None:
    said = run("audit", "export", "-o", tmp_path / "audit", "--lang", "en")
    assert said.code == 0
    head = said.lines[-1].removeprefix("keep this head somewhere else: ")
    assert (tmp_path / "audit" / "verify.py").is_file()
    assert run("audit", "verify", "--since", head).code == 0
    assert run("audit", "verify", "--since", tmp_path / "audit" / "head.json").code == 0
    other = run("audit", "verify", "--since", f"1:{'0' * 64}", "--lang", "en")
    assert other.code == 1
    assert "what was before it was rewritten" in other.out
    assert run("audit", "verify", "--since", "yesterday").code == 2
    told = run("audit", "export", "-o", tmp_path / "again", "--json").json
    assert (told["head"], told["whole"]) == (head, True)
    assert run("audit", "export", "-o", tmp_path / "no", "--batch", "20200101-01").code == 2
