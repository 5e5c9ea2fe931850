"""`check`: from a file to findings; what `check` and `prepare` show of them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from crossborder.cli import common
from crossborder.cli.words import both, t

if TYPE_CHECKING:
    import polars as pl

    from crossborder.engine import Checking, Summary

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
    annotate: Annotated[Path | None, typer.Option("--annotate", metavar="XLSX", help=both("整份清单写回此工作簿：有误处着色并批注", "your own file back as this workbook, with the faults coloured and commented"))] = None,
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:  # fmt: skip
    """Check a file and show what is wrong; nothing is stored, nothing is sent."""
    from crossborder.engine import Engine

    with (
        Engine(common.load_settings(config)) as engine,
        ExitStack() as bar,
        engine.checking(
            file, mapping=mapping or None, profile=profile, operator=operator, as_of=as_of or None, sheet=sheet or None,
            progress=bar.enter_context(common.progress(t("校验", "checking"), quiet=as_json)),
        ) as checking,
        kept_findings() as kept,
    ):  # fmt: skip
        if annotate:
            checking.annotate_to(annotate)
        read_findings(checking, findings, kept if as_json else None)
        bar.close()
        faulty = write_faulty(checking, only_rejected) if only_rejected else 0
        summary = checking.summary
        if annotate:
            write_annotated(checking, quiet=as_json)
        if as_json:
            common.answer(summary.as_json(common.Raw(line) for line in kept))
    if not as_json:
        show_summary(summary)
        if findings:
            common.line(t(f"全部 {summary.findings:,} 条问题：{findings}", f"all {summary.findings:,} findings: {findings}"))  # fmt: skip
        if only_rejected:
            common.line(t(f"有误的 {faulty:,} 行：{only_rejected}", f"{faulty:,} faulty rows: {only_rejected}"))  # fmt: skip
        if annotate:
            common.line(t(f"已标注：{annotate}（更正后原样重新提交）", f"annotated: {annotate} (correct it and hand it in again as it is)"))  # fmt: skip
    return 0 if summary.verdicts["valid"] == summary.counts["shipments"] else 1


class Kept:
    """Findings as lines of JSON, kept while the counts that stand before them are not known."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def add(self, findings: pl.DataFrame) -> None:
        """Further findings."""
        from crossborder.engine import findings_frame

        findings_frame(findings, common.lang()).write_ndjson(self._file)

    def __iter__(self) -> Iterator[str]:
        self._file.seek(0)
        for line in self._file:
            yield line.decode("utf-8").rstrip("\n")


@contextmanager
def kept_findings() -> Iterator[Kept]:
    """In memory as long as they are few, then in a file without a name, which nobody else can open."""
    with tempfile.SpooledTemporaryFile(max_size=16 * 1024 * 1024) as file:
        yield Kept(file)


def read_findings(checking: Checking, out: Path | None, kept: Kept | None) -> None:
    """Check to the end; findings go to the file and are kept as they come."""
    from crossborder.reports import findings_csv

    with findings_csv(out) if out else nullcontext() as write:
        for findings in checking.findings():
            if write is not None:
                write(findings)
            if kept is not None:
                kept.add(findings)


def write_faulty(checking: Checking, out: Path) -> int:
    """Write the rows of rejected shipments in the user's own columns; how many."""
    from crossborder import intake

    with intake.rows_out(out) as rows:
        for source, wanted in checking.faulty_rows():
            rows.add(source, wanted)
    return rows.count


def write_annotated(checking: Checking, *, quiet: bool) -> None:
    """Write the hand-in back with its faults marked."""
    with common.progress(t("标注", "annotating"), quiet=quiet) as report:
        checking.annotate(report)


def show_summary(summary: Summary) -> None:
    """Findings by rule, then one line of counts."""
    from crossborder.reports import findings_list

    out = common.out()
    if summary.findings:
        out.print(findings_list(summary.by_rule, common.lang(), out.width))
    if summary.unevaluated.height:
        named = ", ".join(summary.unevaluated["rule"])
        common.line(t(f"未能运行的检查：{named}（原因见 crossborder explain）", f"checks that could not run: {named} (why: crossborder explain)"), style="dim")  # fmt: skip
    c = summary.counts
    leave = c["to_general"]
    zh, en = (
        (f"（其中转一般报关 {leave:,}）", f" ({leave:,} of them to general declaration)")
        if leave
        else ("", "")
    )
    common.line(
        t(
            f"{c['shipments']:,} 票，{c['rows']:,} 行：通过 {c['valid']:,}，未通过 {c['rejected']:,}{zh}，"
            f"未能评估 {c['not_evaluated']:,}，待人工 {c['on_hold']:,}（对照表 {summary.mapping}）",
            f"{c['shipments']:,} shipments, {c['rows']:,} rows: {c['valid']:,} valid, {c['rejected']:,} rejected{en}, "
            f"{c['not_evaluated']:,} not evaluated, {c['on_hold']:,} on hold (mapping {summary.mapping})",
        ),
        style="bold",
    )
