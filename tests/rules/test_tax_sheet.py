"""The whole of what is said of a tax, word by word: `fixtures/rules/tax_sheet.txt`, each figure gone through by the facts.

One section for each case: its lines (kind, base, rate, amount, rule, basis, outcome, how it was worked out, what to know), then
what is collected of the parcel. A case differs from its neighbours by one fact, so each reason is seen alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from crossborder.codes import RATES_SCHEMA, Tables
from crossborder.rules import Context
from crossborder.rules.examples import frames_of
from crossborder.rules.model import Example, Parcel
from crossborder.rules.tax import assess
from crossborder.settings import Profile

SHEET = Path(__file__).parents[2] / "fixtures" / "rules" / "tax_sheet.txt"
SHIRT = "6205200099"
TARIFF: dict[str, str | None] = {
    "code": SHIRT, "mfn_rate_pct": "6", "vat_rate_pct": "13", "consumption_rate_pct": "0", "consumption_per_unit_cny": None,
    "consumption_unit_zh": None, "consumption_from_cny": None, "consumption_from_measure": None,
}  # fmt: skip
COSTS = {
    "delivery_terms": "3", "freight_mark": "3", "freight_currency": "142", "freight_amount": "10",
    "insurance_mark": "3", "insurance_currency": "142", "insurance_amount": "0",
}  # fmt: skip
LITRES = {"unit": "095", "quantity": "2", "quantity_1": "2", "unit_1": "095"}
PER_ML = {"consumption_rate_pct": "15", "consumption_from_cny": "10", "consumption_from_measure": "ml"}  # fmt: skip
PER_LITRE = {"consumption_rate_pct": "20", "consumption_per_unit_cny": "0.912", "consumption_unit_zh": "升"}  # fmt: skip
EACH = {"consumption_rate_pct": "20", "consumption_from_cny": "10000", "consumption_from_measure": "each"}  # fmt: skip


def parcel(kind: Any, *lines: dict[str, str | None], direction: Any = "I", **head: str | None) -> Parcel:  # fmt: skip
    plain = {"declared_total": None, "model": "L", "quantity": "1", "quantity_1": None, "unit_1": None}  # fmt: skip
    return Parcel(kind, direction, head, tuple({**plain, **line} for line in lines))


def c(price: str | None = "100", code: str | None = SHIRT, more: tuple[dict[str, str | None], ...] = (), **line: str | None) -> Parcel:  # fmt: skip
    return parcel("C", {"commodity_code": code, "declared_price": price, **line}, *more)


def b(code: str | None = "04010400", price: str | None = "200", **line: str | None) -> Parcel:
    return parcel("B", {"commodity_code": code, "declared_price": price, **line})


def moved(given: Parcel, **head: str | None) -> Parcel:
    return Parcel(given.kind, given.direction, head, given.goods)


CASES: dict[str, tuple[Parcel, dict[str, Any]]] = {
    "goods without a duty rate": (c(), {"mfn_rate_pct": None}),
    "goods without a consumption tax rate": (c(), {"consumption_rate_pct": None}),
    "goods without a VAT rate": (c(), {"vat_rate_pct": None}),
    "goods taxed by a content that is not said": (c(), PER_ML),
    "goods below the price per measure": (c(model="50ml"), PER_ML),
    "goods at the price per measure": (c("500", model="50ml"), PER_ML),
    "goods one fen below the price per measure": (c("499.99", model="50ml"), PER_ML),
    "a watch at the price each": (c("10000"), EACH),
    "two watches below the price each": (c("9999.99", quantity="2"), EACH),
    "a watch counted by weight": (c("10000", unit="035"), EACH),
    "goods with a specific part": (c(**LITRES), PER_LITRE),
    "goods with a specific part below one yuan": (
        c(unit="095", quantity="1", quantity_1="1", unit_1="095"), PER_LITRE,
    ),
    "goods with a specific part and no quantity for it": (c(), PER_LITRE),
    "goods with a specific part of nothing": (c(), {"consumption_per_unit_cny": "0", "consumption_unit_zh": "升"}),
    "goods free of duty": (c(), {"mfn_rate_pct": "0"}),
    "goods with one per cent of duty": (c(), {"mfn_rate_pct": "1"}),
    "goods with rates in decimals": (c(), {"mfn_rate_pct": "6.5", "vat_rate_pct": "13.25", "consumption_rate_pct": "5.5"}),
    "goods with one per cent of consumption tax": (c(), {"consumption_rate_pct": "1"}),
    "goods without a number": (c(code=None), {}),
    "goods of nine digits": (c(code="620520009"), {}),
    "goods without a price": (c(None), {}),
    "goods without a rate": (c(currency="116"), {}),
    "goods too dear to reckon": (c("9999999999999.9", quantity="1000"), {}),
    "goods too dear to reckon, consumption tax unknown": (c("9999999999999.9", quantity="1000"), {"consumption_rate_pct": None}),
    "goods too dear to reckon, content unknown": (c("9999999999999.9", quantity="1000"), PER_ML),
    "goods too dear to reckon, litres unknown": (c("9999999999999.9", quantity="1000"), PER_LITRE),
    "goods too dear to reckon, VAT unknown": (c("9999999999999.9", quantity="1000"), {"vat_rate_pct": None}),
    "goods in dollars": (c(currency="502"), {}),
    "goods the day before the law": (c(), {"declared": "20241130"}),
    "goods with freight": (moved(c(), **COSTS), {}),
    "goods with freight beside a line without value": (
        moved(c(more=({"commodity_code": SHIRT, "declared_price": None},)), **COSTS), {},
    ),
    "goods with freight under unknown terms": (moved(c(), **(COSTS | {"delivery_terms": "99"})), {}),
    "goods worth nothing with freight": (moved(c("0"), **COSTS), {}),
    "goods worth one fen with freight": (moved(c("0.01"), **COSTS), {}),
    "goods with small taxes": (c("300"), {}),
    "goods with small taxes that are left out": (c("300"), {"options": {"goods_exemption": "apply"}}),
    "goods with taxes below one yuan": (c("5"), {}),
    "goods with a tax at the bound": (c("833.33"), {}),
    "goods with a tax at the bound, small ones left out": (c("833.33"), {"options": {"goods_exemption": "apply"}}),
    "goods of the sample": (c(code="0811100000"), {"tariff": False, "demo": True}),
    "goods without a tariff": (c(), {"tariff": False}),
    "goods of an imported tariff in a demonstration": (c(), {"demo": True}),
    "retail at the limit in two lines": (
        c("2500", more=({"commodity_code": SHIRT, "declared_price": "2500"},)), {"regime": "ecommerce"},
    ),
    "retail above the limit in two lines": (
        c("5000", more=({"commodity_code": SHIRT, "declared_price": "0.01"},)), {"regime": "ecommerce"},
    ),
    "retail above the limit, one article": (c("5000.01"), {"regime": "ecommerce"}),
    "retail above the limit, two articles": (c("2500.01", quantity="2"), {"regime": "ecommerce"}),
    "retail above the limit, no article that is counted": (c("5000.01", unit="035"), {"regime": "ecommerce"}),
    "retail above the old limit, one article": (
        moved(c("2000.01"), movement_date="20181231"), {"regime": "ecommerce"},
    ),
    "retail at the old limit": (moved(c("2000"), movement_date="20181231"), {"regime": "ecommerce"}),
    "retail before there was a limit": (moved(c(), movement_date="20160407"), {"regime": "ecommerce"}),
    "retail with freight without a mark": (
        moved(c(), **(COSTS | {"freight_mark": None})), {"regime": "ecommerce"},
    ),
    "retail with insurance at a rate": (
        moved(c(), insurance_mark="1", insurance_currency="142", insurance_amount="3"), {"regime": "ecommerce"},
    ),
    "retail with consumption tax": (c("500", model="50ml"), {"regime": "ecommerce", **PER_ML}),
    "retail with a specific part": (c(**LITRES), {"regime": "ecommerce", **PER_LITRE}),
    "retail of a number the tariff lacks": (c(code="1234567890"), {"regime": "ecommerce"}),
    "retail without goods": (Parcel("C", goods=()), {"regime": "ecommerce"}),
    "retail of class D": (parcel("D", {"commodity_code": SHIRT, "declared_price": "100"}), {"regime": "ecommerce"}),
    "retail of class D without goods": (Parcel("D", goods=()), {"regime": "ecommerce"}),
    "retail that leaves": (parcel("C", {"declared_price": "100"}, direction="E"), {"regime": "ecommerce"}),
    "documents as retail": (Parcel("A"), {"regime": "ecommerce"}),
    "no class as retail": (moved(c(), declaration_class=None), {"regime": "ecommerce"}),
    "documents": (Parcel("A"), {}),
    "documents that leave": (Parcel("A", "E"), {}),
    "articles that leave": (Parcel("B", "E"), {}),
    "goods that leave": (Parcel("C", "E"), {}),
    "articles of which there are none": (Parcel("B", goods=()), {}),
    "articles with no direction": (Parcel("B", head={"direction": None}), {}),
    "documents with no direction": (Parcel("A", head={"direction": None}), {}),
    "articles whose tax is at the bound": (b(price="250"), {}),
    "articles whose tax is a fen above it": (b(price="250.05"), {}),
    "articles in dollars": (b(price="100", currency="502"), {}),
    "articles with a made-up rate": (b(price="100", currency="502"), {"demo": True, "fictional": True}),
    "articles beside a tariff of the sample": (b(), {"tariff": False, "demo": True}),
    "documents in a currency with a made-up rate": (
        parcel("A", {"declared_price": "1", "currency": "502"}, currency="502"), {"demo": True, "fictional": True},
    ),
    "articles without a rate": (b(currency="116"), {}),
    "articles before any exemption": (moved(b(), movement_date="20100831"), {}),
    "articles of an incomplete table": (b("99999999"), {"declared": "20241130"}),
    "articles of a day without a table": (b(), {"declared": "20190408"}),
    "articles of a day without a rule": (b(), {"declared": "20120414"}),
    "articles with a slip in the number": (b("04010401"), {}),
    "articles of a number like no other": (b("99999999"), {}),
    "articles without a number": (b(None), {}),
    "articles without a price": (b(price=None), {}),
    "articles without a price, in another unit": (b("01010100", None), {}),
    "articles without a price, in another unit and currency": (b("01010100", None, currency="116"), {}),
    "articles without a price, in pounds": (b("01010100", None, unit="075"), {}),
    "articles without a price in a table that lists none": (b("07010100", None), {}),
    "articles too dear to reckon": (b(price="9999999999999.9", quantity="1000"), {}),
    "articles too dear to reckon in a table that lists none": (b("07010100", "9999999999999.9", quantity="1000"), {}),
    "articles with a price of nothing": (b(price="0"), {}),
    "articles with a quantity of nothing": (b(quantity="0"), {}),
    "articles with a total only": (b(price=None, declared_total="5"), {}),
    "articles with a total of one": (b(price=None, declared_total="1"), {}),
    "articles with a total of nothing": (b(price=None, declared_total="0"), {}),
    "a watch whose price makes it premium": (b("07010220", "10000"), {}),
    "a watch whose price makes it ordinary": (b("07010100", "9999.99"), {}),
    "a premium watch": (b("07010100", "10000"), {}),
    "a cream whose volume makes it premium": (b("09020220", "150", model="15ml"), {}),
    "a cream whose weight makes it premium": (b("09020220", "150", model="15g"), {}),
    "masks whose number makes them premium": (b("09020240", "75", model="5片"), {}),
    "a cream whose volume makes it ordinary": (b("09020210", "149.99", model="15ml"), {}),
    "a cream without a content": (b("09020220", "300"), {}),
    "a cream without a price": (b("09020220", None, model="15ml"), {}),
    "a shirt with a volume": (b("04010400", "300", model="15ml"), {}),
    "an old article twice the listed price": (b("01010700", "400", unit="035"), {"declared": "20241130"}),
    "an old article nearly twice the listed price": (b("01010700", "399.99", unit="035"), {"declared": "20241130"}),
    "an old article half the listed price": (b("01010700", "100", unit="035"), {"declared": "20241130"}),
    "an old article above half the listed price": (b("01010700", "100.01", unit="035"), {"declared": "20241130"}),
    "an old article without a rate": (b("01010700", "100.01", unit="035", currency="116"), {"declared": "20241130"}),
    "an old article without a price": (b("01010700", None, unit="035"), {"declared": "20241130"}),
    "an old article in another unit": (b("01010700", "100.01"), {"declared": "20241130"}),
}  # fmt: skip


def worked_out(given: Sequence[Parcel], said: dict[str, Any]) -> list[list[str]]:
    """What is said of each of some parcels that ask for the same tables and settings."""
    said = dict(said)
    declared, regime = said.pop("declared", "20261123"), said.pop("regime", "declared")
    demo, options = said.pop("demo", False), said.pop("options", {})
    rate = {"currency": "502", "month": declared[:6], "rate": "7.1", "fictional": said.pop("fictional", False)}  # fmt: skip
    tables = Tables().with_rates(pl.DataFrame([rate], schema=RATES_SCHEMA))
    if said.pop("tariff", True):
        row = pl.DataFrame([TARIFF | said], schema=dict.fromkeys(TARIFF, pl.String))
        tables = tables.with_table("tariff", row, "2000-01-01")
    frames = frames_of(Example(tuple(given)))
    found = assess(frames, Context(tables, Profile(demo=demo, options=options), declared), regime)
    texts: list[list[str]] = [[] for _ in given]
    for row in found.lines.iter_rows(named=True):
        figures = ("kind", "base_cny", "rate_pct", "amount_cny", "rule", "basis", "status")
        texts[row["ship"]].append(told(row, figures, "how_zh", "how_en", "note_zh", "note_en"))
    for row in found.consignments.iter_rows(named=True):
        figures = ("outcome", "regime", "value_cny", "tax_cny", "payable_cny", "rule", "fictional")
        texts[row["ship"]].append("= " + told(row, figures, "note_zh", "note_en"))
    return texts


def told(row: dict[str, Any], figures: Sequence[str], *texts: str) -> str:
    said = [" ".join(str("-" if row[n] in (None, "") else row[n]) for n in figures)]
    return " | ".join([*said, *(row[n] or "-" for n in texts)])


@cache
def answers(asked: str) -> dict[str, list[str]]:
    """All cases with these tables and settings, handed in together."""
    together = {name: given for name, (given, said) in CASES.items() if json.dumps(said) == asked}
    return dict(zip(together, worked_out(list(together.values()), json.loads(asked)), strict=True))


@cache
def sheet() -> dict[str, list[str]]:
    sections = re.split(r"^## ", SHEET.read_text("utf-8"), flags=re.MULTILINE)[1:]
    split = [section.strip().splitlines() for section in sections]
    return {name: lines for name, *lines in split}


@pytest.mark.parametrize("case", CASES)
def test_a_tax_is_said_word_by_word(case: str) -> None:
    assert answers(json.dumps(CASES[case][1]))[case] == sheet()[case]


def test_the_sheet_holds_these_cases_and_no_other() -> None:
    assert list(sheet()) == list(CASES)
