"""XML of declarations and manifests: lxml trees, or generated f-strings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from operator import itemgetter
from typing import Any

from lxml import etree

from benchmarks.baseline.spec import DOCU, HEAD, LINE, Shipment, key_of, names, shortest
from crossborder.messages.mapping import message_mapping

NAMESPACE = "http://www.chinaport.gov.cn/Exp"
_SUB = etree.SubElement


@dataclass(frozen=True)
class Sender:
    """What stands in every envelope, and the moment: `yyyy-MM-ddTHH:mm:ss` and 14 digits."""

    sender: str
    receiver: str
    sent: str
    moment: str

    def envelope(self, message: str, identity: str) -> tuple[tuple[str, str], ...]:
        """Element names and values of the envelope."""
        return (
            ("version", "1.0"), ("message_id", identity), ("file_name", f"{identity}.EXP"), ("message_type", message),
            ("sender_id", self.sender), ("receiver_id", self.receiver), ("send_time", self.sent),
        )  # fmt: skip


def declaration(ship: Shipment, identity: str, sender: Sender) -> etree._Element:
    """The tree of one declaration. Raises `ValueError` for characters that XML forbids."""
    root, body = _package("EXP301", identity, sender)
    tags = _tags()
    ship["DDate"] = sender.moment
    for group, rows in ((HEAD, (ship,)), (LINE, ship["lines"]), (DOCU, ship["docs"])):
        outer, inner = tags[group]
        for row in rows:
            parent = _SUB(body, outer)
            for name, tag in inner:
                _SUB(parent, tag).text = row[name]
    return root


def written(root: etree._Element) -> bytes:
    """The bytes of a tree."""
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


@cache
def _tags() -> dict[str, tuple[str, tuple[tuple[str, str], ...]]]:
    return {
        group: (_q(group), tuple((n, _q(n)) for n in names("EXP301", group).elements))
        for group in (HEAD, LINE, DOCU)
    }


def _q(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _package(message: str, identity: str, sender: Sender) -> tuple[etree._Element, etree._Element]:
    root = etree.Element("Package")
    envelope = _SUB(root, "EnvelopInfo")
    for name, value in sender.envelope(message, identity):
        _SUB(envelope, name).text = value
    signed = _SUB(_SUB(root, "DataInfo"), "SignedData")
    body = _SUB(_SUB(signed, "Data"), _q(message), nsmap={None: NAMESPACE})  # type: ignore[dict-item]  # the stubs know no default namespace
    _SUB(signed, "HashSign")
    _SUB(signed, "SignerInfo")
    return root, body


# -- the expert's way


Row = dict[str, str]


def _escaped(text: str) -> str:
    return (
        text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#xD;")
    )


@cache
def _writer(group: str) -> Callable[[Row], str]:
    """A function that writes one row of a group: one f-string, values escaped only where any needs it."""
    spec = names("EXP301", group)
    fields = [f"v{i}" for i in range(len(spec.elements))]
    pairs = list(zip(spec.elements, fields, strict=True))
    inner = "".join(f"<{n}>{{{v}}}</{n}>" for n, v in pairs)
    tidy = [f"    if v{i}[-1:] == '0' or v{i}[:1] == '0': v{i} = shortest(v{i})"
            for i, n in enumerate(spec.elements) if n in spec.decimals]  # fmt: skip
    source = [
        "def write(row):",
        "    values = get(row)",
        "    whole = ''.join(values)",
        "    if '&' in whole or '<' in whole or '>' in whole or '\\r' in whole:",
        "        values = [escaped(v) for v in values]",
        f"    {', '.join(fields)} = values",
        *tidy,
        f"    return f'<{group}>{inner}</{group}>'",
    ]
    scope: dict[str, Any] = {
        "get": itemgetter(*spec.elements), "escaped": _escaped, "shortest": shortest,
    }  # fmt: skip
    exec("\n".join(source), scope)  # the text is made here, of the schema's own names
    made: Callable[[Row], str] = scope["write"]
    return made


@cache
def _frame(sender: Sender) -> tuple[str, str]:
    envelope = "".join(f"<{n}>{v}</{n}>" for n, v in sender.envelope("EXP301", "\0"))
    start = (
        f'<?xml version="1.0" encoding="UTF-8"?><Package><EnvelopInfo>{envelope}</EnvelopInfo><DataInfo>'
        f'<SignedData><Data><EXP301 xmlns="{NAMESPACE}">'
    )
    return (
        start,
        "</EXP301></Data><HashSign></HashSign><SignerInfo></SignerInfo></SignedData></DataInfo></Package>",
    )


def by_f_string(ship: dict[str, Any], identity: str, sender: Sender) -> bytes:
    """One declaration of a shipment whose empty values are `""`."""
    start, end = _frame(sender)
    ship["DDate"] = sender.moment
    line, docu = _writer(LINE), _writer(DOCU)
    parts = [
        start.replace("\0", identity), _writer(HEAD)(ship), *map(line, ship["lines"]), *map(docu, ship["docs"]), end,
    ]  # fmt: skip
    return "".join(parts).encode()


# -- manifests


def manifest(ships: list[Shipment], identity: str, sender: Sender) -> etree._Element:
    """The tree of the manifest (ADD) of all shipments of one master waybill, voyage and direction."""
    root, body = _package("EXP311", identity, sender)
    groups = message_mapping("EXP311").groups
    keys = key_of(HEAD)
    lines = [
        {
            name: _value(ship, source.first or ((source.column,) if source.column else ()), keys, source.decimals)
            for name, source in groups["ExpMftList"].elements.items()
        }
        for ship in ships
    ]  # fmt: skip
    head: dict[str, str | None] = {}
    for name, source in groups["ExpMftHead"].elements.items():
        if source.given:
            head[name] = "ADD"
        elif source.count:
            head[name] = str(len(lines))
        elif source.sum:
            head[name] = shortest(
                format(sum(Decimal(line[source.sum] or 0) for line in lines), "f")
            )
        else:
            columns = source.first or ((source.column,) if source.column else ())
            head[name] = _value(ships[0], columns, keys, source.decimals)
    for group, rows in (("ExpMftHead", [head]), ("ExpMftList", lines)):
        tags = [(n, _q(n)) for n in names("EXP311", group).elements]
        for row in rows:
            parent = _SUB(body, _q(group))
            for name, tag in tags:
                _SUB(parent, tag).text = row.get(name)
    return root


def _value(
    ship: Shipment, columns: Iterable[str], keys: dict[str, str], decimals: int | None
) -> str | None:
    for column in columns:
        value: str | None = ship.get(column) or ship.get(keys.get(column, column))
        if value is not None:
            if decimals is not None:
                places = Decimal(1).scaleb(-decimals)
                value = shortest(format(Decimal(value).quantize(places, ROUND_HALF_UP), "f"))
            return value
    return None
