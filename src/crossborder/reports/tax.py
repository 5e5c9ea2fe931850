"""Tax for people: a table for the terminal, one shipment explained, and files with every line (CSV, XLSX)."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import polars as pl
from rich.table import Table

from crossborder import resources
from crossborder.errors import InputError
from crossborder.reports.cells import neutralised
from crossborder.reports.files import opened_whole
from crossborder.reports.terminal import plain_table
from crossborder.rules.tax import plain

Pair = tuple[str, str]
KINDS: dict[str, Pair] = {
    "W": ("行邮税", "postal articles"), "A": ("关税", "duty"), "Y": ("消费税", "consumption tax"), "L": ("增值税", "VAT"),
    "": ("", ""),
}  # fmt: skip
"""The kinds of tax, as the messages name them."""
_LINE_HEADS: dict[str, Pair] = {
    "sheet": ("工作表", "sheet"), "row": ("行", "row"), "shipment": ("分运单", "shipment"), "master": ("总运单", "master"),
    "line": ("项", "line"), "code": ("编号", "code"), "name": ("品名", "name"), "kind": ("税种", "tax"),
    "rule": ("规则", "rule"), "base_cny": ("计税基数", "base_cny"), "rate_pct": ("税率%", "rate_pct"),
    "amount_cny": ("税额", "amount_cny"), "status": ("状态", "status"), "basis": ("价格依据", "basis"),
    "how": ("算式", "how"), "note": ("说明", "note"), "source": ("来源", "source"),
}  # fmt: skip
_SHIPMENT_HEADS: dict[str, Pair] = {
    "sheet": ("工作表", "sheet"), "row": ("行", "row"), "shipment": ("分运单", "shipment"), "master": ("总运单", "master"),
    "class": ("类别", "class"), "direction": ("进出口", "direction"), "regime": ("计税方式", "regime"),
    "value_cny": ("完税价格", "value_cny"), "tax_cny": ("税额", "tax_cny"), "payable_cny": ("应缴", "payable_cny"),
    "outcome": ("结果", "outcome"), "rule": ("规则", "rule"), "note": ("说明", "note"),
    "fictional": ("虚构汇率或税率", "fictional"),
}  # fmt: skip
WORDS: dict[str, Pair] = {
    "computed": ("已算出", "computed"), "due": ("应缴", "due"), "not_collected": ("不征收", "not collected"),
    "not_taxed": ("不征税", "not taxed"), "not_evaluated": ("未能评估", "not evaluated"),
    "price": ("实际单价", "actual price"), "total": ("实际总价", "actual total"), "listed": ("表列完税价格", "listed price"),
    "postal": ("行邮税", "postal articles"), "goods": ("货物税（估算）", "goods, an estimate"),
    "ecommerce": ("跨境电商零售进口（估算）", "retail e-commerce, an estimate"), "none": ("", ""),
}  # fmt: skip
_LABELLED = ("status", "outcome", "basis", "regime")
_CSV_MARK = b"\xef\xbb\xbf"
_MOST_ROWS = 1_048_575
_MOST_CELL = 32_000
Write = Callable[[pl.DataFrame, pl.DataFrame], None]


def tax_table(lines: pl.DataFrame, lang: str) -> Table:
    """Lines as a terminal shows them: where, tax, rule, base, rate, amount."""
    at = 0 if lang == "zh" else 1
    names = (
        "shipment",
        "row",
        "line",
        "code",
        "kind",
        "rule",
        "base_cny",
        "rate_pct",
        "amount_cny",
    )
    heads = [_LINE_HEADS[name][at].replace("_cny", "").replace("_pct", " %") for name in names]
    rows = [[_shown(name, row, at, lang) for name in names] for row in lines.iter_rows(named=True)]
    table = plain_table(heads, rows)
    for column in table.columns[-3:]:
        column.justify = "right"
    return table


def _shown(name: str, row: dict[str, Any], at: int, lang: str) -> object:
    value = row[name]
    if name == "kind":
        return KINDS[value][at]
    if name == "line":
        return None if value is None else str(value + 1)
    if name == "row":
        return None if value is None else str(value)
    if name == "rate_pct" and value is not None:
        return plain_decimal(value)
    if name == "amount_cny" and value is None:
        return label(row["status"], lang)
    return f"{value:,.2f}" if isinstance(value, Decimal) else value


def plain_decimal(value: Decimal) -> str:
    """Without trailing zeros: 9.1000 → 9.1."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def tax_story(lines: pl.DataFrame, consignments: pl.DataFrame, lang: str) -> Iterator[str]:
    """Shipments in full sentences: each line with its sum written out, then what is collected and why."""
    at = 0 if lang == "zh" else 1
    for parcel in consignments.iter_rows(named=True):
        value = parcel["payable_cny"]
        said = label(parcel["outcome"], lang)
        yield (
            f"{parcel['shipment'] or '#' + str(parcel['row'])}  {parcel['class'] or ''}  {said}"
            + (f"  {value:,.2f}" if value is not None else "")
        )
        for line in lines.filter(pl.col("ship") == parcel["ship"]).iter_rows(named=True):
            number = "" if line["line"] is None else f"{line['line'] + 1}. "
            tax = " ".join(
                filter(None, (line["code"], line["name"], KINDS[line["kind"]][at], line["rule"]))
            )
            yield f"  {number}{tax}"
            yield from (
                f"     {text}" for text in (line[f"how_{lang}"], line[f"note_{lang}"]) if text
            )
        yield f"  → {parcel[f'note_{lang}']}"


