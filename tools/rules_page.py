"""The page of all rules: what each says, by which law, from when, with its two examples; and what is not checked, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from crossborder.engine import explain_rule, rule_records

Record = Mapping[str, Any]
Table = Callable[[Sequence[str], Iterable[Sequence[str]]], str]

FAMILIES: Mapping[str, tuple[str, str]] = {
    "CLS": ("报关类别", "Declaration classes"),
    "LIM": ("限值与限量", "Limits of value and quantity"),
    "TAX": ("税款", "Taxes"),
    "EXP": ("快件报关单", "The express declaration"),
    "MFT": ("快件舱单", "The express manifest"),
    "ID": (
        "证件、企业、运单、电话、国别等代码",
        "Identity, enterprises, waybills, telephones, codes",
    ),
    "TXT": ("文本", "Text"),
    "PRO": ("禁止、限制进出境物品", "Prohibited and restricted articles"),
    "CBL": ("跨境电商限额与退货", "E-commerce: limits and returns"),
    "CEB": ("跨境电商报文", "E-commerce messages"),
    "PII": ("个人信息", "Personal data"),
}
HEAD = """# 规则 · Rules

Every rule the project knows of: {implemented} are carried out, {rest} are not, each with its reason. `crossborder explain RULE`
shows one, `crossborder explain --all --json` all of them.

*Consequence*: **reject**: not sent; **hold**: waits for a person; **note**: goes on, the note stays with it; **a figure**: part of
the [tax](tax.md). *Dated by*: the day that
decides whether the rule is in force, unless `--as-of` overrides it. *Certainty*: **primary**: the text was read; **secondary**: a
trustworthy report; **inferred**: practice or our reading.

"""


def rules_page(table: Table) -> str:
    """`docs/rules.md` without its first comment."""
    records = rule_records()
    done = [r for r in records if r["status"] == "implemented"]
    parts = [HEAD.format(implemented=len(done), rest=len(records) - len(done))]
    for prefix, (zh, en) in FAMILIES.items():
        own = [r for r in records if r["id"].split("-")[0] == prefix]
        parts.append(f"## {zh} · {en}\n\n")
        parts += [_section(explain_rule(r["id"])) for r in own if r["status"] == "implemented"]
        missing = [r for r in own if r["status"] != "implemented"]
        if missing:
            rows = (
                (f"`{r['id']}`", r["title_zh"], r["title_en"], r["reason_zh"], r["reason_en"])
                for r in missing
            )
            head = ("not checked", "内容", "rule", "原因", "why")
            parts += [table(head, rows), "\n"]
    return "".join(parts).rstrip("\n") + "\n"


def _section(record: Record) -> str:
    lines = [f"### `{record['id']}` {record['title_zh']} · {record['title_en']}\n"]
    lines.append(" · ".join(_facts(record)) + "\n")
    if record["meaning"]:
        lines.append(" ".join(record["meaning"].split()) + "\n")
    lines += [f"- {line}" for line in _bullets(record)]
    return "\n".join(lines) + "\n\n"


def _facts(record: Record) -> Iterator[str]:
    yield f"applies to {record['applies_to']}"
    yield "**a figure**" if record["kind"] == "compute" else f"**{record['action']}**"
    begin, end = record["effective_from"] or "always", record["effective_to"] or "…"
    yield f"{begin} to {end}, by {record['dated_by']}" if record["effective_from"] else "always"
    yield record["certainty"]
    yield record["legal_source"]
    if record["bounds"]:
        yield f"bounds in `{record['bounds']}.csv`"


def _bullets(record: Record) -> Iterator[str]:
    yield f"elements: {', '.join(f'`{name}`' for name in record['fields'])}"
    if record["kind"] == "compute":
        yield "example: " + "; ".join(_parcel(parcel) for parcel in record["passing"])
        for zh, en in zip(record["finding_zh"], record["finding_en"], strict=True):
            yield f"{zh} · {en}"
    else:
        yield f"处理 · remedy: {record['fix_zh']} · {record['fix_en']}"
        for which, verb in (("passing", "passes"), ("failing", "fails")):
            told = dict.fromkeys(_parcel(parcel) for parcel in record[which])
            yield f"{verb}: " + "; ".join(told)
        if record["finding_zh"]:
            yield f"finding: {record['finding_zh'][0]} · {record['finding_en'][0]}"
    if list(record["told_as"]) != [record["id"]]:
        yield f"told as {', '.join(f'`{one}`' for one in record['told_as'])}"
    for one in record["switches"]:
        default = f", default `{one['default']}`" if one["default"] else ""
        yield f"setting: `{one['option']}`{default}"


def _parcel(parcel: Mapping[str, str | None]) -> str:
    said = {name: value for name, value in parcel.items() if name not in ("class", "direction")}
    kind = f"class {parcel['class']} {'import' if parcel['direction'] == 'I' else 'export'}"
    changed = ", ".join(f"`{name}` {_value(value)}" for name, value in said.items())
    return f"{kind}, {changed}" if changed else f"{kind} as it should be"


def _value(value: str | None) -> str:
    if value is None:
        return "empty"
    shown = " ".join(value.split()).replace("|", "\\|")
    return f"`{shown}`" if len(shown) <= 40 else f"of {len(value)} characters"
