"""What is wrong with a command line, in both languages, and where to read on."""

from __future__ import annotations

from typing import Any

from crossborder.cli.words import t


def is_usage_error(error: Exception) -> bool:
    """Whether typer's parser raised it (which package holds the class depends on typer's version)."""
    return hasattr(error, "format_message") and hasattr(error, "message")


def explain(error: Any) -> str:
    """One line: what is wrong and the remedy."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "crossborder"
    english = str(error.format_message()).replace("\n\t", " ").rstrip(".")
    return f"{t(_chinese(error, english), english)} → {path} --help"


def _chinese(error: Any, english: str) -> str:
    kind = type(error).__name__
    if kind == "MissingParameter" and error.param is not None:
        return f"缺少 {_name(error.param)}"
    if kind == "NoSuchOption":
        near = "、".join(sorted(error.possibilities or ()))
        return f"没有选项 {error.option_name}" + (f"，是否应为 {near}" if near else "")
    if kind == "BadParameter" and error.param is not None:
        return f"{_name(error.param)} 的值不正确：{error.message}"
    if kind == "BadOptionUsage":
        return f"选项 {error.option_name} 后面缺少值"
    if english.startswith("No such command"):
        return english.replace("No such command", "没有命令").replace("Did you mean", "是否应为")
    if english.startswith("Got unexpected extra argument"):
        return "多余的参数 " + english.rpartition("(")[2].rstrip(")")
    return english


def _name(param: Any) -> str:
    return str(param.opts[0] if param.param_type_name == "option" else param.metavar or param.name)
