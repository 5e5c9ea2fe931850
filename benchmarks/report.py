"""The result of a run as a table for people."""

from __future__ import annotations

from typing import Any

from benchmarks.contests import memory, rules
from benchmarks.timing import times


def text(result: dict[str, Any]) -> str:
    """Machine, one line per baseline, and the limits of the machine."""
    measured = [memory.text(result["memory"]), ""] if "memory" in result else []
    if "dearest_rules" in result:
        measured += [rules.text(result["dearest_rules"]), ""]
    table = [*_table(result["lines"]), ""] if result["lines"] else []
    return "\n".join([*_head(result), "", *table, *measured, *_limits(result)])


def _head(result: dict[str, Any]) -> list[str]:
    here, used, counts = result["machine"], result["versions"], result["shipments"]
    return [
        f"{here['processor']}, {here['cores']} cores, {here['memory_gb']} GB, {here['system']}; "
        f"load {here['load_at_start']} at the start",
        ", ".join(f"{name} {number}" for name, number in used.items() if name != "implementation"),
        f"{counts['columnar']:,} shipments (row by row: {counts['rowwise']:,}, xmlschema: {counts['xmlschema']}), "
        f"{result['rounds']} rounds by turns, documents of {result['document_bytes']:,} bytes",
    ]


def _table(lines: list[dict[str, Any]]) -> list[str]:
    rows = [("line", "engine", "baseline", "times", "spread", "CPU times", "required", "against")]
    for one in lines:
        spread = one["ratio_wall"]
        rows.append(
            (
                one["name"],
                f"{one['wall']['engine']['median']:.1f}",
                f"{one['wall']['baseline']['median']:.1f}",
                times(one["ratio"]),
                f"{times(spread['min'])[:-1]}-{times(spread['max'])[:-1]}",
                times(one["ratio_cpu"]["median"]),
                _required(one),
                one["baseline"],
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    made = []
    for row in rows:
        cells = [
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=False))
        ]
        made.append("  ".join([*cells, row[-1]]))
    return [*made, "(engine and baseline: microseconds per shipment, median; `help`: per start)"]


def _required(one: dict[str, Any]) -> str:
    """What was demanded of a line, and whether it was reached."""
    if one["required"] is None:
        return "-"
    wanted = ", ".join(f"{least:g}x {name}" for name, least in one["required"].items())
    return f"{wanted}: {'met' if one['met'] else 'missed'}"


def _limits(result: dict[str, Any]) -> list[str]:
    return ["limits of this machine, per document:"] + [
        f"  {one['name']:20} {one['us_per_document']['median']:8.2f} us  {one['gb_per_second']:6.2f} GB/s"
        for one in result["limits"]
    ]
