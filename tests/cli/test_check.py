"""`check`: findings for people and for programs, nothing stored."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from tests.cli.conftest import Run

from crossborder import china_time, samples

KEYS = [
    "format",
    "rows",
    "shipments",
    "valid",
    "rejected",
    "not_evaluated",
    "on_hold",
    "to_general",
    "findings",
]
FINDING = [
    "sheet", "row", "column", "element", "shipment", "master", "rule", "severity", "value", "zh", "en", "fix",
    "suggest", "source",
]  # fmt: skip


def test_json_has_exactly_the_promised_keys(run: Run, dirty_day: Path) -> None:
    said = run("check", dirty_day, "--profile", "demo", "--json")
    assert said.code == 1
    assert said.err == ""
    answer = said.json
    assert list(answer) == KEYS
    assert answer["format"] == 1
    assert answer["shipments"] == 40
    assert answer["rejected"] == 4
    four = ("valid", "rejected", "not_evaluated", "on_hold")
    assert sum(answer[name] for name in four) == answer["shipments"]
    assert answer["findings"]
    assert all(list(finding) == FINDING for finding in answer["findings"])
    assert {f["severity"] for f in answer["findings"]} <= {"reject", "warn", "not_evaluated"}


def test_the_remedy_is_in_the_language_asked_for(run: Run, dirty_day: Path) -> None:
    zh = run("check", dirty_day, "--profile", "demo", "--json", "--lang", "zh").json["findings"]
    en = run("check", dirty_day, "--profile", "demo", "--json", "--lang", "en").json["findings"]
    assert [f["rule"] for f in zh] == [f["rule"] for f in en]
    assert [f["zh"] for f in zh] == [f["zh"] for f in en]
    assert all(a["fix"] != b["fix"] for a, b in zip(zh, en, strict=True))


def test_nothing_is_stored(run: Run, home: Path, dirty_day: Path) -> None:
    run("check", dirty_day, "--profile", "demo")
    assert not home.exists() or not list(home.rglob("*"))


def test_a_clean_file_is_exit_0(run: Run, clean_day: Path) -> None:
    said = run("check", clean_day, "--profile", "demo")
    assert said.code == 0
    assert said.lines[-1].startswith("12 shipments, ")
    assert "12 valid, 0 rejected, 0 not evaluated, 0 on hold (mapping elements)" in said.lines[-1]
    assert "12 票，" in run("check", clean_day, "--profile", "demo", "--lang", "zh").lines[-1]


def test_what_is_not_evaluated_needs_a_person(run: Run, home: Path, clean_day: Path) -> None:
    """Without the demonstration's made-up rates no limit can be judged: one finding per currency, and hold."""
    firm_without_rates(home)
    said = run("check", clean_day, "--profile", "firm", "--json")
    assert said.code == 1
    assert said.json["rejected"] == 0
    assert said.json["not_evaluated"] > 0
    told = [f for f in said.json["findings"] if f["rule"] == "LIM-12"]
    assert told
    assert len({f["value"] for f in told}) == len(told) < said.json["not_evaluated"]
    assert {f["severity"] for f in told} == {"not_evaluated"}


def test_a_missing_rate_is_told_once_with_its_parcels_and_each_parcel_says_why(
    run: Run, home: Path, clean_day: Path, tmp_path: Path
) -> None:
    firm_without_rates(home)
    file = tmp_path / "all.csv"
    shown = run("check", clean_day, "--profile", "firm", "--findings", file)
    (head,) = [line for line in shown.lines if "LIM-12" in line]
    rows = [r for r in csv.DictReader(file.read_bytes().decode("utf-8-sig").splitlines()) if r["rule"] == "LIM-12"]  # fmt: skip
    held = int(shown.lines[-2].split(" not evaluated")[0].rpartition(" ")[2])
    assert head == f"not evaluated  LIM-12  × {len(rows)} in {held} shipments"
    said = run("prepare", clean_day, "--profile", "firm", "--json").json
    assert len([f for f in said["findings"] if f["rule"] == "LIM-12"]) == len(rows)
    one = rows[0]["en"].rpartition(", e.g. ")[2].split(", ")[0].rpartition(" ")[2]
    story = run("status", one)
    assert story.code == 0
    why = next(n for n, line in enumerate(story.lines) if "not evaluated LIM-12 row " in line)
    assert f"no exchange rate for currency {rows[0]['value']}" in story.lines[why]
    assert "codes import exchange_rates" in story.lines[why + 1]
    zh = run("status", one, "--lang", "zh").out
    assert f"缺少币制 {rows[0]['value']}" in zh
    assert "未能评估 LIM-12 第 " in zh


def firm_without_rates(home: Path) -> None:
    """Settings with a profile `firm` that has the demonstration's values and is none: made-up rates do not count."""
    home.mkdir()
    demo = (Path(__file__).resolve().parents[2] / "mappings/profiles/demo.toml").read_text("utf-8")
    body = demo.replace("demo = true\n", "")
    firm = body.replace("\n[", "\n[profiles.firm.")
    (home / "crossborder.toml").write_text("[profiles.firm]\n" + firm, encoding="utf-8")


