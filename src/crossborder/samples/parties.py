"""Senders, receivers and trading firms: composed names, addresses, telephones and numbers. Nobody real.

Identity numbers carry the code of a prefecture (`330100`), which no person's number does, and a right check
digit; telephones lie in ranges that are not given out or are reserved for fiction; firms carry numbers of
series that are not in use.
"""

from __future__ import annotations

from datetime import date
from functools import cache

import polars as pl

from crossborder.samples.draws import Draws, shuffled
from crossborder.samples.vocabulary import assumptions, column, table

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = pl.Series(list("10X98765432"))
_SCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_FIRMS = 2000


def person_index(ship: pl.Series, seed: int, shipments: int, *, alone: pl.Series) -> pl.Series:
    """Which Chinese party a shipment has (Int64): its own, or one that two or three of a window share.

    Those that stand `alone` have a party of their own, so that their dirt touches no other shipment.
    """
    size = int(assumptions()["parties"]["repeated_window"])
    window, offset = ship.cast(pl.Int64) // size, ship.cast(pl.Int64) % size
    draws, half = Draws(window, seed), size // 2
    first = draws.below("first repeated", size)
    second = (first + 1 + draws.below("second repeated", half)) % size
    third = (first + 1 + half + draws.below("third repeated", size - half - 1)) % size
    again = (offset == first) | (offset == second)
    again = (again | ((offset == third) & draws.share("is third", 50))) & ~alone
    return (window + shipments).zip_with(again, ship.cast(pl.Int64))


def chinese(
    person: pl.Series, seed: int, *, id_type_wish: pl.Series, plain: pl.Series
) -> pl.DataFrame:
    """`name`, `name_latin`, `city`, `city_latin`, `address`, `address_latin`, `phone`, `id_type`, `id`.

    `id_type_wish` overrides the type of document that is drawn; `plain` names have no rare ideograph.
    """
    draws = Draws(person, seed)
    shares = assumptions()["parties"]
    cities, districts, streets = table("cities_cn"), table("districts_cn"), table("streets_cn")
    names = _chinese_names(draws, draws.share("is rare", shares["rare_share"]) & ~plain)
    city = draws.below("city", cities.height)
    district = draws.below("district", districts.height)
    street = draws.below("street", streets.height)
    number = (1 + draws.below("number", 988)).cast(pl.String)
    room = (101 + draws.below("room", 2900)).cast(pl.String)
    drawn = _id_type(draws, shares["identity_card"])
    id_type = id_type_wish.zip_with(id_type_wish.is_not_null(), drawn)
    return pl.DataFrame(
        {
            "name": names["zh"],
            "name_latin": names["latin"],
            "city": cities["zh"].gather(city) + "市",
            "city_latin": cities["latin"].gather(city),
            "address": districts["zh"].gather(district)
            + streets["zh"].gather(street) + number + "号" + room + "室",
            "address_latin": "Room " + room + ", No. " + number + " "
            + streets["latin"].gather(street) + " Road, " + districts["latin"].gather(district),
            "phone": "154" + shuffled(person, seed, 10**8).cast(pl.String).str.zfill(8),
            "id_type": id_type,
            "id": _identity(person, seed, cities["prefecture"].gather(city), id_type),
        }
    )  # fmt: skip


def _chinese_names(draws: Draws, with_rare: pl.Series) -> pl.DataFrame:
    """`zh` and `latin` of a surname and one or two characters, the last of them rare where it is wanted."""
    surnames, given, rare = table("surnames"), table("given"), table("rare")
    family = draws.below("surname", surnames.height)
    first = draws.below("given", given.height)
    second = draws.below("second", given.height)
    odd = draws.below("rare", rare.height)
    frame = pl.DataFrame(
        {
            "family": surnames["zh"].gather(family),
            "family_latin": surnames["latin"].gather(family),
            "first": given["zh"].gather(first),
            "first_latin": given["latin"].gather(first),
            "second": given["zh"].gather(second),
            "second_latin": given["latin"].gather(second),
            "odd": rare["zh"].gather(odd),
            "odd_latin": rare["latin"].gather(odd),
            "is_odd": with_rare,
            "long": draws.share("two characters", 72),
        }
    )
    last, last_latin = (
        pl.when("is_odd").then(pl.col(f"odd{tail}")).when("long").then(pl.col(f"second{tail}")).otherwise(pl.lit(""))
        for tail in ("", "_latin")
    )  # fmt: skip
    called = pl.concat_str("first_latin", last_latin)
    return frame.select(
        pl.concat_str("family", "first", last).alias("zh"),
        pl.format(
            "{} {}",
            called.str.slice(0, 1).str.to_uppercase() + called.str.slice(1),
            "family_latin",
        ).alias("latin"),
    )


