"""Run by test_personal: `personal_child.py FILE`. Prepares a file in blocks and dies in the middle, its spool on the disk."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import polars as pl
from cutting import opened

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


if __name__ == "__main__":
    main(Path(sys.argv[1]))
