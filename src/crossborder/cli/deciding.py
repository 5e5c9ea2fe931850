"""`suspend`, `resume`, `void`: a person stops what has not left, lets it go on, or gives it up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossborder.cli import common
from crossborder.cli.words import both, t

if TYPE_CHECKING:
    from crossborder.engine import Ruled

_SHOWN = 20
_DONE = {
    "suspend": ("已挂起", "suspended"),
    "resume": ("已恢复", "resumed"),
    "void": ("已作废", "voided"),
}
_NOTES = {
    "suspend": (
        "舱单挂起后，等待它的 {n} 份报关单也不会发出；不等舱单的口岸除外。",
        "{n} declarations wait for manifests that are suspended now: they do not go either, where the endpoint wants its manifest first.",
    ),
    "resume": ("{n} 份报关单等待这些舱单。", "{n} declarations wait for these manifests."),
    "void": (
        "{n} 份报关单等待的舱单已作废：请重新 prepare 同一文件并 submit，生成新的舱单；报关单本身仍然有效。",
        "{n} declarations waited for manifests that are void now: hand the same file in again (prepare, submit), which makes "
        "a new manifest; the declarations themselves stay as they are.",
    ),
}  # fmt: skip

Waybills = Annotated[
    list[str] | None,
    typer.Argument(metavar="WAYBILL", help=both("分运单号（其报关单）或总运单号（其舱单）", "house waybills (their declarations) or master waybills (their manifests)")),
]  # fmt: skip
Masters = Annotated[
    list[str] | None,
    typer.Option("--master", metavar="MASTER", help=both("总运单：其舱单和全部报关单；可重复", "a master waybill: its manifest and all declarations; may be repeated")),
]  # fmt: skip
Batches = Annotated[
    list[str] | None,
    typer.Option("--batch", metavar="BATCH", help=both("批次；单独使用时指整个批次，可重复", "a batch: all of it, or only what is named within it; may be repeated")),
]  # fmt: skip
Reason = Annotated[
    str,
    typer.Option("--reason", metavar="TEXT", help=both("依据，记入台账（勿写个人信息）", "why; goes into the ledger (nothing personal, please)")),
]  # fmt: skip
DryRun = Annotated[
    bool, typer.Option("--dry-run", help=both("只显示，不改动", "show only, change nothing"))
]


def suspend(
    reason: Reason,
    waybill: Waybills = None,
    master: Masters = None,
    batch: Batches = None,
    who: common.Who = "",
    dry_run: DryRun = False,
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:
    """Keep messages that wait from being sent, until they are resumed."""
    return _rule("suspend", (waybill, master, batch), reason, who, config, dry_run=dry_run, as_json=as_json)  # fmt: skip


def resume(
    reason: Reason,
    waybill: Waybills = None,
    master: Masters = None,
    batch: Batches = None,
    who: common.Who = "",
    dry_run: DryRun = False,
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:
    """Let suspended messages go on where they were."""
    return _rule("resume", (waybill, master, batch), reason, who, config, dry_run=dry_run, as_json=as_json)  # fmt: skip


def void(
    reason: Reason,
    waybill: Waybills = None,
    master: Masters = None,
    batch: Batches = None,
    who: common.Who = "",
    dry_run: DryRun = False,
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:
    """Give messages up of which no byte has left; their keys are free."""
    return _rule("void", (waybill, master, batch), reason, who, config, dry_run=dry_run, as_json=as_json)  # fmt: skip


def _rule(
    verb: str, which: tuple[Sequence[str] | None, ...], reason: str, who: str, config: Path | None, *,
    dry_run: bool, as_json: bool,
) -> int:  # fmt: skip
    from crossborder.engine import Engine

    waybills, masters, batches = (part or () for part in which)
    with Engine(common.load_settings(config)) as engine:
        done: Ruled = getattr(engine, verb)(
            waybills, masters=masters, batches=batches, reason=reason, who=common.who_am_i(who), dry_run=dry_run
        )  # fmt: skip
    if as_json:
        common.answer(done.as_json())
    else:
        _show(done)
    return 1 if done.needs_attention else 0


def _show(ruled: Ruled) -> None:
    _list(ruled.done, lambda r: f"{r.key}: {r.from_state} → {r.to_state}")
    _list(ruled.left, lambda r: f"✗ {r.key}: {r.from_state}  {ruled.why(r, common.lang())}")
    if ruled.waiting:
        zh, en = _NOTES[ruled.verb]
        common.line(t(zh, en).format(n=f"{ruled.waiting:,}"), style="yellow")
    mark = t("（仅演练，未改动）", " (dry run: nothing changed)") if ruled.dry_run else ""
    words = t(*_DONE[ruled.verb])
    common.line(
        t(f"{words} {len(ruled.done):,} 份，未动 {len(ruled.left):,} 份{mark}", f"{words}: {len(ruled.done):,}; left alone: {len(ruled.left):,}{mark}"),
        style="bold",
    )  # fmt: skip


def _list(rulings: Sequence[Any], shown: Callable[[Any], str]) -> None:
    for ruling in rulings[:_SHOWN]:
        common.line(shown(ruling))
    rest = len(rulings) - _SHOWN
    if rest > 0:
        common.line(t(f"…另有 {rest:,} 份（--json 列出全部）", f"… and {rest:,} more (--json lists all)"))  # fmt: skip
