"""JSON and NDJSON records, flat in a mapping's shape or nested with `goods` and `documents`.

Numbers keep the digits they were written with. A record that is no object is a shipment of its own with a
finding; only a file that is not JSON at all is an error.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from crossborder.china_time import CHINA
from crossborder.errors import InputError
from crossborder.intake.grid import Broken
from crossborder.intake.typed import plain_number

NESTS = ("goods", "documents")


class TwiceError(ValueError):
    """A key occurs twice in one object."""


@dataclass(frozen=True)
class Records:
    """Objects with their record numbers from 1, and the records that are none."""

    items: Sequence[Mapping[str, Any]]
    rows: Sequence[int]
    broken: Sequence[Broken]


def parse_json(text: str, place: str) -> Records:
    """A JSON array of objects, or `{"shipments": [...]}`. Raises `InputError` naming line and column."""
    try:
        data = _loads(text)
    except json.JSONDecodeError as error:
        raise _not_json(
            f"line {error.lineno}, column {error.colno}: {error.msg}",
            f"第 {error.lineno} 行第 {error.colno} 列：{error.msg}",
            place,
        ) from error
    except TwiceError as error:
        raise _not_json(
            f"the key {error} occurs twice in one object", f"同一对象中键 {error} 重复", place
        ) from error
    except RecursionError as error:
        raise _not_json("nested too deeply", "嵌套过深", place) from error
    if isinstance(data, dict) and isinstance(data.get("shipments"), list):
        data = data["shipments"]
    if not isinstance(data, list):
        raise _not_json("an array of objects is expected", "应为对象数组", place)
    return sort_out(data)


def parse_ndjson(text: str, first: int = 1) -> Records:
    """One object a line; a line that is none is a broken record. Blank lines are not counted.

    `first` is the number of the first record.
    """
    items: list[Any] = []
    kinds: dict[int, str] = {}
    for line in text.split("\n"):
        if not line.strip():
            continue
        try:
            items.append(_loads(line))
        except TwiceError:
            kinds[len(items)] = "json-twice"
            items.append(None)
        except (json.JSONDecodeError, RecursionError):
            items.append(None)
    return sort_out(items, kinds, first)


def sort_out(
    items: Iterable[Any], kinds: Mapping[int, str] | None = None, first: int = 1
) -> Records:
    """Objects and the rest, numbered from `first`; `kinds` says of what kind some broken ones are."""
    good: list[Mapping[str, Any]] = []
    rows: list[int] = []
    broken: list[Broken] = []
    for at, item in enumerate(items):
        if isinstance(item, Mapping):
            good.append(item)
            rows.append(first + at)
        else:
            broken.append(Broken(first + at, (kinds or {}).get(at, "json")))
    return Records(good, rows, broken)


def is_nested(items: Sequence[Mapping[str, Any]], *, first: bool = True) -> bool:
    """Whether records carry goods or documents, or canonical names without a flat record's prefixes.

    Only the `first` records of a source are looked at for names.
    """
    if any(isinstance(item.get(n), list | tuple) for item in items for n in NESTS):
        return True
    if not first:
        return False
    keys = {key for item in items[:100] for key in item}
    return "house_waybill" in keys and not any(k.startswith(("goods_", "document_")) for k in keys)


def is_several(value: object) -> bool:
    """Whether a value is no single one."""
    return isinstance(value, dict | list | tuple | set | Mapping)


def column(values: Iterable[Any]) -> tuple[pl.Series, list[int]]:
    """Text of JSON or Python values, and the positions of those that are no single value."""
    texts: list[str | None] = []
    nested: list[int] = []
    for at, value in enumerate(values):
        if value is None or isinstance(value, str):
            texts.append(value)
        elif is_several(value):
            nested.append(at)
            texts.append(None)
        else:
            texts.append(text_of(value))
    try:
        return pl.Series(texts, dtype=pl.String), nested
    except UnicodeEncodeError:  # lone surrogates, which JSON can spell but no text can hold
        clean = [
            t if t is None else t.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            for t in texts
        ]
        return pl.Series(clean, dtype=pl.String), nested


def text_of(value: object) -> str:
    """Canonical text of one Python value: dates as digits, numbers without exponent, true as 1."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, datetime):
        local = value.astimezone(CHINA) if value.tzinfo else value
        return local.strftime("%Y%m%d%H%M%S")
    if isinstance(value, date):
        return value.strftime("%Y%m%d")
    if isinstance(value, float | Decimal):
        return plain_number(str(value))
    return str(value)


def _loads(text: str) -> Any:
    return json.loads(
        text, parse_float=plain_number, parse_int=str, parse_constant=str, object_pairs_hook=_once
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        raise TwiceError(Counter(key for key, _ in pairs).most_common(1)[0][0])
    return table


def _not_json(en: str, zh: str, place: str) -> InputError:
    return InputError(
        f"the file is not usable JSON: {en}", f"文件不是可用的 JSON：{zh}", place=place,
        fix_en="mend it at that place", fix_zh="请在该处更正",
    )  # fmt: skip
