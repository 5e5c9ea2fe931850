"""Files in boxes: durable writing, and finding a message again by the digest of its content."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

PART = ".part"
"""Ending of a file that is still being written; nobody takes it."""

_OURS = re.compile(r"S_[0-9]{17}_[A-Z0-9]{1,16}_([0-9a-f]{8,64})\.xml")
_NO_FSYNC = {errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES, errno.EPERM, errno.EISDIR}
_DEPTH = 3
_CACHED = 200_000
_CHUNK = 1 << 20


def write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet and bring it to the disk. What a dead try left behind is removed first."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o660)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the system can (Windows and some shares cannot)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_FSYNC:
            raise
    finally:
        os.close(handle)


def publish(part: Path, name: str) -> None:
    """Let a written file appear in its folder under `name`, at once, and durably. Raises `OSError`."""
    part.replace(part.with_name(name))
    sync_folder(part.parent)


def read_bounded(path: Path, limit: int) -> bytes | None:
    """The whole file, or None if it is longer than `limit` bytes. Raises `OSError`."""
    with path.open("rb") as file:
        data = file.read(limit + 1)
    return data if len(data) <= limit else None


def digest_of(path: Path) -> str:
    """SHA-256 of a file's bytes. Raises `OSError`."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def files_in(box: Path, depth: int = _DEPTH) -> Iterator[os.DirEntry[str]]:
    """The plain files of a box and of the folders in it (clients archive by day). Raises `OSError`."""
    with os.scandir(box) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if depth > 1:
                    yield from files_in(Path(entry.path), depth - 1)
            elif entry.is_file(follow_symlinks=False) and not entry.name.endswith(PART):
                yield entry


class Finder:
    """Finds files by content digest. Names we gave narrow the search, the content proves.

    A client may rename files (not to `.txt`: those are reasons beside refused ones): those with foreign names are read, and remembered by name, size and time of
    change. One search reads at most `budget` such files not yet known; `complete` then says whether all were.
    """

    def __init__(self, budget: int = 2_000) -> None:
        self._budget = budget
        self._known: OrderedDict[tuple[str, int, int], str] = OrderedDict()
        self.complete = True

    def find(self, box: Path, digest: str) -> Path | None:
        """A file in `box` with that content. Raises `OSError` if the box cannot be read."""
        self.complete = True
        left = self._budget
        foreign: list[os.DirEntry[str]] = []
        for entry in files_in(box):
            ours = _OURS.fullmatch(entry.name)
            if ours is None and not entry.name.endswith(".txt"):
                foreign.append(entry)
            elif ours and digest.startswith(ours[1]) and self._digest(entry) == digest:
                return Path(entry.path)
        for entry in foreign:
            if self._remembered(entry) is None:
                left -= 1
                if left < 0:
                    self.complete = False
                    break
            if self._digest(entry) == digest:
                return Path(entry.path)
        return None

    def contents(self, box: Path) -> Iterator[tuple[Path, str]]:
        """Every message in a box with its digest (`.txt` files are reasons). Raises `OSError`."""
        for entry in files_in(box):
            if not entry.name.endswith(".txt"):
                digest = self._digest(entry)
                if digest is not None:
                    yield Path(entry.path), digest

    def _key(self, entry: os.DirEntry[str]) -> tuple[str, int, int] | None:
        try:
            stat = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            return None
        return entry.path, stat.st_size, stat.st_mtime_ns

    def _remembered(self, entry: os.DirEntry[str]) -> str | None:
        key = self._key(entry)
        return self._known.get(key) if key else None

    def _digest(self, entry: os.DirEntry[str]) -> str | None:
        """The digest of a file; None if it is gone by now."""
        key = self._key(entry)
        if key is None:
            return None
        found = self._known.get(key)
        if found is None:
            try:
                found = digest_of(Path(entry.path))
            except FileNotFoundError:
                return None
            self._known[key] = found
            if len(self._known) > _CACHED:
                self._known.popitem(last=False)
        return found
