"""Text of unknown encoding to UTF-8 bytes, piece by piece: a byte order mark decides, else UTF-8, else GB18030.

A file is surveyed once, from beginning to end, before any of it is believed: the encoding of a file cannot
be told from its beginning, for a single name in row 900,000 may be all that is not ASCII.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO

import polars as pl

from crossborder.errors import InputError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MULTIBYTE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]{1,3}")
_HIGH = re.compile(rb"[\x80-\xff]+")
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_PIECE = 1 << 20
"""Bytes that are looked at together."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """What a survey found: the `name` of the encoding, the bytes of a UTF-8 mark to leave out (`mark`), the
    `newline` that ends lines (`\\n`, `\\r\\n` or `\\r`), and whether there is nothing but white space."""

    name: str
    mark: int
    newline: str
    blank: bool


class TextStream:
    """UTF-8 bytes of a surveyed file, without mark and with `\\n` line ends. Not thread-safe.

    `position` is how far the file itself has been read, `ended` whether all of it has.
    """

    def __init__(self, file: BinaryIO, encoding: Encoding, place: str) -> None:
        self._file, self._place, self._newline = file, place, encoding.newline
        self._decoder = (
            None if encoding.name == "utf-8" else codecs.getincrementaldecoder(encoding.name)()
        )
        self._first, self._held = encoding.mark == 0, b""
        self.position, self.ended = encoding.mark, False

    def read(self, size: int) -> bytes:
        """Text of at least `size` bytes, or all that is left."""
        pieces: list[bytes] = []
        while size > 0 and not self.ended:
            pieces.append(text := self._next(min(size, _PIECE)))
            size -= len(text)
        return b"".join(pieces)

    def _next(self, size: int) -> bytes:
        self._file.seek(self.position)
        data = self._file.read(size)
        self.position += len(data)
        self.ended = not data
        text, self._held = self._held + self._utf8(data), b""
        if self._newline == "\r\n":
            if text.endswith(b"\r") and not self.ended:
                text, self._held = text[:-1], b"\r"
            return text.replace(b"\r\n", b"\n")
        return text.replace(b"\r", b"\n") if self._newline == "\r" else text

    def _utf8(self, data: bytes) -> bytes:
        if self._decoder is None:
            return data
        try:
            text = self._decoder.decode(data, final=self.ended)
        except UnicodeDecodeError as error:
            raise changed(self._place) from error
        if text and self._first:
            text, self._first = text.removeprefix("\ufeff"), False
        return text.encode()


def survey(file: BinaryIO, place: str, named: str = "") -> Encoding:
    """Read a file once and say how its text is written. `named` forces an encoding (a mapping may name one).

    Raises `InputError` naming line and byte of what does not fit.
    """
    beginning = _from(file, 0, 4096)
    mark = next(((m, name) for m, name in _MARKS if beginning.startswith(m)), None)
    if named and (codec := _codec(named, place)) != "utf-8":
        bare = codec in ("utf-16", "utf-32") and (mark is None or mark[1] != codec)
        return _decoded(file, f"{codec}-le" if bare else named, place)
    if mark is not None and mark[1] != "utf-8" and not named:
        return _decoded(file, mark[1], place)
    if mark is None and not named and beginning.count(0) * 10 > len(beginning):
        raise _wrong(
            "many zero bytes: binary, or UTF-16 without its mark",
            "含大量零字节：二进制文件或无标记的 UTF-16",
            place,
        )
    skip = len(codecs.BOM_UTF8) if mark == _MARKS[0] else 0
    plain = _as_utf8(file, skip)
    if plain is not None:
        return plain
    if named or skip or _mostly_utf8(file):
        _decoded(file, "utf-8", place, skip)
        raise AssertionError("unreachable: the bytes were found not to be UTF-8")
    return _decoded(file, "gb18030", place, guessed=True)


def to_utf8(data: bytes, place: str, named: str = "") -> tuple[bytes, str]:
    """UTF-8 bytes of a whole text, and the name of the encoding found. Raises `InputError`."""
    file = io.BytesIO(data)
    encoding = survey(file, place, named)
    stream = TextStream(file, encoding, place)
    return stream.read(4 * len(data) + 1), encoding.name


def changed(place: str) -> InputError:
    """The error for a file that is no longer what it was when reading began."""
    return InputError(
        "the file changed while it was read", "读取期间文件被修改", place=place,
        fix_en="hand it in again when nothing writes to it any more", fix_zh="请在写入完成后重新提交",
    )  # fmt: skip


class _Lines:
    """What is gathered about line ends while text goes by."""

    def __init__(self) -> None:
        self._feed = self._return = False
        self._blank = True

    def see(self, text: bytes) -> None:
        self._feed = self._feed or b"\n" in text
        self._return = self._return or b"\r" in text
        self._blank = self._blank and (not text or text.isspace())

    def encoding(self, name: str, mark: int = 0) -> Encoding:
        newline = "\n" if not self._return else "\r\n" if self._feed else "\r"
        return Encoding(name, mark, newline, self._blank)


def _from(file: BinaryIO, position: int, size: int) -> bytes:
    file.seek(position)
    return file.read(size)


def _pieces(file: BinaryIO, position: int = 0) -> Iterator[bytes]:
    while data := _from(file, position, _PIECE):
        position += len(data)
        yield data


def _characters(file: BinaryIO, position: int = 0) -> Iterator[bytes]:
    """Pieces that end with a whole UTF-8 character, where the text is UTF-8 at all."""
    held = b""
    for data in _pieces(file, position):
        text = held + data
        whole = len(text) - _torn(text)
        held = text[whole:]
        yield text[:whole]
    if held:
        yield held


def _torn(text: bytes) -> int:
    """How many bytes at the end begin a character that is not complete."""
    for back in range(1, min(3, len(text)) + 1):
        byte = text[-back]
        if byte < 0x80:
            return 0
        if byte >= 0xC0:
            return back if back < (2 if byte < 0xE0 else 3 if byte < 0xF0 else 4) else 0
    return 0


def _as_utf8(file: BinaryIO, skip: int) -> Encoding | None:
    lines = _Lines()
    for data in _characters(file, skip):
        if not _is_utf8(data):
            return None
        lines.see(data)
    return lines.encoding("utf-8", skip)


def _is_utf8(data: bytes) -> bool:
    try:
        checked = pl.Series([data], dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.PolarsError:
        return False
    return checked.null_count() == 0


def _mostly_utf8(file: BinaryIO) -> bool:
    """Whether nearly all bytes above 127 form UTF-8 characters: a damaged file, not another encoding."""
    high = good = 0
    for data in _characters(file):
        high += sum(len(run) for run in _HIGH.findall(data))
        good += sum(len(run) for run in _MULTIBYTE.findall(data))
    return good * 10 >= high * 9


def _decoded(
    file: BinaryIO, name: str, place: str, skip: int = 0, *, guessed: bool = False
) -> Encoding:
    """Decode a whole file. Raises `InputError` at the first byte that does not fit.

    Almost any bytes are GB18030 of a kind: where it was only `guessed`, many private characters tell.
    """
    decoder, lines = codecs.getincrementaldecoder(name)(), _Lines()
    at = feeds = private = high = 0
    for data in chain(_pieces(file, skip), (b"",)):
        held = decoder.getstate()[0]
        try:
            text = decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            before = (held + data)[: error.start]
            line, bad = feeds + before.count(b"\n") + 1, at + error.start
            raise _wrong(
                f"not {name}: line {line:,}, byte {bad:,}",
                f"不是 {name} 编码：第 {line:,} 行，第 {bad:,} 字节",
                place,
            ) from error
        done = (held + data)[: len(held) + len(data) - len(decoder.getstate()[0])]
        at, feeds = at + len(done), feeds + done.count(b"\n")
        lines.see(text.encode())
        if guessed:
            private += len(_PRIVATE.findall(text))
            high += sum(len(run) for run in _HIGH.findall(data))
    if private * 50 > high // 2:
        raise _wrong("neither UTF-8 nor GB18030", "既不是 UTF-8 也不是 GB18030", place)
    return lines.encoding(name)


def _codec(name: str, place: str) -> str:
    """The proper name of an encoding. Raises `InputError` where there is none that can be read in pieces."""
    try:
        io.TextIOWrapper(
            io.BytesIO(), encoding=name
        )  # refuses codecs that make no text, such as hex
        codecs.getincrementaldecoder(name)
        return codecs.lookup(name).name
    except LookupError as error:
        raise _wrong(
            f"no encoding is called {name!r}", f"没有名为 {name!r} 的编码", place
        ) from error


def _wrong(en: str, zh: str, place: str) -> InputError:
    return InputError(
        f"the encoding cannot be told or is damaged: {en}",
        f"无法识别编码或编码已损坏：{zh}",
        place=place,
        fix_en="save the file as CSV UTF-8, or as .xlsx",
        fix_zh="请另存为 CSV UTF-8 或 .xlsx",
    )
