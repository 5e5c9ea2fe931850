"""`status`, `batches`, `report`: where things stand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossborder.cli import common
from crossborder.cli.words import t

if TYPE_CHECKING:
    from crossborder.engine import Engine

Batch = Annotated[list[str] | None, typer.Option("--batch", help=t("批次", "batch"))]
Date = Annotated[
    str, typer.Option("--date", help=t("日期（中国时间）yyyy-mm-dd", "day, China time, yyyy-mm-dd"))
]


def status(
    waybills: Annotated[list[str] | None, typer.Argument(help=t("分运单号", "house waybills"))] = None,
    batch: Batch = None,
    date: Date = "",
    master: Annotated[str, typer.Option("--master", help=t("总运单号", "master waybill"))] = "",
    state: Annotated[str, typer.Option("--state", help=t("只列此状态，如 unknown", "only this state, e.g. unknown"))] = "",
    xml: Annotated[bool, typer.Option("--xml", help=t("显示报文原文", "show the exact XML"))] = False,
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:  # fmt: skip
    """Where things stand: the account of a batch or day, or the whole story of one parcel."""
    from crossborder.engine import Engine

    said = common.lang_of(lang)
    with Engine(common.load_settings(config)) as engine:
        if waybills:
            return tell_stories(engine, waybills, xml=xml, as_json=as_json, lang=said)
        if state or master:
            return list_attempts(
                engine, state=state, master=master, batch=batch or [], as_json=as_json
            )
        account = engine.account(batch or (), day=date)
        missing = engine.not_manifested(batch or (), day=date)
    if as_json:
        common.answer(
            {
                "format": 1,
                "account": {n: list(v) for n, v in account.items()},
                "not_manifested": missing,
            }
        )
        return 0
    from crossborder.reports import account_table

    if missing:
        common.out().print(t("[bold red]未列入任何舱单[/]", "[bold red]ON NO MANIFEST[/]"))
        for one in missing[:20]:
            common.out().print(f"  {one['master'] or '—'} {one['shipment']}: {one['reason']}")
    common.out().print(account_table(account, said))
    return 0


def tell_stories(
    engine: Engine, waybills: list[str], *, xml: bool, as_json: bool, lang: str
) -> int:
    """Time line, receipts and (asked) exact XML of each parcel."""
    stories = {waybill: engine.status(waybill) for waybill in waybills}
    if as_json:
        common.answer({"format": 1, "shipments": stories})
        return 0
    for waybill, attempts in stories.items():
        if not attempts:
            common.out().print(t(f"{waybill}：账上没有这票", f"{waybill}: not in the ledger"))
        for attempt in attempts:
            tell(attempt, lang)
            if xml:
                common.out().print(
                    engine.document(attempt["attempt_id"]).decode("utf-8"), markup=False
                )
    return 0 if all(stories.values()) else 1


def tell(attempt: dict[str, Any], lang: str) -> None:
    """One attempt: where it stands, what is next, then its time line."""
    out = common.out()
    out.print(
        f"[bold]{attempt['house_waybill'] or attempt['master_waybill']}[/] "
        f"{attempt['message_type']} #{attempt['number']} {attempt['endpoint']} "
        f"[bold]{attempt['state']}[/] ({t('批次', 'batch')} {attempt['batch_id']})"
    )
    todo = attempt["next_zh" if lang == "zh" else "next"]
    if todo:
        out.print(f"  → {todo}")
    for entry in attempt["timeline"]:
        out.print(f"  {entry['at'][:19]}  {entry['what']}")


def list_attempts(
    engine: Engine, *, state: str, master: str, batch: list[str], as_json: bool
) -> int:
    """Attempts of one state or one master waybill, a line each."""
    found = engine.attempts(state=state, master=master, batches=batch)
    if as_json:
        common.answer({"format": 1, "attempts": found})
        return 0
    for one in found:
        common.out().print(
            f"{one['batch_id']}  {one['endpoint']:<10} {one['message_type']}  {one['master_waybill']}  "
            f"{one['house_waybill'] or '—':<20} {one['state']}  {one['state_since'][:19]}"
        )
    if not found:
        common.out().print(t("没有", "none"))
    return 0


def batches(
    date: Date = "",
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:
    """The batches of a day, or the latest ones."""
    from crossborder.engine import Engine

    with Engine(common.load_settings(config)) as engine:
        found = engine.batches(day=date)
    if as_json:
        common.answer({"format": 1, "batches": found})
        return 0
    for one in found:
        filed = t("已放行申报", "filed") if one["submitted_at"] else t("未申报", "not filed")
        counts = ", ".join(f"{name} {n:,}" for name, n in one["counts"].items() if n)
        common.out().print(
            f"{one['id']}  {one['state']:<9} {filed}  {one['source_name']}  {counts}"
        )
    if not found:
        common.out().print(t("还没有批次。", "No batches yet."))
    return 0


def report(
    out: Annotated[Path, typer.Option("-o", "--out", help=t("输出文件 .html .xlsx .json", "file: .html, .xlsx or .json"))] = Path("report.html"),
    batch: Batch = None,
    date: Date = "",
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:  # fmt: skip
    """The day's report: what came in, where every parcel stands, what a person must do."""
    from crossborder.engine import Engine
    from crossborder.reports import write_report

    said = common.lang_of(lang)
    with Engine(common.load_settings(config)) as engine:
        data = engine.report(batch or (), day=date)
    if as_json:
        common.answer(data.as_json())
        return 1 if data.needs_attention else 0
    write_report(data, out, said)
    common.out().print(t(f"日报已写入 {out}", f"report written to {out}"))
    return 1 if data.needs_attention else 0
