"""The canonical content of a shipment as one SHA-256: has a declaration that is live changed, or not?

The text digested holds only what the file gave (before profile and engine; nothing of the master waybill's own totals), numbers without idle zeros
(1.50 = 1.5), waybills in their comparing form, lines by their number. It does not depend on row numbers, on
the order of columns or on the mapping that read the file. The form of the text is fixed: changing it would
make every live declaration look changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence

import polars as pl

from crossborder import keys
from crossborder.shipments.asking import AS_WRITTEN, constant, filled
from crossborder.shipments.columns import COLUMNS, OF_MASTER, Column, FrameName
from crossborder.shipments.decimals import tidied
from crossborder.shipments.frames import FrameSet

_ORDER: dict[FrameName, tuple[str, str]] = {
    "goods": ("line_number", "line"),
    "documents": ("order_number", "doc"),
}


def content_digests(frames: FrameSet) -> pl.DataFrame:
    """`ship` (UInt32), `digest` (64 hex digits) of every shipment, in the order of the frame."""
    texts = _texts("shipments", frames.shipments, ["ship"])
    below: dict[FrameName, pl.DataFrame] = {"goods": frames.goods, "documents": frames.documents}
    for frame, lines in below.items():
        if lines.height:
            gathered = _gathered(frame, lines)
            texts = texts.join(gathered, on="ship", how="left", maintain_order="left")
    parts = [name for name in ("shipments", *below) if name in texts.collect_schema()]
    whole = texts.select(pl.concat_str(parts, ignore_nulls=True).cast(pl.Binary))
    contents = whole.collect(engine="in-memory", optimizations=AS_WRITTEN).to_series()
    digests = [hashlib.sha256(content).hexdigest() for content in contents.to_list()]
    return frames.shipments.select("ship", pl.Series("digest", digests, dtype=pl.String))


def _gathered(frame: FrameName, lines: pl.DataFrame) -> pl.LazyFrame:
    """`ship` and, under the name of the frame, the texts of a shipment's lines one after another."""
    number, position = _ORDER[frame]
    given = lines.get_column(number)  # as it was written: 1.0 is the number of no line
    order = pl.lit(given).cast(pl.UInt64, strict=False).alias("number")
    return (
        _texts(frame, lines, ["ship", order, position])
        .sort("ship", "number", position, nulls_last=True)
        .group_by("ship", maintain_order=True)
        .agg(pl.col(frame).str.join(""))
    )


def _texts(frame: FrameName, given: pl.DataFrame, keys: Sequence[str | pl.Expr]) -> pl.LazyFrame:
    """Some key columns and, under the name of the frame, the text of each row."""
    decimals = [c.name for c in COLUMNS[frame].values() if c.kind in ("decimal", "integer")]
    table = tidied(given, decimals)
    return table.lazy().select(*keys, _text(frame, table))


def _text(frame: FrameName, table: pl.DataFrame) -> pl.Expr:
    """`\\x1eframe\\x1fname=value\\x1f…` of every filled column, under the name of the frame. Control characters
    never reach a live declaration, so the separators cannot be forged.

    What is the same in every row (names of columns without gaps, values of constant columns) is one literal.
    """
    values = filled(table)
    told = [c for c in COLUMNS[frame].values() if frame != "shipments" or c.name not in OF_MASTER]
    columns = [column for column in told if values[column.name]]
    same = constant(table, [column.name for column in columns])
    normal = _normal(table, columns)
    common = table.head(1).select(normal[name].alias(name) for name in same)
    parts: list[pl.Expr] = []
    literal = f"\x1e{frame}"
    for column in columns:
        name, value = f"\x1f{column.name}=", normal[column.name]
        if column.name in same:
            literal += name + common.item(0, column.name)
        elif values[column.name] == table.height:
            parts += [pl.lit(literal + name), value]
            literal = ""
        else:
            named = pl.when(pl.col(column.name).is_not_null()).then(pl.lit(name))
            parts += [pl.lit(literal), named, value]
            literal = ""
    return pl.concat_str([*parts, pl.lit(literal)], ignore_nulls=True).alias(frame)


def _normal(table: pl.DataFrame, columns: Sequence[Column]) -> dict[str, pl.Expr]:
    """Column → its value as digested; only what some row needs is done."""
    forms = {c.name: _KEY if c.name in _KEYS else {} for c in columns}
    asked = [
        pl.col(name).str.contains(form).any().alias(f"{name} {form}")
        for name, changes in forms.items()
        for form in changes
    ]
    if not asked:
        return {name: pl.col(name) for name in forms}
    told = table.lazy().select(asked).collect(engine="in-memory", optimizations=AS_WRITTEN)
    needed = told.row(0, named=True)
    found = {}
    for name, changes in forms.items():
        value = pl.col(name)
        for form, change in changes.items():
            if needed[f"{name} {form}"]:
                value = pl.when(value.str.contains(form)).then(change(value)).otherwise(value)
        found[name] = value
    return found


_Changes = Mapping[str, Callable[[pl.Expr], pl.Expr]]
_KEY: _Changes = {
    r"^[A-Z0-9-]*-[A-Z0-9-]*$": lambda number: number.str.replace_all("-", "", literal=True),
    r"[^A-Z0-9-]": keys.normalise_expr,
}
"""The form of a value → what becomes of it, in this order."""
_KEYS = ("master_waybill", "house_waybill")
