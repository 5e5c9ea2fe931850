"""Small tests of single values, written from the facts and shared by the two rule files."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from crossborder.sandbox.reading import Record

MAX_FAULTS = 20
_DECIMAL = re.compile(r"[0-9]+(\.[0-9]+)?")
_INTEGER = re.compile(r"[0-9]+")
_PHONE = re.compile(r"[0-9|\u2223-]+")
_REGISTRATION = re.compile(r"[0-9]{4}[0-9A-HJ-NP-Z]{6}")
_IDENTITY = re.compile(r"[0-9]{17}[0-9X]")
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@dataclass(frozen=True, slots=True)
class Fault:
    """One reason to refuse. It names elements and never holds a value: receipts are read by many."""

    element: str
    zh: str
    en: str


@dataclass(slots=True)
class Faults:
    """Collects faults; `where` names the goods line or house line being looked at."""

    found: list[Fault] = field(default_factory=list)
    where: str = ""

    def add(self, element: str, zh: str, en: str) -> None:
        """Note one fault; beyond `MAX_FAULTS` nothing more is kept."""
        if len(self.found) < MAX_FAULTS:
            self.found.append(Fault(f"{element}{self.where}", zh, en))

    def check(self, good: bool, element: str, zh: str, en: str) -> None:
        """Note the fault unless `good`."""
        if not good:
            self.add(element, zh, en)

    def required(self, record: Record, *elements: str) -> None:
        """Each element must be filled."""
        for element in elements:
            self.check(bool(record.get(element)), element, "必填项为空", "required, but empty")

    def empty(self, record: Record, *elements: str) -> None:
        """Each element must be empty."""
        for element in elements:
            self.check(not record.get(element), element, "此项应为空", "must be empty")

    def one_of(self, record: Record, element: str, *values: str) -> None:
        """The element, where filled, must be one of `values`."""
        value = record.get(element, "")
        self.check(
            not value or value in values,
            element,
            f"应为 {'、'.join(values)}",
            f"must be {', '.join(values)}",
        )

    def shaped(
        self, record: Record, element: str, pattern: re.Pattern[str], zh: str, en: str
    ) -> None:
        """The element, where filled, must match `pattern` as a whole."""
        value = record.get(element, "")
        self.check(not value or pattern.fullmatch(value) is not None, element, zh, en)

    def decimal(self, record: Record, element: str, total: int, fraction: int) -> Decimal | None:
        """The element as a DECIMAL(total, fraction); a fault and None if it is filled and no such number."""
        value = record.get(element, "")
        if not value:
            return None
        whole, _, rest = value.partition(".")
        fits = len(whole.lstrip("0")) <= total - fraction and len(rest) <= fraction
        if _DECIMAL.fullmatch(value) is None or not fits:
            self.add(
                element,
                f"应为数字，整数不超过 {total - fraction} 位，小数不超过 {fraction} 位",
                f"must be a number of at most {total - fraction} whole and {fraction} decimal digits",
            )
            return None
        return Decimal(value)

    def above_zero(self, record: Record, element: str, total: int, fraction: int) -> Decimal | None:
        """As `decimal`, and greater than zero."""
        value = self.decimal(record, element, total, fraction)
        if value is not None and value <= 0:
            self.add(element, "应大于零", "must be above zero")
            return None
        return value

    def whole(self, record: Record, element: str) -> int | None:
        """The element as a whole number, zero included."""
        value = record.get(element, "")
        if not value:
            return None
        if _INTEGER.fullmatch(value) is None or len(value) > 19:
            self.add(element, "应为整数", "must be a whole number")
            return None
        return int(value)

    def pieces(self, record: Record, element: str) -> int | None:
        """The element as a whole number above zero."""
        value = record.get(element, "")
        if not value:
            return None
        if _INTEGER.fullmatch(value) is None or len(value) > 19 or int(value) == 0:
            self.add(element, "应为大于零的整数", "must be a whole number above zero")
            return None
        return int(value)


def is_phone(text: str) -> bool:
    """Half-width digits, hyphen, vertical bar (also the one printed in the schema text)."""
    return _PHONE.fullmatch(text) is not None


def is_registration_code(text: str) -> bool:
    """Ten characters, the first four digits, no I and no O."""
    return _REGISTRATION.fullmatch(text) is not None


def is_identity_number(text: str) -> bool:
    """Eighteen characters with a possible birth date and the check character of ISO 7064 MOD 11-2."""
    if _IDENTITY.fullmatch(text) is None:
        return False
    try:
        date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * (2 ** (17 - place) % 11) for place, digit in enumerate(text[:17]))
    return text[17] == "10X98765432"[total % 11]


def is_credit_code(text: str) -> bool:
    """Eighteen characters of the 31-letter alphabet, check character by powers of three modulo 31."""
    if len(text) != 18 or any(c not in _CREDIT_ALPHABET for c in text):
        return False
    total = sum(_CREDIT_ALPHABET.index(c) * 3**place for place, c in enumerate(text[:17]))
    return text[17] == _CREDIT_ALPHABET[-total % 31]


def is_ideograph(char: str) -> bool:
    """A CJK ideograph of any plane, or the zero used as one."""
    point = ord(char)
    return (
        0x4E00 <= point <= 0x9FFF
        or 0x3400 <= point <= 0x4DBF
        or 0x20000 <= point <= 0x3FFFF
        or 0xF900 <= point <= 0xFAFF
        or char == "〇"
    )


def has_chinese(text: str) -> bool:
    """At least one ideograph."""
    return any(map(is_ideograph, text))


def only_chinese(text: str) -> bool:
    """Nothing but ideographs."""
    return bool(text) and all(map(is_ideograph, text))


def is_latin(text: str, *, letters: bool = True) -> bool:
    """No letter of another script and, with `letters`, at least one Latin letter."""
    half = unicodedata.normalize("NFKC", text)
    kinds = [unicodedata.name(c, "") for c in half if unicodedata.category(c)[0] == "L"]
    return all(name.startswith("LATIN") for name in kinds) and (bool(kinds) or not letters)


def is_writable(text: str) -> bool:
    """No control, private-use or unassigned character and no emoji; ideographs of any plane are fine."""
    if text.isascii() and text.isprintable():
        return True
    for char in text:
        if is_ideograph(char):
            continue
        if (
            unicodedata.category(char) in ("Cc", "Cn", "Co", "Cs")
            or 0x1F000 <= ord(char) <= 0x1FAFF
        ):
            return False
    return True
