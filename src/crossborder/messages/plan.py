"""XSD, filling conditions, code lists and mapping of one message, compiled once to polars expressions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache, cached_property

import polars as pl

from crossborder import codes, schema
from crossborder.errors import SchemaError
from crossborder.messages.checks import GroupChecks, compile_checks
from crossborder.messages.decimals import rounded
from crossborder.messages.findings import RowsOf, failures, first_faults, to_findings
from crossborder.messages.inquiry import inquiry
from crossborder.messages.mapping import GroupMapping, MessageMapping, Source, message_mapping
from crossborder.messages.unanswered import counted, together, told
from crossborder.shipments import findings
from crossborder.shipments.asking import columns_of
from crossborder.shipments.decimals import tidied
from crossborder.shipments.frames import FrameSet, in_order, positions

_UNFILLED = Source(value=None, column=None)
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

    def rows(self, of: MessageMapping) -> RowsOf:
        """Where the rows come from, for findings."""
        frame = self.mapping.frame
        return RowsOf(frame, ROW_KEYS[frame], self.mapping.elements, of.source, of.where)

    @cached_property
    def _same(self) -> dict[str, str]:
        """Columns of the frame → what they are called as they are: key columns and, of elements, the first of each."""
        found = {key: key for key in ROW_KEYS[self.mapping.frame]}
        for name in self.names:
            source = self.source(name)
            if source.column is not None and source.as_written():
                found.setdefault(source.column, name)
        return found

    @cached_property
    def _made(self) -> list[pl.Expr]:
        """The other elements over the columns of the frame."""
        same = set(self._same.values())
        return [self.source(name).expr().alias(name) for name in self.names if name not in same]

    @cached_property
    def _none(self) -> pl.DataFrame:
        """No rows."""
        keys = dict.fromkeys(ROW_KEYS[self.mapping.frame], pl.UInt32)
        return pl.DataFrame(schema={**keys, **dict.fromkeys(self.names, pl.String)})

    def project(self, frame: pl.DataFrame, switched_on: Collection[str] = ()) -> pl.DataFrame:
        """Key columns and one String column per element; decimals in their shortest form."""
        if not frame.height:
            return self._none.clone()
        keys = ROW_KEYS[self.mapping.frame]
        ordered = in_order(frame, keys)
        same = ordered[list(self._same)]
        same.columns = list(self._same.values())
        made = same.hstack(columns_of(ordered, self._made))[[*keys, *self.names]]
        for element, source in self._changed:
            if source.decimals is not None:
                made = rounded(made, element.name, source.decimals)
            if source.cut in switched_on and element.max_length:
                made = made.with_columns(pl.col(element.name).str.slice(0, element.max_length))
        return tidied(made, self._decimals)

    @cached_property
    def _changed(self) -> list[tuple[schema.Element, Source]]:
        """The elements whose value may be rounded or cut."""
        sources = [(element, self.source(element.name)) for element in self.elements]
        return [(e, s) for e, s in sources if s.decimals is not None or s.cut is not None]

    @cached_property
    def _decimals(self) -> list[str]:
        return [e.name for e in self.elements if e.total_digits]


@dataclass(frozen=True)
class Elements:
    """The rows of a message: group name → frame of key columns and one String column per element."""

    groups: Mapping[str, pl.DataFrame]

    def of(self, ships: pl.Series) -> Elements:
        """Those of some of the shipments, mostly of all."""
        heads = next(iter(self.groups.values()))
        if heads.height == ships.len():
            return self
        own = pl.col("ship").is_in(ships.implode())
        return Elements({name: rows.filter(own) for name, rows in self.groups.items()})


@dataclass(frozen=True)
class Plan:
    """One message, compiled. Immutable; may be used from several threads."""

    message: str
    mapping: MessageMapping
    groups: tuple[PlannedGroup, ...]
    checks: tuple[GroupChecks, ...]

    def project(self, frames: FrameSet, switched_on: Collection[str] = ()) -> Elements:
        """The element values of every shipment that could be read, in the order of `ship`.

        `switched_on` are the profile's options that are on and change a value (`manifest_name_cut`).
        """
        readable = frames.shipments
        if readable.get_column("unreadable").any():
            readable = readable.filter(~pl.col("unreadable").fill_null(value=False))
        sources = {"shipments": readable, "goods": frames.goods, "documents": frames.documents}
        if readable.height < frames.shipments.height:
            for name in ("goods", "documents"):
                sources[name] = sources[name].join(readable.select("ship"), on="ship", how="semi")
        rows = {g.name: g.project(sources[g.mapping.frame], switched_on) for g in self.groups}
        return Elements(rows)

    def check(
        self, elements: Elements, frames: FrameSet, tables: codes.Tables, on: str | None = None
    ) -> pl.DataFrame:
        """Findings about presence, form and codes of every value; `frames` are those that were projected.

        `on` (yyyyMMdd) is the day by which code tables are chosen, without it the newest are taken. A code
        that an incomplete table does not hold is one finding per value about the file (`ship` is null).
        """
        found, counts = self.judge(elements, frames, tables, on)
        return findings.gather([found, told(self, counts, frames, tables, on)])

    def judge(
        self, elements: Elements, frames: FrameSet, tables: codes.Tables, on: str | None = None
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The same, but of the codes that no table could judge only the counts (`unanswered.UNANSWERED`)."""
        found, counts = [], []
        for group, checks in zip(self.groups, self.checks, strict=True):
            if not elements.groups[group.name].height:
                continue
            rows = with_context(elements, group, checks)
            asked = inquiry(checks, tables, on)
            answers = asked.ask(rows)
            faults = failures(rows, asked, answers)
            if faults is not None:
                of = group.rows(self.mapping)
                found.append(to_findings(first_faults(faults, of.keys), asked.checks, frames, of))
            counts.append(counted(group.name, rows, asked, answers))
        return findings.gather(found), together(counts)


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
        for element in group.elements:
            if element not in names[name]:
                raise SchemaError(f"the schema has no element {name}.{element}", place=place)
    missing = [g.name for g in tree.groups if g.name not in mapping.groups]
    if missing:
        raise SchemaError(f"no mapping for the group {missing[0]!r}", place=place)
    groups = [PlannedGroup(g.name, g.elements, mapping.groups[g.name]) for g in tree.groups]
    return Plan(message, mapping, tuple(groups), compile_checks(tree, mapping))


def with_context(elements: Elements, group: PlannedGroup, checks: GroupChecks) -> pl.DataFrame:
    """The rows of a group, beside them the head elements that its conditions name."""
    rows = elements.groups[group.name]
    wanted: dict[str, dict[str, str]] = {}
    for element, column in checks.context.items():
        wanted.setdefault(column.partition(".")[0], {})[element] = column
    for name, columns in wanted.items():
        heads = elements.groups[name]
        beside = heads[list(columns)][positions(heads, rows, ["ship"])]
        beside.columns = list(columns.values())
        rows = rows.hstack(beside)
    return rows
