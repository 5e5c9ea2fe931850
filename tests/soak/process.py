"""Real processes that begin at once: forked from this one, which has imported everything and started nothing.

What SIGKILL does to them is what it does to any process. A thread of polars would not live on in a fork, so `begin` refuses
where there is one: whatever needs polars (also composing a sample) is done in a process of its own.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

PATIENCE = 240.0
"""Seconds after which a run gives up: never reached unless something hangs."""
_TASKS = Path("/proc/self/task")


def import_everything() -> None:
    """Whatever a command may need, so that a fork has it at once."""
    import crossborder

    for module in pkgutil.walk_packages(crossborder.__path__, "crossborder."):
        if not re.search(r"\.(?:service|migrations|__main__)\b", module.name):
            importlib.import_module(module.name)
    for name in ("httpx", "psycopg", "alembic.command", "sqlalchemy.dialects.postgresql.psycopg"):
        importlib.import_module(name)


class Process:
    """One process that was begun; its output is in `out`."""

    def __init__(self, what: str, pid: int, out: Path) -> None:
        self.what, self.pid, self.out = what, pid, out
        self.code: int | None = None
        self.cpu = 0.0

    def ended(self) -> bool:
        """Whether it has ended; `code` is then its exit code, -9 where it was killed."""
        if self.code is None:
            pid, status, used = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
                self.cpu = used.ru_utime + used.ru_stime
        return self.code is not None

    def kill(self) -> bool:
        """SIGKILL; whether it was still alive. When this returns the process is no more."""
        if self.ended():
            return False
        os.kill(self.pid, signal.SIGKILL)
        return self.wait() == -signal.SIGKILL

    def wait(self) -> int:
        """Its exit code, when it has ended. Raises `TimeoutError` if it never does."""
        until = time.monotonic() + PATIENCE
        while not self.ended():
            if time.monotonic() > until:
                os.kill(self.pid, signal.SIGKILL)
                raise TimeoutError(f"{self.what} hangs: {self.said()[-2000:]}")
            time.sleep(0.002)
        assert self.code is not None
        return self.code

    def said(self) -> str:
        """What it wrote on both outputs so far."""
        return self.out.read_text("utf-8", errors="replace")


def begin(
    what: str, work: Callable[[], int], out: Path, environment: Mapping[str, str] | None = None, stdin: int | None = None
) -> Process:  # fmt: skip
    """Begin `work` in a process of its own, with nothing open but its output, and `stdin` if it has one."""
    _refuse_threads()
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return Process(what, pid, out)
    code = 70
    try:
        _alone(out, environment or {}, stdin)
        code = work()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def command(*args: str) -> Callable[[], int]:
    """`crossborder` with these arguments, as work."""

    def work() -> int:
        from crossborder.cli import main

        return main(args)

    return work


def _alone(out: Path, environment: Mapping[str, str], stdin: int | None) -> None:
    for name in [name for name in os.environ if name.startswith("CROSSBORDER_")]:
        del os.environ[name]
    os.environ.update(environment)
    os.dup2(os.open(os.devnull, os.O_RDONLY) if stdin is None else stdin, 0)
    target = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(target, 1)
    os.dup2(target, 2)
    os.closerange(3, 1024)
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 - open as long as the process
        for number, mode in ((0, "r"), (1, "w"), (2, "w"))
    )  # fmt: skip


def _refuse_threads() -> None:
    names = [p.joinpath("comm").read_text().strip() for p in _TASKS.iterdir()] if _TASKS.is_dir() else []  # fmt: skip
    started = [name for name in names if re.fullmatch(r"polars-[0-9]+", name)]
    if started or threading.active_count() > 1:
        raise RuntimeError(f"threads are running, so nothing can be forked: {started or names}")
