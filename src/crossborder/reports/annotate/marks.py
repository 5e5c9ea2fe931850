"""What an annotated workbook is made of: every faulty cell, and the texts of as many findings as people can read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from crossborder.shipments import findings as found

REJECT, HOLD, NOTE = 0, 1, 2
"""How a cell is marked: a fault; what a person must decide (also *not evaluated*); a remark."""
REPEATED = 4
"""Added to it in further rows of a shipment that repeat a value of its first row: only what is filled is marked."""
LISTED = 100_000
"""Findings whose texts are kept; of those that are only remarks, half as many."""
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_TEXTS = ("row", "column", "shipment", "rule", "kind", "severity", "action", "value", "zh", "en", "fix_zh", "fix_en", "suggest", "source")  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Where the rows stand: sheet, header (row from 1, column of its first name from 0), the column that stands for a
    whole row (its waybill) as a position in the header, and how many rows further down than findings say."""

    sheet: str
    header: Sequence[str]
    header_row: int
    first_column: int = 0
    anchor: int = 0
    down: int = 0

    def columns(self) -> Mapping[str, int]:
        """Column of the sheet (from 0) by the name that a finding says; the first of equal names."""
        named = {
            name.strip() or letters(i): i for i, name in reversed(list(enumerate(self.header)))
        }
        return {name: self.first_column + at for name, at in named.items()}

    @property
    def last_column(self) -> int:
        """The last column of the header, from 0."""
        return self.first_column + max(len(self.header), 1) - 1


class Marks:
    """Findings, taken frame by frame: a few bytes are kept of each, and the texts of the first `LISTED`."""

    def __init__(self) -> None:
        self._names: dict[str | None, int] = {}
        self._cells: list[pl.DataFrame] = []
        self._rows: list[pl.DataFrame] = []
        self._heads: frozenset[str] = frozenset()
        self._keys: frozenset[str] = frozenset()
        self._texts: list[pl.DataFrame] = []
        self._room = {True: LISTED, False: LISTED // 2}
        self.count = 0

    def shipments(self, frame: pl.DataFrame, heads: Iterable[str], keys: Iterable[str]) -> None:
        """Further shipments (`ship`, `row`, `rows`). `heads` are the columns whose value each of their rows repeats or
        leaves empty, `keys` those that no row may leave empty."""
        self._heads |= set(heads)
        self._keys |= set(keys)
        several = frame.filter(pl.col("rows").list.len() > 1)
        self._rows.append(
            several.select("ship", pl.col("row").alias("first"), pl.col("rows").alias("row"))
            .explode("row")
            .filter(pl.col("row") != pl.col("first"))
        )

    def add(self, findings: pl.DataFrame) -> None:
        """Further findings, with the columns of `crossborder.shipments.findings.SCHEMA`."""
        self.count += findings.height
        told = findings.with_columns(kind=_kind())
        for name in told["column"].unique():
            self._names.setdefault(name, len(self._names))
        numbered = pl.col("column").replace_strict(
            list(self._names), list(self._names.values()), return_dtype=pl.UInt16
        )
        self._cells.append(
            told.filter(pl.col("row") > 0)
            .select("ship", "row", numbered.alias("name"), "kind")
            .unique()
        )
        for grave in (True, False):
            some = told.filter((pl.col("kind") < NOTE) == grave).head(self._room[grave])
            self._room[grave] -= some.height
            if some.height:
                self._texts.append(some.select(_TEXTS))

    def cells(self, place: Place) -> dict[int, dict[int, int]]:
        """Row (from 1) → column (from 0) → how it is marked; of several the gravest."""
        if not self._cells:
            return {}
        told = pl.concat(self._cells)
        worst = (
            pl.concat([told.drop("ship"), self._repeated(told)])
            .with_columns(at=self._at(place, pl.col("name")))
            .group_by(pl.col("row") + place.down, "at")
            .agg(pl.col("kind").min())
            .sort("row", "at")
        )
        self._cells = []
        cells: dict[int, dict[int, int]] = {}
        for row, at, kind in worst.iter_rows():
            cells.setdefault(row, {})[at] = kind
        return cells

    def _repeated(self, cells: pl.DataFrame) -> pl.DataFrame:
        """The same in further rows of a shipment, where the first one is at fault in a column that all repeat."""
        if not self._rows:
            return cells.drop("ship").clear()
        heads = [number for name, number in self._names.items() if name in self._heads]
        keys = [number for name, number in self._names.items() if name in self._keys]
        faulty = cells.filter(pl.col("name").is_in(heads)).rename({"row": "first"})
        every = pl.concat(self._rows).join(faulty, on=["ship", "first"])
        filled = pl.when(pl.col("name").is_in(keys)).then(0).otherwise(REPEATED)
        kind = (pl.col("kind") + filled).cast(pl.UInt8)
        return every.select(pl.col("row").cast(pl.UInt32), "name", kind)

    def _at(self, place: Place, number: pl.Expr) -> pl.Expr:
        known = place.columns()
        anchor = place.first_column + place.anchor
        at = [known.get(name or "", anchor) for name in self._names]
        return number.replace_strict(list(self._names.values()), at, return_dtype=pl.UInt16)

    def listed(self, place: Place) -> pl.DataFrame:
        """The findings whose texts were kept, by row, with `at`, the column of the sheet that each is about."""
        if not self._texts:
            return pl.DataFrame(schema={n: found.SCHEMA.get(n, pl.UInt8) for n in _TEXTS} | {"at": pl.UInt16})  # fmt: skip
        names = [n for n in self._names if n is not None]
        number = pl.col("column").replace_strict(
            names, [self._names[n] for n in names], default=self._names.get(None), return_dtype=pl.UInt16
        )  # fmt: skip
        return (
            pl.concat(self._texts)
            .with_columns(pl.col("row") + place.down, at=self._at(place, number))
            .sort("row", "kind", nulls_last=False, maintain_order=True)
        )


def _kind() -> pl.Expr:
    return (
        pl.when(pl.col("action").is_in(["reject", "transfer"]))
        .then(pl.lit(REJECT))
        .when(pl.col("action") == "hold")
        .then(pl.lit(HOLD))
        .otherwise(pl.lit(NOTE))
        .cast(pl.UInt8)
    )


def by_cell(listed: pl.DataFrame, most: int) -> Iterator[tuple[int, int, list[dict[str, Any]]]]:
    """Row, column and findings of the cells that get a comment: at most `most`, the gravest ones; by place."""
    placed = listed.filter(pl.col("row") > 0)
    groups = placed.group_by("row", "at", maintain_order=True).agg(
        pl.col("kind").min().alias("worst"), pl.struct(pl.all().exclude("row", "at")).alias("told")
    )
    chosen = groups.sort("worst", "row", "at").head(most).sort("row", "at")
    for row, at, _, told in chosen.iter_rows():
        yield row, at, told


def letters(column: int) -> str:
    """Column 0 → `A`, 26 → `AA`."""
    text, column = "", column + 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = _LETTERS[rest] + text
    return text


def number(text: bytes) -> int:
    """`A` → 0, `AA` → 26."""
    at = 0
    for letter in text:
        at = at * 26 + letter - 64
    return at - 1
