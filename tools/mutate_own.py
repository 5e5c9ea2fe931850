"""Faults of our own, beside mutmut's: a comparison shifted, a bound moved by one unit, an operand dropped, a date moved by a day.

They are planted where mutmut plants none as well: in the dates of rules (arguments of `@rule`), in the defaults of settings, in
methods with a decorator, and in the dated data that is packaged. A fault is planted in a running process and taken out again:

- code: the function gets the code of its changed copy (`__code__`); a name of a module or a field of a record another value
- data: `resources.text` gives the changed text of one packaged file

Of a table with more than `SMALL` rows one cell of each different value of a column is changed, of a smaller one every cell.
"""

from __future__ import annotations

import ast
import copy
import csv
import importlib
import io
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

MARK = "own "
"""How the names of these faults begin."""
SAME = Path(__file__).with_name("mutate_same.toml")
SMALL = 60
TABLES = {
    "codes": Path("src/crossborder/codes/tables"),
    "rules": Path("src/crossborder/rules/data"),
}
DATES = frozenset({"effective_from", "effective_to"})
BOUNDS = {
    "limits": ("value_cny",),
    "tax_parameters": ("value",),
    "parcel_tax": ("dutiable_value_cny", "tax_rate_pct"),
    "parcel_tax_2019_partial": ("dutiable_value_cny", "tax_rate_pct"),
    "parcel_tax_brackets": ("rate_pct",),
    "unit_measures": ("amount",),
}
"""Columns of tables that hold figures of the law."""
_STRICT = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
_DAY = re.compile(r"(19|20)\d\d-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])")
_NUMBER = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True)
class Fault:
    """One change; `told` says which, and `planted` makes it for as long as the context lasts."""

    name: str
    told: str
    planted: Callable[[], AbstractContextManager[None]]

    @property
    def said(self) -> tuple[str, str]:
        """Where it is planted and what it changes, without numbers that another fault would move."""
        return self.name.removeprefix(MARK).partition(" ")[0], " ".join(self.told.split())


def faults(root: Path) -> dict[str, Fault]:
    """All of them by name, of the project (or its copy) at `root`."""
    package = root / "src" / "crossborder"
    files = [
        file for room in ("rules", "codes") for file in sorted((package / room).rglob("*.py"))
        if file.name not in ("__init__.py", "examples.py")
    ]  # fmt: skip
    found = [
        *(fault for file in files for fault in _of_code(file, package.parent)),
        *(fault for folder, path in TABLES.items() for file in sorted((root / path).glob("*.csv")) for fault in _of_data(file, folder)),
    ]  # fmt: skip
    return {fault.name: fault for fault in found}


def changing_nothing() -> dict[tuple[str, str], str]:
    """Faults (as `Fault.said` says them) that change nothing anyone can see, and why: `mutate_same.toml`."""
    told = tomllib.loads(SAME.read_text("utf-8"))
    return {
        (one["where"], f"-{change['before']} +{change['after']}"): one["why"]
        for one in told.get("same", []) for change in one["changes"]
    }  # fmt: skip


# -- code


def _of_code(file: Path, source: Path) -> Iterator[Fault]:
    module = ".".join(file.relative_to(source).with_suffix("").parts)
    tree = ast.parse(file.read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield from _of_function(module, (), node)
            yield from _of_record(module, node)
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef):
                    yield from _of_function(module, (node.name,), inner)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield from _of_constant(module, node.targets[0].id, node.value)
    if module.endswith(".options"):
        yield from _of_options()


def _of_function(module: str, owner: tuple[str, ...], node: ast.FunctionDef) -> Iterator[Fault]:
    plain = copy.deepcopy(node)
    plain.decorator_list = []
    where = ".".join((module, *owner, node.name))
    for number, (inner, new, told) in enumerate(_changes(plain), 1):
        changed = ast.fix_missing_locations(
            _replaced(copy.deepcopy(plain), _place(plain, inner), new)
        )
        yield Fault(f"{MARK}{where} {number}", told, _swapped(module, owner, node.name, changed))


def _changes(function: ast.FunctionDef) -> Iterator[tuple[ast.AST, ast.AST, str]]:
    """Expressions of the body, what stands in their place, and the change in words."""
    within = {id(inner) for node in ast.walk(function) if _bits(node) for inner in _sides(node)}
    said = [
        one for one in function.body if not isinstance(one, ast.Assert)
    ]  # asserts are for the type checker
    typed = {
        id(inner) for node in ast.walk(function) if isinstance(node, ast.AnnAssign)
        for inner in ast.walk(node.annotation)
    }  # fmt: skip
    for node in (one for statement in said for one in ast.walk(statement)):
        if id(node) in typed:
            continue
        for new in _instead(node, chained=id(node) in within):
            yield node, new, f"    -{ast.unparse(node)}\n    +{ast.unparse(new)}"


