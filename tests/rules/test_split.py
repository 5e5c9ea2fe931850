"""One purchase in several parcels: CLS-17 by identity number, telephone and address, with the sum against the limit.

Broken by: a sum that counts what is not class B or goes the other way, a bound moved by a cent, parcels that are not named,
two findings for one suspicion.
"""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from crossborder import rules
from crossborder.rules.examples import context_of, frames_of
from crossborder.rules.model import Example, Parcel

IDS = ("330100199001010001", "810000199001010019", "933001199001010015")


def parcel(
    value: str, number: int = 0, kind: Any = "B", direction: Any = "I", **head: str | None
) -> Parcel:
    """A parcel of that value, its receiver's own telephone and address unless said otherwise."""
    side = "receiver" if direction == "I" else "sender"
    own: dict[str, str | None] = {
        "party_id": IDS[number], f"{side}_name": f"陈示{'甲乙丙'[number]}", f"{side}_phone": f"1380000000{number}",
        f"{side}_address": f"余杭区示范街道虚构路{number + 1}号",
    }  # fmt: skip
    own |= {"party_id": None, "party_id_type": None} if kind != "B" else {}
    line = {"declared_total": value, "total": value, "declared_price": value, "quantity": "1"}
    return Parcel(kind, direction, own | head, (line,))


def told(*parcels: Parcel, **options: str) -> pl.DataFrame:
    example = Example(parcels, options)
    found = rules.check(frames_of(example), context_of(example))
    return found.filter(pl.col("rule") == "CLS-17")


def test_two_parcels_of_one_person_are_named_with_sum_and_limit() -> None:
    found = told(parcel("1200"), parcel("800.01"), parcel("900", 1))
    assert found.select("ship", "element", "severity", "action").rows() == [
        (0, "SendId", "warn", "note"), (1, "SendId", "warn", "note"),
    ]  # fmt: skip
    for text in (*found["zh"], *found["en"]):
        assert "2000.01" in text
        assert "DEMO00000001, DEMO00000002" in text
        assert "DEMO00000003" not in text
        assert IDS[0] not in text
    assert "限值 2000 元" in found["zh"][0]
    assert "limit 2000" in found["en"][0]


@pytest.mark.parametrize(
    "parcels",
    [
        (parcel("1200"), parcel("800")),
        (parcel("1200"), parcel("1200", 1)),
        (parcel("1999"), parcel("2000.01")),
        (parcel("1200"), parcel("1200", 0, "C", party_id=IDS[0])),
        (parcel("1200"), parcel("900", 0, "B", "E")),
        (parcel("1999"),),
    ],
    ids=["just the limit", "two people", "one above it", "class C", "the other way", "alone"],
)
def test_what_is_no_split(parcels: tuple[Parcel, ...]) -> None:
    assert told(*parcels).height == 0


def test_the_limit_is_that_of_the_day_and_the_place() -> None:
    old = {"movement_date": "20241130"}
    assert told(parcel("600", **old), parcel("400.01", **old)).height == 2
    assert told(parcel("600", **old), parcel("400", **old)).height == 0
    far = (parcel("600", 0, "B", "E"), parcel("400.01", 0, "B", "E"))
    assert told(*far).height == 2
    assert told(parcel("600", 0, "B", "E"), parcel("400", 0, "B", "E")).height == 0
    near = {"receiver_country": "110", "trade_country": "110"}
    assert told(*(parcel("400.01", 0, "B", "E", **near) for _ in range(2))).height == 2


def test_values_are_converted() -> None:
    dollars = {"currency": "502"}
    assert told(parcel("142.85", **dollars), parcel("142.86", **dollars)).height == 0
    found = told(parcel("142.86", **dollars), parcel("142.86", **dollars))
    assert found.height == 2
    assert "2000.04" in found["zh"][0]


def test_one_telephone_under_several_numbers_is_a_note() -> None:
    same = {"receiver_phone": "13800138000"}
    found = told(parcel("1200", 0, **same), parcel("1200", 1, **same), parcel("1200", 2))
    assert found.select("ship", "element", "action").rows() == [
        (0, "ReceiveTelNo", "note"), (1, "ReceiveTelNo", "note"),
    ]  # fmt: skip
    assert "13800138000" not in "".join([*found["zh"], *found["en"]])
    away = {"sender_phone": "13800138000"}
    found = told(parcel("600", 0, "B", "E", **away), parcel("600", 1, "B", "E", **away))
    assert found["element"].to_list() == ["SendTelNo"] * 2


