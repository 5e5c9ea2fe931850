"""Looking codes up by code, Chinese or English name."""

from __future__ import annotations

import polars as pl

from crossborder.codes.lookup import nearest
from crossborder.codes.tables import EXCHANGE_RATES, Tables, day, info
from crossborder.codes.words import WORDS, plain, words_of


def search(
    table: str, query: str, *, tables: Tables | None = None, on: str | None = None
) -> pl.DataFrame:
    """Rows of `table` whose code or name holds `query` (any case); the best first, all of them.

    An empty query gives the whole table. A code that equals the query comes first, then codes that begin
    with it, then names that begin with it, then the rest; countries, currencies and units are also found by their
    names in other languages. Raises `NotFound` for an unknown table.
    """
    found = info(table)
    snapshot = tables or Tables()
    frame = _rows(snapshot, table, on)
    wanted = query.strip().lower()
    if not wanted or not frame.height:
        return frame
    names = [n for n in frame.columns if n.startswith(("name", "item", "title", "label", "iso"))]
    keys = [k for k in found.key if k in frame.columns]
    places = [pl.col(n).fill_null("").str.to_lowercase() for n in dict.fromkeys([*keys, *names])]
    begins = pl.any_horizontal(p.str.starts_with(wanted) for p in places[: len(keys)])
    rank = (
        pl.when(pl.any_horizontal(p == wanted for p in places))
        .then(0)
        .when(begins)
        .then(1)
        .when(pl.any_horizontal(p.str.starts_with(wanted) for p in places))
        .then(2)
        .otherwise(3)
    )
    hits = pl.any_horizontal(p.str.contains(wanted, literal=True) for p in places)
    own = frame.filter(hits).sort(rank, maintain_order=True)
    others = _by_words(table, query, snapshot, on)
    if not others:
        return own
    code = pl.col(found.key[-1])
    exact = frame.filter(code.is_in(others[0]))
    near = frame.filter(code.is_in(others[1]))
    return pl.concat([exact, own, near]).unique(maintain_order=True)


def _rows(tables: Tables, table: str, on: str | None) -> pl.DataFrame:
    """The rows of a table on a date, all text; of the exchange rates those of its month."""
    if table != EXCHANGE_RATES:
        return tables.frame(table, on)
    rates = tables.rates().with_columns(pl.col("fictional").cast(pl.Int8).cast(pl.String))
    found = day(on)
    return rates if found is None else rates.filter(pl.col("month") == found[:7].replace("-", ""))


def _by_words(table: str, query: str, tables: Tables, on: str | None) -> tuple[list[str], list[str]] | None:  # fmt: skip
    """Codes that a word in some language stands for: the very word, and words that hold it (from three Latin letters on)."""
    if table not in WORDS:
        return None
    wanted, words = plain(query), words_of(table, tables=tables, on=on)
    holding = {
        code
        for word, code in words.items()
        if (len(wanted) > 2 or not wanted.isascii()) and wanted in word
    }
    return [words[wanted]] if wanted in words else [], sorted(holding)


def suggested(table: str, query: str, *, tables: Tables | None = None, on: str | None = None) -> pl.DataFrame:  # fmt: skip
    """For a query that finds nothing: the rows whose code or name is nearest to it, at most five, the nearest first.

    Raises `NotFound` for an unknown table.
    """
    found = info(table)
    frame = _rows(tables or Tables(), table, on)
    key = found.key[-1]
    names = [n for n in frame.columns if n == key or n.startswith(("name", "item", "title", "label", "word"))]  # fmt: skip
    hits = [
        frame.filter(pl.col(name) == value)
        for name in names
        for value in nearest(frame[name].drop_nulls().to_list(), query)
    ]
    return pl.concat(hits).unique(maintain_order=True).head(5) if hits else frame.clear()
