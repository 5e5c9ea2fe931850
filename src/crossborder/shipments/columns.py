"""The canonical columns: every fact a declaration or a manifest needs, declared once.

Three frames (`shipments`, `goods`, `documents`) carry these columns. All values are text exactly as the
partner wrote them (outer white space trimmed); `kind` says which lexical form a value must have once a
partner mapping has converted it:

=========  ==================================================================================
kind       canonical form
=========  ==================================================================================
text       free text
name       free text naming a person or firm
code       a code of a customs table or of a short list, as text with its leading zeros
identity   a document, registration or waybill number, as text
decimal    digits with an optional point, no exponent, no sign: `12.5`
integer    digits
date       `yyyyMMdd`, China time
datetime   `yyyyMMddHHmmss`, China time
flag       `0` or `1`
phone      digits, hyphen, `|` between two numbers
=========  ==================================================================================

Which element a column fills is said by `mappings/messages/*.toml`, not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal[
    "text", "name", "code", "identity", "decimal", "integer", "date", "datetime", "flag", "phone"
]
FrameName = Literal["shipments", "goods", "documents"]
FRAME_NAMES: tuple[FrameName, ...] = get_args(FrameName)


@dataclass(frozen=True, slots=True)
class Column:
    """One canonical column.

    `unit` is empty where there is none. `personal` marks personal data of a natural person: masked in
    every log, error and report. `default_from` says who fills an empty value: the firm's `profile`, the
    `operator` on shift, the `engine`, or nobody.
    """

    frame: FrameName
    name: str
    kind: Kind
    label_zh: str
    meaning: str
    unit: str = ""
    personal: bool = False
    default_from: Literal["", "profile", "operator", "engine"] = ""


def _s(name: str, kind: Kind, zh: str, meaning: str, unit: str = "", *, pii: bool = False,
       by: Literal["", "profile", "operator", "engine"] = "") -> Column:  # fmt: skip
    return Column("shipments", name, kind, zh, meaning, unit, pii, by)


def _g(name: str, kind: Kind, zh: str, meaning: str, unit: str = "", *,
       by: Literal["", "profile"] = "") -> Column:  # fmt: skip
    return Column("goods", name, kind, zh, meaning, unit, False, by)


def _d(name: str, kind: Kind, zh: str, meaning: str) -> Column:
    return Column("documents", name, kind, zh, meaning)


# fmt: off
SHIPMENTS: tuple[Column, ...] = (
    # what is declared, and where
    _s("operation", "code", "操作类型", "what the message does to the declaration: ADD, MOD or APP", by="profile"),
    _s("pre_entry_id", "identity", "数据中心统一编号", "number the data centre gave; empty on a first declaration"),
    _s("entry_id", "identity", "海关编号", "customs declaration number, once customs has given one"),
    _s("direction", "code", "进出口标志", "I import, E export"),
    _s("entry_exit_port", "code", "进出口岸代码", "customs district where the first means of transport enters or leaves"),
    _s("movement_date", "date", "进出口日期", "day the first means of transport enters or leaves; equals the manifest's"),
    _s("declaration_time", "datetime", "申报时间", "moment of declaring; set when the declaration is queued", by="engine"),
    _s("foreign_port", "code", "指运港(抵运港)", "port of loading abroad (import) or of arrival abroad (export), 4 characters"),
    _s("manifest_foreign_port", "code", "舱单指运港(抵运港)", "the same port in the manifest's 6-character code; else foreign_port is used"),
    _s("transport_name", "text", "运输工具名称", "name of the means of transport; of the first leg where goods are in transit"),
    _s("transport_name_zh", "text", "运输工具中文名称", "Chinese name for the manifest; else transport_name is used"),
    _s("transport_name_en", "text", "运输工具英文名称", "English name for the manifest; else transport_name is used"),
    _s("transit_declaration", "identity", "转关申报单号", "transit declaration number; TrafName is then @ + number + / + first-leg name"),
    _s("voyage", "text", "航次(班)号", "voyage or flight number"),
    _s("transport_mode", "code", "运输方式代码", "mode of transport, customs code", by="profile"),
    # enterprises
    _s("trading_company_code", "identity", "收发货人编号", "customs registration code of consignee or consignor (classes C, D)"),
    _s("trading_company_name", "text", "收发货人名称", "name of that enterprise (classes C, D)"),
    _s("trading_company_scc", "identity", "收发货人统一社会信用代码", "its unified social credit code"),
    _s("owner_district", "code", "货主单位地区代码", "domestic district of the owner of the goods"),
    _s("owner_code", "identity", "货主单位代码", "customs registration code of the owner"),
    _s("owner_name", "name", "货主单位名称", "name of the owner of the goods", pii=True, by="profile"),
    _s("owner_scc", "identity", "货主单位统一社会信用代码", "social credit code of the owner"),
    _s("declarant_type", "code", "申报单位类别", "0 enterprise, 1 natural person (class B only)", by="profile"),
    _s("declarant_code", "identity", "申报单位代码", "customs registration code of the declarant", by="profile"),
    _s("declarant_name", "text", "申报单位名称", "name of the declarant", by="profile"),
    _s("declarant_scc", "identity", "申报单位统一社会信用代码", "social credit code of the declarant", by="profile"),
    _s("ownership_type", "code", "经营单位性质", "sixth character of the trading enterprise's registration code", by="profile"),
    _s("contract_number", "text", "合同号", "contract number"),
    # waybills
    _s("master_waybill", "identity", "总运单号", "master waybill number"),
    _s("house_waybill", "identity", "分运单号", "house waybill number; with master and direction the business key"),
    # terms
    _s("declaration_class", "code", "报关类别", "A documents, B personal articles, C low-value goods, D ordinary goods"),
    _s("trade_country", "code", "贸易国别(起/抵运地)", "country of departure (import) or arrival (export), never China"),
    _s("supervision_mode", "code", "监管方式", "customs supervision mode (classes C, D)"),
    _s("levy_nature", "code", "征免性质", "nature of levy (classes C, D)"),
    _s("delivery_terms", "code", "成交方式", "terms of delivery, customs code; empty for class B"),
    _s("freight_mark", "code", "运费标记", "1 rate, 2 unit price, 3 total"),
    _s("freight_currency", "code", "运费币制", "currency of freight, customs code"),
    _s("freight_amount", "decimal", "运费/率", "freight, amount or rate as the mark says", "currency or percent"),
    _s("insurance_mark", "code", "保险费标记", "1 rate, 2 unit price, 3 total"),
    _s("insurance_currency", "code", "保险费币制", "currency of insurance, customs code"),
    _s("insurance_amount", "decimal", "保险费/率", "insurance, amount or rate as the mark says", "currency or percent"),
    _s("other_charges_mark", "code", "杂费标记", "1 rate, 2 unit price, 3 total"),
    _s("other_charges_currency", "code", "杂费币制", "currency of other charges, customs code"),
    _s("other_charges_amount", "decimal", "杂费/率", "other charges, amount or rate as the mark says", "currency or percent"),
    # the parcel
    _s("pieces", "integer", "件数", "number of packages", "pieces"),
    _s("gross_weight", "decimal", "毛重", "gross weight", "kg"),
    _s("net_weight", "decimal", "净重", "net weight", "kg"),
    _s("packaging", "code", "包装种类", "kind of packaging, customs code of the old one-character list"),
    _s("total_value", "decimal", "价值", "value of the consignment", "currency"),
    _s("currency", "code", "币制", "currency of total_value, customs code"),
    _s("main_goods_name", "text", "主要商品名称", "name of the line with the highest total"),
    _s("main_goods_name_en", "text", "主要货物英文名称", "its English name"),
    _s("wooden_packaging", "flag", "是否含木质包装", "1 if wooden packaging is present", by="profile"),
    _s("used_goods", "flag", "是否为旧物品", "1 if the goods are used", by="profile"),
    _s("low_temperature", "flag", "是否为低温运输", "1 if carried at low temperature", by="profile"),
    _s("remarks", "text", "备注", "remarks"),
    _s("related_number", "identity", "关联编号", "handbook or declaration transferred in or out"),
    _s("legacy_number", "identity", "KJ编号", "number of the former KJ form"),
    # handling
    _s("declaration_port", "code", "申报口岸代码", "customs district where the declaration is lodged; its prefix chooses the endpoint"),
    _s("yard", "code", "码头/货场代码", "yard or terminal for logistics control", by="profile"),
    _s("input_person", "identity", "录入人", "card number of the person who entered the data", by="operator"),
    _s("input_person_name", "name", "录入人姓名", "name of that person (manifest)", pii=True, by="operator"),
    _s("input_company_code", "identity", "录入单位代码", "customs registration code of the data-entry enterprise", by="profile"),
    _s("input_company_name", "text", "录入单位名称", "its name", by="profile"),
    _s("declarant_person", "identity", "报关员代码", "code of the declaring agent (person); empty where declarant_type is 1", by="operator"),
    _s("manifest_operator_code", "identity", "舱单经营单位编号", "customs registration code of the express operator (manifest)", by="profile"),
    _s("manifest_operator_name", "text", "舱单经营单位名称", "name of the express operator (manifest)", by="profile"),
    # sender and receiver
    _s("sender_name", "name", "发件人", "sender", pii=True),
    _s("sender_name_en", "name", "英文发件人", "sender in Latin letters", pii=True),
    _s("sender_country", "code", "发件人国别", "country of the sender, customs code"),
    _s("sender_city", "text", "发件人城市", "city of the sender"),
    _s("sender_city_en", "text", "英文发件人城市", "city of the sender in Latin letters"),
    _s("sender_address", "text", "发件人地址", "address below city level", pii=True),
    _s("sender_address_en", "text", "英文发件人地址", "the same in Latin letters", pii=True),
    _s("sender_phone", "phone", "发件人号码", "telephone of the sender", pii=True),
    _s("receiver_name", "name", "收件人", "receiver", pii=True),
    _s("receiver_name_en", "name", "英文收件人", "receiver in Latin letters", pii=True),
    _s("receiver_country", "code", "收件人国别", "country of the receiver, customs code"),
    _s("receiver_city", "text", "收件人城市", "city of the receiver, with Chinese characters"),
    _s("receiver_address", "text", "收件人地址", "address below city level", pii=True),
    _s("receiver_address_en", "text", "英文收件人地址", "the same in Latin letters", pii=True),
    _s("receiver_phone", "phone", "收件人号码", "telephone of the receiver", pii=True),
    _s("stop_cities_en", "text", "英文经停城市", "stop-over cities in Latin letters, N for none"),
    _s("party_id_type", "code", "收发件人证件类型", "1 identity card, 2 passport, 3 other; class B only"),
    _s("party_id", "identity", "收发件人证件号码", "document number of the Chinese party: receiver on import, sender on export", pii=True),
    # facts that rules need and no element holds
    _s("tax_refund_claimed", "flag", "是否申请退税", "1 if an export tax refund will be claimed"),
    _s("foreign_exchange_settled", "flag", "是否收付汇", "1 if foreign exchange is received or paid under verification"),
    _s("separated_luggage", "flag", "是否分离运输行李", "1 if the parcel is separated luggage of a traveller"),
    _s("platform_purchase", "flag", "是否平台三单商品", "1 if bought on a platform that sends order, payment and waybill messages"),
    _s("master_pieces", "integer", "总运单件数", "packages of the whole master waybill as the carrier says; compared with the manifest", "pieces"),
    _s("master_gross_weight", "decimal", "总运单毛重", "gross weight of the whole master waybill as the carrier says; compared with the manifest", "kg"),
)

GOODS: tuple[Column, ...] = (
    _g("operation", "code", "操作类型", "what the message does to the line", by="profile"),
    _g("line_number", "integer", "商品序号", "from 1 upwards without gaps within one declaration"),
    _g("commodity_code", "code", "商品编号(行邮税号)", "postal-articles tax number (B, 8 digits) or commodity number (C, D, 10 digits)"),
    _g("name", "text", "商品名称", "goods name"),
    _g("name_en", "text", "英文商品名称", "goods name in English"),
    _g("model", "text", "规格型号", "specification and model; elements separated by a vertical bar"),
    _g("origin_country", "code", "产销国", "country of origin (import) or consumption (export)"),
    _g("origin_city", "text", "产销城市", "city of production or consumption"),
    _g("currency", "code", "成交币制", "currency of the line"),
    _g("total", "decimal", "成交总价", "transaction total of the line", "currency"),
    _g("declared_price", "decimal", "申报单价", "declared price of one unit", "currency"),
    _g("declared_total", "decimal", "申报总价", "declared total; equals total", "currency"),
    _g("use", "code", "用途", "intended use"),
    _g("duty_mode", "code", "征减免税方式", "levy or exemption method (classes C, D)"),
    _g("quantity", "decimal", "申报数量", "declared quantity", "unit"),
    _g("unit", "code", "申报计量单位", "unit of the declared quantity, customs code"),
    _g("quantity_1", "decimal", "第一(法定)数量", "first statutory quantity", "unit_1"),
    _g("unit_1", "code", "第一(法定)计量单位", "its unit, customs code"),
    _g("quantity_2", "decimal", "第二数量", "second statutory quantity", "unit_2"),
    _g("unit_2", "code", "第二计量单位", "its unit, customs code"),
    _g("gross_weight", "decimal", "商品毛重", "gross weight of the line", "kg"),
    _g("manufacturer", "text", "生产厂商", "manufacturer"),
    _g("supervision_conditions", "code", "监管条件", "supervision conditions of the commodity number, if the partner knows them"),
    _g("backup_1", "text", "备用字段1", "reserved"),
    _g("backup_2", "text", "备用字段2", "reserved"),
    _g("backup_3", "text", "备用字段3", "reserved"),
    _g("backup_4", "text", "备用字段4", "reserved"),
    _g("backup_5", "text", "备用字段5", "reserved"),
)

DOCUMENTS: tuple[Column, ...] = (
    _d("operation", "code", "操作类型", "what the message does to the document"),
    _d("order_number", "integer", "序号", "sequence number of the document"),
    _d("kind", "code", "随附单证类型", "one-character kind of document"),
    _d("number", "identity", "随附单证号码", "number of the document"),
)
# fmt: on

COLUMNS: dict[FrameName, dict[str, Column]] = {
    "shipments": {c.name: c for c in SHIPMENTS},
    "goods": {c.name: c for c in GOODS},
    "documents": {c.name: c for c in DOCUMENTS},
}

OF_MASTER = ("master_pieces", "master_gross_weight")
"""Columns that are about the master waybill and no part of what is declared of a shipment."""


def personal_names() -> frozenset[str]:
    """Names of all columns that hold personal data; `log` is given them at start."""
    return frozenset(c.name for frame in COLUMNS.values() for c in frame.values() if c.personal)