def test_findings_go_worst_first_with_count_remedy_and_three_examples(
    run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "m.csv"
    samples.create(
        file, shipments=200, seed=3, dirty=0.5, mapping="elements", day=china_time.now().date()
    )
    said = run("check", file, "--profile", "demo")
    heads = [line for line in said.lines if line and not line.startswith(" ") and "×" in line]
    kinds = [line.split("  ")[0] for line in heads]
    assert kinds == sorted(kinds, key=["reject", "general declaration", "not evaluated", "on hold", "marked", "note"].index)  # fmt: skip
    counts = [int(h.split("× ")[1].split()[0]) for h, k in zip(heads, kinds, strict=True) if k == "reject"]  # fmt: skip
    assert counts == sorted(counts, reverse=True)
    assert max(counts) > 3
    assert any(line.startswith("   → ") for line in said.lines)
    for line in said.lines:
        if line.startswith("   e.g. "):
            assert len(line.split("; ")) <= 3


def test_all_findings_as_csv_for_excel(run: Run, dirty_day: Path, tmp_path: Path) -> None:
    file = tmp_path / "all.csv"
    said = run("check", dirty_day, "--profile", "demo", "--findings", file, "--json")
    raw = file.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(raw.decode("utf-8-sig").splitlines()))
    assert [r["rule"] for r in rows] == [f["rule"] for f in said.json["findings"]]
    assert {"sheet", "row", "shipment", "zh", "en", "fix_zh", "fix_en", "action"} <= set(rows[0])
    assert not list(tmp_path.glob("*.part"))


def test_only_the_faulty_rows_in_the_users_own_columns(
    run: Run, dirty_day: Path, tmp_path: Path
) -> None:
    out = tmp_path / "to-correct.csv"
    first = run("check", dirty_day, "--profile", "demo", "--only-rejected", out, "--json").json
    with dirty_day.open(encoding="utf-8-sig", newline="") as theirs:
        header, *rows = list(csv.reader(theirs))
    with out.open(encoding="utf-8-sig", newline="") as ours:
        again_header, *again_rows = list(csv.reader(ours))
    assert again_header == header
    assert 0 < len(again_rows) < len(rows)
    assert all(row in rows for row in again_rows)
    again = run("check", out, "--profile", "demo", "--json").json
    assert again["shipments"] == again["rejected"] == first["rejected"]

    def rejects(answer: dict[str, list[dict[str, str]]]) -> list[tuple[str, str]]:
        return sorted((f["shipment"], f["rule"]) for f in answer["findings"] if f["severity"] == "reject")  # fmt: skip

    assert rejects(again) == rejects(first)


@pytest.mark.parametrize("mapping", ["elements", "zh-desk", "canonical"])
def test_a_sample_is_rejected_exactly_where_its_dirt_says(
    run: Run, tmp_path: Path, mapping: str
) -> None:
    file, dirt, rates = tmp_path / "m.csv", tmp_path / "d.jsonl", tmp_path / "r.csv"
    made = run(
        "sample", "-o", file, "--shipments", 200, "--seed", 1, "--dirty", "0.2", "--mapping", mapping,
        "--dirt-report", dirt, "--rates-out", rates, "--json",
    ).json  # fmt: skip
    assert (made["shipments"], made["dirty"]) == (200, 40)
    planted = [json.loads(line) for line in dirt.read_text("utf-8").splitlines()]
    answer = run("check", file, "--mapping", mapping, "--profile", "demo", "--json").json
    assert answer["shipments"] == 200
    wanted = {p["shipment"]: p["rule"] for p in planted if p["severity"] == "reject"}
    found: dict[str, set[str]] = {}
    for finding in answer["findings"]:
        if finding["severity"] == "reject":
            found.setdefault(finding["shipment"], set()).add(finding["rule"])
    assert set(found) == set(wanted)
    assert all(rule in found[shipment] for shipment, rule in wanted.items())
    assert answer["rejected"] == len(wanted)


def test_a_pipe_gets_whole_lines_without_colour(run: Run, dirty_day: Path) -> None:
    said = run("check", dirty_day, "--profile", "demo", "--lang", "zh")
    assert "\x1b" not in said.out
    assert any("COD-CodeTS" in line for line in said.lines)
    assert max(map(len, said.lines)) > 45
    assert all(line == line.rstrip() for line in said.lines)


def test_a_named_sheet_and_another_form(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "m.xlsx"
    samples.create(file, shipments=5, seed=2, mapping="zh-desk", day=china_time.now().date())
    assert run("check", file, "--profile", "demo", "--json").json["valid"] == 5
    missing = run("check", file, "--profile", "demo", "--sheet", "nobody")
    assert missing.code == 2
    assert "nobody" in missing.err
