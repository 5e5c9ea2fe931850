"""Receipts to frames: EXP302 and EXP312, in every spelling that was seen. Never raises for bad content."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl
from lxml import etree

from crossborder.messages.receipt_bytes import Refused, decode
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
    return _read(items, {})


def _read(items: Iterable[tuple[str, bytes]], fast: dict[str, Skeleton]) -> ReceiptSet:
    names: list[str] = []
    found: dict[tuple[str, str], tuple[ReceiptGroup, list[tuple[int, Row]]]] = {}
    problems: list[tuple[int, str | None, str, str]] = []
    careful = parser()
    for index, (name, data) in enumerate(items):
        names.append(name)
        try:
            message, rows = _one(data, fast, careful)
        except Refused as why:
            problems.append((index, why.message_type, why.zh, why.en))
            continue
        for group, row in rows:
            found.setdefault((message, group.name), (group, []))[1].append((index, row))
    parts = [_frame(message, group, rows) for (message, _), (group, rows) in found.items()]
    lines = pl.concat(parts) if parts else pl.DataFrame(schema=LINES).drop("name")
    unusable = _unusable(lines)
    lines = lines.join(unusable, on="index", how="anti")
    shape = {n: t for n, t in PROBLEMS.items() if n != "name"}
    said = pl.DataFrame(problems, schema=shape, orient="row")
    known = pl.DataFrame({"name": names}, schema={"name": pl.String}).with_row_index()
    return ReceiptSet(
        lines.join(known, on="index").select(list(LINES)).sort("index", "line"),
        pl.concat([said, unusable]).join(known, on="index").select(list(PROBLEMS)).sort("index"),
    )


def _one(
    data: bytes, fast: dict[str, Skeleton], careful: etree.XMLParser
) -> tuple[str, list[tuple[ReceiptGroup, Row]]]:
    text = decode(data)
    for start, skeleton in fast.items():
        if start in text and (rows := skeleton.rows(text)) is not None:
            return skeleton.shape.message, rows
    return read_tree(text, careful)


def _frame(message: str, group: ReceiptGroup, rows: list[tuple[int, Row]]) -> pl.DataFrame:
    """Rows of one group as a frame of `LINES` without `name`; outer white space off, empty is null."""
    texts = zip(*(row[1] for _, row in rows), strict=True)
    values = {
        name: pl.Series(name, column, dtype=pl.String)
        for name, column in zip(group.elements, texts, strict=True)
    }
    clean = {c: pl.col(e).str.strip_chars(" \t\r\n") for c, e in group.columns.items()}
    missing = pl.lit(None, dtype=pl.String)
    return pl.DataFrame(values).select(
        pl.Series("index", [i for i, _ in rows], dtype=pl.UInt32),
        pl.Series("line", [row[0] for _, row in rows], dtype=pl.UInt32),
        pl.lit(message).alias("message_type"),
        *(
            pl.when(clean[c] != "").then(clean[c]).alias(c) if c in clean else missing.alias(c)
            for c in COLUMNS
        ),
    ).with_columns(china_digits(pl.col("op_time")).alias("op_time"))  # fmt: skip


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
