"""The day's report as a workbook: a sheet per section; cells are written as text or number, never as formula."""

from __future__ import annotations

from crossborder.reports.account import account_rows, adds_up
from crossborder.reports.day import SECTIONS, DayReport
from crossborder.reports.labels import label
from crossborder.reports.sheets import Cell, Sheet, sheets


def workbook(report: DayReport, lang: str) -> bytes:
    """The bytes of the workbook. Raises `MissingExtra` without the extra `[report]`."""
    return sheets(_sheets(report, lang))


def _sheets(report: DayReport, lang: str) -> list[Sheet]:
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
    made: list[Sheet] = [("总账" if zh else "Account", heads, account)]  # fmt: skip
    for section in SECTIONS:
        found = getattr(report, section.rows)
        columns = section.shown(found, lang)
        rows = [[column.value(row, lang) for column in columns] for row in found]
        title = section.title(lang).partition("（")[0]
        made.append((title, [c.head(lang) for c in columns], rows))
    return made
