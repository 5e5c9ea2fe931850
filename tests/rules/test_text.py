"""Characters: every text column, every kind of illegal character; scripts; goods names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from crossborder import rules
from crossborder.rules.charsets import half_width, perhaps_unusual, unusual
from crossborder.rules.examples import context_of, frames_of, record
from crossborder.rules.model import Example, Parcel
from crossborder.rules.party import placeholder_name
from crossborder.rules.unusual import unusual_columns
from crossborder.settings import Profile
from crossborder.shipments.asking import MANY
from crossborder.shipments.columns import COLUMNS, Kind
from crossborder.shipments.frames import FrameSet, complete

Check = Callable[..., pl.DataFrame]
ILLEGAL = ["\x07", "\x1b", "\x7f", "\x85", "\u200b", "\u202e", "\ufeff", "\u2028", "\ue000", "\U000f0000",
           "\u0378", "\ufffe", "\uffff", "\U0001f600", "\u2764\ufe0f", "\n", "\t"]  # fmt: skip
LEGAL = [
    "&<>\"'",
    "é ü ñ",
    "①",
    "©®™",
    "～、。",
    "—…",
    "·",
    "㎏",
    "½",
    "★",
    "\u00a0",
    "〇",
    "\u9fff",
]
RARE = ["\U00020bb7", "\U0002a700", "\U00031350", "\U000323b0"]


@pytest.mark.parametrize("kind", sorted({c.kind for f in COLUMNS.values() for c in f.values()}))
def test_the_quick_look_misses_no_unusual_character(kind: Kind) -> None:
    every = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    texts = pl.DataFrame({"text": every}).select(
        "text",
        odd=pl.col("text").str.contains(unusual(kind)),
        perhaps=pl.col("text").str.contains(perhaps_unusual(kind)),
    )
    assert texts.filter("odd").height > 1000
    assert texts.filter(pl.col("odd") & ~pl.col("perhaps")).is_empty()
    usual = texts.filter(~pl.col("perhaps"))["text"].str.join("").item()
    assert set("杭州市西湖区A1-/ ,.") <= set(usual)


@pytest.mark.parametrize("text", ILLEGAL)
def test_illegal_characters_are_refused_and_named(check: Check, text: str) -> None:
    found = check(Parcel(head={"remarks": f"备注{text}尾"}))
    assert found.select("rule", "severity", "action", "element").rows() == [
        ("TXT-04", "reject", "reject", "NoteS")
    ]
    assert f"U+{ord(text[0]):04X}" in found["zh"][0]
    assert f"U+{ord(text[0]):04X}" in found["en"][0]
    assert text[0] not in found["zh"][0] + found["en"][0]
    assert found["value"].to_list() == [f"备注{text}尾"]


@pytest.mark.parametrize("text", ["\ue000", "Ａ", "\U00020bb7"])
def test_no_text_shows_a_name_of_ours(check: Check, text: str) -> None:
    """The finding names the user's own column beside it; a column of ours says nothing to them."""
    head = {"sender_name": f"陈{text}", "party_id": f"A{text}"}
    found = check(Parcel(head=head))
    assert "sender_name" in found["column"].to_list()
    said = [t for name in ("zh", "en", "fix_zh", "fix_en") for t in found[name]]
    assert not [t for t in said if "_" in t]


@pytest.mark.parametrize("text", LEGAL)
def test_legal_characters_pass(check: Check, text: str) -> None:
    assert check(Parcel(head={"remarks": text})).height == 0


@pytest.mark.parametrize("text", RARE)
def test_rare_ideographs_are_a_setting(check: Check, text: str) -> None:
    parcel = Parcel(head={"receiver_name": f"陈{text}"})
    assert check(parcel).select("rule", "action").rows() == [("TXT-04", "note")]
    assert check(parcel, options={"supplementary_ideographs": "pass"}).height == 0
    refused = check(parcel, options={"supplementary_ideographs": "reject"})
    assert refused.select("rule", "severity", "action").rows() == [("TXT-04", "reject", "reject")]


