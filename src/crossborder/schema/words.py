"""The schema in words, one row per element: what the `schema` command and the documents show."""

from __future__ import annotations

from collections.abc import Iterable

from crossborder.schema.conditions import Clause
from crossborder.schema.model import Element, ElementTree, Group
from crossborder.schema.tables import CodeRow, FillingRow

Row = dict[str, str | int | None]
_NEED_ZH = {"R": "必填", "E": "须为空", "O": "可空"}
_NEED_EN = {"R": "required", "E": "must be empty", "O": "optional"}
_OP_ZH = {"in": "为", "not in": "不为", "filled": "已填", "empty": "未填"}
_OP_EN = {"in": "is", "not in": "is not", "filled": "is filled", "empty": "is empty"}


def rows(
    tree: ElementTree,
    filling: Iterable[FillingRow],
    codes: Iterable[CodeRow],
) -> list[Row]:
    """One dictionary per element, in schema order.

    Keys: `path`, `group`, `element`, `occurrence` (of the group), `type`, `min_length`, `max_length`, `total_digits`,
    `fraction_digits`, `pattern`, `label_zh`, `meaning_en`, `filling_zh`, `filling_en`, `codes` (values or tables,
    empty where there are none). Absent facets are `None`.
    """
    needs = list(filling)
    lists = list(codes)
    return [
        {
            "path": f"{group.name}/{e.name}",
            "group": group.name,
            "element": e.name,
            "occurrence": _occurrence(group),
            "type": _type(e),
            "min_length": e.min_length,
            "max_length": e.max_length,
            "total_digits": e.total_digits,
            "fraction_digits": e.fraction_digits,
            "pattern": e.pattern,
            "label_zh": e.label_zh,
            "meaning_en": e.meaning_en,
            "filling_zh": _filling_zh(tree, group, _of(needs, group, e)),
            "filling_en": _filling_en(_of(needs, group, e)),
            "codes": "; ".join(
                dict.fromkeys(
                    ",".join(c.values) or c.table or c.form
                    for c in lists
                    if (c.group, c.element) == (group.name, e.name)
                )
            ),
        }
        for group in tree.groups
        for e in group.elements
    ]


def _of(needs: list[FillingRow], group: Group, element: Element) -> list[FillingRow]:
    return [r for r in needs if (r.group, r.element) == (group.name, element.name)]


def _occurrence(group: Group) -> str:
    if group.once:
        return "1"
    return f"{group.min_occurs}..{'n' if group.max_occurs is None else group.max_occurs}"


def _type(element: Element) -> str:
    """`decimal(19,5)`, `string`, or the name of a date type."""
    if element.total_digits is not None:
        return f"decimal({element.total_digits},{element.fraction_digits or 0})"
    plain = element.pattern is None or "." in element.type_name or not element.type_name
    return element.base if plain else element.type_name


def _stated(needs: list[FillingRow]) -> list[FillingRow]:
    """Without the conditional `O` rows: they are what is left over."""
    return [n for n in needs if n.need != "O" or not n.clauses]


def _filling_zh(tree: ElementTree, group: Group, needs: list[FillingRow]) -> str:
    said = []
    for need in _stated(needs):
        when = "且".join(_clause_zh(tree, group, c) for c in need.clauses)
        said.append(f"{when}时{_NEED_ZH[need.need]}" if when else _NEED_ZH[need.need])
    return "；".join([*said, "其余情况可空"] if len(_stated(needs)) < len(needs) else said)


def _clause_zh(tree: ElementTree, group: Group, clause: Clause) -> str:
    named = tree.resolve(group.name, clause.element)
    label = f"{named.label_zh}（{clause.element}）" if named else clause.element
    return f"{label}{_OP_ZH[clause.op]}{'、'.join(clause.values)}"


def _filling_en(needs: list[FillingRow]) -> str:
    said = []
    for need in _stated(needs):
        when = " and ".join(_clause_en(c) for c in need.clauses)
        said.append(f"{_NEED_EN[need.need]} if {when}" if when else _NEED_EN[need.need])
    return "; ".join([*said, "otherwise optional"] if len(_stated(needs)) < len(needs) else said)


def _clause_en(clause: Clause) -> str:
    return f"{clause.element} {_OP_EN[clause.op]} {' or '.join(clause.values)}".rstrip()
