"""Filling from profile and operator: who wins, what waits for the class, what is never touched."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl
import pytest

from crossborder import settings
from crossborder.errors import SettingsError
from crossborder.shipments import FrameSet, apply_profile
from crossborder.shipments.frames import complete, empty


@dataclass
class Firm:
    values: dict[str, str] = field(default_factory=dict)
    values_by_class: dict[str, dict[str, str]] = field(default_factory=dict)
    goods_values: dict[str, str] = field(default_factory=dict)


def frames(**columns: list[str | None]) -> FrameSet:
    height = len(next(iter(columns.values())))
    heads = pl.DataFrame(
        {"ship": range(height), "unreadable": [False] * height, **columns},
        schema_overrides=dict.fromkeys(columns, pl.String),
    )
    goods = pl.DataFrame(
        {"ship": range(height), "operation": [None] * (height - 1) + ["MOD"]},
        schema_overrides={"operation": pl.String},
    )
    return FrameSet(
        complete("shipments", heads),
        complete("goods", goods),
        empty("documents"),
        {"shipments": {"yard": "堆场"}},
    )


NOBODY = settings.Operator()


def test_only_empty_cells_are_filled() -> None:
    got = apply_profile(
        frames(yard=[None, "Y9"]), Firm({"yard": "Y1"}, goods_values={"operation": "ADD"}), NOBODY
    )
    assert got.shipments["yard"].to_list() == ["Y1", "Y9"]
    assert got.goods["operation"].to_list() == ["ADD", "MOD"]
    assert got.header("shipments", "yard") == "堆场"


def test_class_then_operator_then_profile() -> None:
    firm = Firm(
        {"owner_name": "firm", "input_person": "1"}, {"B": {"owner_name": "b", "input_person": "b"}}
    )
    person = settings.Operator(values={"input_person": "2"})
    got = apply_profile(frames(declaration_class=["A", "B"]), firm, person)
    assert got.shipments.select("owner_name", "input_person").rows() == [("firm", "2"), ("b", "b")]


def test_a_class_value_waits_until_the_class_is_known() -> None:
    firm = Firm({"ownership_type": "1", "yard": "Y"}, {"B": {"ownership_type": "6"}})
    first = apply_profile(frames(declaration_class=[None, "C"]), firm, NOBODY)
    assert first.shipments.select("ownership_type", "yard").rows() == [(None, "Y"), ("1", "Y")]
    known = FrameSet(
        first.shipments.with_columns(pl.Series("declaration_class", ["B", "C"])),
        first.goods,
        first.documents,
    )
    second = apply_profile(known, firm, NOBODY)
    assert second.shipments["ownership_type"].to_list() == ["6", "1"]
    assert apply_profile(second, firm, NOBODY).shipments.equals(second.shipments)


def test_a_value_only_for_a_class_leaves_the_other_classes_empty() -> None:
    got = apply_profile(
        frames(declaration_class=["A", "B", None]), Firm({}, {"B": {"ownership_type": "6"}}), NOBODY
    )
    assert got.shipments["ownership_type"].to_list() == [None, "6", None]


def test_unreadable_rows_and_empty_constants() -> None:
    given = frames(yard=[None, None])
    torn = FrameSet(
        given.shipments.with_columns(pl.Series("unreadable", [True, False])),
        given.goods,
        given.documents,
    )
    got = apply_profile(torn, Firm({"yard": "Y", "owner_name": ""}), NOBODY)
    assert got.shipments.select("yard", "owner_name").rows() == [(None, None), ("Y", None)]


@pytest.mark.parametrize(
    "firm",
    [Firm({"yrd": "1"}), Firm({}, {"A": {"yrd": "1"}}), Firm(goods_values={"operaton": "1"})],
)
def test_a_column_that_does_not_exist(firm: Firm) -> None:
    with pytest.raises(SettingsError) as caught:
        apply_profile(frames(yard=[None]), firm, NOBODY)
    assert caught.value.fix_en in ("nearest: yard", "nearest: operation")


def test_the_settings_profile_is_one() -> None:
    profile = settings.Profile(values={"yard": "Y"})
    assert apply_profile(frames(yard=[None]), profile, NOBODY).shipments["yard"].to_list() == ["Y"]
