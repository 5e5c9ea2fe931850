"""`receipts`: finished receipts to one frame."""

from __future__ import annotations

from pathlib import Path

from benchmarks import data
from benchmarks.baseline import receipts
from benchmarks.contests.contest import Contest, Disagreement, Line, same
from benchmarks.sizes import Sizes
from benchmarks.timing import Case
from crossborder import messages


def contest(sizes: Sizes, _: Path) -> Contest:
    """The proven skeleton against an lxml tree per receipt, both into the same frame."""
    items = data.receipt_items(sizes.columnar)
    few = items[: max(sizes.rowwise, len(items) // 4)]
    return Contest(
        lambda: prove(items[: max(sizes.proof, len(items) // 4)]),
        [
            Case("skeleton", lambda _: messages.read_receipts(items), len(items)),
            Case("lxml", lambda _: receipts.read(few), len(few)),
        ],
        [Line("receipts", "receipts to one frame", "lxml per receipt into the same frame", "skeleton", "lxml")],
    )  # fmt: skip


def prove(items: list[tuple[str, bytes]]) -> None:
    """Both give the same frame, every row and column."""
    read = messages.read_receipts(items)
    if read.problems.height:
        raise Disagreement(f"{read.problems.height} receipts were not read")
    theirs = receipts.read(items)
    same(
        "receipts",
        {str(row["index"]): row for row in read.lines.to_dicts()},
        {str(row["index"]): row for row in theirs.to_dicts()},
    )
