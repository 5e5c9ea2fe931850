"""From a path to a file that is open, with every reason why that fails said clearly."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from crossborder.errors import InputError
from crossborder.intake.encoding import changed
from crossborder.intake.limits import Limits

SUFFIXES = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".xlsx": "excel", ".xlsm": "excel", ".xls": "excel",
    ".parquet": "parquet", ".json": "json", ".ndjson": "ndjson", ".jsonl": "ndjson",
}  # fmt: skip
_KNOWN = "csv, tsv, txt, xlsx, xlsm, xls, parquet, json, ndjson"
_PASS = 1 << 20
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def kind_of(path: Path) -> str:
    """`csv`, `excel`, `parquet`, `json` or `ndjson`, by the name's ending. Raises `InputError`."""
    kind = SUFFIXES.get(path.suffix.lower())
    if kind is None:
        raise InputError(
            f"files of this kind are not read: {path.suffix or 'no ending'}",
            f"不支持此类文件：{path.suffix or '无扩展名'}",
            place=path.name,
            fix_en=f"known kinds: {_KNOWN}",
            fix_zh=f"支持的类型：{_KNOWN}",
        )
    return kind


class SourceFile:
    """A file that was opened once, so that every pass over it reads the same one. A context manager.

    `size` in bytes, `digest` the SHA-256 (hex) of all of them. Raises `InputError` naming the file and the
    remedy: where there is none, where it is a folder, locked, empty, or larger than allowed.
    """

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path, self.name, self._limits = path, path.name, limits
        with _refusing(path):
            if path.is_dir():
                raise InputError(
                    "this is a folder, not a file", "这是文件夹，不是文件", place=str(path),
                    fix_en="name one file", fix_zh="请指定一个文件",
                )  # fmt: skip
            self.kind = kind_of(path)
            self.file: BinaryIO = path.open("rb")
        try:
            with _refusing(path):
                self._survey()
        except InputError:
            self.close()
            raise

    def _survey(self) -> None:
        if not self.file.seekable():  # a pipe: what it holds is kept, within the limit
            with self.file as pipe:
                self.file = io.BytesIO(pipe.read(self._limits.max_bytes + 1))
        self._stamp = self._now()
        if self._stamp[0] > self._limits.max_bytes:
            raise _too_large(self.path, self._stamp[0], self._limits)
        total, self.size, blank, beginning = hashlib.sha256(), 0, True, b""
        while data := self.file.read(_PASS):
            total.update(data)
            beginning = beginning or data[: len(_OLE)]
            blank = blank and data.isspace()
            self.size += len(data)
            if self.size > self._limits.max_bytes:
                raise _too_large(self.path, self.size, self._limits)
        if blank:
            raise empty(self.name)
        self.digest = total.hexdigest()
        check_magic(beginning, self.path, self.kind)

    def read(self) -> bytes:
        """All of it. Raises `InputError`."""
        with _refusing(self.path):
            self.file.seek(0)
            data = self.file.read()
        if hashlib.sha256(data).hexdigest() != self.digest:
            raise changed(self.name)
        return data

    def refuse_changed(self) -> None:
        """Raise `InputError` if the file is no longer what it was when it was opened."""
        with _refusing(self.path):
            if self._now() != self._stamp:
                raise changed(self.name)

    def _now(self) -> tuple[int, int]:
        """Size and time of the last change."""
        if isinstance(self.file, io.BytesIO):
            return self.file.getbuffer().nbytes, 0
        found = os.fstat(self.file.fileno())
        return found.st_size, found.st_mtime_ns

    def close(self) -> None:
        """Let go of the file."""
        self.file.close()


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """What the operating system refuses, as an `InputError`."""
    try:
        yield
    except FileNotFoundError as error:
        raise InputError(
            "there is no such file", "文件不存在", place=str(path),
            fix_en="check the name and the folder", fix_zh="请检查文件名和所在文件夹",
        ) from error  # fmt: skip
    except OSError as error:
        raise InputError(
            f"the file cannot be opened ({type(error).__name__})",
            f"文件无法打开（{type(error).__name__}）",
            place=str(path),
            fix_en="close it in other programs, and check that you may read it",
            fix_zh="请在其他程序中关闭该文件，并检查读取权限",
        ) from error


def check_magic(beginning: bytes, path: Path, kind: str) -> None:
    """Raise `InputError` where the content is plainly of another kind than the name says."""
    office = beginning.startswith((_ZIP, _OLE))
    if kind == "excel" and not office:
        raise InputError(
            "this is not an Excel workbook, although its name says so",
            "文件内容不是 Excel 工作簿，与扩展名不符",
            place=path.name,
            fix_en="open it in Excel and save it as .xlsx; if it is text, name it .csv",
            fix_zh="请用 Excel 打开后另存为 .xlsx；若为文本，请改名为 .csv",
        )
    if kind in ("csv", "json", "ndjson") and office:
        raise InputError(
            "this is an Excel workbook or archive, although its name says text",
            "文件内容是 Excel 工作簿或压缩包，与扩展名不符",
            place=path.name,
            fix_en="give it its right ending, such as .xlsx",
            fix_zh="请改回正确的扩展名，如 .xlsx",
        )


def empty(place: str) -> InputError:
    """The error for a file without content."""
    return InputError(
        "the file is empty", "文件为空", place=place,
        fix_en="export it again", fix_zh="请重新导出",
    )  # fmt: skip


def header_only(place: str) -> InputError:
    """The error for a file whose header is followed by no row."""
    return InputError(
        "there is a header but no row below it", "只有表头，没有数据行", place=place,
        fix_en="export it again with its rows", fix_zh="请连同数据行重新导出",
    )  # fmt: skip


def _too_large(path: Path, size: int, limits: Limits) -> InputError:
    return InputError(
        f"{size:,} bytes; at most {limits.max_bytes:,} are read",
        f"文件 {size:,} 字节，最多读取 {limits.max_bytes:,} 字节",
        place=path.name,
        fix_en="split the file, or raise intake.max_bytes in the settings",
        fix_zh="请拆分文件，或在设置中调高 intake.max_bytes",
    )
