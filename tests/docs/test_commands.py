"""Every command shown exists, with its options; every command there is stands in a document."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest
import typer.main
from tests.docs.pages import PAGES, ROOT, Block, commands, inline_commands, of_language, read

from crossborder.cli.app import app, prepared

ROOT_COMMAND: Any = typer.main.get_command(app)
SHOWN = [b for b in of_language("console") if any(commands(b))]
TARGETS = re.findall(r"^([a-z]+):", read(ROOT / "Makefile"), re.MULTILINE)


def test_pages_show_commands() -> None:
    assert {"README.md", "README.zh-CN.md", "desk.zh-CN.md", "mapping.md", "partner.md"} <= {
        b.page.name for b in SHOWN
    }


@pytest.mark.parametrize("block", SHOWN, ids=lambda b: b.name)
def test_commands_shown_can_be_parsed(block: Block) -> None:
    for words in commands(block):
        parse(words)


def parse(words: Sequence[str]) -> None:
    """Parse a command line without running it; raises for an unknown command, option or missing argument."""
    rest = prepared(words)
    command, context = (
        ROOT_COMMAND,
        ROOT_COMMAND.context_class(ROOT_COMMAND, info_name="crossborder"),
    )
    while hasattr(command, "commands"):
        name = rest.pop(0)
        if name.startswith("-"):
            assert name in ("--help", "--version")
            return
        assert name in command.commands, f"no command {name!r}"
        command = command.commands[name]
    if "--help" not in rest:
        command.make_context(command.name, rest, parent=context)


def test_a_wrong_command_is_noticed() -> None:
    parse(["check", "today.csv", "--profile", "demo"])
    for wrong in (["chekc", "today.csv"], ["check", "today.csv", "--no-such-option"], ["check"], ["keys", "ad", "shop"]):  # fmt: skip
        with pytest.raises((AssertionError, Exception)) as caught:
            parse(wrong)
        assert "no command" in str(caught.value) or type(caught.value).__name__ in (
            "NoSuchOption",
            "MissingParameter",
        )


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_commands_named_in_sentences_exist(page: Any) -> None:
    for words in inline_commands(page):
        if words[0] == "COMMAND" or words[0] == "命令":
            continue
        command = ROOT_COMMAND
        rest = prepared([w for w in words if w])
        while rest and hasattr(command, "commands") and not rest[0].startswith("-"):
            assert rest[0] in command.commands, f"{page.name}: no command {rest[0]!r}"
            command = command.commands[rest.pop(0)]
        known = {o for p in command.params for o in (*p.opts, *p.secondary_opts)} | {"--help", "--version"}  # fmt: skip
        assert [w for w in rest if w.startswith("--") and w.partition("=")[0] not in known] == []


def test_every_command_stands_in_a_document() -> None:
    said = " ".join(
        " ".join(w) for b in SHOWN for w in commands(b)
    ) + " ".join(" ".join(w) for p in PAGES for w in inline_commands(p))  # fmt: skip
    names = [
        f"{name} {below}" if below else name
        for name, command in ROOT_COMMAND.commands.items()
        for below in getattr(command, "commands", {"": None})
    ]
    assert [n for n in names if n not in said and n not in ("demo", "codes find")] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_targets_of_make_exist(page: Any) -> None:
    named = re.findall(r"(?:`|^\$ )make (\w+)", read(page), re.MULTILINE)
    assert [n for n in named if n not in TARGETS] == []
