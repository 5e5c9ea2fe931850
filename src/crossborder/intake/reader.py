"""`read`: whatever is handed in, as canonical frames with findings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Table
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from crossborder.errors import InputError
from crossborder.intake import framesource, jsonfile, nested, opening
from crossborder.intake.canonical import Read, canonical
from crossborder.intake.csvfile import CsvSource
from crossborder.intake.encoding import to_utf8
from crossborder.intake.excel import Workbook
from crossborder.intake.framesource import FrameSource
from crossborder.intake.grid import Grid, Source
from crossborder.intake.limits import LIMITS, Limits
from crossborder.intake.mapping import choose as choosing
from crossborder.intake.mapping.load import load_mapping, mapping_names
from crossborder.intake.mapping.model import Mapping
from crossborder.intake.sheets import refuse_sheet
from crossborder.intake.table import Intake, SourceTable
from crossborder.shipments.handed import Shipments

MappingLike = str | Path | Mapping | None


@dataclass(frozen=True)
class Opened:
    """A hand-in that was opened: a table still to be met with a mapping, or nested records.

    `table` opens it as one mapping wants it (delimiter, encoding) on one of `sheets`; where the user named no
    sheet, `sheets` are all that may be meant.
    """

    name: str
    digest: str
    table: Callable[[Mapping | None, str], Source] | None = None
    records: jsonfile.Records | None = None
    sheets: tuple[str, ...] = ("",)


def read(
    source: Any,
    *,
    mapping: MappingLike = None,
    folders: Sequence[Path] = (),
    sheet: str | int | None = None,
    limits: Limits = LIMITS,
) -> Intake:
    """Read a hand-in: a path, a frame, `Shipments`, or a list of dictionaries.

    `mapping` is a name, a path or a `Mapping`; left out, the header decides among the built-in mappings and
    those in `folders`. `sheet` (name, or number from 0) wins over the mapping's. Bad rows are findings.
    Raises `InputError` for what cannot be read at all and `MappingError` where no one mapping fits.
    """
    if isinstance(source, Shipments):
        done, texts = nested.from_shipments(source, "Shipments", limits)
        raw = SourceTable((), 0, pl.DataFrame(), frames=done.frames)
        return _intake(done, "canonical", "Shipments", framesource.digest_of(*texts), raw)
    opened = open_source(source, sheet, limits, nest=_may_nest(mapping))
    if opened.records is not None:
        done = nested.from_records(opened.records, opened.name, limits)
        raw = SourceTable((), 0, pl.DataFrame(), records=opened.records, frames=done.frames)
        return _intake(done, "canonical", opened.name, opened.digest, raw)
    fit, grid = meet(opened, mapping, folders)
    done = canonical(grid, fit, opened.name, limits)
    return _intake(done, fit.mapping.name, opened.name, opened.digest, _kept(grid))


def meet(
    opened: Opened, mapping: MappingLike, folders: Sequence[Path]
) -> tuple[choosing.Fit, Grid]:
    """The mapping that fits and the grid below the header it found. Raises `MappingError`."""
    if mapping is not None:
        named = mapping if isinstance(mapping, Mapping) else load_mapping(mapping, folders)
        tries = [_try(opened, [named], sheet) for sheet in _sheets(opened, named)]
        good = [(fits[0], source) for fits, source in tries if fits[0].fits]
        if not good:
            nearest = max((fits[0] for fits, _ in tries), key=lambda f: len(f.found))
            raise choosing.not_fitting(nearest, opened.name)
    else:
        candidates = [load_mapping(name, folders) for name in mapping_names(folders)]
        tries = [_try(opened, candidates, sheet) for sheet in opened.sheets]
        fitting = [t for t in tries if any(f.fits for f in t[0])]
        good = [(choosing.choose(fits, opened.name), source) for fits, source in fitting]
        if not good:
            choosing.choose([f for fits, _ in tries for f in fits], opened.name)
    fit, source = good[0]
    if mapping is None and (fit.mapping.delimiter or fit.mapping.encoding or fit.mapping.sheet):
        return meet(opened, fit.mapping, folders)
    choosing.refuse_twice(fit, opened.name)
    grid = source.load(fit.header)
    return fit, replace(grid, others=tuple(s.sheet for _, s in good[1:]))


def _sheets(opened: Opened, mapping: Mapping) -> tuple[str, ...]:
    """The sheets a mapping may mean: the one it names, where the user has named none."""
    if mapping.sheet is None or len(opened.sheets) == 1:
        return opened.sheets
    if isinstance(mapping.sheet, int) and mapping.sheet < len(opened.sheets):
        return (opened.sheets[mapping.sheet],)
    return (str(mapping.sheet),)


def _try(
    opened: Opened, mappings: Sequence[Mapping], sheet: str
) -> tuple[list[choosing.Fit], Source]:
    assert opened.table is not None
    source = opened.table(mappings[0] if len(mappings) == 1 else None, sheet)
    return [choosing.fit(m, source.preview()) for m in mappings], source


def open_source(source: Any, sheet: str | int | None, limits: Limits, *, nest: bool) -> Opened:
    """Open a path, a frame or records. Raises `InputError`."""
    refuse_sheet(source, sheet)
    if isinstance(source, str | Path):
        return _open_file(Path(source), sheet, limits, nest=nest)
    if isinstance(source, list | tuple) and all(isinstance(i, Table) for i in source):
        digest = hashlib.sha256(
            json.dumps(source, sort_keys=True, default=str).encode()
        ).hexdigest()
        return _open_records(jsonfile.sort_out(source), "records", digest, limits, nest=nest)
    frame = framesource.to_frame(source, type(source).__name__)
    opened = FrameSource(frame, "frame", limits)
    if not frame.height:
        raise nested.nothing("frame")
    return Opened("frame", framesource.digest_of(opened.text), lambda _m, _s: opened)


def _open_file(path: Path, sheet: str | int | None, limits: Limits, *, nest: bool) -> Opened:
    kind = opening.kind_of(path) if not path.is_dir() else ""
    data, digest = opening.read_bytes(path, limits)
    opening.check_magic(data, path, kind)
    name = path.name
    if kind == "parquet":
        frame = framesource.read_parquet(data, name)
        if not frame.height:
            raise opening.header_only(name)
        opened = FrameSource(frame, name, limits)
        return Opened(name, digest, lambda _m, _s: opened)
    if kind == "excel":
        book = Workbook(data, name, limits)
        sheets = book.sheets if sheet is None else (book.find(sheet),)
        return Opened(name, digest, lambda _m, s: book.open(s), sheets=sheets)
    if kind == "csv":
        return Opened(name, digest, _csv(data, name, limits))
    text = to_utf8(data, name)[0].decode()
    records = jsonfile.parse_json(text, name) if kind == "json" else jsonfile.parse_ndjson(text)
    return _open_records(records, name, digest, limits, nest=nest)


def _csv(data: bytes, name: str, limits: Limits) -> Callable[[Mapping | None, str], Source]:
    def table(mapping: Mapping | None, sheet: str) -> Source:
        body, _ = to_utf8(data, name, mapping.encoding if mapping else "")
        if not body or body.isspace():
            raise opening.empty(name)
        return CsvSource(body, name, limits, mapping.delimiter if mapping else "")

    return table


def _open_records(
    records: jsonfile.Records, name: str, digest: str, limits: Limits, *, nest: bool
) -> Opened:
    if not records.items and not records.broken:
        raise nested.nothing(name)
    if nest and (not records.items or jsonfile.is_nested(records.items)):
        return Opened(name, digest, records=records)
    keys = dict.fromkeys(str(key) for item in records.items for key in item)
    columns = {k: jsonfile.column(i.get(k) for i in records.items) for k in keys}
    wrong = next((k for k, (_, bad) in columns.items() if bad), None)
    if wrong is not None:
        raise InputError(
            f"the key {wrong!r} holds a list or an object", f"键 {wrong!r} 的值是列表或对象", place=name,
            fix_en="one record per goods line with plain values, or canonical records with goods and documents",
            fix_zh="请一项商品一条记录、每键单一值，或使用含 goods、documents 的规范记录",
        )  # fmt: skip
    frame = pl.DataFrame([s.alias(k) for k, (s, _) in columns.items()])
    source = FrameSource(frame, name, limits, records.broken)
    return Opened(name, digest, lambda _m, _s: source)


def _may_nest(mapping: MappingLike) -> bool:
    return mapping is None or mapping == "canonical" or getattr(mapping, "name", "") == "canonical"


def _kept(grid: Grid) -> SourceTable:
    return SourceTable(
        grid.header, grid.header_row, grid.cells, grid.preamble, grid.broken, grid.sheet
    )


def _intake(done: Read, mapping: str, name: str, digest: str, raw: SourceTable) -> Intake:
    return Intake(done.frames, done.findings, done.rows, mapping, name, digest, raw)
