"""Questions over whole frames: is there any row for which a condition holds?

This is the first of two phases everywhere: one row of answers for a frame, and rows only for what was answered
with yes. All questions go to polars at once, because what a question costs a small frame is being asked; of small
frames only what was not asked before about the same values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import compress
from typing import Any

import polars as pl

AS_WRITTEN = pl.QueryOptFlags.none(projection_pushdown=True)
"""Queries of known shape: polars only leaves out the columns that are not needed; looking for more costs more."""


FEW = 8
"""Rows up to which each row's values are looked up among those asked about before."""
_KEPT = 256


@dataclass(frozen=True, eq=False)
class Question:
    """Whether `when` (Boolean, null counts as false) holds in any row of a frame. May be asked from several threads.

    `across`: it compares rows with each other, so it must see all of them. `keep`: what was answered for a row is
    remembered by the values of its columns (the last few hundred), which spares small frames most questions; not for
    questions about personal data.
    """

    when: pl.Expr
    across: bool = False
    keep: bool = False
    _kept: dict[tuple[Any, ...], bool] = field(default_factory=dict, repr=False)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns that are looked at."""
        return tuple(dict.fromkeys(self.when.meta.root_names()))

    @cached_property
    def any(self) -> pl.Expr:
        """The question as an aggregate."""
        return self.when.any()

    def recall(
        self, rows: Sequence[Mapping[str, Any]]
    ) -> tuple[bool | None, list[tuple[Any, ...]]]:
        """The answer for some rows if it follows from earlier ones, and the values that are new."""
        keys = [tuple(row[name] for name in self.columns) for row in rows]
        told = [self._kept.get(key) for key in keys]
        if True in told:
            return True, []
        fresh = [key for key, answer in zip(keys, told, strict=True) if answer is None]
        return (None if fresh else False), fresh

    def remember(self, fresh: Sequence[tuple[Any, ...]], answer: bool) -> None:
        """Keep the answer for values; a yes about several does not say which is meant."""
        if answer and len(fresh) > 1:
            return
        if len(self._kept) > _KEPT:
            self._kept.clear()
        self._kept.update(dict.fromkeys(fresh, answer))


def answers(
    frame: pl.DataFrame, questions: Sequence[Question], *, sparing: bool = False
) -> list[bool]:
    """The answer to each question; no to all where the frame has no rows.

    `sparing`: a question over columns that are the same in every row is asked of one row. It takes a look at
    every column, which pays where questions are dear.
    """
    if not frame.height or not questions:
        return [False] * len(questions)
    if frame.height <= FEW:
        return _told(frame, questions, recall=True)
    same = constant(frame, {n for q in questions for n in q.columns}) if sparing else frozenset()
    short = [not q.across and same.issuperset(q.columns) for q in questions]
    one_row = iter(_told(frame.head(1), list(compress(questions, short)), recall=True))
    whole = iter(_told(frame, [q for q, s in zip(questions, short, strict=True) if not s]))
    return [next(one_row) if s else next(whole) for s in short]


def _told(
    frame: pl.DataFrame, questions: Sequence[Question], *, recall: bool = False
) -> list[bool]:
    """The answers: remembered ones (if `recall`), and of polars those that are not."""
    told: dict[int, bool] = {}
    fresh: dict[int, list[tuple[Any, ...]]] = {}
    kept = [i for i, q in enumerate(questions) if recall and q.keep and q.columns and not q.across]
    names = dict.fromkeys(n for i in kept for n in questions[i].columns)
    values = zip(*(frame.get_column(name).to_list() for name in names), strict=True)
    rows = [dict(zip(names, row, strict=True)) for row in values]
    for i in kept:
        answer, fresh[i] = questions[i].recall(rows)
        if answer is not None:
            told[i] = answer
    asked = [i for i in range(len(questions)) if i not in told]
    if asked:
        query = frame.lazy().select(questions[i].any.alias(str(i)) for i in asked)
        row = query.collect(engine="in-memory", optimizations=AS_WRITTEN).row(0)
        told |= {i: bool(answer) for i, answer in zip(asked, row, strict=True)}
    for i in kept:
        questions[i].remember(fresh[i], told[i])
    return [told[i] for i in range(len(questions))]


def constant(frame: pl.DataFrame, columns: Iterable[str]) -> frozenset[str]:
    """Which of the columns hold the same value (or none) in every row."""
    names = list(columns)
    if frame.height <= 1 or not names:
        return frozenset(names)
    first, last = (frame.row(place, named=True) for place in (0, -1))
    names = [name for name in names if first[name] == last[name]]
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
    return {series.name: series.len() - series.null_count() for series in frame.get_columns()}


def collect_all(queries: Sequence[pl.LazyFrame]) -> list[pl.DataFrame]:
    """The frames of several queries of known shape."""
    if len(queries) == 1:
        return [queries[0].collect(engine="in-memory", optimizations=AS_WRITTEN)]
    return pl.collect_all(queries, engine="in-memory", optimizations=AS_WRITTEN) if queries else []
