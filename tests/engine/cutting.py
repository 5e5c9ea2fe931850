"""For tests: a hand-in that was read in one piece, handed on in blocks of so many shipments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
import pytest

from crossborder import intake
from crossborder.engine import sources
from crossborder.intake import Intake


@dataclass(frozen=True)
class Block:
    """As `sources.Block`."""

    intake: Intake
    done: int


class Cut:
    """As `sources.Blocks`; `total` is in rows."""

    def __init__(self, read: Intake, size: int) -> None:
        self.mapping, self.source_name, self.source_digest = (
            read.mapping,
            read.source_name,
            read.source_digest,
        )
        self.total, self._read, self._size = read.rows, read, size

    def __iter__(self) -> Iterator[Block]:
        ships = self._read.frames.shipments["ship"]
        done = 0
        for first in range(0, len(ships), self._size):
            part = _part(self._read, ships[first : first + self._size], first == 0)
            done += part.rows
            yield Block(part, done)


def _part(read: Intake, ships: pl.Series, first: bool) -> Intake:
    frames = read.frames.take(ships)
    rows = frames.shipments["rows"].explode()
    mine = pl.col("ship").is_in(ships.implode()) | (pl.col("ship").is_null() & pl.lit(first))
    cells = read.raw.cells.filter(pl.col("row").is_in(rows.implode()))
    return replace(
        read,
        frames=frames,
        findings=read.findings.filter(mine),
        rows=len(rows),
        raw=replace(read.raw, cells=cells),
    )


def opened(size: int) -> Callable[..., AbstractContextManager[Cut]]:
    """In the place of `sources.open_blocks`: hand-ins in blocks of `size` shipments."""

    @contextmanager
    def cut(data: Any, **asked: Any) -> Iterator[Cut]:
        yield Cut(intake.read(data, **asked), size)

    return cut


def in_blocks(patch: pytest.MonkeyPatch, size: int) -> None:
    """From now on hand-ins come in blocks of `size` shipments."""
    patch.setattr(sources, "open_blocks", opened(size))
