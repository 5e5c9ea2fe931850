"""Findings for people: by rule, worst first, with count and three examples; or every one of them as CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
from rich.text import Text

from crossborder.reports.cells import neutralised
from crossborder.reports.files import opened_whole
from crossborder.reports.labels import label
from crossborder.shipments import findings as found
from crossborder.wide import wrapped

_RANK = {"reject": 0, "transfer": 1, "not_evaluated": 2, "hold": 3, "mark": 4, "note": 5}
_STYLE = {
    "reject": "bold red",
    "transfer": "bold red",
    "not_evaluated": "bold yellow",
    "hold": "bold yellow",
}
_EXAMPLES = 3
_INDENT = "   "


def _consequence() -> pl.Expr:
    held = (pl.col("severity") == "not_evaluated") & (pl.col("action") == "hold")
    return pl.when(held).then(pl.lit("not_evaluated")).otherwise(pl.col("action"))


def grouped(findings: pl.DataFrame) -> pl.DataFrame:
    """One row per rule and consequence, worst first, most frequent first.

    Columns `what, rule, count, shipments, texts, zh, en, fix_zh, fix_en, examples`; `count` findings with
    `texts` different texts stand in `shipments` shipments (0: about the file only); `examples` are up to three
    `shipment, row, column, zh, en, fix_zh, fix_en`, each of another shipment, or another text about the file; `fixes` counts different remedies.
    """
    another = pl.coalesce("shipment", "en").arg_unique().sort()
    example = pl.struct("shipment", "row", "column", "zh", "en", "fix_zh", "fix_en")
    return (
        findings.with_columns(_consequence().alias("what"))
        .with_columns(pl.col("what").replace_strict(_RANK, default=9).alias("rank"))
        .group_by("rank", "what", "rule", maintain_order=True)
        .agg(
            pl.len().alias("count"),
            pl.col("shipment").drop_nulls().n_unique().alias("shipments"),
            pl.col("zh", "en", "fix_zh", "fix_en").first(),
            pl.col("en").n_unique().alias("texts"),
            pl.col("fix_en").n_unique().alias("fixes"),
            example.gather(another).head(_EXAMPLES).alias("examples"),
        )
        .sort("rank", "count", "rule", descending=[False, True, False])
        .drop("rank")
    )


def merged(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Several answers of `grouped`, about different shipments, as one.

    `texts` and `fixes` then say whether there is one or are several, not how many.
    """
    return (
        pl.concat(parts)
        .group_by("what", "rule", maintain_order=True)
        .agg(
            pl.col("count", "shipments").sum(),
            *(pl.col(n).first() for n in ("zh", "en", "fix_zh", "fix_en")),
            pl.max_horizontal(pl.col("texts").max(), pl.col("en").n_unique()).alias("texts"),
            pl.max_horizontal(pl.col("fixes").max(), pl.col("fix_en").n_unique()).alias("fixes"),
            pl.col("examples").explode().drop_nulls().head(_EXAMPLES),
        )
        .with_columns(pl.col("what").replace_strict(_RANK, default=9).alias("rank"))
        .sort("rank", "count", "rule", descending=[False, True, False])
        .select(parts[0].columns)
    )


def findings_list(by_rule: pl.DataFrame, lang: str, columns: int) -> Text:
    """Findings as `grouped`, worst first: consequence, rule, count; what is wrong; remedy; three examples."""
    text = Text()
    for row in by_rule.iter_rows(named=True):
        text.append(label(row["what"], lang), style=_STYLE.get(row["what"], "bold cyan"))
        text.append(f"  {row['rule']}", style="bold")
        text.append(f"  {_counted(row, lang)}\n")
        for line, style in _body(row, lang, columns - len(_INDENT)):
            text.append(f"{_INDENT}{line}\n", style=style)
    return text


def _counted(row: Mapping[str, Any], lang: str) -> str:
    count, shipments = row["count"], row["shipments"]
    if shipments in (0, count):
        return f"× {count:,}"
    return f"× {count:,}" + (
        f"，{shipments:,} 票" if lang == "zh" else f" in {shipments:,} shipments"
    )


def _body(row: Mapping[str, Any], lang: str, columns: int) -> Iterator[tuple[str, str]]:
    """Lines and their styles: one text, its remedy and examples; or each example with its own text."""
    examples, remedy = row["examples"], row[f"fix_{lang}"] or ""
    if row["texts"] == 1:
        yield from _lines(row[lang] or "", columns)
    else:
        between = "：" if lang == "zh" else ": "
        for one in examples:
            own = f" → {one[f'fix_{lang}']}" if row["fixes"] > 1 and one[f"fix_{lang}"] else ""
            yield from _lines(f"{_place(one, lang)}{between}{one[lang] or ''}{own}", columns, "  ")
    if remedy and not (row["texts"] > 1 and row["fixes"] > 1):
        yield from _lines(f"→ {remedy}", columns, "  ", "green")
    places = [place for one in examples if (place := _place(one, lang))]
    if places and row["texts"] == 1:
        listed = "例 " + "；".join(places) if lang == "zh" else "e.g. " + "; ".join(places)
        yield from _lines(listed, columns, "", "dim")


def _lines(text: str, columns: int, hang: str = "", style: str = "") -> Iterator[tuple[str, str]]:
    """A text wrapped, lines after the first one hanging."""
    for number, line in enumerate(wrapped(text, columns - len(hang))):
        yield (hang if number else "") + line, style


def _place(example: Mapping[str, Any], lang: str) -> str:
    """`HX1001 row 186 SendId`: waybill, row and column as the user sees them."""
    row, shipment = example["row"], example["shipment"] or ""
    at = "" if not row else f"第 {row} 行" if lang == "zh" else f"row {row}"
    named = "" if shipment.startswith("#") and row else shipment
    return " ".join(part for part in (named, at, example["column"] or "") if part)


def write_findings_csv(findings: pl.DataFrame, file: Path) -> None:
    """Every finding as CSV with BOM (Excel opens it); cells that look like formulas are neutralised.

    Raises `InputError` if the file cannot be written.
    """
    with findings_csv(file) as write:
        write(findings)


@contextmanager
def findings_csv(file: Path) -> Iterator[Callable[[pl.DataFrame], None]]:
    """The same for findings that come frame by frame: a function that takes the next ones."""
    names = [name for name in found.SCHEMA if name != "ship"]
    with opened_whole(file) as out:
        out.write(b"\xef\xbb\xbf" + ",".join(names).encode() + b"\n")

        def write(findings: pl.DataFrame) -> None:
            texts = [name for name in names if findings.schema[name] == pl.String]
            shown = findings.select(names).with_columns(neutralised(name) for name in texts)
            shown.write_csv(out, include_header=False)

        yield write
