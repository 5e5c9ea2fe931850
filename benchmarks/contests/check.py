"""`check`: file to verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from benchmarks import data
from benchmarks.baseline import checking, facts, nested
from benchmarks.baseline.found import Found
from benchmarks.contests.contest import Contest, Disagreement, Line, same
from benchmarks.sizes import Sizes
from benchmarks.timing import Case
from crossborder import rules
from crossborder.engine.results import Checked

DIRTY = 0.01
PROOF_DIRTY = 0.4
JUDGED = frozenset({rule.id for rule in rules.registry()} | {rules.RATES})
"""What both sides tell under the same ids: the rules of the registry, and the one that a missing exchange rate is told as.

Left out are facets and the manifest's own limits, which the baseline tells under no id of their own, and the choice of a
class, which it does not make: what came without one is refused, and no shipment of the days would have been given one. No
value is left out: about what fails its facet the rules of both sides are silent alike.
"""
Said = dict[str, tuple[str, ...]]
"""Shipment → its verdict and `RULE what follows` of every rule it breaks, sorted."""


def contest(sizes: Sizes, folder: Path) -> Contest:
    """The engine's check of a file against plain Python, with and without building and judging XML."""
    large = data.write(folder / "large.csv", sizes.columnar, dirty=DIRTY)
    small = data.write(folder / "small.csv", sizes.rowwise, dirty=DIRTY)
    desk = data.desk()
    work = "file to verdicts: facets, filling, codes, rules"
    return Contest(
        lambda: prove(sizes.proof, folder),
        [
            Case("check", lambda _: data.check(large), sizes.columnar),
            Case("rows, XSD", lambda _: checking.check(small, desk), sizes.rowwise),
            Case("rows, no XSD", lambda _: checking.check(small, desk, xsd=False), sizes.rowwise),
        ],
        [
            Line("check", work, "csv + pydantic + Python rules + lxml + XSD per document", "check", "rows, XSD"),
            Line("check_no_xml", work, "csv + pydantic + Python rules, no XML at all", "check", "rows, no XSD"),
        ],
    )  # fmt: skip


def prove(shipments: int, folder: Path) -> None:
    """Of very dirty days, imports and exports, both sides find the same rules of the same shipments and give the same
    verdicts: of days of 1,500 shipments, 62 of the 76 rules. All of them are found in the rules' own examples.
    """
    for direction in ("I", "E"):
        path = data.write(
            folder / f"proof{direction}.csv", shipments, dirty=PROOF_DIRTY, direction=direction
        )
        desk = data.desk()
        ours = by_engine(data.check(path))
        for xsd in (True, False):
            theirs = by_baseline(checking.check(path, desk, xsd=xsd))
            same(f"verdicts and rules ({direction})", ours, theirs)
        refused = refusals(ours)
        if not 0 < refused < len(ours):
            raise Disagreement(f"{refused} of {len(ours)} shipments are refused: nothing is proven")
    prove_examples()


def prove_examples() -> None:
    """Of the passing and the failing example of every rule both sides find the same, and in the failing one the rule."""
    looks: dict[rules.Context, facts.Facts] = {}
    for rule in rules.registry():
        for kind, example in (("passing", rule.passing), ("failing", rule.failing)):
            frames, context = rules.frames_of(example), rules.context_of(example)
            if context not in looks:
                looks[context] = facts.facts(context, sorted(context.served_prefixes or ()))
            told = rules.of_rates(rules.check(frames, context), context)
            ours = _gathered((str(ship), said) for ship, said in said_of(told, "ship"))
            ships = nested.shipments(frames)
            found = checking.by_rules(ships.values(), looks[context])
            both = zip(ships, found, strict=True)
            theirs = _gathered((str(ship), said) for ship, one in both for said in _each(one))
            same(f"the {kind} example of {rule.id}", ours, theirs)
            if kind == "failing" and not any(s.startswith(rule.id) for s in together(ours)):
                raise Disagreement(f"the failing example of {rule.id} does not break it")


def by_engine(checked: Checked) -> Said:
    """What a check says, by house waybill; what fits no class is refused too, in its own words."""
    houses = checked.frames.shipments.select("ship", "house_waybill")
    verdicts = checked.verdicts.with_columns(pl.col("verdict").replace("to_general", "rejected"))
    found = verdicts.join(houses, on="ship").select("house_waybill", "verdict").iter_rows()
    told = said_of(checked.by_shipment.join(houses, on="ship"), "house_waybill")
    return _gathered((str(house), said) for house, said in (*found, *told))


def said_of(findings: pl.DataFrame, by: str) -> Iterator[tuple[object, str]]:
    """(shipment, `RULE what follows`) of findings."""
    mine = findings.filter(pl.col("rule").is_in(list(JUDGED)))
    for ship, rule, severity, action in mine.select(by, "rule", "severity", "action").iter_rows():
        follows = {"reject": "refused", "hold": "held"}.get(action, "noted")
        unjudged = follows == "held" and severity == "not_evaluated"
        yield ship, f"{rule} {'unjudged' if unjudged else follows}"


def by_baseline(judged: Iterable[checking.Judged]) -> Said:
    """What the baseline's judgements say, by house waybill."""
    return _gathered(
        (str(one.ship["AssBillNo"]), said) for one in judged for said in (one.found.verdict, *_each(one.found))
    )  # fmt: skip


def _each(found: Found) -> Iterator[str]:
    return (f"{rule} {follows}" for rule, follows in found.each() if rule in JUDGED)


def _gathered(pairs: Iterable[tuple[str, str]]) -> Said:
    """What is said of each; a house waybill may stand twice."""
    found: dict[str, set[str]] = {}
    for ship, said in pairs:
        found.setdefault(ship, set()).add(said)
    return {ship: tuple(sorted(each)) for ship, each in found.items()}


def together(said: Said) -> tuple[str, ...]:
    """What is said of any of them."""
    return tuple(sorted({each for own in said.values() for each in own}))


def refusals(said: Said) -> int:
    """How many are refused."""
    return sum("rejected" in own for own in said.values())
