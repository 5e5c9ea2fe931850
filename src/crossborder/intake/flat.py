"""Canonical frames as one flat table in a mapping's shape: the way back from `read`."""

from __future__ import annotations

import polars as pl

from crossborder.intake.mapping.model import Mapping, column_of
from crossborder.shipments.frames import FrameSet


def flatten(frames: FrameSet, mapping: Mapping) -> pl.DataFrame:
    """One row per goods line, the shipment's columns repeated; documents stand on the shipment's first rows.

    Columns are the preferred header names of `mapping`, in its order; every value is text as in the frames.
    A shipment with more documents than lines has rows with the document only.
    """
    lines = frames.goods.select(
        "ship",
        pl.col("line").alias("at"),
        pl.exclude("ship", "line", "sheet", "row").name.prefix("goods."),
    )
    papers = frames.documents.select(
        "ship",
        pl.col("doc").alias("at"),
        pl.exclude("ship", "doc", "sheet", "row").name.prefix("documents."),
    )
    heads = frames.shipments.select(
        "ship", pl.exclude("ship", "sheet", "row", "rows", "unreadable").name.prefix("shipments.")
    )
    places = pl.concat(
        [
            heads.select("ship", pl.lit(0, dtype=pl.UInt32).alias("at")),
            lines.select("ship", "at"),
            papers.select("ship", "at"),
        ]
    )
    table = (
        places.unique()
        .sort("ship", "at")
        .join(heads, on="ship", how="left", maintain_order="left")
        .join(lines, on=["ship", "at"], how="left", maintain_order="left")
        .join(papers, on=["ship", "at"], how="left", maintain_order="left")
    )  # fmt: skip
    keys = {key: rule.names[0] for key, rule in mapping.columns.items() if column_of(key)}
    return table.select(pl.col(key).alias(name) for key, name in keys.items())
