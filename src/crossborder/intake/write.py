"""Writing chosen rows back in the user's own columns, so that they can be mended and handed in again."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import polars as pl

from crossborder import resources
from crossborder.errors import InputError
from crossborder.intake.flat import flatten
from crossborder.intake.mapping.load import load_mapping
from crossborder.intake.table import SourceTable

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_rows(source: SourceTable, rows: pl.DataFrame | Iterable[int], out: Path) -> int:
    """Write the rows `rows` (a frame with `row`, or row numbers) of a source; returns how many.

    CSV (UTF-8 with mark) or XLSX by the ending; title rows and header are kept, a totals row is not. A
    hand-in of nested records may also be written as JSON. In a workbook every cell is text; in CSV a cell
    that a spreadsheet would run as a formula is quoted and begins with a tab, which is trimmed when it is
    read again. Raises `InputError` for another ending or a folder that cannot be written, `MissingExtra`
    without the package for workbooks.
    """
    wanted = set(rows["row"] if isinstance(rows, pl.DataFrame) else rows)
    suffix = out.suffix.lower()
    if suffix == ".json" and source.records is not None:
        numbered = zip(source.records.rows, source.records.items, strict=True)
        picked = [item for n, item in numbered if n in wanted]
        data, count = (
            json.dumps(picked, ensure_ascii=False, indent=1, default=str).encode(),
            len(picked),
        )
    elif suffix in (".csv", ".xlsx"):
        lines = list(_lines(source, wanted))
        head = [*source.preamble, source.header] if source.header else [lines.pop(0)]
        data = _csv([*head, *lines]) if suffix == ".csv" else _xlsx([*head, *lines], source.sheet)
        count = len(lines)
    else:
        raise InputError(
            f"rows cannot be written as {suffix or 'a file without ending'}",
            f"无法写成 {suffix or '无扩展名的'} 文件",
            place=out.name,
            fix_en="use .csv or .xlsx",
            fix_zh="请使用 .csv 或 .xlsx",
        )
    _write(out, data)
    return count


def _lines(source: SourceTable, wanted: set[int]) -> Iterator[Sequence[str | None]]:
    """The rows in their order; for a source without columns of its own, first a header."""
    if source.frames is not None:
        mapping = load_mapping("canonical")
        ships = source.frames.shipments.filter(pl.col("row").is_in(list(wanted)))["ship"]
        table = flatten(source.frames.take(ships), mapping)
        yield table.columns
        yield from table.iter_rows()
        return
    good = source.cells.filter(pl.col("row").is_in(list(wanted)))
    lines: list[tuple[int, Sequence[str | None]]] = [(r[0], r[1:]) for r in good.iter_rows()]
    lines += [(b.row, b.fields) for b in source.broken if b.row in wanted]
    yield from (fields for _, fields in sorted(lines, key=lambda line: line[0]))


def _csv(lines: Iterable[Sequence[str | None]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for line in lines:
        writer.writerow([_harmless(cell or "") for cell in line])
    return text.getvalue().encode("utf-8-sig", "replace")


def _harmless(cell: str) -> str:
    return "\t" + cell if cell.startswith(_FORMULA) and not cell.startswith("\t") else cell


def _xlsx(lines: Iterable[Sequence[str | None]], sheet: str) -> bytes:
    resources.require("report", "xlsxwriter")
    import xlsxwriter

    held = io.BytesIO()
    with xlsxwriter.Workbook(held, {"in_memory": True}) as book:
        page = book.add_worksheet(sheet or None)
        text = book.add_format({"num_format": "@"})
        for row, line in enumerate(lines):
            for column, cell in enumerate(line):
                if cell:
                    page.write_string(row, column, cell[:32_767], text)
    return held.getvalue()


def _write(out: Path, data: bytes) -> None:
    part = out.with_name(out.name + ".part")
    try:
        part.write_bytes(data)
        part.replace(out)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise InputError(
            f"the file cannot be written ({type(error).__name__})",
            f"文件无法写入（{type(error).__name__}）",
            place=str(out),
            fix_en="check the folder, and close the file in other programs",
            fix_zh="请检查文件夹，并在其他程序中关闭该文件",
        ) from error