def columns_with_values() -> list[tuple[str, str, str]]:
    head, goods = record(Parcel("C", "E"))
    person, _ = record(Parcel("B", "I"))
    heads = {**{k: v for k, v in person.items() if v}, **{k: v for k, v in head.items() if v}}
    return [("shipments", c, v) for c, v in heads.items() if v] + [
        ("goods", c, v) for c, v in goods[0].items() if v
    ]


def put(frame: str, column: str, value: str) -> Parcel:
    klass: Any = "C" if column in ("trading_company_code", "supervision_mode", "duty_mode") else "B"
    if frame == "goods":
        main = {"main_goods_name": "纯棉衬衫", "main_goods_name_en": "cotton shirt"}
        return Parcel(klass, head=main, goods=({column: value},))
    return Parcel(klass, head={column: value})


@pytest.mark.parametrize(("frame", "column", "value"), columns_with_values())
def test_one_control_character_anywhere_is_refused_once(
    check: Check, frame: str, column: str, value: str
) -> None:
    found = check(put(frame, column, value[:1] + "\x07" + value[1:]))
    refused = found.filter((pl.col("action") == "reject") & (pl.col("rule") != "EXP-23"))
    assert refused["rule"].to_list() == ["TXT-04"]
    assert refused["column"].to_list() == [column]


@pytest.mark.parametrize(("frame", "column", "value"), columns_with_values())
def test_full_width_digits(check: Check, frame: str, column: str, value: str) -> None:
    wide = "".join(chr(ord(c) + 0xFEE0) if "0" <= c <= "9" else c for c in value)
    if wide == value:
        return
    kind = COLUMNS["goods" if frame == "goods" else "shipments"][column].kind
    found = check(put(frame, column, wide)).filter(~pl.col("rule").is_in(["EXP-23"]))
    if kind == "phone":
        assert found.select("rule", "action", "suggest").rows() == [("EXP-24", "reject", value)]
    elif kind in ("text", "name"):
        assert found.select("rule", "action").rows() == [("TXT-04", "note")]
    else:
        assert found.select("rule", "action", "suggest").rows() == [("TXT-04", "reject", value)]


def test_documents_are_looked_at() -> None:
    base = frames_of(Example((Parcel(),)))
    documents = complete(
        "documents",
        pl.DataFrame({"ship": [0], "doc": [0], "row": [1], "sheet": [""], "number": ["ＡB1"]}),
    )
    frames = FrameSet(base.shipments, base.goods, documents)
    found = rules.check(frames, context_of(Example((Parcel(),))))
    assert found.select("rule", "element", "suggest", "shipment").rows() == [
        ("TXT-04", "CertCode", "AB1", "DEMO00000001")
    ]


def test_a_column_that_is_the_same_in_many_rows_is_looked_at() -> None:
    """Of many rows such a column is looked at once, in the first row."""
    one = frames_of(Example((Parcel(head={"remarks": "x\ue000"}),))).shipments
    many = pl.concat([one] * MANY)
    other = pl.Series("voyage", ["XX1"] * (MANY - 1) + ["X\ue000"])
    for frame, odd in ((many, {"remarks"}), (many.with_columns(other), {"remarks", "voyage"})):
        assert unusual_columns("shipments", frame) == odd


def test_half_width_leaves_everything_else_alone() -> None:
    frame = pl.DataFrame({"v": ["Ａｂ１－（）　①㈱é中"]})
    assert frame.select(half_width(pl.col("v"))).item() == "Ab1-() ①㈱é中"


def only(found: pl.DataFrame) -> list[tuple[str, str]]:
    return found.select("rule", "action").rows()


@pytest.mark.parametrize("column", ["sender_phone", "receiver_phone"])
def test_telephones(check: Check, column: str) -> None:
    for good in (
        "0571-87654321",
        "13800000000|13900000000",
        "13800000000∣13900000000",
        "0574-12345678-801",
    ):
        assert check(Parcel(head={column: good})).height == 0
    found = check(Parcel(head={column: "+86 13800000000"}))
    assert only(found.filter(pl.col("action") == "reject")) == [("EXP-24", "reject")]
    assert check(Parcel(head={column: "(0571) 87654321"}))["suggest"].to_list() == ["057187654321"]
    assert check(Parcel(head={column: "1380000000A"}))["suggest"].to_list() == [None]


