"""Rules on a given class, and choosing one where none is given."""

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
from crossborder.shipments.findings import verdicts

Check = Callable[..., pl.DataFrame]
SMALL = {"total": "1", "declared_total": "1", "declared_price": "1", "quantity": "1"}


def only(found: pl.DataFrame) -> list[tuple[str, str]]:
    return found.select("rule", "action").rows()


@pytest.mark.parametrize(
    ("parcel", "expected"),
    [
        (Parcel("A", head={"tax_refund_claimed": "1"}), ("CLS-01", "reject")),
        (Parcel("A", head={"platform_purchase": "1"}), ("CLS-01", "reject")),
        (Parcel("A", head={"separated_luggage": "1"}), ("CLS-01", "reject")),
        (Parcel("A", goods=({"supervision_conditions": "A"},)), ("CLS-01", "reject")),
        (Parcel("C", head={"foreign_exchange_settled": "1"}), ("CLS-07", "reject")),
        (Parcel("C", head={"supervision_mode": "1039"}), ("CLS-08", "reject")),
        (Parcel("C", head={"levy_nature": "999"}), ("CLS-10", "reject")),
        (Parcel("C", goods=({"supervision_conditions": "AB4"},)), ("CLS-05", "reject")),
        (Parcel("C", goods=({"supervision_conditions": "ab"},)), ("CLS-14", "hold")),
        (Parcel("B", head={"platform_purchase": "1"}), ("CLS-16", "reject")),
        (Parcel("D"), ("CLS-12", "hold")),
    ],
)
def test_given_classes(check: Check, parcel: Parcel, expected: tuple[str, str]) -> None:
    assert only(check(parcel)) == [expected]


@pytest.mark.parametrize("klass", ["B", "C"])
@pytest.mark.parametrize("column", ["tax_refund_claimed", "foreign_exchange_settled"])
def test_facts_of_another_class_do_not_matter(check: Check, klass: Any, column: str) -> None:
    expected = klass == "C"
    assert bool(check(Parcel(klass, head={column: "1"})).height) is expected


def test_mode_3039_is_a_setting(check: Check) -> None:
    parcel = Parcel("C", head={"supervision_mode": "3039"})
    assert only(check(parcel)) == [("CLS-09", "note")]
    assert check(parcel, options={"mode_3039": "pass"}).height == 0
    assert only(check(parcel, options={"mode_3039": "reject"})) == [("CLS-09", "reject")]


def test_own_use(check: Check) -> None:
    assert check(*[Parcel()] * 5).height == 0
    held = check(*[Parcel()] * 6, Parcel("C"))
    assert only(held) == [("CLS-17", "hold")] * 6
    assert "6" in held["en"][0]
    assert only(check(*[Parcel()] * 3, options={"repeat_parcels": "3"})) == [("CLS-17", "hold")] * 3
    many = {"quantity": "100", "declared_price": "2"}
    assert only(check(Parcel(goods=(many,)))) == [("CLS-17", "hold")]
    assert check(Parcel(goods=({"quantity": "99", "declared_price": "2.02"},))).height == 0
    assert check(Parcel(goods=({**many, "unit": "036"},))).height == 0
    assert check(Parcel("C", goods=(many,))).height == 0


FACTS = ("separated_luggage", "platform_purchase", "tax_refund_claimed", "foreign_exchange_settled")  # fmt: skip
ABOUT = {"A": set(), "B": {"CLS-02", "CLS-16"}, "C": {"CLS-05", "CLS-06", "CLS-07"}}
"""The rules of each class that need a fact which no element holds."""


@pytest.mark.parametrize(
    ("setting", "action"), [("", "hold"), ("hold", "hold"), ("mark", "mark"), ("assume_no", "")]
)
def test_facts_that_nobody_stated_are_not_evaluated_and_hold_unless_the_profile_says_otherwise(
    check: Check, setting: str, action: str
) -> None:
    """By the facts a rule without its input is not evaluated, and those of class and licence hold by default."""
    options = {"unstated_facts": setting} if setting else {}

    def told(parcel: Parcel) -> set[tuple[str, str, str]]:
        return set(check(parcel, options=options).select("rule", "severity", "action").rows())

    for klass in ("A", "B", "C"):
        silent = Parcel(klass, head=dict.fromkeys(FACTS), goods=({"supervision_conditions": None},))
        expected = ABOUT[klass] if action else set()
        assert told(silent) == {(rule, "not_evaluated", action) for rule in expected}
        assert told(Parcel(klass)) == set()  # the records of the examples state them


@pytest.mark.parametrize("none", ["/", "-", " / ", ";"])
def test_a_stroke_states_that_there_are_no_conditions(check: Check, none: str) -> None:
    for klass in ("A", "C"):
        assert check(Parcel(klass, goods=({"supervision_conditions": none},))).height == 0
    chosen, _ = classify(unclassed(Parcel("C", goods=({"supervision_conditions": none},))))
    assert chosen == ["C"]


def unclassed(parcel: Parcel, **changed: str | None) -> Parcel:
    head = {**parcel.head, "declaration_class": None, **changed}
    return Parcel(parcel.kind, parcel.direction, head, parcel.goods)


def classify(
    *parcels: Parcel, ctx: rules.Context | None = None
) -> tuple[list[str | None], pl.DataFrame]:
    example = Example(parcels)
    frames, found = rules.classify(frames_of(example), ctx or context_of(example))
    return frames.shipments["declaration_class"].to_list(), found


