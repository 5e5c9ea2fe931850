"""Help pages teach: what a command does, an example, exit codes; in both languages, never wider than the screen."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import typer
from tests.cli.conftest import Run

from crossborder.cli.app import app
from crossborder.cli.helptext import HELPS, SECTIONS
from crossborder.wide import width

COMMANDS = list(HELPS)
HEAVY = ("polars", "lxml", "sqlalchemy", "httpx", "pydantic", "cryptography", "rich", "fastapi")


def parameters(name: str) -> list[Any]:
    """The parameters of a command, as the parser knows them."""
    command: Any = typer.main.get_command(app)
    for part in name.split():
        command = command.commands[part]
    return list(command.params)


def test_every_command_has_its_page_and_every_page_its_command() -> None:
    root: Any = typer.main.get_command(app)
    there = set(root.commands)
    for group, command in root.commands.items():
        there |= {f"{group} {name}" for name in getattr(command, "commands", {})}
    assert there == set(HELPS)
    listed = [name for _, names in SECTIONS for name in names]
    assert sorted(listed) == sorted(root.commands)


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_page_says_what_how_and_which_exit_codes(
    run: Run, name: str, lang: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    said = run(*name.split(), "--help", "--lang", lang)
    assert said.code == 0
    assert said.err == ""
    help_ = HELPS[name]
    index = 0 if lang == "zh" else 1
    assert said.lines[0].startswith(
        ("用法：" if lang == "zh" else "Usage: ") + f"crossborder {name}"
    )
    assert f"  {help_.examples[0]}" in said.lines
    flat = said.out.replace("\n", "").replace(" ", "")
    assert help_.exits[index].replace(" ", "") in flat
    assert help_.body[index].replace(" ", "") in flat
    assert "\x1f" not in said.out
    for param in parameters(name):
        assert param.metavar or param.is_flag
        zh, between, en = (param.help or "").partition("\x1f")
        assert between, f"{name} {param.name} speaks one language"
        assert (zh if lang == "zh" else en).replace(" ", "") in flat


@pytest.mark.parametrize("columns", [46, 80, 200])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_wide_characters_never_pass_the_edge(
    run: Run, lang: str, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for name in ("", *COMMANDS):
        examples = {f"  {e}" for e in HELPS[name].examples} if name else set()
        for line in run("--lang", lang, *name.split(), "--help").lines:
            if line not in examples and not line.startswith(("用法", "Usage")):
                assert width(line) <= min(columns, 100), line


def test_the_first_page_lists_the_desks_day_in_its_order(run: Run) -> None:
    said = run("--help")
    assert said.code == 0
    day = ["check", "prepare", "submit", "receive", "reconcile", "report"]
    first = [line.split()[0] for line in said.lines if line.startswith("  ")]
    assert first[:6] == day
    assert set(first) == {name for name in HELPS if " " not in name}
    assert run("-h").out == said.out
    assert "0 all good" in said.out


def test_without_a_command_the_page_is_shown_and_nothing_ran(run: Run) -> None:
    said = run()
    assert said.code == 2
    assert said.out == run("--help").out


def test_help_among_other_arguments_is_the_same_page(run: Run) -> None:
    for name in ("check", "keys add"):
        said = run(*name.split(), "file.csv", "--help")
        assert (said.code, said.out) == (0, run(*name.split(), "--help").out)
    assert run("codes", "--help").out == run("codes", "--help", "--lang", "en").out


@pytest.mark.parametrize("args", [("--lang", "zh", "--help"), ("--help", "--lang=zh"), ("-h", "--lang", "zh")])  # fmt: skip
def test_the_language_may_stand_anywhere(run: Run, args: tuple[str, ...]) -> None:
    assert run(*args).lines[0].startswith("用法")


@pytest.mark.parametrize(
    ("variable", "value", "begins"),
    [
        ("LANG", "zh_CN.UTF-8", "用法"),
        ("LC_ALL", "zh_CN.GB18030", "用法"),
        ("CROSSBORDER_LANG", "zh", "用法"),
        ("LANG", "de_DE.UTF-8", "Usage"),
        ("LANG", "C.UTF-8", "Usage"),
    ],
)
def test_the_system_decides_where_nobody_asks(
    run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, begins: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert run("--help").lines[0].startswith(begins)


def test_the_settings_file_has_a_say_where_nobody_asks(run: Run, home: Any) -> None:
    home.mkdir()
    (home / "crossborder.toml").write_text('lang = "zh"\n', encoding="utf-8")
    assert "还没有批次" in run("batches").out
    assert "No batches" in run("batches", "--lang", "en").out


def test_help_loads_nothing_heavy() -> None:
    code = f"import sys; from crossborder.cli import main; main(['--help']); print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_the_version_is_one_line(run: Run) -> None:
    from crossborder import __version__

    assert run("--version").out == f"crossborder {__version__}\n"


@pytest.mark.parametrize(
    ("args", "en", "zh"),
    [
        (("nonsense",), "No such command 'nonsense'", "没有命令 'nonsense'"),
        (("check",), "Missing argument 'FILE'", "缺少 FILE"),
        (("resolve", "HX1", "--as", "received"), "Missing option '--reason'", "缺少 --reason"),
        (("check", "a.csv", "--mappin", "x"), "No such option: --mappin", "没有选项 --mappin，是否应为 --mapping"),
        (("check", "a.csv", "b.csv"), "extra argument", "多余的参数 b.csv"),
        (("sample", "-o", "a.csv", "--dirty", "3"), "'--dirty'", "--dirty 的值不正确"),
        (("sample", "-o", "a.csv", "--shipments", "many"), "'--shipments'", "--shipments 的值不正确"),
        (("check", "a.csv", "--mapping"), "--mapping", "选项 --mapping 后面缺少值"),
        (("check", "a.csv", "--lang", "fr"), "--lang 'fr'", "--lang 'fr'"),
    ],
)  # fmt: skip
def test_a_wrong_command_line_is_one_clear_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...], en: str, zh: str
) -> None:
    for lang, said in (("en", en), ("zh", zh)):
        monkeypatch.setenv("CROSSBORDER_LANG", lang)
        answer = run(*args)
        assert answer.code == 2
        assert answer.out == ""
        assert len(answer.err.splitlines()) == 1
        assert said in answer.err
