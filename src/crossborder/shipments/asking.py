"""Questions over whole frames: in which rows does a condition hold?

This is the first of two phases everywhere: the rows in which each condition holds, mostly none, and findings only
for those. All questions go to polars at once, because what a question costs a small frame is being asked; of small
frames only what was not asked before about the same values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from operator import itemgetter
from typing import Any, Literal

import polars as pl

AS_WRITTEN = pl.QueryOptFlags.none(projection_pushdown=True)
"""Queries of known shape: polars only leaves out the columns that are not needed; looking for more costs more."""

AT_ONCE = pl.QueryOptFlags.none()
"""Queries of few rows: nothing is looked for."""

IN_COMMON = pl.QueryOptFlags.none(projection_pushdown=True)
IN_COMMON.comm_subexpr_elim = True
"""Queries of many expressions: what several of them have in common is worked out once."""

FEW = 8
"""Rows up to which each row's values are looked up among those asked about before."""
DOZENS = 128
"""Rows up to which the different values of a column are looked up so; of more rows too many come for the first time."""
MANY = 2_000
"""Rows from which on it pays to look for columns that are the same in every row."""
_SOME = 24
"""Expressions that are worked out by one thread if the rows are not many."""
_KEPT = 256
_PROBED, _DISTINCT = 96, 48
"""How many different values among the first rows, and among all, are few."""


Look = Literal["value", "given", "length", "digits"]
"""What of a value an answer depends on: all of it; whether there is one; how long it is; where digits stand in it."""
_NOUGHTS = str.maketrans("123456789", "000000000")
_LOOKS: Mapping[Look, Callable[[Any], Any]] = {
    "value": lambda value: value,
    "given": lambda value: value is not None,
    "length": lambda value: None if value is None else len(value),
    "digits": lambda value: None if value is None else value.translate(_NOUGHTS),
}


