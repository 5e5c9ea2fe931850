"""Goods lines: what is in the parcel, how many, what it costs and weighs, exact to the cent and the gram."""

from __future__ import annotations

import polars as pl

from crossborder.samples.draws import Draws
from crossborder.samples.plan import Order
from crossborder.samples.vocabulary import table

_PER_SHIP = 32  # more than any shipment has lines


def compose_lines(order: Order, ships: pl.DataFrame) -> pl.DataFrame:
    """Goods of `ships` (`ship`, `declaration_class`, `lines`, `currency`, `rate`, `grams`, `net_percent`,
    `trade_country`, `cap`, `target`): canonical goods columns plus `cents` (the line's total).

    `cap` is the most a shipment may be worth in CNY; `target` (else null) what it must be worth.
    """
    rows = (
        ships.with_columns(pl.int_ranges(0, pl.col("lines")).alias("line"))
        .explode("line", empty_as_null=False, keep_nulls=False)
        .with_columns(pl.col("line").cast(pl.UInt32))
    )
    draws = Draws(
        rows["ship"].cast(pl.UInt64) * _PER_SHIP + rows["line"].cast(pl.UInt64), order.root
    )
    rows = _what(rows, draws)
    rows = _money(rows, draws)
    rows = _weight(rows)
    return _canonical(order, rows, draws)


def _what(rows: pl.DataFrame, draws: Draws) -> pl.DataFrame:
    """The article of each line, by class: a row of `goods.csv`, some with a colour before the name."""
    goods = table("goods").with_row_index("_item")
    first = dict(goods.group_by("class").agg(pl.col("_item").min()).iter_rows())
    count = dict(goods.group_by("class").len().iter_rows())
    word = draws.word("article")
    item = pl.select(
        pl.coalesce(
            pl.when(rows["declaration_class"] == name).then(first[name] + word % count[name])
            for name in first
        )
    ).to_series()
    colours = table("colours")
    colour = draws.below("colour", colours.height)
    rows = rows.with_columns(
        *goods.drop("_item", "class", "low", "high", "grams", "coloured").select(
            pl.all().gather(item)
        ),
        goods["coloured"].gather(item).eq("1").alias("_coloured"),
        *(
            goods[name].cast(pl.Float64).gather(item).alias(f"_{name}")
            for name in ("low", "high", "grams")
        ),
        colours["zh"].gather(colour).alias("_colour"),
        colours["latin"].gather(colour).alias("_colour_en"),
    )
    few = 1 + draws.position("few", [66, 20, 7, 4, 3])
    many = 1 + draws.below("many", 24)
    return rows.with_columns(
        pl.when("_coloured").then(pl.concat_str("_colour", "zh")).otherwise("zh").alias("name"),
        pl.when("_coloured")
        .then(pl.format("{} {}", "_colour_en", "en"))
        .otherwise("en")
        .alias("name_en"),
        pl.when(pl.col("pieces_wish").is_not_null())
        .then("pieces_wish")
        .when(pl.col("declaration_class") == "C")
        .then(many)
        .otherwise(few)
        .alias("pieces"),
    )


def _money(rows: pl.DataFrame, draws: Draws) -> pl.DataFrame:
    """Price in cents of the shipment's currency, total = price times pieces, below the cap or at the target."""
    between = draws.below("price", 1001) / 1000
    rows = rows.with_columns(
        (pl.col("_low") + (pl.col("_high") - pl.col("_low")) * between).alias("_price")
    )
    worth = (pl.col("_price") * pl.col("pieces")).sum().over("ship")
    scale = (
        pl.when(pl.col("target").is_not_null())
        .then(pl.col("target") / worth)
        .when(worth > pl.col("cap"))
        .then(pl.col("cap") / worth)
        .otherwise(1.0)
    )
    price = (pl.col("_price") * scale / pl.col("rate") * 100).floor().cast(pl.Int64)
    return rows.with_columns(pl.max_horizontal(price, 1).alias("price_cents")).with_columns(
        (pl.col("price_cents") * pl.col("pieces")).alias("cents")
    )


def _weight(rows: pl.DataFrame) -> pl.DataFrame:
    """Grams of each line: shares of the shipment's gross weight by what the articles weigh; they add up to it."""
    heavy = pl.col("_grams") * pl.col("pieces")
    share = (pl.col("grams") - pl.col("lines")) * heavy / heavy.sum().over("ship")
    rows = rows.with_columns((1 + share.floor()).cast(pl.Int64).alias("_gross"))
    rest = pl.col("grams") - pl.col("_gross").sum().over("ship")
    return rows.with_columns(
        (pl.col("_gross") + pl.when(pl.col("line") == 0).then(rest).otherwise(0)).alias(
            "line_grams"
        )
    ).with_columns(
        pl.max_horizontal(pl.col("line_grams") * pl.col("net_percent") // 100, 1).alias("net_grams")
    )


def fixed(value: pl.Expr, places: int) -> pl.Expr:
    """A whole number of cents or grams as text with `places` decimals: 1205 → `12.05`."""
    unit = 10**places
    tail = (value % unit).cast(pl.String).str.zfill(places)
    return pl.format("{}.{}", value // unit, tail)


def _counted(basis: str) -> pl.Expr:
    """A statutory quantity: pieces or kilograms, as the article says."""
    return (
        pl.when(pl.col(basis) == "kg")
        .then(fixed(pl.col("net_grams"), 3))
        .when(pl.col(basis) == "qty")
        .then(pl.col("pieces").cast(pl.String))
    )


def _filled(name: str) -> pl.Expr:
    return pl.when(pl.col(name) != "").then(pl.col(name))


def _canonical(order: Order, rows: pl.DataFrame, draws: Draws) -> pl.DataFrame:
    elsewhere = draws.share("made elsewhere", 20) & (order.direction == "I")
    other = draws.pick("origin", table("places_abroad")["country"])
    goods_of = pl.col("declaration_class") == "C"
    return rows.select(
        "ship",
        "line",
        pl.lit("ADD").alias("operation"),
        (pl.col("line") + 1).cast(pl.String).alias("line_number"),
        _filled("code").alias("commodity_code"),
        "name",
        "name_en",
        "model",
        pl.when(elsewhere).then(other).otherwise("trade_country").alias("origin_country"),
        "currency",
        fixed(pl.col("cents"), 2).alias("total"),
        fixed(pl.col("price_cents"), 2).alias("declared_price"),
        fixed(pl.col("cents"), 2).alias("declared_total"),
        pl.when(goods_of & (pl.col("supervision_mode") == "3010")).then(pl.lit("10")).alias("use"),
        pl.when(goods_of).then(pl.lit("1")).alias("duty_mode"),
        pl.col("pieces").cast(pl.String).alias("quantity"),
        "unit",
        _counted("basis_1").alias("quantity_1"),
        _filled("unit_1").alias("unit_1"),
        _counted("basis_2").alias("quantity_2"),
        _filled("unit_2").alias("unit_2"),
        fixed(pl.col("line_grams"), 3).alias("gross_weight"),
        "cents",
    )
