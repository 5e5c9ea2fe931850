"""Which columns hold characters that rules speak about (TXT-04): looked for once, for all rules.

Single characters are looked for, so texts may be laid end to end: that is quicker than looking at each.
"""

from __future__ import annotations

from functools import cache, lru_cache

import polars as pl

from crossborder.rules.charsets import WRITTEN, unusual, written_name
from crossborder.shipments.asking import MANY, columns_of, constant, filled
from crossborder.shipments.columns import COLUMNS, FrameName


def unusual_columns(name: FrameName, frame: pl.DataFrame) -> frozenset[str]:
    """The canonical columns of a frame in which some value holds a character that is unusual for its kind."""
    given = {column for column, count in filled(frame).items() if count}
    found: set[str] = set()
    for pattern, columns in _patterns(name):
        mine = [column for column in columns if column in given]
        same = constant(frame, mine) if frame.height >= MANY else frozenset()
        found |= _holding(frame.head(1), [column for column in mine if column in same], pattern)
        found |= _holding(frame, [column for column in mine if column not in same], pattern)
    return frozenset(found)


def _holding(frame: pl.DataFrame, columns: list[str], pattern: str) -> set[str]:
    """The columns that hold the pattern: first the rows that do, then the columns of these rows."""
    if not columns or not frame.height:
        return set()
    (hit,) = columns_of(frame, [_together(tuple(columns), pattern)])
    if not hit.any():
        return set()
    rows = frame[columns].filter(hit)
    texts = pl.concat([values.alias("text") for values in rows.iter_columns()]).to_frame()
    (there,) = columns_of(texts, [pl.col("text").str.contains(pattern)])
    places = (there.slice(at * rows.height, rows.height) for at in range(len(columns)))
    return {column for column, mine in zip(columns, places, strict=True) if mine.any()}


@cache
def _patterns(name: FrameName) -> list[tuple[str, list[str]]]:
    """The patterns of a frame, and the columns in which each is looked for."""
    found: dict[str, list[str]] = {}
    for column in COLUMNS[name].values():
        found.setdefault(unusual(column.kind), []).append(column.name)
    return list(found.items())


@lru_cache(maxsize=64)
def _together(columns: tuple[str, ...], pattern: str) -> pl.Expr:
    return pl.concat_str(columns, ignore_nulls=True).str.contains(pattern).alias("hit")


def written_columns(frame: pl.DataFrame, odd: frozenset[str]) -> list[pl.Series]:
    """The columns that `charsets.written` means: a column itself, without the values that hold odd characters."""
    found = []
    for name in WRITTEN:
        if name in frame.columns:
            values = frame.get_column(name)
            if name in odd:
                strange = values.str.contains(unusual("code")).fill_null(value=False)
                values = values.set(strange, None)
            found.append(values.alias(written_name(name)))
    return found
