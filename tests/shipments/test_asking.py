"""Questions over frames: the answers are those of the plain aggregates, however a question is asked."""

from __future__ import annotations

import threading
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossborder.shipments import asking
from crossborder.shipments.asking import FEW, MANY, Panel, Question, constant, filled, holds

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


LOOKING = {
    "given": Question(pl.col("x").is_null(), keep=True, looks={"x": "given"}),
    "length": Question(pl.col("x").str.len_chars() > 1, keep=True, looks={"x": "length"}),
    "digits": Question(
        ~pl.col("x").str.contains(r"\A[0-9]{1,2}\z"), keep=True, looks={"x": "digits"}
    ),
    "both": Question(
        (pl.col("x").str.len_chars() > 1) & (pl.col("y") == "b"), keep=True, looks={"x": "length"}
    ),
    "value": Question(pl.col("x") == "7", keep=True),
}
LOOKERS = Panel(LOOKING.values())
TEXTS = st.sampled_from([None, "", "a", "b", "7", "8", "70", "12", "123", "１", "a1", "陈"])


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=0, max_size=2 * FEW + 4), SIZES)
def test_answers_that_depend_on_less_than_a_value(rows: list[tuple[Any, Any]], times: int) -> None:
    frame = frame_of(rows * times)
    wanted = [plainly(frame, question.when) for question in LOOKING.values()]
    for panel in (LOOKERS, Panel(LOOKING.values())):
        assert told(panel, frame) == wanted
        assert told(panel, frame, sparing=True) == wanted


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many expressions were handed to polars, query by query."""
    counts: list[int] = []
    plain = asking.columns_of

    def counted(frame: pl.DataFrame, exprs: Any) -> list[pl.Series]:
        counts.append(len(exprs))
        return plain(frame, exprs)

    monkeypatch.setattr(asking, "columns_of", counted)
    return counts


@pytest.mark.parametrize(
    ("name", "first", "same", "other"),
    [
        ("given", "a", "陈", None),
        ("length", "a", "陈", "ab"),
        ("digits", "70", "19", "7"),
        ("value", "7", "7", "8"),
    ],
)
def test_what_looks_the_same_is_not_asked_again(
    name: str, first: str, same: str, other: str | None, asked: list[int]
) -> None:
    panel = Panel([LOOKING[name]])
    for value in (first, same, other):
        panel.ask(frame_of([(value, None)]))
    assert asked == [1, 0, 1]


GATED = {
    "shut by one": Question(
        (pl.col("x") == "a") & (pl.col("y") == "b"), only_if=(pl.col("x") == "a",)
    ),
    "shut by either": Question(
        (pl.col("x") == "a") & pl.col("y").is_null() & (pl.col("x") + "?" == "a?"),
        only_if=(pl.col("x") == "a", pl.col("y").is_null()),
        keep=True,
    ),
    "open": Question(pl.col("x").str.contains("[a-z]")),
    "shut": Question((pl.col("y") == "nowhere") & (pl.col("x") == "a"), only_if=(pl.col("y") == "nowhere",)),
}  # fmt: skip
GATES = Panel(GATED.values())


@given(ROWS, SIZES)
def test_conditions_shut_no_question_that_holds(rows: list[tuple[Any, Any]], times: int) -> None:
    frame = frame_of(rows * times)
    wanted = [plainly(frame, question.when) for question in GATED.values()]
    for panel in (GATES, Panel(GATED.values())):
        assert told(panel, frame) == wanted
        assert told(panel, frame, sparing=True) == wanted
        assert told(panel, frame, wanted=[0, 3]) == [wanted[0], [], [], wanted[3]]


@pytest.mark.parametrize("height", [1, FEW + 1, MANY])
def test_what_is_shut_is_not_asked(height: int, asked: list[int]) -> None:
    panel = Panel(GATED.values())
    frame = frame_of([("c", "d")] * height)
    assert told(panel, frame, sparing=True) == [[], [], list(range(height)), []]
    del asked[:]
    assert told(panel, frame, sparing=True) == [[], [], list(range(height)), []]
    assert sum(asked) == 1


@pytest.mark.parametrize("times", [1, FEW, 100])
def test_a_form_is_one_of_the_whole_text_in_either_dialect(times: int) -> None:
    form = r"^[0-9]{1,3}\.[0-9]{2,}$"
    values: dict[str | None, bool] = {
        "1.25": True, "1.2": False, "１.25": False, "1.25\n": False, "x1.25": False, "": False, None: False,
    }  # fmt: skip
    for value, found in values.items():
        assert holds(pl.Series([None, value] * times, dtype=pl.String), form) is found


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
