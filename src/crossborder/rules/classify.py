"""Choosing a class for shipments that came without one (`spec/rules.md`, section 1). A given one stays.

In this order: papers → A; a platform purchase → none (e-commerce inventory); a natural person with a document
and no enterprise → B within the limit or one single article; an enterprise → C within the limit and without
what excludes it; else none: transfer to general declaration (CLS-11).
"""

from __future__ import annotations

import polars as pl

from crossborder.rules import bounds
from crossborder.rules.context import Context
from crossborder.rules.prepare import Prepared, plain, prepare
from crossborder.shipments import findings
from crossborder.shipments.frames import FrameSet

_REASONS = {
    "A": ("文件单证，无商品编号", "papers without a code of goods"),
    "B": ("自然人证件号码，价值在限值内", "a natural person's document, within the limit"),
    "C": ("企业货物，价值在限值内，无许可证、退税、收付汇", "an enterprise's goods, within the limit, no licence, refund or exchange"),
}  # fmt: skip
_SOURCE = "GACC Announcement 2016 No. 19"


def classify(frames: FrameSet, ctx: Context) -> tuple[FrameSet, pl.DataFrame]:
    """Fill empty `declaration_class`; findings say why, and name the shipments that fit none (CLS-11).

    Only classes of the profile are chosen. A value that cannot be converted for want of a rate does not decide:
    the limit rule of the class then holds the shipment.
    """
    empty = frames.shipments.filter(pl.col("declaration_class").is_null())
    if not empty.height:
        return frames, findings.empty()
    prepared = prepare(frames.take(empty["ship"]), ctx)
    decided = _decide(prepared, ctx)
    chosen = decided.filter(pl.col("_chosen").is_not_null())
    merged = (
        frames.shipments.join(
            chosen.select("ship", "_chosen"), on="ship", how="left", maintain_order="left"
        )
        .with_columns(pl.coalesce("declaration_class", "_chosen").alias("declaration_class"))
        .drop("_chosen")
    )
    done = FrameSet(merged, frames.goods, frames.documents, frames.headers)
    return done, findings.gather([_rows(frames, decided)])


def _decide(prepared: Prepared, ctx: Context) -> pl.DataFrame:
    """The shipments with `_chosen` (or null) and `_why_zh`, `_why_en` where none fits."""
    words = ctx.pattern("documents")
    lines = (
        prepared.frames["goods"]
        .group_by("ship", maintain_order=True)
        .agg(
            pl.col("commodity_code").is_null().all().alias("_uncoded"),
            pl.col("name").str.to_lowercase().str.contains(words).fill_null(False).all().alias("_papers"),
            pl.col("supervision_conditions").is_not_null().any().alias("_licence"),
        )
    )  # fmt: skip
    ships = prepared.frames["shipments"].join(lines, on="ship", how="left", maintain_order="left")
    firm = pl.col("trading_company_code").is_not_null()
    person = pl.col("party_id").is_not_null() & ~firm
    ships = ships.with_columns(
        _over_b=_over(ctx, "B"),
        _over_c=_over(ctx, "C"),
        _excluded=_excluded(),
    )
    papers = (pl.col("_papers") & pl.col("_uncoded") & ~firm).fill_null(False)
    b_fits = person & (~pl.col("_over_b") | pl.col("_single")) & ~pl.col("_luggage")
    c_fits = firm & ~pl.col("_over_c") & ~pl.col("_excluded")
    bought = pl.col("_bought")
    allowed = {c: pl.lit(c in ctx.profile.classes) for c in "ABC"}
    return ships.with_columns(
        _bought=(pl.col("platform_purchase") == "1").fill_null(False),
        _luggage=(pl.col("separated_luggage") == "1").fill_null(False),
    ).with_columns(
        pl.when(papers & allowed["A"]).then(pl.lit("A"))
        .when(bought).then(None)
        .when(b_fits & allowed["B"]).then(pl.lit("B"))
        .when(c_fits & allowed["C"]).then(pl.lit("C"))
        .alias("_chosen"),
        *_why(person, firm),
    )  # fmt: skip


def _over(ctx: Context, klass: str) -> pl.Expr:
    """Whether the value exceeds the limit that a class has for the direction, date and country."""
    of_class = [bound for bound in bounds.bounds(ctx) if bound["declaration_class"] == klass]
    judged = (
        (bounds.applies(b, any_class=True) & bounds.over(b)).fill_null(False) for b in of_class
    )
    return pl.any_horizontal(pl.lit(False), *judged)


