"""The result of a run as a drawing: how many times quicker, on a logarithmic scale."""

from __future__ import annotations

import math
from typing import Any
from xml.sax.saxutils import escape

from benchmarks.timing import times

WIDTH, LEFT, ROW, TOP = 960, 420, 34, 64
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.small { font-size: 11px; fill: #57606a }
.bar { fill: #1a7f5a }
.spread { stroke: #0b3d2c; stroke-width: 2 }
.grid { stroke: #d0d7de }
.back { fill: #ffffff }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .small { fill: #9198a1 } .bar { fill: #3fb68b } .spread { stroke: #d2f4e6 }
  .grid { stroke: #3d444d } .back { fill: #0d1117 }
}
"""


def svg(result: dict[str, Any]) -> str:
    """One bar per line of `bench.json`, with the spread over the rounds."""
    lines = result["lines"]
    height = TOP + ROW * len(lines) + 60
    top = max([10.0, *(one["ratio_wall"]["max"] for one in lines)])
    decades = math.ceil(math.log10(top))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="crossborder against its baselines"><style>{_STYLE}</style>',
        f'<rect class="back" width="{WIDTH}" height="{height}"/>',
        '<text x="16" y="26" font-weight="600">Times quicker than the baseline, per shipment (elapsed time)</text>',
        f'<text x="16" y="46" class="small">{escape(_where(result))}</text>',
    ]
    parts += [_grid(10**power, _x(10**power, decades), height - 44) for power in range(decades + 1)]
    for number, one in enumerate(lines):
        parts += _bar(one, TOP + ROW * number, decades)
    parts += [
        f'<text x="16" y="{height - 12}" class="small">bar: median of {result["rounds"]} rounds by turns; '
        "stroke: least to most; longer is better</text></svg>"
    ]
    return "\n".join(parts) + "\n"


def _where(result: dict[str, Any]) -> str:
    here, used = result["machine"], result["versions"]
    return (
        f"{here['processor']}, {here['cores']} cores; Python {used['python']}, polars {used['polars']}, "
        f"lxml {used['lxml']}, pydantic {used['pydantic']}; {result['shipments']['columnar']:,} shipments"
    )


def _x(ratio: float, decades: int) -> float:
    """Where a ratio lies; below 1 at the left edge."""
    return round(LEFT + math.log10(max(ratio, 1.0)) / decades * (WIDTH - LEFT - 80), 1)


def _grid(ratio: int, x: float, bottom: int) -> str:
    return (
        f'<line class="grid" x1="{x}" y1="{TOP - 8}" x2="{x}" y2="{bottom}"/>'
        f'<text x="{x}" y="{bottom + 14}" class="small" text-anchor="middle">{ratio:,}x</text>'
    )


def _bar(one: dict[str, Any], y: int, decades: int) -> list[str]:
    spread = one["ratio_wall"]
    start, end = LEFT, _x(one["ratio"], decades)
    low, high = _x(spread["min"], decades), _x(spread["max"], decades)
    return [
        f'<text x="16" y="{y + 9}">{escape(one["name"])}</text>',
        f'<text x="16" y="{y + 22}" class="small">{escape(one["baseline"][:66])}</text>',
        f'<rect class="bar" x="{start}" y="{y}" width="{max(end - start, 1):.1f}" height="18" rx="2"/>',
        f'<line class="spread" x1="{low}" y1="{y + 9}" x2="{high}" y2="{y + 9}"/>',
        f'<text x="{max(end, high) + 8}" y="{y + 14}">{times(one["ratio"])}</text>',
    ]
