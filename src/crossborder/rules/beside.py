"""Rules that other rooms carry out: filling conditions and facets, the manifest's own fields, the choice of a class.

They need no case of their own, but everything else that is said of a rule: law, dates, certainty, remedy, one passing
and one failing example. `Beside.told_as` are the ids under which a finding says that the rule is broken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from crossborder.rules.context import SCHEMA_2019, Context
from crossborder.rules.model import (
    Action,
    Applies,
    Case,
    Certainty,
    Example,
    Parcel,
    Rule,
    Severity,
)

By = Literal["filling", "manifest", "classification", "rules", "history"]


@dataclass(frozen=True, slots=True)
class Beside:
    """A rule without cases, who carries it out, and the ids of the findings that tell of it."""

    rule: Rule
    by: By
    told_as: tuple[str, ...]


def _none(_ctx: Context) -> Iterator[Case]:
    """No case: another room carries the rule out."""
    return iter(())


def _beside(
    rule_id: str,
    by: By,
    titles: tuple[str, str],
    fields: str,
    fix: tuple[str, str],
    passing: Parcel | Example,
    failing: Parcel | Example,
    *,
    applies: Applies = "EXP",
    severity: Severity = "reject",
    action: Action = "reject",
    source: str = SCHEMA_2019,
    start: str = "2019-01-01",
    certainty: Certainty = "secondary",
    inputs: str = "",
    told_as: str = "",
    meaning: str = "",
) -> Beside:
    rule = Rule(
        id=rule_id, family=by, title_zh=titles[0], title_en=titles[1], applies_to=applies,
        fields=tuple(fields.split(";")), severity=severity, action=action, legal_source=source, effective_from=start,
        effective_to="", dated_by="movement", certainty=certainty, fix_zh=fix[0], fix_en=fix[1],
        passing=passing if isinstance(passing, Example) else Example((passing,)),
        failing=failing if isinstance(failing, Example) else Example((failing,)),
        cases=_none, inputs=tuple(inputs.split(";")) if inputs else (), meaning=meaning,
    )  # fmt: skip
    return Beside(rule, by, tuple((told_as or rule_id).split(";")))


def _c(**head: str | None) -> Parcel:
    return Parcel("C", head=head)


def _b(**head: str | None) -> Parcel:
    return Parcel("B", head=head)


def _export(**head: str | None) -> Parcel:
    return Parcel("B", "E", head)


def _houses(count: int) -> Example:
    """House waybills of one master, where the endpoint lets at most two onto a manifest."""
    return Example((Parcel("B"),) * count, options={"most_houses": "2"})


_FOB = {
    "delivery_terms": "3", "freight_mark": "3", "freight_amount": "10", "freight_currency": "502",
    "insurance_mark": "3", "insurance_amount": "1", "insurance_currency": "502",
}  # fmt: skip
_FILL_OR_CLEAR = ("按类别填写或清空", "fill it or leave it empty as the class asks")
_FILL = ("补填", "fill it")
_CLEAR = ("清空", "leave it empty")
_SHORTEN = ("缩短到规定长度", "shorten it to the length the schema allows")
_FEWER = ("按规定的位数四舍五入后填写，不用科学计数法", "round to the digits allowed; no exponent")


_FILLED: tuple[Beside, ...] = (
    _beside(
        "EXP-03", "filling", ("进出口标志为I或E", "The flag is I or E"), "IEFlag",
        ("进口填I，出口填E", "I for import, E for export"), _b(), _b(direction="X"),
    ),
    _beside(
        "EXP-04", "filling", ("收发货人编号、名称：C、D类必填，A、B类为空", "Trading enterprise: classes C and D only"),
        "TradeCo;TradeName", _FILL_OR_CLEAR, _c(), _b(trading_company_name="虚构贸易有限公司"),
    ),
    _beside(
        "EXP-05", "filling", ("收发货人社会信用代码：A、B类为空", "Its social credit code: not in classes A and B"),
        "TradeScc", _CLEAR, _b(), _b(trading_company_scc="91330100MA00000098"),
    ),
    _beside(
        "EXP-06", "filling", ("监管方式、征免性质、征免方式：C、D类的取值，A、B类为空", "Mode, levy nature, duty mode: values of classes C and D"),
        "TradeMode;CutMode;DutyMode", ("C、D类填0110、3010或3039，101，1", "classes C and D: 0110, 3010 or 3039; 101; 1"),
        _c(), _c(supervision_mode=None),
    ),
    _beside(
        "EXP-08", "filling", ("申报单位、申报人员与申报类型", "Declarant by the kind of declaring"), "AgentCode;AgentName;DeclareNo",
        ("申报类型0必填，1时申报人员为空", "kind 0: fill them; kind 1: no person who declares"), _b(), _b(declarant_name=None),
    ),
    _beside(
        "EXP-09", "filling", ("成交方式：A、C、D类必填，B类为空", "Terms of delivery: not in class B"), "TransMode", _FILL_OR_CLEAR,
        _c(), _c(delivery_terms=None),
    ),
    _beside(
        "EXP-10", "filling", ("运费、保险费与成交方式", "Freight and insurance by terms of delivery"), "FeeRate;InsurRate;TransMode;IEFlag",
        ("进口FOB两项必填，CIF均为空，C&F仅保险费，C&I仅运费；出口相反；B类均为空",
         "import: FOB both, CIF neither, C&F insurance, C&I freight; export the other way round; class B none"),
        _c(**_FOB), _c(**{**_FOB, "insurance_mark": None, "insurance_amount": None, "insurance_currency": None}),
        meaning="That export is the mirror image of import is our reading of \"the opposite way\".",
    ),
    _beside(
        "EXP-11", "filling", ("运费、保险费币制与标记", "Currency of freight and insurance by their mark"), "FeeMark;FeeCurr;InsurMark;InsurCurr",
        ("标记2、3填币制，1为空", "marks 2 and 3: the currency; mark 1: none"), _c(**_FOB), _c(**{**_FOB, "freight_currency": None}),
    ),
    _beside(
        "EXP-12", "filling", ("杂费及其币制", "Other charges and their currency"), "OtherMark;OtherRate;OtherCurr",
        ("填杂费标记时填杂费；标记2填币制；B类均为空", "with the mark, the amount; mark 2, the currency; class B none"),
        _c(other_charges_mark="1", other_charges_amount="2"), _c(other_charges_mark="1"),
    ),
    _beside(
        "EXP-16", "filling", ("B类须填收（发）件人证件", "Class B: document of the receiver or sender"), "SendId;SendIdType",
        ("进口填收件人、出口填发件人的证件号码与类型（1身份证，2护照，3其他）", "import: the receiver's; export: the sender's; kind 1 identity card, 2 passport, 3 other"),
        _b(), _b(party_id_type=None), applies="B",
    ),
    _beside(
        "EXP-17", "filling", ("证件类型：A、C、D类为空", "Kind of document: class B only"), "SendIdType", _CLEAR, _c(), _c(party_id_type="1"),
    ),
    _beside(
        "EXP-29", "filling", ("发件人地址：中文或英文按方向和贸易国", "Sender's address by direction and country of trade"),
        "SendAddress;SendAddressEn;TradeCountry;IEFlag", _FILL, _b(), _b(sender_address_en=None),
    ),
    _beside(
        "EXP-30", "filling", ("收件人地址：中文或英文按方向和贸易国", "Receiver's address by direction and country of trade"),
        "ReceiveAddress;ReceiveAddressEn;TradeCountry;IEFlag", _FILL, _export(), _export(receiver_address_en=None),
    ),
    _beside(
        "EXP-31", "filling", ("木质包装、旧货、低温运输为0或1", "Wooden packaging, used goods, cold transport: 0 or 1"),
        "WoodWrap;GoodsUsed;LowTempTrans", ("填0（否）或1（是）", "0 for no, 1 for yes"), _b(), _b(used_goods=None),
    ),
    _beside(
        "EXP-33", "filling", ("运单号、品名、姓名、地址的长度", "Lengths of waybills, names, addresses"),
        "BillNo;AssBillNo;GName;SendName;ReceiveName;SendNameEn;ReceiveNameEn;SendAddress;ReceiveAddress;SendAddressEn;ReceiveAddressEn",
        _SHORTEN, _b(receiver_name="陈" * 50), _b(receiver_name="陈" * 51),
    ),
    _beside(
        "EXP-35", "filling", ("重量、数量、价格的位数", "Digits of weights, quantities, prices"),
        "GrossWt;NetWt;GGrossWt;GQty;Qty1;Qty2;DeclPrice;DeclTotal;TradeTotal;TotalValue;FeeRate;InsurRate;OtherRate",
        _FEWER, _b(gross_weight="1.20001"), _b(gross_weight="1.200001"),
    ),
    _beside(
        "EXP-39", "filling", ("统一编号：首次申报为空，追加时必填", "Unified number: empty on the first declaration"), "PreEntryId;OpType",
        _CLEAR, _b(), _b(pre_entry_id="201900001507083001"),
    ),
)  # fmt: skip


_LIMITS = "LIM-01;LIM-02;LIM-03;LIM-04;LIM-05;TAX-01"
_OUR_READING = "our reading"

HOUSE_AGAIN = _beside(
    "EXP-50", "history", ("同一分运单在180天内已用于其他总运单", "The same house waybill under another master waybill within 180 days"),
    "BillNo;AssBillNo;IEFlag",
    ("核对是否重复申报；分批到货的由人工放行，否则更正分运单号或总运单号",
     "find out whether it is declared twice; a person releases a split arrival, else correct the house or master waybill"),
    Example((Parcel("B"),), earlier=(Parcel("B", "E"), Parcel("B", head={"house_waybill": "DEMO00000009"}))),
    Example((Parcel("B"),), earlier=(Parcel("B", head={"master_waybill": "999-00000011"}),)),
    severity="warn", action="hold", source="practice", start="", certainty="inferred", inputs="filing_history",
    meaning="Looks at declarations of earlier batches that are live, by the days on which they were handed in (setting "
    "`house_days`). Without a ledger it is not evaluated.",
)  # fmt: skip

_ELSEWHERE: tuple[Beside, ...] = (
    HOUSE_AGAIN,
    _beside(
        "CLS-03", "rules", ("B类须符合个人邮递物品的限值与税号", "Class B obeys the limits and tax numbers of personal articles"),
        "EntryType;DeclTotal;EntryList", ("超限的退运或按货物报关", "return what is above the limit, or declare it as goods"),
        Parcel("B", head={"total_value": "2000"}, goods=({"total": "2000", "declared_total": "2000", "declared_price": "1000"},)),
        Parcel("B", head={"total_value": "2002"}, goods=({"total": "2002", "declared_total": "2002", "declared_price": "1001"},)),
        applies="B", source="GACC Announcement 2016 No. 19", start="2016-06-01", certainty="primary", told_as=_LIMITS,
        meaning="Said by the rules of limits and of the tax number, each with its own dates.",
    ),
    _beside(
        "CLS-11", "classification", ("不属A、B、C类的转一般货物报关", "What fits no class is declared as ordinary goods"), "EntryType",
        ("转一般货物报关，或补充、更正所列事实", "declare as ordinary goods, or complete and correct the facts"),
        Parcel("B", head={"declaration_class": None}), Parcel("C", head={"declaration_class": None, "tax_refund_claimed": "1"}),
        source="GACC Announcement 2016 No. 19", start="2016-06-01", certainty="primary",
        meaning="Only shipments that came without a class are classified; one that is given is checked and never changed.",
    ),
    _beside(
        "EXP-40", "manifest", ("舱单数值须容于舱单字段", "Values fit the shorter fields of the manifest"), "BillNum;PackNo;GrossWt;MainGName;TradeTotal",
        ("核对件数、重量、货值；分到多个总运单", "look at pieces, weight, value; divide them among master waybills"),
        _b(), _b(gross_weight="12345678901234", net_weight="1"), source=_OUR_READING, certainty="inferred",
        meaning="Head counts and weights are sums over the house waybills; a sum or value that does not fit is refused.",
    ),
    _beside(
        "MFT-01", "manifest", ("每份总运单最多9999票", "At most 9,999 house waybills a master"), "BillNum",
        ("分到多个总运单", "divide them among several master waybills"),
        _houses(2), _houses(3), source="EXP311 schema (China E-Port, 2019 copy)",
        meaning="BillNum has 4 characters. An endpoint may lower the limit, never raise it; the examples lower it to 2.",
    ),
    _beside(
        "MFT-02", "manifest", ("舱单合计与总运单的件数、重量相差过大", "Totals of the manifest against the master waybill's own"), "GrossWt;PackNo",
        ("核对是否漏列或多列分运单", "look for house waybills that are missing or do not belong here"),
        Parcel("B", head={"master_pieces": "1", "master_gross_weight": "1.2371"}),
        Parcel("B", head={"master_pieces": "1", "master_gross_weight": "1.2372"}),
        severity="warn", action="note", source="practice", start="", certainty="inferred", inputs="master_gross_weight;master_pieces",
        meaning="Where the file states pieces and weight of the master waybill (on any of its shipments; the first counts), by more "
        "than 3 % (setting `manifest_total_percent`); the note stands on the shipment that states them. Where nothing is "
        "stated, it is not evaluated.",
    ),
    _beside(
        "MFT-03", "manifest", ("舱单品名50字以内，货值两位小数", "Goods name of 50 characters on the manifest"), "MainGName;TradeTotal",
        ("缩短品名，或打开 manifest_name_cut", "shorten the name, or switch manifest_name_cut on"),
        Parcel("B", goods=({"name": "棉" * 50},)), Parcel("B", goods=({"name": "棉" * 51},)), source="EXP311 schema (China E-Port, 2019 copy)",
        meaning="Values are rounded half up to 2 decimals on the manifest.",
    ),
)  # fmt: skip


def beside() -> tuple[Beside, ...]:
    """All of them, filling conditions first."""
    return _FILLED + _ELSEWHERE
