"""The canonical content of a shipment as one SHA-256: has a declaration that is live changed, or not?

The text digested holds only what the file gave (before profile and engine), numbers without idle zeros
(1.50 = 1.5), waybills in their comparing form, lines by their number. It does not depend on row numbers, on
the order of columns or on the mapping that read the file. The form of the text is fixed: changing it would
make every live declaration look changed.
"""

from __future__ import annotations

import hashlib

import polars as pl

from crossborder import keys
from crossborder.shipments.columns import COLUMNS, Column, FrameName
from crossborder.shipments.frames import FrameSet

_KEYS = frozenset({"master_waybill", "house_waybill"})
_ORDER: dict[FrameName, tuple[str, str]] = {
    "goods": ("line_number", "line"),
    "documents": ("order_number", "doc"),
}


def content_digests(frames: FrameSet) -> pl.DataFrame:
    """`ship` (UInt32), `digest` (64 hex digits) of every shipment, in the order of the frame."""
    heads = frames.shipments.select("ship", _text("shipments", frames.shipments).alias("text"))
    below: dict[FrameName, pl.DataFrame] = {"goods": frames.goods, "documents": frames.documents}
    for frame, lines in below.items():
        heads = (
            heads.join(_gathered(frame, lines), on="ship", how="left", maintain_order="left")
            .with_columns(pl.concat_str("text", pl.col("below").fill_null("")).alias("text"))
            .drop("below")
        )
    digests = [hashlib.sha256(text.encode()).hexdigest() for text in heads["text"]]
    return heads.select("ship").with_columns(pl.Series("digest", digests, dtype=pl.String))


def _gathered(frame: FrameName, lines: pl.DataFrame) -> pl.DataFrame:
    """`ship`, `below`: the texts of a shipment's lines one after another."""
    number, position = _ORDER[frame]
    return (
        lines.select(
            "ship", _text(frame, lines).alias("text"),
            pl.col(number).cast(pl.UInt64, strict=False).alias("number"), position,
        )
        .sort("ship", "number", position, nulls_last=True)
        .group_by("ship", maintain_order=True)
        .agg(pl.col("text").str.join("").alias("below"))
    )  # fmt: skip


def _text(frame: FrameName, table: pl.DataFrame) -> pl.Expr:
    """`\\x1eframe\\x1fname=value\\x1f…` of every filled column. Control characters never reach a live
    declaration, so the separators cannot be forged."""
    parts = [
        pl.concat_str(pl.lit(f"\x1f{column.name}="), _normal(column))
        for column in COLUMNS[frame].values()
        if table[column.name].null_count() < table.height
    ]
    return pl.concat_str([pl.lit(f"\x1e{frame}"), *parts], ignore_nulls=True)


def _normal(column: Column) -> pl.Expr:
    value = pl.col(column.name)
    if column.name in _KEYS:
        return keys.normalise_expr(value)
    if column.kind in ("decimal", "integer"):
        short = (
            value.str.replace("^0+([0-9])", "$1")
            .str.replace(r"(\.[0-9]*?)0+$", "$1")
            .str.replace(r"\.$", "")
        )
        return pl.when(value.str.contains(r"^[0-9]+(\.[0-9]+)?$")).then(short).otherwise(value)
    return value
