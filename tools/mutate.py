"""How many planted faults in `rules/` and `codes/` their tests notice: `python tools/mutate.py [--minutes 20]`.

Runs mutmut 3 in a copy of the project, so the checkout stays as it is. Three things are arranged there:

- mutmut leaves decorated functions alone, but every rule is one. In the copy `@rule(...)` above `def name` becomes
  `name = rule(...)(name)` below it, which means the same; likewise `@cache`.
- Texts are not mutated: lines that hold Chinese characters or name a text argument are left out, as far as lines can tell.
- Faults are tried in a random but repeatable order (`--seed`), so that a run cut off by `--minutes` tries a fair sample.

The share is killed / tried; a fault that runs into the time limit, or breaks the import (mutmut calls both a timeout),
counts as not noticed, for it proves no test. Exit 1 if the share is below `--least` (percent); the default is 0: the share
is reported, not yet demanded. Survivors are listed for a person to judge: some change nothing that can be seen.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("rules", "codes")
COPIED = ("src", "fixtures", "schemas", "mappings", *(f"tests/{room}" for room in ROOMS))
DECORATORS = frozenset({"rule", "cache"})
TEXTS = (
    r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]",
    r"^\s*(zh|en|fix|fix_zh|fix_en|title|source|fields|certainty|inputs)=",
    r"^\s*(raise|from|import)\b",
)
"""Lines on which nothing is mutated: texts in Chinese, arguments that hold words, errors raised."""
GRACE_SECONDS = 30

CONFIG = """
[tool.mutmut]
source_paths = ["src"]
only_mutate = {mutated}
do_not_mutate = ["*/__init__.py", "*/examples.py"]
do_not_mutate_patterns = {texts}
also_copy = ["fixtures", "schemas", "mappings"]
pytest_add_cli_args = ["-p", "no:cacheprovider", "-p", "no:xdist", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
pytest_add_cli_args_test_selection = {tests}
process_isolation = "forkserver"
forkserver_warmup = "import"
preload_modules_file = "preload.txt"
timeout_multiplier = 3.0
timeout_constant = 60.0
use_git_change_detection = false
track_dependencies = false
"""
PRELOADED = "polars\nlxml.etree\npydantic\n"
"""Imported before workers fork. Nothing may be computed there: the threads of polars would not survive the fork."""

DRIVER = """
import hashlib, sys
import mutmut.__main__ as mutmut
from mutmut.state import state
from mutmut.workers.isolation import ForkServerRunner
seed, children = sys.argv[1:]
mutmut.estimated_worst_case_time = lambda name: hashlib.sha256((seed + name).encode()).hexdigest()
submit = ForkServerRunner.submit
def all_tests(self, name, tests, *rest):
    lasted, own = state().duration_by_test, frozenset(tests)
    return submit(self, name, sorted(lasted, key=lambda t: (t not in own, lasted[t])), *rest)
ForkServerRunner.submit = all_tests
mutmut._run((), int(children))
"""
"""Two things are done otherwise than mutmut does them. It tries first what is quickly tested, so a run that is cut off
would tell only of that: here the order is drawn. And it runs only the tests that it saw calling a function; but the
cases of a rule are made once for each context and kept, so most tests that depend on them do not call it: here all
tests are run, those it saw first.
"""


@dataclass(frozen=True)
class Outcome:
    """Faults by what became of them; `total` were planted."""

    killed: int
    survived: int
    timeout: int
    other: int
    total: int

    @property
    def tried(self) -> int:
        """Faults that were tried to the end."""
        return self.killed + self.survived + self.timeout + self.other

    @property
    def share(self) -> float:
        """Percent of the tried ones that were noticed; 0 if none was tried."""
        return 100 * self.killed / self.tried if self.tried else 0.0


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
    for room in ROOMS:
        for file in (place / "src" / "crossborder" / room).glob("*.py"):
            file.write_text(undecorated(file.read_text("utf-8")), encoding="utf-8")
    mutated = [f"src/crossborder/{pattern}" for pattern in only]
    settings = CONFIG.format(
        mutated=json.dumps(mutated),
        texts=json.dumps(list(TEXTS)),
        tests=json.dumps([f"tests/{room}" for room in ROOMS]),
    )
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    (place / "pyproject.toml").write_text(project + settings, encoding="utf-8")
    (place / "preload.txt").write_text(PRELOADED, encoding="utf-8")


def run(place: Path, seconds: float, seed: str, children: int) -> int:
    """Let mutmut work for at most `seconds`; its exit code, 0 if it was cut off."""
    with (place / "mutmut.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", DRIVER, seed, str(children)],
            cwd=place, stdout=log, stderr=subprocess.STDOUT, start_new_session=True, env=_environment(),
        )  # fmt: skip
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(GRACE_SECONDS)
            return 0
        finally:
            _end_group(process.pid)
            process.wait()


def _end_group(group: int) -> None:
    """End whatever the run has left behind; its processes have a group of their own."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


def _environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    return kept | {"PYTHONDONTWRITEBYTECODE": "1", "POLARS_MAX_THREADS": "1"}


def outcome(place: Path) -> Outcome:
    """What mutmut has noted so far."""
    _mutmut(place, "export-cicd-stats")
    found = json.loads((place / "mutants" / "mutmut-cicd-stats.json").read_text("utf-8"))
    other = sum(found[name] for name in ("no_tests", "suspicious", "segfault"))
    return Outcome(found["killed"], found["survived"], found["timeout"], other, found["total"])


def survivors(place: Path) -> list[str]:
    """Names of the faults that no test noticed, with the change each one made."""
    listed = re.findall(r"^\s*(\S+): survived", _mutmut(place, "results"), re.MULTILINE)
    return [f"{name}\n{_change(_mutmut(place, 'show', name))}" for name in sorted(listed)]


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
    parser.add_argument("--minutes", type=float, default=20.0, help="stop after so long (20)")
    parser.add_argument("--least", type=float, default=0.0, help="percent that must be noticed (0)")
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
        prepare(place, given.only or [f"{room}/*" for room in ROOMS])
        code = run(place, given.minutes * 60, given.seed, given.children)
        if code or not (place / "mutants").is_dir():
            print((place / "mutmut.log").read_text("utf-8", "replace")[-4000:], file=sys.stderr)
            return 2
        done = outcome(place)
        for one in survivors(place):
            print(one)
    print(
        f"{done.total} faults planted, {done.tried} tried: {done.killed} killed, {done.survived} survived, "
        f"{done.timeout} timed out or could not be imported, {done.other} without a verdict; {done.share:.1f} % noticed"
    )
    if not done.tried:
        return 2
    return 1 if done.share < given.least else 0


if __name__ == "__main__":
    sys.exit(main())
