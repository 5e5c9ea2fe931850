"""What two documents of the same message say differently, and which elements a column fills."""

from __future__ import annotations

from functools import cache

from lxml import etree

from crossborder import schema
from crossborder.errors import SchemaError
from crossborder.messages.mapping import message_mapping
from crossborder.messages.receipt_tree import parser


def differing(stored: bytes, fresh: bytes) -> list[str]:
    """Names of the elements whose text differs, in schema order; `EntryList[2].GName` for lists.

    Two documents of one message, composed here. The envelope and what is given with the moment (DDate) are
    not compared: they differ between attempts. Raises `SchemaError` if they are not of the same message.
    """
    was, now = _contents(stored), _contents(fresh)
    if was[0] != now[0]:
        raise SchemaError(f"{was[0]} is compared with {now[0]}", f"{was[0]} 与 {now[0]} 无法比较")
    names = dict.fromkeys([*now[1], *was[1]])
    return [n for n in names if was[1].get(n) != now[1].get(n)]


def _contents(xml: bytes) -> tuple[str, dict[str, str]]:
    try:
        root = etree.fromstring(xml, parser())
    except etree.XMLSyntaxError as error:
        raise SchemaError("a stored document is not XML", "存储的报文不是 XML") from error
    message = root.find("{*}DataInfo/{*}SignedData/{*}Data/*")
    if message is None:
        raise SchemaError("a stored document has no message", "存储的报文没有内容")
    name = etree.QName(message).localname
    skipped = message_mapping(name).given("moment")
    once = {g.name for g in schema.load_elements(name).groups if g.once}
    found: dict[str, str] = {}
    seen: dict[str, int] = {}
    for group in message:
        kind = etree.QName(group).localname
        seen[kind] = seen.get(kind, 0) + 1
        for element in group:
            label = etree.QName(element).localname
            place = label if kind in once else f"{kind}[{seen[kind]}].{label}"
            if label not in skipped:
                found[place] = element.text or ""
    return name, found


@cache
def elements_from(message: str, source: str) -> frozenset[tuple[str, str]]:
    """(group, element) of every element that a canonical column fills; `source` is `shipments.gross_weight`."""
    frame, _, column = source.partition(".")
    return frozenset(
        (group.name, element)
        for group in message_mapping(message).groups.values()
        if group.frame == frame
        for element, said in group.elements.items()
        if column in said.columns()
    )
