"""Records with their own `goods` and `documents`, and `Shipments` of three frames, to canonical frames.

Columns have canonical names here; no partner mapping takes part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from crossborder.errors import InputError
from crossborder.intake import convert, jsonfile, problems
from crossborder.intake.canonical import Read, findings_of
from crossborder.intake.framesource import to_frame
from crossborder.intake.framing import complete, constant
from crossborder.intake.grid import check_height
from crossborder.intake.jsonfile import NESTS, column
from crossborder.intake.limits import Limits
from crossborder.intake.rows import trim_all
from crossborder.intake.typed import to_text
from crossborder.shipments.columns import COLUMNS, FRAME_NAMES, FrameName
from crossborder.shipments.frames import FrameSet
from crossborder.shipments.handed import Shipments

_LINKS = ["master_waybill", "house_waybill", "direction"]
_NUMBER: dict[FrameName, str] = {"goods": "line", "documents": "doc"}


class _Reader:
    """Turns tables of canonical columns into text and gathers what it finds."""

    def __init__(self, limits: Limits, unknown: set[tuple[FrameName, str]] | None = None) -> None:
        self._limits = limits
        self._unknown = unknown if unknown is not None else set()
        self.found: list[pl.DataFrame] = [problems.none()]

    def table(
        self, frame: FrameName, columns: Mapping[str, pl.Series], rows: pl.Series, sheet: str
    ) -> pl.DataFrame:
        """`row`, `sheet` and the canonical columns of one frame, as text."""
        known = {n: s.alias(n) for n, s in columns.items() if n in COLUMNS[frame]}
        keys = [rows.alias("row"), constant(sheet, len(rows)).alias("sheet")]
        texts = trim_all(pl.DataFrame([keys[0], *known.values()]))
        sizes = texts.select(pl.exclude("row").str.len_bytes().max()).row(0) if known else ()
        longest = dict(zip(known, sizes, strict=True))
        torn = self._scientific(frame, texts, longest)
        for name in columns:
            if name in known:
                if (longest[name] or 0) > self._limits.max_cell_chars:
                    texts = texts.with_columns(self._bounded(texts[name], name, rows, sheet))
                if name in torn:
                    mask = convert.scientific(texts[name])
                    self.report("scientific", rows.filter(mask), sheet, name, texts[name].filter(mask))  # fmt: skip
            elif name not in ("ship", *_LINKS) and (frame, name) not in self._unknown:
                self._unknown.add((frame, name))
                self.found.append(problems.one("unknown-column", sheet=sheet, column=name))
        return texts.insert_column(1, keys[1])

    def _scientific(
        self, frame: FrameName, texts: pl.DataFrame, longest: Mapping[str, int | None]
    ) -> frozenset[str]:
        """Which columns of digits hold a value in scientific notation; all of them in one pass."""
        names = [
            name
            for name, size in longest.items()
            if COLUMNS[frame][name].kind in convert.IDENTITY
            and (size or 0) >= convert.LEAST_SCIENTIFIC
        ]
        if not names:
            return frozenset()
        hits = texts.select(pl.col(names).str.contains(convert.SCIENTIFIC).any()).row(0)
        return frozenset(name for name, hit in zip(names, hits, strict=True) if hit)

    def report(
        self,
        kind: str,
        rows: pl.Series,
        sheet: str,
        name: str,
        values: pl.Series | None = None,
        **texts: str,
    ) -> None:
        """Remember one problem for each of `rows`."""
        if len(rows):
            frame = pl.DataFrame({"row": rows, "value": values if values is not None else None})
            extra = {k: pl.lit(v) for k, v in {"sheet": sheet, "column": name, **texts}.items()}
            self.found.append(problems.many(kind, frame.with_columns(**extra)))

    def _bounded(self, values: pl.Series, name: str, rows: pl.Series, sheet: str) -> pl.Series:
        most = self._limits.max_cell_chars
        lengths = values.str.len_chars()
        long = (lengths > most).fill_null(False)
        if not long.any():
            return values
        shown = pl.DataFrame({"row": rows, "value": values.str.slice(0, 100), "a": lengths}).filter(
            long
        )
        extra = {"sheet": pl.lit(sheet), "column": pl.lit(name), "b": pl.lit(str(most))}
        self.found.append(problems.many("cell-too-long", shown.with_columns(**extra)))
        return values.set(long, None)


class Reading:
    """Turns nested records into canonical frames, part by part; `row` is the record's number, also for its
    lines. Shipments are numbered through, and unknown keys are told once."""

    def __init__(self, place: str, limits: Limits) -> None:
        self._place, self._limits = place, limits
        self._unknown: set[tuple[FrameName, str]] = set()
        self._ships = self._records = 0

    def read(self, records: jsonfile.Records) -> Read | None:
        """Canonical frames of some records, None where there is none. Raises `InputError` above the limit."""
        self._records += len(records.items) + len(records.broken)
        check_height(self._records, self._limits, self._place)
        if not records.items and not records.broken:
            return None
        reader = _Reader(self._limits, self._unknown)
        heads = [{k: v for k, v in item.items() if k not in NESTS} for item in records.items]
        head = _objects(reader, "shipments", heads, records.rows)
        for kind in sorted({b.kind for b in records.broken}):
            rows = [b.row for b in records.broken if b.kind == kind]
            reader.report(kind, pl.Series(rows, dtype=pl.UInt32), "", "")
        below = {}
        for frame in _NUMBER:
            lines, rows = _below(reader, frame, records)
            below[frame] = _objects(reader, frame, lines, rows)
        shipments = _numbered(head, [b.row for b in records.broken], self._ships)
        self._ships += shipments.height
        ship_of = shipments.select("row", "ship")
        linked = {
            f: t.join(ship_of, on="row", how="left", maintain_order="left")
            for f, t in below.items()
        }
        return _finish(reader, shipments, linked, ship_of.with_columns(pl.lit("").alias("sheet")))


def from_shipments(given: Shipments, place: str, limits: Limits) -> tuple[Read, list[pl.DataFrame]]:
    """Canonical frames of three frames; also the frames as text, for a digest.

    `sheet` names the frame and `row` the record in it, from 1. Goods and documents without a shipment become
    unreadable shipments of their own. Raises `InputError` for what is no frame.
    """
    reader, texts = _Reader(limits), {}
    for frame in FRAME_NAMES:
        data = getattr(given, frame)
        table = to_frame(data, place) if data is not None else pl.DataFrame()
        check_height(table.height, limits, place)
        columns = {s.name: to_text(s, place)[0] for s in table.iter_columns()}
        columns = {n: _moments(s, frame, n) for n, s in columns.items()}
        texts[frame] = pl.DataFrame([s.alias(n) for n, s in columns.items()])
    if not texts["shipments"].height:
        raise nothing(place)
    tables = {f: _frame(reader, f, texts[f]) for f in FRAME_NAMES}
    by = ["ship"] if "ship" in tables["shipments"].columns else _LINKS
    missing = [c for f in tables if tables[f].height for c in by if c not in tables[f].columns]
    if missing:
        raise InputError(
            f"columns that link the frames are missing: {', '.join(dict.fromkeys(missing))}",
            f"缺少关联各表的列：{'、'.join(dict.fromkeys(missing))}",
            place=place,
            fix_en="give all frames master_waybill, house_waybill and direction, or a column ship",
            fix_zh="各表都应有 master_waybill、house_waybill、direction，或都有 ship 列",
        )
    return _linked(reader, tables, by), list(texts.values())


def nothing(place: str) -> InputError:
    """The error for a hand-in without any record."""
    return InputError(
        "there is no shipment in it", "没有任何一票", place=place,
        fix_en="hand in at least one", fix_zh="请至少提交一票",
    )  # fmt: skip


def _frame(reader: _Reader, frame: FrameName, texts: pl.DataFrame) -> pl.DataFrame:
    rows = pl.Series("row", range(1, texts.height + 1), dtype=pl.UInt32)
    table = reader.table(frame, {s.name: s for s in texts.iter_columns()}, rows, frame)
    links = [c for c in ("ship", *_LINKS) if c in texts.columns and c not in table.columns]
    return table.with_columns(convert.trim(texts[c]).alias(c) for c in links)


def _linked(reader: _Reader, tables: Mapping[FrameName, pl.DataFrame], by: list[str]) -> Read:
    head = tables["shipments"]
    again = head.select(
        (pl.struct(by).is_duplicated() & pl.all_horizontal(pl.col(by).is_not_null())).alias("a")
    )["a"]
    reader.report("twice", head["row"].filter(again), "shipments", by[-1])
    shipments = _numbered(head.rename({"ship": "ship_given"}, strict=False), [])
    key = ["ship_given"] if by == ["ship"] else by
    ship_of = shipments.select(*key, "ship").unique(key, keep="first", maintain_order=True)
    linked, places, lost = {}, [shipments.select("sheet", "row", "ship")], []
    for frame in _NUMBER:
        table = tables[frame].rename({"ship": "ship_given"}, strict=False)
        if not table.height:
            linked[frame] = table.with_columns(pl.lit(None, dtype=pl.UInt32).alias("ship"))
            continue
        table = table.join(ship_of, on=key, how="left", maintain_order="left", nulls_equal=True)
        orphans = table.filter(pl.col("ship").is_null()).select("sheet", "row")
        reader.report("orphan", orphans["row"], frame, "house_waybill")
        lost.append(orphans)
        linked[frame] = table.filter(pl.col("ship").is_not_null())
        places.append(linked[frame].select("sheet", "row", "ship"))
    if any(o.height for o in lost):
        extra = (
            pl.concat(lost)
            .with_row_index("ship", offset=shipments.height)
            .with_columns(pl.concat_list("row").alias("rows"), pl.lit(True).alias("unreadable"))
        )
        shipments = pl.concat([shipments, extra], how="diagonal_relaxed")
        places.append(extra.select("sheet", "row", "ship"))
    return _finish(reader, shipments, linked, pl.concat(places, how="diagonal_relaxed"))


def _finish(
    reader: _Reader,
    shipments: pl.DataFrame,
    linked: Mapping[FrameName, pl.DataFrame],
    places: pl.DataFrame,
) -> Read:
    places = places.select(
        pl.col("sheet"), pl.col("row").cast(pl.UInt32), pl.col("ship").cast(pl.UInt32)
    )
    shipments = complete("shipments", shipments)
    findings = findings_of(pl.concat(reader.found), shipments, places)
    spoiled = findings.filter(pl.col("rule") == "INT-cell-too-long")["ship"]
    lines = {}
    for frame, number in _NUMBER.items():
        table = linked[frame].sort("ship", maintain_order=True)
        numbered = table.with_columns(pl.int_range(pl.len()).over("ship").alias(number))
        lines[frame] = complete(frame, numbered)
    bad = pl.col("unreadable") | pl.col("ship").is_in(spoiled.implode())
    frames = FrameSet(shipments.with_columns(bad), lines["goods"], lines["documents"])
    return Read(frames, findings, int(frames.shipments["rows"].list.len().sum()))


def _numbered(head: pl.DataFrame, broken: Sequence[int], ships: int = 0) -> pl.DataFrame:
    lost = pl.DataFrame(
        {"row": broken, "sheet": [""] * len(broken)}, schema={"row": pl.UInt32, "sheet": pl.String}
    )
    both = pl.concat(
        [
            head.with_columns(pl.lit(False).alias("unreadable")),
            lost.with_columns(pl.lit(True).alias("unreadable")),
        ],
        how="diagonal",
    )
    return (
        both.sort("row", maintain_order=True)
        .with_row_index("ship", offset=ships)
        .with_columns(pl.concat_list("row").alias("rows"))
    )


def _below(
    reader: _Reader, frame: FrameName, records: jsonfile.Records
) -> tuple[list[Mapping[str, Any]], list[int]]:
    """The goods or documents of all records, each with its record's number."""
    lines: list[Mapping[str, Any]] = []
    rows: list[int] = []
    odd: list[int] = []
    for row, item in zip(records.rows, records.items, strict=True):
        part = item.get(frame)
        for line in part if isinstance(part, list | tuple) else [] if part is None else [part]:
            if isinstance(line, Mapping):
                lines.append(line)
                rows.append(row)
            else:
                odd.append(row)
    reader.report("json", pl.Series(sorted(set(odd)), dtype=pl.UInt32), "", frame)
    return lines, rows


def _objects(
    reader: _Reader, frame: FrameName, items: Sequence[Mapping[str, Any]], rows: Sequence[int]
) -> pl.DataFrame:
    numbers = pl.Series("row", rows, dtype=pl.UInt32)
    columns = {}
    for name in dict.fromkeys(str(key) for item in items for key in item):
        texts, nested = column(item.get(name) for item in items)
        if nested and name in COLUMNS[frame]:
            reader.report("value-type", numbers.gather(nested), "", name)
        columns[name] = _moments(texts, frame, name)
    return reader.table(frame, columns, numbers, "")


def _moments(texts: pl.Series, frame: FrameName, name: str) -> pl.Series:
    """A moment given for a day, or a day for a moment, brought to the column's own length."""
    kind = COLUMNS[frame][name].kind if name in COLUMNS[frame] else ""
    if kind == "date":
        return texts.str.replace("^([0-9]{8})000000$", "$1")
    if kind == "datetime":
        return texts.str.replace("^([0-9]{8})$", "${1}000000")
    return texts
