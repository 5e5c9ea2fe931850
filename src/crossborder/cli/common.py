"""What every command shares: options, answers on stdout, everything else on stderr. Light imports only."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossborder.cli.words import LANG, t

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from crossborder.settings import Loaded

Json = Annotated[
    bool,
    typer.Option("--json", help=t("标准输出只给 JSON 结果", "only the answer, as JSON, on stdout")),
]
Lang = Annotated[str, typer.Option("--lang", help=t("语言：zh 或 en", "zh or en"), metavar="zh|en")]
Config = Annotated[
    Path | None,
    typer.Option("--config", help=t("设置文件 crossborder.toml", "settings file crossborder.toml")),
]
ProfileName = Annotated[
    str, typer.Option("--profile", help=t("企业档案名称", "name of the firm's profile"))
]
OperatorName = Annotated[str, typer.Option("--operator", help=t("当班操作员", "operator on shift"))]
MappingName = Annotated[
    str,
    typer.Option(
        "--mapping",
        help=t(
            "对照表：名称或 .toml 路径；不给则由表头判断",
            "mapping: a name or a .toml path; else the header decides",
        ),
    ),
]
AsOf = Annotated[
    str,
    typer.Option(
        "--as-of", help=t("按此日期选用规则 yyyy-mm-dd", "choose rules by this date, yyyy-mm-dd")
    ),
]
Who = Annotated[
    str, typer.Option("--who", help=t("操作人（记入日志）", "who decides (goes into the ledger)"))
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help=t("不再询问", "do not ask"))]


def answer(data: Any) -> None:
    """The answer of a `--json` run: one JSON document on stdout."""
    json.dump(data, sys.stdout, ensure_ascii=False, indent=None, default=str)
    sys.stdout.write("\n")


def out() -> Console:
    """Where answers for people go."""
    from rich.console import Console

    return Console(file=sys.stdout, highlight=False, soft_wrap=False)


def err() -> Console:
    """Where progress and remarks go."""
    from rich.console import Console

    return Console(file=sys.stderr, highlight=False)


def warn(text: str) -> None:
    """One line on stderr."""
    sys.stderr.write(text + "\n")


def load_settings(config: Path | None) -> Loaded:
    """Settings of this run."""
    from crossborder import settings

    return settings.load(config)


def who_am_i(who: str) -> str:
    """The person in whose name the ledger records what is done."""
    if who:
        return who
    import getpass

    try:
        return getpass.getuser()
    except OSError:
        return "unknown"


@contextmanager
def progress(title: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr, with rate and remaining time; `report(done, total)`."""
    if quiet or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err(), transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def lang_of(lang: str) -> str:
    """The language asked for, else that of the run."""
    return lang if lang in ("zh", "en") else LANG
