"""The schema documents of one schema: where each simple type is defined, and what a name in a document means.

`xs:include` and `xs:import` are followed only to files in the folder of the first document and below; what lies
elsewhere is never opened. A document without a target namespace takes that of the document that includes it
(Part 1, 4.2.1). Entities, DTDs and the network are off in the parser; depth, number and size of documents are bounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lxml import etree

from crossborder.schema.simple.builtin import XSD
from crossborder.schema.simple.refusal import refuse

_DEEPEST: Final = 40
_MOST: Final = 500
_LARGEST: Final = 20_000_000


@dataclass(frozen=True, slots=True)
class Name:
    """A qualified name; `namespace` is empty for none."""

    namespace: str
    local: str

    def __str__(self) -> str:
        return f"{{{self.namespace}}}{self.local}" if self.namespace else self.local


@dataclass(eq=False, slots=True)
class Document:
    """One file as read for one target namespace."""

    path: Path
    root: etree._Element
    target: str
    chameleon: bool
    imported: set[str] = field(default_factory=set)

    def name(self, node: etree._Element, written: str) -> Name:
        """The name that `written` means at `node`. Raises `UnsupportedType` (`invalid`)."""
        prefix, colon, local = written.strip(" \t\n\r").rpartition(":")
        namespace = node.nsmap.get(prefix if colon else None)
        if namespace is None and colon:
            raise refuse("invalid", f"the prefix of {written!r} is not bound")
        if namespace is None:
            namespace = self.target if self.chameleon else ""
        if namespace not in (XSD, self.target) and namespace not in self.imported:
            raise refuse("invalid", f"the namespace of {written!r} is not imported")
        return Name(namespace, local)


class Documents:
    """All documents that belong to one schema file. Raises `UnsupportedType` (`document`, `invalid`)."""

    def __init__(self, path: Path) -> None:
        self.folder = path.resolve().parent
        self.types: dict[Name, tuple[Document, etree._Element]] = {}
        self.redefined: set[Name] = set()
        self.outside: set[str] = set()
        self._read: dict[tuple[Path, str | None], Document] = {}
        self._depth = 0
        self.first = self._document(path.resolve(), None)

    def __iter__(self) -> Iterator[Document]:
        """Every document read, the first one first."""
        return iter(self._read.values())

    def find(self, name: Name) -> tuple[Document, etree._Element]:
        """Where a simple type is defined. Raises `UnsupportedType` (`redefine`, `outside`, `unknown-type`)."""
        if name in self.redefined:
            raise refuse("redefine", str(name))
        found = self.types.get(name)
        if found is None:
            raise refuse("outside" if name.namespace in self.outside else "unknown-type", str(name))
        return found

    def _document(self, path: Path, including: str | None) -> Document:
        """Read a file; `including` is the namespace of the document that includes it."""
        root = _parse(path)
        own = root.get("targetNamespace")
        chameleon = own is None and bool(including)
        key = (path, including if chameleon else own)
        if key in self._read:
            return self._read[key]
        if own is not None and (not own or (including is not None and own != including)):
            raise refuse("invalid", f"{path.name} has another target namespace")
        document = Document(path, root, (own or including or ""), chameleon)
        self._read[key] = document
        self._depth += 1
        if self._depth > _DEEPEST or len(self._read) > _MOST:
            raise refuse("nesting", path.name)
        for node in root:
            if isinstance(node.tag, str):
                self._top_level(document, node)
        self._depth -= 1
        return document

    def _top_level(self, document: Document, node: etree._Element) -> None:
        kind = etree.QName(node)
        if kind.namespace != XSD:
            raise refuse("invalid", f"{document.path.name} holds {node.tag}")
        if kind.localname in ("include", "redefine"):
            self._follow(document.path, node, document.target, document.target)
            if kind.localname == "redefine":
                for child in node.iterchildren(f"{{{XSD}}}simpleType"):
                    self.redefined.add(Name(document.target, child.get("name", "")))
        elif kind.localname == "import":
            namespace = node.get("namespace", "")
            if namespace == document.target:
                raise refuse("invalid", f"{document.path.name} imports its own namespace")
            document.imported.add(namespace)
            self._follow(document.path, node, namespace, None)
        elif kind.localname == "simpleType":
            name = Name(document.target, node.get("name", ""))
            if name in self.types:
                raise refuse("invalid", f"{name} is defined twice")
            self.types[name] = (document, node)

    def _follow(
        self, path: Path, node: etree._Element, namespace: str, including: str | None
    ) -> None:
        location = node.get("schemaLocation")
        if location is None and including is not None:
            raise refuse("invalid", f"{path.name} includes nothing that is named")
        target = _inside(self.folder, path, location)
        if target is None:
            self.outside.add(namespace)
            return
        found = self._document(target, including)
        if including is None and found.target != namespace:
            raise refuse("invalid", f"{target.name} is not of the namespace it is imported for")


def _inside(folder: Path, path: Path, location: str | None) -> Path | None:
    """The file that a location names, or None if there is none below the folder."""
    if not location or ":" in location or location.startswith(("/", "\\")):
        return None
    target = (path.parent / location.strip()).resolve()
    return target if target.is_relative_to(folder) and target.is_file() else None


def _parse(path: Path) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        if path.stat().st_size > _LARGEST:
            raise refuse("document", f"{path.name} is larger than {_LARGEST} bytes")
        root = etree.fromstring(path.read_bytes(), parser)
    except (OSError, etree.XMLSyntaxError) as error:
        raise refuse("document", path.name) from error
    if root.tag != f"{{{XSD}}}schema":
        raise refuse("document", f"{path.name} is no schema")
    declared: Any = root.getroottree().docinfo.internalDTD
    if declared is not None and any(True for _ in declared.iterentities()):
        raise refuse("document", f"{path.name} declares entities")
    return root
