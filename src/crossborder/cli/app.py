"""All commands under one name. Only the module of the command asked for is loaded; what it needs it imports when it runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from typing import Any

import typer

from crossborder.cli import usage, words
from crossborder.cli.front import HELP, failed, language_apart
from crossborder.cli.helping import Command, Group, page
from crossborder.cli.words import t
from crossborder.errors import CrossborderError

_COMMANDS: dict[str, str] = {
    "demo": "play:demo",
    "init": "desk:init",
    "doctor": "desk:doctor",
    "check": "check:check",
    "prepare": "filing:prepare",
    "submit": "filing:submit",
    "receive": "following:receive",
    "reconcile": "following:reconcile",
    "status": "looking:status",
    "batches": "looking:batches",
    "report": "looking:report",
    "resolve": "following:resolve",
    "accept": "accepting:accept",
    "erase": "keeping:erase",
    "suspend": "deciding:suspend",
    "resume": "deciding:resume",
    "void": "deciding:void",
    "explain": "lookup:explain",
    "replay": "replaying:replay",
    "schema": "lookup:schema",
    "tax": "taxing:tax",
    "sample": "play:sample",
    "sandbox": "play:sandbox",
    "serve": "serving:serve",
}
"""Command → module of this package and function."""
_GROUPS: dict[str, dict[str, str]] = {
    "audit": {"verify": "auditing:audit_verify", "export": "auditing:audit_export"},
    "mapping": {"draft": "desk:mapping_draft", "test": "desk:mapping_test"},
    "codes": {
        "find": "lookup:codes_find",
        "import": "lookup:codes_import",
        "list": "lookup:codes_list",
    },
    "keys": {
        "add": "serving:keys_add",
        "list": "serving:keys_list",
        "revoke": "serving:keys_revoke",
        "ring": "keeping:keys_ring",
        "rotate": "keeping:keys_rotate",
    },
}


def build(only: str = "") -> typer.Typer:
    """The application with all its commands, or with one command or group."""
    made = _typer()
    made.callback()(_nothing)  # one command alone would otherwise take the place of the group
    for name, place in _COMMANDS.items():
        if only in ("", name):
            made.command(name, cls=Command)(_function(place))
    for group, commands in _GROUPS.items():
        if only in ("", group):
            below = _typer()
            for name, place in commands.items():
                below.command(name, cls=Command)(_function(place))
            made.add_typer(below, name=group)
    return made


def _typer() -> typer.Typer:
    return typer.Typer(
        cls=Group, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
        context_settings={"help_option_names": list(HELP)},
    )  # fmt: skip


def _nothing() -> None:
    """What the program does before a command."""


def _function(place: str) -> Callable[..., int]:
    module, _, name = place.partition(":")
    found: Callable[..., int] = getattr(import_module(f"crossborder.cli.{module}"), name)
    return found


def __getattr__(name: str) -> Any:
    """`app`: the application with all its commands, made when it is asked for."""
    if name == "app":
        return _whole()
    raise AttributeError(name)


@cache
def _whole() -> typer.Typer:
    return build()


def run(args: Sequence[str]) -> int:
    """Run a command; the language is chosen already."""
    args = prepared(args)
    try:
        shown = _page(args)
        if shown is None:
            return _invoke(args)
        sys.stdout.write(shown)
        return 0
    except CrossborderError as error:
        return failed(error.text(words.lang()))
    except (typer.Abort, KeyboardInterrupt):
        sys.stderr.write(
            t("\n已中断。已完成的部分都已记录；重新运行同一命令即可继续。\n",
              "\nInterrupted. What was done is recorded; the same command goes on from there.\n")
        )  # fmt: skip
        return 1
    except BrokenPipeError:
        raise
    except OSError as error:
        return failed(_said(error))
    except Exception as error:
        if usage.is_usage_error(error):
            return failed(usage.explain(error))
        raise


def _invoke(args: Sequence[str]) -> int:
    """Parse and run, without the parser's own handling of errors and broken pipes."""
    try:
        with _command(args[0]).make_context("crossborder", list(args)) as context:
            done: Any = context.command.invoke(context)
    except typer.Exit as ended:
        return int(ended.exit_code)
    return done if isinstance(done, int) else 0


def _page(args: Sequence[str]) -> str | None:
    """The help page where nothing else is asked for; read by the parser, `--help` would load pydantic."""
    *names, asked = words.without_language(args) or [""]
    if asked not in HELP or not names:
        return None
    command = _command(names[0])
    for name in names:
        command = getattr(command, "commands", {}).get(name)
        if command is None:
            return None
    return page(" ".join(["crossborder", *names]), command)


@cache
def _command(name: str) -> Any:
    """The parser of one command or group; of all of them where nobody knows the name, to tell the nearest."""
    known = name in _COMMANDS or name in _GROUPS
    return typer.main.get_command(build(name if known else ""))


def prepared(args: Sequence[str]) -> list[str]:
    """The arguments as the parser takes them: `--lang` may stand first; `codes TABLE QUERY` means `codes find`."""
    language, rest = language_apart(args)
    if len(rest) > 1 and rest[0] in _GROUPS and rest[1] in HELP:
        return rest[:2]
    if rest[:1] == ["codes"] and len(rest) > 1 and _is_table(rest[1]):
        rest.insert(1, "find")
    if language and rest and rest[0] in _COMMANDS:
        rest[1:1] = language
    elif language and len(rest) > 1 and rest[0] in _GROUPS:
        rest[2:2] = language
    return rest


def _is_table(word: str) -> bool:
    return not word.startswith("-") and word not in _GROUPS["codes"]


def _said(error: OSError) -> str:
    place = f"{error.filename}: " if error.filename else ""
    what = error.strerror or type(error).__name__
    return place + t(
        f"系统无法读写（{what}） → 请检查路径和权限",
        f"the system cannot read or write it ({what}) → check the path and its rights",
    )
