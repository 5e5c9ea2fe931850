"""Reports: frames in, tables and files out. Nothing here reads the ledger."""

from __future__ import annotations

from crossborder.reports.account import LINES, account_rows, account_table, adds_up
from crossborder.reports.day import DayReport, write_report
from crossborder.reports.files import opened_whole, write_whole
from crossborder.reports.findings import (
    findings_csv,
    findings_list,
    grouped,
    merged,
    write_findings_csv,
)
from crossborder.reports.labels import LABELS, label, outcomes
from crossborder.reports.replayed import ReplayTables, write_replay
from crossborder.reports.tax import tax_file, tax_story, tax_table
from crossborder.reports.terminal import plain_facts, plain_table

__all__ = [
    "LABELS",
    "LINES",
    "DayReport",
    "ReplayTables",
    "account_rows",
    "account_table",
    "adds_up",
    "findings_csv",
    "findings_list",
    "grouped",
    "label",
    "merged",
    "opened_whole",
    "outcomes",
    "plain_facts",
    "plain_table",
    "tax_file",
    "tax_story",
    "tax_table",
    "write_findings_csv",
    "write_replay",
    "write_report",
    "write_whole",
]
