"""`status`, `batches`, `report`: where things stand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossborder.cli import common
from crossborder.cli.accepting import show_acceptances, show_held
from crossborder.cli.holdups import show_holdups
from crossborder.cli.words import both, t

if TYPE_CHECKING:
    from crossborder.engine import Engine

_MOST_MISSING = 20
REPORT = Path("report.html")
"""Where the day's report goes if nobody says otherwise."""


def status(
    waybills: Annotated[list[str] | None, typer.Argument(metavar="WAYBILL", help=both("分运单号或总运单号", "house or master waybills"))] = None,
    batch: common.BatchOption = None,
    date: common.Date = "",
    master: Annotated[str, typer.Option("--master", metavar="WAYBILL", help=both("此总运单的全部申报", "every attempt of this master waybill"))] = "",
    state: Annotated[str, typer.Option("--state", metavar="STATE", help=both("只列此状态，如 unknown", "only this state, e.g. unknown"))] = "",
    xml: Annotated[bool, typer.Option("--xml", help=both("显示报文原文", "show the exact XML"))] = False,
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:  # fmt: skip
    """Where things stand: the account of a batch or day, or the whole story of one parcel."""
    from crossborder.engine import Engine

    with Engine(common.load_settings(config)) as engine:
        if waybills:
            return tell_stories(engine, waybills, xml=xml, as_json=as_json)
        if state or master:
            return list_attempts(
                engine, state=state, master=master, batch=batch or [], as_json=as_json
            )
        account = engine.account(batch or (), day=date)
        missing = engine.not_manifested(batch or (), day=date)
        held = engine.holdups(batch or (), day=date)
        waits, accepted = (
            engine.held(batch or (), day=date),
            engine.acceptances(batch or (), day=date),
        )
    if as_json:
        lines = {name: list(pair) for name, pair in account.items()}
        answer = {
            "account": lines,
            "not_manifested": missing,
            "holdups": [h.as_dict() for h in held],
            "held_by": waits,
            "accepted": accepted,
        }
        common.answer({"format": 1, **answer})
        return 0
    from crossborder.reports import account_table

    show_missing(missing)
    common.out().print(account_table(account, common.lang()))
    show_holdups(held)
    for one, rules in waits.items():
        show_held(one, rules)
    show_acceptances(accepted)
    return 0


def show_missing(missing: Sequence[Mapping[str, str]]) -> None:
    """Parcels on no manifest head everything."""
    if missing:
        common.line(
            t(f"未列入任何舱单：{len(missing):,} 票", f"ON NO MANIFEST: {len(missing):,}"),
            style="bold red",
        )
    for one in missing[:_MOST_MISSING]:
        common.line(f"  {one['master'] or '—'}  {one['shipment']}  {one['reason']}")
    if len(missing) > _MOST_MISSING:
        rest = len(missing) - _MOST_MISSING
        common.line(t(f"  …另有 {rest:,} 票（--json 列出全部）", f"  … and {rest:,} more (--json lists all)"))  # fmt: skip


def tell_stories(engine: Engine, waybills: Sequence[str], *, xml: bool, as_json: bool) -> int:
    """Time line, receipts and (asked) exact XML of each parcel."""
    stories = {waybill: engine.status(waybill) for waybill in waybills}
    if as_json:
        if xml:
            for story in (s for told in stories.values() for s in told if s["message_type"]):
                story["xml"] = engine.document(story["attempt_id"]).decode("utf-8")
        common.answer({"format": 1, "shipments": stories})
    else:
        for waybill, attempts in stories.items():
            if not attempts:
                common.line(t(f"{waybill}：不在台账中", f"{waybill}: not in the ledger"))
            for attempt in attempts:
                tell(attempt)
                if xml and attempt["message_type"]:
                    common.line(engine.document(attempt["attempt_id"]).decode("utf-8"))
    return 0 if all(stories.values()) else 1


def tell(attempt: Mapping[str, Any]) -> None:
    """One attempt: where it stands, what is next, then its time line."""
    from crossborder.reports import label

    house, master = attempt["house_waybill"], attempt["master_waybill"]
    state = attempt["state"]
    word = f" {label(state, 'zh')}" if common.lang() == "zh" else ""
    common.line(f"{house or master}  {state}{word}", style=_style(attempt))
    number = attempt["number"]
    facts = [
        f"{t('总运单', 'master')} {master}" if house else "",
        attempt["message_type"],
        t(f"第 {number} 次申报", f"attempt {number}")
        if number
        else t("未制单", "nothing composed"),
        attempt["endpoint"],
        f"{t('批次', 'batch')} {attempt['batch_id']}",
        f"{t('报关单号', 'entry')} {attempt['entry_id']}" if attempt.get("entry_id") else "",
    ]
    common.line("  " + " · ".join(fact for fact in facts if fact))
    todo = attempt["next_zh"] if common.lang() == "zh" else attempt["next"]
    if todo:
        common.line(f"  → {todo}")
    show_acceptances(attempt.get("accepted", ()), "  ")
    for finding in attempt.get("findings", ()):
        tell_finding(finding)
    for entry in attempt["timeline"]:
        if not entry["what"].startswith("receipt:"):  # the receipt itself stands beside it
            common.line(f"  {entry['at'][:19].replace('T', ' ')}  {in_words(entry['what'])}")


def tell_finding(finding: Mapping[str, Any]) -> None:
    """Why a parcel was not composed: consequence, rule, where, what is wrong; then the remedy."""
    from crossborder.reports import label

    zh = common.lang() == "zh"
    unjudged = (finding["severity"], finding["action"]) == ("not_evaluated", "hold")
    what = label("not_evaluated" if unjudged else finding["action"], common.lang())
    row = finding["row"]
    where = [t(f"第 {row} 行", f"row {row}") if row else "", finding["column"] or ""]
    head = [what, finding["rule"], *filter(None, where)]
    common.line(f"  {' '.join(head)}{t('：', ': ')}{finding['zh' if zh else 'en']}")
    fix = finding["fix_zh" if zh else "fix"]
    if fix:
        common.line(f"    → {fix}")


_STEP = re.compile(r"(?P<verb>\w+)(?:: (?P<old>\S+) → (?P<new>\S+))?")
_RECEIPT = re.compile(
    r"(?P<head>EXP3\d\d \S+) \((?P<at>\d{14})\d*\) (?P<outcome>\w+) ?(?P<note>.*)", re.DOTALL
)
_VERBS = {
    "submitted": "放行申报", "queued": "排队", "claimed": "取出发送", "answered": "对方应答", "answered_late": "应答晚于回执",
    "looked_up": "查询", "resolved": "人工认定", "recovered": "重启后复核", "suspended": "挂起", "given_back": "退回队列",
    "voided": "作废", "freed": "允许重新申报", "acknowledged": "已阅", "houses": "舱单分运单回执", "payload_damaged": "报文损坏",
    "bytes_restored": "报文已恢复", "replaced": "由更正后的内容取代", "restored": "恢复原申报", "resumed": "恢复",
    "passed": "人工放过",
    "has_its_key": "重新占用单号", "stands_after_all": "仍然有效", "older_stands": "先前的申报仍然有效",
    "payload_erased": "报文已销毁",
}  # fmt: skip
_OUTCOMES = {
    "applied": "已更新", "repeated": "重复", "older": "早于现状", "noted": "仅留存", "unmatched": "无对应",
    "contradictory": "前后矛盾", "unknown_code": "代码未知", "read": "已读取", "outranked": "已有更高级别回执",
}  # fmt: skip


def in_words(what: str) -> str:
    """A line of a time line in the language of the run; what nobody knows stays as it is."""
    if common.lang() != "zh":
        return what
    from crossborder.reports import label

    receipt = _RECEIPT.fullmatch(what)
    if receipt:
        outcome = _OUTCOMES.get(receipt["outcome"], receipt["outcome"])
        return f"回执 {receipt['head']}（{receipt['at']}）{outcome} {receipt['note']}".rstrip()
    step = _STEP.fullmatch(what)
    if not step:
        return what
    verb = _VERBS.get(step["verb"], step["verb"])
    return (
        f"{verb}：{label(step['old'], 'zh')} → {label(step['new'], 'zh')}" if step["new"] else verb
    )


def _style(attempt: Mapping[str, Any]) -> str:
    if attempt.get("released"):
        return "bold green"
    return "bold red" if attempt["state"] == "unknown" or attempt["attention"] else "bold"


def list_attempts(
    engine: Engine, *, state: str, master: str, batch: Sequence[str], as_json: bool
) -> int:
    """Attempts of one state or one master waybill, a line each."""
    found = engine.attempts(state=state, master=master, batches=batch)
    if as_json:
        common.answer({"format": 1, "attempts": found})
        return 0
    from crossborder.reports import plain_table

    if not found:
        common.line(t("没有。", "None."))
        return 0
    heads = (
        t("批次", "batch"), t("口岸", "endpoint"), t("报文", "message"), t("总运单", "master"), t("分运单", "house"),
        t("状态", "state"), t("自", "since"),
    )  # fmt: skip
    rows = [
        (a["batch_id"], a["endpoint"], a["message_type"], a["master_waybill"], a["house_waybill"] or "—",
         a["state"], a["state_since"][:19].replace("T", " "))
        for a in found
    ]  # fmt: skip
    common.out().print(plain_table(heads, rows))
    return 0


def batches(
    date: common.Date = "",
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
    if not found:
        common.line(t("还没有批次。", "No batches yet."))
        return 0
    for one in found:
        show_batch(one)
    return 0


def show_batch(batch: Mapping[str, Any]) -> None:
    """A batch on two lines: id, when, how much, whether filed, file; then what became of its shipments."""
    from crossborder.reports import outcomes

    filed = batch["submitted_at"]
    said = (
        t(f"已申报 {_moment(filed)}", f"filed {_moment(filed)}")
        if filed
        else t("未申报", "not filed")
    )
    if batch["state"] != "sealed":
        said = t("记录未完成", "recording not finished")
    size = t(f"{batch['shipments']:,} 票 {batch['rows']:,} 行", f"{batch['shipments']:,} shipments {batch['rows']:,} rows")  # fmt: skip
    common.line(
        f"{batch['id']}  {_moment(batch['created_at'])}  {size}  {said}  {batch['source_name']}"
    )
    common.line("             " + outcomes(batch["counts"], common.lang()), style="dim")


def _moment(at: str) -> str:
    return at[5:16].replace("T", " ")


def report(
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE", help=both("输出文件 .html .xlsx .json（默认 report.html；用 --json 时默认不写）", "file: .html, .xlsx or .json (default: report.html; with --json none)"))] = None,
    batch: common.BatchOption = None,
    date: common.Date = "",
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:  # fmt: skip
    """The day's report: what came in, where every parcel stands, what a person must do."""
    from crossborder.engine import Engine
    from crossborder.reports import write_report

    with Engine(common.load_settings(config)) as engine:
        data = engine.report(batch or (), day=date)
    if out is not None or not as_json:
        write_report(data, out or REPORT, common.lang())
    if as_json:
        common.answer(data.as_json())
    else:
        waiting = len(data.attention)
        todo = t(f"，{waiting:,} 件事需要人工处理", f"; {waiting:,} things need a person")
        common.line(
            t(f"日报已写入 {out or REPORT}", f"report written to {out or REPORT}")
            + (todo if waiting else "")
        )
    return 1 if data.needs_attention else 0
