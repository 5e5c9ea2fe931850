"""By which rules a batch was judged: what the ledger keeps of it for an auditor."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Any

import polars as pl

from crossborder import __version__, rules
from crossborder.codes import Tables

_DAY = r"^[0-9]{8}$"


class JudgedBy:
    """The rule packs that the shipments of a hand-in were judged by, gathered block by block. Not thread-safe."""

    def __init__(self, context: rules.Context) -> None:
        self._context = context
        self._first = self._last = ""

    def add(self, shipments: pl.DataFrame) -> None:
        """The shipments of a block (`movement_date`, yyyyMMdd)."""
        day = pl.col("movement_date")
        found = shipments.filter(day.str.contains(_DAY)).select(
            day.min().alias("first"), day.max().alias("last")
        )
        first, last = found.row(0)
        if first is not None:
            self._first = min(self._first or first, first)
            self._last = max(self._last, last)

    def told(self) -> dict[str, Any]:
        """Days, packs with their versions (`crossborder replay` lists them) and the version of this program."""
        context = self._context
        days = {_iso(context.as_of or context.declared_on)}
        if context.as_of is None and self._first:
            days |= {_iso(self._first), _iso(self._last)}
        used = _between(_packs(context.tables), min(days), max(days))
        moved = [_iso(self._first), _iso(self._last)] if self._first else []
        return {
            "as_of": context.as_of and _iso(context.as_of),
            "declared_on": _iso(context.declared_on),
            "movement": moved,
            "packs": [{"id": pack.id, "version": pack.version} for pack in used],
            "program": __version__,
        }


def _between(packs: Iterable[rules.Pack], first: str, last: str) -> list[rules.Pack]:
    """Packs that are in force on some day from `first` to `last` (yyyy-mm-dd)."""
    return [
        pack
        for pack in packs
        if pack.id <= last and (pack.end is None or pack.end.isoformat() >= first)
    ]


@lru_cache(maxsize=4)
def _packs(tables: Tables) -> tuple[rules.Pack, ...]:
    return rules.packs(tables)


def _iso(day: str) -> str:
    """`20261123` as `2026-11-23`; what is no day stays as it is."""
    try:
        return date(int(day[:4]), int(day[4:6]), int(day[6:])).isoformat()
    except ValueError:
        return day
