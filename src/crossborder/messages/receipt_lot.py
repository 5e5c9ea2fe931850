"""A lot of receipts read by a skeleton: which documents it proves, and the texts of each group as one series."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

import polars as pl

from crossborder.messages.receipt_map import ReceiptGroup
from crossborder.messages.receipt_skeleton import END, Skeleton

MOST_BYTES = 4 * 1024 * 1024
"""Documents above this size are not tried: libxml2 refuses texts of ten million characters, a skeleton would not."""

_NONCHARACTER = re.compile(rb"\xef(?=\xbf[\xbe\xbf])")
"""U+FFFE and U+FFFF in UTF-8; looked for by their first byte, which is rare."""

Documents = Mapping[int, bytes]
"""Index among all items → bytes, in that order."""
_Captures = list[Any]
"""Captures of all documents one after the other, before each document's own what stood between (nothing). A list of
texts, not of tuples: Python's collector would go through tuples again and again, a third of the time of reading."""


@dataclass(frozen=True)
class Texts:
    """Rows of one group of one message type.

    `index` (UInt32) is the document of each row, `line` (UInt32) its line, `texts` (String) has the texts of each element
    of the group, in schema order; absent ones are null or empty.
    """

    message: str
    group: ReceiptGroup
    index: pl.Series
    line: pl.Series
    texts: Sequence[pl.Series]


def joined(parts: Iterable[Texts]) -> list[Texts]:
    """The same rows as one part for each group."""
    groups: dict[tuple[str, str], list[Texts]] = {}
    for part in parts:
        groups.setdefault((part.message, part.group.name), []).append(part)
    return [
        Texts(
            own[0].message, own[0].group, pl.concat([p.index for p in own]), pl.concat([p.line for p in own]),
            [pl.concat(texts) for texts in zip(*(p.texts for p in own), strict=True)],
        )
        for own in groups.values()
    ]  # fmt: skip


def take(skeleton: Skeleton, documents: Documents) -> tuple[list[Texts], Documents]:
    """The rows of what the skeleton proves; and the documents it leaves to others, in their order."""
    tried = _at_most(documents, MOST_BYTES)
    try:
        numbers, parts = _prove(skeleton, tried)
    except ValueError:
        numbers, parts = _prove(skeleton, {n: d for n, d in tried.items() if _sound(d)})
    left = documents.keys() - numbers
    return parts, {n: documents[n] for n in sorted(left)}


def _at_most(documents: Documents, size: int) -> Documents:
    if max(map(len, documents.values()), default=0) <= size:
        return documents
    return {n: data for n, data in documents.items() if len(data) <= size}


def _prove(skeleton: Skeleton, documents: Documents) -> tuple[list[int], list[Texts]]:
    """What is proven, and its rows. Raises `ValueError` if a document cannot be tried: see `_sound`."""
    joined = END.join([*documents.values(), b""])
    if _NONCHARACTER.search(joined):
        raise ValueError("a noncharacter")
    captures: _Captures = skeleton.documents.split(joined)
    width = skeleton.documents.groups + 1
    if len(captures) != len(documents) * width + 1:
        raise ValueError("a NUL within a document")
    marks = captures[1::width]
    proven = [captures[n::width] for n in range(2, width)]
    if None not in marks:
        return list(documents), _texts(skeleton, list(documents), proven)
    numbers = list(compress(documents, marks))
    return numbers, _texts(skeleton, numbers, [list(compress(column, marks)) for column in proven])


def _sound(data: bytes) -> bool:
    """Whether a document holds no NUL and no noncharacter, and is UTF-8."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return END not in data and not _NONCHARACTER.search(data)


def _texts(skeleton: Skeleton, numbers: list[int], proven: list[list[bytes]]) -> list[Texts]:
    """The captures of proven documents, whose indices are `numbers`. Raises `ValueError` if they are not UTF-8."""
    shape = skeleton.shape
    heads = [_utf8(column) for column in proven[: len(shape.head.elements)]]
    parts = [Texts(shape.message, shape.head, _whole(numbers), _whole([0] * len(numbers)), heads)]
    if shape.lines is not None and skeleton.line is not None:
        width = skeleton.line.groups + 1
        captures: _Captures = []
        own: list[int] = []
        line: list[int] = []
        for number, run in zip(numbers, proven[-1], strict=True):
            found = skeleton.line.split(run)
            count = len(found) // width
            captures += found[: count * width]
            own += [number] * count
            line += range(1, count + 1)
        texts = [_utf8(captures[n::width]) for n in range(1, width)]
        parts.append(Texts(shape.message, shape.lines, _whole(own), _whole(line), texts))
    return parts


def _whole(numbers: list[int]) -> pl.Series:
    return pl.Series(numbers, dtype=pl.UInt32)


def _utf8(texts: list[bytes]) -> pl.Series:
    try:
        return pl.Series(texts, dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.ComputeError as error:
        raise ValueError("not UTF-8") from error
