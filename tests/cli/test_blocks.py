"""`check` and `prepare` of a file that comes in blocks say what they say of the whole.

Broken by: a finding that is told twice or lost between blocks, rows of a parcel that only the end shows to be faulty, or
an answer that is no JSON any more because it was written bit by bit.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Run
from tests.engine.cutting import in_blocks

from crossborder import china_time, samples


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dirty file with house waybills that stand twice."""
    path = tmp_path_factory.mktemp("day") / "day.csv"
    samples.create(
        path, shipments=150, seed=2, dirty=0.4, mapping="elements", day=china_time.now().date()
    )
    return path


def asked(run: Run, file: Path, folder: Path) -> dict[str, Any]:
    """Everything `check` can answer."""
    folder.mkdir()
    told = run(
        "check", file, "--profile", "demo", "--json", "--findings", folder / "all.csv", "--only-rejected",
        folder / "bad.csv",
    )  # fmt: skip
    answer = told.json
    with (folder / "all.csv").open(encoding="utf-8-sig", newline="") as lines:
        rows = sorted(tuple(row.items()) for row in csv.DictReader(lines))
    findings = sorted(json.dumps(f, sort_keys=True) for f in answer.pop("findings"))
    shown = run("check", file, "--profile", "demo").lines
    return {
        "code": told.code, "counts": answer, "findings": findings, "csv": rows, "last": shown[-1],
        "heads": sorted(line for line in shown if "×" in line), "bad": sorted((folder / "bad.csv").read_bytes().splitlines()),
    }  # fmt: skip


@pytest.mark.parametrize("size", [pytest.param(1, marks=pytest.mark.slow), 40])
def test_check_says_the_same(
    run: Run, file: Path, tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    whole = asked(run, file, tmp_path / "whole")
    assert "EXP-48" in "".join(whole["heads"])
    with monkeypatch.context() as patched:
        in_blocks(patched, size)
        cut = asked(run, file, tmp_path / "cut")
    for name, value in whole.items():
        assert cut[name] == value, name
    assert not home.exists() or not list(home.rglob("*"))


def test_prepare_says_the_same(
    run: Run, file: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = []
    for size in (0, 20):
        with monkeypatch.context() as patched:
            patched.setenv("CROSSBORDER_HOME", str(tmp_path / f"home-{size}"))
            if size:
                in_blocks(patched, size)
            said = run(
                "prepare", file, "--profile", "demo", "--json", "-o", tmp_path / f"xml-{size}"
            ).json
            said["findings"] = sorted(json.dumps(f, sort_keys=True) for f in said["findings"])
            said["files"] = sorted(p.name for p in (tmp_path / f"xml-{size}").iterdir())
            answers.append(said | {"folder": ""})
    assert answers[0] == answers[1]
    assert answers[0]["written"] == len(answers[0]["files"])


@pytest.mark.parametrize("verify", ["none", "all"])
def test_verify_is_one_of_three_words(run: Run, file: Path, verify: str) -> None:
    assert run("prepare", file, "--profile", "demo", "--verify", verify).code == 1
    wrong = run("prepare", file, "--profile", "demo", "--verify", "some")
    assert wrong.code == 2
    assert "none, sample or all" in wrong.err
