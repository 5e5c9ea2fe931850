"""Rules that compare the shipments of a file: the same waybill, the same person, one purchase in several parcels."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Protocol

from benchmarks.baseline.facts import Facts, day
from benchmarks.baseline.found import Found
from benchmarks.baseline.in_force import not_yet
from benchmarks.baseline.numbers import number
from benchmarks.baseline.spec import Shipment

RULES = ("CLS-17", "EXP-48", "ID-07")
_dropped = re.compile(
    "[\\t-\\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\\-\u2010-\u2014\u2212]"
)


Key = tuple[str | None, str | None, str | None]
"""Master and house waybill without blanks and hyphens, and the direction: the business key, if nothing is missing."""


class One(Protocol):
    """A shipment, its business key, and what is found of it."""

    @property
    def ship(self) -> Shipment:
        """What is declared."""

    @property
    def key(self) -> Key:
        """Its business key."""

    @property
    def found(self) -> Found:
        """What it is found to break."""


Of = Callable[[One], str | None]
"""Something of a shipment."""


def key(ship: Shipment) -> Key:
    """The business key of a shipment."""
    master, house = ship["BillNo"], ship["AssBillNo"]
    return (
        None if master is None else _master(master),
        None if house is None else _normal(house),
        ship["IEFlag"],
    )


def _normal(waybill: str) -> str:
    if waybill.isalnum() and waybill.isascii():
        return waybill.upper()
    return _dropped.sub("", unicodedata.normalize("NFKC", waybill)).upper()


_master = lru_cache(maxsize=1024)(_normal)
"""One master waybill stands in many shipments."""


def waybills(own: Key, found: Found) -> None:
    """EXP-48 of a key by itself: numbers with nothing in them, a house waybill like its master."""
    master, house, _ = own
    if master == "" or house == "":
        found.refuse("EXP-48")
    if master == house and master is not None:
        found.note("EXP-48")


def judge(every: Sequence[One], look: Facts) -> None:
    """All rules that compare, over what was read of a file."""
    _twins(every)
    least = 1 if look.repeat_parcels <= 1 else 2
    for group in _by_person(every):
        if len(group) >= least:
            _person(group, look)
    by_phone, by_address = _by_side(every)
    for group in by_phone:
        if len(group) > 1:
            _phone(group, look)
    for group in by_address:
        if len(group) > 1:
            _split(group, look, different=(_id, _telephone))


Groups = Collection[Sequence[One]]


def _twins(every: Sequence[One]) -> None:
    """EXP-48: of shipments with the same key each is refused, for which of them is right cannot be known."""
    found: dict[Key, One] = {}
    for one in every:
        first = found.setdefault(one.key, one)
        if first is not one and None not in one.key:
            for twin in (first, one):
                if _in_force("EXP-48", twin):
                    twin.found.refuse("EXP-48")


def _by_person(every: Sequence[One]) -> Groups:
    found: dict[str, list[One]] = {}
    for one in every:
        own = one.ship["SendId"]
        if own is not None:
            found.setdefault(own, []).append(one)
    return found.values()


def _by_side(every: Sequence[One]) -> tuple[Groups, Groups]:
    """By telephone and, of class B, by address of the Chinese side."""
    phones: dict[str, list[One]] = {}
    addresses: dict[str, list[One]] = {}
    for one in every:
        ship = one.ship
        direction = ship["IEFlag"]
        if direction == "I":
            phone, address = ship["ReceiveTelNo"], ship["ReceiveAddress"]
        elif direction == "E":
            phone, address = ship["SendTelNo"], ship["SendAddress"]
        else:
            continue
        if phone is not None:
            phones.setdefault(phone, []).append(one)
        if address is not None and ship["EntryType"] == "B":
            addresses.setdefault(address, []).append(one)
    return phones.values(), addresses.values()


def _in_force(rule: str, one: One) -> bool:
    return rule not in not_yet(one.ship["IEDate"])


def _note(rule: str, ones: Iterable[One]) -> None:
    for one in ones:
        if _in_force(rule, one):
            one.found.note(rule)


def _person(group: Sequence[One], look: Facts) -> None:
    """One number: several names, many parcels, one purchase in several parcels."""
    if len(set(map(_name, group))) > 1:
        _note("ID-07", group)
    parcels = [one for one in group if one.ship["EntryType"] == "B"]
    if len(parcels) >= look.repeat_parcels:
        for one in parcels:
            if _in_force("CLS-17", one):
                one.found.hold("CLS-17")
    else:
        _split(parcels, look, held=look.split_signal == "hold")


def _phone(group: Sequence[One], look: Facts) -> None:
    """One telephone: many numbers of persons, one purchase in several parcels."""
    named = [one for one in group if one.ship["SendId"] is not None]
    if len(set(map(_id, named))) >= look.phone_identities:
        _note("ID-07", named)
    _split([one for one in group if one.ship["EntryType"] == "B"], look, different=(_id,))


def _name(one: One) -> str | None:
    return _of_side(one, "Name")


def _telephone(one: One) -> str | None:
    return _of_side(one, "TelNo")


def _of_side(one: One, what: str) -> str | None:
    side = {"I": "Receive", "E": "Send"}.get(one.ship["IEFlag"])
    found: str | None = one.ship[f"{side}{what}"] if side else None
    return found


def _id(one: One) -> str | None:
    found: str | None = one.ship["SendId"]
    return found


def _split(
    parcels: Sequence[One], look: Facts, *, different: Sequence[Of] = (), held: bool = False
) -> None:
    """CLS-17: parcels of one direction, each within the limit and together above it, that are `different` otherwise."""
    if look.split_signal == "pass" or len(parcels) < look.split_parcels:
        return
    for direction in {one.ship["IEFlag"] for one in parcels}:
        mine = [one for one in parcels if one.ship["IEFlag"] == direction]
        if all(len(set(map(of, mine))) > 1 for of in different) and _above(mine, look):
            for one in mine:
                if _in_force("CLS-17", one):
                    (one.found.hold if held else one.found.note)("CLS-17")


def _above(parcels: Sequence[One], look: Facts) -> bool:
    """Whether enough of them have a value, each within its limit, and their sum is above the greatest limit."""
    values, limits = [], []
    for ship in (one.ship for one in parcels):
        value, limit = worth(ship, look), limit_of(ship, look)
        if value is not None and limit is not None and value > limit:
            return False
        values += [] if value is None else [value]
        limits += [] if limit is None else [limit]
    return len(values) >= look.split_parcels and bool(limits) and sum(values) > max(limits)


def worth(ship: Shipment, look: Facts) -> Decimal | None:
    """What the head says, in CNY."""
    head, rate = number(ship["TotalValue"]), look.rates.get(ship["CurrCode"])
    return None if head is None or rate is None else head * rate


def limit_of(ship: Shipment, look: Facts) -> Decimal | None:
    """The limit of class B for its direction, day and country, in CNY."""
    direction, moved = ship["IEFlag"], ship["IEDate"]
    if day(moved) is None:
        return None
    country = ship["SendCountry" if direction == "I" else "ReceiveCountry"]
    limit = look.limit("B", direction, moved, country)
    return None if limit is None else limit.most
