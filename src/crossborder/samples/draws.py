"""Repeatable draws: the same number for the same seed, purpose and index, however the work is cut in blocks.

A draw is the splitmix64 of the index, of the purpose's name and of the seed, all in columns. Nothing here
depends on the version of polars or of Python, or on the order in which draws are made.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from statistics import NormalDist

import polars as pl

_WORD = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_FIRST = 0xBF58476D1CE4E5B9
_SECOND = 0x94D049BB133111EB
_STEPS = 4096


def _u64(value: int) -> pl.Series:
    return pl.Series([value & _WORD], dtype=pl.UInt64)


@cache
def _normal_steps() -> pl.Series:
    normal = NormalDist()
    return pl.Series([normal.inv_cdf((i + 0.5) / _STEPS) for i in range(_STEPS)])


class Draws:
    """Draws for a column of indices (UInt64); every method gives a Series of the same height."""

    def __init__(self, index: pl.Series, seed: int) -> None:
        self._index = index.cast(pl.UInt64)
        self._seed = seed

    def word(self, purpose: str) -> pl.Series:
        """64 random bits for each index (UInt64)."""
        salt = zlib.crc32(purpose.encode()) * 0x1000193 + self._seed * 0x632BE59BD9B4E019
        z = self._index * _u64(_GOLDEN) + _u64(salt + _GOLDEN)
        z = (z ^ (z // _u64(1 << 30))) * _u64(_FIRST)
        z = (z ^ (z // _u64(1 << 27))) * _u64(_SECOND)
        return z ^ (z // _u64(1 << 31))

    def below(self, purpose: str, limit: int) -> pl.Series:
        """A whole number from 0 to `limit` - 1 (Int64)."""
        return (self.word(purpose) % _u64(limit)).cast(pl.Int64)

    def share(self, purpose: str, percent: float) -> pl.Series:
        """True for `percent` of the indices."""
        return self.below(purpose, 100_000) < round(percent * 1000)

    def pick(self, purpose: str, values: pl.Series) -> pl.Series:
        """One of `values`, each as likely as the other."""
        return values.gather(self.below(purpose, values.len()))

    def weighted(self, purpose: str, weights: Mapping[str, float]) -> pl.Series:
        """One of the keys, as often as its weight says (weights need not add up to 100)."""
        return pl.Series(list(weights)).gather(self.position(purpose, list(weights.values())))

    def position(self, purpose: str, weights: Sequence[float]) -> pl.Series:
        """The position of one of `weights`, as often as its weight says."""
        total, slots = sum(weights), 10_000
        table: list[int] = []
        reached = 0.0
        for position, weight in enumerate(weights):
            reached += weight
            table += [position] * (round(slots * reached / total) - len(table))
        return pl.Series(table, dtype=pl.Int64).gather(self.below(purpose, slots))

    def lognormal(self, purpose: str, median: pl.Series | float, sigma: float) -> pl.Series:
        """Lognormal with this median and this sigma of the logarithm (Float64)."""
        steps = _normal_steps().gather(self.below(purpose, _STEPS))
        return (steps * sigma).exp() * median


def shuffled(index: pl.Series, seed: int, size: int) -> pl.Series:
    """A number below `size` for each index, no two alike while indices are below `size` (Int64)."""
    step = 2_654_435_761
    while size % step == 0 or _common(step, size) != 1:
        step += 2
    moved = index.cast(pl.UInt64) * _u64(step % size) + _u64(seed * 7_919 % size)
    return (moved % _u64(size)).cast(pl.Int64)


def _common(a: int, b: int) -> int:
    while b:
        a, b = b, a % b
    return a
