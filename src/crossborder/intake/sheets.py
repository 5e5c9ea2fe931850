"""Only a workbook has sheets: one that is asked for elsewhere is refused, not passed over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crossborder.errors import InputError
from crossborder.intake.opening import SUFFIXES


def refuse_sheet(source: Any, sheet: str | int | None) -> None:
    """Raise `InputError` where a sheet is named and the source is no workbook."""
    if sheet is None:
        return
    name = "records"
    if isinstance(source, str | Path):
        kind = SUFFIXES.get(
            Path(source).suffix.lower(), "excel"
        )  # an unknown kind has an error of its own
        if kind == "excel":
            return
        name = Path(source).name
    raise InputError(
        f"only a workbook has sheets; {sheet!r} was asked for", f"只有 Excel 工作簿才有工作表，不能指定 {sheet!r}",
        place=name, fix_en="leave --sheet out, or hand in the workbook", fix_zh="请去掉 --sheet，或交入工作簿",
    )  # fmt: skip
