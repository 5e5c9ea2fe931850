"""`check`: from a file to findings; what `check` and `prepare` show of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossborder.cli import common
from crossborder.cli.words import both, t

if TYPE_CHECKING:
    import polars as pl

    from crossborder.engine import Checked

File = Annotated[Path, typer.Argument(help=both("预报清单文件", "shipment file"), metavar="FILE")]


def check(
    file: File,
    mapping: common.MappingName = "",
    profile: common.ProfileName = "",
    operator: common.OperatorName = "",
    as_of: common.AsOf = "",
    sheet: common.Sheet = "",
    findings: Annotated[Path | None, typer.Option("--findings", metavar="CSV", help=both("全部问题写入此文件", "write every finding to this file"))] = None,
    only_rejected: Annotated[Path | None, typer.Option("--only-rejected", metavar="OUT", help=both("仅把有误的行按原列写入此文件（.csv .xlsx）", "write just the faulty rows, in your own columns, to this file (.csv, .xlsx)"))] = None,
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:  # fmt: skip
    """Check a file and show what is wrong; nothing is stored, nothing is sent."""
    from crossborder import intake
    from crossborder.engine import Engine
    from crossborder.reports import write_findings_csv

    with Engine(common.load_settings(config)) as engine:
        checked = engine.check(
            file, mapping=mapping or None, profile=profile, operator=operator, as_of=as_of or None, sheet=sheet or None
        )  # fmt: skip
    if findings:
        write_findings_csv(checked.findings, findings)
    faulty = intake.write_rows(checked.source, faulty_rows(checked), only_rejected) if only_rejected else 0  # fmt: skip
    if as_json:
        common.answer(checked.as_json(common.lang()))
    else:
        show_checked(checked)
        if findings:
            common.line(t(f"全部 {checked.findings.height:,} 条问题：{findings}", f"all {checked.findings.height:,} findings: {findings}"))  # fmt: skip
        if only_rejected:
            common.line(t(f"有误的 {faulty:,} 行：{only_rejected}", f"{faulty:,} faulty rows: {only_rejected}"))  # fmt: skip
    return exit_code(checked)


def faulty_rows(checked: Checked) -> pl.DataFrame:
    """`sheet, row` of every source row of a rejected shipment."""
    import polars as pl

    bad = checked.verdicts.filter(pl.col("verdict") == "rejected")["ship"]
    return (
        checked.frames.shipments.filter(pl.col("ship").is_in(bad.implode()))
        .select("sheet", pl.col("rows").alias("row"))
        .explode("row")
        .sort("row")
    )


def exit_code(checked: Checked) -> int:
    """0 if every shipment is valid, else 1."""
    counts = checked.counts
    return 0 if counts["valid"] == counts["shipments"] else 1


def show_checked(checked: Checked) -> None:
    """Findings by rule, then one line of counts."""
    from crossborder.reports import findings_list

    out = common.out()
    if checked.findings.height:
        out.print(findings_list(checked.findings, common.lang(), out.width))
    if checked.unevaluated.height:
        named = ", ".join(checked.unevaluated["rule"])
        common.line(t(f"未能运行的检查：{named}（原因见 crossborder explain）", f"checks that could not run: {named} (why: crossborder explain)"), style="dim")  # fmt: skip
    c = checked.counts
    common.line(
        t(
            f"{c['shipments']:,} 票，{c['rows']:,} 行：通过 {c['valid']:,}，未通过 {c['rejected']:,}，"
            f"未能评估 {c['not_evaluated']:,}，待人工 {c['on_hold']:,}（对照表 {checked.mapping}）",
            f"{c['shipments']:,} shipments, {c['rows']:,} rows: {c['valid']:,} valid, {c['rejected']:,} rejected, "
            f"{c['not_evaluated']:,} not evaluated, {c['on_hold']:,} on hold (mapping {checked.mapping})",
        ),
        style="bold",
    )
