"""Which element of a receipt fills which column: schema order joined with `mappings/messages/EXP302.toml` and alike."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from crossborder import resources, schema
from crossborder.errors import SchemaError

COLUMNS = (
    "master_waybill", "house_waybill", "voyage", "direction", "op_type", "code", "op_time",
    "pre_entry_id", "entry_id", "notes",
)  # fmt: skip
"""Columns of a receipt that a mapping may fill, in the order of the lines frame."""


@dataclass(frozen=True)
class ReceiptGroup:
    """One group of elements: the head (once) or the lines (any number)."""

    name: str
    level: Literal["head", "lines"]
    elements: tuple[str, ...]  # in schema order
    columns: Mapping[str, str]  # receipt column → element


@dataclass(frozen=True)
class ReceiptMap:
    """How one message type is read. `missing_time`: whether a receipt without a readable moment is kept."""

    message: str
    head: ReceiptGroup
    lines: ReceiptGroup | None
    missing_time: Literal["refuse", "keep"]


@cache
def receipt_map(message: str) -> ReceiptMap:
    """The map of one message. Raises `SchemaError` if the mapping names what schema or frame do not have."""
    place = f"mappings/messages/{message}.toml"
    data = tomllib.loads(resources.text(place))
    in_schema = {
        g.name: tuple(e.name for e in g.elements) for g in schema.load_elements(message).groups
    }
    groups: dict[str, ReceiptGroup] = {}
    for name, table in data["receipt"].items():
        columns = {column: element for column, element in table.items() if column != "level"}
        unknown = [c for c in columns if c not in COLUMNS]
        unknown += [e for e in columns.values() if e not in in_schema.get(name, ())]
        if unknown or table["level"] in groups:
            raise SchemaError(f"unknown names: {unknown or [table['level']]}", place=place)
        groups[table["level"]] = ReceiptGroup(name, table["level"], in_schema[name], columns)
    if "head" not in groups:
        raise SchemaError("no group has the level head", place=place)
    return ReceiptMap(message, groups["head"], groups.get("lines"), data["missing_time"])


@cache
def readable() -> frozenset[str]:
    """Message types that are read: those whose mapping has a `receipt` part."""
    names = resources.names("mappings/messages", ".toml")
    return frozenset(
        n for n in names
        if "receipt" in tomllib.loads(resources.text(f"mappings/messages/{n}.toml"))
    )  # fmt: skip
