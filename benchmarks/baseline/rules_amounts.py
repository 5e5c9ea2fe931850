"""Numbers, weights, totals, values and the limits on them, with exact decimals."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from benchmarks.baseline.characters import illegal
from benchmarks.baseline.facts import THREE, Facts, day
from benchmarks.baseline.found import Found
from benchmarks.baseline.numbers import ONE, number, whole
from benchmarks.baseline.spec import Shipment

RULES = (
    "CLS-04", "CLS-20", "EXP-13", "EXP-19", "EXP-20", "EXP-21", "EXP-22", "EXP-23", "EXP-34", "EXP-44", "EXP-47", "LIM-01",
    "LIM-02", "LIM-03", "LIM-04", "LIM-05", "LIM-08",
)  # fmt: skip
WITHOUT_RATE = "LIM-12"
"""What a missing exchange rate is told as."""
Line = dict[str, Any]
_GAPLESS = [str(number) for number in range(1, 100)]
_FAR = 10**30


def judge(ship: Shipment, look: Facts, found: Found) -> Line | None:
    """All rules about amounts; the line with the greatest total, if any has one."""
    lines = ship["lines"]
    numbers = [line["GNo"] for line in lines]
    in_order = numbers == _GAPLESS[: len(numbers)]
    if not lines or not (in_order or _counted(numbers)):
        found.refuse("EXP-22")
    if len(lines) > 20:
        found.refuse("CLS-20")
    _weights(ship, look, found)
    declared, main = _lines(lines if in_order else sorted(lines, key=_place), ship, look, found)
    if main is not None:
        _main_names(ship, main, found)
    _value(ship, declared, look, found)
    return main


def _counted(numbers: list[str | None]) -> bool:
    """Whether lines are numbered from 1 on, in any order; what is no number is another check's."""
    read = [whole(text) for text in numbers]
    return None in read or sorted(n or 0 for n in read) == list(range(1, len(read) + 1))


def _place(line: Line) -> int:
    read = whole(line["GNo"])
    return _FAR if read is None else read


def _weights(ship: Shipment, look: Facts, found: Found) -> None:
    gross, net, pieces = number(ship["GrossWt"]), number(ship["NetWt"]), ship["PackNo"]
    if gross is not None:
        if not gross or (net is not None and gross < net):
            found.refuse("EXP-13")
        if ship["EntryType"] == "B" and gross > look.heavy:
            count = whole(pieces) or 0
            if gross > look.house_weight or (count and gross > count * look.piece_weight):
                found.note("EXP-47")
    if net is not None and not net:
        found.refuse("EXP-13")
    if pieces == "0":
        found.refuse("EXP-34")


def _lines(
    lines: list[Line], ship: Shipment, look: Facts, found: Found
) -> tuple[list[Decimal | None], Line | None]:
    """The declared totals, and the line with the greatest total of transaction, of several the first.

    Numbers are written in their shortest form, so equal ones are equal texts and are read once.
    """
    articles = ship["EntryType"] == "B"
    totals: list[Decimal | None] = []
    best: Decimal | None = None
    main: Line | None = None
    for line in lines:
        said = line["DeclTotal"]
        declared = trade = number(said)
        if line["TradeTotal"] != said:
            trade = number(line["TradeTotal"])
            if declared is not None and trade is not None:
                found.refuse("EXP-21")
        totals.append(declared)
        if trade is not None and (best is None or trade > best):
            best, main = trade, line
        _quantities(line, declared, look, found, articles=articles)
    return totals, main


def _quantities(
    line: Line, declared: Decimal | None, look: Facts, found: Found, *, articles: bool
) -> None:
    """Quantity × price against the total; quantities that declare nothing, too much or only half."""
    said = line["GQty"]
    quantity = ONE if said == "1" else number(said)
    if quantity is not None:
        if declared is not None and (quantity is not ONE or line["DeclPrice"] != line["DeclTotal"]):
            price = number(line["DeclPrice"])
            if price is not None:
                _compare(quantity * price, declared, look, found)
        if articles:
            _many(line, quantity, look, found)
    if line["Qty1"] == "0":
        found.refuse("EXP-19")
    if (line["Qty2"] is None) is not (line["Unit2"] is None):
        found.note("EXP-20")


