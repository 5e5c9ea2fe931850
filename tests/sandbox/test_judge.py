"""The judge: a document with nothing wrong is stored, one with anything wrong is D1 and says which element."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from crossborder.sandbox import checks, judge, rules301, rules311
from crossborder.sandbox.reading import Document, read

from .builder import (
    EXP,
    EXPORT_C,
    IMPORT_B,
    LINE_B,
    LINE_C,
    Message,
    declaration,
    manifest,
)
from .conftest import Desk

EXPORT_B = EXPORT_C | {
    "EntryType": "B",
    "TradeCo": "",
    "TradeName": "",
    "TradeMode": "",
    "CutMode": "",
    "TransMode": "",
    "SendId": "810000199001010019",
    "SendIdType": "1",
}
IMPORT_C = IMPORT_B | {
    "EntryType": "C",
    "TradeCo": "3301961Q43",
    "TradeName": "虚构贸易有限公司",
    "TradeMode": "3010",
    "CutMode": "101",
    "TransMode": "1",
    "SendIdType": "",
}
LINE_CI = LINE_C | {"GNameEn": "Face cream"}
IMPORT_A = IMPORT_B | {"EntryType": "A", "TransMode": "1", "SendIdType": "", "SendId": ""}
LINE_A = LINE_B | {"CodeTS": "", "Qty1": "", "Unit1": ""}


def reasons(message: Message, *districts: str) -> list[str]:
    return [fault.element for fault in judge.judge(read(message.body), districts)]


def c_import(**head: str) -> Message:
    return declaration(base=IMPORT_C, lines=[LINE_CI], **head)


def c_export(**head: str) -> Message:
    return declaration(base=EXPORT_C, lines=[LINE_C], **head)


GOOD = {
    "import B": declaration(),
    "import B by passport": declaration(SendIdType="2", SendId="E12345678"),
    "import B by a natural person": declaration(
        AgentType="1", AgentCode="", AgentName="", DeclareNo=""
    ),
    "import B from Hong Kong": declaration(
        TradeCountry="110", SendCountry="110", SendAddressEn="", SendAddress="虚构道1号"
    ),
    "import A": declaration(base=IMPORT_A, lines=[LINE_A]),
    "import C": c_import(),
    "import C, FOB": c_import(
        TransMode="3", FeeMark="3", FeeCurr="502", FeeRate="12.5", InsurMark="1", InsurRate="0.3"
    ),
    "import C, C&F": c_import(TransMode="2", InsurMark="3", InsurCurr="142", InsurRate="1"),
    "import C, C&I": c_import(TransMode="4", FeeMark="2", FeeCurr="142", FeeRate="1"),
    "import C, market price": c_import(TransMode="5", FeeMark="1", FeeRate="1"),
    "import C, EXW": c_import(TransMode="7"),
    "import C, other charges": c_import(OtherMark="2", OtherCurr="142", OtherRate="1"),
    "import D": c_import(EntryType="D"),
    "export C": c_export(),
    "export C, CIF": c_export(
        TransMode="1", FeeMark="1", FeeRate="1", InsurMark="1", InsurRate="1"
    ),
    "export C to Macao": c_export(
        TradeCountry="121", ReceiveCountry="121", ReceiveAddressEn="", ReceiveAddress="虚构街1号"
    ),
    "export B": declaration(base=EXPORT_B, lines=[LINE_B | {"GNameEn": ""}]),
    "transit": declaration(TrafName="@1234567890123/DEMO AIR"),
    "with a paper": declaration(
        papers=[{"OpType": "ADD", "OrderNo": "1", "DocuCode": "A", "CertCode": "X1"}]
    ),
    "rare ideographs": declaration(ReceiveName="𠮷𡘙", ReceiveCity="〇𠮷"),
    "two telephones": declaration(ReceiveTelNo="0571-00000000-12|13800000000"),
    "figures of the greatest length": declaration(GrossWt="99999999999999.99999"),
    "social credit codes": c_import(TradeScc="91110000600037341L", AgentScc="91110000600037341L"),
    "a registration number already known": declaration(EntryId="291020261000000001"),
    "twenty lines": declaration(
        lines=[LINE_B | {"GNo": str(n)} for n in range(1, 21)], TotalValue="6000"
    ),
    "a price within the tolerance": declaration(lines=[LINE_B | {"DeclPrice": "157"}]),
    "lines in two currencies": declaration(
        lines=[LINE_B, LINE_B | {"GNo": "2", "TradeCurr": "502", "GNameEn": "Other"}]
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_nothing_is_found_where_nothing_is_wrong(name: str) -> None:
    assert judge.judge(read(GOOD[name].body)) == []


HEAD_FAULTS: list[tuple[str, dict[str, str]]] = [
    *((element, {element: ""}) for element in (
        "IEFlag", "IEPort", "DestinationPort", "TrafName", "VoyageNo", "TrafMode", "OwnerName", "AgentType",
        "BillNo", "TradeCountry", "PackNo", "GrossWt", "NetWt", "WrapType", "DeclPort", "CoOwner", "InputNo",
        "InputCompanyCo", "InputCompanyName", "CustomsField", "SendName", "ReceiveName", "SendCountry",
        "ReceiveCountry", "TotalValue", "CurrCode", "MainGName", "EntryType", "SendTelNo", "ReceiveTelNo",
        "ReceiveCity", "WoodWrap", "GoodsUsed", "LowTempTrans", "AgentCode", "AgentName", "DeclareNo",
        "SendId", "SendIdType", "ReceiveAddress", "SendAddressEn", "SendCityEn", "StopCityEn", "SendNameEn",
        "MainGNameEn", "OpType", "IEDate", "DDate",
    )),
    ("OpType", {"OpType": "MOD"}),
    ("PreEntryId", {"PreEntryId": "202600000000000001"}),
    ("EntryId", {"EntryId": "2910X"}),
    ("IEFlag", {"IEFlag": "X"}),
    ("EntryType", {"EntryType": "E"}),
    ("IEPort", {"IEPort": "HGH"}),
    ("IEDate", {"IEDate": "20261332"}),
    ("TrafName", {"TrafName": "@123"}),
    ("WoodWrap", {"WoodWrap": "2"}),
    ("AgentCode", {"AgentCode": "33019"}),
    ("AgentCode", {"AgentCode": "330196DEMO"}),
    ("AgentScc", {"AgentScc": "91110000600037341M"}),
    ("AgentType", {"AgentType": "2"}),
    ("DeclareNo", {"AgentType": "1"}),
    ("TradeCo", {"TradeCo": "3301961Q43"}),
    ("TradeName", {"TradeName": "虚构"}),
    ("TradeScc", {"TradeScc": "91110000600037341L"}),
    ("TradeMode", {"TradeMode": "0110"}),
    ("CutMode", {"CutMode": "101"}),
    ("TransMode", {"TransMode": "1"}),
    ("FeeMark", {"FeeMark": "1"}),
    ("InsurRate", {"InsurRate": "1"}),
    ("OtherMark", {"OtherMark": "1"}),
    ("TradeCountry", {"TradeCountry": "142"}),
    ("TradeCountry", {"TradeCountry": "USA"}),
    ("SendCountry", {"SendCountry": "142"}),
    ("ReceiveCountry", {"ReceiveCountry": "502"}),
    ("CurrCode", {"CurrCode": "USD"}),
    ("SendIdType", {"SendIdType": "9"}),
    ("SendId", {"SendId": "330100199001010002"}),
    ("SendId", {"SendId": "330100199013010001"}),
    ("SendId", {"SendId": "330100900101001"}),
    ("SendAddress", {"TradeCountry": "143"}),
    ("ReceiveCity", {"ReceiveCity": "Hangzhou"}),
    ("SendTelNo", {"SendTelNo": "+1 202 555"}),
    ("ReceiveTelNo", {"ReceiveTelNo": "０５７１"}),
    ("SendNameEn", {"SendNameEn": "虚某"}),
    ("SendNameEn", {"SendNameEn": "123"}),
    ("SendCityEn", {"SendCityEn": "杭州"}),
    ("StopCityEn", {"StopCityEn": "-"}),
    ("SendAddressEn", {"SendAddressEn": "虚构路"}),
    ("MainGNameEn", {"MainGNameEn": "Something else"}),
    ("GrossWt", {"GrossWt": "0.5"}),
    ("GrossWt", {"GrossWt": "0.800001"}),
    ("GrossWt", {"GrossWt": "8E-1"}),
    ("NetWt", {"NetWt": "0"}),
    ("PackNo", {"PackNo": "1.5"}),
    ("PackNo", {"PackNo": "0"}),
    ("TotalValue", {"TotalValue": "-1"}),
    ("TotalValue", {"TotalValue": "400"}),
    ("TotalValue", {"TotalValue": "1.23456"}),
    ("SendName", {"SendName": "虚" * 51}),
    ("SendName", {"SendName": "A\U0001f600"}),
    ("NoteS", {"NoteS": "\ue000"}),
]  # fmt: skip


@pytest.mark.parametrize(("element", "head"), HEAD_FAULTS, ids=lambda value: str(value)[:40])
def test_a_broken_rule_of_the_head_is_found(element: str, head: dict[str, str]) -> None:
    assert element in reasons(declaration(**{"house": "DEMO1", **head}))


C_FAULTS: list[tuple[str, dict[str, str]]] = [
    ("TradeCo", {"TradeCo": ""}),
    ("TradeCo", {"TradeCo": "33019I1Q43"}),
    ("TradeName", {"TradeName": ""}),
    ("TradeMode", {"TradeMode": ""}),
    ("TradeMode", {"TradeMode": "9610"}),
    ("CutMode", {"CutMode": "299"}),
    ("CoOwner", {"CoOwner": "2"}),
    ("AgentType", {"AgentType": "1", "DeclareNo": ""}),
    ("SendIdType", {"SendIdType": "1", "SendId": "330100199001010001"}),
    ("TradeScc", {"TradeScc": "9111"}),
    ("TransMode", {"TransMode": ""}),
    ("FeeRate", {"FeeMark": "1", "FeeRate": "1"}),
    ("InsurMark", {"InsurMark": "1", "InsurRate": "1"}),
    ("FeeMark", {"TransMode": "3"}),
    ("InsurRate", {"TransMode": "2"}),
    ("FeeRate", {"TransMode": "4"}),
    ("InsurMark", {"TransMode": "4", "FeeMark": "1", "FeeRate": "1", "InsurMark": "1"}),
    ("FeeCurr", {"TransMode": "5", "FeeMark": "2", "FeeRate": "1"}),
    ("FeeCurr", {"TransMode": "5", "FeeMark": "1", "FeeRate": "1", "FeeCurr": "142"}),
    ("InsurCurr", {"TransMode": "5", "InsurMark": "3", "InsurRate": "1"}),
    ("FeeMark", {"TransMode": "5", "FeeMark": "9", "FeeRate": "1"}),
    ("FeeRate", {"TransMode": "5", "FeeMark": "1", "FeeRate": "1,5"}),
    ("OtherCurr", {"OtherMark": "2", "OtherRate": "1"}),
    ("OtherRate", {"OtherMark": "1"}),
]


@pytest.mark.parametrize(("element", "head"), C_FAULTS, ids=lambda value: str(value)[:40])
def test_a_broken_rule_of_class_c_is_found(element: str, head: dict[str, str]) -> None:
    assert element in reasons(c_import(**head))


EXPORT_FAULTS: list[tuple[str, dict[str, str]]] = [
    ("SendCountry", {"SendCountry": "502"}),
    ("ReceiveCountry", {"ReceiveCountry": "142"}),
    ("SendCity", {"SendCity": ""}),
    ("SendCity", {"SendCity": "杭州HZ"}),
    ("SendAddress", {"SendAddress": ""}),
    ("ReceiveNameEn", {"ReceiveNameEn": ""}),
    ("ReceiveNameEn", {"ReceiveNameEn": "虚某"}),
    ("ReceiveAddressEn", {"ReceiveAddressEn": ""}),
    ("ReceiveAddressEn", {"ReceiveAddressEn": "虚构路"}),
    ("ReceiveAddress", {"TradeCountry": "110"}),
    ("FeeRate", {"TransMode": "1", "InsurMark": "1", "InsurRate": "1"}),
    ("FeeRate", {"TransMode": "2"}),
    ("InsurRate", {"TransMode": "4"}),
    ("InsurMark", {"TransMode": "3", "InsurMark": "1", "InsurRate": "1"}),
]


@pytest.mark.parametrize(("element", "head"), EXPORT_FAULTS, ids=lambda value: str(value)[:40])
def test_a_broken_rule_of_an_export_is_found(element: str, head: dict[str, str]) -> None:
    assert element in reasons(c_export(**head))


LINE_FAULTS: list[tuple[str, dict[str, str]]] = [
    *((f"{element}[1]", {element: ""}) for element in (
        "GName", "GModel", "OriginCountry", "TradeCurr", "TradeTotal", "DeclPrice", "DeclTotal", "GQty",
        "GUnit", "GGrossWt", "CodeTS", "Qty1", "Unit1", "GNameEn", "OpType",
    )),
    ("GNo", {"GNo": "2"}),
    ("GNo", {"GNo": "01"}),
    ("CodeTS[1]", {"CodeTS": "3304990099"}),
    ("DutyMode[1]", {"DutyMode": "1"}),
    ("OriginCountry[1]", {"OriginCountry": "US"}),
    ("TradeCurr[1]", {"TradeCurr": "CNY"}),
    ("DeclTotal[1]", {"DeclTotal": "301"}),
    ("DeclTotal[1]", {"DeclPrice": "160"}),
    ("GQty[1]", {"GQty": "0"}),
    ("Qty1[1]", {"Qty1": "0"}),
    ("Qty2", {"Qty2": "two"}),
    ("GNameEn[1]", {"GNameEn": "面霜"}),
    ("GName", {"GName": "霜" * 256}),
]  # fmt: skip


@pytest.mark.parametrize(("element", "line"), LINE_FAULTS, ids=lambda value: str(value)[:40])
def test_a_broken_rule_of_a_line_is_found(element: str, line: dict[str, str]) -> None:
    assert element in reasons(declaration(lines=[LINE_B | line]))


def test_lines_are_numbered_counted_and_of_their_class() -> None:
    assert reasons(declaration(lines=[])) == ["EntryList", *reasons(declaration(lines=[]))[1:]]
    many = [LINE_B | {"GNo": str(n)} for n in range(1, 22)]
    assert reasons(declaration(lines=many, TotalValue="6300")) != []
    gap = [LINE_B, LINE_B | {"GNo": "3"}]
    assert "GNo" in reasons(declaration(lines=gap, TotalValue="600"))
    assert "CodeTS[1]" in reasons(declaration(base=IMPORT_A, lines=[LINE_B]))
    assert "DutyMode[1]" in reasons(declaration(base=IMPORT_C, lines=[LINE_CI | {"DutyMode": "3"}]))
    paper = {"OpType": "DEL", "OrderNo": ""}
    assert {"OpType[1]", "OrderNo[1]"} <= set(reasons(declaration(papers=[paper])))


def test_the_main_goods_are_those_of_the_highest_total_and_the_lowest_number() -> None:
    second = LINE_B | {"GNo": "2", "GNameEn": "Lotion"}
    assert reasons(declaration(lines=[second, LINE_B], TotalValue="600")) == []
    dear = second | {"TradeTotal": "310", "DeclTotal": "310", "DeclPrice": "155"}
    assert reasons(declaration(lines=[LINE_B, dear], TotalValue="610")) == ["MainGNameEn"]
    assert reasons(declaration(lines=[LINE_B, dear], TotalValue="610", MainGNameEn="Lotion")) == []


def test_a_declaration_for_another_port_is_found() -> None:
    assert reasons(declaration(), "31") == ["DeclPort"]
    assert reasons(declaration(), "29", "31") == []


MANIFEST_FAULTS: list[tuple[str, dict[str, str]]] = [
    *((element, {element: ""}) for element in (
        "OpType", "IEFlag", "TrafCnName", "TrafEnName", "GrossWt", "PackNo", "BillNum", "TrafMode", "IEDate",
        "DestinationPort", "IEPort", "TradeCo", "TradeName", "InputNo", "InputOpName", "InputCompanyCode",
        "InputCompanyName",
    )),
    ("OpType", {"OpType": "MOD"}),
    ("IEFlag", {"IEFlag": "X"}),
    ("IEPort", {"IEPort": "HGH"}),
    ("IEDate", {"IEDate": "20260230"}),
    ("BillNum", {"BillNum": "3"}),
    ("BillNum", {"BillNum": "two"}),
    ("PackNo", {"PackNo": "3"}),
    ("GrossWt", {"GrossWt": "1.61"}),
    ("TradeCo", {"TradeCo": "SHORT"}),
    ("TrafCnName", {"TrafCnName": "虚" * 33}),
]  # fmt: skip


@pytest.mark.parametrize(("element", "head"), MANIFEST_FAULTS, ids=lambda value: str(value)[:40])
def test_a_broken_rule_of_a_manifest_is_found(element: str, head: dict[str, str]) -> None:
    assert element in reasons(manifest(["DEMO1", "DEMO2"], **head))


ROW = {
    "BillNo": "99912345675",
    "AssBillNo": "DEMO1",
    "VoyageNo": "ZZ8801",
    "MainGName": "面霜",
    "PackNo": "1",
    "GrossWt": "0.8",
    "TradeTotal": "300",
    "TradeCurr": "142",
}


@pytest.mark.parametrize(
    ("element", "row"),
    [
        *((f"{element}[1]", {element: ""}) for element in ROW),
        ("BillNo[1]", {"BillNo": "99900000001"}),
        ("VoyageNo[1]", {"VoyageNo": "ZZ1"}),
        ("TradeCurr[1]", {"TradeCurr": "CNY"}),
        ("TradeTotal", {"TradeTotal": "1.234"}),
        ("PackNo", {"PackNo": "x"}),
    ],
)
def test_a_broken_rule_of_a_manifest_line_is_found(element: str, row: Mapping[str, str]) -> None:
    assert element in reasons(manifest(["DEMO1"], lines=[ROW | row]))


def test_a_manifest_without_fault_and_with_a_house_waybill_twice() -> None:
    assert reasons(manifest(["DEMO1", "DEMO2", "DEMO3"])) == []
    assert reasons(manifest(["DEMO1", "demo-1"])) == ["AssBillNo"]


def test_the_schema_is_asked_first_and_its_answer_holds_no_value() -> None:
    secret = "秘密" * 30
    found = judge.judge(read(declaration(ReceiveName=secret, NetWt="9").body))
    assert [fault.element for fault in found] == ["ReceiveName"]
    assert secret not in repr(found)
    body = declaration().body
    missing = body.replace(b"<LowTempTrans>0</LowTempTrans>", b"")
    assert reasons(Message("X", "EXP301", missing)) == ["EntryHead"]
    strange = body.replace(b"<OpType>", b"<Unknown/><OpType>", 1)
    assert reasons(Message("X", "EXP301", strange)) == ["Unknown"]
    without = body.replace(b"<HashSign></HashSign>", b"")
    assert reasons(Message("X", "EXP301", without)) == ["SignerInfo"]


def test_the_form_is_chosen_by_the_namespace_of_the_root() -> None:
    message = manifest(["DEMO1"])
    lower = b"http://www.chinaport.gov.cn/exp"
    strict = message.body.replace(f' xmlns="{EXP}"'.encode(), b"").replace(
        b"<Package>", b'<Package xmlns="' + lower + b'">'
    )
    assert read(strict).form == "strict"
    assert reasons(Message("X", "EXP311", strict)) == []
    mixed = message.body.replace(EXP.encode(), lower)
    assert reasons(Message("X", "EXP311", mixed)) != []


def test_a_broken_rule_is_answered_by_d1_with_its_reason(free: Desk) -> None:
    message = declaration(NetWt="9", ReceiveTelNo="none", ReceiveName="虚构人")
    free.file(message)
    (answer,) = free.answers()
    assert (answer["OpResult"], answer["PreEntryId"], answer["EntryId"]) == ("D1", "", "")
    assert answer["Notes"].startswith("SANDBOX ")
    assert "[GrossWt]" in answer["Notes"]
    assert "毛重小于净重" in answer["Notes"]
    assert "gross weight below net weight" in answer["Notes"]
    assert "[ReceiveTelNo]" in answer["Notes"]
    assert "虚构人" not in answer["Notes"]
    assert free.state(message) == "D1"


def test_notes_are_cut_to_their_field(free: Desk) -> None:
    line: dict[str, Any] = dict.fromkeys(LINE_B, "")
    free.file(declaration(lines=[line | {"GNo": str(n)} for n in range(1, 21)]))
    (answer,) = free.answers()
    assert answer["OpResult"] == "D1"
    assert len(answer["Notes"]) <= 4096


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("330100199001010001", True),
        ("810000199001010019", True),
        ("933001199001010015", True),
        ("33010019900101000X", False),
        ("330100199002300001", False),
        ("３30100199001010001", False),
        ("33010019900101000", False),
    ],
)
def test_identity_numbers(text: str, good: bool) -> None:
    assert checks.is_identity_number(text) is good


@pytest.mark.parametrize(
    ("text", "good"),
    [("91110000600037341L", True), ("91110000600037341l", False), ("9111000060003734IL", False)],
)
def test_social_credit_codes(text: str, good: bool) -> None:
    assert checks.is_credit_code(text) is good


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", "0"),
        ("12.5", "12.5"),
        ("00012.50000", "12.50000"),
        ("99999999999999.99999", "99999999999999.99999"),
        ("100000000000000", None),
        ("1.123456", None),
        ("1e3", None),
        ("+1", None),
        ("-1", None),
        (".5", None),
        ("5.", None),
        ("１", None),
    ],
)
def test_decimals_are_tested_without_the_schema_too(text: str, number: str | None) -> None:
    found = checks.Faults()
    value = found.decimal({"GrossWt": text}, "GrossWt", 19, 5)
    assert value == (None if number is None else Decimal(number))
    assert [fault.element for fault in found.found] == ([] if number else ["GrossWt"])


@pytest.mark.parametrize(
    "element",
    [
        *("FeeRate", "InsurRate", "OtherRate", "TotalValue", "GrossWt", "NetWt", "PackNo"),
        *(
            f"{e}[1]"
            for e in ("TradeTotal", "DeclTotal", "DeclPrice", "GQty", "GGrossWt", "Qty1", "Qty2")
        ),
    ],
)
def test_figures_are_judged_without_the_schema_too(element: str) -> None:
    name = element.partition("[")[0]
    head, line = dict(IMPORT_A), dict(LINE_A)
    (line if "[" in element else head)[name] = "1e3"
    document = Document("EXP301", head, (line,), ())
    assert element in [fault.element for fault in rules301.faults(document)]


def test_a_line_of_class_c_needs_its_levy_method() -> None:
    assert reasons(declaration(base=IMPORT_C, lines=[LINE_CI | {"DutyMode": ""}])) == [
        "DutyMode[1]"
    ]


def test_a_manifest_has_one_to_9999_house_waybills_and_writable_text() -> None:
    full = (9_998, 9_998, Decimal("7998.4"))
    one, two = (
        read(manifest(h, OpType="APD").body).document for h in (["DEMO1"], ["DEMO1", "DEMO2"])
    )
    assert rules311.faults(one, full) == []
    assert [fault.element for fault in rules311.faults(two, full)] == ["BillNum"]
    head = one.head | {"BillNum": "0", "PackNo": "1", "GrossWt": "1"}
    nothing = rules311.faults(Document("EXP311", head, (), ()))
    assert "ExpMftList" in [fault.element for fault in nothing]
    assert reasons(manifest(["DEMO1"], TradeName="虚\U0001f600")) == ["TradeName"]
    line = ROW | {"TradeTotal": "1.234"}
    found = rules311.faults(Document("EXP311", one.head, (line,), ()))
    assert [fault.element for fault in found] == ["TradeTotal[1]"]
