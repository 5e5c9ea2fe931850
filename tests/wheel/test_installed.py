"""What a user gets from the wheel alone, run by `tools/test_wheel.py` outside the checkout."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import crossborder
from crossborder import resources

PACKAGE = Path(crossborder.__file__).resolve().parent
CHECKOUT = Path(__file__).resolve().parents[2]


def command(*args: str, home: Path) -> subprocess.CompletedProcess[str]:
    env = {
        "CROSSBORDER_HOME": str(home),
        "PATH": str(Path(sys.executable).parent),
        "LANG": "C.UTF-8",
    }
    return subprocess.run(
        [str(Path(sys.executable).with_name("crossborder")), *args],
        capture_output=True, text=True, encoding="utf-8", env=env, cwd=home, check=False, timeout=300,
    )  # fmt: skip


def test_it_is_the_installed_one() -> None:
    assert CHECKOUT not in PACKAGE.parents
    assert resources.root() == PACKAGE / "_data"


def test_every_packaged_folder_is_in_the_wheel() -> None:
    for relative in (
        "schemas/xsd/express/EXP301.written.xsd", "schemas/filling/express/EXP301.csv",
        "mappings/messages/EXP311.toml", "mappings/partners/zh-desk.toml", "mappings/profiles/demo.toml",
        "mappings/dialects/http-gateway.toml", "fixtures/demo/crossborder.toml", "codes/countries.csv",
    ):  # fmt: skip
        assert resources.path(relative).is_file(), relative
    assert (PACKAGE / "py.typed").is_file()


def test_version_and_help_speak(tmp_path: Path) -> None:
    assert (
        command("--version", home=tmp_path).stdout.strip()
        == f"crossborder {crossborder.__version__}"
    )
    shown = command("--help", home=tmp_path)
    assert shown.returncode == 0
    for name in ("check", "prepare", "submit", "receive", "reconcile", "report", "demo"):
        assert name in shown.stdout


def test_the_demo_runs_and_every_parcel_is_accounted_for(tmp_path: Path) -> None:
    done = command(
        "demo", "--json", "--lang", "en", "--folder", str(tmp_path / "demo"), home=tmp_path
    )
    assert done.returncode == 0, done.stderr[-3000:]
    answer = json.loads(done.stdout)
    account = {name: pair for name, pair in answer["account"].items() if name != "handed_in"}
    for column in (0, 1):
        assert (
            sum(pair[column] for pair in account.values()) == answer["account"]["handed_in"][column]
        )
    assert answer["account"]["released"][0] > 0
    assert answer["differences"] == []
    assert len(list(Path(answer["xml"]).rglob("*.xml"))) > 400
