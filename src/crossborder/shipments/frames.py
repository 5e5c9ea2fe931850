"""`FrameSet`: the three canonical frames of one hand-in (or of one block of it), all values text.

Key columns, not facts, beside the canonical ones:

- every frame: `ship` (UInt32), the position of the shipment in the hand-in, from 0, no gaps
- `shipments`: `sheet` (String, "" where there is none), `row` (UInt32), where the user sees its first row;
  `rows` (List[UInt32]) every source row of the shipment; `unreadable` (Boolean) true where the record could
  not be read as a shipment at all (ragged row, no waybill): it is kept, with its finding, never dropped
- `goods`: `line` (UInt32), position within the shipment from 0; `sheet`, `row`
- `documents`: `doc` (UInt32), position within the shipment from 0; `sheet`, `row`

`row` is what the user sees in Excel (header = row 1), the physical line where the record begins in CSV,
and the record number from 1 in JSON, Parquet and frames.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from crossborder.shipments.columns import COLUMNS, FrameName

KEYS: dict[FrameName, dict[str, pl.DataType | type[pl.DataType]]] = {
    "shipments": {
        "ship": pl.UInt32,
        "sheet": pl.String,
        "row": pl.UInt32,
        "rows": pl.List(pl.UInt32),
        "unreadable": pl.Boolean,
    },
    "goods": {"ship": pl.UInt32, "line": pl.UInt32, "sheet": pl.String, "row": pl.UInt32},
    "documents": {"ship": pl.UInt32, "doc": pl.UInt32, "sheet": pl.String, "row": pl.UInt32},
}


def schema(frame: FrameName) -> dict[str, pl.DataType | type[pl.DataType]]:
    """Key columns, then the canonical columns, all String."""
    return {**KEYS[frame], **dict.fromkeys(COLUMNS[frame], pl.String)}


def empty(frame: FrameName) -> pl.DataFrame:
    """A frame of height 0 with every key and canonical column."""
    return pl.DataFrame(schema=schema(frame))


def complete(frame: FrameName, df: pl.DataFrame) -> pl.DataFrame:
    """`df` with every column of `schema(frame)`: missing canonical ones null, in order, others dropped."""
    wanted = schema(frame)
    have = set(df.columns)
    return df.select(
        [
            pl.col(name).cast(kind) if name in have else pl.lit(None, dtype=kind).alias(name)
            for name, kind in wanted.items()
        ]
    )


def side_by_side(columns: Sequence[pl.Series]) -> pl.DataFrame:
    """A frame of some columns, at least one: what `pl.DataFrame` makes of them too, but it looks at each first."""
    first, *rest = columns
    return first.to_frame().hstack(rest)


def in_order(frame: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """`frame` sorted by its key columns; frames mostly are, and looking is cheaper than sorting."""
    if _joined(frame, keys).is_sorted():
        return frame
    return frame.sort(*keys, maintain_order=True)


def positions(frame: pl.DataFrame, few: pl.DataFrame, keys: Sequence[str]) -> pl.Series:
    """Where in `frame`, sorted by its key columns, the rows of `few` stand."""
    return _joined(frame, keys).search_sorted(_joined(few, keys))


def _joined(frame: pl.DataFrame, keys: Sequence[str]) -> pl.Series:
    """One number for one or two key columns, in the same order."""
    first, *second = (frame.get_column(key).cast(pl.UInt64) for key in keys)
    return first * 2**32 + second[0] if second else first


@dataclass(frozen=True)
class FrameSet:
    """Shipments of one hand-in with their goods lines and documents; empty text is null.

    `headers` says which source column each canonical column was read from, `{frame: {column: header}}`,
    so that a finding can name the column the user knows. A column filled by the profile or the engine has
    no header.
    """

    shipments: pl.DataFrame
    goods: pl.DataFrame
    documents: pl.DataFrame
    headers: Mapping[FrameName, Mapping[str, str]] = field(default_factory=dict)

    def header(self, frame: FrameName, column: str) -> str:
        """The source header of a canonical column, or the canonical name itself."""
        return self.headers.get(frame, {}).get(column, column)

    def take(self, ships: pl.Series) -> FrameSet:
        """Only the shipments whose `ship` is in `ships` (numbers are kept)."""
        return FrameSet(
            self.shipments.filter(pl.col("ship").is_in(ships.implode())),
            self.goods.filter(pl.col("ship").is_in(ships.implode())),
            self.documents.filter(pl.col("ship").is_in(ships.implode())),
            self.headers,
        )
