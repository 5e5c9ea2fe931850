"""Looking codes up by code, Chinese or English name."""

from __future__ import annotations

import polars as pl

from crossborder.codes.tables import Tables, info


def search(
    table: str, query: str, *, tables: Tables | None = None, on: str | None = None
) -> pl.DataFrame:
    """Rows of `table` whose code or name holds `query` (any case); the best first, all of them.

    An empty query gives the whole table. A code that equals the query comes first, then codes that begin
    with it, then names that begin with it, then the rest. Raises `NotFound` for an unknown table.
    """
    found = info(table)
    frame = (tables or Tables()).frame(table, on)
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
    return frame.filter(hits).sort(rank, maintain_order=True)
