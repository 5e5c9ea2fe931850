"""Draws are what the reference says they are, whatever the block."""

from __future__ import annotations

import zlib

import polars as pl
import pytest

from crossborder.samples.draws import Draws, shuffled

WORD = (1 << 64) - 1


def splitmix(index: int, purpose: str, seed: int) -> int:
    """The reference, one number at a time in plain integers."""
    salt = zlib.crc32(purpose.encode()) * 0x1000193 + seed * 0x632BE59BD9B4E019
    z = (index * 0x9E3779B97F4A7C15 + salt + 0x9E3779B97F4A7C15) & WORD
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & WORD
    return z ^ (z >> 31)


def test_words_equal_the_reference_in_plain_integers() -> None:
    index = [0, 1, 2, 49_999, 1_000_000, 2**32 - 1]
    for purpose, seed in (("class", 0), ("名称", 7), ("class", 2**40)):
        drawn = Draws(pl.Series(index, dtype=pl.UInt64), seed).word(purpose).to_list()
        assert drawn == [splitmix(i, purpose, seed) for i in index]


def test_a_draw_does_not_depend_on_the_block_it_is_made_in() -> None:
    whole = Draws(pl.int_range(1000, eager=True), 5)
    part = Draws(pl.int_range(400, 600, eager=True), 5)
    assert (
        whole.lognormal("w", 800, 0.9)[400:600].to_list() == part.lognormal("w", 800, 0.9).to_list()
    )


def test_other_purposes_and_seeds_draw_otherwise() -> None:
    index = pl.int_range(1000, eager=True)
    first = Draws(index, 1).below("a", 1000)
    assert (first == Draws(index, 1).below("b", 1000)).sum() < 20
    assert (first == Draws(index, 2).below("a", 1000)).sum() < 20


def test_weights_come_out_as_asked() -> None:
    drawn = Draws(pl.int_range(100_000, eager=True), 3).weighted("c", {"B": 70, "C": 24, "A": 5})
    share = {k: n / 1000 for k, n in drawn.value_counts().iter_rows()}
    assert share["B"] == pytest.approx(70 / 0.99, abs=0.6)
    assert share["C"] == pytest.approx(24 / 0.99, abs=0.6)
    assert share["A"] == pytest.approx(5 / 0.99, abs=0.3)


def test_the_lognormal_has_its_median_and_spread() -> None:
    drawn = Draws(pl.int_range(100_000, eager=True), 3).lognormal("w", 800, 0.9)
    assert drawn.median() == pytest.approx(800, rel=0.03)
    assert drawn.log().std() == pytest.approx(0.9, rel=0.02)


@pytest.mark.parametrize("size", [10_000_000, 10**8, 19_358 * 999, 2_654_435_761])
def test_shuffled_numbers_are_never_alike(size: int) -> None:
    numbers = shuffled(pl.int_range(200_000, eager=True), 12345, size)
    assert numbers.n_unique() == 200_000
    assert numbers.min() >= 0
    assert numbers.max() < size
