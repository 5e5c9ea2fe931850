"""The filling tables: what must be filled or empty when, which codes, and under which rule id a fault is reported."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal, get_args

from crossborder.errors import SchemaError
from crossborder.schema.conditions import Clause, parse_when
from crossborder.schema.model import ElementTree
from crossborder.schema.simple.regex import to_rust

Need = Literal["R", "E", "O"]
FACETS = (
    "type", "totalDigits", "fractionDigits", "maxLength", "minLength", "pattern", "enumeration",
)  # fmt: skip
"""Every facet a finding can name, in the order in which they are judged."""

_NEEDS: dict[str, Need] = {need: need for need in get_args(Need)}
_FILLING = ("group", "element", "need", "when", "rule", "note")
_FACET_RULES = ("element", "facet", "rule")
_CODES = ("group", "element", "table", "values", "form", "when", "rule", "note")


@dataclass(frozen=True, slots=True)
class FillingRow:
    """`R` must be filled, `E` must be empty, `O` may be either, while all `clauses` hold."""

    group: str
    element: str
    need: Need
    when: str
    rule: str
    note: str
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class CodeRow:
    """A list of allowed values, or a code table, or a form, for one element while all `clauses` hold.

    A `form` beside a `table` limits the look-up to values of that form (an XSD regular expression).
    """

    group: str
    element: str
    table: str
    values: tuple[str, ...]
    form: str
    when: str
    rule: str
    note: str
    clauses: tuple[Clause, ...]


def read_filling(path: Path, tree: ElementTree) -> tuple[FillingRow, ...]:
    """The filling table of one message. Raises `SchemaError` naming file and line for a row that does not fit."""
    rows: list[FillingRow] = []
    for place, row in _rows(path, _FILLING):
        clauses = _conditions(tree, row, place)
        need = _NEEDS.get(row["need"])
        if need is None:
            raise SchemaError(
                f"need is {row['need']!r}, not R, E or O",
                f"need 为 {row['need']!r}，应为 R、E 或 O", place=place,
            )  # fmt: skip
        if (need == "O") == bool(row["rule"]):
            raise SchemaError(
                "R and E name a rule, O names none", "R、E 须注明规则编号，O 不注明", place=place
            )
        rows.append(
            FillingRow(
                row["group"], row["element"], need, row["when"], row["rule"], row["note"], clauses
            )
        )
    named = {(r.group, r.element) for r in rows}
    missing = [f"{e.group}.{e.name}" for e in tree if (e.group, e.name) not in named]
    if missing:
        raise SchemaError(f"no row for {missing[0]}", f"缺少 {missing[0]} 的行", place=path.name)
    return tuple(rows)


def read_facet_rules(path: Path, tree: ElementTree) -> Mapping[tuple[str, str], str]:
    """Rule ids by element and facet; none if there is no such file. Raises `SchemaError`."""
    if not path.exists():
        return MappingProxyType({})
    names = {e.name for e in tree}
    found: dict[tuple[str, str], str] = {}
    for place, row in _rows(path, _FACET_RULES):
        key = row["element"], row["facet"]
        if row["element"] not in names or row["facet"] not in FACETS or not row["rule"]:
            raise SchemaError(f"no such element or facet: {key}", f"没有这样的元素或约束：{key}", place=place)  # fmt: skip
        if key in found:
            raise SchemaError(f"{key} stands here twice", f"{key} 重复", place=place)
        found[key] = row["rule"]
    return MappingProxyType(found)


def read_codes(path: Path, tree: ElementTree) -> tuple[CodeRow, ...]:
    """The code lists of one message; none if there is no such file. Raises `SchemaError`."""
    if not path.exists():
        return ()
    rows: list[CodeRow] = []
    for place, row in _rows(path, _CODES):
        clauses = _conditions(tree, row, place)
        values = tuple(v for v in row["values"].split(",") if v)
        kinds = [bool(values), bool(row["table"]), bool(row["form"]) and not row["table"]]
        if sum(kinds) != 1 or not row["rule"]:
            raise SchemaError(
                "a row has values, or a table, or a form alone, and a rule",
                "每行须有规则编号，并在 values、table、form 中取其一", place=place,
            )  # fmt: skip
        if row["form"]:
            to_rust(row["form"], place=place)
        rows.append(
            CodeRow(
                row["group"], row["element"], row["table"], values, row["form"], row["when"],
                row["rule"], row["note"], clauses,
            )
        )  # fmt: skip
    return tuple(rows)


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[str, dict[str, str]]]:
    """Place and cells of every row; the header must be exactly `columns`."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SchemaError(
            f"the table cannot be read: {error}", "无法读取该表", place=path.name
        ) from error
    if not lines or tuple(lines[0]) != columns:
        raise SchemaError(
            f"the header must be {','.join(columns)}",
            f"表头应为 {','.join(columns)}",
            place=path.name,
        )
    for number, cells in enumerate(lines[1:], start=2):
        if len(cells) != len(columns):
            raise SchemaError(
                f"{len(cells)} cells instead of {len(columns)}",
                f"共 {len(cells)} 格，应为 {len(columns)} 格", place=f"{path.name}:{number}",
            )  # fmt: skip
        yield f"{path.name}:{number}", dict(zip(columns, cells, strict=True))


def _conditions(tree: ElementTree, row: Mapping[str, str], place: str) -> tuple[Clause, ...]:
    """The clauses of a row whose group and element exist, as do the elements the clauses name."""
    group, element = row["group"], row["element"]
    if all(g.name != group for g in tree.groups) or tree.find(group, element) is None:
        raise SchemaError(
            f"no element {group}.{element}", f"没有元素 {group}.{element}", place=place
        )
    clauses = parse_when(row["when"], place=place)
    for clause in clauses:
        if tree.resolve(group, clause.element) is None:
            raise SchemaError(
                f"the condition names {clause.element!r}, which is neither in {group} nor in a head",
                f"条件中的 {clause.element!r} 既不在 {group} 中，也不在表头中", place=place,
            )  # fmt: skip
    return clauses
