"""The benchmarks run, write what they promise, and time nothing when the two sides disagree."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from lxml import etree

ROOT = Path(__file__).resolve().parents[2]
LINES = [
    "facets_lxml", "facets_xmlschema", "check", "check_no_xml", "compose_lxml", "compose_fstring", "rules", "bundle",
    "bundle_encrypted", "receipts", "reconcile", "reconcile_preloaded", "single", "gathered",
    "filing", "filing_two",
    "help",
]  # fmt: skip


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The modules of the benchmarks, which stand beside `src`."""
    monkeypatch.syspath_prepend(ROOT)
    from benchmarks.baseline import receipts
    from benchmarks.contests import compose, contest, start
    from benchmarks.contests import rules as asked

    from benchmarks import gate, run, timing

    return SimpleNamespace(
        run=run, gate=gate, timing=timing, receipts=receipts, compose=compose, contest=contest, start=start, asked=asked,
    )  # fmt: skip


@pytest.mark.slow
def test_a_quick_run_writes_every_line(
    bench: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any
) -> None:
    monkeypatch.setenv("BENCH_N", "60")
    assert bench.run.main(["--quick", "--out", str(tmp_path)]) == 0
    result = json.loads((tmp_path / "bench.json").read_text("utf-8"))
    assert [line["name"] for line in result["lines"]] == LINES
    for line in result["lines"]:
        assert line["ratio"] > 0
        assert (line["required"] is None) == (line["met"] is None)
        for side in ("engine", "baseline"):
            spread = line["wall"][side]
            assert 0 < spread["min"] <= spread["median"] <= spread["max"]
            assert line["cpu"][side]["min"] > 0
    assert {one["name"] for one in result["limits"]} >= {"memory copy", "file write", "one SHA-256"}
    assert result["machine"]["cores"] >= 1
    assert result["versions"]["polars"] == pl.__version__
    drawing = etree.fromstring((tmp_path / "bench.svg").read_bytes())
    assert len(drawing.findall(".//{*}rect[@class='bar']")) == len(LINES)
    printed = capsys.readouterr().out
    assert all(name in printed for name in LINES)
    bundle = next(line for line in result["lines"] if line["name"] == "bundle")
    assert bundle["required"] == {"wall": 12, "cpu": 7}
    least = bundle["ratio_wall"]["median"] >= 12 and bundle["ratio_cpu"]["median"] >= 7
    assert bundle["met"] is least
    assert "memory" not in result
    first, *dearest = result["dearest_rules"]
    assert first["rule"] == "preparing"
    assert len(dearest) == 5
    assert [one["us"] for one in dearest] == sorted((one["us"] for one in dearest), reverse=True)
    assert all(one["rule"] in printed for one in dearest)
    expected = json.loads((ROOT / "benchmarks" / "expected.json").read_text("utf-8"))
    assert sorted(expected) == sorted(LINES)


def test_a_quick_run_of_some_contests_writes_their_lines(
    bench: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any
) -> None:
    monkeypatch.setenv("BENCH_N", "30")
    wanted = ["--only", "compose", "--only", "bundle", "--only", "receipts"]
    assert bench.run.main(["--quick", *wanted, "--out", str(tmp_path)]) == 0
    lines = json.loads((tmp_path / "bench.json").read_text("utf-8"))["lines"]
    names = [line["name"] for line in lines]
    assert names == ["compose_lxml", "compose_fstring", "bundle", "bundle_encrypted", "receipts"]
    assert all(line["ratio"] > 0 and line["cpu"]["engine"]["min"] > 0 for line in lines)
    assert all((line["required"] is None) == (line["met"] is None) for line in lines)
    printed = capsys.readouterr().out
    assert all(name in printed for name in names)


