"""A grid and the mapping that fits it, turned into canonical frames and findings."""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from crossborder.intake import convert, problems, transforms, words
from crossborder.intake.grid import Broken, Grid
from crossborder.intake.group import KEY, group
from crossborder.intake.limits import Limits
from crossborder.intake.mapping.choose import Fit
from crossborder.intake.mapping.model import Mapping, column_of
from crossborder.intake.ooxml import letters
from crossborder.intake.opening import header_only
from crossborder.intake.rows import DataRows, data_rows, is_totals
from crossborder.shipments.columns import COLUMNS, FRAME_NAMES, FrameName
from crossborder.shipments.findings import gather
from crossborder.shipments.frames import FrameSet


@dataclass(frozen=True)
class Read:
    """Frames, findings and the number of source rows."""

    frames: FrameSet
    findings: pl.DataFrame
    rows: int


def canonical(grid: Grid, fit: Fit, place: str, limits: Limits) -> Read:
    """Canonical frames of a grid. Raises `InputError` where no row is left to read."""
    mapping = fit.mapping
    data = data_rows(grid, mapping, fit.found.get("goods.name"))
    cells = data.cells
    broken = [
        b
        for b in grid.broken
        if b.row not in mapping.skip_rows and not is_totals(b.fields, mapping)
    ]
    if not cells.height and not broken:
        raise header_only(place)
    found: list[pl.DataFrame] = [_unknown_columns(grid, fit, data.filled), *_notes(grid, cells)]
    reader = _Columns(data, grid, limits, found)
    table = {key: reader.read(key, at, mapping) for key, at in fit.found.items()}
    given = {
        frame: _any_given([s for k, s in table.items() if k.startswith(f"{frame}.")], cells.height)
        for frame in FRAME_NAMES
    }
    whole = _with_constants(cells["row"], table, mapping)
    grouped = group(
        whole,
        goods=given["goods"],
        documents=given["documents"],
        broken=[b.row for b in broken],
        unreadable=reader.spoiled,
        sheet=grid.sheet,
    )
    headers = _headers(grid, fit)
    found += [
        _named(grouped.problems, headers),
        *_broken(broken),
        _lines_lost(broken, grouped.shipments),
    ]
    frames = FrameSet(grouped.shipments, grouped.goods, grouped.documents, headers)
    problem = pl.concat(found).with_columns(pl.lit(grid.sheet).alias("sheet"))
    findings = findings_of(problem, frames.shipments)
    return Read(frames, findings, cells.height + len(broken))


def first_rows(grid: Grid, fit: Fit, place: str, n: int) -> pl.DataFrame:
    """The first `n` data rows with every column of the mapping, as they are read."""
    data = data_rows(grid, fit.mapping, fit.found.get("goods.name"))
    if not data.cells.height:
        raise header_only(place)
    first = replace(
        data, cells=data.cells.head(n), types=data.types.head(n) if data.types is not None else None
    )
    reader = _Columns(first, grid, Limits(), [])
    table = {key: reader.read(key, at, fit.mapping) for key, at in fit.found.items()}
    return _with_constants(first.cells["row"], table, fit.mapping).drop("row")


