"""What another rule pack would change, as tables: for the terminal, a CSV or a workbook."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from crossborder.errors import InputError
from crossborder.reports.cells import neutralised
from crossborder.reports.files import write_whole
from crossborder.reports.labels import label
from crossborder.reports.sheets import Cell, Sheet, sheets


class ReplayTables(NamedTuple):
    """The frames of a replay as `crossborder.engine.Replayed` has them, and the names of the two packs."""

    before: str
    after: str
    verdicts: pl.DataFrame
    by_rule: pl.DataFrame
    changes: pl.DataFrame
    taxes: pl.DataFrame

    def sheets(self, lang: str) -> list[Sheet]:
        """Verdicts, rules, shipments, taxes."""
        return [self.by_verdict(lang), self.rules(lang), self.shipments(lang), self.paid(lang)]

    def by_verdict(self, lang: str) -> Sheet:
        """How often each verdict becomes which."""
        rows: list[list[Cell]] = [
            [label(before, lang), label(after, lang), count]
            for before, after, count in self.verdicts.iter_rows()
        ]
        heads = _said(lang, ("{0} 的结论", "verdict of {0}"), ("{1} 的结论", "verdict of {1}"), ("分运单", "shipments"))  # fmt: skip
        return ("结论" if lang == "zh" else "Verdicts", self._named(heads), rows)

    def rules(self, lang: str) -> Sheet:
        """How many of the changed shipments a rule refuses or holds under one pack only."""
        heads = _said(lang, ("规则", "rule"), ("仅 {0} 拦下", "stops under {0} only"), ("仅 {1} 拦下", "stops under {1} only"))  # fmt: skip
        rows: list[list[Cell]] = [list(row) for row in self.by_rule.iter_rows()]
        return ("规则" if lang == "zh" else "Rules", self._named(heads), rows)

    def shipments(self, lang: str, most: int | None = None) -> Sheet:
        """The shipments that change, at most so many."""
        heads = _said(
            lang, ("行", "row"), ("总运单", "master"), ("分运单", "house"), ("前结论", "before"), ("后结论", "after"),
            ("前类别", "class"), ("后类别", "class after"), ("仅前者拦下", "stopped before by"),
            ("仅后者拦下", "stopped after by"),
        )  # fmt: skip
        found = self.changes if most is None else self.changes.head(most)
        rows = [_shipment(row, lang) for row in found.iter_rows(named=True)]
        return ("分运单" if lang == "zh" else "Shipments", heads, rows)

    def paid(self, lang: str, most: int | None = None) -> Sheet:
        """The shipments that pay another tax, at most so many."""
        heads = _said(
            lang, ("行", "row"), ("总运单", "master"), ("分运单", "house"), ("{0} 的应缴", "to pay under {0}"),
            ("{1} 的应缴", "to pay under {1}"), ("前规则", "rules before"), ("后规则", "rules after"),
        )  # fmt: skip
        found = self.taxes if most is None else self.taxes.head(most)
        rows: list[list[Cell]] = [
            [
                row["row"], row["master_waybill"] or "", row["house_waybill"] or f"#{row['row']}",
                f"{row['payable_before']:.2f}", f"{row['payable_after']:.2f}", ", ".join(row["rules_before"]),
                ", ".join(row["rules_after"]),
            ]
            for row in found.iter_rows(named=True)
        ]  # fmt: skip
        return ("税额" if lang == "zh" else "Taxes", self._named(heads), rows)

    def _named(self, heads: Sequence[str]) -> list[str]:
        return [head.format(self.before, self.after) for head in heads]


def _said(lang: str, *pairs: tuple[str, str]) -> list[str]:
    return [zh if lang == "zh" else en for zh, en in pairs]


def _shipment(row: dict[str, Any], lang: str) -> list[Cell]:
    return [
        row["row"], row["master_waybill"] or "", row["house_waybill"] or f"#{row['row']}",
        label(row["verdict_before"], lang), label(row["verdict_after"], lang), row["class_before"] or "",
        row["class_after"] or "", ", ".join(row["rules_before"]), ", ".join(row["rules_after"]),
    ]  # fmt: skip


def write_replay(tables: ReplayTables, file: Path, lang: str) -> None:
    """Write a replay; the suffix chooses `.xlsx` (extra `[report]`) or `.csv` (the shipments). Raises `InputError`."""
    suffix = file.suffix.lower()
    if suffix == ".xlsx":
        write_whole(file, sheets(tables.sheets(lang)))
    elif suffix == ".csv":
        write_whole(file, _csv(tables.shipments(lang)))
    else:
        raise InputError(
            f"cannot write {suffix or 'a file without suffix'}", f"不支持的输出格式 {suffix or '（无扩展名）'}",
            place=str(file), fix_en=".xlsx or .csv", fix_zh=".xlsx 或 .csv",
        )  # fmt: skip


def _csv(table: Sheet) -> bytes:
    rows = [[str(cell) or None for cell in row] for row in table[2]]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(table[1], pl.String), orient="row")
    shown = frame.with_columns(neutralised(name) for name in frame.columns)
    return b"\xef\xbb\xbf" + shown.write_csv(line_terminator="\r\n").encode("utf-8")
