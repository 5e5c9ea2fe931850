"""Frames, Parquet files and flat JSON records as a `Source`: columns are the header, records count from 1."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from typing import Any

import polars as pl

from crossborder.errors import InputError
from crossborder.intake.grid import Broken, Grid, Record, check_height, check_width
from crossborder.intake.limits import Limits
from crossborder.intake.typed import to_text


class FrameSource:
    """A flat frame; typed columns become canonical text when it is opened."""

    sheet = ""

    def __init__(
        self, frame: pl.DataFrame, place: str, limits: Limits, broken: Sequence[Broken] = ()
    ) -> None:
        check_width(frame.width, limits, place)
        check_height(frame.height, limits, place)
        texts = [to_text(values, place) for values in frame.iter_columns()]
        self.text = pl.DataFrame([values for values, _ in texts])
        self._kinds = [kind for _, kind in texts]
        self._broken = tuple(broken)

    def preview(self) -> Sequence[Record]:
        """The header alone."""
        return [Record(0, tuple(self.text.columns))]

    def load(self, header: int) -> Grid:
        """Every record."""
        names = {old: f"c{i}" for i, old in enumerate(self.text.columns)}
        cells = self.text.rename(names)
        types = None
        if any(self._kinds):
            types = pl.DataFrame(
                [
                    pl.Series(f"c{i}", [kind or None], dtype=pl.String).new_from_index(
                        0, cells.height
                    )
                    for i, kind in enumerate(self._kinds)
                ]
            )
        lost = {b.row for b in self._broken}
        rows = (
            [n for n in range(1, cells.height + len(lost) + 1) if n not in lost] if lost else None
        )
        numbers = pl.Series("row", rows or range(1, cells.height + 1), dtype=pl.UInt32)
        return Grid(
            tuple(self.text.columns),
            0,
            cells.insert_column(0, numbers),
            broken=self._broken,
            types=types,
        )


def to_frame(data: Any, place: str) -> pl.DataFrame:
    """Anything polars takes as a frame. Raises `InputError` for what it does not."""
    if isinstance(data, pl.LazyFrame):
        return data.collect()
    if isinstance(data, pl.DataFrame):
        return data
    try:
        frame = pl.DataFrame(data)
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        raise InputError(
            f"this is not a frame: {type(data).__name__}", f"不是数据表：{type(data).__name__}", place=place,
            fix_en="hand in a path, a frame (polars, pandas, pyarrow, DuckDB), Shipments, or a list of records",
            fix_zh="请提供文件路径、数据表（polars、pandas、pyarrow、DuckDB）、Shipments 或记录列表",
        ) from error  # fmt: skip
    return frame


def read_parquet(data: bytes, place: str) -> pl.DataFrame:
    """A Parquet file. Raises `InputError`."""
    try:
        return pl.read_parquet(io.BytesIO(data))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(
            "the Parquet file is damaged or not complete", "Parquet 文件已损坏或不完整", place=place,
            fix_en="write it again", fix_zh="请重新生成",
        ) from error  # fmt: skip


def digest_of(*frames: pl.DataFrame) -> str:
    """SHA-256 over the text of frames: the same values give the same digest."""
    total = hashlib.sha256()
    for frame in frames:
        total.update(frame.write_csv().encode())
    return total.hexdigest()
