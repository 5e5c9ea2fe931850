"""Run by test_personal: `personal_child.py FILE` prepares a file in blocks and dies in the middle, its spool on the disk.

`personal_child.py --commands JSON` runs commands one after another and tells, as JSON, the code of each and what it said.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import polars as pl
from cutting import opened

from crossborder import cli
from crossborder.engine import Engine, sources, spool


def main(file: Path) -> None:
    """Die when several blocks are recorded and several spool files are written."""
    sources.open_blocks = opened(4)  # type: ignore[assignment]  # the hand-in is cut here
    spool.MEMORY = 0
    put = spool.Spool._put

    def dying(self: spool.Spool, frame: pl.DataFrame, name: str) -> Any:
        kept = put(self, frame, name)
        if len(list(self._folder.glob("*.arrow"))) >= 4:
            os._exit(9)
        return kept

    spool.Spool._put = dying  # type: ignore[method-assign]  # the crash is planted here
    with Engine() as engine:
        engine.prepare(file, mapping="elements", profile="demo")


def commands(wanted: list[list[str]]) -> None:
    """Run commands in this process."""
    said = []
    for args in wanted:
        out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = cli.main(args)
        texts = []
        for stream in (out, err):
            stream.flush()
            texts.append(stream.detach().getvalue().decode("utf-8"))  # type: ignore[attr-defined]
        said.append([code, *texts])
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    if sys.argv[1] == "--commands":
        commands(json.loads(sys.argv[2]))
    else:
        main(Path(sys.argv[1]))
