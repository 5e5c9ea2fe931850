"""The tax of a hand-in: each shipment by its class, every line explained, every consignment with what is collected.

- class B import: postal-articles tax; not collected up to CNY 50 (LIM-06)
- class C import: an estimate of duty, consumption tax and VAT (TAX-08)
- class A, and class B export: not taxed; class C export and class D: in no rule of ours, not evaluated
- as retail e-commerce, if asked: what an import would pay as such (TAX-10)

Tables, rates and formulas go by the day of the declaration, amounts below which tax is not collected by the day of
the movement. What is missing makes line and consignment *not evaluated*, never zero.
"""

from __future__ import annotations

from typing import Literal, get_args

import polars as pl

from crossborder.rules.context import Context
from crossborder.rules.tax.goods import ecommerce_lines, goods_lines
from crossborder.rules.tax.lines import heads, lines
from crossborder.rules.tax.money import CNY, plain
from crossborder.rules.tax.parameters import Parameters
from crossborder.rules.tax.postal import postal_lines
from crossborder.rules.tax.result import CONSIGNMENTS, LINES, Assessed, said, shaped
from crossborder.rules.tax.tariff import is_sample
from crossborder.shipments.frames import FrameSet

Regime = Literal["declared", "ecommerce"]
REGIMES: tuple[Regime, ...] = get_args(Regime)
_BY_REGIME = {"postal": postal_lines, "goods": goods_lines, "ecommerce": ecommerce_lines}


def assess(frames: FrameSet, ctx: Context, regime: Regime = "declared") -> Assessed:
    """Tax lines and consignments of a frame set, every shipment of it in its order.

    `regime` `declared` goes by the class of each shipment, `ecommerce` asks what imports would pay as retail
    e-commerce. Classes must be known: empty ones are not evaluated.
    """
    parameters = Parameters(ctx.tables)
    ships = heads(frames, ctx).with_columns(regime=_regime(regime))
    taxed = pl.concat(
        make(lines(frames, ships.filter(pl.col("regime") == name).drop("regime"), ctx), ctx, parameters)
        for name, make in _BY_REGIME.items()
        if name in set(ships["regime"])
    ) if set(ships["regime"]) & set(_BY_REGIME) else pl.DataFrame(schema=LINES)  # fmt: skip
    told = pl.concat([taxed, _untaxed(frames, ships, taxed)]).sort(
        "ship", "line", nulls_last=True, maintain_order=True
    )
    return Assessed(told, _consignments(frames, ships, told, ctx, parameters))


def _regime(asked: Regime) -> pl.Expr:
    klass, incoming = pl.col("_class"), pl.col("_import") & ~pl.col("unreadable")
    if asked == "ecommerce":
        return pl.when(incoming & (klass != "A").fill_null(value=True)).then(pl.lit("ecommerce")).otherwise(pl.lit("none"))  # fmt: skip
    return (
        pl.when(incoming & (klass == "B"))
        .then(pl.lit("postal"))
        .when(incoming & (klass == "C"))
        .then(pl.lit("goods"))
        .otherwise(pl.lit("none"))
    )


def _untaxed(frames: FrameSet, ships: pl.DataFrame, taxed: pl.DataFrame) -> pl.DataFrame:
    """A row for every goods line no tax was asked for, and for every shipment without any line."""
    rest = ships.join(taxed, on="ship", how="anti")
    goods = frames.goods.select("ship", "line", goods_row="row", code="commodity_code", name="name")
    rows = rest.join(goods, on="ship", how="left", maintain_order="left")
    zh, en = _why_not()
    none = _not_taxed()
    return shaped(
        rows.select(
            *("ship", "line", "sheet", "code", "name"),
            row=pl.coalesce("goods_row", "row"),
            shipment="house_waybill",
            master="master_waybill",
            kind=pl.lit(""),
            rule=pl.when(pl.col("_class") == "A").then(pl.lit("CLS-01")).otherwise(pl.lit("")),
            status=pl.when(none).then(pl.lit("not_taxed")).otherwise(pl.lit("not_evaluated")),
            note_zh=zh,
            note_en=en,
        ),
        LINES,
    )


def _not_taxed() -> pl.Expr:
    """What no import tax is levied on."""
    klass = pl.col("_class")
    free = (klass == "A") | ((klass == "B") & pl.col("_export"))
    return free.fill_null(value=False) & ~pl.col("unreadable") & (pl.col("_import") | pl.col("_export"))  # fmt: skip


