"""Replay: the same shipments judged under two rule packs, and what becomes different."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from crossborder import rules
from crossborder.engine.checking import Checking, Progress
from crossborder.engine.pure import Judge
from crossborder.engine.results import FORMAT, Checked
from crossborder.engine.sources import Blocks
from crossborder.rules.tax import assess

CHANGES: dict[str, Any] = {
    "ship": pl.UInt32, "sheet": pl.String, "row": pl.UInt32, "house_waybill": pl.String,
    "master_waybill": pl.String, "verdict_before": pl.String, "verdict_after": pl.String,
    "class_before": pl.String, "class_after": pl.String, "rules_before": pl.List(pl.String),
    "rules_after": pl.List(pl.String),
}  # fmt: skip
"""Columns of `Replayed.changes`. `rules_before` are rules that refuse or hold under the first pack only."""
BY_RULE: dict[str, Any] = {"rule": pl.String, "before": pl.UInt32, "after": pl.UInt32}
"""Columns of `Replayed.by_rule`: how many changed shipments a rule refuses or holds under one pack only."""

TAXES: dict[str, Any] = {
    "ship": pl.UInt32, "sheet": pl.String, "row": pl.UInt32, "house_waybill": pl.String,
    "master_waybill": pl.String, "outcome_before": pl.String, "outcome_after": pl.String,
    "payable_before": pl.Decimal(38, 2), "payable_after": pl.Decimal(38, 2), "rules_before": pl.List(pl.String),
    "rules_after": pl.List(pl.String),
}  # fmt: skip
"""Columns of `Replayed.taxes`: CNY to be paid and the rules it comes of."""

Opened = Callable[[], AbstractContextManager[Blocks]]


@dataclass(frozen=True)
class Replayed:
    """What another rule pack would change.

    `changes` has one row for each shipment whose verdict or class differs, in the order of the hand-in; `by_rule` counts
    them by the rules that make the difference; `verdicts` is how often each (verdict before, after) occurs. `taxes` has
    one row for each shipment whose tax can be evaluated under both packs and is not the same.
    """

    before: rules.Pack
    after: rules.Pack
    shipments: int
    changes: pl.DataFrame
    by_rule: pl.DataFrame
    verdicts: pl.DataFrame
    taxes: pl.DataFrame

    def as_json(self) -> dict[str, Any]:
        """The answer of `crossborder replay --json`."""
        return {
            "format": FORMAT,
            "packs": [{"id": p.id, "version": p.version} for p in (self.before, self.after)],
            "shipments": self.shipments,
            "changed": self.changes.height,
            "verdicts": self.verdicts.to_dicts(),
            "by_rule": self.by_rule.to_dicts(),
            "changes": self.changes.drop("ship").to_dicts(),
            "taxes": self.taxes.drop("ship")
            .with_columns(pl.col("^payable_.*$").cast(pl.String))
            .to_dicts(),
        }


def replay(
    before: tuple[rules.Pack, Judge], after: tuple[rules.Pack, Judge], opened: Opened, home: Path,
    progress: Progress,
) -> Replayed:  # fmt: skip
    """Judge a hand-in twice, block by block. Raises as reading and judging do."""
    first = _judged(before[1], opened, home, progress)
    second = _judged(after[1], opened, home, progress)
    both = first.facts.join(second.facts, on="ship", how="left", suffix="_after")
    verdict, klass = pl.col("verdict"), pl.col("declaration_class")
    differs = verdict.ne_missing(pl.col("verdict_after")) | klass.ne_missing(
        pl.col("declaration_class_after")
    )
    only_before = first.decisive.join(second.decisive, on=["ship", "rule"], how="anti")
    only_after = second.decisive.join(first.decisive, on=["ship", "rule"], how="anti")
    changes = (
        both.filter(differs)
        .join(_listed(only_before, "rules_before"), on="ship", how="left")
        .join(_listed(only_after, "rules_after"), on="ship", how="left")
        .rename(
            {
                "verdict": "verdict_before", "declaration_class": "class_before",
                "declaration_class_after": "class_after",
            }
        )
        .with_columns(pl.col("rules_before", "rules_after").fill_null([]))
        .select(*CHANGES)
        .sort("ship")
    )  # fmt: skip
    return Replayed(
        before[0], after[0], first.facts.height, changes, _by_rule(changes, only_before, only_after),
        _verdicts(both), _taxes(both, first.taxes, second.taxes),
    )  # fmt: skip


@dataclass(frozen=True)
class _Side:
    """A hand-in under one pack: `facts` one row for each shipment, `decisive` (ship, rule) what refuses or holds it,
    `taxes` what it pays."""

    facts: pl.DataFrame
    decisive: pl.DataFrame
    taxes: pl.DataFrame


def _judged(judge: Judge, opened: Opened, home: Path, progress: Progress) -> _Side:
    seen: list[pl.DataFrame] = []
    told: list[pl.DataFrame] = []
    taxes: list[pl.DataFrame] = []

    def watch(checked: Checked) -> None:
        seen.append(
            checked.frames.shipments.select(
                "ship", "sheet", "row", "house_waybill", "master_waybill", "declaration_class"
            )
        )
        taxes.append(_paid(checked, judge))

    with opened() as blocks:
        checking = Checking(judge, blocks, opened, home, progress, watch=watch)
        for findings in checking.by_shipment():
            decides = pl.col("ship").is_not_null() & pl.col("action").is_in(
                ["reject", "transfer", "hold"]
            )
            told.append(findings.filter(decides).select("ship", "rule").unique())
    facts = pl.concat(seen).join(checking.verdicts, on="ship")
    return _Side(facts, pl.concat(told).unique(), pl.concat(taxes))


def _paid(checked: Checked, judge: Judge) -> pl.DataFrame:
    """What each shipment pays, and the rules of its lines."""
    found = assess(checked.frames, judge.context)
    rules_of = (
        found.lines.select("ship", pl.col("rule").str.split(";").alias("rules"))
        .explode("rules")
        .filter(pl.col("rules") != "")
        .group_by("ship")
        .agg(pl.col("rules").unique().sort())
    )
    paid = found.consignments.select("ship", "outcome", payable="payable_cny")
    return paid.join(rules_of, on="ship", how="left").with_columns(pl.col("rules").fill_null([]))


def _taxes(both: pl.DataFrame, before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    paid = before.join(after, on="ship", suffix="_after").rename(
        {name: f"{name}_before" for name in ("outcome", "payable", "rules")}
    )
    differs = pl.col("payable_before") != pl.col("payable_after")
    named = both.select("ship", "sheet", "row", "house_waybill", "master_waybill")
    found = paid.filter(differs.fill_null(value=False)).join(named, on="ship").sort("ship")
    return found.select(pl.col(name).cast(kind) for name, kind in TAXES.items())


def _listed(decisive: pl.DataFrame, name: str) -> pl.DataFrame:
    return decisive.group_by("ship").agg(pl.col("rule").sort().alias(name))


def _by_rule(changes: pl.DataFrame, before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    sides = [
        told.join(changes, on="ship", how="semi").group_by("rule").agg(pl.len().alias(name))
        for told, name in ((before, "before"), (after, "after"))
    ]
    joined = sides[0].join(sides[1], on="rule", how="full", coalesce=True)
    counts = joined.with_columns(pl.col("before", "after").fill_null(0))
    return counts.select(pl.col(name).cast(kind) for name, kind in BY_RULE.items()).sort("rule")


def _verdicts(both: pl.DataFrame) -> pl.DataFrame:
    return (
        both.group_by(pl.col("verdict").alias("before"), pl.col("verdict_after").alias("after"))
        .agg(pl.len().alias("shipments"))
        .sort("before", "after")
    )
