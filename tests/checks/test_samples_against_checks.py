"""The generator's hand-written table and the checks, built apart from the same facts, must agree.

For every composed day: the shipments refused are exactly those whose dirt breaks a reject rule, each by the
rule that the table names, and nothing else speaks up but what the table allows.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from crossborder import china_time, messages, samples
from crossborder.engine import pure

DAY = "20261123"
SERVED = ("29", "31")


@dataclass(frozen=True)
class Judged:
    """A written sample, its dirt by house waybill, and what the checks said of it."""

    shipments: int
    dirt: dict[str, dict[str, Any]]
    findings: pl.DataFrame
    counts: dict[str, int]

    def rules(self, actions: tuple[str, ...], severities: tuple[str, ...]) -> dict[str, set[str]]:
        """House waybill → rules that fired on it."""
        chosen = self.findings.filter(
            pl.col("action").is_in(actions) & pl.col("severity").is_in(severities),
            pl.col("shipment").is_not_null(),
        )
        found: dict[str, set[str]] = {}
        for shipment, rule in chosen.select("shipment", "rule").iter_rows():
            found.setdefault(shipment, set()).add(rule)
        return found


REFUSALS = (("reject", "transfer"), ("reject",))
ANYTHING = (("reject", "transfer", "hold", "note"), ("reject", "warn"))


def judge(folder: Path, *, mapping: str, suffix: str, **asked: Any) -> Judged:
    """Compose, write, read back and check, as `crossborder check --profile demo` does."""
    out, report = folder / f"day{suffix}", folder / "dirt.jsonl"
    done = samples.create(out, mapping=mapping, dirt_report=report, **asked)
    checked = pure.check(out, mapping=mapping, profile="demo", declared_on=DAY, served=SERVED)
    said = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]
    dirt = {one["shipment"]: one for one in said}
    assert len(dirt) == len(said) == done.dirty
    return Judged(done.shipments, dirt, checked.findings, checked.counts)


@pytest.fixture(
    scope="module",
    params=[
        ("I", "elements", ".csv"), ("E", "elements", ".csv"), ("I", "zh-desk", ".xlsx"),
        ("E", "zh-desk", ".csv"), ("E", "canonical", ".ndjson"), ("I", "elements", ".parquet"),
    ],
    ids="-".join,
)  # fmt: skip
def day(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """2,000 shipments, 5 % dirty."""
    direction, mapping, suffix = request.param
    folder = tmp_path_factory.mktemp("day")
    return judge(folder, mapping=mapping, suffix=suffix, shipments=2000, seed=1, dirty=0.05, direction=direction)  # fmt: skip


@pytest.fixture(scope="module", params=[("I", ".xlsx"), ("E", ".csv")], ids="-".join)
def all_dirty(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """Every shipment dirty: each kind several times, side by side."""
    direction, suffix = request.param
    folder = tmp_path_factory.mktemp("dirty")
    return judge(folder, mapping="elements", suffix=suffix, shipments=700, seed=5, dirty=1, direction=direction)  # fmt: skip


def assert_exactly_the_dirt_is_refused(judged: Judged) -> None:
    wanted = {s for s, one in judged.dirt.items() if one["severity"] == "reject"}
    refused = judged.rules(*REFUSALS)
    assert set(refused) == wanted
    leave = {
        s for s in wanted if judged.dirt[s]["kind"] == "general_cargo"
    }  # to general declaration
    assert judged.counts["to_general"] == len(leave)
    assert judged.counts["rejected"] == len(wanted)
    assert judged.counts["shipments"] == judged.shipments
    for shipment in wanted:
        one = judged.dirt[shipment]
        assert one["rule"] in refused[shipment], (one, refused[shipment])


def assert_nothing_else_speaks_up(judged: Judged) -> None:
    for shipment, fired in judged.rules(*ANYTHING).items():
        if shipment in judged.dirt:
            one = judged.dirt[shipment]
            assert fired <= {one["rule"], *one["also"]}, one


def assert_every_finding_points_at_its_row(judged: Judged) -> None:
    rows: dict[tuple[str, str], set[int]] = {}
    for shipment, rule, row in judged.findings.select("shipment", "rule", "row").iter_rows():
        rows.setdefault((shipment, rule), set()).add(row)
    for shipment, one in judged.dirt.items():
        assert one["row"] in rows[shipment, one["rule"]], one


def test_exactly_the_shipments_with_reject_dirt_are_refused_by_the_rule_named(day: Judged) -> None:
    assert len(day.dirt) == 100
    assert_exactly_the_dirt_is_refused(day)


def test_no_rule_fires_that_the_report_does_not_name(day: Judged) -> None:
    assert_nothing_else_speaks_up(day)


def test_findings_point_at_the_row_of_the_report(day: Judged) -> None:
    assert_every_finding_points_at_its_row(day)


def test_clean_shipments_warn_on_at_most_three_percent_and_are_never_held_unjudged(
    day: Judged,
) -> None:
    warned = {s for s in day.rules(*ANYTHING) if s not in day.dirt}
    assert len(warned) <= 0.03 * day.shipments
    assert day.counts["not_evaluated"] == 0


def test_every_kind_is_seen_by_its_rule_when_everything_is_dirty(all_dirty: Judged) -> None:
    assert_exactly_the_dirt_is_refused(all_dirty)
    assert_nothing_else_speaks_up(all_dirty)
    assert_every_finding_points_at_its_row(all_dirty)
    fired = all_dirty.rules(*ANYTHING)
    for shipment, one in all_dirty.dirt.items():
        assert one["rule"] in fired[shipment], one


def test_a_clean_day_is_valid_to_the_last_shipment(tmp_path: Path) -> None:
    for direction in ("I", "E"):
        judged = judge(
            tmp_path,
            mapping="elements",
            suffix=".csv",
            shipments=3000,
            seed=21,
            direction=direction,
        )
        assert judged.counts["rejected"] == judged.counts["not_evaluated"] == 0
        assert judged.counts["valid"] + judged.counts["on_hold"] == 3000
        assert judged.counts["on_hold"] <= 30


@pytest.mark.parametrize("direction", ["I", "E"])
def test_what_is_composed_from_a_dirty_day_is_valid_under_the_schemas(
    tmp_path: Path, direction: str
) -> None:
    """Every shipment that was not refused or held becomes a document that libxml2 accepts; so do the manifests."""
    out = tmp_path / "day.csv"
    samples.create(out, shipments=600, seed=3, dirty=0.3, direction=direction, mapping="elements")
    checked = pure.check(out, mapping="elements", profile="demo", declared_on=DAY, served=SERVED)
    composed = pure.compose(checked, at=datetime(2026, 11, 23, 20, tzinfo=china_time.CHINA))
    documents = composed.documents
    assert (documents["message_type"] == "EXP301").sum() == checked.counts["valid"] > 400
    assert (documents["message_type"] == "EXP311").sum() >= 4
    for message in ("EXP301", "EXP311"):
        xmls = documents.filter(pl.col("message_type") == message)["xml"].to_list()
        verdicts = messages.verify((x.encode() for x in xmls), message, "written")
        assert verdicts == [None] * len(xmls)
