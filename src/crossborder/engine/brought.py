"""What one run of receiving brought that needs a person: by kind, with count, examples and what to do.

Only what this very run brought counts. What was in trouble before and still is, is the day's report's to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crossborder import reconcile
from crossborder.ledger import AttemptRecord, Ledger, ReceiptRecord

ASKING = frozenset(
    {
        "unknown", "suspended", "platform_failed", "refused", "sent_back", "reclass", "papers_requested", "inspection",
        "detained", "to_be_amended", "amendment_after_inspection", "rectification", "quarantine", "pending_other",
        "transferred", "deleted", "not_approved",
    }
)  # fmt: skip
"""States in which a person has something to do; what it is, is said by `reconcile.advice`."""
LOOSE = ("unmatched", "contradictory", "unknown_code")
"""Outcomes of receipt lines that could not simply be applied."""
_EXAMPLES = 3
_TOLD_OTHERWISE = frozenset({"house_refused", "contradictory", "unknown_code"})
"""Marks of attempts that receipt lines tell of by themselves."""
_WORDS: dict[str, tuple[str, str]] = {
    "unmatched": (
        "没有对应的申报：请核实是否由其他系统申报；原文已保存，出现对应申报后会再次匹配",
        "fits nothing that was filed from here: find out whether another program filed it; it is kept, and tried again "
        "when such a declaration is filed",
    ),
    "contradictory": reconcile.mark("contradictory"),
    "unknown_code": (
        "代码未知，状态未变：请向海关了解其含义", "a code nobody knows moved nothing: ask customs what it means",
    ),
    "manifest_refused": (
        "舱单被退回，所列报关单未发送：请按回执更正，整份再交；原因见 crossborder status 总运单号",
        "the manifest was refused, its declarations stay here: correct what the receipt names and hand the whole file in "
        "again; the reason: crossborder status MASTER",
    ),
    "house_refused": (
        "舱单中该分运单被退回，报关单未发送：请按回执更正后整份再交；原因见 crossborder status 分运单号",
        "the house waybill was refused on its manifest, its declaration stays here: correct what the receipt names and "
        "hand the whole file in again; the reason: crossborder status HOUSE",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Brought:
    """`count` parcels, manifests or receipt lines of one kind that this run brought; `examples` are their waybills.

    `what` is a state, a mark or one of the outcomes of receipt lines; `zh` and `en` say what to do.
    """

    what: str
    code: str
    count: int
    examples: tuple[str, ...]
    zh: str
    en: str

    def as_dict(self) -> dict[str, Any]:
        """As `receive --json` shows it."""
        return {
            "what": self.what, "code": self.code, "count": self.count, "examples": list(self.examples),
            "zh": self.zh, "en": self.en,
        }  # fmt: skip


class Watch:
    """Made before a run; afterwards it tells what has come since."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._event, self._line = ledger.high_water()
        self._marks = _marks(ledger)
        self._loose = Counter(ledger.line_counts(LOOSE))

    def came(self) -> list[Brought]:
        """Everything that needs a person and that receipts have brought since."""
        moved = [
            a for a in self._ledger.moved_by_receipts(self._event, ASKING | _REFUSED)
            if a.state in (_REFUSED if a.kind == "manifest" else ASKING)
        ]  # fmt: skip
        return [*_refused_manifests(moved), *self._lines(moved), *_moved(moved), *self._marked()]

    def before(self) -> dict[str, int]:
        """Receipt lines that could not be applied before this run, and still are not."""
        now = Counter(self._ledger.line_counts(LOOSE))
        new = Counter(line.outcome for line in self._loose_lines())
        return dict((self._loose & (now - new)).items())

    def _loose_lines(self) -> list[ReceiptRecord]:
        return self._ledger.receipts_by_outcome(LOOSE, after=self._line)

    def _lines(self, moved: Sequence[AttemptRecord]) -> Iterator[Brought]:
        """Receipt lines that could not be applied, and house waybills refused on manifests that stand."""
        refused = {a.id for a in moved if a.kind == "manifest"}
        houses = [
            line for line in self._ledger.receipts_by_outcome(["applied"], after=self._line, code=_HOUSE_REFUSED)
            if line.line > 0 and line.attempt_id not in refused
        ]  # fmt: skip
        yield from _gathered(("house_refused", line.code, _waybill(line)) for line in houses)
        loose = sorted(self._loose_lines(), key=lambda line: LOOSE.index(line.outcome))
        yield from _gathered((line.outcome, line.code, _waybill(line)) for line in loose)

    def _marked(self) -> Iterator[Brought]:
        """Attempts that bear a mark which they did not bear before."""
        for mark, bearers in _marks(self._ledger).items():
            new = {i: name for i, name in bearers.items() if i not in self._marks.get(mark, {})}
            if new and mark not in _TOLD_OTHERWISE:
                yield from _gathered((mark, "", name) for name in new.values())


_REFUSED = frozenset({"refused", "platform_failed"})
_HOUSE_REFUSED = "NN"


def _marks(ledger: Ledger) -> dict[str, dict[int, str]]:
    """Mark → attempts that bear it, each with its waybill."""
    found: dict[str, dict[int, str]] = {}
    for attempt in ledger.attempts_in(attention=True):
        for mark in attempt.attention:
            found.setdefault(mark, {})[attempt.id] = _named(attempt)
    return found


def _named(attempt: AttemptRecord) -> str:
    return attempt.house_waybill or attempt.master_waybill


def _waybill(line: ReceiptRecord) -> str:
    """The house waybill that a line names in its key, else the master waybill."""
    master, _, rest = line.key.partition("|")
    house = rest.partition("|")[0]
    of_master = line.message_type == "EXP312" and line.line == 0
    return master if of_master or not house else house


def _refused_manifests(moved: Iterable[AttemptRecord]) -> Iterator[Brought]:
    refused = [a for a in moved if a.kind == "manifest"]
    yield from _gathered(("manifest_refused", a.last_code or "", _named(a)) for a in refused)


def _moved(moved: Iterable[AttemptRecord]) -> Iterator[Brought]:
    declarations = [a for a in moved if a.kind == "declaration"]
    words = {
        (a.state, a.last_code or ""): reconcile.advice(a.message_type, a.last_code, a.state)
        for a in declarations
    }
    yield from _gathered(((a.state, a.last_code or "", _named(a)) for a in declarations), words)


def _gathered(
    told: Iterable[tuple[str, str, str]], words: Mapping[tuple[str, str], tuple[str, str]] | None = None
) -> Iterator[Brought]:  # fmt: skip
    """(what, code, waybill) by what and code."""
    groups: dict[tuple[str, str], list[str]] = {}
    for what, code, waybill in told:
        groups.setdefault((what, code), []).append(waybill)
    for (what, code), waybills in groups.items():
        zh, en = (words or {}).get((what, code)) or _WORDS.get(what) or reconcile.mark(what)
        named = tuple(dict.fromkeys(waybills))[:_EXAMPLES]
        yield Brought(what, code, len(waybills), named, zh, en)
