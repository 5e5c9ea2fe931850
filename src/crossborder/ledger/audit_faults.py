"""What an audit finds: one fault each, with its place, in both languages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "changed": (
        "第 {entry} 条（{at}，{verb}）与其摘要不符：该条被改动，或第 {before} 条连同摘要被改写",
        "#{entry} ({at}, {verb}) is not what its digest says: it was changed, or #{before} was rewritten with its digest",
    ),
    "digest_changed": (
        "第 {entry} 条（{at}，{verb}）的摘要被改动，内容未变",
        "#{entry} ({at}, {verb}): its digest was changed, what it says was not",
    ),
    "moved": (
        "第 {entry} 条的位置上现为第 {to} 条的内容：顺序被调换",
        "at the place of #{entry} stands what #{to} said: they were reordered",
    ),
    "missing": (
        "第 {entry} 至 {to} 条缺失（下一条为 {at}，{verb}）",
        "#{entry} to #{to} are missing (the next one is of {at}, {verb})",
    ),
    "missing_before_chain": (
        "第 {entry} 至 {to} 条缺失，建链之时已不存在",
        "#{entry} to #{to} are missing, and were already when the chain was begun",
    ),
    "foreign": ("有编号不可能的记录（{at}，{verb}）", "an entry has an impossible number ({at}, {verb})"),
    "tail_missing": (
        "链尾缺失：链头为第 {to} 条，第 {entry} 条起不存在",
        "the tail is missing: the head is #{to}, but nothing is there from #{entry} on",
    ),
    "beyond_head": (
        "链头之后有多余记录：第 {entry} 至 {to} 条",
        "entries stand beyond the head: #{entry} to #{to}",
    ),
    "head_changed": (
        "链头的摘要与第 {entry} 条不符：链头或末条被改动",
        "the head's digest is not that of #{entry}: the head or that entry was changed",
    ),
    "head_gone": ("链头丢失", "the head of the chain is gone"),
    "since_gone": (
        "先前保存的链头（第 {entry} 条）不在链中：此前的历史被改写",
        "the head that was kept elsewhere (#{entry}) is not in the chain: what was before it was rewritten",
    ),
    "block_differs": (
        "{where}：第 {entry} 条所登记的区块（自第 {first} 票起）与现有记录不符：{what_zh}",
        "{where}: the block that #{entry} recorded (from shipment {first} on) is not what is there now: {what_en}",
    ),
    "not_recorded": (
        "{where}：有 {count} 项记录不属于任何已登记的区块",
        "{where}: {count} rows belong to no block that was ever recorded",
    ),
    "outcomes_differ": (
        "{where}：各票结论与封存时（第 {entry} 条）不符",
        "{where}: the outcomes of its shipments are not those of its seal (#{entry})",
    ),
    "state_differs": (
        "{where}：状态为 {state}，但最后一条记录（第 {entry} 条）止于 {told}",
        "{where}: it is {state}, but its last entry (#{entry}) left it {told}",
    ),
    "bytes_differ": (
        "{where}：报文编号或摘要与入队时（第 {entry} 条）不符",
        "{where}: its id or digest is not what was queued (#{entry})",
    ),
    "sends_differ": (
        "{where}：记为发送 {count} 次，但历史中有 {told} 次",
        "{where}: it says it was taken for sending {count} times, its history says {told}",
    ),
    "attempt_gone": (
        "{where}：第 {entry} 条所述的申报记录已不存在",
        "{where}: the attempt that #{entry} is about is not there",
    ),
}  # fmt: skip
FAULTS = tuple(_TEXTS)
"""Every kind of fault."""


@dataclass(frozen=True)
class Fault:
    """One thing that is not as it was written: `what` is a stable name (`FAULTS`), `entry` the number of the entry.

    `at` is the moment the entry tells, `where` the batch and key it is about, where there is one. `said` holds what else
    the text needs.
    """

    what: str
    entry: int = 0
    to: int = 0
    at: str = ""
    verb: str = ""
    where: str = ""
    said: tuple[tuple[str, Any], ...] = ()

    def text(self, lang: str) -> str:
        """In words."""
        pattern = _TEXTS[self.what][0 if lang == "zh" else 1]
        return pattern.format(
            entry=self.entry, before=self.entry - 1, to=self.to, at=self.at, verb=self.verb,
            where=self.where, **dict(self.said),
        )  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        """As `--json` shows it."""
        return {
            "what": self.what, "entry": self.entry or None, "to": self.to or None, "at": self.at or None,
            "where": self.where or None, "en": self.text("en"), "zh": self.text("zh"),
        }  # fmt: skip


def entry_fault(what: str, row: Sequence[Any], first: int = 0) -> Fault:
    """A fault at an entry (`chain.COLUMNS`); with `first`, of those from there to before it."""
    number, at, verb, batch = int(row[0]), _short(row[1]), _short(row[3]), _short(row[4])
    if first:
        return Fault(what, first, number - 1, at, verb, batch)
    return Fault(what, number, 0, at, verb, batch)


def _short(value: Any) -> str:
    return "" if value is None else str(value)[:40]


class Faults:
    """Faults in the order in which they were found; beyond `MOST` they are only counted."""

    MOST: Final = 200

    def __init__(self) -> None:
        self.found: list[Fault] = []
        self.more = 0

    def add(self, fault: Fault) -> None:
        """One more."""
        if len(self.found) < self.MOST:
            self.found.append(fault)
        else:
            self.more += 1

    def has(self, what: str) -> bool:
        """Whether one of this kind was found."""
        return any(fault.what == what for fault in self.found)

    def turn(self, entry: int, what: str, to: int = 0) -> None:
        """What was taken for a change of an entry turns out to be something else."""
        self.found = [
            replace(f, what=what, to=to) if (f.what, f.entry) == ("changed", entry) else f
            for f in self.found
        ]

    def drop(self, entry: int) -> None:
        """An entry is whole after all."""
        self.found = [f for f in self.found if (f.what, f.entry) != ("changed", entry)]
