"""Error cells of an old `.xls` workbook, which the sheet reader shows as empty.

Walks the compound file to its workbook stream and there the records BOOLERR and FORMULA of one sheet
(file format: [MS-CFB] and [MS-XLS], published by Microsoft).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_END = 0xFFFFFFFA
_BOUNDSHEET, _BOOLERR, _FORMULAS, _EOF = 0x85, 0x205, (0x06, 0x206, 0x406), 0x0A


def error_cells(data: bytes, sheet: int) -> list[tuple[int, int]]:
    """(row, column) from 0 of each error cell of sheet number `sheet`. Empty where the file is odd."""
    try:
        stream = _workbook(data)
        offsets = [
            struct.unpack_from("<I", body)[0]
            for kind, body in _records(stream, 0)
            if kind == _BOUNDSHEET
        ]
        return list(_errors(stream, offsets[sheet])) if sheet < len(offsets) else []
    except (struct.error, IndexError, UnicodeDecodeError):
        return []


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Records from `at` to the end of that substream."""
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        yield kind, stream[at + 4 : at + 4 + length]
        if kind == _EOF:
            return
        at += 4 + length


def _errors(stream: bytes, at: int) -> Iterator[tuple[int, int]]:
    for kind, body in _records(stream, at):
        is_error = (kind == _BOOLERR and len(body) >= 8 and body[7] == 1) or (
            kind in _FORMULAS and body[12:14] == b"\xff\xff" and body[6] == 2
        )
        if is_error:
            row, column = struct.unpack_from("<HH", body)
            yield row, column


def _workbook(data: bytes) -> bytes:
    sector = 1 << struct.unpack_from("<H", data, 30)[0]
    small = 1 << struct.unpack_from("<H", data, 32)[0]
    directory, _, cutoff, small_fat, _, difat, _ = struct.unpack_from("<7I", data, 48)
    table = _fat(data, sector, difat)
    entries = _chain(data, table, directory, sector)
    root = b""
    for at in range(0, len(entries), 128):
        name_length, kind = struct.unpack_from("<HxB", entries, at + 64)[0], entries[at + 66]
        name = entries[at : at + max(name_length - 2, 0)].decode("utf-16-le")
        start, size = struct.unpack_from("<II", entries, at + 116)
        if kind == 5:
            root = _chain(data, table, start, sector)
        elif name in ("Workbook", "Book"):
            if size >= cutoff:
                return _chain(data, table, start, sector)[:size]
            numbers = _chain(data, table, small_fat, sector)
            minis = struct.unpack(f"<{len(numbers) // 4}I", numbers)
            return b"".join(root[s * small : (s + 1) * small] for s in _walk(minis, start))[:size]
    raise IndexError("no workbook stream")


def _fat(data: bytes, sector: int, difat: int) -> tuple[int, ...]:
    sectors = list(struct.unpack_from("<109I", data, 76))
    for _ in range(len(data) // sector):
        if difat >= _END:
            break
        *more, difat = struct.unpack_from(f"<{sector // 4}I", data, (difat + 1) * sector)
        sectors += more
    parts = [data[(s + 1) * sector : (s + 2) * sector] for s in sectors if s < _END]
    joined = b"".join(parts)
    return struct.unpack(f"<{len(joined) // 4}I", joined[: len(joined) // 4 * 4])


def _walk(table: tuple[int, ...], start: int) -> Iterator[int]:
    for _ in range(len(table)):
        if start >= _END:
            return
        yield start
        start = table[start]


def _chain(data: bytes, table: tuple[int, ...], start: int, sector: int) -> bytes:
    return b"".join(data[(s + 1) * sector : (s + 2) * sector] for s in _walk(table, start))
