"""Goods names that tell of prohibited and restricted articles: PRO-*, LIM-09. A word is a question to a person, never more.

The words stand in the table `goods_words` (dated, replaced by `crossborder codes import goods_words FILE --from DATE`); which
lists of it a rule looks in is said here, after Order 43 (table `prohibited_restricted_articles`). A name that is or holds a
word holds the parcel; one that only nearly does gives a note. (PRO-06: keyword screening never refuses silently.)
"""

from __future__ import annotations

import polars as pl

from crossborder.rules.context import Context
from crossborder.rules.model import Case, Cases, Parcel, rule
from crossborder.rules.wordlists import Words, maybe, maybe_nearly, words

_ORDER_43 = "GACC Order 43 (1993)"
_START = "1993-03-01"
ITEMS = {
    "arms": ("武器、仿真武器、弹药、爆炸物", "arms, imitations, ammunition, explosives"),
    "counterfeit": ("伪造的货币、有价证券", "counterfeit money and securities"),
    "harmful_media": ("有害印刷品、音像制品", "harmful printed or recorded media"),
    "poison": ("烈性毒药", "deadly poisons"),
    "narcotics": ("麻醉品、精神药物", "narcotics and psychotropics"),
    "infected": ("带病菌、害虫的动植物及产品，来自疫区的物品", "articles with germs or pests, or from epidemic areas"),
    "secret_media": ("涉及国家秘密的物品", "media with state secrets"),
    "precious_relics": ("珍贵文物", "precious relics"),
    "endangered": ("濒危、珍贵动植物及其制品", "endangered animals and plants, and what is made of them"),
    "radio": ("无线电收发信机、通信保密机", "radio transceivers, secure communication devices"),
    "tobacco_alcohol": ("烟、酒", "tobacco and alcohol"),
    "national_currency": ("国家货币", "national currency"),
    "foreign_currency": ("外币及有价证券", "foreign currency and securities"),
    "precious_metals": ("金银等贵重金属及其制品", "precious metals and products"),
    "chinese_medicine": ("贵重中药材", "valuable Chinese medicinal materials"),
    "general_relics": ("一般文物", "cultural relics"),
    "no_mail": ("禁止邮寄的动植物及其产品", "animals, plants and products that may not be mailed"),
    "e_cigarettes": ("电子烟及烟弹、烟油", "e-cigarettes, cartridges, liquid"),
}  # fmt: skip
"""The lists of the table, in words."""
_PROHIBITED = ("arms", "counterfeit", "harmful_media", "poison", "narcotics", "infected")
_FIX = (
    "请核实是何物品：确属该类的不得按快件B类申报；不是的请写明具体品名，或由人工放行",
    "find out what it is: such an article may not go in class B; else give a name that says so, or let a person release it",
)


_COLUMNS = {
    "name": ("商品名称", "the goods name"),
    "name_en": ("英文商品名称", "the English goods name"),
}


def _screens(ctx: Context) -> dict[tuple[str, bool], pl.Expr]:
    """One quick look for all rules together: at each of the two names, for words that stand there and for near ones."""
    if "goods_words" not in ctx.memo:
        klass = pl.col("_class") == "B"
        looks = ((True, maybe), (False, maybe_nearly))
        ctx.memo["goods_words"] = {
            (name, sure): klass & look(ctx, name) for name in _COLUMNS for sure, look in looks
        }
    found: dict[tuple[str, bool], pl.Expr] = ctx.memo["goods_words"]
    return found


def _named(ctx: Context, lists: tuple[str, ...], way: pl.Expr, what: tuple[str, str]) -> Cases:
    """Names with a word of these lists; the English name speaks only where the Chinese one does not."""
    found = words(ctx, lists)
    for column, (label_zh, label_en) in _COLUMNS.items():
        silent = pl.lit(True) if column == "name" else found.hit("name").is_null()
        for sure in (True, False):
            word = found.hit(column) if sure else found.nearly(column)
            told = silent if sure else silent & found.hit(column).is_null()
            has_zh, has_en = ("含有", "holds") if sure else ("近似", "nearly holds")
            yield Case(
                when=way & word.is_not_null() & told,
                column=column,
                frame="goods",
                screen=_screens(ctx)[column, sure],
                zh=f"{label_zh}{has_zh}{{said_zh}}",
                en=f"{label_en} {has_en} {{said_en}}",
                severity="" if sure else "warn",
                action="" if sure else "note",
                values={
                    "said_zh": _said(word, found, f"“{{}}”：可能属于{what[0]}（{{}}）", 0),
                    "said_en": _said(word, found, f"“{{}}”: perhaps {what[1]} ({{}})", 1),
                },
            )


def _said(word: pl.Expr, found: Words, text: str, at: int) -> pl.Expr:
    """A word and what it is of, in Chinese (0) or English (1)."""
    items = [ITEMS[listed][at] if listed in ITEMS else listed for listed in found.item.values()]
    texts = [text.format(known, item) for known, item in zip(found.item, items, strict=True)]
    return word.replace_strict(list(found.item), texts, default="", return_dtype=pl.String)


