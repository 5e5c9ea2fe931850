"""The compiled check: presence, form and codes, one finding per fault, told where the user sees it."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from crossborder import codes, messages, schema
from crossborder.messages import conditions
from crossborder.messages.findings import failures
from crossborder.messages.inquiry import inquiry
from crossborder.messages.plan import compile_plan, with_context
from crossborder.shipments import personal_names
from crossborder.shipments.asking import MANY


@pytest.fixture(scope="module")
def check(build, tables):
    """`check(one, …)` → findings of EXP301."""

    def run(*said, headers=None, using=None, on="20261123"):
        frames = build(*said, headers=headers)
        plan = messages.compile_plan("EXP301")
        return plan.check(plan.project(frames), frames, using or tables, on)

    return run


def _rejects(found: pl.DataFrame) -> list[tuple[str, str]]:
    return found.filter(pl.col("severity") == "reject").select("element", "rule").rows()


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        # presence, without and with a condition, and the rule catalogue's id where it has one
        ("import-b", {"pieces": None}, [("PackNo", "FIL-PackNo")]),
        ("import-b", {"master_waybill": None}, [("BillNo", "FIL-BillNo")]),
        ("import-c", {"trading_company_code": None}, [("TradeCo", "EXP-04")]),
        ("import-b", {"trading_company_code": "3302960001"}, [("TradeCo", "EXP-04")]),
        ("import-b", {"party_id": None}, [("SendId", "EXP-16")]),
        ("import-c", {"party_id_type": "1"}, [("SendIdType", "EXP-17")]),
        ("import-b", {"delivery_terms": "1"}, [("TransMode", "EXP-09")]),
        ("import-b", {"wooden_packaging": None}, [("WoodWrap", "EXP-31")]),
        ("import-b", {"declarant_type": "1"}, [("DeclareNo", "EXP-08")]),
        ("import-b", {"sender_name_en": None}, [("SendNameEn", "EXP-27")]),
        ("import-b", {"sender_address_en": None}, [("SendAddressEn", "EXP-29")]),
        ("export-a", {"receiver_address": None}, [("ReceiveAddress", "EXP-30")]),
        ("export-a", {"trade_country": "303"}, [("ReceiveAddressEn", "EXP-30")]),
        ("import-c", {"freight_mark": None, "freight_currency": None}, [("FeeMark", "EXP-10")]),
        ("import-c", {"insurance_currency": "502"}, [("InsurCurr", "EXP-11")]),
        ("import-b", {"pre_entry_id": "202600001507083001"}, [("PreEntryId", "EXP-39")]),
        ("import-b", {"operation": "APP"}, [("PreEntryId", "EXP-39")]),
        # form
        ("import-b", {"direction": "X"}, [("IEFlag", "EXP-03")]),
        ("import-b", {"movement_date": "20260230"}, [("IEDate", "XSD-IEDate-pattern")]),
        ("import-b", {"movement_date": "2026-11-22"}, [("IEDate", "XSD-IEDate-pattern")]),
        ("import-b", {"declaration_time": "20261123250000"}, [("DDate", "XSD-DDate-pattern")]),
        ("import-b", {"gross_weight": "0.850001"}, [("GrossWt", "EXP-35")]),
        ("import-b", {"gross_weight": "1e5"}, [("GrossWt", "EXP-35")]),
        ("import-b", {"gross_weight": "123456789012345"}, [("GrossWt", "EXP-35")]),
        ("import-b", {"pieces": "1.5"}, [("PackNo", "EXP-34")]),
        ("import-b", {"remarks": "长" * 2001}, [("NoteS", "XSD-NoteS-maxLength")]),
        ("import-b", {"receiver_address": "长" * 256}, [("ReceiveAddress", "EXP-33")]),
        ("import-b", {"trade_country": "5021"}, [("TradeCountry", "ID-16")]),
        ("import-b", {"currency": "USD"}, [("CurrCode", "ID-17")]),
        # codes
        ("import-b", {"trade_country": "998"}, [("TradeCountry", "COD-TradeCountry")]),
        ("import-b", {"packaging": "9"}, [("WrapType", "COD-WrapType")]),
        ("import-b", {"party_id_type": "7"}, [("SendIdType", "EXP-16")]),
        ("import-b", {"used_goods": "2"}, [("GoodsUsed", "EXP-31")]),
        ("import-c", {"supervision_mode": "1210"}, [("TradeMode", "CLS-08")]),
        ("import-c", {"levy_nature": "299"}, [("CutMode", "CLS-10")]),
        # one fault, one finding: what must be empty is not also judged for its form
        ("import-b", {"levy_nature": "far too long"}, [("CutMode", "EXP-06")]),
        # sound values in an untidy spelling are no fault: they are written in their shortest form
        ("import-b", {"gross_weight": "0001.100000000"}, []),
    ],
)  # fmt: skip
def test_one_fault_of_a_head_is_one_finding(name, change, expected, check, example):
    one = example(name)
    one["shipment"] = {k: v for k, v in {**one["shipment"], **change}.items() if v is not None}
    assert _rejects(check(one)) == expected


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        ("import-b", {"commodity_code": None}, [("CodeTS", "EXP-18")]),
        ("export-a", {"commodity_code": "8471607200"}, [("CodeTS", "EXP-18")]),
        ("import-b", {"commodity_code": "99887766"}, [("CodeTS", "TAX-01")]),
        ("import-b", {"quantity_1": None}, [("Qty1", "EXP-19")]),
        ("import-c", {"duty_mode": "3"}, [("DutyMode", "EXP-06")]),
        ("import-c", {"duty_mode": None}, [("DutyMode", "EXP-06")]),
        ("import-b", {"origin_country": "USA"}, [("OriginCountry", "ID-16")]),
        ("import-b", {"unit": "999"}, [("GUnit", "COD-GUnit")]),
        ("import-b", {"name": "x" * 256}, [("GName", "EXP-33")]),
        ("import-b", {"name_en": None}, [("GNameEn", "EXP-27")]),
        ("export-a", {"name_en": None}, []),
        ("import-b", {"line_number": "1a"}, [("GNo", "EXP-22")]),
        ("import-b", {"total": "1.23456"}, [("TradeTotal", "EXP-35")]),
    ],
)
def test_one_fault_of_a_line_is_one_finding(name, change, expected, check, example):
    one = example(name)
    one["goods"][0] = {k: v for k, v in {**one["goods"][0], **change}.items() if v is not None}
    assert _rejects(check(one)) == expected


def test_an_unknown_code_names_the_nearest_ones(check, example, tables):
    """Each value its own ones; where a single one is a slip away, it is suggested; other findings stay as they are."""
    wrong, far = example("import-b"), example("import-c")
    wrong["shipment"]["trade_country"], far["shipment"]["trade_country"] = "998", "000"
    wrong["goods"][0] |= {"unit": "100", "origin_country": "998"}
    found = check(wrong, far).filter(pl.col("severity") == "reject")
    told = {(r["ship"], r["element"]): r for r in found.to_dicts()}
    country, unit = told[0, "TradeCountry"], told[0, "GUnit"]
    countries = tables.codes("countries")
    known = {"TradeCountry": countries, "OriginCountry": countries, "GUnit": tables.codes("units")}
    for one in (country, unit, told[0, "OriginCountry"], told[1, "TradeCountry"]):
        base_zh, _, named_zh = one["fix_zh"].partition("；最接近：")
        base_en, _, named_en = one["fix_en"].partition("; nearest: ")
        assert base_zh == "查表改正：crossborder codes"
        assert base_en == "look it up: crossborder codes"
        near = named_en.split(", ") if named_en else []
        assert named_zh == named_en
        assert near == codes.nearest(known[one["element"]], one["value"])
        slips = [c for c in known[one["element"]] if one_digit_apart(c, one["value"])]
        assert one["suggest"] == (slips[0] if len(slips) == 1 else None)
    assert "; nearest: " in country["fix_en"] + unit["fix_en"]


def one_digit_apart(a, b):
    """One changed, one left out, one too many, or two beside each other swapped."""
    if len(a) == len(b):
        swapped = {b[:i] + b[i + 1] + b[i] + b[i + 2 :] for i in range(len(b) - 1)}
        return sum(x != y for x, y in zip(a, b, strict=True)) == 1 or (a in swapped and a != b)
    longer, shorter = sorted((a, b), key=len, reverse=True)
    return shorter in {longer[:i] + longer[i + 1 :] for i in range(len(longer))}


def test_a_finding_names_place_value_texts_and_remedy(check, example):
    one = example("import-c")
    one["goods"][1]["name"] = "鼠" * 300
    found = check(example("import-b"), one, headers={"goods": {"name": "品名"}})
    row = found.filter(pl.col("rule") == "EXP-33").to_dicts()
    assert row == [
        {
            "ship": 1, "sheet": "Sheet1", "row": 4, "column": "品名", "element": "GName",
            "shipment": "NB2611230002", "master": "999-23456786", "rule": "EXP-33",
            "severity": "reject", "action": "reject", "value": "鼠" * 300,
            "zh": "商品名称（GName）有 300 个字符，最多 255 个",
            "en": "GName has 300 characters, at most 255 fit",
            "fix_zh": "缩短至 255 个字符以内", "fix_en": "shorten it to 255 characters",
            "suggest": None, "source": "EXP301 schema (2019)",
        }
    ]  # fmt: skip


def test_the_condition_is_told_and_a_single_remedy_suggested(check, example):
    one = example("import-c")
    one["shipment"]["levy_nature"] = "299"
    del one["shipment"]["trading_company_name"]
    del one["shipment"]["house_waybill"]
    found = {r["rule"]: r for r in check(one).filter(pl.col("severity") == "reject").to_dicts()}
    assert found["EXP-04"]["zh"] == "收发货人名称（TradeName）必须填写（报关类别为 C、D 时）"
    assert found["EXP-04"]["en"] == "TradeName must be filled when EntryType is C, D"
    assert found["CLS-10"]["suggest"] == "101"
    assert {r["shipment"] for r in found.values()} == {"#2"}  # no waybill: the row stands for it


def test_every_check_has_both_languages_and_its_own_words():
    for message in ("EXP301", "EXP311"):
        for group in messages.compile_plan(message).checks:
            for one in (c for gate in group.gates for c in gate.checks):
                frame = pl.DataFrame({"_length": [7]}, schema={"_length": pl.UInt32})
                said = [pl.lit(t) if isinstance(t, str) else t for t in (one.text.zh, one.text.en)]
                zh, en = frame.select(zh=said[0], en=said[1]).row(0)
                assert one.element in zh
                assert one.element in en
                assert any("\u4e00" <= c <= "\u9fff" for c in zh + one.text.fix_zh)
                assert en.isascii()
                assert one.text.fix_en.isascii()


def test_codes_of_incomplete_tables_are_marked_once_per_value(check, example):
    said = [example("import-b") for _ in range(3)]
    said[2]["shipment"]["declaration_port"] = "2999"
    said[1]["shipment"]["declaration_port"] = "2999"
    found = check(*said).filter(pl.col("severity") != "reject")
    marks = {(r["rule"], r["value"]): r for r in found.to_dicts()}
    mark = marks["COD-DeclPort", "2999"]
    assert (mark["severity"], mark["action"], mark["ship"], mark["row"]) == (
        "not_evaluated",
        "mark",
        None,
        None,
    )
    assert "2 处" in mark["zh"]
    assert "2 times" in mark["en"]
    # nothing is packaged of the ports: one mark for the element, not one for every value
    assert [v for rule, v in marks if rule == "COD-DestinationPort"] == [None]


def test_a_complete_table_of_the_user_turns_marks_into_faults(check, example, tables):
    ports = pl.DataFrame({"code": ["1160"]})
    using = tables.with_table("ports", ports, "2026-12-01")
    assert _rejects(check(example("import-b"), using=using, on="20261123")) == []
    assert _rejects(check(example("import-b"), using=using, on="20261201")) == [
        ("DestinationPort", "COD-DestinationPort")
    ]
    assert _rejects(check(example("import-c"), using=using, on="20261201")) == []


def test_tax_numbers_are_looked_up_on_the_day(check, example):
    assert _rejects(check(example("import-b"), on="20261123")) == []
    before = check(example("import-b"), on="20241130")
    assert _rejects(before) == []
    assert ("TAX-01", None) in before.select("rule", "ship").rows()


def test_unreadable_shipments_are_not_judged(check, example):
    broken = {
        "shipment": {"unreadable": True, "house_waybill": "X"},
        "goods": [{"name": "x" * 999}],
    }
    assert _rejects(check(broken, example("import-b"))) == []


def test_an_element_filled_twice_over_is_judged_in_its_written_form(check, example):
    one = example("export-c-transit")
    one["shipment"]["transport_name"] = "x" * 250
    found = check(one).filter(pl.col("element") == "TrafName").row(0, named=True)
    assert found["value"] == "@2631040000000001/" + "x" * 250
    assert found["column"] == "transport_name"
    assert "268" in found["en"]


def test_many_shipments_keep_their_own_findings(check, example):
    said = []
    for i in range(50):
        one = example("import-c")
        if i % 7 == 3:
            one["goods"][i % 2]["quantity"] = "x"
        said.append(one)
    found = check(*said).filter(pl.col("severity") == "reject")
    assert found.select("ship", "row").rows() == [
        (i, 2 + 2 * i + i % 2) for i in range(50) if i % 7 == 3
    ]


@pytest.mark.parametrize("message", ["EXP301", "EXP304", "EXP306", "EXP311"])
def test_conditions_as_expressions_agree_with_the_schema_room(message):
    rows = {clause for row in schema.filling(message) for clause in row.clauses}
    rows |= {clause for row in schema.code_lists(message) for clause in row.clauses}
    for clause in rows:
        values = [None, "B", "I", "1", "2", "110", "ADD", "0", *clause.values]
        frame = pl.DataFrame({clause.element: values}, schema={clause.element: pl.String})
        held = conditions.holds([clause], pl.col)
        assert held is not None
        assert frame.select(held.alias("h"))["h"].to_list() == [clause.holds(v) for v in values]


def test_conditions_join_with_and():
    both = schema.parse_when("A in 1,2 & B filled")
    frame = pl.DataFrame({"A": ["1", "1", "3", None], "B": ["x", None, "x", "x"]})
    held = conditions.holds(both, pl.col)
    assert held is not None
    assert frame.select(held.alias("h"))["h"].to_list() == [True, False, False, False]
    assert conditions.holds((), pl.col) is None
    assert conditions.words(both, lambda e: f"<{e}>") == (
        "（<A>为 1、2，且<B>已填 时）",
        " when A is 1, 2 and B is filled",
    )


def test_dates_of_this_century_agree_with_the_calendar(check, example):
    """Every day of two years, and the same numbers with impossible days."""
    texts = [f"{y}{m:02}{d:02}" for y in (2026, 2028) for m in range(14) for d in range(33)]
    said = []
    for text in texts:
        one = example("export-a")
        one["shipment"]["movement_date"] = text
        said.append({"shipment": one["shipment"]})
    found = check(*said).filter(pl.col("rule") == "XSD-IEDate-pattern")
    wrong = set(found["value"])
    for text in texts:
        try:
            date(int(text[:4]), int(text[4:6]), int(text[6:]))
        except ValueError:
            assert text in wrong
        else:
            assert text not in wrong


def test_nothing_gives_nothing(build, example, tables):
    nothing = build(example("import-b")).take(pl.Series([], dtype=pl.UInt32))
    plan = messages.compile_plan("EXP301")
    elements = plan.project(nothing)
    assert [frame.height for frame in elements.groups.values()] == [0, 0, 0]
    assert plan.check(elements, nothing, tables).is_empty()


def test_elements_have_a_column_each_and_all_are_text(build, example):
    plan = messages.compile_plan("EXP301")
    made = plan.project(build(example("import-c")))
    for group in plan.groups:
        frame = made.groups[group.name]
        assert frame.columns[-len(group.names) :] == list(group.names)
        assert set(frame.select(group.names).dtypes) == {pl.String}


def test_a_code_of_the_wrong_form_is_not_looked_up(check, example):
    one = example("import-b")
    one["shipment"]["currency"] = "USD"
    found = check(one)
    assert found.filter(pl.col("element") == "CurrCode")["rule"].to_list() == ["ID-17"]
    one["shipment"]["currency"] = "999"  # of the right form: the incomplete table cannot say
    found = check(one).filter(pl.col("element") == "CurrCode")
    assert found.select("rule", "severity").rows() == [("COD-CurrCode", "not_evaluated")]


@pytest.mark.parametrize("message", ["EXP301", "EXP311"])
def test_what_is_remembered_tells_nothing_of_a_person(message, tables):
    plan = compile_plan(message)
    sources = {n: g.source(n) for g in plan.groups for n in g.names}
    personal = {
        name
        for name, source in sources.items()
        if personal_names() & {*source.columns(), *source.expr().meta.root_names()}
    }
    seen = set()
    for checks in plan.checks:
        for question in inquiry(checks, tables, "20261123").panel.questions:
            conditions_on = {n for one in question.only_if for n in one.meta.root_names()}
            looks = dict(question.seen) if question.keep else {}
            wholly = {n for n, look in looks.items() if look in ("value", "digits")} | conditions_on
            assert personal.isdisjoint(name.rpartition(".")[2] for name in wholly)
            seen |= {(look, name in personal) for name, look in looks.items()}
    assert {("given", True), ("length", True), ("value", False), ("digits", False)} <= seen


@pytest.mark.parametrize("message", ["EXP301", "EXP311"])
def test_questions_hold_only_where_their_conditions_do(message, build, example):
    """Of every question that names conditions (`only_if`), with every value of a golden shipment left out once."""
    plan = compile_plan(message)
    whole = example("import-c")
    heads = [{**whole["shipment"], left_out: None} for left_out in whole["shipment"]]
    frames = build(whole, *({**whole, "shipment": head} for head in heads))
    elements, asked = plan.project(frames), 0
    for group, checks in zip(plan.groups, plan.checks, strict=True):
        rows = with_context(elements, group, checks)
        for question in inquiry(checks).panel.questions:
            if question.only_if and rows.height:
                held = pl.all_horizontal(question.only_if).fill_null(value=False)
                assert not rows.select((question.when & ~held).any()).item()
                asked += 1
    assert asked or message == "EXP311"


def _long(element: schema.Element) -> list[str | None]:
    """Values at and beyond the bounds of its length, of characters of one to four bytes."""
    longest = element.max_length or 5
    sizes = {0, 1, longest // 4, longest // 3, longest // 2, longest - 1, longest, longest + 1}
    return [None, *(character * size for size in sorted(sizes) for character in "aé中𠮷")]


@pytest.mark.parametrize("broken", [False, True], ids=["none too long", "some too long"])
@pytest.mark.parametrize("message", ["EXP301", "EXP311"])
def test_of_many_rows_lengths_are_judged_as_of_few(message, broken):
    """Of many rows a column is not asked about where its bytes are few enough; the answers must not change."""
    plan, judged = compile_plan(message), 0
    for group, checks in zip(plan.groups, plan.checks, strict=True):
        asked = inquiry(checks)
        columns = {
            e.name: [v for v in _long(e) if broken or v is None or len(v) <= (e.max_length or 5)]
            for e in group.elements
        }
        drawn = {n: [v[i % len(v)] for i in range(MANY)] for n, v in columns.items()}
        drawn |= {name: ["1"] * MANY for name in checks.context.values()}
        rows = pl.DataFrame({"ship": range(MANY), **drawn}, schema_overrides={"ship": pl.UInt32})
        halves = [failures(rows[: MANY // 2], asked), failures(rows[MANY // 2 :], asked)]
        few = pl.concat([half for half in halves if half is not None]).sort("_check", "ship")
        many = failures(rows, asked)
        assert many is not None
        assert many.sort("_check", "ship").equals(few)
        judged += many.filter(pl.col("_rank") == 1).height
    assert judged > 10_000 if broken else judged
