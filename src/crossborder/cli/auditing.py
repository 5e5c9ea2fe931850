"""`audit verify` and `audit export`: whether the history was touched, and the history for an auditor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crossborder.cli import common
from crossborder.cli.words import both, t


def audit_verify(
    since: Annotated[list[str] | None, typer.Option("--since", metavar="HEAD", help=both("先前保存的链头：“编号:摘要”或 head.json；可重复", "a head kept from an earlier export: NUMBER:DIGEST or its head.json; may be repeated"))] = None,
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:  # fmt: skip
    """Verify the whole audit chain, and the ledger against it. Changes nothing."""
    from crossborder.engine import Engine

    with (
        Engine(common.load_settings(config)) as engine,
        common.progress(t("核验", "verifying"), quiet=as_json) as report,
    ):
        done = engine.audit_verify(since or (), progress=report)
    if as_json:
        common.answer(done.as_json())
        return 0 if done.intact else 1
    found = done.audit
    for fault in found.faults:
        common.line(f"✗ {fault.what}  {fault.text(common.lang())}", style="bold red")
    if found.more:
        common.line(
            t(f"  …另有 {found.more:,} 处", f"  … and {found.more:,} more"), style="bold red"
        )
    for number, at in found.chained_later:
        common.line(t(f"第 {number - 1} 条及以前的记录在 {at} 才入链，此前的改动无从证明。",
                      f"#1 to #{number - 1} were chained only at {at}: of what was done to them before, nothing can be proven."))  # fmt: skip
    counts = t(
        f"已核对 {found.entries:,} 条记录、{found.blocks:,} 个区块、{found.attempts:,} 份申报。",
        f"{found.entries:,} entries, {found.blocks:,} blocks and {found.attempts:,} messages compared.",
    )
    common.line(counts)
    if done.intact:
        common.line(t("完好：没有记录被改动、缺失或调换。", "Whole: nothing was edited, is missing or moved."), style="green")  # fmt: skip
    if not done.heads_kept:
        common.line(
            t("整条链若连同链头被重写，只有另行保存的链头能发现（--since）。",
              "A chain that was written anew with its head is found only by a head kept elsewhere (--since)."),
            style="dim",
        )  # fmt: skip
    common.line(t(f"链头 {done.head}", f"head {done.head}"))
    return 0 if done.intact else 1


def audit_export(
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help=both("写入的文件夹", "the folder to write to"))],
    batch: common.BatchOption = None,
    date: common.Date = "",
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:  # fmt: skip
    """Write the audit trail with its head, the procedure and a script that checks it offline."""
    from crossborder.engine import Engine

    with (
        Engine(common.load_settings(config)) as engine,
        common.progress(t("导出", "exporting"), quiet=as_json) as report,
    ):
        done = engine.audit_export(out, batch or (), day=date, progress=report)
    if as_json:
        common.answer(done.as_json())
        return 0
    common.line(t(f"已写出 {done.entries:,} 条记录到 {done.folder}", f"{done.entries:,} entries written to {done.folder}"))  # fmt: skip
    common.line(t(f"核验：python {done.folder / 'verify.py'}", f"to check: python {done.folder / 'verify.py'}"))  # fmt: skip
    common.line(
        t(f"请另行保存链头：{done.head}", f"keep this head somewhere else: {done.head}"),
        style="bold",
    )
    return 0
