"""A small import client for tests: takes what is in OutBox, refuses where told, leaves receipts."""

from __future__ import annotations

import os
from pathlib import Path


class ImportClient:
    """Plays the client of the `folder` transport in `folder`; nothing happens but on a call."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for box in ("OutBox", "SentBox", "FailBox", "InBox"):
            (folder / box).mkdir(parents=True, exist_ok=True)
        self._refusals: list[str] = []

    def refuse_next(self, reason: str) -> None:
        """Refuse the next message that is taken."""
        self._refusals.append(reason)

    def take(self, rename: str = "{name}") -> list[bytes]:
        """Take what waits, by name; it moves to SentBox (as `rename` says) or FailBox. Gives what was taken."""
        taken = []
        for file in sorted((self.folder / "OutBox").glob("*.xml")):
            data = file.read_bytes()
            if self._refusals:
                (self.folder / "FailBox" / f"{file.stem}.txt").write_text(
                    self._refusals.pop(0), encoding="utf-8"
                )
                file.replace(self.folder / "FailBox" / file.name)
                continue
            target = self.folder / "SentBox" / rename.format(name=file.name, stem=file.stem)
            target.parent.mkdir(parents=True, exist_ok=True)
            file.replace(target)
            taken.append(data)
        return taken

    def leave_receipt(self, name: str, data: bytes) -> None:
        """Let a receipt wait in InBox, as one that was left there a minute ago."""
        part = self.folder / "InBox" / f"{name}.tmp"
        part.write_bytes(data)
        left_at = part.stat().st_mtime - 60
        os.utime(part, (left_at, left_at))
        part.replace(self.folder / "InBox" / name)
