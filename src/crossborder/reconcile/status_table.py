"""The table of result codes: the only truth about what a code makes of a declaration or a manifest."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from functools import cache
from typing import Literal

from crossborder import resources

PLATFORM, CUSTOMS = "platform", "customs"
_NEVER_ON_THE_WIRE = "LOCAL"
_REFUSED = frozenset({"platform_failed", "refused", "sent_back", "reclass", "send_failed"})

Group = Literal[
    "prepared", "suspended_or_voided", "unknown", "in_flight", "refused", "released", "other_final"
]
_OURS: dict[str, Group] = {
    "prepared": "prepared",
    "awaiting_manifest": "prepared",
    "queued": "prepared",
    "not_received": "prepared",
    "suspended": "suspended_or_voided",
    "voided": "suspended_or_voided",
    "unknown": "unknown",
    "sending": "in_flight",
    "sent": "in_flight",
}


@dataclass(frozen=True)
class Status:
    """One row of `codes/status_codes.csv`. `state` is empty if the code moves nothing; `order` is the row."""

    message: str
    code: str
    state: str
    stage: str
    terminal: bool
    released: bool
    fresh_attempt: str
    order: int
    label_zh: str
    label_en: str
    next_zh: str
    next_en: str


@dataclass(frozen=True)
class StatusTable:
    """Every result code of every receipt, in the order of the table. Thread-safe: nothing in it changes."""

    rows: tuple[Status, ...]

    @classmethod
    def load(cls) -> StatusTable:
        """The packaged table (`codes/status_codes.csv`), read once."""
        return _packaged()

    def get(self, message: str, code: str) -> Status | None:
        """The row of a code of one message type, None if nobody knows the code."""
        return self._index().get((message, code))

    def of_message(self, message: str) -> tuple[Status, ...]:
        """The rows of one message type."""
        return tuple(row for row in self.rows if row.message == message)

    def group(self, state: str, *, final: bool, released: bool) -> Group:
        """Where a declaration in `state` stands in the closing account."""
        if state in _OURS:
            return _OURS[state]
        if released:
            return "released"
        if not final:
            return "in_flight"
        return "refused" if state in _REFUSED else "other_final"

    def states(self) -> tuple[str, ...]:
        """Every state the port can give, in the order of the table."""
        return tuple(dict.fromkeys(row.state for row in self.rows if row.state))

    def _index(self) -> dict[tuple[str, str], Status]:
        return _index(self)


def parse(text: str) -> StatusTable:
    """A status table from CSV text (columns as in the packaged one). Raises `KeyError` for a missing column."""
    rows = []
    for order, row in enumerate(csv.DictReader(io.StringIO(text))):
        if row["message"] == _NEVER_ON_THE_WIRE:
            continue
        rows.append(
            Status(
                message=row["message"], code=row["code"], state=row["state"], stage=row["stage"],
                terminal=row["terminal"] == "yes", released=row["released"] == "yes",
                fresh_attempt=row["fresh_attempt"], order=order, label_zh=row["label_zh"],
                label_en=row["label_en"], next_zh=row["next_zh"], next_en=row["next"],
            )
        )  # fmt: skip
    return StatusTable(tuple(rows))


@cache
def _packaged() -> StatusTable:
    return parse(resources.text("codes/status_codes.csv"))


@cache
def _index(table: StatusTable) -> dict[tuple[str, str], Status]:
    return {(row.message, row.code): row for row in table.rows}
