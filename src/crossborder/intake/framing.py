"""Columns to a canonical frame, without copying any."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from crossborder.shipments.columns import FRAME_NAMES, FrameName
from crossborder.shipments.frames import empty, schema, side_by_side

_SCHEMAS: dict[FrameName, dict[str, pl.DataType | type[pl.DataType]]] = {
    "shipments": schema("shipments"),
    "goods": schema("goods"),
    "documents": schema("documents"),
}
_EMPTY: dict[FrameName, pl.DataFrame] = {name: empty(name) for name in FRAME_NAMES}


def complete(frame: FrameName, height: int, columns: Mapping[str, pl.Series]) -> pl.DataFrame:
    """A canonical frame of `height` rows: every column of its schema in order, missing ones null, others
    dropped."""
    if not height:
        return _EMPTY[frame].clone()
    none = pl.Series([None], dtype=pl.String).new_from_index(0, height)
    out = []
    for name, kind in _SCHEMAS[frame].items():
        values = columns.get(name)
        if values is None:
            values = none if kind == pl.String else none.cast(kind)
        elif values.dtype != kind:
            values = values.cast(kind)
        out.append(values if values.name == name else values.alias(name))
    return side_by_side(out)


def constant(value: str, height: int) -> pl.Series:
    """`height` times the same text."""
    return pl.Series([value], dtype=pl.String).new_from_index(0, height)
