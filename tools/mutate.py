"""How many planted faults in `rules/` and `codes/` their tests notice: `python tools/mutate.py [--minutes 20]`.

There are two kinds. All faults of our own (`mutate_own.py`) are tried, and every one must be noticed (what is not noticed within
the patience gets a second, longer look), but for those of which `mutate_same.toml` says why they change nothing. Of those that mutmut 3 plants a fair sample is tried. mutmut writes them into a
copy of the project, so the checkout stays as it is; three things are arranged there:

- mutmut leaves decorated functions alone, but every rule is one. In the copy `@rule(...)` above `def name` becomes
  `name = rule(...)(name)` below it, which means the same; likewise `@cache` and `@lru_cache(...)`.
- Texts are not mutated: lines that begin with a text argument are left out, and what `mutate_texts.py` finds to change only words.
- Faults are tried in a random but repeatable order (`--seed`), so that a run cut off by `--minutes` tries a fair sample.

They are tried by `mutate_worker.py`, in a few processes that go from fault to fault without starting anew. (mutmut's own runner
starts the tests anew for each: half a minute a fault here. And it runs only the tests that it saw calling a function; but the
cases of a rule are made once for each context and kept, so most tests that depend on them do not call it.)

The share is killed / tried; a fault that hangs or ends the process counts as not noticed, for it proves no test. Exit 1 if the
share is below `--least` (percent), if one of our own was not noticed, or if a rule has fewer than three faults. Survivors are
listed for a person to judge: some change nothing that can be seen.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import mutate_own
import mutate_reach
import mutate_texts

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("rules", "codes")
COPIED = ("src", "fixtures", "schemas", "mappings", "tools", *(f"tests/{room}" for room in ROOMS))
WORKER = Path(__file__).with_name("mutate_worker.py")
DECORATORS = frozenset({"rule", "cache", "lru_cache"})
TEXTS = (
    r"^\s*(zh|en|fix|fix_zh|fix_en|title|source|fields|certainty|inputs)=",
    r"^\s*(raise|from|import)\b",
)
"""Lines on which nothing is mutated: arguments that hold words, errors raised. `mutate_texts.py` leaves out the rest."""
STILL_SECONDS = 600
"""A process that has said nothing for so long is ended; the fault it tried last counts as hanging."""
TELL_SECONDS = 60
"""How often it says how far it is."""
SECOND_LOOK = 6
"""How many times the patience a fault of our own gets that was not noticed at first."""
LEAST_OF_A_RULE = 3
"""Faults that every rule must have, so that its tests are worth something."""

CONFIG = """
[tool.mutmut]
source_paths = ["src"]
only_mutate = {mutated}
do_not_mutate = ["*/__init__.py", "*/examples.py"]
do_not_mutate_patterns = {texts}
also_copy = ["fixtures", "schemas", "mappings", "tools"]
use_git_change_detection = false
track_dependencies = false
"""
PLANT = """
import sys
import mutmut.__main__ as mutmut
mutmut.set_mutant_under_test("mutant_generation")
mutmut.makedirs("mutants", exist_ok=True)
mutmut.copy_src_dir()
mutmut.copy_also_copy_files()
mutmut.setup_source_paths()
mutmut.create_mutants(int(sys.argv[1]))
"""
"""What mutmut does before it tries anything."""


@dataclass(frozen=True)
class Outcome:
    """Faults by what became of them; `planted` are all there are."""

    killed: int
    survived: int
    timeout: int
    planted: int

    @property
    def tried(self) -> int:
        """Faults that were tried to the end."""
        return self.killed + self.survived + self.timeout

    @property
    def share(self) -> float:
        """Percent of the tried ones that were noticed; 0 if none was tried."""
        return 100 * self.killed / self.tried if self.tried else 0.0

    def told(self) -> str:
        """In one line, with what a sample of this size leaves open."""
        spread = 196 * (self.share / 100 * (1 - self.share / 100) / self.tried) ** 0.5 if self.tried else 0.0  # fmt: skip
        return (
            f"{self.planted} faults planted, {self.tried} tried: {self.killed} killed, {self.survived} survived, "
            f"{self.timeout} hung or ended the process; {self.share:.1f} % noticed (of all planted: within {spread:.1f}, "
            "19 times in 20)"
        )


def undecorated(source: str) -> str:
    """Python source whose top-level functions have `DECORATORS` applied below them, not above."""
    lines = source.splitlines()
    for node in reversed(ast.parse(source).body):
        if not isinstance(node, ast.FunctionDef) or len(node.decorator_list) != 1:
            continue
        decorator = node.decorator_list[0]
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if not isinstance(called, ast.Name) or called.id not in DECORATORS or not node.end_lineno:
            continue
        text = ast.get_source_segment(source, decorator) or ""
        applied = f"{node.name} = ({text})({node.name})"
        body = lines[node.lineno - 1 : node.end_lineno]
        lines[decorator.lineno - 1 : node.end_lineno] = [*body, "", "", *applied.splitlines()]
    return "\n".join(lines) + "\n"


def prepare(place: Path, only: Sequence[str]) -> None:
    """Copy what the tests of the two rooms need to `place`, undecorated, with mutmut's settings."""
    for name in COPIED:
        shutil.copytree(
            ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
        )
    shutil.copytree(place / "src", place / "plain" / "src")
    for room in ROOMS:
        for file in (place / "src" / "crossborder" / room).rglob("*.py"):
            file.write_text(undecorated(file.read_text("utf-8")), encoding="utf-8")
    mutated = [f"src/crossborder/{pattern}" for pattern in only]
    settings = CONFIG.format(mutated=json.dumps(mutated), texts=json.dumps(list(TEXTS)))
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    (place / "pyproject.toml").write_text(project + settings, encoding="utf-8")


