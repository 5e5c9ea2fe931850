"""`prepare` and `submit`: from a file to recorded declarations, and from there to the endpoints."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from crossborder.cli import common
from crossborder.cli.accepting import show_held
from crossborder.cli.check import File, show_summary
from crossborder.cli.holdups import show_brought, show_holdups
from crossborder.cli.words import both, t

if TYPE_CHECKING:
    from crossborder.engine import Engine, Prepared, Submitted, Waiting

Batches = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="BATCH", help=both("批次号，例如 20261123-07", "batch ids, e.g. 20261123-07")
    ),
]


Verify = Annotated[
    str,
    typer.Option(
        "--verify", metavar="none|sample|all",
        help=both("用 libxml2 复核报文：不复核、每百份一份、全部（不足 500 份时总是全部）", "let libxml2 look at documents again: none, one in a hundred, all (always all of fewer than 500)"),
    ),
]  # fmt: skip


def prepare(
    file: File,
    mapping: common.MappingName = "",
    profile: common.ProfileName = "",
    operator: common.OperatorName = "",
    as_of: common.AsOf = "",
    sheet: common.Sheet = "",
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="DIR", help=both("另存报文到此文件夹（仅为导出，删除无妨）", "also write the documents to this folder (an export; deleting it loses nothing)"))] = None,
    layout: Annotated[str, typer.Option("--layout", metavar="files|bundle", help=both("每份报文一个文件，或每个口岸、报文类型一个 tar", "a file per message, or a tar per endpoint and message type"))] = "files",
    verify: Verify = "sample",
    who: common.Who = "",
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:  # fmt: skip
    """Check, compose and record a file as a batch. Nothing leaves the house."""
    from crossborder.engine import Engine

    with Engine(common.load_settings(config)) as engine:
        if out:
            refuse_export(out, layout)
        with common.progress(t("制单", "preparing"), quiet=as_json) as report:
            done = engine.prepare(
                file, mapping=mapping or None, profile=profile, operator=operator, as_of=as_of or None,
                sheet=sheet or None, who=common.who_am_i(who), verify=verified(verify), progress=report,
            )  # fmt: skip
        written = engine.export(done.batch, out, layout) if out else 0
        if as_json:
            exported = {"written": written, "folder": str(out)} if out else {}
            found = engine.iter_findings(done.batch, common.lang())
            common.answer(done.as_json(found) | exported)
    if not as_json:
        show_summary(done.summary)
        if out:
            common.line(t(f"已导出 {written:,} 份报文到 {out}", f"{written:,} documents written to {out}"))  # fmt: skip
        show_prepared(done)
    return 1 if done.to_correct or done.not_manifested else 0


def verified(given: str) -> Literal["none", "sample", "all"]:
    """What `--verify` was given. Raises `InputError`."""
    from crossborder.errors import InputError

    known: dict[str, Literal["none", "sample", "all"]] = {
        "none": "none", "sample": "sample", "all": "all",
    }  # fmt: skip
    if given in known:
        return known[given]
    raise InputError(
        f"--verify {given!r}: none, sample or all", f"--verify {given!r}：应为 none、sample 或 all"
    )


def refuse_export(folder: Path, layout: str) -> None:
    """Raise `InputError` before anything is recorded, if the export could not be written."""
    import tempfile

    from crossborder.errors import InputError

    if layout not in ("files", "bundle"):
        raise InputError(
            f"--layout {layout!r}: files or bundle", f"--layout {layout!r}：应为 files 或 bundle"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(
            f"the folder cannot be written ({error.strerror})", f"文件夹无法写入（{error.strerror}）",
            place=str(folder), fix_en="choose another folder; nothing was recorded",
            fix_zh="请另选文件夹；未作任何记录",
        ) from error  # fmt: skip


def show_prepared(done: Prepared) -> None:
    """What the batch became; the last line says what is next, and that nothing was filed."""
    c = done.counts
    new, filed = c.get("prepared", 0), c.get("already_filed", 0)
    held = c.get("on_hold", 0) + c.get("not_evaluated", 0)
    leave = c.get("to_general", 0)
    correct = done.to_correct - held - leave
    waiting = t(f"，待人工 {held:,}", f", {held:,} waiting for a person") if held else ""
    if leave:
        waiting += t(f"，转一般货物报关 {leave:,}", f", {leave:,} to general declaration")
    common.line(
        t(f"{done.shipments:,} 票：新申报 {new:,}，此前已申报 {filed:,}，待更正 {correct:,}",
          f"{done.shipments:,} shipments: {new:,} new attempts, {filed:,} already filed, {correct:,} to correct") + waiting
    )  # fmt: skip
    if done.not_manifested:
        common.line(
            t(f"未列入舱单：{done.not_manifested:,} 票（crossborder status --batch {done.batch}）",
              f"NOT MANIFESTED: {done.not_manifested:,} shipments (crossborder status --batch {done.batch})"),
            style="bold red",
        )  # fmt: skip
    if held:
        show_held(done.batch, done.held)
    show_elsewhere(done.elsewhere)
    what_zh, what_en = f"{new:,} 份报关单", f"{new:,} declarations"
    if done.manifests and not new:  # the manifests alone are what waits
        what_zh, what_en = (
            f"{what_zh}，{done.manifests:,} 份舱单",
            f"{what_en}, {done.manifests:,} manifests",
        )
    then = f"crossborder submit {' '.join(done.to_submit)}"
    common.line(
        t(f"已制单，未申报：{what_zh}。下一步：{then}", f"PREPARED, NOT FILED: {what_en}. Next: {then}"),
        style="bold",
    )  # fmt: skip


def show_elsewhere(elsewhere: Mapping[str, int]) -> None:
    """Shipments that are recorded in another batch, of which nothing is filed yet."""
    for batch, count in elsewhere.items():
        common.line(
            t(f"其中 {count:,} 票已录入批次 {batch}，该批次尚未申报",
              f"of these, {count:,} are recorded in batch {batch}, which is not submitted yet"),
            style="bold yellow",
        )  # fmt: skip


def submit(
    batches: Batches = None,
    yes: common.Yes = False,
    wait: Annotated[float, typer.Option("--wait", min=0, metavar="SECONDS", help=both("毫无进展时最多等待的秒数（舱单回执、口岸恢复）", "how long to wait while nothing moves (manifest receipts, an endpoint that is down)"))] = 60.0,
    who: common.Who = "",
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:  # fmt: skip
    """File what is prepared. Without BATCH it lists what waits and sends nothing."""
    from crossborder.engine import Engine

    with Engine(common.load_settings(config)) as engine:
        waiting = engine.waiting(batches or None)
        if not batches:
            show_waiting(waiting, as_json=as_json)
            return 0
        if not waiting and not as_json:
            show_nothing_waits(batches, engine.waiting())
        if waiting:
            if not as_json:
                show_waiting(waiting, as_json=False)
            if not yes and not confirmed(waiting):
                common.warn(t("未确认，未发送任何报文。", "Not confirmed: nothing was sent."))
                return 2
        with common.progress(t("申报", "filing"), quiet=as_json) as report:
            done = send(engine, batches, common.who_am_i(who), wait, report)
    if as_json:
        common.answer(done.as_json())
    else:
        show_submitted(done, batches)
    return 1 if done.needs_attention else 0


def send(
    engine: Engine,
    batches: Sequence[str],
    who: str,
    wait: float,
    report: Callable[[int, int], None],
) -> Submitted:
    """File here; where the service of this home is filing already, let the batches go to it and look on."""
    from filelock import Timeout

    from crossborder.errors import LedgerError

    try:
        return engine.submit(batches, who=who, wait=wait, progress=report)
    except LedgerError as error:
        if not isinstance(error.__cause__, Timeout):
            raise
        for batch in batches:
            engine.let_go(batch, who)
        common.warn(
            t("正在运行的进程会发送这些批次。", "The process that is running files these batches.")
        )
        return engine.watch(batches, wait=wait, progress=report)


def confirmed(waiting: Sequence[Waiting]) -> bool:
    """Ask before anything is sent; each live endpoint wants its name typed."""
    if not sys.stdin.isatty():
        common.warn(t("非交互运行请加 --yes", "not a terminal: add --yes to file"))
        return False
    for endpoint in sorted({w.endpoint for w in waiting if w.kind == "live"}):
        said = t(
            f"正式口岸！请输入 {endpoint} 以确认", f"LIVE endpoint! type {endpoint} to confirm"
        )
        if typer.prompt(said, err=True) != endpoint:
            return False
    if any(w.kind == "live" for w in waiting):
        return True
    return bool(typer.confirm(t("现在申报？", "file now?"), err=True))


def show_waiting(waiting: Sequence[Waiting], *, as_json: bool) -> None:
    """Batch, endpoint, sandbox or live, declarant and counts of what is prepared and not filed."""
    if as_json:
        common.answer({"format": 1, "waiting": [w.as_json() for w in waiting]})
        return
    if not waiting:
        common.line(t("没有待申报的批次。", "Nothing is waiting to be filed."))
        return
    from crossborder.reports import plain_table

    heads = (
        t("批次", "batch"), t("口岸", "endpoint"), t("性质", "kind"),
        t("申报单位", "declarant"), t("舱单", "manifests"),
        t("报关单", "declarations"), t("文件", "file"),
    )  # fmt: skip
    rows = [
        (w.batch, w.endpoint, kind_shown(w.kind), w.declarant, w.manifests, w.declarations, w.source)
        for w in waiting
    ]  # fmt: skip
    common.out().print(plain_table(heads, rows, title=t("待申报", "waiting to be filed")))


def show_nothing_waits(batches: Sequence[str], others: Sequence[Waiting]) -> None:
    """Nothing of these batches waits to be filed; which batches do."""
    named = " ".join(batches)
    common.line(
        t(f"批次 {named} 没有待申报的报文。", f"Nothing of {named} is waiting to be filed.")
    )
    if others:
        waiting = " ".join(dict.fromkeys(w.batch for w in others))
        common.line(t(f"待申报的批次：{waiting}", f"Batches with something to file: {waiting}"))


def kind_shown(kind: str) -> str:
    """SANDBOX or LIVE, in words nobody overlooks."""
    return {"sandbox": "SANDBOX", "live": t("正式 LIVE", "LIVE")}.get(kind, kind)


def show_submitted(done: Submitted, batches: Sequence[str]) -> None:
    """Counts by state after filing, and what is next."""
    for title, states in ((t("舱单", "manifests"), done.manifests), (t("报关单", "declarations"), done.states)):  # fmt: skip
        if states:
            common.line(f"{title}: " + ", ".join(f"{name} {n:,}" for name, n in states.items()))
    show_troubles(done.troubles)
    if done.unknown:
        common.line(
            t(f"去向不明：{done.unknown:,} 份，不会盲目重发；见 crossborder status --state unknown",
              f"UNKNOWN: {done.unknown:,}; never sent again blindly; see crossborder status --state unknown"),
            style="bold red",
        )  # fmt: skip
    show_holdups([h for h in done.holdups if h.what != "declaration_unknown"])
    if done.awaiting > sum(holdup.waiting for holdup in done.holdups):
        again = f"crossborder submit {' '.join(batches)}"
        common.line(
            t(f"报关单 {done.awaiting:,} 份待发；请再次运行 {again}",
              f"declarations about to be sent: {done.awaiting:,}; run {again} again"),
            style="yellow",
        )  # fmt: skip
    show_brought([b for b in done.brought if b.what not in ("manifest_refused", "house_refused")])
    show_elsewhere(done.elsewhere)
    if done.elsewhere:
        then = f"crossborder submit {' '.join(done.elsewhere)}"
    else:
        then = "crossborder receive"
    common.line(t(f"下一步：{then}", f"Next: {then}"), style="bold")


def show_troubles(troubles: Mapping[str, str]) -> None:
    """Each endpoint that could not be spoken to, why, and what to do."""

    from crossborder.transport import say

    for endpoint, detail in troubles.items():
        said = say(detail, common.lang())
        todo = t(
            f"请检查 endpoints.{endpoint}.address 与网络（crossborder doctor --connect）",
            f"check endpoints.{endpoint}.address and the network (crossborder doctor --connect)",
        )
        remedy = "" if " → " in said else f" → {todo}"
        common.line(
            t(f"口岸 {endpoint}：{said}", f"endpoint {endpoint}: {said}") + remedy, style="bold red"
        )
