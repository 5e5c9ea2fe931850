"""CSV as a `Source`: the first records as a preview, then piece by piece, never the whole file in memory.

`row` is the physical line on which a record begins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from crossborder.intake.csvparse import Shape, few, parse, refuse_long_lines
from crossborder.intake.encoding import TextStream
from crossborder.intake.grid import PREVIEW, Grid, Piece, Record, check_width
from crossborder.intake.limits import Limits
from crossborder.intake.records import Cut, cut

DELIMITERS = (",", ";", "\t", "|")
_SNIFFED = 20
_PIECE = 8 * 1024**2
"""Most bytes that are parsed together, however large a block is."""
_PREVIEWED = 64 * 1024


class CsvSource:
    """A CSV file that has been opened. Its stream is read once: either for a preview or for all of it."""

    sheet = ""

    def __init__(
        self, stream: TextStream, size: int, place: str, limits: Limits, delimiter: str = ""
    ) -> None:
        self._stream, self._place, self._limits = stream, place, limits
        self.total = size
        self._text = b""
        self._cuts: list[Cut] = []
        while len(self._cuts) < PREVIEW and not stream.ended and self._wants_more():
            self._text += stream.read(max(_PREVIEWED, len(self._text)))
            self.delimiter = delimiter or sniff(self._text, last=stream.ended)
            self._cuts = self._cut(self._text)

    def preview(self) -> Sequence[Record]:
        """The first records."""
        return [Record(c.line, tuple(c.fields)) for c in self._cuts]

    def pieces(self, header: int, size: int) -> Iterator[Piece]:
        """Everything below the header. Raises `InputError` where a limit is passed."""
        head = self._cuts[header]
        check_width(len(head.fields), self._limits, self._place)
        shape = Shape(len(head.fields), self.delimiter)
        empty = Grid(
            header=tuple(head.fields),
            header_row=head.line,
            cells=shape.empty(),
            preamble=tuple(tuple(c.fields) for c in self._cuts[:header]),
        )
        step = min(size, _PIECE)
        want, least, line = step, 0, head.line + head.lines
        text = self._text[head.end :]
        while text := text + self._stream.read(want - len(text)):
            part = text[: few(text, want, least)]
            last = self._stream.ended and len(part) == len(text)
            found = parse(part, line, shape, self._place, self._limits, last=last)
            want, least = (step, 0) if found.end else (2 * max(want, len(text)), 2 * len(part))
            text, line = text[found.end :], line + found.lines
            if found.end:
                text += self._stream.read(step - len(text))
                grid = empty.with_records(found.cells, found.broken)
                yield Piece(grid, max(self._stream.position - len(text), 0), not text)

    def _cut(self, text: bytes) -> list[Cut]:
        refuse_long_lines(text, 1, self._place, self._limits)
        most, last = self._limits.max_record_bytes, self._stream.ended
        return list(islice(cut(text, self.delimiter, last=last, most=most), PREVIEW))

    def _wants_more(self) -> bool:
        return not self._cuts or len(self._text) <= self._limits.max_record_bytes


def sniff(text: bytes, *, last: bool = True) -> str:
    """The delimiter that cuts the first records into most fields, most evenly."""
    best, best_score = ",", 0
    for delimiter in DELIMITERS:
        cuts = islice(cut(text, delimiter, last=last), _SNIFFED)
        widths = Counter(len(c.fields) for c in cuts if c.whole)
        if widths:
            width, times = max(widths.items(), key=lambda item: (item[0] - 1) * item[1])
            if (width - 1) * times > best_score:
                best, best_score = delimiter, (width - 1) * times
    return best
