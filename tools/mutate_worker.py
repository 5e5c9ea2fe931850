"""One process of `tools/mutate.py`: tries faults one after another, without starting anew for each of them.

    python mutate_worker.py measure OUT TESTS…         how long each test takes, none of them with a fault: JSON in OUT
    python mutate_worker.py try NAMES TIMES OUT TESTS… one line of JSON in OUT for each fault in the file NAMES

mutmut has put all faults into the modules and switches one on by name. So tests are collected once; for each fault
whatever is kept between calls is forgotten (caches, contexts, fixtures), then the tests are run until one fails: first those
that noticed other faults of the same function, then of the same file, then those that name the rule, then those that noticed anything, then the quick ones. After a kill the test that noticed is run again
without the fault (not each time) and must pass, else the run means nothing and ends.
Faults of our own (`mutate_own.py`) are planted in the process and taken out again; they are listed from `../plain`.
"""

from __future__ import annotations

import functools
import gc
import inspect
import json
import os
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

import mutate_own

SWITCH = "MUTANT_UNDER_TEST"
SLOW_SECONDS = 2.0
"""Tests that take longer are not run: a fault that only they would notice counts as not noticed. All seconds are of the processor."""
PATIENCE = float(os.environ.get("MUTATE_PATIENCE", "15"))
"""A fault that the likeliest tests have not noticed within so many seconds counts as not noticed."""
LEAST_LIMIT, TIMES_LIMIT = 10.0, 20.0
"""A test with a fault may take this many seconds, or this many times as long as without, before it counts as hanging."""
OF_FILE = 12
"""So many of the tests that noticed other faults of a file are asked before those that are about it."""
VERIFY_EVERY = 8
"""So often a test that noticed is run again without the fault; always when it notices for the first time."""
PLAIN = Path("../plain")
"""The project as it is, beside the one with faults in which this works."""
KEEPING = (
    "crossborder.rules", "crossborder.codes", "crossborder.messages", "crossborder.engine", "rules.", "codes.", "tests.", "test_",
    "conftest",
)  # fmt: skip
"""Modules whose caches may hold what a fault has changed: the two rooms, those that import from them, and the tests."""


class Hangs(BaseException):
    """A test with a fault did not end in time."""


class Forgetting:
    """What is kept between calls, found once all modules are there."""

    def __init__(self) -> None:
        objects = gc.get_objects()
        self._caches = [
            one for one in objects
            if isinstance(one, functools._lru_cache_wrapper) and _ours(getattr(one, "__module__", ""))
        ]  # fmt: skip
        self._contexts = [one for one in objects if type(one).__name__ in ("Context", "Tables")]
        self._kept = [(one, set(vars(one))) for one in self._contexts if hasattr(one, "__dict__")]

    def __call__(self) -> None:
        """Forget it all."""
        for cache in self._caches:
            cache.cache_clear()
        for one, _ in self._kept:
            memo = getattr(one, "memo", None)
            if isinstance(memo, dict):
                memo.clear()
            for name in [n for n in vars(one) if _worked_out(one, n)]:
                del vars(one)[name]


def _ours(module: str | None) -> bool:
    return bool(module) and str(module).startswith(KEEPING)


def _worked_out(one: object, name: str) -> bool:
    """Whether an attribute is a property that was worked out and kept."""
    return isinstance(getattr(type(one), name, None), functools.cached_property)