def plant(place: Path, children: int, seed: str) -> list[str]:
    """Let mutmut write the faults into `place/mutants`; their names in the order in which they are tried."""
    _checked([sys.executable, "-c", PLANT, str(children)], place)
    for name in COPIED:
        if name.startswith("tests/"):
            shutil.copytree(place / name, place / "mutants" / name, dirs_exist_ok=True)
    names, unreached = [], _only_imported(place)
    for file in sorted((place / "mutants").rglob("*.meta")):
        source = file.with_suffix("")
        module = _module(source, place / "mutants" / "src")
        texts = set(mutate_texts.left_out(source, module))
        planted = json.loads(file.read_text("utf-8"))["exit_code_by_key"]
        names += [
            name for name in planted
            if name not in texts and name.rpartition("__mutmut_")[0].replace(".x_", ".") not in unreached
        ]  # fmt: skip
    return sorted(names, key=lambda name: hashlib.sha256((seed + name).encode()).hexdigest())


def _module(file: Path, source: Path) -> str:
    return ".".join(file.relative_to(source).with_suffix("").parts)


def _only_imported(place: Path) -> set[str]:
    """Functions in which a fault cannot be switched on (`mutate_reach.py`)."""
    source = place / "plain" / "src"
    rooms = [source / "crossborder" / room for room in ROOMS]
    tests = (ROOT / "tests").rglob("*.py")
    return {f"{_module(file, source)}.{name}" for file, name in mutate_reach.only_imported(rooms, tests)}  # fmt: skip


def _checked(command: Sequence[str], place: Path) -> None:
    done = subprocess.run(command, cwd=place, env=_environment(), capture_output=True, text=True, check=False)  # fmt: skip
    if done.returncode:
        raise RuntimeError((done.stdout + done.stderr)[-4000:])


def measure(place: Path) -> Path:
    """How long each test takes without a fault. Raises `RuntimeError` if one fails."""
    times = place / "times.json"
    _checked([sys.executable, str(WORKER), "measure", str(times), *_tests()], place / "mutants")
    return times


def _tests() -> list[str]:
    return [f"tests/{room}" for room in ROOMS]


