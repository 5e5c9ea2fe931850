"""Every rule the facts know of, one record each: implemented, by whom, or not checkable, and why.

`Entry.rule` is None where there is nothing but the record of `rules/not_checkable.csv`, and for figures (records of
`rules/computed.csv`), which have a `shown` instead: what they mean and a parcel on which they can be seen.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from crossborder import resources
from crossborder.rules.beside import beside
from crossborder.rules.check import registry
from crossborder.rules.model import Rule
from crossborder.rules.tax.shown import SHOWN, Shown

Kind = Literal["check", "compute", "method", "process"]
Status = Literal["implemented", "not_checkable"]


@dataclass(frozen=True, slots=True)
class Entry:
    """What is said of a rule whether or not it is implemented. Dates are yyyy-mm-dd, "" where open.

    `kind`: check (gives a verdict), compute (a figure), method (how to read or write), process (binds people).
    `enforced_by`: the room that carries it out, "" if none does. `told_as`: ids of the findings that tell of it.
    `reason_zh` and `reason_en` say why a rule is not checkable.
    """

    id: str
    kind: Kind
    status: Status
    reason_zh: str
    reason_en: str
    title_zh: str
    title_en: str
    applies_to: str
    fields: tuple[str, ...]
    severity: str
    action: str
    legal_source: str
    effective_from: str
    effective_to: str
    dated_by: str
    certainty: str
    inputs: tuple[str, ...]
    enforced_by: str = ""
    told_as: tuple[str, ...] = ()
    rule: Rule | None = None
    shown: Shown | None = None


@cache
def catalogue() -> tuple[Entry, ...]:
    """All entries by id. Raises `ValueError` if two say something of the same rule."""
    entries = [
        *(_of(rule, "rules", (rule.id,)) for rule in registry()),
        *(_of(one.rule, one.by, one.told_as) for one in beside()),
        *_computed(),
        *_not_checkable(),
    ]
    found = {entry.id: entry for entry in entries}
    if len(found) != len(entries):
        raise ValueError("a rule stands in the catalogue twice")
    return tuple(found[rule_id] for rule_id in sorted(found))


def _of(rule: Rule, by: str, told_as: tuple[str, ...]) -> Entry:
    return Entry(
        rule.id, "check", "implemented", "", "", rule.title_zh, rule.title_en, rule.applies_to, rule.fields,
        rule.severity, rule.action, rule.legal_source, rule.effective_from, rule.effective_to, rule.dated_by,
        rule.certainty, rule.inputs, by, told_as, rule,
    )  # fmt: skip


def _computed() -> list[Entry]:
    none = {"zh": "", "en": ""}
    return [
        replace(
            _entry(row, "implemented", none), enforced_by="tax", told_as=SHOWN[row["rule_id"]].told_as,
            shown=SHOWN[row["rule_id"]],
        )
        for row in _rows("computed")
    ]  # fmt: skip


def _not_checkable() -> list[Entry]:
    reasons = {row["reason"]: row for row in _rows("reasons")}
    return [_entry(row, "not_checkable", reasons[row["reason"]]) for row in _rows("not_checkable")]


def _entry(row: dict[str, str], status: Status, reason: dict[str, str]) -> Entry:
    kinds: dict[str, Kind] = {k: k for k in ("check", "compute", "method", "process")}
    return Entry(
        row["rule_id"], kinds[row["kind"]], status, reason["zh"], reason["en"], row["title_zh"],
        row["title_en"], row["applies_to"], _split(row["fields"]), row["severity"], row["action"],
        row["legal_source"], row["effective_from"], row["effective_to"], row["dated_by"], row["certainty"],
        _split(row["inputs"]),
    )  # fmt: skip


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split(";")) if text else ()


def _rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(resources.text(f"rules/{name}.csv"))))
