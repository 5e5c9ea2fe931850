"""`accept` on the command line: what passes, what stays and why, who decided; exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crossborder import china_time, samples

from .conftest import Run

WORD = "合金仿真枪"


@pytest.fixture
def armed(tmp_path: Path) -> tuple[Path, list[str]]:
    """Twelve parcels; the first two of class B tell of arms (PRO-01). The file, and their house waybills."""
    file = tmp_path / "armed.csv"
    sample = samples.compose(12, 8, day=china_time.now().date())
    heads = sample.frames.shipments
    held = heads.filter(heads["declaration_class"] == "B").head(2)
    goods = sample.frames.goods
    names = [WORD if ship in held["ship"].to_list() else name for ship, name in goods.select("ship", "name").iter_rows()]  # fmt: skip
    frames = sample.frames.__class__(
        heads, goods.with_columns(name=_text(names)), sample.frames.documents, sample.frames.headers
    )
    samples.write(sample.__class__(**{**vars(sample), "frames": frames}), "elements", file)
    return file, held["house_waybill"].to_list()


def _text(values: list[str]) -> object:
    import polars as pl

    return pl.Series("name", values, dtype=pl.String)


def test_from_held_to_prepared(run: Run, armed: tuple[Path, list[str]]) -> None:
    file, held = armed
    said = run("prepare", file, "--profile", "demo", "--mapping", "elements")
    assert said.code == 1
    batch = said.lines[-1].rpartition(" ")[2]
    (hint,) = [line for line in said.lines if "crossborder accept" in line]
    assert f"accept PRO-01 --batch {batch} --reason" in hint
    assert "PRO-01: 2 " in hint
    asked = ("accept", "PRO-01", "--batch", batch, "--reason", "toys, seen", "--who", "Li")
    dry = run(*asked, "--dry-run")
    assert dry.code == 0
    assert (
        "PRO-01: 2 waited, 2 prepared now, 0 still wait (dry run: nothing changed)" in dry.lines[0]
    )
    assert f"accept PRO-01 --batch {batch}" in run("status", "--batch", batch).out
    done = run(*asked)
    assert done.code == 0
    assert done.lines == [
        "PRO-01: 2 waited, 2 prepared now, 0 still wait",
        f"PREPARED, NOT FILED. Next: crossborder submit {batch}",
    ]
    again = run(*asked, "--json")
    assert again.code == 0
    assert (again.json["again"], again.json["prepared"], again.json["format"]) == (True, 0, 1)
    assert run("reconcile", "--no-endpoints").code == 0
    account = run("status", "--batch", batch, "--json").json
    assert account["account"]["prepared"][0] == 12
    assert account["held_by"] == {}
    assert [(a["rule"], a["who"], a["reason"]) for a in account["accepted"]] == [("PRO-01", "Li", "toys, seen")]  # fmt: skip
    story = run("status", held[0])
    assert any("accepted PRO-01: Li" in line and "toys, seen" in line for line in story.lines)
    zh = run("status", held[0], "--lang", "zh").out
    assert "已放过 PRO-01：Li" in zh
    assert "人工放过：待人工处理 → 已制单未发送" in zh
    assert "toys, seen" in json.dumps(run("report", "--json").json["accepted"])


def test_one_parcel_only_and_what_stays(run: Run, armed: tuple[Path, list[str]]) -> None:
    file, held = armed
    batch = run("prepare", file, "--profile", "demo", "--json").json["batch"]
    said = run("accept", "pro-01", "--batch", batch, "--waybill", held[1], "--reason", "seen", "--json")  # fmt: skip
    assert said.code == 0
    assert (said.json["waiting"], said.json["prepared"]) == (1, 1)
    assert run("status", held[0], "--json").json["shipments"][held[0]][0]["state"] == "on_hold"
    (one,) = run("status", "--batch", batch, "--json").json["accepted"]
    assert one["shipments"] == [held[1]]


def test_what_cannot_be_is_exit_2_and_names_what_can(run: Run, armed: tuple[Path, list[str]]) -> None:  # fmt: skip
    file, _ = armed
    batch = run("prepare", file, "--profile", "demo", "--json").json["batch"]
    for rule, words in (("LIM-01", "PRO-01 (2)"), ("PRO-00", "nearest")):
        said = run("accept", rule, "--batch", batch, "--reason", "x")
        assert said.code == 2
        assert words in said.err
    assert run("accept", "PRO-01", "--batch", batch).code == 2
    zh = run("accept", "LIM-01", "--batch", batch, "--reason", "x", "--lang", "zh")
    assert "没有分运单因 LIM-01 待人工" in zh.err