def test_cities(check: Check) -> None:
    assert only(check(Parcel("B", "E", {"receiver_city": "London"}))) == [("EXP-25", "reject")]
    assert check(Parcel("B", "I", {"sender_city": "London"})).height == 0
    for bad in ("Hangzhou", "杭州 ", "杭州1", "杭州·"):
        assert only(check(Parcel("B", "E", {"sender_city": bad}))) == [("EXP-26", "reject")]


@pytest.mark.parametrize("column", ["sender_name_en", "sender_city_en", "stop_cities_en"])
def test_latin_on_import(check: Check, column: str) -> None:
    for bad in ("旧金山", "Jane 陈", "123"):
        assert only(check(Parcel(head={column: bad}))) == [("EXP-27", "reject")]
        assert check(Parcel("B", "E", {column: bad})).height == 0
    assert check(Parcel(head={column: "São Paulo, 2"})).height == 0


def test_latin_goods_name_and_receiver(check: Check) -> None:
    line = {"name_en": "衬衫"}
    assert only(check(Parcel(goods=(line,)))) == [("EXP-27", "reject")]
    assert check(Parcel("B", "E", goods=(line,))).height == 0
    for bad in ("123", "李 Li"):
        assert only(check(Parcel("B", "E", {"receiver_name_en": bad}))) == [("EXP-28", "reject")]
        assert check(Parcel("B", "I", {"receiver_name_en": bad})).height == 0


@pytest.mark.parametrize("name", ["物品", "礼品", "样品", "配件", "其他", "goods", "Gift", " PARTS ", "12345", "礼品。", "---", "sample",
    "礼 品", "礼。品", "其-他!", "g i f t"])  # fmt: skip
def test_names_that_say_nothing(check: Check, name: str) -> None:
    assert only(check(Parcel("C", goods=({"name": name},)))) == [("EXP-45", "reject")]
    assert check(Parcel("A", goods=({"name": name},))).height == 0


def test_names_that_say_little(check: Check) -> None:
    found = check(Parcel(goods=({"name": "汽车配件"},)))
    assert only(found) == [("EXP-45", "note")]
    assert "配件" in found["zh"][0]
    assert only(check(Parcel(goods=({"name": "玻璃杯 gift box"},)))) == [("EXP-45", "note")]
    assert check(Parcel(goods=({"name": "玻璃杯 gifted"},))).height == 0
    latin = Parcel(goods=({"name": "cotton shirt"},))
    assert only(check(latin)) == [("EXP-45", "note")]
    assert check(latin, options={"require_chinese_name": "pass"}).height == 0
    assert only(check(latin, options={"require_chinese_name": "reject"})) == [("EXP-45", "reject")]


def test_model_separators(check: Check) -> None:
    found = check(Parcel(goods=({"model": "棉； L ｜蓝;"},)))
    assert only(found) == [("EXP-37", "note")]
    assert found["suggest"].to_list() == ["棉|L|蓝"]
    assert check(Parcel(goods=({"model": "棉100%/L"},))).height == 0


def test_names_of_parties(check: Check) -> None:
    for placeholder in (
        "测试",
        "test",
        "先生",
        "李女士",
        "张张",
        "aaaa",
        " 陈 先生",
        "李小 先 生",
        "te st",
        "张张 张",
        "无 名",
    ):
        assert only(check(Parcel(head={"receiver_name": placeholder}))) == [("TXT-02", "note")]
        assert only(check(Parcel("C", "E", head={"receiver_name": placeholder}))) == [
            ("TXT-02", "note")
        ]
    for odd in ("Jane Sample", "陈1", "示例有限公司", "陈", "示" + "例" * 25):
        assert only(check(Parcel(head={"receiver_name": odd}))) == [("TXT-01", "note")]
        assert only(check(Parcel("B", "E", head={"sender_name": odd}))) == [("TXT-01", "note")]
        assert check(Parcel("C", head={"receiver_name": odd})).height == 0
    passport = {"receiver_name": "Jane Sample", "party_id_type": "2", "party_id": "E12345678"}
    assert check(Parcel(head=passport)).height == 0
    assert check(Parcel(head={"receiver_name": "欧阳示例"})).height == 0


