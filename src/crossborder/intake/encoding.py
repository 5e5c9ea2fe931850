"""Text of unknown encoding to UTF-8 bytes: a byte order mark decides, else UTF-8, else GB18030."""

from __future__ import annotations

import codecs
import re

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


def to_utf8(data: bytes, place: str, named: str = "") -> tuple[bytes, str]:
    """UTF-8 bytes without mark and with `\\n` line ends, and the name of the encoding found.

    `named` forces an encoding (a mapping may name one). Raises `InputError` naming the place of the first
    byte that does not fit.
    """
    found, body = _detect(data, place, named)
    if b"\r" in body:
        body = body.replace(b"\r\n", b"\n")
        if b"\n" not in body:
            body = body.replace(b"\r", b"\n")
    return body, found


def _detect(data: bytes, place: str, named: str) -> tuple[str, bytes]:
    if named:
        return named, _decode(data, named, place).removeprefix("\ufeff").encode()
    for mark, name in _MARKS:
        if data.startswith(mark):
            if name == "utf-8":
                body = data[len(mark) :]
                return (name, body) if _is_utf8(body) else _fail_utf8(body, place)
            return name, _decode(data, name, place).encode()
    if data[:4096].count(0) * 10 > min(len(data), 4096):
        raise _wrong(
            "many zero bytes: binary, or UTF-16 without its mark",
            "含大量零字节：二进制文件或无标记的 UTF-16",
            place,
        )
    if _is_utf8(data):
        return "utf-8", data
    if _mostly_utf8(data):
        return _fail_utf8(data, place)
    text = _decode(data, "gb18030", place)
    if len(_PRIVATE.findall(text)) * 50 > sum(len(run) for run in _HIGH.findall(data)) // 2:
        raise _wrong("neither UTF-8 nor GB18030", "既不是 UTF-8 也不是 GB18030", place)
    return "gb18030", text.encode()


def _is_utf8(data: bytes) -> bool:
    try:
        checked = pl.Series([data], dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.PolarsError:
        return False
    return checked.null_count() == 0


def _mostly_utf8(data: bytes) -> bool:
    """Whether nearly all bytes above 127 form UTF-8 characters: a damaged file, not another encoding."""
    high = sum(len(run) for run in _HIGH.findall(data))
    good = sum(len(run) for run in _MULTIBYTE.findall(data))
    return good * 10 >= high * 9


def _fail_utf8(data: bytes, place: str) -> tuple[str, bytes]:
    _decode(data, "utf-8", place)
    raise AssertionError("unreachable: the bytes were found not to be UTF-8")


def _decode(data: bytes, name: str, place: str) -> str:
    try:
        return data.decode(name)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _wrong(
            f"not {name}: line {line:,}, byte {error.start:,}",
            f"不是 {name} 编码：第 {line:,} 行，第 {error.start:,} 字节",
            place,
        ) from error
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
