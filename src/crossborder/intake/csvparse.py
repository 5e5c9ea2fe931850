"""CSV text to cells. Text goes through polars, ragged records too; only odd quoting is cut in Python.

Nothing is believed before it is counted: how many quotes, delimiters and line ends stand outside quotes says
exactly whether every record has as many fields as the header, and whether every quote is where it belongs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl

from crossborder.errors import InputError
from crossborder.intake.grid import MOST_RECORDS, Broken
from crossborder.intake.limits import Limits
from crossborder.intake.records import MAX_LINES, cut

_BULK = 16 * 1024**2
"""Bytes of text that are taken apart at once; there is more only where a single line is longer."""
_SHORT = 32
"""Bytes of a quoted field and what stands before it, on average, below which much is quoted."""
_WHITE = b" \t\v\f\r"
_MAX_TRIED = 2_000_000
"""Lines that may be looked at in vain for the end of quotes, in one piece of text."""


@dataclass(frozen=True)
class Shape:
    """What every record of a text must look like: `width` fields between `delimiter`s."""

    width: int
    delimiter: str

    @property
    def names(self) -> list[str]:
        """`c0`, `c1` … one per field."""
        return [f"c{i}" for i in range(self.width)]

    def empty(self) -> pl.DataFrame:
        """Cells of no record."""
        return pl.DataFrame(schema={"row": pl.UInt32(), **dict.fromkeys(self.names, pl.String())})


@dataclass(frozen=True)
class Parsed:
    """Records of a text: `cells` (`row`, `c0` …), records that are `broken`; `end` and `lines` say how far
    the text was read, in bytes and physical lines (0 where its end is not yet known)."""

    cells: pl.DataFrame
    broken: Sequence[Broken] = field(default=())
    end: int = 0
    lines: int = 0


def parse(text: bytes, first: int, shape: Shape, place: str, limits: Limits, *, last: bool = True) -> Parsed:  # fmt: skip
    """Read all records of UTF-8 text with `\\n` line ends, whose first physical line is `first`.

    Where more text follows (`last` is false), records that this text does not complete are left. Blank
    records are passed over. Raises `InputError` for a line longer than allowed.
    """
    refuse_long_lines(text, first, place, limits)
    end = len(text) if last else text.rfind(b"\n") + 1
    if len(text) > min(_BULK, limits.max_record_bytes):  # a record may be longer than allowed
        return slow(text, first, shape, place, limits, last=last)
    found = bulk(text[:end], first, shape) if end else None
    if found is None and not last and (end := _closed_before(text, end)):
        found = bulk(text[:end], first, shape)
    return found or slow(text, first, shape, place, limits, last=last)


def refuse_long_lines(text: bytes, first: int, place: str, limits: Limits) -> None:
    """Raise `InputError` where a physical line is longer than allowed."""
    at, most = 0, limits.max_record_bytes
    while len(text) - at > most:
        end = text.rfind(b"\n", at, at + most + 1)
        if end < 0:
            line = first + text.count(b"\n", 0, at)
            raise InputError(
                f"line {line:,} has more than {most:,} bytes; at most that many are read",
                f"第 {line:,} 行超过 {most:,} 字节，最多读取这么多",
                place=place,
                fix_en="look whether line ends are missing, and export the file again",
                fix_zh="请检查是否缺少换行符，并重新导出",
            )
        at = end + 1


def few(text: bytes, size: int, least: int = 0) -> int:
    """How many of the first `size` bytes of text hold about as many lines as a piece may have records, but
    one line and `least` bytes anyway."""
    end = min(size, len(text))
    while text.count(b"\n", 0, end) > MOST_RECORDS:
        end //= 2
    return min(len(text), max(end, least, text.find(b"\n") + 1))


def _closed_before(text: bytes, end: int) -> int:
    """Where the last line ends that closes all its quotes, if a quote is open at `end`; else 0."""
    odd = text.count(b'"', 0, end) % 2
    if not odd:
        return 0
    while odd and end:
        before = text.rfind(b"\n", 0, end - 1) + 1
        odd ^= text.count(b'"', before, end) % 2
        end = before
    return end


def bulk(text: bytes, first: int, shape: Shape) -> Parsed | None:
    """The fast way, or None where quotes are odd: in the middle of a field, or never closed."""
    lines = text.count(b"\n")
    if not text or text.isspace():
        return Parsed(shape.empty(), [], len(text), lines)
    outside = _outside_quotes(text, shape.delimiter)
    if outside is None:
        return None
    ends = outside.count(b"\n")
    records = ends + (not text.endswith(b"\n"))
    if outside.count(shape.delimiter.encode()) == records * (shape.width - 1):
        cells = _cells(text, shape, records, quotes=outside is not text)
        if cells is not None:
            numbered = _numbered(cells, first, over_lines=ends < lines)
            return Parsed(_without_blanks(numbered), [], len(text), lines) if numbered is not None else None  # fmt: skip
    found = _uneven(text, first, shape)
    return Parsed(found[0], found[1], len(text), lines) if found is not None else None


def _outside_quotes(text: bytes, delimiter: str) -> bytes | None:
    """The text with what stands in quotes left out, or None where a quote stands where none may.

    By RFC 4180 a quote opens behind a delimiter or line end and closes before one; two quotes inside quotes
    are one of the text.
    """
    if b'"' not in text:
        return text
    pieces = text.split(b'"')
    if len(pieces) % 2 == 0:
        return None
    outside, edges = pieces[::2], {delimiter.encode(), b"\n", b""}
    first, *inner, last = outside
    if len(inner) * _SHORT > len(text):  # much is quoted, and what stands between quotes repeats
        inner = list(set(inner))
    begins = {last[:1]} | {piece[:1] for piece in inner}
    ends = {first[-1:]} | {piece[-1:] for piece in inner}
    sound = begins <= edges and ends <= edges
    return b'"'.join(outside) if sound else None


def _cells(text: bytes, shape: Shape, records: int, *, quotes: bool) -> pl.DataFrame | None:
    """Cells of records with `width` fields on average; None if one has more, so that another has less.

    Only behind a line end does polars refuse each field too many.
    """
    try:
        cells = pl.read_csv(
            text if text.endswith(b"\n") else text + b"\n",
            has_header=False,
            schema=dict.fromkeys(shape.names, pl.String()),
            separator=shape.delimiter,
            quote_char='"' if quotes else None,
        )
    except pl.exceptions.PolarsError:
        return None
    return cells if cells.height == records else None


def _numbered(cells: pl.DataFrame, first: int, *, over_lines: bool) -> pl.DataFrame | None:
    """Cells with `row`, the physical line on which a record begins; `over_lines` says that fields run over
    line ends. None where one has more lines than are believed."""
    rows = pl.int_range(first, first + cells.height, dtype=pl.UInt32, eager=True).alias("row")
    if over_lines:
        inside = cells.select(
            pl.sum_horizontal(pl.all().str.count_matches("\n", literal=True)).alias("lines")
        )["lines"].fill_null(0)
        if inside.ge(MAX_LINES).any():
            return None
        rows += inside.cum_sum().shift(1, fill_value=0)
    return cells.insert_column(0, rows.cast(pl.UInt32))


def _without_blanks(cells: pl.DataFrame) -> pl.DataFrame:
    """Records that hold more than white space."""
    if cells.width < 2:
        return cells
    empty = (cells.to_series(1).str.strip_chars().fill_null("") == "").alias("blank")
    if not empty.any():
        return cells
    said = pl.any_horizontal(pl.exclude("row").str.strip_chars().fill_null("") != "")
    blanks = cells.filter(empty).select("row", said.alias("said")).filter(~pl.col("said"))["row"]
    return cells.filter(~pl.col("row").is_in(blanks.implode())) if len(blanks) else cells


def _uneven(text: bytes, first: int, shape: Shape) -> tuple[pl.DataFrame, list[Broken]] | None:
    """Well quoted text of which some records have too few or too many fields."""
    delimiter, broken = shape.delimiter.encode(), []
    records: list[bytes] = []
    rows: list[int] = []
    for row, record in _records(text, first):
        if record.count(b"\n") >= MAX_LINES:
            return None
        count = b"".join(record.split(b'"')[::2]).count(delimiter) + 1
        if count == shape.width:
            records.append(record)
            rows.append(row)
        elif record.strip(_WHITE + delimiter):
            fields = next(cut(record, shape.delimiter)).fields
            if any(f.strip() for f in fields):
                broken.append(Broken(row, "ragged", tuple(fields), count, shape.width))
    if not records:
        return shape.empty(), broken
    cells = _cells(b"\n".join(records), shape, len(records), quotes=b'"' in text)
    if cells is None:
        return None
    return _without_blanks(cells.insert_column(0, pl.Series("row", rows, pl.UInt32))), broken


def _records(text: bytes, first: int) -> Iterator[tuple[int, bytes]]:
    """Records of well quoted text with their physical lines, empty ones left out: a line begun inside quotes
    is no record."""
    begun: list[bytes] = []
    for row, line in enumerate(text.split(b"\n"), first):
        if not line and not begun:
            continue
        opens = b'"' in line and line.count(b'"') % 2 == 1
        if begun or opens:
            begun.append(line)
        if not begun:
            yield row, line
        elif opens and len(begun) > 1:
            yield row - len(begun) + 1, b"\n".join(begun)
            begun = []


def slow(
    text: bytes, first: int, shape: Shape, place: str, limits: Limits, *, last: bool = True
) -> Parsed:
    """Record by record: quotes in the middle of a field, quotes that are never closed."""
    rows: list[int] = []
    kept: list[list[str | None]] = []
    broken: list[Broken] = []
    end = lines = tried = 0
    for record in cut(text, shape.delimiter, first, last=last, most=limits.max_record_bytes):
        end, lines = min(record.end, len(text)), lines + record.lines
        tried += record.tried
        if tried > _MAX_TRIED:
            raise _never_closed(record.line, place)
        if not any(f.strip() for f in record.fields):
            continue
        if not record.whole:
            broken.append(Broken(record.line, "quote", tuple(record.fields), 1, shape.width))
        elif len(record.fields) == shape.width:
            rows.append(record.line)
            kept.append([f or None for f in record.fields])
        else:
            count = len(record.fields)
            broken.append(Broken(record.line, "ragged", tuple(record.fields), count, shape.width))
    if not rows:
        return Parsed(shape.empty(), broken, end, lines)
    columns = dict(zip(shape.names, map(list, zip(*kept, strict=True)), strict=True))
    cells = pl.DataFrame({"row": rows, **columns}, schema=shape.empty().schema)
    return Parsed(cells, broken, end, lines)


def _never_closed(line: int, place: str) -> InputError:
    return InputError(
        f"quotes are not closed, over and over, up to line {line:,}",
        f"引号反复不成对，直至第 {line:,} 行",
        place=place,
        fix_en="mend the quotes: a field begins and ends with one, a quote inside is written twice",
        fix_zh="请更正引号：字段首尾各一个，内容中的引号写两个",
    )
