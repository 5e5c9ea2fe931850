"""Class B: the tax on inbound personal articles (行邮税), line by line.

Number → table of the day → value by the rule of the day → rate → tax. From 2024-12-01 the actual price counts and the
listed one is the fallback (TAX-02); before, the listed one, unless the actual price is at least twice or at most half
of it (TAX-03). Premium and ordinary cosmetics and watches have two numbers each, and the price decides between them
(TAX-13): the number given counts until the price shows otherwise, and then the line says so.
"""

from __future__ import annotations

from decimal import Decimal

import polars as pl

from crossborder.codes import look_up
from crossborder.rules.context import Context
from crossborder.rules.prepare import number
from crossborder.rules.tax import postal_texts as texts
from crossborder.rules.tax.content import unit_amounts
from crossborder.rules.tax.money import AMOUNT, PERCENT, percent_of, product, to_fen
from crossborder.rules.tax.parameters import Parameters
from crossborder.rules.tax.postal_texts import mapped
from crossborder.rules.tax.result import LINES, shaped

_TABLES = ("parcel_tax", "parcel_tax_2019_partial")
_COLUMNS = ("unit_zh", "dutiable_value_cny", "tax_rate_pct")
_NUMBER = r"^[0-9]{1,9}(\.[0-9]{1,4})?$"


def postal_lines(lines: pl.DataFrame, ctx: Context, parameters: Parameters) -> pl.DataFrame:
    """The tax of class B import lines (as `lines.lines` gives them), columns `LINES`."""
    tabled = lines.hstack(_table_rows(lines, ctx, "commodity_code").get_columns())
    listed = _with_listed(tabled, ctx)
    valued = listed.with_columns(_value(parameters)).with_columns(_base=to_fen(pl.col("_value")))
    rated = _by_price(valued, ctx, parameters)
    return shaped(_taxed(rated, ctx, parameters), LINES)


def _table_rows(lines: pl.DataFrame, ctx: Context, code: str) -> pl.DataFrame:
    """`_found`, `_coverage`, `_unit_zh`, `_listed`, `_rate`: of the first table that is valid on the day."""
    first, second = (
        look_up(lines, ctx.tables, table, code=code, day="_declared", columns=_COLUMNS)
        for table in _TABLES
    )
    both = pl.concat([first, second.rename(lambda name: f"{name}_2")], how="horizontal")
    absent = pl.col("coverage") == "absent"
    row = both.select(
        pl.when(absent).then(pl.col(f"{name}_2")).otherwise(pl.col(name)).alias(name)
        for name in first.columns
    )
    return row.select(
        _found="found",
        _coverage="coverage",
        _unit_zh="unit_zh",
        _listed=_decimal("dutiable_value_cny", AMOUNT),
        _rate=_decimal("tax_rate_pct", PERCENT),
    )


def _decimal(column: str, kind: pl.DataType) -> pl.Expr:
    value = pl.col(column)
    return pl.when(value.str.contains(_NUMBER)).then(value).cast(kind, strict=False)


# -- the value


def _with_listed(lines: pl.DataFrame, ctx: Context) -> pl.DataFrame:
    """`_listed_worth`: the listed price times the quantity in the unit of the table, exact.

    Null where nothing is listed or no unit of the line is that unit.
    """
    ratios = _unit_ratios(ctx)
    worths = []
    for name in ("quantity", "quantity_1"):
        unit = name.replace("quantity", "unit")
        lines = lines.join(
            ratios.rename({"unit": unit, "ratio": f"_ratio_{name}"}), on=["_unit_zh", unit], how="left",
            maintain_order="left",
        )  # fmt: skip
        worths.append(product(number(name), pl.col(f"_ratio_{name}"), pl.col("_listed")))
    return lines.with_columns(_listed_worth=pl.coalesce(worths))


def _unit_ratios(ctx: Context) -> pl.DataFrame:
    """`_unit_zh, unit, ratio`: what one declared unit is of a unit of the tax tables, where that is exact."""
    units = ctx.tables.frame("units")
    codes = dict(zip(units["name_zh"], units["customs_code"], strict=True))
    rows = [(name, code, Decimal(1)) for name, code in codes.items()]
    for measure in ("g", "ml", "m2"):
        held = unit_amounts(measure, ctx)
        for name, code in codes.items():
            rows += [
                (name, unit, amount / held[code])
                for unit, amount in held.items()
                if code in held and unit != code and _exact(amount / held[code])
            ]
    return pl.DataFrame(
        rows, schema={"_unit_zh": pl.String, "unit": pl.String, "ratio": AMOUNT}, orient="row"
    )


def _exact(ratio: Decimal) -> bool:
    return ratio == ratio.quantize(Decimal("0.00001"))


