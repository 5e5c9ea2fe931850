"""Questions over frames: the answers are those of the plain aggregates, however a question is asked."""

from __future__ import annotations

import threading
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from crossborder.shipments.asking import FEW, Question, answers, constant, filled

VALUES = st.sampled_from([None, "", "a", "b", "7", "１"])
ROWS = st.lists(st.tuples(VALUES, VALUES), min_size=0, max_size=2 * FEW + 4)
WHENS = {
    "equal": pl.col("x") == "a",
    "digits": pl.col("x").str.contains(r"^[0-9]$"),
    "empty": pl.col("y").is_null(),
    "both": (pl.col("x") == "a") & (pl.col("y") == "b"),
    "constant": pl.lit(value=True),
}
KEPT = [Question(when, keep=True) for when in WHENS.values()]
"""Asked again and again, so that what is remembered from one frame meets the next."""


def frame_of(rows: list[tuple[Any, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"x": pl.String, "y": pl.String}, orient="row")


def plainly(frame: pl.DataFrame, when: pl.Expr) -> bool:
    return frame.filter(when.fill_null(value=False)).height > 0


@given(ROWS)
def test_answers_are_those_of_a_filter(rows: list[tuple[Any, Any]]) -> None:
    frame = frame_of(rows)
    wanted = [plainly(frame, when) for when in WHENS.values()]
    for questions in (KEPT, [Question(when) for when in WHENS.values()]):
        assert answers(frame, questions) == wanted
        assert answers(frame, questions, sparing=True) == wanted


@given(ROWS)
def test_questions_across_rows_see_all_of_them(rows: list[tuple[Any, Any]]) -> None:
    frame = frame_of(rows)
    twice = pl.col("x").is_not_null() & pl.col("x").is_duplicated()
    wanted = [plainly(frame, twice)]
    for sparing in (True, False):
        assert answers(frame, [Question(twice, across=True, keep=True)], sparing=sparing) == wanted


@given(ROWS)
def test_constant_columns_and_filled_values(rows: list[tuple[Any, Any]]) -> None:
    frame = frame_of(rows)
    columns = {name: frame[name].to_list() for name in frame.columns}
    assert constant(frame, columns) == {n for n, v in columns.items() if len(set(v)) <= 1}
    assert filled(frame) == {n: sum(v is not None for v in vs) for n, vs in columns.items()}


def test_a_yes_about_several_rows_is_not_kept_for_each_of_them() -> None:
    question = Question(pl.col("x") == "a", keep=True)
    assert answers(frame_of([("a", None), ("b", None)]), [question]) == [True]
    assert answers(frame_of([("b", None)]), [question]) == [False]
    assert answers(frame_of([("a", None)]), [question]) == [True]


def test_what_is_remembered_is_bounded_and_asked_of_polars_only_once() -> None:
    question = Question(pl.col("x") == "a", keep=True)
    for number in range(2000):
        answers(frame_of([(str(number), None)]), [question])
    assert len(question._kept) < 300
    assert question.recall([{"x": "1999"}]) == (False, [])


def test_several_threads_may_ask_at_once() -> None:
    wrong: list[str] = []

    def ask(letter: str) -> None:
        for number in range(200):
            value = letter if number % 2 else f"{letter}{number}"
            if answers(frame_of([(value, None)]), KEPT[:1]) != [value == "a"]:
                wrong.append(value)

    threads = [threading.Thread(target=ask, args=(letter,)) for letter in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
