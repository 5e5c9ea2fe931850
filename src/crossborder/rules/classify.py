"""Choosing a class for shipments that came without one (`spec/rules.md`, section 1). A given one stays.

In this order: papers → A; a platform purchase → none (e-commerce inventory); a natural person with a document
and no enterprise → B within the limit or one single article; an enterprise → C within the limit and without
what excludes it; else none: transfer to general declaration (CLS-11). What speaks against a class stands in
`refusals.py`; every finding names it for each class that was refused.
"""

from __future__ import annotations

import polars as pl

from crossborder.rules import bounds
from crossborder.rules.classification import CONDITION
from crossborder.rules.context import Context
from crossborder.rules.prepare import Prepared, prepare
from crossborder.rules.refusals import CLASSES, fits, refused
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
    if not frames.shipments.get_column("declaration_class").null_count():
        return frames, findings.empty()
    empty = frames.shipments.filter(pl.col("declaration_class").is_null())
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
    """The shipments with `_chosen` (or null) and `_why_zh`, `_why_en`: why no class before it, or none at all, fits."""
    words = ctx.pattern("documents")
    lines = (
        prepared.frames["goods"]
        .group_by("ship", maintain_order=True)
        .agg(
            pl.col("commodity_code").is_null().all().alias("_uncoded"),
            pl.col("name").str.to_lowercase().str.contains(words).fill_null(False).all().alias("_papers"),
            pl.col("supervision_conditions").str.contains(CONDITION).fill_null(value=False).any().alias("_licence"),
        )
    )  # fmt: skip
    ships = prepared.frames["shipments"].join(lines, on="ship", how="left", maintain_order="left")
    classes = ctx.profile.classes
    chosen: pl.Expr = pl.lit(None, dtype=pl.String)
    for klass in reversed(CLASSES):
        chosen = pl.when(fits(klass, classes)).then(pl.lit(klass)).otherwise(chosen)
    decided = ships.with_columns(_over_b=_over(ctx, "B"), _over_c=_over(ctx, "C")).with_columns(
        chosen.alias("_chosen")
    )
    zh, en = refused(classes, pl.col("_chosen"))
    return decided.with_columns(zh.alias("_why_zh"), en.alias("_why_en"))


def _over(ctx: Context, klass: str) -> pl.Expr:
    """Whether the value exceeds the limit that a class has for the direction, date and country."""
    of_class = [bound for bound in bounds.bounds(ctx) if bound["declaration_class"] == klass]
    judged = (
        (bounds.applies(b, any_class=True) & bounds.over(b)).fill_null(False) for b in of_class
    )
    return pl.any_horizontal(pl.lit(False), *judged)


def _after(column: str, between: str) -> pl.Expr:
    """A text after another one; nothing where there is none."""
    return (
        pl.when(pl.col(column) != "").then(pl.lit(between) + pl.col(column)).otherwise(pl.lit(""))
    )


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
        pl.when(fits).then(pl.lit("note")).otherwise(pl.lit("transfer")).alias("action"),
        pl.lit(None, dtype=pl.String).alias("value"),
        pl.when(fits)
        .then(pl.format("报关类别定为{}：{}{}", chosen, reason(0), _after("_why_zh", "；")))
        .otherwise(pl.format("不适用A、B、C类，转一般货物报关：{}", pl.col("_why_zh")))
        .alias("zh"),
        pl.when(fits)
        .then(pl.format("class {} chosen: {}{}", chosen, reason(1), _after("_why_en", "; ")))
        .otherwise(
            pl.format(
                "fits none of classes A, B, C, to be declared as ordinary goods: {}",
                pl.col("_why_en"),
            )
        )
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
