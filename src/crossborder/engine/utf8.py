"""The texts of a column as UTF-8 bytes where polars keeps them, handed over by the Arrow C stream interface.

A Python text of each document and a copy of all of them together would cost as much as composing them. The interface is
a stable one: https://arrow.apache.org/docs/format/CStreamInterface.html
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

import polars as pl

_VIEW = 16
"""Bytes of a view: length, then the text itself, or its beginning, number of its buffer and place in it."""
_INLINE = 12
"""Texts of at most so many bytes stand in their view."""


class _Schema(ctypes.Structure):
    pass


class _Array(ctypes.Structure):
    def __del__(self) -> None:
        """Nobody looks at its memory any more."""
        if self.release:
            self.release(ctypes.byref(self))


class _Stream(ctypes.Structure):
    pass


_Schema._fields_ = [
    ("format", ctypes.c_char_p), ("name", ctypes.c_char_p), ("metadata", ctypes.c_void_p),
    ("flags", ctypes.c_int64), ("n_children", ctypes.c_int64), ("children", ctypes.c_void_p),
    ("dictionary", ctypes.c_void_p), ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Schema))),
    ("private_data", ctypes.c_void_p),
]  # fmt: skip
_Array._fields_ = [
    ("length", ctypes.c_int64), ("null_count", ctypes.c_int64), ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64), ("n_children", ctypes.c_int64), ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.c_void_p), ("dictionary", ctypes.c_void_p),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Array))), ("private_data", ctypes.c_void_p),
]  # fmt: skip
_Stream._fields_ = [
    ("get_schema", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Schema))),
    ("get_next", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Array))),
    ("get_last_error", ctypes.c_void_p), ("release", ctypes.c_void_p), ("private_data", ctypes.c_void_p),
]  # fmt: skip
_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype = ctypes.c_void_p
_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]


def runs(texts: pl.Series) -> tuple[list[memoryview], list[int]]:
    """The texts one after another, in as few pieces as they lie in, and the bytes of each text.

    No text is divided between two pieces. The pieces are read-only, and keep the memory they lie in.
    `texts` is a String column without nulls (`ValueError` else).
    """
    if texts.dtype != pl.String or texts.null_count():
        raise ValueError("a String column without nulls is wanted")
    found: list[memoryview] = []
    lengths: list[int] = []
    for array in _arrays(texts):
        buffers, views = _buffers(array)
        numbers = views.cast("i")
        own = numbers[0::4].tolist()
        start, stop, of = 0, 0, -1
        for row, (length, buffer, offset) in enumerate(
            zip(own, numbers[2::4].tolist(), numbers[3::4].tolist(), strict=True)
        ):
            if length <= _INLINE:
                buffer, offset = len(buffers) - 1, row * _VIEW + 4
            if (buffer, offset) != (of, stop):
                if stop > start:
                    found.append(buffers[of][start:stop])
                of, start = buffer, offset
            stop = offset + length
        if stop > start:
            found.append(buffers[of][start:stop])
        lengths += own
    return found, lengths


def _arrays(texts: pl.Series) -> Iterator[_Array]:
    """The chunks of a column."""
    capsule = texts.__arrow_c_stream__()
    stream = _Stream.from_address(_pointer(capsule, b"arrow_array_stream"))
    while True:
        array = _Array()
        if stream.get_next(ctypes.byref(stream), ctypes.byref(array)):
            raise MemoryError("polars could not hand its texts over")
        if not array.release:
            return
        yield array


def _buffers(array: _Array) -> tuple[list[memoryview], memoryview]:
    """The buffers of an array, last of them its views, which are given once more beside."""
    count = array.n_buffers - 3  # before them validity and views, behind them their sizes
    places = array.buffers
    sizes = (ctypes.c_int64 * count).from_address(places[count + 2])[:] if count else []
    first = places[1] + _VIEW * array.offset
    kept = [
        _memory(array, place, size)
        for place, size in [*zip(places[2 : count + 2], sizes, strict=True), (first, _VIEW * array.length)]
    ]  # fmt: skip
    return kept, kept[-1]


def _memory(array: _Array, place: int | None, size: int) -> memoryview:
    """Memory of an array, which is kept as long as anybody looks at it."""
    if not size or place is None:
        return memoryview(b"")
    block = (ctypes.c_ubyte * size).from_address(place)
    block.array = array  # type: ignore[attr-defined]  # ctypes objects take attributes; this keeps it alive
    return memoryview(block).cast("B").toreadonly()
