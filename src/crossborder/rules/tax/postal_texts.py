"""What is said of the postal-articles tax of a line: the sum written out, what to know about it, why there is none."""

from __future__ import annotations

import polars as pl

from crossborder.codes import nearest_texts
from crossborder.rules.context import Context
from crossborder.rules.tax.money import plain
from crossborder.rules.tax.parameters import Parameters
from crossborder.rules.tax.result import said


def mapped(code: pl.Expr, to: dict[str, str]) -> pl.Expr:
    """A code as what it stands for; null for any other."""
    return code.replace_strict(
        pl.Series(list(to), dtype=pl.String), pl.Series(list(to.values()), dtype=pl.String), default=None,
        return_dtype=pl.String,
    )  # fmt: skip


def near(lines: pl.DataFrame, ctx: Context) -> pl.Series:
    """For unknown numbers the nearest of the table of the day, as a text; null for any other."""
    unknown = ~pl.col("_found") & (pl.col("_coverage") == "complete")
    asked = lines.select(pl.when(unknown).then("commodity_code")).to_series()
    return nearest_texts(ctx.tables.codes("parcel_tax", ctx.declaration_day.isoformat()), asked)


def how() -> tuple[pl.Expr, pl.Expr]:
    """The figures written out: value, then tax."""
    shown = {
        "own": pl.col("_own"), "currency": pl.col("currency"), "fx": plain(pl.col("_fx")),
        "base": pl.col("_base"), "rate": plain(pl.col("_rate")), "amount": pl.col("amount_cny"),
        "listed": plain(pl.col("_listed")), "unit": pl.col("_unit_zh"),
    }  # fmt: skip
    tax = "；{base} × {rate}% = {amount} 元", "; {base} × {rate} % = {amount}"
    listed = pl.col("_basis") == "listed"
    return said(
        (listed, "表列完税价格 {listed} 元/{unit}，共 {base} 元" + tax[0],
         "listed price {listed} per {unit}, CNY {base} in all" + tax[1], shown),
        (pl.col("_fx") == 1, "{own} = {base} 元" + tax[0], "{own} = CNY {base}" + tax[1], shown),
        (pl.lit(value=True), "{own}（币制 {currency}）× 汇率 {fx} = {base} 元" + tax[0],
         "{own} (currency {currency}) × {fx} = CNY {base}" + tax[1], shown),
    )  # fmt: skip


def noted() -> tuple[pl.Expr, pl.Expr]:
    """What a person should know about a figure."""
    told = pl.col("_measure").is_not_null()
    kinds = {
        "other": pl.col("_other"), "code": pl.col("commodity_code"), "base": pl.col("_base"),
        "own": plain(pl.col("_own_rate")), "rate": plain(pl.col("_rate")),
        "held": pl.coalesce(_held("_ml", "ml"), _held("_g", "g"), _held("_sheet", "sheet")),
    }  # fmt: skip
    watch = pl.col("_measure") == "watch"
    other = pl.col("_other").is_not_null()
    listed = pl.col("_basis") == "listed"
    return said(
        (other & watch, "申报税号 {code}（{own}%），按单价应为 {other}（{rate}%），已按单价计",
         "declared as {code} ({own} %); by its price it is {other} ({rate} %), and that counts here", kinds),
        (other, "申报税号 {code}（{own}%），{held} 价值 {base} 元，应为 {other}（{rate}%），已按价格计",
         "declared as {code} ({own} %); CNY {base} for {held} makes it {other} ({rate} %), and that counts here", kinds),
        (told & pl.col("_premium").is_null(),
         "未核对是否高档：规格型号未写容量、重量或片数（如 50ml），按申报税号计",
         "premium or ordinary was not checked: the specification names no volume, weight or number of sheets (e.g. 50ml); "
         "the number given counts", kinds),
        (listed & pl.col("_by").is_null(), "没有实际价格，按表列完税价格计",
         "there is no actual price; the listed one counts", kinds),
    )  # fmt: skip


def _held(column: str, unit: str) -> pl.Expr:
    return pl.when(pl.col(column).is_not_null()).then(
        pl.concat_str(plain(pl.col(column)), pl.lit(f" {unit}"))
    )


def missing(ctx: Context, parameters: Parameters) -> tuple[pl.Expr, pl.Expr]:
    """Why a line has no figure; the first reason counts."""
    code, found = pl.col("commodity_code"), pl.col("_found")
    shown = {
        "code": code, "near": pl.col("_near"), "day": pl.col("_declared"), "currency": pl.col("currency"),
        "month": pl.lit(ctx.month), "unit": pl.col("_unit_zh"), "own_unit": pl.col("unit"),
    }  # fmt: skip
    absent = pl.col("_coverage") == "absent"
    partial = pl.col("_coverage") != "complete"
    alike = pl.col("_near").is_not_null()
    no_price, no_list = pl.col("_by").is_null(), pl.col("_listed").is_null()
    ruled = parameters.rule("postal_rates_pct").is_not_null() & parameters.rule("postal_valuation").is_not_null()  # fmt: skip
    return said(
        (~ruled, "{day} 没有已知的行邮税规则", "no rule of this tax is known for {day}", shown),
        (code.is_null(), "没有行邮税号", "there is no tax number", shown),
        (absent, "{day} 没有行邮税表，请导入：crossborder codes import parcel_tax 文件 --from 日期",
         "there is no tax table for {day}; import one: crossborder codes import parcel_tax FILE --from DATE", shown),
        (~found & partial, "{day} 的税表不完整，没有税号 {code}",
         "the tax table of {day} is not complete and does not hold {code}", shown),
        (~found & alike, "税号 {code} 不在现行税表中，最接近：{near}",
         "the tax number {code} is not in the table in force; nearest: {near}", shown),
        (~found, "税号 {code} 不在现行税表中", "the tax number {code} is not in the table in force", shown),
        (pl.col("_rate").is_null(), "税表没有税号 {code} 的税率", "the table has no rate for {code}", shown),
        (~no_price & pl.col("_fx").is_null(), "缺少币制 {currency} {month} 的汇率",
         "there is no exchange rate for currency {currency} in {month}", shown),
        (no_price & no_list, "没有实际价格，税表也没有完税价格",
         "there is no actual price, and the table lists none", shown),
        (pl.col("_listed_worth").is_null() & ~no_list,
         "须按表列完税价格计，但没有以“{unit}”为单位的数量（申报单位 {own_unit}）",
         "the listed price counts, but no quantity is given in its unit {unit} (declared unit {own_unit})", shown),
        (pl.lit(value=True), "数值缺失或过大", "a figure is missing or too large", shown),
    )  # fmt: skip
