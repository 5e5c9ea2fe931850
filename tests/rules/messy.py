"""Messy shipments drawn from a seed: mostly sound records with a few odd values, at the edges of many rules."""

from __future__ import annotations

import random
from typing import Any

from crossborder.rules.model import Parcel

_NUMBERS = ["0", "0.00", "00.50", "1", "1.00000", "0.99999", "1.00001", "2", "30", "50.1", "1e3", "-1", "abc", "１"]  # fmt: skip
_AMOUNTS = ["0", "1", "199.98", "200", "200.00", "200.01", "211", "400", "800", "800.01", "1000", "1000.01", "2000",
            "2000.01", "2500", "5000", "5000.01", "00400.50", "281.678", "281.679", "1e3", "x"]  # fmt: skip
_DATES = ["20261123", "20261123", "20261109", "20241130", "20241201", "20181231", "20190101", "20160531", "20160601",
          "20100831", "20100901", "20241131", "2024113"]  # fmt: skip
_CODES = ["142", "142", "502", "110", "116", "303", "USD", "us", "1", "1422", "１４２", "日本"]
_NAMES = [
    "陈示例",
    "Jane Sample",
    "Jörg 2",
    "示例商贸店",
    "A",
    "123",
    "甲\u0007",
    "𠮷示例",
    "ＡＢ",
    "thank you 😀",
]
_GOODS = [
    "纯棉衬衫",
    "礼品",
    "礼品 12",
    "礼 品",
    "GIFT",
    "cotton shirt",
    "12",
    "--",
    "玻璃杯",
    "杯\u200b",
    "shirt gift",
]
_COMMODITY = ["04010400", "01010100", "99999999", "6205200099", "302340000", "0401040", "0401O400", "04010400 ", "１２３４５６７８"]  # fmt: skip
_SCC = ["91110000600037341L", "91110000600037341M", "9111000060003734", "91110000600037341LL", "9111000060003734IO", "９1110000600037341L"]  # fmt: skip
_REGISTERED = [
    "330196DEM0",
    "3301961Q43",
    "3301961O43",
    "3301961q43",
    "330196",
    "33019600000",
    "440316T004",
]
_IDS = ["330100199001010001", "330100199001010002", "810000199001010019", "33010019900101001X", "330100900101001",
        "330100200002290008", "330100190002290002", "33010020261124000X", "33010018991231000X", "E12345678",
        "3301001990010100011", "330100199001010001000", "３30100199001010001"]  # fmt: skip
_WAYBILLS = ["DEMO00000001", "DEMO-00000001", "demo00000001", "demo_1", "-", "ＤＥＭＯ1", "99912345675", "RR123456785CN"]  # fmt: skip
_CITIES = ["杭州", "杭州HZ", "Hangzhou", "12", "杭 州", "𠮷"]
_CITIES_EN = ["N", "San Francisco", "旧金山", "12", "SF 旧", "Ünterstadt", "ＡＢ"]
_PHONES = ["13800000000", "0571-87654321|138", "(0571)1", "138 0", "１38", "∣1", "12a"]
_QUANTITIES = ["0", "0.0", "1", "1.0", "2", "100", "0.5"]
_FLAGS = ["0", "1", "1", "2"]

