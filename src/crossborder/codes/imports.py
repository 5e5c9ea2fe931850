"""Putting a user's table in the place of a packaged one, from a date on, whole or not at all.

The file is CSV (UTF-8 with or without BOM, GB18030; comma, semicolon or tab) with a header row that has the
key columns of the table (`coverage.csv`); further columns are kept. It is checked, written under a temporary
name in the same folder, synced and renamed: a reader sees the old table or the new one.
"""

from __future__ import annotations

import csv
import io
import os
import re
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from crossborder.codes.shapes import SHAPES
from crossborder.codes.tables import EXCHANGE_RATES, TableInfo, info, packaged
from crossborder.errors import CodesError

MAX_BYTES = 64 * 1024 * 1024
CNY = "142"
_TRUE = {"1", "true", "yes", "y", "是"}
_FALSE = {"", "0", "false", "no", "n", "否"}

Row = dict[str, str]


def import_table(
    folder: Path, table: str, file: Path, start: date, *, complete: bool = True
) -> int:
    """Check `file` and make it table `table` from `start` on; returns the number of rows.

    `complete` says whether a code that is not in it is a fault. `exchange_rates` wants the columns
    `currency` (customs code or ISO letters) and `rate` (CNY per one unit), optionally `month` (yyyyMM; else
    the month of `start`) and `fictional` (0 or 1).
    Raises `NotFound` for an unknown table, `CodesError` naming file, row and remedy; nothing is changed then.
    """
    found = info(table)
    header, rows = _read(file)
    if table == EXCHANGE_RATES:
        header, rows = _rates(file, header, rows, start)
    _check_header(file, found, header)
    _check_rows(file, found, rows)
    _check_dates(file, header, rows)
    _check_shapes(file, table, rows)
    name = f"{table}.{start.isoformat()}"
    _write(folder, f"{name}{'' if complete else '.partial'}.csv", header, rows)
    (folder / f"{name}{'.partial' if complete else ''}.csv").unlink(missing_ok=True)
    return len(rows)


def _fault(
    file: Path, en: str, zh: str, fix_en: str = "", fix_zh: str = "", row: int = 0
) -> CodesError:
    place = f"{file.name}:{row}" if row else file.name
    return CodesError(en, zh, place=place, fix_en=fix_en, fix_zh=fix_zh)


def _read(file: Path) -> tuple[list[str], list[Row]]:
    """Header and rows (trimmed text) of a CSV file; blank lines are left out."""
    try:
        if file.stat().st_size > MAX_BYTES:
            raise _fault(file, "the file is too large", "文件过大")
        raw = file.read_bytes()
    except OSError as error:
        raise _fault(
            file, f"the file cannot be read ({error.strerror})", f"文件无法读取（{error.strerror}）",
            "check the path and its rights", "请检查路径和权限",
        ) from error  # fmt: skip
    text = _decode(file, raw)
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    try:
        lines = [
            [cell.strip() for cell in line]
            for line in csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
        ]
    except csv.Error as error:
        raise _fault(
            file, f"not a CSV file ({error})", f"不是有效的 CSV 文件（{error}）"
        ) from error
    header = lines[0] if lines else []
    if not any(header):
        raise _fault(file, "the file is empty", "文件为空")
    if len(set(header)) != len(header):
        raise _fault(file, "two columns have the same name", "列名重复")
    rows: list[Row] = []
    for number, line in enumerate(lines[1:], 2):
        if not any(line):
            continue
        if len(line) != len(header):
            raise _fault(
                file,
                f"{len(line)} cells, the header has {len(header)}",
                f"本行有 {len(line)} 格，表头有 {len(header)} 格",
                row=number,
            )
        rows.append(dict(zip(header, line, strict=True)) | {"": str(number)})
    if not rows:
        raise _fault(file, "the file has a header but no rows", "文件只有表头，没有数据行")
    return header, rows


def _decode(file: Path, raw: bytes) -> str:
    if b"\0" in raw:
        raise _fault(
            file, "not a text file", "不是文本文件", "save it as CSV UTF-8", "请另存为 CSV UTF-8"
        )
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _fault(
        file,
        "neither UTF-8 nor GB18030",
        "编码既不是 UTF-8 也不是 GB18030",
        "save it as CSV UTF-8",
        "请另存为 CSV UTF-8",
    )


def _check_header(file: Path, table: TableInfo, header: Sequence[str]) -> None:
    wanted = [*table.key, *([table.scheme_column] if table.scheme_column else []), *table.needs]
    missing = [name for name in wanted if name not in header]
    if missing:
        raise _fault(
            file,
            f"table {table.name} needs the columns {', '.join(missing)}",
            f"代码表 {table.name} 缺少列：{'、'.join(missing)}",
            f"columns found: {', '.join(header)}",
            f"文件中的列：{'、'.join(header)}",
        )


