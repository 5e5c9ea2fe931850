"""`receive`, `resolve`, `reconcile`: answers come in, people decide, and the account is proven."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Annotated

import typer

from crossborder.cli import common
from crossborder.cli.filing import show_troubles
from crossborder.cli.holdups import show_brought, show_holdups
from crossborder.cli.words import both, t

_EXAMPLES = 3
"""Differences of one kind that are shown; the rest is counted."""

_RECEIVED: dict[str, tuple[str, str]] = {
    "receipts": ("新回执", "new receipts"),
    "repeated": ("重复", "repeated"),
    "read": ("已读取", "read"),
    "unreadable": ("无法读取", "unreadable"),
    "applied": ("已处理", "lines applied"),
    "unmatched": ("无对应申报", "unmatched"),
    "contradictory": ("前后矛盾", "contradictory"),
    "unknown_code": ("代码未知", "unknown code"),
    "trouble": ("口岸故障", "endpoints in trouble"),
}


def receive(
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILE", help=both("回执文件或文件夹；不给则从各口岸取回", "receipt files or folders; without any, every endpoint is asked"))] = None,
    endpoint: Annotated[str, typer.Option("--endpoint", metavar="NAME", help=both("这些文件来自哪个口岸", "the endpoint the files came from"))] = "",
    follow: Annotated[float, typer.Option("--follow", min=0, metavar="SECONDS", help=both("持续收取的秒数", "go on fetching for so long"))] = 0.0,
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:  # fmt: skip
    """Fetch receipts from every endpoint, or import files: stored raw first, then read, matched and applied."""
    from crossborder.engine import Engine
    from crossborder.errors import SettingsError

    with Engine(common.load_settings(config)) as engine:
        if not files and not any(e.address for e in engine.settings.endpoints.values()):
            raise SettingsError(
                "no endpoint has an address", "没有任何口岸设置了地址", place="endpoints",
                fix_en="set one in crossborder.toml, or name receipt files",
                fix_zh="请在 crossborder.toml 中设置，或给出回执文件",
            )  # fmt: skip
        with common.progress(t("收回执", "receiving"), quiet=as_json) as report:
            got = engine.receive(files or (), endpoint=endpoint, follow=follow, progress=report)
        unreadable = engine.unreadable(got.counts.get("unreadable", 0))
    if as_json:
        common.answer(got.as_json(unreadable))
    else:
        common.line(", ".join(f"{t(*_RECEIVED.get(name, (name, name)))} {n:,}" for name, n in got.counts.items()))  # fmt: skip
        show_troubles(got.troubles)
        for one in unreadable:
            common.line(
                t(f"{one['endpoint']} {one['name']}：回执无法读取（{one['problem']}），原文已保存 → 请向对方索取完整回执",
                  f"{one['endpoint']} {one['name']}: cannot be read ({one['problem']}); kept as it came → ask for it again"),
                style="bold red",
            )  # fmt: skip
        show_brought(got.brought)
        if got.before:
            older = sum(got.before.values())
            common.line(t(f"此前未能处理的回执尚有 {older:,} 条，见 crossborder report", f"receipt lines of earlier runs that could not be applied: {older:,}; see crossborder report"))  # fmt: skip
    return 1 if got.needs_attention else 0


def resolve(
    waybill: Annotated[str, typer.Argument(metavar="WAYBILL", help=both("分运单号，或总运单号（舱单）", "house waybill, or master waybill for its manifest"))],
    as_: Annotated[str, typer.Option("--as", metavar="WORD", help=both("received 已收到、not-received 确认没有收到、declined 收到但拒绝、file-again 已终结可重新申报", "received, not-received, declined (it had it and refused it), or file-again (what customs ended)"))],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help=both("依据，记入台账", "how you know; goes into the ledger"))],
    who: common.Who = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help=both("只显示，不改动", "show only, change nothing"))] = False,
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:  # fmt: skip
    """Decide an unknown: say, with the reason, what became of the declaration; or that one that was ended may be filed again."""
    from crossborder.engine import Engine

    with Engine(common.load_settings(config)) as engine:
        done = engine.resolve(
            waybill, as_, reason=reason, who=common.who_am_i(who), dry_run=dry_run
        )
    if as_json:
        common.answer({"format": 1, **done})
    else:
        mark = t("（仅演练，未改动）", " (dry run: nothing changed)") if dry_run else ""
        common.line(f"{waybill}: {done['from']} → {done['to']}{mark}")
    return 0


def reconcile(
    batch: common.BatchOption = None,
    date: common.Date = "",
    endpoints: Annotated[bool, typer.Option("--ask-endpoints/--no-endpoints", help=both("是否同时核对口岸收到的报文（默认核对）", "compare with what the endpoints received (default: yes)"))] = True,
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:  # fmt: skip
    """Prove that every shipment and row is in exactly one place; show differences by kind. Changes nothing."""
    from crossborder.engine import Engine

    with Engine(common.load_settings(config)) as engine:
        proof = engine.reconcile(batch or (), day=date, ask_endpoints=endpoints)
    if as_json:
        common.answer(proof.as_json())
    else:
        from crossborder.reports import account_table

        common.out().print(account_table(proof.account, common.lang(), t("对账", "account")))
        show_holdups(proof.holdups)
        show_differences(proof.differences)
    return 1 if proof.differences else 0


def show_differences(differences: Sequence[Mapping[str, str]]) -> None:
    """Differences by kind, the worst first, with count and some examples; or that there are none."""
    from crossborder.reports import label

    if not differences:
        common.line(
            t("无差异：每一票、每一行都有且只有一个去处。", "No differences: every parcel and row is in exactly one place."),
            style="green",
        )  # fmt: skip
    for what, group in groupby(differences, key=itemgetter("what")):
        same = list(group)
        word = f" {label(what, 'zh')}" if common.lang() == "zh" else ""
        common.line(f"✗ {what}{word} × {len(same):,}", style="bold red")
        for one in same[:_EXAMPLES]:
            detail = one["detail_zh"] if common.lang() == "zh" else one["detail"]
            common.line(f"   {one['where']}: {detail}")
        rest = len(same) - _EXAMPLES
        if rest > 0:
            common.line(t(f"   …另有 {rest:,} 处（--json 列出全部）", f"   … and {rest:,} more (--json lists all)"))  # fmt: skip
