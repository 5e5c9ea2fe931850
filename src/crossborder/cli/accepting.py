"""`accept`: what a person decides about held shipments, and what is shown of such decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossborder.cli import common
from crossborder.cli.words import both, t

if TYPE_CHECKING:
    from crossborder.engine import Accepted


def accept(
    rule: Annotated[str, typer.Argument(metavar="RULE", help=both("规则编号，如 LIM-12", "id of the rule, e.g. LIM-12"))],
    batch: Annotated[str, typer.Option("--batch", metavar="BATCH", help=both("批次", "the batch"))],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help=both("依据，记入台账", "why; goes into the ledger"))],
    waybill: Annotated[list[str] | None, typer.Option("--waybill", metavar="WAYBILL", help=both("只放过此分运单，可重复", "this house waybill only; may be repeated"))] = None,
    who: common.Who = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help=both("只显示，不改动", "show only, change nothing"))] = False,
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:  # fmt: skip
    """Let pass what waits for a rule in a batch: a person's decision, with its reason."""
    from crossborder.engine import Engine

    with Engine(common.load_settings(config)) as engine:
        done = engine.accept(
            rule, batch, reason=reason, waybills=waybill or (), who=common.who_am_i(who), dry_run=dry_run
        )  # fmt: skip
    if as_json:
        common.answer(done.as_json())
    else:
        show_accepted(done)
    return 1 if done.staying else 0


def show_accepted(done: Accepted) -> None:
    """How many passed, what keeps the others, and what is next."""
    mark = t("（仅演练，未改动）", " (dry run: nothing changed)") if done.dry_run else ""
    before = t("；此前已放过此规则", "; the rule had been accepted before") if done.again else ""
    filed = (
        t(f"，此前已申报 {done.already_filed:,} 票", f", {done.already_filed:,} already filed") if done.already_filed else ""
    )  # fmt: skip
    common.line(
        t(f"{done.rule}：{done.waiting:,} 票等待，转为已制单 {done.prepared:,} 票{filed}，仍待人工 {done.staying:,} 票{before}{mark}",
          f"{done.rule}: {done.waiting:,} waited, {done.prepared:,} prepared now{filed}, {done.staying:,} still wait{before}{mark}"),
        style="bold",
    )  # fmt: skip
    for name, count in done.by.items():
        common.line(
            t(f"  仍因 {name} 等待：{count:,} 票", f"  still kept by {name}: {count:,}")
            + _stays(name)
        )
    for shipment, by in done.examples[:3]:
        common.line(f"    {shipment}: {', '.join(by)}")
    if done.prepared and not done.dry_run:
        common.line(t(f"已制单，未申报。下一步：crossborder submit {done.batch}", f"PREPARED, NOT FILED. Next: crossborder submit {done.batch}"), style="bold")  # fmt: skip


def _stays(name: str) -> str:
    from crossborder.engine import STAYS

    zh, en = STAYS.get(name, ("", ""))
    return t(f"（{zh}）", f" ({en})") if zh else ""


def show_held(batch: str, rules: Mapping[str, int]) -> None:
    """Which rules keep shipments of a batch waiting for a person, and how to let them pass."""
    for rule, count in rules.items():
        then = f"crossborder accept {rule} --batch {batch} --reason "
        common.line(
            t(f"待人工 {rule}：{count:,} 票 → 更正后重新提交，或放过：{then}说明",
              f"waiting for a person, {rule}: {count:,} → correct them and hand the file in again, or let them pass: {then}TEXT"),
            style="yellow",
        )  # fmt: skip


def show_acceptances(accepted: Sequence[Mapping[str, Any]], indent: str = "") -> None:
    """Who accepted which rule, when and why."""
    for one in accepted:
        at = one["at"][:19].replace("T", " ")
        narrowed = t("、", ", ").join(one["shipments"])
        of = f" [{narrowed}]" if narrowed else ""
        common.line(
            t(f"{indent}已放过 {one['rule']}{of}：{one['who']}，{at}，依据：{one['reason']}（批次 {one['batch']}，{one['passed']:,} 票）",
              f"{indent}accepted {one['rule']}{of}: {one['who']}, {at}: {one['reason']} (batch {one['batch']}, {one['passed']:,} let pass)")
        )  # fmt: skip
