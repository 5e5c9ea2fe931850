"""Goods names: vague words, advertising, traditional characters, milk powder, prohibited and restricted articles.

The names of all lines of a shipment are first looked at together; line by line only where something stands in them.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Any

from benchmarks.baseline.characters import has_han, illegal
from benchmarks.baseline.facts import Facts
from benchmarks.baseline.found import Found
from benchmarks.baseline.numbers import number
from benchmarks.baseline.spec import Shipment
from benchmarks.baseline.words import Listed, bare, stripped

RULES = ("EXP-45", "EXP-46", "LIM-09", "LIM-10", "PRO-01", "PRO-02", "PRO-03", "PRO-04", "PRO-05")
Line = dict[str, Any]

_KILOGRAM = "035"
_beside_han = re.compile("[^\n\u4e00-\u9fa5]").search


def _traditional() -> str:
    """Common characters of traditional writing: those of Big5's first level that GB 2312 has not."""
    found = _ideographs("big5", range(0xA4, 0xC7)) - _ideographs("gb2312", range(0xB0, 0xF8))
    return f"[{''.join(sorted(found))}]"


def _ideographs(encoding: str, first: range) -> set[str]:
    pairs = (bytes((a, b)) for a in first for b in range(0x40, 0xFF))
    return {
        c for pair in pairs for c in pair.decode(encoding, "ignore") if "\u4e00" <= c <= "\u9fff"
    }


_traditional_in = re.compile(_traditional()).search


def judge(ship: Shipment, main: Line | None, look: Facts, found: Found) -> None:
    """All rules about names; `main` is the dearest line."""
    lines = ship["lines"]
    names = [line["GName"] for line in lines]
    together = "\n".join(filter(None, names))
    words = _words_in(together, look)
    if _traditional_in(together):
        found.note("EXP-46")
    if words and any(name and look.words.advertising(name.lower()) for name in names):
        found.note("EXP-46")
    said = ship["MainGName"]
    if (
        said is not None
        and (main is None or said != main["GName"])
        and (_traditional_in(said) or look.words.advertising(said.lower()))
    ):
        found.note("EXP-46")
    kind = ship["EntryType"]
    if kind in ("B", "C", "D"):
        for name in names:
            if name and (words or not "\u4e00" <= name[0] <= "\u9fa5"):
                _vague(name, look, found)
    if kind == "B":
        _of_parcel(ship, main, words, look, found)


def _of_parcel(ship: Shipment, main: Line | None, words: bool, look: Facts, found: Found) -> None:
    if words or _latin_words_in(ship["lines"], look):
        _articles(ship, look, found)
    if words:
        _milk_powder(ship, main, look, found)


def _words_in(names: str, look: Facts) -> bool:
    """Whether any list may find a word in some Chinese names, one a line."""
    if _beside_han(names):
        names = unicodedata.normalize("NFKC", names).lower()
        if look.words.any_latin(names) or look.goods.latin_in(names) or look.goods.gap(names):
            return True
        if not look.words.vague_alone.isdisjoint(map(bare, names.split("\n"))):
            return True
        alone = [stripped(name) for name in names.split("\n")]
    else:
        alone = names.split("\n")
    return look.words.any_goods(names) is not None or not look.goods.chinese_alone.isdisjoint(alone)


def _latin_words_in(lines: list[Line], look: Facts) -> bool:
    """The same for the English names and the goods words."""
    names = "\n".join([line["GNameEn"] or "" for line in lines])
    if not names.isascii():
        return True
    return look.goods.latin_in(names.lower())


def _vague(name: str, look: Facts, found: Found) -> None:
    """EXP-45 of one name."""
    lower = name.lower()
    rest = bare(lower)
    within, chinese, alone = look.words.vague(lower), has_han(name), rest in look.words.vague_alone
    if (chinese and not within and not alone) or illegal(name):
        return
    empty = not rest or rest.isdecimal()
    if alone or empty:
        found.refuse("EXP-45")
    if (within and not alone) or rest in look.words.vague_nearly:
        found.note("EXP-45")
    if not (chinese or alone or empty) and look.chinese_name != "pass":
        found.grade("EXP-45", refuse=look.chinese_name == "reject")


def _articles(ship: Shipment, look: Facts, found: Found) -> None:
    """PRO-01 to PRO-05, LIM-09: the English name speaks where the Chinese one does not."""
    for line in ship["lines"]:
        name, english = _half_width(line["GName"]), _half_width(line["GNameEn"])
        for listed in look.goods.rules.get(ship["IEFlag"], look.goods.rules[None]):
            if not _told(name, listed, found):
                _told(english, listed, found)


def _half_width(name: str | None) -> str:
    return unicodedata.normalize("NFKC", name or "").lower()


def _told(name: str, listed: Listed, found: Found) -> bool:
    """Whether the name is or holds a word, which is a person's to judge; what it only nearly holds is noted."""
    shown = listed.shown(name)
    if listed.hit(shown):
        found.hold(listed.rule)
        return True
    if listed.nearly(shown):
        found.note(listed.rule)
    return False


def _milk_powder(ship: Shipment, main: Line | None, look: Facts, found: Found) -> None:
    """LIM-10: the net weight of a parcel of nothing else, of several lines what they say in kilograms."""
    lines, most = ship["lines"], look.milk_powder
    if len(lines) == 1:
        net = number(ship["NetWt"])
        name = main["GName"] if main is not None else None
        if net is not None and net > most and name and look.words.milk_powder(name.lower()):
            found.note("LIM-10")
        return
    weight = Decimal(0)
    for line in lines:
        name = line["GName"]
        if line["Unit1"] == _KILOGRAM and name and look.words.milk_powder(name.lower()):
            weight += number(line["Qty1"]) or 0
    if weight > most:
        found.note("LIM-10")
