"""`erase`, `keys ring`, `keys rotate`: personal data that rests, its keys, and the end of both."""

from __future__ import annotations

import sys
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from crossborder.cli import common
from crossborder.cli.words import both, t

if TYPE_CHECKING:
    from crossborder.ledger import Erasure

Batches = Annotated[
    list[str] | None,
    typer.Argument(metavar="[BATCH]...", help=both("批次号（不写：所有到期批次）", "batches (none: all that are due)")),
]  # fmt: skip
_WHY = {
    "young": ("保存期未满", "younger than the retention time"),
    "open": ("仍有未了结的报关单", "a declaration in it is not settled"),
    "sending": ("正在发送", "something of it is being sent"),
    "recording": ("尚未录入完毕", "it is still being recorded"),
    "erased": ("此前已销毁", "erased before"),
    "plain": ("含有未加密时录入的内容，无法以销毁密钥的方式销毁", "some of it was recorded without encryption, which no key can erase"),
}  # fmt: skip


def erase(
    batches: Batches = None,
    days: Annotated[int | None, typer.Option("--older-than", metavar="DAYS", min=0, help=both("保存天数（默认取自设置）", "how long batches must have rested (default: the settings')"))] = None,
    force: Annotated[bool, typer.Option("--force", help=both("不论保存期与状态，须指明批次并写明 --reason", "whatever their age and state; needs BATCH and --reason"))] = False,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help=both("原因，记入台账（勿写个人信息）", "why; goes into the ledger (no personal data)"))] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help=both("只显示，不改动", "show only, change nothing"))] = False,
    yes: common.Yes = False,
    who: common.Who = "",
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:  # fmt: skip
    """Destroy the keys of batches at rest: nobody can read their documents, receipts and findings any more."""
    from crossborder.engine import Engine

    with Engine(common.load_settings(config)) as engine:
        ask = partial(engine.erase, batches or (), days=days, reason=reason, force=force, who=common.who_am_i(who))  # fmt: skip
        done = ask(dry_run=True)
        if not dry_run:
            if done.batches or done.days:
                if not yes and not as_json:
                    _show(done)
                if not yes and not _confirmed():
                    common.warn(t("未确认，未作改动。", "Not confirmed: nothing was changed."))
                    return 2
            done = ask()
    if as_json:
        common.answer({"format": 1, **asdict(done)})
    else:
        _show(done)
    return 1 if done.refused or not done.wiped else 0


def _confirmed() -> bool:
    if not sys.stdin.isatty():
        common.warn(t("非交互运行请加 --yes", "not a terminal: add --yes to erase"))
        return False
    return bool(typer.confirm(t("销毁后无法恢复。现在销毁？", "This cannot be undone. Erase now?"), err=True))  # fmt: skip


def _show(done: Erasure) -> None:
    """Counts, then what was refused and why."""
    for batch, why in done.refused:
        zh, en = _WHY[why]
        common.line(t(f"{batch}：不销毁，{zh}", f"{batch}: not erased, {en}"), style="bold yellow")
    if not (done.batches or done.days):
        common.line(t("没有到期的批次，未作改动。", "Nothing is due: nothing was changed."))
        return
    said = t("将销毁", "would erase") if done.dry_run else t("已销毁", "erased")
    common.line(
        t(f"{said}：批次 {len(done.batches):,}，报文 {done.documents:,}，校验结果 {done.findings:,}，回执原文 {done.receipts:,}",
          f"{said}: {len(done.batches):,} batches, {done.documents:,} documents, {done.findings:,} findings, "
          f"{done.receipts:,} raw receipts")
    )  # fmt: skip
    for batch in done.batches:
        common.line(f"  {batch}")
    if done.suspended:
        common.line(
            t(f"其中 {done.suspended:,} 份尚未发送，将不能再发送", f"of these {done.suspended:,} were never sent and cannot be any more"),
            style="bold yellow",
        )  # fmt: skip
    if not done.wiped:
        common.line(
            t("旧密钥仍在数据库日志中：请关闭其他程序后再次运行",
              "the old keys are still in the database's log: close other programs and run it again"),
            style="bold yellow",
        )  # fmt: skip


def keys_ring(
    as_json: common.Json = False, lang: common.Lang = "", config: common.Config = None
) -> int:
    """Which keys wrap what is encrypted, by name; never the keys."""
    from crossborder.engine import Engine

    with Engine(common.load_settings(config)) as engine:
        state = engine.ring()
    if as_json:
        common.answer({"format": 1, **asdict(state)})
        return 0
    common.line(
        t("加密：开", "encryption: on") if state.sealing else t("加密：关", "encryption: off")
    )
    for name, count in state.keys.items():
        mark = t("（当前）", " (current)") if name == state.current else ""
        common.line(
            t(f"  {name}{mark}：封装 {count:,} 个数据密钥", f"  {name}{mark}: wraps {count:,} data keys")
        )  # fmt: skip
    if state.file:
        common.line(t(f"密钥文件：{state.file}", f"key file: {state.file}"))
    common.line(
        t(f"已销毁的数据密钥：{state.erased:,}；未加密的批次：{state.plain:,}",
          f"data keys erased: {state.erased:,}; batches without encryption: {state.plain:,}")
    )  # fmt: skip
    if state.wanted != state.current:
        common.line(
            t(f"设置指定 {state.wanted}：请运行 crossborder keys rotate", f"the settings name {state.wanted}: run crossborder keys rotate"),
            style="bold yellow",
        )  # fmt: skip
    return 0


def keys_rotate(
    who: common.Who = "",
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:
    """Wrap all data keys by the key that the settings name, or by a new key of the key file."""
    from crossborder.engine import Engine

    with Engine(common.load_settings(config)) as engine:
        done = engine.rotate_keys(common.who_am_i(who))
    if as_json:
        common.answer({"format": 1, **asdict(done)})
        return 0
    common.line(
        t(f"{done.key}：已重新封装 {done.wrapped:,} 个数据密钥", f"{done.key}: {done.wrapped:,} data keys wrapped anew")
    )  # fmt: skip
    if done.gone:
        names = ", ".join(done.gone)
        common.line(t(f"已从密钥文件移除：{names}", f"taken out of the key file: {names}"))
    common.line(
        t("请立即备份新密钥；旧密钥只在还要读取旧备份时保留。",
          "Back the new key up now; keep the old one only as long as old backups must be read.")
    )  # fmt: skip
    return 0 if done.wiped else 1
