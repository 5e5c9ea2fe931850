"""The bytes of many documents, in as few pieces as they lie in: nothing is copied to gather them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

Run = bytes | memoryview
"""Whole documents one after another, as bytes."""


@dataclass(frozen=True)
class Payload:
    """Documents one after another in `runs`, none divided between two; `lengths` (bytes), `digests` (SHA-256, hex) of each.

    Two with the same digests are equal, however their bytes lie.
    """

    runs: Sequence[Run] = field(compare=False)
    lengths: Sequence[int]
    digests: Sequence[str]

    @classmethod
    def cut(cls, runs: Sequence[Run], lengths: Sequence[int]) -> Payload:
        """Documents that lie in `runs` already, without gaps."""
        sha256 = hashlib.sha256
        return cls(runs, lengths, [sha256(one).hexdigest() for one in each(runs, lengths)])

    @classmethod
    def of(cls, bodies: Iterable[bytes]) -> Payload:
        """Documents as single bytes."""
        kept = list(bodies)
        return cls.cut([b"".join(kept)], [len(body) for body in kept])

    @property
    def size(self) -> int:
        """Bytes of all documents together."""
        return sum(map(len, self.runs))

    def bodies(self) -> Iterator[memoryview]:
        """Each document."""
        return each(self.runs, self.lengths)

    def part(self, first: int, stop: int) -> Payload:
        """The documents from `first` to before `stop`."""
        start = sum(self.lengths[:first])
        runs = self.between(start, start + sum(self.lengths[first:stop]))
        return Payload(runs, self.lengths[first:stop], self.digests[first:stop])

    def without(self, positions: Iterable[int]) -> Payload:
        """All documents but some."""
        count, ends = len(self.lengths), [0, *accumulate(self.lengths)]
        dropped = sorted({p for p in positions if 0 <= p < count})
        runs: list[Run] = []
        for before, after in pairwise([-1, *dropped, count]):
            runs += self.between(ends[before + 1], ends[after])
        gone = frozenset(dropped)
        kept = [n for n in range(count) if n not in gone]
        return Payload(runs, [self.lengths[n] for n in kept], [self.digests[n] for n in kept])

    def between(self, start: int, stop: int) -> list[Run]:
        """The bytes from `start` to before `stop`, counted over all runs."""
        found: list[Run] = []
        begin = 0
        for run in self.runs:
            end = begin + len(run)
            if begin < stop and start < end:
                found.append(memoryview(run)[max(start - begin, 0) : stop - begin])
            begin = end
        return found


def each(runs: Sequence[Run], lengths: Sequence[int]) -> Iterator[memoryview]:
    """Each document of some runs; a run ends where a document ends."""
    following = iter(runs)
    view, begin = memoryview(b""), 0
    for length in lengths:
        while begin == len(view) and length:
            view, begin = memoryview(next(following)), 0
        yield view[begin : begin + length]
        begin += length