def _instead(node: ast.AST, *, chained: bool) -> Iterator[ast.expr]:
    """What stands in the place of an expression; `chained`: it is part of a longer chain, which is changed as one."""
    if isinstance(node, ast.Compare):
        yield from _shifted(node)
    elif isinstance(node, ast.BoolOp):
        yield from _without_one(node.values, lambda left: ast.BoolOp(node.op, left))
    elif isinstance(node, ast.BinOp) and _bits(node) and not chained:
        yield from _without_one(_chain(node, type(node.op)), lambda left: _joined(left, node.op))
    elif isinstance(node, ast.Call):
        yield from _called(node)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _DAY.fullmatch(node.value):  # fmt: skip
        yield from (ast.Constant(_moved(node.value, step)) for step in (-1, 1))


def _without_one(
    operands: list[ast.expr], whole: Callable[[list[ast.expr]], ast.expr]
) -> Iterator[ast.expr]:
    for i in range(len(operands)):
        left = [*operands[:i], *operands[i + 1 :]]
        yield left[0] if len(left) == 1 else whole(left)


def _joined(operands: list[ast.expr], operator: ast.operator) -> ast.expr:
    whole, *more = operands
    for one in more:
        whole = ast.BinOp(whole, operator, one)
    return whole


def _called(node: ast.Call) -> Iterator[ast.expr]:
    """A span of days or numbers without its first or last one; a time longer or shorter by one."""
    if isinstance(node.func, ast.Attribute) and node.func.attr == "is_between":
        for closed in ("left", "right"):
            yield ast.Call(node.func, node.args, [ast.keyword("closed", ast.Constant(closed))])
    elif isinstance(node.func, ast.Name) and node.func.id == "timedelta":
        for keyword in node.keywords:
            for step in (-1, 1):
                more = ast.BinOp(keyword.value, ast.Add(), ast.Constant(step))
                yield ast.Call(node.func, node.args, [ast.keyword(keyword.arg, more)])


def _shifted(node: ast.Compare) -> Iterator[ast.expr]:
    for i, operator in enumerate(node.ops):
        other = _STRICT.get(type(operator))
        if other is not None:
            yield ast.Compare(
                node.left, [*node.ops[:i], other(), *node.ops[i + 1 :]], node.comparators
            )
    sides = [node.left, *node.comparators]
    for i, side in enumerate(sides):
        if isinstance(side, ast.Constant) and type(side.value) is int:
            for step in (-1, 1):
                moved = [*sides[:i], ast.Constant(side.value + step), *sides[i + 1 :]]
                yield ast.Compare(moved[0], node.ops, moved[1:])


def _bits(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr)


def _sides(node: ast.AST) -> list[ast.AST]:
    assert isinstance(node, ast.BinOp)
    return [s for s in (node.left, node.right) if isinstance(s, ast.BinOp) and type(s.op) is type(node.op)]  # fmt: skip


def _chain(node: ast.expr, operator: type[ast.operator]) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, operator):
        return [*_chain(node.left, operator), *_chain(node.right, operator)]
    return [node]


def _place(tree: ast.AST, wanted: ast.AST) -> int:
    return next(i for i, node in enumerate(ast.walk(tree)) if node is wanted)