@pytest.mark.parametrize("klass", ["A", "B", "C"])
@pytest.mark.parametrize("direction", ["I", "E"])
def test_base_records_get_their_own_class(klass: Any, direction: Any) -> None:
    chosen, found = classify(unclassed(Parcel(klass, direction)))
    assert chosen == [klass]
    assert found.select("rule", "severity", "action", "suggest").rows() == [
        ("INT-classified", "warn", "note", klass)
    ]


def test_without_goods_it_is_no_paper() -> None:
    chosen, found = classify(unclassed(Parcel("A", goods=())))
    assert chosen == [None]
    assert "not A: its goods have numbers, its goods are not named as papers" in found["en"][0]


def test_a_given_class_is_never_changed() -> None:
    chosen, found = classify(
        Parcel("C", head={"declaration_class": "B"}), Parcel("A", head={"declaration_class": "x"})
    )
    assert chosen == ["B", "x"]
    assert found.height == 0


NONE_FITS: list[tuple[Parcel, str]] = [
    (
        unclassed(Parcel("B"), party_id=None),
        "not B: no natural person's document; not C: no enterprise's code",
    ),
    (unclassed(Parcel("B", goods=({"total": "2001", "declared_total": "2001"},))), "CNY 2001"),
    (unclassed(Parcel("C", goods=({"total": "5001", "declared_total": "5001"},))), "CNY 5001"),
    (unclassed(Parcel("C"), tax_refund_claimed="1"), "refund"),
    (unclassed(Parcel("C"), foreign_exchange_settled="1"), "exchange"),
    (unclassed(Parcel("C"), supervision_mode="9610"), "mode"),
    (unclassed(Parcel("C"), levy_nature="299"), "levy"),
    (unclassed(Parcel("C", goods=({"supervision_conditions": "4"},))), "licence"),
    (unclassed(Parcel("B"), platform_purchase="1"), "e-commerce"),
    (unclassed(Parcel("B"), separated_luggage="1"), "luggage"),
]


@pytest.mark.parametrize(("parcel", "reason"), NONE_FITS)
def test_none_fits(parcel: Parcel, reason: str) -> None:
    chosen, found = classify(parcel)
    assert chosen == [None]
    assert found.select("rule", "severity", "action").rows() == [("CLS-11", "reject", "transfer")]
    assert reason in found["en"][0]
    assert found["zh"][0].startswith("不适用A、B、C类，转一般货物报关：不属A类：")
    assert [found["en"][0].count(f"not {klass}: ") for klass in "ABC"] == [1, 1, 1]


def test_the_classes_before_the_chosen_one_are_refused_with_reasons() -> None:
    parcels = [unclassed(Parcel(klass)) for klass in ("A", "B", "C")]
    chosen, found = classify(*parcels)
    assert chosen == ["A", "B", "C"]
    said = found.sort("ship")["en"].to_list()
    assert said[0].endswith("papers without a code of goods")
    assert said[1].endswith("; not A: its goods have numbers, its goods are not named as papers")
    assert "; not A: an enterprise's code is given, " in said[2]
    assert said[2].endswith("; not B: an enterprise trades, no natural person's document")


def test_every_reason_against_a_class_is_named() -> None:
    parcel = unclassed(
        Parcel("C"), tax_refund_claimed="1", foreign_exchange_settled="1", levy_nature="299"
    )
    _, found = classify(parcel)
    assert (
        "not C: a tax refund is claimed, foreign exchange is settled, another levy nature"
        in found["en"][0]
    )
    assert "不属C类：申请退税、收付汇、征免性质不符" in found["zh"][0]


def test_limits_of_the_classes_at_their_bounds() -> None:
    def worth(klass: Any, amount: str, **line: str) -> Parcel:
        return unclassed(
            Parcel(klass, goods=({"total": amount, "declared_total": amount, **line},))
        )

    assert classify(worth("B", "2000"), worth("B", "2000.01"), worth("B", "2000.01", quantity="1"),
                    worth("C", "5000"), worth("C", "5000.01"))[0] == ["B", None, "B", "C", None]  # fmt: skip


def test_inspection_goods_are_not_ruled_out_silently() -> None:
    chosen, _ = classify(unclassed(Parcel("C", goods=({"supervision_conditions": "AB"},))))
    assert chosen == [None]


def test_without_a_rate_the_class_is_chosen_and_the_limit_holds() -> None:
    parcel = unclassed(Parcel("B", goods=({"currency": "116"},)), currency="116")
    example = Example((parcel,))
    frames, _ = rules.classify(frames_of(example), context_of(example))
    assert frames.shipments["declaration_class"].to_list() == ["B"]
    checked = rules.check(frames, context_of(example))
    assert verdicts(frames.shipments, checked)["verdict"].to_list() == ["not_evaluated"]


def test_only_classes_of_the_profile_are_chosen() -> None:
    ctx = rules.Context(Tables(), Profile(classes=("B",)), "20261123")
    chosen, found = classify(unclassed(Parcel("B")), unclassed(Parcel("C")), ctx=ctx)
    assert chosen == ["B", None]
    assert "profile" in found["en"][1]


def test_unreadable_records_are_left_alone() -> None:
    example = Example((unclassed(Parcel("B")), unclassed(Parcel("B"))))
    frames = frames_of(example)
    ships = frames.shipments.with_columns(unreadable=pl.Series([True, None]))
    shaped = type(frames)(ships, frames.goods, frames.documents)
    done, found = rules.classify(shaped, context_of(example))
    assert done.shipments["declaration_class"].to_list() == [None, "B"]
    assert found["ship"].to_list() == [1]
    checked = rules.check(shaped, context_of(example))
    assert 0 not in checked["ship"].to_list()
