"""Columnar tax against the same tax read line by line with fractions, on drawn shipments and drawn days."""

from __future__ import annotations

import random
from datetime import date
from fractions import Fraction
from functools import cache
from typing import Any

import polars as pl
import pytest

from crossborder.codes import RATES_SCHEMA, Tables
from crossborder.rules import Context
from crossborder.rules.examples import frames_of
from crossborder.rules.model import Example, Parcel
from crossborder.rules.tax import Assessed, assess
from crossborder.settings import Profile
from crossborder.shipments import FrameSet

from .tax_rowwise import Reference

RATES = {"502": "7.1003", "116": "0.04871", "300": "7.77777777", "303": "9.00000001"}
DAYS = ("20261123", "20241201", "20241130", "20190409", "20190408", "20120415", "20160408")
_PRICES = ["0", "0.00", "0.005", "1", "9.99", "14.99999", "15", "20", "49.999", "100.00", "150", "333.335", "999.99999",
           "10000", "9999.99", "123456.789", "99999999999999.99999", "1e3", "-5", "abc"]  # fmt: skip
_QUANTITIES = ["1", "1", "1.0", "2", "3", "0.5", "0.33333", "7", "100", "0", "12345", "x"]
_POSTAL = ["09020220", "09020210", "09020230", "09020240", "09010100", "09010200", "07010100", "07010220", "01010100",
           "01010800", "01010400", "02010100", "03010000", "03030000", "01030100", "04010400", "04019900", "99999999",
           "02030100", "0401040"]  # fmt: skip
_TARIFF = ["3304990029", "3303000020", "3304990031", "2208300000", "2208909029", "2203000000", "0811100000",
           "2204290000", "6112390000", "4421919090", "9999999999", "9607110000"]  # fmt: skip
_MODELS = ["50ml", "50ML|瓶", "30毫升", "0.5升", "1L装", "100g", "1.5kg", "5片", "5片*25ml", "25ml×5", "2x30ml", "20张/盒",
           "10pcs", "50mg", "SPF50", "棉100%|L", "12.345克", "30ml+5g", "", "3 x 100 g", "100ml2"]  # fmt: skip
_UNITS = ["011", "012", "010", "020", "035", "036", "095", "096", "142", "140", "075", "030", "7"]
_COSTS = [None, None, "0", "10.01", "33.33", "0.005", "100", "abc"]


def parcel(rng: random.Random) -> Parcel:
    """A class B or C parcel with one to four lines that are odd in places."""
    kind = rng.choice("BBCC")
    goods = tuple(line(rng, kind) for _ in range(rng.choice((1, 1, 2, 3, 4))))
    days = [
        "20261123",
        "20261123",
        "20241130",
        "20181231",
        "20190101",
        "20100831",
        "20100901",
        "2024",
    ]
    head: dict[str, str | None] = {"movement_date": rng.choice(days)}
    if kind == "C":
        head["delivery_terms"] = rng.choice("1123345678")
        for name in ("freight", "insurance"):
            if rng.random() < 0.5:
                head[f"{name}_mark"] = rng.choice("33312")
                head[f"{name}_currency"] = rng.choice(["142", "502", "999"])
                head[f"{name}_amount"] = rng.choice(_COSTS)
    return Parcel(kind, "I", head, goods)  # type: ignore[arg-type]


def line(rng: random.Random, kind: str) -> dict[str, str | None]:
    """A line whose prices, quantities, units and numbers stand at the edges of the rules."""
    own: dict[str, str | None] = {
        "commodity_code": rng.choice([*(_POSTAL if kind == "B" else _TARIFF), None]),
        "declared_price": rng.choice([*_PRICES, str(rng.randrange(1, 90000) / 100), None]),
        "quantity": rng.choice(_QUANTITIES),
        "unit": rng.choice(_UNITS[:1] * 6 + _UNITS),
        "model": rng.choice(_MODELS),
        "declared_total": rng.choice(["200", "0", "55.555", None]),
        "currency": rng.choice(["142", "142", "502", "116", "300", "303", "999", None]),
    }
    if rng.random() < 0.4:
        own |= {"quantity_1": rng.choice(_QUANTITIES), "unit_1": rng.choice(_UNITS)}
    if rng.random() < 0.2:
        own |= {"quantity_2": rng.choice(_QUANTITIES), "unit_2": rng.choice(_UNITS)}
    return own


@cache
def tables(month: str) -> Tables:
    rows = [(c, month, rate, False) for c, rate in RATES.items()]
    return Tables().with_rates(pl.DataFrame(rows, schema=RATES_SCHEMA, orient="row"))


def assessed(
    frames: FrameSet, declared: str, regime: str = "declared", *, demo: bool = True
) -> Assessed:
    context = Context(tables(declared[:6]), Profile(demo=demo), declared)
    return assess(frames, context, regime)  # type: ignore[arg-type]


def reference(declared: str, *, demo: bool = True) -> Reference:
    day = date(int(declared[:4]), int(declared[4:6]), int(declared[6:]))
    return Reference(tables(declared[:6]), RATES, day, demo)


def rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return frame.to_dicts()


def fraction(value: Any) -> Fraction | None:
    return None if value is None else Fraction(value)