def _replaced(tree: ast.FunctionDef, place: int, new: ast.AST) -> ast.FunctionDef:
    old = next(node for i, node in enumerate(ast.walk(tree)) if i == place)

    class Change(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> Any:
            return copy.deepcopy(new) if node is old else self.generic_visit(node)

    changed: ast.FunctionDef = Change().visit(tree)
    return changed


def _swapped(module: str, owner: tuple[str, ...], name: str, changed: ast.FunctionDef) -> Callable[[], AbstractContextManager[None]]:  # fmt: skip
    @contextmanager
    def planted() -> Iterator[None]:
        home = importlib.import_module(module)
        live = _live(home, owner, name)
        made: dict[str, Any] = {}
        future = ast.ImportFrom("__future__", [ast.alias("annotations")], 0)
        text = ast.fix_missing_locations(ast.Module([future, changed], []))
        exec(compile(text, f"<{name}>", "exec"), vars(home) | {"__name__": module}, made)
        kept = live.__code__
        live.__code__ = made[name].__code__
        try:
            yield
        finally:
            live.__code__ = kept

    return planted


def _live(home: Any, owner: tuple[str, ...], name: str) -> Any:
    """The function that runs: mutmut's unchanged copy of it, if it made one; else what the decorator holds."""
    place = vars(home)
    for one in owner:
        place = vars(place[one])
    inner = f"xǁ{'ǁ'.join(owner)}ǁ{name}" if owner else f"x_{name}"
    found = place.get(f"{inner}__mutmut_orig", place.get(name))
    for attribute in ("fget", "func", "__func__", "__wrapped__"):
        found = getattr(found, attribute, found)
    return found


# -- records and constants


def _of_record(module: str, node: ast.FunctionDef) -> Iterator[Fault]:
    """The dates of a rule; nothing of another function."""
    for call in node.decorator_list:
        if (
            not isinstance(call, ast.Call)
            or not isinstance(call.func, ast.Name)
            or call.func.id != "rule"
        ):
            continue
        rule_id = ast.literal_eval(call.args[0])
        for keyword in call.keywords:
            field = {"start": "effective_from", "end": "effective_to"}.get(keyword.arg or "")
            if field:
                importlib.import_module(module)
                given = getattr(_rule(rule_id), field)
                for step in (-1, 1):
                    moved = _moved(given, step)
                    yield Fault(
                        f"{MARK}{module}.{node.name} {field} {step:+}",
                        f"    -{rule_id}: {field} {given}\n    +{moved}",
                        _set(partial(_rule, rule_id), field, moved),
                    )  # fmt: skip


def _rule(rule_id: str) -> Any:
    rules = importlib.import_module("crossborder.rules")
    return next(one for one in rules.registry() if one.id == rule_id)


def _of_options() -> Iterator[Fault]:
    known = importlib.import_module("crossborder.rules.options").OPTIONS
    for name, one in known.items():
        if _NUMBER.fullmatch(one.default):
            for step, moved in _units(one.default):
                yield Fault(
                    f"{MARK}crossborder.rules.options.{name} {step:+}",
                    f"    -{name}: {one.default}\n    +{moved}",
                    _set(partial(known.__getitem__, name), "default", moved),
                )  # fmt: skip


def _of_constant(module: str, name: str, value: ast.expr) -> Iterator[Fault]:
    whole = isinstance(value, ast.Constant) and type(value.value) is int
    for step in (-1, 1) if whole else ():
        old = ast.literal_eval(value)
        yield Fault(
            f"{MARK}{module}.{name} {step:+}", f"    -{name} = {old}\n    +{name} = {old + step}",
            _renamed(module, name, old, old + step),
        )  # fmt: skip


def _set(of: Callable[[], Any], field: str, value: object) -> Callable[[], AbstractContextManager[None]]:  # fmt: skip
    @contextmanager
    def planted() -> Iterator[None]:
        record = of()
        kept = getattr(record, field)
        object.__setattr__(record, field, value)
        try:
            yield
        finally:
            object.__setattr__(record, field, kept)

    return planted


def _renamed(module: str, name: str, old: int, new: int) -> Callable[[], AbstractContextManager[None]]:  # fmt: skip
    @contextmanager
    def planted() -> Iterator[None]:
        importlib.import_module(module)
        holders = [
            m for n, m in list(sys.modules.items())
            if n.startswith("crossborder.") and vars(m).get(name) == old
        ]  # fmt: skip
        for one in holders:
            setattr(one, name, new)
        try:
            yield
        finally:
            for one in holders:
                setattr(one, name, old)

    return planted


# -- data


def _of_data(file: Path, folder: str) -> Iterator[Fault]:
    with file.open(encoding="utf-8", newline="") as stream:
        header, *rows = csv.reader(stream)
    for place, column in enumerate(header):
        dated = column in DATES
        if not dated and column not in BOUNDS.get(file.stem, ()):
            continue
        seen: set[str] = set()
        for number, row in enumerate(rows):
            value = row[place]
            if not value or (len(rows) > SMALL and value in seen):
                continue
            seen.add(value)
            changed = [(s, _moved(value, s)) for s in (-1, 1)] if dated else list(_units(value))
            for step, moved in changed:
                yield Fault(
                    f"{MARK}{folder}/{file.name} {number + 2} {column} {step:+}",
                    f"    -{','.join(row)}\n    +{column}: {moved}",
                    _other_text(f"{folder}/{file.name}", number, place, moved),
                )


def _moved(day: str, step: int) -> str:
    bare = day.replace("-", "")
    moved = date(int(bare[:4]), int(bare[4:6]), int(bare[6:])) + timedelta(days=step)
    return moved.isoformat() if "-" in day else moved.strftime("%Y%m%d")


def _units(value: str) -> Iterator[tuple[int, str]]:
    """A number, or each of several, moved by one unit of its last digit."""
    for number, found in enumerate(_NUMBER.finditer(value)):
        for sign in (-1, 1):
            unit = Decimal(1).scaleb(Decimal(found[0]).as_tuple().exponent)  # type: ignore[arg-type]
            moved = Decimal(found[0]) + sign * unit
            yield sign * (number + 1), f"{value[: found.start()]}{moved}{value[found.end() :]}"


def _other_text(name: str, row: int, column: int, value: str) -> Callable[[], AbstractContextManager[None]]:  # fmt: skip
    @contextmanager
    def planted() -> Iterator[None]:
        resources = importlib.import_module("crossborder.resources")
        kept = resources.text

        def text(relative: str) -> str:
            said: str = kept(relative)
            if relative != name:
                return said
            rows = list(csv.reader(io.StringIO(said)))
            rows[row + 1][column] = value
            out = io.StringIO()
            csv.writer(out, lineterminator="\n").writerows(rows)
            return out.getvalue()

        vars(resources)["text"] = text
        try:
            yield
        finally:
            vars(resources)["text"] = kept

    return planted
