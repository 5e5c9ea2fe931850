"""Which columns hold characters that rules speak about (TXT-04): looked for once, for all rules.

Single characters are looked for, so texts may be laid end to end: that is quicker than looking at each.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

import polars as pl

from crossborder.rules.charsets import WRITTEN, perhaps_unusual, unusual, written_name
from crossborder.shipments.asking import MANY, columns_of, constant, filled
from crossborder.shipments.columns import COLUMNS, FrameName


def unusual_columns(name: FrameName, frame: pl.DataFrame) -> frozenset[str]:
    """The canonical columns of a frame in which some value holds a character that is unusual for its kind."""
    given = [column for column, count in filled(frame).items() if count]
    same = constant(frame, given) if frame.height >= MANY else frozenset()
    found = _holding(name, frame.head(1), same)
    return frozenset(found | _holding(name, frame, frozenset(given) - same))


def _holding(name: FrameName, frame: pl.DataFrame, columns: frozenset[str]) -> set[str]:
    """Those of the columns that hold unusual characters: first the rows that may, then the columns of these rows."""
    looks = [
        (look.pattern, own, _quick(own, look.perhaps).alias(str(i)))
        for i, look in enumerate(_looks(name))
        if (own := tuple(column for column in look.columns if column in columns))
    ]
    found: set[str] = set()
    if frame.height:
        hits = columns_of(frame, [quick for _, _, quick in looks])
        for (pattern, own, _), hit in zip(looks, hits, strict=True):
            if hit.any():
                found |= _columns_with(pattern, frame[list(own)].filter(hit))
    return found


def _columns_with(pattern: str, rows: pl.DataFrame) -> set[str]:
    texts = pl.concat([values.alias("text") for values in rows.iter_columns()]).to_frame()
    (there,) = columns_of(texts, [pl.col("text").str.contains(pattern)])
    places = (there.slice(at * rows.height, rows.height) for at in range(rows.width))
    return {column for column, mine in zip(rows.columns, places, strict=True) if mine.any()}


@dataclass(frozen=True)
class _Look:
    """What is looked for in which columns; `perhaps` are the characters of a quick look."""

    pattern: str
    perhaps: str
    columns: tuple[str, ...]


@lru_cache(maxsize=64)
def _quick(columns: tuple[str, ...], perhaps: str) -> pl.Expr:
    """Which rows may hold what is looked for in some columns."""
    return pl.concat_str(columns, ignore_nulls=True).str.contains(perhaps)


@cache
def _looks(name: FrameName) -> tuple[_Look, ...]:
    """What is looked for in the columns of a frame."""
    found: dict[tuple[str, str], list[str]] = {}
    for column in COLUMNS[name].values():
        patterns = unusual(column.kind), perhaps_unusual(column.kind)
        found.setdefault(patterns, []).append(column.name)
    return tuple(_Look(*patterns, tuple(columns)) for patterns, columns in found.items())


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
