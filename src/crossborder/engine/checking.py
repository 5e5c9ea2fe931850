"""Checking a hand-in of any size: findings as they come, counts at the end, nothing stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from crossborder.engine import once
from crossborder.engine.across import Across, Facts
from crossborder.engine.annotating import Annotation, changed
from crossborder.engine.collector import passing_over_what_is_there
from crossborder.engine.handing_in import keys_of
from crossborder.engine.profiles import not_given
from crossborder.engine.pure import Judge, JudgedBlock
from crossborder.engine.results import Checked
from crossborder.engine.sources import Block, Blocks, begun
from crossborder.engine.spool import Spool
from crossborder.engine.summary import Summary, Tally, worst
from crossborder.engine.threads import in_order
from crossborder.intake import SourceTable

Progress = Callable[[int, int], None]


def _unwatched(_checked: Checked) -> None:
    """Nobody looks at what passes."""


@dataclass(frozen=True)
class _Made:
    judged: JudgedBlock
    facts: Facts
    done: int
    head: SourceTable


class Checking:
    """A hand-in that is being checked. For one thread.

    `findings()` gives every finding as it is told, `by_shipment()` each shipment's own (see `Checked`), frame by frame; one of
    them must be read to its end, once. Then `summary` counts them, and `faulty_rows()` gives the rows of rejected shipments
    as the user wrote them, and `annotate()` the whole hand-in as a workbook, if `annotate_to()` said so before. `watch` is
    handed every block (or the whole) as it was judged by itself.
    """

    def __init__(
        self, judge: Judge, blocks: Blocks, opened: Callable[[], AbstractContextManager[Blocks]], home: Path,
        progress: Progress, data: Any = None, watch: Callable[[Checked], None] = _unwatched,
    ) -> None:  # fmt: skip
        self._judge = judge
        self._data = data
        self._annotation: Annotation | None = None
        self._blocks = blocks
        self._opened = opened
        self._home = home
        self._progress = progress
        self._watch = watch
        self._tally = Tally()
        self._whole: Checked | None = None

    @property
    def summary(self) -> Summary:
        """What was found, once all findings were read."""
        return self._tally.summary()

    @property
    def verdicts(self) -> pl.DataFrame:
        """`ship, verdict` of every shipment, once all findings were read."""
        return self._tally.verdicts()

    def findings(self) -> Iterator[pl.DataFrame]:
        """All findings as they are told; those that only the whole hand-in shows come last. Raises as `by_shipment`."""
        for findings in self.by_shipment():
            own, _ = once.apart(findings)
            yield own
        yield self._tally.told_once()

    def by_shipment(self) -> Iterator[pl.DataFrame]:
        """All findings, each of a shipment or of the file; those that only the whole shows come last.

        Raises as reading and judging do.
        """
        only, several = begun(self._blocks)
        for findings in self._streamed(several) if only is None else self._at_once(only):
            if self._annotation is not None:
                self._annotation.add(once.apart(findings)[0])
            yield findings

    def _at_once(self, only: Block) -> Iterator[pl.DataFrame]:
        self._whole = self._judge.whole(only.intake)
        self._count(self._whole, only.intake.raw)
        yield self._whole.by_shipment

    def _count(self, checked: Checked, source: SourceTable) -> None:
        self._watch(checked)
        self._tally.add(checked)
        if self._annotation is not None:
            self._annotation.block(checked, source)

    def annotate_to(self, out: Path) -> None:
        """Gather what is needed to write the hand-in, annotated, to `out` (.xlsx). Raises `InputError` where that
        cannot be."""
        self._annotation = Annotation(self._data, out)

    def annotate(self, progress: Progress) -> None:
        """Write the annotated workbook, once all findings were read; `progress` is told rows.

        A hand-in of several blocks that is no workbook is read a second time for it. Raises `InputError`.
        """
        assert self._annotation is not None
        self._annotation.add(self._tally.told_once())
        source = self._blocks.source_name, self._blocks.source_digest
        self._annotation.write(self.summary, self._tally.ranks, source, self._sources, progress)

    def _sources(self) -> Iterator[SourceTable]:
        if self._whole is not None:
            yield self._whole.source
            return
        with self._opened() as blocks:
            if blocks.source_digest != self._blocks.source_digest:
                raise changed(blocks.source_name)
            for block in blocks:
                yield block.intake.raw

    def faulty_rows(self) -> Iterator[tuple[SourceTable, pl.Series]]:
        """Source rows and the numbers of those that belong to rejected shipments, block by block.

        A hand-in of several blocks is read a second time for it.
        """
        if self._whole is not None:
            yield self._whole.source, self._rows_of(self._whole.frames.shipments)
            return
        with self._opened() as blocks:
            for block in blocks:
                yield block.intake.raw, self._rows_of(block.intake.frames.shipments)

    def _rows_of(self, shipments: pl.DataFrame) -> pl.Series:
        rejected = self._tally.of("rejected")
        bad = shipments.filter(pl.col("ship").is_in(rejected.implode()))
        return bad.select(pl.col("rows").explode()).to_series().sort()

    def _streamed(self, several: Iterator[Block]) -> Iterator[pl.DataFrame]:
        shipments, total = 0, self._blocks.total
        with passing_over_what_is_there(), Spool(self._home) as spool:
            across = Across(self._judge, spool)

            def work(block: Block) -> _Made:
                judged = replace(self._judge.block(block.intake), elements=None)
                facts = across.facts(judged.checked, keys_of(judged.checked.frames))
                raw = block.intake.raw
                head = replace(raw, cells=raw.cells.clear(), broken=(), records=None, frames=None)
                return _Made(judged, facts, block.done, head)

            for made in in_order(work, several):
                across.add(made.judged, made.facts)
                checked = made.judged.checked
                self._count(checked, made.head)
                shipments += checked.verdicts.height
                self._progress(shipments, max(shipments, round(shipments * total / made.done)))
                yield checked.by_shipment
            self._progress(shipments, shipments)
            if across.missing:
                raise not_given(across.missing)
            for findings in self._at_the_end(across):
                self._tally.tell(findings)
                self._tally.worsen(worst(findings))
                yield findings

    def _at_the_end(self, across: Across) -> Iterator[pl.DataFrame]:
        for told in in_order(lambda step: step(), across.steps()):
            yield told.findings
        yield across.about_file()
