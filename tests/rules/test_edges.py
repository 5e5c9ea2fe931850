"""One table of parcels at the edges of the rules: the last value that passes, the first that fails, and each condition alone.

All are handed in together and judged one by one (`check_alone`), so a row costs next to nothing. A row says class, direction,
columns of the head, of the lines (each after a `|`), and after `=` the rules that speak, with their action. `-` is no value.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from crossborder import rules
from crossborder.rules.examples import context_of, frames_of
from crossborder.rules.model import Example, Parcel

TABLE = """
B I = nothing
C I | line_number=1 | line_number=2 = nothing
B I movement_date=2026113 = nothing
B I movement_date=20100831 = LIM-02:hold EXP-42:note
C I movement_date=2026113 = nothing
C I main_goods_name_en=socks = EXP-23:reject
C I main_goods_name_en=socks\ue000 = TXT-04:reject
C I main_goods_name=棉袜 = EXP-23:note
B I gross_weight=50 net_weight=1 pieces=2 = nothing
B I gross_weight=50.00001 net_weight=1 pieces=2 = EXP-47:note
C I gross_weight=50.00001 net_weight=1 pieces=1 = nothing
C I gross_weight=31 net_weight=1 pieces=1 = nothing
B I gross_weight=60 net_weight=1 pieces=1 = EXP-47:note
B I gross_weight=30 net_weight=1 pieces=1 = nothing
B I gross_weight=30.00001 net_weight=1 pieces=1 = EXP-47:note
B I gross_weight=31 net_weight=1 pieces=2 = nothing
B I gross_weight=31 net_weight=1 pieces=0 = EXP-34:reject
C I pieces=1 = nothing
C I gross_weight=0.5 net_weight=0.6 = EXP-13:reject
C I gross_weight=0.6 net_weight=0.6 = nothing
C I gross_weight=0 net_weight=0.6 = EXP-13:reject
C I gross_weight=1 net_weight=0 = EXP-13:reject
C I supervision_mode=0110 = nothing
C I supervision_mode=3010 = nothing
C I supervision_mode=3039 = CLS-09:note
C I supervision_mode=9610 = CLS-08:reject
C I supervision_mode=961 = nothing
C I levy_nature=101 = nothing
C I levy_nature=102 = CLS-10:reject
C I levy_nature=10 = nothing
D I = CLS-12:hold
C I | commodity_code=04010400 = EXP-18:reject
C I | commodity_code=04010400 | line_number=2 = CLS-13:reject
B I | commodity_code=6205200099 = EXP-18:reject
B I | commodity_code=1234567890123456 = EXP-18:reject
B I | commodity_code=12345678901234567 = nothing
C I | commodity_code=1234567890123456 = EXP-18:reject
A I | commodity_code=1234567890123456 = nothing
B I | quantity=99 quantity_1=99 declared_price=2 total=198 declared_total=198 = nothing
B I | quantity=100 quantity_1=100 declared_price=2 total=200 declared_total=200 = CLS-17:hold
B I | quantity=100 unit=035 quantity_1=100 declared_price=2 total=200 declared_total=200 = nothing
C I | quantity=100 quantity_1=100 declared_price=2 total=200 declared_total=200 = nothing
C I movement_date=20261109 = nothing
C I movement_date=20261108 = EXP-42:note
C E movement_date=20261123 = nothing
C E movement_date=20261122 = EXP-42:note
C E movement_date=20261101 = EXP-42:note
C I movement_date=20261122 = nothing
B I gross_weight=7 net_weight=6 | name=婴儿奶粉 unit_1=035 quantity_1=6 = LIM-10:note
B I gross_weight=7 net_weight=6 | name=婴儿奶粉 unit_1=035 quantity_1=6 | name=婴儿奶粉 line_number=2 = LIM-10:note
B I gross_weight=7 net_weight=6 | name=婴儿奶粉 unit_1=035 quantity_1=5 | name=婴儿奶粉 line_number=2 = nothing
C I | line_number=1 | line_number=1 | line_number=3 = EXP-22:reject
C I | line_number=0 | line_number=2 = EXP-22:reject
C I | line_number=1 | line_number=3 = EXP-22:reject
C I | line_number=1 | line_number=x | line_number=1 = nothing
C I | currency=142 | currency=502 line_number=2 | currency=- line_number=3 = nothing
C I total_value=500 | | currency=- line_number=2 = nothing
B I total_value=100 | total=3000 declared_total=3000 declared_price=1500 | currency=- line_number=2 = nothing
C I | name=礼品盒子 = EXP-45:note
C I | name=礼品盒子\ue000 = TXT-04:reject TXT-04:reject
C I | name=礼品s = EXP-45:note
C I packaging=２\ue000 = TXT-04:reject
B I remarks=Ａ\ue000 = TXT-04:reject
B I remarks=\U00020bb7\ue000 = TXT-04:reject
C I sender_name_en=陈\ue000 = TXT-04:reject
C I used_goods=1 = EXP-32:hold
A I used_goods=1 = nothing
B I declarant_type=1 declarant_person=- = nothing
C I declarant_type=1 declarant_person=- = EXP-07:reject
A I declarant_type=1 declarant_person=- = EXP-07:reject
C I | quantity_1=0 = EXP-19:reject
C I | quantity_1=1 = nothing
C I | unit_2=035 = EXP-20:note
C I | quantity_2=1 = EXP-20:note
C I | quantity_2=1 unit_2=035 = nothing
C I ownership_type=6 = nothing
C I ownership_type=7 = EXP-38:reject
C I ownership_type=7 trading_company_code=330196 = ID-11:reject
C I ownership_type=7 trading_company_code=3301961Q434 = nothing
B I ownership_type=7 trading_company_code=3301961Q43 = nothing
C I sender_country=50 = ID-16:reject
C I sender_country=5020 = nothing
C I receiver_country=142 = nothing
C I receiver_country=50 = ID-16:reject
C I receiver_country=502 = EXP-15:reject
C I sender_country=142 = EXP-15:reject
C E sender_country=502 = EXP-15:reject
C E receiver_country=142 = EXP-15:reject
C I trade_country=142 = EXP-14:reject
C I currency=502 total_value=200 = EXP-44:mark
C I currency=50 = ID-17:reject
C I currency=5020 = nothing
C I total_value=200 | quantity=1 quantity_1=1 declared_price=198.99 total=198.99 declared_total=198.99 = nothing
C I total_value=200 | quantity=1 quantity_1=1 declared_price=189.99 total=189.99 declared_total=189.99 = EXP-44:note
C I | total=- declared_total=- = nothing
C I currency=502 | total=- declared_total=- = nothing
C I total_value=201.01 = nothing
C I total_value=201.02 = EXP-44:note
C I total_value=210.53 = EXP-44:note
C I total_value=210.54 = EXP-44:reject
C I | total=201.01 declared_total=201.01 = nothing
C I | total=201.02 declared_total=201.02 = EXP-44:note
C I | total=210.53 declared_total=210.53 = EXP-44:note
C I | total=210.54 declared_total=210.54 = EXP-44:reject
C I | total=200 declared_total=200.00001 = EXP-21:reject
C I declarant_code=3301961Q4 = ID-11:reject
C I declarant_code=3301961QQ3 = nothing
C I declarant_code=3301961Q4I = ID-11:reject
C I declarant_code=3301961Q434 = nothing
C I trading_company_scc=91110000600037341L = nothing
C I trading_company_scc=91110000600037341M = ID-09:reject
C I trading_company_scc=9111000060003734 = ID-09:reject
C I trading_company_scc=9111000060003734IL = ID-09:reject
C I trading_company_scc=91110000600037341L1 = nothing
C I trading_company_scc=9111000A6000373415 = ID-10:note
C I trading_company_scc=9111000A60003734151 = nothing
C I trading_company_scc=9111000A6000373416 = ID-09:reject
C I declarant_scc=9111000A6000373415 = nothing
C I entry_id=29912026100000000 = EXP-01:reject
C I entry_id=299120261000000001 = nothing
C I entry_id=29912026100000000X = EXP-01:reject
C I entry_id=2991202610000000012 = nothing
C I master_waybill=999-12345674 = ID-12:note
C I master_waybill=999-1234567 = ID-12:note
C I master_waybill=99912345675 = nothing
C I master_waybill=999-12345674 transport_mode=2 = nothing
C I master_waybill=- = nothing
C I house_waybill=99912345675 = EXP-48:note
C I house_waybill=--- = EXP-48:reject
C I house_waybill=demo1 = ID-14:note
C I house_waybill=RR123456785CN = nothing
C I house_waybill=RR123456784CN = ID-13:note
B I party_id=330100199001010001 = nothing
B I party_id=330100199001010002 = ID-01:reject
B I party_id=33010019900101000 = ID-01:reject
B I party_id=3301001990010100010 = ID-01:reject
B I party_id=33010019900101000111 = ID-01:reject
B I party_id=99010019900101000412 = ID-01:reject
B I party_id=330100199001010001112 = nothing
B I party_id=330100900101001 = ID-02:reject
B I party_id=330100199002300004 = ID-01:reject
C I party_id=330100199001010001 = nothing
C I party_id=330100199001010002 = ID-01:note
C I party_id=330100900101001 = ID-02:note
C I party_id=33010019900101000 = nothing
B I party_id=990100199001010004 = ID-03:note
C I party_id=990100199001010004 = nothing
B I party_id=833010199001010018 = ID-03:note
B I party_id=33010019900101001X = nothing
B I party_id=33010019900101001x = ID-01:note
C I party_id=33010019900101001x = nothing
B I party_id=33010019900101008x = ID-01:reject
C I party_id=33010019900101008x = ID-01:note
B I party_id=330100190001010019 = ID-04:note
B I party_id=330100189912310014 = ID-01:reject
B I party_id_type=- party_id=330100199001010002 = nothing
B I party_id_type=2 party_id=330100201011240003 = nothing
B I party_id=933001199001010015 = nothing
B I party_id=810000199001010019 = nothing
B I party_id=330100201011230008 = nothing
B I party_id=330100201011240003 = ID-04:note
B I party_id_type=2 party_id=E1234 = nothing
B I party_id_type=2 party_id=E123 = ID-05:note
B I party_id_type=2 party_id=E1234567890123456789 = nothing
B I party_id_type=2 party_id=E1234567890123456-89 = ID-05:note
B I party_id_type=2 party_id=E12345678901234567-89 = nothing
B I party_id_type=3 party_id=H12345678 = nothing
B I party_id_type=3 party_id=H1234567 = ID-06:note
B I party_id_type=3 party_id=12345678 = nothing
B I party_id_type=3 party_id=H1234567890123456789 = ID-06:note
B I party_id_type=3 party_id=H12345678901234567890 = nothing
B I receiver_name=陈示 = nothing
B I receiver_name=陈 = TXT-01:note
B I receiver_name=陈陈 = TXT-02:note
B I receiver_name=陈先生 = TXT-02:note
B I receiver_name=陈示\ue000 = TXT-04:reject
B I sender_name=先生 sender_name_en=Sample = TXT-02:note
B I receiver_name=示例商店 = TXT-01:note
B I receiver_name=示例商店 party_id_type=2 party_id=E12345678 = nothing
B E receiver_name=陈2 = nothing
B E sender_name=陈2 = TXT-01:note
B I receiver_address=余杭区示范街道虚构路1号 = nothing
B I receiver_address=示范路1号 = TXT-03:note
B I receiver_address=浙江省杭州市西湖区示范路1号 = TXT-03:note
B I receiver_address=浙江省示范路1号 = TXT-03:note
B I receiver_address=西湖区 = TXT-03:note
B I sender_address=示范路1号 = nothing
B E sender_address=示范路1号 = TXT-03:note
B E receiver_address=示范路1号 = nothing
B E receiver_address=浙江省杭州市西湖区示范路1号 = nothing
B E receiver_country=142 receiver_address=示范路1号 = EXP-15:reject
B I receiver_country=502 receiver_address=示范路1号 = EXP-15:reject
B I receiver_phone=13800000000 = nothing
B I receiver_phone=1380000000 = ID-15:note
B I receiver_phone=12800000000 = ID-15:note
B I receiver_phone= = nothing
B I receiver_phone=0571-12345678 = nothing
B I receiver_phone=0571-123456 = ID-15:note
B I sender_phone=1380000000 = nothing
B E sender_phone=1380000000 = ID-15:note
B E receiver_phone=1380000000 = nothing
A I foreign_exchange_settled=1 = CLS-01:reject
A I tax_refund_claimed=1 = CLS-01:reject
A I separated_luggage=1 = CLS-01:reject
A I platform_purchase=1 = CLS-01:reject
A I | supervision_conditions=A = CLS-01:reject
B I separated_luggage=1 = CLS-02:reject
B I separated_luggage=- = CLS-02:hold
B I platform_purchase=1 = CLS-16:reject
B I platform_purchase=- = CLS-16:hold
C I separated_luggage=1 = nothing
C I tax_refund_claimed=1 = CLS-06:reject
C I tax_refund_claimed=- = CLS-06:hold
C I foreign_exchange_settled=1 = CLS-07:reject
C I foreign_exchange_settled=- = CLS-07:hold
B I tax_refund_claimed=1 = nothing
C I | supervision_conditions=A = CLS-14:hold
C I | supervision_conditions=B/A = CLS-14:hold
C I | supervision_conditions=A4 = CLS-05:reject
C I | supervision_conditions=- = CLS-05:hold
B I | supervision_conditions=4 = nothing
"""


def columns(words: list[str]) -> dict[str, str | None]:
    pairs = (word.partition("=") for word in words)
    return {name: None if value == "-" else value for name, _, value in pairs}


def read(row: str) -> tuple[Parcel, list[str]]:
    said, _, expected = row.rpartition(" = ") if " = " in row else row.rpartition("= ")
    head, *lines = said.split("|")
    kind, direction, *changed = head.split()
    goods = tuple(columns(line.split()) for line in lines) or ({},)
    parcel: Any = Parcel(kind, direction, columns(changed), goods)  # type: ignore[arg-type]
    return parcel, [] if expected == "nothing" else expected.split()


ROWS = TABLE.strip().splitlines()


@cache
def judged() -> dict[int, list[str]]:
    example = Example(tuple(read(row)[0] for row in ROWS))
    found = rules.check_alone(frames_of(example), context_of(example))
    told: dict[int, list[str]] = {}
    for ship, rule, action in found.select("ship", "rule", "action").iter_rows():
        told.setdefault(ship, []).append(f"{rule}:{action}")
    return told


@pytest.mark.parametrize("number", range(len(ROWS)), ids=lambda number: ROWS[number].replace(" ", "_"))  # fmt: skip
def test_at_its_edge_a_rule_says_what_the_table_says(number: int) -> None:
    assert judged().get(number, []) == read(ROWS[number])[1]
