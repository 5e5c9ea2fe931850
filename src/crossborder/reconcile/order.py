"""Ordering: what all receipt lines of one attempt, taken together, say of it.

The judgement depends only on the set of lines, never on the order in which they came. Lines are looked at by
OpTime, on a tie by the order of the status table. Then:

- a code that is in no table, and A and R, move nothing;
- D1, D3, N and Y with OpType MOD or APP decide a change; the declaration itself stands;
- the same code at the same OpTime is a repetition;
- D1 after D0, D2 or anything customs said, D3 after D2 or anything customs said, N after any other word of
  customs are contradictory: they move nothing and wait for a person (the same for DN and NN of a manifest);
- a platform code never moves what customs has set; otherwise the later line moves the state;
- a code after a release is applied, and raised as reopened.

Source: notes on the express messages, section 9 (our inference is marked there).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Literal

from crossborder import china_time
from crossborder.ledger import PendingLine
from crossborder.reconcile.status_table import CUSTOMS, Status, StatusTable

Verdict = Literal[
    "moves", "outranked", "noted", "repeated", "contradictory", "unknown_code", "reopens"
]
CHANGES = frozenset({"MOD", "APP"})
"""OpTypes of a change to a declaration."""
DECIDES_CHANGE = frozenset({"D0", "D1", "D2", "D3", "N", "Y"})
"""Codes that, with such an OpType, decide the change and not the declaration."""
CONTRADICTED_BY = {
    "D1": frozenset({"D0", "D2", CUSTOMS}),
    "D3": frozenset({"D2", CUSTOMS}),
    "N": frozenset({CUSTOMS}),
    "DN": frozenset({"DY", CUSTOMS}),
    "NN": frozenset({CUSTOMS}),
}
"""Code → codes, or anything of customs but a refusal, after which it cannot be."""
CLOCKS_DIFFER = timedelta(minutes=2)
"""By how much the port's clock may be behind ours: what is said earlier than that before a send answers another one."""
_REFUSALS = frozenset({"N", "NN"})


@dataclass(frozen=True)
class Judged:
    """One line with its place in the order, what it does, and its row of the status table."""

    line: PendingLine
    verdict: Verdict
    status: Status | None

    @property
    def moves(self) -> bool:
        """Whether it set the state when its turn came."""
        return self.verdict in ("moves", "reopens")


def moment(line: PendingLine) -> str:
    """When the line was said, 17 digits: its OpTime, or, where it has none, when it was received."""
    return line.op_time or digits17(line.received_at)


def digits17(iso: str) -> str:
    """`2026-11-23T18:00:00.123456+08:00` → `20261123180000123`."""
    return "".join(c for c in iso[:23] if c.isdigit())


@lru_cache(maxsize=4096)
def earliest_answer(first_sent_at: str) -> str:
    """The earliest OpTime (17 digits) of an answer to what was first sent at that moment (as in the ledger)."""
    return digits17(china_time.iso(china_time.parse(first_sent_at) - CLOCKS_DIFFER))


def judge(lines: Iterable[PendingLine], key: str, table: StatusTable) -> list[Judged]:
    """Every line of one attempt with its verdict, in order. `key` is the attempt's business key."""
    known = [(line, table.get(line.message_type, line.code)) for line in lines]
    known.sort(key=lambda one: (moment(one[0]), one[1].order if one[1] else -1, one[0].id))
    said: set[str] = set()
    seen: set[tuple[str, str, bool]] = set()
    judged: list[Judged] = []
    last: Status | None = None
    for line, status in known:
        verdict = _verdict(line, status, key, said, seen, last)
        judged.append(Judged(line, verdict, status))
        seen.add(_identity(line))
        if status is None or verdict not in ("moves", "reopens", "outranked"):
            continue
        said.add(status.code)
        if status.stage == CUSTOMS and status.code not in _REFUSALS:
            said.add(CUSTOMS)
        if verdict != "outranked":
            last = status
    return judged


def deciding(judged: Sequence[Judged]) -> Judged | None:
    """The line that sets the state: the last that moves."""
    return next((one for one in reversed(judged) if one.moves), None)


def numbers(judged: Sequence[Judged]) -> tuple[str | None, str | None]:
    """PreEntryId and EntryId as last told, by a line that is not contradictory."""
    pre_entry_id = entry_id = None
    for one in judged:
        if one.verdict != "contradictory":
            pre_entry_id = one.line.pre_entry_id or pre_entry_id
            entry_id = one.line.entry_id or entry_id
    return pre_entry_id, entry_id


def _verdict(
    line: PendingLine,
    status: Status | None,
    key: str,
    said: set[str],
    seen: set[tuple[str, str, bool]],
    last: Status | None,
) -> Verdict:
    if _names_another(line, key):
        return "contradictory"
    if status is None:
        return "unknown_code"
    if _identity(line) in seen:
        return "repeated"
    if not status.state or (status.code in DECIDES_CHANGE and _is_change(line)):
        return "noted"
    if said & CONTRADICTED_BY.get(status.code, frozenset()):
        return "contradictory"
    if last is not None and last.stage == CUSTOMS and status.stage != CUSTOMS:
        return "outranked"
    if last is not None and last.released and last.code != status.code:
        return "reopens"
    return "moves"


def _identity(line: PendingLine) -> tuple[str, str, bool]:
    return (line.op_time, line.code, _is_change(line))


def _is_change(line: PendingLine) -> bool:
    return (line.op_type or "").strip().upper() in CHANGES


def _names_another(line: PendingLine, key: str) -> bool:
    """Whether the line names, completely, another declaration than the one whose number it repeats."""
    if line.message_type == "EXP312" or line.key == key:
        return False
    return all(line.key.split("|"))
