"""Words for countries, currencies and units in many languages: 德国, Germany, Deutschland, ドイツ, DE are 304.

The words stand in tables of their own (`country_words`, `currency_words`, `unit_words`), which may be replaced like any
other. A word that would mean two codes is in none of them, so a word gives one code or none.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

import polars as pl

from crossborder.codes.tables import Tables
from crossborder.errors import NotFound

WORDS: Mapping[str, str] = {
    "countries": "country_words",
    "currencies": "currency_words",
    "units": "unit_words",
}
"""Which table holds the words for the codes of which."""


def plain(word: str) -> str:
    """A word for comparing: half width, no blanks, no case."""
    return "".join(unicodedata.normalize("NFKC", word).split()).casefold()


def to_codes(values: pl.Series, table: str, *, tables: Tables | None = None, on: str | None = None) -> pl.Series:  # fmt: skip
    """A column of words and codes as codes of `table` (`countries`, `currencies`, `units`).

    What already is a code of the table stays, a known word becomes its code, anything else is null. Words are compared
    without regard to case, width and blanks; each distinct value is looked at once. Raises `NotFound` for a table
    that has no words.
    """
    snapshot = tables or Tables()
    codes = snapshot.codes(table, on)
    known = words_of(table, tables=snapshot, on=on)
    old = values.drop_nulls().unique()
    new = [value if value in codes else known.get(plain(value)) for value in old]
    return values.replace_strict(
        old, pl.Series(new, dtype=pl.String), default=None, return_dtype=pl.String
    )


def words_of(table: str, *, tables: Tables | None = None, on: str | None = None) -> dict[str, str]:
    """Word (as `plain` gives it) → code of `table`. Raises `NotFound` for a table that has no words."""
    if table not in WORDS:
        raise NotFound(
            f"there are no words for the codes of {table!r}", f"代码表 {table!r} 没有多语名称",
            fix_en=f"there are for: {', '.join(WORDS)}", fix_zh=f"有多语名称的：{'、'.join(WORDS)}",
        )  # fmt: skip
    frame = (tables or Tables()).frame(WORDS[table], on)
    found: dict[str, str] = {}
    doubtful: set[str] = set()
    for word, code in frame.select("word", "code").iter_rows():
        if found.setdefault(plain(word), code) != code:
            doubtful.add(plain(word))
    return {word: code for word, code in found.items() if word not in doubtful}
