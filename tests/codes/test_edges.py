"""Edges of the look-ups: what a slip is, how many codes are looked at, what a search holds, which dates a table shows."""

from __future__ import annotations

import itertools
from pathlib import Path

import polars as pl
import pytest

from crossborder import codes
from crossborder.codes import Tables, meant_texts, nearest, nearest_texts
from crossborder.codes.about import about
from crossborder.codes.lookup import _one_slip
from crossborder.codes.search import search, suggested
from crossborder.codes.tables import read_text
from crossborder.codes.words import to_codes, words_of
from crossborder.errors import NotFound

LETTERS = "012"
SHORT = ["".join(word) for size in range(5) for word in itertools.product(LETTERS, repeat=size)]


def slips(word: str) -> set[str]:
    """The word, and everything that one slip makes of it: a character changed, dropped, added, two neighbours swapped."""
    places = range(len(word))
    changed = {word[:i] + c + word[i + 1 :] for i in places for c in LETTERS}
    dropped = {word[:i] + word[i + 1 :] for i in places}
    added = {word[:i] + c + word[i:] for i in range(len(word) + 1) for c in LETTERS}
    swapped = {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in places[:-1]}
    return {word} | changed | dropped | added | swapped


def test_a_slip_is_a_change_a_gap_an_addition_or_a_swap() -> None:
    for word in SHORT:
        near = slips(word)
        assert {other for other in SHORT if _one_slip(word, other)} == near & set(SHORT), word


def test_of_many_unknown_codes_the_first_two_hundred_are_looked_at() -> None:
    asked = [f"9{n:03d}" for n in range(400)]
    known = [f"{code}0" for code in asked]
    found = nearest_texts(known, pl.Series(asked)).to_list()
    assert [n for n, text in enumerate(found) if text is not None] == list(range(200))
    assert meant_texts(known, pl.Series(asked))[200:].null_count() == 200


@pytest.mark.parametrize(("size", "looked"), [(5, True), (6, True), (7, False)])
def test_a_code_much_longer_than_any_is_not_looked_at(size: int, looked: bool) -> None:
    asked = pl.Series(["1234567"[:size]])
    assert (nearest_texts(["1234"], asked)[0] == "1234") == looked


def test_the_nearest_are_ranked_slips_first_and_at_most_as_many_as_asked() -> None:
    known = ["2991", "2992", "2901", "2911", "9129"]
    assert nearest(known, "2990", 4) == ["2991", "2992", "2901", "2911"]
    assert nearest(known, "2990", 1) == ["2991"]
    assert nearest(["2910", "2980"], "2901", 1) == ["2910"]
    assert nearest(["2910", "29010"], "2901") == ["29010", "2910"]
    assert nearest(known, " 2991 ", 1) == ["2991"]


def test_a_code_is_not_meant_by_itself() -> None:
    assert meant_texts(["0101", "0102"], pl.Series(["0101", "0103"])).to_list() == ["0102", None]


def test_a_search_without_a_word_shows_all_and_one_of_blanks_too() -> None:
    whole = Tables().frame("duty_modes")
    assert search("duty_modes", "").equals(whole)
    assert search("duty_modes", "  ").equals(whole)
    assert search("countries", "").height == Tables().frame("countries").height


def test_a_search_goes_through_the_tables_that_are_given() -> None:
    mine = Tables().with_table("duty_modes", pl.DataFrame({"code": ["7766"], "name_zh": ["示范"]}), "2026-01-01")  # fmt: skip
    assert search("duty_modes", "7766", tables=mine)["code"].to_list() == ["7766"]
    assert search("duty_modes", "7766", tables=mine, on="2025-12-31").height == 0
    assert search("duty_modes", "7766").height == 0
    assert about("duty_modes", mine).rows == 1
    assert about("duty_modes").rows == 9
    assert about("duty_modes", mine, "2025-12-31").rows == 9
    assert suggested("duty_modes", "7767", tables=mine)["code"].to_list() == ["7766"]
    assert suggested("duty_modes", " ", tables=mine).height == 0


def test_two_latin_letters_are_looked_for_as_a_whole_word_only() -> None:
    words = pl.DataFrame({"code": ["502", "116", "142"], "lang": ["x"] * 3, "word": ["zzqx", "zzq", "zz"], "source": ["t"] * 3})  # fmt: skip
    mine = Tables().with_table("country_words", words, "2026-01-01")
    found = {word: search("countries", word, tables=mine)["customs_code"].to_list() for word in ("zz", "zzq", "zqx", "qx", "ZZ Q")}  # fmt: skip
    assert found == {"zz": ["142"], "zzq": ["116", "502"], "zqx": ["502"], "qx": [], "ZZ Q": ["116", "502"]}  # fmt: skip
    wide = pl.DataFrame({"code": ["502"], "lang": ["x"], "word": ["示范地"], "source": ["t"]})
    han = Tables().with_table("country_words", wide, "2026-01-01")
    assert search("countries", "范", tables=han)["customs_code"].to_list() == ["502"]