def test_the_quick_look_misses_no_placeholder() -> None:
    """Blanks anywhere, in any of Unicode's kinds, hide nothing from the screen; a name of two words does not pass it."""
    ctx = context_of(Example((Parcel(),)))
    case = next(c for c in placeholder_name(ctx) if c.column == "receiver_name")
    assert case.screen is not None
    said = [*ctx.words("placeholder_name"), *("李" + t for t in ctx.words("name_title")), "张张张"]
    said += [word.upper() for word in said if word.isascii()]
    blanks = ("", " ", "\u3000", "\t", "\u00a0 ")
    names = [
        "".join(c + blanks[(at * step + step) % len(blanks)] for at, c in enumerate(word))
        for word in said
        for step in range(len(blanks))
    ]
    names += [blank + name for name in names for blank in blanks[1:]]
    frame = pl.DataFrame({"receiver_name": names})
    told = frame.select("receiver_name", found=case.when, seen=case.screen)
    assert told["found"].all()
    assert told["seen"].all(), told.filter(~pl.col("seen"))
    passed = pl.DataFrame({"receiver_name": ["Jane Sample", "Ruo Feng", "Testa Abcott", "收银"]})
    assert not passed.select(case.screen).to_series().any()


def test_addresses(check: Check) -> None:
    for odd in (
        "示范路1号",
        "余杭区",
        "浙江省杭州市西湖区路1号",
        "广西壮族自治区南宁市青秀区路1号",
        "上海市徐汇区路1号",
    ):
        assert only(check(Parcel(head={"receiver_address": odd}))) == [("TXT-03", "note")]
        assert only(check(Parcel("B", "E", head={"sender_address": odd}))) == [("TXT-03", "note")]
    assert check(Parcel("B", "E", {"receiver_address": "1 Example Street"})).height == 0


def test_mainland_telephones(check: Check) -> None:
    for good in ("13800000000", "8613800000000", "86-13800000000", "010-12345678", "05741234567", "400-800-8000",
                 "13800000000|0571-87654321-12"):  # fmt: skip
        assert check(Parcel(head={"receiver_phone": good})).height == 0, good
    for bad in (
        "12800000000",
        "1380000000",
        "138000000000",
        "87654321",
        "0571-876543210",
        "13800000000|1",
    ):
        assert only(check(Parcel(head={"receiver_phone": bad}))) == [("ID-15", "note")], bad
        assert only(check(Parcel("B", "E", head={"sender_phone": bad}))) == [("ID-15", "note")], bad
    assert check(Parcel(head={"sender_phone": "1"})).height == 0


@pytest.mark.parametrize(("name", "word"), [
    ("gifts", "gift"), ("Part", "parts"), ("smaple", "sample"), ("sampl", "sample"), ("otherss", "others"), ("lift", ""),
    ("pants", ""), ("simplest", ""),
])  # fmt: skip
def test_a_name_that_is_nearly_vague_is_noted(check: Check, name: str, word: str) -> None:
    found = check(Parcel("C", goods=({"name": name},)), options={"require_chinese_name": "pass"})
    assert list(found.filter(pl.col("rule") == "EXP-45")["en"]) == (
        [f"the goods name is nearly the vague word {word}"] if word else []
    )
    assert set(found["action"]) <= {"note"}


def test_documents_may_be_called_anything(check: Check) -> None:
    for name in ("gifts", "cup", "礼品"):
        found = check(
            Parcel("A", goods=({"name": name},)), options={"require_chinese_name": "reject"}
        )
        assert "EXP-45" not in set(found["rule"])
    found = check(Parcel("C", goods=({"name": "cup"},)), options={"require_chinese_name": "reject"})
    assert only(found) == [("EXP-45", "reject")]


def test_only_words_of_latin_letters_have_names_nearly_like_them() -> None:
    frame = pl.DataFrame({"list": ["vague_goods"] * 2, "word": ["gift box", "samples"]})
    example = Example(tuple(Parcel("C", goods=({"name": n},)) for n in ("giftbox", "sampels")))
    tables = context_of(example).tables.with_table("words", frame, "2026-01-01")
    profile = Profile(options={"require_chinese_name": "pass"})
    found = rules.check(frames_of(example), rules.Context(tables, profile, "20261123"))
    assert found.filter(pl.col("rule") == "EXP-45")["ship"].to_list() == [1]
