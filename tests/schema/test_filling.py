"""The filling tables say what the interface says; broken tables are refused with file and line."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import polars as pl
import pytest

from crossborder import resources, schema
from crossborder.errors import SchemaError
from crossborder.schema import Clause, parse_when, tables

CLASSES = "ABCD"
DOMAINS = {
    "EntryType": ["", *CLASSES, "X"],
    "IEFlag": ["", "I", "E", "X"],
    "TransMode": ["", *"1234567"],
    "TradeCountry": ["", "110", "121", "142", "143", "502"],
    "AgentType": ["", "0", "1"],
    "OpType": ["", "ADD", "MOD", "APP"],
    "FeeMark": ["", *"1239"],
    "InsurMark": ["", *"1239"],
    "OtherMark": ["", *"1239"],
}


def needs(element: str, **values: str) -> dict[str, str]:
    """Need → rule of all rows of an EXP301 element that hold for these values, `O` left out."""
    return {
        row.need: row.rule
        for row in schema.filling("EXP301")
        if row.element == element
        and row.need != "O"
        and all(c.holds(values.get(c.element)) for c in row.clauses)
    }


@pytest.mark.parametrize(
    ("terms", "freight", "insurance"),
    [("1", "E", "E"), ("2", "E", "R"), ("3", "R", "R"), ("4", "R", "E"), ("5", "", "")],
)
def test_freight_and_insurance_by_terms_of_delivery(
    terms: str, freight: str, insurance: str
) -> None:
    """Import as the interface prints it (CIF, C&F, FOB, C&I, market price); export the other way round."""
    mirror = {"R": "E", "E": "R", "": ""}
    for klass in "ACD":
        for element, need in (("Fee", freight), ("Insur", insurance)):
            for part in ("Mark", "Rate"):
                held = needs(element + part, EntryType=klass, IEFlag="I", TransMode=terms)
                assert held == ({need: "EXP-10"} if need else {})
                held = needs(element + part, EntryType=klass, IEFlag="E", TransMode=terms)
                assert held == ({mirror[need]: "EXP-10"} if need else {})
    for flag in "IE":
        for element in ("FeeMark", "FeeRate", "FeeCurr", "InsurMark", "InsurRate", "InsurCurr"):
            held = needs(element, EntryType="B", IEFlag=flag, TransMode=terms, FeeMark="3")
            assert held == {"E": "EXP-10"}


@pytest.mark.parametrize(
    ("element", "by_class", "rule"),
    [
        ("TradeCo", "EERR", "EXP-04"), ("TradeName", "EERR", "EXP-04"),
        ("TradeScc", "EE--", "EXP-05"), ("TradeMode", "EERR", "EXP-06"),
        ("CutMode", "EERR", "EXP-06"), ("DutyMode", "EERR", "EXP-06"),
        ("TransMode", "RERR", "EXP-09"), ("OtherMark", "-E--", "EXP-12"),
        ("OtherRate", "-E--", "EXP-12"), ("OtherCurr", "-E--", "EXP-12"),
        ("SendId", "-R--", "EXP-16"), ("CodeTS", "ERRR", "EXP-18"),
        ("Qty1", "-RRR", "EXP-19"), ("Unit1", "-RRR", "EXP-19"),
        ("EntryType", "RRRR", "FIL-EntryType"), ("NoteS", "----", ""),
    ],
)  # fmt: skip
def test_needs_by_class(element: str, by_class: str, rule: str) -> None:
    for klass, need in zip(CLASSES, by_class, strict=True):
        assert needs(element, EntryType=klass) == ({} if need == "-" else {need: rule})


def test_identity_document_type() -> None:
    assert needs("SendIdType", EntryType="B") == {"R": "EXP-16"}
    for klass in "ACD":
        assert needs("SendIdType", EntryType=klass) == {"E": "EXP-17"}


@pytest.mark.parametrize(
    ("element", "imported", "exported", "rule"),
    [
        ("SendCity", "", "R", "EXP-26"), ("SendNameEn", "R", "", "EXP-27"),
        ("SendCityEn", "R", "", "EXP-27"), ("StopCityEn", "R", "", "EXP-27"),
        ("GNameEn", "R", "", "EXP-27"), ("MainGNameEn", "R", "", "FIL-MainGNameEn"),
        ("ReceiveNameEn", "", "R", "EXP-28"), ("ReceiveCity", "R", "R", "FIL-ReceiveCity"),
    ],
)  # fmt: skip
def test_needs_by_direction(element: str, imported: str, exported: str, rule: str) -> None:
    assert needs(element, IEFlag="I") == ({imported: rule} if imported else {})
    assert needs(element, IEFlag="E") == ({exported: rule} if exported else {})


@pytest.mark.parametrize("country", ["110", "121", "143", "502", "142", ""])
def test_addresses_by_country_of_trade(country: str) -> None:
    near = country in ("110", "121", "143")
    far = country == "502"
    for flag, own, other, rule in (
        ("E", "SendAddress", "ReceiveAddress", "EXP-30"),
        ("I", "ReceiveAddress", "SendAddress", "EXP-29"),
    ):
        here = {"IEFlag": flag, "TradeCountry": country}
        assert needs(own, **here) == {"R": "EXP-29" if flag == "E" else "EXP-30"}
        assert needs(own + "En", **here) == {}
        assert needs(other, **here) == ({"R": rule} if near else {})
        assert needs(other + "En", **here) == ({"R": rule} if far else {})


def test_declarant_number_and_currency() -> None:
    assert needs("DeclareNo", AgentType="0") == {"R": "EXP-08"}
    assert needs("DeclareNo", AgentType="1") == {"E": "EXP-08"}
    assert needs("AgentCode", AgentType="1") == {}
    assert needs("AgentName", AgentType="0") == {"R": "EXP-08"}
    assert needs("PreEntryId", OpType="ADD") == {"E": "EXP-39"}
    assert needs("PreEntryId", OpType="APP") == {"R": "EXP-39"}
    for mark, need in (("1", "E"), ("2", "R"), ("3", "R"), ("", "E")):
        assert needs("FeeCurr", EntryType="C", FeeMark=mark) == {need: "EXP-11"}
        assert needs("InsurCurr", EntryType="C", InsurMark=mark) == {need: "EXP-11"}
    for mark, need in (("1", ""), ("2", "R"), ("3", ""), ("", "")):
        assert needs("OtherCurr", EntryType="C", OtherMark=mark) == (
            {need: "EXP-12"} if need else {}
        )
    assert needs("OtherRate", EntryType="A", OtherMark="3") == {"R": "EXP-12"}
    assert needs("OtherRate", EntryType="A") == {}


def test_goods_name_and_flags() -> None:
    assert needs("GName", EntryType="A") == {"R": "FIL-GName"}
    assert needs("GName", EntryType="B") == needs("GName") == {"R": "EXP-45"}
    for flag in ("WoodWrap", "GoodsUsed", "LowTempTrans"):
        assert needs(flag) == {"R": "EXP-31"}


@pytest.mark.parametrize("message", schema.messages())
def test_no_element_is_required_and_forbidden_at_once(message: str) -> None:
    rows = schema.filling(message)
    for key in {(r.group, r.element) for r in rows}:
        mine = [r for r in rows if (r.group, r.element) == key and r.need != "O"]
        names = sorted({c.element for r in mine for c in r.clauses})
        for values in itertools.product(*(DOMAINS[n] for n in names)):
            at = dict(zip(names, values, strict=True))
            held = [r for r in mine if all(c.holds(at[c.element]) for c in r.clauses)]
            assert len(held) <= 1, (key, at)


@pytest.mark.parametrize("message", ["EXP301", "EXP311"])
def test_what_the_schema_never_takes_empty_is_required(message: str) -> None:
    """Else a sound shipment could give a document that is not valid; DDate is set by the engine."""
    always = {
        (r.group, r.element) for r in schema.filling(message) if (r.need, r.when) == ("R", "")
    }
    empty = pl.DataFrame({"v": [""]})
    for element in schema.load_elements(message):
        if not empty.select(schema.holds(element, pl.col("v"))).item():
            assert (element.group, element.name) in always or element.name == "DDate"


@pytest.mark.parametrize("message", schema.messages())
def test_rule_ids_are_well_formed(message: str) -> None:
    ids = [r.rule for r in schema.filling(message) if r.need != "O"]
    ids += [r.rule for r in schema.code_lists(message)]
    ids += schema.facet_rules(message).values()
    for rule in ids:
        kind, _, rest = rule.partition("-")
        assert kind in ("EXP", "CLS", "TAX", "ID", "MFT", "FIL", "COD")
        assert rest.isdigit() == (kind not in ("FIL", "COD"))


@pytest.mark.parametrize("message", schema.messages())
def test_a_facet_with_a_rule_can_be_broken(message: str) -> None:
    facets = {
        (e.name, facet)
        for e in schema.load_elements(message)
        for facet in schema.facet_failures(e, pl.col("v"))
    }
    assert set(schema.facet_rules(message)) <= facets


def test_rules_of_facets() -> None:
    rules = schema.facet_rules("EXP301")
    assert rules["GName", "maxLength"] == "EXP-33"
    assert rules["GrossWt", "fractionDigits"] == rules["TotalValue", "totalDigits"] == "EXP-35"
    assert rules["PackNo", "fractionDigits"] == "EXP-34"
    assert rules["GNo", "type"] == "EXP-22"
    assert rules["IEFlag", "maxLength"] == "EXP-03"
    assert rules["OriginCountry", "maxLength"] == "ID-16"
    assert ("IEDate", "pattern") not in rules
    assert schema.facet_rules("EXP311")["MainGName", "maxLength"] == "MFT-03"


def test_code_lists() -> None:
    found = {
        (r.element, r.when, r.table or r.values or r.form): r for r in schema.code_lists("EXP301")
    }
    assert found["IEFlag", "", ("I", "E")].rule == "EXP-03"
    assert found["TradeMode", "EntryType in C", ("0110", "3010", "3039")].rule == "CLS-08"
    assert found["TradeMode", "EntryType in D", ("0110", "3010", "3039")].rule == "EXP-06"
    assert found["TradeCountry", "", "[0-9]{3}"].rule == "ID-16"
    country = found["TradeCountry", "", "countries"]
    assert (country.rule, country.form) == ("COD-TradeCountry", "[0-9]{3}")
    articles = found["CodeTS", "EntryType in B", "parcel_tax"]
    assert (articles.rule, articles.form) == ("TAX-01", "[0-9]{8}")
    manifest = {r.element: r.values for r in schema.code_lists("EXP311") if r.values}
    assert manifest == {"OpType": ("ADD", "APD"), "IEFlag": ("I", "E")}
    assert schema.code_lists("EXP302") == ()


def test_tables_named_in_code_lists_are_known() -> None:
    with resources.path("codes/coverage.csv").open(encoding="utf-8", newline="") as file:
        known = {row["table"] for row in csv.DictReader(file)}
    named = {r.table for m in schema.messages() for r in schema.code_lists(m) if r.table}
    assert named <= known


def test_conditions() -> None:
    assert parse_when("") == ()
    assert parse_when("A in 1,2 & B_c not in X & D filled & E empty") == (
        Clause("A", "in", ("1", "2")),
        Clause("B_c", "not in", ("X",)),
        Clause("D", "filled"),
        Clause("E", "empty"),
    )
    assert Clause("A", "in", ("1",)).holds("1")
    assert not Clause("A", "in", ("1",)).holds(None)
    assert Clause("A", "not in", ("1",)).holds("")
    assert not Clause("A", "not in", ("1",)).holds("1")
    assert Clause("A", "filled").holds("0")
    assert not Clause("A", "filled").holds("")
    assert Clause("A", "empty").holds(None)


@pytest.mark.parametrize(
    "text",
    ["A", "A in", "A in 1, 2", "A in 1,", "A = 1", "A in 1 &", "A in 1 and B in 2", " A filled",
     "A filled ", "A filled\n", "A is filled", "A in 国"],
)  # fmt: skip
def test_what_is_no_condition(text: str) -> None:
    with pytest.raises(SchemaError, match="not a condition"):
        parse_when(text)


HEAD = "group,element,need,when,rule,note"
CODES = "group,element,table,values,form,when,rule,note"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "header must be"),
        (HEAD.replace("note", "remark"), "header must be"),
        (f"{HEAD}\nEXP307,AgentCode,R", "3 cells instead of 6"),
        (f"{HEAD}\nEXP307,Nobody,R,,FIL-x,", r"t\.csv:2: no element EXP307.Nobody"),
        (f"{HEAD}\nEXP301,AgentCode,R,,FIL-x,", "no element EXP301.AgentCode"),
        (f"{HEAD}\nEXP307,AgentCode,M,,FIL-x,", "need is 'M'"),
        (f"{HEAD}\nEXP307,AgentCode,R,,,", "name a rule"),
        (f"{HEAD}\nEXP307,AgentCode,O,,FIL-x,", "name a rule"),
        (f"{HEAD}\nEXP307,AgentCode,R,Nobody filled,FIL-x,", "names 'Nobody'"),
        (f"{HEAD}\nEXP307,AgentCode,R,sometimes,FIL-x,", "not a condition"),
        (f"{HEAD}\nEXP307,AgentCode,R,,FIL-x,", "no row for EXP307.TradeCode"),
        (f'{HEAD}\n"EXP307', "cannot be read"),
    ],
)
def test_broken_filling_tables(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SchemaError, match=says):
        tables.read_filling(path, schema.load_elements("EXP307"))


def test_a_table_that_is_not_there_or_not_utf8(tmp_path: Path) -> None:
    tree = schema.load_elements("EXP307")
    path = tmp_path / "t.csv"
    with pytest.raises(SchemaError, match=r"t\.csv: the table cannot be read"):
        tables.read_filling(path, tree)
    assert tables.read_codes(path, tree) == ()
    path.write_bytes(f"{HEAD}\n".encode() + "分运单".encode("gb18030"))
    with pytest.raises(SchemaError, match="cannot be read"):
        tables.read_filling(path, tree)


@pytest.mark.parametrize(
    "row",
    ["Nobody,maxLength,X-1", "AgentCode,size,X-1", "AgentCode,maxLength,",
     "AgentCode,maxLength,X-1\nAgentCode,maxLength,X-2"],
)  # fmt: skip
def test_broken_facet_rules(tmp_path: Path, row: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"element,facet,rule\n{row}\n", encoding="utf-8")
    with pytest.raises(SchemaError, match=r"t\.csv:\d"):
        tables.read_facet_rules(path, schema.load_elements("EXP307"))


@pytest.mark.parametrize(
    "row",
    ["EXP307,AgentCode,,,,,COD-x,", "EXP307,AgentCode,units,1,,,COD-x,", "EXP307,AgentCode,,1,,,,",
     "EXP307,AgentCode,,1,[0-9],,COD-x,", "EXP307,AgentCode,,,[0-9,,COD-x,",
     "EXP307,AgentCode,,,a**,,COD-x,", "EXP307,Nobody,units,,,,COD-x,"],
)  # fmt: skip
def test_broken_code_lists(tmp_path: Path, row: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"{CODES}\n{row}\n", encoding="utf-8")
    with pytest.raises(SchemaError):
        tables.read_codes(path, schema.load_elements("EXP307"))


def test_description() -> None:
    rows = {str(r["path"]): r for r in schema.describe("EXP301")}
    assert len(rows) == 78 + 27 + 4
    gross = rows["EntryHead/GrossWt"]
    assert (gross["type"], gross["occurrence"], gross["max_length"]) == ("decimal(19,5)", "1", 20)
    assert (gross["label_zh"], gross["filling_zh"], gross["filling_en"]) == (
        "毛重",
        "必填",
        "required",
    )
    assert rows["EntryHead/IEDate"]["type"] == "Date"
    assert rows["EntryHead/BillNo"]["type"] == "string"
    assert rows["EntryList/GNo"]["occurrence"] == "0..20"
    assert rows["EntryDocu/CertCode"]["occurrence"] == "0..n"
    assert (
        rows["EntryHead/TradeScc"]["filling_zh"]
        == "报关类别（EntryType）为A、B时须为空；其余情况可空"
    )
    assert rows["EntryHead/OtherRate"]["filling_en"] == (
        "required if EntryType is not B and OtherMark is filled; "
        "must be empty if EntryType is B; otherwise optional"
    )
    assert rows["EntryHead/CurrCode"]["codes"] == "[0-9]{3}; currencies"
    assert rows["EntryHead/TradeMode"]["codes"] == "0110,3010,3039"
    envelope = {r["element"]: r for r in schema.describe(schema.ENVELOPE)}
    assert envelope["message_id"]["type"] == "string"
    assert envelope["HashSign"]["filling_zh"] == "可空"
