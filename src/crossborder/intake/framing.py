"""Columns to a canonical frame, without copying any."""

from __future__ import annotations

import polars as pl

from crossborder.shipments.columns import FRAME_NAMES, FrameName
from crossborder.shipments.frames import empty, schema

_SCHEMAS: dict[FrameName, dict[str, pl.DataType | type[pl.DataType]]] = {
    "shipments": schema("shipments"),
    "goods": schema("goods"),
    "documents": schema("documents"),
}
_EMPTY: dict[FrameName, pl.DataFrame] = {name: empty(name) for name in FRAME_NAMES}


def complete(frame: FrameName, given: pl.DataFrame) -> pl.DataFrame:
    """A canonical frame of what is given: every column of its schema in order, missing ones null, others dropped."""
    wanted = _SCHEMAS[frame]
    if not given.height:
        return _EMPTY[frame].clone()
    have = set(given.columns)
    none = pl.Series([None], dtype=pl.String).new_from_index(0, given.height)
    missing = [
        (none if kind == pl.String else none.cast(kind)).alias(name)
        for name, kind in wanted.items()
        if name not in have
    ]
    whole = given.hstack(missing)[list(wanted)]
    if whole.dtypes == list(wanted.values()):
        return whole
    return whole.with_columns(pl.col(name).cast(kind) for name, kind in wanted.items())


def constant(value: str, height: int) -> pl.Series:
    """`height` times the same text."""
    return pl.Series([value], dtype=pl.String).new_from_index(0, height)
