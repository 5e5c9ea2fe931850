"""The folder door: the boxes of an import client.

`OutBox` is polled for `*.xml` (never `*.part`). A message taken moves to `SentBox`; one that is none moves to
`FailBox`, with its reason in a `.txt` of the same stem. Receipts appear in `InBox` under their final name
only when they are whole.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from crossborder.errors import InputError
from crossborder.sandbox.books import Books
from crossborder.sandbox.port import Port, Taken
from crossborder.sandbox.storage import Store

BOXES = ("OutBox", "SentBox", "FailBox", "InBox")
AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class FolderDoor:
    """The four boxes of one endpoint under `path`."""

    endpoint: str
    path: Path
    store: Store
    port: Port
    books: Books
    body_limit: int

    def prepare(self) -> None:
        """Create the boxes."""
        for box in BOXES:
            (self.path / box).mkdir(parents=True, exist_ok=True)

    def poll(self) -> int:
        """Take what lies in OutBox and lay out what is ready; returns how much was done."""
        return self._take() + self._deliver()

    def empty(self) -> bool:
        """Whether nothing lies in OutBox."""
        return not self._files(1)

    def _files(self, limit: int) -> list[Path]:
        with os.scandir(self.path / "OutBox") as entries:
            names = [e.name for e in entries if e.name.lower().endswith(".xml") and e.is_file()]
        return [self.path / "OutBox" / name for name in sorted(names)[:limit]]

    def _take(self) -> int:
        done = 0
        for file in self._files(AT_ONCE):
            try:
                done += self._take_one(file)
            except OSError:
                continue  # still held by whoever wrote it, or gone: the next look finds it again
        return done

    def _take_one(self, file: Path) -> int:
        taken = self._counted(file) or self._arrive(file)
        self._move(file, taken)
        self.store.run("UPDATE arrivals SET settled = 1 WHERE n = ?", taken.arrival)
        return 1

    def _arrive(self, file: Path) -> Taken:
        size = file.stat().st_size
        if size <= self.body_limit:
            return self.port.take(self.endpoint, "folder", file.read_bytes(), file=file.name)
        limit = self.body_limit
        refusal = InputError(f"larger than {limit} bytes", f"报文超过 {limit} 字节")
        return self.port.refuse(self.endpoint, "folder", "", refusal, size=size, file=file.name)

    def _counted(self, file: Path) -> Taken | None:
        """The arrival of a file that was counted before a restart but not yet moved."""
        row = self.store.one(
            "SELECT * FROM arrivals WHERE endpoint = ? AND file = ? AND settled = 0",
            self.endpoint,
            file.name,
        )
        if row is None:
            return None
        return Taken(
            row["n"], row["outcome"], row["message_id"], row["digest"], row["reason"], row["reason"]
        )

    def _move(self, file: Path, taken: Taken) -> None:
        if taken.outcome in ("received", "duplicate"):
            _move_to(file, self.path / "SentBox")
            return
        target = _free(self.path / "FailBox", file.name)
        text = f"SANDBOX 拒收：{taken.reason_zh}\nSANDBOX declined: {taken.reason_en}\n"
        target.with_suffix(".txt").write_text(text, encoding="utf-8")
        file.replace(target)

    def _deliver(self) -> int:
        waiting = self.books.waiting(self.endpoint, "folder", AT_ONCE)
        for _, name, body in waiting:
            target = self.path / "InBox" / name
            part = target.with_name(f"{name}.part")
            part.write_bytes(body)
            part.replace(target)
        if waiting:
            self.books.picked_up(self.endpoint, [number for number, _, _ in waiting])
        return len(waiting)


def _move_to(file: Path, box: Path) -> None:
    file.replace(_free(box, file.name))


def _free(box: Path, name: str) -> Path:
    """`box/name`, with a number where that name is taken."""
    target, count = box / name, 1
    while target.exists():
        count += 1
        target = box / f"{Path(name).stem}.{count}{Path(name).suffix}"
    return target
