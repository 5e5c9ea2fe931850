"""The pydantic models follow the columns: every one of them, and nothing else."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from crossborder import intake
from crossborder.shipments import COLUMNS
from crossborder.shipments.models import Document, GoodsLine, Shipment


def test_the_fields_are_the_columns() -> None:
    assert set(Shipment.model_fields) == {*COLUMNS["shipments"], "goods", "documents"}
    assert list(GoodsLine.model_fields) == list(COLUMNS["goods"])
    assert list(Document.model_fields) == list(COLUMNS["documents"])
    field = Shipment.model_fields["gross_weight"]
    assert (field.title, field.description) == ("毛重", "gross weight (kg)")


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("gross_weight", 1.5, "1.5"),
        ("gross_weight", Decimal("12.500"), "12.5"),
        ("gross_weight", 1e-7, "0.0000001"),
        ("gross_weight", " 3 ", "3"),
        ("pieces", 2, "2"),
        ("movement_date", dt.date(2026, 11, 23), "20261123"),
        ("movement_date", "20261123", "20261123"),
        ("declaration_time", dt.datetime(2026, 11, 23, 1, tzinfo=dt.UTC), "20261123090000"),
        ("wooden_packaging", True, "1"),
        ("party_id", 330100199001010001, "330100199001010001"),
        ("receiver_phone", "0571-88888888|13800000000", "0571-88888888|13800000000"),
        ("receiver_name", "", None),
        ("receiver_name", None, None),
    ],
)
def test_values_become_canonical_text(column: str, value: Any, text: str | None) -> None:
    assert getattr(Shipment.model_validate({column: value}), column) == text


@pytest.mark.parametrize(
    "record",
    [
        {"gros_weight": "1"},
        {"gross_weight": "1e3"},
        {"gross_weight": "-1"},
        {"gross_weight": float("nan")},
        {"gross_weight": "１"},
        {"pieces": 1.5},
        {"movement_date": "20260230"},
        {"movement_date": "2026-11-23"},
        {"declaration_time": "20261123250000"},
        {"wooden_packaging": "2"},
        {"receiver_phone": "see parcel"},
        {"receiver_name": {"first": "A"}},
        {"goods": [{"total": "x"}]},
        {"goods": [{"colour": "red"}]},
        {"documents": {"number": "1"}},
    ],
)
def test_what_is_refused(record: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Shipment.model_validate(record)


def test_a_model_reads_like_a_record() -> None:
    record = {
        "master_waybill": "M",
        "house_waybill": "H1",
        "direction": "I",
        "goods": [{"name": "shoe", "total": 3}],
    }
    dumped = Shipment.model_validate(record).model_dump(exclude_none=True)
    assert dumped["goods"] == [{"name": "shoe", "total": "3"}]
    read = intake.read([dumped])
    assert read.findings.is_empty()
    assert read.frames.goods.select("name", "total").row(0) == ("shoe", "3")
