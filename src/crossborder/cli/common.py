"""What every command shares: options, answers on stdout, everything else on stderr. Light imports only."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossborder.cli import words
from crossborder.cli.words import both, t

if TYPE_CHECKING:
    from rich.console import Console

    from crossborder.settings import Loaded

Json = Annotated[
    bool,
    typer.Option("--json", help=both("标准输出只给 JSON 结果", "only the answer, as JSON, on stdout")),
]  # fmt: skip
Lang = Annotated[
    str,
    typer.Option("--lang", metavar="zh|en", help=both("语言（默认跟随系统）", "language (default: the system's)")),
]  # fmt: skip
Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help=both("设置文件 crossborder.toml", "settings file crossborder.toml")),
]  # fmt: skip
ProfileName = Annotated[
    str,
    typer.Option("--profile", metavar="NAME", help=both("企业档案", "the firm's profile")),
]
OperatorName = Annotated[
    str,
    typer.Option("--operator", metavar="NAME", help=both("当班操作员", "operator on shift")),
]
MappingName = Annotated[
    str,
    typer.Option(
        "--mapping",
        metavar="NAME|FILE",
        help=both("对照表：名称或 .toml 文件；不给则由表头判断", "mapping: a name or a .toml file; else the header decides"),
    ),
]  # fmt: skip
AsOf = Annotated[
    str,
    typer.Option("--as-of", metavar="yyyy-mm-dd", help=both("按此日期选用规则", "choose rules by this date")),
]  # fmt: skip
Sheet = Annotated[
    str,
    typer.Option("--sheet", metavar="NAME", help=both("工作表（默认由对照表决定）", "sheet (default: as the mapping says)")),
]  # fmt: skip
Who = Annotated[
    str,
    typer.Option("--who", metavar="NAME", help=both("操作人，记入台账（默认：登录名）", "who does it, for the ledger (default: your login)")),
]  # fmt: skip
Yes = Annotated[bool, typer.Option("--yes", "-y", help=both("不再询问", "do not ask"))]
BatchOption = Annotated[
    list[str] | None,
    typer.Option("--batch", metavar="BATCH", help=both("批次，可重复", "a batch; may be repeated")),
]
Date = Annotated[
    str,
    typer.Option(
        "--date", metavar="yyyy-mm-dd", help=both("日期（中国时间）", "a day, China time")
    ),
]


class Raw(str):
    """A value that is written as JSON already."""


def answer(data: Any) -> None:
    """The answer of a `--json` run: one JSON document on stdout.

    A value of `data` that is an iterator is written as a list, item by item, however many there are.
    """
    if isinstance(data, Mapping) and any(isinstance(v, Iterator) for v in data.values()):
        for number, (name, value) in enumerate(data.items()):
            sys.stdout.write(("{" if not number else ", ") + json.dumps(name) + ": ")
            if isinstance(value, Iterator):
                _list(value)
            else:
                sys.stdout.write(_json(value))
        sys.stdout.write("}\n")
        return
    sys.stdout.write(_json(data) + "\n")


def _list(items: Iterator[Any]) -> None:
    sys.stdout.write("[")
    for number, item in enumerate(items):
        sys.stdout.write((", " if number else "") + _json(item))
    sys.stdout.write("]")


def _json(value: Any) -> str:
    if isinstance(value, Raw):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def out() -> Console:
    """Where answers for people go. Long lines of a pipe are not broken."""
    return _console(sys.stdout)


def err() -> Console:
    """Where progress and remarks go."""
    return _console(sys.stderr)


def _console(stream: Any) -> Console:
    from rich.console import Console

    class Quiet(Console):
        """A console that leaves it to `main` what happens when nobody reads any more."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    terminal = stream.isatty()
    width = None if terminal or "COLUMNS" in os.environ else 120
    return Quiet(file=stream, highlight=False, width=width, soft_wrap=not terminal)


def line(text: str = "", style: str | None = None) -> None:
    """One line of an answer exactly as it is: no markup, never broken."""
    out().print(text, style=style, markup=False, soft_wrap=True)


def warn(text: str) -> None:
    """One line on stderr."""
    sys.stderr.write(text + "\n")


def load_settings(config: Path | None) -> Loaded:
    """Settings of this run; their language holds where none was asked for."""
    from crossborder import settings

    loaded = settings.load(config)
    if loaded.settings.lang and not words.was_asked():
        words.choose(loaded.settings.lang)
    return loaded


def lang() -> str:
    """The language of this run."""
    return words.lang()


def who_am_i(who: str) -> str:
    """The person in whose name the ledger records what is done."""
    if who:
        return who
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


@contextmanager
def progress(title: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr with rate and remaining time, only where a person watches; `report(done, total)`."""
    if quiet or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TaskProgressColumn(), TextColumn("{task.fields[rate]}"), TimeElapsedColumn(),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=err(), transient=True) as bar:
        task = bar.add_task(title, total=None, rate="")

        def report(done: int, total: int) -> None:
            speed = bar.tasks[0].finished_speed or bar.tasks[0].speed
            rate = t(f"{speed:,.0f} 份/秒", f"{speed:,.0f}/s") if speed else ""
            bar.update(task, completed=done, total=total or None, rate=rate)

        yield report
