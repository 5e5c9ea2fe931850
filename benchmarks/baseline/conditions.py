"""Filling conditions and code lists as plain Python functions.

They are written out as source text from the filling tables, one `if` per row, as a person would write them by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.baseline.spec import DOCU, HEAD, LINE
from crossborder import schema
from crossborder.codes import Tables
from crossborder.messages.mapping import message_mapping

Judge = Callable[[dict[str, Any], dict[str, Any], set[str]], None]
"""(row, head, rule ids found)."""


def judges(tables: Tables, day: str) -> dict[str, Judge]:
    """One function per group; code tables are those of `day` (yyyyMMdd) that are complete."""
    return {group: _judge(group, tables, day) for group in (HEAD, LINE, DOCU)}


def _judge(group: str, tables: Tables, day: str) -> Judge:
    known: dict[str, Any] = {}
    lines = ["def judge(row, head, found):", "    pass"]
    for test, rule in _tests(group, tables, day, known):
        lines += [f"    if {test}:", f"        found.add({rule!r})"]
    exec("\n".join(lines), known)  # the text is made here, of the project's own tables
    made: Judge = known["judge"]
    return made


def _tests(
    group: str, tables: Tables, day: str, known: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    sources = message_mapping("EXP301").groups[group].elements
    for filling in schema.filling("EXP301"):
        source = sources.get(filling.element)
        if filling.group == group and filling.need != "O" and source and source.given is None:
            empty = f"row[{filling.element!r}] is {'' if filling.need == 'R' else 'not '}None"
            yield " and ".join([empty, *_clauses(group, filling.clauses)]), filling.rule
    for number, code in enumerate(schema.code_lists("EXP301")):
        if code.group != group or code.element not in sources:
            continue
        value = f"row[{code.element!r}]"
        parts = [f"{value} is not None"]
        if code.form:
            known[f"form{number}"] = re.compile(code.form).fullmatch
            parts.append(f"{'' if code.table else 'not '}form{number}({value})")
        if code.table:
            if tables.coverage(code.table, day) != "complete":
                continue
            known[f"codes{number}"] = tables.codes(code.table, day)
            parts.append(f"{value} not in codes{number}")
        elif code.values:
            parts.append(f"{value} not in {tuple(code.values)!r}")
        yield " and ".join([*parts, *_clauses(group, code.clauses)]), code.rule


def _clauses(group: str, clauses: tuple[schema.Clause, ...]) -> Iterator[str]:
    own = {e.name for e in schema.load_elements("EXP301").group(group).elements}
    for clause in clauses:
        value = f"{'row' if clause.element in own else 'head'}[{clause.element!r}]"
        if clause.op in ("filled", "empty"):
            yield f"{value} is {'not ' if clause.op == 'filled' else ''}None"
        else:
            yield f"{value} {clause.op} {tuple(clause.values)!r}"
