"""What a finding of the compiled specification says, in Chinese and English."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from crossborder import schema

LENGTH = "_length"
"""Column with the number of characters of the value, for texts that name it."""
_DIGITS = re.compile(r"\[0-9\]\{(\d+)\}")


@dataclass(frozen=True)
class Text:
    """A finding's texts; `zh` and `en` are expressions where they name what was found, such as its length."""

    zh: str | pl.Expr
    en: str | pl.Expr
    fix_zh: str
    fix_en: str
    suggest: str | None = None


def label(element: schema.Element) -> str:
    """`毛重（GrossWt）`."""
    return f"{element.label_zh}（{element.name}）"


def required(element: schema.Element, when: tuple[str, str]) -> Text:
    """Empty, although it must be filled."""
    return Text(
        f"{label(element)}必须填写{when[0]}",
        f"{element.name} must be filled{when[1]}",
        f"填写{element.label_zh}",
        f"fill in {element.name}",
    )


def must_be_empty(element: schema.Element, when: tuple[str, str]) -> Text:
    """Filled, although it must be empty."""
    return Text(
        f"{label(element)}应为空{when[0]}",
        f"{element.name} must be empty{when[1]}",
        f"清空{element.label_zh}",
        f"leave {element.name} empty",
    )


def facet(element: schema.Element, name: str) -> Text:
    """The value breaks a facet of its simple type."""
    said, en_name = label(element), element.name
    total, places = element.total_digits or 0, element.fraction_digits or 0
    length = pl.col(LENGTH).cast(pl.String)
    if name == "maxLength":
        most = element.max_length
        return Text(
            pl.concat_str(pl.lit(f"{said}有 "), length, pl.lit(f" 个字符，最多 {most} 个")),
            pl.concat_str(
                pl.lit(f"{en_name} has "), length, pl.lit(f" characters, at most {most} fit")
            ),
            f"缩短至 {most} 个字符以内",
            f"shorten it to {most} characters",
        )
    if name == "minLength":
        least = element.min_length
        return Text(
            pl.concat_str(pl.lit(f"{said}只有 "), length, pl.lit(f" 个字符，至少 {least} 个")),
            pl.concat_str(
                pl.lit(f"{en_name} has "),
                length,
                pl.lit(f" characters, at least {least} are needed"),
            ),
            f"补足至 {least} 个字符",
            f"give at least {least} characters",
        )
    fixed = {
        "type": (
            f"{said}不是数字", f"{en_name} is not a number",
            "只写数字，小数用一个半角小数点", "write digits, with one point where there are decimals",
        ),
        "totalDigits": (
            f"{said}位数过多，整数部分最多 {total - places} 位",
            f"{en_name} has too many digits, at most {total - places} before the point",
            f"整数部分不超过 {total - places} 位", f"keep at most {total - places} digits before the point",
        ),
        "fractionDigits": _fraction(said, en_name, places),
        "pattern": _pattern(said, element),
        "enumeration": (
            f"{said}只能为 {'、'.join(element.enumeration)}",
            f"{en_name} can only be {', '.join(element.enumeration)}",
            "改为允许的值", "use one of the allowed values",
        ),
    }  # fmt: skip
    zh, en, fix_zh, fix_en = fixed[name]
    return Text(zh, en, fix_zh, fix_en)


def _fraction(said: str, en_name: str, places: int) -> tuple[str, str, str, str]:
    if places == 0:
        return (
            f"{said}必须为整数",
            f"{en_name} must be a whole number",
            "改为整数",
            "use a whole number",
        )
    return (
        f"{said}最多 {places} 位小数", f"{en_name} has more than {places} decimals",
        f"四舍五入至 {places} 位小数以内", f"round it to {places} decimals",
    )  # fmt: skip


def _pattern(said: str, element: schema.Element) -> tuple[str, str, str, str]:
    dates = {"Date": "yyyyMMdd", "DateTime": "yyyyMMddHHmmss"}
    if element.type_name in dates:
        form = dates[element.type_name]
        return (
            f"{said}不是有效的日期（{form}）", f"{element.name} is not a date of the calendar ({form})",
            f"按 {form} 填写有效日期", f"give a real date as {form}",
        )  # fmt: skip
    return (
        f"{said}不符合规定的格式", f"{element.name} does not have the prescribed form",
        "按规定格式填写", "give it in the prescribed form",
    )  # fmt: skip


def form(element: schema.Element, pattern: str, when: tuple[str, str]) -> Text:
    """A code that has not even the shape of one."""
    digits = _DIGITS.fullmatch(pattern)
    zh, en = (f"{digits[1]} 位数字", f"{digits[1]} digits") if digits else (pattern, pattern)
    return Text(
        f"{label(element)}的代码应为 {zh}{when[0]}",
        f"the code in {element.name} must be {en}{when[1]}",
        "改用海关代码",
        "use the customs code",
    )


def allowed(element: schema.Element, values: tuple[str, ...], when: tuple[str, str]) -> Text:
    """A value outside a short list."""
    return Text(
        f"{label(element)}只能为 {'、'.join(values)}{when[0]}",
        f"{element.name} can only be {', '.join(values)}{when[1]}",
        f"改为 {'、'.join(values)}" + (" 之一" if len(values) > 1 else ""),
        f"use {', '.join(values)}" if len(values) == 1 else f"use one of {', '.join(values)}",
        values[0] if len(values) == 1 else None,
    )


def not_in_table(element: schema.Element, title_zh: str, title_en: str) -> Text:
    """A code that a complete table does not hold."""
    return Text(
        f"{label(element)}的代码不在“{title_zh}”表中",
        f"the code in {element.name} is not in the table of {title_en}",
        "查表改正：crossborder codes",
        "look it up: crossborder codes",
    )


def not_looked_up(
    element: schema.Element, title: tuple[str, str], count: int, values: int
) -> tuple[str, str]:
    """A code that an incomplete or missing table cannot judge; `values` 0: one value, else how many."""
    zh_title, en_title = title
    if values:
        return (
            f"{label(element)}未核对：没有“{zh_title}”表（{values} 个不同的值，共 {count} 处）",
            f"{element.name} was not looked up: there is no table of {en_title} ({values} different values, {count} times)",
        )
    return (
        f"{label(element)}未核对：“{zh_title}”表不完整，其中没有该代码（共 {count} 处）",
        f"{element.name} was not looked up: the table of {en_title} is incomplete and does not hold this code ({count} times)",
    )
