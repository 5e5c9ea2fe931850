"""Manifests: whole, from their own lines, within their shorter fields; who is left out is told why."""

from __future__ import annotations

import polars as pl
import pytest

from crossborder import messages
from crossborder.errors import SchemaError


@pytest.fixture(scope="module")
def compose(build, envelope, ids):
    def run(rows, **more):
        frames = build(*rows)
        wanted = messages.manifest_groups(frames).height
        return messages.compose_manifests(
            frames, **{"form": "written", "ids": ids(wanted), **envelope, **more}
        )

    return run


@pytest.fixture(scope="module")
def findings(build, tables):
    def run(rows, **more):
        return messages.manifest_findings(build(*rows), tables, "20261123", **more)

    return run


def _changed(rows, number, **columns):
    for name, value in columns.items():
        rows[number]["shipment"].pop(name, None)
        if value is not None:
            rows[number]["shipment"][name] = value
    return rows


def _reasons(made):
    return dict(made.left_out.select("ship", "en").iter_rows())


def test_groups_go_by_normalised_master_and_voyage(houses, build):
    rows = _changed(houses(), 1, voyage="ca-1702")
    rows = _changed(rows, 3, direction="E")
    groups = messages.manifest_groups(build(*rows))
    assert groups.rows() == [
        (0, "999-12345675", "CA1702", "I", 3),
        (1, "999-12345675", "CA1702", "E", 1),
    ]
    assert groups.columns == ["manifest", "master_waybill", "voyage", "direction", "shipments"]


def test_every_master_gets_its_own_document_and_id(houses, compose, ids):
    rows = _changed(houses(), 2, master_waybill="999-23456786")
    made = compose(rows)
    assert made.documents.select("manifest", "master_waybill", "houses", "message_id").rows() == [
        (0, "999-12345675", 3, ids(2)[0]),
        (1, "999-23456786", 1, ids(2)[1]),
    ]
    assert made.houses.rows() == [(0, 0), (0, 1), (0, 3), (1, 2)]
    told = messages.verify((x.encode() for x in made.documents["xml"]), "EXP311", "written")
    assert told == [None, None]


@pytest.mark.parametrize(
    ("columns", "rule", "words"),
    [
        ({"main_goods_name": "长" * 51}, "MFT-03", "at most 50"),
        ({"total_value": "1000000000"}, "EXP-40", "too many digits"),
        ({"gross_weight": "12345678901234"}, "EXP-40", "too many digits"),
        ({"pieces": "1" * 19}, "EXP-40", "too many digits"),
    ],
)
def test_what_fits_the_declaration_and_not_the_manifest(
    columns, rule, words, houses, findings, compose
):
    rows = _changed(houses(), 1, **columns)
    found = findings(rows)
    assert found.select("ship", "row", "rule", "severity", "action").rows() == [
        (1, 3, rule, "reject", "reject")
    ]
    assert words in found["en"][0]
    assert found["zh"][0].startswith("舱单中")
    assert found["value"].to_list() == list(columns.values())
    made = compose(rows)  # the others are listed all the same
    assert made.houses["ship"].to_list() == [0, 2, 3]
    assert words in _reasons(made)[1]
    assert made.documents["houses"].to_list() == [3]


def test_a_long_goods_name_is_cut_only_where_the_firm_says_so(houses, compose, findings):
    rows = _changed(houses(), 1, main_goods_name="长" * 60)
    cut = {"options": {"manifest_name_cut": "on"}}
    assert findings(rows, **cut).is_empty()
    made = compose(rows, **cut)
    assert f"<MainGName>{'长' * 50}</MainGName>" in made.documents["xml"][0]
    assert made.left_out.is_empty()
    with pytest.raises(SchemaError, match="no value of this setting"):
        findings(rows, options={"manifest_name_cut": "yes"})


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("movement_date", "20261123", "EXP-36"),
        ("entry_exit_port", "3109", "EXP-40"),
        ("transport_name_zh", "国航1703", "EXP-40"),
        ("transport_mode", "2", "EXP-40"),
        ("manifest_foreign_port", "USSEA0", "EXP-40"),
    ],
)
def test_a_shipment_that_differs_from_its_master(column, value, rule, houses, findings, compose):
    rows = _changed(houses(), 0, **{column: value})  # the first row, but the others outvote it
    found = findings(rows)
    assert found.select("ship", "column", "rule", "value").rows() == [(0, column, rule, value)]
    made = compose(rows)
    assert f">{value}<" not in made.documents["xml"][0].partition("<ExpMftList>")[0]
    assert made.houses["ship"].to_list() == [0, 1, 2, 3]


def test_of_equals_the_first_counts(houses, findings):
    rows = _changed(houses()[:2], 0, movement_date="20261123")
    assert findings(rows).select("ship", "rule").rows() == [(1, "EXP-36")]


