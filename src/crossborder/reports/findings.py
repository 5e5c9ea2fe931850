"""Findings for people: by rule, worst first, with count and three examples; or every one of them as CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Group
from rich.text import Text

from crossborder.errors import InputError
from crossborder.reports.cells import neutralised

_RANK = {"reject": 0, "not_evaluated": 1, "hold": 2, "mark": 3, "note": 4}
_SHOWN = {
    "zh": {"reject": "拒收", "not_evaluated": "未评估", "hold": "待人工", "mark": "已标注", "note": "提示"},
    "en": {
        "reject": "reject", "not_evaluated": "not evaluated", "hold": "on hold", "mark": "marked", "note": "note",
    },
}  # fmt: skip


def _weight() -> pl.Expr:
    held = (pl.col("severity") == "not_evaluated") & (pl.col("action") == "hold")
    return pl.when(held).then(pl.lit("not_evaluated")).otherwise(pl.col("action"))


def grouped(findings: pl.DataFrame) -> pl.DataFrame:
    """One row per rule and consequence: `what, rule, count, zh, en, fix_zh, fix_en, examples`, worst first."""
    return (
        findings.with_columns(_weight().alias("what"))
        .with_columns(pl.col("what").replace_strict(_RANK, default=9).alias("rank"))
        .group_by("rank", "what", "rule", maintain_order=True)
        .agg(
            pl.len().alias("count"),
            pl.col("zh", "en", "fix_zh", "fix_en").first(),
            pl.struct("shipment", "row", "column").head(3).alias("examples"),
        )
        .sort("rank", "count", "rule", descending=[False, True, False])
    )


_STYLE = {"reject": "bold red", "not_evaluated": "bold yellow", "hold": "bold yellow"}


def findings_list(findings: pl.DataFrame, lang: str) -> Group:
    """The findings, worst first: consequence, rule, count; what is wrong; remedy; three examples."""
    blocks = []
    for row in grouped(findings).iter_rows(named=True):
        style = _STYLE.get(row["what"], "bold cyan")
        block = Text()
        block.append(f"{_SHOWN[lang].get(row['what'], row['what'])} ", style=style)
        block.append(f"{row['rule']} ", style="bold")
        block.append(f"× {row['count']:,}\n")
        block.append(f"   {row[lang]}\n")
        if row[f"fix_{lang}"]:
            block.append(f"   → {row[f'fix_{lang}']}\n", style="green")
        block.append(f"   {'；'.join(map(_example, row['examples']))}\n", style="dim")
        blocks.append(block)
    return Group(*blocks)


def _example(example: dict[str, Any]) -> str:
    """`HX1001 @ 186 SendId`: waybill, row and column as the user sees them."""
    return (
        f"{example['shipment'] or '—'} @ {example['row'] or '—'} {example['column'] or ''}".strip()
    )


def write_findings_csv(findings: pl.DataFrame, file: Path) -> None:
    """Every finding as CSV with BOM (Excel opens it); cells that look like formulas are neutralised."""
    shown = findings.drop("ship").with_columns(neutralised(pl.col(pl.String)))
    try:
        file.write_bytes(b"\xef\xbb\xbf" + shown.write_csv().encode("utf-8"))
    except OSError as error:
        raise InputError(
            f"the file cannot be written ({error.strerror})", f"文件无法写入（{error.strerror}）",
            place=str(file), fix_en="close it in Excel, or choose another name", fix_zh="请先在 Excel 中关闭该文件，或换个名称",
        ) from error  # fmt: skip
