"""The elements CSV, one row per goods line, to nested shipments."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from operator import itemgetter
from pathlib import Path

from benchmarks.baseline.spec import (
    DOCU,
    FACTS,
    HEAD,
    LINE,
    LINE_FACTS,
    RENAMED,
    Constants,
    Shipment,
    names,
    shortest,
)


def read(path: Path, fill: Constants) -> Iterator[Shipment]:
    """The shipments of a file; see `shipments`."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = csv.reader(stream)
        yield from shipments(tuple(next(rows)), rows, fill)


def shipments(
    header: tuple[str, ...], rows: Iterable[Sequence[str]], fill: Constants
) -> Iterator[Shipment]:
    """Shipments in the order of their rows. A waybill that comes again later, or a head that differs, is marked `broken`.

    Texts are trimmed, empty ones are None, decimals have their shortest form; profile constants fill gaps.
    """
    (head, line, docu), key_at = _layout(header)
    seen: dict[tuple[str, ...], Shipment] = {}
    current: Shipment | None = None
    current_key: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    for number, cells in enumerate(rows, 2):
        row = [cell.strip() for cell in cells]
        key = key_at(row)
        if current is None or key != current_key or not key[1]:
            if current is not None:
                yield _filled(current, fill)
            current = {**head.read(row), "lines": [], "docs": [], "rows": [], "broken": False}
            current_key, first = key, head.values(row)
            if key in seen and key[1]:
                current["broken"] = seen[key]["broken"] = True
            seen[key] = current
        else:
            values = head.values(row)
            if values != first and _differs(values, first):
                current["broken"] = True
        _add(current, row, number, line, docu)
    if current is not None:
        yield _filled(current, fill)


class _Part:
    """The columns of one group in a file."""

    def __init__(self, header: Sequence[str], group: str) -> None:
        own = {HEAD: "", LINE: "Line", DOCU: "Doc"}[group]
        spec = names("EXP301", group)
        wanted = [n for n in header if self._mine(n, group, own, spec.elements)]
        self.names = tuple(RENAMED.get(n, n) for n in wanted)
        self.values = itemgetter(*(header.index(n) for n in wanted))
        self.decimals = tuple(n for n in spec.decimals if n in self.names)
        self.empty = dict.fromkeys((*spec.elements, *wanted_facts(group)))

    @staticmethod
    def _mine(name: str, group: str, own: str, elements: tuple[str, ...]) -> bool:
        if name in FACTS or name in LINE_FACTS:
            return group == (HEAD if name in FACTS else LINE)
        if name in RENAMED:
            return name.startswith(own) and bool(own)
        if group != HEAD and name == "OpType":
            return False
        return name in elements

    def read(self, row: Sequence[str]) -> Shipment:
        """One row's values by name."""
        found: Shipment = dict(self.empty)
        for name, value in zip(self.names, self.values(row), strict=True):
            found[name] = value or None
        for name in self.decimals:
            if found[name] is not None:
                found[name] = shortest(found[name])
        return found


@cache
def _layout(header: tuple[str, ...]) -> tuple[tuple[_Part, _Part, _Part], itemgetter[str]]:
    """Where head, line and document stand in a row, and its key; made once for a header."""
    parts = (_Part(header, HEAD), _Part(header, LINE), _Part(header, DOCU))
    return parts, itemgetter(*(header.index(name) for name in ("BillNo", "AssBillNo", "IEFlag")))


def wanted_facts(group: str) -> tuple[str, ...]:
    """Columns of a group that are no element."""
    return {HEAD: FACTS, LINE: LINE_FACTS}.get(group, ())


def _add(shipment: Shipment, row: Sequence[str], number: int, line: _Part, docu: _Part) -> None:
    shipment["rows"].append(number)
    if any(line.values(row)):
        shipment["lines"].append(line.read(row))
    if any(docu.values(row)):
        found = docu.read(row)
        if found not in shipment["docs"]:
            shipment["docs"].append(found)


def _differs(values: tuple[str, ...], first: tuple[str, ...]) -> bool:
    """A blank says nothing."""
    return any(a != b for a, b in zip(values, first, strict=True) if a)


def _filled(shipment: Shipment, fill: Constants) -> Shipment:
    own = fill.by_class.get(shipment["EntryType"] or "", {})
    for constants in (own, fill.head):
        for name, value in constants.items():
            if shipment.get(name) is None:
                shipment[name] = value
    shipment["transport_name"] = shipment[
        "TrafName"
    ]  # the manifest has it without the transit number
    transit = shipment.pop("TransitDeclaration", None)
    if transit and shipment["TrafName"]:
        shipment["TrafName"] = f"@{transit}/{shipment['TrafName']}"
    for kind, constants in (("lines", fill.line), ("docs", fill.docu)):
        for row in shipment[kind]:
            for name, value in constants.items():
                if row.get(name) is None:
                    row[name] = value
    return shipment