@pytest.mark.parametrize(
    "columns",
    [
        {"movement_date": "20260230"},  # no date at all: XSD-IEDate-pattern of the declaration
        {"movement_date": None},
        {"entry_exit_port": "29100"},
        {"foreign_port": "50200", "manifest_foreign_port": None},  # fits 6 characters, not 4
        {"currency": "USD"},
        {"pieces": None},
        {"gross_weight": "1e5"},
        {"main_goods_name": "长" * 256},
        {"master_waybill": "9" * 33},
    ],
)
def test_what_the_declaration_tells_is_not_told_again(columns, houses, findings):
    assert findings(_changed(houses(), 1, **columns)).is_empty()


def test_lines_that_cannot_be_written_are_left_out_with_the_reason(houses, compose):
    rows = houses() * 2
    rows = [{"shipment": dict(r["shipment"])} for r in rows]
    for i, row in enumerate(rows):
        row["shipment"]["house_waybill"] = f"HZ{i}"
    for number, columns in enumerate(
        [
            {"pieces": None}, {"gross_weight": "abc"}, {"currency": "USD"}, {"main_goods_name": "a\x07b"},
            {"house_waybill": "hz-7"}, {"voyage": None}, {"direction": "X"},
        ]
    ):  # fmt: skip
        _changed(rows, number, **columns)
    made = compose(rows)
    assert {ship: en.partition(":")[2] or en for ship, en in _reasons(made).items()} == {
        0: " PackNo must be filled",
        1: " GrossWt is not a number",
        2: " the code in TradeCurr must be 3 digits",
        3: "its line would hold a character that XML forbids",
        5: "without master waybill, voyage and direction it belongs to no manifest",
        6: "without master waybill, voyage and direction it belongs to no manifest",
        7: "its house waybill is listed already, for row 6",
    }
    assert made.houses.rows() == [(0, 4)]
    assert made.documents["pieces"].to_list() == ["1"]
    assert all(made.left_out["zh"].str.contains("[\u4e00-\u9fff]"))
    assert messages.verify([made.documents["xml"][0].encode()], "EXP311", "written") == [None]


def test_the_whole_file_is_listed_or_left_out(houses, compose, build):
    rows = _changed(houses(), 2, gross_weight="x")
    rows.append({"shipment": {"unreadable": True}})
    made = compose(rows)
    readable = {0, 1, 2, 3}
    assert set(made.houses["ship"]) | set(made.left_out["ship"]) == readable
    assert not set(made.houses["ship"]) & set(made.left_out["ship"])


def test_a_fact_that_nobody_gives_stops_the_manifest_and_is_told_everywhere(
    houses, compose, findings
):
    rows = houses()
    for number in range(4):
        _changed(rows, number, manifest_operator_code=None)
    found = findings(rows)
    assert found.select("ship", "rule", "element").rows() == [
        (i, "FIL-TradeCo", "TradeCo") for i in range(4)
    ]
    made = compose(rows)
    assert made.documents.is_empty()
    assert set(_reasons(made).values()) == {"the head lacks TradeCo"}


def test_a_fact_that_one_shipment_lacks_is_taken_from_the_others(houses, compose, findings):
    rows = _changed(
        houses(), 0, manifest_operator_code=None, input_person_name=None, transport_name_zh=None
    )
    assert findings(rows).select("rule").rows() == [
        ("EXP-40",)
    ]  # its transport_name stands in for the Chinese name
    rows = _changed(houses(), 0, manifest_operator_code=None, input_person_name=None)
    assert findings(rows).is_empty()
    xml = compose(rows).documents["xml"][0]
    assert "<TradeCo>330196DEM0</TradeCo>" in xml
    assert "<InputOpName>演示录入员</InputOpName>" in xml


def test_a_head_fact_with_an_illegal_character_is_not_used(houses, compose):
    rows = houses()
    for number in range(3):
        _changed(rows, number, manifest_operator_name="a\x01b")
    assert "<TradeName>示范快件有限公司</TradeName>" in compose(rows).documents["xml"][0]


def test_more_houses_than_the_limit_give_no_document_and_a_finding_each(houses, compose, findings):
    found = findings(houses(), most_houses=3)
    assert found.select("ship", "rule", "element").rows() == [
        (i, "MFT-01", "BillNum") for i in range(4)
    ]
    made = compose(houses(), most_houses=3)
    assert made.documents.is_empty()
    assert made.houses.is_empty()
    assert set(_reasons(made).values()) == {"more than 3 house waybills"}
    assert findings(houses(), most_houses=4).is_empty()


def test_ten_thousand_houses_are_too_many_whatever_the_setting(
    houses, build, tables, envelope, ids
):
    base = build(houses()[0])
    many = pl.concat([base.shipments] * 10_000).with_columns(
        ship=pl.int_range(10_000, dtype=pl.UInt32), house_waybill=pl.format("HZ{}", pl.int_range(10_000)),
    )  # fmt: skip
    frames = type(base)(many, base.goods, base.documents)
    found = messages.manifest_findings(frames, tables, most_houses=20_000)
    assert found.group_by("rule").len().rows() == [("MFT-01", 10_000)]
    fits = frames.take(many["ship"].head(9_999))
    assert messages.manifest_findings(fits, tables).is_empty()
    made = messages.compose_manifests(fits, form="written", ids=ids(1), **envelope)
    assert "<BillNum>9999</BillNum>" in made.documents["xml"][0]
    assert made.documents["gross_weight"].to_list() == ["8499.15"]  # 9,999 × 0.85, exactly


