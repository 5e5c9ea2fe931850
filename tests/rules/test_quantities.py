"""Tobacco and alcohol by tax number (LIM-08), milk powder by net weight (LIM-10), plain names (EXP-46).

Broken by: a bound moved by one unit, a tax number that only begins like one, kilograms of other goods, a word within a word.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from crossborder.rules.charsets import traditional
from crossborder.rules.model import Parcel

Check = Callable[..., pl.DataFrame]


def told(found: pl.DataFrame, rule: str) -> list[tuple[Any, ...]]:
    return found.filter(pl.col("rule") == rule).select("element", "action").rows()


@pytest.mark.parametrize(("code", "held"), [
    ("02010100", True), ("03990000", True), ("01010100", False), ("04020300", False), ("0201010", False),
    ("020101000", False), ("0205000099", False),
])  # fmt: skip
def test_alcohol_and_tobacco_by_tax_number(check: Check, code: str, held: bool) -> None:
    found = told(check(Parcel(goods=({"commodity_code": code},))), "LIM-08")
    assert found == ([("GQty", "hold")] if held else [])


def test_from_a_quantity_on(check: Check) -> None:
    goods = {"commodity_code": "02050000", "declared_price": "100"}
    for quantity, held in (("2", 1), ("1.99", 0)):
        line = goods | {"quantity": quantity}
        assert (
            len(told(check(Parcel(goods=(line,)), options={"restricted_quantity": "2"}), "LIM-08"))
            == held
        )
    assert told(check(Parcel("C", goods=({"commodity_code": "02050000"},))), "LIM-08") == []
    assert told(check(Parcel("B", "E", goods=(goods,))), "LIM-08") == [("GQty", "hold")]
    old = {"movement_date": "19930228"}
    assert told(check(Parcel(head=old, goods=(goods,))), "LIM-08") == []


MILK = {"name": "婴儿奶粉"}
HEAVY = {"gross_weight": "9", "net_weight": "5.00001"}


def test_a_parcel_of_milk_powder_alone_counts_by_its_net_weight(check: Check) -> None:
    assert told(check(Parcel(head=HEAVY, goods=(MILK,))), "LIM-10") == [("NetWt", "note")]
    assert told(check(Parcel(head=HEAVY | {"net_weight": "5"}, goods=(MILK,))), "LIM-10") == []
    assert told(check(Parcel(head=HEAVY, goods=({"name": "奶瓶"},))), "LIM-10") == []
    assert told(check(Parcel(head=HEAVY, goods=({"name": "Milk Powder 罐装"},))), "LIM-10") == [
        ("NetWt", "note")
    ]
    assert (
        told(check(Parcel(head=HEAVY, goods=(MILK,)), options={"milk_powder_kg": "6"}), "LIM-10")
        == []
    )
    assert told(check(Parcel("C", head=HEAVY, goods=(MILK,))), "LIM-10") == []
    (text,) = check(Parcel(head=HEAVY, goods=(MILK,))).filter(pl.col("rule") == "LIM-10")["en"]
    assert "5.00001 kg" in text
    assert "5 kg" in text


def test_of_several_lines_what_they_say_in_kilograms_counts(check: Check) -> None:
    def line(kg: str, unit: str = "035", **more: str) -> dict[str, str]:
        return MILK | {"quantity_1": kg, "unit_1": unit} | more

    def found(*lines: dict[str, str]) -> list[tuple[Any, ...]]:
        return told(check(Parcel(head=HEAVY, goods=lines)), "LIM-10")

    assert found(line("3"), line("2.00001")) == [("Qty1", "note"), ("Qty1", "note")]
    assert found(line("3"), line("2")) == []
    assert found(line("3"), line("9", name="玻璃杯")) == []
    assert found(line("3"), line("9", unit="011")) == []
    two = Parcel(head=HEAVY, goods=(line("3"), {})), Parcel(head=HEAVY, goods=(line("3"), {}))
    assert told(check(*two), "LIM-10") == []


@pytest.mark.parametrize(("name", "said"), [
    ("新款玻璃杯", "新款"), ("玻璃杯 HOT SALE", "hot sale"), ("玻璃盃", "盃"), ("電池", "電"), ("电池", ""),
    ("snapshot sale", ""), ("商業文件", "業"),
])  # fmt: skip
def test_names_are_plain(check: Check, name: str, said: str) -> None:
    found = check(Parcel("C", goods=({"name": name},))).filter(pl.col("rule") == "EXP-46")
    shown = [text for text in found["en"] if said and said in text]
    assert found.height == (1 if said else 0), found["en"].to_list()
    assert len(shown) == found.height
    assert set(found["element"]) <= {"GName"}


def test_the_main_name_is_looked_at_where_it_is_another(check: Check) -> None:
    found = check(Parcel("C", head={"main_goods_name": "爆款電池"}))
    assert told(found, "EXP-46") == [("MainGName", "note"), ("MainGName", "note")]


def test_characters_of_both_writings_are_no_traditional_ones() -> None:
    kept = "玻璃杯棉衬衫电池著乾后后里面後"
    assert pl.Series(list(kept)).str.contains(traditional()).sum() == 0
    assert pl.Series(list("電錶襯國學麵裡門")).str.contains(traditional()).sum() == 8
