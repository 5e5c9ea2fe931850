"""Complete records from which the examples of the rules are made, one for each class and direction.

Nobody real: firm, numbers, names and addresses are composed. Each record breaks no rule.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache

import polars as pl

from crossborder.codes import RATES_SCHEMA, Tables
from crossborder.rules.context import Context
from crossborder.rules.model import Example, Parcel
from crossborder.settings import Profile
from crossborder.shipments import frames
from crossborder.shipments.frames import FrameSet

Record = dict[str, str | None]

_HEAD: Record = {
    "operation": "ADD",
    "entry_exit_port": "2991",
    "movement_date": "20261123",
    "foreign_port": "1234",
    "transport_name": "DEMO AIR",
    "voyage": "XX1234",
    "transport_mode": "5",
    "owner_name": "示范快件有限公司（虚构）",
    "declarant_type": "0",
    "declarant_code": "330196DEM0",
    "declarant_name": "示范快件有限公司（虚构）",
    "ownership_type": "6",
    "master_waybill": "999-12345675",
    "trade_country": "502",
    "pieces": "1",
    "gross_weight": "1.2",
    "net_weight": "1",
    "packaging": "2",
    "total_value": "200",
    "currency": "142",
    "main_goods_name": "纯棉衬衫",
    "main_goods_name_en": "cotton shirt",
    "declaration_port": "2991",
    "input_person": "8900000000001",
    "input_person_name": "示例员",
    "input_company_code": "330196DEM0",
    "input_company_name": "示范快件有限公司（虚构）",
    "manifest_operator_code": "330196DEM0",
    "manifest_operator_name": "示范快件有限公司（虚构）",
    "declarant_person": "33010001",
    "yard": "DEMO01",
    "wooden_packaging": "0",
    "used_goods": "0",
    "low_temperature": "0",
    "separated_luggage": "0",
    "platform_purchase": "0",
    "tax_refund_claimed": "0",
    "foreign_exchange_settled": "0",
}
_CHINESE: Record = {
    "name": "陈示例",
    "country": "142",
    "city": "杭州",
    "address": "余杭区示范街道虚构路1号",
    "phone": "13800000000",
}
_FOREIGN: Record = {
    "name": "Jane Sample",
    "name_en": "Jane Sample",
    "country": "502",
    "city": "旧金山",
    "address_en": "1 Example Street",
    "phone": "1-415-5550100",
}
_LINE: Record = {
    "operation": "ADD",
    "name": "纯棉衬衫",
    "name_en": "cotton shirt",
    "model": "棉100%|L",
    "origin_country": "502",
    "currency": "142",
    "total": "200",
    "declared_price": "100",
    "declared_total": "200",
    "quantity": "2",
    "unit": "011",
    "quantity_1": "2",
    "unit_1": "011",
    "gross_weight": "1.2",
    "supervision_conditions": "/",
}
_BY_CLASS: dict[str, tuple[Record, Record]] = {
    "A": ({"delivery_terms": "1"}, {"name": "商业文件", "name_en": "business documents"}),
    "B": (
        {"party_id_type": "1", "party_id": "330100199001010001"},
        {"commodity_code": "04010400"},
    ),
    "C": (
        {
            "trading_company_code": "3301961Q43",
            "trading_company_name": "虚构贸易有限公司",
            "ownership_type": "6",
            "supervision_mode": "0110",
            "levy_nature": "101",
            "delivery_terms": "1",
        },
        {"commodity_code": "6205200099", "duty_mode": "1"},
    ),
}


def record(parcel: Parcel, position: int = 0) -> tuple[Record, list[Record]]:
    """The columns of one shipment and of its goods lines."""
    incoming = parcel.direction == "I"
    sender, receiver = (_FOREIGN, _CHINESE) if incoming else (_CHINESE, _FOREIGN)
    own_head, own_line = _BY_CLASS["C" if parcel.kind == "D" else parcel.kind]
    line = {**_LINE, **own_line}
    head: Record = {
        **_HEAD,
        **own_head,
        **{f"sender_{name}": value for name, value in sender.items() if name != "name_zh"},
        **{f"receiver_{name}": value for name, value in receiver.items()},
        "direction": parcel.direction,
        "declaration_class": parcel.kind,
        "house_waybill": f"DEMO{position + 1:08d}",
    }
    if incoming:
        head |= {"sender_city_en": "San Francisco", "stop_cities_en": "N"}
    elif own_head.get("delivery_terms"):
        head["delivery_terms"] = "3"  # FOB: on export without freight and insurance
    goods = [
        {**line, "line_number": str(number), **changed}
        for number, changed in enumerate(parcel.goods, 1)
    ]
    return {**head, **_sums(goods), **parcel.head}, goods


def _sums(goods: list[Record]) -> Record:
    """What the head says about its lines: their sum and the names of the dearest one."""
    if not goods:
        return {}
    totals = [_amount(line["declared_total"]) for line in goods]
    dearest = goods[totals.index(max(totals))]
    return {
        "total_value": str(sum(totals)),
        "main_goods_name": dearest["name"],
        "main_goods_name_en": dearest["name_en"],
    }


def _amount(text: str | None) -> Decimal:
    try:
        return Decimal(text or 0)
    except ArithmeticError:
        return Decimal(0)


def frames_of(example: Example) -> FrameSet:
    """The frames of an example, as intake would hand them over."""
    heads: list[Record] = []
    goods: list[Record] = []
    ships: list[int] = []
    for position, parcel in enumerate(example.parcels):
        head, lines = record(parcel, position)
        heads.append(head)
        goods += lines
        ships += [position] * len(lines)
    positions = range(len(heads))
    shipments = pl.DataFrame(heads, infer_schema_length=None).with_columns(
        ship=pl.Series(positions, dtype=pl.UInt32),
        sheet=pl.lit(""),
        row=pl.Series(positions, dtype=pl.UInt32) + 1,
        rows=pl.Series([[p + 1] for p in positions], dtype=pl.List(pl.UInt32)),
        unreadable=pl.lit(False),
    )
    ship = pl.Series(ships, dtype=pl.UInt32)
    lines_frame = (
        pl.DataFrame(goods, infer_schema_length=None).with_columns(
            ship=ship,
            line=pl.int_range(pl.len(), dtype=pl.UInt32),
            sheet=pl.lit(""),
            row=ship + 1,
        )
        if goods
        else frames.empty("goods")
    )
    lines_frame = lines_frame.with_columns(
        line=(pl.int_range(pl.len()).over("ship")).cast(pl.UInt32)
    )
    return FrameSet(
        frames.complete("shipments", shipments),
        frames.complete("goods", lines_frame),
        frames.empty("documents"),
    )


def context_of(example: Example) -> Context:
    """The context of an example: a demonstration profile and one made-up rate (502 at 7)."""
    return _context(tuple(sorted(example.options.items())), example.declared_on, example.classes)


@cache
def _context(
    options: tuple[tuple[str, str], ...], declared_on: str, classes: tuple[str, ...]
) -> Context:
    made_up = pl.DataFrame(
        {"currency": ["502"], "month": [declared_on[:6]], "rate": ["7"], "fictional": [True]},
        schema=RATES_SCHEMA,
    )
    profile = Profile(demo=True, classes=classes, options=dict(options))
    tables = Tables().with_rates(made_up)
    return Context(tables, profile, declared_on, served_prefixes=frozenset({"29", "31"}))
