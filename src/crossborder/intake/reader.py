"""`read` and `open_blocks`: whatever is handed in, as canonical frames with findings, whole or block by block.

There is one way to read: `read` is the case of a single block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from crossborder.intake import framesource, nested
from crossborder.intake.canonical import Read, Reading
from crossborder.intake.grid import Grid, check_height, joined
from crossborder.intake.limits import LIMITS, Limits
from crossborder.intake.meeting import MappingLike, Met, may_nest, meet
from crossborder.intake.opened import Opened, open_source
from crossborder.intake.opening import header_only
from crossborder.intake.recordsource import Parts
from crossborder.intake.table import Digest, Intake, SourceTable
from crossborder.shipments.handed import Shipments

BLOCK_BYTES = 6_000_000
"""Text of a block: about 5,000 shipments of two goods lines in the columns of the mapping `elements`."""
_WHOLE = 1 << 62
_Part = tuple[Read, SourceTable, int]


@dataclass(frozen=True)
class Block:
    """Some shipments of a hand-in, none of them split; `done` counts towards `Blocks.total`."""

    intake: Intake
    done: int


@dataclass(frozen=True)
class _Head:
    """What is known of a hand-in before its first block."""

    kind: str
    mapping: str
    name: str
    digest: Digest | str
    total: int


class Blocks:
    """A hand-in that is read block by block, once. A context manager, not thread-safe.

    `kind` is csv, excel, parquet, json, ndjson, records, frame or shipments; `mapping` the name of the mapping
    used; `source_digest` the SHA-256 (hex) of the whole source; `total` its bytes for CSV and NDJSON, its rows
    or records otherwise. Iterating raises `InputError` where a limit is passed, or a file changes meanwhile.
    """

    def __init__(
        self, head: _Head, parts: Iterator[_Part], close: Callable[[], None] = lambda: None
    ) -> None:
        self.kind, self.mapping = head.kind, head.mapping
        self.source_name, self._digest = head.name, head.digest
        self.total = head.total
        self._parts, self._close = parts, close

    @property
    def source_digest(self) -> str:
        """The SHA-256 (hex) of the whole source."""
        return str(self._digest)

    def __iter__(self) -> Iterator[Block]:
        for done, raw, at in self._parts:
            yield Block(
                Intake(
                    done.frames, done.findings, done.rows, self.mapping, self.source_name, self._digest, raw
                ),
                at,
            )  # fmt: skip

    def __enter__(self) -> Blocks:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._close()


def read(
    source: Any,
    *,
    mapping: MappingLike = None,
    folders: Sequence[Path] = (),
    sheet: str | int | None = None,
    limits: Limits = LIMITS,
) -> Intake:
    """Read a hand-in: a path, a frame, `Shipments`, or a list of dictionaries.

    `mapping` is a name, a path or a `Mapping`; left out, the header decides among the built-in mappings and
    those in `folders`. `sheet` (name, or number from 0) wins over the mapping's. Bad rows are findings.
    Raises `InputError` for what cannot be read at all and `MappingError` where no one mapping fits.
    """
    with open_blocks(
        source, mapping=mapping, folders=folders, sheet=sheet, limits=limits, block_bytes=_WHOLE
    ) as blocks:
        (block,) = blocks
        return block.intake


def open_blocks(
    source: Any,
    *,
    mapping: MappingLike = None,
    folders: Sequence[Path] = (),
    sheet: str | int | None = None,
    limits: Limits = LIMITS,
    block_bytes: int = BLOCK_BYTES,
) -> Blocks:
    """Open a hand-in to be read in blocks of about `block_bytes` of text; the rest as for `read`.

    All blocks together are what `read` gives: row and shipment numbers run through, and findings about the
    file as a whole are in the block that knows of them first. Rows that stand next to each other under one
    waybill are never parted; where rows of a waybill stand apart in different blocks, each block gives a
    shipment of its own. Memory is bounded by the block for CSV, NDJSON and Parquet; everything else is one
    block. Raises `InputError` and `MappingError` as `read` does, and while iterating `InputError`.
    """
    if isinstance(source, Shipments):
        done, texts = nested.from_shipments(source, "Shipments", limits)
        head = _Head(
            "shipments",
            "canonical",
            "Shipments",
            Digest(lambda: framesource.digest_of(*texts)),
            done.rows,
        )
        raw = SourceTable((), 0, pl.DataFrame(), frames=done.frames)
        return Blocks(head, iter([(done, raw, done.rows)]))
    opened = open_source(source, sheet, limits, nest=may_nest(mapping))
    try:
        if opened.records is not None:
            head = _Head(opened.kind, "canonical", opened.name, opened.digest, opened.total)
            parts = _of_records(opened, opened.records, limits, block_bytes)
        else:
            met = meet(opened, mapping, folders)
            name = met.fit.mapping.name
            head = _Head(opened.kind, name, opened.name, opened.digest, met.source.total)
            parts = _of_table(opened, met, limits, block_bytes)
    except BaseException:
        opened.close()
        raise
    return Blocks(head, parts, opened.close)


def _of_records(opened: Opened, records: Parts, limits: Limits, size: int) -> Iterator[_Part]:
    reading = nested.Reading(opened.name, limits)
    for part in records(size):
        done = reading.read(part.records)
        if part.last:
            opened.refuse_changed()
        if done is not None:
            raw = SourceTable((), 0, pl.DataFrame(), records=part.records, frames=done.frames)
            yield done, raw, part.done


def _of_table(opened: Opened, met: Met, limits: Limits, size: int) -> Iterator[_Part]:
    """Pieces, each without the rows of its last shipment, which go before the next."""
    reading = Reading(met.fit, opened.name, limits)
    held: list[Grid] = []
    height, any_rows = 0, False
    for piece in met.pieces(size):
        height += piece.grid.height
        check_height(height, limits, opened.name)
        held.append(piece.grid)
        if piece.last:
            opened.refuse_changed()
        elif size == _WHOLE:
            continue
        done, taken, left = reading.read(joined(held), last=piece.last)
        held = [left] if left is not None else []
        if done is not None:
            any_rows = True
            yield done, _kept(taken), piece.done
    if not any_rows:
        raise header_only(opened.name)


def _kept(grid: Grid) -> SourceTable:
    return SourceTable(
        grid.header, grid.header_row, grid.cells, grid.preamble, grid.broken, grid.sheet,
        first_column=grid.first_column,
    )  # fmt: skip
