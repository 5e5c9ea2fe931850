"""Duty, consumption tax and VAT of imported goods: the estimate for class C, and retail e-commerce.

Both are one calculation, with the figures of their rules put in:

    duty             = value × duty rate
    composite price  = (value + duty + quantity × specific amount) / (1 − consumption tax rate)
    consumption tax  = composite price × consumption tax rate + quantity × specific amount
    VAT              = composite price × VAT rate

Class C takes the MFN rate and all of the taxes (TAX-08). Retail e-commerce takes the duty rate and the share of VAT and
consumption tax of the day (TAX-10: 0 and 70 per cent); over the single limit, one single item pays everything
(CBL-03), anything else is ordinary trade and not evaluated. Value and taxes are rounded half up to the fen, each once.
Additional duties and rates of agreements are in no table of ours, and notes say so: customs' figures count.
"""

from __future__ import annotations

from decimal import Decimal

import polars as pl

from crossborder.rules.context import Context
from crossborder.rules.prepare import countable
from crossborder.rules.tax import goods_texts as texts
from crossborder.rules.tax.content import HELD, measured
from crossborder.rules.tax.customs_value import with_customs_value
from crossborder.rules.tax.money import (
    AMOUNT,
    CNY,
    EXACT,
    PERCENT,
    composite,
    of_composite,
    percent_of,
    product,
    to_fen,
)
from crossborder.rules.tax.parameters import Parameters
from crossborder.rules.tax.result import LINES, shaped
from crossborder.rules.tax.tariff import tariff_rows

_ALL = pl.lit(Decimal(100), dtype=PERCENT)
_NOTHING = pl.lit(Decimal(0), dtype=CNY)
_KINDS = (("A", "_duty", "_duty_rate"), ("Y", "_excise", "_excise_rate"), ("L", "_vat_due", "_vat"))


def goods_lines(lines: pl.DataFrame, ctx: Context, parameters: Parameters) -> pl.DataFrame:
    """Class C import lines: three rows each (A duty, Y consumption tax, L VAT), columns `LINES`."""
    valued = with_customs_value(lines, ctx, terms=True)
    known = valued.hstack(tariff_rows(valued, ctx).get_columns()).with_columns(
        _duty_rate="_mfn",
        _share=pl.when(parameters.rule("goods_formula").is_not_null()).then(_ALL),
        _rule=parameters.rule("goods_formula"),
        _source=parameters.source("goods_formula"),
        _over=pl.lit(value=False),
        _unlimited=pl.lit(value=False),
    )
    return _told(_taxed(known, ctx), ctx)


def ecommerce_lines(lines: pl.DataFrame, ctx: Context, parameters: Parameters) -> pl.DataFrame:
    """Import lines as retail e-commerce: three rows each, columns `LINES`."""
    valued = with_customs_value(lines, ctx, terms=False)
    limit = parameters.number("ecommerce_limit_cny", CNY)
    one = (pl.len().over("ship") == 1) & (pl.col("_quantity") == 1) & countable(ctx)
    beyond = pl.col("_base").sum().over("ship") > limit
    full = beyond & one.fill_null(value=False) & parameters.rule("ecommerce_single_item").is_not_null()  # fmt: skip
    ruled = parameters.rule("ecommerce_formula").is_not_null()
    rules = pl.concat_str(
        pl.lit("TAX-11"), parameters.rule("ecommerce_formula"),
        pl.when(full).then(parameters.rule("ecommerce_single_item")), separator=";", ignore_nulls=True,
    )  # fmt: skip
    share = pl.when(full).then(_ALL).otherwise(parameters.number("ecommerce_share_pct", PERCENT))
    levied = ruled & pl.col("_found") & limit.is_not_null() & ~pl.col("_over")
    duty = pl.when(full).then("_mfn").otherwise(parameters.number("ecommerce_duty_pct", PERCENT))
    known = (
        valued.hstack(tariff_rows(valued, ctx).get_columns())
        .with_columns(_over=(beyond & ~full).fill_null(value=False), _unlimited=limit.is_null())
        .with_columns(
            _duty_rate=duty,
            _share=pl.when(levied).then(share),
            _rule=pl.when(ruled).then(rules),
            _source=parameters.source("ecommerce_formula"),
        )
    )
    return _told(_taxed(known, ctx), ctx)


def ecommerce_tax(
    value: pl.Expr, vat: pl.Expr, consumption: pl.Expr, *, share: pl.Expr, specific: pl.Expr | None = None
) -> tuple[pl.Expr, pl.Expr]:  # fmt: skip
    """(consumption tax, VAT) of an amount within the limits, both CNY.

    `value` is CNY with freight and insurance, rates and share are PERCENT, `specific` is CNY (quantity × amount a unit).
    """
    fixed = _NOTHING if specific is None else specific
    net = value + fixed
    return (
        of_composite(net, consumption, consumption, plus=fixed, share=share),
        of_composite(net, consumption, vat, plus=_NOTHING, share=share),
    )


# -- the figures


