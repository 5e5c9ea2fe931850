"""The first help page, and what all help pages are laid out with. Standard library only: it is shown before the parser is loaded."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence

from crossborder.cli.helptext import ABOUT, EXITS, HELPS, SECTIONS
from crossborder.cli.words import t
from crossborder.wide import padded, width, wrapped

INDENT = "  "
_MOST = 100
_LEAST = 40
_UNKNOWN = 80


def first(path: str = "crossborder") -> str:
    """The page of the program itself: what it is, every command in a line."""
    return "\n".join(_first(path, columns())) + "\n"


def _first(path: str, wide: int) -> Iterator[str]:
    yield t(f"用法：{path} 命令 [选项]", f"Usage: {path} COMMAND [OPTIONS]")
    yield ""
    yield from wrapped(t(*ABOUT), wide)
    for title, names in SECTIONS:
        yield ""
        yield t(*title)
        yield from table([(name, t(*HELPS[name].line)) for name in names], wide)
    yield ""
    yield from wrapped(
        t(
            f"每条命令的说明：{path} 命令 --help。共用选项：--lang zh|en、--json、--config 文件；--version。",
            f"More on each: {path} COMMAND --help. Common options: --lang zh|en, --json, --config FILE; --version.",
        ),
        wide,
    )
    yield from wrapped(t("退出码：", "Exit codes: ") + t(*EXITS), wide)


def columns() -> int:
    """How wide a page is: as the screen, within bounds."""
    return max(_LEAST, min(_screen(), _MOST))


def _screen() -> int:
    """As `shutil.get_terminal_size`, which would load compression and more."""
    said = os.environ.get("COLUMNS", "")
    if said.isdecimal() and int(said):
        return int(said)
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or _UNKNOWN  # type: ignore[union-attr]  # None is caught below
    except (AttributeError, ValueError, OSError):
        return _UNKNOWN


def table(rows: Sequence[tuple[str, str]], wide: int) -> Iterator[str]:
    """Two columns; a first one that is too wide stands on a line of its own."""
    first_column = min(max((width(name) for name, _ in rows), default=0), 30, wide // 2 - 4)
    left = len(INDENT) + first_column + 2
    for name, text in rows:
        lines = wrapped(text, wide - left)
        if width(name) > first_column:
            yield INDENT + name
            name = ""
        yield (INDENT + padded(name, first_column) + "  " + lines[0]).rstrip()
        yield from (" " * left + line for line in lines[1:])
