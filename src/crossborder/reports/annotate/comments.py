"""Comments of a sheet (the notes of Excel) and the drawing that shows them; those that are there stay."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lxml import etree

from crossborder.reports.annotate.marks import letters, number
from crossborder.reports.annotate.styles import PARSER
from crossborder.reports.annotate.texts import HEAD, MAIN, escaped
from crossborder.reports.labels import label

MOST = 20_000
"""Cells that get a comment: a spreadsheet with more of them can hardly be used."""
AUTHOR = "crossborder"
_MARK = "◆ crossborder"
_SHOWN = 5
_BLOCK = 1024
"""Shapes share numbers in blocks of this many."""
_SHAPE = re.compile(rb"<v:shape\b(?!type).*?</v:shape>", re.DOTALL)
_WHERE = re.compile(rb"<x:Row>\s*(\d+)\s*</x:Row>\s*<x:Column>\s*(\d+)\s*</x:Column>")
_MAP = re.compile(rb"""<o:idmap\b[^>]*?\bdata=["']([0-9,]*)["'][^>]*?/?>(?:\s*</o:idmap>)?""")
_NEW_DRAWING = (
    b'<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
    b'xmlns:x="urn:schemas-microsoft-com:office:excel"><o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data=""/>'
    b"</o:shapelayout></xml>"
)
_TYPE = (
    b'<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe">'
    b'<v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
)

Place = tuple[int, int]
"""Row and column, both from 0."""


def comment(told: Sequence[Mapping[str, Any]]) -> str:
    """What is said at a cell: consequence, rule, what is wrong and the remedy, in Chinese and in English."""
    lines = [f"{_MARK}"]
    for one in told[:_SHOWN]:
        what = consequence(one)
        lines.append(f"【{label(what, 'zh')} {label(what, 'en')}】{one['rule']}")
        lines += [one["zh"] or "", one["en"] or ""]
        lines += [f"→ {text}" for text in (one["fix_zh"], one["fix_en"]) if text]
        if one["suggest"]:
            lines.append(f"建议值 suggested: {one['suggest']}")
    if len(told) > _SHOWN:
        lines.append(f"另有 {len(told) - _SHOWN} 条 and {len(told) - _SHOWN} more")
    return "\n".join(line for line in lines if line)


def consequence(finding: Mapping[str, Any]) -> str:
    """The name of what follows from a finding."""
    held = finding["severity"] == "not_evaluated" and finding["action"] == "hold"
    return "not_evaluated" if held else str(finding["action"])


class Comments:
    """The comments of one sheet: ours of an earlier time are taken out, new ones put in."""

    def __init__(self, xml: bytes | None, drawing: bytes | None, namespace: str = MAIN) -> None:
        empty = b'<comments xmlns="%s"><authors/><commentList/></comments>' % namespace.encode()
        self._root: Any = etree.fromstring(xml or empty, PARSER)
        self._ns = namespace
        self._authors = self._part("authors")
        self._list = self._part("commentList")
        self._drawing = drawing or _NEW_DRAWING
        gone = [where for c in list(self._list) if (where := self._forget(c)) is not None]
        self._undraw(set(gone))

    def _forget(self, found: Any) -> Place | None:
        """Take our words out of a comment; where nothing else is in it, the comment too, which stood there."""
        text: Any = found.find(self._name("text"))
        runs = [] if text is None else list(text.iter(self._name("t")))
        for at, run in enumerate(runs):
            before, mark, _ = (run.text or "").partition(_MARK)
            if not mark:
                continue
            said = "".join(r.text or "" for r in runs[:at]) + before
            if not said.strip():
                self._list.remove(found)
                return _place(found.get("ref", "A1"))
            run.text = before.rstrip()
            for later in runs[at + 1 :]:
                later.text = ""
        return None

    def _undraw(self, gone: set[Place]) -> None:
        def kept(shape: re.Match[bytes]) -> bytes:
            where = _WHERE.search(shape.group())
            known = where is not None and (int(where[1]), int(where[2])) in gone
            return b"" if known else shape.group()

        if gone:
            self._drawing = _SHAPE.sub(kept, self._drawing)

    def add(self, said: Iterable[tuple[Place, str]], free: int) -> None:
        """New comments by place, in that order; shapes are numbered from block `free` on."""
        there = {_place(c.get("ref", "A1")): c for c in self._list}
        threaded = {i for i, a in enumerate(self._authors) if (a.text or "").startswith("tc=")}
        author = str(len(self._authors))
        etree.SubElement(self._authors, self._name("author")).text = AUTHOR
        shapes: list[bytes] = []
        for (row, column), text in said:
            old = there.get((row, column))
            if old is None:
                ref = f"{letters(column)}{row + 1}"
                new = etree.SubElement(self._list, self._name("comment"), ref=ref, authorId=author)
                self._write(etree.SubElement(new, self._name("text")), text)
                shapes.append(_shape(free * _BLOCK + len(shapes) + 1, row, column, text))
            elif int(old.get("authorId", 0)) not in threaded:
                self._write(old.find(self._name("text")), "\n" + text)
        self._draw(shapes, free)

    def _write(self, text: Any, said: str) -> None:
        run = etree.SubElement(text, self._name("r"))
        style = etree.SubElement(run, self._name("rPr"))
        etree.SubElement(style, self._name("sz"), val="9")
        etree.SubElement(style, self._name("rFont"), val="Microsoft YaHei")
        words = etree.SubElement(run, self._name("t"))
        words.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
        words.text = _clean(said)

    def _draw(self, shapes: list[bytes], free: int) -> None:
        end = self._drawing.rfind(b"</xml>")
        if not shapes or end < 0:
            return
        blocks = ",".join(str(free + n) for n in range(len(shapes) // _BLOCK + 1)).encode()
        kind = b"" if b'id="_x0000_t202"' in self._drawing else _TYPE
        drawing = self._drawing[:end] + kind + b"".join(shapes) + self._drawing[end:]

        def mapped(found: re.Match[bytes]) -> bytes:
            data = b",".join(part for part in (found[1], blocks) if part)
            return b'<o:idmap v:ext="edit" data="%b"/>' % data

        self._drawing = _MAP.sub(mapped, drawing, count=1)

    def xml(self) -> bytes:
        """The part with the comments, by place."""
        ordered = sorted(self._list, key=lambda c: _place(c.get("ref", "A1")))
        self._list[:] = ordered
        return HEAD + etree.tostring(self._root)

    def drawing(self) -> bytes:
        """The part with their shapes."""
        return self._drawing

    def _part(self, name: str) -> Any:
        return self._root.find(self._name(name))

    def _name(self, local: str) -> str:
        return f"{{{self._ns}}}{local}"


def used_blocks(drawing: bytes) -> list[int]:
    """The blocks of shape numbers that a drawing has taken."""
    return [int(n) for found in _MAP.findall(drawing) for n in found.split(b",") if n]


def _place(ref: str) -> Place:
    column = ref.rstrip("0123456789")
    return int(ref[len(column) :] or 1) - 1, number(column.encode())


def _clean(text: str) -> str:
    """Without what XML cannot hold: lxml escapes the rest itself."""
    plain = escaped(text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return plain[:32_000]


def _shape(name: int, row: int, column: int, text: str) -> bytes:
    lines = sum(1 + sum(2 if ord(c) > 0x2E7F else 1 for c in line) // 52 for line in text.split("\n"))  # fmt: skip
    anchor = f"{column + 1}, 15, {max(row - 1, 0)}, 10, {column + 6}, 15, {max(row - 1, 0) + lines + 1}, 4"
    return (
        f'<v:shape id="_x0000_s{name}" type="#_x0000_t202" style="position:absolute;visibility:hidden;'
        f'width:320pt;height:{15 * lines + 15}pt;z-index:1" fillcolor="#ffffe1" o:insetmode="auto">'
        '<v:fill color2="#ffffe1"/><v:shadow on="t" color="black" obscured="t"/><v:path o:connecttype="none"/>'
        '<v:textbox style="mso-direction-alt:auto"><div style="text-align:left"></div></v:textbox>'
        '<x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/>'
        f"<x:Anchor>{anchor}</x:Anchor><x:AutoFill>False</x:AutoFill><x:Row>{row}</x:Row>"
        f"<x:Column>{column}</x:Column></x:ClientData></v:shape>"
    ).encode()
