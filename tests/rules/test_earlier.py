"""Parcels of earlier batches against a slow, obvious reading of the same rule; and the marks by which they are known.

Broken by: a bound moved by one, a sum that counts what is too far away or goes the other way, a suspicion told twice, and a
mark that can be made without the key.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import polars as pl
import pytest

from crossborder import ledger, rules
from crossborder.rules import marks as marking
from crossborder.rules.examples import context_of, frames_of
from crossborder.rules.model import Example, Parcel

KEY = bytes(range(32))
START = date(2026, 11, 1)
MILLION = 1_000_000
KINDS = {"id_mark": "SendId", "phone_mark": "TelNo", "address_mark": "Address"}


def context(**options: str) -> rules.Context:
    return context_of(Example((), options))


# the judge

Row = dict[str, object]


def near(a: Row, b: Row, days: int) -> bool:
    return abs((a["day"] - b["day"]).days) <= days  # type: ignore[operator]


def judge(
    own: list[Row], earlier: list[Row], days: int, least: int, many: int
) -> set[tuple[int, str]]:
    """(ship, element's end) of every parcel that is told, read parcel by parcel."""
    found = set()
    for one in own:
        for mark, element in KINDS.items():
            if one[mark] is None:
                continue
            mine = [p for p in own if p[mark] == one[mark] and p["export"] == one["export"]]
            before = [
                p for p in earlier
                if p[mark] == one[mark] and p["export"] == one["export"] and near(one, p, days)
            ]  # fmt: skip
            if before and split(mine, before, mark, least, many):
                found.add((int(str(one["ship"])), element))
    return found


def split(mine: list[Row], before: list[Row], mark: str, least: int, many: int) -> bool:
    every = [*mine, *before]
    if any(p["value"] > p["limit"] for p in every) or too_much(mine, least):  # type: ignore[operator]
        return False
    if mark == "id_mark":
        return len(mine) < many and too_much(every, least)
    several = len({p["id_mark"] for p in every}) > 1
    if mark == "address_mark":
        several = several and len({p["phone_mark"] for p in every}) > 1
    return several and too_much(every, least)


def too_much(parcels: list[Row], least: int) -> bool:
    total = sum(int(str(p["value"])) for p in parcels)
    return len(parcels) >= least and total > max(int(str(p["limit"])) for p in parcels)


def drawn(rng: random.Random, count: int, name: str) -> pl.DataFrame:
    """Marks of so many parcels that have much in common."""

    def mark(several: int) -> int | None:
        return rng.choice([None, *range(1, several)])

    rows = [
        {
            name: n, "export": rng.random() < 0.3, "id_mark": mark(12), "phone_mark": mark(12), "address_mark": mark(9),
            "value": rng.choice([300, 700, 1000, 1001, 1999, 2100]) * MILLION + rng.choice([0, 0, 1]),
            "limit": rng.choice([2000, 2000, 1000]) * MILLION, "day": START + timedelta(days=rng.randrange(24)),
        }
        for n in range(count)
    ]  # fmt: skip
    schema = {name if n == "ship" else n: t for n, t in rules.MARKS.items()}
    return pl.DataFrame(rows, schema=schema, orient="row")


def frames(count: int) -> rules.Parcel | object:
    return frames_of(Example(tuple(Parcel() for _ in range(count))))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(("days", "least", "many"), [(7, 2, 6), (0, 2, 2), (3, 3, 4)])
def test_what_is_told_agrees_parcel_by_parcel(seed: int, days: int, least: int, many: int) -> None:
    rng = random.Random(seed)
    own = drawn(rng, 25, "ship")
    earlier = drawn(rng, 40, "position").with_columns(
        batch=pl.format("202611{}-01", pl.col("day").dt.strftime("%d")),
        house=pl.format("E{}", "position"),
    )
    ctx = context(split_days=str(days or "0.5"), split_parcels=str(least), repeat_parcels=str(many))
    told = rules.told_split(
        own, earlier, frames_of(Example(tuple(Parcel() for _ in range(25)))), ctx
    )
    ends = {"SendId": "SendId", "ReceiveTelNo": "TelNo", "SendTelNo": "TelNo", "ReceiveAddress": "Address", "SendAddress": "Address"}  # fmt: skip
    got = [(ship, ends[e]) for ship, e in told.select("ship", "element").iter_rows()]
    assert max(Counter(got).values(), default=1) == 1
    assert set(got) == judge(own.to_dicts(), earlier.to_dicts(), days, least, many)


def test_the_draws_tell_something() -> None:
    """Otherwise the test above would prove little."""
    found = [
        judge(drawn(random.Random(s), 25, "ship").to_dicts(), drawn(random.Random(s + 50), 40, "position").to_dicts(), 7, 2, 6)
        for s in range(12)
    ]  # fmt: skip
    assert {kind for one in found for _, kind in one} == set(KINDS.values())


@pytest.mark.parametrize("seed", range(4))
def test_whom_the_ledger_is_asked_about_is_enough(seed: int) -> None:
    """What is told of those asked about is what would be told of all; what is not told of is seldom asked about."""
    rng = random.Random(seed)
    own = drawn(rng, 25, "ship")
    earlier = drawn(rng, 40, "position").with_columns(
        batch=pl.lit("20261101-01"), house=pl.format("E{}", "position")
    )
    heads, ctx = frames_of(Example(tuple(Parcel() for _ in range(25)))), context()
    asked = rules.split_partners(own, earlier, ctx)
    assert 0 < asked.height <= earlier.height
    some = earlier.join(asked, on=["batch", "position"], how="semi", maintain_order="left")
    every = rules.told_split(own, earlier, heads, ctx)
    concerned = rules.split_concerned(own, some, ctx)
    assert set(every["ship"]) <= set(concerned)
    told = rules.told_split(own, some, heads, ctx)
    assert told.select("ship", "element").rows() == every.select("ship", "element").rows()


def test_setting_hold_is_for_identity_numbers_only() -> None:
    rng = random.Random(1)
    own, earlier = drawn(rng, 25, "ship"), drawn(rng, 40, "position")
    known = earlier.with_columns(batch=pl.lit("20261101-01"), house=pl.lit("E"))
    heads = frames_of(Example(tuple(Parcel() for _ in range(25))))
    told = rules.told_split(own, known, heads, context(split_signal="hold"))
    by_element = {(e == "SendId", a) for e, a in told.select("element", "action").iter_rows()}
    assert by_element == {(True, "hold"), (False, "note")}


def test_of_many_parcels_ten_are_named() -> None:
    day = {
        "export": False,
        "phone_mark": None,
        "address_mark": None,
        "limit": 2000 * MILLION,
        "day": START,
    }
    rows = [day | {"ship": 0, "id_mark": 1, "value": 100 * MILLION}]
    old = [day | {"position": n, "id_mark": 1, "value": 200 * MILLION} for n in range(12)]
    own = pl.DataFrame(rows, schema=rules.MARKS, orient="row")
    schema = {"position": pl.UInt32, **{n: t for n, t in rules.MARKS.items() if n != "ship"}}
    known = pl.DataFrame(old, schema=schema).with_columns(
        batch=pl.lit("20261101-01"), house=pl.format("E{}", pl.col("position").cast(pl.String).str.zfill(2))
    )  # fmt: skip
    (text,) = rules.told_split(own, known, frames_of(Example((Parcel(),))), context())["en"]
    assert "E09 (20261101-01) …" in text
    assert "E10" not in text
    assert "13 class B parcels" in text
    assert "12 of them in earlier batches" in text
    assert "CNY 2500, limit 2000" in text
    ten = known.head(10)
    (text,) = rules.told_split(own, ten, frames_of(Example((Parcel(),))), context())["en"]
    assert text.endswith("E08 (20261101-01), E09 (20261101-01)")


def test_how_long_a_house_waybill_is_looked_for_is_a_setting() -> None:
    assert rules.house_days(context()) == timedelta(days=180)
    assert rules.house_days(context(house_days="30")) == timedelta(days=30)


def test_a_suspicion_is_a_note_unless_the_setting_lets_a_person_decide() -> None:
    def parcel(value: str) -> Parcel:
        line = {"declared_total": value, "total": value, "declared_price": value, "quantity": "1"}
        return Parcel("B", "I", {"total_value": value}, (line,))

    example = Example((parcel("1200"),), earlier=(parcel("900"),))
    for found, action in (
        (rules.judged_with_earlier(example), "note"),
        (rules.judged_with_earlier(example, context(split_signal="hold")), "hold"),
    ):
        assert found.select("rule", "element", "action").rows() == [("CLS-17", "SendId", action)]


def test_only_what_lies_within_the_window_is_listed_and_counted() -> None:
    day = {
        "export": False,
        "phone_mark": None,
        "address_mark": None,
        "limit": 2000 * MILLION,
        "id_mark": 1,
    }
    own = pl.DataFrame(
        [day | {"ship": 0, "value": 900 * MILLION, "day": START}], schema=rules.MARKS
    )
    schema = {"position": pl.UInt32, **{n: t for n, t in rules.MARKS.items() if n != "ship"}}
    days = (-8, -7, 7, 8)
    old = [
        day | {"position": n, "value": 800 * MILLION, "day": START + timedelta(days=d)} for n, d in enumerate(days)
    ]  # fmt: skip
    known = pl.DataFrame(old, schema=schema).with_columns(
        batch=pl.lit("20261101-01"), house=pl.format("E{}", "position")
    )
    (text,) = rules.told_split(own, known, frames_of(Example((Parcel(),))), context())["en"]
    assert "3 class B parcels" in text
    assert "CNY 2500," in text
    assert text.endswith("earlier: E1 (20261101-01), E2 (20261101-01)")
    assert rules.split_partners(own, known, context())["position"].to_list() == [1, 2]


# marks


def test_marks_are_those_of_class_b_parcels_with_a_value() -> None:
    dollars = {"currency": "502"}
    example = Example((
        Parcel("B", head={"total_value": "12.5"}), Parcel("A"), Parcel("C"), Parcel("B", "E", {"movement_date": "20241130"}),
        Parcel("B", head={"currency": "303"}), Parcel("B", head={"movement_date": "x"}), Parcel("B", head=dollars),
        Parcel("B", head={"party_id": None, "receiver_phone": None, "receiver_address": None}),
        Parcel("B", head={"party_id": None}),
    ))  # fmt: skip
    found = rules.marks_of(frames_of(example), context_of(example), KEY)
    assert found["ship"].to_list() == [0, 3, 6, 8]
    assert found["export"].to_list() == [False, True, False, False]
    assert found["value"].to_list()[0] == 12_500_000
    rate = context_of(example).rates["502"]
    assert found["value"].to_list()[2] == int(Decimal(200) * rate * MILLION)
    assert found["limit"].to_list() == [
        2000 * MILLION,
        1000 * MILLION,
        2000 * MILLION,
        2000 * MILLION,
    ]
    assert found["day"].to_list()[1] == date(2024, 11, 30)
    assert found["id_mark"].null_count() == 1
    assert found["id_mark"][0] == found["id_mark"][1]


def test_a_mark_is_a_keyed_hash_of_the_text() -> None:
    values = pl.Series("x", ["13800000000", None, "陈示例"])
    for kind in ("id_mark", "phone_mark"):
        found = marking.hashed(values, KEY, kind).to_list()
        for text, number in zip(values, found, strict=True):
            if text is None:
                assert number is None
                continue
            digest = hashlib.blake2b(text.encode(), key=KEY, digest_size=8, person=kind.encode())
            assert number == int.from_bytes(digest.digest(), "little")
    assert marking.hashed(values, KEY, "id_mark")[0] != marking.hashed(values, KEY, "phone_mark")[0]
    assert (
        marking.hashed(values, KEY, "id_mark")[0] != marking.hashed(values, KEY[::-1], "id_mark")[0]
    )


def test_the_ledger_keeps_what_the_rules_make() -> None:
    """The two rooms know nothing of each other; the engine renames one column."""
    made = {("position" if n == "ship" else n): t for n, t in rules.MARKS.items()}
    assert made == dict(ledger.MARKS)
    assert list(made) == list(ledger.MARKS)
    assert tuple(marking.SOURCES) == ledger.HASHES


def test_a_house_waybill_elsewhere_is_told_once_with_every_place() -> None:
    rows = [(0, "999-1", "20261101-01"), (0, "999-1", "20261101-01"), (0, "999-2", "20261102-01")]
    elsewhere = pl.DataFrame(rows, schema=rules.ELSEWHERE, orient="row")
    (found,) = rules.told_again(
        frames_of(Example((Parcel(), Parcel()))), elsewhere, context_of(Example(()))
    ).to_dicts()
    assert (found["ship"], found["rule"], found["action"], found["element"]) == (
        0,
        "EXP-50",
        "hold",
        "AssBillNo",
    )
    assert "999-1 (20261101-01), 999-2 (20261102-01)" in found["en"]
    assert (
        rules.told_again(
            frames_of(Example((Parcel(),))), elsewhere.clear(), context_of(Example(()))
        ).height
        == 0
    )


def two(
    own: dict[str, object], earlier: dict[str, object], own_value: int = 1001, **options: str
) -> list[str]:
    """Elements told of one parcel and one earlier, which are alike but for what is said; worth 1,001 yuan each, limit 2,000."""
    alike = {"export": False, "id_mark": 1, "phone_mark": 1, "address_mark": 1, "value": own_value * MILLION,
             "limit": 2000 * MILLION, "day": START}  # fmt: skip
    mine = pl.DataFrame([{**alike, "ship": 0, **own}], schema=rules.MARKS, orient="row")
    schema = {"position": pl.UInt32, **{n: t for n, t in rules.MARKS.items() if n != "ship"}}
    before = {**alike, "value": 1000 * MILLION, "position": 0, **earlier}
    known = pl.DataFrame([before], schema=schema).with_columns(
        batch=pl.lit("20261101-01"), house=pl.lit("E")
    )
    told = rules.told_split(mine, known, frames_of(Example((Parcel(),))), context(**options))
    return told["element"].to_list()


def test_the_number_speaks_before_the_telephone_and_that_before_the_address() -> None:
    assert two({}, {}) == ["SendId"]
    assert two({}, {"id_mark": 2}) == ["ReceiveTelNo"]
    assert two({}, {"id_mark": 2, "phone_mark": 2}) == ["ReceiveAddress"]
    assert two({}, {"phone_mark": 2}) == ["SendId"]
    assert two({}, {"id_mark": 2, "phone_mark": 2, "address_mark": 2}) == []
    assert two({}, {"id_mark": None}) == ["ReceiveTelNo"]


def test_a_sum_at_the_limit_a_day_at_the_edge_and_the_other_direction() -> None:
    assert two({}, {}, 1000) == []
    assert two({}, {"value": 1000 * MILLION + 1}, 1000) == ["SendId"]
    assert two({}, {"value": 2000 * MILLION}) == ["SendId"]
    assert two({}, {"value": 2000 * MILLION + 1}) == []
    assert two({}, {"day": START - timedelta(days=7)}) == ["SendId"]
    assert two({}, {"day": START + timedelta(days=7)}) == ["SendId"]
    assert two({}, {"day": START - timedelta(days=8)}) == []
    assert two({}, {"day": START - timedelta(days=8)}, split_days="8") == ["SendId"]
    assert two({}, {"export": True}) == []
    assert two({}, {}, split_parcels="3") == []
    assert two({}, {}, repeat_parcels="1") == []
    assert two({}, {"limit": 3000 * MILLION}) == []
