"""The mutation runner: what it changes in its copy means the same, and what it reports adds up."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]

DECORATED = '''
from functools import cache
made = []

def rule(name, *, applies):
    def register(body):
        made.append((name, applies, body()))
        return body
    return register

@rule(
    "EXP-13",
    applies="all",
)
def weights():
    """Gross and net."""
    return 1

@cache
def once():
    return made

class Kept:
    @property
    def own(self):
        return 2
'''


@pytest.fixture
def mutate(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`tools/mutate.py` as a module."""
    spec = importlib.util.spec_from_file_location("mutate", ROOT / "tools" / "mutate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "mutate", module)
    spec.loader.exec_module(module)
    return module


def test_rules_are_registered_the_same_without_decorators(mutate: ModuleType) -> None:
    source = mutate.undecorated(DECORATED)
    assert "@rule" not in source
    assert "@cache" not in source
    assert "@property" in source
    for text in (DECORATED, source):
        scope: dict[str, Any] = {}
        exec(text, scope)
        assert scope["made"] == [("EXP-13", "all", 1)]
        assert scope["weights"].__doc__ == "Gross and net."
        assert scope["once"]() is scope["made"]
        assert scope["once"].cache_info().misses == 1
        assert scope["Kept"]().own == 2


def test_every_rule_file_can_be_undecorated(mutate: ModuleType) -> None:
    files = [*(ROOT / "src" / "crossborder" / "rules").glob("*.py")]
    assert len(files) > 10
    for file in files:
        changed = mutate.undecorated(file.read_text("utf-8"))
        compile(changed, str(file), "exec")
        assert not re.search(r"^@(rule|cache)\b", changed, re.MULTILINE)


def test_only_what_a_test_noticed_counts(mutate: ModuleType) -> None:
    assert mutate.Outcome(killed=6, survived=2, timeout=1, other=1, total=50).share == 60.0
    assert mutate.Outcome(0, 0, 0, 0, 50).share == 0.0
