"""Reads an XSD body into an `ElementTree`: follows includes and named types, refuses what it does not know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from lxml import etree

from crossborder.errors import SchemaError, UnsupportedType
from crossborder.schema.model import Element, ElementTree, Group

XS = "{http://www.w3.org/2001/XMLSchema}"
DIGITS = "{urn:crossborder:schema}digits"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_LENGTHS = {"length", "minLength", "maxLength", "totalDigits", "fractionDigits"}

Node = etree._Element


def parser() -> etree.XMLParser:
    """A parser without entities, DTD and network."""
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )


@dataclass(frozen=True)
class Definitions:
    """The named definitions of one XSD and of all it includes."""

    path: Path
    complex_types: dict[str, Node]
    simple_types: dict[str, Node]
    groups: dict[str, Node]

    def fail(self, en: str, zh: str) -> SchemaError:
        """An error that names the file."""
        return SchemaError(en, zh, place=self.path.name)


def read_definitions(path: Path) -> Definitions:
    """All named types and groups of `path`. Raises `SchemaError` for a file that cannot be used."""
    found = Definitions(path, {}, {}, {})
    stores = {
        f"{XS}complexType": found.complex_types,
        f"{XS}simpleType": found.simple_types,
        f"{XS}group": found.groups,
    }
    waiting, seen = [path], {path.resolve()}
    while waiting:
        current = waiting.pop(0)
        for node in _schema(current):
            if node.tag == f"{XS}include":
                further = current.parent / _attribute(found, node, "schemaLocation")
                if further.resolve() not in seen:
                    seen.add(further.resolve())
                    waiting.append(further)
            elif node.tag in stores:
                name = _attribute(found, node, "name")
                if name in stores[node.tag]:
                    raise found.fail(f"{name!r} is defined twice", f"{name!r} 重复定义")
                stores[node.tag][name] = node
            elif node.tag not in (f"{XS}annotation", f"{XS}element", f"{XS}import"):
                raise found.fail(
                    f"{_local(node)} is not understood here", f"此处不支持 {_local(node)}"
                )
    return found


def read_message(path: Path, message: str) -> ElementTree:
    """The message whose complex type of the same name stands in `path` or what it includes.

    Raises `SchemaError` for a broken file, `UnsupportedType` for a facet that is not understood.
    """
    known = read_definitions(path)
    root = known.complex_types.get(message)
    if root is None:
        raise known.fail(
            f"there is no complex type {message!r}", f"没有名为 {message!r} 的复杂类型"
        )
    groups = tuple(_groups(known, root, message, "", (1, 1), (message,)))
    label, meaning = _texts(root)
    return ElementTree(message, message, groups, label, meaning)


def read_envelope(path: Path) -> tuple[Element, ...]:
    """The elements of the envelope: the type `EnvelopInfo`, then the group `Signature` (of `SignedData`)."""
    known = read_definitions(path)
    found: list[Element] = []
    for store, name, group in (
        (known.complex_types, "EnvelopInfo", "EnvelopInfo"),
        (known.groups, "Signature", "SignedData"),
    ):
        if name not in store:
            raise known.fail(f"there is no definition {name!r}", f"没有 {name!r} 的定义")
        found += [_element(known, node, group) for node in _particles(known, store[name])]
    return tuple(found)


def _groups(
    known: Definitions, node: Node, name: str, parent: str, occurs: tuple[int, int | None],
    within: tuple[str, ...],
) -> Iterator[Group]:  # fmt: skip
    """The group of `node`, if it holds text elements, and then the groups below it."""
    elements: list[Element] = []
    below: list[tuple[Node, Node]] = []
    for child in _particles(known, node):
        deeper = _complex(known, child)
        if deeper is None:
            elements.append(_element(known, child, name))
        else:
            below.append((child, deeper))
    if elements:
        label, meaning = _texts(node)
        yield Group(name, parent, *occurs, tuple(elements), label, meaning)
    for child, deeper in below:
        inner = _attribute(known, child, "name")
        if inner in within:
            raise known.fail(f"{inner!r} contains itself", f"{inner!r} 包含了自身")
        yield from _groups(known, deeper, inner, name, _occurs(known, child), (*within, inner))


def _particles(known: Definitions, node: Node) -> Iterator[Node]:
    """The element declarations of a complex type or group with one sequence (or all)."""
    models = [n for n in node if n.tag != f"{XS}annotation"]
    if len(models) != 1 or models[0].tag not in (f"{XS}sequence", f"{XS}all"):
        name = node.get("name") or _local(node)
        raise known.fail(f"{name!r} is not one plain sequence", f"{name!r} 不是单一的顺序结构")
    for child in models[0]:
        if child.tag != f"{XS}element" or child.get("name") is None:
            raise known.fail(
                f"{_local(child)} is not understood here", f"此处不支持 {_local(child)}"
            )
        yield child


def _complex(known: Definitions, node: Node) -> Node | None:
    inline = node.find(f"{XS}complexType")
    return inline if inline is not None else known.complex_types.get(node.get("type") or "")


def _element(known: Definitions, node: Node, group: str) -> Element:
    label, meaning = _texts(node)
    least, most = _occurs(known, node)
    name = _attribute(known, node, "name")
    if most != 1:
        raise known.fail(f"{name!r} repeats by itself", f"{name!r} 自身重复，不支持")
    kind = node.find(f"{XS}simpleType")
    named = "" if kind is not None else _attribute(known, node, "type")
    made = _facets(known, Element(name, group, ""), kind, named, ())
    return replace(
        made, type_name=named, min_occurs=least, label_zh=label, meaning_en=meaning
    )  # fmt: skip


def _facets(
    known: Definitions, element: Element, kind: Node | None, named: str, within: tuple[str, ...]
) -> Element:
    """`element` with base and facets of the simple type `kind`, or of the type called `named`."""
    if kind is None:
        prefix, _, builtin = named.rpartition(":")
        if prefix:
            return replace(element, base=builtin)
        kind = known.simple_types.get(named)
        if kind is None or named in within:
            raise known.fail(
                f"{element.name!r} has an unknown or circular type {named!r}",
                f"{element.name!r} 的类型 {named!r} 未定义或循环引用",
            )
    restriction = kind.find(f"{XS}restriction")
    if restriction is None:
        raise UnsupportedType(
            "derivation", f"the type of {element.name!r} is not a restriction",
            f"{element.name!r} 的类型不是限制类型", place=known.path.name,
        )  # fmt: skip
    element = _facets(
        known, element, restriction.find(f"{XS}simpleType"), restriction.get("base") or "",
        (*within, named),
    )  # fmt: skip
    digits = kind.find(f"{XS}annotation/{XS}appinfo/{DIGITS}")
    if digits is not None:
        element = replace(
            element,
            total_digits=_number(known, digits, "total"),
            fraction_digits=_number(known, digits, "fraction"),
        )
    return _narrowed(known, element, restriction)


def _narrowed(known: Definitions, element: Element, restriction: Node) -> Element:
    """`element` with the facets of one restriction step."""
    patterns: list[str] = []
    values: list[str] = []
    numbers: dict[str, int] = {}
    for facet in restriction:
        name = _local(facet)
        if name in ("simpleType", "annotation"):
            continue
        if name == "pattern":
            patterns.append(_attribute(known, facet, "value"))
        elif name == "enumeration":
            values.append(_attribute(known, facet, "value"))
        elif name in _LENGTHS:
            numbers[name] = _number(known, facet, "value")
        else:
            raise UnsupportedType(
                "facet", f"{element.name!r} has the facet {name}, which is not understood",
                f"{element.name!r} 含有不支持的约束 {name}", place=known.path.name,
            )  # fmt: skip
    if patterns and element.pattern is not None:
        raise UnsupportedType(
            "pattern-steps", f"{element.name!r} has patterns on two levels of its type",
            f"{element.name!r} 的类型在两层上都有模式", place=known.path.name,
        )  # fmt: skip
    exact = numbers.get("length")
    return replace(
        element,
        min_length=numbers.get("minLength", element.min_length) if exact is None else exact,
        max_length=numbers.get("maxLength", element.max_length) if exact is None else exact,
        total_digits=numbers.get("totalDigits", element.total_digits),
        fraction_digits=numbers.get("fractionDigits", element.fraction_digits),
        pattern="|".join(patterns) if patterns else element.pattern,
        enumeration=tuple(values) or element.enumeration,
    )


def _schema(path: Path) -> Node:
    try:
        root = etree.fromstring(path.read_bytes(), parser())
    except OSError as error:
        raise SchemaError(
            f"the schema cannot be read: {error.strerror}", "无法读取模式文件", place=path.name
        ) from error
    except etree.XMLSyntaxError as error:
        raise SchemaError(
            f"the schema is not XML: {error.msg}", "模式文件不是有效的 XML", place=path.name
        ) from error
    if root.tag != f"{XS}schema":
        raise SchemaError("this is not an XSD", "不是 XSD 文件", place=path.name)
    return root


def _attribute(known: Definitions, node: Node, name: str) -> str:
    value = node.get(name)
    if value is None:
        raise known.fail(f"{_local(node)} lacks {name!r}", f"{_local(node)} 缺少 {name!r}")
    return value


def _number(known: Definitions, node: Node, name: str) -> int:
    text = _attribute(known, node, name)
    if not (text.isascii() and text.isdigit()):
        raise known.fail(
            f"{_local(node)}: {text!r} is not a count", f"{_local(node)}：{text!r} 不是数目"
        )
    return int(text)


def _occurs(known: Definitions, node: Node) -> tuple[int, int | None]:
    least = _number(known, node, "minOccurs") if "minOccurs" in node.attrib else 1
    if node.get("maxOccurs") == "unbounded":
        return least, None
    return least, _number(known, node, "maxOccurs") if "maxOccurs" in node.attrib else 1


def _texts(node: Node) -> tuple[str, str]:
    """Chinese label and English meaning of an annotation."""
    said = {
        d.get(_LANG): (d.text or "").strip()
        for d in node.iterfind(f"{XS}annotation/{XS}documentation")
    }
    return said.get("zh", ""), said.get("en", "")


def _local(node: Node) -> str:
    return etree.QName(node).localname
