"""A grid and the mapping that fits it, turned into canonical frames and findings."""

from __future__ import annotations

from bisect import bisect
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from crossborder.errors import InputError
from crossborder.intake import problems
from crossborder.intake.columnwise import Columns, any_given, with_constants
from crossborder.intake.grid import Broken, Grid
from crossborder.intake.group import KEY, begins, group
from crossborder.intake.limits import Limits
from crossborder.intake.mapping.choose import Fit
from crossborder.intake.mapping.model import column_of
from crossborder.intake.ooxml import letters
from crossborder.intake.opening import header_only
from crossborder.intake.rows import DataRows, data_rows, is_totals
from crossborder.shipments import findings
from crossborder.shipments.columns import COLUMNS, FRAME_NAMES, FrameName
from crossborder.shipments.frames import FrameSet

_TAIL = 64
"""Rows at the end of a table among which the last shipment is looked for first."""
_REMEMBERED, _FIELDS, _WAYBILL = 1_000, 1_000, 100
"""Of how many unreadable rows how many fields of how many characters are remembered."""


@dataclass(frozen=True)
class Read:
    """Frames, findings and the number of source rows."""

    frames: FrameSet
    findings: pl.DataFrame
    rows: int


class Reading:
    """Turns one table into canonical frames, part by part; it keeps what was counted and seen so far.

    Shipments are numbered through, findings about the file as a whole are given once, and a row that could
    not be read is remembered, because a later shipment may be the one it belongs to.
    """

    def __init__(self, fit: Fit, place: str, limits: Limits) -> None:
        self._fit, self._place, self._limits = fit, place, limits
        self._skip = fit.mapping.header.skip_after
        self._ships = 0
        self._unknown: set[int] = set()
        self._torn: deque[Broken] = deque(maxlen=_REMEMBERED)

    def read(self, grid: Grid, *, last: bool = True) -> tuple[Read | None, Grid, Grid | None]:
        """Canonical frames of the shipments that are complete in `grid`, None where there is none; the records
        they came from; and the records that belong with those which follow (None if `last`).

        Raises `InputError` where more rows than allowed stand together under one waybill.
        """
        data = data_rows(grid, self._fit.mapping, self._fit.found.get("goods.name"), self._skip)
        broken = [b for b in grid.broken if self._counts(b)]
        taken, left = grid, None
        if not last and data.cells.height + len(broken):
            row = self._boundary(data, grid, [b.row for b in broken])
            taken, left = grid.parted(row)
            data = data.head(int(data.cells["row"].search_sorted(row)))
            broken = [b for b in broken if b.row < row]
        self._skip = max(0, self._skip - taken.cells.height)
        if not data.cells.height and not broken:
            return None, taken, left
        return self._canonical(taken, data, broken), taken, left

    def _counts(self, broken: Broken) -> bool:
        mapping = self._fit.mapping
        return broken.row not in mapping.skip_rows and not is_totals(broken.fields, mapping)

    def _boundary(self, data: DataRows, grid: Grid, broken: Sequence[int]) -> int:
        """The row before which a table may be parted: the last one that begins a shipment with no unreadable
        row right above it, which may belong to either. The first row where there is none but it."""
        most = self._limits.max_shipment_rows
        for tail in (data.tail(_TAIL), data):
            rows = tail.cells["row"]
            begin = begins(self._keys(tail, grid)).arg_true()
            for at in reversed(begin.to_list()[1:]):
                row, above = rows[at], rows[at - 1]
                if bisect(broken, above) == bisect(broken, row):
                    return int(row)
            if data.cells.height + len(broken) > most and len(begin) > 1:
                return int(rows[begin[-1]])
            if tail.cells.height == data.cells.height:
                break
        if data.cells.height > most:
            raise self._too_many(int(data.cells["row"][0]))
        if len(broken) > most:
            return broken[-1]
        return 0

    def _keys(self, data: DataRows, grid: Grid) -> pl.DataFrame:
        """The key columns as they will be read, without what is found on the way."""
        found = {key: at for key, at in self._fit.found.items() if key in KEY}
        table = Columns(data, grid, self._limits, []).read(found, self._fit.mapping)
        return with_constants(data.cells["row"], table, self._fit.mapping)

    def _canonical(self, grid: Grid, data: DataRows, broken: list[Broken]) -> Read:
        mapping, cells = self._fit.mapping, data.cells
        found: list[pl.DataFrame] = [self._unknown_columns(grid, data), *_notes(grid, cells)]
        reader = Columns(data, grid, self._limits, found)
        table = reader.read(self._fit.found, mapping)
        whole = with_constants(cells["row"], table, mapping)
        begin = begins(whole)
        self._refuse_long_runs(begin, cells["row"])
        grouped = group(
            whole,
            begin,
            goods=any_given(table, "goods", cells.height),
            documents=any_given(table, "documents", cells.height),
            broken=[b.row for b in broken],
            unreadable=reader.spoiled,
            sheet=grid.sheet,
            ships=self._ships,
        )
        self._ships += grouped.shipments.height
        headers = _headers(grid, self._fit)
        torn = [b for b in broken if b.kind in ("ragged", "quote")]
        found += [
            _named(grouped.problems, headers),
            *_broken(broken),
            _lines_lost([*self._torn, *torn], grouped.shipments),
        ]
        self._torn.extend(_short(b) for b in torn)
        frames = FrameSet(grouped.shipments, grouped.goods, grouped.documents, headers)
        told = findings.empty()
        if any(part.height for part in found):
            problem = pl.concat(found).with_columns(pl.lit(grid.sheet).alias("sheet"))
            told = findings_of(problem, frames.shipments)
        return Read(frames, told, cells.height + len(broken))

    def _unknown_columns(self, grid: Grid, data: DataRows) -> pl.DataFrame:
        """Columns nobody asked for: those with a name, and those without one that hold something."""
        bare = [i for i, name in enumerate(grid.header) if not name.strip()]
        filled = [i for i in bare if data.longest[f"c{i}"] is not None]
        places = [i for i in (*self._fit.unknown, *filled) if i not in self._unknown]
        self._unknown.update(places)
        new = [grid.header[i].strip() or letters(i) for i in places]
        if not new:
            return problems.none()
        rows = pl.DataFrame({"column": new}).with_columns(
            pl.lit(grid.header_row or None, dtype=pl.UInt32).alias("row")
        )
        return problems.many("unknown-column", rows)

    def _refuse_long_runs(self, begin: pl.Series, rows: pl.Series) -> None:
        if len(begin) <= self._limits.max_shipment_rows:
            return
        at = begin.arg_true()
        lengths = at.shift(-1, fill_value=len(begin)) - at
        longest = lengths.arg_max()
        if longest is not None and lengths[longest] > self._limits.max_shipment_rows:
            raise self._too_many(int(rows[int(at[longest])]))

    def _too_many(self, row: int) -> InputError:
        most = self._limits.max_shipment_rows
        return InputError(
            f"more than {most:,} rows stand together under one waybill, from row {row:,}",
            f"从第 {row:,} 行起，同一分运单连续超过 {most:,} 行",
            place=self._place,
            fix_en="look whether the waybill was copied down by mistake",
            fix_zh="请检查分运单号是否被误填到各行",
        )