def _check_rows(file: Path, table: TableInfo, rows: Sequence[Row]) -> None:
    """Keys: present, of the usual width (else leading zeros were lost), and unique."""
    key = list(dict.fromkeys([*table.key, *([table.scheme_column] if table.scheme_column else [])]))
    dated = "effective_from" in rows[0]
    width = _width(table)
    seen: dict[tuple[str, ...], str] = {}
    for row in rows:
        number = int(row[""])
        values = tuple(row[name] for name in key)
        if not all(values):
            raise _fault(file, f"empty {', '.join(key)}", f"{'、'.join(key)} 为空", row=number)
        code = row[table.key[-1]]
        if len(code) < width and code.isdigit():
            raise _fault(
                file,
                f"{code!r} has {len(code)} digits, the codes of this table have {width}",
                f"{code!r} 只有 {len(code)} 位，本表代码为 {width} 位",
                "leading zeros are lost: keep the column as text",
                "前导零丢失，请将该列设为文本",
                number,
            )
        full = (*values, row["effective_from"]) if dated else values
        if full in seen:
            raise _fault(
                file,
                f"{code!r} stands twice (first in row {seen[full]})",
                f"{code!r} 重复（首次出现在第 {seen[full]} 行）",
                row=number,
            )
        seen[full] = row[""]


def _check_dates(file: Path, header: Sequence[str], rows: Sequence[Row]) -> None:
    """Dates of validity are yyyy-mm-dd or empty; anything else would never be in force."""
    for name in ("effective_from", "effective_to"):
        for row in rows if name in header else ():
            try:
                good = not row[name] or date.fromisoformat(row[name]).isoformat() == row[name]
            except ValueError:
                good = False
            if not good:
                raise _fault(
                    file, f"{name}: not a date: {row[name]!r}", f"{name} 不是日期：{row[name]!r}",
                    "yyyy-mm-dd", row=int(row[""]),
                )  # fmt: skip


def _check_shapes(file: Path, table: str, rows: Sequence[Row]) -> None:
    """What rules and tax read from a row must be readable."""
    shapes = {name: shape for name, shape in SHAPES.get(table, {}).items() if name in rows[0]}
    for row in rows:
        for name, shape in shapes.items():
            if not re.fullmatch(shape, row[name]):
                raise _fault(
                    file, f"{name}: cannot be used: {row[name]!r}", f"{name} 无效：{row[name]!r}",
                    f"it looks like {shape}", f"应符合 {shape}", int(row[""]),
                )  # fmt: skip


def _width(table: TableInfo) -> int:
    """The one width of all numeric keys of the packaged table; 0 if there is none."""
    frame = packaged(table.name)
    if len(table.key) > 1 or frame.height < 5:
        return 0
    widths = {len(code) for code in frame.get_column(table.key[0]).drop_nulls().to_list()}
    return widths.pop() if len(widths) == 1 else 0


def _rates(
    file: Path, header: Sequence[str], rows: Sequence[Row], start: date
) -> tuple[list[str], list[Row]]:
    for name in ("currency", "rate"):
        if name not in header:
            raise _fault(
                file, f"exchange rates need the column {name}", f"汇率表缺少列 {name}",
                "columns: currency, rate[, month, fictional]", "列：currency、rate[、month、fictional]",
            )  # fmt: skip
    frame = packaged("currencies")
    letters = dict(
        zip(frame.get_column("iso_alpha"), frame.get_column("customs_code"), strict=True)
    )
    return ["currency", "month", "rate", "fictional"], [
        _rate(file, row, letters, f"{start:%Y%m}") for row in rows
    ]


def _rate(file: Path, row: Row, letters: dict[str, str], month: str) -> Row:
    number = int(row[""])
    written = row["currency"].upper()
    currency = letters.get(written, written)
    if not re.fullmatch(r"[0-9]{3}", currency):
        raise _fault(
            file, f"unknown currency {row['currency']!r}", f"未知币制 {row['currency']!r}",
            "customs code (502) or ISO letters (USD)", "请填海关币制代码（502）或 ISO 字母代码（USD）",
            number,
        )  # fmt: skip
    rate = row["rate"]
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,8})?", rate) or not re.search(r"[1-9]", rate):
        raise _fault(
            file, f"not a rate: {rate!r}", f"不是汇率：{rate!r}",
            "CNY per one unit, digits with a point", "每 1 单位外币折合人民币，数字和小数点",
            number,
        )  # fmt: skip
    if currency == CNY and not re.fullmatch(r"0*1(\.0+)?", rate):
        raise _fault(file, "the rate of CNY is 1", "人民币汇率应为 1", row=number)
    own = row.get("month", "").replace("-", "") or month
    if not re.fullmatch(r"[12][0-9]{3}(0[1-9]|1[0-2])", own):
        raise _fault(file, f"not a month: {own!r}", f"不是月份：{own!r}", "yyyyMM", row=number)
    made_up = row.get("fictional", "").lower()
    if made_up not in _TRUE | _FALSE:
        raise _fault(file, f"fictional is 0 or 1, not {made_up!r}", f"fictional 应为 0 或 1，而非 {made_up!r}", row=number)  # fmt: skip
    flag = "1" if made_up in _TRUE else "0"
    return {"currency": currency, "month": own, "rate": rate, "fictional": flag, "": row[""]}


def _write(folder: Path, name: str, header: Sequence[str], rows: Sequence[Row]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=".", suffix=".part")
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, header, extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(folder / name)
    except OSError as error:
        raise _unwritable(folder, error) from error
    finally:
        Path(temporary).unlink(missing_ok=True)


def _unwritable(folder: Path, error: OSError) -> CodesError:
    return CodesError(
        f"the table cannot be written ({error.strerror})",
        f"代码表无法写入（{error.strerror}）",
        place=str(folder),
    )
