"""`check`, `prepare`, `mapping`: from a file to findings, and to recorded declarations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossborder.cli import common
from crossborder.cli.words import t

if TYPE_CHECKING:
    import polars as pl

    from crossborder.engine import Checked

File = Annotated[Path, typer.Argument(help=t("预报清单文件", "shipment file"), metavar="FILE")]


def check(
    file: File,
    mapping: common.MappingName = "",
    profile: common.ProfileName = "",
    operator: common.OperatorName = "",
    as_of: common.AsOf = "",
    findings: Annotated[Path | None, typer.Option("--findings", help=t("全部问题写入 CSV", "write every finding to this CSV"))] = None,
    only_rejected: Annotated[Path | None, typer.Option("--only-rejected", help=t("仅把有误的行按原列写入此文件", "write just the faulty rows, in your own columns, to this file"))] = None,
    sheet: Annotated[str, typer.Option("--sheet", help=t("工作表", "sheet"))] = "",
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:  # fmt: skip
    """Check a file and show what is wrong; nothing is stored, nothing is sent."""
    from crossborder import intake
    from crossborder.engine import Engine
    from crossborder.reports import write_findings_csv

    said = common.lang_of(lang)
    with Engine(common.load_settings(config)) as engine:
        checked = engine.check(
            file, mapping=mapping or None, profile=profile, operator=operator, as_of=as_of or None, sheet=sheet or None
        )  # fmt: skip
    if findings:
        write_findings_csv(checked.findings, findings)
    if only_rejected:
        intake.write_rows(checked.source, faulty_rows(checked), only_rejected)
    if as_json:
        common.answer(checked.as_json(said))
    else:
        show_checked(checked, said)
    return exit_code(checked)


def faulty_rows(checked: Checked) -> pl.DataFrame:
    """`sheet, row` of every source row of a shipment that is not valid."""
    import polars as pl

    bad = checked.verdicts.filter(pl.col("verdict") != "valid")["ship"]
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


def show_checked(checked: Checked, lang: str) -> None:
    """Findings by rule, then one line of counts."""
    from crossborder.reports import findings_list

    out = common.out()
    if checked.findings.height:
        out.print(findings_list(checked.findings, lang))
    c = checked.counts
    if lang == "zh":
        out.print(
            f"{c['shipments']:,} 票（{c['rows']:,} 行）：通过 {c['valid']:,}，未通过 {c['rejected']:,}，"
            f"未能评估 {c['not_evaluated']:,}，待人工 {c['on_hold']:,}。对照表：{checked.mapping}"
        )
    else:
        out.print(
            f"{c['shipments']:,} shipments ({c['rows']:,} rows): {c['valid']:,} valid, {c['rejected']:,} rejected, "
            f"{c['not_evaluated']:,} not evaluated, {c['on_hold']:,} on hold. Mapping: {checked.mapping}"
        )
