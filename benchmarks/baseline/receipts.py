"""Receipts parsed one by one with lxml into the frame that the engine gives."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import polars as pl
from lxml import etree

from crossborder.messages.read import LINES

PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
ELEMENTS = {
    "BillNo": "master_waybill", "AssBillNo": "house_waybill", "VoyageNo": "voyage", "IEFlag": "direction",
    "OpType": "op_type", "OpResult": "code", "OpTime": "op_time", "PreEntryId": "pre_entry_id",
    "EntryId": "entry_id", "Notes": "notes",
}  # fmt: skip
_digits = re.compile("[0-9]{17}").fullmatch


def read(items: Iterable[tuple[str, bytes]]) -> pl.DataFrame:
    """One row per receipt (EXP302), columns `LINES`."""
    columns: dict[str, list[Any]] = {name: [] for name in LINES}
    for index, (name, data) in enumerate(items):
        root = etree.fromstring(data, PARSER)
        head = next(root.iter("{*}EntryHead"))
        found = {local(child.tag): child.text for child in head.iterchildren("*")}
        columns["name"].append(name)
        columns["index"].append(index)
        columns["line"].append(0)
        parent = head.getparent()
        columns["message_type"].append(local(parent.tag) if parent is not None else None)
        for element, column in ELEMENTS.items():
            text = (found.get(element) or "").strip() or None
            columns[column].append(seventeen_digits(text) if column == "op_time" else text)
    return pl.DataFrame(columns, schema=LINES)


def local(tag: str) -> str:
    return tag.rpartition("}")[2]


def seventeen_digits(text: str | None) -> str | None:
    """17 digits; the other spellings are as long as their moment without milliseconds."""
    if text is None or _digits(text):
        return text
    moment = datetime.strptime(text[:14], "%Y%m%d%H%M%S")  # noqa: DTZ007  # China time already
    return f"{moment:%Y%m%d%H%M%S}000"
