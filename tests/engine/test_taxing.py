"""Tax by the façade: library, engine and blocks give the same, every shipment is there, nothing is stored."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import crossborder
from crossborder import codes, samples
from crossborder.engine import Engine
from crossborder.errors import InputError, SettingsError
from crossborder.rules.tax import CONSIGNMENTS, LINES, OUTCOMES

from .cutting import in_blocks

ASKED: dict[str, Any] = {"mapping": "elements", "profile": "demo", "declared_on": "20261126"}


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """80 made-up import parcels of all classes, some with a fault."""
    file = tmp_path_factory.mktemp("day") / "day.csv"
    samples.create(file, shipments=80, seed=11, dirty=0.1, mapping="elements")
    return file


def test_every_shipment_has_its_outcome(day: Path) -> None:
    taxed = crossborder.tax(day, mapping="elements", profile="demo", declared_on="20261126")
    counts = taxed.counts
    assert counts["shipments"] == 80 == sum(counts[outcome] for outcome in OUTCOMES)
    assert min(counts["due"], counts["not_collected"], counts["not_taxed"]) > 0
    assert taxed.lines.schema == pl.Schema(LINES)
    assert taxed.consignments.schema == pl.Schema(CONSIGNMENTS)
    assert taxed.consignments["ship"].to_list() == list(range(80))
    assert taxed.totals["payable_cny"] == sum(
        taxed.consignments["payable_cny"].drop_nulls(), Decimal(0)
    )
    assert taxed.declared_on == "20261126"


def test_library_and_engine_say_the_same_and_nothing_is_stored(day: Path, tmp_path: Path) -> None:
    whole = crossborder.tax(day, **ASKED)
    home = tmp_path / "home"
    with Engine(home=home) as engine:
        same = engine.tax(day, **ASKED)
    assert not home.exists()
    assert same.lines.equals(whole.lines)
    assert same.consignments.equals(whole.consignments)


@pytest.mark.parametrize("size", [pytest.param(1, marks=pytest.mark.slow), 7, 1000])
def test_blocks_of_any_size_give_the_same(
    day: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    whole = crossborder.tax(day, **ASKED)
    in_blocks(monkeypatch, size)
    with Engine(home=tmp_path) as engine, engine.taxing(day, **ASKED) as taxing:
        parts = list(taxing)
    assert (len(parts) > 1) == (size < 80)
    assert (taxing.totals.counts, taxing.totals.sums) == (whole.counts, whole.totals)
    for name in ("lines", "consignments"):
        assert pl.concat(getattr(part, name) for part in parts).equals(getattr(whole, name))


def test_named_waybills_are_told_alone(day: Path) -> None:
    whole = crossborder.tax(day, **ASKED).consignments
    one = whole["shipment"][3]
    assert crossborder.tax(day, waybills=[one], **ASKED).consignments.equals(whole[3:4])
    master = whole["master"][0]
    found = crossborder.tax(day, waybills=[master], **ASKED).consignments
    assert found.equals(whole.filter(pl.col("master") == master))
    assert crossborder.tax(day, waybills=["nobody"], **ASKED).counts["shipments"] == 0


def test_tables_rates_and_tariff_of_the_home_count(day: Path, tmp_path: Path) -> None:
    with Engine(home=tmp_path) as engine:
        before = engine.tax(day, mapping="elements", declared_on="20261126")
        foreign = before.lines.filter(pl.col("note_en").str.contains("no exchange rate"))
        assert foreign.height > 20
        rates = tmp_path / "r.csv"
        rates.write_text("currency,rate\n" + "".join(f"{c},7\n" for c in sorted(codes.Tables().codes("currencies") - {"142"})), "utf-8")  # fmt: skip
        codes.import_table(tmp_path / "codes", "exchange_rates", rates, date(2026, 11, 1))
        after = engine.tax(day, mapping="elements", declared_on="20261126")
        assert after.counts["due"] > before.counts["due"]
        assert not after.lines["note_en"].str.contains("no exchange rate").any()
        assert set(after.consignments.filter(pl.col("regime") == "goods")["outcome"]) == {
            "not_evaluated"
        }
        assert not after.consignments["fictional"].any()


def test_an_unreadable_record_stands_in_the_answer(day: Path, tmp_path: Path) -> None:
    lines = day.read_text("utf-8-sig").splitlines()
    ragged = tmp_path / "ragged.csv"
    ragged.write_text("\n".join([*lines[:3], lines[3] + ",too,many", *lines[4:6]]) + "\n", "utf-8")
    taxed = crossborder.tax(ragged, mapping="elements", profile="demo")
    lost = taxed.consignments.filter(pl.col("note_en").str.contains("could not be read"))
    assert lost["outcome"].to_list() == ["not_evaluated"]
    assert taxed.counts["shipments"] == taxed.consignments.height


def test_json_is_one_document_of_texts(day: Path) -> None:
    taxed = crossborder.tax(day, mapping="elements", profile="demo", declared_on="20261126")
    answer = json.loads(json.dumps(taxed.as_json("zh")))
    assert answer["format"] == 1
    assert len(answer["shipments"]) == 80
    assert sum(len(s["lines"]) for s in answer["shipments"]) == taxed.lines.height
    line = answer["shipments"][0]["lines"][0]
    assert {"line", "rule", "base_cny", "rate_pct", "amount_cny", "how", "note"} <= set(line)
    assert line["line"] == 1
    assert isinstance(line["base_cny"], str)
    assert answer["totals"]["payable_cny"] == str(taxed.totals["payable_cny"])


def test_wrong_questions_are_clear_errors(day: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="declared or ecommerce"):
        crossborder.tax(day, mapping="elements", regime="best")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="not a date"):
        crossborder.tax(day, mapping="elements", declared_on="yesterday")
    with pytest.raises(InputError):
        crossborder.tax(tmp_path / "missing.csv")
