"""One filing process per home folder, by a lock of the kernel: a killed process frees it."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import filelock

from crossborder.errors import LedgerError

_LOCK = "filing.lock"
_HOLDER = "filing.holder.json"


@contextlib.contextmanager
def filing_lock(home: Path, doing: str) -> Iterator[None]:
    """Hold the right to file from `home`; `doing` names the command for whoever is turned away.

    Raises `LedgerError` at once if another process holds it, naming that process as it named itself.
    """
    lock = filelock.FileLock(home / _LOCK, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        holder = _holder(home)
        raise LedgerError(
            f"another process files from this home folder already: {holder}",
            f"已有另一进程在使用该数据目录申报：{holder}", place=str(home / _LOCK),
            fix_en="it files what is waiting; wait for it, or stop it first",
            fix_zh="待发报文由该进程发送；请等待其完成，或先停止该进程",
        ) from error  # fmt: skip
    except OSError as error:
        raise LedgerError(
            f"the home folder cannot be locked: {error.strerror}", f"无法锁定数据目录：{error.strerror}",
            place=str(home / _LOCK), fix_en="let this user write the home folder", fix_zh="请授予本用户对数据目录的写权限",
        ) from error  # fmt: skip
    try:
        _name_holder(home, doing)
        yield
    finally:
        with contextlib.suppress(OSError):
            (home / _HOLDER).unlink()
        lock.release()


def _name_holder(home: Path, doing: str) -> None:
    """Best effort: the name is only for the message of whoever is turned away."""
    part = home / f"{_HOLDER}.part"
    with contextlib.suppress(OSError):
        part.write_text(json.dumps({"doing": doing, "pid": os.getpid()}), encoding="utf-8")
        part.replace(home / _HOLDER)


def _holder(home: Path) -> str:
    try:
        said = json.loads((home / _HOLDER).read_text(encoding="utf-8"))
        return f"{said['doing']!s:.40} (pid {int(said['pid'])})"
    except (OSError, ValueError, KeyError, TypeError):
        return "crossborder submit / serve"
