"""`explain`, `codes`, `schema`: look things up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossborder.cli import common
from crossborder.cli.words import both, t
from crossborder.errors import CodesError

if TYPE_CHECKING:
    import polars as pl

    from crossborder.codes import About

Table = Annotated[
    str,
    typer.Argument(metavar="TABLE", help=both("代码表，如 countries", "table, e.g. countries")),
]
_MOST = 50


def explain(
    rule: Annotated[str, typer.Argument(metavar="RULE", help=both("规则编号，如 LIM-02", "rule id, e.g. LIM-02"))] = "",
    all_: Annotated[bool, typer.Option("--all", help=both("列出全部规则", "list every rule"))] = False,
    as_json: common.Json = False,
    lang: common.Lang = "",
) -> int:  # fmt: skip
    """What a rule says: law, dates, certainty, consequence, remedy, one passing and one failing example."""
    from crossborder.engine import explain_rule, rule_records

    records = rule_records() if all_ or not rule else [explain_rule(rule)]
    if as_json:
        common.answer({"format": 1, "rules": records})
    elif rule and not all_:
        _tell(records[0])
    else:
        _list(records)
    return 0


def _list(records: list[dict[str, Any]]) -> None:
    from crossborder.reports import label, plain_table

    said = common.lang()
    heads = (
        t("规则", "rule"),
        t("后果", "what"),
        t("内容", "title"),
        t("不能校验的原因", "why it is not checked"),
    )
    rows = [
        (
            r["id"],
            "—" if r["status"] == "not_checkable" else label(r["action"], said),
            r[f"title_{said}"],
            r[f"reason_{said}"],
        )
        for r in records
    ]
    common.out().print(plain_table(heads, rows))
    done = sum(r["status"] == "implemented" for r in records)
    common.line(
        t(
            f"共 {len(records)} 条规则，已实现 {done} 条；crossborder explain 规则编号 查看详情",
            f"{len(records)} rules, {done} implemented; crossborder explain RULE tells more",
        )
    )


def _tell(record: Mapping[str, Any]) -> None:
    from crossborder.reports import label, plain_facts

    said = common.lang()
    dates = " – ".join((record["effective_from"] or "…", record["effective_to"] or "…"))
    in_force = dates if record["effective_from"] or record["effective_to"] else t("一直", "always")
    has_law = bool(record["legal_source"])
    figure = record.get("kind") == "compute" and bool(record["passing"])
    facts = [
        (t("适用", "applies to"), record["applies_to"]),
        (t("元素", "elements"), ", ".join(record["fields"])),
        (t("未校验", "not checked"), record.get(f"reason_{said}", "")),
        (t("后果", "consequence"), "" if figure else label(record["action"], said)),
        (t("来源", "source"), record["legal_source"]),
        (t("有效期", "in force"), in_force if has_law else ""),
        (t("按何日期", "dated by"), t(*_DATED[record["dated_by"]]) if has_law else ""),
        (t("可信度", "certainty"), t(*_CERTAIN[record["certainty"]]) if has_law else ""),
        (t("含义", "meaning"), record["meaning"]),
        (t("处理", "remedy"), record[f"fix_{said}"]),
        (
            t("设置", "switched by"),
            "\n".join(_switch(one, said) for one in record.get("switches", [])),
        ),
        (
            t("例子", "example") if figure else t("通过的例子", "passes"),
            _example(record["passing"]),
        ),
        (t("不通过的例子", "fails"), _example(record["failing"])),
        (
            t("算式", "sum") if figure else t("此例的问题", "finding"),
            "\n".join(record[f"finding_{said}"]),
        ),
    ]
    common.line(f"{record['id']}  {record[f'title_{said}']}", style="bold")
    common.out().print(plain_facts([(name, text) for name, text in facts if text]))
    if record.get("elements"):
        common.line()
        _show_schema(
            [{**one, "path": f"{one['message']}/{one['path']}"} for one in record["elements"]]
        )


_DATED = {"movement": ("进出境日期", "day of movement"), "declaration": ("申报日期", "day of declaration")}  # fmt: skip
_CERTAIN = {
    "primary": ("读过原文", "primary: the text itself was read"),
    "secondary": ("可靠转述", "secondary: a trustworthy report"),
    "inferred": ("推断", "inferred"),
}


def _switch(one: Mapping[str, Any], said: str) -> str:
    if not one["default"]:
        return f"{one['option']}: {one[f'meaning_{said}']}"
    values = " | ".join(one["values"]) or t("大于零的数", "a number above zero")
    default = t("默认", "default")
    return f"{one['option']} = {values} ({default} {one['default']}): {one[f'meaning_{said}']}"


def _example(parcels: list[Mapping[str, Any]]) -> str:
    return "\n".join(
        ", ".join(f"{name} = {value if value is not None else '—'}" for name, value in parcel.items())
        for parcel in parcels
    )  # fmt: skip


def codes_find(
    table: Table,
    query: Annotated[str, typer.Argument(metavar="QUERY", help=both("代码，或中文、英文名称的一部分；不给则列出全表", "a code, or part of a Chinese or English name; without it the whole table"))] = "",
    on: Annotated[str, typer.Option("--on", metavar="yyyy-mm-dd", help=both("此日有效的代码（默认最新一版）", "codes in force on this day (default: the newest edition)"))] = "",
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:  # fmt: skip
    """Search codes, Chinese and English names of a table."""
    from crossborder import codes

    loaded = common.load_settings(config)
    tables = codes.Tables.load(loaded.home / "codes")
    found = codes.search(table, query, tables=tables, on=on or None)
    near = found if found.height else codes.suggested(table, query, tables=tables, on=on or None)
    if as_json:
        nearest = [] if found.height else near.to_dicts()
        common.answer({"format": 1, "table": table, "rows": found.to_dicts(), "nearest": nearest})
    else:
        if not found.height:
            common.line(t("没有找到。最接近的：", "Nothing found. Nearest:") if near.height else t("没有找到。", "Nothing found."))  # fmt: skip
        _rows(near)
        _worth(codes.about(table, tables, on or None))
    return 0 if found.height else 1


def _rows(found: pl.DataFrame) -> None:
    from crossborder.reports import plain_table

    if not found.height:
        return
    kept = [c for c in found.columns if found[c].null_count() < found.height]
    common.out().print(plain_table(kept, found.select(kept).head(_MOST).rows()))
    if found.height > _MOST:
        rest = found.height - _MOST
        common.line(t(f"…另有 {rest:,} 行（--json 列出全部）", f"… and {rest:,} more (--json lists all)"))  # fmt: skip


def _worth(told: About) -> None:
    """What the table is worth: coverage, what nobody verified, since when, sources."""
    covered = t(*_COVERAGE[told.coverage])
    said = [t(f"完整性：{covered}", f"coverage: {covered}")]
    if told.coverage != "complete":
        said.append(t("查不到不算错", "a miss is no fault"))
    if told.unverified:
        said.append(t(f"未经核实的行 {told.unverified:,}", f"unverified rows: {told.unverified:,}"))
    if told.start:
        said.append(t(f"自 {told.start} 起导入", f"imported, from {told.start}"))
    elif told.first or told.last:
        said.append(f"{told.first or '…'} – {told.last or '…'}")
    if told.sources:
        said.append(t("来源 ", "sources ") + ", ".join(told.sources))
    common.line(t("；", "; ").join(said), style="dim")


def codes_import(
    table: Annotated[str, typer.Argument(metavar="TABLE", help=both("代码表，或 exchange_rates", "table, or exchange_rates"))],
    file: Annotated[Path, typer.Argument(metavar="FILE", help=both("CSV 文件", "CSV file"))],
    start: Annotated[str, typer.Option("--from", metavar="yyyy-mm-dd", help=both("自此日起有效", "in force from this day"))],
    partial: Annotated[bool, typer.Option("--partial", help=both("此表不完整：查不到不算错", "the table is not complete: a miss is no fault"))] = False,
    as_json: common.Json = False,
    lang: common.Lang = "",
    config: common.Config = None,
) -> int:  # fmt: skip
    """Replace a code table from a day on, or import a month's customs exchange rates."""
    from datetime import date

    from crossborder import codes

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
        common.line(
            t(f"{table}：自 {start} 起 {rows:,} 行", f"{table}: {rows:,} rows from {start}")
        )
    return 0


