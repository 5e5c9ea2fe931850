"""`explain`, `codes`, `schema`: look things up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crossborder.cli import common
from crossborder.cli.words import t


def explain(
    rule: Annotated[str, typer.Argument(help=t("规则编号，如 LIM-02", "rule id, e.g. LIM-02"), metavar="RULE")] = "",
    all_: Annotated[bool, typer.Option("--all", help=t("列出全部规则", "list every rule"))] = False,
    as_json: common.Json = False,
    lang: common.Lang = "",
) -> int:  # fmt: skip
    """What a rule says: law, dates, certainty, consequence, remedy, one passing and one failing example."""
    from crossborder.engine import explain_rule, rule_records

    said = common.lang_of(lang)
    records = rule_records() if all_ or not rule else [explain_rule(rule)]
    if as_json:
        common.answer({"format": 1, "rules": records})
        return 0
    if len(records) > 1:
        for one in records:
            common.out().print(
                f"{one['id']:<10} {one['severity']:<7} {one['title_' + said]}", markup=False
            )
        return 0
    for key, value in records[0].items():
        if value not in (None, "", []) and not key.endswith("_en" if said == "zh" else "_zh"):
            common.out().print(f"[bold]{key}[/]: {value}")
    return 0


def codes_find(
    table: Annotated[str, typer.Argument(help=t("代码表，如 countries", "table, e.g. countries"))],
    query: Annotated[
        str, typer.Argument(help=t("代码或名称的一部分", "a code, or part of a name"))
    ],
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:
    """Search codes, Chinese and English names of a table."""
    from crossborder import codes

    loaded = common.load_settings(config)
    found = codes.search(table, query, codes.Tables.load(loaded.home / "codes"))
    if as_json:
        common.answer({"format": 1, "table": table, "rows": found.to_dicts()})
        return 0 if found.height else 1
    for row in found.head(50).iter_rows():
        common.out().print("  ".join(str(v) for v in row if v is not None), markup=False)
    if not found.height:
        common.out().print(t("没有找到", "nothing found"))
    return 0 if found.height else 1


def codes_import(
    table: Annotated[
        str, typer.Argument(help=t("代码表，或 exchange_rates", "table, or exchange_rates"))
    ],
    file: Annotated[Path, typer.Argument(help=t("CSV 文件", "CSV file"), metavar="FILE")],
    start: Annotated[
        str, typer.Option("--from", help=t("自此日起有效 yyyy-mm-dd", "in force from, yyyy-mm-dd"))
    ],
    partial: Annotated[
        bool, typer.Option("--partial", help=t("此表不完整", "this table is not complete"))
    ] = False,
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:
    """Replace a code table from a day on, or import a month's customs exchange rates."""
    from datetime import date

    from crossborder import codes
    from crossborder.errors import CodesError

    try:
        day = date.fromisoformat(start)
    except ValueError as error:
        raise CodesError(
            f"--from {start!r} is no date", f"--from {start!r} 不是日期", fix_en="yyyy-mm-dd"
        ) from error
    loaded = common.load_settings(config)
    rows = codes.import_table(loaded.home / "codes", table, file, day, complete=not partial)
    if as_json:
        common.answer({"format": 1, "table": table, "from": start, "rows": rows})
    else:
        common.out().print(
            t(f"{table}：自 {start} 起 {rows:,} 行", f"{table}: {rows:,} rows from {start}")
        )
    return 0


def codes_list(
    as_json: common.Json = False, lang: common.Lang = "", config: common.Config = None
) -> int:
    """Which tables there are, and what a miss in each means."""
    from crossborder import codes

    loaded = common.load_settings(config)
    listed = codes.Tables.load(loaded.home / "codes").listing()
    if as_json:
        common.answer({"format": 1, "tables": listed.to_dicts()})
        return 0
    for row in listed.iter_rows(named=True):
        common.out().print(
            f"{row['table']:<34} {row['coverage']:<9} {row['rows']:>6}  {row['title_' + common.lang_of(lang)]}",
            markup=False,
        )
    return 0


def schema(
    message: Annotated[str, typer.Argument(help="EXP301, EXP311, …", metavar="MESSAGE")] = "",
    element: Annotated[
        str, typer.Option("--element", help=t("只看此元素", "only this element"))
    ] = "",
    as_json: common.Json = False,
    lang: common.Lang = "",
) -> int:
    """The elements of a message: order, length, digits, filling condition, meaning."""
    from crossborder import schema as room

    said = common.lang_of(lang)
    if not message:
        for name in room.messages():
            common.out().print(name)
        return 0
    rows = [r for r in room.describe(message.upper()) if not element or r["element"] == element]
    if as_json:
        common.answer({"format": 1, "message": message.upper(), "elements": rows})
        return 0 if rows else 1
    from rich.table import Table

    table = Table(title=message.upper())
    for head in (
        t("路径", "path"),
        t("名称", "label"),
        t("长度", "length"),
        t("填制", "filling"),
        t("含义", "meaning"),
    ):
        table.add_column(head, overflow="fold")
    for row in rows:
        length = str(row["max_length"] or "") + (
            f" ({row['total_digits']},{row['fraction_digits']})" if row["total_digits"] else ""
        )
        table.add_row(
            row["path"], row["label_zh"], length, row["filling_" + said], row["meaning_en"]
        )
    common.out().print(table)
    return 0 if rows else 1
