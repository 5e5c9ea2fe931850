"""Reports: frames in, tables and files out. Nothing here reads the ledger."""

from __future__ import annotations

from crossborder.reports.account import LINES, account_rows, account_table
from crossborder.reports.day import DayReport, write_report
from crossborder.reports.findings import findings_list, grouped, write_findings_csv

__all__ = [
    "LINES",
    "DayReport",
    "account_rows",
    "account_table",
    "findings_list",
    "grouped",
    "write_findings_csv",
    "write_report",
]
