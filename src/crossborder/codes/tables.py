"""`Tables`: an immutable snapshot of all code tables, packaged ones and those a user put in their place.

Every value is text with its leading zeros. A packaged table stands in `tables/<name>.csv`; an imported one
(`imports.import_table`) in the user's folder as `<name>.<yyyy-mm-dd>.csv` and replaces the packaged one from
that date on. `tables/coverage.csv` says which column is the key and what a miss means:

- `complete`: a code that is not in the table is a fault
- `partial`, `sample`, `absent`: a miss says nothing (not evaluated, never a fault)

Dates are `yyyyMMdd` or `yyyy-mm-dd`, China time. Without a date the newest table is meant, whole.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Literal, get_args

import polars as pl

from crossborder import resources
from crossborder.errors import CodesError, NotFound

Coverage = Literal["complete", "partial", "sample", "absent"]
EXCHANGE_RATES = "exchange_rates"
RATES_SCHEMA: dict[str, type[pl.DataType]] = {
    "currency": pl.String,
    "month": pl.String,
    "rate": pl.String,
    "fictional": pl.Boolean,
}
"""`currency` customs code, `month` yyyyMM, `rate` CNY per one unit of the currency, decimal text."""
FILE_NAME = re.compile(
    r"^(?P<table>[a-z0-9_]+)\.(?P<start>\d{4}-\d{2}-\d{2})(?P<part>\.partial)?\.csv$"
)


@dataclass(frozen=True, slots=True)
class TableInfo:
    """One line of `coverage.csv`: what a table is and what a miss in it means.

    `key` are the columns that identify a row. `scheme_column` and `scheme` name the coding world that is
    meant where a table holds several (`package_types`: `old` for EXP messages). `needs` are further columns
    without which the table cannot be used.
    """

    name: str
    coverage: Coverage
    key: tuple[str, ...]
    scheme_column: str
    scheme: str
    needs: tuple[str, ...]
    title_zh: str
    title_en: str
    note: str


@dataclass(frozen=True, slots=True, eq=False)
class Edition:
    """One version of a table: `start` is yyyy-mm-dd, "" for the packaged one."""

    start: str
    coverage: Coverage
    frame: pl.DataFrame


def day(on: str | None) -> str | None:
    """`20241201` or `2024-12-01` → `2024-12-01`. Raises `CodesError` on anything else."""
    if on is None:
        return None
    text = on.replace("-", "")
    if not re.fullmatch(r"[0-9]{8}", text):
        raise CodesError(f"not a date: {on!r}", f"不是日期：{on!r}", fix_en="yyyy-mm-dd")
    return f"{text[:4]}-{text[4:6]}-{text[6:]}"


@cache
def infos() -> Mapping[str, TableInfo]:
    """All tables by name, also those of which nothing is packaged."""
    with resources.path("codes/coverage.csv").open(encoding="utf-8", newline="") as stream:
        return {row["table"]: _info(row) for row in csv.DictReader(stream)}


def _info(row: dict[str, str]) -> TableInfo:
    coverage = next(c for c in get_args(Coverage) if c == row["coverage"])
    return TableInfo(
        row["table"],
        coverage,
        tuple(row["key"].split(";")),
        row["scheme_column"],
        row["scheme"],
        tuple(row["needs"].split(";")) if row["needs"] else (),
        row["title_zh"],
        row["title_en"],
        row["note"],
    )


def info(name: str) -> TableInfo:
    """The table of that name. Raises `NotFound` naming the nearest ones."""
    known = infos()
    if name not in known:
        near = difflib.get_close_matches(name, known, 3, 0.4) or sorted(known)
        raise NotFound(
            f"no code table {name!r}",
            f"没有名为 {name!r} 的代码表",
            fix_en=f"perhaps: {', '.join(near)}",
            fix_zh=f"是否为：{'、'.join(near)}",
        )
    return known[name]


@cache
def packaged(name: str) -> pl.DataFrame:
    """The packaged rows of a table, all text, empty = null; height 0 where nothing is packaged."""
    found = info(name)
    if found.coverage == "absent":
        return pl.DataFrame(schema=dict.fromkeys(found.key, pl.String))
    return read_text(resources.text(f"codes/{name}.csv"))


def read_text(text: str) -> pl.DataFrame:
    """CSV text (comma, header row) as a frame of text columns; empty cells are null."""
    rows = list(csv.reader(io.StringIO(text)))
    columns = zip(*rows[1:], strict=True) if len(rows) > 1 else [() for _ in rows[0]]
    return pl.DataFrame(
        {
            name: pl.Series(name, [v or None for v in values], dtype=pl.String)
            for name, values in zip(rows[0], columns, strict=True)
        }
    )


@dataclass(frozen=True, eq=False)
class Tables:
    """All code tables and exchange rates as they were when this was loaded.

    Safe to share between threads; nothing in it changes. `load` reads the user's folder, `with_rates` and
    `with_table` give a new snapshot.
    """

    imported: Mapping[str, tuple[Edition, ...]] = field(default_factory=dict)
    own_rates: tuple[pl.DataFrame, ...] = ()

    @classmethod
    def load(cls, extra: Path | None = None) -> Tables:
        """Packaged tables, and those in the folder `extra` (it need not exist).

        Raises `CodesError` if a file there cannot be read.
        """
        editions: dict[str, list[Edition]] = {}
        rates: list[pl.DataFrame] = []
        for file in sorted(extra.iterdir()) if extra is not None and extra.is_dir() else []:
            match = FILE_NAME.match(file.name)
            if match is None or match["table"] not in infos():
                continue
            frame = _read_imported(file)
            if match["table"] == EXCHANGE_RATES:
                rates.append(_shape_rates(frame))
                continue
            coverage: Coverage = "partial" if match["part"] else "complete"
            editions.setdefault(match["table"], []).append(Edition(match["start"], coverage, frame))
        return cls({name: tuple(found) for name, found in editions.items()}, tuple(rates))

    def with_rates(self, frame: pl.DataFrame) -> Tables:
        """A snapshot with further rates (columns of `rates()`), which win over the ones here."""
        return Tables(self.imported, (*self.own_rates, _shape_rates(frame)))

    def with_table(
        self, name: str, frame: pl.DataFrame, start: str, *, complete: bool = True
    ) -> Tables:
        """A snapshot in which `frame` stands for table `name` from `start` on."""
        info(name)
        new = Edition(day(start) or "", "complete" if complete else "partial", frame)
        return Tables({**self.imported, name: (*self.imported.get(name, ()), new)}, self.own_rates)

    def edition(self, name: str, on: str | None = None) -> Edition:
        """The version of a table that is valid on a date (without one: the newest)."""
        wanted = day(on)
        valid = [e for e in self.imported.get(name, ()) if wanted is None or e.start <= wanted]
        if valid:
            return max(valid, key=lambda e: e.start)
        return Edition("", info(name).coverage, packaged(name))

    def coverage(self, name: str, on: str | None = None) -> Coverage:
        """What a miss in the table means on that date; `absent` if no row of it is valid then."""
        found = self.edition(name, on)
        return found.coverage if self.frame(name, on).height else "absent"

    def frame(self, name: str, on: str | None = None) -> pl.DataFrame:
        """Rows of a table that are valid on a date, all text."""
        frame = self.edition(name, on).frame
        wanted = day(on)
        if wanted is None or "effective_from" not in frame.columns:
            return frame
        start = pl.col("effective_from").fill_null("") <= wanted
        end = (
            pl.col("effective_to").fill_null("9999") >= wanted
            if "effective_to" in frame.columns
            else pl.lit(True)
        )
        return frame.filter(start & end)

    def codes(self, name: str, on: str | None = None) -> frozenset[str]:
        """The codes of a table on a date; of its default scheme, or `package_types/new` for another."""
        name, _, scheme = name.partition("/")
        found = info(name)
        frame = self.frame(name, on)
        if found.scheme_column in frame.columns:
            frame = frame.filter(pl.col(found.scheme_column) == (scheme or found.scheme))
        return frozenset(frame.get_column(found.key[-1]).drop_nulls().to_list())

    def rates(self) -> pl.DataFrame:
        """Customs exchange rates: `currency`, `month`, `rate`, `fictional`.

        At most one row per currency, month and `fictional`: a made-up rate never hides a real one.
        """
        return self._rates

    @cached_property
    def _rates(self) -> pl.DataFrame:
        if not self.own_rates:
            return pl.DataFrame(schema=RATES_SCHEMA)
        return pl.concat(self.own_rates).unique(
            ["currency", "month", "fictional"], keep="last", maintain_order=True
        )

    def names(self) -> Iterable[str]:
        """Names of all tables."""
        return infos().keys()


def _shape_rates(frame: pl.DataFrame) -> pl.DataFrame:
    if "fictional" not in frame.columns:
        frame = frame.with_columns(fictional=pl.lit(False))
    elif frame.schema["fictional"] == pl.String:
        frame = frame.with_columns(fictional=(pl.col("fictional") == "1").fill_null(False))
    return frame.select(pl.col(n).cast(t) for n, t in RATES_SCHEMA.items())


def _read_imported(file: Path) -> pl.DataFrame:
    try:
        return read_text(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError, IndexError) as error:
        raise CodesError(
            f"an imported table cannot be read ({type(error).__name__})",
            f"已导入的代码表无法读取（{type(error).__name__}）",
            place=str(file),
            fix_en="import it again with `crossborder codes import`",
            fix_zh="请用 crossborder codes import 重新导入",
        ) from error
