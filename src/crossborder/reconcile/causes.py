"""Why messages stand still and what to do about it, in Chinese and English."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

_MOST_NAMED = 3


class Cause(NamedTuple):
    """`person`: only a person moves it. `{n}` messages; remedies may name the `{batch}` that holds them, `{again}`
    (the batches whose declarations wait) and `{masters}`.
    """

    person: bool
    zh: str
    en: str
    fix_zh: str
    fix_en: str


_RESTORE = (
    "请从备份恢复主文件夹 payload/ 下的文件，再运行 crossborder submit {again}；恢复之前不要另行申报",
    "restore the files under payload/ of the home folder from a backup, then run crossborder submit {again}; do not "
    "file these parcels in any other way meanwhile",
)
_RESUME = (
    "原因见 crossborder status {masters}；用 crossborder resume {masters} 恢复或 crossborder void {masters} 作废",
    "the reason: crossborder status {masters}; crossborder resume {masters} lets them go on, crossborder void {masters} gives "
    "them up",
)
_CORRECT = (
    "请按回执更正，整份再 crossborder prepare，再 submit；原因见 crossborder status {masters}",
    "correct what the receipt names, hand the whole file in again with crossborder prepare, then submit; the reason: "
    "crossborder status {masters}",
)

CAUSES: dict[str, Cause] = {
    "manifest_damaged": Cause(
        True, "舱单 {n} 份已挂起：存储的报文已损坏",
        "manifests suspended: {n}; their stored bytes are damaged", *_RESTORE,
    ),
    "manifest_suspended": Cause(
        True, "舱单 {n} 份已挂起", "manifests suspended: {n}", *_RESUME,
    ),
    "manifest_voided": Cause(
        True, "舱单 {n} 份已作废", "manifests voided: {n}",
        "请重新 crossborder prepare 同一文件，再 submit：生成新的舱单",
        "hand the same file in again with crossborder prepare, then submit: that makes a new manifest",
    ),
    "manifest_unknown": Cause(
        True, "舱单 {n} 份去向不明", "manifests of unknown fate: {n}",
        "再运行 crossborder submit {again} 会先查询；查询不到，请核实后 crossborder resolve {masters} --as received|not-received",
        "crossborder submit {again} asks for them first; if nobody can be asked, find out and decide: crossborder resolve "
        "{masters} --as received|not-received",
    ),
    "manifest_refused": Cause(
        True, "舱单 {n} 份被退回", "manifests refused: {n}", *_CORRECT,
    ),
    "house_refused": Cause(
        True, "舱单 {n} 份中有分运单被退回",
        "house waybills refused on manifests that were accepted: {n} manifests", *_CORRECT,
    ),
    "manifest_not_submitted": Cause(
        True, "所需的舱单 {n} 份，其批次尚未申报",
        "manifests that are needed first: {n}, of a batch that is not submitted yet",
        "请先运行 crossborder submit {batch}，再运行 crossborder submit {again}",
        "run crossborder submit {batch} first, then crossborder submit {again}",
    ),
    "not_submitted": Cause(
        True, "已制单、未申报：报文 {n} 份", "prepared, not filed yet: {n} messages",
        "请运行 crossborder submit {batch}", "run crossborder submit {batch}",
    ),
    "declaration_damaged": Cause(
        True, "报关单 {n} 份已挂起：存储的报文已损坏",
        "declarations suspended: {n}; their stored bytes are damaged", *_RESTORE,
    ),
    "declaration_suspended": Cause(
        True, "报关单 {n} 份已挂起", "declarations suspended: {n}",
        "清单见 crossborder status --state suspended；用 crossborder resume 恢复或 crossborder void 作废",
        "which they are: crossborder status --state suspended; crossborder resume lets them go on, crossborder void gives them up",
    ),
    "declaration_unknown": Cause(
        True, "报关单 {n} 份去向不明",
        "declarations of unknown fate: {n}",
        "再运行 crossborder submit {again} 会先查询；查询不到，请核实后用 crossborder resolve 认定；清单见 crossborder status --state unknown",
        "crossborder submit {again} asks for them first; if nobody can be asked, find out and decide with crossborder "
        "resolve; which they are: crossborder status --state unknown",
    ),
    "manifest_not_sent": Cause(
        False, "舱单 {n} 份尚未发出", "manifests not sent yet: {n}",
        "口岸恢复后再次运行 crossborder submit {again}", "once the endpoint is back, run crossborder submit {again} again",
    ),
    "declaration_not_sent": Cause(
        False, "报关单 {n} 份尚未发出",
        "declarations not sent yet: {n}",
        "口岸恢复后再次运行 crossborder submit {again}", "once the endpoint is back, run crossborder submit {again} again",
    ),
    "manifest_unanswered": Cause(
        False, "舱单 {n} 份等待回执",
        "manifests without a receipt yet: {n}",
        "收到回执后再次运行 crossborder submit {again}", "once receipts are in, run crossborder submit {again} again",
    ),
}  # fmt: skip
"""Name → what it is, the worst first. Names are part of the public interface."""


def cause(what: str, where: tuple[str, str] | None, messages: int, waiting: int, lang: str) -> str:
    """How many of what stand still and why, how many declarations wait for that; `where`: endpoint and batch."""
    of, zh = CAUSES[what], lang == "zh"
    said = (of.zh if zh else of.en).format(n=f"{messages:,}")
    if where:
        endpoint, batch = where
        said += f"（{endpoint}，批次 {batch}）" if zh else f" ({endpoint}, batch {batch})"
    if waiting:
        said += (
            f"，{waiting:,} 份报关单因此等待" if zh else f"; {waiting:,} declarations wait for that"
        )
    return said


def remedy(
    what: str, batch: str, masters: Sequence[str], waiting_in: Sequence[str], lang: str
) -> str:
    """What to do about it."""
    of = CAUSES[what]
    named = " ".join(masters[:_MOST_NAMED]) + (" …" if len(masters) > _MOST_NAMED else "")
    again = " ".join(waiting_in) or batch
    return (of.fix_zh if lang == "zh" else of.fix_en).format(
        batch=batch, again=again, masters=named
    )