def test_a_rule_that_is_not_asked_is_noticed(
    bench: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    every = bench.asked.rules.registry()

    def some(frames: Any, context: Any) -> Any:
        return bench.asked.rules.check_rules(frames, context, every[::2])

    bench.asked.prove(100, tmp_path)
    monkeypatch.setattr(bench.asked.rules, "check", some)
    with pytest.raises(bench.contest.Disagreement, match="one by one"):
        bench.asked.prove(100, tmp_path)


def test_one_other_character_in_a_document_is_noticed(
    bench: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    honest = bench.compose.by_f_string

    def spoiled(ships: list[dict[str, Any]]) -> list[bytes]:
        made: list[bytes] = honest(ships)
        made[-1] = made[-1].replace(b"<GNo>1</GNo>", b"<GNo>2</GNo>")
        return made

    monkeypatch.setattr(bench.compose, "by_f_string", spoiled)
    with pytest.raises(bench.contest.Disagreement, match="GNo"):
        bench.compose.prove(5, tmp_path)


@pytest.mark.parametrize(
    ("doing", "said"),
    [
        ("print('  check  demo')", "does not list"),
        ("import sys; from crossborder.cli import main; main(['--help']); sys.exit('broken')", "broken"),
    ],
)  # fmt: skip
def test_a_help_page_that_is_not_whole_is_not_timed(
    bench: SimpleNamespace, doing: str, said: str
) -> None:
    bench.start.prove((*bench.start.command(), "--help"))
    with pytest.raises(bench.contest.Disagreement, match=said):
        bench.start.prove((sys.executable, "-c", doing))


def test_time_of_children_counts(bench: SimpleNamespace) -> None:
    before = bench.timing.spent()
    subprocess.run([sys.executable, "-c", "sum(range(10**6))"], check=True)
    of_child = bench.timing.spent() - before
    assert of_child > 0.005 or sys.platform == "win32"


def test_disagreement_ends_the_run_before_anything_is_timed(
    bench: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any
) -> None:
    def racing(*_: Any) -> None:
        raise AssertionError("timed")

    monkeypatch.setenv("BENCH_N", "40")
    monkeypatch.setattr(bench.receipts, "seventeen_digits", lambda text: "0")
    monkeypatch.setattr(bench.run, "race", racing)
    assert bench.run.main(["--quick", "--only", "receipts", "--out", str(tmp_path)]) == 1
    assert "nothing was timed" in capsys.readouterr().err
    assert not (tmp_path / "bench.json").exists()


def test_ratios_are_taken_round_by_round(bench: SimpleNamespace) -> None:
    spread = bench.timing.ratios([10.0, 40.0, 30.0], [1.0, 2.0, 10.0])
    assert (spread.low, spread.middle, spread.high) == (3.0, 10.0, 20.0)


@pytest.mark.parametrize(("ratio", "told"), [(5.0, 0), (4.9, 1)])
def test_the_gate_looks_at_ratios_only(
    bench: SimpleNamespace, tmp_path: Path, capsys: Any, ratio: float, told: int
) -> None:
    (tmp_path / "bench.json").write_text(
        json.dumps({"lines": [{"name": "check", "ratio_cpu": {"median": ratio}}]})
    )
    (tmp_path / "expected.json").write_text(json.dumps({"check": {"ratio": 10.0, "factor": 0.5}}))
    asked = [str(tmp_path / "bench.json"), "--expected", str(tmp_path / "expected.json")]
    assert bench.gate.main(asked) == told
    assert ("at least 5.00x" in capsys.readouterr().out) == bool(told)


def test_the_gate_misses_a_line_that_was_not_measured(bench: SimpleNamespace) -> None:
    assert bench.gate.failures({"lines": []}, {"check": {"ratio": 1.0, "factor": 0.5}}) == [
        "check: not measured"
    ]


@pytest.mark.slow
def test_memory_is_measured_in_a_process_of_its_own(
    bench: SimpleNamespace, tmp_path: Path, capsys: Any
) -> None:
    asked = ["--quick", "--only", "memory", "--memory", "50", "--out", str(tmp_path)]
    assert bench.run.main(asked) == 0
    line = json.loads((tmp_path / "bench.json").read_text("utf-8"))["memory"]
    assert [one["shipments"] for one in line["peaks"]] == [10, 50]
    assert all(one["mb"] > 50 for one in line["peaks"])
    assert line["growth"] == pytest.approx(
        line["peaks"][1]["mb"] / line["peaks"][0]["mb"], abs=0.001
    )
    assert line["met"] is (line["peaks"][1]["mb"] < 900 and line["growth"] <= 1.3)
    assert "memory of prepare: 10 shipments" in capsys.readouterr().out
