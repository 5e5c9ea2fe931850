"""`single`, `gathered`: one shipment at a time, and a few hundred posts judged as one frame."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

import crossborder
from benchmarks import data
from benchmarks.baseline import checking, reading
from benchmarks.contests.check import Said, by_baseline, by_engine, refusals, together
from benchmarks.contests.contest import Contest, Disagreement, Line, same
from benchmarks.sizes import DECLARED_ON, SERVED, Sizes
from benchmarks.timing import Case
from crossborder.engine.results import Checked

DIRTY = 0.01
PROOF_DIRTY = 0.4
GATHERED = 256
"""Shipments in one frame."""
FRAMES = 6
"""Frames judged one after the other in one round, other ones in every round."""
SINGLES = 50
"""Shipments judged one by one in one round, other ones in every round."""


@dataclass(frozen=True)
class Post:
    """The rows of one or more shipments in memory, as a frame and as the rows a CSV reader gives."""

    header: tuple[str, ...]
    rows: list[list[str]]
    frame: pl.DataFrame

    @classmethod
    def of(cls, header: tuple[str, ...], rows: list[list[str]]) -> Post:
        """Both shapes of the same rows; an empty cell is null in the frame."""
        columns = zip(*rows, strict=True)
        frame = pl.DataFrame(
            {n: [v or None for v in c] for n, c in zip(header, columns, strict=True)},
            schema=dict.fromkeys(header, pl.String),
        )
        return cls(header, rows, frame)


def contest(sizes: Sizes, folder: Path) -> Contest:
    """The engine, warm, on one shipment and on 256 together, against plain Python on one."""
    many, more = (size * (sizes.rounds + 1) for size in (SINGLES, FRAMES * GATHERED))
    day = list(posts(data.write(folder / "single.csv", many, dirty=DIRTY)))
    other = list(posts(data.write(folder / "gathered.csv", more, dirty=DIRTY)))
    desk = data.desk()
    work = "rows in memory to verdicts: facets, filling, codes, rules"
    baseline = "one shipment: pydantic + Python rules + lxml + XSD"
    return Contest(
        lambda: prove(min(sizes.proof, 300), folder),
        [
            Case("one by one", each(engine), SINGLES, rounds(day, SINGLES)),
            Case("gathered", each(engine), FRAMES * GATHERED, gathering(other)),
            Case("plain Python", each(lambda post: by_rows(post, desk)), SINGLES, rounds(day, SINGLES)),
        ],
        [
            Line("single", work, baseline, "one by one", "plain Python"),
            Line("gathered", f"{work}; {GATHERED} posts in one frame", baseline, "gathered", "plain Python"),
        ],
    )  # fmt: skip


def rounds(day: Sequence[Post], size: int) -> Callable[[], Sequence[Post]]:
    """Gives the shipments of one round after another, `size` each, none of them twice."""
    starts = itertools.count(0, size)

    def following() -> Sequence[Post]:
        start = next(starts) % len(day)
        return day[start : start + size]

    return following


def gathering(day: Sequence[Post]) -> Callable[[], Sequence[Post]]:
    """Gives some frames of 256 shipments in one round after another, none of them twice."""
    following = rounds(day, GATHERED)

    def together() -> Sequence[Post]:
        return [_one_frame(following()) for _ in range(FRAMES)]

    return together


def _one_frame(some: Sequence[Post]) -> Post:
    return Post.of(some[0].header, [row for post in some for row in post.rows])


def each(judge: Callable[[Post], object]) -> Callable[[Any], object]:
    """Judges the shipments (or frames) of a round one by one."""
    return lambda singles: [judge(post) for post in singles]


def posts(path: Path) -> Iterator[Post]:
    """Each shipment of a file by itself."""
    header, rows = _rows(path)
    key = [header.index(name) for name in ("BillNo", "AssBillNo", "IEFlag")]
    for _, group in itertools.groupby(rows, lambda row: tuple(row[place] for place in key)):
        yield Post.of(header, list(group))


def gathered(path: Path) -> Post:
    """All shipments of a file together."""
    return Post.of(*_rows(path))


def _rows(path: Path) -> tuple[tuple[str, ...], list[list[str]]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        header, *rows = csv.reader(stream)
    return tuple(header), rows


def engine(post: Post) -> Checked:
    """The engine's pure check."""
    return crossborder.check(
        post.frame, data.MAPPING, data.firm().profile, tables=data.firm().tables, declared_on=DECLARED_ON,
        served=SERVED.values(),
    )  # fmt: skip


def by_rows(post: Post, desk: checking.Desk) -> list[checking.Judged]:
    """Plain Python, tree and XSD included."""
    ships = reading.shipments(post.header, post.rows, desk.fill)
    return checking.check_shipments(ships, desk)


def prove(shipments: int, folder: Path) -> None:
    """Both sides find the same rules of the same shipments of a very dirty day and give the same verdicts, one by one;
    gathered, the engine finds what the baseline does of the file."""
    desk, refused = data.desk(), 0
    for direction in ("I", "E"):
        path = data.write(
            folder / f"proof{direction}.csv", shipments, dirty=PROOF_DIRTY, direction=direction
        )
        ours: Said = {}
        theirs: Said = {}
        for number, post in enumerate(posts(path)):
            ours[str(number)] = together(by_engine(engine(post)))
            theirs[str(number)] = together(by_baseline(by_rows(post, desk)))
        same(f"verdicts and rules one by one ({direction})", ours, theirs)
        whole = gathered(path)
        same(
            f"verdicts and rules gathered ({direction})",
            by_engine(engine(whole)),
            by_baseline(by_rows(whole, desk)),
        )
        refused += refusals(ours)
    if not 0 < refused < 2 * shipments:
        raise Disagreement(f"{refused} of {2 * shipments} shipments are refused: nothing is proven")