def _value(parameters: Parameters) -> list[pl.Expr]:
    """`_value` (CNY, exact) and `_basis` (price, total, listed) by the rule of the day."""
    actual, listed = pl.col("_worth"), pl.col("_listed_worth")
    priced = pl.col("_by").is_not_null()
    above, below = (parameters.number(f"postal_far_{way}", AMOUNT) for way in ("above", "below"))
    far = (actual >= product(listed, above)) | (actual <= product(listed, below))
    far_or_unlisted = priced & (pl.col("_listed").is_null() | far)
    takes_actual = (
        pl.when(parameters.text("postal_valuation") == "actual_first")
        .then(priced)
        .when(parameters.text("postal_valuation") == "listed_unless_far")
        .then(far_or_unlisted)
    )
    unsure = (
        priced & actual.is_null()
    )  # a price that cannot be converted hides whether it is far from the listed one
    value = (
        pl.when(unsure).then(None).when(takes_actual).then(actual).when(~takes_actual).then(listed)
    )
    basis = pl.when(takes_actual).then(pl.col("_by")).when(~takes_actual).then(pl.lit("listed"))
    return [value.alias("_value"), basis.alias("_basis")]


# -- premium or ordinary


def _by_price(lines: pl.DataFrame, ctx: Context, parameters: Parameters) -> pl.DataFrame:
    """`_own_rate` (of the number given), `_rate` (what counts), `_other` (the number the price speaks for), `_premium`.

    `_premium` says whether the price makes the article a premium one; null: it cannot be told, or does not matter.
    """
    pairs = ctx.tables.frame("parcel_tax_pairs", ctx.declaration_day.isoformat())
    code = pl.col("commodity_code")
    to_ordinary = dict(zip(reversed(pairs["premium"]), reversed(pairs["ordinary"]), strict=True))
    to_premium = dict(zip(pairs["ordinary"], pairs["premium"], strict=True))
    measures = dict(zip(pairs["premium"], pairs["measure"], strict=True))
    measures |= dict(zip(pairs["ordinary"], pairs["measure"], strict=True))
    told = lines.with_columns(
        _measure=mapped(code, measures),
    ).with_columns(_premium=_is_premium(parameters))
    other = (
        pl.when(pl.col("_premium"))
        .then(mapped(code, to_premium))  # of a premium number there is none
        .when(~pl.col("_premium"))
        .then(mapped(code, to_ordinary))
    )
    told = told.with_columns(_other=other)
    others = _table_rows(told, ctx, "_other").select(_other_rate="_rate", _other_found="_found")
    return told.hstack(others.get_columns()).with_columns(
        pl.when("_other_found")
        .then(pl.col("_other_rate"))
        .otherwise(pl.col("_rate"))
        .alias("_rate"),
        pl.when("_other_found").then(pl.col("_other")).alias("_other"),
        pl.col("_rate").alias("_own_rate"),
    )


def _is_premium(parameters: Parameters) -> pl.Expr:
    """The actual price against the bound for what the line holds: `price ≥ bound × content`."""
    value, measure = pl.col("_value"), pl.col("_measure")

    def reaches(content: pl.Expr, name: str) -> pl.Expr:
        return value >= product(content, parameters.number(name, AMOUNT))

    return (
        pl.when(pl.col("_basis") == "listed")
        .then(None)
        .when(measure == "watch")
        .then(reaches(pl.col("_quantity"), "premium_per_watch_cny"))
        .when((measure == "cosmetic") & pl.col("_ml").is_not_null())
        .then(reaches(pl.col("_ml"), "premium_per_ml_cny"))
        .when((measure == "cosmetic") & pl.col("_g").is_not_null())
        .then(reaches(pl.col("_g"), "premium_per_g_cny"))
        .when((measure == "cosmetic") & pl.col("_sheet").is_not_null())
        .then(reaches(pl.col("_sheet"), "premium_per_sheet_cny"))
    )


# -- the tax, and what is said of it


def _taxed(lines: pl.DataFrame, ctx: Context, parameters: Parameters) -> pl.DataFrame:
    amount = percent_of(pl.col("_base"), pl.col("_rate"))
    formula = parameters.rule("postal_rates_pct")
    lines = lines.with_columns(
        amount_cny=pl.when(formula.is_not_null()).then(amount), _near=texts.near(lines, ctx)
    )
    computed = pl.col("amount_cny").is_not_null()
    missing_zh, missing_en = texts.missing(ctx, parameters)
    noted_zh, noted_en = texts.noted()
    how_zh, how_en = texts.how()
    by_price = pl.when(pl.col("_other").is_not_null()).then(pl.lit("TAX-13"))
    rules = pl.concat_str(
        parameters.rule("postal_valuation"), by_price, formula, separator=";", ignore_nulls=True
    )
    return lines.select(
        *("ship", "line", "sheet", "row", "name", "amount_cny"),
        shipment="house_waybill",
        master="master_waybill",
        code="commodity_code",
        kind=pl.lit("W"),
        rule=rules,
        base_cny="_base",
        rate_pct="_rate",
        status=pl.when(computed).then(pl.lit("computed")).otherwise(pl.lit("not_evaluated")),
        basis=pl.when(computed).then("_basis"),
        how_zh=pl.when(computed).then(how_zh),
        how_en=pl.when(computed).then(how_en),
        note_zh=pl.when(computed).then(noted_zh).otherwise(missing_zh),
        note_en=pl.when(computed).then(noted_en).otherwise(missing_en),
        source=parameters.source("postal_rates_pct"),
    )
