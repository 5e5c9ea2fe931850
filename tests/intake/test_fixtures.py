"""The hand-written files of `fixtures/intake` give exactly what is written beside them."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from crossborder import intake

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "intake"
EXPECTED = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", EXPECTED)
def test_fixture(name: str) -> None:
    expected = EXPECTED[name]
    read = intake.read(FOLDER / name)
    shipments = read.frames.shipments.select(
        "house_waybill", "direction", "declaration_class", "movement_date", "trade_country", "gross_weight",
        "currency", "rows",
    )  # fmt: skip
    goods = read.frames.goods.join(
        read.frames.shipments.select("ship", "house_waybill"), on="ship", maintain_order="left"
    ).select("house_waybill", "name", "total", "row")
    findings = read.findings.select("row", "shipment", "column", "rule", "action", "value")
    assert (read.mapping, read.rows) == (expected["mapping"], expected["rows"])
    assert [list(r) for r in shipments.rows()] == expected["shipments"]
    assert [list(r) for r in goods.rows()] == expected["goods"]
    assert [list(r) for r in findings.rows()] == expected["findings"]


def test_every_finding_says_what_is_wrong_and_what_to_do_in_both_languages() -> None:
    for name in EXPECTED:
        findings = intake.read(FOLDER / name).findings
        texts = findings.select("zh", "en", "fix_zh", "fix_en")
        assert texts.select(pl.all().str.len_chars().min() > 3).row(0) == (True,) * 4
        assert not texts.select(pl.any_horizontal(pl.all().str.contains(r"\{[ab]\}")).any()).item()
