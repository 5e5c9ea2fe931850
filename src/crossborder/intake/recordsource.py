"""Records (JSON, NDJSON, dictionaries) in parts: outlined once, then read flat as a `Source`, or nested."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from crossborder.errors import InputError
from crossborder.intake import jsonfile
from crossborder.intake.csvparse import few, refuse_long_lines
from crossborder.intake.encoding import TextStream
from crossborder.intake.framesource import grid_of
from crossborder.intake.grid import Piece, Record, check_width
from crossborder.intake.limits import Limits


class Part(NamedTuple):
    """Some records, how much of the source is `done` with them, and whether they are the last."""

    records: jsonfile.Records
    done: int
    last: bool


Parts = Callable[[int], Iterator[Part]]
"""Gives all records of a source, in parts of about so many bytes; each call begins anew."""


@dataclass(frozen=True)
class Outline:
    """What must be known of all records before the first is read.

    `keys` in the order in which they first occur (one more than allowed at most), `odd` the keys that hold a
    list or an object somewhere, `nested` whether records carry their own goods and documents; `good` counts
    the records that are objects, `count` all of them.
    """

    keys: Sequence[str]
    odd: frozenset[str]
    nested: bool
    good: int
    count: int


def outline(parts: Iterator[Part], limits: Limits) -> Outline:
    """Look at every record once."""
    keys: dict[str, None] = {}
    odd: set[str] = set()
    nested, good, count = False, 0, 0
    for part in parts:
        items = part.records.items
        nested = nested or jsonfile.is_nested(items, first=not good)
        good, count = good + len(items), count + len(items) + len(part.records.broken)
        for item in items:
            if len(keys) <= limits.max_columns:
                keys.update(dict.fromkeys(map(str, item)))
            odd |= {str(k) for k, v in item.items() if jsonfile.is_several(v)}
    return Outline(tuple(keys), frozenset(odd), nested, good, count)


class RecordSource:
    """Flat records: their keys are the header, records count from 1. Raises `InputError` where one is not flat."""

    sheet = ""

    def __init__(self, parts: Parts, seen: Outline, total: int, place: str, limits: Limits) -> None:
        wrong = next((key for key in seen.keys if key in seen.odd), None)
        if wrong is not None:
            raise InputError(
                f"the key {wrong!r} holds a list or an object", f"键 {wrong!r} 的值是列表或对象", place=place,
                fix_en="one record per goods line with plain values, or canonical records with goods and documents",
                fix_zh="请一项商品一条记录、每键单一值，或使用含 goods、documents 的规范记录",
            )  # fmt: skip
        check_width(len(seen.keys), limits, place)
        self._parts, self._keys, self.total = parts, seen.keys, total

    def preview(self) -> Sequence[Record]:
        """The header alone."""
        return [Record(0, tuple(self._keys))]

    def pieces(self, header: int, size: int) -> Iterator[Piece]:
        """Every record."""
        for records, done, last in self._parts(size):
            columns = [
                jsonfile.column(item.get(key) for item in records.items)[0].alias(key)
                for key in self._keys
            ]
            kinds = [""] * len(columns)
            grid = grid_of(pl.DataFrame(columns), kinds, records.rows, records.broken)
            yield Piece(grid, done, last)


def at_once(records: jsonfile.Records) -> Parts:
    """Records that are all there, as one part."""
    return lambda _size: iter([Part(records, len(records.items) + len(records.broken), True)])


def by_lines(open_stream: Callable[[], TextStream], place: str, limits: Limits) -> Parts:
    """NDJSON in parts that end with a line. Raises `InputError` for a line longer than allowed."""

    def parts(size: int) -> Iterator[Part]:
        stream, text = open_stream(), b""
        number = line = 1
        want = size
        while text := text + stream.read(max(want, size) - len(text)):
            refuse_long_lines(text, line, place, limits)
            end = few(text, max(want, size))
            if end < len(text) or not stream.ended:
                end = text.rfind(b"\n", 0, end) + 1
            records = jsonfile.parse_ndjson(text[:end].decode(), number)
            line += text.count(b"\n", 0, end)
            number += len(records.items) + len(records.broken)
            want = size if end else 2 * len(text)
            text = text[end:]
            if end:
                text += stream.read(size - len(text))
                yield Part(records, max(stream.position - len(text), 0), not text)

    return parts
