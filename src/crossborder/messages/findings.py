"""From compiled checks to findings, in two phases: where each question holds, then rows only for what failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from crossborder.codes import meant_texts, nearest_texts
from crossborder.messages import texts
from crossborder.messages.checks import Check
from crossborder.messages.inquiry import Inquiry, Places
from crossborder.messages.mapping import Source
from crossborder.shipments import findings
from crossborder.shipments.asking import AS_WRITTEN, columns_of
from crossborder.shipments.columns import FrameName
from crossborder.shipments.frames import FrameSet, in_order, positions

_NEAREST = {"fix_zh": "；最接近：", "fix_en": "; nearest: "}


@dataclass(frozen=True)
class RowsOf:
    """Where the rows of a group come from, so that a finding can name sheet, row and column."""

    frame: FrameName
    keys: tuple[str, ...]
    sources: Mapping[str, Source]
    said_by: str  # what findings give as their source
    where: tuple[str, str] = ("", "")  # words before each text, zh and en


def failures(rows: pl.DataFrame, asked: Inquiry, told: Places | None = None) -> pl.DataFrame | None:
    """The faults in the rows of a group, None where there is none: key columns, `_check`, `_element`, `_rank`,
    `_value`, `_length`, check by check.

    `_check` counts through `asked.checks`; `told` is what `asked` was told of these rows. Of several faults of one
    value only the first is to be kept (`first_faults`).
    """
    found = list(_failing(rows, asked, asked.ask(rows) if told is None else told))
    if not found:
        return None
    checks = [asked.checks[number] for number, _ in found]
    case = pl.concat([_times(i, len(places)) for i, (_, places) in enumerate(found)])
    keys = [k for k in ("ship", "line", "doc") if k in rows.columns]
    values = pl.concat(
        [
            rows.get_column(check.element)[places]
            for check, (_, places) in zip(checks, found, strict=True)
        ]
    ).alias("_value")
    told_of = {
        "_check": pl.Series([number for number, _ in found], dtype=pl.Int32),
        "_element": pl.Series([check.element for check in checks], dtype=pl.String),
        "_rank": pl.Series([check.rank for check in checks], dtype=pl.Int32),
    }
    return rows[keys][pl.concat([places for _, places in found])].hstack(
        [
            *(series[case].alias(name) for name, series in told_of.items()),
            values,
            values.str.len_chars().alias(texts.LENGTH),
        ]
    )


def _failing(rows: pl.DataFrame, asked: Inquiry, told: Places) -> Iterator[tuple[int, pl.Series]]:
    """The number of each check that fails somewhere, and where; a gate of several is looked at singly."""
    for number, gate in enumerate(asked.gates):
        places = told.get(number)
        if places is None:
            continue
        first = asked.firsts[number]
        if len(gate.checks) == 1:
            yield first, places
            continue
        few = rows[list(gate.question.columns)][places]
        fails = [check.fails.alias(str(i)) for i, check in enumerate(gate.checks)]
        for i, mask in enumerate(columns_of(few, fails)):
            if mask.any():
                yield first + i, places.filter(mask)


def _times(number: int, times: int) -> pl.Series:
    return pl.Series([number], dtype=pl.UInt32).new_from_index(0, times)


def first_faults(faults: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """One fault per value, that of the check that comes first: filling, then form, then codes."""
    return (
        faults.lazy()
        .sort(*keys, "_check")
        .unique([*keys, "_element"], keep="first", maintain_order=True)
        .collect(engine="in-memory", optimizations=AS_WRITTEN)
    )


def to_findings(
    faults: pl.DataFrame, checks: Sequence[Check], frames: FrameSet, of: RowsOf
) -> pl.DataFrame:
    """Faults (of one group) as findings: where the user sees them, in both languages, with the remedy.

    Check by check, in the order in which the checks first fail.
    """
    numbers = faults.get_column("_check").unique(maintain_order=True)
    shown = [checks[int(n)] for n in numbers]
    rank = pl.Series(range(len(numbers)), dtype=pl.UInt32)
    case = faults.get_column("_check").replace_strict(numbers, rank, return_dtype=pl.UInt32)
    if not case.is_sorted():
        order = case.to_frame("n").select(pl.arg_sort_by("n", maintain_order=True)).to_series()
        faults, case = faults[order], case[order]
    told = _Told(faults, case, shown, frames, of)
    source = in_order(getattr(frames, of.frame), of.keys)
    places = positions(source, faults, of.keys)
    column, value = told.written(source, places)
    ship = faults.get_column("ship")
    heads = findings.heads(frames.shipments, ship)
    lines = heads if of.frame == "shipments" else source[["sheet", "row"]][places]
    made = [
        ship, lines.get_column("sheet"), lines.get_column("row"), column, told.same("element"),
        heads.get_column("shipment"), heads.get_column("master"), told.same("rule"), told.fixed("severity", "reject"),
        told.fixed("action", "reject"), value, told.text("zh", of.where[0]), told.text("en", of.where[1]),
        told.fix("fix_zh"), told.fix("fix_en"), told.fix("suggest"), told.fixed("source", of.said_by),
    ]  # fmt: skip
    return pl.DataFrame(made)


@dataclass(frozen=True)
class _Told:
    """Faults, and the check of each (`case` counts through `checks`; rows of a check stand together)."""

    faults: pl.DataFrame
    case: pl.Series
    checks: Sequence[Check]
    frames: FrameSet
    of: RowsOf

    def fixed(self, name: str, value: str) -> pl.Series:
        return pl.Series(name, [value], dtype=pl.String).new_from_index(0, self.faults.height)

    def same(self, name: str) -> pl.Series:
        """What each check says itself."""
        said = [getattr(check, name) for check in self.checks]
        return pl.Series(name, said, dtype=pl.String)[self.case]

    def fix(self, name: str) -> pl.Series:
        said = [getattr(check.text, name) for check in self.checks]
        fixed = pl.Series(name, said, dtype=pl.String)[self.case]
        if not any(check.known for check in self.checks):
            return fixed
        if name == "suggest":
            meant = self._of_codes(meant_texts)
            return fixed.zip_with(fixed.is_not_null(), meant).alias(name)
        if self.near.null_count() == self.near.len():
            return fixed
        near = pl.lit(self.near)
        named = pl.concat_str(pl.lit(fixed), pl.lit(_NEAREST[name]), near)
        return pl.select(pl.coalesce(named, pl.lit(fixed)).alias(name)).to_series()

    @cached_property
    def near(self) -> pl.Series:
        """For codes that were looked up, those nearest to what was written; null where none is."""
        return self._of_codes(nearest_texts)

    def _of_codes(self, told: Callable[[Iterable[str], pl.Series], pl.Series]) -> pl.Series:
        values = self.faults.get_column("_value")
        parts = [
            told(check.known, values.slice(at, size))
            if check.known
            else pl.Series([None], dtype=pl.String).new_from_index(0, size)
            for check, at, size in self.parts
        ]
        return pl.concat(parts)

    @cached_property
    def parts(self) -> list[tuple[Check, int, int]]:
        """Each check with the first and the number of its rows."""
        made, at = [], 0
        for i, check in enumerate(self.checks):
            end = int(self.case.search_sorted(i, "right"))
            made.append((check, at, end - at))
            at = end
        return made

    def text(self, name: str, before: str) -> pl.Series:
        """The text of each fault; some name what they found."""
        said = [getattr(check.text, name) for check in self.checks]
        same = [before + text if isinstance(text, str) else None for text in said]
        made = pl.Series(name, same, dtype=pl.String)[self.case]
        if None not in same:
            return made
        parts = []
        for text, (_, at, size) in zip(said, self.parts, strict=True):
            if isinstance(text, str):
                parts.append(made.slice(at, size))
            else:
                worded = (pl.lit(before) + text).alias(name)
                parts += columns_of(self.faults.slice(at, size), [worded])
        return pl.concat(parts)

    def written(self, source: pl.DataFrame, places: pl.Series) -> tuple[pl.Series, pl.Series]:
        """`column` and `value`: where the value was written, and how; of several columns the first filled one
        is meant, else the last."""
        columns, values = [], []
        for check, at, size in self.parts:
            mine = places.slice(at, size)
            named = self.of.sources.get(check.element)
            own = named.columns() if named else ()
            headers = [self.frames.header(self.of.frame, column) for column in own]
            column = pl.Series([headers[0] if headers else None], dtype=pl.String)
            column = column.new_from_index(0, size)
            value = self.faults.get_column("_value").slice(at, size)
            if named is not None and named.first:
                column, first = _first_filled(source, own, headers, mine)
                value = first if named.as_written() else value
            elif named is not None and named.as_written():
                value = source.get_column(own[0])[mine]
            columns.append(column)
            values.append(value)
        return pl.concat(columns).alias("column"), pl.concat(values).alias("value")


def _first_filled(
    source: pl.DataFrame, columns: Sequence[str], headers: Sequence[str], places: pl.Series
) -> tuple[pl.Series, pl.Series]:
    """The header of the first filled of several columns, else of the last one; and the value there."""
    few = source[list(columns)][places]
    filled = [
        pl.when(pl.col(column).is_not_null()).then(pl.lit(header))
        for column, header in zip(columns, headers, strict=True)
    ]
    header = pl.coalesce(*filled, pl.lit(headers[-1])).alias("header")
    named, value = columns_of(few, [header, pl.coalesce(columns).alias("value")])
    return named, value


def place(found: pl.DataFrame, frames: FrameSet) -> pl.DataFrame:
    """Findings about shipments with sheet, row, house and master waybill."""
    heads = findings.heads(frames.shipments, found.get_column("ship"))
    return found.hstack(heads.get_columns())
