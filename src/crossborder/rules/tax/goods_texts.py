"""What is said of a tax on goods: the sum written out, what to know about it, why there is none."""

from __future__ import annotations

import polars as pl

from crossborder.rules.context import Context
from crossborder.rules.tax.money import plain
from crossborder.rules.tax.result import joined, said
from crossborder.rules.tax.tariff import is_sample


def how(kind: str, base: pl.Expr, rate: pl.Expr, amount: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    shown = {
        "own": pl.col("_own"), "currency": pl.col("currency"), "fx": plain(pl.col("_fx")), "net": pl.col("_net"),
        "extra": pl.col("_extra"), "value": pl.col("_base"), "duty": pl.col("_duty"), "fixed": pl.col("_fixed"),
        "ct": plain(pl.col("_excise_rate")), "price": pl.col("_price"), "base": base, "rate": plain(rate),
        "amount": amount, "share": plain(pl.col("_share")),
    }  # fmt: skip
    if kind == "A":
        text = (
            "{own}（币制 {currency}）× 汇率 {fx} = {net} 元，加运保费 {extra} = {value} 元；× {rate}% = {amount} 元",
            "{own} (currency {currency}) × {fx} = CNY {net}, with freight and insurance {extra}: {value}; × {rate} % = {amount}",
        )
        return said((pl.lit(value=True), *text, shown))
    with_excise = (
        "（{value} + 关税 {duty} + 从量 {fixed}）÷（1 − {ct}%）× {rate}%",
        "({value} + duty {duty} + specific {fixed}) ÷ (1 − {ct} %) × {rate} %",
    )
    bare = (
        "{value} + 关税 {duty} = {price} 元；× {rate}%",
        "{value} + duty {duty} = CNY {price}; × {rate} %",
    )
    fixed = (
        (" + 从量 {fixed} × {share}%", " + specific {fixed} × {share} %")
        if kind == "Y"
        else ("", "")
    )
    ends = " = {amount} 元", " = {amount}"
    has_fixed = pl.col("_fixed") > 0
    return said(
        (
            has_fixed,
            with_excise[0] + fixed[0] + ends[0],
            with_excise[1] + fixed[1] + ends[1],
            shown,
        ),
        (pl.col("_excise_rate") > 0, with_excise[0] + ends[0], with_excise[1] + ends[1], shown),
        (pl.lit(value=True), bare[0] + ends[0], bare[1] + ends[1], shown),
    )


def noted(kind: str, ctx: Context) -> tuple[pl.Expr, pl.Expr]:
    """What a person should know about a figure; several things one after the other."""
    below = pl.col("_from").is_not_null() & (pl.col("_excise_rate") == 0)
    shown = {"from": plain(pl.col("_from")), "measure": pl.col("_measure")}
    told = [
        said((below, "价格低于每 {measure} {from} 元，不征消费税",
              "below CNY {from} per {measure}: no consumption tax", shown)) if kind == "Y" else None,
        said((pl.col("_duty_rate") > 0, "按最惠国税率估算，未计附加关税与协定税率，以海关为准",
              "an estimate at the MFN rate, without additional duties and agreements; customs' figure counts",
              {})) if kind == "A" else None,
        said((pl.lit(value=True), "税率取自样本税则，仅供演示",
              "the rates are those of the sample tariff, for demonstration only", {})) if is_sample(ctx) else None,
    ]  # fmt: skip
    pairs = [pair for pair in told if pair is not None]
    nothing = pl.lit(None, dtype=pl.String)
    zh = joined([pair[0] for pair in pairs] or [nothing], "；")
    return zh, joined([pair[1] for pair in pairs] or [nothing], "; ")


def missing(kind: str, ctx: Context) -> tuple[pl.Expr, pl.Expr]:
    """Why a tax of a line has no figure; the first reason counts."""
    code = pl.col("commodity_code")
    shown = {
        "code": code, "day": pl.col("_declared"), "currency": pl.col("currency"), "month": pl.lit(ctx.month),
        "measure": pl.col("_measure"), "unit": pl.col("_unit_zh"), "zh": pl.col("_cost_zh"), "en": pl.col("_cost_en"),
    }  # fmt: skip
    excise = kind in ("Y", "L")
    return said(
        (pl.col("_rule").is_null(), "{day} 没有已知的计税规则", "no rule of this tax is known for {day}", shown),
        (pl.col("_over"), "超过单次交易限值且不是单件商品，应按一般贸易，未估算",
         "over the limit of one transaction and not a single item: ordinary trade, not evaluated", shown),
        (pl.col("_unlimited"), "进出口日期没有已知的单次交易限值", "no limit of one transaction is known for the movement date", shown),
        (code.is_null(), "没有商品编号", "there is no commodity number", shown),
        (pl.col("_coverage") == "absent", "没有税则，请导入：crossborder codes import tariff 文件 --from 日期",
         "there is no tariff; import one: crossborder codes import tariff FILE --from DATE", shown),
        (~pl.col("_found"), "税则中没有商品编号 {code}", "the tariff does not hold {code}", shown),
        (pl.col("_by").is_null(), "没有价格", "there is no price", shown),
        (pl.col("_fx").is_null(), "缺少币制 {currency} {month} 的汇率",
         "there is no exchange rate for currency {currency} in {month}", shown),
        (pl.col("_cost_en").is_not_null(), "{zh}", "{en}", shown),
        (pl.col("_extra").is_null(), "另一项商品没有价值，运保费无法分摊",
         "another line has no value, so freight and insurance cannot be shared out", shown),
        (pl.col("_duty_rate").is_null(), "税则没有 {code} 的关税税率", "the tariff has no duty rate for {code}", shown),
        (pl.col("_ct").is_null() & pl.lit(excise), "税则没有 {code} 的消费税税率",
         "the tariff has no consumption tax rate for {code}", shown),
        (pl.col("_excise_rate").is_null() & pl.lit(excise),
         "消费税按每 {measure} 价格判定，但规格型号未写含量",
         "consumption tax goes by the price per {measure}, and the specification names no content", shown),
        (pl.col("_fixed").is_null() & pl.lit(excise), "从量消费税需要以 {unit} 为单位的数量",
         "the specific consumption tax needs a quantity in {unit}", shown),
        (pl.col("_vat").is_null() & pl.lit(kind == "L"), "税则没有 {code} 的增值税税率",
         "the tariff has no VAT rate for {code}", shown),
        (pl.lit(value=True), "数值缺失或过大", "a figure is missing or too large", shown),
    )  # fmt: skip