def codes_list(
    as_json: common.Json = False, lang: common.Lang = "", config: common.Config = None
) -> int:
    """Which tables there are, and what a miss in each means."""
    from crossborder import codes

    loaded = common.load_settings(config)
    tables = codes.Tables.load(loaded.home / "codes")
    listed = [_table_record(name, tables) for name in sorted(codes.infos())]
    if as_json:
        common.answer({"format": 1, "tables": listed})
        return 0
    from crossborder.reports import plain_table

    heads = (
        t("代码表", "table"), t("完整性", "coverage"), t("行", "rows"), t("未核实", "unverified"),
        t("内容", "contents"),
    )  # fmt: skip
    rows = [
        (one["table"], t(*_COVERAGE[one["coverage"]]), one["rows"], one["unverified"], one[f"title_{common.lang()}"])
        for one in listed
    ]  # fmt: skip
    common.out().print(plain_table(heads, rows))
    return 0


_COVERAGE = {
    "complete": ("完整", "complete"), "partial": ("不完整", "partial"), "sample": ("样例", "sample"),
    "absent": ("无", "absent"),
}  # fmt: skip


def _table_record(name: str, tables: Any) -> dict[str, Any]:
    from crossborder import codes

    described, told = codes.info(name), codes.about(name, tables)
    return {
        "table": name,
        "coverage": told.coverage,
        "rows": told.rows,
        "key": list(described.key),
        "from": told.start,
        "first": told.first,
        "last": told.last,
        "unverified": told.unverified,
        "sources": dict(told.sources),
        "title_zh": described.title_zh,
        "title_en": described.title_en,
        "note": described.note,
    }


