"""Goods names: each word of the table is found as the table says, harmless names are not, and the table is replaceable.

Broken by: a word that a blank, a capital or a full-width letter hides; a glass taken for wine; a rule that looks at the
wrong direction or list; a screen that lets a name through unseen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import polars as pl
import pytest

from crossborder import rules
from crossborder.codes import Tables
from crossborder.rules.examples import context_of, frames_of
from crossborder.rules.model import Example, Parcel
from crossborder.rules.names import ITEMS
from crossborder.rules.wordlists import maybe, maybe_nearly, words
from crossborder.samples.vocabulary import table
from crossborder.settings import Profile

Check = Callable[..., pl.DataFrame]
TABLE = Tables().frame("goods_words", "2026-11-23")
LISTS = {
    ("PRO-01", "I"): {"arms", "counterfeit", "harmful_media", "poison", "narcotics", "infected"},
    ("PRO-03", "I"): {"radio", "tobacco_alcohol", "endangered", "national_currency"},
    ("PRO-02", "E"): {"arms", "counterfeit", "harmful_media", "poison", "narcotics", "infected", "secret_media", "precious_relics", "endangered"},
    ("PRO-04", "E"): {"precious_metals", "national_currency", "foreign_currency", "radio", "chinese_medicine", "general_relics"},
    ("PRO-05", "I"): {"no_mail"}, ("PRO-05", "E"): {"no_mail"}, ("LIM-09", "I"): {"e_cigarettes"}, ("LIM-09", "E"): {"e_cigarettes"},
}  # fmt: skip
"""Which lists each rule looks in, written from Order 43 as `rules.csv` tells it."""


def context() -> rules.Context:
    return rules.Context(Tables(), Profile(), "20261123")


def named(check: Check, name: str, direction: str = "I", **line: str) -> set[tuple[str, str]]:
    """Rules of this family that a class B line with that name breaks, with what follows."""
    found = check(Parcel("B", direction, goods=({"name": name, **line},)))  # type: ignore[arg-type]
    mine = found.filter(pl.col("rule").is_in([rule for rule, _ in LISTS]))
    return set(mine.select("rule", "action").iter_rows())


def test_every_list_has_its_name_and_its_rules() -> None:
    assert set(TABLE["list"]) == set(ITEMS) == set().union(*LISTS.values())
    assert set(TABLE["match"]) == {"exact", "word", "near", "not"}
    assert set(TABLE["source_quality"]) <= {"secondary", "inferred"}


@pytest.mark.parametrize("direction", ["I", "E"])
def test_every_word_is_found_by_the_rules_of_its_list_and_by_no_other(direction: str) -> None:
    rows = TABLE.filter(pl.col("match") != "not")
    parcels = tuple(Parcel("B", direction, goods=({"name": w},)) for w in rows["word"])  # type: ignore[arg-type]
    example = Example(parcels)
    found = rules.check(frames_of(example), context_of(example))
    for ship, (listed, word) in enumerate(rows.select("list", "word").iter_rows()):
        mine = found.filter(pl.col("ship") == ship, pl.col("rule").is_in([r for r, _ in LISTS]))  # fmt: skip
        held = set(mine.filter(pl.col("action") == "hold")["rule"])
        wanted = {
            rule for (rule, way), lists in LISTS.items() if way == direction and listed in lists
        }
        same = set(TABLE.filter(pl.col("word") == word, pl.col("match") != "not")["list"])
        allowed = {
            rule for (rule, way), lists in LISTS.items() if way == direction and lists & same
        }
        assert wanted <= held, (word, held)
        assert held <= allowed | overlapping(word, direction), (word, held)


def overlapping(word: str, direction: str) -> set[str]:
    """Rules of words that stand within a longer one: 伪造的货币及有价证券 holds 有价证券."""
    inner = {
        listed for listed, other, way in TABLE.select("list", "word", "match").iter_rows()
        if way in ("word", "near") and other.lower() in word.lower() and other != word
    }  # fmt: skip
    return {rule for (rule, way), lists in LISTS.items() if way == direction and lists & inner}


def test_no_phrase_that_is_excepted_is_found_by_its_own_list() -> None:
    for listed in ITEMS:
        phrases = TABLE.filter(pl.col("list") == listed, pl.col("match") == "not")["word"]
        found = words(context(), (listed,))
        frame = pl.DataFrame({"name": phrases}, schema={"name": pl.String})
        told = frame.with_columns(hit=found.hit("name"), near=found.nearly("name"))
        assert told.drop_nulls("hit").height == 0, told.drop_nulls("hit")
        assert told.drop_nulls("near").height == 0, told.drop_nulls("near")


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("香烟", "hold"), ("进口香烟2条", "hold"), ("Cigarettes", "hold"), ("red WINE 750ml", "hold"), ("ｗｉｎｅ", "hold"),
        ("品牌wine礼盒", "hold"), ("香 烟", "note"), ("香-烟", "note"), ("香　烟", "note"), ("酒-", "hold"), ("烟-酒", "note"), ("cigaretes", "note"),
        ("Cigarrette", "note"), ("cigaertte", "note"), ("cigerette pack", "note"), ("烟", "hold"), ("酒。", "hold"),
    ],
)  # fmt: skip
def test_a_word_is_found_exactly_within_and_nearly(check: Check, name: str, action: str) -> None:
    assert named(check, name) == {("PRO-03", action)}


@pytest.mark.parametrize(
    "name",
    ["红酒杯", "wine glasses", "swine leather", "烟灰色毛衣", "酒红色围巾", "象牙白衬衫", "玩具水枪", "gunmetal ring",
     "heroine costume", "sugar", "水果刀", "肉色丝袜", "土豆泥模具", "种子形耳环", "金色发夹", "人民币符号贴纸", "cigar cutter"],
)  # fmt: skip
def test_harmless_names_are_left_alone(check: Check, name: str) -> None:
    assert named(check, name) == set()
    assert named(check, name, "E") == set()


def test_no_goods_of_the_samples_are_held_for_their_names() -> None:
    goods = table("goods")
    found = words(context(), tuple(ITEMS))
    for column in ("zh", "en"):
        shown = goods.select(name=pl.concat([goods[column], pl.format("红色{}", goods[column]).pipe(lambda e: goods.select(e).to_series())]))  # fmt: skip
        told = shown.filter(found.hit("name").is_not_null() | found.nearly("name").is_not_null())
        assert told.height == 0, told


def test_the_english_name_speaks_where_the_chinese_one_is_silent(check: Check) -> None:
    both = check(Parcel(goods=({"name": "香烟", "name_en": "cigarettes"},)))
    assert both.filter(pl.col("rule") == "PRO-03")["element"].to_list() == ["GName"]
    near = check(Parcel(goods=({"name": "香烟", "name_en": "cigaretes"},)))
    assert near.filter(pl.col("rule") == "PRO-03")["element"].to_list() == ["GName"]
    one = check(Parcel(goods=({"name": "礼盒套装", "name_en": "box of cigarettes"},)))
    assert one.filter(pl.col("rule") == "PRO-03")["element"].to_list() == ["GNameEn"]


def test_the_texts_show_the_word_and_the_item(check: Check) -> None:
    found = check(Parcel(goods=({"name": "进口威士忌礼盒"},))).filter(pl.col("rule") == "PRO-03")
    assert found["zh"].to_list() == ["商品名称含有“威士忌”：可能属于限制进境物品（烟、酒）"]
    assert "“威士忌”" in found["en"][0]
    assert "tobacco and alcohol" in found["en"][0]
    near = check(Parcel(goods=({"name": "cigaretes"},))).filter(pl.col("rule") == "PRO-03")
    assert near["zh"][0].startswith("商品名称近似“cigarette”")


@pytest.mark.parametrize("kind", ["A", "C"])
def test_only_class_b_is_asked(check: Check, kind: str) -> None:
    found = check(Parcel(kind, goods=({"name": "香烟"},)))  # type: ignore[arg-type]
    assert "PRO-03" not in set(found["rule"])


def test_dates_choose_rule_and_words(check: Check) -> None:
    found = check(Parcel(head={"movement_date": "20211019"}, goods=({"name": "新鲜水果"},)))
    assert "PRO-05" not in set(found["rule"])
    assert "PRO-05" in set(check(Parcel(head={"movement_date": "20211020"}, goods=({"name": "新鲜水果"},)))["rule"])  # fmt: skip


def test_the_table_is_replaced_from_a_date() -> None:
    mine = pl.DataFrame({"list": ["arms"], "word": ["弹弓"], "match": ["word"]}, schema=dict.fromkeys(("list", "word", "match"), pl.String))  # fmt: skip
    tables = Tables().with_table("goods_words", mine, "2026-11-01")
    example = Example((Parcel(goods=({"name": "木制弹弓"},)), Parcel(goods=({"name": "香烟"},))))
    before, after = (replace(context_of(example), tables=tables, declared_on=d, memo={}) for d in ("20261031", "20261101"))  # fmt: skip
    told = [set(rules.check(frames_of(example), c).select("ship", "rule").iter_rows()) for c in (before, after)]  # fmt: skip
    assert told == [{(1, "PRO-03")}, {(0, "PRO-01")}]


def test_words_of_eight_letters_or_more_may_have_one_letter_wrong() -> None:
    mine = pl.DataFrame({"list": ["arms"] * 3, "word": ["catapult", "slinger", "mousetrap1"], "match": ["near"] * 3})  # fmt: skip
    tables = Tables().with_table("goods_words", mine, "2026-11-01")
    names = ("catapilt", "catapul", "catapult", "slingor", "slinger", "mousetraps")
    example = Example(tuple(Parcel(goods=({"name": name},)) for name in names))
    found = rules.check(frames_of(example), replace(context_of(example), tables=tables, memo={}))
    told = found.filter(pl.col("rule") == "PRO-01").select("ship", "action").rows()
    assert told == [(0, "note"), (1, "note"), (2, "hold"), (4, "hold")]


def test_an_empty_table_finds_nothing() -> None:
    none = pl.DataFrame(schema=dict.fromkeys(("list", "word", "match"), pl.String))
    tables = Tables().with_table("goods_words", none, "2026-11-01")
    example = Example((Parcel(goods=({"name": "香烟"},)),))
    told = rules.check(frames_of(example), replace(context_of(example), tables=tables, memo={}))
    assert told.height == 0


def test_the_quick_look_misses_no_word() -> None:
    """Whatever a list finds, the screen before it lets through."""
    ctx = context()
    found = words(ctx, tuple(ITEMS))
    given = list(TABLE.filter(pl.col("match") != "not")["word"])
    spaced = [" ".join(w) for w in given if not w.isascii()]
    wide = [w.translate({c: c + 0xFEE0 for c in range(0x21, 0x7F)}) for w in given if w.isascii()]
    names = pl.DataFrame(
        {"name": [*given, *map(str.upper, given), *spaced, *wide, *found.mistaken]}
    )
    for look, way in ((maybe, found.hit), (maybe_nearly, found.nearly)):
        told = names.select("name", maybe=look(ctx, "name"), hit=way("name").is_not_null())
        assert told["hit"].sum() > 500
        missed = told.filter(pl.col("hit") & ~pl.col("maybe"))
        if look is maybe_nearly:  # what stands there is not near
            missed = missed.filter(~missed.select(m=maybe(ctx, "name"))["m"])
        assert missed.height == 0, missed
