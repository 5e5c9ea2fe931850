"""What must be known of an XLSX before a reader unpacks it: its real size, its extent, its error cells.

Every part that will be read is unpacked once in pieces, so a size declared wrongly in the archive does not
help a bomb, and a cell in the far corner is seen before a rectangle is laid out for it.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from crossborder.errors import InputError
from crossborder.intake.limits import Limits

_PIECE = 4 * 1024 * 1024
_SMALL = 100 * 1024 * 1024
"""Below this an unpacked part is harmless whatever its ratio."""
_PLACE = re.compile(rb"""\sr=["']([A-Z]{1,3})([0-9]{1,7})["']""")
_CELL = re.compile(
    rb"""<(?:\w+:)?c(?=\s)[^>]*?\sr=["']([A-Z]{1,3})([0-9]{1,7})["'](?:[^>]*[^>/])?>"""
)
"""A cell with content: a merely formatted one is written `<c …/>` and is not laid out by the reader."""
_ERROR = re.compile(rb"""<(?:\w+:)?c(?=\s)[^>]*?\st=["']e["'][^>]*>""")


@dataclass(frozen=True, slots=True)
class Extent:
    """Last row and column (from 1) that hold a cell, and the (row, column) of each error cell, from 0."""

    rows: int
    columns: int
    errors: tuple[tuple[int, int], ...]


_ODD = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, etree.XMLSyntaxError, NotImplementedError, RuntimeError)  # fmt: skip


def guard(data: bytes, place: str, limits: Limits) -> None:
    """Before a workbook is opened: what opening it unpacks. Raises `InputError` for bombs and ruins."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_sizes(archive, len(data), place, limits)
            for part in archive.namelist():
                if part.startswith("xl/") and "/worksheets/" not in part and part.endswith(".xml"):
                    for _ in _pieces(archive, part, place, limits):
                        pass
    except _ODD as error:
        raise broken(place) from error


def inspect(data: bytes, sheet: str, place: str, limits: Limits) -> Extent:
    """Extent and error cells of one sheet. Raises `InputError` for bombs and ruins."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            part = _part_of(archive, sheet, limits)
            return _extent(_pieces(archive, part, place, limits)) if part else Extent(0, 0, ())
    except _ODD as error:
        raise broken(place) from error


def broken(place: str) -> InputError:
    """The error for a workbook that cannot be read."""
    return InputError(
        "the workbook is damaged or not complete", "工作簿已损坏或不完整", place=place,
        fix_en="open it in Excel, save it again as .xlsx, and hand that in",
        fix_zh="请用 Excel 打开并另存为 .xlsx 后重新提交",
    )  # fmt: skip


def _bomb(place: str, limits: Limits) -> InputError:
    return InputError(
        f"the workbook unpacks to more than is believable (over {limits.max_unpacked_bytes:,} bytes, or {limits.max_ratio}-fold)",
        f"工作簿解压后大小异常（超过 {limits.max_unpacked_bytes:,} 字节，或超过 {limits.max_ratio} 倍）",
        place=place,
        fix_en="export the sheet again as CSV UTF-8",
        fix_zh="请重新导出为 CSV UTF-8",
    )


def _check_sizes(archive: zipfile.ZipFile, packed: int, place: str, limits: Limits) -> None:
    total = sum(info.file_size for info in archive.infolist())
    if total > limits.max_unpacked_bytes or (total > _SMALL and total > packed * limits.max_ratio):
        raise _bomb(place, limits)


def _pieces(archive: zipfile.ZipFile, part: str, place: str, limits: Limits) -> Iterator[bytes]:
    packed, seen = archive.getinfo(part).compress_size, 0
    with archive.open(part) as stream:
        while piece := stream.read(_PIECE):
            seen += len(piece)
            if seen > limits.max_unpacked_bytes or (
                seen > _SMALL and seen > max(packed, 1) * limits.max_ratio
            ):
                raise _bomb(place, limits)
            yield piece


def _xml(archive: zipfile.ZipFile, part: str) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    return etree.fromstring(archive.read(part), parser)


def _part_of(archive: zipfile.ZipFile, sheet: str, limits: Limits) -> str:
    """The part that holds a sheet, by way of the workbook's relations; "" where it cannot be told."""
    for part in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels"):
        if archive.getinfo(part).file_size > 16 * 1024 * 1024:
            raise zipfile.BadZipFile(part)
    ids: dict[str, str] = {}
    for node in _xml(archive, "xl/workbook.xml").iter("{*}sheet"):
        relation = next((v for k, v in node.attrib.items() if str(k).endswith("}id")), "")
        ids[str(node.get("name"))] = str(relation)
    for node in _xml(archive, "xl/_rels/workbook.xml.rels").iter("{*}Relationship"):
        if node.get("Id") == ids.get(sheet):
            target = str(node.get("Target"))
            part = posixpath.normpath(posixpath.join("xl", target)).lstrip("/")
            return part if part in archive.namelist() else ""
    return ""


def _extent(pieces: Iterator[bytes]) -> Extent:
    rows, letters, errors, carry = 0, set[bytes](), list[tuple[int, int]](), b""
    for piece in pieces:
        text = carry + piece
        stop = text.rfind(b"<")
        text, carry = text[:stop], text[stop:]
        if len(carry) > _PIECE:  # one text of megabytes: no tag begins in it
            carry = carry[-64:]
        places = _CELL.findall(text)
        letters.update(letter for letter, _ in places)
        rows = max(rows, max((int(n) for _, n in places), default=0))
        if b't="e"' in text or b"t='e'" in text:
            errors += [_cell(found.group()) for found in _ERROR.finditer(text)]
    columns = max((_column(letter) for letter in letters), default=0)
    return Extent(rows, columns, tuple(e for e in errors if e != (-1, -1)))


def _cell(tag: bytes) -> tuple[int, int]:
    found = _PLACE.search(tag)
    return (int(found.group(2)) - 1, _column(found.group(1)) - 1) if found else (-1, -1)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def letters(column: int) -> str:
    """Column 0 → `A`, 26 → `AA`: what Excel shows above a column."""
    text, column = "", column + 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text