@dataclass(frozen=True, eq=False)
class Question:
    """Where `when` (Boolean, null counts as false) holds in a frame.

    `across`: it compares rows with each other, so it must see all of them. `keep`: what was answered for a row is
    remembered by the values of its columns (the last few hundred), which spares small frames most questions; not for
    questions about personal data. `looks` says of a column that less than its value counts, so that rows which differ
    in nothing else are remembered together; `given` and `length` tell nothing of a person. `only_if` must all hold wherever
    `when` does (`when` says them too): conditions about nobody's personal data that few different values decide, so that
    they are remembered; where one of them holds nowhere the question is not asked.
    """

    when: pl.Expr
    across: bool = False
    keep: bool = False
    looks: Mapping[str, Look] = field(default_factory=dict)
    only_if: tuple[pl.Expr, ...] = ()

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns that are looked at."""
        return tuple(dict.fromkeys(self.when.meta.root_names()))

    @property
    def seen(self) -> tuple[tuple[str, Look], ...]:
        """The columns, and what of their values counts."""
        return tuple((name, self.looks.get(name, "value")) for name in self.columns)


class Panel:
    """Questions that are asked together, made ready once. May be asked from several threads.

    They are spoken of by their number, their place among `questions`.
    """

    def __init__(self, questions: Iterable[Question]) -> None:
        self.questions = tuple(questions)
        self._asked = [q.when.alias(str(i)) for i, q in enumerate(self.questions)]
        kept = [i for i, q in enumerate(self.questions) if q.keep and q.columns and not q.across]
        numbers: dict[tuple[tuple[str, Look], ...], list[int]] = {}
        for i in kept:
            numbers.setdefault(self.questions[i].seen, []).append(i)
        seen = sorted({one for columns in numbers for one in columns})
        self._remembered = list(dict.fromkeys(name for name, _ in seen))
        self._seen = [(self._remembered.index(name), _LOOKS[look]) for name, look in seen]
        self.memories = [
            Memory(
                tuple(name for name, _ in columns),
                tuple(mine),
                itemgetter(*map(seen.index, columns)),
                _LOOKS[columns[0][1]],
            )
            for columns, mine in numbers.items()
        ]
        self._kept = frozenset(kept)
        self._memory_of = {i: memory for memory in self.memories for i in memory.numbers}
        gates: list[pl.Expr] = []
        self._gated = {
            i: frozenset(_place(gate, gates) for gate in q.only_if)
            for i, q in enumerate(self.questions) if q.only_if
        }  # fmt: skip
        self.gates: Panel | None = None
        """The conditions of `only_if`, asked before the questions themselves."""
        if gates:
            self.gates = Panel(Question(gate, keep=True) for gate in gates)

    def ask(
        self, frame: pl.DataFrame, wanted: Collection[int] | None = None, *, sparing: bool = False
    ) -> dict[int, pl.Series]:
        """Number → the places of the rows (from 0, rising) where it holds, of those that hold anywhere.

        `wanted` are the numbers asked, all if left out. `sparing`: of many rows, a question over columns that are
        the same in every row is asked of one row. It takes a look at every column.
        """
        asked = list(range(len(self.questions))) if wanted is None else sorted(wanted)
        if not frame.height or not asked:
            return {}
        if frame.height <= FEW:
            return self._of_few(frame, self._open(frame, asked))
        found: dict[int, pl.Series | None] = {}
        if frame.height <= DOZENS:
            found = {
                i: _where(frame.get_column(name), hit) if hit else None
                for i, (name, hit) in self._of_values(frame, asked).items()
            }
            asked = self._open(frame, [i for i in asked if i not in found])
        elif frame.height >= MANY and sparing:
            found = self._of_one_row(frame, asked)
            asked = [i for i in asked if i not in found]
        told = {i: places for i, places in found.items() if places is not None}
        told.update(self._of_polars(frame, asked))
        return told

    def _open(self, frame: pl.DataFrame, asked: list[int]) -> list[int]:
        """The questions whose gates may all hold somewhere; of few rows what is remembered is asked first."""
        few, gates = frame.height <= FEW, self.gates
        gated = [i for i in asked if i in self._gated and not (few and i in self._kept)]
        if gates is None or not gated:
            return asked
        numbers = sorted(frozenset().union(*(self._gated[i] for i in gated)))
        if few:
            shut = frozenset(numbers).difference(gates._of_few(frame, numbers))
        else:
            shut = frozenset(
                n for n, (_, hit) in gates._of_values(frame, numbers).items() if not hit
            )
        return self._without(asked, shut)

    def _without(self, asked: list[int], shut: frozenset[int]) -> list[int]:
        return [i for i in asked if i not in self._gated or shut.isdisjoint(self._gated[i])]

    def _of_one_row(self, frame: pl.DataFrame, asked: list[int]) -> dict[int, pl.Series | None]:
        """Questions that are settled by one of many rows: they, or their gates, look only at columns that are the same
        in every row."""
        same = constant(frame, {n for i in asked for n in self.questions[i].columns})
        row, everyone = frame.head(1), everywhere(frame.height)
        open_ = asked
        if self.gates is not None:
            gates = self.gates._settled(range(len(self.gates.questions)), same)
            shut = frozenset(gates).difference(self.gates._of_few(row, gates))
            open_ = self._without(asked, shut)
        settled = self._settled(open_, same)
        told = self._of_few(row, settled)
        found: dict[int, pl.Series | None] = dict.fromkeys(set(asked).difference(open_))
        return found | {i: everyone if i in told else None for i in settled}

    def _settled(self, asked: Iterable[int], same: Collection[str]) -> list[int]:
        return [
            i for i in asked
            if not self.questions[i].across and all(n in same for n in self.questions[i].columns)
        ]  # fmt: skip

    def _of_polars(
        self, frame: pl.DataFrame, asked: Sequence[int]
    ) -> Iterator[tuple[int, pl.Series]]:
        places = everywhere(frame.height)
        for i, mask in zip(asked, self._masks(frame, asked), strict=True):
            if mask.any():
                yield i, places.filter(mask)

    def _masks(self, frame: pl.DataFrame, asked: Sequence[int]) -> list[pl.Series]:
        return columns_of(frame, [self._asked[i] for i in asked])

    def _of_values(
        self, frame: pl.DataFrame, asked: Sequence[int]
    ) -> dict[int, tuple[str, list[Any]]]:
        """Questions about one column that holds few different values: the column, and for which values they hold."""
        wanted = frozenset(asked)
        alone: dict[str, list[Memory]] = {}
        for memory in self.memories:
            if len(memory.columns) == 1 and not wanted.isdisjoint(memory.numbers):
                alone.setdefault(memory.columns[0], []).append(memory)
        distinct = [
            (memory, keys)
            for name, keys in _few_different(frame, list(alone))
            for memory in alone[name]
        ]
        self._learn(frame.schema, distinct)
        found: dict[int, tuple[str, list[Any]]] = {}
        for memory, keys in distinct:
            told = [memory.told.get(memory.look(key)) for key in keys]
            if None in told:
                continue
            found.update((i, (memory.columns[0], [])) for i in memory.numbers if i in wanted)
            for key, numbers in zip(keys, told, strict=True):
                for i in numbers or ():
                    if i in wanted:
                        found[i][1].append(key)
        return found

    def _learn(self, schema: pl.Schema, distinct: Iterable[tuple[Memory, list[Any]]]) -> None:
        """Ask about the values that are not remembered, of all columns at once, and remember them."""
        fresh: dict[str, list[Any]] = {}
        memories = []
        for memory, keys in distinct:
            new = [key for key in keys if memory.look(key) not in memory.told]
            if new:
                known = fresh.setdefault(memory.columns[0], [])
                known += [key for key in new if key not in known]
                memories.append(memory)
        if not fresh:
            return
        height = max(map(len, fresh.values()))
        values = [
            pl.Series(name, keys, dtype=schema[name]).extend_constant(keys[0], height - len(keys))
            for name, keys in fresh.items()
        ]
        numbers = [i for memory in memories for i in memory.numbers]
        answers = dict(zip(numbers, self._masks(pl.DataFrame(values), numbers), strict=True))
        for memory in memories:
            for place, key in enumerate(fresh[memory.columns[0]]):
                memory.keep(memory.look(key), [i for i in memory.numbers if answers[i][place]])

    def _of_few(self, frame: pl.DataFrame, asked: Sequence[int]) -> dict[int, pl.Series]:
        """Of few rows: what is remembered, and of polars what is not."""
        places: dict[int, list[int]] = {}
        fresh: list[tuple[Memory, list[Any]]] = []
        given = frame[self._remembered].rows() if self._remembered else []
        rows = [[look(row[at]) for at, look in self._seen] for row in given]
        for memory in dict.fromkeys(self._memory_of[i] for i in asked if i in self._kept):
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
    """What is remembered of the questions that look at the same of some columns: what they see of a row → the numbers
    that hold. `look` is what they see of a value of the first column."""

    columns: tuple[str, ...]
    numbers: tuple[int, ...]
    key: Callable[[Sequence[Any]], Any]
    look: Callable[[Any], Any]
    told: dict[Any, list[int]] = field(default_factory=dict, repr=False)

    def keep(self, key: Any, numbers: list[int]) -> None:
        """Remember a row; the oldest few hundred are forgotten together."""
        if len(self.told) >= _KEPT:
            self.told.clear()
        self.told[key] = numbers


def _place(one: pl.Expr, among: list[pl.Expr]) -> int:
    """Where an expression stands among some others; if it does not, it is put behind them."""
    for at, other in enumerate(among):
        if one.meta.eq(other):
            return at
    among.append(one)
    return len(among) - 1


def _few_different(frame: pl.DataFrame, names: Sequence[str]) -> Iterator[tuple[str, list[Any]]]:
    """Of these columns those that hold few different values, and which; not of decimals, which are dear to bring here."""
    for name in names:
        values = frame.get_column(name)
        if values.dtype.is_decimal() or len(set(values.slice(0, _PROBED).to_list())) > _DISTINCT:
            continue
        different = dict.fromkeys(values.to_list())
        if len(different) <= _DISTINCT:
            yield name, list(different)


def _where(values: pl.Series, hit: Sequence[Any]) -> pl.Series:
    """The places of the rows that hold one of some values."""
    if set(hit) == {None}:
        mask = values.is_null()
    else:
        mask = values.is_in(pl.Series(hit, dtype=values.dtype).implode(), nulls_equal=True)
    return everywhere(len(values)).filter(mask)


def columns_of(frame: pl.DataFrame, exprs: Sequence[pl.Expr]) -> list[pl.Series]:
    """The values of expressions with different names, one for each row, also where they are literals.

    Of few rows, and some expressions, they are worked out one after the other and as they are written: looking for what
    they have in common, and handing them to other threads, costs more. Every thread keeps some thirty regular expressions compiled: this one
    then has those of most questions, while polars' own threads have those of `made_of`.
    """
    if not exprs:
        return []
    if frame.height <= FEW or (frame.height < MANY and len(exprs) <= _SOME):
        query = whole(frame).lazy().select_seq(exprs)
        made = query.collect(engine="in-memory", optimizations=_for(frame)).get_columns()
    else:
        made = made_of(frame, exprs).get_columns()
    if len(made[0]) == frame.height:
        return made
    return [values.new_from_index(0, frame.height) for values in made]


def made_of(
    frame: pl.DataFrame, exprs: Sequence[pl.Expr], *beside: Sequence[pl.Expr]
) -> pl.DataFrame:
    """The values of expressions, and step by step what expressions over these make beside them."""
    query = whole(frame).lazy().select(exprs)
    for step in beside:
        query = query.with_columns(step)
    return query.collect(engine="in-memory", optimizations=_for(frame))


def whole(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame in one piece: polars 2.1 panics where it formats texts of columns that lie in several pieces together
    with a literal, one expression after another."""
    return frame.rechunk()


