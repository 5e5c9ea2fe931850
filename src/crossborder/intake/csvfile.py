"""CSV to `Grid`. Files go through polars, ragged ones too; only odd quoting is cut in Python.

`row` is the physical line on which a record begins. Whether a file is clean is decided exactly: the number
of delimiters of each line, outside quotes, is counted before anything is believed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice

import polars as pl

from crossborder.intake.grid import PREVIEW, Broken, Grid, Record, check_height, check_width
from crossborder.intake.limits import Limits
from crossborder.intake.records import Cut, cut

DELIMITERS = (",", ";", "\t", "|")
_CHUNK = 20_000
_NEVER = ("\x1f", "\x1e", "\x1d", "\x1c", "\x02", "\x03")


class CsvSource:
    """A CSV file in memory: UTF-8 bytes without mark, `\\n` line ends."""

    sheet = ""

    def __init__(self, data: bytes, place: str, limits: Limits, delimiter: str = "") -> None:
        self._data, self._place, self._limits = data, place, limits
        self.delimiter = delimiter or sniff(data)
        self._cuts: list[Cut] = list(islice(cut(data, self.delimiter), PREVIEW))

    def preview(self) -> Sequence[Record]:
        """The first records."""
        return [Record(c.line, tuple(c.fields)) for c in self._cuts]

    def load(self, header: int) -> Grid:
        """Everything below the header. Raises `InputError` where a limit is passed."""
        head = self._cuts[header]
        check_width(len(head.fields), self._limits, self._place)
        body, first = self._data[head.end :], head.line + head.lines
        cells, broken = _bulk(body, first, len(head.fields), self.delimiter) or _slow(
            body, first, len(head.fields), self.delimiter
        )
        check_height(cells.height + len(broken), self._limits, self._place)
        return Grid(
            header=tuple(head.fields),
            header_row=head.line,
            cells=cells,
            preamble=tuple(tuple(c.fields) for c in self._cuts[:header]),
            broken=tuple(broken),
        )


def sniff(data: bytes) -> str:
    """The delimiter that cuts the first records into most fields, most evenly."""
    best, best_score = ",", 0
    for delimiter in DELIMITERS:
        widths = Counter(len(c.fields) for c in islice(cut(data, delimiter), 20) if c.whole)
        if widths:
            width, times = max(widths.items(), key=lambda item: (item[0] - 1) * item[1])
            if (width - 1) * times > best_score:
                best, best_score = delimiter, (width - 1) * times
    return best


def _names(width: int) -> dict[str, pl.DataType]:
    return {f"c{i}": pl.String() for i in range(width)}


def _numbered(cells: pl.DataFrame, first: int) -> pl.DataFrame:
    return cells.with_row_index("row", offset=first).with_columns(pl.col("row").cast(pl.UInt32))


def _bulk(
    body: bytes, first: int, width: int, delimiter: str
) -> tuple[pl.DataFrame, list[Broken]] | None:
    """The fast way, or None where quotes are odd: in the middle of a field, or never closed."""
    if not body or body.isspace():
        return pl.DataFrame(schema={"row": pl.UInt32(), **_names(width)}), []
    if b'"' not in body:
        even = _even(body, width, delimiter)
        if even is not None:
            return _numbered(even, first), []
    lines = _lines(body)
    if lines is None:
        return None
    d = re.escape(delimiter)
    one = rf'(?:"(?:[^"]|"")*"|[^"{d}]*)'
    marked = _joined(_numbered(lines, first)).with_columns(
        pl.col("line").str.contains(rf"^{one}(?:{d}{one}){{{width - 1}}}$").alias("even"),
        pl.col("line").str.contains(rf"^{one}(?:{d}{one})*$").alias("whole"),
        pl.col("line").str.contains(rf"^[\s{d}]*$").fill_null(True).alias("blank"),
    )
    if not marked.select((pl.col("whole") | pl.col("blank")).all()).item():
        return None
    ragged = marked.filter(~pl.col("even") & ~pl.col("blank"))
    rows = ragged.select("row", "line").iter_rows()
    torn = (_ragged(row, line, width, delimiter) for row, line in rows)
    broken = [b for b in torn if any(field.strip() for field in b.fields)]
    good = marked.filter(pl.col("even") & ~pl.col("blank"))
    if not good.height:
        return pl.DataFrame(schema={"row": pl.UInt32(), **_names(width)}), broken
    if good.height != marked.height:
        body = "\n".join(good["line"]).encode()
    cells = _parse(body, width, delimiter, '"')
    if cells.height != good.height:
        return None
    return cells.insert_column(0, good["row"]), broken


def _joined(lines: pl.DataFrame) -> pl.DataFrame:
    """Physical lines to records: a line that begins inside quotes belongs to the record before it."""
    quotes = lines["line"].str.count_matches('"', literal=True).fill_null(0)
    if (quotes % 2 == 0).all():
        return lines
    begins = (quotes.cum_sum() - quotes) % 2 == 0
    return (
        lines.with_columns(begins.cum_sum().alias("record"))
        .group_by("record", maintain_order=True)
        .agg(pl.col("row").first(), pl.col("line").fill_null("").str.join("\n"))
        .select("row", "line")
    )


def _even(body: bytes, width: int, delimiter: str) -> pl.DataFrame | None:
    """Cells of a body without quotes if every line has exactly `width` fields, else None."""
    try:
        cells = _parse(body, width, delimiter, None)
    except pl.exceptions.PolarsError:
        return None
    if body.count(delimiter.encode()) != cells.height * (width - 1):
        return None
    empty = cells.select(pl.all_horizontal(pl.all().is_null()).any()).item()
    return None if empty else cells


def _parse(body: bytes, width: int, delimiter: str, quote: str | None) -> pl.DataFrame:
    """Cells of a body; a first line of our own says how many columns there are."""
    names = _names(width)
    return pl.read_csv(
        delimiter.join(names).encode() + b"\n" + body,
        schema=names,
        separator=delimiter,
        quote_char=quote,
    )


def _lines(body: bytes) -> pl.DataFrame | None:
    """Physical lines (`line`, null where empty), or None where no separator is free to read them with."""
    free = next((c for c in _NEVER if c.encode() not in body), None)
    if free is None:
        return None
    return _parse(body, 1, free, None).rename({"c0": "line"})


def _ragged(row: int, line: str, width: int, delimiter: str) -> Broken:
    fields = next(cut(line.encode(), delimiter)).fields
    return Broken(row, "ragged", tuple(fields), len(fields), width)


def _slow(body: bytes, first: int, width: int, delimiter: str) -> tuple[pl.DataFrame, list[Broken]]:
    """Record by record: quoted fields over several lines, quotes that are never closed."""
    parts: list[pl.DataFrame] = []
    rows: list[int] = []
    kept: list[list[str]] = []
    broken: list[Broken] = []

    def flush() -> None:
        if rows:
            columns = {f"c{i}": list(values) for i, values in enumerate(zip(*kept, strict=True))}
            parts.append(
                pl.DataFrame({"row": rows, **columns}, schema={"row": pl.UInt32(), **_names(width)})
            )
            rows.clear()
            kept.clear()

    for record in cut(body, delimiter, line=first):
        if not record.whole:
            broken.append(Broken(record.line, "quote", tuple(record.fields), 1, width))
        elif len(record.fields) == width:
            rows.append(record.line)
            kept.append(record.fields)
            if len(rows) == _CHUNK:
                flush()
        elif any(f.strip() for f in record.fields):
            broken.append(
                Broken(record.line, "ragged", tuple(record.fields), len(record.fields), width)
            )
    flush()
    if not parts:
        return pl.DataFrame(schema={"row": pl.UInt32(), **_names(width)}), broken
    return pl.concat(parts), broken
