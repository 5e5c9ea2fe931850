"""What earlier batches have in common with a hand-in: the marks that the ledger keeps of them.

The marks of a large hand-in are compared with those of earlier batches block by block, as they come from the ledger. For a
small one, as the service hands in all day, the earlier ones stay in memory, found in order.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import groupby
from operator import itemgetter

import polars as pl

from crossborder.ledger import HASHES, MARKS, Ledger

EARLIER: dict[str, pl.DataType | type[pl.DataType]] = {"batch": pl.String, **MARKS}
SMALL = 5_000
"""Shipments up to which a hand-in is small."""
POOL = 2_000_000
"""Shipments whose marks stay in memory (some 100 bytes each)."""
TAIL = 10_000
"""Shipments that came last and are looked through, not found in order."""
_WRITTEN = "%Y%m%d"
_Wanted = Mapping[str, pl.Series]


def of(ledger: Ledger) -> History:
    """The history of a ledger; one for each, as long as it is open."""
    with _GUARD:
        return _HISTORIES.setdefault(ledger, History(ledger))


class History:
    """The marks of a ledger's sealed batches. May be asked from several threads."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = weakref.proxy(ledger)
        self._guard = threading.Lock()
        self._pool = _Pool()

    def sharing(self, own: pl.DataFrame, within: timedelta) -> pl.DataFrame:
        """Columns `EARLIER`: shipments of sealed batches that share a mark with `own` and moved at most so long before or after.

        `own` has the marks and `day` of `MARKS`. Days count from the first and to the last one of `own`.
        """
        if not own.height:
            return pl.DataFrame(schema=EARLIER)
        ends = own.select(pl.col("day").min().alias("first"), pl.col("day").max().alias("last"))
        first, last = ends.row(0)
        days = first - within, last + within
        wanted = {mark: own[mark].drop_nulls().unique().sort() for mark in HASHES}
        written = days[0].strftime(_WRITTEN), days[1].strftime(_WRITTEN)
        if own.height <= SMALL:
            with self._guard:
                found = [*self._new(wanted), self._pool.sharing(wanted)]
        else:
            found = [
                _of(batch, marks).filter(_shared(marks, wanted))
                for batch, _, marks in self._ledger.marks_since(0, *written)
            ]
        near = pl.col("day").is_between(*days)
        every = pl.concat([pl.DataFrame(schema=EARLIER), *found])
        return every.filter(near).sort("batch", "position")

    def _new(self, wanted: _Wanted) -> Iterator[pl.DataFrame]:
        """Take what was sealed since into the pool; what it has no room for is compared here."""
        full = False
        sealed = groupby(self._ledger.marks_since(self._pool.until), key=itemgetter(0, 1))
        for (batch, number), found in sealed:
            blocks = [marks for _, _, marks in found]
            rows = sum(marks.height for marks in blocks)
            if not full and not self._pool.has_room(rows):
                self._pool.forget(self._ledger.first_sealed())
                full = not self._pool.has_room(rows)
            for marks in blocks:
                if full:
                    yield _of(batch, marks).filter(_shared(marks, wanted))
                else:
                    self._pool.add(_of(batch, marks), number)


_GUARD = threading.Lock()
_HISTORIES: weakref.WeakKeyDictionary[Ledger, History] = weakref.WeakKeyDictionary()


class _Pool:
    """Marks in memory: most of them in order of each mark, the last ones as they came."""

    def __init__(self) -> None:
        self.until = 0
        self._kept = pl.DataFrame(schema={**EARLIER, "number": pl.Int64})
        self._tail = self._kept.clone()
        self._order: dict[str, pl.DataFrame] = {}
        self._in_order()

    def has_room(self, shipments: int) -> bool:
        """Whether so many more may be added."""
        return self._kept.height + self._tail.height + shipments <= POOL

    def add(self, marks: pl.DataFrame, number: int) -> None:
        """The marks of a block of the batch that was sealed as `number`."""
        self._tail = pl.concat(
            [self._tail, marks.with_columns(number=pl.lit(number, dtype=pl.Int64))]
        )
        self.until = number
        if self._tail.height > max(TAIL, self._kept.height // 8):
            self._kept = pl.concat([self._kept, self._tail]).rechunk()
            self._tail = self._kept.clear()
            self._in_order()

    def forget(self, before: int) -> None:
        """Batches that were sealed before this number are in the ledger no more."""
        self._kept = (
            pl.concat([self._kept, self._tail]).filter(pl.col("number") >= before).rechunk()
        )
        self._tail = self._kept.clear()
        self._in_order()

    def sharing(self, wanted: _Wanted) -> pl.DataFrame:
        """Those that have a mark in common with what is wanted."""
        places = [self._places(mark, values) for mark, values in wanted.items()]
        found = self._kept[pl.concat(places).unique().sort()]
        last = self._tail.filter(_shared(self._tail, wanted))
        return pl.concat([found, last]).select(*EARLIER)

    def _places(self, mark: str, values: pl.Series) -> pl.Series:
        order = self._order[mark]
        first = order[mark].search_sorted(values, "left")
        stop = order[mark].search_sorted(values, "right")
        ranges = pl.DataFrame({"first": first, "stop": stop}).filter(
            pl.col("first") < pl.col("stop")
        )
        if not ranges.height:
            return order["place"].clear()
        at = ranges.select(pl.int_ranges("first", "stop").explode()).to_series()
        return order["place"].gather(at)

    def _in_order(self) -> None:
        placed = self._kept.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias("place"), *HASHES)
        self._order = {
            mark: placed.select(mark, "place").drop_nulls(mark).sort(mark) for mark in HASHES
        }


def _of(batch: str, marks: pl.DataFrame) -> pl.DataFrame:
    return marks.select(pl.lit(batch).alias("batch"), *MARKS)


def _shared(marks: pl.DataFrame, wanted: _Wanted) -> pl.Series:
    """Which rows have a mark that is wanted; `wanted` are in order, each once."""
    found = pl.repeat(value=False, n=marks.height, dtype=pl.Boolean, eager=True)
    for mark, values in wanted.items():
        if len(values):
            given = marks[mark]
            at = values.search_sorted(given.fill_null(0)).clip(upper_bound=len(values) - 1)
            found |= (values.gather(at) == given).fill_null(value=False)
    return found
