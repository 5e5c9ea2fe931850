"""`help`: how long a person waits for the first help page, against an interpreter that starts and does nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.contests.contest import Contest, Disagreement, Line
from benchmarks.sizes import Sizes
from benchmarks.timing import Case
from crossborder.cli.helptext import SECTIONS

STARTS = 20
"""Processes started one after another in a round."""
NOTHING = (sys.executable, "-c", "pass")


def contest(sizes: Sizes, folder: Path) -> Contest:
    """The installed command with `--help`, and the bare interpreter; both write into the void."""
    asked = (*command(), "--help")
    starts = 2 if sizes.rounds == 1 else STARTS
    return Contest(
        lambda: prove(asked),
        [
            Case("help", lambda _: started(asked, starts), starts),
            Case("bare", lambda _: started(NOTHING, starts), starts),
        ],
        [Line("help", "crossborder --help, process and all", "a bare interpreter: python -c pass", "help", "bare")],
    )  # fmt: skip


def command() -> Sequence[str]:
    """The command as a person calls it: the script beside the interpreter, or what it does where there is none."""
    script = Path(sys.executable).with_name("crossborder")
    if script.exists():
        return (str(script),)
    return (sys.executable, "-c", "import sys; from crossborder.cli import main; sys.exit(main())")


def started(words: Sequence[str], times: int) -> None:
    """Start a process so many times and wait for each."""
    for _ in range(times):
        subprocess.run(words, stdout=subprocess.DEVNULL, check=True)


def prove(words: Sequence[str]) -> None:
    """The page is whole, in both languages: every command stands on it, and nothing is on stderr."""
    for lang in ("zh", "en"):
        done = subprocess.run(
            words, capture_output=True, check=False, env=os.environ | {"CROSSBORDER_LANG": lang}
        )
        said = done.stdout.decode("utf-8")
        if done.returncode or done.stderr:
            raise Disagreement(f"--help ends with {done.returncode}: {done.stderr.decode()[-200:]}")
        first = {line.split()[0] for line in said.splitlines() if line.startswith("  ")}
        missing = {name for _, names in SECTIONS for name in names} - first
        if missing:
            raise Disagreement(f"--help ({lang}) does not list {', '.join(sorted(missing))}")
