"""Tables as a workbook: a sheet each, heads fixed, filters set; cells are text or number, never a formula."""

from __future__ import annotations

import io
from collections.abc import Sequence

from crossborder import resources

_MOST_CELL = 32_000
Cell = str | int
Sheet = tuple[str, Sequence[str], Sequence[Sequence[Cell]]]
"""Title, heads, rows."""


def sheets(tables: Sequence[Sheet]) -> bytes:
    """The bytes of a workbook with these sheets. Raises `MissingExtra` without the extra `[report]`."""
    resources.require("report", "xlsxwriter")
    import xlsxwriter

    held = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(held, options) as book:
        bold = book.add_format({"bold": True, "bg_color": "#EEF2F6", "bottom": 1})
        number = book.add_format({"num_format": "#,##0"})
        for title, heads, rows in tables:
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