def schema(
    message: Annotated[str, typer.Argument(metavar="MESSAGE", help=both("报文，如 EXP301；不给则列出各报文", "message, e.g. EXP301; without it all are listed"))] = "",
    element: Annotated[str, typer.Option("--element", metavar="NAME", help=both("只看此元素", "only this element"))] = "",
    as_json: common.Json = False,
    lang: common.Lang = "",
) -> int:  # fmt: skip
    """The elements of a message: order, length, digits, filling condition, meaning."""
    from crossborder import schema as room

    if not message:
        names = list(room.messages())
        if as_json:
            common.answer({"format": 1, "messages": names})
        else:
            common.line("\n".join(names))
        return 0
    rows = [
        r
        for r in room.describe(message.upper())
        if element.casefold() in ("", str(r["element"]).casefold())
    ]
    if as_json:
        common.answer({"format": 1, "message": message.upper(), "elements": rows})
    elif not rows:
        common.line(t("没有找到。", "Nothing found."))
    else:
        _show_schema(rows)
    return 0 if rows else 1


def _show_schema(rows: list[dict[str, Any]]) -> None:
    from crossborder.reports import plain_table

    said = common.lang()
    heads = (
        t("元素", "element"), t("名称", "label"), t("长度", "length"),
        t("填制", "filling"), t("含义", "meaning"),
    )  # fmt: skip
    shown = [
        (r["path"], r["label_zh"], _length(r), r[f"filling_{said}"], r["meaning_en"]) for r in rows
    ]
    common.out().print(plain_table(heads, shown))


def _length(row: Mapping[str, Any]) -> str:
    digits = f"{row['total_digits']},{row['fraction_digits']}" if row["total_digits"] else ""
    return digits or str(row["max_length"] or "")
