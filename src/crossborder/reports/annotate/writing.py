"""`annotate`: a workbook with its faulty cells marked, commented and listed; everything else in it stays as it is."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

from lxml import etree

from crossborder.reports.annotate import sheets, table
from crossborder.reports.annotate.comments import MOST, Comments, comment, used_blocks
from crossborder.reports.annotate.marks import Marks, Place, by_cell, letters
from crossborder.reports.annotate.package import Package
from crossborder.reports.annotate.rows import Rows, Sheet, drawing_of, parted, strange
from crossborder.reports.annotate.sheets import Told
from crossborder.reports.annotate.styles import PARSER, Styles, column_styles
from crossborder.reports.annotate.texts import HEAD

Progress = Callable[[int, int], None]
_ROOT = re.compile(rb"<((?:\w+:)?worksheet)\b[^>]*>")
_OURS = "_crossborder_annotated"
"""A hidden name by which a workbook says that it was annotated before."""
_FILTER = "_xlnm._FilterDatabase"
_SIGN = re.compile(r"[=+\-@\t\r]")
_DRAWINGS = "application/vnd.openxmlformats-officedocument.vmlDrawing"
_BEFORE_FILTER = ("sheetCalcPr", "sheetProtection", "protectedRanges", "scenarios")
_AFTER_DRAWING = (
    "legacyDrawingHF", "drawingHF", "picture", "oleObjects", "controls", "webPublishItems", "tableParts", "extLst",
)  # fmt: skip
_MACROS = "vbaProject"


def annotate(
    book: IO[bytes], out: IO[bytes], place: Place, marks: Marks, told: Told, progress: Progress,
    rows: Iterator[bytes] | None = None,
) -> None:  # fmt: skip
    """Write the workbook `book` to `out` with what `marks` and `told` say.

    `rows` is the XML of the only sheet of a book that was made by `table`.

    Cells are coloured and commented, a filter stands on the header, two sheets are added (those of an earlier
    annotation replaced). A text that begins with `= + - @` is kept as it is and marked as text, so that it stays one
    when it is edited; a live formula of the sheet becomes its value. Macros are left out. `progress` is told rows.
    Raises `InputError` where the workbook is written in a way nobody writes it.
    """
    try:
        package = Package(book, {} if rows is None else {table.ROWS: rows})
        _Annotating(package, place, marks, told, progress).write(out)
    except (zipfile.BadZipFile, KeyError, ValueError, StopIteration, etree.XMLSyntaxError) as error:
        raise strange(told.source_name) from error


class _Annotating:
    def __init__(
        self, package: Package, place: Place, marks: Marks, told: Told, progress: Progress
    ) -> None:
        self._package, self._place, self._told = package, place, told
        self._sheets = package.book.find(f"{{{package.main}}}sheets")
        self._sheet = self._part_of(self._named(place.sheet))
        self._styles_part, self._styles = self._opened_styles()
        self._listed = marks.listed(place)
        self._cells = marks.cells(place)
        self._progress = progress
        self._drawing = ""

    def write(self, out: IO[bytes]) -> None:
        package = self._package
        package.type_of(package.book_part, ".sheet.main+xml")
        for unwanted in ("calcChain", _MACROS):
            for kind, target, _ in package.relations(package.book_part):
                if kind == unwanted:
                    package.forget_relations(target)
            package.unrelate(package.book_part, unwanted)
        self._comment()
        added = [self._added(name) for name in (sheets.SUMMARY, sheets.FINDINGS)]
        rows = Rows(Sheet(self._styles, self._cells, self._alive()))
        streamed: list[tuple[str, Iterable[bytes]]] = [
            (self._sheet, self._rewritten(rows)),
            (added[0], self._summary(rows)),
            (added[1], sheets.findings(self._listed, self._place, self._styles)),
            (self._styles_part, self._last()),
        ]
        package.write(out, streamed)

    def _named(self, sheet: str) -> Any:
        every = list(self._sheets)
        return next((s for s in every if s.get("name") == sheet), every[0])

    def _part_of(self, sheet: Any) -> str:
        wanted = sheet.get(f"{{{self._package.rels}}}id")
        relations = self._package.relations(self._package.book_part)
        return next(target for _, target, name in relations if name == wanted)

    def _opened_styles(self) -> tuple[str, Styles]:
        package = self._package
        part = next((t for k, t, _ in package.relations(package.book_part) if k == "styles"), "")
        if part:
            return part, Styles(package.read(part), package.main)
        package.relate(package.book_part, "styles", "xl/styles.xml")
        package.put("xl/styles.xml", b"", ".styles+xml")
        return "xl/styles.xml", Styles(None, package.main)

    def _alive(self) -> frozenset[int]:
        """Numbers of the shared texts that begin with a sign that makes a formula."""
        package = self._package
        relations = package.relations(package.book_part)
        part = next((t for k, t, _ in relations if k == "sharedStrings"), "")
        if not part or not package.has(part):
            return frozenset()
        alive, number = set[int](), 0
        with package.opened(part) as stream:
            items = etree.iterparse(stream, tag=f"{{{package.main}}}si", resolve_entities=False, no_network=True)  # fmt: skip
            for number, (_, item) in enumerate(items):
                text = next((t.text or "" for t in item.iter(f"{{{package.main}}}t")), "")
                if _SIGN.match(text):
                    alive.add(number)
                item.clear()
                parent = item.getparent()
                while parent is not None and item.getprevious() is not None:
                    del parent[0]
        return frozenset(alive)

    def _comment(self) -> None:
        package, place = self._package, self._told.source_name
        plain = self._sheet in package.streams
        wanted = "" if plain else drawing_of(package.pieces(self._sheet), place)
        relations = package.relations(self._sheet)
        old = next((t for kind, t, _ in relations if kind == "comments"), "")
        drawing = next((t for _, t, name in relations if name == wanted), "") if wanted else ""
        said = [((row - 1, at), comment(told)) for row, at, told in by_cell(self._listed, MOST)]
        if not old and not said:
            return
        used = [b for part in package.names(".vml") for b in used_blocks(package.read(part))]
        comments = Comments(
            package.read(old) if old else None,
            package.read(drawing) if drawing else None,
            package.main,
        )
        comments.add(said, max(used, default=0) + 1)
        if not old:
            old = package.free("xl/comments{}.xml")
            package.relate(self._sheet, "comments", old)
        if not drawing:
            drawing = package.free("xl/drawings/vmlDrawing{}.vml")
            self._drawing = package.relate(self._sheet, "vmlDrawing", drawing)
        package.put(old, comments.xml(), ".comments+xml")
        package.default_type("vml", _DRAWINGS)
        package.put(drawing, comments.drawing())

    def _added(self, name: str) -> str:
        """The part of one of our sheets: a new one, or the one that an earlier annotation added."""
        package, main = self._package, self._package.main
        names = package.book.find(f"{{{main}}}definedNames")
        again = names is not None and any(n.get("name") == _OURS for n in names)
        old = next((s for s in self._sheets if again and s.get("name") == name), None)
        if old is not None:
            part = self._part_of(old)
            package.forget_relations(part)
            return part
        part = package.free("xl/worksheets/sheet{}.xml")
        package.put(part, b"", ".worksheet+xml")
        taken = [int(s.get("sheetId", 0)) for s in self._sheets]
        there = {str(s.get("name")) for s in self._sheets}
        new = etree.SubElement(self._sheets, f"{{{main}}}sheet")
        new.set("name", next(n for i in range(1, 99) if (n := name if i == 1 else f"{name} {i}") not in there))  # fmt: skip
        new.set("sheetId", str(max(taken, default=0) + 1))
        new.set(f"{{{package.rels}}}id", package.relate(package.book_part, "worksheet", part))
        return part

    def _rewritten(self, rows: Rows) -> Iterator[bytes]:
        package = self._package
        head, more = parted(package.pieces(self._sheet), self._told.source_name)
        root = _ROOT.search(head)
        if root is None:
            raise strange(self._told.source_name)
        yield head
        open_tags = b"</%b></%b>" % (root[1].replace(b"worksheet", b"sheetData"), root[1])
        columns = etree.fromstring(head + open_tags, PARSER).iter(f"{{{package.main}}}col")
        rows.columns = column_styles(list(columns))
        total = self._told.counts["rows"]
        yield from rows.rewritten(more, lambda done: self._progress(min(done, total), total))
        self._progress(total, total)
        yield self._tail(rows, root.group(), root[1])

    def _tail(self, rows: Rows, root_tag: bytes, root_name: bytes) -> bytes:
        """What follows the rows, with a filter over them and the drawing of the comments."""
        main = self._package.main
        end = rows.tail.index(b">", rows.tail.index(b"</")) + 1
        root = etree.fromstring(root_tag + rows.tail[end:], PARSER)
        there = {etree.QName(child).localname for child in root}
        if not there & {"autoFilter", "tableParts"} and rows.last > self._place.header_row:
            place = sum(etree.QName(c).localname in _BEFORE_FILTER for c in root)
            first, last = letters(self._place.first_column), letters(self._place.last_column)
            ref = (first, self._place.header_row, last, rows.last)
            root.insert(place, etree.Element(f"{{{main}}}autoFilter", ref=f"{ref[0]}{ref[1]}:{ref[2]}{ref[3]}"))  # fmt: skip
            self._name_filter(f"${ref[0]}${ref[1]}:${ref[2]}${ref[3]}")
        if self._drawing:
            new = etree.Element(f"{{{main}}}legacyDrawing")
            new.set(f"{{{self._package.rels}}}id", self._drawing)
            after = sum(etree.QName(c).localname in _AFTER_DRAWING for c in root)
            root.insert(len(root) - after, new)
        return rows.tail[:end] + b"".join(map(etree.tostring, root)) + b"</%b>" % root_name

    def _name_filter(self, ref: str) -> None:
        """The hidden name that Excel keeps beside a filter."""
        sheet = self._place.sheet or self._sheets[0].get("name")
        at = [s.get("name") for s in self._sheets].index(sheet)
        quoted = sheet.replace("'", "''")
        names = self._names()
        if not any(n.get("name") == _FILTER and n.get("localSheetId") == str(at) for n in names):
            new = etree.SubElement(names, f"{{{self._package.main}}}definedName", name=_FILTER, localSheetId=str(at), hidden="1")  # fmt: skip
            new.text = f"'{quoted}'!{ref}"

    def _names(self) -> Any:
        main, book = self._package.main, self._package.book
        names = book.find(f"{{{main}}}definedNames")
        if names is None:
            names = etree.Element(f"{{{main}}}definedNames")
            after = ("sheets", "functionGroups", "externalReferences")
            last = max(i for i, c in enumerate(book) if etree.QName(c).localname in after)
            book.insert(last + 1, names)
        return names

    def _summary(self, rows: Rows) -> Iterator[bytes]:
        yield from sheets.summary(
            self._told, self._styles, listed=self._listed.height, frozen=rows.frozen
        )

    def _last(self) -> Iterator[bytes]:
        """The styles, now that all of them are known; and the book, which names the sheets."""
        names = self._names()
        if not any(n.get("name") == _OURS for n in names):
            new = etree.SubElement(
                names, f"{{{self._package.main}}}definedName", name=_OURS, hidden="1"
            )
            new.text = "1"
        self._package.put(self._package.book_part, HEAD + etree.tostring(self._package.book))
        yield self._styles.xml()