def _for(frame: pl.DataFrame) -> pl.QueryOptFlags:
    """What is worth looking for in a query of many expressions over a frame."""
    if frame.height <= FEW:
        return AT_ONCE
    return AS_WRITTEN if frame.height < MANY else IN_COMMON


def holds(values: pl.Series, form: str) -> bool:
    """Whether any of the texts has a form (a regular expression for all of a text, the same in Python's dialect).

    Few texts are looked at in Python: asking polars costs more.
    """
    if len(values) > FEW:
        return bool(values.str.contains(form).any())
    return any(map(_compiled(form).fullmatch, filter(None, values.to_list())))


@lru_cache(maxsize=64)
def _compiled(form: str) -> re.Pattern[str]:
    return re.compile(form.removeprefix("^").removesuffix("$"))


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
    if not frame.width:
        return {}
    rows, empty = frame.height, frame.null_count().row(0)
    return {name: rows - count for name, count in zip(frame.columns, empty, strict=True)}


def collect_all(queries: Sequence[pl.LazyFrame]) -> list[pl.DataFrame]:
    """The frames of several queries of known shape."""
    if len(queries) == 1:
        return [queries[0].collect(engine="in-memory", optimizations=AS_WRITTEN)]
    return pl.collect_all(queries, engine="in-memory", optimizations=AS_WRITTEN) if queries else []
