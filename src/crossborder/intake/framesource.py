"""Frames, Parquet files and flat JSON records as a `Source`: columns are the header, records count from 1."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from crossborder.errors import InputError
from crossborder.intake.grid import (
    MOST_RECORDS,
    Broken,
    Grid,
    Piece,
    Record,
    check_height,
    check_width,
)
from crossborder.intake.limits import Limits
from crossborder.intake.typed import to_text
from crossborder.shipments.frames import side_by_side

_FEW = 16
"""Records up to which the text of a frame is put together in Python."""
_PROBED = 256
"""Records of a Parquet file that are looked at to learn how long one is."""


class FrameSource:
    """A flat frame; typed columns become canonical text when it is opened."""

    sheet = ""

    def __init__(
        self, frame: pl.DataFrame, place: str, limits: Limits, broken: Sequence[Broken] = ()
    ) -> None:
        check_width(frame.width, limits, place)
        check_height(frame.height, limits, place)
        self.text, self._kinds = texts_of(frame, place)
        self._broken = tuple(broken)
        self.total = frame.height + len(self._broken)

    def preview(self) -> Sequence[Record]:
        """The header alone."""
        return [Record(0, tuple(self.text.columns))]

    def pieces(self, header: int, size: int) -> Iterator[Piece]:
        """Every record, as one piece."""
        lost = {b.row for b in self._broken}
        rows = [n for n in range(1, self.total + 1) if n not in lost] if lost else None
        yield Piece(grid_of(self.text, self._kinds, rows, self._broken), self.total, True)


class ParquetSource:
    """A Parquet file, read by slices of records: polars skips the row groups and pages before a slice."""

    sheet = ""

    def __init__(self, path: Path, place: str, limits: Limits) -> None:
        self._place = place
        try:
            self._lazy = pl.scan_parquet(path, glob=False, hive_partitioning=False)
            schema = self._lazy.collect_schema()
            self.total: int = self._lazy.select(pl.len()).collect().item()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise _damaged(place) from error
        check_width(len(schema), limits, place)
        check_height(self.total, limits, place)
        self.columns, self._kinds = tuple(schema.names()), texts_of(schema.to_frame(), place)[1]

    def preview(self) -> Sequence[Record]:
        """The header alone."""
        return [Record(0, self.columns)]

    def pieces(self, header: int, size: int) -> Iterator[Piece]:
        """Every record. How many make a piece follows from the text of the piece before."""
        at, height = 0, min(_PROBED, self.total)
        bytes_of = _size(self._slice(0, height)) or 1
        while at < self.total:
            height = max(1, min(self.total - at, size * height // bytes_of, MOST_RECORDS))
            text = self._slice(at, height)
            bytes_of = _size(text) or 1
            rows = range(at + 1, at + height + 1)
            at += height
            yield Piece(grid_of(text, self._kinds, rows), at, at == self.total)

    def _slice(self, at: int, height: int) -> pl.DataFrame:
        try:
            frame = self._lazy.slice(at, height).collect()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise _damaged(self._place) from error
        if frame.height != height:
            raise _damaged(self._place)
        return texts_of(frame.rechunk(), self._place)[0]


def texts_of(frame: pl.DataFrame, place: str) -> tuple[pl.DataFrame, list[str]]:
    """A frame of text, and what each column was (see `to_text`). Raises `InputError` for nested columns."""
    if set(frame.dtypes) <= {pl.String}:
        return frame.clone(), [""] * frame.width
    texts = [to_text(values, place) for values in frame.iter_columns()]
    return side_by_side([values for values, _ in texts]), [kind for _, kind in texts]


def grid_of(
    text: pl.DataFrame,
    kinds: Sequence[str],
    rows: Sequence[int] | None = None,
    broken: Sequence[Broken] = (),
) -> Grid:
    """Records of text columns as a grid; `rows` are their numbers, left out: from 1."""
    numbers = pl.Series("row", rows if rows is not None else range(1, text.height + 1), pl.UInt32)
    names = [f"c{i}" for i in range(text.width)]
    cells = text.clone()
    cells.columns = names
    cells.insert_column(0, numbers)
    types = None
    if any(kinds):
        kinds_of = (pl.Series(n, [kind or None], pl.String) for n, kind in zip(names, kinds, strict=True))  # fmt: skip
        types = pl.DataFrame([kind.new_from_index(0, text.height) for kind in kinds_of])
    return Grid(tuple(text.columns), 0, cells, broken=tuple(broken), types=types)


def _size(text: pl.DataFrame) -> int:
    """Bytes of the text, a delimiter for every cell included."""
    lengths = text.select(pl.all().str.len_bytes().sum()).row(0) if text.width else ()
    return int(sum(lengths)) + text.width * text.height


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


def _damaged(place: str) -> InputError:
    return InputError(
        "the Parquet file is damaged or not complete", "Parquet 文件已损坏或不完整", place=place,
        fix_en="write it again", fix_zh="请重新生成",
    )  # fmt: skip


def digest_of(*frames: pl.DataFrame) -> str:
    """SHA-256 over the text of frames: the same values give the same digest."""
    total = hashlib.sha256()
    for frame in frames:
        if frame.height <= _FEW:  # writing CSV costs more than the text itself
            total.update(repr((frame.columns, frame.rows())).encode())
        else:
            total.update(frame.write_csv().encode())
    return total.hexdigest()
