"""Files as intake cuts them: however small the blocks, a hand-in ends as the whole file does."""

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path

import pytest

from crossborder import intake, samples
from crossborder.engine import sources

from .test_blocks import dirty_day, hand_in


@pytest.mark.parametrize(
    ("suffix", "size"),
    [
        (".csv", 20_000),
        pytest.param(".csv", 90_000, marks=pytest.mark.slow),
        (".parquet", 20_000),
        pytest.param(".ndjson", 20_000, marks=pytest.mark.slow),
    ],
)
def test_the_end_is_that_of_the_whole_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, size: int
) -> None:
    file = tmp_path / f"day{suffix}"
    day = dirty_day("I")
    samples.write(dataclasses.replace(day, dirt=day.dirt.clear()), "elements", file)
    whole, _ = hand_in(tmp_path / "whole", file)
    small = partial(intake.open_blocks, block_bytes=size)
    with small(file, mapping="elements") as blocks:
        assert len(list(blocks)) > 1
    monkeypatch.setattr(sources, "open_blocks", small)
    cut, _ = hand_in(tmp_path / "cut", file)
    assert cut == whole
