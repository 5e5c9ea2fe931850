"""How findings look, what settings do, what was not evaluated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest

from crossborder import rules
from crossborder.codes import Tables
from crossborder.errors import SettingsError
from crossborder.rules.examples import context_of, frames_of
from crossborder.rules.model import Example, Parcel
from crossborder.rules.ready import Inquiry
from crossborder.settings import Profile
from crossborder.shipments import findings, frames, personal_names
from crossborder.shipments.frames import FrameSet


def shaped(*parcels: Parcel) -> FrameSet:
    base = frames_of(Example(parcels))
    headers = {"shipments": {"gross_weight": "毛重KG"}, "goods": {"total": "总价"}}
    ships = base.shipments.with_columns(row=pl.col("row") * 10, sheet=pl.lit("Sheet1"))
    goods = base.goods.with_columns(row=pl.col("row") * 10 + pl.col("line"), sheet=pl.lit("Sheet1"))
    return FrameSet(ships, goods, base.documents, headers)


def context() -> rules.Context:
    return context_of(Example(()))


def test_a_head_finding_names_place_and_value() -> None:
    found = rules.check(shaped(Parcel(), Parcel(head={"gross_weight": "0.5"})), context())
    assert found.schema == pl.Schema(findings.SCHEMA)
    row = found.row(0, named=True)
    assert row["ship"] == 1
    assert (row["sheet"], row["row"], row["column"], row["element"]) == (
        "Sheet1",
        20,
        "毛重KG",
        "GrossWt",
    )
    assert (row["shipment"], row["master"], row["value"]) == ("DEMO00000002", "999-12345675", "0.5")
    assert row["zh"] == "毛重 0.5 小于净重 1"
    assert row["en"] == "gross weight 0.5 is below net weight 1"
    assert row["source"] == "our reading"


def test_a_line_finding_names_the_line_and_the_shipment() -> None:
    line = {"total": "201", "declared_total": "200"}
    found = rules.check(shaped(Parcel("C"), Parcel("C", goods=({}, line))), context())
    row = found.row(by_predicate=pl.col("rule") == "EXP-21", named=True)
    assert (row["ship"], row["row"], row["column"]) == (1, 21, "declared_total")
    assert row["shipment"] == "DEMO00000002"


def test_without_a_waybill_the_row_stands_for_it() -> None:
    missing = {"house_waybill": None, "master_waybill": None, "gross_weight": "0"}
    found = rules.check(shaped(Parcel(head=missing, goods=({"quantity_1": "0"},))), context())
    assert found["shipment"].unique().to_list() == ["#10"]
    assert found["master"].to_list() == [None, None]


def test_findings_come_in_the_order_of_the_shipments() -> None:
    parcels = [Parcel("C", head={"pieces": "0"}, goods=({"quantity_1": "0"},)) for _ in range(3)]
    found = rules.check(shaped(*parcels), context())
    assert found["ship"].to_list() == [0, 0, 1, 1, 2, 2]
    assert rules.check(shaped(*parcels), context()).equals(found)


def test_ship_numbers_with_gaps_and_unsorted_goods() -> None:
    whole = shaped(
        *[Parcel("C", head={"pieces": "0"}, goods=({}, {"total": "9"})) for _ in range(4)]
    )
    part = whole.take(pl.Series([1, 3], dtype=pl.UInt32))
    mixed = FrameSet(part.shipments, part.goods.reverse(), part.documents, part.headers)
    found = rules.check(mixed, context())
    assert found.equals(rules.check(part, context()))
    assert set(found["ship"]) == {1, 3}


def test_empty_frames() -> None:
    nothing = FrameSet(frames.empty("shipments"), frames.empty("goods"), frames.empty("documents"))
    assert rules.check(nothing, context()).height == 0
    done, found = rules.classify(nothing, context())
    assert done.shipments.height == found.height == 0


def test_all_values_missing_is_no_error() -> None:
    base = shaped(Parcel())
    bare = {
        n: pl.lit(None, dtype=pl.String)
        for n in frames.schema("shipments")
        if n not in frames.KEYS["shipments"]
    }
    empty = FrameSet(base.shipments.with_columns(**bare), base.goods, base.documents)
    assert "EXP-23" not in set(rules.check(empty, context())["rule"])


def test_input_frames_are_not_changed() -> None:
    base = shaped(Parcel(), Parcel(head={"declaration_class": None}))
    before = base.shipments.clone(), base.goods.clone()
    done, _ = rules.classify(base, context())
    rules.check(done, context())
    assert base.shipments.equals(before[0])
    assert base.goods.equals(before[1])
    assert done.shipments.columns == base.shipments.columns


@pytest.mark.parametrize(
    ("name", "value"),
    [("unstated_facts", "yes"), ("mode_3039", ""), ("house_weight_kg", "0"), ("total_tolerance", "-1"),
     ("repeat_parcels", "many"), ("supplementary_ideographs", "WARN")],
)  # fmt: skip
def test_options_that_cannot_be_used_are_refused(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"options.{name}"):
        rules.Context(Tables(), Profile(options={name: value}), "20261123")


def test_options_of_other_rooms_are_left_alone() -> None:
    ctx = rules.Context(Tables(), Profile(options={"manifest_name_cut": "on"}), "20261123")
    assert ctx.option("mode_3039") == rules.OPTIONS["mode_3039"].default


@pytest.mark.parametrize("day", ["2026-11-23", "20261131", "", "２０２６１１２３"])
def test_dates_are_eight_digits(day: str) -> None:
    with pytest.raises(SettingsError):
        rules.Context(Tables(), Profile(), day)
    with pytest.raises(SettingsError):
        rules.Context(Tables(), Profile(), "20261123", as_of=day)


def test_unevaluated_names_each_rule_once_with_a_reason() -> None:
    ctx = context()
    frame = rules.unevaluated(ctx)
    assert frame.columns == ["rule", "reason_zh", "reason_en"]
    assert frame["rule"].is_unique().all()
    assert {"EXP-20", "EXP-50", "EXP-41"} <= set(frame["rule"])
    assert "CLS-06" not in set(frame["rule"])
    taken_as_no = Profile(
        options={"unstated_facts": "assume_no"}, rules={"CLS-14": "off", "EXP-20": "off"}
    )
    frame = rules.unevaluated(rules.Context(Tables(), taken_as_no, "20261123"))
    assert frame["rule"].is_unique().all()
    assert {"CLS-06", "CLS-14", "EXP-20"} <= set(frame["rule"])


def test_a_context_makes_its_cases_once() -> None:
    ctx = context()
    rules.check(shaped(Parcel()), ctx)
    first = dict(ctx.memo)
    rules.check(shaped(Parcel()), ctx)
    assert ctx.memo.keys() == first.keys() >= {"EXP-13", "LIM-02", "TXT-04"}
    assert all(ctx.memo[name] is cases for name, cases in first.items())


def test_word_lists_are_words_and_may_be_empty() -> None:
    frame = pl.DataFrame({"list": ["vague_goods"], "word": ["a.b (x y)"]})
    tables = Tables().with_table("words", frame, "2026-01-01")
    ctx = rules.Context(tables, Profile(), "20261123")
    names = ("纯棉礼品", "a.b (x y) 杯", "axb (x y) 杯")
    parcels = [Parcel("C", goods=({"name": name},)) for name in names]
    found = rules.check(frames_of(Example(tuple(parcels))), ctx)
    assert found.filter(pl.col("rule") == "EXP-45").select("ship", "action").rows() == [(1, "note")]
    placeholder = Parcel(head={"receiver_name": "先生"})
    found = rules.check(frames_of(Example((placeholder,))), ctx)
    assert "TXT-02" not in set(found["rule"])
    paper = Parcel("A", head={"declaration_class": None})
    done, _ = rules.classify(frames_of(Example((paper,))), ctx)
    assert done.shipments["declaration_class"].to_list() == [None]


def test_a_word_in_latin_letters_stands_by_itself_only_where_that_is_asked() -> None:
    frame = pl.DataFrame({"list": ["firm_name", "firm_name"], "word": ["ltd", "公司"]})
    ctx = rules.Context(Tables().with_table("words", frame, "2026-01-01"), Profile(), "20261123")
    texts = pl.Series(["x ltd", "xltd", "某公司号", "x"])
    assert texts.str.contains(ctx.pattern("firm_name")).to_list() == [True, True, True, False]
    whole = ctx.pattern("firm_name", whole=True)
    assert texts.str.contains(whole).to_list() == [True, False, True, False]
    assert not texts.str.contains(ctx.pattern("no_such_list")).any()


def test_the_same_facts_are_the_same_context() -> None:
    tables, firm = Tables(), Profile(options={"mode_3039": "reject"})
    first = rules.Context.of(tables, firm, "20261123", None, frozenset({"29"}))
    again = rules.Context.of(
        tables, Profile(options={"mode_3039": "reject"}), "20261123", None, frozenset({"29"})
    )
    assert again is first
    assert first.profile == firm
    assert first.option("mode_3039") == "reject"
    others = [
        rules.Context.of(Tables(), firm, "20261123", None, frozenset({"29"})),
        rules.Context.of(tables, Profile(), "20261123", None, frozenset({"29"})),
        rules.Context.of(tables, firm, "20261122", None, frozenset({"29"})),
        rules.Context.of(tables, firm, "20261123", "20261123", frozenset({"29"})),
        rules.Context.of(tables, firm, "20261123", None, None),
    ]
    assert all(one is not first for one in others)


def _inquiries(kept: Any) -> Iterator[Inquiry]:
    """What was made of a context to be asked again, however it is kept."""
    for one in kept:
        if isinstance(one, Inquiry):
            yield one
        elif isinstance(one, dict):
            yield from _inquiries(one.values())
        elif isinstance(one, (tuple, list)):
            yield from _inquiries(one)


def test_answers_about_personal_data_are_not_remembered() -> None:
    ctx = context()
    rules.check(
        shaped(Parcel(head={"receiver_name": "陈示例", "party_id": "330100199001010002"})), ctx
    )
    asked = [one.panel for one in _inquiries(ctx.memo.values())]
    panels = [*asked, *(panel.gates for panel in asked if panel.gates is not None)]
    assert len(panels) > len(asked)
    kept = {column for panel in panels for memory in panel.memories for column in memory.columns}
    assert any(memory.told for panel in panels for memory in panel.memories)
    assert kept
    assert kept.isdisjoint(personal_names())
    assert kept.isdisjoint({"_id", "_party", "_party_address", "_party_phone"})
    assert kept.isdisjoint(f"_written_{name}" for name in personal_names())
