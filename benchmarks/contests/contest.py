"""The shape of a contest, and what says that the sides disagree."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from lxml import etree

from benchmarks.sizes import Sizes
from benchmarks.timing import Case

_T = TypeVar("_T")


class Disagreement(Exception):
    """The two sides do not give the same, so nothing may be timed."""


@dataclass(frozen=True)
class Line:
    """One line of the report: `baseline` in words, and the names of the two cases it compares."""

    name: str
    work: str
    baseline: str
    ours: str
    theirs: str


@dataclass(frozen=True)
class Contest:
    """`prove` raises `Disagreement`; `cases` are raced together; `besides` is what else the result tells.

    `most_rounds`: a contest whose rounds are long is raced in so many at most; 0: in as many as the others.
    """

    prove: Callable[[], None]
    cases: Sequence[Case]
    lines: Sequence[Line]
    besides: Callable[[], Mapping[str, Any]] = dict
    most_rounds: int = 0

    def rounds(self, usual: int) -> int:
        """How many rounds it is raced in, where the others have `usual`."""
        return min(usual, self.most_rounds or usual)


Maker = Callable[[Sizes, Path], Contest]
"""Makes a contest; the folder is its own, for files."""


def same(what: str, ours: Mapping[str, _T], theirs: Mapping[str, _T]) -> None:
    """Raise `Disagreement` naming the first key under which the two differ."""
    for key in sorted({*ours, *theirs}):
        if key not in ours or key not in theirs or ours[key] != theirs[key]:
            raise Disagreement(
                f"{what}: {key}: engine {ours.get(key, 'nothing')!r}, baseline {theirs.get(key, 'nothing')!r}"
            )


def same_xml(key: str, ours: bytes, theirs: bytes) -> None:
    """Raise `Disagreement` unless two documents are canonically the same."""
    a, b = canonical(ours), canonical(theirs)
    if a != b:
        told = difflib.unified_diff(
            a.decode().replace("><", ">\n<").split("\n"), b.decode().replace("><", ">\n<").split("\n"),
            "engine", "baseline", n=0, lineterm="",
        )  # fmt: skip
        raise Disagreement(f"document {key} differs: {' '.join(list(told)[:8])}")


def canonical(xml: bytes) -> bytes:
    """The canonical form (C14N 1.0) of a document."""
    made: bytes = etree.tostring(etree.fromstring(xml), method="c14n")
    return made
