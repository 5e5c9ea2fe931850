"""`tax`: what each line and each parcel pays, and how that comes about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossborder.cli import common
from crossborder.cli.words import both, t

if TYPE_CHECKING:
    import polars as pl

    from crossborder.engine import Taxing

_LINES = 40
_REASONS = 10
_MOST_REASONS = 10_000


def tax(
    file: Annotated[Path, typer.Argument(metavar="FILE", help=both("预报清单", "shipment file"))],
    waybills: Annotated[list[str] | None, typer.Argument(metavar="WAYBILL", help=both("分运单或总运单：只看这些，并写出算式", "house or master waybills: only these, with every sum written out"))] = None,
    mapping: common.MappingName = "",
    profile: common.ProfileName = "",
    operator: common.OperatorName = "",
    as_of: common.AsOf = "",
    declared_on: Annotated[str, typer.Option("--declared-on", metavar="yyyy-mm-dd", help=both("申报日期：决定税表、税率和汇率（默认今天，中国时间）", "day of declaration: chooses tables, rates and exchange rates (default: today in China)"))] = "",
    regime: Annotated[str, typer.Option("--as", metavar="declared|ecommerce", help=both("declared 按报关类别；ecommerce 按跨境电商零售进口估算", "declared: by the class; ecommerce: what imports would pay as retail e-commerce"))] = "declared",
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="OUT", help=both("全部明细写入此文件（.csv .xlsx）", "write every line to this file (.csv, .xlsx)"))] = None,
    sheet: common.Sheet = "",
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:  # fmt: skip
    """Work out what the shipments of a file pay; nothing is stored, nothing is sent."""
    from crossborder.engine import Engine

    with (
        Engine(common.load_settings(config)) as engine,
        common.progress(t("计税", "working out the tax"), quiet=as_json) as report,
        engine.taxing(
            file, mapping=mapping or None, profile=profile, operator=operator, as_of=as_of or None,
            declared_on=declared_on or None, sheet=sheet or None, regime=regime, waybills=waybills or (),
            progress=report,
        ) as taxing,
        ExitStack() as held,
    ):  # fmt: skip
        write = _writer(out, held)
        if as_json:
            _answer(taxing, write)
        else:
            _show(taxing, write, told=bool(waybills))
    counts = taxing.totals.counts
    if out and not as_json:
        common.line(t(f"全部明细：{out}", f"every line: {out}"))
    if waybills and not counts["shipments"]:
        common.warn(t("文件中没有这些运单。", "The file does not hold these waybills."))
        return 1
    return 1 if counts["not_evaluated"] else 0


def _writer(out: Path | None, held: ExitStack) -> Any:
    from crossborder.reports import tax_file

    return held.enter_context(tax_file(out, common.lang())) if out else lambda lines, parcels: None


def _answer(taxing: Taxing, write: Any) -> None:
    """One JSON document, written shipment by shipment; counts and totals stand behind them."""
    from crossborder.engine import tax_records

    totals: dict[str, str] = {}

    def shipments() -> Iterator[dict[str, Any]]:
        for part in taxing:
            write(part.lines, part.consignments)
            yield from tax_records(part, common.lang())
        totals.update({name: str(value) for name, value in taxing.totals.sums.items()})

    common.answer({
        "format": 1, "declared_on": taxing.declared_on, "as": taxing.regime, "mapping": taxing.mapping,
        "shipments": shipments(), "counts": taxing.totals.counts, "totals": totals,
    })  # fmt: skip


def _show(taxing: Taxing, write: Any, *, told: bool) -> None:
    """The first lines as a table (of named waybills all of them, in sentences), what is missing, and the totals."""
    from crossborder.reports import tax_story, tax_table

    first: list[pl.DataFrame] = []
    lines = room = 0
    reasons: Counter[str] = Counter()
    for part in taxing:
        write(part.lines, part.consignments)
        missing = part.consignments.filter(part.consignments["outcome"] == "not_evaluated")
        for reason, number in missing[f"note_{common.lang()}"].value_counts().iter_rows():
            if reason in reasons or len(reasons) < _MOST_REASONS:
                reasons[reason] += number
        if told:
            for text in tax_story(part.lines, part.consignments, common.lang()):
                common.line(text)
        elif room < _LINES:
            first.append(part.lines.head(_LINES - room))
            room += first[-1].height
        lines += part.lines.height
    if first and room:
        import polars as pl

        common.out().print(tax_table(pl.concat(first), common.lang()))
        if lines > room:
            common.line(t(f"…另有 {lines - room:,} 行（-o 写出全部；给出运单号可看算式）", f"… and {lines - room:,} more lines (-o writes all; name a waybill to see its sums)"))  # fmt: skip
    if not told:
        _missing(reasons)
    _totals(taxing)


def _missing(reasons: Counter[str]) -> None:
    if not reasons:
        return
    common.line()
    common.line(
        t("未能评估（绝不当作零）：", "Not evaluated (never taken as zero):"), style="bold yellow"
    )
    for reason, number in reasons.most_common(_REASONS):
        common.line(f"  × {number:,}  {reason}")
    if len(reasons) > _REASONS:
        rest = len(reasons) - _REASONS
        common.line(t(f"  …另有 {rest:,} 种原因", f"  … and {rest:,} more reasons"))


def _totals(taxing: Taxing) -> None:
    counts, sums = taxing.totals.counts, taxing.totals.sums
    day = f"{taxing.declared_on[:4]}-{taxing.declared_on[4:6]}-{taxing.declared_on[6:]}"
    common.line()
    common.line(
        t(
            f"{counts['shipments']:,} 票（申报日 {day}）：应缴 {counts['due']:,}，共 {sums['payable_cny']:,} 元；"
            f"不征收 {counts['not_collected']:,}，不征税 {counts['not_taxed']:,}，未能评估 {counts['not_evaluated']:,}",
            f"{counts['shipments']:,} shipments (declared {day}): {counts['due']:,} pay CNY {sums['payable_cny']:,} in all; "
            f"{counts['not_collected']:,} not collected, {counts['not_taxed']:,} not taxed, "
            f"{counts['not_evaluated']:,} not evaluated",
        ),
        style="bold",
    )
