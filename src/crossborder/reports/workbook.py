"""The day's report as a workbook: a sheet per section; cells are written as text or number, never as formula."""

from __future__ import annotations

import io
from collections.abc import Sequence

from crossborder import resources
from crossborder.reports.account import account_rows, adds_up
from crossborder.reports.day import SECTIONS, DayReport
from crossborder.reports.labels import label

_MOST_CELL = 32_000
Cell = str | int


def workbook(report: DayReport, lang: str) -> bytes:
    """The bytes of the workbook. Raises `MissingExtra` without the extra `[report]`."""
    resources.require("report", "xlsxwriter")
    import xlsxwriter

    held = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(held, options) as book:
        bold = book.add_format({"bold": True, "bg_color": "#EEF2F6", "bottom": 1})
        number = book.add_format({"num_format": "#,##0"})
        for title, heads, rows in _sheets(report, lang):
            sheet = book.add_worksheet(title)
            sheet.write_row(0, 0, heads, bold)
            sheet.freeze_panes(1, 0)
            for at, row in enumerate(rows, 1):
                for column, cell in enumerate(row):
                    if isinstance(cell, int):
                        sheet.write_number(at, column, cell, number)
                    else:
                        sheet.write_string(at, column, cell[:_MOST_CELL])
            if rows:
                sheet.autofilter(0, 0, len(rows), len(heads) - 1)
            sheet.autofit(600)
    return held.getvalue()


def _sheets(report: DayReport, lang: str) -> list[tuple[str, list[str], Sequence[Sequence[Cell]]]]:
    zh = lang == "zh"
    account: list[list[Cell]] = [
        [label(name, lang), shipments, rows]
        for name, shipments, rows in account_rows(report.account)
    ]
    verdict = ("平" if zh else "adds up") if adds_up(report.account) else ("不平！" if zh else "DOES NOT ADD UP")  # fmt: skip
    account.append([verdict])
    if report.sandbox:
        account.append(["SANDBOX 模拟口岸" if zh else "SANDBOX: the simulated port"])
    account.append([f"{report.title}  {report.made_at[:19].replace('T', ' ')}"])
    heads = ["去向", "分运单", "行"] if zh else ["where", "shipments", "rows"]
    sheets: list[tuple[str, list[str], Sequence[Sequence[Cell]]]] = [("总账" if zh else "Account", heads, account)]  # fmt: skip
    for section in SECTIONS:
        found = getattr(report, section.rows)
        columns = section.shown(found, lang)
        rows = [[column.value(row, lang) for column in columns] for row in found]
        title = section.title(lang).partition("（")[0]
        sheets.append((title, [c.head(lang) for c in columns], rows))
    return sheets