def findings_of(
    found: pl.DataFrame, shipments: pl.DataFrame, places: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Findings of problems in the order of rows, each tied to the shipment whose row it stands on.

    `places` (`sheet`, `row`, `ship`) says whose a row is; left out, the shipments' own `rows` do.
    """
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
    return gather(
        [problems.finish(found.filter(about_file), ships.clear()), problems.finish(rest, ships)]
    )


class _Columns:
    """Reads one column after another and gathers what it finds on the way."""

    def __init__(
        self, data: DataRows, grid: Grid, limits: Limits, found: list[pl.DataFrame]
    ) -> None:
        self._cells, self._types, self._longest = data.cells, data.types, data.longest
        self._grid, self._limits, self._found = grid, limits, found
        self.spoiled = pl.Series("spoiled", [False]).new_from_index(0, data.cells.height)
        self._words: dict[str, words.Compiled] = {}

    def read(self, key: str, at: int, mapping: Mapping) -> pl.Series:
        """The canonical values of one column."""
        column, rule = column_of(key), mapping.columns[key]
        assert column is not None
        header = self._grid.header[at]
        values = self._bounded(f"c{at}", header)
        if self._types is not None and (kinds := self._types[f"c{at}"]).null_count() < len(kinds):
            values, odd = convert.cells(values, kinds, column, rule, strict=self._grid.strict)
            for kind in odd.drop_nulls().unique():
                self._report(kind, odd == kind, header, self._cells[f"c{at}"])
        torn = convert.scientific(values, column)
        if torn.any():
            self._report("scientific", torn, header, values)
        if rule.dates:
            values = convert.dates(values, rule.dates, column.kind)
        if rule.words:
            table = self._words.setdefault(
                rule.words, words.compile_words(mapping.words[rule.words])
            )
            values = words.replace_words(values, table)
        if rule.factor:
            values = convert.times(values, rule.factor)
        for name in rule.transforms:
            values = self._transformed(values, name, header)
        return values.alias(key)

    def _bounded(self, name: str, header: str) -> pl.Series:
        values, most = self._cells[name], self._limits.max_cell_chars
        if self._longest[name] <= most:
            return values
        lengths = values.str.len_chars()
        long = (lengths > most).fill_null(False)
        if long.any():
            rows = pl.DataFrame(
                {"row": self._cells["row"], "value": values.str.slice(0, 100), "a": lengths}
            )
            extra = {"column": pl.lit(header), "b": pl.lit(str(most))}
            self._found.append(
                problems.many("cell-too-long", rows.filter(long).with_columns(**extra))
            )
            self.spoiled = self.spoiled | long
            values = values.set(long, None)
        return values

    def _report(self, kind: str, mask: pl.Series, header: str, values: pl.Series) -> None:
        rows = pl.DataFrame({"row": self._cells["row"], "value": values})
        self._found.append(
            problems.many(
                kind,
                rows.filter(mask.fill_null(False)).with_columns(pl.lit(header).alias("column")),
            )
        )

    def _transformed(self, values: pl.Series, name: str, header: str) -> pl.Series:
        after = transforms.apply(name, values)
        changed = after.ne_missing(values)
        if changed.any():
            rows = pl.DataFrame({"row": self._cells["row"], "value": values, "b": after})
            extra = {"column": pl.lit(header), "a": pl.lit(name)}
            self._found.append(
                problems.many("transformed", rows.filter(changed).with_columns(**extra))
            )
        return after


def _any_given(columns: list[pl.Series], height: int) -> pl.Series:
    given = pl.Series("given", [False], dtype=pl.Boolean).new_from_index(0, height)
    for values in columns:
        if values.null_count() == 0:
            return values.is_not_null()
        given = given | values.is_not_null()
    return given


def _with_constants(rows: pl.Series, table: dict[str, pl.Series], mapping: Mapping) -> pl.DataFrame:
    """One frame of all columns; constants fill what is empty; the key columns are always there."""
    frame = pl.DataFrame([rows, *table.values()])
    for key, value in mapping.constants.items():
        old = pl.col(key) if key in frame.columns else pl.lit(None, dtype=pl.String)
        frame = frame.with_columns(old.fill_null(value).alias(key))
    missing = [k for k in KEY if k not in frame.columns]
    return frame.with_columns(pl.lit(None, dtype=pl.String).alias(k) for k in missing)


def _headers(grid: Grid, fit: Fit) -> dict[FrameName, dict[str, str]]:
    headers: dict[FrameName, dict[str, str]] = {frame: {} for frame in FRAME_NAMES}
    for key, at in fit.found.items():
        column = column_of(key)
        assert column is not None
        headers[column.frame][column.name] = grid.header[at].strip()
    return headers


def _named(found: pl.DataFrame, headers: dict[FrameName, dict[str, str]]) -> pl.DataFrame:
    """Canonical keys in `column` replaced by the headers the user knows."""
    names = {f"{frame}.{n}": h for frame, part in headers.items() for n, h in part.items()}
    plain = {f"{c.frame}.{c.name}": c.name for part in COLUMNS.values() for c in part.values()}
    return found.with_columns(pl.col("column").replace(plain | names))


def _unknown_columns(grid: Grid, fit: Fit, filled: frozenset[int]) -> pl.DataFrame:
    names = [grid.header[i].strip() for i in fit.unknown] + [
        letters(i) for i in sorted(filled) if not grid.header[i].strip()
    ]
    if not names:
        return problems.none()
    rows = pl.DataFrame({"column": names}).with_columns(
        pl.lit(grid.header_row or None, dtype=pl.UInt32).alias("row")
    )
    return problems.many("unknown-column", rows)


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


def _lines_lost(broken: list[Broken], shipments: pl.DataFrame) -> pl.DataFrame:
    """Shipments that an unreadable row names: one of their lines may be missing, so they must not go."""
    torn = [b for b in broken if b.kind in ("ragged", "quote")]
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
