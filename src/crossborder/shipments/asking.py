"""Questions over whole frames: in which rows does a condition hold?

This is the first of two phases everywhere: the rows in which each condition holds, mostly none, and findings only
for those. All questions go to polars at once, because what a question costs a small frame is being asked; of small
frames only what was not asked before about the same values.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import itemgetter
from typing import Any

import polars as pl

AS_WRITTEN = pl.QueryOptFlags.none(projection_pushdown=True)
"""Queries of known shape: polars only leaves out the columns that are not needed; looking for more costs more."""

IN_COMMON = pl.QueryOptFlags.none(projection_pushdown=True)
IN_COMMON.comm_subexpr_elim = True
"""Queries of many expressions: what several of them have in common is worked out once."""

FEW = 8
"""Rows up to which each row's values are looked up among those asked about before."""
MANY = 2_000
"""Rows from which on it pays to look for columns that are the same in every row."""
_KEPT = 256
_PROBED, _DISTINCT = 96, 48
"""How many different values among the first rows, and among all, are few."""


@dataclass(frozen=True, eq=False)
class Question:
    """Where `when` (Boolean, null counts as false) holds in a frame.

    `across`: it compares rows with each other, so it must see all of them. `keep`: what was answered for a row is
    remembered by the values of its columns (the last few hundred), which spares small frames most questions; not for
    questions about personal data.
    """

    when: pl.Expr
    across: bool = False
    keep: bool = False

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns that are looked at."""
        return tuple(dict.fromkeys(self.when.meta.root_names()))


class Panel:
    """Questions that are asked together, made ready once. May be asked from several threads.

    They are spoken of by their number, their place among `questions`.
    """

    def __init__(self, questions: Iterable[Question]) -> None:
        self.questions = tuple(questions)
        self._asked = [q.when.alias(str(i)) for i, q in enumerate(self.questions)]
        kept = [i for i, q in enumerate(self.questions) if q.keep and q.columns and not q.across]
        numbers: dict[tuple[str, ...], list[int]] = {}
        for i in kept:
            numbers.setdefault(self.questions[i].columns, []).append(i)
        self._remembered = sorted({name for columns in numbers for name in columns})
        self.memories = [
            Memory(columns, tuple(mine), itemgetter(*map(self._remembered.index, columns)))
            for columns, mine in numbers.items()
        ]
        self._kept = frozenset(kept)

    def ask(
        self, frame: pl.DataFrame, wanted: Collection[int] | None = None, *, sparing: bool = False
    ) -> dict[int, pl.Series]:
        """Number → the places of the rows (from 0, rising) where it holds, of those that hold anywhere.

        `wanted` are the numbers asked, all if left out. `sparing`: of many rows, a question over columns that are
        the same in every row is asked of one row. It takes a look at every column.
        """
        asked = range(len(self.questions)) if wanted is None else sorted(wanted)
        if not frame.height or not asked:
            return {}
        if frame.height <= FEW:
            return self._of_few(frame, asked)
        of_values = self._of_values(frame, asked) if frame.height < MANY else {}
        found = {i: places for i, places in of_values.items() if places is not None}
        asked = [i for i in asked if i not in of_values]
        if sparing and frame.height >= MANY:
            of_one = self._settled_by_one_row(frame, asked)
            told = self._of_few(frame.head(1), sorted(of_one))
            found |= dict.fromkeys(told, everywhere(frame.height))
            asked = [i for i in asked if i not in of_one]
        found.update(self._of_polars(frame, asked))
        return found

    def _settled_by_one_row(self, frame: pl.DataFrame, asked: Sequence[int]) -> set[int]:
        same = constant(frame, {n for i in asked for n in self.questions[i].columns})
        return {
            i for i in asked
            if not self.questions[i].across and same.issuperset(self.questions[i].columns)
        }  # fmt: skip

    def _of_polars(
        self, frame: pl.DataFrame, asked: Sequence[int]
    ) -> Iterator[tuple[int, pl.Series]]:
        places = everywhere(frame.height)
        for i, mask in zip(asked, self._masks(frame, asked), strict=True):
            if mask.any():
                yield i, places.filter(mask)

    def _masks(self, frame: pl.DataFrame, asked: Sequence[int]) -> list[pl.Series]:
        return columns_of(frame, [self._asked[i] for i in asked])

    def _of_values(self, frame: pl.DataFrame, asked: Sequence[int]) -> dict[int, pl.Series | None]:
        """Questions about one column that holds few different values: what is remembered of these values."""
        wanted = frozenset(asked)
        alone = {
            memory.columns[0]: memory
            for memory in self.memories
            if len(memory.columns) == 1 and not wanted.isdisjoint(memory.numbers)
        }
        distinct = [(alone[name], keys) for name, keys in _few_different(frame, list(alone))]
        self._learn(frame.schema, distinct)
        found: dict[int, pl.Series | None] = {}
        for memory, keys in distinct:
            told = [(key, memory.told.get(key)) for key in keys]
            if any(numbers is None for _, numbers in told):
                continue
            found.update(dict.fromkeys(wanted.intersection(memory.numbers)))
            for i in {i for _, numbers in told for i in numbers or ()} & wanted:
                hit = [key for key, numbers in told if i in (numbers or ())]
                found[i] = _where(frame.get_column(memory.columns[0]), hit)
        return found

    def _learn(self, schema: pl.Schema, distinct: Iterable[tuple[Memory, list[Any]]]) -> None:
        """Ask about the values that are not remembered, of all columns at once, and remember them."""
        fresh = [
            (memory, [key for key in keys if key not in memory.told]) for memory, keys in distinct
        ]
        fresh = [(memory, keys) for memory, keys in fresh if keys]
        if not fresh:
            return
        height = max(len(keys) for _, keys in fresh)
        values = [
            pl.Series(memory.columns[0], keys, dtype=schema[memory.columns[0]]).extend_constant(
                keys[0], height - len(keys)
            )
            for memory, keys in fresh
        ]
        numbers = [i for memory, _ in fresh for i in memory.numbers]
        answers = dict(zip(numbers, self._masks(pl.DataFrame(values), numbers), strict=True))
        for memory, keys in fresh:
            for place, key in enumerate(keys):
                memory.keep(key, [i for i in memory.numbers if answers[i][place]])

    def _of_few(self, frame: pl.DataFrame, asked: Sequence[int]) -> dict[int, pl.Series]:
        """Of few rows: what is remembered, and of polars what is not."""
        wanted = frozenset(asked)
        places: dict[int, list[int]] = {}
        fresh: list[tuple[Memory, list[Any]]] = []
        rows = frame[self._remembered].rows() if self._remembered else []
        for memory in self.memories:
            if wanted.isdisjoint(memory.numbers):
                continue
            keys = [memory.key(row) for row in rows]
            told = [memory.told.get(key) for key in keys]
            if None in told:
                fresh.append((memory, keys))
                continue
            for place, numbers in enumerate(told):
                for i in numbers or ():
                    places.setdefault(i, []).append(place)
        open_ = [i for i in asked if i not in self._kept]
        open_ += [i for memory, _ in fresh for i in memory.numbers]
        answers = dict(zip(open_, self._masks(frame, open_), strict=True))
        for i, mask in answers.items():
            if mask.any():
                places[i] = [at for at, one in enumerate(mask.to_list()) if one]
        for memory, keys in fresh:
            for place, key in enumerate(keys):
                memory.keep(key, [i for i in memory.numbers if place in places.get(i, ())])
        return {i: pl.Series(places[i], dtype=pl.UInt32) for i in asked if i in places}


@dataclass(frozen=True, eq=False)
class Memory:
    """What is remembered of the questions over the same columns: the values of a row → the numbers that hold."""

    columns: tuple[str, ...]
    numbers: tuple[int, ...]
    key: Callable[[tuple[Any, ...]], Any]
    told: dict[Any, list[int]] = field(default_factory=dict, repr=False)

    def keep(self, key: Any, numbers: list[int]) -> None:
        """Remember a row; the oldest few hundred are forgotten together."""
        if len(self.told) >= _KEPT:
            self.told.clear()
        self.told[key] = numbers


def _few_different(frame: pl.DataFrame, names: Sequence[str]) -> Iterator[tuple[str, list[Any]]]:
    """Of these columns those that hold few different values, and which."""
    some = frame.slice(0, _PROBED)
    names = [name for name in names if some.get_column(name).n_unique() <= _DISTINCT]
    for name in names:
        values = frame.get_column(name)
        if values.n_unique() <= _DISTINCT:
            yield name, list(dict.fromkeys(values.to_list()))


def _where(values: pl.Series, hit: Sequence[Any]) -> pl.Series:
    """The places of the rows that hold one of some values."""
    if set(hit) == {None}:
        mask = values.is_null()
    else:
        mask = values.is_in(pl.Series(hit, dtype=values.dtype).implode(), nulls_equal=True)
    return everywhere(len(values)).filter(mask)


def columns_of(frame: pl.DataFrame, exprs: Sequence[pl.Expr]) -> list[pl.Series]:
    """The values of expressions with different names, one for each row, also where they are literals."""
    if not exprs:
        return []
    query = frame.lazy().select(exprs)
    made = query.collect(engine="in-memory", optimizations=IN_COMMON).get_columns()
    if len(made[0]) == frame.height:
        return made
    return [values.new_from_index(0, frame.height) for values in made]


def everywhere(height: int) -> pl.Series:
    """The places of all rows."""
    return pl.int_range(height, dtype=pl.UInt32, eager=True)


def constant(frame: pl.DataFrame, columns: Iterable[str]) -> frozenset[str]:
    """Which of the columns hold the same value (or none) in every row."""
    names = list(columns)
    if frame.height <= 1 or not names:
        return frozenset(names)
    some = frame[names]
    ends = zip(names, some.row(0), some.row(-1), strict=True)
    names = [name for name, first, last in ends if first == last]
    if not names:
        return frozenset()
    whole = pl.col(names)
    same = (
        frame.lazy()
        .select(whole.eq_missing(whole.first()).all())
        .collect(engine="in-memory", optimizations=AS_WRITTEN)
        .row(0)
    )
    return frozenset(name for name, one in zip(names, same, strict=True) if one)


def filled(frame: pl.DataFrame) -> Mapping[str, int]:
    """How many rows of each column hold a value; polars keeps count, so this looks at no row."""
    rows = frame.height
    return {s.name: rows - s.null_count() for s in frame.get_columns()}


def collect_all(queries: Sequence[pl.LazyFrame]) -> list[pl.DataFrame]:
    """The frames of several queries of known shape."""
    if len(queries) == 1:
        return [queries[0].collect(engine="in-memory", optimizations=AS_WRITTEN)]
    return pl.collect_all(queries, engine="in-memory", optimizations=AS_WRITTEN) if queries else []
