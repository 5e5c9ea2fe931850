"""Rules and samples as the command line and the service ask for them."""

from __future__ import annotations

import difflib
import json
from datetime import date
from pathlib import Path
from typing import Any

from crossborder import china_time, rules, samples
from crossborder.errors import InputError, NotFound


def rule_records() -> list[dict[str, Any]]:
    """The record of every implemented rule, sorted by id."""
    return sorted((_record(rule) for rule in rules.registry()), key=lambda r: str(r["id"]))


def explain_rule(rule_id: str) -> dict[str, Any]:
    """The record of one rule. Raises `NotFound` naming the nearest."""
    records = {str(r["id"]): r for r in rule_records()}
    if rule_id.upper() in records:
        return records[rule_id.upper()]
    near = difflib.get_close_matches(rule_id.upper(), records, 3)
    raise NotFound(
        f"no rule {rule_id!r}", f"没有规则 {rule_id!r}",
        fix_en=f"nearest: {', '.join(near)}" if near else "crossborder explain --all lists them",
        fix_zh=f"最接近：{'、'.join(near)}" if near else "crossborder explain --all 列出全部",
    )  # fmt: skip


def _record(rule: rules.Rule) -> dict[str, Any]:
    return rule.record()


def write_sample(
    out: Path, *, shipments: int, seed: int, dirty: float, direction: str, mapping: str, on: str = "",
    dirt_report: Path | None = None, rates_out: Path | None = None,
) -> dict[str, int]:  # fmt: skip
    """Compose a sample file; `shipments`, `rows` and `dirty` counts. Raises `InputError`."""
    if direction not in ("I", "E"):
        raise InputError(
            f"--direction {direction!r}: I or E", f"--direction {direction!r}：应为 I 或 E"
        )
    day = date.fromisoformat(on) if on else china_time.now().date()
    sample = samples.compose(shipments, seed, dirty=dirty, direction=direction, day=day)
    try:
        written = samples.write(sample, mapping, out)
        if dirt_report:
            lines = (json.dumps(row, ensure_ascii=False) for row in written.report)
            dirt_report.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        if rates_out:
            samples.write_rates(sample, rates_out)
    except OSError as error:
        raise InputError(
            f"cannot be written ({error.strerror})",
            f"无法写入（{error.strerror}）",
            place=str(error.filename or out),
        ) from error
    return {"shipments": shipments, "rows": written.rows, "dirty": len(written.report)}
