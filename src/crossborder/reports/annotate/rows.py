"""A sheet's rows as they pass: faulty cells get a mark, live formulas become their values, all else stays byte by byte."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from crossborder.errors import InputError
from crossborder.reports.annotate.marks import REPEATED, letters, number
from crossborder.reports.annotate.styles import Styles

_SHEET_DATA = re.compile(rb"<(?:\w+:)?sheetData(?=[\s>/])[^>]*>")
_ROW = re.compile(rb"<(?:\w+:)?row(?=[\s>/])[^>]*>")
_CELL = re.compile(rb"<(?:\w+:)?c(?=[\s/>])([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL)
_FORMULA = re.compile(rb"<(?:\w+:)?f(?=[\s/>])[^>]*?(?:/>|>.*?</(?:\w+:)?f>)", re.DOTALL)
_VALUE = re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>(.*?)</(?:\w+:)?v>", re.DOTALL)
_SHARED = re.compile(rb"""\st=["']s["'][^>]*>\s*<(?:\w+:)?v(?:\s[^>]*)?>(\d+)<""")
_ALIVE = re.compile(rb"<(?:\w+:)?(?:t|v)(?:\s[^>]*)?>(?:[=+\-@\t\r]|&#|_x00)")
"""A text that may begin with a sign that makes it a formula when it is typed again."""
_SIGNS = (b"<f", b":f", b">=", b">+", b">-", b">@", b">\t", b">\r", b">&#", b">_x00")
"""Without any of them neither is there, and that is known sooner."""
_ATTRIBUTE = re.compile(rb"""\s([\w:]+)=(?:"([^"]*)"|'([^']*)')""")
_DRAWING = re.compile(rb"<(?:\w+:)?legacyDrawing\s[^>]*>")
_TEXTS = (b"s", b"inlineStr", b"str")
_LONG = 11
"""Digits from which a number is one that identifies something, and should be text when it is typed again."""


@dataclass(frozen=True)
class Sheet:
    """What is known of a sheet before its rows: see `Rows`."""

    styles: Styles
    marks: Mapping[int, Mapping[int, int]]
    alive: frozenset[int]


class Rows:
    """Rewrites the rows of one sheet.

    `marks` are row (from 1) → column (from 0) → how a cell is marked; `alive` the numbers of shared texts that begin
    like a formula; `columns` are to be set to the styles of whole columns. `last` is the last row seen, `frozen` how many formulas
    became values, `tail` what stands behind the last row, once all of them have passed.
    """

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self.columns: Sequence[tuple[int, int, int]] = ()
        self.last = 0
        self.frozen = 0
        self.tail = b""

    def rewritten(self, pieces: Iterable[bytes], tell: Callable[[int], None]) -> Iterator[bytes]:
        """The rows; `pieces` begin right behind the tag `sheetData`."""
        text = b""
        for piece in pieces:
            text += piece
            done, passed = 0, list[bytes]()
            for start, end in _rows(text):
                passed += [text[done:start], self._row(text[start:end])]
                done = end
            yield b"".join(passed)
            text = text[done:]
            tell(self.last)
        self.tail = text

    def _row(self, text: bytes) -> bytes:
        tag = _ROW.match(text)
        assert tag is not None
        given = attributes(tag.group())
        self.last = int(given.get(b"r", self.last + 1))
        wanted = self._sheet.marks.get(self.last)
        if not wanted and not self._speaks(text):
            return text
        base = int(given.get(b"s", 0)) if given.get(b"customFormat") in (b"1", b"true") else -1
        return self._changed(text, tag, dict(wanted or {}), base)

    def _speaks(self, text: bytes) -> bool:
        """Whether a row that has no mark has a formula, a text like one, or a mark of an earlier time."""
        if any(sign in text for sign in _SIGNS) and (_FORMULA.search(text) or _ALIVE.search(text)):
            return True
        alive, ours = self._sheet.alive, self._sheet.styles.ours
        if alive and not alive.isdisjoint(map(int, _SHARED.findall(text))):
            return True
        return bool(ours) and any(int(a.get(b"s", 0)) in ours for a in map(attributes, text.split(b"<")))  # fmt: skip

    def _changed(
        self, text: bytes, tag: re.Match[bytes], wanted: dict[int, int], base: int
    ) -> bytes:
        cells: list[tuple[int, bytes]] = []
        at, same = -1, True
        for cell in _CELL.finditer(text, tag.end()):
            given = attributes(cell.group(1))
            place = given.get(b"r", b"").rstrip(b"0123456789")
            at = number(place) if place else at + 1
            cells.append((at, self._cell(cell, given, wanted.pop(at, None))))
            same = same and cells[-1][1] == cell.group()
        if same and all(kind >= REPEATED for kind in wanted.values()):
            return text
        prefix = tag.group()[1 : tag.group().index(b"row")]
        for at, kind in wanted.items():
            if kind >= REPEATED:
                continue
            style = self._style(
                base if base >= 0 else self._column(at), kind, b"", b"", alive=False
            )
            ref = f"{letters(at)}{self.last}".encode()
            cells.append((at, b'<%bc r="%b" s="%d"/>' % (prefix, ref, style)))
        cells.sort(key=lambda c: c[0])
        head = re.sub(rb"""\sspans=["'][^"']*["']""", b"", tag.group())
        if head.endswith(b"/>"):
            head = head[:-2] + b">"
        return head + b"".join(c for _, c in cells) + b"</%brow>" % prefix

    def _cell(self, cell: re.Match[bytes], given: dict[bytes, bytes], kind: int | None) -> bytes:
        if kind is not None and kind >= REPEATED:
            kind = kind - REPEATED if cell.group(2) else None
        old, body, tag = int(given.get(b"s", 0)), cell.group(2) or b"", cell.group(1)
        live = _FORMULA.search(body) is not None
        if live:
            self.frozen += 1
            body = _FORMULA.sub(b"", body)
            tag = re.sub(rb"""\scm=["'][^"']*["']""", b"", tag)
        kind_of = given.get(b"t", b"n")
        new = self._style(old, kind, kind_of, body, alive=self._is_alive(kind_of, body))
        if new == old and not live:
            return cell.group()
        tag = re.sub(rb"""\ss=["'][^"']*["']""", b"", tag) + (b' s="%d"' % new if new else b"")
        name = cell.group()[1 : cell.group().index(b"c") + 1]
        return b"<%b%b>%b</%b>" % (name, tag, body, name) if body.strip() else b"<%b%b/>" % (name, _bare(tag))  # fmt: skip

    def _style(
        self, old: int, kind: int | None, kind_of: bytes, body: bytes, *, alive: bool
    ) -> int:
        styles = self._sheet.styles
        as_text = kind is not None and styles.general(old) and _identifies(kind_of, body)
        return styles.changed(old, kind, quoted=alive, text=as_text)

    def _is_alive(self, kind_of: bytes, body: bytes) -> bool:
        if kind_of == b"s":
            value = _VALUE.search(body)
            return (
                value is not None
                and value.group(1).strip().isdigit()
                and int(value.group(1)) in self._sheet.alive
            )
        return kind_of in _TEXTS and _ALIVE.search(body) is not None

    def _column(self, at: int) -> int:
        return next((s for first, last, s in self.columns if first <= at <= last), 0)


def parted(pieces: Iterator[bytes], place: str) -> tuple[bytes, Iterator[bytes]]:
    """A sheet's XML up to and with its tag `sheetData`, and what follows. Raises `InputError`."""
    text = b""
    for piece in pieces:
        text += piece
        if found := _SHEET_DATA.search(text):
            return text[: found.end()], chain([text[found.end() :]], pieces)
    raise strange(place)


def drawing_of(pieces: Iterable[bytes], place: str) -> str:
    """The relation of a sheet to the drawing of its comments, "" where it has none.

    Looks at all of the sheet: raises `InputError` unless it is plain XML, UTF-8 without comments, CDATA and entities
    of its own, as every spreadsheet program writes it.
    """
    before, found = b"", ""
    for piece in pieces:
        if b"<!" in before[-1:] + piece or piece.startswith((b"\xfe\xff", b"\xff\xfe")):
            raise strange(place)
        for tag in _DRAWING.findall(before + piece):
            found = next((v.decode() for n, v in attributes(tag).items() if n.endswith(b":id")), "")
        before = piece[-512:]
    return found


def strange(place: str) -> InputError:
    """The error for a sheet that was written in a way nobody writes it."""
    return InputError(
        "the sheet is written in an unusual way and cannot be annotated", "工作表的写法不常见，无法标注", place=place,
        fix_en="open it in Excel, save it again as .xlsx, and hand that in",
        fix_zh="请用 Excel 打开并另存为 .xlsx 后重试",
    )  # fmt: skip


def _rows(text: bytes) -> Iterator[tuple[int, int]]:
    """Begin and end of every row that is there whole."""
    at = 0
    while found := _ROW.search(text, at):
        at = found.end()
        if not found.group().endswith(b"/>"):
            name = found.group()[1 : found.group().index(b"row") + 3]
            end = text.find(b"</%b>" % name, at)
            if end < 0:
                return
            at = end + len(name) + 3
        yield found.start(), at


def attributes(tag: bytes) -> dict[bytes, bytes]:
    """The attributes of a start tag."""
    return {name: a or b for name, a, b in _ATTRIBUTE.findall(tag)}


def _bare(tag: bytes) -> bytes:
    """The attributes of a cell that has no value any more."""
    return re.sub(rb"""\st=["'][^"']*["']""", b"", tag)


def _identifies(kind_of: bytes, body: bytes) -> bool:
    """Whether what is typed into a cell again should stay as it is typed: a text, a long number, or nothing yet."""
    if kind_of in _TEXTS or not body.strip():
        return True
    value = _VALUE.search(body)
    digits = value.group(1).strip() if value is not None else b""
    return kind_of == b"n" and (b"E" in digits.upper() or len(digits.partition(b".")[0]) >= _LONG)