def test_totals_too_large_for_the_head_stop_the_manifest(houses, compose):
    rows = houses()
    for number in range(4):
        _changed(rows, number, gross_weight="9" * 13)
    made = compose(rows)
    assert made.documents.is_empty()
    assert set(_reasons(made).values()) == {"the total GrossWt is too large"}


def test_an_append_without_anything_new_is_no_document(houses, compose):
    made = compose(houses(), operation="APD", only_ships=pl.Series([], dtype=pl.UInt32))
    assert made.documents.is_empty()
    assert made.left_out.is_empty()


def test_ids_are_counted_by_group(houses, compose, ids):
    with pytest.raises(SchemaError):
        compose(houses(), ids=ids(2))


def test_nothing_gives_nothing(build, houses, tables, envelope):
    nothing = build(houses()[0]).take(pl.Series([], dtype=pl.UInt32))
    assert messages.manifest_groups(nothing).is_empty()
    assert messages.manifest_findings(nothing, tables).is_empty()
    made = messages.compose_manifests(nothing, form="written", ids=[], **envelope)
    assert made.documents.is_empty()
    assert made.houses.columns == ["manifest", "ship"]
    assert made.left_out.columns == ["ship", "zh", "en"]


def test_codes_of_complete_tables_count_for_the_manifest_too(houses, findings, build, tables):
    using = tables.with_table("ports", pl.DataFrame({"code": ["5020", "USLAX0"]}), "2026-01-01")
    rows = _changed(houses(), 2, manifest_foreign_port="USSEA0")
    found = messages.manifest_findings(build(*rows), using, "20261123")
    assert found.select("ship", "rule", "column").rows() == [(2, "EXP-40", "manifest_foreign_port")]
    alone = messages.manifest_findings(build(rows[2]), using, "20261123")
    assert alone.select("rule", "value").rows() == [("COD-DestinationPort", "USSEA0")]


def test_elements_that_a_column_fills():
    assert messages.elements_from("EXP311", "shipments.foreign_port") == {
        ("ExpMftHead", "DestinationPort")
    }
    assert messages.elements_from("EXP301", "goods.name") == {("EntryList", "GName")}
    assert messages.elements_from("EXP311", "shipments.master_waybill") == {
        ("ExpMftHead", "BillNo"), ("ExpMftList", "BillNo"),
    }  # fmt: skip


def test_totals_that_differ_from_the_master_waybill_are_noted(houses, findings):
    masters = pl.DataFrame(
        {"master_waybill": ["999 12345675"], "pieces": ["8"], "gross_weight": ["13.9"]}
    )
    found = findings(houses(), masters=masters)  # 8 pieces, 14.35005 kg: 3.24 % more
    assert found.select("rule", "severity", "action", "value", "ship").rows() == [
        ("MFT-02", "warn", "note", "14.35005", 0)
    ]
    assert "13.9" in found["en"][0]
    assert findings(houses(), masters=masters, options={"manifest_total_percent": "3.3"}).is_empty()
    assert findings(
        houses(), masters=masters.with_columns(gross_weight=pl.lit(None, pl.String))
    ).is_empty()
    with pytest.raises(SchemaError):
        findings(houses(), masters=masters, options={"manifest_total_percent": "-1"})


def test_totals_that_the_shipments_state_are_compared(houses, findings):
    """8 pieces and 14.35005 kg: the note stands where the figure stands, and names its column."""
    assert findings(houses()).is_empty()
    rows = houses()
    _changed(rows, 1, master_pieces="8", master_gross_weight="13.9")
    _changed(rows, 2, master_pieces="999")
    found = findings(rows)
    assert found.select(
        "rule", "severity", "action", "value", "ship", "column", "element"
    ).rows() == [("MFT-02", "warn", "note", "14.35005", 1, "master_gross_weight", "GrossWt")]
    _changed(rows, 1, master_pieces=None, master_gross_weight="14.35005")
    assert findings(rows).select("value", "ship", "column").rows() == [("8", 1, "master_pieces")]
    _changed(rows, 1, master_pieces="x", master_gross_weight=None)
    assert findings(rows).is_empty()
    _changed(rows, 1, master_pieces="10")
    for percent, told in (("20", 0), ("19.99", 1)):
        assert findings(rows, options={"manifest_total_percent": percent}).height == told
    for pieces, told in (("8", 0), ("7", 1), ("9", 1)):
        _changed(rows, 1, master_pieces=pieces)
        assert findings(rows).height == told


def test_a_fact_that_is_too_long_is_not_used_however_many_give_it(houses, compose, findings):
    rows = houses()
    for number in range(3):
        _changed(rows, number, transport_name_zh="长" * 33)
    found = findings(rows)
    assert found.select("ship", "rule", "column").rows() == [
        (i, "EXP-40", "transport_name_zh") for i in range(3)
    ]
    assert "<TrafCnName>国航1702</TrafCnName>" in compose(rows).documents["xml"][0]
