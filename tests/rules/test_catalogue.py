"""The catalogue of all rules: nothing left out, nothing said twice, and what is said to be enforced is."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import polars as pl
import pytest

from crossborder import rules
from crossborder.engine import pure
from crossborder.rules.beside import beside
from crossborder.rules.catalogue import Entry, catalogue
from crossborder.rules.model import Example

FACTS = Path(__file__).parents[2] / "fixtures" / "rules"


def entries() -> dict[str, Entry]:
    """Read anew, so that a fault planted meanwhile is seen."""
    return {entry.id: entry for entry in catalogue()}


BESIDE = {one.rule.id: one for one in beside()}


def facts() -> dict[str, dict[str, str]]:
    with (FACTS / "rules.csv").open(encoding="utf-8", newline="") as stream:
        return {row["rule_id"]: row for row in csv.DictReader(stream)}


def refused(example: Example) -> set[str]:
    """Ids by which the whole of judging refuses an example or holds it."""
    found = pure.judged_example(example)
    return set(found.filter(pl.col("action").is_in(["reject", "transfer", "hold"]))["rule"])


def noted(example: Example) -> set[str]:
    """Ids by which an example is refused, held, or noted as a warning."""
    return set(pure.judged_example(example).filter(pl.col("severity") == "warn")["rule"]) | refused(
        example
    )


def test_every_rule_of_the_facts_has_its_entry_and_no_other() -> None:
    assert set(entries()) == set(facts())


def test_what_is_not_checkable_says_why_in_both_languages_and_nobody_enforces_it() -> None:
    for entry in entries().values():
        if entry.status == "not_checkable":
            assert entry.reason_zh
            assert entry.reason_en
            assert (entry.rule, entry.enforced_by) == (None, "")
        else:
            assert not entry.reason_en
            assert entry.enforced_by
            assert (entry.rule is None) == (entry.shown is not None) == (entry.kind == "compute")


def test_only_what_gives_a_verdict_or_a_figure_is_implemented() -> None:
    for rule_id, row in facts().items():
        if row["kind"] in ("process", "method"):
            assert entries()[rule_id].status == "not_checkable", rule_id


@pytest.mark.parametrize("rule_id", sorted(set(entries()) - {r.id for r in rules.registry()}))
def test_the_record_agrees_with_the_facts(rule_id: str) -> None:
    entry, fact = entries()[rule_id], facts()[rule_id]
    told = {
        "applies_to": entry.applies_to, "fields": ";".join(entry.fields), "severity": entry.severity,
        "effective_from": entry.effective_from, "effective_to": entry.effective_to, "kind": entry.kind,
        "source_quality": entry.certainty, "action": entry.action, "inputs": ";".join(entry.inputs),
        "dated_by": entry.dated_by,
    }  # fmt: skip
    assert told == {name: fact[name] for name in told}


@pytest.mark.parametrize("rule_id", BESIDE)
def test_the_passing_example_of_a_rule_carried_out_elsewhere_passes(rule_id: str) -> None:
    rule = BESIDE[rule_id].rule
    assert refused(rule.passing) == set()
    assert rule.action != "note" or rule_id not in noted(rule.passing)


@pytest.mark.parametrize("rule_id", BESIDE)
def test_its_failing_example_is_told_under_the_ids_it_names(rule_id: str) -> None:
    rule = BESIDE[rule_id].rule
    found = refused(rule.failing) if rule.action != "note" else noted(rule.failing)
    if rule_id == "CLS-11":  # without a class the element of the class is empty as well
        found -= {"FIL-EntryType"}
    assert found
    assert found <= set(BESIDE[rule_id].told_as)


def test_a_rule_said_twice_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def twice() -> tuple[object, ...]:
        return (*beside(), *beside())

    monkeypatch.setattr(sys.modules[catalogue.__module__], "beside", twice)
    with pytest.raises(ValueError, match="twice"):
        catalogue.__wrapped__()


def test_entries_stand_in_the_order_of_their_ids() -> None:
    told: tuple[Entry, ...] = catalogue()
    assert [entry.id for entry in told] == sorted(entries())


def test_a_setting_names_rules_that_exist() -> None:
    named = {rule_id for option in rules.OPTIONS.values() for rule_id in option.rules}
    assert named <= {entry.id for entry in catalogue() if entry.status == "implemented"}
    assert all(option.rules for option in rules.OPTIONS.values())