def _excluded() -> pl.Expr:
    """What class C may not have: licence, refund, foreign exchange, another mode or levy nature."""
    mode, nature = pl.col("supervision_mode"), pl.col("levy_nature")
    return (
        pl.col("_licence").fill_null(False)
        | (pl.col("tax_refund_claimed") == "1").fill_null(False)
        | (pl.col("foreign_exchange_settled") == "1").fill_null(False)
        | (~mode.is_in(["0110", "3010", "3039"])).fill_null(False)
        | (nature != "101").fill_null(False)
    )


def _why(person: pl.Expr, firm: pl.Expr) -> list[pl.Expr]:
    """Why no class fits, in both languages."""
    reasons = (
        (pl.col("_bought"), "平台三单商品，应按跨境电商清单申报", "bought on a platform: e-commerce inventory"),
        (person & pl.col("_luggage"), "分离运输行李", "separated luggage"),
        (person & pl.col("_over_b"), "价值折合人民币 {} 元，超过B类限值", "worth CNY {}, above the class B limit"),
        (firm & pl.col("_over_c"), "价值折合人民币 {} 元，超过C类限值", "worth CNY {}, above the class C limit"),
        (firm & pl.col("_excluded"), "涉及许可证、退税、收付汇，或监管方式、征免性质不符", "licence, refund, foreign exchange, or another mode or levy nature"),
        (~person & ~firm, "既无自然人证件号码，也无企业海关编码，且不是文件", "neither a person's document nor a company code, and no papers"),
    )  # fmt: skip
    zh: pl.Expr = pl.lit("企业档案未启用适用的类别")
    en: pl.Expr = pl.lit("the profile does not allow the class that fits")
    value = plain(pl.col("_value")).fill_null("?")
    for when, text_zh, text_en in reversed(reasons):
        shown_zh = pl.format(text_zh, value) if "{}" in text_zh else pl.lit(text_zh)
        shown_en = pl.format(text_en, value) if "{}" in text_en else pl.lit(text_en)
        zh = pl.when(when).then(shown_zh).otherwise(zh)
        en = pl.when(when).then(shown_en).otherwise(en)
    return [zh.alias("_why_zh"), en.alias("_why_en")]


def _rows(frames: FrameSet, decided: pl.DataFrame) -> pl.DataFrame:
    """One finding per classified shipment: a note with the reason, or CLS-11."""
    chosen = pl.col("_chosen")
    fits = chosen.is_not_null()

    def reason(index: int) -> pl.Expr:
        texts = [pair[index] for pair in _REASONS.values()]
        return chosen.replace_strict(list(_REASONS), texts, default=None, return_dtype=pl.String)

    return decided.select(
        "ship",
        "sheet",
        "row",
        pl.lit(frames.header("shipments", "declaration_class")).alias("column"),
        pl.lit("EntryType").alias("element"),
        pl.coalesce("house_waybill", pl.format("#{}", pl.col("row"))).alias("shipment"),
        pl.col("master_waybill").alias("master"),
        pl.when(fits).then(pl.lit("INT-classified")).otherwise(pl.lit("CLS-11")).alias("rule"),
        pl.when(fits).then(pl.lit("warn")).otherwise(pl.lit("reject")).alias("severity"),
        pl.when(fits).then(pl.lit("note")).otherwise(pl.lit("reject")).alias("action"),
        pl.lit(None, dtype=pl.String).alias("value"),
        pl.when(fits)
        .then(pl.format("报关类别定为{}：{}", chosen, reason(0)))
        .otherwise(pl.format("不适用A、B、C类：{}", pl.col("_why_zh")))
        .alias("zh"),
        pl.when(fits)
        .then(pl.format("class {} chosen: {}", chosen, reason(1)))
        .otherwise(pl.format("fits none of classes A, B, C: {}", pl.col("_why_en")))
        .alias("en"),
        pl.when(fits)
        .then(pl.lit("如不符请在预报清单中填写报关类别"))
        .otherwise(pl.lit("转一般货物报关，或补充、更正所列事实"))
        .alias("fix_zh"),
        pl.when(fits)
        .then(pl.lit("if it is wrong, give the class in the shipment file"))
        .otherwise(pl.lit("declare as ordinary goods, or complete and correct the facts"))
        .alias("fix_en"),
        chosen.alias("suggest"),
        pl.lit(_SOURCE).alias("source"),
    )