_HEAD: dict[str, list[str]] = {
    **dict.fromkeys(("gross_weight", "net_weight"), _NUMBERS),
    "pieces": ["0", "00", "1", "5", "1.5", "x"],
    **dict.fromkeys(("trade_country", "sender_country", "receiver_country"), _CODES),
    **dict.fromkeys(("currency", "freight_currency", "insurance_currency", "other_charges_currency"), _CODES),
    "total_value": _AMOUNTS,
    "movement_date": _DATES,
    **dict.fromkeys(("main_goods_name", "main_goods_name_en"), _GOODS),
    **dict.fromkeys(("sender_name", "receiver_name", "sender_name_en", "receiver_name_en"), _NAMES),
    **dict.fromkeys(("sender_city", "receiver_city"), _CITIES),
    **dict.fromkeys(("sender_city_en", "stop_cities_en"), _CITIES_EN),
    **dict.fromkeys(("sender_phone", "receiver_phone"), _PHONES),
    "party_id": _IDS,
    "party_id_type": ["1", "1", "2", "3", "4"],
    **dict.fromkeys(("trading_company_scc", "declarant_scc", "owner_scc"), _SCC),
    **dict.fromkeys(("trading_company_code", "declarant_code", "owner_code", "input_company_code"), _REGISTERED),
    "ownership_type": ["6", "1", "9", "Q"],
    "supervision_mode": ["0110", "3010", "3039", "9610", "011"],
    "levy_nature": ["101", "299", "1"],
    "declarant_type": ["0", "1"],
    "declaration_port": ["2991", "3104", "2202", "22", "29x1"],
    "entry_id": ["299120261000000001", "29912026100000001", "2991202610000000012", "29912026100000000A"],
    **dict.fromkeys(("separated_luggage", "tax_refund_claimed", "foreign_exchange_settled", "platform_purchase"), _FLAGS),
    **dict.fromkeys(("house_waybill", "master_waybill"), _WAYBILLS),
    "remarks": ["R&D <1>", "tab\there", "ＡＢ", "\U000f0000", "ok"],
}  # fmt: skip
_LINE: dict[str, list[str]] = {
    "line_number": ["1", "2", "3", "0", "01", "x"],
    "commodity_code": _COMMODITY,
    **dict.fromkeys(("name", "name_en"), _GOODS),
    **dict.fromkeys(("total", "declared_total", "declared_price"), _AMOUNTS),
    **dict.fromkeys(("quantity", "quantity_1", "quantity_2"), _QUANTITIES),
    "unit": ["011", "035", "007"],
    "currency": _CODES,
    "origin_country": _CODES,
    "supervision_conditions": ["A", "ab", "4x", "A/4", " "],
    "model": ["棉|L", "棉；L", "全角ＡＢ"],
}  # fmt: skip


def parcel(rng: random.Random) -> Parcel:
    """One shipment of any class and direction; sometimes flawless, sometimes wrong in several places."""
    kind: Any = rng.choice(["A", "B", "B", "B", "C", "C", "D"])
    direction: Any = rng.choice(["I", "E"])
    if rng.random() < 0.2:
        return _near_a_limit(rng, kind, direction)
    head = _changed(rng, _HEAD, rng.choice([0, 1, 1, 2, 3, 6]))
    if rng.random() < 0.2:
        head["party_id"] = rng.choice(_IDS)
    if rng.random() < 0.05:
        head["declaration_class"] = None
    if rng.random() < 0.05:
        head["direction"] = rng.choice([None, "X"])
    count = rng.choice([1, 1, 1, 2, 2, 3, 20, 21]) if rng.random() < 0.5 else 1
    goods = tuple(_changed(rng, _LINE, rng.choice([0, 0, 1, 2, 3])) for _ in range(count))
    return Parcel(kind, direction, head, () if rng.random() < 0.02 else goods)


def _near_a_limit(rng: random.Random, kind: Any, direction: Any) -> Parcel:
    """A shipment whose value, currency, day and country matter."""
    country = "sender_country" if direction == "I" else "receiver_country"
    amount, currency = rng.choice(_AMOUNTS), rng.choice(["142", "142", "502", "303", None])
    line = {
        "total": amount, "declared_total": amount, "quantity": rng.choice(["1", "2"]), "currency": currency,
        "unit": rng.choice(["011", "035"]),
    }  # fmt: skip
    head = {
        country: rng.choice(["110", "121", "143", "502", None]), "movement_date": rng.choice(_DATES),
        "total_value": rng.choice([amount, *_AMOUNTS]), "currency": rng.choice([currency, "142"]),
    }  # fmt: skip
    return Parcel(kind, direction, head, tuple(line for _ in range(rng.choice([1, 1, 2]))))


def _changed(rng: random.Random, pools: dict[str, list[str]], count: int) -> dict[str, str | None]:
    columns = rng.sample(list(pools), count)
    return {c: None if rng.random() < 0.15 else rng.choice(pools[c]) for c in columns}
