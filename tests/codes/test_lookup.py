"""Columnar look-ups on each row's own day, and the nearest codes."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from crossborder.codes import Tables, look_up, meant_texts, nearest, nearest_texts
from crossborder.errors import NotFound

RATES = pl.DataFrame(
    {"code": ["04010400", "04010500"], "tax_rate_pct": ["15", "20"], "effective_from": [None, "2026-07-01"],
     "effective_to": ["2026-08-31", None]},
)  # fmt: skip


def looked(tables: Tables, asked: list[tuple[str | None, date | None]], name: str = "parcel_tax") -> list[tuple[object, ...]]:  # fmt: skip
    frame = pl.DataFrame(asked, schema={"c": pl.String, "d": pl.Date}, orient="row")
    return look_up(
        frame, tables, name, code="c", day="d", columns=["tax_rate_pct", "no_such"]
    ).rows()


def test_every_row_goes_by_its_own_day() -> None:
    days = [date(2024, 11, 30), date(2024, 12, 1), None, date(2030, 1, 1)]
    assert looked(Tables(), [("04010400", day) for day in days]) == [
        (False, "absent", None, None), (True, "complete", "20", None), (False, "absent", None, None),
        (True, "complete", "20", None),
    ]  # fmt: skip


def test_a_row_may_be_valid_for_one_day() -> None:
    row = pl.DataFrame(
        {"code": ["1"], "tax_rate_pct": ["7"], "effective_from": ["2026-07-01"], "effective_to": ["2026-07-01"]}
    )  # fmt: skip
    tables = Tables().with_table("parcel_tax", row, "2026-01-01")
    found = looked(tables, [("1", date(2026, 7, day)) for day in (1, 2)])
    assert found == [(True, "complete", "7", None), (False, "absent", None, None)]


def test_an_unknown_code_is_a_fault_only_where_the_table_is_complete() -> None:
    day = date(2026, 1, 1)
    assert (
        looked(Tables(), [("99999999", day), (None, day)]) == [(False, "complete", None, None)] * 2
    )
    frame = pl.DataFrame({"c": ["9999"], "d": [day]})
    found = look_up(frame, Tables(), "customs_districts", code="c", day="d", columns=["name_zh"])
    assert found.rows() == [(False, "partial", None)]
    nothing = look_up(frame, Tables(), "ports", code="c", day="d", columns=["name_zh"])
    assert nothing.rows() == [(False, "absent", None)]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2025-12-31", [(True, "complete", "20"), (False, "complete", None)]),
        ("2026-01-01", [(True, "partial", "15"), (False, "partial", None)]),
        ("2026-06-30", [(True, "partial", "15"), (False, "partial", None)]),
        ("2026-07-01", [(True, "partial", "15"), (True, "partial", "20")]),
        ("2026-08-31", [(True, "partial", "15"), (True, "partial", "20")]),
        ("2026-09-01", [(False, "partial", None), (True, "partial", "20")]),
        ("2027-01-01", [(True, "complete", "7"), (False, "complete", None)]),
    ],
)
def test_an_imported_table_is_valid_from_its_day_until_the_next(
    day: str, expected: list[object]
) -> None:
    later = pl.DataFrame({"code": ["04010400"], "tax_rate_pct": ["7"]})
    tables = Tables().with_table("parcel_tax", RATES, "2026-01-01", complete=False)
    tables = tables.with_table("parcel_tax", later, "2027-01-01")
    on = date.fromisoformat(day)
    found = looked(tables, [("04010400", on), ("04010500", on)])
    assert [row[:3] for row in found] == expected
    for (there, coverage, _rate), code in zip(expected, ("04010400", "04010500"), strict=True):  # type: ignore[misc]
        assert (code in tables.codes("parcel_tax", day)) == there
        assert tables.coverage("parcel_tax", day) == coverage


def test_order_and_number_of_rows_stay() -> None:
    asked = [
        ("04010400", date(2026, 1, 1)),
        ("x", date(2026, 1, 1)),
        ("01010100", date(2026, 1, 1)),
    ] * 3
    assert [row[2] for row in looked(Tables(), asked)] == ["20", None, "13"] * 3
    assert looked(Tables(), []) == []
    with pytest.raises(NotFound):
        looked(Tables(), asked, "parcel_taxes")


@pytest.mark.parametrize(
    ("wanted", "first"),
    [
        ("04010401", "04010400"),
        ("0401040", "04010400"),
        ("09020221", "09020220"),
        ("01010O00", "01010100"),
        ("004010400", "04010400"),
    ],
)
def test_the_nearest_code_is_the_one_a_slip_away(wanted: str, first: str) -> None:
    found = nearest(Tables().codes("parcel_tax"), wanted)
    assert found[0] == first
    assert len(found) <= 3


@pytest.mark.parametrize("wanted", ["", " ", "zzzzzzzz", "99999999"])
def test_what_is_like_nothing_has_no_nearest(wanted: str) -> None:
    assert nearest(Tables().codes("parcel_tax"), wanted) == []


def test_a_whole_column_of_unknown_codes_is_answered_in_bounded_time() -> None:
    known = Tables().codes("parcel_tax")
    asked = pl.Series(["04010401", None, "99999999", "04010401", "0" * 1_000_000], dtype=pl.String)
    assert nearest_texts(known, asked).to_list() == ["04010400, 04010100, 04010200", None, None, "04010400, 04010100, 04010200", None]  # fmt: skip
    many = pl.Series([f"0401{n:04d}" for n in range(5000)])
    assert nearest_texts(known, many).drop_nulls().len() <= 200
    assert nearest_texts([], asked).null_count() == 5


def test_a_code_is_meant_where_it_is_the_only_one_a_slip_away() -> None:
    known = ["0101", "0202", "0203", "33"]
    asked = pl.Series(["0111", "0201", "0220", "333", "9999", None, "0101"], dtype=pl.String)
    # 0201 is a slip from 0101, 0202 and 0203; 0220 has two digits of 0202 in each other's place
    assert meant_texts(known, asked).to_list() == ["0101", None, "0202", "33", None, None, None]
    many = pl.Series([f"{n:04d}" for n in range(5000)])
    assert meant_texts(known, many).drop_nulls().len() <= 200
