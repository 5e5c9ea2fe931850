"""The columnar rules against a slow, obvious reading of the same rules, on messy shipments of drawn seeds."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import polars as pl
import pytest

from crossborder import rules
from crossborder.codes import RATES_SCHEMA, Tables
from crossborder.rules.examples import frames_of
from crossborder.rules.model import Example
from crossborder.rules.prepare import prepare
from crossborder.rules.ready import ready
from crossborder.settings import Profile
from crossborder.shipments import FrameSet

from . import messy, rowwise


@cache
def context() -> rules.Context:
    rates = pl.DataFrame(
        [(c, "202611", rate, False) for c, rate in (("502", "7.1003"), ("116", "0.04871"))],
        schema=RATES_SCHEMA,
        orient="row",
    )
    tables = Tables().with_rates(rates)
    return rules.Context(tables, Profile(), "20261123", served_prefixes=frozenset({"29", "31"}))


def batch(seed: int, size: int) -> FrameSet:
    rng = random.Random(seed)
    return frames_of(Example(tuple(messy.parcel(rng) for _ in range(size))))


def rowwise_ships(frames: FrameSet) -> list[rowwise.Ship]:
    lines: dict[int, list[rowwise.Row]] = {ship: [] for ship in frames.shipments["ship"]}
    for row in frames.goods.to_dicts():
        lines[row["ship"]].append(row)
    return [rowwise.Ship(head, lines[head["ship"]]) for head in frames.shipments.to_dicts()]


def refused(found: pl.DataFrame) -> set[tuple[int, str]]:
    rows = found.filter(pl.col("severity") == "reject", pl.col("action") == "reject")
    return set(rows.select("ship", "rule").iter_rows())


def test_questions_hold_only_where_their_conditions_do() -> None:
    """Every question of every rule that names conditions (`only_if`), asked of messy shipments."""
    frames = prepare(batch(11, 400), context()).frames
    seen = 0
    for rule in rules.registry():
        for one in ready(rule, context()):
            question = one.question
            if question.only_if:
                when = question.when & ~pl.all_horizontal(question.only_if).fill_null(value=False)
                assert not frames[one.case.frame].select(when.any()).item(), rule.id
                seen += 1
    assert seen > 50


@cache
def judged(seed: int) -> tuple[FrameSet, set[tuple[int, str]]]:
    """A batch and what is refused in it, read row by row."""
    frames = batch(seed, 500)
    return frames, rowwise.judge(rowwise_ships(frames), context())


@pytest.mark.parametrize("seed", range(6))
def test_refusals_agree_row_by_row(seed: int) -> None:
    frames, expected = judged(seed)
    assert sorted(refused(rules.check(frames, context())) ^ expected) == []


def test_the_batches_break_every_rule() -> None:
    assert {rule for seed in range(6) for _, rule in judged(seed)[1]} == rowwise.JUDGED


def test_every_rejecting_rule_is_judged() -> None:
    rejecting = {
        one.rule.id
        for rule in rules.registry()
        for one in ready(rule, context())
        if (one.case.severity or rule.severity) == "reject"
    }
    assert rejecting == rowwise.JUDGED


@pytest.mark.parametrize("seed", range(100, 103))
def test_small_frames_are_judged_like_large_ones(seed: int) -> None:
    """One by one, what is remembered from one shipment must not speak about another."""
    frames = batch(seed, 120)
    whole = rules.check(frames, context())
    apart = [
        rules.check(frames.take(pl.Series([ship], dtype=pl.UInt32)), context())
        for ship in frames.shipments["ship"]
    ]
    alone = {rule.id for rule in rules.registry()} - across()
    mine = pl.col("rule").is_in(alone)
    assert pl.concat(apart).filter(mine).equals(whole.filter(mine))


def test_two_threads_judge_different_blocks_with_one_context() -> None:
    blocks = [batch(seed, 60 if seed % 2 else 5) for seed in range(200, 216)]
    wanted = [rules.check(block, context()) for block in blocks]
    fresh = rules.Context(context().tables, Profile(), "20261123", None, context().served_prefixes)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda block: rules.check(block, fresh), blocks))
    assert all(a.equals(b) for a, b in zip(found, wanted, strict=True))


def across() -> set[str]:
    """The rules with a case that says `over`: that compares shipments with each other."""
    return {r.id for r in rules.registry() if any(case.over for case in r.cases(context()))}


def test_only_rules_that_say_so_look_across_shipments() -> None:
    """Judged together and judged apart, only the rules with `over` differ; and each of those does."""
    assert across() == {"CLS-17", "EXP-48", "ID-07"}
    for rule in (rule for rule in rules.registry() if rule.id in across()):
        frames = frames_of(rule.failing)
        assert rules.check_rules(frames, context(), [rule]).height
        for ship in frames.shipments["ship"]:
            one = frames.take(pl.Series([ship], dtype=pl.UInt32))
            assert not rules.check_rules(one, context(), [rule]).height


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_cases_are_silent_where_their_column_is_empty(seed: int) -> None:
    """`blank` is told of every case that speaks without a value: else whole columns could be passed over wrongly."""
    frames = batch(seed, 250)
    for rule in rules.registry():
        for one in ready(rule, context()):
            if one.case.blank:
                continue
            assert one.case.column
            emptied = {
                name: frame.with_columns(pl.lit(None, dtype=pl.String).alias(one.case.column))
                if name == one.case.frame
                else frame
                for name, frame in (("shipments", frames.shipments), ("goods", frames.goods), ("documents", frames.documents))
            }  # fmt: skip
            prepared = prepare(FrameSet(**emptied), context()).frames[one.case.frame]
            rows = prepared if one.screen is None else prepared.filter(one.screen)
            assert not rows.filter(one.when).height, (rule.id, one.case.zh)
