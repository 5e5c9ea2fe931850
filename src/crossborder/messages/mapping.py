"""`mappings/messages/*.toml` of outgoing messages, read and proven against schema and canonical columns.

The file says where each element gets its value; nothing about a message stands in code. See the head of
`EXP301.toml` and `EXP311.toml` for the ways to say it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import polars as pl

from crossborder import resources
from crossborder.errors import SchemaError
from crossborder.shipments.columns import COLUMNS, FRAME_NAMES, FrameName

GIVEN = ("moment", "operation")
"""What a caller hands in while composing."""


@dataclass(frozen=True)
class Source:
    """Where one element gets its value: one of `column`, `first`, `sql`, `value`, `given`, `sum`, `count`.

    `first` are columns of which the first filled one counts. `column` beside `sql` or `given` is the
    canonical column that a finding names. The rest belongs to manifests: `agree` is the rule of a shipment
    that differs from the others of its master waybill, `decimals` the places to round to (half up), `cut`
    the option under which a text is cut to the length of the element.
    """

    column: str | None = None
    first: tuple[str, ...] = ()
    sql: str | None = None
    value: str | None = None
    given: str | None = None
    sum: str | None = None
    count: bool = False
    agree: str | None = None
    decimals: int | None = None
    cut: str | None = None

    def expr(self) -> pl.Expr:
        """The value over the columns of the group's frame (String); null for what is not from a frame."""
        if self.sql is not None:
            return pl.sql_expr(self.sql)
        if self.value is not None:
            return pl.lit(self.value)
        if self.first:
            return pl.coalesce(self.first)
        return pl.col(self.column) if self.column else pl.lit(None, dtype=pl.String)

    def columns(self) -> tuple[str, ...]:
        """The canonical columns that a finding may name, the first filled one counting."""
        return self.first or ((self.column,) if self.column else ())

    def as_written(self) -> bool:
        """Whether the value is a canonical column itself, so that a finding can show it as it was written."""
        return self.sql is None and self.value is None and bool(self.columns())


@dataclass(frozen=True)
class GroupMapping:
    """One group of elements: the frame it is made from, and what its rows are grouped by (manifest head)."""

    name: str
    frame: FrameName
    elements: Mapping[str, Source]
    by: tuple[str, ...] = ()


@dataclass(frozen=True)
class MessageMapping:
    """The mapping of one message.

    `source` is what findings give as their source, `too_long` the rule of a value that is too long where the
    facet table names none, `after` the message whose findings need not be repeated here, `where` words before each text (zh, en).
    """

    message: str
    source: str
    groups: Mapping[str, GroupMapping]
    too_long: str | None = None
    after: str | None = None
    where: tuple[str, str] = ("", "")

    def given(self, what: str) -> tuple[str, ...]:
        """Elements whose value is handed in as `what`."""
        return tuple(
            e for g in self.groups.values() for e, s in g.elements.items() if s.given == what
        )


@cache
def message_mapping(message: str) -> MessageMapping:
    """The mapping of one outgoing message. Raises `SchemaError` naming the file and the wrong key."""
    place = f"mappings/messages/{message}.toml"
    try:
        data = tomllib.loads(resources.text(place))
        groups = {name: _group(name, table, place) for name, table in data["groups"].items()}
    except tomllib.TOMLDecodeError as error:
        raise SchemaError(f"not a message mapping: {error}", place=place) from error
    except KeyError as error:
        raise SchemaError(
            f"not a message mapping: the key {error} is missing", place=place
        ) from error
    return MessageMapping(
        message,
        data.get("source", message),
        groups,
        data.get("too_long"),
        data.get("after"),
        (data.get("where_zh", ""), data.get("where_en", "")),
    )


def _group(name: str, table: Mapping[str, Any], place: str) -> GroupMapping:
    frame = table["frame"]
    if frame not in FRAME_NAMES:
        raise SchemaError(f"{name}: no frame {frame!r}", place=place)
    elements = {e: _source(e, s, f"{place}: {name}.{e}") for e, s in table["elements"].items()}
    for element, source in elements.items():
        _known_columns(source, frame, f"{place}: {name}.{element}")
    return GroupMapping(name, frame, elements, tuple(table.get("by", ())))


def _source(element: str, said: str | Mapping[str, Any], place: str) -> Source:
    table: dict[str, Any] = {"column": said} if isinstance(said, str) else dict(said)
    if "first" in table:
        table["first"] = tuple(table["first"])
    source: Source = _made(Source, table, place)
    ways = [
        source.first or None,
        source.sql,
        source.value,
        source.given,
        source.sum,
        source.count or None,
    ]
    used = sum(way is not None for way in ways)
    if used > 1 or (used == 0 and source.column is None):
        raise SchemaError(
            f"{element}: give exactly one of column, first, sql, value, given, sum, count",
            place=place,
        )
    if source.given is not None and source.given not in GIVEN:
        raise SchemaError(f"{element}: nothing is given as {source.given!r}", place=place)
    return source


def _known_columns(source: Source, frame: FrameName, place: str) -> None:
    names = set(source.columns())
    if source.sql is not None:
        try:
            names |= set(pl.sql_expr(source.sql).meta.root_names())
        except pl.exceptions.PolarsError as error:
            raise SchemaError(f"not a SQL expression: {error}", place=place) from error
    unknown = sorted(n for n in names if n not in COLUMNS[frame])
    if unknown:
        raise SchemaError(f"no column {unknown[0]!r} in {frame}", place=place)


def _made(kind: type[Any], said: Mapping[str, Any], place: str) -> Any:
    unknown = sorted(set(said) - {f.name for f in fields(kind)})
    if unknown:
        raise SchemaError(f"unknown key {unknown[0]!r}", place=place)
    return kind(**said)
