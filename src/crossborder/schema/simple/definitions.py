"""Reads `xs:simpleType` elements of schema documents and resolves them to `SimpleType` values (Part 1, 3.14)."""

from __future__ import annotations

import re
from typing import Final

from lxml import etree

from crossborder.schema.simple.builtin import XSD, builtin
from crossborder.schema.simple.documents import Document, Documents, Name
from crossborder.schema.simple.model import BOUND_NAMES, COUNT_NAMES, SimpleType
from crossborder.schema.simple.refusal import refuse
from crossborder.schema.simple.restrict import Facet, restrict

_FACETS: Final = frozenset({*BOUND_NAMES, *COUNT_NAMES, "pattern", "enumeration", "whiteSpace"})
_UNFIXED: Final = frozenset({"pattern", "enumeration"})
_NCNAME: Final = re.compile(r"[^\W\d][\w.\-·]*")
_TRUTH: Final = {"true": True, "1": True, "false": False, "0": False}
_FINAL: Final = frozenset({"restriction", "list", "union"})
_DEEPEST: Final = 50
_MOST_MEMBERS: Final = 100
_ATTRIBUTES: Final = {
    "simpleType": {"id", "name", "final"},
    "restriction": {"id", "base"},
    "list": {"id", "itemType"},
    "union": {"id", "memberTypes"},
}


