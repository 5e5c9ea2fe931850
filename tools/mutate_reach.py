"""Functions that run only while modules are imported: a fault in them cannot be switched on later, so it is not tried.

Told by names alone: such a function is called outside of functions (or inside of others like it) and is mentioned nowhere else,
neither in the package nor in the tests. Examples and registration of rules are made by such functions.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

_ANYWHERE = ""
"""Where a function is mentioned without being called, or by what is no function of a module."""
_IMPORT = "<import>"


REGISTERING = frozenset({"rule"})
"""Decorators called like variables elsewhere; they run at import only."""


def only_imported(rooms: Iterable[Path], elsewhere: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """Those functions of the modules below `rooms`, with their files; `elsewhere` are other files that may mention them.

    Only names that begin with `_` are told, and decorators of rules.
    """
    outside = {name for file in elsewhere for name, _ in _mentions(_parsed(file)) if name[0] == "_"}
    for file in (file for room in rooms for file in sorted(room.rglob("*.py"))):
        tree = _parsed(file)
        used: dict[str, set[str]] = defaultdict(set)
        for name, where in _mentions(tree):
            used[name].add(where)
        private = {n.name for n in tree.body if isinstance(n, ast.FunctionDef) and n.name[0] == "_"} - outside  # fmt: skip
        only = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)} & REGISTERING
        before: set[str] | None = None
        while before != only:
            before = set(only)
            only |= {name for name in private if used[name] and used[name] <= {_IMPORT, *only}}
        yield from ((file, name) for name in sorted(only))


def _parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


def _mentions(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Names, each with the function of the module in which it is called."""
    for node in tree.body:
        function = isinstance(node, ast.FunctionDef)
        body = node.body if isinstance(node, ast.FunctionDef) else []
        inner = {id(n) for part in body for n in ast.walk(part)}
        called = {id(n.func) for n in ast.walk(node) if isinstance(n, ast.Call)}
        methods = {
            id(n) for m in ast.walk(node) if isinstance(m, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and m is not node
            for n in ast.walk(m)
        }  # fmt: skip
        for one in ast.walk(node):
            name = (
                one.id
                if isinstance(one, ast.Name)
                else one.attr
                if isinstance(one, ast.Attribute)
                else ""
            )
            if not name:
                continue
            if id(one) not in called or (not function and id(one) in methods):
                yield name, _ANYWHERE
            elif id(one) in inner:
                yield name, getattr(node, "name", _ANYWHERE)
            else:
                yield name, _IMPORT
