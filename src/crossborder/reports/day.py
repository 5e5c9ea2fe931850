"""The day's report: what came in, where every parcel stands, what a person must do. HTML, XLSX or JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossborder.errors import InputError
from crossborder.reports.account import account_rows, adds_up
from crossborder.reports.files import write_whole
from crossborder.reports.labels import label, outcomes


@dataclass(frozen=True)
class DayReport:
    """Everything the report shows; personal data is not in it beyond the waybill numbers.

    `account`: line → (shipments, rows). `attention`: what a person must look at, worst first, each with `what`,
    `master`, `shipment`, `state`, `zh`, `en`. `masters`: one row per master waybill with its manifest's state.
    `findings`: rule, what, count, zh, en. `accepted`: rule, batch, passed, who, at, reason of what people let pass.
    `sandbox`: fed by the simulated port.
    """

    title: str
    made_at: str
    sandbox: bool
    batches: Sequence[Mapping[str, Any]]
    account: Mapping[str, tuple[int, int]]
    attention: Sequence[Mapping[str, str]]
    masters: Sequence[Mapping[str, Any]]
    findings: Sequence[Mapping[str, Any]]
    accepted: Sequence[Mapping[str, Any]] = ()

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
            "adds_up": adds_up(self.account),
            "attention": [dict(a) for a in self.attention],
            "masters": [dict(m) for m in self.masters],
            "findings": [dict(f) for f in self.findings],
            "accepted": [dict(a) for a in self.accepted],
        }


@dataclass(frozen=True)
class Column:
    """One column of a section: key in the rows (`text`: the language's own), heads in both languages.

    `labelled`: cells are names that have words; `unless`: empty where it repeats the value of that key.
    """

    key: str
    zh: str
    en: str
    labelled: bool = False
    unless: str = ""

    def head(self, lang: str) -> str:
        """The head in a language."""
        return self.zh if lang == "zh" else self.en

    def value(self, row: Mapping[str, Any], lang: str) -> str | int:
        """What stands in a cell: a number, or text ("" where there is nothing)."""
        value = row.get(lang if self.key == "text" else self.key)
        if self.unless and value == row.get(self.unless):
            return ""
        if isinstance(value, Mapping):
            return outcomes(value, lang)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        text = str(value) if value is not None else ""
        if self.key == "at" or self.key.endswith("_at"):
            return text[:19].replace("T", " ")
        return label(text, lang) if self.labelled else text


@dataclass(frozen=True)
class Section:
    """A table of the report: heads, columns, and what to say where it has no rows."""

    rows: str
    zh: str
    en: str
    none_zh: str
    none_en: str
    columns: tuple[Column, ...]

    def title(self, lang: str) -> str:
        """The head of the section in a language."""
        return self.zh if lang == "zh" else self.en

    def none(self, lang: str) -> str:
        """What stands there instead of rows."""
        return self.none_zh if lang == "zh" else self.none_en

    def shown(self, rows: Sequence[Mapping[str, Any]], lang: str) -> tuple[Column, ...]:
        """The columns, without one that would only repeat another in every row."""
        return tuple(c for c in self.columns if not c.unless or any(c.value(r, lang) for r in rows))


SECTIONS = (
    Section(
        "attention", "需要人工处理", "A person must look", "没有待办。", "Nothing waits for a person.",
        (
            Column("what", "事项", "what", labelled=True), Column("shipment", "分运单", "shipment"),
            Column("master", "总运单", "master"), Column("state", "状态", "state", labelled=True, unless="what"),
            Column("text", "说明与处理", "what it means, what to do"),
        ),
    ),
    Section(
        "masters", "总运单", "Master waybills", "没有总运单。", "No master waybills.",
        (
            Column("master", "总运单", "master"), Column("endpoint", "口岸", "endpoint"),
            Column("manifest", "舱单", "manifest", labelled=True), Column("declarations", "报关单", "declarations"),
            Column("released", "已放行", "released"),
        ),
    ),
    Section(
        "findings", "校验发现的问题（按规则）", "Findings by rule", "没有问题。", "No findings.",
        (
            Column("what", "后果", "consequence", labelled=True), Column("rule", "规则", "rule"),
            Column("count", "数量", "count"), Column("text", "问题（首例）", "what is wrong (first one)"),
        ),
    ),
    Section(
        "accepted", "放过的规则", "Accepted by a person", "没有放过任何规则。", "No rule was accepted.",
        (
            Column("rule", "规则", "rule"), Column("batch", "批次", "batch"), Column("passed", "放过票数", "let pass"),
            Column("who", "操作人", "who"), Column("at", "时间", "when"), Column("reason", "依据", "reason"),
        ),
    ),
    Section(
        "batches", "批次", "Batches", "没有批次。", "No batches.",
        (
            Column("id", "批次", "batch"), Column("source_name", "文件", "file"), Column("shipments", "票", "shipments"),
            Column("rows", "行", "rows"), Column("counts", "结果", "outcome"), Column("created_at", "交入", "handed in"),
            Column("submitted_at", "申报", "filed"),
        ),
    ),
)  # fmt: skip


def write_report(report: DayReport, file: Path, lang: str) -> None:
    """Write the report; the suffix chooses `.html`, `.xlsx` (extra `[report]`) or `.json`.

    The file appears whole or not at all. Raises `InputError`, `MissingExtra`.
    """
    write_whole(file, _body(report, file, lang))


def _body(report: DayReport, file: Path, lang: str) -> bytes:
    suffix = file.suffix.lower()
    if suffix == ".json":
        return json.dumps(report.as_json(), ensure_ascii=False, indent=1).encode("utf-8")
    if suffix in (".html", ".htm"):
        from crossborder.reports.page import html

        return html(report, lang).encode("utf-8")
    if suffix == ".xlsx":
        from crossborder.reports.workbook import workbook

        return workbook(report, lang)
    raise InputError(
        f"no report of kind {suffix or '(none)'}", f"不支持的日报格式 {suffix or '（无）'}",
        place=str(file), fix_en=".html, .xlsx or .json", fix_zh=".html、.xlsx 或 .json",
    )  # fmt: skip
