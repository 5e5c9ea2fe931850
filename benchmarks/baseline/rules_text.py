"""What texts may hold: illegal and full-width characters, scripts of names and cities, separators of the model.

Of a shipment all free texts are looked at together, and so are all codes; one by one only where something is unusual. What
reading leaves out (the master waybill's own pieces and weight) is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain
from operator import itemgetter
from typing import Any

from benchmarks.baseline.characters import (
    HAN,
    full_width,
    has_han,
    illegal,
    not_latin,
    rare,
    wide_letter,
)
from benchmarks.baseline.facts import Facts
from benchmarks.baseline.found import Found
from benchmarks.baseline.spec import (
    DOCU,
    FACTS,
    HEAD,
    LINE,
    LINE_FACTS,
    Shipment,
    key_of,
    names,
)
from crossborder.shipments.columns import COLUMNS, FrameName

RULES = ("EXP-25", "EXP-26", "EXP-27", "EXP-28", "EXP-37", "TXT-04")
_all_han = re.compile(f"[{HAN}]+").fullmatch
_other_bars = re.compile("[｜∣¦;；]").search
_odd = re.compile(
    "[^ -~、。\u4e00-\u9fa5\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff5e]"
).search
"""Anything but ASCII, common Chinese characters and full-width punctuation."""
_FRAMES: dict[str, FrameName] = {HEAD: "shipments", LINE: "goods", DOCU: "documents"}
_FREE = ("text", "name")


def judge(ship: Shipment, look: Facts, found: Found) -> None:
    """All rules about characters and scripts."""
    free, coded = _getters()
    lines, docs = ship["lines"], ship["docs"]
    if _odd("".join(filter(None, chain(free[HEAD](ship), *map(free[LINE], lines))))):
        _free_texts(ship, look, found)
    rows = *map(coded[LINE], lines), *map(coded[DOCU], docs)
    codes = "".join(filter(None, chain(coded[HEAD](ship), *rows)))
    if not (codes.isascii() and codes.isprintable()):
        _codes(ship, found)
    if _other_bars("\n".join([line["GModel"] or "" for line in lines])):
        found.note("EXP-37")
    _scripts(ship, found)


Getter = Callable[[Shipment], Any]


@cache
def _getters() -> tuple[dict[str, Getter], dict[str, Getter]]:
    """What gives the values of each group that are free text, and all others: codes, numbers, telephones."""
    free: dict[str, Getter] = {g: itemgetter(*_keys(g, free=True)) for g in (HEAD, LINE)}
    return free, {g: itemgetter(*_keys(g, free=False)) for g in _FRAMES}


def _keys(group: str, *, free: bool) -> list[str]:
    """The keys of a group in a `Shipment`; declaring sets the time itself."""
    columns = {key: COLUMNS[_FRAMES[group]][column] for column, key in key_of(group).items()}
    keys = [k for k in names("EXP301", group).elements if k in columns and k != "DDate"]
    facts = {HEAD: FACTS, LINE: LINE_FACTS}.get(group, ())
    others = [f for f in facts if f != "TransitDeclaration"]
    return [k for k in keys if (columns[k].kind in _FREE) is free] + ([] if free else others)


def _texts(ship: Shipment, getters: dict[str, Getter]) -> Iterator[str]:
    for group, rows in ((HEAD, (ship,)), (LINE, ship["lines"]), (DOCU, ship["docs"])):
        if group in getters:
            yield from filter(None, chain.from_iterable(map(getters[group], rows)))


def _free_texts(ship: Shipment, look: Facts, found: Found) -> None:
    """TXT-04 of free text: what is full width or rare is noted only."""
    for text in _texts(ship, _getters()[0]):
        if illegal(text):
            found.refuse("TXT-04")
        else:
            if wide_letter(text):
                found.note("TXT-04")
            if look.rare_ideographs != "pass" and rare(text):
                found.grade("TXT-04", refuse=look.rare_ideographs == "reject")
    name = ship["TrafName"]
    if name is not None and name[0] == "@" and full_width(name.partition("/")[0]):
        found.refuse("TXT-04")  # the number of a transit declaration stands in it


def _codes(ship: Shipment, found: Found) -> None:
    """TXT-04 of codes, numbers and dates, where nothing full-width belongs; of telephones only what is illegal."""
    phones = (ship["SendTelNo"], ship["ReceiveTelNo"])
    for text in _texts(ship, _getters()[1]):
        if illegal(text) or (full_width(text) and text not in phones):
            found.refuse("TXT-04")


def _scripts(ship: Shipment, found: Found) -> None:
    city, direction = ship["ReceiveCity"], ship["IEFlag"]
    if city is not None and not has_han(city) and not illegal(city):
        found.refuse("EXP-25")
    if direction == "I":
        texts = [ship["SendNameEn"], ship["SendCityEn"], ship["StopCityEn"]]
        texts += [line["GNameEn"] for line in ship["lines"]]
        for text in texts:
            if text is not None and not (text.isascii() and text[0].isalpha()) and not_latin(text):
                found.refuse("EXP-27")
    elif direction == "E":
        own = ship["SendCity"]
        if own is not None and not _all_han(own) and not illegal(own):
            found.refuse("EXP-26")
        if not_latin(ship["ReceiveNameEn"]):
            found.refuse("EXP-28")
