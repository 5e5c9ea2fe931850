"""Time: what really passes, what our machine believes, and the record of what happened."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from crossborder.china_time import CHINA

START = datetime(2026, 11, 23, 18, 0, tzinfo=CHINA)


class Clock:
    """`true` seconds have passed since `START`; our machine is `offset` seconds ahead."""

    def __init__(self) -> None:
        self.true = 0.0
        self.offset = 0.0

    def now(self) -> datetime:
        """What our machine's clock shows."""
        return START + timedelta(seconds=self.true + self.offset)

    def port(self) -> datetime:
        """What the port's clock shows, which is right."""
        return START + timedelta(seconds=self.true)


class Trace:
    """Everything that happened, in order, as one digest; the lines themselves where somebody wants to read them."""

    def __init__(self, *, keep: bool = False) -> None:
        self._digest = hashlib.sha256()
        self._keep = keep
        self.lines: list[str] = []
        self.count = 0

    def note(self, *words: object) -> None:
        """One thing that happened."""
        line = " ".join(map(str, words))
        self.count += 1
        self._digest.update(line.encode() + b"\n")
        if self._keep:
            self.lines.append(line)

    @property
    def digest(self) -> str:
        """SHA-256 of all lines so far."""
        return self._digest.hexdigest()