def label(name: str, lang: str) -> str:
    """The word for an outcome, a status, a regime or a basis."""
    return WORDS[name][0 if lang == "zh" else 1]


@contextmanager
def tax_file(file: Path, lang: str) -> Iterator[Write]:
    """A file that takes lines and consignments as they come; it appears whole or not at all.

    `.csv` holds a row per line and tax with the columns of `crossborder.rules.tax.LINES` and, in the last ones, what
    its shipment pays; `.xlsx` holds two sheets. Raises `InputError` for another suffix, or if it cannot be written,
    `MissingExtra` without the extra `[report]`.
    """
    if file.suffix.lower() not in (".csv", ".xlsx"):
        raise InputError(
            f"a tax file is .csv or .xlsx, not {file.suffix or 'without a suffix'}",
            f"税额文件应为 .csv 或 .xlsx，而非 {file.suffix or '无扩展名'}", place=str(file),
        )  # fmt: skip
    as_csv = file.suffix.lower() == ".csv"
    with opened_whole(file) as out, _csv(out) if as_csv else _xlsx(out, file, lang) as write:
        yield write


@contextmanager
def _csv(out: IO[bytes]) -> Iterator[Write]:
    first = True

    def write(lines: pl.DataFrame, consignments: pl.DataFrame) -> None:
        nonlocal first
        pays = consignments.select(
            "ship", "class", "direction", "regime", "tax_cny", "payable_cny", "outcome", "fictional",
            outcome_rule="rule", outcome_zh="note_zh", outcome_en="note_en",
        )  # fmt: skip
        rows = lines.join(pays, on="ship", how="left", maintain_order="left").drop("ship")
        rows = rows.with_columns(pl.col("line") + 1, plain(pl.col("rate_pct")))
        texts = [name for name, kind in rows.schema.items() if kind == pl.String]
        if first:
            out.write(_CSV_MARK)
        rows.with_columns(neutralised(name) for name in texts).write_csv(out, include_header=first)
        first = False

    yield write


@contextmanager
def _xlsx(out: IO[bytes], file: Path, lang: str) -> Iterator[Write]:
    resources.require("report", "xlsxwriter")
    import xlsxwriter

    zh = lang == "zh"
    held = io.BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(held, options)
    try:
        sheets = [
            _Sheet(book, "分运单" if zh else "shipments", _SHIPMENT_HEADS, lang),
            _Sheet(book, "明细" if zh else "lines", _LINE_HEADS, lang),
        ]

        def write(lines: pl.DataFrame, consignments: pl.DataFrame) -> None:
            for sheet, frame in zip(sheets, (consignments, lines), strict=True):
                sheet.add(frame, file)

        yield write
        for sheet in sheets:
            sheet.finish()
    finally:
        book.close()
    out.write(held.getbuffer())


class _Sheet:
    """A sheet that grows row by row."""

    def __init__(self, book: Any, title: str, heads: dict[str, Pair], lang: str) -> None:
        self._lang = lang
        self._names = list(heads)
        self._sheet = book.add_worksheet(title)
        self._bold = book.add_format({"bold": True, "bg_color": "#EEF2F6", "bottom": 1})
        self._money = book.add_format({"num_format": "#,##0.00"})
        self._row = 0
        for column, name in enumerate(self._names):
            wide = 60 if name in ("how", "note") else 24 if name in ("name", "source") else 13
            self._sheet.set_column(column, column, wide)
        self._put([heads[name][0 if lang == "zh" else 1] for name in self._names], self._bold)
        self._sheet.freeze_panes(1, 0)

    def add(self, frame: pl.DataFrame, file: Path) -> None:
        """Further rows."""
        if self._row + frame.height > _MOST_ROWS:
            raise InputError(
                f"a sheet holds {_MOST_ROWS:,} rows at most", f"一个工作表最多 {_MOST_ROWS:,} 行", place=str(file),
                fix_en="write a .csv instead", fix_zh="请改用 .csv",
            )  # fmt: skip
        texts = [name for name in ("how", "note") if f"{name}_{self._lang}" in frame.columns]
        shown = frame.with_columns(pl.col(f"{name}_{self._lang}").alias(name) for name in texts)
        for row in shown.iter_rows(named=True):
            self._put([self._cell(name, row[name]) for name in self._names])

    def _cell(self, name: str, value: Any) -> Any:
        at = 0 if self._lang == "zh" else 1
        if value is None:
            return None
        if name == "kind":
            return KINDS[value][at]
        if name in _LABELLED:
            return label(value, self._lang)
        return value + 1 if name == "line" else value

    def _put(self, cells: Sequence[Any], style: Any = None) -> None:
        for column, cell in enumerate(cells):
            if isinstance(cell, bool):
                self._sheet.write_boolean(self._row, column, cell)
            elif isinstance(cell, int):
                self._sheet.write_number(self._row, column, cell)
            elif isinstance(cell, Decimal):
                self._sheet.write_number(self._row, column, float(cell), self._money)
            elif cell is not None:
                self._sheet.write_string(self._row, column, str(cell)[:_MOST_CELL], style)
        self._row += 1

    def finish(self) -> None:
        """Set the filters."""
        self._sheet.autofilter(0, 0, max(self._row - 1, 1), len(self._names) - 1)
