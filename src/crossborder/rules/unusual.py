"""Which columns hold characters that rules speak about (TXT-04): looked for once, for all rules.

Single characters are looked for, so texts may be laid end to end: that is quicker than looking at each.
"""

from __future__ import annotations

from functools import cache, lru_cache

import polars as pl

from crossborder.rules.charsets import WRITTEN, unusual, written_name
from crossborder.shipments.asking import AS_WRITTEN, MANY, constant, filled
from crossborder.shipments.columns import COLUMNS, FrameName


def unusual_columns(name: FrameName, frame: pl.DataFrame) -> frozenset[str]:
    """The canonical columns of a frame in which some value holds a character that is unusual for its kind."""
    given = {column for column, count in filled(frame).items() if count}
    found: set[str] = set()
    for pattern, looked_at in _patterns(name):
        mine = tuple(column for column in looked_at if column in given)
        if not mine or (frame.height < MANY and not _any(frame, _together(mine, pattern))[0]):
            continue
        same = constant(frame, mine) if frame.height >= MANY else frozenset()
        for rows, columns in (
            (frame.head(1), tuple(c for c in mine if c in same)),
            (frame, tuple(c for c in mine if c not in same)),
        ):
            told = _any(rows, _apart(columns, pattern)) if columns else ()
            found.update(column for column, one in zip(columns, told, strict=True) if one)
    return frozenset(found)


def _any(frame: pl.DataFrame, asked: list[pl.Expr]) -> tuple[bool, ...]:
    query = frame.lazy().select(asked)
    return query.collect(engine="in-memory", optimizations=AS_WRITTEN).row(0)


@cache
def _patterns(name: FrameName) -> list[tuple[str, list[str]]]:
    """The patterns of a frame, and the columns in which each is looked for."""
    found: dict[str, list[str]] = {}
    for column in COLUMNS[name].values():
        found.setdefault(unusual(column.kind), []).append(column.name)
    return list(found.items())


@lru_cache(maxsize=64)
def _together(columns: tuple[str, ...], pattern: str) -> list[pl.Expr]:
    text = pl.concat_str(columns, ignore_nulls=True).str.join("")
    return [text.str.contains(pattern)]


@lru_cache(maxsize=64)
def _apart(columns: tuple[str, ...], pattern: str) -> list[pl.Expr]:
    return [pl.col(column).str.join("").str.contains(pattern) for column in columns]


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
