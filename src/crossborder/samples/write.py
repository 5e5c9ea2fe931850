"""Writes samples in the shape of a partner's file, block by block, and says where the dirt came to lie."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, Protocol

import polars as pl
from polars.io.plugins import register_io_source

from crossborder.errors import InputError
from crossborder.samples.compose import Sample, compose_blocks, order
from crossborder.samples.dirt import Target, kinds
from crossborder.samples.shape import Shape, load_shape, spell
from crossborder.samples.vocabulary import table
from crossborder.samples.workbook import Workbook
from crossborder.shipments.columns import FRAME_NAMES, FrameName

ROW_GROUP = 20_000
"""Records of a row group of Parquet: whoever reads one of them has about 10,000 shipments in memory."""
SUFFIXES = (".csv", ".xlsx", ".ndjson", ".jsonl", ".parquet")


@dataclass(frozen=True)
class Written:
    """What was written: shipments, records (goods lines), dirty shipments."""

    shipments: int
    records: int
    dirty: int


_Cells = frozenset[tuple[int, str]]


class _Out(Protocol):
    def rows(self, frame: pl.DataFrame, numbers: _Cells) -> None: ...


def write(sample: Sample, mapping: str, out: Path, *, dirt_report: Path | None = None) -> Written:
    """Write a composed sample to `out` in the shape of `mapping`; the suffix says the kind of file.

    The dirt report gives `row` as a user of that file sees it. Raises `InputError` for an unknown suffix and
    `NotFound` for an unknown mapping; a dirty sample must have been composed for this mapping and suffix.
    """
    asked = sample.order
    if sample.dirt.height and (asked.mapping, asked.suffix) != (mapping, _suffix(out)):
        raise InputError(
            f"this sample was composed for {asked.mapping} in {asked.suffix}",
            f"该样例是为 {asked.mapping}（{asked.suffix}）生成的",
            fix_en="compose it with the mapping and suffix it is written in",
            fix_zh="请按写出的对照表和文件类型重新生成",
        )
    return _write([sample], load_shape(mapping, asked.day.strftime("%Y%m%d")), out, dirt_report)


def create(
    out: Path,
    *,
    shipments: int,
    seed: int,
    dirty: float = 0.0,
    direction: str = "I",
    day: date | None = None,
    districts: tuple[str, ...] = (),
    mapping: str = "canonical",
    dirt_report: Path | None = None,
    rates_out: Path | None = None,
) -> Written:
    """Compose and write in one go, a block at a time: what `crossborder sample` does.

    The files are the same for the same arguments. Raises as `compose` and `write` do.
    """
    asked = order(shipments, seed, dirty, direction, day, districts, mapping, _suffix(out))
    shape = load_shape(mapping, asked.day.strftime("%Y%m%d"))
    done = _write(compose_blocks(asked), shape, out, dirt_report)
    if rates_out is not None:
        write_rates(rates_out, asked.day)
    return done


def write_rates(out: Path, day: date, *, months: int = 12) -> None:
    """A made-up rate table: `currency,month,rate,fictional`, CNY for one unit, `months` either side of `day`."""
    first = day.year * 12 + day.month - 1 - months
    spoken = [f"{m // 12:04d}{m % 12 + 1:02d}" for m in range(first, first + 2 * months + 1)]
    frame = pl.DataFrame({"month": spoken}).join(table("rates"), how="cross")
    with _opened(out) as file:
        frame.select(
            "currency", "month", "rate", pl.lit("1").alias("fictional")
        ).write_csv(file)  # fmt: skip


def _suffix(out: Path) -> str:
    suffix = out.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(
            f"samples are written as {', '.join(SUFFIXES)}, not {out.suffix!r}",
            f"样例可写为 {'、'.join(SUFFIXES)}，不支持 {out.suffix!r}",
            place=out.name,
        )
    return suffix


def _write(blocks: Iterable[Sample], shape: Shape, out: Path, report: Path | None) -> Written:
    suffix = _suffix(out)
    row = shape.first_row if suffix in (".csv", ".xlsx") else 1
    shipments = records = dirty = 0
    with _sink(out, suffix, shape) as sink, _lines(report) as lines:
        for block in blocks:
            flat = spell(shape, block)
            sink.rows(flat.drop("ship", "line"), _number_cells(block, shape, flat, suffix))
            if lines is not None:
                lines.writelines(_said(block, flat, row))
            row += flat.height
            shipments += block.frames.shipments.height
            records += flat.height
            dirty += block.dirt.height
    return Written(shipments, records, dirty)


def _number_cells(block: Sample, shape: Shape, flat: pl.DataFrame, suffix: str) -> _Cells:
    """(row of `flat`, header) of the cells a workbook holds as numbers: what the dirt `number` asks for."""
    if suffix != ".xlsx":
        return frozenset()
    header = {(f.frame, f.column): f.header for f in shape.fields}
    cells: set[tuple[int, str]] = set()
    at = flat.select("ship").with_row_index("at")
    for kind in kinds():
        if kind.op == "number":
            ships = block.dirt.filter(pl.col("kind") == kind.name)
            rows = at.join(ships, on="ship", how="semi")["at"]
            cells |= {(row, header[_key(t)]) for row in rows for t in kind.targets}
    return frozenset(cells)


def _key(target: Target) -> tuple[FrameName, str]:
    return next(f for f in FRAME_NAMES if f == target.frame), target.column


def _said(block: Sample, flat: pl.DataFrame, first_row: int) -> Iterator[str]:
    """Lines of the dirt report; `row` is that of the spoiled goods line, else of the shipment's first."""
    at = flat.select("ship", "line").with_columns((pl.int_range(pl.len()) + first_row).alias("row"))
    found = (
        block.dirt.with_columns(pl.col("line").fill_null(0))
        .join(at, on=["ship", "line"], how="left", maintain_order="left")
        .select("row", "shipment", "kind", "rule", "severity", "also")
    )
    for said in found.iter_rows(named=True):
        yield json.dumps(said, ensure_ascii=False) + "\n"


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        with path.open("wb") as file:
            yield file
    except OSError as error:
        raise InputError(
            f"the file cannot be written ({error.strerror})",
            f"文件无法写入（{error.strerror}）",
            place=str(path),
            fix_en="check the folder and its rights",
            fix_zh="请检查文件夹及其权限",
        ) from error


