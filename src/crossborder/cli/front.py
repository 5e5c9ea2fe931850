"""What is answered before the parser is loaded: language, version, the first help page. Standard library only.

A person who asks for help waits for nothing that help does not need; everything else goes on to `app`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from crossborder.cli import words
from crossborder.cli.words import t

HELP = ("-h", "--help")


def run(args: Sequence[str]) -> int:
    """Answer or hand on a command line; every clear error is one message in the person's language and exit code 2."""
    if list(args[:1]) == ["--version"]:
        from crossborder import __version__

        sys.stdout.write(f"crossborder {__version__}\n")
        return 0
    asked = words.asked_in(args)
    words.choose(
        asked if asked in words.LANGUAGES else words.system_language(),
        asked=asked is not None or "CROSSBORDER_LANG" in os.environ,
    )
    if asked is not None and asked not in words.LANGUAGES:
        return failed(t(f"--lang {asked!r}：应为 zh 或 en", f"--lang {asked!r}: zh or en"))
    _, rest = language_apart(args)
    if not rest or rest[0] in HELP:
        from crossborder.cli import pages

        sys.stdout.write(pages.first())
        return 0 if rest else 2
    from crossborder.cli import app

    return app.run(args)


def language_apart(args: Sequence[str]) -> tuple[list[str], list[str]]:
    """(`--lang` with its language, what follows): it may stand before the command, the last one counts."""
    rest, language = list(args), list[str]()
    while rest and (rest[0] == "--lang" or rest[0].startswith("--lang=")):
        count = 2 if rest[0] == "--lang" else 1
        language, rest = rest[:count], rest[count:]
    return language, rest


def failed(message: str) -> int:
    """Say what is wrong; the exit code of what could not run."""
    sys.stderr.write(message + "\n")
    return 2
