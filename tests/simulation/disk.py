"""The disk below the payload store: it keeps what was flushed, and after a crash nothing else."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from crossborder.ledger import PayloadRef


class Disk:
    """The payload folder of one home. While it is `watched`, `os.fsync` of its files is noted instead of waited for."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "payload"
        self._kept: dict[int, bytes] = {}
        self._named: set[str] = set()

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Within, whatever Python flushes is remembered."""
        real = os.fsync

        def fsync(file: int) -> None:
            self._flushed(os.fstat(file))

        os.fsync = fsync
        try:
            yield
        finally:
            os.fsync = real

    def crash(self) -> None:
        """Bytes that were not flushed are gone, files whose folder was not flushed too."""
        for path in sorted(self._folder.glob("*.seg")):
            if path.name not in self._named:
                path.unlink()
                continue
            kept = self._kept.get(path.stat().st_ino, b"")
            if path.read_bytes() != kept:
                path.write_bytes(kept)

    def rot(self, ref: PayloadRef, at: int) -> None:
        """One byte changes on the disk, the `at`-th of a document, if it is there at all."""
        path, offset = self._folder / ref.segment, ref.offset + at
        data = bytearray(path.read_bytes())
        if offset >= len(data):
            return
        data[offset] ^= 0x01
        path.write_bytes(data)
        self._kept[path.stat().st_ino] = bytes(data)

    def _flushed(self, of: os.stat_result) -> None:
        if stat.S_ISDIR(of.st_mode):
            self._named = {path.name for path in self._folder.glob("*.seg")}
            return
        for path in self._folder.glob("*.seg"):
            if path.stat().st_ino == of.st_ino:
                self._kept[of.st_ino] = path.read_bytes()