def test_words_are_those_of_the_tables_that_are_given() -> None:
    words = pl.DataFrame({"code": ["502"], "lang": ["x"], "word": ["Zz Q"], "source": ["t"]})
    mine = Tables().with_table("country_words", words, "2026-01-01")
    assert words_of("countries", tables=mine) == {"zzq": "502"}
    asked = pl.Series(["ＺＺｑ", "502", "nowhere", None])
    assert to_codes(asked, "countries", tables=mine).to_list() == ["502", "502", None, None]
    assert to_codes(asked, "countries").to_list() == [None, "502", None, None]
    with pytest.raises(NotFound, match="duty_modes"):
        words_of("duty_modes")


def test_the_dates_of_a_table_are_its_first_start_and_its_last_end() -> None:
    rows = pl.DataFrame(
        {"code": ["1", "2", "3"], "effective_from": ["2025-02-01", None, "2024-02-01"], "effective_to": ["2025-03-01", "2026-03-01", "2024-12-31"]}
    )  # fmt: skip
    told = about("duty_modes", Tables().with_table("duty_modes", rows, "2020-01-01"))
    assert (told.first, told.last) == ("2024-02-01", "2026-03-01")
    still = rows.with_columns(effective_to=pl.Series(["2025-03-01", None, "2024-12-31"]))
    assert about("duty_modes", Tables().with_table("duty_modes", still, "2020-01-01")).last == ""
    nothing = rows.with_columns(pl.lit(None, dtype=pl.String).alias("effective_from"))
    assert about("duty_modes", Tables().with_table("duty_modes", nothing, "2020-01-01")).first == ""
    assert (about("ports").first, about("ports").coverage, about("units").first) == ("", "absent", "")  # fmt: skip


def test_editions_are_chosen_by_the_day_the_latest_that_has_begun() -> None:
    one, two = (pl.DataFrame({"code": [c], "effective_from": ["2026-02-01"], "effective_to": ["2026-02-28"]}) for c in "12")  # fmt: skip
    tables = Tables().with_table("duty_modes", two, "20260201").with_table("duty_modes", one, "2026-01-01")  # fmt: skip
    assert [tables.edition("duty_modes", day).start for day in (None, "20260131", "20260201", "2025-12-31")] == ["2026-02-01", "2026-01-01", "2026-02-01", ""]  # fmt: skip
    found = {day: tables.frame("duty_modes", day).height for day in ("20260131", "20260201", "20260228", "20260301")}  # fmt: skip
    assert found == {"20260131": 0, "20260201": 1, "20260228": 1, "20260301": 0}
    assert tables.frame("duty_modes").height == 1
    assert tables.coverage("duty_modes", "20260301") == "absent"


def test_an_unknown_table_names_the_nearest_or_all_of_them() -> None:
    with pytest.raises(NotFound) as near:
        codes.info("unit")
    assert near.value.fix_en.startswith("perhaps: units")
    assert near.value.fix_en.count(",") <= 2
    with pytest.raises(NotFound) as far:
        codes.info("#")
    assert far.value.fix_en == f"perhaps: {', '.join(sorted(codes.infos()))}"


def test_a_text_of_a_header_alone_is_a_frame_without_rows() -> None:
    assert read_text("code,name\n").schema == pl.Schema({"code": pl.String, "name": pl.String})
    assert read_text("code,name\n1,\n").rows() == [("1", None)]


def test_a_table_without_schemes_is_one_scheme() -> None:
    mine = pl.DataFrame({"code": ["4M", "99"]})
    tables = Tables().with_table("package_types", mine, "2026-01-01")
    assert tables.codes("package_types", "20260102") == {"4M", "99"}
    assert tables.codes("package_types", "20251231") == Tables().codes("package_types")


def test_nothing_is_suggested_for_nothing_or_out_of_nothing() -> None:
    assert suggested("countries", "  ").height == suggested("ports", "CNNGB").height == 0


def test_a_file_of_no_table_is_not_even_opened(tmp_path: Path) -> None:
    (tmp_path / "no_such_table.2026-01-01.csv").write_bytes(b"\xff\xfe\x00")
    assert Tables.load(tmp_path).imported == {}
