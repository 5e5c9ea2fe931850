"""Findings of the cases that fired: what is the same for all of a case is said once and spread over its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from crossborder.rules.prepare import Prepared
from crossborder.rules.ready import Ready, Said
from crossborder.shipments import findings
from crossborder.shipments.asking import columns_of
from crossborder.shipments.columns import FrameName

_FIXED = ("column", "element", "rule", "severity", "action", "source")
_SHAPED = ("zh", "en", "fix_zh", "fix_en", "suggest")


@dataclass(frozen=True)
class Fired:
    """A case that is broken, its position among all that were asked, and the places of the rows (UInt32)."""

    position: int
    one: Ready
    places: pl.Series


def told(fired: Sequence[Fired], prepared: Prepared, name: FrameName) -> pl.DataFrame:
    """Findings of cases of one frame, case by case; without house and master waybill."""
    frame = prepared.frames[name]
    case = pl.concat([_times(i, len(one.places)) for i, one in enumerate(fired)])
    where = frame[["ship", "sheet", "row"]][pl.concat([one.places for one in fired])]
    headers = [
        prepared.source.header(name, c) if (c := one.one.case.column) else None for one in fired
    ]
    fixed = [
        pl.Series(n, headers if n == "column" else _said(fired, n), dtype=pl.String)[case]
        for n in _FIXED
    ]
    return where.hstack([*fixed, _values(fired, frame), *_shaped(fired, frame, case)])


def _times(number: int, times: int) -> pl.Series:
    return pl.Series([number], dtype=pl.UInt32).new_from_index(0, times)


def _said(fired: Sequence[Fired], name: str) -> list[str | None]:
    return [one.one.said.fixed.get(name) for one in fired]


def _values(fired: Sequence[Fired], frame: pl.DataFrame) -> pl.Series:
    """The value shown with each finding."""
    nothing = pl.Series([None], dtype=pl.String)
    return pl.concat(
        [
            frame.get_column(shown)[one.places]
            if (shown := one.one.said.value) is not None
            else nothing.new_from_index(0, len(one.places))
            for one in fired
        ]
    ).alias("value")


def _shaped(fired: Sequence[Fired], frame: pl.DataFrame, case: pl.Series) -> list[pl.Series]:
    """The columns that some case makes from each row."""
    made = {
        i: _made(frame[one.one.said.needed][one.places], one.one.said)
        for i, one in enumerate(fired)
        if one.one.said.made
    }
    shaped = []
    for name in _SHAPED:
        column = pl.Series(name, _said(fired, name), dtype=pl.String)[case]
        if any(name in columns for columns in made.values()):
            parts, at = [], 0
            for i, one in enumerate(fired):
                size = len(one.places)
                parts.append(made.get(i, {}).get(name, column.slice(at, size)))
                at += size
            column = pl.concat(parts)
        shaped.append(column)
    return shaped


def _made(rows: pl.DataFrame, said: Said) -> dict[str, pl.Series]:
    columns = columns_of(rows, [expr.alias(name) for name, expr in said.made.items()])
    return {values.name: values for values in columns}


def placed(parts: Sequence[pl.DataFrame], ships: pl.DataFrame) -> pl.DataFrame:
    """The findings with house and master waybill, shipment by shipment."""
    found = parts[0] if len(parts) == 1 else pl.concat(parts)
    order = found.select(
        pl.arg_sort_by("ship", "row", nulls_last=True, maintain_order=True)
    ).to_series()
    found = found[order]
    beside = findings.heads(ships, found.get_column("ship")).select("shipment", "master")
    return found.hstack(beside.get_columns()).select(*findings.SCHEMA)
