"""Names, addresses and telephones of sender and receiver: what sites refuse or ask about. All notes."""

from __future__ import annotations

import re

import polars as pl

from crossborder.rules.charsets import HAN, ILLEGAL, PHONE_CHARACTERS
from crossborder.rules.context import Context
from crossborder.rules.model import Case, Cases, Parcel, rule

_NAME_FORM = rf"^[{HAN}·•・．]{{2,25}}$"
_MOBILE = r"(?:(?:\+|00)?86-?)?1[3-9][0-9]{9}"
_LANDLINE = r"(?:(?:\+|00)?86-?)?0[0-9]{2,3}-?[0-9]{7,8}(?:-[0-9]{1,6})?"
_SERVICE = r"[48]00-?[0-9]{3}-?[0-9]{4}"
_PHONES = rf"^(?:{_MOBILE}|{_LANDLINE}|{_SERVICE})(?:[|∣](?:{_MOBILE}|{_LANDLINE}|{_SERVICE}))*$"
_BELOW_CITY = r"[区县旗市镇乡岛].+"
_PROVINCE_FIRST = r"^(?:\p{Han}{2,3}省|\p{Han}{2,6}自治区|(?:北京|上海|天津|重庆)市)"


def _party_columns(what: str) -> tuple[tuple[str, str], ...]:
    """(direction helper, column) of the Chinese side."""
    return (("_import", f"receiver_{what}"), ("_export", f"sender_{what}"))


def _placeholder(ctx: Context, name: pl.Expr) -> pl.Expr:
    """A listed word, a name that ends in a title, or one character repeated."""
    bare = name.str.replace_all(r"\s", "")
    words = ["".join(word.lower().split()) for word in ctx.words("placeholder_name")]
    titles = ctx.pattern("name_title")
    repeated = (bare.str.len_chars() > 1) & (bare.str.strip_chars(bare.str.head(1)) == "")
    return bare.str.to_lowercase().is_in(words) | bare.str.contains(f"(?:{titles})$") | repeated


def _perhaps_placeholder(ctx: Context, name: pl.Expr) -> pl.Expr:
    """A wider and cheaper condition than `_placeholder`: it looks at the name as it stands, blanks and all."""
    words, titles = (
        "|".join(r"\s*".join(map(re.escape, "".join(word.split()))) for word in ctx.words(listed))
        for listed in ("placeholder_name", "name_title")
    )
    early_blank = r"^\s|^\S\s"
    form = rf"(?i)^\s*(?:{words})\s*$|(?:{titles})\s*$|{early_blank}"
    return name.str.contains(form) | (name.str.head(1) == name.str.slice(1, 1))


@rule(
    "TXT-01",
    title=("持身份证的中方姓名", "Name of a Chinese party with an identity card"),
    applies="all",
    fields="SendName;ReceiveName",
    source="practice; EXP301 text",
    severity="warn",
    action="note",
    certainty="inferred",
    fix=(
        "填写证件上的姓名（2至25个汉字）",
        "give the name of the document, 2 to 25 Chinese characters",
    ),
    passing=Parcel(head={"receiver_name": "阿依·示例"}),
    failing=Parcel(head={"receiver_name": "示例商贸店2"}),
)
def chinese_name(ctx: Context) -> Cases:
    """Chinese characters and middle dot only, no shop name; where the document type is 1."""
    firms = ctx.pattern("firm_name")
    for way, column in _party_columns("name"):
        name = pl.col(column)
        odd = ~name.str.contains(_NAME_FORM) | name.str.contains(firms)
        yield Case(
            when=~name.str.contains(ILLEGAL) & ~_placeholder(ctx, name),
            screen=pl.col(way) & (pl.col("party_id_type") == "1") & odd,
            column=column,
            zh="姓名应为2至25个汉字，不含数字、称谓或店铺名",
            en="the name should be 2 to 25 Chinese characters without digits, titles or shop names",
        )


@rule(
    "TXT-02",
    title=("占位姓名", "Placeholder names"),
    applies="all",
    fields="SendName;ReceiveName",
    source="practice",
    severity="warn",
    action="note",
    certainty="inferred",
    fix=("填写真实姓名", "give the real name"),
    passing=Parcel(head={"receiver_name": "陈示例"}),
    failing=Parcel(head={"receiver_name": "陈先生"}),
)
def placeholder_name(ctx: Context) -> Cases:
    """Test names, titles, one repeated character: sites refuse them."""
    for column, zh, en in (
        ("sender_name", "发件人", "the sender"),
        ("receiver_name", "收件人", "the receiver"),
    ):
        yield Case(
            when=_placeholder(ctx, pl.col(column)),
            screen=_perhaps_placeholder(ctx, pl.col(column)),
            column=column,
            zh=f"{zh}姓名疑似占位",
            en=f"the name of {en} looks like a placeholder",
        )


@rule(
    "TXT-03",
    title=("境内地址须到区县以下", "A mainland address goes below the district"),
    applies="all",
    fields="SendAddress;ReceiveAddress",
    source="EXP301 text",
    severity="warn",
    action="note",
    start="2019-01-01",
    fix=("从区县填起，含街道门牌；省市另有字段", "begin with the district, then street and number; the city has its own field"),
    passing=Parcel(head={"receiver_address": "西湖区示范路1号"}),
    failing=Parcel(head={"receiver_address": "浙江省杭州市西湖区示范路1号"}),
)  # fmt: skip
def mainland_address(_: Context) -> Cases:
    """District or county and something below it; no province in front."""
    for way, column in _party_columns("address"):
        address = pl.col(column)
        country = pl.col("receiver_country" if way == "_import" else "sender_country")
        mainland = pl.col(way) & (country == "142")
        yield Case(
            when=mainland & ~address.str.contains(_BELOW_CITY),
            column=column,
            zh="地址没有区县或其下的街道门牌",
            en="the address names no district with a street below it",
        )
        yield Case(
            when=mainland
            & address.str.contains(_BELOW_CITY)
            & address.str.contains(_PROVINCE_FIRST),
            column=column,
            zh="地址以省（市）开头，应从区县填起",
            en="the address begins with the province or city",
        )


@rule(
    "ID-15",
    title=("境内电话号码", "Mainland telephone numbers"),
    applies="all",
    fields="SendTelNo;ReceiveTelNo",
    source="numbering plan",
    severity="warn",
    action="note",
    fix=("手机11位；固定电话带区号", "11 digits for a mobile, area code for a landline"),
    passing=Parcel(head={"receiver_phone": "0574-12345678-801"}),
    failing=Parcel(head={"receiver_phone": "1380000000"}),
)
def telephone(_: Context) -> Cases:
    """The Chinese party: mobile 1[3-9] and 9 digits, area code and 7 or 8 digits with an extension, 400/800."""
    for way, column in _party_columns("phone"):
        number = pl.col(column)
        yield Case(
            when=pl.col(way)
            & number.str.contains(PHONE_CHARACTERS)
            & (number != "")
            & ~number.str.contains(_PHONES),
            column=column,
            zh="不是境内手机或固定电话号码",
            en="not a mainland mobile or landline number",
        )
