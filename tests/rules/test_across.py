"""Rules across shipments: asked apart they find what they find together; any cut of a hand-in gives the same.

Broken by: a case that compares rows and does not say `over`, or that looks at a column `NEEDED` does not name.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import polars as pl
import pytest

from crossborder import intake, rules, samples
from crossborder.codes import Tables
from crossborder.rules import model
from crossborder.rules.across import COMMON, NEEDED
from crossborder.rules.examples import frames_of
from crossborder.rules.model import Example, Parcel
from crossborder.settings import Operator, Settings, find_profile
from crossborder.shipments import FrameSet, apply_profile
from crossborder.shipments.frames import complete, empty


@pytest.fixture(scope="module", params=["I", "E"])
def day(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[FrameSet, rules.Context]:  # fmt: skip
    """A dirty day whose receivers and telephones repeat."""
    file = tmp_path_factory.mktemp("day") / "day.csv"
    samples.create(
        file, shipments=300, seed=3, dirty=0.5, direction=request.param, mapping="elements"
    )
    read = intake.read(file, mapping="elements").frames
    ships = read.shipments
    side = "receiver" if request.param == "I" else "sender"
    again = pl.int_range(pl.len()) % 23 == 0
    phone = f"{side}_phone"
    some = ships.with_columns(
        pl.when(again & pl.col("party_id").is_not_null())
        .then(pl.lit(ships["party_id"].drop_nulls()[0])).otherwise("party_id").alias("party_id"),
        pl.when(pl.int_range(pl.len()) % 29 == 0).then(pl.lit("13800138000")).otherwise(phone).alias(phone),
    )  # fmt: skip
    firm = find_profile(Settings(), "demo")
    context = rules.Context(Tables.load(), firm, "20261123")
    frames = FrameSet(some, read.goods, read.documents, read.headers)
    return apply_profile(frames, firm, Operator()), context


def found(parts: list[pl.DataFrame]) -> list[Any]:
    """Findings as sorted rows."""
    return sorted(map(repr, pl.concat(parts).iter_rows()))


def test_alone_and_across_are_the_whole(day: tuple[FrameSet, rules.Context]) -> None:
    frames, context = day
    whole = rules.check(frames, context)
    assert {"EXP-48", "CLS-17", "ID-07"} <= set(whole["rule"])
    alone = rules.check_alone(frames, context)
    across = [rules.check_across(narrow(frames), context, over) for over in rules.bonds(context)]
    parts = [alone, *across]
    assert found(parts) == found([whole])


@pytest.mark.parametrize("before", [True, False])
def test_a_rule_that_is_exchanged_is_asked_as_it_is_now(
    day: tuple[FrameSet, rules.Context], monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    """A context remembers what it made of rules: of these very rules, whichever were asked first."""
    frames, context = day
    context = dataclasses.replace(context, memo={})
    over = ("_master", "_house", "direction")

    def told() -> tuple[set[str], ...]:
        parts = (rules.check(frames, context), rules.check_across(narrow(frames), context, over))
        return tuple(set(part["rule"]) & {"EXP-48"} for part in parts)

    if before:
        assert told() == ({"EXP-48"}, {"EXP-48"})
    later = dataclasses.replace(model._REGISTRY["EXP-48"], effective_from="2099-01-01")
    with monkeypatch.context() as patched:
        patched.setitem(model._REGISTRY, "EXP-48", later)
        assert told() == (set(), set())
    assert told() == ({"EXP-48"}, {"EXP-48"})


def narrow(frames: FrameSet) -> FrameSet:
    """Only what `NEEDED` names."""
    keys = ("ship", "sheet", "row", "rows", "unreadable")
    return FrameSet(
        complete("shipments", frames.shipments.select(*keys, *NEEDED)),
        empty("goods"),
        empty("documents"),
        frames.headers,
    )


def test_shipments_alone_are_judged_as_among_others(day: tuple[FrameSet, rules.Context]) -> None:
    frames, context = day
    ships = frames.shipments["ship"]
    parts = [
        rules.check_alone(frames.take(ships[first : first + 37]), context)
        for first in range(0, len(ships), 37)
    ]
    assert found(parts) == found([rules.check_alone(frames, context)])


def test_what_is_in_common_has_the_same_number_and_nothing_else(
    day: tuple[FrameSet, rules.Context],
) -> None:
    frames, context = day
    ships = frames.shipments.with_columns(
        master_waybill=pl.lit("999-1"),
        direction=pl.lit("I"),
        house_waybill=pl.format("ab-{}", pl.int_range(pl.len()) // 2),
    )
    numbers = rules.in_common(ships, ("_master", "_house", "direction"))
    spelled = rules.in_common(
        ships.with_columns(house_waybill=pl.col("house_waybill").str.to_uppercase().str.replace("-", " ")),
        ("_master", "_house", "direction"),
    )  # fmt: skip
    assert numbers.n_unique() == -(-ships.height // 2)
    assert numbers.to_list() == spelled.to_list()
    nobody = ships.with_columns(party_id=pl.lit(None, dtype=pl.String))
    assert rules.in_common(nobody, ("party_id",)).null_count() == ships.height
    assert {name for over in rules.bonds(context) for name in over} <= set(COMMON)


@pytest.mark.parametrize(
    ("over", "column"),
    [
        ("_master", "master_waybill"), ("_house", "house_waybill"), ("direction", "direction"), ("party_id", "party_id"),
        ("_party", "receiver_name"), ("_party_phone", "receiver_phone"), ("_party_address", "receiver_address"),
    ],
)  # fmt: skip
def test_each_thing_in_common_is_that_of_the_party_in_china(over: str, column: str) -> None:
    mine: dict[str, str | None] = {"master_waybill": "999-1", "house_waybill": "H", "party_id": "1", "receiver_name": "N",
                                   "receiver_phone": "2", "receiver_address": "A"}  # fmt: skip
    abroad = {name.replace("receiver", "sender"): "X" for name in mine if "receiver" in name}
    heads = [{**mine, **abroad}, dict(mine), {**mine, column: "E" if over == "direction" else "other"}, {**mine, column: None}]  # fmt: skip
    frames = frames_of(Example(tuple(Parcel(head=head) for head in heads)))
    numbers = rules.in_common(frames.shipments, (over,)).to_list()
    assert numbers[0] == numbers[1] != numbers[2]
    assert numbers[3] is None
    away = {name.replace("receiver", "sender"): value for name, value in mine.items()}
    leaving = frames_of(Example((Parcel("B", "E", away), Parcel("B", "E", {**away, column.replace("receiver", "sender"): "other"}))))  # fmt: skip
    one, other = rules.in_common(leaving.shipments, (over,)).to_list()
    if over != "direction":
        assert (one == other) is False
        assert one == numbers[0]


def test_all_of_what_is_asked_must_be_in_common() -> None:
    heads = ({"party_id": "1", "receiver_phone": "2"}, {"party_id": "1", "receiver_phone": "3"}, {"party_id": "1", "receiver_phone": None})  # fmt: skip
    ships = frames_of(Example(tuple(Parcel(head=head) for head in heads))).shipments
    first, second, third = rules.in_common(ships, ("party_id", "_party_phone")).to_list()
    assert first != second
    assert third is None
