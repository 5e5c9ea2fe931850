"""`check --annotate`: the hand-in back as a workbook, with what was found in it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import polars as pl

from crossborder.engine.results import Checked
from crossborder.engine.summary import Summary, is_verdict
from crossborder.errors import InputError
from crossborder.intake import SourceTable
from crossborder.reports import opened_whole
from crossborder.reports.annotate import Marks, Place, Told, annotate, table
from crossborder.shipments.findings import VERDICTS

Progress = Callable[[int, int], None]
_WORKBOOKS = (".xlsx", ".xlsm")
_KEY = ("master_waybill", "house_waybill", "direction")
"""What says on each row whose it is."""


class Annotation:
    """What is gathered while a hand-in is checked, so that it can be given back annotated. For one thread.

    Raises `InputError` at once where `out` cannot be what is asked for: no `.xlsx`, or the hand-in itself.
    """

    def __init__(self, data: Any, out: Path) -> None:
        self._file = Path(data) if isinstance(data, str | Path) else None
        self._out = out
        self._marks = Marks()
        self._partners: dict[str | None, int] = {}
        self._of: list[pl.Series] = []
        self._place: Place | None = None
        _refuse(self._file, out)

    def add(self, findings: pl.DataFrame) -> None:
        """Further findings."""
        self._marks.add(findings)

    def block(self, checked: Checked, source: SourceTable) -> None:
        """The next shipments, numbered through the hand-in, and the table they came from (its rows are not looked at)."""
        ships = checked.frames.shipments.sort("ship")
        heads = checked.frames.headers.get("shipments", {})
        keys = [heads[name] for name in _KEY if name in heads]
        self._marks.shipments(ships.select("ship", "row", "rows"), heads.values(), keys)
        names = ships.select(pl.coalesce("trading_company_name", "owner_name")).to_series()
        for name in names.unique(maintain_order=True):
            self._partners.setdefault(name, len(self._partners))
        known = pl.Series(list(self._partners), dtype=pl.String)
        self._of.append(
            names.replace_strict(known, pl.Series(range(len(known)), dtype=pl.UInt32), return_dtype=pl.UInt32)
        )  # fmt: skip
        if self._place is None:
            self._place = _place(checked, source)

    def write(
        self, summary: Summary, ranks: pl.Series, source: Source, sources: Callable[[], Iterable[SourceTable]],
        progress: Progress,
    ) -> None:  # fmt: skip
        """Write the workbook: the user's own one, or a new one of what `sources` hold. `ranks` are the verdicts of
        all shipments (`RANKS`). Raises `InputError`, also where the hand-in has changed meanwhile."""
        name, digest = source
        assert self._place is not None
        told = Told(
            name, summary.mapping, summary.counts, summary.by_rule, self._by_partner(ranks), summary.unevaluated,
            summary.findings,
        )  # fmt: skip
        theirs = self._file is not None and self._file.suffix.lower() in _WORKBOOKS
        book = self._own(digest) if theirs else table.book(self._place.sheet)
        rows = None if theirs else table.rows(sources(), name, self._place.anchor)
        with opened_whole(self._out) as out:
            annotate(book, out, self._place, self._marks, told, progress, rows)

    def _own(self, digest: str) -> io.BytesIO:
        assert self._file is not None
        return io.BytesIO(_unchanged(self._file, digest))

    def _by_partner(self, ranks: pl.Series) -> pl.DataFrame:
        ships = pl.DataFrame({"partner": pl.concat(self._of), "rank": ranks})
        counts = (
            ships.group_by("partner")
            .agg(
                pl.len().alias("shipments"), *(is_verdict(pl.col("rank"), v).sum().alias(v) for v in VERDICTS)
            )
            .sort("rejected", "shipments", "partner", descending=[True, True, False])
        )  # fmt: skip
        names = list(self._partners)
        named = pl.Series("partner", [names[i] for i in counts["partner"]], pl.String)
        return counts.with_columns(named)


Source = tuple[str, str]
"""Name and SHA-256 of a hand-in."""


def _place(checked: Checked, source: SourceTable) -> Place:
    if not source.header:
        raise table.no_table(checked.source_name)
    waybill = checked.frames.header("shipments", "house_waybill")
    names = [name.strip() for name in source.header]
    anchor = names.index(waybill) if waybill in names else 0
    down = table.shift(source)
    sheet = source.sheet or table.SHEET
    return Place(sheet, source.header, source.header_row + down, source.first_column, anchor, down)


def _refuse(file: Path | None, out: Path) -> None:
    if out.suffix.lower() != ".xlsx":
        raise InputError(
            f"an annotated file is a workbook, not {out.suffix or 'a file without ending'}",
            f"标注结果是工作簿，不能写成 {out.suffix or '无扩展名的'} 文件", place=out.name,
            fix_en="give it a name that ends in .xlsx", fix_zh="请使用以 .xlsx 结尾的文件名",
        )  # fmt: skip
    if file is not None and out.exists() and file.exists() and out.samefile(file):
        raise InputError(
            "this would overwrite the file that is checked", "这会覆盖正在校验的文件", place=out.name,
            fix_en="choose another name", fix_zh="请另选文件名",
        )  # fmt: skip


def _unchanged(file: Path, digest: str) -> bytes:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise InputError(
            f"the file cannot be opened ({type(error).__name__})", f"文件无法打开（{type(error).__name__}）",
            place=str(file), fix_en="close it in other programs", fix_zh="请在其他程序中关闭该文件",
        ) from error  # fmt: skip
    if hashlib.sha256(data).hexdigest() != digest:
        raise changed(file.name)
    return data


def changed(name: str) -> InputError:
    """The error for a file that is no longer the one that was checked."""
    return InputError(
        "the file has changed since it was checked", "文件在校验后被改动", place=name,
        fix_en="check it again", fix_zh="请重新校验",
    )  # fmt: skip
