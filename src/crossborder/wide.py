"""Text laid out by the columns it takes on a screen: a Chinese character takes two. Standard library only."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_PIECE = re.compile(r"\s+|[^\s\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60]+|[\s\S]")
_CLINGS = set("，。；：、）》」』！？…”’%,.;:!?)]}")
"""Marks that never begin a line."""


def width(text: str) -> int:
    """Columns of a screen that a text takes."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def padded(text: str, columns: int) -> str:
    """A text filled with blanks to that many columns."""
    return text + " " * max(0, columns - width(text))


def wrapped(text: str, columns: int) -> list[str]:
    """Lines of at most `columns`; breaks at blanks and between Chinese characters, keeps given line ends."""
    return [line for part in text.split("\n") for line in _wrap_line(part, columns)]


def _wrap_line(text: str, columns: int) -> Iterator[str]:
    line = ""
    for piece in _pieces(text):
        if not line and piece.isspace():
            continue
        if line and width(line) + width(piece.rstrip()) > columns:
            yield line.rstrip()
            line = "" if piece.isspace() else piece
        else:
            line += piece
    yield line.rstrip()


def _pieces(text: str) -> list[str]:
    """Words, blanks and single Chinese characters; a closing mark stays with what stands before it."""
    pieces: list[str] = []
    for piece in _PIECE.findall(text):
        if pieces and piece[0] in _CLINGS and not pieces[-1].isspace():
            pieces[-1] += piece
        else:
            pieces.append(piece)
    return pieces
