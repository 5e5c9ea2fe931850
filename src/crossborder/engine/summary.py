"""What a check found, in bounded size: counts, and findings by rule with three examples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from crossborder.engine import once
from crossborder.engine.results import FORMAT, Checked
from crossborder.reports import grouped, merged
from crossborder.shipments import findings as found
from crossborder.shipments.findings import TO_GENERAL, VERDICTS

RANKS = {
    verdict: rank
    for rank, verdict in enumerate(("valid", "on_hold", "not_evaluated", "rejected", "to_general"))
}
"""Verdicts, best first: of several the worst counts; what leaves the express flow is no longer judged by its rules."""


@dataclass(frozen=True)
class Summary:
    """Counts of a hand-in and its findings by rule (`crossborder.reports.grouped`), however large it was.

    `verdicts` has all four; `to_general` is how many of the rejected leave the express flow; `findings` is how many are told; `unevaluated` as in `Checked`. Thread-safe: nothing
    in it changes.
    """

    rows: int
    verdicts: Mapping[str, int]
    findings: int
    by_rule: pl.DataFrame
    unevaluated: pl.DataFrame
    mapping: str
    to_general: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """`rows`, `shipments`, the four verdicts, which add up to `shipments`, and `to_general`, of the rejected."""
        added = sum(self.verdicts.values())
        return {"rows": self.rows, "shipments": added, **self.verdicts, TO_GENERAL: self.to_general}

    def as_json(self, findings: Iterable[Any] = ()) -> dict[str, Any]:
        """The answer of `crossborder check --json`, with whatever stands for its findings."""
        return {"format": FORMAT, **self.counts, "findings": findings}


def is_verdict(ranks: pl.Expr | pl.Series, verdict: str) -> pl.Expr:
    """Which of some ranks count for one of the four verdicts."""
    given = pl.lit(ranks) if isinstance(ranks, pl.Series) else ranks
    if verdict == "rejected":
        return given >= RANKS["rejected"]
    return given == RANKS[verdict]


class Tally:
    """Counts while blocks pass; a byte is kept for each shipment."""

    def __init__(self) -> None:
        self._rows = 0
        self._ranks: list[pl.Series] = []
        self._findings = 0
        self._by_rule = grouped(found.empty())
        self._once = once.counted(found.empty())
        self._named: tuple[str, pl.DataFrame] = ("", pl.DataFrame())

    def add(self, checked: Checked) -> None:
        """The next block, or a whole hand-in."""
        self._rows += checked.rows
        verdict = checked.verdicts.sort("ship")["verdict"]
        self._ranks.append(verdict.replace_strict(RANKS, return_dtype=pl.UInt8))
        self._named = (checked.mapping, checked.unevaluated)
        self.tell(checked.by_shipment)

    def tell(self, findings: pl.DataFrame) -> None:
        """Further findings; `worsen` says what follows from them."""
        own, for_many = once.apart(findings)
        if for_many.height:
            self._once = once.summed([self._once, once.counted(for_many)])
        if not own.height:
            return
        self._findings += own.height
        new = grouped(own)
        self._by_rule = merged([self._by_rule, new]) if self._by_rule.height else new

    def told_once(self) -> pl.DataFrame:
        """The findings so far that are told once for many shipments."""
        return once.told(self._once)

    def worsen(self, worst: pl.DataFrame) -> None:
        """`ship, rank`: each of these shipments is at least so bad."""
        ranks = pl.concat(self._ranks)
        at = worst["ship"].cast(pl.Int64)
        worse = pl.DataFrame({"now": ranks.gather(at), "rank": worst["rank"]}).max_horizontal()
        self._ranks = [ranks.scatter(at, worse.cast(pl.UInt8))]

    def of(self, verdict: str) -> pl.Series:
        """The shipments (`ship`) that have a verdict so far; what leaves the express flow counts as rejected."""
        return pl.select(is_verdict(self.ranks, verdict)).to_series().arg_true()

    @property
    def ranks(self) -> pl.Series:
        """The verdict of every shipment so far, in the order of `ship`, as `RANKS` numbers it."""
        return pl.concat(self._ranks) if self._ranks else pl.Series(dtype=pl.UInt8)

    def verdicts(self) -> pl.DataFrame:
        """`ship, verdict` of every shipment so far."""
        ranks = self.ranks
        names = {rank: verdict for verdict, rank in RANKS.items()}
        verdict = ranks.replace_strict(names, return_dtype=pl.String)
        ship = pl.Series("ship", range(len(ranks)), dtype=pl.UInt32)
        return pl.DataFrame([ship, verdict.alias("verdict")])

    def summary(self) -> Summary:
        """What was counted so far."""
        ranks = self.ranks
        times = dict(ranks.value_counts().iter_rows())
        mapping, unevaluated = self._named
        leave = times.get(RANKS[TO_GENERAL], 0)
        return Summary(
            rows=self._rows,
            verdicts={
                v: times.get(RANKS[v], 0) + (leave if v == "rejected" else 0) for v in VERDICTS
            },
            findings=self._findings + self._once.height,
            by_rule=self._with_those_for_many(),
            unevaluated=unevaluated,
            mapping=mapping,
            to_general=leave,
        )

    def _with_those_for_many(self) -> pl.DataFrame:
        if not self._once.height:
            return self._by_rule
        concerned = self._once.group_by("rule").agg(pl.col("count").sum().alias("shipments"))
        lines = grouped(self.told_once()).update(concerned, on="rule")
        return merged([self._by_rule, lines]) if self._by_rule.height else lines


def summary_of(checked: Checked) -> Summary:
    """The summary of a hand-in that was checked in one piece."""
    tally = Tally()
    tally.add(checked)
    return tally.summary()


def worst(findings: pl.DataFrame) -> pl.DataFrame:
    """`ship, rank` of shipments that findings make worse than valid, as `shipments.findings.verdicts`."""
    rejects, held = pl.col("action") == "reject", pl.col("action") == "hold"
    rank = (
        pl.when(pl.col("action") == "transfer")
        .then(RANKS["to_general"])
        .when(rejects)
        .then(RANKS["rejected"])
        .when(held & (pl.col("severity") == "not_evaluated"))
        .then(RANKS["not_evaluated"])
        .when(held)
        .then(RANKS["on_hold"])
        .otherwise(RANKS["valid"])
        .cast(pl.UInt8)
        .alias("rank")
    )
    told = findings.filter(pl.col("ship").is_not_null()).select("ship", rank)
    return told.filter(pl.col("rank") > 0).group_by("ship").agg(pl.col("rank").max())
