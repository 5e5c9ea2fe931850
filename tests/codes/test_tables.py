"""Packaged tables: complete, text, with coverage; dated look-ups; search."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl
import pytest

from crossborder import codes, resources
from crossborder.codes import Tables
from crossborder.errors import CodesError, NotFound

FOLDER = resources.path("codes/coverage.csv").parent
SIZES = {
    "customs_districts": 194, "countries": 243, "countries_alpha3_general": 264, "currencies": 35,
    "units": 126, "transport_modes": 20, "package_types": 21, "trade_modes": 100, "levy_modes": 45,
    "duty_modes": 9, "use_codes": 12, "transaction_terms": 7, "fee_marks": 3, "id_document_types": 5,
    "entry_types": 4, "express_tax_types": 7, "supervision_documents": 52, "domestic_districts": 34,
    "economic_zone_digits": 10, "enterprise_type_digits": 10, "ports_zhejiang": 11, "parcel_tax": 302,
    "parcel_tax_2019_partial": 27, "parcel_tax_brackets": 16, "hs_sample": 213,
    "prohibited_restricted_articles": 23, "parcel_tax_pairs": 12, "tax_parameters": 22, "unit_measures": 11,
}  # fmt: skip
ABSENT = {"exchange_rates", "ports", "tariff", "retail_import_list", "quarantine_codes"}


def test_every_file_has_a_coverage_line_and_the_other_way_round() -> None:
    files = {p.stem for p in FOLDER.glob("*.csv")} - {"coverage", "sources"}
    assert files | ABSENT == set(codes.infos())
    assert {n for n, i in codes.infos().items() if i.coverage == "absent"} == ABSENT


@pytest.mark.parametrize(("name", "rows"), SIZES.items())
def test_no_row_was_lost(name: str, rows: int) -> None:
    assert Tables().frame(name).height == rows


@pytest.mark.parametrize("name", sorted(set(codes.infos()) - ABSENT))
def test_keys_are_text_present_and_unique(name: str) -> None:
    frame, info = Tables().frame(name), codes.info(name)
    assert set(frame.dtypes) == {pl.String}
    key = list(info.key) + ([info.scheme_column] if info.scheme_column else [])
    if name in ("limits", "words"):
        return
    dated = ["effective_from"] if "effective_from" in frame.columns else []
    assert frame.select({*key, *dated}).is_unique().all()
    assert sum(frame.select(key).null_count().row(0)) == 0


def test_source_tags_are_explained() -> None:
    with (FOLDER / "sources.csv").open(encoding="utf-8", newline="") as stream:
        known = {t for row in csv.DictReader(stream) for t in row["tags"].split(";")}
    for name in SIZES:
        frame = Tables().frame(name)
        if "source" in frame.columns:
            tags = {t for s in frame["source"].drop_nulls() for t in s.split(";")}
            assert tags <= known, name


def test_leading_zeros_and_schemes() -> None:
    tables = Tables()
    assert "0110" in tables.codes("trade_modes")
    assert tables.codes("package_types") == frozenset("1234567")
    assert "00" in tables.codes("package_types/new")
    assert tables.codes("id_document_types") == frozenset("123")
    assert tables.codes("id_document_types/CEB") == frozenset("12")
    assert tables.codes("tariff") == frozenset()
    assert "142" in tables.codes("countries")


def test_status_codes_are_keyed_by_message() -> None:
    frame = Tables().frame("status_codes")
    assert frame.filter(pl.col("message") == "EXP302").height == 47
    assert frame.filter((pl.col("message") == "EXP312") & (pl.col("code") == "NY"))[
        "state"
    ].to_list() == ["accepted"]


@pytest.mark.parametrize(
    ("on", "coverage", "size"),
    [("20241130", "absent", 0), ("2024-12-01", "complete", 302), (None, "complete", 302)],
)
def test_look_up_by_date(on: str | None, coverage: str, size: int) -> None:
    assert Tables().coverage("parcel_tax", on) == coverage
    assert len(Tables().codes("parcel_tax", on)) == size


def test_a_row_ends_on_its_last_day() -> None:
    old = Tables().codes("parcel_tax_2019_partial", "20241130")
    assert len(old) == 27
    assert Tables().codes("parcel_tax_2019_partial", "20241201") == frozenset()
    assert Tables().codes("parcel_tax_2019_partial", "20190408") == frozenset()


def test_coverage_of_tables_without_dates() -> None:
    tables = Tables()
    assert tables.coverage("countries", "19990101") == "complete"
    assert tables.coverage("customs_districts") == "partial"
    assert tables.coverage("hs_sample") == "sample"
    assert tables.coverage("ports") == "absent"
    assert set(tables.names()) == set(codes.infos())


def test_unknown_names_and_dates() -> None:
    with pytest.raises(NotFound, match="countries"):
        Tables().frame("country")
    with pytest.raises(CodesError):
        Tables().frame("parcel_tax", "yesterday")


def test_no_rates_are_packaged() -> None:
    assert Tables().rates().height == 0
    assert Tables().rates().columns == ["currency", "month", "rate", "fictional"]


def test_search_ranks_codes_before_names() -> None:
    assert (
        codes.search("countries", "502").row(0, named=True)["name_en"].startswith("United States")
    )
    assert codes.search("countries", " japan ")["customs_code"].to_list() == ["116"]
    assert codes.search("countries", "us")["iso_alpha2"][0] == "US"
    assert "142" in codes.search("countries", "中国")["customs_code"].to_list()
    assert codes.search("currencies", "usd")["customs_code"].to_list() == ["502"]
    assert codes.search("duty_modes", "").height == 9
    assert codes.search("duty_modes", "no such thing").height == 0
    assert codes.search("countries", "[").height == 0
    assert codes.search("tariff", "x").height == 0
    with pytest.raises(NotFound):
        codes.search("nothing", "x")


def test_load_without_a_folder(tmp_path: Path) -> None:
    assert Tables.load(None).codes("units") == Tables.load(tmp_path / "none").codes("units")
