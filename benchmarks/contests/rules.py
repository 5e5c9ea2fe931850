"""`rules`: what all rules cost beside composing the same shipments, and which of them cost most."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks import data
from benchmarks.contests.compose import engine as composed
from benchmarks.contests.contest import Contest, Disagreement, Line
from benchmarks.sizes import DECLARED_ON, SERVED, Sizes
from benchmarks.timing import Case
from crossborder import rules
from crossborder.rules.check import looked_at
from crossborder.rules.prepare import Prepared, prepare
from crossborder.rules.ready import Inquiry, inquiry, ready
from crossborder.shipments import FrameSet
from crossborder.shipments.columns import FRAME_NAMES, FrameName

DEAREST = 5
PREPARING = "preparing"
"""What is made once for all rules."""


def contest(sizes: Sizes, folder: Path) -> Contest:
    """Every rule over a clean day, against composing the documents of the same shipments; both from frames."""
    frames = data.valid_frames(data.check(data.write(folder / "day.csv", sizes.columnar)))
    context, ids = here(), data.ids(frames.shipments.height)
    count = frames.shipments.height
    return Contest(
        lambda: prove(sizes.proof, folder),
        [
            Case("rules", lambda _: rules.check(frames, context), count),
            Case("composing", lambda _: composed(frames, ids), count),
        ],
        [Line("rules", "shipments through every rule", "composing them: at most twice as long", "rules", "composing")],
        lambda: {"dearest_rules": dearest(frames, context, sizes.rounds)},
    )  # fmt: skip


def here() -> rules.Context:
    """The demonstration firm on the day of the samples."""
    own = data.firm()
    return rules.Context.of(own.tables, own.profile, DECLARED_ON, None, frozenset(SERVED.values()))


def prove(shipments: int, folder: Path) -> None:
    """Of a dirty day all rules together find what each of them finds by itself, so none is left out."""
    path = data.write(folder / "dirty.csv", shipments, dirty=0.4)
    frames, context = data.check(path).frames, here()
    whole = rules.check(frames, context)
    alone = [rules.check_rules(frames, context, [rule]) for rule in rules.registry()]
    if not whole.height or _sorted(whole) != _sorted(pl.concat(alone)):
        raise Disagreement("rules asked together and one by one do not find the same")


def _sorted(findings: pl.DataFrame) -> list[str]:
    return sorted(map(repr, findings.iter_rows()))


def dearest(frames: FrameSet, context: rules.Context, rounds: int) -> list[dict[str, Any]]:
    """`rule`, `us`: preparing, and the rules that cost most when each is asked alone, microseconds per shipment.

    Rules that look at the same words share that look when they are asked together; alone each pays for it.
    """
    count = frames.shipments.height
    took = [_timed(lambda: prepare(frames, context)) for _ in range(rounds)]
    prepared = prepare(frames, context)
    found = [
        {"rule": rule.id, "us": round(statistics.median(_asked(rule, prepared, context, rounds)) / count * 1e6, 3)}
        for rule in rules.registry()
    ]  # fmt: skip
    found.sort(key=lambda one: -float(str(one["us"])))
    first = {"rule": PREPARING, "us": round(statistics.median(took) / count * 1e6, 3)}
    return [first, *found[:DEAREST]]


def _asked(
    rule: rules.Rule, prepared: Prepared, context: rules.Context, rounds: int
) -> list[float]:
    cases = list(enumerate(ready(rule, context)))
    asked: dict[FrameName, Inquiry] = {
        name: inquiry(pair for pair in cases if pair[1].case.frame == name) for name in FRAME_NAMES
    }
    return [_timed(lambda: list(_places(asked, prepared))) for _ in range(rounds + 1)][1:]


def _places(asked: dict[FrameName, Inquiry], prepared: Prepared) -> Iterator[object]:
    for name, one in asked.items():
        frame = prepared.frames[name]
        yield from looked_at(frame, one, one.asked(frame, prepared.unusual[name]))


def _timed(run: Any) -> float:
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


def text(found: list[dict[str, Any]]) -> str:
    """The line for people."""
    first, *others = found
    named = ", ".join(f"{one['rule']} {one['us']:.2f}" for one in others)
    return f"rules: {first['rule']} {first['us']:.2f} us a shipment; the dearest, each asked alone: {named}"
