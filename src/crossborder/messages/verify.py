"""Finished documents judged by libxml2 on the XSD files themselves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lxml import etree

from crossborder import schema
from crossborder.messages.compose import Form
from crossborder.messages.receipt_tree import parser


def verify(xmls: Iterable[bytes], message: str, form: Form) -> list[str | None]:
    """For each document None if it is valid, else an error: path and libxml2's name of it.

    The text names no value, because values are personal data. The parser resolves no entity, loads no DTD
    and opens no connection.
    """
    judge = schema.validator(message, form)
    using = parser()
    return [_error(xml, judge, using) for xml in xmls]


def _error(xml: bytes, judge: etree.XMLSchema, using: etree.XMLParser) -> str | None:
    try:
        document = etree.fromstring(xml, using)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        return f"not well-formed (line {line}, column {column})"
    if judge.validate(document):
        return None
    entries: Any = judge.error_log  # the stubs know no entries
    return next((f"{entry.path}: {entry.type_name}" for entry in entries), "not valid")
