"""`check`: file to verdicts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from benchmarks import data
from benchmarks.baseline import checking
from benchmarks.contests.contest import Contest, Disagreement, Line, same
from benchmarks.sizes import Sizes
from benchmarks.timing import Case
from crossborder.engine.results import Checked

DIRTY = 0.01
PROOF_DIRTY = 0.4


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
    """Both sides refuse the same shipments of a very dirty day, imports and exports."""
    for direction in ("I", "E"):
        path = data.write(
            folder / f"proof{direction}.csv", shipments, dirty=PROOF_DIRTY, direction=direction
        )
        desk = data.desk()
        ours = engine_verdicts(path)
        for xsd in (True, False):
            same(f"verdicts ({direction})", ours, baseline_verdicts(path, desk, xsd=xsd))
        refused = sum(ours.values())
        if not 0 < refused < len(ours):
            raise Disagreement(f"{refused} of {len(ours)} shipments are refused: nothing is proven")


def engine_verdicts(path: Path) -> dict[str, bool]:
    """House waybill → refused."""
    return refused_by_house(data.check(path))


REFUSED = ("rejected", "to_general")
"""Verdicts of shipments that may not be filed here: what fits no class is refused too, in its own words."""


def refused_by_house(checked: Checked) -> dict[str, bool]:
    """House waybill → refused, of a check."""
    houses = checked.frames.shipments.select("ship", "house_waybill")
    rows = checked.verdicts.join(houses, on="ship").select("house_waybill", "verdict").iter_rows()
    return by_house((str(house), verdict in REFUSED) for house, verdict in rows)


def baseline_verdicts(path: Path, desk: checking.Desk, *, xsd: bool) -> dict[str, bool]:
    """House waybill → refused."""
    return judged_by_house(checking.check(path, desk, xsd=xsd))


def judged_by_house(judged: Iterable[checking.Judged]) -> dict[str, bool]:
    """House waybill → refused, of the baseline's judgements."""
    return by_house((str(one.ship["AssBillNo"]), bool(one.found)) for one in judged)


def by_house(pairs: Iterable[tuple[str, bool]]) -> dict[str, bool]:
    """A house waybill that stands twice is refused if one of them is."""
    found: dict[str, bool] = {}
    for house, refused in pairs:
        found[house] = found.get(house, False) or refused
    return found
