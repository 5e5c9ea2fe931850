"""`init`, `doctor`, `mapping`, `sample`, `sandbox`: setting up and trying."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
import urllib.request
from pathlib import Path

import pytest
from tests.cli.conftest import Run

from crossborder import china_time, samples, settings


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_init_writes_settings_that_hold_together(run: Run, home: Path, lang: str) -> None:
    said = run("init", "--lang", lang)
    file = home / "crossborder.toml"
    assert said.code == 0
    assert str(file) in said.lines[0]
    parsed = tomllib.loads(file.read_text("utf-8"))
    assert set(parsed["endpoints"]) == {"hangzhou", "ningbo"}
    assert not any(e.get("address") for e in parsed["endpoints"].values())
    assert settings.load(home=home).settings == settings.Settings()
    again = run("init", "--lang", lang)
    assert again.code == 2
    assert "--force" in again.err
    assert run("init", "--force").code == 0


def test_doctor_shows_every_value_with_its_origin(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir()
    (home / "crossborder.toml").write_text('day_starts = "06:00"\n', encoding="utf-8")
    monkeypatch.setenv("CROSSBORDER_ENDPOINTS__HANGZHOU__ADDRESS", "http://127.0.0.1:1/hangzhou")
    answer = run("doctor", "--json").json
    rows = {row["key"]: (row["value"], row["origin"]) for row in answer["settings"]}
    assert rows["day_starts"] == ("06:00", "file crossborder.toml")
    assert rows["endpoints.hangzhou.address"][0] == "http://127.0.0.1:1/hangzhou"
    assert rows["endpoints.hangzhou.address"][1].startswith("environment CROSSBORDER_ENDPOINTS")
    assert rows["service.port"][1] == "default"
    assert all(check["good"] for check in answer["checks"])
    shown = run("doctor", "--lang", "zh")
    assert shown.code == 0
    assert "文件 crossborder.toml" in shown.out
    assert sum(line.startswith("✓") for line in shown.lines) == len(answer["checks"])


def test_a_secret_is_never_shown(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.mkdir()
    monkeypatch.setenv("GATEWAY_TOKEN", "open-sesame")
    (home / "crossborder.toml").write_text(
        '[endpoints.hangzhou]\naddress = "http://127.0.0.1:1"\ntoken = { env = "GATEWAY_TOKEN" }\n', encoding="utf-8"
    )  # fmt: skip
    for args in (("doctor",), ("doctor", "--json")):
        said = run(*args)
        assert "open-sesame" not in said.out
        assert "GATEWAY_TOKEN" in said.out


def test_a_mapping_is_drafted_tried_and_used(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "theirs.csv"
    samples.create(file, shipments=5, seed=4, mapping="elements", day=china_time.now().date())
    text = file.read_text("utf-8").replace(",GName,", ",Xyz,", 1)
    file.write_text(text, encoding="utf-8")
    drafted = run("mapping", "draft", file)
    assert drafted.code == 0
    assert "required, not found" in drafted.out
    assert "Xyz" in drafted.out
    draft = tmp_path / "theirs.toml"
    said = run("mapping", "draft", file, "-o", draft)
    assert f"--mapping {draft}" in said.out
    lines = draft.read_text("utf-8")
    assert tomllib.loads(lines)["columns"]
    lines = lines.replace('# "goods.name" = ""', '"goods.name" = "Xyz"')
    draft.write_text(lines, encoding="utf-8")
    tried = run("mapping", "test", file, "--mapping", draft, "--rows", 2, "--json").json["rows"]
    assert len(tried) == 2
    assert {"column": "goods.name", "header": "Xyz"}.items() <= next(
        cell for cell in tried[0] if cell["column"] == "goods.name"
    ).items()
    shown = run("mapping", "test", file, "--mapping", draft, "--rows", 1)
    assert shown.lines[0] == "row 1"
    assert any("← Xyz" in line for line in shown.lines)
    assert run("check", file, "--mapping", draft, "--profile", "demo", "--json").json["shipments"] == 5  # fmt: skip
    assert run("check", file, "--profile", "demo").code == 2


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".ndjson", ".parquet"])
def test_the_same_sample_twice(run: Run, tmp_path: Path, suffix: str) -> None:
    files = [tmp_path / f"{n}{suffix}" for n in (1, 2)]
    for file in files:
        said = run("sample", "-o", file, "--shipments", 5, "--seed", 9, "--on", "2026-11-23", "--json")  # fmt: skip
        assert said.json["shipments"] == 5
        assert said.json["file"] == str(file)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_sample_is_of_today_in_china_unless_asked(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "m.csv"
    run("sample", "-o", file, "--shipments", 2)
    assert f"{china_time.now():%Y%m%d}" in file.read_text("utf-8")
    said = run("sample", "-o", file, "--shipments", 2, "--on", "2025-01-31", "--lang", "zh")
    assert "20250131" in file.read_text("utf-8")
    assert said.out.startswith(f"{file}：2 票")


def test_the_sandbox_takes_every_flag_and_ends_in_order(tmp_path: Path) -> None:
    mix = tmp_path / "mix.toml"
    mix.write_text("[shares]\n11 = 1\n", encoding="utf-8")
    code = "import sys; from crossborder.cli import main; sys.exit(main())"
    command = [
        sys.executable, "-c", code, "sandbox", "--folder", str(tmp_path / "port"), "--port", "0", "--host", "127.0.0.1",
        "--seed", "3", "--speed", "0", "--mix", str(mix), "--endpoint", "hangzhou:http:29", "--endpoint",
        f"ningbo:folder:31:{tmp_path / 'boxes'}", "--faults", "lost_answers=0.1", "--no-manifest", "--body-limit", "5000",
        "--until-eof",
    ]  # fmt: skip
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert ready["sandbox"] is True
        assert set(ready["endpoints"]) == {"hangzhou", "ningbo"}
        assert ready["endpoints"]["ningbo"]["folder"] == str(tmp_path / "boxes")
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(ready["endpoints"]["hangzhou"]["http"] + "/account", timeout=10) as answer:
            assert json.load(answer)["messages"] == []
        process.communicate(timeout=30)
        assert process.returncode == 0


def test_a_sandbox_that_cannot_start_says_why(run: Run, tmp_path: Path) -> None:
    said = run("sandbox", "--folder", tmp_path / "port", "--endpoint", "hangzhou:letter")
    assert said.code == 2
    assert "letter" in said.err