@rule(
    "PRO-01",
    title=("禁止进境物品", "Articles that may not be imported"),
    applies="B",
    fields="GName;CodeTS",
    source=_ORDER_43,
    severity="warn",
    action="hold",
    start=_START,
    fix=_FIX,
    passing=Parcel(goods=({"name": "玩具水枪"},)),
    failing=Parcel(goods=({"name": "合金仿真枪"},)),
)
def import_prohibited(ctx: Context) -> Cases:
    """Import: arms and imitations, counterfeit money, harmful media, poisons, narcotics, infected articles."""
    what = ("禁止进境物品", "an article that may not be imported")
    yield from _named(ctx, _PROHIBITED, pl.col("_import"), what)


@rule(
    "PRO-02",
    title=("禁止出境物品", "Articles that may not be exported"),
    applies="B",
    fields="GName;CodeTS",
    source=_ORDER_43,
    severity="warn",
    action="hold",
    start=_START,
    fix=_FIX,
    passing=Parcel("B", "E", goods=({"name": "象牙白真丝围巾"},)),
    failing=Parcel("B", "E", goods=({"name": "象牙手镯"},)),
)
def export_prohibited(ctx: Context) -> Cases:
    """Export: what may not be imported either, media with state secrets, precious relics, endangered species."""
    what = ("禁止出境物品", "an article that may not be exported")
    lists = (*_PROHIBITED, "secret_media", "precious_relics", "endangered")
    yield from _named(ctx, lists, pl.col("_export"), what)


@rule(
    "PRO-03",
    title=("限制进境物品", "Articles restricted on import"),
    applies="B",
    fields="GName;CodeTS",
    source=_ORDER_43,
    severity="warn",
    action="hold",
    start=_START,
    fix=_FIX,
    passing=Parcel(goods=({"name": "水晶红酒杯"},)),
    failing=Parcel(goods=({"name": "干型红酒"},)),
)
def import_restricted(ctx: Context) -> Cases:
    """Import: radio transmitters and secure communicators, tobacco and alcohol, endangered species, national currency."""
    what = ("限制进境物品", "an article restricted on import")
    lists = ("radio", "tobacco_alcohol", "endangered", "national_currency")
    yield from _named(ctx, lists, pl.col("_import"), what)


@rule(
    "PRO-04",
    title=("限制出境物品", "Articles restricted on export"),
    applies="B",
    fields="GName;CodeTS",
    source=_ORDER_43,
    severity="warn",
    action="hold",
    start=_START,
    fix=_FIX,
    passing=Parcel("B", "E", goods=({"name": "人参面霜"},)),
    failing=Parcel("B", "E", goods=({"name": "长白山人参"},)),
)
def export_restricted(ctx: Context) -> Cases:
    """Export: precious metals, currency, radio transmitters, valuable Chinese medicine, relics."""
    what = ("限制出境物品", "an article restricted on export")
    lists = (
        "precious_metals", "national_currency", "foreign_currency", "radio", "chinese_medicine", "general_relics",
    )  # fmt: skip
    yield from _named(ctx, lists, pl.col("_export"), what)


@rule(
    "PRO-05",
    title=("禁止邮寄的动植物产品", "Animals, plants and products that may not be mailed"),
    applies="B",
    fields="GName",
    source="MARA and GACC Announcement 2021 No. 470",
    severity="warn",
    action="hold",
    start="2021-10-20",
    certainty="inferred",
    fix=_FIX,
    passing=Parcel(goods=({"name": "水果刀"},)),
    failing=Parcel(goods=({"name": "新鲜水果"},)),
)
def no_mail(ctx: Context) -> Cases:
    """Fresh fruit and vegetables, meat, raw milk, eggs, soil, seeds, live animals, blood, animal remains."""
    what = ("禁止邮寄的动植物产品", "an animal or plant product that may not be mailed")
    yield from _named(ctx, ("no_mail",), pl.lit(True), what)


@rule(
    "LIM-09",
    title=("电子烟限量", "E-cigarettes within their limits"),
    applies="B",
    fields="CodeTS;GQty",
    source="GACC Announcement 2022 No. 102",
    severity="warn",
    action="hold",
    start="2022-11-01",
    certainty="inferred",
    fix=(
        "快件限量未有明文，请人工按口岸要求核定数量",
        "no limit for parcels was found: a person judges the quantity by what the port asks",
    ),
    passing=Parcel(goods=({"name": "抽油烟机滤网"},)),
    failing=Parcel(goods=({"name": "一次性电子烟"},)),
)
def e_cigarettes(ctx: Context) -> Cases:
    """Devices, cartridges, liquid: only by name, because the limits of parcels are not known."""
    what = ("限量物品", "an article of limited quantity")
    yield from _named(ctx, ("e_cigarettes",), pl.lit(True), what)
