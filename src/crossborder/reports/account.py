"""The closing account: every parcel handed in stands in exactly one line, shipments and rows side by side."""

from __future__ import annotations

from collections.abc import Mapping

from rich import box
from rich.table import Table
from rich.text import Text

from crossborder.reports.labels import label

LINES = (
    "unreadable", "rejected", "to_general", "not_evaluated", "on_hold", "already_filed", "prepared", "suspended_or_voided",
    "unknown", "in_flight", "refused", "released", "other_final",
)  # fmt: skip
"""The lines in the order of the flow. Names are part of the public interface."""

Account = Mapping[str, tuple[int, int]]
"""Line → (shipments, rows); `handed_in` and the names of `LINES`."""
_ALARM = frozenset({"unknown", "unreadable"})
_ASKS = frozenset({"rejected", "to_general", "not_evaluated", "on_hold", "refused"})


def account_rows(account: Account) -> list[tuple[str, int, int]]:
    """(line, shipments, rows) in order, `handed_in` first."""
    return [(name, *account.get(name, (0, 0))) for name in ("handed_in", *LINES)]


def total(account: Account) -> tuple[int, int]:
    """The sum of the lines: shipments and rows."""
    pairs = [account.get(name, (0, 0)) for name in LINES]
    return sum(s for s, _ in pairs), sum(r for _, r in pairs)


def adds_up(account: Account) -> bool:
    """Whether the lines add up to what was handed in, in shipments and in rows."""
    return total(account) == tuple(account.get("handed_in", (0, 0)))


def account_table(account: Account, lang: str, title: str = "") -> Table:
    """The account as a table; the last line says whether it adds up."""
    zh = lang == "zh"
    table = Table(box=box.ROUNDED, title_justify="left")
    if title:
        table.title = Text(title)
        table.title_style = "bold"
    table.add_column("去向" if zh else "where")
    table.add_column("分运单" if zh else "shipments", justify="right")
    table.add_column("行" if zh else "rows", justify="right")
    handed = account.get("handed_in", (0, 0))
    _row(table, label("handed_in", lang), handed, "bold")
    table.add_section()
    for name in LINES:
        pair = account.get(name, (0, 0))
        _row(table, label(name, lang), pair, _style(name) if pair[0] else "dim")
    table.add_section()
    good = adds_up(account)
    said = (
        ("合计（平）" if good else "合计（不平！）")
        if zh
        else ("total (adds up)" if good else "total (DOES NOT ADD UP)")
    )
    _row(table, said, total(account), "bold green" if good else "bold red")
    return table


def _row(table: Table, name: str, pair: tuple[int, int], style: str) -> None:
    table.add_row(name, f"{pair[0]:,}", f"{pair[1]:,}", style=style)


def _style(name: str) -> str:
    if name in _ALARM:
        return "bold red"
    return "yellow" if name in _ASKS else "green" if name == "released" else ""
