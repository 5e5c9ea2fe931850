"""Writing chosen rows back in the user's own columns, so that they can be mended and handed in again."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

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
    with rows_out(out) as written:
        written.add(source, rows["row"] if isinstance(rows, pl.DataFrame) else rows)
    return written.count


@contextlib.contextmanager
def rows_out(out: Path) -> Iterator[RowsOut]:
    """The same for a source that comes block by block, as it is read. The file appears at the end, or not at all."""
    suffix = out.suffix.lower()
    if suffix not in _KINDS:
        raise _refused(out)
    part = out.with_name(out.name + ".part")
    try:
        with part.open("wb") as file, contextlib.closing(_KINDS[suffix](file)) as kind:
            yield RowsOut(kind, out)
        part.replace(out)
    except OSError as error:
        raise InputError(
            f"the file cannot be written ({type(error).__name__})",
            f"文件无法写入（{type(error).__name__}）",
            place=str(out),
            fix_en="check the folder, and close the file in other programs",
            fix_zh="请检查文件夹，并在其他程序中关闭该文件",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


class RowsOut:
    """Where chosen rows go; `count` is how many went so far."""

    def __init__(self, kind: _Kind, out: Path) -> None:
        self._kind = kind
        self._out = out
        self.count = 0

    def add(self, source: SourceTable, rows: Iterable[int]) -> None:
        """The chosen rows of the next block of a source."""
        if isinstance(self._kind, _Json) and source.records is None:
            raise _refused(self._out)
        self.count += self._kind.add(source, set(rows))


def _refused(out: Path) -> InputError:
    suffix = out.suffix.lower()
    return InputError(
        f"rows cannot be written as {suffix or 'a file without ending'}",
        f"无法写成 {suffix or '无扩展名的'} 文件",
        place=out.name,
        fix_en="use .csv or .xlsx",
        fix_zh="请使用 .csv 或 .xlsx",
    )


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


def _framed(
    source: SourceTable, wanted: set[int]
) -> tuple[list[Sequence[str | None]], list[Sequence[str | None]]]:
    """What stands above the rows, and the rows."""
    lines = list(_lines(source, wanted))
    if source.header:
        return [*source.preamble, source.header], lines
    return lines[:1], lines[1:]


class _Kind(Protocol):
    """One kind of file."""

    def add(self, source: SourceTable, wanted: set[int]) -> int: ...
    def close(self) -> None: ...


class _Csv:
    def __init__(self, file: IO[bytes]) -> None:
        self._text = io.TextIOWrapper(file, "utf-8-sig", "replace", newline="", write_through=True)
        self._writer = csv.writer(self._text, lineterminator="\r\n")
        self._begun = False

    def add(self, source: SourceTable, wanted: set[int]) -> int:
        above, lines = _framed(source, wanted)
        for line in [*([] if self._begun else above), *lines]:
            self._writer.writerow([_harmless(cell or "") for cell in line])
        self._begun = True
        return len(lines)

    def close(self) -> None:
        self._text.flush()
        self._text.detach()


def _harmless(cell: str) -> str:
    return "\t" + cell if cell.startswith(_FORMULA) and not cell.startswith("\t") else cell


class _Xlsx:
    def __init__(self, file: IO[bytes]) -> None:
        resources.require("report", "xlsxwriter")
        import xlsxwriter

        self._book = xlsxwriter.Workbook(file, {"constant_memory": True})
        self._page: Any = None
        self._row = 0

    def add(self, source: SourceTable, wanted: set[int]) -> int:
        above, lines = _framed(source, wanted)
        if self._page is None:
            self._page = self._book.add_worksheet(source.sheet or None)
            self._text = self._book.add_format({"num_format": "@"})
            self._lines(above)
        self._lines(lines)
        return len(lines)

    def _lines(self, lines: Iterable[Sequence[str | None]]) -> None:
        for line in lines:
            for column, cell in enumerate(line):
                if cell:
                    self._page.write_string(self._row, column, cell[:32_767], self._text)
            self._row += 1

    def close(self) -> None:
        self._book.close()


class _Json:
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._picked: list[Any] = []

    def add(self, source: SourceTable, wanted: set[int]) -> int:
        records = source.records
        assert records is not None
        numbered = zip(records.rows, records.items, strict=True)
        picked = [item for n, item in numbered if n in wanted]
        self._picked += picked
        return len(picked)

    def close(self) -> None:
        text = json.dumps(self._picked, ensure_ascii=False, indent=1, default=str)
        self._file.write(text.encode())


_KINDS: dict[str, Callable[[IO[bytes]], _Kind]] = {".csv": _Csv, ".xlsx": _Xlsx, ".json": _Json}
