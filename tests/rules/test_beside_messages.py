"""Rules and the checks compiled from the schema, side by side on the examples: one fault, one rule."""

from __future__ import annotations

import polars as pl
import pytest

from crossborder import messages, rules
from crossborder.codes import Tables
from crossborder.rules.examples import frames_of
from crossborder.rules.model import Example

RULES = {rule.id: rule for rule in rules.registry()}
PLAN = messages.compile_plan("EXP301")


def refused(example: Example) -> set[str]:
    """Rules by which the compiled checks refuse an example (DDate is set when it is composed)."""
    frames = frames_of(example)
    found = PLAN.check(PLAN.project(frames), frames, Tables())
    return set(
        found.filter((pl.col("action") == "reject") & (pl.col("element") != "DDate"))["rule"]
    )


@pytest.mark.parametrize("rule_id", RULES)
def test_a_passing_example_is_complete(rule_id: str) -> None:
    assert refused(RULES[rule_id].passing) == set()


@pytest.mark.parametrize("rule_id", RULES)
def test_a_failing_example_is_refused_under_no_second_id(rule_id: str) -> None:
    assert refused(RULES[rule_id].failing) <= {rule_id}
