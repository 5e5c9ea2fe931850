"""Questions over frames: the answers are those of the plain aggregates, however a question is asked."""

from __future__ import annotations

import threading
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossborder.shipments import asking
from crossborder.shipments.asking import FEW, MANY, Panel, Question, constant, filled

VALUES = st.sampled_from([None, "", "a", "b", "7", "１"])
ROWS = st.lists(st.tuples(VALUES, VALUES), min_size=0, max_size=2 * FEW + 4)
WHENS = {
    "equal": pl.col("x") == "a",
    "digits": pl.col("x").str.contains(r"^[0-9]$"),
    "empty": pl.col("y").is_null(),
    "both": (pl.col("x") == "a") & (pl.col("y") == "b"),
    "constant": pl.lit(value=True),
}
SIZES = st.sampled_from([1, 3, FEW + 3, MANY // 2 + 7])
KEPT = Panel(Question(when, keep=True) for when in WHENS.values())
"""Asked again and again, so that what is remembered from one frame meets the next."""


def frame_of(rows: list[tuple[Any, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"x": pl.String, "y": pl.String}, orient="row")


def plainly(frame: pl.DataFrame, when: pl.Expr) -> list[int]:
    mask = frame.lazy().with_columns(hit=when.fill_null(value=False)).collect(engine="in-memory")
    return [at for at, hit in enumerate(mask["hit"]) if hit]


def told(panel: Panel, frame: pl.DataFrame, **how: Any) -> list[list[int]]:
    found = panel.ask(frame, **how)
    return [found[i].to_list() if i in found else [] for i in range(len(panel.questions))]


@given(ROWS, SIZES)
def test_answers_are_those_of_a_filter(rows: list[tuple[Any, Any]], times: int) -> None:
    frame = frame_of(rows * times)
    wanted = [plainly(frame, when) for when in WHENS.values()]
    for panel in (KEPT, Panel(Question(when) for when in WHENS.values())):
        assert told(panel, frame) == wanted
        assert told(panel, frame, sparing=True) == wanted


@given(ROWS)
def test_only_what_is_wanted_is_answered(rows: list[tuple[Any, Any]]) -> None:
    frame = frame_of(rows)
    found = KEPT.ask(frame, [1, 3])
    assert found.keys() <= {1, 3}
    assert {i: places.to_list() for i, places in found.items()} == {
        i: places for i in (1, 3) if (places := plainly(frame, list(WHENS.values())[i]))
    }


@given(ROWS, SIZES)
def test_questions_across_rows_see_all_of_them(rows: list[tuple[Any, Any]], times: int) -> None:
    frame = frame_of(rows * times)
    twice = pl.col("x").is_not_null() & pl.col("x").is_duplicated()
    panel = Panel([Question(twice, across=True, keep=True)])
    for sparing in (True, False):
        assert told(panel, frame, sparing=sparing) == [plainly(frame, twice)]


@given(ROWS)
def test_constant_columns_and_filled_values(rows: list[tuple[Any, Any]]) -> None:
    frame = frame_of(rows)
    columns = {name: frame[name].to_list() for name in frame.columns}
    assert constant(frame, columns) == {n for n, v in columns.items() if len(set(v)) <= 1}
    assert filled(frame) == {n: sum(v is not None for v in vs) for n, vs in columns.items()}


def test_what_holds_in_one_row_is_not_remembered_of_another() -> None:
    panel = Panel([Question(pl.col("x") == "a", keep=True)])
    assert told(panel, frame_of([("a", None), ("b", None)])) == [[0]]
    assert told(panel, frame_of([("b", None)])) == [[]]
    assert told(panel, frame_of([("a", None)])) == [[0]]


def test_what_is_remembered_is_bounded() -> None:
    panel = Panel([Question(pl.col("x") == "a", keep=True)])
    for number in range(2000):
        panel.ask(frame_of([(str(number), None)]))
    (memory,) = panel.memories
    assert 0 < len(memory.told) <= 256
    assert memory.told["1999"] == []


def test_what_is_remembered_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    plain = asking.columns_of

    def counted(frame: pl.DataFrame, exprs: Any) -> list[pl.Series]:
        asked.append(len(exprs))
        return plain(frame, exprs)

    monkeypatch.setattr(asking, "columns_of", counted)
    panel = Panel(
        [
            Question(pl.col("x") == "a", keep=True),
            Question(pl.col("x").str.contains("b"), keep=True),
            Question(pl.col("y") == "a"),
        ]
    )
    for height in (1, 2, FEW, FEW + 1, 100):
        panel.ask(frame_of([("a", "b")] * height))
    assert asked == [3, 1, 1, 1, 1]


def test_several_threads_may_ask_at_once() -> None:
    wrong: list[str] = []

    def ask(letter: str) -> None:
        for number in range(200):
            value = letter if number % 2 else f"{letter}{number}"
            if told(KEPT, frame_of([(value, None)]), wanted=[0])[0] != [0] * (value == "a"):
                wrong.append(value)

    threads = [threading.Thread(target=ask, args=(letter,)) for letter in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
