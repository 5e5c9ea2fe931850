"""Weights, countries, codes, totals, numbering, main name, registration codes, places and waybills."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from crossborder import rules
from crossborder.codes import Tables
from crossborder.rules.examples import context_of, frames_of
from crossborder.rules.model import Example, Parcel
from crossborder.settings import Profile

Check = Callable[..., pl.DataFrame]


def only(found: pl.DataFrame) -> list[tuple[str, str]]:
    return found.select("rule", "action").rows()


def head(**columns: str | None) -> Parcel:
    return Parcel(head=columns)


@pytest.mark.parametrize(
    ("gross", "net", "column"),
    [("1", "1.00001", "gross_weight"), ("0", "1", "gross_weight"), ("0.000", "1", "gross_weight"),
     ("1", "0", "net_weight"), ("9", "10", "gross_weight")],
)  # fmt: skip
def test_weights(check: Check, gross: str, net: str, column: str) -> None:
    found = check(head(gross_weight=gross, net_weight=net))
    assert found.select("rule", "column").rows() == [("EXP-13", column)]
    assert check(head(gross_weight="10", net_weight="9")).height == 0
    assert check(head(gross_weight="1.50", net_weight="01.5")).height == 0


def test_two_zero_weights_are_two_faults(check: Check) -> None:
    assert only(check(head(gross_weight="0", net_weight="0"))) == [("EXP-13", "reject")] * 2


def test_heavy_parcels(check: Check) -> None:
    assert check(head(gross_weight="50", pieces="2")).height == 0
    assert only(check(head(gross_weight="50.001", pieces="9"))) == [("EXP-47", "note")]
    assert only(check(head(gross_weight="30.001"))) == [("EXP-47", "note")]
    assert check(Parcel("C", head={"gross_weight": "999"})).height == 0
    assert only(check(head(gross_weight="11", pieces="2"), options={"piece_weight_kg": "5"})) == [
        ("EXP-47", "note")
    ]


@pytest.mark.parametrize("pieces", ["0", "000"])
def test_no_pieces(check: Check, pieces: str) -> None:
    assert only(check(head(pieces=pieces))) == [("EXP-34", "reject")]
    assert check(head(pieces="1.5")).height == 0  # the facet's


@pytest.mark.parametrize(
    ("direction", "changed", "column", "suggest"),
    [("I", {"receiver_country": "502"}, "receiver_country", "142"),
     ("I", {"sender_country": "142"}, "sender_country", None),
     ("E", {"sender_country": "502"}, "sender_country", "142"),
     ("E", {"receiver_country": "142"}, "receiver_country", None)],
)  # fmt: skip
def test_country_pairs(
    check: Check, direction: Any, changed: dict[str, str], column: str, suggest: str | None
) -> None:
    found = check(Parcel("C", direction, changed))
    assert found.select("rule", "column", "suggest").rows() == [("EXP-15", column, suggest)]


def test_country_of_trade(check: Check) -> None:
    assert only(check(head(trade_country="142"))) == [("EXP-14", "reject")]


@pytest.mark.parametrize(
    ("klass", "code", "rules_"),
    [("B", "0401040", ["EXP-18"]), ("B", "040104001", ["EXP-18"]), ("B", "0401040A", ["EXP-18"]),
     ("B", "6205200099", ["EXP-18"]), ("B", "99999999", ["TAX-01"]), ("C", "62052000", ["EXP-18"]),
     ("C", "620520009A", ["EXP-18"]), ("C", "62052000990", ["EXP-18"]), ("C", "1" * 17, []),
     ("A", "123", [])],
)  # fmt: skip
def test_codes_of_goods(check: Check, klass: Any, code: str, rules_: list[str]) -> None:
    assert check(Parcel(klass, goods=({"commodity_code": code},)))["rule"].to_list() == rules_


def test_mixed_codes_are_one_finding(check: Check) -> None:
    found = check(
        Parcel("C", goods=({}, {"commodity_code": "04010400"}, {"commodity_code": "123"}))
    )
    assert sorted(found["rule"]) == ["CLS-13"]


def test_tax_table_is_looked_up_on_the_day_of_declaration() -> None:
    example = Example((Parcel(goods=({"commodity_code": "99999999"},)),))

    def told(declared: str, as_of: str | None = None) -> list[str]:
        ctx = rules.Context(Tables(), Profile(), declared, as_of)
        return (
            rules.check(frames_of(example), ctx)
            .filter(pl.col("rule") == "TAX-01")["rule"]
            .to_list()
        )

    assert told("20241201") == ["TAX-01"]
    assert told("20241130") == []
    assert told("20261123", "20241130") == []


def test_an_unknown_tax_number_is_told_with_the_nearest() -> None:
    lines = tuple({"commodity_code": code} for code in ("04010401", "99999999", "09020221"))
    found = rules.check(
        frames_of(Example((Parcel(goods=lines),))), rules.Context(Tables(), Profile(), "20261123")
    )
    told = found.filter(pl.col("rule") == "TAX-01")
    assert told["en"].str.extract("nearest: ([0-9]+)").to_list() == ["04010400", None, "09020220"]
    assert told["zh"][0].endswith("，最接近：04010400, 04010100, 04010200")
    assert told["zh"][1] == "行邮税号 99999999 不在现行税表中"


def test_an_incomplete_tax_table_says_nothing() -> None:
    example = Example((Parcel(goods=({"commodity_code": "99999999"},)),))
    tables = Tables().with_table(
        "parcel_tax", Tables().frame("parcel_tax"), "2026-01-01", complete=False
    )
    ctx = rules.Context(tables, Profile(), "20261123")
    assert "TAX-01" not in set(rules.check(frames_of(example), ctx)["rule"])
    assert "TAX-01" in set(rules.unevaluated(ctx)["rule"])


def test_statutory_quantity_and_second_pair(check: Check) -> None:
    assert only(check(Parcel(goods=({"quantity_1": "0.0"},)))) == [("EXP-19", "reject")]
    found = check(Parcel("C", goods=({"unit_2": "035"},)))
    assert found.select("rule", "action", "column").rows() == [("EXP-20", "note", "quantity_2")]
    assert check(Parcel("C", goods=({"unit_2": "035", "quantity_2": "1"},))).height == 0


def test_the_two_totals(check: Check) -> None:
    assert check(Parcel(goods=({"total": "0200.000", "declared_total": "200"},))).height == 0
    assert only(check(Parcel(goods=({"total": "200.0001"},)))) == [("EXP-21", "reject")]
    assert check(Parcel(goods=({"total": "2e2"},))).height == 0  # the facet's


@pytest.mark.parametrize(
    ("numbers", "wrong"),
    [("1 2 3", None), ("2 1 3", None), ("01 2 3", None), ("1 1 2", (1, "2")), ("1 2 4", (2, "3")),
     ("2 3 4", (0, "1")), ("0 1 2", (0, "1")), ("3 3 3", (0, "1")), ("1 x 3", None), ("1 2 2", (2, "3"))],
)  # fmt: skip
def test_line_numbers(check: Check, numbers: str, wrong: tuple[int, str] | None) -> None:
    lines = tuple({"line_number": n} for n in numbers.split())
    found = check(Parcel("C", goods=lines))
    if wrong is None:
        assert found.height == 0
    else:
        assert found.select("rule", "action", "suggest").rows() == [("EXP-22", "reject", wrong[1])]
        assert found["value"].to_list() == [numbers.split()[wrong[0]]]


def test_no_goods(check: Check) -> None:
    found = check(Parcel("C"), Parcel("C", goods=()))
    assert found.select("ship", "rule", "column").rows() == [(1, "EXP-22", None)]


def test_twenty_lines(check: Check) -> None:
    found = check(Parcel("C", goods=({},) * 25))
    assert found.select("rule", "action").rows() == [("CLS-20", "reject")]
    assert "25" in found["en"][0]


def test_main_name_is_that_of_the_dearest_line_with_the_lowest_number(check: Check) -> None:
    def line(name: str, total: str, number: str) -> dict[str, str | None]:
        return {"name": name, "name_en": f"{number} {total} x", "total": total, "declared_total": total,
                "declared_price": None, "line_number": number}  # fmt: skip

    lines = (line("甲", "9", "3"), line("乙", "10", "2"), line("丙", "10.00", "1"))

    def told(zh: str, en: str) -> list[tuple[str, str, str]]:
        names = {"main_goods_name": zh, "main_goods_name_en": en}
        return (
            check(Parcel("C", head=names, goods=lines)).select("rule", "action", "suggest").rows()
        )

    assert told("丙", "1 10.00 x") == []
    assert told("丙", "2 10 x") == [("EXP-23", "reject", "1 10.00 x")]
    assert told("乙", "1 10.00 x") == [("EXP-23", "note", "丙")]


def test_ownership_type(check: Check) -> None:
    found = check(Parcel("C", head={"ownership_type": "9"}))
    assert found.select("rule", "suggest").rows() == [("EXP-38", "6")]
    assert check(Parcel("B", head={"ownership_type": "9"})).height == 0
    assert check(Parcel("C", head={"trading_company_code": "330196", "ownership_type": "9"}))["rule"].to_list() == ["ID-11"]  # fmt: skip


@pytest.mark.parametrize(
    ("total", "action"),
    [("200", None), ("201.01", None), ("198.99", "note"), ("201.02", "note"), ("190.47", "note"),
     ("190.46", "reject"), ("210.53", "note"), ("210.54", "reject"), ("0", "reject")],
)  # fmt: skip
def test_quantity_times_price(check: Check, total: str, action: str | None) -> None:
    """2 × 100 against the total: tolerated up to 0.01 + 0.5 %, refused above 0.01 + 5 % of the total."""
    found = check(Parcel(goods=({"total": total, "declared_total": total},)))
    assert only(found) == ([("EXP-44", action)] if action else [])


@pytest.mark.parametrize(
    ("value", "action"),
    [("200", None), ("201.01", None), ("201.02", "note"), ("210.54", "reject"), ("189", "reject")],
)
def test_lines_against_the_value(check: Check, value: str, action: str | None) -> None:
    found = check(head(total_value=value))
    assert only(found) == ([("EXP-44", action)] if action else [])


def test_different_currencies_are_not_compared(check: Check) -> None:
    found = check(Parcel(head={"currency": "502", "total_value": "20"}))
    assert found.select("rule", "severity", "action").rows() == [
        ("EXP-44", "not_evaluated", "mark")
    ]
    mixed = check(Parcel(goods=({}, {"currency": "502"})))
    assert ("EXP-44", "not_evaluated", "mark") in mixed.select("rule", "severity", "action").rows()


def test_tolerances_are_settings(check: Check) -> None:
    parcel = Parcel(goods=({"total": "190", "declared_total": "190"},))
    assert only(check(parcel)) == [("EXP-44", "reject")]
    assert only(check(parcel, options={"total_reject_percent": "10"})) == [("EXP-44", "note")]
    assert check(parcel, options={"total_tolerance_percent": "6"}).height == 0
    assert check(parcel, options={"total_tolerance": "10"}).height == 0


def test_large_numbers_do_not_break_anything(check: Check) -> None:
    huge = "99999999999999.99999"
    line = {
        "quantity": huge,
        "declared_price": huge,
        "total": huge[:-1],
        "declared_total": huge[:-1],
    }
    assert ("EXP-44", "reject") in only(check(Parcel("C", goods=(line,) * 20)))


def test_time_limit(check: Check) -> None:
    assert check(head(movement_date="20261109")).height == 0
    assert only(check(head(movement_date="20261108"))) == [("EXP-42", "note")]
    assert check(Parcel("C", "E", {"movement_date": "20261123"})).height == 0
    assert only(check(Parcel("C", "E", {"movement_date": "20261122"}))) == [("EXP-42", "note")]
    assert check(head(movement_date="2026118")).height == 0  # the facet's


def test_declarant_and_used_goods(check: Check) -> None:
    for klass in ("A", "C"):
        found = check(Parcel(klass, head={"declarant_type": "1"}))
        assert found.select("rule", "suggest").rows() == [("EXP-07", "0")]
    assert only(check(Parcel("B", head={"used_goods": "1"}))) == [("EXP-32", "hold")]
    assert check(Parcel("A", head={"used_goods": "1"})).height == 0


@pytest.mark.parametrize("column", ["trade_country", "sender_country", "receiver_country"])
def test_country_form(check: Check, column: str) -> None:
    for bad in ("USA", "us", "美国", "50", "5O2"):
        found = check(Parcel("C", head={column: bad}))
        assert ("ID-16", column) in found.select("rule", "column").rows()
    assert "ID-16" not in set(check(Parcel("C", head={column: "5020"}))["rule"])  # the facet's


def test_letters_are_translated(check: Check) -> None:
    assert check(Parcel(goods=({"origin_country": "JPN"},)))["suggest"].to_list() == ["116"]
    assert check(Parcel(goods=({"origin_country": "jp"},)))["suggest"].to_list() == ["116"]
    assert check(Parcel("C", head={"insurance_currency": "HKD"}))["suggest"].to_list() == ["110"]
    assert check(Parcel("C", head={"insurance_currency": "¥"}))["suggest"].to_list() == [None]


def test_currency_form(check: Check) -> None:
    for column in ("freight_currency", "insurance_currency", "other_charges_currency"):
        assert check(Parcel("C", head={column: "USD"})).select("rule", "column").rows() == [
            ("ID-17", column)
        ]
    both = check(Parcel("C", head={"currency": "CNY"}, goods=({"currency": "CNY"},)))
    assert only(both) == [("ID-17", "reject")] * 2


def test_served_districts() -> None:
    example = Example((Parcel(),))

    def told(served: frozenset[str] | None) -> list[str]:
        ctx = rules.Context(Tables(), Profile(), "20261123", served_prefixes=served)
        return rules.check(frames_of(example), ctx)["rule"].to_list()

    assert told(frozenset({"29"})) == []
    assert told(frozenset({"2991", "31"})) == []
    assert told(frozenset({"31"})) == ["ID-18"]
    assert told(frozenset()) == ["ID-18"]
    assert told(None) == []
    assert "ID-18" in set(rules.unevaluated(rules.Context(Tables(), Profile(), "20261123"))["rule"])


def test_company_codes(check: Check) -> None:
    for bad in ("330196", "33019I1Q43", "ABCD961Q43", "3301961q43", "3301961Q4中"):
        assert check(Parcel("C", head={"declarant_code": bad}))["rule"].to_list() == ["ID-11"]
    assert check(Parcel("C", head={"declarant_code": "3301961q43"}))["suggest"].to_list() == [
        "3301961Q43"
    ]
    assert check(Parcel("C", head={"declarant_code": "3301961Q432"})).height == 0  # the facet's
    for column in ("trading_company_scc", "declarant_scc", "owner_scc"):
        for bad in (
            "91110000600037341",
            "91110000600037341l",
            "91110000600037341M",
            "O1110000600037341L",
        ):
            assert check(Parcel("C", head={column: bad}))["rule"].to_list() == ["ID-09"], bad
        assert check(Parcel("C", head={column: "91110000600037341L1"})).height == 0


def test_waybills(check: Check) -> None:
    for bad in ("999-1234567", "99-12345675", "ABC-12345675"):
        assert only(check(head(master_waybill=bad))) == [("ID-12", "note")]
    assert check(head(master_waybill="COSU1234", transport_mode="2")).height == 0
    found = check(head(house_waybill="ab 12"))
    assert found.select("rule", "suggest").rows() == [("ID-14", "AB12")]
    assert check(head(house_waybill="A/1"))["suggest"].to_list() == [None]
    assert only(check(head(house_waybill="999 12345675"))) == [
        ("EXP-48", "note"),
        ("ID-14", "note"),
    ]


def test_duplicates_by_normalised_key(check: Check) -> None:
    def parcel(
        house: str | None, master: str | None = "999-12345675", direction: Any = "I"
    ) -> Parcel:
        return Parcel("C", direction, {"house_waybill": house, "master_waybill": master})

    def doubled(*parcels: Parcel) -> list[int]:
        return check(*parcels).filter(pl.col("rule") == "EXP-48")["ship"].to_list()

    assert doubled(parcel("A1"), parcel("A2")) == []
    assert doubled(parcel("A1"), parcel("B1"), parcel("a-1")) == [0, 2]
    assert doubled(parcel("A1"), parcel("Ａ１", "99912345675")) == [0, 1]
    assert doubled(parcel("A1"), parcel("A1", "999-12345686")) == []
    assert doubled(parcel("A1"), parcel("A1", direction="E")) == []
    assert doubled(parcel("A1", None), parcel("A1", None), parcel(None), parcel(None)) == []


def test_declaration_number(check: Check) -> None:
    for bad in ("29912026100000001", "29912026100000000A"):
        assert only(check(head(entry_id=bad))) == [("EXP-01", "reject")]
    assert check(head(entry_id="010020129500000138")).height == 0


def test_rules_are_not_in_force_before_their_day() -> None:
    ctx = context_of(Example((), declared_on="20190105"))
    late = head(trade_country="142", movement_date="20190101")
    early = head(trade_country="142", movement_date="20181231")
    found = rules.check(frames_of(Example((late, early))), ctx)
    assert found.filter(pl.col("rule") == "EXP-14")["ship"].to_list() == [0]
    unknown = rules.check(frames_of(Example((head(trade_country="142", movement_date="x"),))), ctx)
    assert "EXP-14" in set(unknown["rule"])