def _id_type(draws: Draws, card: float) -> pl.Series:
    rest = (100 - card) / 2
    return draws.weighted("id type", {"1": card, "2": rest, "3": rest})


def _identity(person: pl.Series, seed: int, prefecture: pl.Series, id_type: pl.Series) -> pl.Series:
    """Identity number, passport or permit by type: `330100` + birth date + serial + check digit, `EZ…`, `H0…`."""
    shares = assumptions()["parties"]
    first = date(shares["oldest_birth_year"], 1, 1)
    days = (date(shares["youngest_birth_year"], 12, 31) - first).days + 1
    unique = shuffled(person, seed, days * 999)
    born = pl.select(pl.lit(first) + pl.duration(days=pl.lit(unique // 999))).to_series()
    body = (
        prefecture
        + born.dt.strftime("%Y%m%d")
        + (unique % 999 + 1).cast(pl.String).str.zfill(3)
    )  # fmt: skip
    total = pl.zeros(body.len(), dtype=pl.Int64, eager=True)
    for position, weight in enumerate(_WEIGHTS):
        total = total + body.str.slice(position, 1).cast(pl.Int64) * weight
    card = body + _CHECK.gather(total % 11)
    digits = shuffled(person, seed, 10**7).cast(pl.String).str.zfill(7)
    return pl.select(
        pl.when(id_type == "1").then(card).when(id_type == "2").then("EZ" + digits).otherwise("H0" + digits)
    ).to_series()  # fmt: skip


def abroad(draws: Draws, place: pl.Series) -> pl.DataFrame:
    """`name`, `name_latin`, `city`, `city_latin`, `address`, `address_latin`, `phone` of the party abroad.

    Some texts carry & < > " ' where they must pass. In Hong Kong, Macao and Taiwan name and address are Chinese.
    """
    places, first, last = (
        table("places_abroad"),
        column("latin_first", "latin"),
        column("latin_last", "latin"),
    )
    near = places["country"].is_in(assumptions()["places"]["near"]).gather(place)
    names = _chinese_names(draws, draws.share("no rare name", 0))
    tail = draws.below("phone tail", 1000).cast(pl.String).str.zfill(3)
    frame = pl.DataFrame(
        {
            "near": near,
            "marks": draws.share("marks", assumptions()["parties"]["marks_share"]),
            "zh": names["zh"],
            "zh_latin": names["latin"],
            "first": draws.pick("latin first", first),
            "last": draws.pick("latin last", last),
            "number": (1 + draws.below("street number", 240)).cast(pl.String),
            "street": draws.pick("latin street", column("streets_latin", "latin")),
            "street_zh": draws.pick("zh street", column("streets_cn", "zh")),
            "city": places["city_zh"].gather(place),
            "city_latin": places["city_latin"].gather(place),
            "phone": places["phone_head"].gather(place) + tail.str.slice(1),
        }
    )
    latin = (
        pl.when("marks")
        .then(pl.format('{} O\'{} & Sons <Export> "EU"', "first", "last"))
        .otherwise(pl.format("{} {}", "first", "last"))
    )
    street = (
        pl.when("marks")
        .then(pl.format('Unit "{}" & <rear>, {}', "number", "street"))
        .otherwise(pl.format("{} {}", "number", "street"))
    )
    return frame.select(
        pl.when("near").then("zh").otherwise(latin).alias("name"),
        pl.when("near").then("zh_latin").otherwise(latin).alias("name_latin"),
        "city",
        "city_latin",
        pl.when("near").then(pl.format("{}{}号", "street_zh", "number")).alias("address"),
        pl.when(~pl.col("near")).then(street).alias("address_latin"),
        "phone",
    )


@cache
def firms() -> pl.DataFrame:
    """Trading firms: `code` (registration), `name`, `scc`, `district`, `ownership`."""
    cities = table("cities_cn").filter(pl.col("district") != "")
    heads, trades = table("firms"), table("trades")
    rows = []
    for index in range(_FIRMS):
        city = cities.row(index % cities.height, named=True)
        head = heads["zh"][index // cities.height % heads.height]
        trade = trades["zh"][index // 7 % trades.height]
        kind = "6" if index % 5 else "3"
        code = f"{city['district']}{kind}{'ZY'[index // 1000]}{index % 1000:03d}"
        rows.append(
            (
                code,
                f"{city['zh']}{head}{trade}（虚构）",
                social_credit_code(f"91{city['prefecture']}MAY{index:05d}0"),
                city["district"],
                kind,
            )
        )
    names = ["code", "name", "scc", "district", "ownership"]
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def social_credit_code(body: str) -> str:
    """A unified social credit code: 17 characters and their check character (GB 32100)."""
    total = sum(_SCC.index(c) * pow(3, i, 31) for i, c in enumerate(body))
    return body + _SCC[-total % 31]
