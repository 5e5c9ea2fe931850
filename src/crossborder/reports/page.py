"""The day's report as one HTML page that needs nothing else; it also prints well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from crossborder.reports.account import LINES, adds_up
from crossborder.reports.day import SECTIONS, Column, DayReport, Section
from crossborder.reports.labels import label

_MOST = 500
"""Rows of a section on the page; the workbook has all."""

_COLOURS = {
    "released": "#2f8f5b", "in_flight": "#4a7fc1", "prepared": "#9bb6d8", "already_filed": "#c5d0dd",
    "on_hold": "#e0b23c", "not_evaluated": "#d6c184", "rejected": "#d9733f", "to_general": "#b5651d", "unreadable": "#8c3b1f",
    "unknown": "#b3261e", "refused": "#c2574e", "suspended_or_voided": "#8a8f98", "other_final": "#6f5f99",
}  # fmt: skip
_ORDER = (
    "released", "other_final", "in_flight", "prepared", "already_filed", "suspended_or_voided", "on_hold",
    "not_evaluated", "to_general", "rejected", "refused", "unknown", "unreadable",
)  # fmt: skip
_STYLE = """
:root{--ink:#17202b;--soft:#5a6675;--line:#dfe5ec;--wash:#f5f7fa;--bad:#b3261e;--good:#1f7a47;--warn:#8a5a00}
*{box-sizing:border-box}
body{font:15px/1.55 "Noto Sans SC","Noto Sans CJK SC","PingFang SC","Microsoft YaHei","Segoe UI",system-ui,sans-serif;
 color:var(--ink);background:#fff;margin:0 auto;max-width:76rem;padding:2rem 1.5rem 4rem}
header{display:flex;justify-content:space-between;align-items:flex-start;gap:1rem;border-bottom:2px solid var(--ink);padding-bottom:.8rem}
h1{font-size:1.6rem;line-height:1.25;margin:0}
h2{font-size:1.1rem;margin:2.2rem 0 .6rem}
h2 small{font-weight:400;color:var(--soft);margin-left:.4rem}
.soft{color:var(--soft);margin:.2rem 0}
.sandbox{background:#fff1c2;border:2px solid #d39e00;color:#5c4300;padding:.25rem .8rem;font-weight:700;letter-spacing:.12em;white-space:nowrap}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.8rem;margin:1.4rem 0 1.2rem}
.card{background:var(--wash);border:1px solid var(--line);border-radius:.4rem;padding:.7rem .9rem}
.card b{display:block;font-size:1.75rem;line-height:1.2;font-variant-numeric:tabular-nums}
.card span{color:var(--soft)}.card.good b{color:var(--good)}.card.bad b{color:var(--bad)}.card.warn b{color:var(--warn)}
.bar{display:flex;height:1.1rem;border-radius:.3rem;overflow:hidden;background:var(--line)}
.bar i{display:block}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;margin:.5rem 0 0;padding:0;list-style:none;color:var(--soft);font-size:.9rem}
.dot{display:inline-block;width:.7rem;height:.7rem;border-radius:.15rem;margin-right:.4rem;vertical-align:-.02rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th,td{padding:.38rem .7rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th{background:var(--wash);font-weight:600;white-space:nowrap}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.k{white-space:nowrap}
td.w{overflow-wrap:anywhere}
tbody tr:hover td{background:#fafbfd}
table.account{width:auto;min-width:28rem}
tr.zero td{color:#98a3af}
tr.sum td{font-weight:700;border-top:2px solid var(--ink);border-bottom:0}
.good{color:var(--good)}.bad{color:var(--bad)}
footer{margin-top:2.5rem;border-top:1px solid var(--line);padding-top:.6rem;color:var(--soft);font-size:.85rem}
@media print{body{max-width:none;padding:0;font-size:11px}h2{break-after:avoid}tr{break-inside:avoid}
 .card,.bar i,.dot,th,.sandbox{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
"""


def html(report: DayReport, lang: str) -> str:
    """The page in a language."""
    zh = lang == "zh"
    title = f"{'申报日报' if zh else 'Day report'} · {report.title}"
    made = report.made_at[:19].replace("T", " ")
    badge = f"<div class=sandbox>SANDBOX{' 模拟口岸' if zh else ''}</div>" if report.sandbox else ""
    parts = [
        f"<!doctype html><html lang={'zh-CN' if zh else 'en'}><head><meta charset=utf-8>",
        f"<meta name=viewport content='width=device-width,initial-scale=1'><title>{escape(title)}</title>",
        f"<style>{_STYLE}</style></head><body>",
        f"<header><div><h1>{escape(title)}</h1><p class=soft>{'制表' if zh else 'made'} {escape(made)} "
        f"{'（中国时间）' if zh else 'China time'}</p></div>{badge}</header>",
        _cards(report, lang),
        _bar(report, lang),
        *(_section(SECTIONS[0], report, lang),),
        _account(report, lang),
        *(_section(section, report, lang) for section in SECTIONS[1:]),
        f"<footer>{_footer(report, zh)}</footer></body></html>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _footer(report: DayReport, zh: bool) -> str:
    if report.sandbox:
        return (
            "本日报来自模拟口岸，不是海关数据。"
            if zh
            else "Fed by the simulated port: nothing here comes from customs."
        )
    return "由 crossborder 根据台账生成。" if zh else "Made by crossborder from the ledger."


def _shipments(report: DayReport, *names: str) -> int:
    return sum(report.account.get(name, (0, 0))[0] for name in names)


def _cards(report: DayReport, lang: str) -> str:
    """The six numbers a desk asks for at six o'clock."""
    zh = lang == "zh"
    correct = _shipments(report, "unreadable", "rejected", "refused")
    held = _shipments(report, "on_hold", "not_evaluated", "to_general")
    unknown = _shipments(report, "unknown")
    cards = (
        ("交入分运单" if zh else "handed in", _shipments(report, "handed_in"), ""),
        (label("released", lang), _shipments(report, "released"), "good"),
        ("在途与待发" if zh else "on the way", _shipments(report, "in_flight", "prepared"), ""),
        ("待更正" if zh else "to correct", correct, "warn" if correct else ""),
        ("待人工决定" if zh else "for a person to decide", held, "warn" if held else ""),
        (label("unknown", lang), unknown, "bad" if unknown else ""),
    )
    return "<div class=cards>" + "".join(
        f"<div class='card {kind}'><b>{count:,}</b><span>{escape(name)}</span></div>" for name, count, kind in cards
    ) + "</div>"  # fmt: skip


def _bar(report: DayReport, lang: str) -> str:
    total = max(1, _shipments(report, "handed_in"))
    shown = [(name, _shipments(report, name)) for name in _ORDER if _shipments(report, name)]
    spans = "".join(
        f"<i style='width:{100 * count / total:.3f}%;background:{_COLOURS[name]}' "
        f"title='{escape(label(name, lang))} {count:,}'></i>"
        for name, count in shown
    )
    legend = "".join(
        f"<li>{_dot(name)}{escape(label(name, lang))} {count:,} · {_percent(count, total)}</li>"
        for name, count in shown
    )
    return f"<div class=bar>{spans}</div><ul class=legend>{legend}</ul>"


def _percent(count: int, total: int) -> str:
    share = 100 * count / total
    return f"{share:.1f}%" if share >= 0.05 else "<0.1%".replace("<", "&lt;")


def _dot(name: str) -> str:
    return f"<span class=dot style='background:{_COLOURS[name]}'></span>"


def _account(report: DayReport, lang: str) -> str:
    zh = lang == "zh"
    heads = ("去向", "分运单", "行") if zh else ("where", "shipments", "rows")
    rows = []
    for name in LINES:
        shipments, lines = report.account.get(name, (0, 0))
        rows.append(
            f"<tr class='{'' if shipments else 'zero'}'><td>{_dot(name)}{escape(label(name, lang))}</td>"
            f"<td class=n>{shipments:,}</td><td class=n>{lines:,}</td></tr>"
        )
    handed = report.account.get("handed_in", (0, 0))
    good = adds_up(report.account)
    verdict = (("平" if good else "不平！") if zh else ("adds up" if good else "DOES NOT ADD UP"))  # fmt: skip
    rows.append(
        f"<tr class=sum><td>{'交入' if zh else 'handed in'} <span class={'good' if good else 'bad'}>({verdict})</span></td>"
        f"<td class=n>{handed[0]:,}</td><td class=n>{handed[1]:,}</td></tr>"
    )
    head = f"<tr><th>{heads[0]}</th><th class=n>{heads[1]}</th><th class=n>{heads[2]}</th></tr>"
    title = (
        "总账：每一票都有且只有一个去处" if zh else "Account: every parcel is in exactly one place"
    )
    return f"<h2>{title}</h2><table class=account><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"


def _section(section: Section, report: DayReport, lang: str) -> str:
    rows = getattr(report, section.rows)
    title = escape(section.title(lang))
    if not rows:
        return f"<h2>{title}</h2><p class=soft>{escape(section.none(lang))}</p>"
    columns = section.shown(rows, lang)
    numbers = {c.key for c in columns if isinstance(c.value(rows[0], lang), int)}
    head = "".join(f"<th{_class(c, numbers)}>{escape(c.head(lang))}</th>" for c in columns)
    body = "".join(_line(columns, row, lang, numbers) for row in rows[:_MOST])
    more = len(rows) - _MOST
    rest = ""
    if more > 0:
        said = f"另有 {more:,} 项，见 XLSX 或 JSON 日报。" if lang == "zh" else f"{more:,} more: see the XLSX or JSON report."  # fmt: skip
        rest = f"<p class=soft>{said}</p>"
    return (
        f"<h2>{title}<small>{len(rows):,}</small></h2><div class=scroll><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>{rest}"
    )


def _line(columns: Sequence[Column], row: object, lang: str, numbers: set[str]) -> str:
    return "<tr>" + "".join(_cells(columns, row, lang, numbers)) + "</tr>"


def _cells(columns: Sequence[Column], row: object, lang: str, numbers: set[str]) -> Iterator[str]:
    assert isinstance(row, dict)
    for column in columns:
        value = column.value(row, lang)
        shown = f"{value:,}" if isinstance(value, int) else escape(value)
        yield f"<td{_class(column, numbers)}>{shown}</td>"


def _class(column: Column, numbers: set[str]) -> str:
    if column.key in numbers:
        return " class=n"
    return " class=w" if column.key in ("text", "counts", "source_name") else " class=k"
