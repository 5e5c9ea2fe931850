"""The house itself: rooms import only upwards, modules stay small, packaged paths are built in one place."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "crossborder"
MODULES = sorted(SOURCE.rglob("*.py"))
DATA_FOLDERS = ("schemas", "mappings", "fixtures", "_data")


def test_rooms_import_only_from_rooms_above_them() -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([str(tool)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "4 kept, 0 broken" in done.stdout


def test_no_module_is_above_six_hundred_lines() -> None:
    long = {
        str(p.relative_to(ROOT)): n
        for p in MODULES
        if (n := len(p.read_text("utf-8").splitlines())) > 600
    }
    assert not long


def test_the_median_module_is_small() -> None:
    sizes = sorted(len(p.read_text("utf-8").splitlines()) for p in MODULES)
    assert sizes[len(sizes) // 2] <= 200


def _path_parts(tree: ast.AST) -> set[str]:
    """Words that a module joins to a path with `/`."""
    return {
        side.value
        for node in ast.walk(tree)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
        for side in (node.left, node.right)
        if isinstance(side, ast.Constant) and isinstance(side.value, str)
    }


def test_only_resources_builds_paths_to_packaged_data() -> None:
    builders = {
        str(path.relative_to(SOURCE)): parts
        for path in MODULES
        if (parts := _path_parts(ast.parse(path.read_text("utf-8"))) & set(DATA_FOLDERS))
        and path.name != "resources.py"
    }
    homes = {
        "engine/engine.py",
        "cli/desk.py",
    }  # the home folder's own `mappings`, not the packaged ones
    assert {
        name: parts
        for name, parts in builders.items()
        if name not in homes or parts != {"mappings"}
    } == {}


def test_every_room_says_what_it_is() -> None:
    silent = [
        str(p.relative_to(ROOT))
        for p in MODULES
        if not ast.get_docstring(ast.parse(p.read_text("utf-8")))
    ]
    assert not silent


def test_nothing_unfinished_is_left() -> None:
    words = ("TO" + "DO", "FIX" + "ME", "raise NotImplemented" + "Error")
    left = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in MODULES
        for word in words
        if word in path.read_text("utf-8")
    ]
    assert not left