def ships(frames: FrameSet) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    below: dict[int, list[dict[str, Any]]] = {ship: [] for ship in frames.shipments["ship"]}
    for row in rows(frames.goods):
        below[row["ship"]].append(row)
    return [(head, below[head["ship"]]) for head in rows(frames.shipments)]


@pytest.mark.parametrize("declared", DAYS)
@pytest.mark.parametrize("seed", range(3))
def test_postal_tax_agrees_line_by_line(seed: int, declared: str) -> None:
    rng = random.Random(f"{seed} {declared}")
    frames = frames_of(Example(tuple(parcel(rng) for _ in range(400))))
    found = assessed(frames, declared)
    plain = reference(declared)
    lines = {(r["ship"], r["line"]): r for r in rows(found.lines.filter(pl.col("kind") == "W"))}
    parcels = {r["ship"]: r for r in rows(found.consignments)}
    computed = 0
    for head, goods in ships(frames):
        if head["declaration_class"] != "B":
            continue
        amounts = []
        for own in goods:
            base, rate, amount = plain.postal(own)
            row = lines.pop((own["ship"], own["line"]))
            assert fraction(row["amount_cny"]) == amount, (own, row)
            assert row["status"] == ("not_evaluated" if amount is None else "computed")
            if amount is not None:
                assert (fraction(row["base_cny"]), fraction(row["rate_pct"])) == (base, rate)
                computed += 1
            amounts.append(amount)
        outcome, paid = plain.collected(head, amounts)
        assert parcels[head["ship"]]["outcome"] == outcome
        assert fraction(parcels[head["ship"]]["payable_cny"]) == paid
    assert not lines
    assert (computed > 20) == (declared >= "20190409")


@pytest.mark.parametrize("regime", ["declared", "ecommerce"])
@pytest.mark.parametrize("declared", ["20261123", "20241130", "20160407"])
@pytest.mark.parametrize("seed", range(3))
def test_tax_on_goods_agrees_line_by_line(seed: int, declared: str, regime: str) -> None:
    rng = random.Random(f"{seed} {declared}")
    frames = frames_of(Example(tuple(parcel(rng) for _ in range(400))))
    found = assessed(frames, declared, regime)
    plain = reference(declared)
    lines = {(r["ship"], r["line"], r["kind"]): r for r in rows(found.lines)}
    parcels = {r["ship"]: r for r in rows(found.consignments)}
    computed = 0
    for head, goods in ships(frames):
        if regime == "declared" and head["declaration_class"] != "C":
            continue
        told: list[Fraction | None] = []
        for own, figures in zip(
            goods, plain.goods(head, goods, regime == "ecommerce"), strict=True
        ):
            for kind, expected in zip("AYL", figures, strict=True):
                row = lines[(own["ship"], own["line"], kind)]
                assert fraction(row["amount_cny"]) == expected, (head, own, row)
                told.append(expected)
                computed += expected is not None
        known = [t for t in told if t is not None]
        whole = sum(known, Fraction(0)) if len(known) == len(told) else None
        assert fraction(parcels[head["ship"]]["tax_cny"]) == whole
    starts = "20160408" if regime == "ecommerce" else "20241201"
    assert (computed > 20) == (declared >= starts)


@pytest.mark.parametrize("regime", ["declared", "ecommerce"])
def test_without_a_tariff_or_a_demonstration_nothing_is_computed_for_goods(regime: str) -> None:
    rng = random.Random(5)
    frames = frames_of(Example(tuple(parcel(rng) for _ in range(60))))
    found = assessed(frames, "20261123", regime, demo=False)
    goods = found.lines.filter(pl.col("kind").is_in(["A", "Y", "L"]))
    assert goods.height > 60
    assert set(goods["status"]) == {"not_evaluated"}
    assert goods["amount_cny"].null_count() == goods.height


@pytest.mark.parametrize("seed", range(4))
def test_every_shipment_and_line_is_there_once_and_figures_can_be_recalculated(seed: int) -> None:
    rng = random.Random(seed)
    frames = frames_of(Example(tuple(parcel(rng) for _ in range(300))))
    found = assessed(frames, "20261123")
    assert found.consignments["ship"].to_list() == frames.shipments["ship"].to_list()
    pairs = found.lines.select("ship", "line").unique(maintain_order=True)
    assert pairs.rows() == frames.goods.select("ship", "line").rows()
    assert found.lines.select("ship", "line", "kind").is_unique().all()
    for row in rows(found.lines.filter(pl.col("status") == "computed")):
        assert row["base_cny"] is not None
        assert row["rate_pct"] is not None
        assert row["rule"].startswith("TAX-")
        assert row["how_en"].endswith(f"{row['amount_cny']}")
        exact = Fraction(row["base_cny"]) * Fraction(row["rate_pct"]) / 100
        if "specific" not in row["how_en"] or "specific 0.00" in row["how_en"]:
            assert abs(exact - Fraction(row["amount_cny"])) <= Fraction(1, 200) * 2
    missing = found.lines.filter(pl.col("status") == "not_evaluated")
    assert missing.height > 50
    assert missing["amount_cny"].null_count() == missing.height
    assert missing["note_zh"].null_count() == missing["note_en"].null_count() == 0
    sums = found.lines.group_by("ship").agg(pl.col("amount_cny").sum())
    both = found.consignments.join(sums, on="ship").drop_nulls("tax_cny")
    assert (both["tax_cny"] == both["amount_cny"]).all()
