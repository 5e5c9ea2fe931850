"""The mutation runner: what it changes in its copy means the same, and what it reports adds up."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from crossborder import resources, rules
from crossborder.codes import Tables
from crossborder.engine import profiles
from crossborder.rules.ready import ready

ROOT = Path(__file__).resolve().parents[2]

DECORATED = '''
from functools import cache, lru_cache
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

@lru_cache(maxsize=4)
def few():
    return made

class Kept:
    @property
    def own(self):
        return 2
'''


@pytest.fixture
def mutate(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`tools/mutate.py` as a module."""
    return tool("mutate", monkeypatch)


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`tools/mutate_worker.py` as a module."""
    monkeypatch.setenv("MUTANT_UNDER_TEST", "")
    return tool("mutate_worker", monkeypatch)


def tool(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A file of `tools` as a module; those beside it can be imported by it."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


def test_rules_are_registered_the_same_without_decorators(mutate: ModuleType) -> None:
    source = mutate.undecorated(DECORATED)
    assert "@rule" not in source
    assert "@cache" not in source
    assert "@lru_cache" not in source
    assert "@property" in source
    for text in (DECORATED, source):
        scope: dict[str, Any] = {}
        exec(text, scope)
        assert scope["made"] == [("EXP-13", "all", 1)]
        assert scope["weights"].__doc__ == "Gross and net."
        assert scope["once"]() is scope["made"]
        assert scope["once"].cache_info().misses == 1
        assert scope["few"].cache_parameters()["maxsize"] == 4
        assert scope["Kept"]().own == 2


def test_every_rule_file_can_be_undecorated(mutate: ModuleType) -> None:
    files = [*(ROOT / "src" / "crossborder" / "rules").rglob("*.py")]
    assert len(files) > 10
    for file in files:
        changed = mutate.undecorated(file.read_text("utf-8"))
        compile(changed, str(file), "exec")
        assert not re.search(r"^@(rule|cache|lru_cache)\b", changed, re.MULTILINE)


def test_only_what_a_test_noticed_counts(mutate: ModuleType) -> None:
    verdicts = {"a": "killed", "b": "survived", "c": "killed", "d": "timeout", "e": "killed"}
    done = mutate.outcome(verdicts, 50)
    assert (done.killed, done.survived, done.timeout, done.tried) == (3, 1, 1, 5)
    assert done.share == 60.0
    assert done.told().startswith("50 faults planted, 5 tried: 3 killed, 1 survived, 1 hung")
    assert mutate.Outcome(0, 0, 0, 50).share == 0.0


def test_a_rule_with_few_faults_is_named(mutate: ModuleType, tmp_path: Path) -> None:
    rules = tmp_path / "crossborder" / "rules"
    rules.mkdir(parents=True)
    (rules / "weights.py").write_text(mutate.undecorated(DECORATED), encoding="utf-8")
    names = [f"crossborder.rules.weights.x_weights__mutmut_{n}" for n in (1, 2, 3)]
    assert mutate.thin(names, rules) == []
    assert mutate.thin(names[:2], rules) == ["EXP-13 (crossborder.rules.weights.weights: 2)"]


MUTATED = """
def x_told__mutmut_orig(a, b):
    zh = "一"
    assert a is not None
    if a > b:
        raise ValueError("too much")
    return case(a < 3, en=f"value of {a}", column="pieces", values=dict(zip(a, b, strict=True)))
def x_told__mutmut_1(a, b):
    zh = None
    assert a is not None
    if a > b:
        raise ValueError("too much")
    return case(a < 3, en=f"value of {a}", column="pieces", values=dict(zip(a, b, strict=True)))
def x_told__mutmut_2(a, b):
    zh = "一"
    assert a is not None
    if a > b:
        raise ValueError("too much")
    return case(a < 3, column="pieces", values=dict(zip(a, b, strict=True)))
def x_told__mutmut_3(a, b):
    zh = "一"
    assert a is not None
    if a > b:
        raise ValueError(None)
    return case(a < 3, en=f"value of {a}", column="pieces", values=dict(zip(a, b, strict=True)))
