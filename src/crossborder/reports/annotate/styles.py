"""The styles of a workbook, with further ones made of those that are there: nothing that is there changes."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from lxml import etree

from crossborder.reports.annotate.texts import HEAD, MAIN

COLOURS = ("FFFFADAD", "FFFFE08A", "FFD6E9F8")
"""Fills of a fault, of what a person must decide, of a remark; unusual enough to be known again as ours."""
_EMPTY = (
    b'<styleSheet xmlns="%s"><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
    b'<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    b'<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    b'<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    b'<cellXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/></cellXfs>'
    b'<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
_TEXT = 49
"""The number format `@`."""
_FIRST = ("numFmts", "fonts", "fills", "borders", "cellStyleXfs", "cellXfs")
PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


class Styles:
    """Styles by number, as cells name them. `ours` are those that mark a cell of an earlier annotation."""

    def __init__(self, xml: bytes | None, namespace: str = MAIN) -> None:
        self._root = etree.fromstring(xml or _EMPTY % namespace.encode(), PARSER)
        self.namespace = self._ns = namespace
        self._fills, self._fonts = self._part("fills"), self._part("fonts")
        self._xfs = self._part("cellXfs")
        mine = {i for i, fill in enumerate(self._fills) if self._colour(fill) in COLOURS}
        self.ours = frozenset(
            i for i, xf in enumerate(self._xfs) if int(xf.get("fillId", 0)) in mine
        )
        self._made: dict[tuple[Any, ...], int] = {}
        self._fill_of: dict[str, int] = {}
        self.wrapping: set[int] = set()

    def general(self, base: int) -> bool:
        """Whether a style leaves it to the spreadsheet how a value is shown."""
        return int(self._xf(base).get("numFmtId", 0)) == 0

    def changed(self, base: int, kind: int | None, *, quoted: bool, text: bool) -> int:
        """The style `base` with the mark `kind` (None: without one of ours), as text that a leading sign does not
        make a formula (`quoted`), and with the format text."""
        if not quoted and not text and kind is None and base not in self.ours:
            return base
        key = (base, kind, quoted, text)
        if key not in self._made:
            xf = copy.deepcopy(self._xf(base))
            if kind is not None:
                xf.set("fillId", str(self._fill(COLOURS[kind])))
                xf.set("applyFill", "1")
            elif base in self.ours:
                xf.set("fillId", "0")
            if quoted:
                xf.set("quotePrefix", "1")
            if text:
                xf.set("numFmtId", str(_TEXT))
                xf.set("applyNumberFormat", "1")
            self._made[key] = self._add(xf)
        return self._made[key]

    def own(self, *, bold: bool = False, wrap: bool = False, colour: str = "") -> int:
        """A style of our own sheets: text, from the top of the cell."""
        key = ("own", bold, wrap, colour)
        if key not in self._made:
            xf = etree.Element(self._name("xf"), {
                "numFmtId": "0", "fontId": str(self._bold()) if bold else "0", "borderId": "0", "xfId": "0",
                "fillId": str(self._fill(colour)) if colour else "0", "quotePrefix": "1", "applyFont": "1",
                "applyFill": "1", "applyAlignment": "1",
            })  # fmt: skip
            etree.SubElement(xf, self._name("alignment"), vertical="top", wrapText=str(int(wrap)))
            self._made[key] = self._add(xf)
            self.wrapping |= {self._made[key]} if wrap else set()
        return self._made[key]

    def as_text(self) -> int:
        """The style of a plain text cell."""
        return self.changed(0, None, quoted=False, text=True)

    def xml(self) -> bytes:
        """The part, with what was added."""
        for part in (self._fills, self._fonts, self._xfs):
            part.set("count", str(len(part)))
        return HEAD + etree.tostring(self._root)

    def _xf(self, base: int) -> Any:
        return self._xfs[base if base < len(self._xfs) else 0]

    def _add(self, xf: Any) -> int:
        self._xfs.append(xf)
        return len(self._xfs) - 1

    def _bold(self) -> int:
        if ("bold",) not in self._made:
            font = copy.deepcopy(self._fonts[0])
            if font.find(self._name("b")) is None:
                font.insert(0, etree.Element(self._name("b")))
            self._fonts.append(font)
            self._made[("bold",)] = len(self._fonts) - 1
        return self._made[("bold",)]

    def _fill(self, colour: str) -> int:
        if colour not in self._fill_of:
            fill = etree.SubElement(self._fills, self._name("fill"))
            pattern = etree.SubElement(fill, self._name("patternFill"), patternType="solid")
            etree.SubElement(pattern, self._name("fgColor"), rgb=colour)
            etree.SubElement(pattern, self._name("bgColor"), indexed="64")
            self._fill_of[colour] = len(self._fills) - 1
        return self._fill_of[colour]

    def _colour(self, fill: Any) -> str:
        found = fill.find(f"{self._name('patternFill')}/{self._name('fgColor')}")
        return "" if found is None else str(found.get("rgb", ""))

    def _part(self, name: str) -> Any:
        """A list of styles; where there is none, a new one with the first entry that a list must have."""
        part: Any = self._root.find(self._name(name))
        if part is None:
            given: Any = etree.fromstring(_EMPTY % self._ns.encode())
            part = given.find(self._name(name))
            after = _FIRST[: _FIRST.index(name)]
            place = sum(etree.QName(c).localname in after for c in self._root)
            self._root.insert(place, part)
        return part

    def _name(self, local: str) -> str:
        return f"{{{self._ns}}}{local}"


def column_styles(cols: Sequence[Any]) -> list[tuple[int, int, int]]:
    """First and last column (from 0) and the style that empty cells have there."""
    return [
        (int(c.get("min", 1)) - 1, int(c.get("max", 1)) - 1, int(c.get("style", 0))) for c in cols
    ]
