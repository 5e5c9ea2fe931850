"""What text may hold: illegal and full-width characters, scripts of names and cities, goods names, models."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from crossborder.rules.charsets import (
    FULL_WIDTH,
    FULL_WIDTH_ANY,
    HAN,
    ILLEGAL,
    LATIN,
    PHONE_CHARACTERS,
    SUPPLEMENTARY,
    code_points,
    half_width,
    is_free,
    is_strict,
    traditional,
    unusual,
)
from crossborder.rules.context import SCHEMA_2019, Context
from crossborder.rules.model import Case, Cases, Parcel, rule
from crossborder.rules.wordlists import one_wrong
from crossborder.shipments.columns import COLUMNS, FRAME_NAMES, FrameName


@rule(
    "TXT-04",
    title=("非法字符与全角字符", "Illegal and full-width characters"),
    applies="all",
    fields="*",
    source="practice",
    certainty="inferred",
    fix=("请删除该字符", "remove the character"),
    passing=Parcel(head={"remarks": "R&D <1> “朕” ①"}),
    failing=Parcel(head={"remarks": "thank you \U0001f600"}),
)
def characters(ctx: Context) -> Cases:
    """Every text column of the three frames.

    Control, format, unassigned and private-use characters and emoji are refused; full-width forms are refused
    where codes, numbers and dates stand and noted in free text; rare ideographs by `supplementary_ideographs`.
    """
    rare = ctx.option("supplementary_ideographs")
    for frame in FRAME_NAMES:
        for column in COLUMNS[frame].values():
            value, words = pl.col(column.name), column.name.replace("_", " ")
            legal = ~value.str.contains(ILLEGAL)
            holds = unusual(column.kind)
            yield Case(
                when=~legal,
                column=column.name,
                frame=frame,
                holds=holds,
                fixed=True,
                zh=f"{column.label_zh}含有非法字符 {{char}}",
                en=f"illegal character {{char}} in {words}",
                values={"char": code_points(value.str.extract(f"({ILLEGAL})"))},
            )
            if is_strict(column.kind):
                yield Case(
                    when=legal & value.str.contains(FULL_WIDTH_ANY),
                    column=column.name,
                    frame=frame,
                    holds=holds,
                    zh=f"{column.label_zh}含有全角字符",
                    en=f"full-width characters in {words}",
                    fix_zh="请改为半角",
                    fix_en="use half-width characters",
                    suggest=half_width(value),
                )
            elif is_free(column.kind):
                yield Case(
                    when=legal & value.str.contains(FULL_WIDTH),
                    column=column.name,
                    frame=frame,
                    holds=holds,
                    zh=f"{column.label_zh}含有全角数字或字母",
                    en=f"full-width digits or letters in {words}",
                    severity="warn",
                    action="note",
                    fix_zh="建议改为半角",
                    fix_en="better use half-width characters",
                )
                if rare != "pass":
                    yield Case(
                        when=legal & value.str.contains(SUPPLEMENTARY),
                        column=column.name,
                        frame=frame,
                        holds=holds,
                        zh=f"{column.label_zh}含有扩展区汉字（生僻字）",
                        en=f"rare ideographs (outside the basic plane) in {words}",
                        severity="reject" if rare == "reject" else "warn",
                        action="reject" if rare == "reject" else "note",
                        fix_zh="请确认申报系统可显示该字",
                        fix_en="make sure the site can show the character",
                    )


@rule(
    "EXP-24",
    title=("电话号码字符", "Characters of telephone numbers"),
    fields="SendTelNo;ReceiveTelNo",
    source=SCHEMA_2019,
    start="2019-01-01",
    fix=(
        "只用半角数字、连字符和竖线（竖线分隔多个号码）",
        "half-width digits, hyphen and vertical bar only (the bar separates numbers)",
    ),
    passing=Parcel(head={"receiver_phone": "0571-87654321|13800000000"}),
    failing=Parcel(head={"receiver_phone": "(0571)87654321"}),
)
def phone_characters(_: Context) -> Cases:
    """Digits, `-`, `|`; U+2223 counts as the bar."""
    for column, zh, en in (
        ("sender_phone", "发件人号码", "the sender's telephone"),
        ("receiver_phone", "收件人号码", "the receiver's telephone"),
    ):
        value = pl.col(column)
        tidy = half_width(value).str.replace_all(r"[\s()]", "")
        yield Case(
            when=~value.str.contains(ILLEGAL),
            screen=~value.str.contains(PHONE_CHARACTERS),
            column=column,
            zh=f"{zh}含有数字、连字符、竖线以外的字符",
            en=f"{en} holds something other than digits, hyphen and bar",
            suggest=pl.when(tidy.str.contains(r"^[0-9|-]+$")).then(tidy),
        )


@rule(
    "EXP-25",
    title=("收件人城市须含汉字", "The receiver's city holds Chinese characters"),
    fields="ReceiveCity",
    source=SCHEMA_2019,
    start="2019-01-01",
    fix=("填写城市中文名称", "give the city's Chinese name"),
    passing=Parcel(head={"receiver_city": "杭州B区"}),
    failing=Parcel(head={"receiver_city": "Hangzhou"}),
)
def receiver_city(_: Context) -> Cases:
    """Digits and letters may stand beside them."""
    yield Case(
        when=_legal("receiver_city"),
        screen=~pl.col("receiver_city").str.contains(HAN),
        column="receiver_city",
        zh="收件人城市没有汉字",
        en="the receiver's city holds no Chinese character",
    )


@rule(
    "EXP-26",
    title=("出口发件人城市仅限汉字", "Export: the sender's city in Chinese only"),
    fields="SendCity;IEFlag",
    source=SCHEMA_2019,
    start="2019-01-01",
    fix=("填写城市中文名称，不带字母、数字", "give the Chinese name without letters or digits"),
    passing=Parcel("B", "E", {"sender_city": "杭州"}),
    failing=Parcel("B", "E", {"sender_city": "杭州HZ"}),
)
def sender_city(_: Context) -> Cases:
    """Chinese characters and nothing else."""
    yield Case(
        when=_legal("sender_city"),
        screen=pl.col("_export") & ~pl.col("sender_city").str.contains(f"^{HAN}+$"),
        column="sender_city",
        zh="出口发件人城市应全部为汉字",
        en="on export the sender's city is in Chinese characters only",
    )


def _legal(column: str) -> pl.Expr:
    """Not already refused for an illegal character."""
    return ~pl.col(column).str.contains(ILLEGAL)


_PLAIN_LATIN = r"^[ -~]*[A-Za-z][ -~]*$"


def _not_latin(column: str) -> pl.Expr:
    """No Latin letter, or Chinese characters among them (asked only where it is not plain ASCII)."""
    value = pl.col(column)
    return _legal(column) & (~value.str.contains(LATIN) | value.str.contains(HAN))


def _odd_latin(way: str, column: str) -> pl.Expr:
    return pl.col(way) & ~pl.col(column).str.contains(_PLAIN_LATIN)


@rule(
    "EXP-27",
    title=("进口英文项须为拉丁字母", "Import: English fields in Latin letters"),
    fields="SendNameEn;SendCityEn;StopCityEn;GNameEn;IEFlag",
    source=SCHEMA_2019,
    start="2019-01-01",
    fix=("用拉丁字母填写；无经停城市填 N", "use Latin letters; N where there is no stop"),
    passing=Parcel(head={"stop_cities_en": "n"}),
    failing=Parcel(head={"sender_name_en": "陈示例"}),
)
def import_latin(_: Context) -> Cases:
    """Sender, city, stops and goods name: at least one Latin letter and no Chinese character."""
    for column, zh, en in (
        ("sender_name_en", "英文发件人", "the sender's English name"),
        ("sender_city_en", "英文发件人城市", "the sender's English city"),
        ("stop_cities_en", "英文经停城市", "the stop-over cities"),
    ):
        yield Case(
            when=_not_latin(column),
            screen=_odd_latin("_import", column),
            column=column,
            zh=f"{zh}应为拉丁字母",
            en=f"{en} must be in Latin letters",
        )
    yield Case(
        when=_not_latin("name_en"),
        screen=_odd_latin("_import", "name_en"),
        column="name_en",
        frame="goods",
        zh="英文商品名称应为拉丁字母",
        en="the English goods name must be in Latin letters",
    )


@rule(
    "EXP-28",
    title=("出口英文收件人须为拉丁字母", "Export: the receiver in Latin letters"),
    fields="ReceiveNameEn;IEFlag",
    source=SCHEMA_2019,
    start="2019-01-01",
    fix=("用拉丁字母填写", "use Latin letters"),
    passing=Parcel("B", "E", {"receiver_name_en": "Jörg Sample 2"}),
    failing=Parcel("B", "E", {"receiver_name_en": "陈示例"}),
)
def export_latin(_: Context) -> Cases:
    """Latin letters; symbols and digits may stand beside them."""
    yield Case(
        when=_not_latin("receiver_name_en"),
        screen=_odd_latin("_export", "receiver_name_en"),
        column="receiver_name_en",
        zh="英文收件人应为拉丁字母",
        en="the receiver's English name must be in Latin letters",
    )


@rule(
    "EXP-37",
    title=("规格型号用竖线分隔", "Elements of the model are separated by a bar"),
    fields="GModel",
    source=SCHEMA_2019,
    severity="warn",
    action="note",
    start="2019-01-01",
    fix=("用半角竖线 | 分隔申报要素", "separate the elements with |"),
    passing=Parcel(goods=({"model": "棉100%|L|蓝"},)),
    failing=Parcel(goods=({"model": "棉100%；L；蓝"},)),
)
def model(_: Context) -> Cases:
    """Other separators: full-width and broken bars, semicolons."""
    value = pl.col("model")
    yield Case(
        when=value.str.contains(r"[｜∣¦;；]"),
        column="model",
        frame="goods",
        zh="规格型号使用了竖线以外的分隔符",
        en="the elements of the model are separated by something other than |",
        suggest=value.str.replace_all(r"\s*[｜∣¦;；]\s*", "|").str.strip_chars("|"),
    )


@rule(
    "EXP-45",
    title=("商品名称须具体", "The goods name is concrete"),
    fields="GName",
    source="customs declaration filling rules (practice)",
    start="2019-02-01",
    certainty="inferred",
    fix=("填写具体的中文商品名称", "give a concrete Chinese goods name"),
    passing=Parcel(goods=({"name": "玻璃杯"},)),
    failing=Parcel(goods=({"name": "礼品"},)),
)
def goods_name(ctx: Context) -> Cases:
    """Digits or one listed word alone are refused; a listed word within a longer name is noted, and so is a name that is
    nearly one: the other number, or in longer words one letter wrong. Class A is free.

    A name without Chinese characters: setting `require_chinese_name`.
    """
    words = [w.lower() for w in ctx.words("vague_goods")]
    name = pl.col("name")
    within = ctx.pattern("vague_goods", whole=True)
    concerned = (pl.col("_class") != "A") & _legal("name")
    screen = name.str.contains(f"(?i){within}|{_spaced(words)}") | ~name.str.contains(HAN)
    bare = name.str.to_lowercase().str.replace_all(r"[\s\p{P}\p{S}]", "")
    empty = bare.str.contains(r"^\p{Nd}*$")
    listed = bare.is_in(words)
    yield Case(
        when=concerned & (empty | listed),
        column="name",
        frame="goods",
        screen=screen,
        zh="商品名称过于笼统：{name}",
        en="the goods name says nothing: {name}",
    )
    hit = name.str.to_lowercase().str.extract(f"({within})")
    yield Case(
        when=concerned & ~listed & hit.is_not_null(),
        column="name",
        frame="goods",
        screen=screen,
        zh="商品名称含有笼统词“{word}”",
        en="the goods name holds the vague word {word}",
        severity="warn",
        action="note",
        values={"word": hit},
    )
    near = _nearly(words)
    yield Case(
        when=concerned & bare.is_in(list(near)),
        column="name",
        frame="goods",
        screen=screen,
        zh="商品名称近似笼统词“{word}”",
        en="the goods name is nearly the vague word {word}",
        severity="warn",
        action="note",
        values={
            "word": bare.replace_strict(
                list(near), list(near.values()), default="", return_dtype=pl.String
            )
        },
    )
    grade = ctx.option("require_chinese_name")
    if grade != "pass":
        yield Case(
            when=concerned & ~listed & ~empty & ~name.str.contains(HAN),
            column="name",
            frame="goods",
            screen=screen,
            zh="商品名称没有汉字",
            en="the goods name holds no Chinese character",
            severity="reject" if grade == "reject" else "warn",
            action="reject" if grade == "reject" else "note",
        )


def _spaced(words: Sequence[str]) -> str:
    """Those of the words that hold Chinese characters, whatever stands between these, as a regular expression."""
    chinese = [word for word in words if not word.isascii()]
    return "|".join(r"[\s\p{P}\p{S}]*".join(map(re.escape, word)) for word in chinese) or r"[^\s\S]"


def _nearly(words: Sequence[str]) -> dict[str, str]:
    """Latin names that are nearly one of these words → the word. All of them hold no Chinese, so the screen shows them."""
    latin = [word for word in words if word.isascii() and word.isalpha()]
    found = {wrong: word for word in latin if len(word) >= _LEAST for wrong in one_wrong(word)}
    found |= {word.removesuffix("s") if word.endswith("s") else f"{word}s": word for word in latin}
    return {wrong: word for wrong, word in found.items() if wrong not in words}


_LEAST = 6
"""Letters of a vague word from which on one of them may be wrong: of shorter ones, too many are words themselves."""


@rule(
    "EXP-46",
    title=(
        "品名用简体字，不含广告用语",
        "Goods names in simplified characters, without advertising",
    ),
    fields="GName;MainGName",
    source="practice",
    severity="warn",
    action="note",
    certainty="inferred",
    fix=(
        "改用规范的简体品名，删去广告用语",
        "use the plain name in simplified characters, without advertising",
    ),
    passing=Parcel(goods=({"name": "玻璃杯"},)),
    failing=Parcel(goods=({"name": "新款玻璃杯"},)),
)
def plain_name(ctx: Context) -> Cases:
    """Words of the list `advertising`, and characters that are not among the simplified ones.

    Whether a name agrees with its tax or commodity number is not judged: there are no names of a complete tariff.
    """
    words = ctx.pattern("advertising", whole=True)
    for column, zh, en, frame in _NAMES:
        name = pl.col(column)
        other = name.ne_missing(pl.col("_main")) if frame == "shipments" else None
        word = name.str.to_lowercase().str.extract(f"({words})")
        yield Case(
            when=word.is_not_null(),
            column=column,
            frame=frame,
            screen=name.str.contains(f"(?i){words}") if other is None else other,
            zh=f"{zh}含有广告用语“{{word}}”",
            en=f"{en} holds the advertising word {{word}}",
            values={"word": word},
        )
        character = name.str.extract(f"({traditional()})")
        yield Case(
            when=character.is_not_null(),
            column=column,
            frame=frame,
            screen=name.str.contains(traditional()) if other is None else other,
            zh=f"{zh}含有繁体字“{{char}}”",
            en=f"{en} holds the character {{char}}, which is no simplified one",
            values={"char": character},
        )


_NAMES: tuple[tuple[str, str, str, FrameName], ...] = (
    ("name", "商品名称", "the goods name", "goods"),
    ("main_goods_name", "主要商品名称", "the main goods name", "shipments"),
)