def _why_not() -> tuple[pl.Expr, pl.Expr]:
    klass, export = pl.col("_class"), pl.col("_export")
    shown = {"class": klass}
    return said(
        (pl.col("unreadable"), "记录无法读取", "the record could not be read", {}),
        (~pl.col("_import") & ~export, "进出口标志不明", "import or export is not known", {}),
        (klass == "A", "A类文件类不征税", "class A: documents are not taxed", {}),
        ((klass == "B") & export, "出境个人物品不征行邮税", "personal articles that leave pay no postal-articles tax", {}),
        (export, "出口税收不在本软件规则之内，未估算", "taxes on exports are in no rule of ours, not evaluated", {}),
        (klass.is_in(["B", "C"]) | (pl.col("regime") == "ecommerce"), "没有商品", "there is no goods line", {}),
        (klass.is_null(), "没有报关类别", "there is no class", {}),
        (pl.lit(value=True), "类别 {class} 按一般货物报关，未估算",
         "class {class} is declared as ordinary goods, not evaluated", shown),
    )  # fmt: skip


# -- what of it is collected


def _made_up(frames: FrameSet, ctx: Context) -> pl.Series:
    """Shipments with a line in a currency whose rate is a made-up one (a demonstration profile only)."""
    month = ctx.tables.rates().filter(pl.col("month") == ctx.month)
    real = month.filter(~pl.col("fictional"))
    made_up = month.filter("fictional").join(real, on="currency", how="anti")
    if not ctx.profile.demo:
        made_up = made_up.clear()
    hit = frames.goods.filter(pl.col("currency").is_in(made_up["currency"].implode()))
    return hit.get_column("ship").unique()


def _consignments(
    frames: FrameSet, ships: pl.DataFrame, told: pl.DataFrame, ctx: Context, parameters: Parameters
) -> pl.DataFrame:
    """Sums and outcome of every shipment."""
    worth = pl.col("kind").is_in(["W", "A"])  # one row of each line that is taxed
    open_ = pl.col("status") == "not_evaluated"
    sums = told.group_by("ship", maintain_order=True).agg(
        pl.col("base_cny").filter(worth).sum().alias("value_cny"),
        (worth & pl.col("base_cny").is_not_null()).sum().alias("_valued"),
        pl.col("line").drop_nulls().n_unique().alias("_lines"),
        pl.col("amount_cny").sum().alias("_sum"),
        *(pl.col("amount_cny").filter(pl.col("kind") == k).sum().alias(f"_{k}") for k in "AYL"),
        open_.any().alias("_open"),
        pl.col("note_zh").filter(open_).first().alias("_open_zh"),
        pl.col("note_en").filter(open_).first().alias("_open_en"),
        pl.col("line").filter(open_).first().alias("_open_line"),
        (pl.col("status") == "not_taxed").all().alias("_free"),
        pl.col("note_zh").first().alias("_first_zh"),
        pl.col("note_en").first().alias("_first_en"),
        pl.col("rule").first().alias("_first_rule"),
    )  # fmt: skip
    joined = ships.join(sums, on="ship", how="left", maintain_order="left").with_columns(
        _exempt=parameters.number("postal_exemption_cny", CNY),
        _goods_exempt=parameters.number("goods_exemption_cny", CNY),
    )
    regime = pl.col("regime")
    taxed = ~pl.col("_open") & ~pl.col("_free")
    unknown = (regime == "postal") & pl.col("_exempt").is_null()
    collected = _collected(ctx)
    outcome = (
        pl.when(pl.col("_free"))
        .then(pl.lit("not_taxed"))
        .when(pl.col("_open") | unknown)
        .then(pl.lit("not_evaluated"))
        .when(collected > 0)
        .then(pl.lit("due"))
        .otherwise(pl.lit("not_collected"))
    )
    done = joined.with_columns(
        outcome=outcome, tax_cny=pl.when(taxed).then("_sum"), payable_cny=pl.when(taxed & ~unknown).then(collected)
    )  # fmt: skip
    zh, en = _outcome_texts(ctx)
    sampled = regime.is_in(["goods", "ecommerce"]) & pl.lit(is_sample(ctx))
    converted = (regime != "none") & pl.col("ship").is_in(_made_up(frames, ctx).implode())
    return shaped(
        done.with_columns(
            pl.when((pl.col("_valued") == pl.col("_lines")) & (pl.col("_lines") > 0)).then("value_cny").alias("value_cny"),
            pl.when(pl.col("_free")).then(pl.lit(0).cast(CNY)).otherwise("payable_cny").alias("payable_cny"),
            shipment="house_waybill",
            master="master_waybill",
            note_zh=zh,
            note_en=en,
            rule=pl.when(regime == "postal").then(parameters.rule("postal_exemption_cny")).otherwise("_first_rule"),
            fictional=sampled | converted,
        ).rename({"_class": "class"}),
        CONSIGNMENTS,
    )  # fmt: skip