class Loop:
    """A pytest plugin that runs the collected tests its own way."""

    def pytest_sessionstart(self) -> None:
        """The conftest files have been read; what they say of hypothesis is overruled."""
        from hypothesis import Phase, settings  # not before pytest has begun

        settings.register_profile(
            "faults", deadline=None, phases=[Phase.explicit, Phase.generate], derandomize=True, database=None,
        )  # fmt: skip
        settings.load_profile("faults")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Instead of one test after another."""
        self.run(list(session.items))
        return True

    def run(self, items: Sequence[pytest.Item]) -> None:
        """To be said by what is done."""
        raise NotImplementedError


class Measuring(Loop):
    """Every test once, in order."""

    def __init__(self, out: Path) -> None:
        self._out = out

    def run(self, items: Sequence[pytest.Item]) -> None:
        lasted: dict[str, float] = {}
        for item, following in zip(items, [*items[1:], None], strict=True):
            begun = time.process_time()
            if not _passes(item, following):
                raise SystemExit(f"{item.nodeid} fails without any fault")
            lasted[item.nodeid] = time.process_time() - begun
        self._out.write_text(json.dumps(lasted), encoding="utf-8")


class Trying(Loop):
    """Every fault, against the tests in the order in which they are likely to notice it."""

    def __init__(self, names: Sequence[str], lasted: Mapping[str, float], out: Path) -> None:
        self._names, self._lasted, self._out = names, lasted, out
        self._own: dict[str, mutate_own.Fault] = {}
        self._of_function: dict[str, list[str]] = defaultdict(list)
        self._of_file: dict[str, list[str]] = defaultdict(list)
        self._kills: Counter[str] = Counter()
        self._naming: dict[str, list[str]] = {}

    def run(self, items: Sequence[pytest.Item]) -> None:
        if any(name.startswith(mutate_own.MARK) for name in self._names):
            self._own = mutate_own.faults(PLAIN)
        forget = Forgetting()
        known = {item.nodeid: item for item in items if self._lasted[item.nodeid] <= SLOW_SECONDS}
        quick = _mixed(known, self._lasted)
        self._naming = _naming(known)
        with self._out.open("a", encoding="utf-8") as out:
            for name in self._names:
                _say(out, {"name": name, "verdict": "begun"})
                verdict, test = self._tried(name, known, quick, forget)
                _say(out, {"name": name, "verdict": verdict, "test": test})

    def _tried(
        self, name: str, known: Mapping[str, pytest.Item], quick: Sequence[str], forget: Forgetting
    ) -> tuple[str, str | None]:
        forget()
        try:
            with self._planted(name):
                ending = time.process_time() + PATIENCE
                for test in self._order(name, quick):
                    if time.process_time() > ending:
                        return "survived", None
                    if self._fails(known[test], self._lasted[test]):
                        break
                else:
                    return "survived", None
        except Hangs:
            return "timeout", test
        finally:
            forget()
        self._kills[test] += 1
        again = self._kills[test] == 1 or self._kills.total() % VERIFY_EVERY == 0
        if again and not _passes(known[test], None):
            raise SystemExit(f"{test} fails without a fault after {name}: something was kept")
        function = _function(name)
        file = function.rpartition(".")[0]
        for noticed in (self._of_function[function], self._of_file[file]):
            if test in noticed:
                noticed.remove(test)
            noticed.insert(0, test)
        return "killed", test

    @contextmanager
    def _planted(self, name: str) -> Iterator[None]:
        """One fault, for as long as the context lasts."""
        if name in self._own:
            with self._own[name].planted():
                yield
            return
        os.environ[SWITCH] = name
        try:
            yield
        finally:
            os.environ[SWITCH] = ""

    def _fails(self, item: pytest.Item, lasted: float) -> bool:
        """Whether a test notices. It ends by itself where a fault makes it go on for ever."""
        signal.setitimer(signal.ITIMER_PROF, max(LEAST_LIMIT, TIMES_LIMIT * lasted))
        try:
            return not _passes(item, None)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)

    def _order(self, name: str, quick: Sequence[str]) -> Iterator[str]:
        function = _function(name)
        file = function.rpartition(".")[0]
        naming = list(self._naming.get(RULES.get(function, ""), []))
        for other in [rule for place, rule in RULES.items() if place.startswith(f"{file}.x_")]:
            naming += [test for test in self._naming.get(other, [])[:3] if test not in naming]
        files = _about(file if "/" not in function else function)
        about = [test for one in files for test in quick if one in test]
        noticed = [test for test, _ in self._kills.most_common(30)]
        yield from dict.fromkeys(
            (
                *self._of_function[function],
                *naming,
                *self._of_file[file][:OF_FILE],
                *about,
                *noticed,
                *quick,
            )
        )


ABOUT = {
    "about": ("codes/test_edges", "test_words", "test_imports"),
    "across": ("test_across",),
    "bounds": ("test_limits", "test_split"),
    "charsets": ("test_text",),
    "check": ("test_dates", "test_engine"),
    "classification": ("test_split", "rules/test_edges", "test_engine"),
    "classify": ("test_classes",),
    "codes_form": ("rules/test_edges", "test_consistency"),
    "consistency": ("rules/test_edges",),
    "context": ("test_engine", "test_limits", "test_names"),
    "enterprises": ("rules/test_edges", "test_consistency"),
    "grades": ("test_switches",),
    "limits": ("rules/test_edges",),
    "identity": ("rules/test_edges",),
    "lookup": ("codes/test_edges",),
    "marks": ("test_earlier", "test_split"),
    "model": ("test_examples", "test_catalogue"),
    "options": ("test_dates", "test_engine"),
    "party": ("rules/test_edges", "test_identity", "test_text"),
    "prepare": ("rules/test_edges", "test_reference", "test_limits", "test_quantities", "test_consistency"),
    "ready": ("test_ready", "test_limits", "test_switches", "rules/test_edges", "test_engine"),
    "refusals": ("test_classes",),
    "search": ("codes/test_edges", "test_tables", "test_words"),
    "tables": ("codes/test_edges",),
    "telling": ("rules/test_edges", "test_engine"),
    "text": ("rules/test_edges",),
    "unevaluated": ("test_engine", "test_switches"),
    "unusual": ("test_text", "test_engine"),
    "waybills": ("rules/test_edges", "test_consistency"),
    "wordlists": ("test_names",),
    "words": ("codes/test_edges",),
}  # fmt: skip
"""Modules whose tests are not called like them, and where those stand."""


def _about(module: str) -> tuple[str, ...]:
    """Names of the test files that are about a module or a table."""
    if "/" in module:
        return ("test_catalogue", "test_packs", "test_figures", "tests/codes")
    *_, room, stem = module.split(".")
    own = (
        ("test_tax_sheet", "test_tax.py", "test_tax_rowwise")
        if room == "tax"
        else (f"test_{stem}.py",)
    )
    return (*ABOUT.get(stem, ()), *own, f"[{stem}")


def _mixed(known: Iterable[str], lasted: Mapping[str, float]) -> list[str]:
    """Quick ones first, but of one function with many parameters only one at a time."""
    turns: Counter[str] = Counter()
    found: list[tuple[int, float, str]] = []
    for test in sorted(known, key=lasted.__getitem__):
        function = test.partition("[")[0]
        found.append((turns[function], lasted[test], test))
        turns[function] += 1
    return [test for *_, test in sorted(found)]


def _function(name: str) -> str:
    """`crossborder.rules.limits.x_class_b__mutmut_7` → the function; of a fault of our own likewise, or its table."""
    if not name.startswith(mutate_own.MARK):
        return name.rpartition("__mutmut_")[0]
    place = name.removeprefix(mutate_own.MARK).partition(" ")[0]
    module, _, function = place.rpartition(".")
    return place if "/" in place else f"{module}.x_{function}"


def _naming(known: Mapping[str, pytest.Item]) -> dict[str, list[str]]:
    """Rule → tests about it: first those of its examples, then those that are called by it or speak of it."""
    found: dict[str, list[str]] = {rule: [] for rule in RULES.values()}
    for test, item in known.items():
        function = getattr(item, "function", None)
        said = inspect.getsource(function) if function is not None else ""
        for rule, tests in found.items():
            if f"[{rule}]" in test or f'"{rule}"' in said:
                tests.append(test)
    return {
        rule: sorted(tests, key=lambda test: "_example_" not in test)
        for rule, tests in found.items()
    }


RULES: dict[str, str] = {}
"""Function as mutmut names it → id of the rule that it is."""


def _know_rules() -> None:
    from crossborder import rules

    for one in rules.registry():
        made = one.cases
        name = getattr(made, "__name__", "")
        RULES[f"{made.__module__}.x_{name}"] = one.id


def _passes(item: pytest.Item, following: pytest.Item | None) -> bool:
    reports = runtestprotocol(item, log=False, nextitem=following)
    return not any(report.failed for report in reports)


def _say(out: Any, line: Mapping[str, object]) -> None:
    out.write(json.dumps(line, ensure_ascii=False) + "\n")
    out.flush()


def _hangs(_signal: int, _frame: FrameType | None) -> None:
    raise Hangs


def main(arguments: Sequence[str]) -> int:
    """0 if all was done; the tests collected must be the same in both steps."""
    os.environ[SWITCH] = ""
    what, *rest = arguments
    if what == "measure":
        out, *tests = rest
        loop: Loop = Measuring(Path(out))
    else:
        names, times, out, *tests = rest
        signal.signal(signal.SIGPROF, _hangs)
        lasted = json.loads(Path(times).read_text("utf-8"))
        loop = Trying(json.loads(Path(names).read_text("utf-8")), lasted, Path(out))
        _know_rules()
    quiet = ["-o", "addopts=--import-mode=importlib", "-m", "not slow"]
    for unwanted in ("cacheprovider", "xdist", "terminal"):
        quiet += ["-p", f"no:{unwanted}"]
    return int(pytest.main([*quiet, *tests], plugins=[loop]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
