"""Every dated rule on the day from which it is in force and the day before, by the dates of the facts; settings that stand."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from crossborder import rules
from crossborder.errors import SettingsError
from crossborder.rules.examples import context_of, frames_of
from crossborder.rules.model import Example, Parcel
from crossborder.rules.options import largest, option
from crossborder.settings import Profile
from crossborder.shipments.frames import FrameSet

FACTS = Path(__file__).parents[2] / "fixtures" / "rules"
RULES = {rule.id: rule for rule in rules.registry() if not rule.bounds}
DAY = timedelta(days=1)
DEFAULTS = """
unstated_facts hold
supplementary_ideographs warn
require_chinese_name warn
mode_3039 warn
house_weight_kg 50
piece_weight_kg 30
goods_exemption note
total_tolerance 0.01
total_tolerance_percent 0.5
total_reject_percent 5
repeat_parcels 6
split_signal note
split_parcels 2
split_days 7
house_days 180
resale_quantity 100
restricted_quantity 1
milk_powder_kg 5
manifest_total_percent 3
phone_identities 4
"""


def dates(which: str) -> list[tuple[str, str, date]]:
    """Rule, by which day it goes, and the day, of those that the facts date."""
    with (FACTS / "rules.csv").open(encoding="utf-8", newline="") as stream:
        return [
            (row["rule_id"], row["dated_by"], date.fromisoformat(row[which]))
            for row in csv.DictReader(stream)
            if row["rule_id"] in RULES and row[which]
        ]


def fires(rule_id: str, dated_by: str, *days: date) -> list[bool]:
    """Whether the failing example of a rule, moved (or handed in) on each of these days, breaks it."""
    example = RULES[rule_id].failing
    texts = [day.strftime("%Y%m%d") for day in days]
    if dated_by == "declaration":
        assert len(texts) == 1
        example = replace(example, declared_on=texts[0])
        texts = [example.parcels[0].head.get("movement_date") or "20261123"]
    parcels = [
        replace(parcel, head={**parcel.head, "movement_date": text})
        for text in texts for parcel in example.parcels
    ]  # fmt: skip
    example = replace(example, parcels=tuple(parcels))
    found = rules.check_rules(frames_of(example), context_of(example), (RULES[rule_id],))
    size, broken = len(parcels) // len(texts), set(found["ship"])
    return [not broken.isdisjoint(range(n * size, (n + 1) * size)) for n in range(len(texts))]


@pytest.mark.parametrize(("rule_id", "dated_by", "start"), dates("effective_from"))
def test_a_rule_begins_on_its_day(rule_id: str, dated_by: str, start: date) -> None:
    assert fires(rule_id, dated_by, start) == [True]
    if dated_by == "declaration":
        assert fires(rule_id, dated_by, start - DAY) == [False]
    else:
        assert fires(rule_id, dated_by, start - DAY, start) == [False, True]


def ended(rule_id: str, end: date) -> rules.Rule:
    """A rule as if it had an end."""
    return replace(RULES[rule_id], effective_to=end.isoformat())


def broken(rule: rules.Rule, *days: str | None, declared: str = "20261123") -> list[int]:
    parcel = rule.failing.parcels[0]
    parcels = tuple(replace(parcel, head={**parcel.head, "movement_date": day}) for day in days)
    example = Example(parcels, declared_on=declared)
    return rules.check_rules(frames_of(example), context_of(example), (rule,))["ship"].to_list()


def test_a_rule_ends_behind_its_last_day() -> None:
    last = ended("EXP-13", date(2024, 11, 30))
    assert last.effective_from == "2019-01-01"
    assert broken(last, "20241130", "20241201", "20181231", "20190101") == [0, 3]
    assert broken(last, "20241130") == [0]
    assert broken(last, "20190101") == [0]
    assert broken(last, "20241201") == broken(last, "20181231") == []
    assert broken(last, "20190101", "20241130") == [0, 1]
    assert broken(last, "20181231", "20241130") == [1]
    assert broken(last, "20190101", "20241201") == [0]


def test_without_a_movement_date_the_rules_that_have_no_end_judge() -> None:
    last, open_end = ended("EXP-13", date(2024, 11, 30)), RULES["EXP-13"]
    assert broken(last, None) == broken(last, "2024113", None) == []
    assert broken(open_end, None) == broken(open_end, "20241331") == [0]
    assert broken(last, "20241130", None) == [0]
    assert broken(open_end, "20241130", None) == [0, 1]
    assert broken(open_end, "20181231", None) == [1]


def test_a_rule_dated_by_the_declaration_asks_for_no_movement() -> None:
    last = replace(ended("EXP-13", date(2024, 11, 30)), dated_by="declaration")
    days = ("20181231", "20190101", "20241130", "20241201")
    assert [broken(last, "20261123", None, declared=day) for day in days] == [
        [],
        [0, 1],
        [0, 1],
        [],
    ]


def test_as_of_takes_the_place_of_the_declaration_day() -> None:
    last = replace(ended("EXP-13", date(2024, 11, 30)), dated_by="declaration")
    example = replace(last.failing, declared_on="20261123")
    for day, told in (("20241130", 1), ("20241201", 0)):
        ctx = replace(context_of(example), as_of=day, memo={})
        assert rules.check_rules(frames_of(example), ctx, (last,)).height == told


def test_settings_stand_as_documented() -> None:
    told = [f"{option.name} {option.default}" for option in rules.OPTIONS.values()]
    assert told == DEFAULTS.strip().splitlines()


@pytest.mark.parametrize(
    "value", ["0", "0.0", "1e1", "-1", "1.123456", "1234567890", " 1", "", "x"]
)
def test_a_number_of_a_setting_is_above_zero_and_written_plainly(value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        option(Profile(options={"house_weight_kg": value}), "house_weight_kg")
    assert refused.value.place == "options.house_weight_kg"
    assert (refused.value.fix_en, refused.value.fix_zh) == ("a number above zero", "应为大于零的数")


@pytest.mark.parametrize("value", ["1", "0.5", "0.00001", "999999999.99999"])
def test_a_number_above_zero_is_taken(value: str) -> None:
    profile = Profile(options={"house_weight_kg": value})
    assert option(profile, "house_weight_kg") == value
    assert largest([Profile(), profile], "house_weight_kg") == max(Decimal(50), Decimal(value))


def test_a_word_of_a_setting_is_one_of_its_choices() -> None:
    with pytest.raises(SettingsError) as refused:
        option(Profile(options={"split_signal": "reject"}), "split_signal")
    assert refused.value.fix_en == refused.value.fix_zh == "pass | note | hold"
    assert option(Profile(options={"split_signal": "hold"}), "split_signal") == "hold"
    assert largest([Profile(options={"split_days": "many"})], "split_days") == 7


def test_lines_that_come_in_any_order_are_judged_by_their_numbers() -> None:
    lines = tuple({"line_number": str(n), "total": t, "declared_total": t, "declared_price": None, "name": f"棉{'甲乙丙'[n - 1]}",
                   "currency": c, "quantity_1": "0" * n} for n, t, c in ((1, "200", "142"), (2, "300", "142"), (3, "100", "502")))  # fmt: skip
    whole = frames_of(Example((Parcel("C", goods=lines), Parcel("C", goods=lines[:2]))))
    found = rules.check(whole, context_of(Example(())))
    turned = FrameSet(whole.shipments, whole.goods.reverse(), whole.documents, whole.headers)
    mixed = FrameSet(whole.shipments, whole.goods.sample(fraction=1, shuffle=True, seed=5), whole.documents, whole.headers)  # fmt: skip
    assert found.height
    for other in (turned, mixed):
        assert rules.check(other, context_of(Example(()))).equals(found)
