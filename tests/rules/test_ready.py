"""What is asked of a frame before a case itself: conditions that few values decide and that are nobody's personal data.

Broken by: a condition about a person that is remembered, one that is left out, and one that a case does not have.
"""

from __future__ import annotations

import polars as pl
import pytest

from crossborder import rules
from crossborder.rules.charsets import unusual
from crossborder.rules.check import looked_at
from crossborder.rules.model import Case
from crossborder.rules.ready import Ready, Said, inquiry
from crossborder.shipments.asking import FEW

RULE = next(rule for rule in rules.registry() if rule.applies_to == "all")
A, B = pl.col("direction") == "I", pl.col("packaging") == "2"
TWO_COLUMNS = pl.col("pieces") > pl.col("_pieces")
PERSONAL = pl.col("party_id").is_not_null()


def ready(when: pl.Expr, **said: object) -> Ready:
    case = Case(when, "packaging", "", "", **said)  # type: ignore[arg-type]
    return Ready(RULE, case, Said({}, None, {}))


@pytest.mark.parametrize(
    ("when", "gates"),
    [
        (A & B, [A, B]),
        (A & B & TWO_COLUMNS, [A, B]),
        (TWO_COLUMNS & (A & (B & PERSONAL)), [A, B]),
        (A & PERSONAL, [A]),
        (A | B, []),
        (A, []),
        (TWO_COLUMNS & PERSONAL, []),
        (A & (B | PERSONAL), [A]),
    ],
)
def test_gates_are_the_conditions_on_one_column_that_is_nobodys(
    when: pl.Expr, gates: list[pl.Expr]
) -> None:
    assert list(map(str, ready(when).question.only_if)) == list(map(str, gates))


def test_what_compares_shipments_has_no_gates() -> None:
    assert ready(A & B, over=("party_id",)).question.only_if == ()
    assert ready(A & B, screen=B & PERSONAL, over=("party_id",)).question.only_if == ()


def test_answers_are_kept_unless_they_are_about_persons_or_unusual_characters() -> None:
    assert ready(A).question.keep
    assert ready(A, holds="[x]").question.keep
    assert not ready(A, holds=unusual("code")).question.keep
    assert not ready(A & PERSONAL).question.keep


def test_behind_a_screen_too_nothing_about_persons_is_kept() -> None:
    screened = (
        ready(A, screen=B),
        ready(A & PERSONAL, screen=B),
        ready(A, screen=B, over=("pieces",)),
    )
    assert [one.own_question.keep for one in screened] == [True, False, True]
    assert [str(one.own_question.when) for one in screened[:2]] == [str(A), str(A & PERSONAL)]
    assert [one.own_question.across for one in screened] == [False, False, True]
    (together,) = inquiry(enumerate(screened)).bundles
    assert [memory.numbers for memory in together.panel.memories] == [(0,)]


@pytest.mark.parametrize("height", [1, FEW, FEW + 1, 300])
def test_what_a_screen_lets_through_is_asked_of_the_rows_it_let_through(height: int) -> None:
    one = ready(A, screen=B)
    rows = [("I" if n % 3 else "E", "2" if n % 2 else "1") for n in range(2 * height)]
    frame = pl.DataFrame(rows, schema=["direction", "packaging"], orient="row")
    asked = inquiry([(7, one)])
    for _ in range(2):  # the second time few are remembered
        fired = list(looked_at(frame, asked, [0]))
        places = [n for n, row in enumerate(rows) if row == ("I", "2")]
        assert [(f.position, f.places.to_list()) for f in fired] == (
            [(7, places)] if places else []
        )


def test_a_case_is_asked_about_its_class_in_the_days_of_its_rule() -> None:
    rule = next(rule for rule in rules.registry() if rule.applies_to == "B")
    one = Ready(rule, Case(A, "packaging", "", ""), Said({}, None, {}))
    assert str(one.when) == str((pl.col("_class") == "B") & A)
    assert str(one.within(B).when) == str((pl.col("_class") == "B") & (A & B))
