"""The port's own filling rules for a declaration (EXP301), written from the interface facts.

Independent of the engine: nothing here is read from its tables, so that a mistake there does not excuse
itself here. Source of each rule: the filling texts of the EXP301 schema (S1), and the codes it refers to.
Lengths and date shapes are the schema's business and not repeated.
"""

from __future__ import annotations

import re
from decimal import Decimal

from crossborder.sandbox import checks
from crossborder.sandbox.checks import Fault, Faults
from crossborder.sandbox.reading import Document, Record

CHINA = "142"
NEAR = ("110", "121", "143")  # Hong Kong, Macao, Taiwan
GOODS_CLASSES = ("C", "D")
# terms of delivery: (freight, insurance) on import; R required, E empty, O optional. Export is the mirror image
TERMS = {"1": "EE", "2": "ER", "3": "RR", "4": "RE", "5": "OO"}
MIRROR = {"R": "E", "E": "R", "O": "O"}
TOLERANCE = Decimal("0.05")
CENT = Decimal("0.01")

_THREE = re.compile(r"[0-9]{3}")
_FOUR = re.compile(r"[0-9]{4}")
_EIGHT = re.compile(r"[0-9]{8}")
_TEN = re.compile(r"[0-9]{10}")
_ENTRY = re.compile(r"[0-9]{18}")
_TRANSIT = re.compile(r"@[^/]+/.+")

ALWAYS = (
    "IEFlag", "IEPort", "DestinationPort", "TrafName", "VoyageNo", "TrafMode", "OwnerName", "AgentType",
    "BillNo", "AssBillNo", "TradeCountry", "PackNo", "GrossWt", "NetWt", "WrapType", "DeclPort", "CoOwner",
    "InputNo", "InputCompanyCo", "InputCompanyName", "CustomsField", "SendName", "ReceiveName",
    "SendCountry", "ReceiveCountry", "TotalValue", "CurrCode", "MainGName", "EntryType", "SendTelNo",
    "ReceiveTelNo", "ReceiveCity", "WoodWrap", "GoodsUsed", "LowTempTrans",
)  # fmt: skip
LINE_ALWAYS = (
    "GNo", "GName", "GModel", "OriginCountry", "TradeCurr", "TradeTotal", "DeclPrice", "DeclTotal", "GQty",
    "GUnit", "GGrossWt",
)  # fmt: skip


def faults(message: Document, districts: tuple[str, ...] = ()) -> list[Fault]:
    """Why this declaration cannot be stored; empty = nothing. `districts` are the prefixes served here."""
    found, head = Faults(), message.head
    _head(found, head, districts)
    _by_class(found, head)
    _declarant(found, head)
    _countries(found, head)
    _terms(found, head)
    _places(found, head)
    _names(found, head)
    _identity(found, head)
    _figures(found, head)
    _lines(found, message)
    _main_goods(found, message)
    _characters(found, message)
    return found.found


def _head(found: Faults, head: Record, districts: tuple[str, ...]) -> None:
    found.check(
        head.get("OpType") == "ADD", "OpType", "现阶段只接受 ADD", "only ADD is taken in phase one"
    )
    found.required(head, *ALWAYS)
    found.empty(head, "PreEntryId")
    found.shaped(head, "EntryId", _ENTRY, "应为 18 位数字", "must be 18 digits")
    found.one_of(head, "IEFlag", "I", "E")
    found.one_of(head, "EntryType", "A", "B", "C", "D")
    for element in ("IEPort", "DeclPort"):
        found.shaped(head, element, _FOUR, "应为四位关区代码", "must be a 4-digit customs district")
    port = head.get("DeclPort", "")
    found.check(
        not (districts and port) or port.startswith(districts),
        "DeclPort", "不属于本口岸", "does not belong to this port",
    )  # fmt: skip
    if head.get("TrafName", "").startswith("@"):
        found.shaped(
            head,
            "TrafName",
            _TRANSIT,
            "转关应为 @转关单号/运输工具名称",
            "transit: @ number / name",
        )
    for element in ("WoodWrap", "GoodsUsed", "LowTempTrans"):
        found.one_of(head, element, "0", "1")


