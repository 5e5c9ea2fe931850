"""Every rejecting rule read once more, row by row, in the plainest Python: slow, obvious, for tests only.

It shares no code with the rules and takes from the package only what is data: tables, word lists, kinds of columns.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from crossborder import keys
from crossborder.rules import Context
from crossborder.shipments import COLUMNS

Row = dict[str, str | None]
NUMBER = re.compile(r"0*[0-9]{1,14}(\.[0-9]{1,5}0*)?")
CODES_AND_NUMBERS = ("code", "identity", "decimal", "integer", "date", "datetime", "flag")
USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
NOT_BEFORE = {
    "2010-09-01": "LIM-01 LIM-03 LIM-04", "2013-01-01": "ID-02", "1999-10-01": "ID-01", "2015-10-01": "ID-09",
    "2014-03-13": "ID-11", "2016-06-01": "CLS-01 CLS-02 CLS-05 CLS-06 CLS-07 CLS-08 CLS-10 CLS-04",
    "2018-08-01": "ID-16 ID-17", "2022-03-01": "CLS-16", "2019-02-01": "EXP-45", "2024-12-01": "LIM-02",
    "2019-01-01": "CLS-13 CLS-20 EXP-01 EXP-07 EXP-13 EXP-14 EXP-15 EXP-18 EXP-19 EXP-21 EXP-22 EXP-23 EXP-24 EXP-25 "
                  "EXP-26 EXP-27 EXP-28 EXP-34 EXP-38 EXP-44 EXP-48",
}  # fmt: skip
STARTS = {rule: day for day, rules in NOT_BEFORE.items() for rule in rules.split()}
ALWAYS = ("ID-18", "TAX-01", "TXT-04")
JUDGED = frozenset({*STARTS, *ALWAYS})


@dataclass(frozen=True)
class Ship:
    """A shipment and its lines."""

    head: Row
    lines: list[Row]

    def __getitem__(self, name: str) -> str | None:
        return self.head[name]

    @property
    def kind(self) -> str | None:
        return self["declaration_class"]

    @property
    def moved(self) -> date | None:
        return day(self["movement_date"])


def judge(ships: list[Ship], ctx: Context) -> set[tuple[int, str]]:
    """(position, rule) of every rule that a shipment breaks so that it is refused."""
    found = set()
    for position, ship in enumerate(ships):
        for rule, broken in FAMILIES.items():
            if in_force(rule, ship) and broken(ship, ctx):
                found.add((position, rule))
    return found | {(p, "EXP-48") for p in duplicates(ships) if in_force("EXP-48", ships[p])}


def in_force(rule: str, ship: Ship) -> bool:
    """By the movement date; without a readable one the rules that never ended count."""
    if rule in ALWAYS or rule.startswith("LIM") or rule == "CLS-04":
        return True  # TAX-01 goes by the declaration, limits by the dates of their own table
    return ship.moved is None or date.fromisoformat(STARTS[rule]) <= ship.moved


def duplicates(ships: list[Ship]) -> Iterator[int]:
    """Waybills that stand twice when normalised, or of which nothing is left."""
    names = [
        (keys.normalise(s["master_waybill"] or ""), keys.normalise(s["house_waybill"] or ""), s["direction"] or "")
        if s["master_waybill"] is not None and s["house_waybill"] is not None and s["direction"] else None
        for s in ships
    ]  # fmt: skip
    often = Counter(n for n in names if n)
    for position, ship in enumerate(ships):
        bare = [keys.normalise(v) for v in (ship["master_waybill"], ship["house_waybill"]) if v is not None]  # fmt: skip
        name = names[position]
        if "" in bare or (name and often[name] > 1):
            yield position


# characters


def day(text: str | None) -> date | None:
    if text is None or not re.fullmatch("[0-9]{8}", text):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def number(text: str | None) -> Decimal | None:
    return Decimal(text) if text is not None and NUMBER.fullmatch(text) else None


def whole(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch("0*[0-9]{1,18}", text) else None


def illegal(c: str) -> bool:
    if 0x20000 <= ord(c) <= 0x3FFFD:
        return False
    emoji = 0x1F000 <= ord(c) <= 0x1FAFF or c in "\ufe0f\u2764"
    return emoji or unicodedata.category(c) in ("Cc", "Cf", "Cn", "Co", "Zl", "Zp")


def full_width(c: str) -> bool:
    return "\uff01" <= c <= "\uff5e" or c == "\u3000"


def han(c: str) -> bool:
    return "CJK UNIFIED IDEOGRAPH" in unicodedata.name(c, "") or 0x20000 <= ord(c) <= 0x3FFFD


def latin(c: str) -> bool:
    return "LATIN " in unicodedata.name(c, "")


def legal(text: str | None) -> bool:
    return text is not None and not any(map(illegal, text))


def written(text: str | None) -> str | None:
    """A code as far as its characters are fit for one."""
    return text if text is not None and not any(illegal(c) or full_width(c) for c in text) else None


def not_latin(text: str | None) -> bool:
    if text is None or not legal(text):
        return False
    return not any(map(latin, text)) or any(map(han, text))


def strange_characters(ship: Ship, _: Context) -> bool:
    for columns, rows in ((COLUMNS["shipments"], [ship.head]), (COLUMNS["goods"], ship.lines)):
        for column in columns.values():
            for text in (row[column.name] for row in rows):
                if text is None:
                    continue
                strict = column.kind in CODES_AND_NUMBERS
                if any(illegal(c) or (strict and full_width(c)) for c in text):
                    return True
    return False


# persons and firms


def born(text: str, ctx: Context) -> bool:
    birth = day(text)
    return birth is not None and date(1900, 1, 1) <= birth <= ctx.declared_day


def resident(ship: Ship, ctx: Context) -> bool:
    own = written(ship["party_id"])
    if ship.kind != "B" or ship["party_id_type"] != "1" or own is None:
        return False
    if not re.fullmatch("[0-9]{17}[0-9Xx]", own):
        return len(own) <= 20 and not re.fullmatch("[0-9]{15}", own)
    total = sum(int(c) * 2 ** (17 - place) for place, c in enumerate(own[:17]))
    check = (12 - total % 11) % 11
    return not born(own[6:14], ctx) or own[17].upper() != "0123456789X"[check]


def old_card(ship: Ship, _: Context) -> bool:
    own = ship["party_id"]
    return ship.kind == "B" and ship["party_id_type"] == "1" and bool(re.fullmatch("[0-9]{15}", own or ""))  # fmt: skip


def credit_code(ship: Ship, _: Context) -> bool:
    for name in ("trading_company_scc", "declarant_scc", "owner_scc"):
        code = written(ship[name])
        if code is None or len(code) > 18:
            continue
        if len(code) < 18 or any(c not in USCC for c in code):
            return True
        total = sum(USCC.index(c) * 3**place for place, c in enumerate(code[:17]))
        if USCC[-total % 31] != code[17]:
            return True
    return False


def registration(ship: Ship, _: Context) -> bool:
    for name in ("trading_company_code", "declarant_code", "owner_code", "input_company_code"):
        code = written(ship[name])
        if code is not None and len(code) <= 10 and not re.fullmatch("[0-9]{4}[0-9A-HJ-NP-Z]{6}", code):  # fmt: skip
            return True
    return False


def ownership(ship: Ship, _: Context) -> bool:
    company, owner = ship["trading_company_code"], written(ship["ownership_type"])
    if ship.kind not in ("C", "D") or company is None or len(company) != 10:
        return False
    return written(company) is not None and owner is not None and owner != company[5]


# amounts


def sums(ship: Ship) -> Decimal | None:
    """The declared totals together, None if one is missing or there is no line."""
    amounts = [number(line["declared_total"]) for line in ship.lines]
    known = [a for a in amounts if a is not None]
    return sum(known, Decimal(0)) if amounts and len(known) == len(amounts) else None


def currency_of_lines(ship: Ship) -> str | None:
    found = {line["currency"] for line in ship.lines}
    (only,) = found if len(found) == 1 else (None,)
    return only if only is not None and re.fullmatch("[0-9]{3}", only) else None


def value(ship: Ship, ctx: Context) -> Decimal | None:
    """CNY: the lines' total, the head's where it is in another currency and greater or where lines have none.

    None where a value is missing or a currency that is needed has no rate. What is no currency code is another rule's.
    """
    head, total = number(ship["total_value"]), sums(ship)
    uses_head = head is not None and (total is None or currency_of_lines(ship) != ship["currency"])
    if total is None or any(not code(line["currency"]) for line in ship.lines):
        uses_head = head is not None
    needed = [line["currency"] for line in ship.lines] if total is not None else []
    needed += [ship["currency"]] if uses_head else []
    if any(code(c) and c not in ctx.rates for c in needed):
        return None
    found: list[Decimal] = []
    if total is not None and all(code(line["currency"]) for line in ship.lines):
        amounts = [(number(line["declared_total"]), line["currency"]) for line in ship.lines]
        found.append(sum(((a or 0) * ctx.rates[c or ""] for a, c in amounts), Decimal(0)))
    if uses_head and head is not None and code(ship["currency"]):
        found.append(head * ctx.rates[ship["currency"] or ""])
    return max(found) if found else None


def code(text: str | None) -> bool:
    return text is not None and bool(re.fullmatch("[0-9]{3}", text))


def single(ship: Ship, ctx: Context) -> bool:
    units = ctx.tables.frame("units").to_dicts()
    countable = {u["customs_code"] for u in units if u.get("kind", "count") == "count"}
    return len(ship.lines) == 1 and number(ship.lines[0]["quantity"]) == 1 and ship.lines[0]["unit"] in countable  # fmt: skip


def limit(rule: str) -> Callable[[Ship, Context], bool]:
    def broken(ship: Ship, ctx: Context) -> bool:
        worth, moved = value(ship, ctx), ship.moved
        if worth is None or moved is None:
            return False
        for bound in ctx.tables.frame("limits").to_dicts():
            way = "sender_country" if bound["direction"] == "I" else "receiver_country"
            near, there = (bound["countries"] or "").split(";"), ship[way]
            place = {"any": True, "in": there in near, "not_in": there is not None and there not in near}  # fmt: skip
            if (
                bound["rule"] == rule
                and (bound["declaration_class"], bound["direction"])
                == (ship.kind, ship["direction"])
                and bound["effective_from"] <= moved.isoformat() <= (bound["effective_to"] or "9")
                and place[bound["territory"]]
                and worth > Decimal(bound["value_cny"])
            ):
                return rule == "CLS-04" or not single(ship, ctx)
        return False

    return broken


def far_apart(a: Decimal | None, b: Decimal | None, ctx: Context) -> bool:
    if a is None or b is None:
        return False
    return abs(a - b) - ctx.number("total_tolerance") > b * ctx.number("total_reject_percent") / 100


def totals(ship: Ship, ctx: Context) -> bool:
    for line in ship.lines:
        quantity, price = number(line["quantity"]), number(line["declared_price"])
        product = quantity * price if quantity is not None and price is not None else None
        if far_apart(product, number(line["declared_total"]), ctx):
            return True
    same = currency_of_lines(ship) is not None and currency_of_lines(ship) == ship["currency"]
    return same and far_apart(sums(ship), number(ship["total_value"]), ctx)


def two_totals(ship: Ship, _: Context) -> bool:
    pairs = [(number(line["total"]), number(line["declared_total"])) for line in ship.lines]
    return any(a is not None and b is not None and a != b for a, b in pairs)


def weights(ship: Ship, _: Context) -> bool:
    gross, net = number(ship["gross_weight"]), number(ship["net_weight"])
    return gross == 0 or net == 0 or (gross is not None and net is not None and gross < net)


def main_name(ship: Ship, _: Context) -> bool:
    said = ship["main_goods_name_en"]
    known = [(number(line["total"]), line) for line in ship.lines]
    best = max((t for t, _ in known if t is not None), default=None)
    dearest = [line for t, line in known if t is not None and t == best]
    if not dearest or said is None or not legal(said):
        return False
    far = 10**30
    place = {id(line): n for n, line in enumerate(ship.lines)}
    dearest.sort(key=lambda line: (far if (n := whole(line["line_number"])) is None else n, place[id(line)]))  # fmt: skip
    expected = dearest[0]["name_en"]
    return expected is not None and said != expected


# lines


def code_digits(ship: Ship, _: Context) -> bool:
    digits = {"B": 8, "C": 10, "D": 10}.get(ship.kind or "")
    if digits is None or mixed(ship):
        return False
    given = [written(line["commodity_code"]) for line in ship.lines]
    return any(c is not None and len(c) <= 16 and not re.fullmatch(f"[0-9]{{{digits}}}", c) for c in given)  # fmt: skip


def mixed(ship: Ship) -> bool:
    given = [line["commodity_code"] or "" for line in ship.lines]
    return all(any(re.fullmatch(form, c) for c in given) for form in ("[0-9]{8}", "[0-9]{10}"))


def tax_number(ship: Ship, ctx: Context) -> bool:
    day = ctx.declaration_day.isoformat()
    if ship.kind != "B" or ctx.tables.coverage("parcel_tax", day) != "complete":
        return False
    known = ctx.tables.codes("parcel_tax", day)
    given = [line["commodity_code"] or "" for line in ship.lines]
    return any(re.fullmatch("[0-9]{8}", c) and c not in known for c in given)


def line_numbers(ship: Ship, _: Context) -> bool:
    numbers = [whole(line["line_number"]) for line in ship.lines]
    if not numbers:
        return True
    return None not in numbers and sorted(n or 0 for n in numbers) != list(range(1, len(numbers) + 1))  # fmt: skip


def goods_name(ship: Ship, ctx: Context) -> bool:
    if ship.kind in (None, "A"):
        return False
    vague = [word.lower() for word in ctx.words("vague_goods")]
    for name in (line["name"] for line in ship.lines):
        if name is None or not legal(name):
            continue
        bare = "".join(c for c in name.lower() if not c.isspace() and unicodedata.category(c)[0] not in "PS")  # fmt: skip
        digits = all(unicodedata.category(c) == "Nd" for c in bare)
        if digits or bare in vague:
            return True
    return False


def countries(ship: Ship, _: Context) -> bool:
    side = {"I": ("sender_country", "receiver_country"), "E": ("receiver_country", "sender_country")}  # fmt: skip
    if ship["direction"] not in side:
        return False
    foreign, chinese = (written(ship[name]) for name in side[ship["direction"] or ""])
    return foreign == "142" or (chinese is not None and bool(re.fullmatch("[0-9]{3}", chinese)) and chinese != "142")  # fmt: skip


def no_digits(heads: tuple[str, ...], line: str) -> Callable[[Ship, Context], bool]:
    def broken(ship: Ship, _: Context) -> bool:
        given = [ship[name] for name in heads] + [row[line] for row in ship.lines]
        short = [c for c in map(written, given) if c is not None and len(c) <= 3]
        return any(not re.fullmatch("[0-9]{3}", c) for c in short)

    return broken


def licence(ship: Ship, _: Context) -> bool:
    said = [line["supervision_conditions"] or "" for line in ship.lines]
    return ship.kind == "C" and any(re.search(r"[^ABab\s/;,|-]", text) for text in said)


def papers(ship: Ship, _: Context) -> bool:
    facts = ("tax_refund_claimed", "foreign_exchange_settled", "platform_purchase", "separated_luggage")  # fmt: skip
    goods = any(
        re.search(r"[^\s/;,|-]", line["supervision_conditions"] or "") for line in ship.lines
    )
    return ship.kind == "A" and (goods or any(ship[name] == "1" for name in facts))


def stated(kind: str, column: str) -> Callable[[Ship, Context], bool]:
    return lambda ship, _: ship.kind == kind and ship[column] == "1"


def phones(ship: Ship, _: Context) -> bool:
    given = [ship["sender_phone"], ship["receiver_phone"]]
    return any(t is not None and legal(t) and not re.fullmatch("[0-9|\u2223-]*", t) for t in given)


def sender_city(ship: Ship, _: Context) -> bool:
    city = ship["sender_city"]
    return ship["direction"] == "E" and city is not None and legal(city) and not all(map(han, city))


def receiver_city(ship: Ship, _: Context) -> bool:
    city = ship["receiver_city"]
    return city is not None and legal(city) and not any(map(han, city))


def import_latin(ship: Ship, _: Context) -> bool:
    heads = [ship["sender_name_en"], ship["sender_city_en"], ship["stop_cities_en"]]
    texts = heads + [line["name_en"] for line in ship.lines]
    return ship["direction"] == "I" and any(map(not_latin, texts))


def entry_id(ship: Ship, _: Context) -> bool:
    text = written(ship["entry_id"])
    return text is not None and len(text) <= 18 and not re.fullmatch("[0-9]{18}", text)


def served(ship: Ship, ctx: Context) -> bool:
    port = ship["declaration_port"] or ""
    ours = any(port.startswith(p) for p in ctx.served_prefixes or ())
    return bool(re.fullmatch("[0-9]{4}", port)) and not ours


def coded(kind: str, column: str, form: str, allowed: tuple[str, ...]) -> Callable[[Ship, Context], bool]:  # fmt: skip
    def broken(ship: Ship, _: Context) -> bool:
        text = ship[column] or ""
        return ship.kind == kind and bool(re.fullmatch(form, text)) and text not in allowed

    return broken


FAMILIES: dict[str, Callable[[Ship, Context], bool]] = {
    "TXT-04": strange_characters, "ID-01": resident, "ID-02": old_card, "ID-09": credit_code, "ID-11": registration,
    "EXP-38": ownership, **{r: limit(r) for r in ("CLS-04", "LIM-01", "LIM-02", "LIM-03", "LIM-04")},
    "EXP-44": totals, "EXP-21": two_totals, "EXP-13": weights, "EXP-23": main_name, "EXP-18": code_digits,
    "CLS-13": lambda ship, _: mixed(ship), "TAX-01": tax_number, "EXP-22": line_numbers, "EXP-45": goods_name,
    "EXP-15": countries, "ID-16": no_digits(("trade_country", "sender_country", "receiver_country"), "origin_country"),
    "ID-17": no_digits(("currency", "freight_currency", "insurance_currency", "other_charges_currency"), "currency"),
    "CLS-05": licence, "CLS-01": papers, "CLS-02": stated("B", "separated_luggage"),
    "CLS-06": stated("C", "tax_refund_claimed"), "CLS-07": stated("C", "foreign_exchange_settled"),
    "CLS-16": stated("B", "platform_purchase"), "CLS-08": coded("C", "supervision_mode", "[0-9]{4}", ("0110", "3010", "3039")),
    "CLS-10": coded("C", "levy_nature", "[0-9]{3}", ("101",)), "CLS-20": lambda ship, _: len(ship.lines) > 20,
    "EXP-14": lambda ship, _: ship["trade_country"] == "142", "EXP-34": lambda ship, _: whole(ship["pieces"]) == 0,
    "EXP-19": lambda ship, _: any(number(line["quantity_1"]) == 0 for line in ship.lines),
    "EXP-07": lambda ship, _: ship.kind in ("A", "C", "D") and ship["declarant_type"] == "1",
    "EXP-24": phones, "EXP-25": receiver_city, "EXP-26": sender_city, "EXP-27": import_latin,
    "EXP-28": lambda ship, _: ship["direction"] == "E" and not_latin(ship["receiver_name_en"]),
    "EXP-01": entry_id, "ID-18": served,
}  # fmt: skip
