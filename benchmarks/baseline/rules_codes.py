"""Numbers and codes: waybills, countries, currencies, ports, enterprises, codes of goods."""

from __future__ import annotations

import re
from functools import lru_cache
from operator import itemgetter

from benchmarks.baseline.characters import digits, written
from benchmarks.baseline.facts import THREE, Facts
from benchmarks.baseline.firms import registered, social_credit, usual_body
from benchmarks.baseline.found import Found
from benchmarks.baseline.spec import Shipment

RULES = (
    "CLS-13", "EXP-01", "EXP-14", "EXP-15", "EXP-18", "EXP-38", "ID-09", "ID-10", "ID-11", "ID-12", "ID-13", "ID-14", "ID-16",
    "ID-17", "ID-18", "TAX-01",
)  # fmt: skip
CHINA = "142"
_AIR = "5"
_THREE_OR_NONE = THREE | {None}
_countries = itemgetter("TradeCountry", "SendCountry", "ReceiveCountry")
_currencies = itemgetter("CurrCode", "FeeCurr", "InsurCurr", "OtherCurr")
_DIGITS = {"B": 8, "C": 10, "D": 10}
_air_waybill = re.compile("[0-9]{3}[- ]?[0-9]{8}").fullmatch
_s10 = re.compile("[A-Z]{2}([0-9]{8})([0-9])[A-Z]{2}").fullmatch
_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_OF_HOUSES = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"


def judge(ship: Shipment, look: Facts, found: Found) -> None:
    """All rules about the form of numbers and codes."""
    _places(ship, found)
    _commodities(ship, look, found)
    _waybills(ship, found)
    _enterprises(ship, found)
    port = ship["DeclPort"]
    if port is not None and not port.startswith(look.served) and len(port) == 4 and digits(port):
        found.refuse("ID-18")


def _places(ship: Shipment, found: Found) -> None:
    countries, currencies, lines = _countries(ship), _currencies(ship), ship["lines"]
    if not (
        _THREE_OR_NONE.issuperset(countries)
        and _THREE_OR_NONE.issuperset(currencies)
        and _THREE_OR_NONE.issuperset([line["OriginCountry"] for line in lines])
        and _THREE_OR_NONE.issuperset([line["TradeCurr"] for line in lines])
    ):
        if any(map(_lettered, (*countries, *(line["OriginCountry"] for line in lines)))):
            found.refuse("ID-16")
        if any(map(_lettered, (*currencies, *(line["TradeCurr"] for line in lines)))):
            found.refuse("ID-17")
    trade, sender, receiver = countries
    if trade == CHINA:
        found.refuse("EXP-14")
    direction = ship["IEFlag"]
    if direction in ("I", "E"):
        abroad, home = (sender, receiver) if direction == "I" else (receiver, sender)
        if abroad == CHINA or (home != CHINA and home in THREE):
            found.refuse("EXP-15")


def _lettered(code: str | None) -> bool:
    """Whether it is no three digits."""
    return code not in _THREE_OR_NONE and _fit(code or "", 3)


def _fit(code: str, most: int) -> bool:
    """Whether a rule speaks about a code at all: what is longer is the facet's, odd characters are TXT-04's."""
    return len(code) <= most and written(code) is not None


def _commodities(ship: Shipment, look: Facts, found: Found) -> None:
    """Eight digits in class B, ten in C and D, and in class B a number of the table."""
    codes = [line["CodeTS"] for line in ship["lines"]]
    kind = ship["EntryType"]
    if kind == "B" and look.parcel_tax is not None and look.parcel_tax.issuperset(codes):
        return  # every one has eight digits
    lengths = {len(code) for code in codes if code is not None and digits(code)}
    wanted = _DIGITS.get(kind)
    if {8, 10} <= lengths:
        found.refuse("CLS-13")
    elif wanted is not None:
        for code in codes:
            if code is not None and not (len(code) == wanted and digits(code)) and _fit(code, 16):
                found.refuse("EXP-18")
    if kind == "B" and look.parcel_tax is not None:
        for code in codes:
            if code is not None and len(code) == 8 and digits(code) and code not in look.parcel_tax:
                found.refuse("TAX-01")


def _waybills(ship: Shipment, found: Found) -> None:
    master, house, entry = ship["BillNo"], ship["AssBillNo"], ship["EntryId"]
    if entry is not None and not (len(entry) == 18 and digits(entry)) and _fit(entry, 18):
        found.refuse("EXP-01")
    if (
        master is not None
        and ship["TrafMode"] == _AIR
        and not _air_good(master)
        and written(master) is not None
    ):
        found.note("ID-12")
    if house is not None:
        if len(house) == 13 and not _s10_good(house):
            found.note("ID-13")
        if house.strip(_OF_HOUSES) and written(house) is not None:
            found.note("ID-14")


@lru_cache(maxsize=1024)
def _air_good(master: str) -> bool:
    """Three digits and eight, the last of them the seven before it modulo 7; one number stands in many shipments."""
    return _air_waybill(master) is not None and int(master[-8:-1]) % 7 == int(master[-1])


def _s10_good(house: str) -> bool:
    """Whether a number of the form S10 (UPU) has its check digit; others have none."""
    parts = _s10(house)
    if parts is None:
        return True
    rest = 11 - sum(int(c) * w for c, w in zip(parts[1], _S10_WEIGHTS, strict=True)) % 11
    return {10: 0, 11: 5}.get(rest, rest) == int(parts[2])


def _enterprises(ship: Shipment, found: Found) -> None:
    for code in (ship["TradeScc"], ship["AgentScc"], ship["OwnerScc"]):
        if code is not None and not social_credit(code) and _fit(code, 18):
            found.refuse("ID-09")
    trading = ship["TradeScc"]
    if trading is not None and not usual_body(trading) and social_credit(trading):
        found.note("ID-10")
    company = ship["TradeCo"]
    for code in (company, ship["AgentCode"], ship["OwnerCode"], ship["InputCompanyCo"]):
        if code is not None and not registered(code) and _fit(code, 10):
            found.refuse("ID-11")
    if company is not None and len(company) == 10 and ship["EntryType"] in ("C", "D"):
        owner = ship["CoOwner"]
        if owner != company[5] and written(owner) is not None and written(company) is not None:
            found.refuse("EXP-38")