class Definitions:
    """Resolves names and definitions of one schema; every named type once."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self._made: dict[Name, SimpleType] = {}
        self._open: list[Name] = []
        self._depth = 0

    def named(self, name: Name) -> SimpleType:
        """A global type or a built-in one. Raises `UnsupportedType`."""
        if name.namespace == XSD:
            return builtin(name.local)
        if name in self._made:
            return self._made[name]
        if name in self._open:
            raise refuse("invalid", f"{name} is derived from itself")
        document, node = self.documents.find(name)
        if not _NCNAME.fullmatch(name.local):
            raise refuse("invalid", f"the name {name.local!r}")
        self._open.append(name)
        try:
            self._made[name] = self.defined(document, node, str(name))
        finally:
            self._open.pop()
        return self._made[name]

    def defined(self, document: Document, node: etree._Element, name: str) -> SimpleType:
        """The type that one `xs:simpleType` element defines; `name` is for messages."""
        if self._depth >= _DEEPEST:
            raise refuse("nesting", name)
        self._depth += 1
        try:
            return self._derived(document, node, name)
        finally:
            self._depth -= 1

    def _derived(self, document: Document, node: etree._Element, name: str) -> SimpleType:
        _attributes(node)
        children = _children(node)
        if len(children) != 1 or _local(children[0]) not in _FINAL:
            raise refuse("invalid", f"{name} is neither one restriction, list nor union")
        way = children[0]
        _attributes(way)
        final = _final(document, node)
        if _local(way) == "restriction":
            return self._restriction(document, way, name, final)
        if _local(way) == "list":
            return self._list(document, way, name, final)
        return self._union(document, way, name, final)

    def _restriction(
        self, document: Document, way: etree._Element, name: str, final: frozenset[str]
    ) -> SimpleType:
        children = _children(way)
        inline = [child for child in children if _local(child) == "simpleType"]
        if len(inline) + (way.get("base") is not None) != 1 or inline != children[: len(inline)]:
            raise refuse("invalid", f"{name}: one base is needed")
        base = self._one(document, way, "base", inline, name)
        _allowed(base, "restriction", name)
        return restrict(name, base, [facet(child) for child in children[len(inline) :]], final)

    def _list(
        self, document: Document, way: etree._Element, name: str, final: frozenset[str]
    ) -> SimpleType:
        inline = _children(way)
        if len(inline) + (way.get("itemType") is not None) != 1 or any(
            _local(child) != "simpleType" for child in inline
        ):
            raise refuse("invalid", f"{name}: one item type is needed")
        item = self._one(document, way, "itemType", inline, name)
        _allowed(item, "list", name)
        if any(part.variety == "list" or part.name == "anySimpleType" for part in _parts(item)):
            raise refuse("invalid", f"{name}: a list of lists")
        return SimpleType(name, "list", "collapse", item=item, final=final)

    def _union(
        self, document: Document, way: etree._Element, name: str, final: frozenset[str]
    ) -> SimpleType:
        inline = _children(way)
        if any(_local(child) != "simpleType" for child in inline):
            raise refuse("invalid", f"{name}: something else in a union")
        written = way.get("memberTypes", "").split()
        members = [self.named(document.name(way, one)) for one in written]
        members += [self._inline(document, child, name) for child in inline]
        if not members:
            raise refuse("invalid", f"{name}: a union of nothing")
        for member in members:
            _allowed(member, "union", name)
            if member.name == "anySimpleType":
                raise refuse("invalid", f"{name}: a union with anySimpleType")
        return SimpleType(name, "union", "preserve", members=_flat(members, name), final=final)

    def _one(
        self,
        document: Document,
        way: etree._Element,
        attribute: str,
        inline: list[etree._Element],
        name: str,
    ) -> SimpleType:
        if inline:
            return self._inline(document, inline[0], name)
        return self.named(document.name(way, way.get(attribute, "")))

    def _inline(self, document: Document, node: etree._Element, name: str) -> SimpleType:
        if node.get("name") is not None or node.get("final") is not None:
            raise refuse("invalid", f"{name}: a type within a type has no name")
        return self.defined(document, node, f"{name}/anonymous")


def _flat(members: list[SimpleType], name: str) -> tuple[SimpleType, ...]:
    """A union takes the place of its members (Part 1, 3.14.2); one that restricts them cannot without losing facets."""
    flat: list[SimpleType] = []
    for member in members:
        if member.variety == "union" and member.steps:
            raise refuse("union-facets", f"{member.name} in {name}")
        flat += member.members if member.variety == "union" else (member,)
    if len(flat) > _MOST_MEMBERS:
        raise refuse("nesting", f"{name} has {len(flat)} members")
    return tuple(flat)


def _parts(kind: SimpleType) -> list[SimpleType]:
    """The type itself, or the members of a union."""
    if kind.variety != "union":
        return [kind]
    return list(kind.members)


def _allowed(base: SimpleType, derivation: str, name: str) -> None:
    if derivation in base.final:
        raise refuse("invalid", f"{name}: {base.name} is final")


def _final(document: Document, node: etree._Element) -> frozenset[str]:
    written = node.get("final")
    default = written is None
    words = (document.root.get("finalDefault", "") if written is None else written).split()
    if words == ["#all"]:
        return _FINAL
    if not default and not _FINAL.issuperset(words):
        raise refuse("invalid", f"final {written!r}")
    return _FINAL & frozenset(words)


def facet(node: etree._Element) -> Facet:
    """A facet as it is written. Raises `UnsupportedType` (`invalid`)."""
    name = _local(node)
    if name not in _FACETS:
        raise refuse("invalid", f"{name!r} is no facet")
    permitted = {"id", "value"} if name in _UNFIXED else {"id", "value", "fixed"}
    unknown = [a for a in node.attrib if str(a) not in permitted and not _foreign(str(a))]
    value = node.get("value")
    fixed = _TRUTH.get(node.get("fixed", "false").strip(" \t\n\r"))
    if unknown or value is None or fixed is None or _children(node):
        raise refuse("invalid", f"the facet {name!r} is not well formed")
    return Facet(name, value.strip(" \t\n\r") if name == "whiteSpace" else value, fixed)


def _attributes(node: etree._Element) -> None:
    permitted = _ATTRIBUTES[_local(node)]
    for attribute in map(str, node.attrib):
        if attribute not in permitted and not _foreign(attribute):
            raise refuse("invalid", f"the attribute {attribute!r} of {_local(node)!r}")
    identifier = node.get("id")
    if identifier is not None and not _NCNAME.fullmatch(identifier.strip(" \t\n\r")):
        raise refuse("invalid", f"the id {identifier!r}")


def _foreign(attribute: str) -> bool:
    """Attributes of other namespaces are allowed anywhere."""
    return attribute.startswith("{") and not attribute.startswith(f"{{{XSD}}}")


def _local(node: etree._Element) -> str:
    """The local name of an element of XSD; with braces for one of another namespace."""
    name = etree.QName(node)
    return name.localname if name.namespace == XSD else name.text


def _children(node: etree._Element) -> list[etree._Element]:
    """The elements inside, without one annotation at the beginning; no text may stand between them."""
    elements = [child for child in node if isinstance(child.tag, str)]
    texts = [node.text, *(child.tail for child in node)]
    if any(text and text.strip(" \t\n\r") for text in texts):
        raise refuse("invalid", f"text inside {_local(node)!r}")
    return elements[1:] if elements and _local(elements[0]) == "annotation" else elements
