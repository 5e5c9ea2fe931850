"""Which of mutmut's faults are left out: those that change nothing but a text, or a guard that never speaks.

mutmut writes each fault as a whole copy of the function; what it changed is found by comparing the two syntax trees. Left out are

- texts: strings in Chinese or of several words, what stands in an argument or a name that holds words (`zh`, `fix_en`, `title`, …),
  and what is raised;
- guards: `strict=` of `zip`, which only says that two things are of one length and raises where they are not, and `assert`;
- encodings: `UTF-8` for `utf-8` is the same.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

WORDS = frozenset(
    [
        "zh",
        "en",
        "fix",
        "fix_zh",
        "fix_en",
        "title",
        "title_zh",
        "title_en",
        "source",
        "meaning",
        "fix_zh_default",
        "note",
        "place",
    ]
)
"""Arguments and names that hold words for people."""
GUARDS = frozenset({"strict", "encoding", "newline"})
_TEXT = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]|[a-z]+[,;:.]? [a-z]+", re.IGNORECASE)
_COPY = re.compile(r"^(?P<function>xǁ?.+)__mutmut_(?P<which>orig|\d+)$")


@dataclass(frozen=True)
class Change:
    """What a fault changed: the node before and after, and what it stands in, outermost first."""

    before: ast.AST
    after: ast.AST | None
    within: tuple[ast.AST, ...]


def left_out(file: Path, module: str) -> Iterator[str]:
    """Names of the faults in one of mutmut's modules that are not tried."""
    copies: dict[str, dict[str, ast.AST]] = {}
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        found = (
            _COPY.match(getattr(node, "name", "")) if isinstance(node, ast.FunctionDef) else None
        )
        if found:
            copies.setdefault(found["function"], {})[found["which"]] = node
    for function, known in copies.items():
        original = known.pop("orig", None)
        for which, copy in known.items():
            if original is None or not telling(change(original, copy)):
                yield f"{module}.{function}__mutmut_{which}"


def change(before: ast.AST, after: ast.AST, within: tuple[ast.AST, ...] = ()) -> Change:
    """The smallest part of a tree in which two of them differ."""
    if type(before) is not type(after):
        return Change(before, after, within)
    differing: list[tuple[ast.AST, ast.AST]] = []
    for (name, left), (_, right) in zip(
        ast.iter_fields(before), ast.iter_fields(after), strict=True
    ):
        if name in ("name", "type_comment", "ctx") and isinstance(before, ast.FunctionDef):
            continue
        lefts = left if isinstance(left, list) else [left]
        rights = right if isinstance(right, list) else [right]
        if len(lefts) != len(rights):
            return _fewer(before, lefts, rights, within)
        for one, other in zip(lefts, rights, strict=True):
            if isinstance(one, ast.AST) and isinstance(other, ast.AST):
                if ast.dump(one) != ast.dump(other):
                    differing.append((one, other))
            elif one != other:
                return Change(before, after, within)
    if len(differing) != 1:
        return Change(before, after, within)
    return change(*differing[0], (*within, before))


def _fewer(before: ast.AST, lefts: list[ast.AST], rights: list[ast.AST], within: tuple[ast.AST, ...]) -> Change:  # fmt: skip
    """An argument left out."""
    kept = [ast.dump(one) for one in rights]
    gone = [one for one in lefts if ast.dump(one) not in kept]
    return Change(gone[0] if len(gone) == 1 else before, None, (*within, before))


def telling(changed: Change) -> bool:
    """Whether a fault changes more than words."""
    around = (*changed.within, changed.before)
    if any(isinstance(node, ast.Raise | ast.Assert) for node in around):
        return False
    for node in around:
        if isinstance(node, ast.keyword) and node.arg in WORDS | GUARDS:
            return False
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if all(name in WORDS for target in targets for name in _names(target)):
                return False
    return not _is_text(changed.before)


def _names(target: ast.AST) -> list[str]:
    return [node.id for node in ast.walk(target) if isinstance(node, ast.Name)] or [""]


def _is_text(node: ast.AST) -> bool:
    if isinstance(node, ast.JoinedStr):
        return any(_is_text(part) for part in node.values)
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(_TEXT.search(node.value))  # fmt: skip
