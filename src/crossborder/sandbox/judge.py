"""The judge: libxml2 on the XSD files themselves, then the port's own filling rules.

Not safe for several threads at once (libxml2 validators keep an error log): the port judges in one thread.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from typing import cast

from lxml import etree

from crossborder import resources
from crossborder.errors import SchemaError
from crossborder.sandbox import rules301, rules311
from crossborder.sandbox.checks import MAX_FAULTS, Fault
from crossborder.sandbox.reading import Incoming

_ELEMENT = re.compile(r"Element '(?:\{[^}]*\})?([^']+)'")
_FACETS = {
    "SCHEMAV_CVC_MAXLENGTH_VALID": ("超过最大长度", "longer than the schema allows"),
    "SCHEMAV_CVC_MINLENGTH_VALID": ("短于最小长度", "shorter than the schema allows"),
    "SCHEMAV_CVC_LENGTH_VALID": ("长度不符", "not of the length of the schema"),
    "SCHEMAV_CVC_PATTERN_VALID": ("格式不符", "not of the form of the schema"),
    "SCHEMAV_CVC_ENUMERATION_VALID": ("不在允许值之内", "none of the values of the schema"),
    "SCHEMAV_ELEMENT_CONTENT": ("元素缺失、多余或次序有误", "missing, superfluous or out of order"),
}
_OTHER = ("不符合报文结构", "not valid against the schema")


@cache
def schema(message_type: str, form: str) -> etree.XMLSchema:
    """The compiled XSD of one message with its envelope; `form` is `written` or `strict`."""
    relative = f"schemas/xsd/express/{message_type}.{form}.xsd"
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        return etree.XMLSchema(etree.parse(resources.path(relative), parser))
    except (etree.XMLSchemaParseError, etree.XMLSyntaxError) as error:
        raise SchemaError(f"the schema cannot be compiled: {error}", place=relative) from error


def judge(
    incoming: Incoming,
    districts: tuple[str, ...] = (),
    before: tuple[int, int, Decimal] = (0, 0, Decimal(0)),
) -> list[Fault]:
    """Why this message cannot be stored, at most twenty reasons; empty = it can.

    The filling rules are asked only if the schema holds. `districts`: see `rules301.faults`; `before`:
    see `rules311.faults`.
    """
    compiled = schema(incoming.message_type, incoming.form)
    if not compiled.validate(incoming.tree):
        return _schema_faults(compiled)
    if incoming.message_type == "EXP301":
        return rules301.faults(incoming.document, districts)
    return rules311.faults(incoming.document, before)


def _schema_faults(compiled: etree.XMLSchema) -> list[Fault]:
    """Element and kind of each violation. libxml2's own text is not passed on: it holds the value."""
    seen: dict[Fault, None] = {}
    for entry in cast("Iterable[etree._LogEntry]", compiled.error_log):
        kind = str(entry.type_name)
        if kind == "SCHEMAV_CVC_DATATYPE_VALID_1_2_1" and seen:
            continue
        named = _ELEMENT.search(entry.message)
        zh, en = _FACETS.get(kind, _OTHER)
        seen[Fault(named.group(1) if named else "Package", zh, en)] = None
        if len(seen) == MAX_FAULTS:
            break
    return list(seen)
