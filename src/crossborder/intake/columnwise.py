"""The columns a mapping found, each from what the partner wrote to canonical text, with what is odd on the way."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from crossborder.intake import convert, problems, transforms, words
from crossborder.intake.grid import Grid
from crossborder.intake.group import KEY
from crossborder.intake.limits import Limits
from crossborder.intake.mapping.model import Mapping as PartnerMapping
from crossborder.intake.mapping.model import column_of
from crossborder.intake.rows import DataRows
from crossborder.shipments.columns import FrameName
from crossborder.shipments.frames import side_by_side


class Columns:
    """Reads the columns of a table and gathers in `found` what it finds on the way; `spoiled` masks the rows
    whose shipment cannot go."""

    def __init__(
        self, data: DataRows, grid: Grid, limits: Limits, found: list[pl.DataFrame]
    ) -> None:
        self._cells, self._types, self._longest = data.cells, data.types, data.longest
        self._grid, self._limits, self._found = grid, limits, found
        self.spoiled = pl.Series("spoiled", [False]).new_from_index(0, data.cells.height)

    def read(self, found: Mapping[str, int], mapping: PartnerMapping) -> dict[str, pl.Series]:
        """The canonical values of all columns that were found, by their keys (whatever the series are called)."""
        torn = self._scientific(found)
        return {key: self._read(key, at, mapping, torn=at in torn) for key, at in found.items()}

    def _scientific(self, found: Mapping[str, int]) -> frozenset[int]:
        """Which columns of digits hold a value in scientific notation; all of them in one pass."""
        places = {
            at
            for key, at in found.items()
            if (column := column_of(key)) is not None
            and column.kind in convert.IDENTITY
            and (self._longest[f"c{at}"] or 0) >= convert.LEAST_SCIENTIFIC
        }
        if not places:
            return frozenset()
        names = sorted({f"c{at}" for at in places})
        texts = self._cells.lazy().select(names)
        some = texts.select(
            pl.concat_str(names, ignore_nulls=True).str.join("").str.contains(convert.POWER)
        )
        if not some.collect(engine="in-memory").item():
            return frozenset()
        hits = texts.select(pl.all().str.contains(convert.SCIENTIFIC).any()).collect().row(0)
        return frozenset(at for at in places if hits[names.index(f"c{at}")])

    def _read(self, key: str, at: int, mapping: PartnerMapping, *, torn: bool) -> pl.Series:
        """The canonical values of one column; `torn` says that one is in scientific notation."""
        column, rule, name = column_of(key), mapping.columns[key], f"c{at}"
        assert column is not None
        header = self._grid.header[at]
        values = self._bounded(name, header)
        if self._types is not None and (kinds := self._types[name]).null_count() < len(kinds):
            values, odd = convert.cells(values, kinds, column, rule, strict=self._grid.strict)
            for kind in odd.drop_nulls().unique():
                self._report(kind, odd == kind, header, self._cells[name])
            torn = column.kind in convert.IDENTITY
        if torn:
            self._report("scientific", convert.scientific(values), header, values)
        if values.null_count() == len(values):
            return values
        if rule.dates:
            values = convert.dates(values, rule.dates, column.kind)
        if rule.words:
            values = words.replace_words(values, words.compile_words(mapping.words[rule.words]))
        if rule.factor:
            values = convert.times(values, rule.factor)
        for change in rule.transforms:
            values = self._transformed(values, change, header)
        return values

    def _bounded(self, name: str, header: str) -> pl.Series:
        values, most = self._cells.get_column(name), self._limits.max_cell_chars
        if (self._longest[name] or 0) <= most:
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
        if not mask.any():
            return
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


def any_given(table: Mapping[str, pl.Series], frame: FrameName, height: int) -> pl.Series:
    """Mask of the rows that name anything of one frame."""
    given = pl.Series("given", [False]).new_from_index(0, height)
    for values in (values for key, values in table.items() if key.startswith(f"{frame}.")):
        if values.null_count() == 0:
            return values.is_not_null()
        if values.null_count() < height:
            given = given | values.is_not_null()
    return given


def _side_by_side(rows: pl.Series, table: Mapping[str, pl.Series]) -> pl.DataFrame:
    try:
        frame = side_by_side([rows, *table.values()])
    except pl.exceptions.DuplicateError:  # one column of the source is read as two
        return side_by_side([rows, *(values.alias(key) for key, values in table.items())])
    frame.columns = [rows.name, *table]
    return frame


def with_constants(
    rows: pl.Series, table: Mapping[str, pl.Series], mapping: PartnerMapping
) -> pl.DataFrame:
    """One frame of all columns; constants fill what is empty; the key columns are always there."""
    frame = _side_by_side(rows, table)
    empty = pl.lit(None, dtype=pl.String)
    constants = [
        (pl.col(key) if key in table else empty).fill_null(value).alias(key)
        for key, value in mapping.constants.items()
    ]
    missing = [empty.alias(k) for k in KEY if k not in table and k not in mapping.constants]
    return frame.with_columns(constants + missing) if constants or missing else frame
