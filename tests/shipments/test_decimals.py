"""Decimals lose the zeros that say nothing, and nothing else, in frames of any size.

Broken by: a zero that counts is dropped, an idle one is kept, or a value ends in another row or column.
"""

from __future__ import annotations

import re
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossborder.shipments.asking import FEW
from crossborder.shipments.decimals import tidied

DECIMALS = st.one_of(
    st.from_regex(r"[0-9]{1,25}(\.[0-9]{1,9})?", fullmatch=True),
    st.sampled_from(
        ["0", "00", "0.0", "00.50", "0.005", "0120", "100", "1.", ".5", "-1", "1e5", "1.50\n", "abc", "１２", "", "0.0.0"]
    ),
)  # fmt: skip


@given(st.lists(st.none() | DECIMALS, min_size=1, max_size=2 * FEW + 3))
def test_decimals_keep_their_value_in_the_shortest_form(drawn: list[str | None]) -> None:
    frame = pl.DataFrame({"v": drawn, "w": drawn[::-1], "x": drawn}, schema_overrides=dict.fromkeys("vwx", pl.String))  # fmt: skip
    made = tidied(frame, ["v", "w"])
    assert made["x"].to_list() == drawn
    assert made["w"].to_list() == made["v"].to_list()[::-1]
    for before, after in zip(drawn, made["v"], strict=True):
        if before is not None and re.fullmatch(r"[0-9]+(\.[0-9]+)?", before) and before.isascii():
            assert Decimal(after) == Decimal(before)
            assert re.fullmatch(r"(0|[1-9][0-9]*)(\.[0-9]*[1-9])?", after)
        else:
            assert after == before


@pytest.mark.parametrize("times", [1, FEW, 1000])
def test_only_values_with_idle_zeros_are_touched(times: int) -> None:
    frame = pl.DataFrame(
        {"a": ["1.50", "10"] * times, "b": [None, "7"] * times, "c": ["1.0", "x"] * times}
    )
    assert tidied(frame, ["a", "b"]).to_dict(as_series=False) == {
        "a": ["1.5", "10"] * times, "b": [None, "7"] * times, "c": ["1.0", "x"] * times,
    }  # fmt: skip
    assert frame["a"][0] == "1.50"


@given(st.lists(DECIMALS, min_size=1, max_size=FEW))
def test_few_values_become_what_many_become(drawn: list[str]) -> None:
    few = pl.DataFrame({"v": drawn}, schema={"v": pl.String})
    many = pl.concat([few] * (FEW + 1))
    assert tidied(many, ["v"]).head(few.height).equals(tidied(few, ["v"]))
