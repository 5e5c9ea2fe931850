"""Refusals of the simple-type compiler: one exception, a fixed set of reasons."""

from __future__ import annotations

from typing import Final

from crossborder.errors import UnsupportedType

REASONS: Final = {
    "invalid": ("is not a valid schema", "不是有效的模式定义"),
    "document": ("cannot be read", "无法读取"),
    "outside": ("lies outside the schema's folder", "位于模式文件夹之外"),
    "unknown-type": ("is not defined", "未定义"),
    "nesting": ("is nested or derived too deep", "嵌套或派生层次过深"),
    "redefine": ("is changed by xs:redefine", "由 xs:redefine 重定义"),
    "context": ("needs the document around the value", "需要值所在的整份文档"),
    "union-facets": (
        "restricts a union inside a union, which drops its facets by Part 1, 3.14.2, and keeps them by XSD 1.1",
        "联合类型的成员是受限的联合类型，各版标准解释不一",
    ),
    "uri": (
        "enumerates a URI with characters that RFC 2396 calls unwise, on which the W3C's rulings differ",
        "枚举的 URI 含 RFC 2396 不建议的字符，各方解释不一",
    ),
    "pattern": (
        "has a pattern that the grammar of regular expressions does not derive",
        "模式不符合正则表达式语法",
    ),
    "block": (
        "names a block of Unicode that XML Schema 1.0 does not list",
        "引用了未列出的 Unicode 区段",
    ),
    "pattern-size": ("has a pattern too large to compile", "模式过大，无法编译"),
    "bound": (
        "has a bound or an enumerated value too large to compare",
        "边界值或枚举值过大，无法比较",
    ),
}
"""Reason → what is said of the type, in English and Chinese."""


def refuse(reason: str, detail: str, *, place: str = "") -> UnsupportedType:
    """The exception to raise: `reason` is one of `REASONS`, `detail` names what was met (no personal data)."""
    english, chinese = REASONS[reason]
    return UnsupportedType(reason, f"{english}: {detail}", f"{chinese}：{detail}", place=place)
