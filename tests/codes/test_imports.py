"""Putting a user's table in place: encodings, refusals, dates, rates; whole or not at all."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from crossborder import codes
from crossborder.codes import Tables
from crossborder.codes import imports as module
from crossborder.codes.shapes import SHAPES
from crossborder.codes.tables import packaged
from crossborder.errors import CodesError, NotFound

START = date(2026, 1, 1)
LIMITS = (
    "rule,direction,territory,declaration_class,countries,value_cny,effective_from,effective_to\n"
)


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home" / "codes"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters(source: Path, home: Path, encoding: str, delimiter: str) -> None:
    text = f"code{delimiter}name_zh\r\n 2991 {delimiter}杭州示范\r\n\r\n3104{delimiter}宁波示范\r\n"
    assert (
        codes.import_table(home, "customs_districts", written(source, text, encoding), START) == 2
    )
    tables = Tables.load(home)
    assert tables.frame("customs_districts", "20260101").to_dicts() == [
        {"code": "2991", "name_zh": "杭州示范"}, {"code": "3104", "name_zh": "宁波示范"},
    ]  # fmt: skip


def test_valid_from_its_day_and_complete(source: Path, home: Path) -> None:
    codes.import_table(home, "customs_districts", written(source, "code\n2991\n"), START)
    later = written(source, "code\n2991\n3104\n")
    codes.import_table(home, "customs_districts", later, date(2026, 7, 1), complete=False)
    tables = Tables.load(home)
    assert len(tables.codes("customs_districts", "20251231")) == 194
    assert tables.coverage("customs_districts", "20251231") == "partial"
    assert tables.codes("customs_districts", "20260101") == {"2991"}
    assert tables.coverage("customs_districts", "20260630") == "complete"
    assert tables.codes("customs_districts", "20260701") == {"2991", "3104"}
    assert tables.coverage("customs_districts", "20260701") == "partial"
    assert tables.codes("customs_districts") == {"2991", "3104"}
    assert Tables().coverage("customs_districts") == "partial"


def test_importing_again_replaces_also_what_was_partial(source: Path, home: Path) -> None:
    one = written(source, "code\n2991\n")
    codes.import_table(home, "ports", one, START, complete=False)
    codes.import_table(home, "ports", one, START)
    assert [p.name for p in home.iterdir()] == ["ports.2026-01-01.csv"]
    assert Tables.load(home).coverage("ports") == "complete"
    codes.import_table(home, "ports", one, START, complete=False)
    assert Tables.load(home).coverage("ports") == "partial"


def test_a_snapshot_does_not_change(source: Path, home: Path) -> None:
    codes.import_table(home, "ports", written(source, "code\n100001\n"), START)
    tables = Tables.load(home)
    codes.import_table(home, "ports", written(source, "code\n100002\n"), START)
    assert tables.codes("ports") == {"100001"}
    assert Tables.load(home).codes("ports") == {"100002"}


@pytest.mark.parametrize(
    ("table", "text", "place", "message"),
    [
        ("countries", "code,name\n142,China\n", "table.csv", "customs_code"),
        ("countries", "customs_code\n142\n142\n", "table.csv:3", "twice"),
        ("countries", "customs_code\n142\n \n42\n", "table.csv:4", "leading zeros"),
        ("countries", "customs_code,name_zh\n,x\n", "table.csv:2", "empty"),
        ("countries", "customs_code,a\n142\n", "table.csv:2", "cells"),
        ("countries", "customs_code,customs_code\n142,1\n", "table.csv", "same name"),
        ("countries", "customs_code\n", "table.csv", "no rows"),
        ("countries", "", "table.csv", "empty"),
        ("countries", 'customs_code\n"142\n', "table.csv", "CSV"),
        ("package_types", "code\n1\n", "table.csv", "scheme"),
        ("limits", "rule,direction,territory\nLIM-02,I,any\n", "table.csv", "value_cny"),
        ("limits", LIMITS + "LIM-02,I,any,B,,2O00,2026-01-01,\n", "table.csv:2", "value_cny"),
        ("limits", LIMITS + "LIM-02,I,any,B,,2000,,\n", "table.csv:2", "effective_from"),
        ("limits", LIMITS + "LIM-02,I,in,B,HK,2000,2026-01-01,\n", "table.csv:2", "countries"),
        (
            "parcel_tax",
            "code,tax_rate_pct\n01010100,13\n01010200,13%\n",
            "table.csv:3",
            "tax_rate_pct",
        ),
        (
            "parcel_tax",
            "code,dutiable_value_cny\n01010100,200\n01010200,about 5\n",
            "table.csv:3",
            "dutiable_value_cny",
        ),
        ("tariff", "code,vat_rate_pct\n0101010000,\n01010200001,13\n", "table.csv:3", "code"),
        (
            "tariff",
            "code,vat_rate_pct\n0101010000,13\n0101020000,-13\n",
            "table.csv:3",
            "vat_rate_pct",
        ),
        (
            "tariff",
            "code,consumption_from_measure\n0101010000,g;ml\n0101020000,pound\n",
            "table.csv:3",
            "consumption_from_measure",
        ),
        (
            "tax_parameters",
            "name,value,dated_by,rule,effective_from\na,5,sometimes,X,2026-01-01\n",
            "table.csv:2",
            "dated_by",
        ),
        (
            "tax_parameters",
            "name,value,dated_by,rule,effective_from\na,5 CNY,movement,X,2026-01-01\n",
            "table.csv:2",
            "value",
        ),
        ("unit_measures", "unit,measure,amount\n035,lb,2\n", "table.csv:2", "measure"),
        ("country_words", "lang,word\nen,Germany\n", "table.csv", "code"),
        ("limits", LIMITS + "LIM-02,I,any,B,,2000,2026-1-1,\n", "table.csv:2", "not a date"),
        ("parcel_tax", "code,effective_from\n01010100,20260101\n", "table.csv:2", "not a date"),
        (
            "parcel_tax",
            "code,effective_from,effective_to\n01010100,2026-01-01,2026-02-30\n",
            "table.csv:2",
            "effective_to: not a date",
        ),
        ("exchange_rates", "rate\n7\n", "table.csv", "currency"),
        ("exchange_rates", "currency\nUSD\n", "table.csv", "rate"),
        ("exchange_rates", "currency,rate\nUSD,7,1\n", "table.csv:2", "cells"),
        ("exchange_rates", "currency,rate\nXXX,7\n", "table.csv:2", "unknown currency"),
        ("exchange_rates", "currency,rate\nUSD,0.0\n", "table.csv:2", "not a rate"),
        ("exchange_rates", "currency,rate\nUSD,-7\n", "table.csv:2", "not a rate"),
        ("exchange_rates", "currency,rate\nUSD,7e1\n", "table.csv:2", "not a rate"),
        ("exchange_rates", "currency,rate\nCNY,2\n", "table.csv:2", "CNY"),
        ("exchange_rates", "currency,rate,month\nUSD,7,202613\n", "table.csv:2", "month"),
        ("exchange_rates", "currency,rate,fictional\nUSD,7,maybe\n", "table.csv:2", "fictional"),
        ("exchange_rates", "currency,rate\nUSD,7\n502,7\n", "table.csv:3", "twice"),
    ],
)
def test_refusals_name_row_and_change_nothing(
    source: Path, home: Path, table: str, text: str, place: str, message: str
) -> None:
    with pytest.raises(CodesError, match=message) as caught:
        codes.import_table(home, table, written(source, text), START)
    assert caught.value.place == place
    assert caught.value.zh != caught.value.en
    assert not home.exists()


def test_files_that_are_no_text(source: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CodesError, match="cannot be read"):
        codes.import_table(home, "ports", source, START)
    source.write_bytes(b"PK\x03\x04\x00\x00")
    with pytest.raises(CodesError, match="not a text file"):
        codes.import_table(home, "ports", source, START)
    source.write_bytes(b"code\n\xff\xff\n")
    with pytest.raises(CodesError, match="UTF-8"):
        codes.import_table(home, "ports", source, START)
    monkeypatch.setattr(module, "MAX_BYTES", 4)
    with pytest.raises(CodesError, match="too large"):
        codes.import_table(home, "ports", written(source, "code\n1\n"), START)
    with pytest.raises(NotFound):
        codes.import_table(home, "nothing", source, START)


def test_a_folder_that_cannot_be_written(source: Path, tmp_path: Path) -> None:
    blocked = written(tmp_path / "file", "x")
    with pytest.raises(CodesError, match="cannot be written"):
        codes.import_table(blocked, "ports", written(source, "code\n1\n"), START)


def test_a_broken_write_leaves_the_old_table(
    source: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes.import_table(home, "ports", written(source, "code\n1\n"), START)

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "fsync", fail)
    with pytest.raises(CodesError, match="No space left"):
        codes.import_table(home, "ports", written(source, "code\n2\n"), START)
    assert [p.name for p in home.iterdir()] == ["ports.2026-01-01.csv"]
    assert Tables.load(home).codes("ports") == {"1"}


def test_rates_by_letters_or_code_with_months(source: Path, home: Path) -> None:
    text = "currency,rate,month,fictional\nusd,7.1003,,\n116,0.048,2026-02,1\nCNY,1,,0\n"
    assert codes.import_table(home, "exchange_rates", written(source, text), START) == 3
    assert Tables.load(home).rates().rows() == [
        ("502", "202601", "7.1003", False),
        ("116", "202602", "0.048", True),
        ("142", "202601", "1", False),
    ]


def test_the_later_file_wins_and_fiction_hides_nothing(source: Path, home: Path) -> None:
    def rate(text: str, start: date) -> None:
        codes.import_table(home, "exchange_rates", written(source, text), start)

    rate("currency,rate\nUSD,7\n", START)
    rate("currency,rate,month\nUSD,7.2,202601\n", date(2026, 1, 15))
    rate("currency,rate,month,fictional\nUSD,9,202601,yes\n", date(2026, 1, 20))
    assert set(Tables.load(home).rates().rows()) == {
        ("502", "202601", "7.2", False), ("502", "202601", "9", True),
    }  # fmt: skip


def test_with_rates_wins_and_leaves_the_first_alone() -> None:
    frame = pl.DataFrame({"currency": ["502"], "month": ["202601"], "rate": ["7"]})
    one = Tables().with_rates(frame)
    two = one.with_rates(frame.with_columns(rate=pl.lit("8")))
    assert one.rates().rows() == [("502", "202601", "7", False)]
    assert two.rates().rows() == [("502", "202601", "8", False)]
    assert Tables().rates().height == 0


def test_foreign_and_damaged_files_in_the_folder(home: Path) -> None:
    home.mkdir(parents=True)
    written(home / "notes.txt", "x")
    written(home / "nothing.2026-01-01.csv", "code\n1\n")
    written(home / ".ports.2026-01-01.csv.part", "code\n1\n")
    assert Tables.load(home).coverage("ports") == "absent"
    written(home / "ports.2026-01-01.csv", "code,name\n1\n")
    with pytest.raises(CodesError, match="cannot be read") as caught:
        Tables.load(home)
    assert caught.value.place.endswith("ports.2026-01-01.csv")


def test_an_imported_dated_table_keeps_its_own_dates(source: Path, home: Path) -> None:
    text = (
        "code,effective_from,effective_to\n01010100,2026-01-01,2026-06-30\n01010200,2026-07-01,\n"
    )
    codes.import_table(home, "parcel_tax", written(source, text), START)
    tables = Tables.load(home)
    assert tables.codes("parcel_tax", "20260630") == {"01010100"}
    assert tables.codes("parcel_tax", "20260701") == {"01010200"}
    assert len(tables.codes("parcel_tax", "20251231")) == 302


def test_what_is_packaged_has_the_shape_that_an_import_asks_for() -> None:
    for table, shapes in SHAPES.items():
        frame = Tables().frame(table)
        for column in set(shapes) & set(frame.columns):
            odd = frame.filter(
                ~pl.col(column).fill_null("").str.contains(f"^(?:{shapes[column]})$")
            )
            assert odd.height == 0, (table, column, odd[column].to_list())


def test_a_tariff_and_a_tax_table_can_be_brought(source: Path, home: Path) -> None:
    rows = "code,mfn_rate_pct,vat_rate_pct,consumption_rate_pct\n6205200099,6,13,0\n2208300000,10,13,\n"
    assert codes.import_table(home, "tariff", written(source, rows), START) == 2
    assert Tables.load(home).coverage("tariff", "2026-01-01") == "complete"
    rows = "code,unit_zh,dutiable_value_cny,tax_rate_pct\n01010100,千克,200,13\n01010200,千克,,20\n"
    assert codes.import_table(home, "parcel_tax", written(source, rows), START) == 2
    assert Tables.load(home).frame("parcel_tax", "2026-01-01")["dutiable_value_cny"].to_list() == [
        "200",
        None,
    ]


def test_limits_can_be_replaced(source: Path, home: Path) -> None:
    text = LIMITS + "LIM-02,I,any,B,,3000,2026-01-01,\n"
    codes.import_table(home, "limits", written(source, text), START)
    assert Tables.load(home).frame("limits")["value_cny"].to_list() == ["3000"]


def test_a_file_may_be_as_large_as_is_said(
    source: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "code,name_zh\n2991,杭州示范\n"
    written(source, text)
    monkeypatch.setattr(module, "MAX_BYTES", len(text.encode()))
    assert codes.import_table(home, "customs_districts", source, START) == 1
    monkeypatch.setattr(module, "MAX_BYTES", len(text.encode()) - 1)
    with pytest.raises(CodesError, match="too large"):
        codes.import_table(home, "customs_districts", source, START)


def test_only_digits_can_have_lost_their_zeros(source: Path, home: Path) -> None:
    written(source, "code,name_zh\nA9,示范\n")
    assert codes.import_table(home, "customs_districts", source, START) == 1
    written(source, "code,name_zh\n99,示范\n")
    with pytest.raises(CodesError, match="leading zeros"):
        codes.import_table(home, "customs_districts", source, START)


@pytest.mark.parametrize(("rows", "usual"), [(4, False), (5, True)])
def test_of_a_few_codes_no_usual_width_is_taken(
    source: Path, home: Path, monkeypatch: pytest.MonkeyPatch, rows: int, *, usual: bool
) -> None:
    few = pl.DataFrame({"code": [f"10{i}" for i in range(rows)]})
    monkeypatch.setattr(module, "packaged", lambda _: few)
    written(source, "code,name_zh\n1,示范\n")
    if not usual:
        assert codes.import_table(home, "fee_marks", source, START) == 1
        return
    with pytest.raises(CodesError, match="leading zeros"):
        codes.import_table(home, "fee_marks", source, START)


def test_where_several_columns_are_the_key_there_is_no_usual_width(source: Path, home: Path) -> None:  # fmt: skip
    packaged("parcel_tax_brackets").write_csv(source)
    rows = packaged("parcel_tax_brackets").height
    assert codes.import_table(home, "parcel_tax_brackets", source, START) == rows
