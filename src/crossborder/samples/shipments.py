"""Heads: class, places, parties, terms and weights of every shipment of a block; totals come from its lines."""

from __future__ import annotations

from typing import Any

import polars as pl

from crossborder.samples.draws import Draws
from crossborder.samples.lines import compose_lines, fixed
from crossborder.samples.parties import abroad, chinese, firms, person_index
from crossborder.samples.plan import Order
from crossborder.samples.vocabulary import assumptions, table

# terms of delivery → (freight, insurance) present on import; export is the other way round (EXP-10)
_ADDED = {"1": (False, False), "2": (False, True), "3": (True, True), "4": (True, False)}


def compose_block(
    order: Order, plan: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Shipments, goods and documents of a block; canonical columns, goods with `cents`.

    `plan` is a skeleton with `spoiled` and what dirt asks of a shipment: `place_wish` (`near`, `far` or null),
    `terms_wish`, `id_type_wish`, `target`, `grams_wish`, `pieces_wish`.
    """
    draws = Draws(plan["ship"], order.root)
    ships = _facts(order, plan, draws)
    goods = compose_lines(order, ships)
    heads = _heads(order, ships, draws, goods)
    return heads, goods, _documents(order, ships, draws)


def _facts(order: Order, plan: pl.DataFrame, draws: Draws) -> pl.DataFrame:
    shares = assumptions()
    places = table("places_abroad")
    near = places["country"].is_in(shares["places"]["near"])
    place = _place(plan, draws, near)
    direction = order.direction
    values, weights = shares["values"], shares["weights"]
    cap = pl.col("declaration_class").replace_strict(values["most"], return_dtype=pl.Float64)
    if direction == "E":
        b_cap = (
            pl.when("near").then(values["most_export_b_near"]).otherwise(values["most_export_b"])
        )
        cap = pl.when(pl.col("declaration_class") == "B").then(b_cap).otherwise(cap)
    grams = draws.lognormal("weight", weights["median"][direction], weights["sigma"])
    grams = grams.clip(weights["least"], weights["most"]).cast(pl.Int64)
    net = weights["net_least"] + draws.below("net", weights["net_most"] - weights["net_least"] + 1)
    rates = {r["currency"]: float(r["rate"]) for r in table("rates").iter_rows(named=True)}
    kind = draws.position(
        "currency",
        [
            shares["values"]["own_currency"],
            shares["values"]["dollar"],
            100 - shares["values"]["own_currency"] - shares["values"]["dollar"],
        ],
    )
    own = places["currency"].gather(place)
    mode = pl.when(draws.share("mode", shares["terms"]["samples_mode"])).then(pl.lit("3010"))
    return plan.with_columns(
        pl.Series("place", place),
        near.gather(place).alias("near"),
        places["country"].gather(place).alias("trade_country"),
        pl.max_horizontal(pl.coalesce("grams_wish", pl.lit(grams)), pl.col("lines") * 10).alias(
            "grams"
        ),
        pl.Series("net_percent", net),
        pl.when(kind == 0)
        .then(own)
        .when(kind == 1)
        .then(pl.lit("502"))
        .otherwise(pl.lit("142"))
        .alias("currency"),
        pl.when(pl.col("declaration_class") == "C")
        .then(mode.otherwise(pl.lit("0110")))
        .alias("supervision_mode"),
        _terms(order, draws).alias("delivery_terms"),
    ).with_columns(
        cap.alias("cap"),
        pl.col("currency").replace_strict(rates | {"142": 1.0}, return_dtype=pl.Float64).alias("rate"),
    )  # fmt: skip


def _place(plan: pl.DataFrame, draws: Draws, near: pl.Series) -> pl.Series:
    """Row of `places_abroad` for each shipment: mostly the flight's, else another; as dirt wishes it."""
    weights = table("places_abroad")["weight"].cast(pl.Float64)
    usual = draws.share("of the flight", assumptions()["places"]["of_the_flight"])
    any_place = draws.position("place", weights.to_list())
    near_place = draws.position("near place", (weights * near).to_list())
    far_place = draws.position("far place", (weights * ~near).to_list())
    return plan.select(
        pl.when(pl.col("place_wish") == "near")
        .then(near_place)
        .when(pl.col("place_wish") == "far")
        .then(far_place)
        .when(usual)
        .then("flight_place")
        .otherwise(any_place)
    ).to_series()


def _terms(order: Order, draws: Draws) -> pl.Expr:
    usual = "1" if order.direction == "I" else "3"
    drawn = draws.weighted("terms", assumptions()["terms"][order.direction])
    return (
        pl.when(pl.col("declaration_class") == "B")
        .then(None)
        .when(pl.col("terms_wish").is_not_null())
        .then("terms_wish")
        .when(pl.col("declaration_class") == "C")
        .then(drawn)
        .otherwise(pl.lit(usual))
    )


def _heads(order: Order, ships: pl.DataFrame, draws: Draws, goods: pl.DataFrame) -> pl.DataFrame:
    person = person_index(ships["ship"], order.root, order.shipments, alone=ships["spoiled"])
    ours = chinese(person, order.root, id_type_wish=ships["id_type_wish"], plain=ships["spoiled"])
    theirs = abroad(draws, ships["place"])
    trader = firms()[draws.below("firm", firms().height)]
    private = ships["declaration_class"] == "B"
    frame = ships.hstack(_totals(goods).drop("ship")).with_columns(
        *_trader(trader, ships, draws),
        *_parties(order, ours, theirs),
        ours["id_type"].zip_with(private, _none(ships.height)).alias("party_id_type"),
        ours["id"].zip_with(private, _none(ships.height)).alias("party_id"),
        *_charges(order, draws),
        table("places_abroad")["port"].gather(ships["flight_place"]).alias("foreign_port"),
        draws.weighted("pieces", assumptions()["pieces"]).alias("pieces"),
        draws.weighted("packaging", {"2": 60, "6": 40}).alias("packaging"),
        pl.when(draws.share("remark", 5)).then(pl.lit("轻拿轻放")).alias("remarks"),
        pl.when(draws.share("stop", 15)).then(pl.lit("Seoul/Osaka")).otherwise(pl.lit("N"))
        .alias("stop_cities_en") if order.direction == "I" else _nothing("stop_cities_en"),
    )  # fmt: skip
    day = order.day.strftime("%Y%m%d")
    constant = {
        "operation": "ADD", "direction": order.direction, "movement_date": day, "transport_mode": "5",
        "declarant_type": "0", "wooden_packaging": "0", "used_goods": "0", "low_temperature": "0",
    }  # fmt: skip
    return frame.with_columns(
        *(pl.lit(value).alias(name) for name, value in constant.items()),
        pl.col("district").alias("declaration_port"),
        fixed(pl.col("grams"), 3).alias("gross_weight"),
        fixed((pl.col("grams") * pl.col("net_percent") + 50) // 100, 3).alias(
            "net_weight"
        ),
        pl.when(pl.col("declaration_class") == "C").then(pl.lit("101")).alias("levy_nature"),
    ).drop(
        "lines", "place", "near", "grams", "net_percent", "cap", "rate", "target", "district", "flight", "first",
        "houses", "flight_place", "spoiled", pl.selectors.ends_with("_wish"),
    )  # fmt: skip


def _none(height: int) -> pl.Series:
    return pl.Series([None], dtype=pl.String).new_from_index(0, height)


def _nothing(name: str) -> pl.Expr:
    return pl.lit(None, dtype=pl.String).alias(name)


def _totals(goods: pl.DataFrame) -> pl.DataFrame:
    """Value and main goods of each shipment: the line with the greatest total, the first of several."""
    best = pl.col("cents").arg_max()
    return (
        goods.group_by("ship", maintain_order=True)
        .agg(
            pl.col("cents").sum(),
            pl.col("name").get(best).alias("main_goods_name"),
            pl.col("name_en").get(best).alias("main_goods_name_en"),
        )
        .with_columns(fixed(pl.col("cents"), 2).alias("total_value"))
        .drop("cents")
    )


def _trader(trader: pl.DataFrame, ships: pl.DataFrame, draws: Draws) -> list[pl.Series]:
    """Trading enterprise, its district and ownership for class C; nothing for A and B."""
    goods = ships["declaration_class"] == "C"
    coded = goods & draws.share("with scc", assumptions()["terms"]["social_credit_code"])
    none = _none(ships.height)
    return [
        trader["code"].zip_with(goods, none).alias("trading_company_code"),
        trader["name"].zip_with(goods, none).alias("trading_company_name"),
        trader["scc"].zip_with(coded, none).alias("trading_company_scc"),
        trader["district"].zip_with(goods, none).alias("owner_district"),
        trader["ownership"].zip_with(goods, none).alias("ownership_type"),
    ]


def _parties(order: Order, ours: pl.DataFrame, theirs: pl.DataFrame) -> list[pl.Series]:
    """Import: they send and we receive; export the other way round. `near` addresses are Chinese only."""
    names = ("name", "city", "address", "phone")
    sends, receives = (theirs, ours) if order.direction == "I" else (ours, theirs)
    here, there = ("receiver", "sender") if order.direction == "I" else ("sender", "receiver")
    columns = [sends[name].alias(f"sender_{name}") for name in names]
    columns += [receives[name].alias(f"receiver_{name}") for name in names]
    columns += [
        sends["name_latin"].alias("sender_name_en"),
        receives["name_latin"].alias("receiver_name_en"),
        sends["city_latin"].alias("sender_city_en"),
        sends["address_latin"].alias("sender_address_en"),
        receives["address_latin"].alias("receiver_address_en"),
        _none(ours.height).fill_null("142").alias(f"{here}_country"),
    ]
    return [c for c in columns if c.name != f"{there}_country"]


def _charges(order: Order, draws: Draws) -> list[pl.Expr]:
    """Freight and insurance as the terms want them, and the country of the party abroad."""
    there = "sender_country" if order.direction == "I" else "receiver_country"
    found: list[pl.Expr] = [pl.col("trade_country").alias(there)]
    for position, name in enumerate(("freight", "insurance")):
        wanted = [t for t, added in _ADDED.items() if added[position] == (order.direction == "I")]
        goods = pl.col("declaration_class") != "B"
        present = goods & (
            pl.col("delivery_terms").is_in(wanted)
            | (
                (pl.col("delivery_terms") == "5")
                & pl.lit(draws.share(f"{name} at market price", 50))
            )
        )
        rate = pl.lit(draws.share(f"{name} as rate", 25))
        amount = pl.lit(500 + draws.below(f"{name} amount", 9000))
        found += [
            pl.when(present).then(pl.when(rate).then(pl.lit("1")).otherwise(pl.lit("3"))).alias(f"{name}_mark"),
            pl.when(present & ~rate).then(pl.lit("142")).alias(f"{name}_currency"),
            pl.when(present & rate).then(pl.lit("0.3")).when(present).then(fixed(amount, 2)).alias(f"{name}_amount"),
        ]  # fmt: skip
    return found


def _documents(order: Order, ships: pl.DataFrame, draws: Draws) -> pl.DataFrame:
    """An invoice number for some of class C (no kind: kinds are licences, which class C may not hold)."""
    has = (ships["declaration_class"] == "C") & draws.share(
        "invoice", assumptions()["terms"]["invoice_share"]
    )
    number: Any = pl.format(
        "INV{}-{}",
        pl.lit(order.day.strftime("%Y%m%d")),
        pl.col("ship").cast(pl.String).str.zfill(7),
    )
    return ships.filter(has).select(
        "ship",
        pl.lit(0, dtype=pl.UInt32).alias("doc"),
        pl.lit("ADD").alias("operation"),
        pl.lit("1").alias("order_number"),
        number.alias("number"),
    )