def _by_class(found: Faults, head: Record) -> None:
    goods = head.get("EntryType") in GOODS_CLASSES
    own = ("TradeCo", "TradeName", "TradeMode", "CutMode")
    if goods:
        found.required(head, *own)
    else:
        found.empty(head, *own, "TradeScc")
    found.one_of(head, "TradeMode", "0110", "3010", "3039")
    found.one_of(head, "CutMode", "101")
    for element in ("TradeCo", "AgentCode"):
        code = head.get(element, "")
        found.check(
            not code or checks.is_registration_code(code),
            element, "不是有效的海关注册编码", "no customs registration code",
        )  # fmt: skip
    for element in ("TradeScc", "AgentScc"):
        code = head.get(element, "")
        found.check(
            not code or checks.is_credit_code(code),
            element, "统一社会信用代码有误", "wrong social credit code",
        )  # fmt: skip
    company = head.get("TradeCo", "")
    if goods and len(company) > 5 and head.get("CoOwner"):
        found.check(
            head["CoOwner"] == company[5],
            "CoOwner", "应为收发货人编号第六位", "must be the sixth character of TradeCo",
        )  # fmt: skip


def _declarant(found: Faults, head: Record) -> None:
    found.one_of(head, "AgentType", "0", "1")
    if head.get("AgentType") == "1":
        found.check(
            head.get("EntryType") == "B",
            "AgentType", "仅 B 类可为自然人", "a natural person may declare class B only",
        )  # fmt: skip
        found.empty(head, "DeclareNo")
    else:
        found.required(head, "AgentCode", "AgentName", "DeclareNo")


def _countries(found: Faults, head: Record) -> None:
    for element in ("TradeCountry", "SendCountry", "ReceiveCountry"):
        found.shaped(head, element, _THREE, "应为三位数字代码", "must be a 3-digit code")
    for element in ("CurrCode", "FeeCurr", "InsurCurr", "OtherCurr"):
        found.shaped(head, element, _THREE, "应为三位数字代码", "must be a 3-digit code")
    imported = head.get("IEFlag") == "I"
    here, abroad = (
        ("ReceiveCountry", "SendCountry") if imported else ("SendCountry", "ReceiveCountry")
    )
    found.check(head.get(here) in (None, "", CHINA), here, "应为中国", "must be China")
    for element in (abroad, "TradeCountry"):
        found.check(head.get(element) != CHINA, element, "不应为中国", "must not be China")


def _terms(found: Faults, head: Record) -> None:
    entry_type, terms = head.get("EntryType"), head.get("TransMode", "")
    freight, insurance = ("FeeMark", "FeeRate"), ("InsurMark", "InsurRate")
    if entry_type == "B":
        found.empty(head, "TransMode", *freight, "FeeCurr", *insurance, "InsurCurr", "OtherMark")
        return
    found.required(head, "TransMode")
    needs = TERMS.get(terms, "OO")
    if head.get("IEFlag") == "E":
        needs = "".join(MIRROR[need] for need in needs)
    for need, elements in zip(needs, (freight, insurance), strict=True):
        if need == "R":
            found.required(head, *elements)
        elif need == "E":
            found.empty(head, *elements)
    _marks(found, head)


def _marks(found: Faults, head: Record) -> None:
    for name in ("Fee", "Insur", "Other"):
        found.one_of(head, f"{name}Mark", "1", "2", "3")
    for name in ("Fee", "Insur"):
        if head.get(f"{name}Mark") in ("2", "3"):
            found.required(head, f"{name}Curr")
        else:
            found.empty(head, f"{name}Curr")
    if head.get("OtherMark") == "2":
        found.required(head, "OtherCurr")
    if head.get("OtherMark"):
        found.required(head, "OtherRate")


