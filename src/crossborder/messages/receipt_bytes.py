"""Bytes of a receipt to text: by byte order mark, else by the XML declaration, else UTF-8."""

from __future__ import annotations

import codecs
import re

MAX_BYTES = 16 * 1024 * 1024
"""A manifest answer of 9,999 lines has about 3 MB; anything above this limit is refused unread."""

_DECLARED = re.compile(
    rb"""\s{0,64}<\?xml[^>]{0,128}?encoding\s{0,8}=\s{0,8}["']([A-Za-z0-9._-]{1,40})["']"""
)
_USUAL = b'<?xml version="1.0" encoding="UTF-8"'
_CODECS = {
    "utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "utf-8", "ascii": "utf-8",
    "gb18030": "gb18030", "gbk": "gb18030", "gb2312": "gb18030", "cp936": "gb18030",
    # a declaration that can be read byte by byte does not stand in UTF-16: the text was saved as UTF-8
    "utf-16": "utf-8", "utf-16le": "utf-8", "utf-16be": "utf-8",
}  # fmt: skip
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNMARKED = ((b"<\x00?\x00", "utf-16-le"), (b"\x00<\x00?", "utf-16-be"))


class Refused(Exception):
    """A receipt that is not read, with the reason in two languages. It becomes a row of `problems`."""

    def __init__(self, en: str, zh: str, message_type: str | None = None) -> None:
        super().__init__(en)
        self.en = en
        self.zh = zh
        self.message_type = message_type


def decode(data: bytes) -> str:
    """The text without byte order mark and outer white space. Raises `Refused`: too large, unknown or wrong encoding, empty."""
    if len(data) > MAX_BYTES:
        raise Refused(
            f"larger than {MAX_BYTES // 1024 // 1024} MB",
            f"超过 {MAX_BYTES // 1024 // 1024} MB，未读取",
        )
    body, codec = _codec(data)
    try:
        text = body.decode(codec)
    except UnicodeDecodeError as error:
        raise Refused(
            f"not {codec.upper()} text (byte {error.start})",
            f"不是 {codec.upper()} 编码的文本（第 {error.start} 字节）",
        ) from error
    text = text.strip(" \t\r\n")
    if not text:
        raise Refused("empty", "内容为空")
    return text


def _codec(data: bytes) -> tuple[bytes, str]:
    if data.startswith(_USUAL):
        return data, "utf-8"
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :], codec
    for start, codec in _UNMARKED:
        if data.startswith(start):
            return data, codec
    declared = _DECLARED.match(data)
    name = declared.group(1).decode("ascii").lower() if declared else "utf-8"
    if name not in _CODECS:
        raise Refused(f"unknown encoding {name!r}", f"无法识别的编码 {name!r}")
    return data, _CODECS[name]
