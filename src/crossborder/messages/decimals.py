"""Decimals as text: rounding half up, exact at any size. What is no decimal stays as it is."""

from __future__ import annotations

import polars as pl

from crossborder.shipments.asking import holds


def rounded(frame: pl.DataFrame, name: str, places: int) -> pl.DataFrame:
    """`frame` with the decimals of the String column `name` rounded half up to `places`."""
    long = rf"^[0-9]{{1,30}}\.[0-9]{{{places + 1},}}$"
    if not holds(frame.get_column(name), long):
        return frame
    value = pl.col(name)
    # only the first digit that is dropped decides, so the text is cut behind it and half a unit is added
    scale = pl.Decimal(38, places + 1)
    cut = value.str.extract(rf"^([0-9]{{1,30}}\.[0-9]{{{places + 1}}})").cast(scale, strict=False)
    half = pl.lit(f"0.{'0' * places}5").cast(scale)
    kept = rf"^([0-9]+\.[0-9]{{{places}}})" if places else r"^([0-9]+)"
    near = (cut + half).cast(pl.String).str.extract(kept)
    return frame.with_columns(
        pl.when(value.str.contains(long)).then(near).otherwise(value).alias(name)
    )
