"""What is kept of a source, so that faulty rows can be written back in the user's own columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from crossborder.intake.grid import Broken
from crossborder.intake.jsonfile import Records
from crossborder.shipments.frames import FrameSet


@dataclass(frozen=True)
class SourceTable:
    """Header and rows as the user wrote them, all text.

    `cells`: `row` (UInt32) and `c0`, `c1` … (String), one per name of `header`; `preamble` the rows above
    the header; `broken` records that could not be cut into columns; `first_column` where `c0` stands on a sheet (from 0). A hand-in of nested records or of three
    frames has `records` or `frames` instead, and no header.
    """

    header: tuple[str, ...]
    header_row: int
    cells: pl.DataFrame
    preamble: tuple[tuple[str, ...], ...] = ()
    broken: tuple[Broken, ...] = ()
    sheet: str = ""
    records: Records | None = None
    frames: FrameSet | None = None
    first_column: int = 0


class Digest:
    """The SHA-256 (hex) of a source, made when it is first asked for: `str` gives it. Thread-safe."""

    def __init__(self, make: Callable[[], str]) -> None:
        self._make = make

    @cached_property
    def _made(self) -> str:
        return self._make()

    def __str__(self) -> str:
        return self._made


@dataclass(frozen=True)
class Intake:
    """A hand-in that was read.

    `frames` hold every shipment, also the unreadable ones; `findings` have the columns of
    `crossborder.shipments.findings.SCHEMA`; `rows` counts source rows that belong to a shipment (no title,
    header, blank or totals rows) and equals the sum over `frames.shipments["rows"]`; `mapping` is the name of
    the mapping used; `digest` becomes `source_digest`.
    """

    frames: FrameSet
    findings: pl.DataFrame
    rows: int
    mapping: str
    source_name: str
    digest: Digest | str
    raw: SourceTable

    @property
    def source_digest(self) -> str:
        """The SHA-256 (hex) of the file's bytes, or of a frame's text."""
        return str(self.digest)