def first_rows(grid: Grid, fit: Fit, place: str, n: int) -> pl.DataFrame:
    """The first `n` data rows with every column of the mapping, as they are read."""
    data = data_rows(grid, fit.mapping, fit.found.get("goods.name"))
    if not data.cells.height:
        raise header_only(place)
    first = data.head(n)
    table = Columns(first, grid, Limits(), []).read(fit.found, fit.mapping)
    return with_constants(first.cells["row"], table, fit.mapping).drop("row")


def findings_of(
    found: pl.DataFrame, shipments: pl.DataFrame, places: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Findings of problems in the order of rows, each tied to the shipment whose row it stands on.

    `places` (`sheet`, `row`, `ship`) says whose a row is; left out, the shipments' own `rows` do.
    """
    if not found.height:
        return findings.empty()
    if places is None:
        places = shipments.select("sheet", pl.col("rows").alias("row"), "ship").explode("row")
    names = shipments.select(
        "ship",
        pl.coalesce("house_waybill", pl.format("#{}", pl.col("row"))).alias("shipment"),
        pl.col("master_waybill").alias("master"),
    )
    ships = places.join(names, on="ship", how="left", maintain_order="left")
    about_file = found["kind"].is_in(list(problems.ABOUT_FILE))
    rest = found.filter(~about_file).sort("sheet", "row", maintain_order=True)
    return findings.gather(
        [problems.finish(found.filter(about_file), ships.clear()), problems.finish(rest, ships)]
    )


def _headers(grid: Grid, fit: Fit) -> dict[FrameName, dict[str, str]]:
    headers: dict[FrameName, dict[str, str]] = {frame: {} for frame in FRAME_NAMES}
    for key, at in fit.found.items():
        column = column_of(key)
        assert column is not None
        headers[column.frame][column.name] = grid.header[at].strip()
    return headers


def _named(found: pl.DataFrame, headers: dict[FrameName, dict[str, str]]) -> pl.DataFrame:
    """Canonical keys in `column` replaced by the headers the user knows."""
    if not found.height:
        return found
    names = {f"{frame}.{n}": h for frame, part in headers.items() for n, h in part.items()}
    plain = {f"{c.frame}.{c.name}": c.name for part in COLUMNS.values() for c in part.values()}
    return found.with_columns(pl.col("column").replace(plain | names))


def _notes(grid: Grid, cells: pl.DataFrame) -> list[pl.DataFrame]:
    notes = []
    if grid.full:
        last = cells["row"].max()
        notes.append(problems.one("sheet-full", row=last, a=last))
    if grid.others:
        notes.append(problems.one("other-sheets", a=", ".join(grid.others)))
    return notes


def _broken(broken: list[Broken]) -> list[pl.DataFrame]:
    if not broken:
        return []
    rows = pl.DataFrame(
        {
            "kind": [b.kind for b in broken],
            "row": [b.row for b in broken],
            "value": [" ¦ ".join(b.fields)[:200] or None for b in broken],
            "a": [str(b.found) for b in broken],
            "b": [str(b.wanted) for b in broken],
        },
        schema_overrides={"row": pl.UInt32},
    )
    return [
        problems.many(k, rows.filter(pl.col("kind") == k).drop("kind"))
        for k in rows["kind"].unique()
    ]


def _short(broken: Broken) -> Broken:
    """What is remembered of an unreadable row: fields that may be waybills."""
    fields = tuple(f for f in broken.fields if len(f) <= _WAYBILL)[:_FIELDS]
    return Broken(broken.row, broken.kind, fields)


def _lines_lost(torn: Sequence[Broken], shipments: pl.DataFrame) -> pl.DataFrame:
    """Shipments that an unreadable row names: one of their lines may be missing, so they must not go."""
    if not torn:
        return problems.none()
    fields = pl.DataFrame(
        {"a": [b.row for b in torn], "field": [[f.strip() for f in b.fields] for b in torn]},
        schema={"a": pl.UInt32, "field": pl.List(pl.String)},
    )
    named = shipments.filter(pl.col("house_waybill").is_not_null() & ~pl.col("unreadable"))
    hit = (
        fields.explode("field")
        .join(
            named.select("row", "house_waybill", "master_waybill"),
            left_on="field",
            right_on="house_waybill",
        )
        .join(fields.rename({"field": "all"}), on="a")
        .filter(pl.col("all").list.contains(pl.col("master_waybill")).fill_null(True))
        .unique(["a", "row"], maintain_order=True)
    )
    return problems.many("ragged-line", hit.select("row", "a", pl.col("field").alias("value")))