def _many(line: Line, quantity: Decimal, look: Facts, found: Found) -> None:
    if quantity >= look.resale and line["GUnit"] in look.countable:
        found.hold("CLS-17")
    code = line["CodeTS"]
    if (
        code is not None
        and code.startswith(look.restricted)
        and len(code) == 8
        and code.isascii()
        and code.isdigit()
        and quantity >= look.restricted_least
    ):
        found.hold("LIM-08")


def _compare(reckoned: Decimal, total: Decimal, look: Facts, found: Found) -> None:
    """EXP-44: nothing within the tolerance, a note above it, refused far above it."""
    if reckoned != total:
        beyond = abs(reckoned - total) - look.tolerance
        if beyond > total * look.noted_share:
            found.grade("EXP-44", refuse=beyond > total * look.refused_share)


def _main_names(ship: Shipment, main: Line, found: Found) -> None:
    english, name = ship["MainGNameEn"], ship["MainGName"]
    if english != main["GNameEn"] and _other(english, main["GNameEn"]):
        found.refuse("EXP-23")
    if name != main["GName"] and _other(name, main["GName"]):
        found.note("EXP-23")


def _other(name: str | None, expected: str | None) -> bool:
    """Whether a name that is not the expected one says something at all."""
    return name is not None and expected is not None and not illegal(name)


def _value(ship: Shipment, declared: list[Decimal | None], look: Facts, found: Found) -> None:
    """The sum against the head, the value against the limit."""
    lines, currency, rates = ship["lines"], ship["CurrCode"], look.rates
    total = _sum(declared)
    head = number(ship["TotalValue"])
    currencies = {line["TradeCurr"] for line in lines}
    if len(currencies) == 1 and currency in currencies and currency in THREE and total is not None:
        if head is not None:
            _compare(total, head, look, found)
        rate = rates.get(currency)
        _limits(ship, None if rate is None else total * rate, rate is None, look, found)
        return
    named = currencies <= THREE
    only = next(iter(currencies)) if named and len(currencies) == 1 else None
    if total is not None and (
        (named and len(currencies) > 1) or (only and only != currency and currency in THREE)
    ):
        found.note("EXP-44")  # the sum cannot be compared
    uses_head = head is not None and (total is None or only is None or only != currency)
    needed = [*(currencies if total is not None else ()), *([currency] if uses_head else ())]
    missing = any(code in THREE and code not in rates for code in needed)
    values: list[Decimal] = []
    if total is not None and named and not missing:
        in_cny = [(number(line["DeclTotal"]) or 0) * rates[line["TradeCurr"]] for line in lines]
        values.append(sum(in_cny, Decimal(0)))
    if uses_head and head is not None and currency in rates:
        values.append(head * rates[currency])
    _limits(ship, max(values, default=None), missing, look, found)


def _sum(amounts: list[Decimal | None]) -> Decimal | None:
    """None where one is missing, and where there is none at all."""
    if len(amounts) == 1:
        return amounts[0]
    total = Decimal(0)
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total if amounts else None


def _limits(
    ship: Shipment, value: Decimal | None, missing: bool, look: Facts, found: Found
) -> None:
    """The value against the limit of class, direction, day and country; a single article above it is a person's to judge."""
    kind, direction = ship["EntryType"], ship["IEFlag"]
    moved = ship["IEDate"]
    if kind not in ("B", "C") or direction not in ("I", "E") or day(moved) is None:
        return
    country = ship["SendCountry" if direction == "I" else "ReceiveCountry"]
    limit = look.limit(kind, direction, moved, country)
    if limit is None:
        unknown = "CLS-04" if kind == "C" else "LIM-02" if direction == "I" else "LIM-04"
        found.unjudge(unknown)
    elif missing:
        found.unjudge(WITHOUT_RATE)
    elif value is not None and value > limit.most:
        if kind == "B" and _single(ship, look):
            found.hold("LIM-05")
        else:
            found.refuse(limit.rule)


def _single(ship: Shipment, look: Facts) -> bool:
    lines = ship["lines"]
    return len(lines) == 1 and number(lines[0]["GQty"]) == 1 and lines[0]["GUnit"] in look.countable
