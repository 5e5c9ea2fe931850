"""Sender and receiver: document numbers, names, addresses, telephones."""

from __future__ import annotations

import re

from benchmarks.baseline.characters import HAN, digits, illegal, written
from benchmarks.baseline.facts import Facts
from benchmarks.baseline.firms import social_credit
from benchmarks.baseline.found import Found
from benchmarks.baseline.spec import Shipment

RULES = (
    "EXP-24", "ID-01", "ID-02", "ID-03", "ID-04", "ID-05", "ID-06", "ID-15", "TXT-01", "TXT-02", "TXT-03",
)  # fmt: skip
CHINA = "142"
_MOBILE = r"(?:(?:\+|00)?86-?)?1[3-9][0-9]{9}"
_LANDLINE = r"(?:(?:\+|00)?86-?)?0[0-9]{2,3}-?[0-9]{7,8}(?:-[0-9]{1,6})?"
_PHONE = f"(?:{_MOBILE}|{_LANDLINE}|[48]00-?[0-9]{{3}}-?[0-9]{{4}})"
_phones = re.compile(rf"{_PHONE}(?:[|\u2223]{_PHONE})*").fullmatch
_mobile = re.compile("1[3-9][0-9]{9}").fullmatch
_OF_PHONES = "0123456789-|\u2223"
_passport = re.compile("[0-9A-Za-z]{5,20}").fullmatch
_permit = re.compile(
    "[HM][0-9]{8}(?:[0-9]{2})?|[0-9]{8}|[0-9]{10}[A-Z]?|[A-Z][0-9]{9}|[A-Z]{3}[0-9]{12}|[0-9]{17}[0-9X]"
).fullmatch
_name = re.compile(rf"[{HAN}·•・．]{{2,25}}").fullmatch
_below_city = re.compile("[区县旗市镇乡岛].").search
_from_province = re.compile(
    f"[{HAN}]{{2,3}}省|[{HAN}]{{2,6}}自治区|(?:北京|上海|天津|重庆)市"
).match
_YOUNG, _OLD = 16_00_00, 111_00_00
"""Years as they count in a day written as a number."""
_AT_MOST = 20


def judge(ship: Shipment, look: Facts, found: Found) -> None:
    """All rules about persons."""
    own, own_type = ship["SendId"], ship["SendIdType"]
    if own is not None:
        _document(own, own_type, ship["EntryType"], look, found)
    for name in (ship["SendName"], ship["ReceiveName"]):
        if (
            name is not None
            and (name[-1] in look.words.last or name[-1] == name[0])
            and _placeholder(name, look)
        ):
            found.note("TXT-02")
    for phone in (ship["SendTelNo"], ship["ReceiveTelNo"]):
        if phone is not None and phone.strip(_OF_PHONES) and not illegal(phone):
            found.refuse("EXP-24")
    direction = ship["IEFlag"]
    if direction == "I":
        _chinese_side(
            ship["ReceiveName"], ship["ReceiveAddress"], ship["ReceiveCountry"], ship["ReceiveTelNo"], own_type, look, found
        )  # fmt: skip
    elif direction == "E":
        _chinese_side(
            ship["SendName"], ship["SendAddress"], ship["SendCountry"], ship["SendTelNo"], own_type, look, found
        )  # fmt: skip


def _document(own: str, own_type: str | None, kind: str | None, look: Facts, found: Found) -> None:
    if kind == "B":
        if own_type == "1":
            _resident(own, look, found)
        elif own_type in ("2", "3"):
            _other(own, own_type, found)
    elif own_type is None and kind in ("A", "C", "D"):
        _untyped(own, look, found)


def _resident(own: str, look: Facts, found: Found) -> None:
    """A resident identity number: form, birth, check character; then region and age."""
    if len(own) == 18 and _form(own):
        if own[6:14] not in look.births or not _checked(own):
            found.refuse("ID-01")
            return
        if own[17] == "x":
            found.note("ID-01")
        if not own.startswith(look.provinces) and not own.startswith(look.permits):
            found.note("ID-03")
        born, today = int(own[6:14]), int(look.today)
        if born > today - _YOUNG or born <= today - _OLD:
            found.note("ID-04")
    elif len(own) == 15 and digits(own):
        found.refuse("ID-02")
    elif len(own) <= _AT_MOST and written(own) is not None:
        found.refuse("ID-01")


def _form(own: str) -> bool:
    return own.isascii() and own[:17].isdigit() and own[17] in "0123456789Xx"


def _checked(own: str) -> bool:
    """ISO 7064 MOD 11-2: the weights are the powers of 2 modulo 11, and so are those of 13, in which `int` reads."""
    return "10X98765432"[int(own[:17], 13) * 2 % 11] == own[17].upper()


def _untyped(own: str, look: Facts, found: Found) -> None:
    """Where no type is stated: what looks like an identity number is only noted."""
    if len(own) == 18 and _form(own):
        if (own[6:14] not in look.births or not _checked(own)) and not social_credit(own):
            found.note("ID-01")
    elif len(own) == 15 and digits(own):
        found.note("ID-02")


def _other(own: str, own_type: str, found: Found) -> None:
    """Passports and permits."""
    good, rule = (_passport, "ID-05") if own_type == "2" else (_permit, "ID-06")
    if not good(own) and len(own) <= _AT_MOST and written(own) is not None:
        found.note(rule)


def _placeholder(name: str, look: Facts) -> bool:
    """A listed word, a name that ends in a title, one character repeated."""
    bare = "".join(name.split())
    if bare.lower() in look.words.placeholders or bare.endswith(look.words.titles):
        return True
    return len(bare) > 1 and not bare.strip(bare[0])


def _chinese_side(
    name: str | None, address: str | None, country: str | None, phone: str | None, own_type: str | None, look: Facts,
    found: Found,
) -> None:  # fmt: skip
    if own_type == "1" and name is not None:
        odd = not _name(name) or look.words.firms(name)
        if odd and not _placeholder(name, look) and not illegal(name):
            found.note("TXT-01")
    if (
        address is not None
        and country == CHINA
        and (not _below_city(address) or _from_province(address))
    ):
        found.note("TXT-03")
    if phone is not None and not _mobile(phone) and not _phones(phone):
        _odd_phone(phone, found)


def _odd_phone(phone: str, found: Found) -> None:
    """No number of the mainland; one with other characters is EXP-24's."""
    if not phone.strip(_OF_PHONES):
        found.note("ID-15")