def _places(found: Faults, head: Record) -> None:
    near = head.get("TradeCountry") in NEAR
    if head.get("IEFlag") == "I":
        found.required(head, "ReceiveAddress", "SendAddress" if near else "SendAddressEn")
        found.required(head, "SendCityEn", "StopCityEn", "SendNameEn", "MainGNameEn")
    else:
        found.required(head, "SendAddress", "ReceiveAddress" if near else "ReceiveAddressEn")
        found.required(head, "SendCity", "ReceiveNameEn")
        city = head.get("SendCity", "")
        found.check(
            not city or checks.only_chinese(city),
            "SendCity",
            "应仅为汉字",
            "Chinese characters only",
        )
    city = head.get("ReceiveCity", "")
    found.check(
        not city or checks.has_chinese(city),
        "ReceiveCity", "应含有汉字", "must hold Chinese characters",
    )  # fmt: skip
    for element in ("SendTelNo", "ReceiveTelNo"):
        phone = head.get(element, "")
        found.check(
            not phone or checks.is_phone(phone),
            element, "仅限半角数字、连字符和竖线", "half-width digits, hyphen and bar only",
        )  # fmt: skip


def _names(found: Faults, head: Record) -> None:
    imported = head.get("IEFlag") == "I"
    wanted = ("SendNameEn", "SendCityEn", "StopCityEn") if imported else ("ReceiveNameEn",)
    for element in wanted:
        value = head.get(element, "")
        found.check(
            not value or checks.is_latin(value),
            element, "应为拉丁字母", "must be in Latin letters",
        )  # fmt: skip
    addresses = ("SendAddressEn", "MainGNameEn") if imported else ("ReceiveAddressEn",)
    for element in addresses:
        value = head.get(element, "")
        found.check(
            not value or checks.is_latin(value, letters=False),
            element, "应为英文", "must be in English",
        )  # fmt: skip


def _identity(found: Faults, head: Record) -> None:
    if head.get("EntryType") != "B":
        found.empty(head, "SendIdType")
        return
    found.required(head, "SendId", "SendIdType")
    found.one_of(head, "SendIdType", "1", "2", "3")
    if head.get("SendIdType") == "1" and head.get("SendId"):
        found.check(
            checks.is_identity_number(head["SendId"]),
            "SendId", "身份证号码校验不通过", "wrong resident identity number",
        )  # fmt: skip


def _figures(found: Faults, head: Record) -> None:
    for element in ("FeeRate", "InsurRate", "OtherRate"):
        found.decimal(head, element, 19, 5)
    found.decimal(head, "TotalValue", 19, 4)
    found.pieces(head, "PackNo")
    gross = found.above_zero(head, "GrossWt", 19, 5)
    net = found.above_zero(head, "NetWt", 19, 5)
    if gross is not None and net is not None:
        found.check(gross >= net, "GrossWt", "毛重小于净重", "gross weight below net weight")


def _lines(found: Faults, message: Document) -> None:
    found.check(
        1 <= len(message.lines) <= 20,
        "EntryList", "商品项应为 1 至 20 项", "1 to 20 goods lines are needed",
    )  # fmt: skip
    numbers = [line.get("GNo", "") for line in message.lines]
    found.check(
        sorted(numbers) == sorted(str(n + 1) for n in range(len(numbers))),
        "GNo", "应从 1 连续编号", "must count from 1 without gaps",
    )  # fmt: skip
    sums: list[Decimal] = []
    for place, line in enumerate(message.lines, 1):
        found.where = f"[{place}]"
        _line(found, line, message.head)
        total = _line_figures(found, line, message.head.get("EntryType", ""))
        sums += [] if total is None else [total]
    for place, paper in enumerate(message.papers, 1):
        found.where = f"[{place}]"
        found.check(paper.get("OpType") == "ADD", "OpType", "只接受 ADD", "only ADD is taken")
        found.required(paper, "OrderNo")
    found.where = ""
    _sum(found, message, sums)


