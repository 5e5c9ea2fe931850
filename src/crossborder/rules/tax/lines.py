"""The goods lines of a hand-in as the tax rules look at them, one row per line with typed columns.

Named as in the canonical frames where a value is as written; helper columns begin with `_`:
`_class`, `_import`, `_export`, `_day` (movement, Date), `_declared` (Date), `_price`, `_quantity`, `_total`
(Decimal(38, 5)), `_fx` (CNY per unit of the currency), `_worth` (what the line is worth in CNY, exact) and `_by`
(`price`: price × quantity; `total`: the declared total, where the price or the quantity is missing), `_own` (its
value in its own currency as a text to show), `_g`, `_ml`, `_sheet` (what the line holds in all).
"""

from __future__ import annotations

import polars as pl

from crossborder.rules.context import Context
from crossborder.rules.prepare import number
from crossborder.rules.tax.content import with_contents
from crossborder.rules.tax.money import AMOUNT, RATE, plain, product
from crossborder.shipments.frames import FrameSet

_HEAD = (
    "house_waybill", "master_waybill", "declaration_class", "direction", "delivery_terms", "freight_mark",
    "freight_currency", "freight_amount", "insurance_mark", "insurance_currency", "insurance_amount",
)  # fmt: skip
_LINE = (
    "ship", "line", "sheet", "row", "commodity_code", "name", "model", "origin_country", "currency", "unit",
    "quantity", "quantity_1", "unit_1", "quantity_2", "unit_2", "declared_price", "declared_total",
)  # fmt: skip


def heads(frames: FrameSet, ctx: Context) -> pl.DataFrame:
    """One row per shipment: its names, class, direction and dates."""
    moved = pl.col("movement_date")
    day = pl.when(moved.str.contains(r"^[0-9]{8}$")).then(moved).str.to_date("%Y%m%d", strict=False)
    return frames.shipments.select(
        "ship",
        "sheet",
        "row",
        "unreadable",
        *_HEAD,
        _class=pl.col("declaration_class"),
        _import=(pl.col("direction") == "I").fill_null(value=False),
        _export=(pl.col("direction") == "E").fill_null(value=False),
        _day=day if ctx.fixed_day is None else pl.lit(ctx.fixed_day),
        _declared=pl.lit(ctx.declaration_day),
    )


def lines(frames: FrameSet, ships: pl.DataFrame, ctx: Context) -> pl.DataFrame:
    """The typed lines of the shipments in `ships` (as `heads` gives them), in order of shipment and line."""
    shown = ships.drop("sheet", "row", "unreadable", "declaration_class")
    given = frames.goods.select(_LINE).join(shown, on="ship", how="inner").sort("ship", "line")
    typed = given.with_columns(
        _price=number("declared_price"),
        _quantity=number("quantity"),
        _total=number("declared_total"),
        _fx=exchange_rate("currency", ctx),
    )
    return with_contents(typed.with_columns(_worth()), ctx)


def exchange_rate(column: str, ctx: Context) -> pl.Expr:
    """CNY per unit of the currency in `column`, of the month of the declaration; null without a rate (LIM-12)."""
    return pl.col(column).replace_strict(
        pl.Series(list(ctx.rates), dtype=pl.String),
        pl.Series(list(ctx.rates.values()), dtype=RATE),
        default=None,
        return_dtype=RATE,
    )


def _worth() -> list[pl.Expr]:
    """The actual price: price × quantity, else the declared total; a price of nothing is no price."""
    price, quantity, total, fx = map(pl.col, ("_price", "_quantity", "_total", "_fx"))
    priced = ((price > 0) & (quantity > 0)).fill_null(value=False)
    summed = (total > 0).fill_null(value=False)
    return [
        pl.when(priced)
        .then(product(price.cast(AMOUNT), quantity.cast(AMOUNT), fx))
        .when(summed)
        .then(product(total, fx))
        .alias("_worth"),
        pl.when(priced).then(pl.lit("price")).when(summed).then(pl.lit("total")).alias("_by"),
        pl.when(priced)
        .then(pl.format("{} × {}", plain(price), plain(quantity)))
        .when(summed)
        .then(plain(total))
        .alias("_own"),
    ]
