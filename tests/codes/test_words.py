"""Words for countries, currencies and units in many languages; pycountry is the oracle where it is right."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import polars as pl
import pycountry
import pytest

from crossborder import codes
from crossborder.codes import Tables
from crossborder.errors import NotFound
from crossborder.intake.mapping.model import WordTable
from crossborder.intake.words import compile_words, replace_words

ROOT = Path(__file__).resolve().parents[2]
FILES = ("country_words", "currency_words", "unit_words")


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "generate_words", ROOT / "tools" / "generate_words.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["generate_words"] = module
    spec.loader.exec_module(module)
    return module


def test_the_tables_are_those_of_the_generator(generator: ModuleType) -> None:
    made = generator.made()
    assert sorted(made) == sorted(f"{name}.csv" for name in FILES)
    for name, text in made.items():
        assert (generator.TABLES / name).read_text("utf-8") == text, "run tools/generate_words.py"


def test_a_word_with_two_meanings_is_left_out(generator: ModuleType) -> None:
    words = [
        ("1", "en", "Lion", "a"), ("2", "de", "lion ", "a"), ("1", "en", "Cat", "a"), ("1", "de", "ＣＡＴ", "b"),
        ("3", "iso", "DOG", "a"), ("4", "vi", "dog", "a"), ("1", "en", "cat", "b"), ("5", "en", " ", "a"),
    ]  # fmt: skip
    assert generator.unambiguous(words) == [
        ("1", "de", "ＣＡＴ", "b"), ("1", "en", "Cat", "a"), ("3", "iso", "DOG", "a"),
    ]  # fmt: skip


@pytest.mark.parametrize("table", ["countries", "currencies", "units"])
def test_every_word_means_one_code_of_its_table(table: str) -> None:
    words = Tables().frame(codes.WORDS[table])
    known = Tables().codes(table)
    assert set(words["code"]) <= known
    plain = words.with_columns(
        word=pl.col("word").map_elements(lambda w: w.casefold(), return_dtype=pl.String)
    )
    means = plain.group_by("word").agg(pl.col("code").n_unique())
    assert means["code"].max() == 1
    assert len(codes.words_of(table)) > 500
    assert len(set(words["lang"])) >= 6


@pytest.mark.parametrize(
    ("table", "words", "code"),
    [
        ("countries", ["德国", "Germany", "Deutschland", "ドイツ", "독일", "ＤＥ", "deu", "304", " Alemania ", "Германия"], "304"),
        ("countries", ["United States", "usa", "U.S.A.", "États-Unis", "アメリカ合衆国", "502"], "502"),
        ("countries", ["Hong Kong", "香港", "中国香港", "HKG", "Hong Kong SAR China"], "110"),
        ("countries", ["韩国", "Korea, Republic of", "South Korea", "대한민국", "Südkorea"], "133"),
        ("currencies", ["US Dollar", "usd", "US$", "美元", "米ドル", "dollar des États-Unis", "502"], "502"),
        ("currencies", ["RMB", "人民币", "CNY", "Renminbi", "中国人民元", "142"], "142"),
        ("units", ["kg", "KGS", "kilogramme", "公斤", "千克", "キログラム", "Kilogramm", "KGM", "035"], "035"),
        ("units", ["pcs", "pièces", "Stück", "件", "H87", "piezas"], "011"),
        ("units", ["bottles", "瓶", "Flasche", "bouteille"], "142"),
    ],
)  # fmt: skip
def test_words_of_many_languages_give_the_code(table: str, words: list[str], code: str) -> None:
    assert codes.to_codes(pl.Series(words), table).to_list() == [code] * len(words)


def test_what_is_not_known_or_not_clear_is_null() -> None:
    given = pl.Series(["Atlantis", "", None, "本", "Korea", "NGA", "Nga"])
    assert codes.to_codes(given, "countries").to_list() == [
        None,
        None,
        None,
        None,
        None,
        "236",
        "236",
    ]
    assert codes.to_codes(pl.Series(["本", "枚"]), "units").to_list() == [None, None]
    assert codes.to_codes(pl.Series([], dtype=pl.String), "units").to_list() == []
    for table in ("ports", "goods", "countries_"):
        with pytest.raises(NotFound):
            codes.to_codes(given, table)


def test_names_of_iso_are_known_and_never_another_country() -> None:
    active = (
        Tables().frame("countries").filter(pl.col("status") == "active").drop_nulls("iso_alpha2")
    )
    known = dict(active.select("iso_alpha2", "customs_code").iter_rows())
    asked, meant, short = [], [], []
    for country in pycountry.countries:
        if country.alpha_2 not in known:
            continue
        for name in (country.alpha_2, country.alpha_3, country.name, getattr(country, "common_name", None), getattr(country, "official_name", None)):  # fmt: skip
            asked.append(name)
            meant.append(known[country.alpha_2])
            short.append(name == country.name)
    found = codes.to_codes(pl.Series(asked, dtype=pl.String), "countries").to_list()
    assert [f for f, s in zip(found, short, strict=True) if s] == [
        m for m, s in zip(meant, short, strict=True) if s
    ]
    assert all(f in (None, m) for f, m in zip(found, meant, strict=True))


def test_letters_of_currencies_are_those_of_iso() -> None:
    for row in Tables().frame("currencies").drop_nulls("iso_numeric").to_dicts():
        found = pycountry.currencies.get(alpha_3=row["iso_alpha"])
        if found is not None:
            assert found.numeric == row["iso_numeric"]


def test_own_words_replace_the_packaged_ones_from_a_day_on() -> None:
    own = pl.DataFrame({"code": ["304", "305"], "lang": ["x", "x"], "word": ["Far", "Near"]})
    tables = Tables().with_table("country_words", own, "2026-01-01", complete=False)
    asked = pl.Series(["far", "Germany"])
    assert codes.to_codes(asked, "countries", tables=tables, on="2026-01-01").to_list() == [
        "304",
        None,
    ]
    assert codes.to_codes(asked, "countries", tables=tables, on="2025-12-31").to_list() == [
        None,
        "304",
    ]
    twice = own.with_columns(word=pl.lit("Far"))
    assert codes.to_codes(asked, "countries", tables=Tables().with_table("country_words", twice, "2026-01-01")).to_list() == [None, None]  # fmt: skip


@pytest.mark.parametrize(("query", "first"), [("Allemagne", "304"), ("ドイツ", "304"), ("アメリカ合", "502"), ("deutsch", "304"), ("南韓", "133")])  # fmt: skip
def test_search_finds_names_in_other_languages(query: str, first: str) -> None:
    assert codes.search("countries", query)["customs_code"][0] == first


def test_search_puts_the_code_asked_for_first() -> None:
    assert codes.search("countries", "304")["customs_code"][0] == "304"
    assert codes.search("currencies", "美金")["customs_code"].to_list() == ["502"]
    assert codes.search("units", "Flasche")["customs_code"].to_list() == ["142"]
    assert codes.search("countries", "Atlantis").height == 0


@pytest.mark.parametrize(
    ("table", "query", "near"),
    [("countries", "Germny", "304"), ("countries", "305 ", None), ("parcel_tax", "09020221", "09020220"), ("countries", "30x", "303")],
)  # fmt: skip
def test_what_finds_nothing_is_answered_with_the_nearest(
    table: str, query: str, near: str | None
) -> None:
    found = codes.suggested(table, query)
    key = codes.info(table).key[-1]
    assert found.height <= 5
    assert near is None or near in found[key].to_list()[:3]
    assert codes.suggested(table, "").height == codes.suggested("ports", "1").height == 0


def test_a_table_says_what_it_is_worth() -> None:
    districts = codes.about("customs_districts")
    assert (districts.coverage, districts.rows, districts.start) == ("partial", 194, "")
    memory = Tables().frame("customs_districts").filter(pl.col("source") == "M").height
    assert districts.unverified == memory > 10
    assert districts.sources["M"] == "memory, unverified"
    tax = codes.about("parcel_tax_2019_partial")
    assert (tax.first, tax.last) == ("2019-04-09", "2024-11-30")
    assert codes.about("parcel_tax").last == ""
    assert codes.about("ports").coverage == codes.about("exchange_rates").coverage == "absent"
    own = Tables().with_table("ports", pl.DataFrame({"code": ["1"]}), "2026-01-01")
    assert (codes.about("ports", own).start, codes.about("ports", own).rows) == ("2026-01-01", 1)
    assert codes.about("ports", own, "2025-12-31").coverage == "absent"
    rates = pl.DataFrame(
        {"currency": ["502"], "month": ["202611"], "rate": ["7"], "fictional": [False]}
    )
    told = codes.about("exchange_rates", Tables().with_rates(rates))
    assert (told.coverage, told.first, told.last, told.rows) == ("partial", "202611", "202611", 1)


def test_every_source_tag_of_a_packaged_table_is_explained() -> None:
    tagged = 0
    for name in codes.infos():
        frame = Tables().frame(name)
        if "source" in frame.columns:
            said = set(frame["source"].drop_nulls().str.split(";").explode())
            tags = {tag for tag in said if re.fullmatch("S[0-9]+|M|CLDR|own|table|units", tag)}
            assert set(codes.about(name).sources) >= tags, name
            tagged += bool(tags)
    assert tagged > 25


def test_exchange_rates_are_looked_up_like_any_table() -> None:
    rows = [
        ("502", "202610", "7.1", False),
        ("502", "202611", "7.2", False),
        ("300", "202611", "8", True),
    ]
    schema = {"currency": pl.String, "month": pl.String, "rate": pl.String, "fictional": pl.Boolean}
    tables = Tables().with_rates(pl.DataFrame(rows, schema=schema, orient="row"))
    assert codes.search("exchange_rates", "502", tables=tables)["rate"].to_list() == ["7.1", "7.2"]
    assert codes.search("exchange_rates", "", tables=tables, on="2026-11-05").rows() == [
        ("502", "202611", "7.2", "0"), ("300", "202611", "8", "1"),
    ]  # fmt: skip
    assert codes.search("exchange_rates", "502").height == 0


def test_a_partners_mapping_takes_the_words_of_every_language_or_of_one() -> None:
    every = WordTable.model_validate({"table": "country_words", "code": "code", "from": ["word"]})
    german = WordTable.model_validate({**every.model_dump(by_alias=True), "where": {"lang": "de"}})
    given = pl.Series(["Deutschland", "ドイツ", "DE", "304", "Nirgendwo"])
    assert replace_words(given, compile_words(every)).to_list() == [
        "304",
        "304",
        "304",
        "304",
        "Nirgendwo",
    ]
    assert replace_words(given, compile_words(german)).to_list() == [
        "304",
        "ドイツ",
        "DE",
        "304",
        "Nirgendwo",
    ]