def _taxed(lines: pl.DataFrame, ctx: Context) -> pl.DataFrame:
    """The three taxes and what they are taken on; null where something is missing."""
    lines = lines.with_columns(_excise_rate=_excise_rate(ctx), _fixed=_fixed(ctx))
    share, rate = pl.col("_share"), pl.col("_excise_rate")
    duty = pl.when(share.is_not_null()).then(percent_of(pl.col("_base"), pl.col("_duty_rate")))
    net = pl.col("_base") + pl.col("_duty") + pl.col("_fixed")
    return lines.with_columns(_duty=duty).with_columns(
        _price=composite(net, rate),
        _excise=of_composite(net, rate, rate, plus=pl.col("_fixed"), share=share),
        _vat_due=of_composite(net, rate, pl.col("_vat"), plus=_NOTHING, share=share),
    )


def _excise_rate(ctx: Context) -> pl.Expr:
    """The consumption tax rate; 0 where the price per measure is below the bound from which it is due (TAX-13)."""
    bound, measure, value = pl.col("_from"), pl.col("_measure"), pl.col("_base")
    pieces = pl.when(countable(ctx)).then(pl.col("_quantity"))
    by_words = {"g": ("_g",), "ml": ("_ml",), "g;ml": ("_ml", "_g"), "sheet": ("_sheet",)}
    held: pl.Expr = pl.when(measure == "each").then(pieces.cast(HELD))
    for words, columns in by_words.items():
        held = pl.when(measure == words).then(pl.coalesce(columns)).otherwise(held)
    due = value.cast(EXACT) >= product(held, bound)
    return (
        pl.when(bound.is_null() & measure.is_null())
        .then(pl.col("_ct"))
        .when(due)
        .then(pl.col("_ct"))
        .when(~due)
        .then(pl.lit(Decimal(0), dtype=PERCENT))
    )


def _fixed(ctx: Context) -> pl.Expr:
    """The specific part: quantity × amount a unit, in CNY; 0 where there is none."""
    each, unit = pl.col("_specific"), pl.col("_unit_zh")
    quantities = ("quantity", "quantity_1", "quantity_2")
    amount = {
        "升": measured("ml", quantities, ctx), "毫升": measured("ml", quantities, ctx),
        "千克": measured("g", quantities, ctx), "克": measured("g", quantities, ctx),
    }  # fmt: skip
    thousandth = {"升", "千克"}
    held: pl.Expr = pl.lit(None, dtype=HELD)
    for name, quantity in amount.items():
        part = Decimal("0.001") if name in thousandth else Decimal(1)
        held = pl.when(unit == name).then(quantity * pl.lit(part, dtype=AMOUNT)).otherwise(held)
    none = (each.is_null() & unit.is_null()) | (each == 0)
    return pl.when(none).then(_NOTHING).otherwise(to_fen(product(held, each)))


# -- what is said of them


def _told(lines: pl.DataFrame, ctx: Context) -> pl.DataFrame:
    """A row per line and tax."""
    # what stands for a line stands for its three taxes; each may still be missing by itself
    return shaped(
        pl.concat(
            _rows(lines, at, kind, amount, rate, ctx)
            for at, (kind, amount, rate) in enumerate(_KINDS)
        ).sort("ship", "line", "_at"),
        LINES,
    )


def _rows(
    lines: pl.DataFrame, at: int, kind: str, amount: str, rate: str, ctx: Context
) -> pl.DataFrame:
    computed = pl.col(amount).is_not_null()
    base = pl.col("_base" if kind == "A" else "_price")
    applied = pl.col(rate) if kind == "A" else _effective(pl.col(rate))
    how_zh, how_en = texts.how(kind, base, applied, pl.col(amount))
    missing_zh, missing_en = texts.missing(kind, ctx)
    noted_zh, noted_en = texts.noted(kind, ctx)
    return lines.select(
        *("ship", "line", "sheet", "row", "name"),
        _at=pl.lit(at),
        shipment="house_waybill",
        master="master_waybill",
        code="commodity_code",
        kind=pl.lit(kind),
        rule=_rule(kind),
        base_cny=base,
        rate_pct=applied,
        amount_cny=pl.col(amount),
        status=pl.when(computed).then(pl.lit("computed")).otherwise(pl.lit("not_evaluated")),
        basis=pl.when(computed).then("_by"),
        how_zh=pl.when(computed).then(how_zh),
        how_en=pl.when(computed).then(how_en),
        note_zh=pl.when(computed).then(noted_zh).otherwise(missing_zh),
        note_en=pl.when(computed).then(noted_en).otherwise(missing_en),
        source="_source",
    )


def _rule(kind: str) -> pl.Expr:
    if kind != "Y":
        return pl.col("_rule")
    bounded = pl.when(pl.col("_from").is_not_null()).then(pl.lit("TAX-13"))
    return pl.concat_str(pl.col("_rule"), bounded, separator=";", ignore_nulls=True)


def _effective(rate: pl.Expr) -> pl.Expr:
    """The rate times the share that is levied: 13 % × 70 % = 9.1 %."""
    return (
        (rate.cast(pl.Decimal(38, 8)) * pl.col("_share") * pl.lit(Decimal("0.01"), dtype=AMOUNT))
        .round(4, mode="half_away_from_zero")
        .cast(PERCENT)
    )
