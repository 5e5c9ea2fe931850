"""Tax by the facts: the check values, dated tables and figures, premium cosmetics, what is missing is never zero."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossborder.codes import RATES_SCHEMA, Tables
from crossborder.engine import explain_rule
from crossborder.errors import CodesError
from crossborder.rules import Context
from crossborder.rules.catalogue import catalogue
from crossborder.rules.examples import context_of, frames_of
from crossborder.rules.model import Example, Parcel
from crossborder.rules.tax import (
    CONSIGNMENTS,
    LINES,
    SHOWN,
    Assessed,
    Regime,
    assess,
    ecommerce_tax,
)
from crossborder.rules.tax.content import measured
from crossborder.rules.tax.money import (
    CNY,
    EXACT,
    PERCENT,
    composite,
    of_composite,
    percent_of,
    product,
    to_fen,
)
from crossborder.settings import Profile

Line = dict[str, str | None]
TARIFF = pl.DataFrame(
    {
        "code": ["6205200099", "2208300000", "3304990029", "9102110000", "0000000001"],
        "mfn_rate_pct": ["6", "10", "1", "8", "5"],
        "vat_rate_pct": ["13", "13", "13", "13", None],
        "consumption_rate_pct": ["0", "20", "15", "20", None],
        "consumption_per_unit_cny": [None, "0.912", None, None, None],
        "consumption_unit_zh": [None, "升", None, None, None],
        "consumption_from_cny": [None, None, "10", "10000", None],
        "consumption_from_measure": [None, None, "g;ml", "each", None],
    }
)


def line(
    code: str | None = "04010400",
    price: str | None = "200",
    quantity: str = "1",
    **more: str | None,
) -> Line:
    return {
        "commodity_code": code, "declared_price": price, "quantity": quantity, "declared_total": None, "model": "L",
        "quantity_1": None, "unit_1": None, **more,
    }  # fmt: skip


def taxed(
    *parcels: Parcel,
    declared: str = "20261123",
    regime: Regime = "declared",
    demo: bool = False,
    options: dict[str, str] | None = None,
    tables: Tables | None = None,
) -> Assessed:
    rates = pl.DataFrame([("502", declared[:6], "7.1", False)], schema=RATES_SCHEMA, orient="row")
    known = (tables or Tables().with_table("tariff", TARIFF, "2000-01-01")).with_rates(rates)
    context = Context(known, Profile(demo=demo, options=options or {}), declared)
    return assess(frames_of(Example(parcels)), context, regime)


def b(*lines: Line, **head: str | None) -> Parcel:
    return Parcel("B", "I", {"movement_date": "20261123", **head}, lines or (line(),))


def c(*lines: Line, **head: str | None) -> Parcel:
    return Parcel("C", "I", {"movement_date": "20261123", **head}, lines)


def figures(found: Assessed) -> list[tuple[str, str | None, str | None, str | None]]:
    """Kind, base, rate without trailing zeros, amount of every line."""
    shown = found.lines.select(
        "kind", "base_cny", pl.col("rate_pct").cast(pl.Float64), "amount_cny"
    )
    return [
        (kind, *(None if v is None else f"{v:g}" if isinstance(v, float) else str(v) for v in rest))
        for kind, *rest in shown.iter_rows()
    ]  # type: ignore[misc]


def only(found: Assessed) -> dict[str, Any]:
    assert found.consignments.height == 1
    return found.consignments.to_dicts()[0]


# -- the check values of the facts


def test_two_face_creams_are_collected_in_full() -> None:
    found = taxed(b(line("09020220", "150", "2")))
    assert figures(found) == [("W", "300.00", "20", "60.00")]
    parcel = only(found)
    assert (parcel["outcome"], parcel["payable_cny"], parcel["rule"]) == (
        "due",
        Decimal("60.00"),
        "LIM-06",
    )
    row = found.lines.to_dicts()[0]
    assert row["rule"] == "TAX-02;TAX-04"
    assert row["how_en"] == "150 × 2 = CNY 300.00; 300.00 × 20 % = 60.00"
    assert row["how_zh"] == "150 × 2 = 300.00 元；300.00 × 20% = 60.00 元"


def test_one_shirt_is_not_collected() -> None:
    parcel = only(taxed(b(line("04010400", "200"))))
    assert (parcel["outcome"], parcel["tax_cny"], parcel["payable_cny"]) == ("not_collected", Decimal("40.00"), Decimal("0.00"))  # fmt: skip


@pytest.mark.parametrize(("price", "outcome", "paid"), [("250", "not_collected", "0.00"), ("250.02", "not_collected", "0.00"), ("250.03", "due", "50.01")])  # fmt: skip
def test_fifty_is_not_collected_and_a_fen_more_is_all_due(
    price: str, outcome: str, paid: str
) -> None:
    parcel = only(taxed(b(line(price=price))))
    assert (parcel["outcome"], str(parcel["payable_cny"])) == (outcome, paid)
    assert ("not above 50" in parcel["note_en"]) == (outcome == "not_collected")
    assert ("不超过" in parcel["note_zh"]) == (outcome == "not_collected")


@pytest.mark.parametrize(
    ("vat", "consumption", "percent"),
    [("13", "0", "9.1"), ("9", "0", "6.3"), ("13", "15", "23.0588"), ("13", "10", "17.8889")],
)
def test_the_overall_rates_of_retail_ecommerce(vat: str, consumption: str, percent: str) -> None:
    value = Decimal(1_000_000)
    excise, added = ecommerce_tax(
        pl.lit(value, dtype=CNY),
        _pct(int(vat) * 10_000),
        _pct(int(consumption) * 10_000),
        share=_pct(700_000),
    )
    excise, added = pl.select(excise.alias("y"), added.alias("l")).row(0)  # fmt: skip
    assert round((excise + added) / value * 100, 4) == Decimal(percent)


def test_a_real_tax_bill_of_retail_ecommerce() -> None:
    assert figures(taxed(c(line("6205200099", "410")), regime="ecommerce")) == [
        ("A", "410.00", "0", "0.00"), ("Y", "410.00", "0", "0.00"), ("L", "410.00", "9.1", "37.31"),
    ]  # fmt: skip


def test_class_c_takes_duty_consumption_tax_and_vat() -> None:
    found = taxed(c(line("3304990029", "606.01", model="50g")))
    assert figures(found) == [("A", "606.01", "1", "6.06"), ("Y", "720.08", "15", "108.01"), ("L", "720.08", "13", "93.61")]  # fmt: skip
    parcel = only(found)
    assert (parcel["regime"], parcel["outcome"], parcel["payable_cny"]) == (
        "goods",
        "due",
        Decimal("207.68"),
    )
    assert "EXP310" in parcel["note_en"]


def test_the_specific_part_is_taken_of_the_litres() -> None:
    spirits = line("2208300000", "100", "2", quantity_1="1.4", unit_1="095")
    found = taxed(c(spirits), regime="ecommerce")
    assert figures(found) == [("A", "200.00", "0", "0.00"), ("Y", "251.60", "14", "36.12"), ("L", "251.60", "9.1", "22.90")]  # fmt: skip
    without = taxed(c(spirits | {"quantity_1": None}), regime="ecommerce")
    assert [f[3] for f in figures(without)] == ["0.00", None, None]
    assert "升" in without.lines["note_en"][1]


# -- dates


def test_the_actual_price_comes_first_since_december_2024() -> None:
    beer = line("02010100", "9", "1", unit="142")
    before, after = (taxed(b(beer), declared=day) for day in ("20241130", "20241201"))
    assert figures(before) == [
        ("W", "5.00", "50", "2.50")
    ]  # listed 5, and 9 is less than twice that
    assert before.lines["rule"].to_list() == ["TAX-03;TAX-05"]
    assert before.lines["basis"].to_list() == ["listed"]
    assert figures(after) == [("W", "9.00", "50", "4.50")]
    assert after.lines["rule"].to_list() == ["TAX-02;TAX-04"]


@pytest.mark.parametrize(
    ("price", "base"), [("9.99", "5.00"), ("10", "10.00"), ("2.51", "5.00"), ("2.5", "2.50")]
)
def test_before_that_a_price_twice_or_half_the_listed_one_counts(price: str, base: str) -> None:
    found = taxed(b(line("02010100", price, "1", unit="142")), declared="20241130")
    assert figures(found)[0][1] == base


def test_the_listed_price_counts_only_where_there_is_no_price() -> None:
    milk = line("01010100", None, "2500", unit="036")
    found = taxed(b(milk))
    assert figures(found) == [("W", "500.00", "13", "65.00")]  # 2.5 kg at 200
    assert found.lines["basis"].to_list() == ["listed"]
    assert "listed" in found.lines["note_en"][0]
    assert figures(taxed(b(milk | {"declared_price": "0.1"}))) == [("W", "250.00", "13", "32.50")]
    assert figures(taxed(b(milk | {"declared_total": "300"})))[0][1] == "300.00"


@pytest.mark.parametrize(
    ("code", "unit", "price", "said"),
    [
        ("01019900", "011", None, "the table lists none"),
        ("01010100", "011", None, "no quantity is given in its unit 千克 (declared unit 011)"),
        ("01010100", "011", "0", "no quantity is given"),
        ("99999999", "011", "5", "not in the table in force"),
        ("04010401", "011", "5", "nearest: 04010400"),
        (None, "011", "5", "there is no tax number"),
    ],
)
def test_what_is_missing_is_not_evaluated_and_said(
    code: str | None, unit: str, price: str | None, said: str
) -> None:
    found = taxed(b(line(code, price, unit=unit), line()))
    first = found.lines.to_dicts()[0]
    assert (first["status"], first["amount_cny"]) == ("not_evaluated", None)
    assert said in first["note_en"]
    assert first["note_zh"]
    parcel = only(found)
    assert (parcel["outcome"], parcel["tax_cny"], parcel["payable_cny"]) == (
        "not_evaluated",
        None,
        None,
    )
    assert parcel["note_en"].startswith("line 1: ")


def test_a_code_that_an_incomplete_table_lacks_is_no_fault_and_no_figure() -> None:
    found = taxed(b(line("04010400")), declared="20241130")
    assert "not complete" in found.lines["note_en"][0]
    assert (
        taxed(b(), declared="20190408")
        .lines["note_en"][0]
        .startswith("there is no tax table for 2019-04-08")
    )
    assert "no rule of this tax" in taxed(b(), declared="20100101").lines["note_en"][0]


def test_the_nearest_number_is_that_of_the_table_of_the_day() -> None:
    later = Tables().frame("parcel_tax").with_columns(code=pl.lit("04010409")).head(1)
    tables = Tables().with_table("parcel_tax", later, "2027-01-01")
    now, then = (
        taxed(b(line("04010401")), declared=day, tables=tables) for day in ("20261123", "20270101")
    )
    assert now.lines["note_en"][0].endswith("nearest: 04010400, 04010100, 04010200")
    assert then.lines["note_en"][0].endswith("nearest: 04010409")


def test_amounts_are_converted_by_the_rate_of_the_month_of_declaration() -> None:
    found = taxed(b(line(price="20.005", currency="502")))
    assert figures(found) == [("W", "142.04", "20", "28.41")]  # 142.0355 and 28.408
    assert "× 7.1 = CNY 142.04" in found.lines["how_en"][0]
    missing = taxed(b(line(currency="116")))
    assert missing.lines["note_en"][0] == "there is no exchange rate for currency 116 in 202611"


@pytest.mark.parametrize(("moved", "outcome"), [("20100831", "not_evaluated"), ("20100901", "not_collected"), ("2026", "not_evaluated"), (None, "not_evaluated")])  # fmt: skip
def test_the_exemption_goes_by_the_movement(moved: str | None, outcome: str) -> None:
    parcel = only(taxed(b(movement_date=moved)))
    assert parcel["outcome"] == outcome
    assert (parcel["payable_cny"] is None) == (outcome == "not_evaluated")


def test_figures_are_data_and_can_be_replaced_from_a_day_on() -> None:
    packaged = Tables().frame("tax_parameters")
    lowered = packaged.with_columns(
        value=pl.when((pl.col("name") == "postal_exemption_cny") & pl.col("effective_to").is_null())
        .then(pl.lit("30")).otherwise("value")
    )  # fmt: skip
    tables = Tables().with_table("tax_parameters", lowered, "2026-01-01")
    assert only(taxed(b(), tables=tables))["payable_cny"] == Decimal("40.00")
    broken = lowered.with_columns(value=pl.lit("much"))
    with pytest.raises(CodesError, match="postal_far_above"):
        taxed(b(), tables=Tables().with_table("tax_parameters", broken, "2026-01-01"))


def test_a_figure_without_a_first_day_holds_always() -> None:
    figures = Tables().frame("tax_parameters")
    free = pl.col("name") == "postal_exemption_cny"
    always = figures.filter(~free | (pl.col("value") == "50")).with_columns(
        effective_from=pl.when(free).then(pl.lit("")).otherwise("effective_from")
    )
    tables = Tables().with_table("tax_parameters", always, "2000-01-01")
    old = b(movement_date="20100831")
    assert only(taxed(old, tables=tables))["outcome"] == "not_collected"
    assert only(taxed(old))["outcome"] == "not_evaluated"


@pytest.mark.parametrize("figure", ["postal_rates_pct", "postal_valuation"])
def test_without_rates_or_without_a_valuation_there_is_no_rule(figure: str) -> None:
    rest = Tables().frame("tax_parameters").filter(pl.col("name") != figure)
    found = taxed(b(), tables=Tables().with_table("tax_parameters", rest, "2000-01-01"))
    assert only(found)["outcome"] == "not_evaluated"
    assert only(found)["note_en"] == "line 1: no rule of this tax is known for 2026-11-23"


def test_a_unit_that_is_no_exact_share_of_another_is_not_converted() -> None:
    """A gram is a millionth of a tonne; ratios have five decimals."""
    by_tonne = (
        Tables()
        .frame("parcel_tax")
        .with_columns(
            unit_zh=pl.when(pl.col("code") == "01010100").then(pl.lit("吨")).otherwise("unit_zh")
        )
    )
    tables = Tables().with_table("parcel_tax", by_tonne, "2000-01-01")
    outcomes = [
        only(taxed(b(line("01010100", None, "1", unit=unit)), tables=tables))["outcome"]
        for unit in ("036", "035", "070")
    ]
    assert outcomes == ["not_evaluated", "not_collected", "not_collected"]


def test_packaged_rates_are_those_of_the_rule_and_of_the_brackets() -> None:
    tables = Tables()
    for row in (
        tables.frame("tax_parameters").filter(pl.col("name") == "postal_rates_pct").to_dicts()
    ):
        brackets = tables.frame("parcel_tax_brackets").filter(
            pl.col("effective_from") == row["effective_from"]
        )
        allowed = set(row["value"].split(";"))
        assert set(brackets["rate_pct"]) == allowed - {"3"}
        for name in ("parcel_tax", "parcel_tax_2019_partial"):
            valid = tables.frame(name, row["effective_from"])
            assert set(valid["tax_rate_pct"]) <= allowed


def test_pairs_are_one_article_under_two_rates() -> None:
    tables = Tables()
    table = dict(zip(*tables.frame("parcel_tax").select("code", "tax_rate_pct"), strict=True))
    names = dict(zip(*tables.frame("parcel_tax").select("code", "name_zh"), strict=True))
    pairs = tables.frame("parcel_tax_pairs")
    for premium, ordinary in pairs.select("premium", "ordinary").iter_rows():
        assert (table[premium], table[ordinary]) == ("50", "20")
        assert "高档" in names[premium]
    assert {code for code, name in names.items() if "高档" in name and "普通" not in name} - set(pairs["premium"]) <= {"07020100", "07030000"}  # fmt: skip


# -- premium and ordinary


@pytest.mark.parametrize(
    ("given", "price", "model", "rate", "noted"),
    [
        ("09020220", "150", "15ml", "50", "makes it 09020210"),  # exactly 10 per ml
        ("09020220", "149.99", "15ml", "20", None),
        ("09020210", "149.99", "15ml", "20", "makes it 09020220"),
        ("09020210", "150", "15ML|瓶", "50", None),
        ("09010400", "35", "3.5克", "50", "makes it 09010300"),
        ("09010400", "34.99", "3.5 g", "20", None),
        ("09020240", "75", "5片/盒", "50", "makes it 09020230"),
        ("09020240", "74.99", "5片", "20", None),
        ("09020220", "299.99", "2x15ml", "20", None),
        ("09020220", "300", "15毫升×2", "50", "makes it 09020210"),
        ("09020220", "300", "15ml+15ml", "20", "was not checked"),
        ("09020220", "300", None, "20", "was not checked"),
        ("09020220", "300", "15mg", "20", "was not checked"),
        ("07010220", "10000", None, "50", "it is 07010100"),
        ("07010220", "9999.99", None, "20", None),
        ("07010100", "9999.99", None, "20", "it is 07010210"),
    ],
)
def test_the_price_decides_between_premium_and_ordinary(given: str, price: str, model: str | None, rate: str, noted: str | None) -> None:  # fmt: skip
    found = taxed(b(line(given, price, model=model)))
    row = found.lines.to_dicts()[0]
    assert row["rate_pct"] == Decimal(rate)
    assert (noted or "") in (row["note_en"] or "")
    assert (row["note_en"] is None) == (noted is None)
    decided = noted is not None and "was not" not in noted
    assert ("TAX-13" in row["rule"]) == decided
    assert row["code"] == given


def test_a_unit_that_measures_is_a_content_too() -> None:
    assert taxed(b(line("09020220", "10", "30", unit="096"))).lines["rate_pct"].to_list() == [
        Decimal(50)
    ]
    assert taxed(b(line("09020220", "9.99", "30", unit="096"))).lines["rate_pct"].to_list() == [
        Decimal(20)
    ]
    assert taxed(b(line("09020220", "9999", "1", unit="095"))).lines["rate_pct"].to_list() == [
        Decimal(20)
    ]


# -- goods


def test_a_content_is_below_ten_to_the_fifteenth() -> None:
    given = pl.DataFrame({"quantity": ["999999999999", "1000000000000"], "unit": ["095", "095"]})
    held = given.select(measured("ml", ("quantity",), context_of(Example(())))).to_series()
    assert held.to_list() == [Decimal("999999999999000"), None]


def test_freight_and_insurance_are_added_as_the_terms_say_and_shared_by_value() -> None:
    costs = {"freight_mark": "3", "freight_currency": "142", "freight_amount": "10.01", "insurance_mark": "3", "insurance_currency": "502", "insurance_amount": "1"}  # fmt: skip
    lines = (line("6205200099", "100"), line("6205200099", "100"), line("6205200099", "100"))
    fob = taxed(c(*lines, delivery_terms="3", **costs))
    bases = fob.lines.filter(pl.col("kind") == "A")["base_cny"].to_list()
    assert sum(bases) == Decimal("317.11")
    assert {str(base) for base in bases} == {"105.70", "105.71"}
    assert only(fob)["value_cny"] == Decimal("317.11")
    cif = taxed(c(*lines, delivery_terms="1", **costs))
    assert set(cif.lines.filter(pl.col("kind") == "A")["base_cny"]) == {Decimal(100)}


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ({"delivery_terms": "3"}, "ask for freight, and there is none"),
        ({"delivery_terms": "2"}, "ask for insurance, and there is none"),
        ({"delivery_terms": "4", "freight_mark": "1", "freight_amount": "5"}, "freight is not given as a total"),
        ({"delivery_terms": "4", "freight_mark": "3", "freight_amount": "5", "freight_currency": "116"}, "converted (currency 116)"),
        ({"delivery_terms": "7"}, "terms of delivery 7"),
        ({"delivery_terms": None}, "terms of delivery"),
    ],
)  # fmt: skip
def test_a_cost_that_is_not_known_leaves_goods_unevaluated(
    head: dict[str, str | None], said: str
) -> None:
    found = taxed(c(line("6205200099", "100"), **head))
    assert set(found.lines["status"]) == {"not_evaluated"}
    assert said in found.lines["note_en"][0]
    assert only(found)["payable_cny"] is None


@pytest.mark.parametrize(
    ("price", "model", "amount"),
    [("500", "50ml", "75.00"), ("499.99", "50ml", "0.00"), ("500", None, None)],
)
def test_cosmetics_pay_consumption_tax_from_a_price_per_measure_on(price: str, model: str | None, amount: str | None) -> None:  # fmt: skip
    found = taxed(c(line("3304990029", price, model=model)), regime="ecommerce")
    excise = found.lines.to_dicts()[1]
    full = None if excise["amount_cny"] is None else str(excise["amount_cny"])
    assert full == (None if amount is None else "61.76" if amount == "75.00" else amount)
    assert excise["rule"].endswith("TAX-13")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("consumption_from_cny", "10"), ("consumption_from_measure", "g"), ("consumption_per_unit_cny", "1"),
        ("consumption_unit_zh", "升"),
    ],
)  # fmt: skip
def test_a_tariff_row_that_says_half_of_it_is_not_evaluated(column: str, value: str) -> None:
    half = TARIFF.with_columns(
        pl.when(pl.col("code") == "6205200099").then(pl.lit(value)).otherwise(column).alias(column)
    )
    tables = Tables().with_table("tariff", half, "2000-01-01")
    shirt = line("6205200099", "100", model="50g", quantity_1="1", unit_1="095")
    found = taxed(c(shirt), tables=tables)
    assert [f[3] for f in figures(found)] == ["6.00", None, None]


def test_small_taxes_on_goods_are_noted_or_by_option_left_out() -> None:
    shirt = c(line("6205200099", "300"))  # duty 18.00, VAT 41.34
    noted, applied = only(taxed(shirt)), only(taxed(shirt, options={"goods_exemption": "apply"}))
    assert (noted["payable_cny"], applied["payable_cny"], applied["tax_cny"]) == (Decimal("59.34"), Decimal("0.00"), Decimal("59.34"))  # fmt: skip
    assert (noted["outcome"], applied["outcome"]) == ("due", "not_collected")
    assert "TAX-09" in noted["note_en"]
    edge = c(line("6205200099", "833.33"))  # duty 50.00 is not below 50
    assert only(taxed(edge, options={"goods_exemption": "apply"}))["payable_cny"] == Decimal(
        "164.83"
    )


def test_over_the_single_limit_one_item_pays_everything_and_more_items_are_ordinary_trade() -> None:
    one, more = c(line("6205200099", "5000.01")), c(line("6205200099", "2500.01", "2"))
    assert figures(taxed(one, regime="ecommerce")) == [
        ("A", "5000.01", "6", "300.00"), ("Y", "5300.01", "0", "0.00"), ("L", "5300.01", "13", "689.00"),
    ]  # fmt: skip
    assert "CBL-03" in taxed(one, regime="ecommerce").lines["rule"][0]
    found = taxed(more, regime="ecommerce")
    assert set(found.lines["status"]) == {"not_evaluated"}
    assert "ordinary trade" in found.lines["note_en"][0]
    assert only(taxed(c(line("6205200099", "5000")), regime="ecommerce"))["payable_cny"] == Decimal(
        "455.00"
    )
    old = c(line("6205200099", "2000.01"), movement_date="20181231")
    assert only(taxed(old, regime="ecommerce"))["outcome"] == "not_evaluated"


def test_without_a_tariff_goods_are_not_evaluated_and_a_sample_is_for_demonstration_only() -> None:
    berries = c(line("0811100000", "200"))
    real, demo = taxed(berries, tables=Tables()), taxed(berries, tables=Tables(), demo=True)
    assert only(real)["outcome"] == "not_evaluated"
    assert "codes import tariff" in real.lines["note_en"][0]
    assert (only(demo)["payable_cny"], only(demo)["fictional"]) == (Decimal("83.40"), True)
    assert "demonstration" in demo.lines["note_en"][1]
    imported = taxed(c(line("6205200099", "200")), demo=True)
    assert only(imported)["fictional"] is False
    for code, said in (("0000000001", "no consumption tax rate"), ("1234567890", "does not hold")):
        found = taxed(c(line(code, "200")))
        assert only(found)["outcome"] == "not_evaluated"
        assert said in "".join(found.lines["note_en"].drop_nulls())


# -- everything else


def test_every_class_and_direction_has_its_outcome() -> None:
    found = taxed(
        Parcel("A"), Parcel("B", "E"), Parcel("C", "E"), Parcel("D"), b(), Parcel("B", goods=()),
        Parcel("B", head={"direction": None}), Parcel("B", head={"declaration_class": None}),
    )  # fmt: skip
    assert found.consignments["outcome"].to_list() == [
        "not_taxed", "not_taxed", "not_evaluated", "not_evaluated", "not_collected", "not_evaluated", "not_evaluated",
        "not_evaluated",
    ]  # fmt: skip
    assert found.consignments.schema == pl.Schema(CONSIGNMENTS)
    assert found.lines.schema == pl.Schema(LINES)
    assert found.lines.height == found.consignments.height
    paid = found.consignments.select("outcome", "payable_cny")
    assert (paid.filter(pl.col("outcome") == "not_taxed")["payable_cny"] == 0).all()
    assert paid.filter(pl.col("outcome") == "not_evaluated")["payable_cny"].null_count() == 5


@pytest.mark.parametrize(
    ("parcel", "said"),
    [
        (Parcel("A"), "class A: documents are not taxed"),
        (Parcel("B", "E"), "personal articles that leave pay no postal-articles tax"),
        (Parcel("C", "E"), "line 1: taxes on exports are in no rule of ours, not evaluated"),
        (Parcel("D"), "line 1: class D is declared as ordinary goods, not evaluated"),
        (Parcel("B", goods=()), "there is no goods line"),
        (Parcel("B", head={"direction": None}), "line 1: import or export is not known"),
        (Parcel("B", head={"declaration_class": None}), "line 1: there is no class"),
        (b(line("99999999"), line(currency="116")), "line 1: the tax number 99999999 is not in the table in force"),
        (b(line(), line(currency="116"), line("99999999")), "line 2: there is no exchange rate for currency 116 in 202611"),
    ],
)  # fmt: skip
def test_the_first_reason_is_said(parcel: Parcel, said: str) -> None:
    told = only(taxed(parcel))
    assert told["note_en"] == said
    assert told["note_zh"]


def test_what_could_not_be_read_is_not_evaluated_whatever_its_class() -> None:
    frames = frames_of(Example((Parcel("A"), Parcel("B"), Parcel("C"))))
    unread = frames.shipments.with_columns(unreadable=pl.lit(value=True))
    found = assess(replace(frames, shipments=unread), context_of(Example(())))
    assert set(found.lines["status"]) == set(found.consignments["outcome"]) == {"not_evaluated"}
    assert set(found.consignments["note_en"]) == {"line 1: the record could not be read"}


def test_a_value_is_said_only_if_every_line_has_one() -> None:
    assert only(taxed(b(line(), line(price="100"))))["value_cny"] == Decimal(300)
    assert only(taxed(b(line(), line(currency="116"))))["value_cny"] is None
    assert only(taxed(Parcel("B", goods=())))["value_cny"] is None
    assert only(taxed(Parcel("A")))["value_cny"] is None


def test_a_missing_movement_date_matters_only_where_an_amount_goes_by_it() -> None:
    shirt = c(line("6205200099", "300"), movement_date=None)
    assert only(taxed(shirt))["note_en"] == "an estimate; customs' figures (EXP310) count"
    assert only(taxed(shirt))["payable_cny"] == Decimal("59.34")
    assert "LIM-06" in only(taxed(b(movement_date=None)))["note_en"]


def test_as_ecommerce_only_imports_of_goods_are_asked() -> None:
    found = taxed(
        Parcel("A"), b(), Parcel("C", "E"), c(line("6205200099", "100")), regime="ecommerce"
    )
    assert found.consignments["regime"].to_list() == ["none", "ecommerce", "none", "ecommerce"]
    assert found.consignments["outcome"].to_list() == [
        "not_taxed",
        "not_evaluated",
        "not_evaluated",
        "due",
    ]


def test_nothing_handed_in_gives_nothing() -> None:
    empty = frames_of(Example((Parcel("B"),))).take(pl.Series([], dtype=pl.UInt32))
    found = assess(empty, Context(Tables(), Profile(), "20261123"))
    assert found.lines.height == found.consignments.height == 0
    assert found.lines.schema == pl.Schema(LINES)


# -- the arithmetic

_fen = st.integers(0, 10**16)
_percent = st.integers(0, 999_999)


def _half_up(value: Fraction) -> int:
    return (2 * value + 1).__floor__() // 2


def _cny(fen: int) -> pl.Expr:
    return pl.lit(Decimal(fen) / 100, dtype=CNY)


def _pct(units: int) -> pl.Expr:
    return pl.lit(Decimal(units) / 10_000, dtype=PERCENT)


@given(_fen, _percent, _percent, _fen, st.integers(0, 1_000_000))
def test_taxes_are_exact_and_rounded_once(
    fen: int, percent: int, excise: int, plus: int, share: int
) -> None:
    simple, whole = pl.select(
        percent_of(_cny(fen), _pct(percent)).alias("a"),
        of_composite(_cny(fen), _pct(excise), _pct(percent), plus=_cny(plus), share=_pct(share)).alias("b"),
    ).row(0)  # fmt: skip
    assert simple * 100 == _half_up(Fraction(fen * percent, 10**6))
    exact = Fraction(fen * percent, 10**6 - excise) + plus
    assert whole * 100 == _half_up(exact * Fraction(share, 10**6))


@given(_fen, _percent)
def test_a_composite_price_holds_its_own_tax(fen: int, percent: int) -> None:
    found = pl.select(composite(_cny(fen), _pct(percent))).item()
    assert found * 100 == _half_up(Fraction(fen * 10**6, 10**6 - percent))


def test_a_price_may_be_nearly_all_tax() -> None:
    assert pl.select(composite(_cny(1), _pct(999_999))).item() == Decimal("10000.00")


@given(
    st.decimals(0, 10**8, places=5, allow_nan=False),
    st.decimals(0, 10**5, places=5, allow_nan=False),
    st.decimals(0, 1000, places=8, allow_nan=False),
)
def test_a_product_keeps_every_decimal_and_rounds_half_up(
    a: Decimal, by: Decimal, rate: Decimal
) -> None:
    factors = [
        pl.lit(v, dtype=pl.Decimal(38, places)) for v, places in ((a, 5), (by, 5), (rate, 8))
    ]
    exact, fen = pl.select(product(*factors).alias("e"), to_fen(product(*factors)).alias("f")).row(
        0
    )
    expected = Fraction(a) * Fraction(by) * Fraction(rate)
    if expected >= 10**15:
        assert exact is None
    else:
        assert Fraction(exact) == expected
        assert fen * 100 == _half_up(expected * 100)


@pytest.mark.parametrize("numbers", [("99999999999999.99999", "99999999999999.99999", "0.00000001"), ("1e14", "1e10", "1e-8"), ("1e14", "1e5", "1e-8"), ("1e15", "1", "1")])  # fmt: skip
def test_what_is_too_large_is_null_and_never_an_error(numbers: tuple[str, ...]) -> None:
    factors = [
        pl.lit(Decimal(n), dtype=pl.Decimal(38, p)) for n, p in zip(numbers, (5, 5, 8), strict=True)
    ]
    assert pl.select(product(*factors)).item() is None
    huge = pl.lit(Decimal(10) ** 15, dtype=CNY)
    assert pl.select(percent_of(huge, _pct(1)).alias("p"), composite(huge, _pct(1)).alias("c")).row(
        0
    ) == (None, None)
    assert pl.select(composite(_cny(1), _pct(1_000_000))).item() is None
    assert EXACT.scale == 18


# -- what explain shows


@pytest.mark.parametrize("rule_id", SHOWN)
def test_the_example_of_a_figure_is_worked_out_under_its_id(rule_id: str) -> None:
    shown = SHOWN[rule_id]
    found = assess(frames_of(shown.example), context_of(shown.example), shown.regime)
    named = {rule for rules in found.lines["rule"] for rule in rules.split(";")} | set(
        found.consignments["rule"]
    )
    assert set(shown.told_as) <= named | {"TAX-09"}
    if rule_id == "TAX-09":
        assert "TAX-09" in found.consignments["note_en"][0]
    evaluated = rule_id not in ("TAX-06", "TAX-07")
    assert (found.consignments["outcome"][0] != "not_evaluated") == evaluated
    record = explain_rule(rule_id)
    assert (record["status"], record["kind"], record["enforced_by"]) == (
        "implemented",
        "compute",
        "tax",
    )
    assert record["meaning"] == shown.meaning
    assert record["passing"]
    assert not record["failing"]
    assert found.consignments["note_en"][0] == record["finding_en"][-1]
    assert len(record["finding_zh"]) == len(record["finding_en"]) == found.lines.height + 1


def test_the_figures_are_those_of_the_catalogue() -> None:
    assert set(SHOWN) == {
        entry.id
        for entry in catalogue()
        if entry.kind == "compute" and entry.status == "implemented"
    }
    parameters = Tables().frame("tax_parameters")
    named = set(parameters["rule"]) - {"CBL-01", "CBL-02", "CBL-03"}
    assert named <= set(SHOWN)
    dated = {
        "LIM-06",
        "TAX-02",
        "TAX-03",
        "TAX-04",
        "TAX-05",
        "TAX-06",
        "TAX-07",
        "TAX-08",
        "TAX-09",
        "TAX-10",
    }
    for entry in catalogue():
        if entry.id in dated:
            own = parameters.filter(pl.col("rule") == entry.id)
            assert entry.effective_from in set(own["effective_from"]), entry.id
            assert entry.effective_to in set(own["effective_to"].fill_null("")), entry.id
            assert set(own["dated_by"]) == {entry.dated_by}, entry.id
