"""A hand-in block by block, as intake reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any, Protocol

from crossborder import intake
from crossborder.engine.proving import SMALL


class Block(Protocol):
    """Some shipments of a hand-in, and how far into it they reach (of `Blocks.total`)."""

    @property
    def intake(self) -> intake.Intake:
        """The shipments, numbered as in the whole hand-in."""

    @property
    def done(self) -> int:
        """Where the block ends, in the unit of `Blocks.total`."""


class Blocks(Protocol):
    """A hand-in that was opened. Iterating reads it; what stands here is known before."""

    @property
    def mapping(self) -> str:
        """Name of the mapping."""

    @property
    def source_name(self) -> str:
        """Name of the file, or the kind of object."""

    @property
    def source_digest(self) -> str:
        """SHA-256 of the whole."""

    @property
    def total(self) -> int:
        """Bytes or rows of the whole."""

    def __iter__(self) -> Iterator[Block]: ...


@contextmanager
def open_blocks(
    data: Any,
    *,
    mapping: Any = None,
    folders: Sequence[Path] = (),
    sheet: str | None = None,
    limits: intake.Limits,
) -> Iterator[Blocks]:
    """Open a hand-in. Raises as `intake.read` does, here or while it is read."""
    with intake.open_blocks(
        data, mapping=mapping, folders=folders, sheet=sheet, limits=limits
    ) as blocks:
        yield blocks


def begun(blocks: Blocks) -> tuple[Block | None, Iterator[Block]]:
    """(the one block, nothing) of a hand-in that has only one, else (None, all of its blocks).

    Where the first block is too large to be a small hand-in, and more stands behind it, the second one is not waited
    for; should nothing come after all, there is one block among "all of its blocks".
    """
    going_on = iter(blocks)
    first = list(islice(going_on, 1))
    if first and first[0].done < blocks.total and _shipments(first[0]) >= SMALL:
        return None, chain(first, going_on)
    first_two = [*first, *islice(going_on, 1)]
    if len(first_two) == 1:
        return first_two[0], iter(())
    return None, chain(first_two, going_on)


def _shipments(block: Block) -> int:
    return block.intake.frames.shipments.height
