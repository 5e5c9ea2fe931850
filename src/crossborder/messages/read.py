"""Receipts to frames: EXP302 and EXP312, in every spelling that was seen. Never raises for bad content."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import polars as pl

from crossborder.messages.receipt_bytes import Refused, decode
from crossborder.messages.receipt_lot import Documents, Texts, joined, take
from crossborder.messages.receipt_map import COLUMNS, ReceiptGroup, receipt_map
from crossborder.messages.receipt_skeleton import Skeleton, skeletons
from crossborder.messages.receipt_time import china_digits
from crossborder.messages.receipt_tree import Row, parser, read_tree

LINES: dict[str, pl.DataType | type[pl.DataType]] = {
    "name": pl.String,
    "index": pl.UInt32,
    "line": pl.UInt32,
    "message_type": pl.String,
    **dict.fromkeys(COLUMNS, pl.String),
}
"""Columns of `ReceiptSet.lines`."""
PROBLEMS: dict[str, pl.DataType | type[pl.DataType]] = {
    "index": pl.UInt32,
    "name": pl.String,
    "message_type": pl.String,
    "reason_zh": pl.String,
    "reason_en": pl.String,
}
"""Columns of `ReceiptSet.problems`; `message_type` is null where it could not be told."""

_LOT_BYTES = 4 * 1024 * 1024
"""Bytes of documents that are laid end to end: what is held beside the frames."""
_NOTHING = pl.DataFrame(schema={n: t for n, t in LINES.items() if n != "name"})
_Problem = tuple[int, str | None, str, str]
"""(index, message type, reason in Chinese, in English)."""


@dataclass(frozen=True)
class ReceiptSet:
    """What a pile of receipts says.

    `lines`: one row per head (line 0) and per house line (from 1), columns `LINES`; empty text is null;
    `op_time` has 17 digits (yyyyMMddHHmmssSSS, China time). `problems`: one row per receipt that was not
    read. Every item is in exactly one of the two, by `index`, its position among the items.
    """

    lines: pl.DataFrame
    problems: pl.DataFrame


def read_receipts(items: Iterable[tuple[str, bytes]]) -> ReceiptSet:
    """Read (name, bytes) pairs. Bad content becomes a row of `problems`; nothing is raised for it."""
    return _read(items, skeletons())


def read_receipts_carefully(items: Iterable[tuple[str, bytes]]) -> ReceiptSet:
    """The same without the fast path: every document is parsed by libxml2 (used to prove the fast path)."""
    return _read(items, ())


def _read(items: Iterable[tuple[str, bytes]], fast: Sequence[Skeleton]) -> ReceiptSet:
    items = list(items)
    found: list[Texts] = []
    problems: list[_Problem] = []
    for left in _lots([data for _, data in items]):
        for skeleton in fast:
            if left:
                proven, left = take(skeleton, left)
                found += proven
        found += _parsed(left, problems)
    lines = pl.concat([_NOTHING, *(_frame(rows) for rows in joined(found))])
    unusable = _unusable(lines)
    if unusable.height:
        lines = lines.join(unusable, on="index", how="anti")
    said = pl.DataFrame(problems, schema=unusable.schema, orient="row")
    names = pl.Series("name", [name for name, _ in items], dtype=pl.String)
    return ReceiptSet(
        _named(lines.sort("index", "line"), names).select(list(LINES)),
        _named(pl.concat([said, unusable]).sort("index"), names).select(list(PROBLEMS)),
    )


def _lots(documents: Sequence[bytes]) -> Iterator[Documents]:
    """All documents in lots of about `_LOT_BYTES`."""
    ends = list(accumulate(map(len, documents)))
    first = 0
    while first < len(documents):
        before = ends[first - 1] if first else 0
        last = bisect_left(ends, before + _LOT_BYTES, first) + 1
        yield dict(zip(range(first, last), documents[first:last], strict=False))
        first = last


def _parsed(documents: Documents, problems: list[_Problem]) -> list[Texts]:
    """The careful path: rows of each document by libxml2; what cannot be read is added to `problems`."""
    using = parser()
    found: dict[tuple[str, str], tuple[ReceiptGroup, list[tuple[int, Row]]]] = {}
    for index, data in documents.items():
        try:
            message, rows = read_tree(decode(data), using)
        except Refused as why:
            problems.append((index, why.message_type, why.zh, why.en))
            continue
        for group, row in rows:
            found.setdefault((message, group.name), (group, []))[1].append((index, row))
    return [
        Texts(
            message,
            group,
            pl.Series([index for index, _ in rows], dtype=pl.UInt32),
            pl.Series([line for _, (line, _) in rows], dtype=pl.UInt32),
            [
                pl.Series(texts, dtype=pl.String)
                for texts in zip(*(t for _, (_, t) in rows), strict=True)
            ],
        )
        for (message, _), (group, rows) in found.items()
    ]


def _frame(rows: Texts) -> pl.DataFrame:
    """Rows of one group as a frame of `LINES` without `name`; outer white space off, empty is null."""
    of_element = dict(zip(rows.group.elements, rows.texts, strict=True))
    height = rows.index.len()
    columns = {
        column: of_element[element].str.strip_chars(" \t\r\n").replace("", None)
        for column, element in rows.group.columns.items()
    }
    if "op_time" in columns:
        columns["op_time"] = china_digits(columns["op_time"])
    absent = pl.repeat(None, height, dtype=pl.String, eager=True)
    message = pl.repeat(rows.message, height, dtype=pl.String, eager=True)
    return pl.DataFrame(
        {
            "index": rows.index, "line": rows.line, "message_type": message,
            **{column: columns.get(column, absent) for column in COLUMNS},
        }
    )  # fmt: skip


def _named(rows: pl.DataFrame, names: pl.Series) -> pl.DataFrame:
    return rows.with_columns(names.gather(rows["index"]))


def _unusable(lines: pl.DataFrame) -> pl.DataFrame:
    """One problem for each receipt that says too little to be of use: no code, no key, no moment."""
    strict = [m for m in lines["message_type"].unique() if receipt_map(m).missing_time == "refuse"]
    nameless = pl.all_horizontal(
        pl.any_horizontal(pl.col("master_waybill").is_null(), (pl.col("line") > 0) & pl.col("house_waybill").is_null()),
        pl.col("pre_entry_id").is_null(),
        pl.col("entry_id").is_null(),
    )  # fmt: skip
    faults = (
        (pl.col("code").is_null(), "没有回执状态代码", "it holds no result code"),
        (nameless, "没有运单号，也没有报关单号", "it names neither waybill nor declaration"),
        (
            pl.col("message_type").is_in(strict) & pl.col("op_time").is_null(),
            "操作时间缺失或无法识别",
            "its time is missing or unreadable",
        ),
    )
    parts = [
        lines.filter(fails).select(
            "index", "message_type",
            pl.lit(zh).alias("reason_zh"), pl.lit(en).alias("reason_en"),
        )
        for fails, zh, en in faults
    ]  # fmt: skip
    return pl.concat(parts).unique("index", keep="first", maintain_order=True)
