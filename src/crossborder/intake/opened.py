"""A hand-in that was opened: a path, a frame or records, ready to be met with a mapping and read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from collections.abc import Mapping as Table
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from crossborder.intake import framesource, jsonfile, nested, opening
from crossborder.intake.csvfile import CsvSource
from crossborder.intake.encoding import Encoding, TextStream, survey, to_utf8
from crossborder.intake.excel import Workbook
from crossborder.intake.framesource import FrameSource, ParquetSource
from crossborder.intake.grid import Source
from crossborder.intake.limits import Limits
from crossborder.intake.mapping.model import Mapping
from crossborder.intake.recordsource import Parts, RecordSource, at_once, by_lines, outline
from crossborder.intake.sheets import refuse_sheet
from crossborder.intake.table import Digest

_OUTLINED = 1 << 20
"""Bytes of an NDJSON file that are looked at together before it is read."""


@dataclass(frozen=True)
class Opened:
    """A table still to be met with a mapping, or nested records. A context manager: it may hold a file.

    `kind` is csv, excel, parquet, json, ndjson, records or frame. `table` opens the table as one mapping
    wants it (delimiter, encoding) on one of `sheets`; where the user named no sheet, `sheets` are all that
    may be meant. `records` gives nested records, of which there are `total` (bytes of an NDJSON file).
    """

    name: str
    kind: str
    digest: Digest | str
    table: Callable[[Mapping | None, str], Source] | None = None
    records: Parts | None = None
    total: int = 0
    sheets: tuple[str, ...] = ("",)
    file: opening.SourceFile | None = None

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self.file is not None:
            self.file.close()

    def refuse_changed(self) -> None:
        """Raise `InputError` if the file is no longer what it was when it was opened."""
        if self.file is not None:
            self.file.refuse_changed()


def open_source(source: Any, sheet: str | int | None, limits: Limits, *, nest: bool) -> Opened:
    """Open a path, a frame or records; `nest` says whether records may be nested. Raises `InputError`."""
    refuse_sheet(source, sheet)
    if isinstance(source, str | Path):
        file = opening.SourceFile(Path(source), limits)
        try:
            return _open_file(file, sheet, limits, nest=nest)
        except BaseException:
            file.close()
            raise
    if isinstance(source, list | tuple) and all(isinstance(i, Table) for i in source):
        digest = hashlib.sha256(
            json.dumps(source, sort_keys=True, default=str).encode()
        ).hexdigest()
        records = at_once(jsonfile.sort_out(source))
        return _open_records(Opened("records", "records", digest), records, limits, nest=nest)
    frame = framesource.to_frame(source, type(source).__name__)
    opened = FrameSource(frame, "frame", limits)
    if not frame.height:
        raise nested.nothing("frame")
    return Opened(
        "frame", "frame", Digest(lambda: framesource.digest_of(opened.text)), lambda _m, _s: opened
    )


def _open_file(
    file: opening.SourceFile, sheet: str | int | None, limits: Limits, *, nest: bool
) -> Opened:
    bare = Opened(file.name, file.kind, file.digest, file=file)
    if file.kind == "parquet":
        table = ParquetSource(file.path, file.name, limits)
        if not table.total:
            raise opening.header_only(file.name)
        return replace(bare, table=lambda _m, _s: table)
    if file.kind == "excel":
        book = Workbook(file.read(), file.name, limits)
        sheets = book.sheets if sheet is None else (book.find(sheet),)
        return replace(bare, table=lambda _m, s: book.open(s), sheets=sheets)
    if file.kind == "csv":
        return replace(bare, table=_csv(file, limits))
    if file.kind == "json":
        text = to_utf8(file.read(), file.name)[0].decode()
        records = at_once(jsonfile.parse_json(text, file.name))
        return _open_records(bare, records, limits, nest=nest)
    written = survey(file.file, file.name)
    lines = by_lines(lambda: TextStream(file.file, written, file.name), file.name, limits)
    return _open_records(replace(bare, total=file.size), lines, limits, nest=nest)


def _csv(file: opening.SourceFile, limits: Limits) -> Callable[[Mapping | None, str], Source]:
    surveyed: dict[str, Encoding] = {}

    def table(mapping: Mapping | None, _sheet: str) -> Source:
        named = mapping.encoding if mapping else ""
        written = surveyed.get(named) or survey(file.file, file.name, named)
        surveyed[named] = written
        if written.blank:
            raise opening.empty(file.name)
        stream = TextStream(file.file, written, file.name)
        delimiter = mapping.delimiter if mapping else ""
        return CsvSource(stream, file.size, file.name, limits, delimiter)

    return table


def _open_records(bare: Opened, records: Parts, limits: Limits, *, nest: bool) -> Opened:
    seen = outline(records(_OUTLINED), limits)
    if not seen.count:
        raise nested.nothing(bare.name)
    total = bare.total or seen.count
    if nest and (not seen.good or seen.nested):
        return replace(bare, records=records, total=total)
    source = RecordSource(records, seen, total, bare.name, limits)
    return replace(bare, table=lambda _m, _s: source, total=total)
