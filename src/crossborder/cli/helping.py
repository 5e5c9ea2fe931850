"""Help pages of commands: in the language of the run, laid out for wide characters, without markup."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from typer.core import TyperCommand, TyperGroup

from crossborder.cli import pages
from crossborder.cli.helptext import HELPS
from crossborder.cli.words import pick, t
from crossborder.wide import wrapped


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
    name = path.partition(" ")[2]
    if not name:
        return pages.first(path)
    return "\n".join(_one(path, name, command, pages.columns())) + "\n"


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
        yield from pages.table(rows, columns)
    yield ""
    yield t("例：", "Examples:") if len(said.examples) > 1 else t("例：", "Example:")
    yield from (pages.INDENT + example for example in said.examples)
    if arguments:
        yield ""
        yield t("参数", "arguments")
        yield from pages.table([(_usage(p), pick(p.help or "")) for p in arguments], columns)
    if options:
        yield ""
        yield t("选项", "options")
        yield from pages.table([(_names(p), _meaning(p)) for p in options], columns)
    yield ""
    yield from wrapped(t("退出码：", "Exit codes: ") + t(*said.exits), columns)


def _headed(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}{t('。', '.')}"


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
