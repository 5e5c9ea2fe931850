"""Reading what arrives: bytes into an element tree and the few facts the doors need.

Nothing is trusted: no document type, no entity, no network, UTF-8 only. Whatever is wrong becomes one
`InputError` whose texts hold no value of the document.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree

from crossborder.errors import InputError

TAKEN = ("EXP301", "EXP311")
STRICT_NAMESPACE = "http://www.chinaport.gov.cn/exp"
MAX_MESSAGE_ID = 61
_DECLARED_ENCODING = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([^"']{1,40})["']""")

Record = dict[str, str]


@dataclass(frozen=True, slots=True)
class Document:
    """One message as plain text fields: element name → text; `lines` and `papers` in document order."""

    message_type: str
    head: Record
    lines: tuple[Record, ...]
    papers: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message at the door. `form` is `strict` or `written`, chosen by the namespace of the root."""

    message_id: str
    message_type: str
    sender: str
    receiver: str
    form: str
    tree: etree._Element
    document: Document


def local(element: etree._Element) -> str:
    """Name without namespace; empty for anything that is not an element."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def parse(body: bytes) -> etree._Element:
    """The root element of `body`. Raises `InputError` for anything that is not harmless UTF-8 XML."""
    if not body.strip():
        raise InputError("the message is empty", "报文为空")
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise InputError(
            "document types and entities are not taken",
            "不接受文档类型声明和实体（DOCTYPE、ENTITY）",
        )
    declared = _DECLARED_ENCODING.match(body.removeprefix(b"\xef\xbb\xbf")[:400])
    if declared and declared.group(1).lower() not in (b"utf-8", b"utf8"):
        raise InputError("only UTF-8 is taken", "只接受 UTF-8 编码的报文")
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"not UTF-8, first at byte {error.start}",
            f"不是 UTF-8 编码，首个错误在第 {error.start} 字节",
        ) from error
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        encoding="utf-8",
    )
    try:
        return etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        raise InputError(
            f"not well-formed XML, at line {line}, column {column}",
            f"不是格式良好的 XML，位置：第 {line} 行第 {column} 列",
        ) from error


def read(body: bytes) -> Incoming:
    """What `body` is and to whom it belongs. Raises `InputError` if it is no message this port takes."""
    root = parse(body)
    if local(root) != "Package":
        raise InputError("the root element is not Package", "根元素不是 Package")
    info = _record(_child(root, "EnvelopInfo"))
    data = _child(_child(_child(root, "DataInfo"), "SignedData"), "Data")
    bodies = [] if data is None else [child for child in data if local(child)]
    if len(bodies) != 1:
        raise InputError("Data must hold exactly one message", "Data 中应有且仅有一个报文")
    message_type = local(bodies[0])
    if message_type not in TAKEN:
        raise InputError(
            f"this port takes {' and '.join(TAKEN)} only", f"本模拟口岸只接收 {'、'.join(TAKEN)}"
        )
    if info.get("message_type", "") != message_type:
        raise InputError(
            "message_type of the envelope differs from the message", "信封中的报文类型与报文不符"
        )
    message_id = info.get("message_id", "")
    if not 0 < len(message_id) <= MAX_MESSAGE_ID or not message_id.isprintable():
        raise InputError(
            f"message_id must have 1 to {MAX_MESSAGE_ID} characters",
            f"message_id 应为 1 至 {MAX_MESSAGE_ID} 个字符",
        )
    form = "strict" if etree.QName(root).namespace == STRICT_NAMESPACE else "written"
    return Incoming(
        message_id,
        message_type,
        info.get("sender_id", ""),
        info.get("receiver_id", ""),
        form,
        root,
        document(bodies[0]),
    )


def document(element: etree._Element) -> Document:
    """The text fields of an EXP301 or EXP311 element."""
    message_type = local(element)
    head_name, line_name = (
        ("EntryHead", "EntryList") if message_type == "EXP301" else ("ExpMftHead", "ExpMftList")
    )
    return Document(
        message_type,
        _record(_child(element, head_name)),
        tuple(_record(child) for child in element if local(child) == line_name),
        tuple(_record(child) for child in element if local(child) == "EntryDocu"),
    )


def _child(element: etree._Element | None, name: str) -> etree._Element | None:
    if element is None:
        return None
    return next((child for child in element if local(child) == name), None)


def _record(element: etree._Element | None) -> Record:
    if element is None:
        return {}
    return {name: (child.text or "").strip() for child in element if (name := local(child))}
