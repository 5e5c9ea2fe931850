"""What the documents name is there: links, files, tests; and what must not be named is not."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest
from tests.docs.pages import PAGES, ROOT, prose, read

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_NODE = re.compile(r"`(tests/[\w/]+\.py(?:::[\w]+)*)`")
_PATH = re.compile(r"`((?:src|docs|schemas|mappings|fixtures|tests|tools|benchmarks)/[\w./*-]*)`")
PROMISES = [f"P{n}" for n in range(1, 13)]

ids = {"ids": lambda p: p.relative_to(ROOT).as_posix()}


@pytest.mark.parametrize("page", PAGES, **ids)
def test_links_lead_somewhere(page: Path) -> None:
    wrong = []
    for target in _LINK.findall(prose(page)):
        if re.match(r"https?://|mailto:", target):
            wrong.append(f"{target}: links stay inside the project")
            continue
        file, _, anchor = target.partition("#")
        aim = (page.parent / file).resolve() if file else page
        if not aim.exists():
            wrong.append(f"{target}: no such file")
        elif anchor and anchor not in _anchors(aim):
            wrong.append(f"{target}: no such heading")
    assert not wrong


def _anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in heads}


@pytest.mark.parametrize("page", PAGES, **ids)
def test_paths_named_exist(page: Path) -> None:
    named = [n for n in _PATH.findall(prose(page)) if "FAMILY" not in n]
    assert not [n for n in named if not any(ROOT.glob(n.rstrip("/")))]


@pytest.mark.parametrize("page", PAGES, **ids)
def test_tests_named_in_documents_exist(page: Path) -> None:
    assert not [node for node in _NODE.findall(prose(page)) if not _exists(node)]


def _exists(node: str) -> bool:
    file, *names = node.split("::")
    return (ROOT / file).is_file() and "::".join(names) in _nodes(ROOT / file) | {""}


@cache
def _nodes(file: Path) -> frozenset[str]:
    found = set()
    for one in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found.add(one.name)
        if isinstance(one, ast.ClassDef):
            found |= {f"{one.name}::{f.name}" for f in one.body if isinstance(f, ast.FunctionDef)}
    return frozenset(found)


def test_a_test_that_does_not_exist_is_noticed() -> None:
    assert not _exists("tests/docs/test_names.py::test_of_no_such_name")
    assert not _exists("tests/docs/test_nothing.py::test_links_lead_somewhere")
    assert _exists("tests/docs/test_names.py::test_links_lead_somewhere")


def test_every_promise_stands_with_its_tests() -> None:
    text = read(ROOT / "docs/safety.md")
    parts = dict(re.findall(r"^## (P\d+) [^\n]+\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE))
    assert list(parts) == PROMISES
    assert [p for p in PROMISES if not _NODE.search(parts[p])] == []
    assert not [p for p in PROMISES if "Not yet" in parts[p] or "Only the first part" in parts[p]]


def test_what_the_contributing_table_names_as_its_test_exists() -> None:
    rows = re.findall(r"^\| (a [^|]+) \|.*\| `(tests/[^`]+)` \|$", read(ROOT / "CONTRIBUTING.md"), re.MULTILINE)  # fmt: skip
    assert len(rows) == 5
    assert not [node for _, node in rows if not _exists(node)]


_HOST = re.compile(r"pypi\.org|pythonhosted|/simple\b|index-url|tuna\.|aliyun|npmjs|crates\.io", re.IGNORECASE)  # fmt: skip
_MACHINE = re.compile(r"/(?:root|work|home/\w+|Users/\w+|tmp/(?!crossborder)\w+)\b|[A-Z]:\\\\Users")


@pytest.mark.parametrize("page", PAGES, **ids)
def test_no_registry_host_and_no_path_of_a_machine(page: Path) -> None:
    text = read(page)
    assert not _HOST.findall(text)
    assert not _MACHINE.findall(text)


def test_rooms_are_those_of_the_layers_in_their_order() -> None:
    """The table of the architecture page is the import contract, ground floor first."""
    page = read(ROOT / "docs/architecture.md")
    rooms = re.findall(r"^\| `(\w+)` \|", page.partition("## The rooms")[2].partition("\n## ")[0], re.MULTILINE)  # fmt: skip
    contracts = tomllib.loads(read(ROOT / "pyproject.toml"))["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if c["type"] == "layers")
    order = [
        sorted(n.strip().removeprefix("crossborder.") for n in layer.split(":"))
        for layer in reversed(layers)
    ]
    assert sorted(rooms, key=lambda r: _level(order, r)) == rooms
    assert {r for level in order for r in level} == set(rooms)


def _level(order: list[list[str]], room: str) -> int:
    return next(n for n, level in enumerate(order) if room in level)


def test_every_dependency_has_its_line() -> None:
    project = tomllib.loads(read(ROOT / "pyproject.toml"))
    groups = [
        project["project"]["dependencies"],
        *project["project"]["optional-dependencies"].values(),
        *project["dependency-groups"].values(),
    ]
    wanted = {re.split(r"[\[>=<]", name)[0].lower() for group in groups for name in group}
    rows = re.findall(r"^\| ([\w ,()-]+) \|", read(ROOT / "docs/dependencies.md"), re.MULTILINE)
    named = {n.split(" (")[0].strip().lower() for row in rows for n in row.split(",")}
    assert wanted == named - {"package"}
