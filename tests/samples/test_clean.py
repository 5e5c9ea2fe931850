"""Clean samples are what they claim, judged by arithmetic written here and by python-stdnum, not by our rules."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from stdnum.cn import uscc
from stdnum.iso7064 import mod_11_2

from crossborder import resources, samples
from crossborder.errors import InputError
from crossborder.samples.vocabulary import assumptions, table

DIRECTIONS = ("I", "E")
NEAR = ("110", "121", "143")

# terms of delivery: is freight, is insurance given? (rule EXP-10, written out for both directions)
CHARGES = {
    ("I", "1"): (False, False),
    ("I", "2"): (False, True),
    ("I", "3"): (True, True),
    ("I", "4"): (True, False),
    ("E", "1"): (True, True),
    ("E", "2"): (True, False),
    ("E", "3"): (False, False),
    ("E", "4"): (False, True),
}


@pytest.fixture(scope="module", params=DIRECTIONS)
def sample(request: pytest.FixtureRequest) -> samples.Sample:
    return samples.compose(3000, 11, direction=request.param)


def rows(frame: pl.DataFrame) -> list[dict[str, str]]:
    return list(frame.iter_rows(named=True))


def test_totals_prices_and_weights_add_up(sample: samples.Sample) -> None:
    heads = {r["ship"]: r for r in rows(sample.frames.shipments)}
    sums: dict[str, list[Decimal]] = {}
    for line in rows(sample.frames.goods):
        price, total = Decimal(line["declared_price"]), Decimal(line["declared_total"])
        assert Decimal(line["quantity"]) * price == total == Decimal(line["total"])
        assert price > 0
        worth, weight = sums.setdefault(line["ship"], [Decimal(0), Decimal(0)])
        sums[line["ship"]] = [worth + total, weight + Decimal(line["gross_weight"])]
        assert line["currency"] == heads[line["ship"]]["currency"]
    assert sums.keys() == heads.keys()
    for ship, (worth, weight) in sums.items():
        head = heads[ship]
        gross, net = Decimal(head["gross_weight"]), Decimal(head["net_weight"])
        assert worth == Decimal(head["total_value"])
        assert weight == gross
        gram = Decimal("0.001")
        assert gross * Decimal("0.80") - gram <= net <= gross * Decimal("0.97") + gram


def test_the_main_goods_are_the_line_with_the_greatest_total(sample: samples.Sample) -> None:
    best: dict[int, tuple[Decimal, int, str, str]] = {}
    for line in rows(sample.frames.goods):
        key = (Decimal(line["total"]), -int(line["line_number"]), line["name"], line["name_en"])
        if line["ship"] not in best or key[:2] > best[line["ship"]][:2]:
            best[line["ship"]] = key
    for head in rows(sample.frames.shipments):
        assert (head["main_goods_name"], head["main_goods_name_en"]) == best[head["ship"]][2:]


def test_lines_are_numbered_from_one_and_never_more_than_twenty(sample: samples.Sample) -> None:
    grouped = sample.frames.goods.group_by("ship").agg(pl.col("line_number").cast(pl.Int64))
    for numbers in grouped["line_number"]:
        assert numbers.to_list() == list(range(1, len(numbers) + 1))
        assert len(numbers) <= 20


def test_values_keep_the_limits_of_their_class_at_the_made_up_rates(sample: samples.Sample) -> None:
    rates = {r["currency"]: Decimal(r["rate"]) for r in rows(sample.rates)} | {"142": Decimal(1)}
    for head in rows(sample.frames.shipments):
        worth = Decimal(head["total_value"]) * rates[head["currency"]]
        limits = {"A": 100, "C": 5000, "B": 2000 if head["direction"] == "I" else 1000}
        if head["direction"] == "E" and head["receiver_country"] in NEAR:
            limits["B"] = 800
        assert worth <= limits[head["declaration_class"]]


def test_numbers_carry_right_check_digits(sample: samples.Sample) -> None:
    for head in rows(sample.frames.shipments):
        prefix, serial = head["master_waybill"].split("-")
        assert len(prefix) == 3
        assert len(serial) == 8
        assert int(serial[:7]) % 7 == int(serial[7])
        if head["declaration_class"] == "B" and head["party_id_type"] == "1":
            assert mod_11_2.is_valid(head["party_id"])
            assert head["party_id"][4:6] == "00"  # a prefecture, as no person's number has
            born = date.fromisoformat(head["party_id"][6:14])
            assert date(1951, 1, 1) <= born <= date(2004, 12, 31)
        if head["trading_company_scc"]:
            assert uscc.is_valid(head["trading_company_scc"])


def test_class_decides_which_columns_are_filled(sample: samples.Sample) -> None:
    goods = rows(sample.frames.goods)
    codes: dict[int, list[str]] = {}
    for line in goods:
        codes.setdefault(line["ship"], []).append(line["commodity_code"] or "")
    for head in rows(sample.frames.shipments):
        kind = head["declaration_class"]
        traded = (head["trading_company_code"], head["trading_company_name"], head["levy_nature"])
        assert all(traded) == (kind == "C")
        assert any(traded) == (kind == "C")
        assert (head["supervision_mode"] in ("0110", "3010")) == (kind == "C")
        assert bool(head["party_id"]) == bool(head["party_id_type"]) == (kind == "B")
        assert bool(head["delivery_terms"]) == (kind != "B")
        assert {len(c) for c in codes[head["ship"]]} == {{"A": 0, "B": 8, "C": 10}[kind]}
        if kind == "C":
            code = head["trading_company_code"]
            assert len(code) == 10
            assert code[5] == head["ownership_type"]
            assert code[:5] == head["owner_district"]


def test_freight_and_insurance_follow_the_terms(sample: samples.Sample) -> None:
    for head in rows(sample.frames.shipments):
        given = tuple(bool(head[f"{name}_mark"]) for name in ("freight", "insurance"))
        for name in ("freight", "insurance"):
            assert bool(head[f"{name}_mark"]) == bool(head[f"{name}_amount"])
            assert bool(head[f"{name}_currency"]) == (head[f"{name}_mark"] in ("2", "3"))
        if head["delivery_terms"] is None:
            assert given == (False, False)
        elif head["delivery_terms"] != "5":
            assert given == CHARGES[head["direction"], head["delivery_terms"]]


def test_countries_and_scripts_fit_the_direction(sample: samples.Sample) -> None:
    for head in rows(sample.frames.shipments):
        away, here = ("sender", "receiver") if head["direction"] == "I" else ("receiver", "sender")
        assert head[f"{here}_country"] == "142"
        assert head[f"{away}_country"] == head["trade_country"] != "142"
        assert head[f"{here}_address"]
        assert any(c.isascii() and c.isalpha() for c in head[f"{away}_name_en"])
        wanted = "address" if head["trade_country"] in NEAR else "address_en"
        assert head[f"{away}_{wanted}"]
        assert any("一" <= c <= "鿿" for c in head["receiver_city"])
        if head["direction"] == "I":
            assert head["stop_cities_en"].isascii()
            assert head["sender_city_en"].replace(" ", "").isascii()
        else:
            assert all("一" <= c <= "鿿" for c in head["sender_city"])
        for side in ("sender", "receiver"):
            assert not set(head[f"{side}_phone"]) - set("0123456789-|")


def test_waybills_and_telephones_of_a_large_day_are_unique() -> None:
    heads = samples.compose(20_000, 3).frames.shipments
    assert heads["house_waybill"].n_unique() == heads.height
    people = (
        heads.filter(pl.col("party_id_type") == "1").select("party_id", "receiver_name").unique()
    )
    assert people["party_id"].n_unique() == people.height  # one name for one number


def test_a_large_day_has_the_shares_of_the_assumptions() -> None:
    day = samples.compose(60_000, 5)
    heads, goods = day.frames.shipments, day.frames.goods
    share = dict(heads["declaration_class"].value_counts(normalize=True).iter_rows())
    assert share["B"] == pytest.approx(0.707, abs=0.01)
    assert share["C"] == pytest.approx(0.242, abs=0.01)
    lines = goods.group_by("ship").len()["len"]
    assert (lines == 1).mean() == pytest.approx(0.62, abs=0.01)
    assert (lines >= 6).mean() == pytest.approx(0.04, abs=0.005)
    assert heads["gross_weight"].cast(pl.Float64).median() == pytest.approx(0.8, rel=0.05)
    houses = heads.group_by("master_waybill").len()["len"]
    assert houses.max() <= 9999
    assert 600 < houses.median() < 2400
    repeated = heads.filter(pl.col("receiver_phone").is_duplicated()).height / heads.height
    assert 0.03 < repeated < 0.08
    assert heads["transit_declaration"].is_not_null().any()
    assert heads["receiver_name"].str.contains(r"[\x{20000}-\x{3FFFD}]").any()
    for mark in "&<>\"'":
        assert heads["sender_name_en"].str.contains(mark, literal=True).any()


def test_a_small_day_still_has_both_ports_and_several_masters() -> None:
    heads = samples.compose(60, 1).frames.shipments
    assert set(heads["declaration_port"]) == {"2901", "3101"}
    assert heads["master_waybill"].n_unique() >= 4


def test_the_same_arguments_give_the_same_sample_and_others_another() -> None:
    first, again = samples.compose(500, 9, 0.1), samples.compose(500, 9, 0.1)
    for name in ("shipments", "goods", "documents"):
        assert getattr(first.frames, name).equals(getattr(again.frames, name))
    other = samples.compose(500, 10, 0.1)
    assert not first.frames.shipments.equals(other.frames.shipments)


def test_blocks_make_the_same_sample_as_one_piece() -> None:
    whole = samples.compose(900, 4, 0.1, "E")
    blocks = list(samples.compose_blocks(whole.order, 250))
    assert [b.frames.shipments.height for b in blocks] == [250, 250, 250, 150]
    heads = pl.concat([b.frames.shipments for b in blocks]).drop("row", "rows")
    assert heads.equals(whole.frames.shipments.drop("row", "rows"))
    assert pl.concat([b.dirt for b in blocks]).equals(whole.dirt)


@pytest.mark.parametrize(
    ("number", "share", "direction"), [(0, 0.0, "I"), (5, 1.5, "I"), (5, 0.0, "X")]
)
def test_a_request_that_makes_no_sense_is_refused(
    number: int, share: float, direction: str
) -> None:
    with pytest.raises(InputError):
        samples.compose(number, 1, share, direction)


def codes(name: str, key: str) -> set[str]:
    frame = pl.read_csv(resources.path(f"codes/{name}.csv"), infer_schema=False)
    return set(frame[key])


def test_vocabulary_uses_only_codes_of_the_tables() -> None:
    goods = table("goods")
    units = codes("units", "customs_code")
    assert set(goods["unit"]) | set(goods["unit_1"]) | set(goods["unit_2"]) - {""} <= units
    by_class = {k: set(f["code"]) for (k,), f in goods.group_by("class")}
    assert by_class["A"] == {""}
    assert by_class["B"] <= codes("parcel_tax", "code")
    assert by_class["C"] <= codes("hs_sample", "hs_code")
    places = table("places_abroad")
    assert set(places["country"]) <= codes("countries", "customs_code")
    assert set(places["currency"]) | set(table("rates")["currency"]) <= codes(
        "currencies", "customs_code"
    )
    ports = set(assumptions()["districts"]) | set(assumptions()["flights"]["transit_ports"])
    assert ports <= codes("customs_districts", "code")
    assert set(table("cities_cn")["district"]) - {""} <= codes("domestic_districts", "code")