def _line(found: Faults, line: Record, head: Record) -> None:
    entry_type = head.get("EntryType", "")
    found.check(line.get("OpType") == "ADD", "OpType", "只接受 ADD", "only ADD is taken")
    found.required(line, *LINE_ALWAYS)
    if entry_type == "A":
        found.empty(line, "CodeTS")
    else:
        found.required(line, "CodeTS", "Qty1", "Unit1")
        digits = _EIGHT if entry_type == "B" else _TEN
        found.shaped(line, "CodeTS", digits, "商品编号位数有误", "wrong number of digits")
    if entry_type in GOODS_CLASSES:
        found.required(line, "DutyMode")
        found.one_of(line, "DutyMode", "1")
    else:
        found.empty(line, "DutyMode")
    for element in ("OriginCountry", "TradeCurr"):
        found.shaped(line, element, _THREE, "应为三位数字代码", "must be a 3-digit code")
    if head.get("IEFlag") == "I":
        found.required(line, "GNameEn")
        found.check(
            checks.is_latin(line.get("GNameEn", ""), letters=False),
            "GNameEn", "应为英文", "must be in English",
        )  # fmt: skip


def _line_figures(found: Faults, line: Record, entry_type: str) -> Decimal | None:
    traded = found.decimal(line, "TradeTotal", 19, 4)
    declared = found.decimal(line, "DeclTotal", 19, 4)
    price = found.decimal(line, "DeclPrice", 19, 5)
    quantity = found.above_zero(line, "GQty", 19, 5)
    found.decimal(line, "GGrossWt", 19, 5)
    found.decimal(line, "Qty2", 19, 5)
    if entry_type == "A":
        found.decimal(line, "Qty1", 19, 5)
    else:
        found.above_zero(line, "Qty1", 19, 5)
    if traded is not None and declared is not None:
        found.check(traded == declared, "DeclTotal", "与成交总价不符", "differs from TradeTotal")
    if price is not None and quantity is not None and declared is not None:
        found.check(
            _near(quantity * price, declared),
            "DeclTotal", "与数量乘单价不符", "differs from quantity times price",
        )  # fmt: skip
    return declared


def _near(computed: Decimal, written: Decimal) -> bool:
    return abs(computed - written) <= CENT + TOLERANCE * max(computed, written)


def _sum(found: Faults, message: Document, sums: list[Decimal]) -> None:
    total = Faults().decimal(message.head, "TotalValue", 19, 4)
    currency = message.head.get("CurrCode")
    same = all(line.get("TradeCurr") == currency for line in message.lines)
    if total is not None and same and sums and len(sums) == len(message.lines):
        found.check(
            _near(sum(sums, Decimal(0)), total),
            "TotalValue", "与各项总价之和不符", "differs from the sum of the lines",
        )  # fmt: skip


def _main_goods(found: Faults, message: Document) -> None:
    """Import: MainGNameEn is the English name of the line of the highest total, the lowest number on a tie."""
    head, quiet = message.head, Faults()
    wanted = head.get("MainGNameEn", "")
    if head.get("IEFlag") != "I" or not wanted:
        return
    if len({line.get("TradeCurr") for line in message.lines}) != 1:
        return
    ranked = []
    for line in message.lines:
        total, number = quiet.decimal(line, "TradeTotal", 19, 4), quiet.pieces(line, "GNo")
        if total is None or number is None:
            return
        ranked.append((-total, number, line.get("GNameEn", "")))
    if ranked:
        found.check(
            min(ranked)[2] == wanted,
            "MainGNameEn", "应为总价最高商品的英文名称", "must be the name of the line of highest total",
        )  # fmt: skip


def _characters(found: Faults, message: Document) -> None:
    for record in (message.head, *message.lines, *message.papers):
        for element, value in record.items():
            found.check(
                checks.is_writable(value),
                element, "含有不允许的字符", "holds a character that is not allowed",
            )  # fmt: skip
