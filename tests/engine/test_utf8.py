"""Bytes of a column as polars keeps them: the same as encoding each text, however they lie."""

from __future__ import annotations

import gc
from itertools import accumulate, pairwise

import polars as pl
import pytest

from crossborder.engine import utf8

LONG = "报关单已放行，请核对。" * 7
TEXTS = [
    "",
    "a",
    "12 bytes here"[:12],
    "13 bytes here",
    LONG,
    "é",
    LONG[:5],
    *(f"{n}{LONG}" for n in range(2000)),
]


def encoded(texts: pl.Series) -> tuple[bytes, list[int]]:
    bodies = [text.encode() for text in texts]
    return b"".join(bodies), [len(body) for body in bodies]


def told(texts: pl.Series) -> tuple[bytes, list[int]]:
    runs, lengths = utf8.runs(texts)
    return b"".join(runs), lengths


@pytest.mark.parametrize(
    "texts",
    [
        pl.Series(TEXTS),
        pl.Series(TEXTS)[3:40],
        pl.Series(TEXTS)[::-1],
        pl.Series(TEXTS).sort(),
        pl.Series(TEXTS).filter(pl.Series([n % 3 == 0 for n in range(len(TEXTS))])),
        pl.Series(TEXTS).gather([7, 7, 6, 900, 4, 0]),
        pl.concat([pl.Series(TEXTS[:9]), pl.Series([], dtype=pl.String), pl.Series(TEXTS[4:])], rechunk=False),
        pl.Series([""] * 3),
        pl.Series([], dtype=pl.String),
    ],
    ids=["whole", "slice", "backwards", "sorted", "filtered", "gathered", "chunks", "empty texts", "no texts"],
)  # fmt: skip
def test_bytes_are_those_of_each_text(texts: pl.Series) -> None:
    assert told(texts) == encoded(texts)


def test_no_text_is_divided_and_composed_ones_lie_together() -> None:
    frame = pl.DataFrame({"a": TEXTS, "b": TEXTS[::-1]})
    made = frame.select(pl.concat_str("a", pl.lit("|"), "b")).to_series()
    runs, lengths = utf8.runs(made)
    ends, cuts = set(accumulate(lengths)), list(accumulate(map(len, runs)))
    assert set(cuts) <= ends
    assert len(runs) < 20
    for a, b in pairwise([0, *cuts]):
        assert b > a


def test_bytes_stay_when_the_column_is_gone_and_cannot_be_changed() -> None:
    texts = pl.Series([f"{n}{LONG}" for n in range(5000)])
    whole, _ = encoded(texts)
    runs, _ = utf8.runs(texts)
    del texts
    gc.collect()
    others = [pl.Series([f"{LONG}{n}" for n in range(5000)]) for _ in range(5)]
    assert b"".join(runs) == whole
    assert len(others) == 5
    with pytest.raises(TypeError, match="read-only"):
        runs[0][0] = 0


@pytest.mark.parametrize("texts", [pl.Series(["a", None]), pl.Series([1, 2])])
def test_other_columns_are_refused(texts: pl.Series) -> None:
    with pytest.raises(ValueError, match="String"):
        utf8.runs(texts)
