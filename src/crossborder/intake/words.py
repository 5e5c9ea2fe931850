"""Value words: “美国”, `USA`, `US` become 502. From inline values and from packaged code tables."""

from __future__ import annotations

import csv
import unicodedata
from functools import lru_cache
from typing import NamedTuple

import polars as pl

from crossborder import resources
from crossborder.intake.mapping.model import WordTable


def plain(word: str) -> str:
    """A word for comparing: half width, no blanks, no case."""
    return "".join(unicodedata.normalize("NFKC", word).split()).casefold()


class Compiled(NamedTuple):
    """Word (plain) → code, and the codes themselves."""

    words: dict[str, str]
    codes: frozenset[str]


def compile_words(words: WordTable) -> Compiled:
    """A word table ready for use. A word of the packaged table that names two codes is left out."""
    where, values = tuple(words.where.items()), tuple(words.values.items())
    return _compiled(words.table, words.code, words.source, where, values)


@lru_cache(maxsize=256)
def _compiled(
    table: str,
    code: str,
    source: tuple[str, ...],
    where: tuple[tuple[str, str], ...],
    values: tuple[tuple[str, str], ...],
) -> Compiled:
    from_table: dict[str, str] = {}
    codes: set[str] = set()
    doubtful: set[str] = set()
    for line in _table(table) if table else ():
        if any(line.get(k) != v for k, v in where):
            continue
        codes.add(line[code])
        for word in {plain(line[column]) for column in source if line[column]}:
            if from_table.setdefault(word, line[code]) != line[code]:
                doubtful.add(word)
    packaged = {w: c for w, c in from_table.items() if w not in doubtful}
    by_hand = {plain(w): c for w, c in values}
    return Compiled(packaged | by_hand, frozenset(codes | set(by_hand.values())))


@lru_cache(maxsize=32)
def _table(name: str) -> tuple[dict[str, str], ...]:
    with resources.path(f"codes/{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def replace_words(values: pl.Series, table: Compiled) -> pl.Series:
    """Each known word replaced by its code; codes and unknown words stay as written."""
    old: list[str] = []
    new: list[str] = []
    for value in values.drop_nulls().unique(maintain_order=True):
        code = None if value in table.codes else table.words.get(plain(value))
        if code is not None and code != value:
            old.append(value)
            new.append(code)
    return values.replace(old, new) if old else values
