"""The day's skeleton: flights, master waybills, and for every house waybill its class, lines and dirt.

Sizes are drawn in Python once per flight and master (hundreds); everything per house waybill is columnar.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from crossborder.samples.draws import Draws, shuffled
from crossborder.samples.vocabulary import assumptions, table

DIRECTIONS = ("I", "E")


@dataclass(frozen=True)
class Order:
    """What is asked for. `shape` says for which mapping and file suffix dirt must be expressible."""

    shipments: int
    seed: int
    dirty: float = 0.0
    direction: str = "I"
    day: date = field(default_factory=lambda: date.fromisoformat(assumptions()["day"]))
    districts: tuple[str, ...] = field(default_factory=lambda: tuple(assumptions()["districts"]))
    mapping: str = "canonical"
    suffix: str = ".csv"

    @property
    def root(self) -> int:
        """The seed of all draws: another one for each direction."""
        return self.seed * 2 + DIRECTIONS.index(self.direction)


def masters(order: Order) -> pl.DataFrame:
    """One row per master waybill: `master`, `flight`, `first` (its first house), `houses`, and their facts.

    Facts: `master_waybill`, `voyage`, `transport_name`, `place` (row of `places_abroad`), `district`,
    `entry_exit_port`, `transit_declaration` (null unless in transit).
    """
    sizes = _sizes(order)
    frame = pl.DataFrame(sizes, schema={"flight": pl.Int64, "houses": pl.Int64}, orient="row")
    frame = frame.with_row_index("master").with_columns(
        first=(pl.col("houses").cum_sum() - pl.col("houses")).cast(pl.Int64)
    )
    by_master = Draws(frame["master"], order.root)
    by_flight = Draws(frame["flight"], order.root)
    carriers, places = table("carriers"), table("places_abroad")
    carrier = by_flight.below("carrier", carriers.height)
    serial = shuffled(frame["master"], order.root * 104_729, 10_000_000)
    number = 1000 + by_flight.below("flight number", 9000)
    district = pl.Series(order.districts).gather(frame["flight"] % len(order.districts))
    transit = by_master.share("transit", assumptions()["flights"]["transit_share"])
    away = by_master.pick("transit port", pl.Series(assumptions()["flights"]["transit_ports"]))
    return frame.with_columns(
        pl.Series("_prefix", carriers["prefix"].gather(carrier)),
        pl.Series("_serial", serial),
        pl.Series("voyage", carriers["flight"].gather(carrier)) + number.cast(pl.String),
        pl.Series("transport_name", carriers["latin"].gather(carrier)),
        pl.Series(
            "place", by_flight.position("place", places["weight"].cast(pl.Float64).to_list())
        ),
        pl.Series("district", district),
        pl.Series("_transit", transit),
        pl.Series("_away", away),
        pl.Series("_number", by_master.below("transit number", 10**9)),
    ).select(
        "master", "flight", "first", "houses", "voyage", "transport_name", "place", "district",
        pl.format(
            "{}-{}{}",
            "_prefix",
            pl.col("_serial").cast(pl.String).str.zfill(7),
            pl.col("_serial") % 7,
        ).alias("master_waybill"),
        pl.when("_transit").then("_away").otherwise("district").alias("entry_exit_port"),
        pl.when("_transit")
        .then(
            pl.format(
                "{}{}{}",
                "_away",
                pl.lit(str(order.day.year)),
                pl.col("_number").cast(pl.String).str.zfill(9),
            )
        )
        .alias("transit_declaration"),
    )  # fmt: skip


def _sizes(order: Order) -> list[tuple[int, int]]:
    """(flight, houses) of each master; they add up to the shipments asked for.

    A small day keeps its shape: one flight for each district with the least number of masters, so that every
    port has something to do.
    """
    shares = assumptions()["flights"]
    chance = random.Random(order.root)
    least, sigma = shares["masters_least"], shares["houses_sigma"]
    if order.shipments < least * len(order.districts) * shares["houses_median"]:
        flights = [i // least for i in range(least * len(order.districts))]
        drawn = [math.exp(chance.gauss(0, sigma)) for _ in flights]
        marks = [
            0,
            *(round(order.shipments * sum(drawn[: i + 1]) / sum(drawn)) for i in range(len(drawn))),
        ]
        return [(f, b - a) for f, a, b in zip(flights, marks, marks[1:], strict=False) if b > a]
    sizes: list[tuple[int, int]] = []
    left, flight = order.shipments, 0
    while left > 0:
        for _ in range(chance.randint(least, shares["masters_most"])):
            drawn_size = round(shares["houses_median"] * math.exp(chance.gauss(0, sigma)))
            houses = min(max(drawn_size, 1), shares["houses_most"], left)
            sizes.append((flight, houses))
            left -= houses
            if left == 0:
                break
        flight += 1
    return sizes


def skeleton(
    order: Order, all_masters: pl.DataFrame, spoiled: pl.DataFrame, start: int, stop: int
) -> pl.DataFrame:
    """House waybills `start` to `stop`: `ship`, `kind`, `house_waybill`, class, lines, facts of the master.

    `spoiled` is what `dirt.deal` gave; a twin has house waybill and master of the shipment it repeats.
    """
    ship = pl.int_range(start, stop, dtype=pl.UInt32, eager=True).alias("ship")
    draws = Draws(ship, order.root)
    frame = pl.DataFrame(
        {
            "ship": ship,
            "declaration_class": draws.weighted("class", assumptions()["classes"][order.direction]),
            "lines": _lines(draws),
        }
    ).join(spoiled, on="ship", how="left", maintain_order="left")
    seen = frame["twin_of"].fill_null(ship)
    house = shuffled(seen, order.root * 15_485_863, 100_000_000).cast(pl.String).str.zfill(8)
    head = f"HX{DIRECTIONS.index(order.direction) + 1}{order.seed % 1000:03d}"
    master = all_masters["first"].search_sorted(seen.cast(pl.Int64), side="right") - 1
    return frame.drop("twin_of").hstack(
        [
            (head + house).alias("house_waybill"),
            *all_masters.rename({"place": "flight_place"})[master].get_columns(),
        ]
    )


def _lines(draws: Draws) -> pl.Series:
    shares = assumptions()["lines"]
    band = draws.position("lines", list(shares.values()))
    some = 3 + draws.below("some lines", 3)
    many = 6 + draws.below("many lines", 15)
    one, two = pl.Series([1]), pl.Series([2])
    return (
        pl.select(
            pl.when(band == 0).then(one).when(band == 1).then(two).when(band == 2).then(some).otherwise(many)
        )
        .to_series()
        .alias("lines")
    )  # fmt: skip
