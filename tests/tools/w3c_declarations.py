"""Which simple type each value of an instance has: the declarations of a schema, looked up by name.

Only values are found here; whether elements stand in order and number is not asked. Where a value's type cannot be told
(wildcards, `xsi:type`, fixed values) `NotSimple` says why.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lxml import etree

from crossborder.schema.simple.builtin import XSD, builtin
from crossborder.schema.simple.definitions import Definitions, facet
from crossborder.schema.simple.documents import Document, Documents, Name
from crossborder.schema.simple.model import SimpleType
from crossborder.schema.simple.restrict import restrict

XSI = "http://www.w3.org/2001/XMLSchema-instance"
PARTICLES = ("sequence", "choice", "all")


class NotSimple(Exception):
    """The instance holds something whose type these declarations do not tell."""


class Value(NamedTuple):
    """One text to be judged and its type."""

    kind: SimpleType
    text: str


class Declared(NamedTuple):
    """A component of the schema and the document it stands in."""

    document: Document
    node: etree._Element


class Declarations:
    """The global components of one schema, made of one or several documents."""

    def __init__(self, schemas: list[Documents]) -> None:
        self.definitions = {id(document): Definitions(s) for s in schemas for document in s}
        self.components = {
            (local(node), Name(document.target, node.get("name", ""))): Declared(document, node)
            for schema in schemas
            for document in schema
            for node in document.root
            if isinstance(node.tag, str)
        }

    def values(self, root: etree._Element) -> Iterator[Value]:
        """Every value of an instance, its attributes' too. Raises `NotSimple`, `UnsupportedType`."""
        yield from self._element(root, self._global("element", qualified(root)))

    def _global(self, kind: str, name: Name) -> Declared:
        found = self.components.get((kind, name))
        if found is None:
            raise NotSimple(f"no declaration: {kind} {name}")
        return found

    def _element(self, node: etree._Element, found: Declared) -> Iterator[Value]:
        declared = found.node
        if node.get(f"{{{XSI}}}type") is not None:
            raise NotSimple("xsi:type")
        if declared.get("fixed") is not None:
            raise NotSimple("a fixed value")
        empty = node.get(f"{{{XSI}}}nil", "").strip() in ("true", "1")
        kind = self._type(found)
        if isinstance(kind, SimpleType):
            if not empty:
                yield Value(kind, text(node) or declared.get("default", ""))
            return
        yield from self._attributes(node, kind)
        content = self._simple_content(kind)
        if content is not None and not empty:
            yield Value(content, text(node) or declared.get("default", ""))
        elements = {} if content is not None else dict(self._particles(kind))
        for child in node.iterchildren("*"):
            name = qualified(child)
            inside = elements.get(name.local)
            yield from self._element(child, inside or self._global("element", name))

    def _type(self, found: Declared) -> SimpleType | Declared:
        """The type of an element or attribute declaration: a simple one, or the node of a complex one."""
        document, node = found
        for child in node.iterchildren(f"{{{XSD}}}simpleType"):
            return self._definitions(document).defined(document, child, "anonymous")
        for child in node.iterchildren(f"{{{XSD}}}complexType"):
            return Declared(document, child)
        written = node.get("type")
        if written is not None:
            return self._named(document, node, written)
        head = node.get("substitutionGroup")
        if head is not None:
            return self._type(self._global("element", document.name(node, head)))
        if local(node) == "attribute":
            return builtin("anySimpleType")
        raise NotSimple("anyType")

    def _named(
        self, document: Document, node: etree._Element, written: str
    ) -> SimpleType | Declared:
        name = document.name(node, written)
        if name == Name(XSD, "anyType"):
            raise NotSimple("anyType")
        return self.components.get(("complexType", name)) or self._definitions(document).named(name)

    def _definitions(self, document: Document) -> Definitions:
        return self.definitions[id(document)]

    def _derivation(self, kind: Declared, content: str) -> Declared | None:
        """The extension or restriction below `simpleContent` or `complexContent`."""
        for child in kind.node.iterchildren(f"{{{XSD}}}{content}"):
            for way in child.iterchildren(f"{{{XSD}}}extension", f"{{{XSD}}}restriction"):
                return Declared(kind.document, way)
        return None

    def _simple_content(self, kind: Declared) -> SimpleType | None:
        way = self._derivation(kind, "simpleContent")
        if way is None:
            return None
        document, node = way
        base = self._named(document, node, node.get("base", ""))
        if isinstance(base, Declared):
            below = self._simple_content(base)
            if below is None:
                raise NotSimple("simple content of mixed content")
            base = below
        for child in node.iterchildren(f"{{{XSD}}}simpleType"):
            base = self._definitions(document).defined(document, child, "anonymous")
        facets = [facet(c) for c in node if isinstance(c.tag, str) and c.get("value") is not None]
        return restrict("content", base, facets, frozenset()) if facets else base

    def _particles(self, kind: Declared) -> Iterator[tuple[str, Declared]]:
        """Local name → declaration of the elements of a content model, at any depth."""
        way = self._derivation(kind, "complexContent")
        document, node = way or kind
        if way is not None and local(node) == "extension":
            base = self._named(document, node, node.get("base", ""))
            if isinstance(base, Declared):
                yield from self._particles(base)
        for child in node.iterchildren("*"):
            name = local(child)
            if name in PARTICLES:
                yield from self._particles(Declared(document, child))
            elif name == "group":
                yield from self._particles(self._referred(Declared(document, child), "group"))
            elif name == "element":
                found = self._referred(Declared(document, child), "element")
                yield found.node.get("name", ""), found

    def _attributes(self, node: etree._Element, kind: Declared) -> Iterator[Value]:
        declared = dict(self._declared_attributes(kind))
        for name, value in node.attrib.items():
            key = etree.QName(str(name))
            if key.namespace == XSI:
                continue
            if key.localname not in declared:
                raise NotSimple(f"no declaration: attribute {key.localname}")
            found = declared[key.localname]
            if found.node.get("fixed") is not None:
                raise NotSimple("a fixed value")
            simple = self._type(found)
            if isinstance(simple, SimpleType):
                yield Value(simple, str(value))

    def _declared_attributes(self, kind: Declared) -> Iterator[tuple[str, Declared]]:
        way = self._derivation(kind, "simpleContent") or self._derivation(kind, "complexContent")
        document, node = way or kind
        if way is not None:
            base = self._named(document, node, node.get("base", ""))
            if isinstance(base, Declared):
                yield from self._declared_attributes(base)
        for child in node.iterchildren(f"{{{XSD}}}attribute", f"{{{XSD}}}attributeGroup"):
            found = self._referred(Declared(document, child), local(child))
            if local(child) == "attributeGroup":
                yield from self._declared_attributes(found)
            else:
                yield found.node.get("name", ""), found

    def _referred(self, found: Declared, kind: str) -> Declared:
        """What a `ref` names, or the declaration itself."""
        written = found.node.get("ref")
        if written is None:
            return found
        return self._global(kind, found.document.name(found.node, written))


def local(node: etree._Element) -> str:
    """Local name of an element."""
    return etree.QName(node).localname


def qualified(node: etree._Element) -> Name:
    """Name of an element of an instance."""
    name = etree.QName(node)
    return Name(name.namespace or "", name.localname)


def text(node: etree._Element) -> str:
    """The character data directly inside an element."""
    return "".join([node.text or "", *(child.tail or "" for child in node)])
