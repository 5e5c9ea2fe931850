"""Cutting CSV text into records and fields, one at a time: previews, and files too odd for the bulk path.

RFC 4180 with one recovery: a quote that is never closed, or is followed by text, spoils only the record it
begins in; reading goes on at the next physical line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

_MAX_LINES = 1_000
"""A quoted field that runs over more lines than this is taken for a quote that was never closed."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One record: physical line on which it begins (from 1), where the next one begins, its fields.

    `whole` is false where a quote is never closed or is followed by text; `fields` is then the raw line.
    """

    line: int
    fields: list[str]
    whole: bool
    end: int
    lines: int


@cache
def _field(delimiter: str) -> re.Pattern[str]:
    d = re.escape(delimiter)
    return re.compile(rf'(?:"((?>[^"]+|"")*+)"|([^"{d}][^{d}]*+)?)({d}|\Z)')


def split(text: str, delimiter: str) -> list[str] | None:
    """Fields of one record, or None where its quotes do not hold together."""
    if '"' not in text:
        return text.split(delimiter)
    pattern, fields, at = _field(delimiter), [], 0
    while True:
        found = pattern.match(text, at)
        if found is None:
            return None
        quoted, plain, stop = found.groups()
        fields.append(quoted.replace('""', '"') if quoted is not None else plain or "")
        at = found.end()
        if not stop:
            return fields


def cut(data: bytes, delimiter: str, start: int = 0, line: int = 1) -> Iterator[Cut]:
    """Records of UTF-8 text with `\\n` line ends, from byte `start`, which is physical line `line`."""
    at, size = start, len(data)
    while at < size:
        end = data.find(b"\n", at)
        end = size if end < 0 else end
        raw = data[at:end]
        fields = split(raw.decode(), delimiter)
        if fields is not None:
            yield Cut(line, fields, True, end + 1, 1)
            at, line = end + 1, line + 1
            continue
        longer = _over_lines(data, delimiter, at, end)
        if longer is None:
            yield Cut(line, [raw.decode()], False, end + 1, 1)
            at, line = end + 1, line + 1
        else:
            fields, end, lines = longer
            yield Cut(line, fields, True, end + 1, lines)
            at, line = end + 1, line + lines


def _over_lines(
    data: bytes, delimiter: str, at: int, end: int
) -> tuple[list[str], int, int] | None:
    """Fields, end and number of lines of a record whose quoted field runs over line ends, if it closes."""
    size, lines = len(data), 1
    odd = data.count(b'"', at, end) % 2 == 1
    while odd and end < size and lines < _MAX_LINES:
        begin = end + 1
        end = data.find(b"\n", begin)
        end = size if end < 0 else end
        lines += 1
        if data.count(b'"', begin, end) % 2 == 1:
            fields = split(data[at:end].decode(), delimiter)
            if fields is not None:
                return fields, end, lines
            odd = True
    return None
