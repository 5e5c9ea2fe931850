"""Dirt is dealt as promised: exact counts, one kind each, in rotation, named by facts."""

from __future__ import annotations

import re

import polars as pl
import pytest

from crossborder import samples
from crossborder.samples import dirt as room


@pytest.mark.parametrize("direction", ["I", "E"])
def test_at_least_forty_kinds_break_a_reject_rule(direction: str) -> None:
    kinds = [k for k in samples.kinds() if direction in k.directions]
    assert len([k for k in kinds if k.severity == "reject"]) >= 40
    assert len([k for k in kinds if k.severity == "warn"]) >= 10
    names = [k.name for k in samples.kinds()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("direction", ["I", "E"])
@pytest.mark.parametrize("mapping", ["canonical", "elements", "zh-desk"])
def test_forty_dirty_shipments_show_forty_reject_kinds(direction: str, mapping: str) -> None:
    dirt = samples.compose(400, 1, 0.1, direction, mapping=mapping).dirt
    assert dirt.height == 40
    assert dirt["kind"].n_unique() == 40
    assert set(dirt["severity"]) == {"reject"}


@pytest.mark.parametrize(
    ("shipments", "share", "wanted"), [(2000, 0.05, 100), (333, 0.02, 7), (10, 1, 10), (10, 0, 0)]
)
def test_the_share_is_exact_and_each_shipment_is_spoiled_once(
    shipments: int, share: float, wanted: int
) -> None:
    dirt = samples.compose(shipments, 2, share).dirt
    assert dirt.height == wanted == round(shipments * share)
    assert dirt["ship"].n_unique() == wanted


def test_every_kind_is_dealt_before_one_comes_again() -> None:
    usable = [
        k.name
        for k in samples.kinds()
        if "I" in k.directions and "canonical" not in k.not_in and "*.csv" not in k.not_in
    ]
    dealt = samples.compose(3000, 6, 0.1).dirt.sort("ship")["kind"].to_list()
    assert dealt[: len(usable)] == usable
    assert dealt[len(usable) : 2 * len(usable)] == usable


@pytest.mark.parametrize("direction", ["I", "E"])
def test_every_kind_spoils_what_it_says(direction: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind changes exactly its columns; the rest of the shipment is as composed without the spoiling."""
    spoiled = samples.compose(200, 3, 1, direction)
    monkeypatch.setattr(room, "spoil", lambda order, name, frame: frame)
    before = samples.compose(200, 3, 1, direction)
    kinds = {k.name: k for k in samples.kinds()}
    names = dict(spoiled.dirt.select("ship", "kind").iter_rows())
    assert len(set(names.values())) > 100
    for frame in ("shipments", "goods"):
        after, clean = getattr(spoiled.frames, frame), getattr(before.frames, frame)
        for one, other in zip(
            after.iter_rows(named=True), clean.iter_rows(named=True), strict=True
        ):
            changed = {c for c in one if one[c] != other[c]}
            kind = kinds[names[one["ship"]]]
            in_sheet = kind.op in ("apart", "differ")
            targets = [t for t in kind.targets if t.frame == frame and not in_sheet]
            wanted = {t.column for t in targets if t.line in (None, one.get("line"))}
            assert changed <= wanted
            if len(wanted) == 1:
                assert changed == wanted


def test_the_rules_named_have_the_form_of_rule_ids() -> None:
    numbered = r"(CLS|LIM|TAX|EXP|ID|TXT|PRO|MFT)-[0-9]{2}"
    named = r"(XSD-[A-Za-z0-9]+-[a-zA-Z]+|(FIL|COD)-[A-Za-z0-9]+|INT-[a-z-]+)"
    for kind in samples.kinds():
        for rule in (kind.rule, *kind.also):
            assert re.fullmatch(f"{numbered}|{named}", rule), (kind.name, rule)
        assert kind.severity in ("reject", "warn")
        assert kind.rule not in kind.also


def test_dirt_never_fires_on_what_no_mapping_holds() -> None:
    for mapping in ("canonical", "elements", "zh-desk"):
        heads = samples.compose(300, 1, 1, mapping=mapping).dirt
        named = {k.name for k in samples.kinds() if mapping in k.not_in}
        assert not named & set(heads["kind"].to_list())


def test_the_report_says_the_waybill_as_it_is_written() -> None:
    sample = samples.compose(300, 1, 1)
    heads = dict(sample.frames.shipments.select("ship", "house_waybill").iter_rows())
    lower = sample.dirt.filter(pl.col("kind") == "house_waybill_small_letters")
    assert lower.height > 0
    for ship, shipment in sample.dirt.select("ship", "shipment").iter_rows():
        assert shipment == heads[ship]
    assert all(s == s.lower() for s in lower["shipment"])


def of_kind(sample: samples.Sample, name: str) -> pl.DataFrame:
    ships = sample.dirt.filter(pl.col("kind") == name)["ship"]
    return sample.frames.shipments.filter(pl.col("ship").is_in(ships.implode()))


@pytest.mark.parametrize(("shipments", "share"), [(600, 0.5), (60, 1)])
def test_a_waybill_used_twice_is_two_dirty_shipments_of_one_master(
    shipments: int, share: float
) -> None:
    sample = samples.compose(shipments, 8, share)
    first, second = (of_kind(sample, n) for n in ("waybill_twice", "waybill_twice_with_hyphen"))
    assert first.height == second.height > 0
    keys = [
        set(zip(f["master_waybill"], f["house_waybill"].str.replace_all("-", ""), strict=True))
        for f in (first, second)
    ]
    assert keys[0] == keys[1]
    assert not set(first["house_waybill"]) & set(second["house_waybill"])
    others = sample.frames.shipments.filter(
        ~pl.col("house_waybill").is_in(second["house_waybill"].implode())
    )
    assert others["house_waybill"].n_unique() == others.height


def test_the_first_of_two_is_not_dealt_where_nobody_would_repeat_it() -> None:
    names = [k.name for k in samples.kinds() if "I" in k.directions]
    wanted = names.index("waybill_twice") + 1
    dealt = samples.compose(500, 1, wanted / 500).dirt["kind"].to_list()
    assert len(dealt) == wanted
    assert "waybill_twice" not in dealt


@pytest.mark.parametrize(
    ("kind", "direction", "limit"),
    [
        ("class_b_over_limit", "I", 2000), ("class_b_over_limit_near", "E", 800), ("class_b_over_limit_far", "E", 1000),
        ("class_c_over_limit", "I", 5000), ("class_c_over_limit", "E", 5000), ("general_cargo", "I", 5000),
        ("single_article_over_limit", "I", 2000), ("single_article_over_limit_on_export", "E", 1000),
    ],
)  # fmt: skip
def test_dirt_on_limits_is_above_them_at_the_made_up_rates(
    kind: str, direction: str, limit: int
) -> None:
    sample = samples.compose(300, 5, 1, direction)
    rates = dict(sample.rates.iter_rows()) | {"142": "1"}
    found = of_kind(sample, kind)
    assert found.height >= 2
    for value, currency, ship in found.select("total_value", "currency", "ship").iter_rows():
        assert float(value) * float(rates[currency]) > limit
        lines = sample.frames.goods.filter(pl.col("ship") == ship)
        single = lines.height == 1 and lines["quantity"][0] == "1"
        assert single == kind.startswith("single")


def test_places_and_terms_are_as_the_kind_asks() -> None:
    sample = samples.compose(400, 5, 1, "E")
    near = of_kind(sample, "class_b_over_limit_near")
    assert set(near["receiver_country"]) <= {"110", "121", "143"}
    assert not set(of_kind(sample, "class_b_over_limit_far")["receiver_country"]) & {
        "110",
        "121",
        "143",
    }
    assert set(of_kind(sample, "freight_missing_on_export")["delivery_terms"]) == {"1"}
    assert set(of_kind(sample, "passport_of_wrong_form")["party_id_type"]) == {"2"}
    assert set(
        sample.frames.goods.group_by("ship").len().filter(pl.col("len") > 20)["ship"]
    ) == set(of_kind(sample, "lines_twenty_one")["ship"])


@pytest.mark.parametrize("direction", ["I", "E"])
def test_dirt_touches_no_other_shipment(direction: str) -> None:
    """The same day without dirt is the corrected file: every other shipment is the same to the letter."""
    dirty, clean = (samples.compose(800, 12, share, direction) for share in (0.2, 0))
    spoiled = dirty.dirt["ship"].implode()
    for name in ("shipments", "goods", "documents"):
        kept = [
            getattr(s.frames, name)
            .filter(~pl.col("ship").is_in(spoiled))
            .drop("row", "rows", strict=False)
            for s in (dirty, clean)
        ]
        assert kept[0].equals(kept[1])
