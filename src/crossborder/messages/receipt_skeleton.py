"""The fast way to read receipts: one anchored pattern over many whole documents at once.

Documents are laid end to end, each followed by a NUL, which XML forbids. The pattern takes them one after the other:
each match is one document up to its NUL, either proven or passed over. A proof says that the document consists of
exactly the known elements, each at most once and in schema order, in a known namespace, without attribute, comment,
CDATA, entity, processing instruction or document type; so the captured bytes are the element texts. Texts may hold no
`<`, `>`, `&`, carriage return or control character; those that no column is filled from, ASCII only. What remains to
be shown of the captured ones, that they are UTF-8 and hold no U+FFFE or U+FFFF, `receipt_lot` shows. What is not
proven is read by `receipt_tree`, which gives the same rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from crossborder import schema
from crossborder.messages.receipt_map import ReceiptGroup, ReceiptMap, readable, receipt_map
from crossborder.messages.receipt_tree import NAMESPACES

END = b"\x00"

_CONTROLS = r"\x00-\x08\x0b\x0c\x0e-\x1f"
_TEXT = rf"[^<&>\r{_CONTROLS}]*+"
_ASCII = rf"[^<&>\r{_CONTROLS}\x80-\xff]*+"
_WS = r"[ \t\r\n]*+"
_NS = '(?: xmlns="(?:' + "|".join(re.escape(ns) for ns in NAMESPACES if ns) + ')")?'
_BOM = r"(?:\xef\xbb\xbf)?"
_DECL = r"""(?:<\?xml version="1\.0"(?: encoding="(?:[Uu][Tt][Ff]-8)")?(?: standalone="(?:yes|no)")? ?\?>)?"""


@dataclass(frozen=True)
class Skeleton:
    """The compiled patterns of one message type.

    `documents` takes one document and its NUL per match; its captures are a mark (empty where the document is passed
    over), the texts of the head and, where the message has lines, the run of all of them, which `line` takes apart.
    """

    shape: ReceiptMap
    documents: re.Pattern[bytes]
    line: re.Pattern[bytes] | None


@cache
def skeletons() -> tuple[Skeleton, ...]:
    """Those of every message type that is read: first as gateways write it, then with all that may be left out."""
    shapes = [receipt_map(name) for name in sorted(readable())]
    return tuple(_skeleton(shape, spelling) for spelling in (_Plain(), _Free()) for shape in shapes)


class _Plain:
    """Every element is there and written out, nothing stands between tags: two thirds of the time of `_Free`."""

    between = ""

    def element(self, name: str, value: str) -> str:
        return f"<{name}>{value}</{name}>"


class _Free:
    """Any element may be left out or be one tag, white space may stand between tags."""

    between = r"[ \t\r\n]*+"

    def element(self, name: str, value: str) -> str:
        return f"(?:<{name}>{value}</{name}>|<{name} ?/>|){self.between}"


def _skeleton(shape: ReceiptMap, spelling: _Plain | _Free) -> Skeleton:
    _ = spelling.between

    def group(of: ReceiptGroup, value: str) -> str:
        inside = "".join(spelling.element(name, value) for name in of.elements)
        return f"<{of.name}>{_}{inside}</{of.name}>{_}"

    body = group(shape.head, f"({_TEXT})")
    line = None
    if shape.lines:
        # the whole run of lines is proven and captured once, then taken apart by the second pattern
        body += f"((?:{group(shape.lines, _TEXT)})*+)"
        line = _compiled(group(shape.lines, f"({_TEXT})"))
    envelope = schema.envelope_elements()
    parts, tail = (
        "".join(
            spelling.element(e.name, _ASCII)
            for e in envelope if (e.group == "EnvelopInfo") is first
        )
        for first in (True, False)
    )  # fmt: skip
    document = (
        f"{_BOM}{_WS}{_DECL}{_WS}(<)Package{_NS}>{_}<EnvelopInfo>{_}{parts}</EnvelopInfo>{_}<DataInfo>{_}<SignedData>{_}"
        f"<Data>{_}<{shape.message}{_NS}>{_}{body}</{shape.message}>{_}</Data>{_}"
        f"{tail}</SignedData>{_}</DataInfo>{_}</Package>{_WS}"
    )
    return Skeleton(shape, _compiled(rf"(?:{document}|[^\x00]*+)\x00"), line)


def _compiled(pattern: str) -> re.Pattern[bytes]:
    return re.compile(pattern.encode("ascii"))
