"""Cutting CSV text into records and fields, one at a time: previews, and text too odd for the bulk path.

RFC 4180 with one recovery: a quote that is never closed, or is followed by text, spoils only the record it
begins in; reading goes on at the next physical line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

MAX_LINES = 1_000
"""A quoted field that runs over more lines than this is taken for a quote that was never closed."""
MAX_FIELDS = 10_000
"""Fields of a record that are told apart; what follows them stays one field."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One record: physical line on which it begins (from 1), where the next one begins, its fields.

    `whole` is false where a quote is never closed or is followed by text; `fields` is then the raw line.
    `tried` says on how many lines the end of a quote was looked for in vain.
    """

    line: int
    fields: list[str]
    whole: bool
    end: int
    lines: int
    tried: int = 0


@cache
def _field(delimiter: str) -> re.Pattern[bytes]:
    d = re.escape(delimiter.encode())
    return re.compile(b'(?:"((?>[^"]+|"")*+)"|([^"' + d + b"][^" + d + b"]*+)?)(" + d + rb"|\Z)")


_QUOTED = re.compile(b'"(?>[^"]+|"")*+"')


def cut(
    data: bytes, delimiter: str, line: int = 1, *, last: bool = True, most: int | None = None
) -> Iterator[Cut]:
    """Records of UTF-8 text with `\\n` line ends, whose first physical line is `line`.

    Where more text follows (`last` is false), cutting ends before the first record which this text cannot
    decide. A quoted field of more than `most` bytes is taken for one that was never closed.
    """
    at, size = 0, len(data)
    while at < size:
        end = data.find(b"\n", at)
        if end < 0:
            if not last:
                return
            end = size
        fields: list[str] = []
        stuck = _read(data, delimiter, at, end, fields)
        if stuck is None:
            found = Cut(line, fields, True, end + 1, 1)
        elif data.count(b'"', at, end) % 2 == 0:
            found = Cut(line, [data[at:end].decode()], False, end + 1, 1)
        else:
            over = _over_lines(data, delimiter, (at, end, stuck), fields, last=last, most=most)
            if over is None:
                return
            stop, lines = over
            if stop:
                found = Cut(line, fields, True, stop + 1, lines)
            else:
                found = Cut(line, [data[at:end].decode()], False, end + 1, 1, lines)
        yield found
        at, line = found.end, line + found.lines


def _read(data: bytes, delimiter: str, at: int, end: int, fields: list[str]) -> int | None:
    """Append the fields of `data[at:end]`; None, or where the field begins that does not end there."""
    if not fields and data.find(b'"', at, end) < 0:
        fields += data[at:end].decode().split(delimiter, MAX_FIELDS)
        return None
    match = _field(delimiter).match
    while (found := match(data, at, end)) is not None:
        quoted, plain, stop = found.groups()
        text = quoted.replace(b'""', b'"') if quoted is not None else plain or b""
        fields.append(text.decode())
        at = found.end()
        if not stop:
            return None
        if len(fields) >= MAX_FIELDS:
            fields.append(data[at:end].decode())
            return None
    return at


def _over_lines(
    data: bytes,
    delimiter: str,
    place: tuple[int, int, int],
    fields: list[str],
    *,
    last: bool,
    most: int | None,
) -> tuple[int, int] | None:
    """Read on where a quoted field runs over line ends.

    `place` is where the record begins, where its first line ends, and where the open field begins. Gives the
    end of the record, 0 if the quote is never closed, and the number of lines looked at; None where the text
    ends before that is known.
    """
    at, end, stuck = place
    size, lines = len(data), 1
    if _torn(data, stuck, end):
        return 0, lines
    while lines < MAX_LINES and end < size:
        begin = end + 1
        end = data.find(b"\n", begin)
        if end < 0:
            end = size
            if not last and (most is None or end - at <= most):
                return None
        if most is not None and end - at > most:
            break
        lines += 1
        if data.count(b'"', begin, end) % 2 == 1:
            left = _read(data, delimiter, stuck, end, fields)
            if left is None:
                return end, lines
            if _torn(data, left, end):
                break
            stuck = left
    return 0, lines


def _torn(data: bytes, at: int, end: int) -> bool:
    """Whether the quoted field at `at` is closed, and text follows it: no further line can mend that."""
    return _QUOTED.match(data, at, end) is not None
