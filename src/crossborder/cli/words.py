"""Which language the person reads, and the two texts of every line. Standard library only (cold start)."""

from __future__ import annotations

import locale
import os
import sys


def language(asked: str = "") -> str:
    """`zh` or `en`: what `--lang` asks, else `CROSSBORDER_LANG`, else the system's language."""
    for said in (asked, os.environ.get("CROSSBORDER_LANG", "")):
        if said in ("zh", "en"):
            return said
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if os.environ.get(name):
            return "zh" if os.environ[name].lower().startswith("zh") else "en"
    system = locale.getlocale()[0] or ""
    return "zh" if system.lower().startswith(("zh", "chinese")) else "en"


def asked_in(args: list[str]) -> str:
    """The value of `--lang` anywhere in the arguments, so that `--help` speaks it too."""
    for number, arg in enumerate(args):
        if arg == "--lang" and number + 1 < len(args):
            return args[number + 1]
        if arg.startswith("--lang="):
            return arg.partition("=")[2]
    return ""


LANG = language(asked_in(sys.argv[1:]))


def t(zh: str, en: str) -> str:
    """The text in the language of this run."""
    return zh if LANG == "zh" else en
