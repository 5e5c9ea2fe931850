"""Masking first; keys normalised alike for one text and for a column; China time on any host."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossborder import china_time, keys, log


@pytest.fixture(autouse=True)
def _forget_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_personal", None)


def test_until_names_are_known_every_value_is_masked() -> None:
    assert log.mask(None, "info", {"event": "read", "rows": 5, "file": "a.csv"}) == {
        "event": "read", "rows": log.MASK, "file": log.MASK,
    }  # fmt: skip


def test_afterwards_only_personal_names_and_numbers_of_persons() -> None:
    log.know_personal({"receiver_name"})
    masked = log.mask(
        None, "info",
        {"event": "sent to 13812345678", "receiver_name": "someone", "note": "id 330100199001010001 here",
         "rows": 5, "deep": {"receiver_name": "x", "list": ["33010019900101000X", "ok"]}},
    )  # fmt: skip
    assert masked == {
        "event": f"sent to {log.MASK}", "receiver_name": log.MASK, "note": f"id {log.MASK} here", "rows": 5,
        "deep": {"receiver_name": log.MASK, "list": [log.MASK, "ok"]},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("written", "key"),
    [
        (" 999-1234 5675 ", "99912345675"),
        ("ab１２-c", "AB12C"),
        ("ＡＢ\u3000c", "ABC"),
        ("a\u2013b", "AB"),
    ],
)
def test_normalise(written: str, key: str) -> None:
    assert keys.normalise(written) == key


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Cn", "Co"]), max_size=12),
        min_size=1,
        max_size=8,
    )
)
def test_column_and_text_normalise_alike(texts: list[str]) -> None:
    column = pl.DataFrame({"t": texts}).select(keys.normalise_expr(pl.col("t")))["t"].to_list()
    assert column == [keys.normalise(t) for t in texts]
    assert keys.normalised(pl.Series(texts, dtype=pl.String)).to_list() == column


def test_key_expression_is_null_where_a_part_is() -> None:
    frame = pl.DataFrame({"m": ["9-1", None], "h": ["a b", "c"], "d": ["I", "E"]})
    made = frame.select(
        keys.declaration_key_expr(pl.col("m"), pl.col("h"), pl.col("d")).alias("k")
    )["k"]
    assert made.to_list() == [keys.declaration_key("9-1", "a b", "I"), None]


def test_china_time_whatever_the_host() -> None:
    moment = datetime(2026, 11, 23, 17, 30, 5, tzinfo=UTC)
    assert china_time.digits14(moment) == "20261124013005"
    assert china_time.send_time(moment) == "2026-11-24T01:30:05"
    assert china_time.parse(china_time.iso(moment)) == moment
    assert china_time.day(moment, "02:00").isoformat() == "2026-11-23"
    assert china_time.day(moment, "01:00").isoformat() == "2026-11-24"
