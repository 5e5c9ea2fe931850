"""Tax read once more, line by line, with fractions and the plainest Python: slow, obvious, for tests only.

It shares no code with `crossborder.rules.tax` and takes from the package only what is data: tables and rates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from typing import Any

from crossborder.codes import Tables

Row = dict[str, Any]
Figure = Fraction | None
TOO_MUCH = 10**15
"""From here on a figure is not evaluated."""
GRAMS = {"035": 1000, "036": 1, "047": 100000, "070": 1000000, "075": 500}
MILLILITRES = {"063": 1000000, "095": 1000, "096": 1}
SHEETS = {"010": 1, "020": 1}


def half_up(value: Fraction) -> Fraction:
    """To the fen, halves up."""
    return Fraction((value * 200 + 1).__floor__() // 2, 100)


def number(text: str | None) -> Figure:
    good = text is not None and re.fullmatch(r"0*[0-9]{1,14}(\.[0-9]{1,5}0*)?", text)
    return Fraction(text) if good and text else None


def in_force(row: Row, day: date | None) -> bool:
    if day is None:
        return False
    first = date.fromisoformat(row.get("effective_from") or "0001-01-01")
    return first <= day <= date.fromisoformat(row.get("effective_to") or "9999-12-31")


class Reference:
    """The tax of a shipment by the tables and rates of a day of declaration."""

    def __init__(self, tables: Tables, rates: dict[str, str], declared: date, sample: bool) -> None:
        self.rows = {name: tables.frame(name).to_dicts() for name in (
            "parcel_tax", "parcel_tax_2019_partial", "parcel_tax_pairs", "tax_parameters", "units", "hs_sample",
            "transaction_terms",
        )}  # fmt: skip
        self.rates = {currency: Fraction(rate) for currency, rate in rates.items()} | {
            "142": Fraction(1)
        }
        self.declared = declared
        self.sample = sample
        self.names = {row["name_zh"]: row["customs_code"] for row in self.rows["units"]}
        self.pieces = {row["customs_code"] for row in self.rows["units"] if row["kind"] == "count"}

    def parameter(self, name: str, day: date | None) -> str | None:
        found = [r for r in self.rows["tax_parameters"] if r["name"] == name and in_force(r, day)]
        return found[0]["value"] if found else None

    # -- what a line is worth and holds

    def actual(self, line: Row) -> tuple[bool, Figure]:
        """(there is a price, its CNY)."""
        price, quantity, total = (
            number(line[n]) for n in ("declared_price", "quantity", "declared_total")
        )
        if price and quantity:
            own = price * quantity
        elif total:
            own = total
        else:
            return False, None
        rate = self.rates.get(line["currency"])
        worth = own * rate if rate is not None else None
        return True, worth if worth is not None and worth < TOO_MUCH else None

    def content(self, line: Row, measure: str) -> Figure:
        held = {"g": GRAMS, "ml": MILLILITRES, "sheet": SHEETS}[measure]
        words = {
            "g": [("千克", 1000), ("公斤", 1000), ("kg", 1000), ("克", 1), ("g", 1)],
            "ml": [("毫升", 1), ("ml", 1), ("升", 1000), ("l", 1000)],
            "sheet": [("片", 1), ("张", 1), ("枚", 1), ("sheets", 1), ("sheet", 1), ("pcs", 1)],
        }  # fmt: skip
        model = (line["model"] or "").lower()
        every = "|".join(
            w for kind in words.values() for w, _ in sorted(kind, key=lambda p: -len(p[0]))
        )
        found = list(re.finditer(rf"([0-9]{{1,7}}(?:\.[0-9]{{1,3}})?)\s*({every})(?![a-z])", model))
        quantity = number(line["quantity"])
        if len(found) == 1 and quantity is not None and line["unit"] in self.pieces:
            factor = dict(words[measure]).get(found[0].group(2))
            if factor:
                before = re.search(r"([0-9]{1,4})\s*[x×*]\s*$", model[: found[0].start()])
                after = re.match(r"\s*[x×*]\s*([0-9]{1,4})(?![0-9.])", model[found[0].end() :])
                packs = int(before.group(1)) if before else 1
                packs *= int(after.group(1)) if after else 1
                return Fraction(found[0].group(1)) * factor * packs * quantity
        if line["unit"] in held and quantity is not None:
            return quantity * held[line["unit"]]
        return None

    # -- class B

    def postal(self, line: Row) -> tuple[Figure, Figure, Figure]:
        """(base, rate, amount)."""
        row = self.table_row(line["commodity_code"])
        if row is None:
            return None, None, None
        there, actual = self.actual(line)
        if there and actual is None:
            return None, None, None
        listed = self.listed(line, row)
        valuation = self.parameter("postal_valuation", self.declared)
        on_list = False
        if valuation == "actual_first":
            value, on_list = (actual, False) if there else (listed, True)
        elif valuation == "listed_unless_far":
            if row["dutiable_value_cny"] is None:
                value = actual
            elif not there:
                value, on_list = listed, True
            elif listed is None or actual is None:
                return None, None, None
            else:
                far = actual >= 2 * listed or actual <= listed / 2
                value, on_list = (actual, False) if far else (listed, True)
        else:
            return None, None, None
        if value is None:
            return None, None, None
        rate = Fraction(row["tax_rate_pct"])
        if not on_list:
            rate = self.by_price(line, value, rate)
        base = half_up(value)
        return base, rate, half_up(base * rate / 100)

    def table_row(self, code: str | None) -> Row | None:
        for name in ("parcel_tax", "parcel_tax_2019_partial"):
            valid = [row for row in self.rows[name] if in_force(row, self.declared)]
            if valid:
                return next((row for row in valid if row["code"] == code), None)
        return None

    def listed(self, line: Row, row: Row) -> Figure:
        if row["dutiable_value_cny"] is None:
            return None
        unit = self.names.get(row["unit_zh"])
        for name in ("quantity", "quantity_1"):
            quantity, own = number(line[name]), line[name.replace("quantity", "unit")]
            if quantity is None or own is None:
                continue
            for held in (GRAMS, MILLILITRES):
                if own in held and unit in held:
                    return quantity * held[own] / held[unit] * Fraction(row["dutiable_value_cny"])
            if own == unit:
                return quantity * Fraction(row["dutiable_value_cny"])
        return None

    def by_price(self, line: Row, value: Fraction, rate: Fraction) -> Fraction:
        code = line["commodity_code"]
        for pair in self.rows["parcel_tax_pairs"]:
            if code not in (pair["premium"], pair["ordinary"]) or not in_force(pair, self.declared):
                continue
            if pair["measure"] == "watch":
                held, name = number(line["quantity"]), "premium_per_watch_cny"
            else:
                known = [
                    (self.content(line, m), f"premium_per_{m}_cny") for m in ("ml", "g", "sheet")
                ]
                held, name = next(((c, n) for c, n in known if c is not None), (None, ""))
            bound = self.parameter(name, self.declared)
            if held is None or bound is None:
                return rate
            other = pair["premium" if value >= held * Fraction(bound) else "ordinary"]
            is_premium = value >= held * Fraction(bound)
            if is_premium == (code == pair["premium"]):
                return rate
            row = self.table_row(other)
            return Fraction(row["tax_rate_pct"]) if row else rate
        return rate

    # -- goods

    def goods(
        self, ship: Row, lines: list[Row], ecommerce: bool
    ) -> Iterator[tuple[Figure, Figure, Figure]]:
        """(duty, consumption tax, VAT) of each line."""
        own = [
            half_up(value) if value is not None else None for _, value in map(self.actual, lines)
        ]
        extra = self.extras(ship, terms=not ecommerce)
        bases = self.shared(own, extra)
        share, duty_free = Fraction(1), False
        moved = self.moved(ship)
        ruled = self.parameter("ecommerce_formula" if ecommerce else "goods_formula", self.declared)
        over = False
        if ecommerce:
            limit = self.parameter("ecommerce_limit_cny", moved)
            worth = sum((b for b in bases if b is not None), Fraction(0))
            beyond = limit is not None and worth > Fraction(limit)
            one = (
                len(lines) == 1
                and number(lines[0]["quantity"]) == 1
                and lines[0]["unit"] in self.pieces
            )
            full = beyond and one and self.parameter("ecommerce_single_item", moved) is not None
            over = limit is None or (beyond and not full)
            if not full:
                share, duty_free = Fraction(7, 10), True
        for line, base in zip(lines, bases, strict=True):
            row = next(
                (r for r in self.rows["hs_sample"] if r["hs_code"] == line["commodity_code"]), None
            )
            if base is None or row is None or ruled is None or over or not self.sample:
                yield None, None, None
                continue
            yield self.three(line, row, base, share, duty_free)

    def three(
        self, line: Row, row: Row, base: Fraction, share: Fraction, duty_free: bool
    ) -> tuple[Figure, Figure, Figure]:
        rate = "0" if duty_free else row["mfn_rate_pct"]
        duty = half_up(base * Fraction(rate) / 100) if rate else None
        excise = self.excise(line, row, base)
        fixed = self.fixed(line, row)
        if duty is None or excise is None or fixed is None:
            return duty, None, None
        price = (base + duty + fixed) / (1 - excise / 100)
        vat = Fraction(row["vat_rate_pct"]) if row["vat_rate_pct"] else None
        return (
            duty,
            half_up((price * excise / 100 + fixed) * share),
            half_up(price * vat / 100 * share) if vat is not None else None,
        )

    def excise(self, line: Row, row: Row, base: Fraction) -> Figure:
        if row["consumption_rate_pct"] is None:
            return None
        rate, measure = Fraction(row["consumption_rate_pct"]), row["consumption_from_measure"]
        if measure is None:
            return rate
        if measure == "each":
            held = number(line["quantity"]) if line["unit"] in self.pieces else None
        else:
            order = [m for m in ("ml", "g", "sheet") if m in measure.split(";")]
            held = next((c for c in (self.content(line, m) for m in order) if c is not None), None)
        if held is None:
            return None
        return rate if base >= held * Fraction(row["consumption_from_cny"]) else Fraction(0)

    def fixed(self, line: Row, row: Row) -> Figure:
        each, unit = row["consumption_per_unit_cny"], row["consumption_unit_zh"]
        if (each is None and unit is None) or (each is not None and Fraction(each) == 0):
            return Fraction(0)
        held = {"升": (MILLILITRES, 1000), "千克": (GRAMS, 1000)}[unit]
        for name in ("quantity", "quantity_1", "quantity_2"):
            quantity, own = number(line[name]), line[name.replace("quantity", "unit")]
            if quantity is not None and own in held[0]:
                return half_up(quantity * held[0][own] / held[1] * Fraction(each))
        return None

    def extras(self, ship: Row, *, terms: bool) -> Figure:
        row = next(
            (r for r in self.rows["transaction_terms"] if r["code"] == ship["delivery_terms"]), None
        )
        whole = Fraction(0)
        for name in ("freight", "insurance"):
            asked = "optional" if not terms else row[f"import_{name}"] if row else None
            mark, amount = ship[f"{name}_mark"], ship[f"{name}_amount"]
            if asked == "must_be_empty" or (
                mark is None and amount is None and asked == "optional"
            ):
                continue
            rate, given = self.rates.get(ship[f"{name}_currency"]), number(amount)
            if asked is None or mark != "3" or rate is None or given is None:
                return None
            whole += half_up(given * rate)
        return whole

    def shared(self, own: list[Figure], extra: Figure) -> list[Figure]:
        """Each line's value with its share of the costs; shares add up to the whole."""
        if extra is None:
            return [None] * len(own)
        if extra == 0:
            return own
        if any(value is None for value in own) or not sum(own, Fraction(0)):  # type: ignore[arg-type]
            return [None] * len(own)
        values: list[Fraction] = [v for v in own if v is not None]
        total, upto, bases = sum(values, Fraction(0)), Fraction(0), list[Figure]()
        for value in values:
            share = half_up(extra * (upto + value) / total) - half_up(extra * upto / total)
            upto += value
            bases.append(value + share)
        return bases

    # -- the consignment

    def moved(self, ship: Row) -> date | None:
        text = ship["movement_date"]
        if text is None or not re.fullmatch("[0-9]{8}", text):
            return None
        try:
            return date(int(text[:4]), int(text[4:6]), int(text[6:]))
        except ValueError:
            return None

    def collected(self, ship: Row, amounts: list[Figure]) -> tuple[str, Figure]:
        """Outcome and what is paid of a class B import."""
        bound = self.parameter("postal_exemption_cny", self.moved(ship))
        if not amounts or bound is None or any(a is None for a in amounts):
            return "not_evaluated", None
        tax = sum((a for a in amounts if a is not None), Fraction(0))
        return ("not_collected", Fraction(0)) if tax <= Fraction(bound) else ("due", tax)
