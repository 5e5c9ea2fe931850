"""Value limits at their bounds, on their boundary days, in every direction; rates and what happens without."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl
import pytest

from crossborder import rules
from crossborder.codes import RATES_SCHEMA, Tables
from crossborder.rules.examples import frames_of
from crossborder.rules.model import Example, Parcel
from crossborder.settings import Profile
from crossborder.shipments.findings import verdicts

LIMITS = {"LIM-01", "LIM-02", "LIM-03", "LIM-04", "LIM-05", "CLS-04"}


def worth(
    amount: str, day: str = "20261123", kind: Any = "B", direction: Any = "I", other: str = "502",
    currency: str = "142", quantity: str = "2", unit: str = "011",
) -> Parcel:  # fmt: skip
    abroad = "sender_country" if direction == "I" else "receiver_country"
    line = {"total": amount, "declared_total": amount, "declared_price": None, "currency": currency,
            "quantity": quantity, "unit": unit}  # fmt: skip
    head = {"movement_date": day, abroad: other, "currency": currency}
    return Parcel(kind, direction, head, (line,))


def context(
    rates: Sequence[tuple[str, str, str, bool]] = (), *, demo: bool = False, declared: str = "20261123",
    as_of: str | None = None,
) -> rules.Context:  # fmt: skip
    names = list(RATES_SCHEMA)
    frame = pl.DataFrame([dict(zip(names, r, strict=True)) for r in rates], schema=RATES_SCHEMA)
    return rules.Context(Tables().with_rates(frame), Profile(demo=demo), declared, as_of)


def limits(parcel: Parcel, ctx: rules.Context | None = None) -> list[tuple[str, str, str]]:
    found = rules.check(frames_of(Example((parcel,))), ctx or context())
    return found.filter(pl.col("rule").is_in(LIMITS)).select("rule", "severity", "action").rows()


@pytest.mark.parametrize(
    ("day", "direction", "other", "bound", "rule"),
    [
        ("20241130", "I", "502", "1000", "LIM-01"),
        ("20241130", "I", "110", "800", "LIM-01"),
        ("20241130", "I", "121", "800", "LIM-01"),
        ("20241130", "I", "143", "800", "LIM-01"),
        ("20100901", "I", "502", "1000", "LIM-01"),
        ("20241201", "I", "502", "2000", "LIM-02"),
        ("20241201", "I", "110", "2000", "LIM-02"),
        ("20261123", "E", "110", "800", "LIM-03"),
        ("20261123", "E", "121", "800", "LIM-03"),
        ("20100901", "E", "143", "800", "LIM-03"),
        ("20241201", "E", "502", "1000", "LIM-04"),
        ("20241130", "E", "502", "1000", "LIM-04"),
    ],
)
def test_class_b_bounds(day: str, direction: str, other: str, bound: str, rule: str) -> None:
    assert limits(worth(bound, day, direction=direction, other=other)) == []
    above = limits(worth(f"{bound}.00001", day, direction=direction, other=other))
    assert above == [(rule, "reject", "reject")]


@pytest.mark.parametrize("direction", ["I", "E"])
def test_class_c_bound(direction: str) -> None:
    assert limits(worth("5000", "20160601", "C", direction)) == []
    assert limits(worth("5000.00001", "20160601", "C", direction)) == [
        ("CLS-04", "reject", "reject")
    ]
    assert limits(worth("9999999", kind="A", direction=direction)) == []


@pytest.mark.parametrize(
    ("day", "kind", "direction", "rule"),
    [
        ("20100831", "B", "I", "LIM-02"),
        ("20100831", "B", "E", "LIM-04"),
        ("20160531", "C", "I", "CLS-04"),
        ("20160531", "C", "E", "CLS-04"),
    ],
)
def test_a_date_without_any_bound_is_not_evaluated(
    day: str, kind: str, direction: str, rule: str
) -> None:
    assert limits(worth("1", day, kind, direction)) == [(rule, "not_evaluated", "hold")]


def test_1500_yuan_the_day_before_and_the_day_of_the_new_limit() -> None:
    assert limits(worth("1500", "20241130")) == [("LIM-01", "reject", "reject")]
    assert limits(worth("1500", "20241201")) == []


def test_as_of_overrides_the_movement_date() -> None:
    assert limits(worth("1500", "20261123"), context(as_of="20241130")) == [
        ("LIM-01", "reject", "reject")
    ]
    assert limits(worth("1500", "20241130"), context(as_of="20241201")) == []


@pytest.mark.parametrize("day", ["20241130", "20261123"])
@pytest.mark.parametrize("direction", ["I", "E"])
def test_single_article_over_the_limit_waits(day: str, direction: str) -> None:
    article = {"quantity": "1", "day": day, "direction": direction}
    assert limits(worth("3000", **article)) == [("LIM-05", "warn", "hold")]
    assert limits(worth("100", **article)) == []
    assert [r for r, *_ in limits(worth("3000", **{**article, "quantity": "1.00001"}))] != [
        "LIM-05"
    ]
    assert [r for r, *_ in limits(worth("3000", unit="035", **article))] != ["LIM-05"]


def test_two_articles_are_divisible_even_on_two_lines() -> None:
    line = {"total": "1500", "declared_total": "1500", "quantity": "1"}
    assert limits(Parcel(goods=(line, line))) == [("LIM-02", "reject", "reject")]


def test_class_c_has_no_single_article_exception() -> None:
    assert limits(worth("6000", kind="C", quantity="1")) == [("CLS-04", "reject", "reject")]


def test_conversion_is_exact() -> None:
    ctx = context([("502", "202611", "7.1003", False)])
    assert limits(worth("281.67823", currency="502"), ctx) == []  # 1999.99…
    assert limits(worth("281.67824", currency="502"), ctx) == [("LIM-02", "reject", "reject")]
    twice = context([("502", "202611", "2", False)])
    assert limits(worth("1000", currency="502"), twice) == []
    assert limits(worth("1000.00001", currency="502"), twice) == [("LIM-02", "reject", "reject")]


def test_the_finding_names_value_and_limit() -> None:
    ctx = context([("502", "202611", "7.1", False)])
    found = rules.check(frames_of(Example((worth("300", currency="502"),))), ctx)
    row = found.row(by_predicate=pl.col("rule") == "LIM-02", named=True)
    assert "2130 元" in row["zh"]
    assert "CNY 2130," in row["en"]
    assert "2000" in row["zh"]
    assert row["element"] == "TotalValue"
    assert row["source"].startswith("GACC Announcement 2024 No. 176")
    assert row["fix_zh"] == "超限的退运，或改按货物报关"
    assert row["fix_en"] == "return the parcel, or declare it as goods"


def test_lines_in_several_currencies_are_added_in_yuan() -> None:
    ctx = context([("502", "202611", "7", False)])
    dollars = {"total": "200", "declared_total": "200", "currency": "502"}
    yuan = {"total": "600", "declared_total": "600", "currency": "142"}
    assert limits(Parcel(goods=(dollars, yuan), head={"total_value": "2000"}), ctx) == []
    more = {"total": "600.01", "declared_total": "600.01", "currency": "142"}
    over = Parcel(goods=(dollars, more), head={"total_value": "2000"})
    assert limits(over, ctx) == [("LIM-02", "reject", "reject")]


def test_head_in_another_currency_counts_if_it_is_greater() -> None:
    ctx = context([("502", "202611", "7", False)])
    parcel = Parcel(head={"total_value": "300", "currency": "502"})
    assert limits(parcel, ctx) == [("LIM-02", "reject", "reject")]
    assert limits(Parcel(head={"total_value": "285", "currency": "502"}), ctx) == []


def test_without_a_value_of_the_head_the_lines_count_whatever_its_currency() -> None:
    ctx = context([("502", "202611", "7", False)])
    line = {"total": "2000.01", "declared_total": "2000.01", "declared_price": None}
    for currency in ("142", "502"):
        parcel = Parcel(head={"total_value": None, "currency": currency}, goods=(line,))
        assert limits(parcel, ctx) == [("LIM-02", "reject", "reject")]
    small = {"total": "2000", "declared_total": "2000", "declared_price": None}
    assert limits(Parcel(head={"total_value": None, "currency": "303"}, goods=(small,)), ctx) == []


def test_without_a_rate_limits_hold_with_one_text_per_currency_and_month() -> None:
    parcels = (worth("10", currency="502"), worth("20", currency="502"), worth("5", currency="116"),
               worth("10", kind="C", currency="502"), worth("10", kind="A", currency="502"))  # fmt: skip
    frames = frames_of(Example(parcels))
    found = rules.check(frames, context())
    unknown = found.filter(pl.col("severity") == "not_evaluated")
    assert unknown.select("ship", "rule", "action").rows() == [
        (0, "LIM-02", "hold"), (1, "LIM-02", "hold"), (2, "LIM-02", "hold"), (3, "CLS-04", "hold"),
    ]  # fmt: skip
    assert unknown["en"].n_unique() == 2
    assert "502 in 202611" in unknown["en"][0]
    assert "502 202611" in unknown["zh"][0]
    assert verdicts(frames.shipments, found)["verdict"].to_list()[:4] == ["not_evaluated"] * 4


def test_rate_of_another_month_does_not_count() -> None:
    rates = [("502", "202610", "7", False)]
    assert limits(worth("1", currency="502"), context(rates)) == [
        ("LIM-02", "not_evaluated", "hold")
    ]
    assert limits(worth("1", currency="502"), context(rates, declared="20261031")) == []


def test_fictional_rates_count_for_the_demo_profile_only() -> None:
    made_up = [("502", "202611", "7", True)]
    assert limits(worth("1", currency="502"), context(made_up)) == [
        ("LIM-02", "not_evaluated", "hold")
    ]
    assert limits(worth("1", currency="502"), context(made_up, demo=True)) == []
    real = [("502", "202611", "1", False), ("502", "202611", "1000", True)]
    assert limits(worth("100", currency="502"), context(real)) == []
    assert limits(worth("100", currency="502"), context(real, demo=True)) == []


def test_a_replaced_limit_table_changes_the_verdict() -> None:
    frame = Tables().frame("limits").with_columns(value_cny=pl.lit("3000"))
    tables = Tables().with_table("limits", frame, "2026-01-01")
    ctx = rules.Context(tables, Profile(), "20261123")
    assert limits(worth("3000"), ctx) == []
    assert limits(worth("3000.01"), ctx) == [("LIM-02", "reject", "reject")]


def test_unreadable_values_are_left_to_the_facets(check: Callable[..., pl.DataFrame]) -> None:
    for bad in ("1e9", "-5000", "9,999", "99999999999999999999", "abc"):
        parcel = Parcel(head={"total_value": bad}, goods=({"declared_total": bad, "total": bad},))
        assert not set(check(parcel)["rule"]) & LIMITS


def test_of_bounds_that_overlap_the_strictest_counts() -> None:
    packaged = Tables().frame("limits")
    double = packaged.filter(pl.col("rule") == "LIM-02").with_columns(value_cny=pl.lit("900"))
    tables = context().tables.with_table("limits", pl.concat([packaged, double]), "2026-01-01")
    ctx = rules.Context(tables, Profile(demo=True), "20261123")
    found = rules.check(frames_of(Example((worth("950"), worth("900")))), ctx)
    over = found.filter(pl.col("rule") == "LIM-02")
    assert over.select("ship", "severity").rows() == [(0, "reject")]
    assert "900" in over["zh"][0]


def test_only_what_a_limit_says_of_a_missing_rate_is_of_the_rule_about_rates() -> None:
    parcels = (
        worth("100", currency="303"), worth("100", "20100831"), worth("100", currency="303", kind="C"),
    )  # fmt: skip
    ctx = context()
    found = rules.check(frames_of(Example(parcels)), ctx).filter(pl.col("severity") == "not_evaluated")  # fmt: skip
    missed = found.filter(pl.col("ship") == 0, pl.col("rule") == "LIM-02")
    assert "exchange_rates" in missed["fix_en"][0]
    assert "exchange_rates" in missed["fix_zh"][0]
    others = [
        missed.with_columns(rule=pl.lit("EXP-44")), missed.with_columns(severity=pl.lit("reject")),
    ]  # fmt: skip
    told = rules.of_rates(pl.concat([found, *others]), ctx)
    assert told.filter(pl.col("element") != "CurrCode").equals(found.filter(pl.col("element") != "CurrCode"))  # fmt: skip
    rows = told.select("ship", "rule", "severity").rows()
    assert rows.count((0, "LIM-12", "not_evaluated")) == rows.count((2, "LIM-12", "not_evaluated")) == 1  # fmt: skip
    assert (1, "LIM-02", "not_evaluated") in rows
    assert {(0, "EXP-44", "not_evaluated"), (0, "LIM-02", "reject")} <= set(rows)


def test_the_currency_without_a_rate_is_shown_wherever_it_stands() -> None:
    line = {"total": "100", "declared_total": "100", "currency": "303"}
    found = rules.check(frames_of(Example((Parcel("B", goods=(line,)),))), context())
    (value,) = found.filter(pl.col("rule") == "LIM-02")["value"]
    assert value == "303"


def test_without_tax_numbers_of_tobacco_no_quantity_of_it_is_asked_about() -> None:
    words = Tables().frame("words").filter(pl.col("list") != "restricted_tax_numbers")
    tables = Tables().with_table("words", words, "2000-01-01")
    line = {"commodity_code": "020500", "quantity": "900", "quantity_1": "900"}
    ctx = rules.Context(tables, Profile(), "20261123")
    found = rules.check(frames_of(Example((Parcel(goods=(line,)),))), ctx)
    assert "LIM-08" not in set(found["rule"])
