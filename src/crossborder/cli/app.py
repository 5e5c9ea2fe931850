"""All commands under one name. Each is a thin function; what it needs it imports when it runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import typer

from crossborder.cli import (
    check,
    desk,
    filing,
    following,
    looking,
    lookup,
    play,
    replaying,
    serving,
    taxing,
    usage,
    words,
)
from crossborder.cli.helping import Command, Group
from crossborder.cli.words import t
from crossborder.errors import CrossborderError

_COMMANDS: dict[str, Callable[..., int]] = {
    "demo": play.demo,
    "init": desk.init,
    "doctor": desk.doctor,
    "check": check.check,
    "prepare": filing.prepare,
    "submit": filing.submit,
    "receive": following.receive,
    "reconcile": following.reconcile,
    "status": looking.status,
    "batches": looking.batches,
    "report": looking.report,
    "resolve": following.resolve,
    "explain": lookup.explain,
    "replay": replaying.replay,
    "schema": lookup.schema,
    "tax": taxing.tax,
    "sample": play.sample,
    "sandbox": play.sandbox,
    "serve": serving.serve,
}
_GROUPS: dict[str, dict[str, Callable[..., int]]] = {
    "mapping": {"draft": desk.mapping_draft, "test": desk.mapping_test},
    "codes": {
        "find": lookup.codes_find,
        "import": lookup.codes_import,
        "list": lookup.codes_list,
    },
    "keys": {
        "add": serving.keys_add,
        "list": serving.keys_list,
        "revoke": serving.keys_revoke,
    },
}


_HELP = ("-h", "--help")


def build() -> typer.Typer:
    """The application with all its commands."""
    app = _typer()
    for name, function in _COMMANDS.items():
        app.command(name, cls=Command)(function)
    for group, commands in _GROUPS.items():
        below = _typer()
        for name, function in commands.items():
            below.command(name, cls=Command)(function)
        app.add_typer(below, name=group)
    return app


def _typer() -> typer.Typer:
    return typer.Typer(
        cls=Group, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
        context_settings={"help_option_names": list(_HELP)},
    )  # fmt: skip


app = build()


def run(args: Sequence[str]) -> int:
    """Run a command line; every clear error is one message in the person's language and exit code 2."""
    asked = words.asked_in(args)
    words.choose(
        asked if asked in words.LANGUAGES else words.system_language(),
        asked=asked is not None or "CROSSBORDER_LANG" in os.environ,
    )
    if asked is not None and asked not in words.LANGUAGES:
        return _failed(t(f"--lang {asked!r}：应为 zh 或 en", f"--lang {asked!r}: zh or en"))
    args = prepared(args)
    if not args or args[0] in _HELP:
        _invoke(["--help"])
        return 0 if args else 2
    try:
        return _invoke(args)
    except CrossborderError as error:
        return _failed(error.text(words.lang()))
    except (typer.Abort, KeyboardInterrupt):
        sys.stderr.write(
            t("\n已中断。已完成的部分都已记录；重新运行同一命令即可继续。\n",
              "\nInterrupted. What was done is recorded; the same command goes on from there.\n")
        )  # fmt: skip
        return 1
    except BrokenPipeError:
        raise
    except OSError as error:
        return _failed(_said(error))
    except Exception as error:
        if usage.is_usage_error(error):
            return _failed(usage.explain(error))
        raise


def _invoke(args: Sequence[str]) -> int:
    """Parse and run, without the parser's own handling of errors and broken pipes."""
    try:
        with _command().make_context("crossborder", list(args)) as context:
            done: Any = context.command.invoke(context)
    except typer.Exit as ended:
        return int(ended.exit_code)
    return done if isinstance(done, int) else 0


@cache
def _command() -> Any:
    return typer.main.get_command(app)


def prepared(args: Sequence[str]) -> list[str]:
    """The arguments as the parser takes them: `--lang` may stand first; `codes TABLE QUERY` means `codes find`."""
    rest = list(args)
    language: list[str] = []
    while rest and (rest[0] == "--lang" or rest[0].startswith("--lang=")):
        count = 2 if rest[0] == "--lang" else 1
        language, rest = rest[:count], rest[count:]
    if len(rest) > 1 and rest[0] in _GROUPS and rest[1] in _HELP:
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


def _failed(message: str) -> int:
    sys.stderr.write(message + "\n")
    return 2


def _said(error: OSError) -> str:
    place = f"{error.filename}: " if error.filename else ""
    what = error.strerror or type(error).__name__
    return place + t(
        f"系统无法读写（{what}） → 请检查路径和权限",
        f"the system cannot read or write it ({what}) → check the path and its rights",
    )
