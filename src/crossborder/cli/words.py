"""Which language the person reads, and the two texts of every line. Standard library only (cold start)."""

from __future__ import annotations

import os
from collections.abc import Sequence

LANGUAGES = ("zh", "en")
_BETWEEN = "\x1f"
_chosen = "en"
_asked = False


def both(zh: str, en: str) -> str:
    """Both texts in one: what is fixed before the language is known (help of options). `pick` takes one."""
    return f"{zh}{_BETWEEN}{en}"


def pick(text: str) -> str:
    """The text of the chosen language out of `both`; any other text as it is."""
    zh, between, en = text.partition(_BETWEEN)
    return text if not between else (zh if _chosen == "zh" else en)


def t(zh: str, en: str) -> str:
    """The text in the language of this run."""
    return zh if _chosen == "zh" else en


def lang() -> str:
    """The language of this run: `zh` or `en`."""
    return _chosen


def choose(language: str, *, asked: bool = False) -> None:
    """Speak this language from now on; `asked`: a person named it, so that the settings file does not count."""
    global _chosen, _asked
    _chosen, _asked = language, asked


def was_asked() -> bool:
    """Whether the language was named on the command line or in the environment."""
    return _asked


def system_language() -> str:
    """`zh` or `en`: `CROSSBORDER_LANG`, else the system's language."""
    said = os.environ.get("CROSSBORDER_LANG", "")
    if said in LANGUAGES:
        return said
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if os.environ.get(name):
            return "zh" if os.environ[name].lower().startswith("zh") else "en"
    import locale

    system = locale.getlocale()[0] or ""
    return "zh" if system.lower().startswith(("zh", "chinese")) else "en"


def without_language(args: Sequence[str]) -> list[str]:
    """The arguments without `--lang` and its value."""
    kept, rest = list[str](), iter(args)
    for arg in rest:
        if arg == "--lang":
            next(rest, None)
        elif not arg.startswith("--lang="):
            kept.append(arg)
    return kept


def asked_in(args: Sequence[str]) -> str | None:
    """The value of the last `--lang` among the arguments, None if there is none."""
    found = None
    for number, arg in enumerate(args):
        if arg == "--":
            break
        if arg == "--lang":
            found = args[number + 1] if number + 1 < len(args) else ""
        elif arg.startswith("--lang="):
            found = arg.partition("=")[2]
    return found
