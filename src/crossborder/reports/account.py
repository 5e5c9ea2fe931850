"""The closing account: every parcel handed in stands in exactly one line, shipments and rows side by side."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table

LINES: tuple[tuple[str, str, str], ...] = (
    ("unreadable", "无法读取", "unreadable"),
    ("rejected", "校验未通过", "rejected"),
    ("not_evaluated", "未能评估", "not evaluated"),
    ("on_hold", "待人工处理", "on hold"),
    ("already_filed", "此前已申报", "already filed"),
    ("prepared", "已制单未发送", "prepared"),
    ("suspended_or_voided", "挂起或作废", "suspended or voided"),
    ("unknown", "去向不明", "unknown"),
    ("in_flight", "在途", "in flight"),
    ("refused", "被退回", "refused"),
    ("released", "已放行", "released"),
    ("other_final", "其他终结", "other final"),
)
"""(name, Chinese, English) of the lines, in the order of the flow. Names are part of the public interface."""


def account_rows(account: Mapping[str, tuple[int, int]]) -> list[tuple[str, int, int]]:
    """(line, shipments, rows) in order, `handed_in` first."""
    names = ["handed_in", *(name for name, _, _ in LINES)]
    return [(name, *account.get(name, (0, 0))) for name in names]


def account_table(account: Mapping[str, tuple[int, int]], lang: str, title: str = "") -> Table:
    """The account as a table; the last line says whether it adds up."""
    zh = lang == "zh"
    table = Table(title=title or None)
    table.add_column("去向" if zh else "where", justify="left")
    table.add_column("分运单" if zh else "shipments", justify="right")
    table.add_column("行" if zh else "rows", justify="right")
    handed = account.get("handed_in", (0, 0))
    table.add_row("交入" if zh else "handed in", f"{handed[0]:,}", f"{handed[1]:,}", style="bold")
    table.add_section()
    for name, label_zh, label_en in LINES:
        shipments, rows = account.get(name, (0, 0))
        style = "dim" if not shipments else ("red" if name in ("unknown", "unreadable") else "")
        table.add_row(label_zh if zh else label_en, f"{shipments:,}", f"{rows:,}", style=style)
    total = tuple(sum(account.get(n, (0, 0))[i] for n, _, _ in LINES) for i in (0, 1))
    table.add_section()
    adds_up = total == tuple(handed)
    said = (
        ("合计（平）" if zh else "total (adds up)")
        if adds_up
        else ("合计（不平！）" if zh else "total (DOES NOT ADD UP)")
    )
    table.add_row(
        said, f"{total[0]:,}", f"{total[1]:,}", style="bold green" if adds_up else "bold red"
    )
    return table
