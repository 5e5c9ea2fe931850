"""Help pages: in the language of the run, laid out for wide characters, without markup."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from typing import Any

from typer.core import TyperCommand, TyperGroup

from crossborder.cli.helptext import ABOUT, EXITS, HELPS, SECTIONS
from crossborder.cli.words import pick, t
from crossborder.wide import padded, width, wrapped

_MOST = 100
_INDENT = "  "


class Command(TyperCommand):
    """A command whose help page teaches."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the page."""
        formatter.write(page(ctx.command_path, self))


class Group(TyperGroup):
    """A group of commands whose help page lists them."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the page."""
        formatter.write(page(ctx.command_path, self))


def page(path: str, command: Any) -> str:
    """The help page of a command or group; `path` is `crossborder check`."""
    columns = max(40, min(shutil.get_terminal_size().columns, _MOST))
    name = path.partition(" ")[2]
    lines = _main(path, columns) if not name else _one(path, name, command, columns)
    return "\n".join(lines) + "\n"


def _main(path: str, columns: int) -> Iterator[str]:
    yield t(f"用法：{path} 命令 [选项]", f"Usage: {path} COMMAND [OPTIONS]")
    yield ""
    yield from wrapped(t(*ABOUT), columns)
    for title, names in SECTIONS:
        yield ""
        yield t(*title)
        yield from _table([(name, t(*HELPS[name].line)) for name in names], columns)
    yield ""
    yield from wrapped(
        t(
            f"每条命令的说明：{path} 命令 --help。共用选项：--lang zh|en、--json、--config 文件；--version。",
            f"More on each: {path} COMMAND --help. Common options: --lang zh|en, --json, --config FILE; --version.",
        ),
        columns,
    )
    yield from wrapped(t("退出码：", "Exit codes: ") + t(*EXITS), columns)


def _one(path: str, name: str, command: Any, columns: int) -> Iterator[str]:
    said = HELPS[name]
    below = list(getattr(command, "commands", {}))
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option"]
    pieces = [path, *map(_usage, arguments), *(["COMMAND"] if below else [])]
    required = [f"{p.opts[-1]} {_value(p)}" for p in options if p.required]
    shown = t("[选项]", "[OPTIONS]")
    yield t("用法：", "Usage: ") + " ".join([*pieces, *required, shown])
    yield ""
    yield from wrapped(_headed(t(*said.line)), columns)
    yield from wrapped(t(*said.body), columns)
    if below:
        yield ""
        yield t("命令", "commands")
        rows = [(one, t(*HELPS[f"{name} {one}"].line)) for one in below]
        yield from _table(rows, columns)
    yield ""
    yield t("例：", "Examples:") if len(said.examples) > 1 else t("例：", "Example:")
    yield from (_INDENT + example for example in said.examples)
    if arguments:
        yield ""
        yield t("参数", "arguments")
        yield from _table([(_usage(p), pick(p.help or "")) for p in arguments], columns)
    if options:
        yield ""
        yield t("选项", "options")
        yield from _table([(_names(p), _meaning(p)) for p in options], columns)
    yield ""
    yield from wrapped(t("退出码：", "Exit codes: ") + t(*said.exits), columns)


def _headed(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}{t('。', '.')}"


def _table(rows: Sequence[tuple[str, str]], columns: int) -> Iterator[str]:
    """Two columns; a first one that is too wide stands on a line of its own."""
    first = min(max((width(name) for name, _ in rows), default=0), 30, columns // 2 - 4)
    left = len(_INDENT) + first + 2
    for name, text in rows:
        lines = wrapped(text, columns - left)
        if width(name) > first:
            yield _INDENT + name
            name = ""
        yield (_INDENT + padded(name, first) + "  " + lines[0]).rstrip()
        yield from (" " * left + line for line in lines[1:])


def _usage(argument: Any) -> str:
    name = _value(argument)
    bare = name if argument.required else f"[{name}]"
    return f"{bare}..." if argument.nargs == -1 else bare


def _value(param: Any) -> str:
    return str(param.metavar or param.name.strip("_").upper())


def _names(option: Any) -> str:
    short_first = sorted(option.opts, key=len)
    flags = ", ".join(short_first) + "".join(f" / {name}" for name in option.secondary_opts)
    return flags if option.is_flag else f"{flags} {_value(option)}"


def _meaning(option: Any) -> str:
    text = pick(option.help or "")
    default = option.default
    if option.required:
        return f"{text} {t('[必填]', '[required]')}"
    if isinstance(default, bool) or default in (None, "", -1) or callable(default):
        return text
    return f"{text} {t(f'[默认 {default}]', f'[default: {default}]')}"
