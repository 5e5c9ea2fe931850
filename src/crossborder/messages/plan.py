"""XSD, filling conditions, code lists and mapping of one message, compiled once to polars expressions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import polars as pl

from crossborder import schema
from crossborder.errors import SchemaError
from crossborder.messages.mapping import GroupMapping, MessageMapping, Source, message_mapping
from crossborder.shipments.frames import FrameSet

_UNFILLED = Source(value=None, column=None)
_UNTIDY = r"^(?:0[0-9]+(?:\.[0-9]+)?|[0-9]+\.[0-9]*0)$"
ROW_KEYS = {"shipments": ("ship",), "goods": ("ship", "line"), "documents": ("ship", "doc")}
"""Key columns of the rows made from each frame."""


@dataclass(frozen=True)
class PlannedGroup:
    """One group of elements of the message, in schema order, and the mapping that fills it."""

    name: str
    elements: tuple[schema.Element, ...]
    mapping: GroupMapping

    @property
    def names(self) -> tuple[str, ...]:
        """Element names in schema order."""
        return tuple(e.name for e in self.elements)

    def source(self, element: str) -> Source:
        """Where the element gets its value; an element that the mapping does not name stays empty."""
        return self.mapping.elements.get(element, _UNFILLED)

    def project(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Key columns and one String column per element; decimals in their shortest form."""
        keys = ROW_KEYS[self.mapping.frame]
        made = frame.select(*keys, *(self.source(n).expr().alias(n) for n in self.names)).sort(
            *keys, maintain_order=True
        )
        return made.with_columns(_tidied(made, [e.name for e in self.elements if e.total_digits]))


@dataclass(frozen=True)
class Elements:
    """The rows of a message: group name → frame of key columns and one String column per element."""

    groups: Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class Plan:
    """One message, compiled. Immutable; may be used from several threads."""

    message: str
    mapping: MessageMapping
    groups: tuple[PlannedGroup, ...]

    def project(self, frames: FrameSet) -> Elements:
        """The element values of every shipment that could be read, in the order of `ship`."""
        readable = frames.shipments.filter(~pl.col("unreadable").fill_null(value=False))
        sources = {"shipments": readable, "goods": frames.goods, "documents": frames.documents}
        if readable.height < frames.shipments.height:
            for name in ("goods", "documents"):
                sources[name] = sources[name].join(readable.select("ship"), on="ship", how="semi")
        return Elements({g.name: g.project(sources[g.mapping.frame]) for g in self.groups})


@cache
def compile_plan(message: str) -> Plan:
    """The plan of one outgoing message. Raises `SchemaError` if schema and mapping do not fit each other."""
    tree = schema.load_elements(message)
    mapping = message_mapping(message)
    place = f"mappings/messages/{message}.toml"
    names = {g.name: {e.name for e in g.elements} for g in tree.groups}
    for name, group in mapping.groups.items():
        if name not in names:
            raise SchemaError(f"the schema has no group {name!r}", place=place)
        for element in (*group.elements, *group.codes):
            if element not in names[name]:
                raise SchemaError(f"the schema has no element {name}.{element}", place=place)
    missing = [g.name for g in tree.groups if g.name not in mapping.groups]
    if missing:
        raise SchemaError(f"no mapping for the group {missing[0]!r}", place=place)
    groups = [PlannedGroup(g.name, g.elements, mapping.groups[g.name]) for g in tree.groups]
    return Plan(message, mapping, tuple(groups))


def _tidied(frame: pl.DataFrame, names: list[str]) -> list[pl.Expr]:
    """`012.50` → `12.5`, only for columns that hold such a value; what is no decimal stays as it is."""
    if not names:
        return []
    untidy = frame.select(pl.col(names).str.contains(_UNTIDY).any()).row(0)
    found = [name for name, hit in zip(names, untidy, strict=True) if hit]
    return [
        pl.when(pl.col(n).str.contains(_UNTIDY)).then(_shortest(pl.col(n))).otherwise(pl.col(n)).alias(n)
        for n in found
    ]  # fmt: skip


def _shortest(value: pl.Expr) -> pl.Expr:
    whole = value.str.replace(r"^0+([0-9])", "$1")
    fraction = whole.str.strip_chars_end("0").str.strip_chars_end(".")
    return pl.when(whole.str.contains(".", literal=True)).then(fraction).otherwise(whole)