def _collected(ctx: Context) -> pl.Expr:
    """What of the tax is collected: of postal articles all or, up to the exemption, nothing.

    Each tax on goods that is below its own exemption is left out only where the option `goods_exemption` says so.
    """
    nothing = pl.lit(0).cast(CNY)
    postal = pl.when(pl.col("_sum") <= pl.col("_exempt")).then(nothing).otherwise(pl.col("_sum"))
    whole = pl.col("_sum")
    if ctx.option("goods_exemption") == "apply":
        bound = pl.col("_goods_exempt")
        each = [
            pl.when(pl.col(f"_{k}") < bound).then(nothing).otherwise(pl.col(f"_{k}")) for k in "AYL"
        ]
        whole = pl.when(pl.col("regime") == "goods").then(pl.sum_horizontal(each)).otherwise(whole)
    return pl.when(pl.col("regime") == "postal").then(postal).otherwise(whole)


def _outcome_texts(ctx: Context) -> tuple[pl.Expr, pl.Expr]:
    tax, bound = pl.col("_sum"), pl.col("_exempt")
    shown = {
        "tax": tax, "bound": plain(bound), "goods": plain(pl.col("_goods_exempt")), "payable": pl.col("payable_cny"),
        "why_zh": pl.col("_open_zh"), "why_en": pl.col("_open_en"), "line": pl.col("_open_line") + 1,
        "first_zh": pl.col("_first_zh"), "first_en": pl.col("_first_en"),
    }  # fmt: skip
    regime, open_ = pl.col("regime"), pl.col("_open")
    applied = pl.lit(ctx.option("goods_exemption") == "apply")
    small = pl.any_horizontal(
        (pl.col(f"_{k}") > 0) & (pl.col(f"_{k}") < pl.col("_goods_exempt")) for k in "AYL"
    ).fill_null(value=False)
    return said(
        (pl.col("_free"), "{first_zh}", "{first_en}", shown),
        (open_ & pl.col("_open_line").is_null(), "{why_zh}", "{why_en}", shown),
        (open_, "第 {line} 项：{why_zh}", "line {line}: {why_en}", shown),
        ((regime == "postal") & bound.is_null(), "进出口日期没有已知的起征点（LIM-06），未评估",
         "no amount below which tax is not collected is known for the movement date (LIM-06): not evaluated", shown),
        ((regime == "postal") & (tax <= bound), "税额 {tax} 元，不超过 {bound} 元，不征收（LIM-06）",
         "the tax of {tax} is not above {bound}: not collected (LIM-06)", shown),
        (regime == "postal", "税额 {tax} 元，超过 {bound} 元，全额征收（LIM-06）",
         "the tax of {tax} is above {bound}: all of it is collected (LIM-06)", shown),
        (regime == "ecommerce", "零售进口估算，以海关税单为准；个人年度额度由海关掌握（TAX-14、CBL-01）",
         "an estimate as retail import; customs' bill counts, and the yearly balance is known to customs only (TAX-14, CBL-01)", shown),
        (small & applied, "低于 {goods} 元的税种不征收（TAX-09，推断），应缴 {payable} 元",
         "taxes below {goods} each are not collected (TAX-09, inferred): {payable} to pay", shown),
        (small, "估算，以海关税单（EXP310）为准；有税种低于 {goods} 元，可能不征收（TAX-09，推断）",
         "an estimate, customs' figures (EXP310) count; a tax is below {goods} and may not be collected (TAX-09, inferred)", shown),
        (pl.lit(value=True), "估算，以海关税单（EXP310）为准", "an estimate; customs' figures (EXP310) count", shown),
    )  # fmt: skip
