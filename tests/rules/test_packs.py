"""Rule packs: by time, without a gap, each with what is in force in it."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

import polars as pl
import pytest

from crossborder import rules
from crossborder.codes import Tables
from crossborder.errors import NotFound
from crossborder.rules.catalogue import catalogue


def tables() -> Tables:
    return Tables.load()


def packs() -> tuple[rules.Pack, ...]:
    """Made anew, so that a fault planted meanwhile is seen."""
    return rules.packs(tables())


def test_packs_follow_each_other_without_a_gap_and_the_last_is_open() -> None:
    assert [p.id for p in packs()] == [p.start.isoformat() for p in packs()]
    for one, following in itertools.pairwise(packs()):
        assert one.end is not None
        assert following.start == one.end + timedelta(days=1)
    assert packs()[-1].end is None


def test_neighbours_say_different_things_and_the_same_tables_give_the_same_versions() -> None:
    versions = [p.version for p in packs()]
    assert all(a != b for a, b in itertools.pairwise(versions))
    assert rules.packs(Tables.load()) == packs()


def test_a_dated_rule_is_in_the_packs_of_its_days_only() -> None:
    for entry in catalogue():
        if entry.rule is None or entry.rule.bounds or not entry.effective_from:
            continue
        start = date.fromisoformat(entry.effective_from)
        end = date.fromisoformat(entry.effective_to) if entry.effective_to else date.max
        assert {p.id for p in packs() if entry.id in p.rules} == {
            p.id for p in packs() if start <= p.start <= end
        }, entry.id


def test_the_import_limit_changes_on_the_day_the_announcement_says() -> None:
    old, new = rules.find_pack("2024-11-30", tables()), rules.find_pack("2024-12-01", tables())
    assert (old.end, new.start) == (date(2024, 11, 30), date(2024, 12, 1))
    assert {"LIM-01", "TAX-03", "TAX-05"} == set(old.rules) - set(new.rules)
    assert {"LIM-02", "TAX-02", "TAX-04", "TAX-08"} <= set(new.rules) - set(old.rules)


def test_another_bound_is_another_version() -> None:
    limits = tables().frame("limits")
    raised = limits.with_columns(
        value_cny=pl.when(pl.col("rule") == "LIM-02").then(pl.lit("2500")).otherwise("value_cny")
    )

    class Other(Tables):
        def frame(self, name: str, on: str | None = None) -> pl.DataFrame:
            return raised if name == "limits" else super().frame(name, on)

    changed = rules.packs(Other.load())
    assert [p.id for p in changed] == [p.id for p in packs()]
    assert changed[-1].version != packs()[-1].version
    assert changed[0].version == packs()[0].version


def test_another_figure_of_the_tax_is_another_version_and_perhaps_another_pack() -> None:
    figures = tables().frame("tax_parameters")
    free = pl.col("name") == "postal_exemption_cny"
    raised = figures.with_columns(value=pl.when(free).then(pl.lit("60")).otherwise("value"))
    changed = rules.packs(Tables().with_table("tax_parameters", raised, "2000-01-01"))
    assert [p.id for p in changed] == [p.id for p in packs()]
    assert changed[-1].version != packs()[-1].version
    assert changed[0].version == packs()[0].version
    day = pl.when(free & (pl.col("effective_from") == "2024-12-01")).then(pl.lit("2027-01-01"))
    later = figures.with_columns(effective_from=day.otherwise("effective_from"))
    ids = [p.id for p in rules.packs(Tables().with_table("tax_parameters", later, "2000-01-01"))]
    assert ids == [*(p.id for p in packs()), "2027-01-01"]


def test_a_bound_that_ends_ends_a_pack_even_if_nothing_follows_it() -> None:
    limits = tables().frame("limits")
    last = pl.when(pl.col("rule") == "LIM-02").then(pl.lit("2027-06-30"))
    ended = limits.with_columns(effective_to=last.otherwise("effective_to"))
    changed = rules.packs(Tables().with_table("limits", ended, "2000-01-01"))
    assert [p.id for p in changed] == [*(p.id for p in packs()), "2027-07-01"]
    assert changed[-2].end == date(2027, 6, 30)
    assert set(changed[-2].rules) - set(changed[-1].rules) == {"LIM-02"}


def test_a_bound_of_one_day_makes_a_pack_of_one_day() -> None:
    limits = tables().frame("limits")
    last = pl.when(pl.col("rule") == "LIM-02").then(pl.lit("2024-12-01"))
    ended = limits.with_columns(effective_to=last.otherwise("effective_to"))
    short = Tables().with_table("limits", ended, "2000-01-01")
    one, after = rules.find_pack("2024-12-01", short), rules.find_pack("2024-12-02", short)
    assert (one.start, one.end, after.start) == (date(2024, 12, 1), date(2024, 12, 1), date(2024, 12, 2))  # fmt: skip
    assert "LIM-02" in one.rules
    assert "LIM-02" not in after.rules


def test_a_day_written_wrongly_is_answered_with_the_nearest() -> None:
    wrong = packs()[1].id[:-1]
    with pytest.raises(NotFound) as told:
        rules.find_pack(wrong, tables())
    assert f"e.g. {packs()[1].id}" in told.value.text("en")


@pytest.mark.parametrize("day", ["", "tomorrow", "2024-13-01", "20241201", "1900-01-01"])
def test_a_day_without_a_pack_names_what_is_there(day: str) -> None:
    with pytest.raises(NotFound) as told:
        rules.find_pack(day, tables())
    assert packs()[0].id in told.value.text("en")
