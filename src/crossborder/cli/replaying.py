"""`replay`: which declarations another rule pack would change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossborder.cli import common
from crossborder.cli.words import both, t
from crossborder.errors import InputError

if TYPE_CHECKING:
    from crossborder.engine import Engine, Replayed
    from crossborder.reports import ReplayTables

_SHOWN = 20


def replay(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help=both("预报清单文件；或用 --batch、--date", "shipment file; or --batch, --date"))] = None,
    pack: Annotated[list[str] | None, typer.Option("--pack", metavar="yyyy-mm-dd", help=both("规则包（给两次：之前、之后）", "a rule pack; give two: before, after"))] = None,
    batch: common.BatchOption = None,
    date: common.Date = "",
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE", help=both("全部写入 .xlsx 或 .csv", "write all of it to .xlsx or .csv"))] = None,
    mapping: common.MappingName = "",
    profile: common.ProfileName = "",
    operator: common.OperatorName = "",
    sheet: common.Sheet = "",
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:  # fmt: skip
    """Judge the same shipments under two rule packs; without packs list them."""
    from crossborder.engine import Engine
    from crossborder.reports import ReplayTables, write_replay

    with Engine(common.load_settings(config)) as engine:
        if not pack:
            return _list(engine, as_json=as_json)
        _refuse(pack, file, batch, date)
        with common.progress(t("回放", "replaying"), quiet=as_json) as report:
            done = engine.replay(
                pack[0], pack[1], file, batches=batch or (), day=date, mapping=mapping or None,
                profile=profile, operator=operator, sheet=sheet or None, progress=report,
            )  # fmt: skip
    tables = ReplayTables(
        done.before.id, done.after.id, done.verdicts, done.by_rule, done.changes, done.taxes
    )
    if out is not None:
        write_replay(tables, out, common.lang())
    if as_json:
        common.answer(done.as_json())
    else:
        _show(done, tables, out)
    return 1 if done.changes.height or done.taxes.height else 0


def _refuse(pack: list[str], file: Path | None, batch: list[str] | None, date: str) -> None:
    if len(pack) != 2:
        raise InputError(
            f"{len(pack)} rule pack(s): two are compared", f"给了 {len(pack)} 个规则包，须给两个",
            fix_en="--pack 2024-11-30 --pack 2024-12-01", fix_zh="--pack 2024-11-30 --pack 2024-12-01",
        )  # fmt: skip
    if (file is None) == (not batch and not date):
        raise InputError(
            "what is to be judged again?", "要重新校验什么？",
            fix_en="give a FILE, or --batch, or --date; not several of them", fix_zh="给文件、--batch 或 --date 之一",
        )  # fmt: skip


def _list(engine: Engine, *, as_json: bool) -> int:
    found = engine.packs()
    if as_json:
        listed = [
            {"id": p.id, "to": p.end.isoformat() if p.end else None, "version": p.version, "rules": list(p.rules)}
            for p in found
        ]  # fmt: skip
        common.answer({"format": 1, "packs": listed})
        return 0
    from crossborder.reports import plain_table

    heads = (t("规则包（首日）", "pack (its first day)"), t("末日", "last day"), t("规则数", "rules"), t("版本", "version"), t("新增", "new"), t("失效", "gone"))  # fmt: skip
    rows = []
    before: set[str] = set()
    for one in found:
        now = set(one.rules)
        new = ", ".join(sorted(now - before)) if before else ""
        gone = ", ".join(sorted(before - now))
        rows.append((one.id, one.end.isoformat() if one.end else "", len(one.rules), one.version, new, gone))  # fmt: skip
        before = now
    common.out().print(plain_table(heads, rows))
    return 0


def _show(done: Replayed, tables: ReplayTables, out: Path | None) -> None:
    from crossborder.reports import plain_table

    said = common.lang()
    shown = [
        tables.by_verdict(said),
        tables.rules(said),
        tables.shipments(said, _SHOWN),
        tables.paid(said, _SHOWN),
    ]
    for title, heads, rows in shown:
        if rows:
            common.out().print(plain_table(heads, rows, title))
            common.line()
    more = done.changes.height - _SHOWN
    if more > 0 and out is None:
        common.line(t(f"另有 {more:,} 票；用 -o 文件.xlsx 写出全部", f"{more:,} more; -o FILE.xlsx writes all"), style="dim")  # fmt: skip
    common.line(
        t(f"{done.shipments:,} 票中 {done.changes.height:,} 票在规则包 {done.before.id} 与 {done.after.id} 下不同",
          f"{done.changes.height:,} of {done.shipments:,} shipments differ between packs {done.before.id} and {done.after.id}"),
        style="bold",
    )  # fmt: skip
    if done.taxes.height:
        common.line(
            t(f"{done.taxes.height:,} 票的应缴税额不同", f"{done.taxes.height:,} shipments pay another tax"), style="bold"
        )  # fmt: skip
    if out is not None:
        common.line(t(f"已写入 {out}", f"written to {out}"))
