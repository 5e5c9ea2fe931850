"""The day's report: what came in, where every parcel stands, what a person must do. HTML, XLSX or JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from crossborder import resources
from crossborder.errors import InputError
from crossborder.reports.account import LINES, account_rows


@dataclass(frozen=True)
class DayReport:
    """Everything the report shows; personal data is not in it beyond the waybill numbers.

    `account`: line → (shipments, rows). `attention`: what a person must look at, worst first, each with `what`,
    `master`, `shipment`, `state`, `zh`, `en`. `masters`: one row per master waybill with its manifest's state.
    `findings`: rule, what, count, zh, en. `sandbox`: fed by the simulated port.
    """

    title: str
    made_at: str
    sandbox: bool
    batches: Sequence[Mapping[str, Any]]
    account: Mapping[str, tuple[int, int]]
    attention: Sequence[Mapping[str, str]]
    masters: Sequence[Mapping[str, Any]]
    findings: Sequence[Mapping[str, Any]]

    @property
    def needs_attention(self) -> bool:
        """Whether something waits for a person."""
        return bool(self.attention)

    def as_json(self) -> dict[str, Any]:
        """The report as data."""
        return {
            "format": 1,
            "title": self.title,
            "made_at": self.made_at,
            "sandbox": self.sandbox,
            "batches": [dict(b) for b in self.batches],
            "account": {name: [s, r] for name, s, r in account_rows(self.account)},
            "attention": [dict(a) for a in self.attention],
            "masters": [dict(m) for m in self.masters],
            "findings": [dict(f) for f in self.findings],
        }


def write_report(report: DayReport, file: Path, lang: str) -> None:
    """Write the report; the suffix chooses `.html`, `.xlsx` (extra `[report]`) or `.json`. Raises `InputError`."""
    suffix = file.suffix.lower()
    try:
        if suffix == ".json":
            file.write_text(
                json.dumps(report.as_json(), ensure_ascii=False, indent=1), encoding="utf-8"
            )
        elif suffix in (".html", ".htm"):
            file.write_text(html(report, lang), encoding="utf-8")
        elif suffix == ".xlsx":
            _workbook(report, file, lang)
        else:
            raise InputError(
                f"no report of kind {suffix or '(none)'}", f"不支持的日报格式 {suffix or '（无）'}",
                place=str(file), fix_en=".html, .xlsx or .json", fix_zh=".html、.xlsx 或 .json",
            )  # fmt: skip
    except OSError as error:
        raise InputError(
            f"the file cannot be written ({error.strerror})",
            f"文件无法写入（{error.strerror}）",
            place=str(file),
        ) from error


_STYLE = """
:root{--ink:#1c2430;--soft:#5b6675;--line:#dde3ea;--bad:#b3261e;--good:#1b6e3c;--wash:#f6f8fa}
body{font:15px/1.5 system-ui,"Noto Sans SC","PingFang SC","Microsoft YaHei",sans-serif;color:var(--ink);margin:2rem auto;max-width:70rem;padding:0 1rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}p.soft{color:var(--soft);margin:.2rem 0}
table{border-collapse:collapse;width:100%}th,td{padding:.35rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th{background:var(--wash);font-weight:600}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
tr.zero td{color:#9aa4b0}tr.sum td{font-weight:700;border-top:2px solid var(--ink)}
.bar{height:1.1rem;display:flex;border-radius:.3rem;overflow:hidden;margin:.8rem 0}.bar span{display:block}
.good{color:var(--good)}.bad{color:var(--bad)}.sandbox{background:#fff3cd;border:2px solid #d39e00;padding:.4rem .8rem;font-weight:700;letter-spacing:.1em;display:inline-block;margin:.6rem 0}
@media print{body{margin:0}}
"""
_COLOURS = {
    "released": "#2e8b57", "in_flight": "#4a7fc1", "prepared": "#9db7d9", "already_filed": "#c3cfdd", "on_hold": "#e0b23c",
    "not_evaluated": "#d9c27e", "rejected": "#d2693c", "unreadable": "#8c3b1f", "unknown": "#b3261e", "refused": "#c2453c",
    "suspended_or_voided": "#8a8f98", "other_final": "#6b5b95",
}  # fmt: skip


def html(report: DayReport, lang: str) -> str:
    """The report as one page that needs nothing else."""
    zh = lang == "zh"
    parts = [
        f"<!doctype html><html lang={'zh-CN' if zh else 'en'}><meta charset=utf-8>"
        f"<meta name=viewport content='width=device-width'><title>{escape(report.title)}</title><style>{_STYLE}</style>",
        f"<h1>{escape(report.title)}</h1><p class=soft>{escape(report.made_at[:19])} "
        f"{'中国时间' if zh else 'China time'}</p>",
        "<div class=sandbox>SANDBOX 模拟口岸</div>" if report.sandbox else "",
        _bar(report, zh),
        _account(report, zh),
        _section(
            "需要人工处理" if zh else "A person must look", report.attention,
            [("what", "事项", "what"), ("master", "总运单", "master"), ("shipment", "分运单", "shipment"),
             ("state", "状态", "state"), (lang, "说明", "detail")], zh, none="无" if zh else "nothing",
        ),
        _section(
            "总运单" if zh else "Master waybills", report.masters,
            [("master", "总运单", "master"), ("endpoint", "口岸", "endpoint"), ("manifest", "舱单状态", "manifest"),
             ("houses", "舱单分运单数", "houses listed"), ("declarations", "报关单", "declarations"), ("released", "已放行", "released")], zh,
        ),
        _section(
            "问题（按规则）" if zh else "Findings by rule", report.findings,
            [("what", "后果", "what"), ("rule", "规则", "rule"), ("count", "数量", "count"), (lang, "问题", "what is wrong")], zh,
            none="无" if zh else "none",
        ),
        _section(
            "批次" if zh else "Batches", report.batches,
            [("id", "批次", "batch"), ("source_name", "文件", "file"), ("state", "状态", "state"), ("submitted_at", "放行申报时间", "let go at")], zh,
        ),
    ]  # fmt: skip
    return "\n".join(parts)


def _bar(report: DayReport, zh: bool) -> str:
    total = max(1, report.account.get("handed_in", (0, 0))[0])
    spans = "".join(
        f"<span style='width:{100 * report.account.get(name, (0, 0))[0] / total:.3f}%;background:{_COLOURS[name]}' "
        f"title='{escape(label_zh if zh else label_en)} {report.account.get(name, (0, 0))[0]:,}'></span>"
        for name, label_zh, label_en in LINES
    )
    return f"<div class=bar>{spans}</div>"


def _account(report: DayReport, zh: bool) -> str:
    heads = ("去向", "分运单", "行") if zh else ("where", "shipments", "rows")
    rows = []
    for name, label_zh, label_en in LINES:
        shipments, lines = report.account.get(name, (0, 0))
        dot = f"<span style='color:{_COLOURS[name]}'>■</span> "
        rows.append(
            f"<tr class='{'' if shipments else 'zero'}'><td>{dot}{label_zh if zh else label_en}</td>"
            f"<td class=n>{shipments:,}</td><td class=n>{lines:,}</td></tr>"
        )
    handed = report.account.get("handed_in", (0, 0))
    total = tuple(sum(report.account.get(n, (0, 0))[i] for n, _, _ in LINES) for i in (0, 1))
    good = total == tuple(handed)
    verdict = ("平" if good else "不平！") if zh else ("adds up" if good else "DOES NOT ADD UP")
    rows.append(
        f"<tr class=sum><td>{'交入' if zh else 'handed in'} = {'合计' if zh else 'total'} "
        f"<span class={'good' if good else 'bad'}>({verdict})</span></td>"
        f"<td class=n>{handed[0]:,}</td><td class=n>{handed[1]:,}</td></tr>"
    )
    head = f"<tr><th>{heads[0]}</th><th class=n>{heads[1]}</th><th class=n>{heads[2]}</th></tr>"
    return f"<h2>{'总账' if zh else 'Account'}</h2><table>{head}{''.join(rows)}</table>"


Columns = Sequence[tuple[str, str, str]]


def _section(
    title: str, rows: Sequence[Mapping[str, Any]], columns: Columns, zh: bool, none: str = ""
) -> str:
    if not rows:
        return f"<h2>{title}</h2><p class=soft>{none}</p>" if none else ""
    head = "".join(f"<th>{escape(c[1] if zh else c[2])}</th>" for c in columns)
    body = "".join(
        "<tr>"
        + "".join(f"<td>{escape(_text(row.get(key)))}</td>" for key, _, _ in columns)
        + "</tr>"
        for row in rows
    )
    return f"<h2>{title}</h2><table><tr>{head}</tr>{body}</table>"


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else str(value)


def _workbook(report: DayReport, file: Path, lang: str) -> None:
    """Sheets: account, attention, master waybills, findings, batches. Cells are written as text or number."""
    resources.require("report", "xlsxwriter")
    import xlsxwriter

    zh = lang == "zh"
    labels = {name: (label_zh if zh else label_en) for name, label_zh, label_en in LINES}
    account = [
        {"where": labels.get(name, "交入" if zh else "handed in"), "shipments": s, "rows": r}
        for name, s, r in account_rows(report.account)
    ]
    sheets: list[tuple[str, Sequence[Mapping[str, Any]]]] = [
        ("总账" if zh else "account", account),
        ("人工处理" if zh else "attention", report.attention),
        ("总运单" if zh else "masters", report.masters),
        ("问题" if zh else "findings", report.findings),
        ("批次" if zh else "batches", report.batches),
    ]
    with xlsxwriter.Workbook(
        str(file), {"strings_to_formulas": False, "strings_to_urls": False}
    ) as book:
        bold = book.add_format({"bold": True, "bg_color": "#F6F8FA", "bottom": 1})
        for title, rows in sheets:
            sheet = book.add_worksheet(title)
            keys = list(rows[0]) if rows else []
            sheet.write_row(0, 0, keys, bold)
            sheet.freeze_panes(1, 0)
            for number, row in enumerate(rows, 1):
                for column, key in enumerate(keys):
                    value = row.get(key)
                    if isinstance(value, (int, float)) and not isinstance(value, bool):
                        sheet.write_number(number, column, value)
                    else:
                        sheet.write_string(
                            number,
                            column,
                            _text(value)
                            if not isinstance(value, Mapping)
                            else json.dumps(value, ensure_ascii=False),
                        )
            if rows:
                sheet.autofilter(0, 0, len(rows), len(keys) - 1)
                sheet.autofit()
