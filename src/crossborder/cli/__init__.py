"""The command line: parse, call the engine, show. Nothing heavy is imported before a command runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of `crossborder`. Exit 0: all good; 1: something needs attention; 2: could not run."""
    args = list(sys.argv[1:] if argv is None else argv)
    _utf8_output()
    from crossborder.cli.front import run

    try:
        code = run(args)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read our answer has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _utf8_output() -> None:
    """Standard output is UTF-8; where it cannot encode, it replaces (a desk's old console)."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="replace")
