"""What the rules look up, made once: tables, limits, word lists, and the settings of the firm.

Settings under `[options]` count; a firm that switches rules (`[rules]`) is not provided for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache

from benchmarks.baseline.characters import digits
from benchmarks.baseline.words import GoodsWords, Words, goods_words, words
from crossborder.rules import Context

THREE = frozenset(f"{n:03}" for n in range(1000))
"""Every code of three digits."""
_FIRST_BIRTH = date(1900, 1, 1)


@dataclass(frozen=True, slots=True)
class Limit:
    """One dated value limit; dates are yyyyMMdd."""

    rule: str
    kind: str
    direction: str
    first: str
    last: str
    territory: str
    countries: frozenset[str]
    most: Decimal

    def holds(self, kind: str, direction: str, day: str, country: str | None) -> bool:
        """Whether it is about such a shipment; where the country is not known only one for any country is."""
        if self.kind != kind or self.direction != direction or not self.first <= day <= self.last:
            return False
        if self.territory == "any":
            return True
        return country is not None and (country in self.countries) == (self.territory == "in")


@dataclass(frozen=True, slots=True)
class Facts:
    """Tables and settings, in the shape in which the rules ask."""

    today: str
    declared: date
    births: frozenset[str]
    limits: tuple[Limit, ...]
    rates: dict[str, Decimal]
    countable: frozenset[str]
    parcel_tax: frozenset[str] | None
    provinces: tuple[str, ...]
    permits: tuple[str, ...]
    served: tuple[str, ...]
    classes: tuple[str, ...]
    words: Words
    goods: GoodsWords
    restricted: tuple[str, ...]
    tolerance: Decimal
    noted_share: Decimal
    refused_share: Decimal
    house_weight: Decimal
    piece_weight: Decimal
    heavy: Decimal
    resale: Decimal
    restricted_least: Decimal
    milk_powder: Decimal
    repeat_parcels: int
    split_parcels: int
    phone_identities: int
    split_signal: str
    unstated_facts: str
    mode_3039: str
    rare_ideographs: str
    chinese_name: str
    known_limits: dict[tuple[str, str, str, str | None], Limit | None] = field(default_factory=dict)

    def limit(self, kind: str, direction: str, day: str, country: str | None) -> Limit | None:
        """The limit that counts, of several the strictest; remembered, for a day has few different ones."""
        asked = (kind, direction, day, country)
        if asked not in self.known_limits:
            mine = (one for one in self.limits if one.holds(*asked))
            self.known_limits[asked] = min(mine, key=lambda one: one.most, default=None)
        return self.known_limits[asked]


def facts(context: Context, served: Sequence[str]) -> Facts:
    """The same tables and settings that the engine's rules use, of the day of declaration."""
    tables, option, number = context.tables, context.option, context.number
    on = context.declaration_day.isoformat()
    units = tables.frame("units").to_dicts()
    regions = tables.frame("id_regions").to_dicts()
    of_kind = {k: [r["prefix"] for r in regions if r["kind"] == k] for k in _REGIONS}
    provinces = of_kind["province"]
    complete = tables.coverage("parcel_tax", on) == "complete"
    return Facts(
        today=context.declared_on,
        declared=context.declared_day,
        births=_days(_FIRST_BIRTH, context.declared_day),
        limits=_limits(context),
        rates=dict(context.rates),
        countable=frozenset(u["customs_code"] for u in units if u.get("kind", "count") == "count"),
        parcel_tax=tables.codes("parcel_tax", on) if complete else None,
        provinces=(*provinces, *(f + p for f in of_kind["permanent_residence"] for p in provinces)),
        permits=tuple(of_kind["residence_permit"]),
        served=tuple(served),
        classes=tuple(context.profile.classes),
        words=words(context),
        goods=goods_words(context),
        restricted=tuple(context.words("restricted_tax_numbers")),
        tolerance=number("total_tolerance"),
        noted_share=number("total_tolerance_percent") / 100,
        refused_share=number("total_reject_percent") / 100,
        house_weight=number("house_weight_kg"),
        piece_weight=number("piece_weight_kg"),
        heavy=min(number("house_weight_kg"), number("piece_weight_kg")),
        resale=number("resale_quantity"),
        restricted_least=number("restricted_quantity"),
        milk_powder=number("milk_powder_kg"),
        repeat_parcels=int(number("repeat_parcels")),
        split_parcels=int(number("split_parcels")),
        phone_identities=int(number("phone_identities")),
        split_signal=option("split_signal"),
        unstated_facts=option("unstated_facts"),
        mode_3039=option("mode_3039"),
        rare_ideographs=option("supplementary_ideographs"),
        chinese_name=option("require_chinese_name"),
    )


_REGIONS = ("province", "residence_permit", "permanent_residence")


def _limits(context: Context) -> tuple[Limit, ...]:
    return tuple(
        Limit(
            row["rule"], row["declaration_class"], row["direction"], row["effective_from"].replace("-", ""),
            (row["effective_to"] or "9999-12-31").replace("-", ""), row["territory"],
            frozenset((row["countries"] or "").split(";")), Decimal(row["value_cny"]),
        )
        for row in context.tables.frame("limits").to_dicts()
    )  # fmt: skip


@lru_cache(maxsize=4)
def _days(first: date, last: date) -> frozenset[str]:
    """Every day of a span as yyyyMMdd: to look one up takes a fraction of the time of reading it as a date."""
    numbers = range(first.toordinal(), last.toordinal() + 1)
    return frozenset(date.fromordinal(number).strftime("%Y%m%d") for number in numbers)


@lru_cache(maxsize=4096)
def day(text: str | None) -> date | None:
    """A day written yyyyMMdd; remembered, for the shipments of a file have few different ones."""
    if text is None or len(text) != 8 or not digits(text):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None
