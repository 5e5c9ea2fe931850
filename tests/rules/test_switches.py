"""Every rule that no text of law states can be set by a profile, and the result says what did not run (promise P2).

Broken by: a switch that changes nothing, one that makes a parcel valid without a word, one that lets through what cannot be
filed, or a misspelt rule that is passed over.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from crossborder import rules
from crossborder.engine import explain_rule, pure, rule_records
from crossborder.errors import SettingsError
from crossborder.rules import Context, Example, Parcel
from crossborder.rules.examples import context_of, frames_of
from crossborder.rules.grades import action_of
from crossborder.rules.switches import graded
from crossborder.settings import Operator, Profile
from crossborder.shipments import findings

FACTS = Path(__file__).resolve().parents[2] / "fixtures" / "rules"
ELSEWHERE = {"ID-18": "endpoints.NAME.districts", "TAX-06": "tax_parameters", "TAX-09": "profiles.NAME.options.goods_exemption"}  # fmt: skip
"""Inferred rules that are not set by `[profiles.NAME.rules]`, and what sets them."""
KEPT = {"EXP-48", "TXT-04"}
"""Rules of whose failing examples the ledger or XML takes none: what cannot be filed is refused whatever is set."""
MILD = {"EXP-20"}
"""Rules whose failing example shows one of their weaker cases, which stays weak."""
SET = [r for r in rules.switches() if r != "LIM-12"]
ENTRIES = {e.id: e for e in rules.catalogue()}


def context(example: Example, **grades: str) -> Context:
    found = context_of(example)
    named = {rule.replace("_", "-"): grade for rule, grade in grades.items()}
    return replace(found, profile=found.profile.model_copy(update={"rules": named}), memo={})


def judged(example: Example, **grades: str) -> pl.DataFrame:
    """All that the whole of judging finds."""
    ctx = context(example, **grades)
    found_here = pure._judge(frames_of(example), ctx, Operator(), None)[1]
    return pl.concat([found_here, rules.judged_with_earlier(example, ctx)])


def failing(rule: str) -> Example:
    entry = ENTRIES[rule]
    assert entry.rule is not None
    return entry.rule.failing


def actions(found: pl.DataFrame, rule: str) -> set[tuple[str, str]]:
    mine = found.filter(pl.col("rule") == rule, pl.col("ship").is_not_null())
    return set(mine.select("severity", "action").rows())


def test_every_inferred_rule_that_is_carried_out_can_be_set() -> None:
    """The facts say which rules are inferred, and that these are settings."""
    with (FACTS / "rules.csv").open(encoding="utf-8", newline="") as file:
        inferred = {r["rule_id"] for r in csv.DictReader(file) if r["source_quality"] == "inferred"}
    carried_out = {e.id for e in rules.catalogue() if e.status == "implemented"}
    assert inferred & carried_out == {*SET, *ELSEWHERE}
    for rule, setting in ELSEWHERE.items():
        assert any(setting in one["option"] for one in explain_rule(rule)["switches"]), rule


@pytest.mark.parametrize("rule", SET)
def test_a_rule_follows_its_switch(rule: str) -> None:
    example = failing(rule)
    own = rules.switches()[rule].default
    before = actions(judged(example), rule)
    assert before
    if rule in KEPT:
        for grade in ("off", "note", "hold", "reject"):
            assert actions(judged(example, **{rule: grade}), rule) == before
        return
    assert actions(judged(example, **{rule: "off"}), rule) == set()
    assert actions(judged(example, **{rule: "note"}), rule) == {("warn", "note")}
    if rule in MILD:
        return
    assert own in {action for _, action in before}
    for grade in ("hold", "reject"):
        severity = "reject" if grade == "reject" else "warn"
        assert (severity, grade) in actions(judged(example, **{rule: grade}), rule)
    assert actions(judged(example, **{rule: own}), rule) == before


@pytest.mark.parametrize("rule", SET)
def test_what_is_switched_off_is_told_once(rule: str) -> None:
    example = Example((Parcel(), Parcel(head={"master_waybill": "999-76543211"})))
    found = judged(example, **{rule: "off"})
    told = found.filter(pl.col("rule") == rule, pl.col("ship").is_null())
    assert told.select("severity", "action").rows() == [("not_evaluated", "mark")]
    assert "switched off" in told["en"][0]
    assert "关闭" in told["zh"][0]
    assert rule in set(rules.unevaluated(context(example, **{rule: "off"}))["rule"])
    assert judged(example).filter(pl.col("ship").is_null(), pl.col("rule") == rule).is_empty()


def test_weaker_cases_stay_as_weak_as_they_are() -> None:
    """Full-width letters in free text are a note, in a number they are refused; the switch says what follows at most."""
    free = Example((Parcel(head={"remarks": "ＡＢＣ"}),))
    strict = Example((Parcel(head={"packaging": "２"}),))
    assert actions(judged(free, TXT_04="reject"), "TXT-04") == {("warn", "note")}
    assert ("reject", "reject") in actions(judged(strict), "TXT-04")
    assert actions(judged(strict, TXT_04="hold"), "TXT-04") == {("warn", "hold")}
    assert actions(judged(free, TXT_04="off"), "TXT-04") == set()


def test_findings_that_another_room_made_follow_the_switch_each_by_its_own_action() -> None:
    said = [("EXP-50", "warn", "hold"), ("EXP-50", "warn", "note"), ("EXP-50", "not_evaluated", "hold"), ("EXP-13", "warn", "hold")]  # fmt: skip
    names = ("rule", "severity", "action")
    found = findings.build(dict(zip(names, one, strict=True)) for one in said)
    ctx = context(Example(()), EXP_50="reject")
    assert graded(found, ctx, {"EXP-50": "hold"}).select(names).rows() == [
        ("EXP-50", "reject", "reject"), ("EXP-50", "warn", "note"), ("EXP-50", "not_evaluated", "hold"),
        ("EXP-13", "warn", "hold"),
    ]  # fmt: skip
    off = graded(found, context(Example(()), EXP_50="off"), {"EXP-50": "hold"})
    assert off["rule"].to_list() == ["EXP-13"]


def test_what_is_not_evaluated_stays_so_and_goes_on_marked_at_most() -> None:
    unjudged = ("not_evaluated", "hold")
    assert action_of("note", "hold", *unjudged) == ("not_evaluated", "mark")
    assert (
        action_of("hold", "hold", *unjudged) == action_of("reject", "hold", *unjudged) == unjudged
    )
    assert action_of("off", "hold", "reject", "reject") == ("reject", "reject")
    assert action_of("", "hold", *unjudged) == action_of("off", "hold", *unjudged) == unjudged


def test_what_is_a_note_may_be_made_to_hold() -> None:
    example = failing("ID-04")
    assert actions(judged(example), "ID-04") == {("warn", "note")}
    assert actions(judged(example, ID_04="hold"), "ID-04") == {("warn", "hold")}


def test_a_missing_rate_may_go_on_marked_but_never_unsaid() -> None:
    """LIM-12 is not evaluated: it holds, or goes on marked; it cannot be switched off."""
    parcel = Example((Parcel(head={"currency": "300"}, goods=({"currency": "300"},)),))
    assert actions(judged(parcel), "LIM-12") == {("not_evaluated", "hold")}
    assert actions(judged(parcel, LIM_12="note"), "LIM-12") == {("not_evaluated", "mark")}
    with pytest.raises(SettingsError, match=r"note \| hold"):
        rules.refuse_wrong(Profile(rules={"LIM-12": "off"}))


@pytest.mark.parametrize(
    ("rule", "grade", "words"),
    [
        ("EXP-99", "off", "nearest: EXP-"), ("exp-13x", "off", "nearest: EXP-13"), ("EXP-13", "maybe", "off | note | hold | reject"),
        ("LIM-01", "off", "text of law"), ("CLS-11", "off", "text of law"), ("ID-18", "off", "endpoints.NAME.districts"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_refused_and_names_the_nearest(
    rule: str, grade: str, words: str
) -> None:
    firm = Profile(rules={rule: grade})
    with pytest.raises(SettingsError) as caught:
        rules.refuse_wrong(firm)
    assert words in caught.value.text("en")
    assert f"rules.{rule}" in caught.value.place
    with pytest.raises(SettingsError):
        pure.check([], profile=firm)


def test_an_environment_variable_may_spell_it_its_way() -> None:
    firm = Profile(rules={"exp_13": "off"})
    rules.refuse_wrong(firm)
    found = context_of(failing("EXP-13"))
    ctx = replace(found, profile=firm, memo={})
    assert actions(rules.check(frames_of(failing("EXP-13")), ctx), "EXP-13") == set()


@pytest.mark.parametrize("rule", [*SET, "LIM-12"])
def test_explain_says_how(rule: str) -> None:
    (record,) = [r for r in rule_records() if r["id"] == rule]
    (one,) = [s for s in record["switches"] if s["option"] == f"profiles.NAME.rules.{rule}"]
    assert (one["default"], tuple(one["values"])) == (rules.switches()[rule].default, rules.switches()[rule].choices)  # fmt: skip
    assert one["meaning_zh"] != one["meaning_en"]
