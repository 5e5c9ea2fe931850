"""`prepare`, `submit`, `receive`, `resolve`, `reconcile`: from recorded declarations to customs' decision."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossborder.cli import common
from crossborder.cli.check import File, show_checked
from crossborder.cli.words import t

if TYPE_CHECKING:
    from crossborder.engine import Prepared, Submitted, Waiting

Batches = Annotated[
    list[str] | None,
    typer.Argument(
        help=t("批次号，例如 20261123-07", "batch ids, e.g. 20261123-07"), metavar="[BATCH]..."
    ),
]


def prepare(
    file: File,
    mapping: common.MappingName = "",
    profile: common.ProfileName = "",
    operator: common.OperatorName = "",
    as_of: common.AsOf = "",
    sheet: Annotated[str, typer.Option("--sheet", help=t("工作表", "sheet"))] = "",
    out: Annotated[Path | None, typer.Option("-o", "--out", help=t("另存报文的文件夹（导出，删除无妨）", "also write the documents to this folder (an export; deleting it loses nothing)"))] = None,
    layout: Annotated[str, typer.Option("--layout", help="files | bundle")] = "files",
    who: common.Who = "",
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:  # fmt: skip
    """Check, compose and record a file as a batch. Nothing leaves the house."""
    from crossborder.engine import Engine

    said = common.lang_of(lang)
    with Engine(common.load_settings(config)) as engine:
        with common.progress(t("制单", "preparing"), quiet=as_json) as report:
            done = engine.prepare(
                file, mapping=mapping or None, profile=profile, operator=operator, as_of=as_of or None,
                sheet=sheet or None, who=common.who_am_i(who), progress=report,
            )  # fmt: skip
        written = engine.export(done.batch, out, layout) if out else 0
    if as_json:
        common.answer(done.as_json(said) | ({"written": written} if out else {}))
    else:
        show_checked(done.checked, said)
        show_prepared(done, said)
        if out:
            common.out().print(
                t(f"已导出 {written:,} 份报文到 {out}", f"{written:,} documents written to {out}")
            )
    return 1 if done.to_correct else 0


def show_prepared(done: Prepared, lang: str) -> None:
    """What the batch became; the last line says what is next, and that nothing was filed."""
    out = common.out()
    c = done.counts
    held = c.get("on_hold", 0) + c.get("not_evaluated", 0)
    if lang == "zh":
        out.print(
            f"{done.shipments:,} 票：新申报 {c.get('prepared', 0):,}，此前已申报 {c.get('already_filed', 0):,}，"
            f"待更正 {done.to_correct - held:,}" + (f"，待人工 {held:,}" if held else "")
        )
        if done.not_manifested:
            out.print(
                f"[bold red]未列入舱单：{done.not_manifested:,} 票（见 crossborder status --batch {done.batch}）[/]"
            )
        out.print(
            f"已制单，未申报：{c.get('prepared', 0):,} 份报关单。下一步：crossborder submit {done.batch}",
            style="bold",
        )
    else:
        out.print(
            f"{done.shipments:,} shipments: {c.get('prepared', 0):,} new attempts, {c.get('already_filed', 0):,} already "
            f"filed, {done.to_correct - held:,} to correct"
            + (f", {held:,} waiting for a person" if held else "")
        )
        if done.not_manifested:
            out.print(
                f"[bold red]NOT MANIFESTED: {done.not_manifested:,} shipments (crossborder status --batch {done.batch})[/]"
            )
        out.print(
            f"PREPARED, NOT FILED: {c.get('prepared', 0):,} declarations. Next: crossborder submit {done.batch}", style="bold"
        )  # fmt: skip


def submit(
    batches: Batches = None,
    yes: common.Yes = False,
    wait: Annotated[float, typer.Option("--wait", help=t("最多等待舱单回执的秒数", "seconds to wait for manifests to be accepted"))] = 60.0,
    who: common.Who = "",
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:  # fmt: skip
    """File what is prepared. Without BATCH it lists what waits and sends nothing."""
    from crossborder.engine import Engine

    said = common.lang_of(lang)
    with Engine(common.load_settings(config)) as engine:
        waiting = engine.waiting(batches or None)
        if not batches:
            return show_waiting(waiting, said, as_json)
        if not as_json:
            show_waiting(waiting, said, False)
        if not yes and not confirmed(waiting):
            common.warn(t("未发送任何报文。", "Nothing was sent."))
            return 2
        with common.progress(t("申报", "filing"), quiet=as_json) as report:
            done = engine.submit(batches, who=common.who_am_i(who), wait=wait, progress=report)
    if as_json:
        common.answer(done.as_json())
    else:
        show_submitted(done, said)
    return 1 if done.needs_attention else 0


def confirmed(waiting: list[Waiting]) -> bool:
    """Ask before anything is sent; a live endpoint wants its name typed."""
    live = sorted({w.endpoint for w in waiting if w.kind == "live"})
    if not sys.stdin.isatty():
        common.warn(t("非交互运行请加 --yes", "not a terminal: add --yes to file"))
        return False
    if live:
        typed = typer.prompt(
            t(f"正式口岸！请输入 {live[0]} 以确认", f"LIVE endpoint! type {live[0]} to confirm"),
            err=True,
        )
        return bool(typed == live[0])
    return bool(typer.confirm(t("现在申报？", "file now?"), err=True))


def show_waiting(waiting: list[Waiting], lang: str, as_json: bool) -> int:
    """Batch, endpoint, sandbox or live, declarant and counts of what is prepared and not filed."""
    if as_json:
        common.answer({"format": 1, "waiting": [w.as_json() for w in waiting]})
        return 0
    from rich.table import Table

    if not waiting:
        common.out().print(t("没有待申报的批次。", "Nothing is waiting to be filed."))
        return 0
    table = Table(title=t("待申报", "waiting to be filed"))
    for head in (("批次", "文件", "口岸", "性质", "申报单位", "舱单", "报关单") if lang == "zh"
                 else ("batch", "file", "endpoint", "kind", "declarant", "manifests", "declarations")):  # fmt: skip
        table.add_column(head)
    for w in waiting:
        kind = "SANDBOX" if w.kind == "sandbox" else ("正式 LIVE" if lang == "zh" else "LIVE")
        table.add_row(
            w.batch,
            w.source,
            w.endpoint,
            kind,
            w.declarant,
            f"{w.manifests:,}",
            f"{w.declarations:,}",
        )
    common.out().print(table)
    return 0


def show_submitted(done: Submitted, lang: str) -> None:
    """Counts by state after filing, and what is next."""
    out = common.out()
    states = ", ".join(f"{name} {count:,}" for name, count in done.states.items()) or "—"
    out.print(t("状态：", "states: ") + states)
    if done.unknown:
        out.print(
            t(
                f"[bold red]去向不明：{done.unknown:,} 份。它们不会被盲目重发；见 crossborder status --state unknown[/]",
                f"[bold red]UNKNOWN: {done.unknown:,}. They are never sent again blindly; see crossborder status --state unknown[/]",
            )
        )
    if done.awaiting:
        out.print(
            t(
                f"等待舱单回执：{done.awaiting:,} 份；收到回执后再次运行 crossborder submit",
                f"awaiting their manifest: {done.awaiting:,}; run crossborder submit again once receipts are in",
            )
        )
    out.print(t("下一步：crossborder receive", "Next: crossborder receive"), style="bold")


def receive(
    files: Annotated[list[Path] | None, typer.Argument(help=t("回执文件（可选）", "receipt files (optional)"))] = None,
    endpoint: Annotated[str, typer.Option("--endpoint", help=t("这些文件来自哪个口岸", "the endpoint the files came from"))] = "",
    follow: Annotated[float, typer.Option("--follow", help=t("持续收取的秒数", "go on fetching for so many seconds"))] = 0.0,
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:  # fmt: skip
    """Fetch receipts from every endpoint, or import files: stored raw first, then read, matched and applied."""
    from crossborder.engine import Engine

    with Engine(common.load_settings(config)) as engine:
        with common.progress(t("收回执", "receiving"), quiet=as_json) as report:
            got = engine.receive(files or (), endpoint=endpoint, follow=follow, progress=report)
    if as_json:
        common.answer({"format": 1, **got.counts})
    else:
        common.out().print(", ".join(f"{name} {count:,}" for name, count in got.counts.items()))
        if got.needs_attention:
            common.out().print(
                t(
                    "[bold red]有回执需要人工处理，见 crossborder report[/]",
                    "[bold red]some receipts need a person; see crossborder report[/]",
                )
            )
    return 1 if got.needs_attention else 0


def resolve(
    waybill: Annotated[str, typer.Argument(help=t("分运单号", "house waybill"))],
    as_: Annotated[str, typer.Option("--as", help="received | not-received")],
    reason: Annotated[str, typer.Option("--reason", help=t("依据（记入日志）", "why you know (goes into the ledger)"))],
    who: common.Who = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help=t("只显示，不改动", "show only, change nothing"))] = False,
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:  # fmt: skip
    """Decide an unknown: say, with the reason, whether the port has the declaration.

    Say not-received only when the port or the import client has shown that nothing arrived: the same bytes are
    then sent again. If you are not sure, leave it unknown.
    """
    from crossborder.engine import Engine

    with Engine(common.load_settings(config)) as engine:
        done = engine.resolve(
            waybill, as_, reason=reason, who=common.who_am_i(who), dry_run=dry_run
        )
    if as_json:
        common.answer({"format": 1, **done})
    else:
        before, after = done["from"], done["to"]
        mark = t("（仅演练）", " (dry run)") if dry_run else ""
        common.out().print(f"{waybill}: {before} → {after}{mark}")
    return 0


def reconcile(
    batch: Annotated[list[str] | None, typer.Option("--batch", help=t("批次", "batch"))] = None,
    date: Annotated[str, typer.Option("--date", help="yyyy-mm-dd")] = "",
    endpoints: Annotated[bool, typer.Option("--ask-endpoints/--no-endpoints", help=t("同时核对口岸", "compare with what the endpoints say"))] = True,
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:  # fmt: skip
    """Prove that every shipment and row is in exactly one place; list each difference. Changes nothing."""
    from crossborder.engine import Engine

    said = common.lang_of(lang)
    with Engine(common.load_settings(config)) as engine:
        proof = engine.reconcile(batch or (), day=date, ask_endpoints=endpoints)
    if as_json:
        common.answer(proof.as_json())
    else:
        from crossborder.reports import account_table

        common.out().print(account_table(proof.account, said, t("对账", "account")))
        show_differences(proof.differences)
    return 1 if proof.differences else 0


def show_differences(differences: list[dict[str, str]]) -> None:
    """Each difference on a line of its own, or that there are none."""
    out = common.out()
    if not differences:
        out.print(
            t(
                "无差异：每一票、每一行都有且只有一个去处。",
                "No differences: every parcel and row is in exactly one place.",
            ),
            style="green",
        )
    for one in differences:
        out.print(f"[bold red]✗[/] {one['what']}: {one['detail']}")
