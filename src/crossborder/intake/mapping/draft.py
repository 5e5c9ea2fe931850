"""A first draft of a partner mapping, and a look at how rows will be read."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from crossborder.intake import jsonfile, nested
from crossborder.intake.canonical import first_rows
from crossborder.intake.flat import flatten
from crossborder.intake.grid import Record
from crossborder.intake.limits import Limits
from crossborder.intake.mapping.choose import plain
from crossborder.intake.mapping.load import load_mapping
from crossborder.intake.mapping.model import ColumnRule, WordTable, all_keys, column_of
from crossborder.intake.meeting import MappingLike, may_nest, meet
from crossborder.intake.opened import open_source
from crossborder.intake.opening import header_only
from crossborder.shipments.columns import FRAME_NAMES

_NEAR = 0.72
_LOOKED_AT = 1 << 20
"""Bytes at the beginning of a file among which the first rows are looked for."""
_BUILT_IN = ("zh-desk", "elements", "canonical")


def draft(path: Path, sheet: str | int | None = None) -> str:
    """TOML of a mapping for a file: likely columns matched, the rest as comments. Raises `InputError`."""
    with open_source(path, sheet, Limits(), nest=False) as opened:
        assert opened.table is not None
        records = opened.table(None, opened.sheets[0]).preview()
    known = _known_names()
    at = max(range(min(len(records), 10)), key=lambda i: (_hits(records[i], known), -i))
    header = [name for name in records[at].fields if name.strip()]
    matched, open_names = _match(header, known)
    lines = [
        f"# Draft for {path.name}: look over every line, then use --mapping with this file.",
        f"# 根据 {path.name} 起草：请逐行核对后，用 --mapping 指定本文件。",
        f"title_zh = {_quoted(path.stem)}",
        f"title_en = {_quoted(path.stem)}",
        "",
        "[header]",
        f"row = {records[at].row}" if records[at].row else "within = 1",
        "",
        "[columns]",
    ]
    required = set(load_mapping("canonical").required())
    desk = load_mapping("zh-desk")
    lines += [
        _column(key, matched[key], desk.columns[key], required=key in required)
        for key in all_keys()
        if key in matched
    ]
    for key in sorted(required - set(matched)):
        column = column_of(key)
        lines.append(
            f'# {_quoted(key)} = ""  # {column.label_zh if column else ""}: required, not found / 必需，未找到'
        )
    if open_names:
        lines += ["", "# Columns nobody recognised / 未识别的列:"]
        lines += [f'# "shipments.…" = {_quoted(name)}' for name in open_names]
    used = dict.fromkeys(desk.columns[k].words for k in all_keys() if k in matched)
    lines += [line for name in used if name for line in _word_table(name, desk.words[name])]
    return "\n".join(lines) + "\n"


def _column(key: str, header: str, desk: ColumnRule, *, required: bool) -> str:
    """One line of the draft: the header, and how a desk writes this column (words, dates)."""
    parts = [f"names = {_quoted(header)}"]
    parts += ["required = true"] if required else []
    parts += ["number_cells = true"] if desk.number_cells else []
    parts += [f"words = {_quoted(desk.words)}"] if desk.words else []
    parts += [f"dates = [{', '.join(map(_quoted, desk.dates))}]"] if desk.dates else []
    return f"{_quoted(key)} = {{ {', '.join(parts)} }}"


def _word_table(name: str, words: WordTable) -> list[str]:
    lines = ["", f"[words.{name}]"]
    if words.table:
        lines += [f"table = {_quoted(words.table)}", f"code = {_quoted(words.code)}"]
        lines.append(f"from = [{', '.join(map(_quoted, words.source))}]")
    if words.where:
        pairs = ", ".join(f"{k} = {_quoted(v)}" for k, v in words.where.items())
        lines.append(f"where = {{ {pairs} }}")
    if words.values:
        lines += ["", f"[words.{name}.values]"]
        lines += [f"{_quoted(word)} = {_quoted(code)}" for word, code in words.values.items()]
    return lines


def explain_rows(
    path: Path,
    mapping: MappingLike = None,
    n: int = 3,
    folders: Sequence[Path] = (),
    sheet: str | int | None = None,
) -> list[list[tuple[str, str, str | None]]]:
    """How the first `n` rows are read: for each row (canonical column, source header, value as it will be).

    Raises `InputError` and `MappingError` as `read` does.
    """
    with open_source(path, sheet, Limits(), nest=may_nest(mapping)) as opened:
        if opened.records is not None:
            return _nested_rows(opened.name, next(opened.records(_LOOKED_AT)).records, n)
        met = meet(opened, mapping, folders)
        piece = next(met.pieces(_LOOKED_AT), None)
        if piece is None:
            raise header_only(opened.name)
        fit, grid = met.fit, piece.grid
        table = first_rows(grid, fit, opened.name, n)
    headers = {key: grid.header[at].strip() for key, at in fit.found.items()}
    return [
        [(key, headers.get(key, ""), value) for key, value in row.items()]
        for row in table.to_dicts()
    ]


def _nested_rows(
    place: str, records: jsonfile.Records, n: int
) -> list[list[tuple[str, str, str | None]]]:
    read = nested.Reading(place, Limits()).read(records)
    shape = load_mapping("canonical")
    keys = {rule.names[0]: key for key, rule in shape.columns.items()}
    lines = flatten(read.frames, shape).head(n).to_dicts() if read is not None else []
    return [[(keys[name], name, value) for name, value in line.items()] for line in lines]


def _known_names() -> dict[str, str]:
    """Every header name (plain) of the built-in mappings, labels and canonical names → canonical key."""
    known: dict[str, str] = {}
    for key in all_keys():
        column = column_of(key)
        if column is not None and column.frame == "shipments":
            known.setdefault(plain(column.label_zh), key)
    for name in _BUILT_IN:
        for key, rule in load_mapping(name).columns.items():
            for header in rule.names:
                known[plain(header)] = key
    for frame in FRAME_NAMES:
        for key in all_keys():
            if key.startswith(frame):
                column = column_of(key)
                assert column is not None
                known.setdefault(plain(column.name.replace("_", "")), key)
                known.setdefault(plain(column.label_zh), key)
    return known


def _hits(record: Record, known: dict[str, str]) -> int:
    return sum(plain(name) in known for name in record.fields)


def _match(header: Sequence[str], known: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """Key → header, exact names first, then near ones; and the headers left over."""
    matched: dict[str, str] = {}
    left: list[str] = []
    for name in header:
        key = known.get(plain(name)) or known.get(plain(name).replace("_", ""))
        if key is not None and key not in matched:
            matched[key] = name.strip()
        else:
            left.append(name.strip())
    still: list[str] = []
    for name in left:
        near = difflib.get_close_matches(plain(name), known, 1, _NEAR)
        key = known[near[0]] if near else None
        if key is not None and key not in matched:
            matched[key] = name
        else:
            still.append(name)
    return matched, still


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    clean = "".join(c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}" for c in escaped)
    return f'"{clean}"'