@contextmanager
def _lines(path: Path | None) -> Iterator[IO[str] | None]:
    if path is None:
        yield None
        return
    with _opened(path) as file, io.TextIOWrapper(file, encoding="utf-8", newline="\n") as text:
        yield text


@contextmanager
def _sink(out: Path, suffix: str, shape: Shape) -> Iterator[_Out]:
    """Where blocks of records go: title and header first, the totals word last."""
    if suffix == ".xlsx":
        with _opened(out) as file, Workbook(file) as book:
            above, below = _frame_rows(shape)
            book.rows(above)
            yield book
            if below.height:
                book.rows(below)
    elif suffix == ".parquet":
        with tempfile.TemporaryDirectory() as folder, _opened(out) as file:
            parts = _Parts(Path(folder))
            yield parts
            parts.gather(file)
    else:
        with _opened(out) as file:
            yield _Text(file, suffix, shape)
            if suffix == ".csv":
                _frame_rows(shape)[1].write_csv(file, include_header=False)


def _frame_rows(shape: Shape) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(title and header rows, totals row) as frames of text."""
    headers = [f.header for f in shape.fields]
    blank = [None] * (len(headers) - 1)
    above = [[shape.title, *blank], headers] if shape.title else [headers]
    below = [[shape.totals, *blank]] if shape.totals else []
    schema = dict.fromkeys(headers, pl.String)
    return (
        pl.DataFrame(above, schema=schema, orient="row"),
        pl.DataFrame(below, schema=schema, orient="row"),
    )


class _Text:
    """CSV or NDJSON; a sheet with a title is a desk's and begins with a byte order mark."""

    def __init__(self, file: IO[bytes], suffix: str, shape: Shape) -> None:
        self._file, self._csv = file, suffix == ".csv"
        if self._csv:
            file.write(b"\xef\xbb\xbf" if shape.title else b"")
            _frame_rows(shape)[0].write_csv(file, include_header=False)

    def rows(self, frame: pl.DataFrame, numbers: _Cells = frozenset()) -> None:
        if self._csv:
            frame.write_csv(self._file, include_header=False)
        else:
            frame.write_ndjson(self._file)


class _Parts:
    """Parquet, gathered from a part per block: polars writes row groups one by one only from a source of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts: list[Path] = []
        self._schema = pl.Schema()

    def rows(self, frame: pl.DataFrame, numbers: _Cells = frozenset()) -> None:
        part = self._folder / f"{len(self._parts):06d}.parquet"
        frame.write_parquet(part)
        self._parts.append(part)
        self._schema = frame.schema

    def gather(self, file: IO[bytes]) -> None:
        """All parts as one file, in memory for one part and a few row groups."""

        def read(
            _columns: list[str] | None, _rows: pl.Expr | None, _count: int | None, _size: int | None
        ) -> Iterator[pl.DataFrame]:
            for part in self._parts:
                yield from pl.read_parquet(part).iter_slices(ROW_GROUP)

        whole = self._folder / "whole.parquet"
        source = register_io_source(read, schema=self._schema)
        source.sink_parquet(whole, row_group_size=ROW_GROUP)
        with whole.open("rb") as made:
            shutil.copyfileobj(made, file)