class Worker:
    """A process that tries faults, started again behind the one at which it hung or ended."""

    def __init__(self, place: Path, number: int, names: Sequence[str], times: Path) -> None:
        self._place, self._number, self._times = place, number, times
        self._left = list(names)
        self._log = place / f"verdicts-{number}.jsonl"
        self._log.touch()
        self._heard = time.monotonic()
        self._size = 0
        self.failed = ""
        self._start()

    def _start(self) -> None:
        names = self._place / f"names-{self._number}.json"
        names.write_text(json.dumps(self._left), encoding="utf-8")
        command = [sys.executable, str(WORKER), "try", str(names), str(self._times), str(self._log), *_tests()]  # fmt: skip
        with (self._place / f"worker-{self._number}.log").open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=self._place / "mutants", stdout=log, stderr=subprocess.STDOUT, env=_environment(), start_new_session=True,
            )  # fmt: skip

    def verdicts(self) -> dict[str, str]:
        """Fault → killed, survived, timeout, or begun."""
        lines = self._log.read_text("utf-8").splitlines()
        return {line["name"]: line["verdict"] for line in map(json.loads, lines)}

    def goes_on(self) -> bool:
        """Look after it; False when all its faults were tried, or it cannot work (`failed` says why)."""
        size = self._log.stat().st_size
        if size != self._size:
            self._size, self._heard = size, time.monotonic()
        code = self._process.poll()
        if code is None and time.monotonic() - self._heard < STILL_SECONDS:
            return True
        self.end()
        if code == 0:
            return False
        verdicts = self.verdicts()
        begun = [name for name, verdict in verdicts.items() if verdict == "begun"]
        if not begun:
            said = (self._place / f"worker-{self._number}.log").read_text("utf-8", "replace")
            self.failed = said[-4000:] or f"a process ended with {code}"
            return False
        with self._log.open("a", encoding="utf-8") as log:
            log.writelines(json.dumps({"name": name, "verdict": "timeout"}) + "\n" for name in begun)  # fmt: skip
        self._left = [name for name in self._left if name not in verdicts]
        self._heard = time.monotonic()
        self._start()
        return True

    def end(self) -> None:
        """End whatever runs; its processes have a group of their own."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        finally:
            self._process.wait()


def run(
    place: Path, names: Sequence[str], times: Path, seconds: float, children: int, patience: float
) -> dict[str, str]:
    """Try the faults for at most `seconds`; fault → verdict. Raises `RuntimeError` if a process cannot work."""
    os.environ["MUTATE_PATIENCE"] = str(patience)
    for old in place.glob("verdicts-*.jsonl"):
        old.unlink()
    workers = [Worker(place, n, names[n::children], times) for n in range(children)]
    begun = told = time.monotonic()
    going = workers
    try:
        while going and time.monotonic() < begun + seconds:
            time.sleep(1)
            going = [worker for worker in going if worker.goes_on()]
            if time.monotonic() > told + TELL_SECONDS:
                told = time.monotonic()
                _progress([worker.verdicts() for worker in workers], len(names), told - begun)
    finally:
        for worker in workers:
            worker.end()
    failed = [worker.failed for worker in workers if worker.failed]
    if failed:
        raise RuntimeError(failed[0])
    found = {name: verdict for worker in workers for name, verdict in worker.verdicts().items()}
    return {name: verdict for name, verdict in found.items() if verdict != "begun"}


def _progress(verdicts: Iterable[Mapping[str, str]], planted: int, took: float) -> None:
    """How far it is, on stderr."""
    of = Counter(verdict for some in verdicts for verdict in some.values())
    tried = of.total() - of["begun"]
    print(f"{took / 60:.0f} min: {tried} of {planted} tried, {of['killed']} noticed", file=sys.stderr, flush=True)  # fmt: skip


def _environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    return kept | {"PYTHONDONTWRITEBYTECODE": "1", "POLARS_MAX_THREADS": "1", "PYTHONPATH": "src"}


def outcome(verdicts: Mapping[str, str], planted: int) -> Outcome:
    """How many faults had which verdict."""
    of = Counter(verdicts.values())
    return Outcome(of["killed"], of["survived"], of["timeout"], planted)


def thin(names: Iterable[str], source: Path) -> list[str]:
    """Rules with fewer than `LEAST_OF_A_RULE` faults; a rule is a function that `rule(...)` is applied to."""
    planted = Counter(name.rpartition("__mutmut_")[0] for name in names)
    found = []
    for file in sorted(source.rglob("*.py")):
        module = ".".join(file.relative_to(source.parents[1]).with_suffix("").parts)
        for rule, function in re.findall(r"= \(rule\(\s*\"([^\"]+)\".*?\)\)\((\w+)\)", file.read_text("utf-8"), re.DOTALL):  # fmt: skip
            if planted[f"{module}.x_{function}"] < LEAST_OF_A_RULE:
                found.append(f"{rule} ({module}.{function}: {planted[f'{module}.x_{function}']})")
    return found


def survivors(place: Path, verdicts: Mapping[str, str]) -> list[str]:
    """Names of the faults that no test noticed, with the change each one made."""
    listed = sorted(name for name, verdict in verdicts.items() if verdict == "survived")
    return [f"{name}\n{_change(_mutmut(place, 'show', name))}" for name in listed]


def _change(diff: str) -> str:
    wanted = [
        line for line in diff.splitlines() if re.match(r"[+-](?![+-])", line) and line[1:].strip()
    ]
    return "\n".join(f"    {line}" for line in wanted)


def _mutmut(place: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "mutmut", *arguments], cwd=place, env=_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout


def main(arguments: Iterable[str] | None = None) -> int:
    """0 if enough faults were noticed, 1 if not, 2 if nothing could be tried."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--minutes", type=float, default=20.0, help="how long mutmut's faults are tried (20)")  # fmt: skip
    parser.add_argument("--which", choices=("both", "own", "drawn"), default="both", help="faults of our own, mutmut's, or both")  # fmt: skip
    parser.add_argument("--least", type=float, default=0.0, help="percent that must be noticed (0)")
    parser.add_argument("--patience", type=float, default=15.0, help="seconds of tests in which a fault must be noticed (15)")  # fmt: skip
    parser.add_argument("--seed", default="20261123", help="order of the faults")
    parser.add_argument("--children", type=int, default=os.cpu_count() or 2)
    parser.add_argument(
        "--only", action="append", metavar="PATTERN", help="files below src/crossborder, e.g. rules/limits.py"
    )  # fmt: skip
    given = parser.parse_args(None if arguments is None else list(arguments))
    if importlib.util.find_spec("mutmut") is None:
        print("mutmut is not installed: pip install 'mutmut>=3.8,<4'", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing is left behind
    with tempfile.TemporaryDirectory(prefix="crossborder-mutate-") as name:
        place = Path(name)
        only = given.only or [f"{room}/*" for room in ROOMS]
        prepare(place, only)
        try:
            own, names = _planted(place, given)
            whole = not given.only and given.which != "own"
            few = thin(names, place / "src" / "crossborder" / "rules") if whole else []
            print(f"{len(own)} faults of our own and {len(names)} of mutmut's; now the tests are timed without any", flush=True)  # fmt: skip
            times = measure(place)
            ours = _all_of_ours(place, list(own), times, given)
            _tell(
                [f"{name}\n{own[name].told}" for name in _unnoticed(ours)],
                "ours",
                outcome(ours, len(own)),
            )
            drawn = run(place, names, times, given.minutes * 60, given.children, given.patience)
        except RuntimeError as error:
            print(error, file=sys.stderr)
            return 2
        done = outcome(drawn, len(names))
        _tell(survivors(place, drawn), "mutmut's", done)
    print(*(f"fewer than {LEAST_OF_A_RULE} faults: {rule}" for rule in few), sep="\n")
    if not done.tried and not ours:
        return 2
    return 1 if few or _unnoticed(ours) or (done.tried and done.share < given.least) else 0


def _all_of_ours(
    place: Path, names: Sequence[str], times: Path, given: argparse.Namespace
) -> dict[str, str]:
    """Verdicts on our own faults; those not noticed get a second look, and more of the tests a turn."""
    ours = run(place, names, times, float("inf"), given.children, given.patience)
    again = _unnoticed(ours)
    if again:
        print(f"{len(again)} not noticed yet; they get {SECOND_LOOK} times the patience", file=sys.stderr, flush=True)  # fmt: skip
        patience = SECOND_LOOK * given.patience
        ours |= run(place, again, times, float("inf"), given.children, patience)
    return ours


def _planted(
    place: Path, given: argparse.Namespace
) -> tuple[dict[str, mutate_own.Fault], list[str]]:
    """Faults of our own by name (none where only some files are asked about), and the names of mutmut's in their order."""
    drawn = plant(place, given.children, given.seed)
    names = drawn if given.which != "own" else []
    if given.which == "drawn" or given.only:
        return {}, names
    same, unreached = mutate_own.changing_nothing(), _only_imported(place)
    found = mutate_own.faults(place / "plain").items()
    return {n: f for n, f in found if f.said not in same and f.said[0] not in unreached}, names


def _unnoticed(verdicts: Mapping[str, str]) -> list[str]:
    return sorted(name for name, verdict in verdicts.items() if verdict != "killed")


def _tell(listed: Iterable[str], whose: str, done: Outcome) -> None:
    if done.planted:
        print(*listed, f"{whose}: {done.told()}", sep="\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
