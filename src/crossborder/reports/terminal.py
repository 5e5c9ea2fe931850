"""Tables and lists of facts for a terminal: quiet lines, as wide as their contents."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text


def plain_table(heads: Sequence[str], rows: Sequence[Sequence[object]], title: str = "") -> Table:
    """Rows under their heads; cells are text, never markup. A column of whole numbers stands right."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, title_justify="left")
    if title:
        table.title = Text(title)
        table.title_style = "bold"
    for at, head in enumerate(heads):
        numbers = bool(rows) and all(isinstance(row[at], int) for row in rows)
        table.add_column(Text(head), justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_shown(cell)) for cell in row))
    return table


def _shown(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def plain_facts(facts: Sequence[tuple[str, str]]) -> Table:
    """Names and texts side by side."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in facts:
        table.add_row(Text(name), Text(text))
    return table
