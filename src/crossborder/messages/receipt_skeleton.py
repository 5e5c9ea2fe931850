"""The fast way to read a receipt: one anchored pattern over the whole document.

A match proves that the document consists of exactly the known elements, each at most once and in schema
order, in a known namespace, without attribute, comment, CDATA, entity, processing instruction or document
type; so the captured texts are the element texts. Values may hold no `<`, `>`, `&`, carriage return or
character that XML forbids. What does not match is read by `receipt_tree`, which gives the same rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from crossborder import schema
from crossborder.messages.receipt_map import ReceiptGroup, ReceiptMap, readable, receipt_map
from crossborder.messages.receipt_tree import NAMESPACES, Row

_VALUE = "[^<&>\r\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]*+"
_WS = "[ \t\r\n]*+"
_NS = '(?: xmlns="(?:' + "|".join(re.escape(ns) for ns in NAMESPACES if ns) + ')")?+'
_DECL = r"""(?:<\?xml version="1\.0"(?: encoding="(?:[Uu][Tt][Ff]-8)")?(?: standalone="(?:yes|no)")? ?\?>)?+"""


@dataclass(frozen=True)
class Skeleton:
    """The compiled patterns of one message type."""

    shape: ReceiptMap
    document: re.Pattern[str]
    line: re.Pattern[str] | None

    def rows(self, text: str) -> list[tuple[ReceiptGroup, Row]] | None:
        """The rows of a proven document, None for every other one."""
        proven = self.document.match(text)
        if proven is None:
            return None
        if self.shape.lines is None or self.line is None:
            return [(self.shape.head, (0, proven.groups()))]
        *head, lines = proven.groups()
        rows: list[tuple[ReceiptGroup, Row]] = [(self.shape.head, (0, tuple(head)))]
        found = enumerate(self.line.finditer(lines), 1)
        return rows + [(self.shape.lines, (i, m.groups())) for i, m in found]


@cache
def skeletons() -> dict[str, Skeleton]:
    """`<EXP302` → its skeleton, for every message type that is read."""
    return {f"<{name}": _skeleton(receipt_map(name)) for name in sorted(readable())}


def _skeleton(shape: ReceiptMap) -> Skeleton:
    body = f"<{shape.message}{_NS}>{_WS}" + _group(shape.head, f"({_VALUE})")
    line = None
    if shape.lines:
        # the whole run of lines is proven and captured once, then taken apart by the second pattern
        body += f"((?:{_group(shape.lines, _VALUE)})*+)"
        line = re.compile(_group(shape.lines, f"({_VALUE})"))
    body += f"</{shape.message}>{_WS}"
    envelope = schema.envelope_elements()
    parts = "".join(_element(e.name, _VALUE) for e in envelope if e.group == "EnvelopInfo")
    tail = "".join(_element(e.name, _VALUE) for e in envelope if e.group != "EnvelopInfo")
    package = (
        f"<Package{_NS}>{_WS}<EnvelopInfo>{_WS}{parts}</EnvelopInfo>{_WS}<DataInfo>{_WS}<SignedData>{_WS}"
        f"<Data>{_WS}{body}</Data>{_WS}{tail}</SignedData>{_WS}</DataInfo>{_WS}</Package>{_WS}"
    )
    return Skeleton(shape, re.compile(rf"{_DECL}{_WS}{package}\Z"), line)


def _group(group: ReceiptGroup, value: str) -> str:
    inside = "".join(_element(name, value) for name in group.elements)
    return f"<{group.name}>{_WS}{inside}</{group.name}>{_WS}"


def _element(name: str, value: str) -> str:
    return f"(?:<{name}>{value}</{name}>{_WS}|<{name} ?/>{_WS})?+"