def test_one_address_under_several_numbers_and_telephones_is_a_note() -> None:
    same = {"receiver_address": "余杭区示范街道虚构路9号"}
    found = told(parcel("1200", 0, **same), parcel("1200", 1, **same))
    assert found.select("element", "action").rows() == [("ReceiveAddress", "note")] * 2
    away = {"sender_address": "余杭区示范街道虚构路9号"}
    found = told(parcel("600", 0, "B", "E", **away), parcel("600", 1, "B", "E", **away))
    assert found["element"].to_list() == ["SendAddress"] * 2


def test_one_suspicion_is_told_once() -> None:
    """The number before the telephone, the telephone before the address, and many parcels before their sum."""
    assert set(told(parcel("1200"), parcel("1200"))["element"]) == {"SendId"}
    same = {"receiver_phone": "13800138000", "receiver_address": "余杭区示范街道虚构路9号"}
    assert set(told(parcel("1200", 0, **same), parcel("1200", 1, **same))["element"]) == {"ReceiveTelNo"}  # fmt: skip
    many = told(*(parcel("500") for _ in range(6)))
    assert many.height == 6
    assert all("共有 6 个" in text for text in many["zh"])


def test_settings_say_what_follows() -> None:
    same = {"receiver_phone": "13800138000"}
    pairs = (parcel("1200"), parcel("1200")), (parcel("1200", 0, **same), parcel("1200", 1, **same))
    for grade, actions in (
        ("pass", [[], []]),
        ("note", [["note"], ["note"]]),
        ("hold", [["hold"], ["note"]]),
    ):
        assert [sorted(set(told(*pair, split_signal=grade)["action"])) for pair in pairs] == actions
    assert set(told(*(parcel("500") for _ in range(6)), split_signal="pass")["action"]) == {"hold"}


def test_settings_say_from_how_many_parcels() -> None:
    three = [parcel("700") for _ in range(3)]
    assert told(*three, split_parcels="3").height == 3
    assert told(*three, split_parcels="4").height == 0


def test_of_many_parcels_ten_are_named() -> None:
    found = told(*(parcel("200") for _ in range(12)), repeat_parcels="50")
    assert found.height == 12
    assert "DEMO00000010 …" in found["zh"][0]
    assert "DEMO00000011" not in found["zh"][0]


def test_of_ten_parcels_all_are_named_and_no_more_are_hinted_at() -> None:
    found = told(*(parcel("250") for _ in range(10)), repeat_parcels="50")
    assert found.height == 10
    assert "DEMO00000010" in found["en"][0]
    assert "…" not in "".join([*found["zh"], *found["en"]])


def test_a_parcel_just_at_its_limit_is_within_it() -> None:
    assert told(parcel("2000"), parcel("1")).height == 2


def test_only_parcels_of_class_b_are_counted_and_named() -> None:
    found = told(parcel("1200"), parcel("900"), parcel("900", 0, "C", party_id=IDS[0]))
    assert found["ship"].to_list() == [0, 1]
    assert all("2 class B parcels" in text and "DEMO00000003" not in text for text in found["en"])


def test_from_one_parcel_on_a_single_one_is_told() -> None:
    assert told(parcel("10"), parcel("10", 1), repeat_parcels="1")["ship"].to_list() == [0, 1]
    assert told(parcel("10"), parcel("10", 1), repeat_parcels="2").height == 0
    assert told(parcel("10"), parcel("10"), repeat_parcels="2").height == 2


def test_parcels_without_a_value_or_rate_do_not_count() -> None:
    nothing = {"currency": "303"}
    assert told(parcel("1200"), parcel("1200", 0, **nothing)).height == 0
    assert told(parcel("1200"), parcel("900"), parcel("1200", 0, **nothing)).height == 3


@pytest.mark.parametrize("over", [("party_id",), ("_party_phone",), ("_party_address",)])
def test_each_sign_is_asked_of_the_whole_hand_in(over: tuple[str, ...]) -> None:
    same = {"receiver_phone": "13800138000"} if over == ("_party_phone",) else {}
    same |= {"receiver_address": "余杭区示范街道虚构路9号"} if over == ("_party_address",) else {}
    pair = (parcel("1200"), parcel("1200", 1 if same else 0, **same))
    pair = (parcel("1200", 0, **same), pair[1])
    example = Example(pair)
    frames, context = frames_of(example), context_of(example)
    assert over in rules.bonds(context)
    asked = rules.check_across(frames, context, over).filter(pl.col("rule") == "CLS-17")
    assert asked.height == 2
    alone = rules.check_alone(frames, context)
    assert alone.filter(pl.col("rule") == "CLS-17").height == 0
    numbers = rules.in_common(frames.shipments, over)
    assert numbers[0] == numbers[1]
    assert numbers[0] is not None
