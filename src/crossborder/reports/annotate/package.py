"""The parts of a workbook file: which there are, how they hang together, and what is put in their place."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

from lxml import etree

from crossborder.reports.annotate.styles import PARSER
from crossborder.reports.annotate.texts import HEAD

_PIECE = 1 << 20
_LEVEL = 4
_PACK = "http://schemas.openxmlformats.org/package/2006"
_STRICT = "http://purl.oclc.org/ooxml"
_LOOSE = "http://schemas.openxmlformats.org"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


class Package:
    """A workbook that is read, and the parts that are written instead of its own.

    `streams` are parts that come from elsewhere, piece by piece and once.
    """

    def __init__(
        self, file: IO[bytes], streams: Mapping[str, Iterator[bytes]] | None = None
    ) -> None:
        self.streams = streams or {}
        self._zip = zipfile.ZipFile(file)
        self._names = {*self._zip.namelist(), *self.streams}
        self._new: dict[str, bytes] = {}
        self._gone: set[str] = set()
        self._types = self.xml("[Content_Types].xml")
        self.book_part = next(
            (t for kind, t, _ in self.relations("") if kind == "officeDocument"), "xl/workbook.xml"
        )
        self.book = self.xml(self.book_part)
        self.main = etree.QName(self.book).namespace or ""
        strict = self.main.startswith(_STRICT)
        self.rels = (
            f"{_STRICT}/officeDocument/relationships" if strict else f"{_LOOSE}/officeDocument/2006/relationships"
        )  # fmt: skip

    def has(self, part: str) -> bool:
        """Whether there is such a part."""
        return part in self._names

    def read(self, part: str) -> bytes:
        """A part as it is, or as it was put."""
        return self._new[part] if part in self._new else self._zip.read(part)

    def xml(self, part: str) -> Any:
        """A small part, parsed."""
        return etree.fromstring(self.read(part), PARSER)

    def pieces(self, part: str) -> Iterator[bytes]:
        """A part as it is, piece by piece."""
        if part in self.streams:
            yield from self.streams[part]
            return
        with self._zip.open(part) as stream:
            while piece := stream.read(_PIECE):
                yield piece

    def opened(self, part: str) -> IO[bytes]:
        """A part as it is, as a stream."""
        return self._zip.open(part)

    def put(self, part: str, body: bytes, content_type: str = "") -> None:
        """A part to be written instead of what is there; a new one says its type, which may be the end of one."""
        self._new[part] = body
        self._gone.discard(part)
        self._names.add(part)
        if content_type:
            self.type_of(part, content_type)

    def type_of(self, part: str, content_type: str) -> None:
        """Say the type of a part."""
        if content_type.startswith("."):
            content_type = _SHEET_TYPE + content_type
        self._forget_type(part)
        etree.SubElement(
            self._types, f"{{{_PACK}/content-types}}Override", PartName=f"/{part}", ContentType=content_type
        )  # fmt: skip

    def default_type(self, ending: str, content_type: str) -> None:
        """Say the type of all parts with an ending."""
        given = self._types.findall(f"{{{_PACK}/content-types}}Default")
        if all(d.get("Extension", "").lower() != ending for d in given):
            new = etree.Element(
                f"{{{_PACK}/content-types}}Default", Extension=ending, ContentType=content_type
            )
            self._types.insert(0, new)

    def drop(self, part: str) -> None:
        """Leave a part out."""
        self._gone.add(part)
        self._forget_type(part)

    def _forget_type(self, part: str) -> None:
        for given in self._types.findall(f"{{{_PACK}/content-types}}Override"):
            if given.get("PartName", "").lstrip("/") == part:
                self._types.remove(given)

    def relations(self, part: str) -> list[tuple[str, str, str]]:
        """Kind (the last word of its type), target part and id of all relations of a part inside the package."""
        where = _relations_of(part)
        if where not in self._names:
            return []
        found = []
        for one in self.xml(where).iter("{*}Relationship"):
            if one.get("TargetMode") != "External":
                target = posixpath.normpath(
                    posixpath.join("/", posixpath.dirname(part), str(one.get("Target")))
                )
                found.append(
                    (
                        str(one.get("Type")).rpartition("/")[2],
                        target.lstrip("/"),
                        str(one.get("Id")),
                    )
                )
        return found

    def relate(self, part: str, kind: str, target: str) -> str:
        """A new relation of a part; its id."""
        where = _relations_of(part)
        empty = f'<Relationships xmlns="{_PACK}/relationships"/>'.encode()
        root = self.xml(where) if where in self._names else etree.fromstring(empty)
        taken = {str(one.get("Id")) for one in root.iter("{*}Relationship")}
        number = next(n for n in range(1, len(taken) + 2) if f"rIdCb{n}" not in taken)
        etree.SubElement(
            root, f"{{{_PACK}/relationships}}Relationship", Id=f"rIdCb{number}",
            Type=f"{self.rels}/{kind}", Target=f"/{target}",
        )  # fmt: skip
        self.put(where, HEAD + etree.tostring(root))
        return f"rIdCb{number}"

    def unrelate(self, part: str, kind: str) -> None:
        """Take every relation of a kind from a part, and what it leads to from the package."""
        where = _relations_of(part)
        for _, target, _ in [r for r in self.relations(part) if r[0] == kind]:
            self.drop(target)
        if where in self._names:
            root = self.xml(where)
            for one in list(root.iter("{*}Relationship")):
                if str(one.get("Type")).rpartition("/")[2] == kind:
                    root.remove(one)
            self.put(where, HEAD + etree.tostring(root))

    def forget_relations(self, part: str) -> None:
        """A part leads to nothing any more."""
        where = _relations_of(part)
        self._gone.add(where)
        self._names.discard(where)

    def free(self, pattern: str) -> str:
        """A part name of this pattern (`xl/comments{}.xml`) that is not taken."""
        return next(
            name
            for n in range(1, len(self._names) + 2)
            if (name := pattern.format(n)) not in self._names
        )

    def names(self, ending: str) -> list[str]:
        """The parts whose names end so."""
        return sorted(name for name in self._names if name.endswith(ending))

    def write(self, out: IO[bytes], streamed: Iterable[tuple[str, Iterable[bytes]]]) -> None:
        """Write everything: first the types, then the `streamed` parts in their order, then all others.

        Parts put while a streamed one is written count too, but not their types.
        """
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as book:
            book.writestr(
                zipfile.ZipInfo("[Content_Types].xml"), HEAD + etree.tostring(self._types)
            )
            done = {"[Content_Types].xml"}
            for part, pieces in streamed:
                self._write(book, part, pieces)
                done.add(part)
            for part in dict.fromkeys([*self._zip.namelist(), *self._new]):
                if part in done or part in self._gone or part.endswith("/"):
                    continue
                self._write(
                    book, part, [self._new[part]] if part in self._new else self.pieces(part)
                )

    @staticmethod
    def _write(book: zipfile.ZipFile, part: str, pieces: Iterable[bytes]) -> None:
        with book.open(part, "w", force_zip64=True) as stream:
            for piece in pieces:
                stream.write(piece)


def _relations_of(part: str) -> str:
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")
