"""The careful way to read a receipt: lxml with everything dangerous switched off, then by local name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from crossborder.messages.receipt_bytes import Refused
from crossborder.messages.receipt_map import ReceiptGroup, readable, receipt_map

NAMESPACES = (
    "",
    "http://www.chinaport.gov.cn/Exp",
    "http://www.chinaport.gov.cn/exp",
    "http://www.w3.org/2000/09/xmldsig#",
)
"""Namespaces seen in receipts and schemas (spec/express notes, section 4)."""

KNOWN_UNREAD = {
    "EXP301": ("a declaration, not an answer", "报关单申报报文，不是回执"),
    "EXP304": ("a declaration as amended by customs", "修改同步"),
    "EXP306": ("a consolidated duty list", "汇总征税清单"),
    "EXP307": ("an agency agreement, not an answer", "委托协议报文，不是回执"),
    "EXP308": ("an answer to an agency agreement", "委托协议回执"),
    "EXP310": ("the taxes of one declaration", "税费回执"),
    "EXP311": ("a manifest, not an answer", "舱单申报报文，不是回执"),
}
_PROLOG = re.compile(r"\s+|<\?.*?\?>|<!--.*?-->", re.DOTALL)
"""One piece of what may stand before a document. One after the other, for a possessive repetition of all of them goes
wrong in Python before 3.11.5 (cpython issue 106052)."""
_DECLARES = ("<!DOCTYPE", "<!ENTITY", "<!ELEMENT")
_TYPE = re.compile(r"EXP[0-9]{3}", re.ASCII)

Row = tuple[int, tuple[str | None, ...]]
"""(line, texts of the group's elements in schema order); line 0 is the head."""


def parser() -> etree.XMLParser:
    """No entities, no DTD, no network, libxml2's own limits on depth and size; one per call, never shared."""
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False,
        huge_tree=False, remove_comments=True, remove_pis=True, strip_cdata=True, recover=False,
        encoding="utf-8",
    )  # fmt: skip


def _declares_a_type(text: str) -> bool:
    at = 0
    while piece := _PROLOG.match(text, at):
        at = piece.end()
    return text.startswith(_DECLARES, at)


def read_tree(text: str, using: etree.XMLParser) -> tuple[str, list[tuple[ReceiptGroup, Row]]]:
    """Message type and rows of one receipt. Raises `Refused` with the reason."""
    if _declares_a_type(text):
        raise Refused(
            "it carries a document type declaration, which no receipt has",
            "含有文档类型声明（DTD），回执中不应出现，拒绝读取",
        )
    try:
        root = etree.fromstring(text.encode("utf-8"), using)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        raise Refused(
            f"not well-formed XML (line {line}, column {column})",
            f"不是格式正确的 XML（第 {line} 行，第 {column} 列）",
        ) from error
    except UnicodeEncodeError as error:
        raise Refused("not a Unicode text", "不是有效的 Unicode 文本") from error
    message = _message(root)
    name = etree.QName(message).localname
    if name not in readable():
        raise _unread(name)
    shape = receipt_map(name)
    heads = [e for e in message if etree.QName(e).localname == shape.head.name]
    if len(heads) != 1:
        raise Refused(
            f"{len(heads)} elements {shape.head.name} instead of one",
            f"应有一个 {shape.head.name}，实际有 {len(heads)} 个",
            name,
        )
    rows = [(shape.head, (0, _texts(heads[0], shape.head, name)))]
    if shape.lines:
        wanted = shape.lines.name
        lines = (e for e in message if etree.QName(e).localname == wanted)
        rows += [(shape.lines, (i, _texts(e, shape.lines, name))) for i, e in enumerate(lines, 1)]
    return name, rows


def _message(root: etree._Element) -> etree._Element:
    found = list(_messages(root))
    if len(found) != 1:
        raise Refused(
            "no EXP message in it" if not found else "more than one EXP message in it",
            "其中没有 EXP 报文" if not found else "其中有多个 EXP 报文",
        )
    return found[0]


def _messages(root: etree._Element) -> Iterator[etree._Element]:
    """Elements named EXPnnn that do not stand inside another one; known namespaces only."""
    todo = [root]
    while todo:
        element = todo.pop()
        name = etree.QName(element)
        if (name.namespace or "") not in NAMESPACES:
            raise Refused("an unknown namespace", "含有无法识别的命名空间")
        if _TYPE.fullmatch(name.localname):
            yield element
        elif name.localname in ("Package", "DataInfo", "SignedData", "Data"):
            todo.extend(element)


def _texts(element: etree._Element, group: ReceiptGroup, message: str) -> tuple[str | None, ...]:
    found: dict[str, str | None] = {}
    for child in element:
        name = etree.QName(child)
        if name.localname not in group.elements:
            continue
        if (name.namespace or "") not in NAMESPACES:
            raise Refused("an unknown namespace", "含有无法识别的命名空间", message)
        if name.localname in found:
            raise Refused(
                f"{name.localname} stands twice in {group.name}",
                f"{group.name} 中 {name.localname} 重复出现",
                message,
            )
        if len(child):
            raise Refused(
                f"{name.localname} holds elements instead of text",
                f"{name.localname} 中不是文本而是元素",
                message,
            )
        found[name.localname] = child.text
    return tuple(found.get(name) for name in group.elements)


def _unread(name: str) -> Refused:
    if name in KNOWN_UNREAD:
        en, zh = KNOWN_UNREAD[name]
        return Refused(
            f"{name} is known but not read here: {en}", f"{name}（{zh}）已识别，但此处不读取", name
        )
    return Refused(f"{name} is an unknown message type", f"{name} 是未知的报文类型", name)
