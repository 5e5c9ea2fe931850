"""Findings as the ledger keeps them, as dictionaries; what was erased says so in every field that is shown."""

from __future__ import annotations

import json
from typing import Any

from crossborder.engine.results import JSON_FIELDS
from crossborder.ledger import FindingRow


def finding(row: FindingRow) -> dict[str, Any]:
    """The record of a finding: `JSON_FIELDS`, `fix_zh`, `action`."""
    record: dict[str, Any] = json.loads(row.record)
    if "erased_at" in record:
        day = record["erased_at"]
        return _empty(record, f"已于 {day} 销毁", f"erased on {day}")
    if record.get("damaged"):
        return _empty(record, "存储的内容损坏", "what was stored is damaged")
    return record


def _empty(record: dict[str, Any], zh: str, en: str) -> dict[str, Any]:
    told = {name: record[name] for name in ("rule", "severity", "action")}
    return {**dict.fromkeys((*JSON_FIELDS, "fix_zh")), **told, "zh": zh, "en": en, "fix": "", "fix_zh": ""}  # fmt: skip
