"""What a rule id means: an implemented rule, a check compiled from the specification, or an intake problem."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import polars as pl

from crossborder import rules, schema
from crossborder.engine.pure import judged_example
from crossborder.errors import NotFound
from crossborder.intake.problems import PROBLEMS
from crossborder.rules.examples import context_of, frames_of
from crossborder.rules.tax import Shown, assess

Record = dict[str, Any]
_PLAIN = (
    "id", "family", "title_zh", "title_en", "applies_to", "severity", "action", "legal_source", "effective_from",
    "effective_to", "dated_by", "certainty", "bounds", "meaning", "fix_zh", "fix_en",
)  # fmt: skip
_MESSAGES = ("EXP301", "EXP311")
_FACETS: dict[str, tuple[str, str]] = {
    "type": ("不是数字", "is not a number"),
    "totalDigits": ("位数过多", "has too many digits"),
    "fractionDigits": ("小数位过多", "has too many decimals"),
    "maxLength": ("超过最大长度", "is longer than the schema allows"),
    "minLength": ("短于最小长度", "is shorter than the schema asks"),
    "pattern": ("格式不符", "does not have the prescribed form"),
    "enumeration": ("不是允许的值", "is not one of the allowed values"),
}
_FILLING = ("未按填制条件填写或留空", "is not filled, or filled, as the filling table says")
_CODE = ("不在代码表或允许的值中", "is not in its code table or among the allowed values")
_COMPILED = re.compile(r"(?:XSD-(?P<x>\w+)-(?P<facet>\w+)|FIL-(?P<f>\w+)|COD-(?P<c>\w+))")

_OWN: dict[str, tuple[str, str, str, str, str, str]] = {
    "INT-live-differs": (
        "reject", "reject", "分运单已有内容不同的有效报关单", "the house waybill has a live declaration with other content",
        "恢复原内容，或等海关退单后再更正申报", "restore the former content, or correct it once customs has returned the declaration",
    ),
    "INT-classified": (
        "warn", "note", "文件未写报关类别，由本软件按规则选定", "the file names no class; it was chosen by the rules",
        "核对所选类别；合作方写明的类别只核对，不改动", "look at the class chosen; a class that is given is checked, never changed",
    ),
}  # fmt: skip
"""Findings that neither a rule of the registry nor the specification gives: severity, action, title, remedy."""


def rule_records() -> list[Record]:
    """The record of every rule the facts know of, sorted by id; the keys are listed at `explain_rule`."""
    return [_entry(entry) for entry in rules.catalogue()]


def explain_rule(rule_id: str) -> Record:
    """The record of one rule id. Raises `NotFound` naming the nearest.

    Keys: `id, status, kind, reason, reason_zh, reason_en, enforced_by, told_as, switches, family, title_zh, title_en,
    applies_to, fields, inputs, severity, action, legal_source, effective_from, effective_to, dated_by, certainty,
    bounds, meaning, fix_zh, fix_en, passing, failing, finding_zh, finding_en`. `status` is implemented or
    not_checkable, the reason is given for the latter (`reason` is the English one); `told_as` are the ids of findings
    that tell of the rule; `switches` are settings of the profile that change it. `passing` and `failing` are lists of parcels (the columns
    that make the example), empty for what is compiled from the specification; `elements` then names messages,
    elements and conditions.
    """
    for entry in rules.catalogue():
        if entry.id.casefold() == rule_id.casefold():
            places = _compiled(rule_id)
            elements = {"elements": places["elements"]} if places else {}
            return _entry(entry) | _finding(entry) | elements
    found = _problem(rule_id) or _compiled(rule_id)
    if found is not None:
        return found
    known = [*(e.id for e in rules.catalogue()), *_data_ids(), *(f"INT-{k}" for k in PROBLEMS)]
    near = difflib.get_close_matches(rule_id.upper(), known, 3)
    raise NotFound(
        f"no rule {rule_id!r}", f"没有规则 {rule_id!r}",
        fix_en=f"nearest: {', '.join(near)}" if near else "crossborder explain --all lists them",
        fix_zh=f"最接近：{'、'.join(near)}" if near else "crossborder explain --all 列出全部",
    )  # fmt: skip


def _entry(entry: rules.Entry) -> Record:
    rule = entry.rule
    return {name: getattr(entry, name, "") for name in _PLAIN} | {
        "status": entry.status, "kind": entry.kind,
        "reason": entry.reason_en, "reason_zh": entry.reason_zh, "reason_en": entry.reason_en,
        "enforced_by": entry.enforced_by, "told_as": list(entry.told_as), "switches": _switches(entry.id),
        "fields": list(entry.fields), "inputs": list(entry.inputs),
        "family": rule.family if rule else "", "bounds": rule.bounds if rule else "",
        "meaning": rule.meaning if rule else entry.shown.meaning if entry.shown else "",
        "fix_zh": rule.fix_zh if rule else "", "fix_en": rule.fix_en if rule else "",
        "passing": _passing(entry),
        "failing": _parcels(rule.failing) if rule else [],
    }  # fmt: skip


def _passing(entry: rules.Entry) -> list[dict[str, str | None]]:
    """The example of a check that passes, of a figure the one it is worked out on."""
    if entry.rule is not None:
        return _parcels(entry.rule.passing)
    return _parcels(entry.shown.example) if entry.shown else []


def _parcels(example: rules.Example) -> list[dict[str, str | None]]:
    """What was handed in, and what had been handed in before."""
    before = ({**_parcel(p), "in an earlier batch": "yes"} for p in example.earlier)
    return [*map(_parcel, example.parcels), *before]


def _switches(rule_id: str) -> list[Record]:
    """Settings that change a rule: the switch of an inferred one, then those of the profile that it asks."""
    return [*_switch(rule_id), *(
        {
            "option": f"profiles.NAME.options.{o.name}", "default": o.default, "values": list(o.choices),
            "meaning_zh": o.meaning_zh, "meaning_en": o.meaning_en,
        }
        for o in rules.OPTIONS.values()
        if rule_id in o.rules
    )]  # fmt: skip


_GRADE = (
    "没有法律明文，可设为：off 不检查（结果中注明），note 提示，hold 待人工，reject 拒收",
    "no text of law says so, so it may be set: off (not checked, which every result says), note, hold, reject",
)
_MARK = (
    "缺汇率时：hold 待人工，note 标注后放行", "where a rate is missing: hold waits for a person, note goes on marked",
)  # fmt: skip


def _switch(rule_id: str) -> Iterator[Record]:
    found = rules.switches().get(rule_id)
    if found is not None:
        zh, en = _GRADE if "off" in found.choices else _MARK
        yield {
            "option": f"profiles.NAME.rules.{rule_id}", "default": found.default, "values": list(found.choices),
            "meaning_zh": zh, "meaning_en": en,
        }  # fmt: skip
    if rule_id in rules.SET_ELSEWHERE:
        key, zh, en = rules.SET_ELSEWHERE[rule_id]
        yield {"option": key, "default": "", "values": [], "meaning_zh": zh, "meaning_en": en}


def _parcel(parcel: rules.Parcel) -> dict[str, str | None]:
    said: dict[str, str | None] = {"class": parcel.kind, "direction": parcel.direction}
    said |= parcel.head
    many = len(parcel.goods) > 1
    for number, line in enumerate(parcel.goods, 1):
        at = f"@{number}" if many else ""
        said |= {f"goods.{name}{at}": value for name, value in line.items()}
    if many and not any(parcel.goods):
        said["goods lines"] = str(len(parcel.goods))
    return said


def _finding(entry: rules.Entry) -> Record:
    """What is said of the failing example of a check; of a figure the sum of its example."""
    if entry.shown is not None:
        return _sums(entry.shown)
    if entry.rule is None:
        return {"finding_zh": [], "finding_en": []}
    found = judged_example(entry.rule.failing)
    told = found.filter(pl.col("rule").is_in(entry.told_as))
    texts = told.unique(["zh", "en"], maintain_order=True)
    return {"finding_zh": texts["zh"].to_list(), "finding_en": texts["en"].to_list()}


def _sums(shown: Shown) -> Record:
    """The sums of an example, line by line, and what becomes of them."""
    found = assess(frames_of(shown.example), context_of(shown.example), shown.regime)
    told: Record = {}
    for lang in ("zh", "en"):
        lines = found.lines.select(pl.coalesce(f"how_{lang}", f"note_{lang}")).to_series()
        told[f"finding_{lang}"] = [*lines, *found.consignments[f"note_{lang}"]]
    return told


def _problem(rule_id: str) -> Record | None:
    """An id of intake, of handing in, or of a check that never runs for want of its facts."""
    wanted = next((own for own in _OWN if own.casefold() == rule_id.casefold()), "")
    if wanted:
        severity, action, *texts = _OWN[wanted]
        titles = ("title_zh", "title_en", "fix_zh", "fix_en")
        return _blank(wanted, severity, action) | dict(zip(titles, texts, strict=True))
    for never, zh, en in _unevaluated():
        if never.casefold() == rule_id.casefold():
            return _blank(never, "not_evaluated", "mark") | {
                "title_zh": f"未运行：{zh}",
                "title_en": f"does not run: {en}",
            }
    kind = rule_id[4:].casefold() if rule_id[:4].casefold() == "int-" else ""
    problem = PROBLEMS.get(kind)
    if problem is None:
        return None
    return _blank(f"INT-{kind}", problem.severity, problem.action) | {
        "title_zh": problem.zh.replace("{a}", "…").replace("{b}", "…"),
        "title_en": problem.en.replace("{a}", "…").replace("{b}", "…"),
        "fix_zh": problem.fix_zh,
        "fix_en": problem.fix_en,
    }


def _unevaluated() -> list[tuple[str, str, str]]:
    return [
        (rule, zh, en)
        for rule, zh, en in rules.unevaluated(context_of(rules.Example(()))).iter_rows()
    ]


def _blank(rule_id: str, severity: str, action: str) -> Record:
    record: Record = dict.fromkeys((*_PLAIN, "meaning"), "")
    lists: Record = {
        name: [] for name in ("fields", "inputs", "passing", "failing", "finding_zh", "finding_en")
    }
    return (
        record
        | lists
        | {
            "id": rule_id, "severity": severity, "action": action, "applies_to": "all",
            "dated_by": "declaration", "certainty": "primary", "family": "intake",
        }
    )  # fmt: skip


def _compiled(rule_id: str) -> Record | None:
    """An id of the compiled specification: facets, filling conditions, code lists."""
    places = [p for p in _places() if p[0].casefold() == rule_id.casefold()] or _by_name(rule_id)
    if not places:
        return None
    what = list(dict.fromkeys(p[3] for p in places))
    elements = list(dict.fromkeys(p[2] for p in places))
    named = ", ".join(elements)
    return _blank(places[0][0], "reject", "reject") | {
        "family": "specification",
        "title_zh": f"{named}：" + "；".join(zh for zh, _ in what),
        "title_en": f"{named}: " + "; ".join(en for _, en in what),
        "applies_to": "EXP",
        "fields": elements,
        "legal_source": ", ".join(dict.fromkeys(p[1] for p in places)),
        "elements": [
            {"message": message, **row}
            for message in dict.fromkeys(p[1] for p in places)
            for row in schema.describe(message)
            if row["element"] in {p[2] for p in places if p[1] == message}
        ],
    }


Place = tuple[str, str, str, tuple[str, str]]
"""Rule id, message, element, what is wrong (zh, en)."""


@cache
def _places() -> tuple[Place, ...]:
    return tuple(_named_in_data())


def _data_ids() -> list[str]:
    return list(dict.fromkeys(place[0] for place in _places()))


def _named_in_data() -> Iterator[Place]:
    for message in _MESSAGES:
        for row in schema.filling(message):
            if row.rule:
                yield row.rule, message, row.element, _FILLING
        for (element, facet), rule in schema.facet_rules(message).items():
            yield rule, message, element, _FACETS[facet]
        for code in schema.code_lists(message):
            if code.rule:
                yield code.rule, message, code.element, _CODE


def _by_name(rule_id: str) -> list[Place]:
    """`XSD-<Element>-<facet>`, `FIL-<Element>`, `COD-<Element>` where no table names the id."""
    found = _COMPILED.fullmatch(rule_id)
    if found is None:
        return []
    wanted = next(v for v in (found["x"], found["f"], found["c"]) if v)
    if found["x"] and found["facet"] not in _FACETS:
        return []
    what = _FACETS[found["facet"]] if found["x"] else _FILLING if found["f"] else _CODE
    return [
        (rule_id, message, element.name, what)
        for message in _MESSAGES
        for group in schema.load_elements(message).groups
        for element in group.elements
        if element.name == wanted
    ]