def x_told__mutmut_4(a, b):
    zh = "一"
    assert a is None
    if a > b:
        raise ValueError("too much")
    return case(a < 3, en=f"value of {a}", column="pieces", values=dict(zip(a, b, strict=True)))
def x_told__mutmut_5(a, b):
    zh = "一"
    assert a is not None
    if a > b:
        raise ValueError("too much")
    return case(a < 3, en=f"value of {a}", column="pieces", values=dict(zip(a, b, strict=False)))
def x_told__mutmut_6(a, b):
    zh = "一"
    assert a is not None
    if a >= b:
        raise ValueError("too much")
    return case(a < 3, en=f"value of {a}", column="pieces", values=dict(zip(a, b, strict=True)))
def x_told__mutmut_7(a, b):
    zh = "一"
    assert a is not None
    if a > b:
        raise ValueError("too much")
    return case(a < 3, en=f"value of {a}", column="XXpiecesXX", values=dict(zip(a, b, strict=True)))
def x_told__mutmut_8(a, b):
    zh = "一"
    assert a is not None
    if a > b:
        raise ValueError("too much")
    return case(en=f"value of {a}", column="pieces", values=dict(zip(a, b, strict=True)))
"""


def test_faults_that_change_words_or_guards_only_are_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "told.py"
    file.write_text(MUTATED, encoding="utf-8")
    left_out = set(tool("mutate_texts", monkeypatch).left_out(file, "told"))
    assert left_out == {f"told.x_told__mutmut_{n}" for n in (1, 2, 3, 4, 5)}


@pytest.fixture(scope="module")
def own() -> Iterator[ModuleType]:
    """`tools/mutate_own.py` as a module."""
    with pytest.MonkeyPatch.context() as patch:
        yield tool("mutate_own", patch)


@pytest.fixture(scope="module")
def ours(own: ModuleType) -> dict[str, Any]:
    """All faults of our own."""
    found: dict[str, Any] = own.faults(ROOT)
    return found


def fault(ours: dict[str, Any], where: str, before: str, after: str) -> Any:
    """The one that makes a change in a place."""
    (found,) = [f for f in ours.values() if f.said == (where, f"-{before} +{after}")]
    return found


def test_our_faults_shift_comparisons_drop_operands_and_move_bounds(ours: dict[str, Any]) -> None:
    over = "crossborder.rules.bounds.over"
    told = "pl.col('_value') {} exact(Decimal(bound['value_cny']))"
    assert fault(ours, over, told.format(">"), told.format(">="))
    lines = "crossborder.rules.classification.twenty_lines"
    for moved in (19, 21):
        assert fault(ours, lines, "pl.col('_lines') > 20", f"pl.col('_lines') > {moved}")
    used = "crossborder.rules.consistency.used"
    asked = "(pl.col('used_goods') == '1')"
    assert fault(ours, used, f"pl.col('_class').is_in(['B', 'C']) & {asked}", asked[1:-1])


def test_every_dated_rule_number_and_table_has_its_faults(ours: dict[str, Any]) -> None:
    for rule in rules.registry():
        moved = [f for f in ours.values() if f.told.startswith(f"    -{rule.id}: effective_")]
        assert len(moved) == 2 * (bool(rule.effective_from) + bool(rule.effective_to))
    for table, rows in (("limits", 7), ("parcel_tax_pairs", 12)):
        moved = [name for name in ours if f"/{table}.csv " in name and " effective_from " in name]
        assert len(moved) == 2 * rows


def test_a_fault_of_ours_is_planted_and_taken_out_again(ours: dict[str, Any]) -> None:
    lines = fault(
        ours, "crossborder.rules.classification.twenty_lines", "pl.col('_lines') > 20", "pl.col('_lines') > 19"
    )  # fmt: skip
    context = rules.Context.of(Tables.load(), profiles.find("demo"), "20261123")
    body = next(rule.cases for rule in rules.registry() if rule.id == "CLS-20")

    def asked() -> str:
        return str(next(iter(body(context))).when)

    before = asked()
    with lines.planted():
        assert asked() == before.replace("20", "19") != before
    assert asked() == before

    limit = next(f for f in ours.values() if f.name == "own codes/limits.csv 4 value_cny +1")
    with limit.planted():
        assert "LIM-02,B,I,any,,2001," in resources.text("codes/limits.csv")
    assert "LIM-02,B,I,any,,2000," in resources.text("codes/limits.csv")


def test_what_is_said_to_change_nothing_is_among_our_faults(
    own: ModuleType, ours: dict[str, Any]
) -> None:
    said = {one.said for one in ours.values()}
    same = own.changing_nothing()
    assert [one for one in same if one not in said] == []
    assert all(len(why) > 20 for why in same.values())


FAULTS = [f"crossborder.rules.limits.x_bound__mutmut_{n}" for n in (1, 2, 3)]


@dataclass(frozen=True)
class Item:
    """A test as pytest would collect it."""

    nodeid: str


def tried(
    worker: ModuleType, monkeypatch: pytest.MonkeyPatch, out: Path, notices: dict[str, set[str]]
) -> tuple[list[dict[str, Any]], list[str]]:
    """What the worker says of `FAULTS`, and the tests it ran with a fault; `notices`: fault → tests that fail with it."""
    ran: list[str] = []

    def passes(item: Item, _following: object) -> bool:
        fault = os.environ[worker.SWITCH]
        if fault:
            ran.append(item.nodeid)
        return item.nodeid not in notices.get(fault, set())

    monkeypatch.setattr(worker, "_passes", passes)
    lasted = {
        "t/test_far.py::quick": 0.1,
        "t/test_limits.py::near": 0.3,
        "t/test_far.py::slow": 99.0,
    }
    worker.Trying(FAULTS, lasted, out).run([Item(name) for name in lasted])
    lines = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    return [line for line in lines if line["verdict"] != "begun"], ran


def test_tests_that_noticed_before_are_run_first(
    worker: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    notices = {FAULTS[0]: {"t/test_far.py::quick"}, FAULTS[2]: {"t/test_far.py::quick"}}
    said, ran = tried(worker, monkeypatch, tmp_path / "out", notices)
    assert [one["verdict"] for one in said] == ["killed", "survived", "killed"]
    near, quick = "t/test_limits.py::near", "t/test_far.py::quick"
    assert ran == [near, quick, quick, near, quick]  # slow tests are not run at all
    assert os.environ[worker.SWITCH] == ""


def test_a_test_that_fails_without_the_fault_ends_the_run(
    worker: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    notices = {FAULTS[0]: {"t/test_far.py::quick"}, "": {"t/test_far.py::quick"}}
    with pytest.raises(SystemExit, match="fails without a fault"):
        tried(worker, monkeypatch, tmp_path / "out", notices)


def test_what_is_kept_between_calls_is_forgotten(worker: ModuleType) -> None:
    profile = profiles.find("demo")
    context = rules.Context.of(Tables.load(), profile, "20261123")
    ready(rules.registry()[0], context)
    _ = context.rates
    assert context.memo
    worker.Forgetting()()
    assert not context.memo
    assert "rates" not in vars(context)
    assert rules.Context.of(context.tables, profile, "20261123") is not context


def test_every_module_that_looks_into_the_two_rooms_is_forgotten(worker: ModuleType) -> None:
    source = ROOT / "src" / "crossborder"
    rooms = ("schema", "shipments", "messages", "intake", "samples")
    looking = {
        ".".join(file.relative_to(source.parent).with_suffix("").parts)
        for room in rooms for file in (source / room).rglob("*.py")
        if re.search(r"crossborder\.(codes|rules)\b", file.read_text("utf-8"))
    }  # fmt: skip
    assert looking
    assert all(worker._ours(module) for module in looking), looking
