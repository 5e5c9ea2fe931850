"""Master and house waybill numbers, declaration numbers: form, check digits, duplicates within a hand-in."""

from __future__ import annotations

import polars as pl

from crossborder.rules.charsets import half_width, written
from crossborder.rules.checksums import AIR_WAYBILL_FORM, S10_FORM, air_waybill_good, s10_good
from crossborder.rules.context import SCHEMA_2019, Context
from crossborder.rules.model import Case, Cases, Parcel, rule

_AIR = "5"


@rule(
    "EXP-01",
    title=("海关编号18位", "The customs declaration number has 18 digits"),
    fields="EntryId",
    source=SCHEMA_2019,
    start="2019-01-01",
    fix=("首次申报留空；否则填回执中的18位编号", "leave it empty at first, else copy the number of the receipt"),
    passing=Parcel(head={"entry_id": "299120261000000001"}),
    failing=Parcel(head={"entry_id": "29912026100000001"}),
)  # fmt: skip
def entry_id(_: Context) -> Cases:
    """District 4, year 4, direction 1, serial 9; the direction digit is not checked."""
    number = written("entry_id")
    yield Case(
        when=number.str.len_chars() <= 18,
        screen=~pl.col("entry_id").str.contains(r"^[0-9]{18}$"),
        column="entry_id",
        zh="海关编号应为18位数字",
        en="the declaration number has 18 digits",
    )


@rule(
    "EXP-48",
    title=("分运单号不得重复", "House waybills are unique"),
    fields="BillNo;AssBillNo;IEFlag",
    source=SCHEMA_2019,
    start="2019-01-01",
    certainty="inferred",
    inputs="filing_history",
    fix=(
        "同一总运单下每个分运单号只能申报一次，请核对",
        "each house waybill of a master is declared once; check the numbers",
    ),
    passing=(Parcel(), Parcel()),
    failing=(Parcel(head={"house_waybill": "DEMO-1"}), Parcel(head={"house_waybill": "DEMO1"})),
)
def unique_waybill(_: Context) -> Cases:
    """Within one hand-in, by the normalised key (half width, upper case, no blanks or hyphens).

    Every copy is refused: which of them is right cannot be known. (Earlier hand-ins: the ledger.)
    """
    master, house = pl.col("_master"), pl.col("_house")
    key = pl.concat_str([master, house, pl.col("direction")], separator="|")
    yield Case(
        when=key.is_not_null() & key.is_duplicated(),
        over=("_master", "_house", "direction"),
        column="house_waybill",
        fixed=True,
        zh="同一总运单、进出口方向下分运单号重复",
        en="the house waybill stands more than once under this master waybill and direction",
    )
    for column, number in (("master_waybill", master), ("house_waybill", house)):
        yield Case(
            when=number == "",
            column=column,
            fixed=True,
            zh="运单号中没有字母或数字",
            en="the waybill number has neither letter nor digit",
        )
    yield Case(
        when=master == house,
        column="house_waybill",
        zh="分运单号与总运单号相同",
        en="the house waybill equals the master waybill",
        severity="warn",
        action="note",
    )


@rule(
    "ID-12",
    title=("航空总运单校验位", "Check digit of the air waybill"),
    applies="all",
    fields="BillNo",
    source="IATA",
    severity="warn",
    action="note",
    fix=("请核对总运单号", "check the master waybill number"),
    passing=Parcel(head={"master_waybill": "99912345675"}),
    failing=Parcel(head={"master_waybill": "999-12345674"}),
)
def air_waybill(_: Context) -> Cases:
    """By air: 3 digits and 8 digits, the last is the seven before it modulo 7."""
    given = pl.col("master_waybill")
    good = given.str.contains(AIR_WAYBILL_FORM) & air_waybill_good(given)
    screen = (pl.col("transport_mode") == _AIR) & ~good
    number = written("master_waybill")
    form = number.str.contains(AIR_WAYBILL_FORM)
    yield Case(
        when=form,
        screen=screen,
        column="master_waybill",
        zh="航空总运单号校验位不符",
        en="the check digit of the air waybill is wrong",
    )
    yield Case(
        when=~form,
        screen=screen,
        column="master_waybill",
        zh="航空总运单号应为3位前缀加8位数字",
        en="an air waybill has a 3-digit prefix and 8 digits",
    )


@rule(
    "ID-13",
    title=("S10邮件号码校验位", "Check digit of an S10 number"),
    applies="all",
    fields="AssBillNo",
    source="UPU S10",
    severity="warn",
    action="note",
    fix=("请核对分运单号", "check the house waybill number"),
    passing=Parcel(head={"house_waybill": "RR123456785CN"}),
    failing=Parcel(head={"house_waybill": "RR123456784CN"}),
)
def s10(_: Context) -> Cases:
    """Two letters, nine digits, two letters: the ninth digit is a check digit."""
    house = pl.col("house_waybill")
    yield Case(
        when=~s10_good(house),
        screen=house.str.contains(S10_FORM),
        column="house_waybill",
        zh="S10格式单号的校验位不符",
        en="the check digit of the S10 number is wrong",
    )


@rule(
    "ID-14",
    title=("分运单号字符", "Characters of the house waybill"),
    applies="all",
    fields="AssBillNo",
    source="practice",
    severity="warn",
    action="note",
    certainty="inferred",
    fix=("只用大写字母、数字和连字符", "capital letters, digits and hyphens only"),
    passing=Parcel(head={"house_waybill": "DEMO-0001"}),
    failing=Parcel(head={"house_waybill": "demo_0001"}),
)
def house_characters(_: Context) -> Cases:
    """No blanks, no lower case, no other signs (full-width characters are TXT-04)."""
    house = written("house_waybill")
    yield Case(
        when=house.is_not_null(),
        screen=~pl.col("house_waybill").str.contains(r"^[A-Z0-9-]+$"),
        column="house_waybill",
        zh="分运单号含有大写字母、数字、连字符以外的字符",
        en="the house waybill holds something other than capitals, digits and hyphens",
        suggest=_tidy(house),
    )


def _tidy(house: pl.Expr) -> pl.Expr:
    """Upper case without blanks, where that is all that was wrong."""
    tidy = half_width(house).str.replace_all(r"\s", "").str.to_uppercase()
    return pl.when(tidy.str.contains(r"^[A-Z0-9-]+$")).then(tidy)
