"""What people decide: an unknown is resolved; what has not left is suspended, resumed or voided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from crossborder import china_time
from crossborder.engine.results import FORMAT
from crossborder.errors import LedgerError
from crossborder.ledger import Ledger, Resolution, Ruling, Selection
from crossborder.reconcile import RECEIPT_OF, StatusTable
from crossborder.settings import Settings

Verb = Literal["suspend", "resume", "void"]
FILE_AGAIN: Final = "file-again"
AS = ("received", "not-received", "declined", FILE_AGAIN)
WHY: Final[dict[str, tuple[str, str]]] = {
    "being_sent": (
        "正在发送：请待其结果登记后再处置",
        "it is being sent at this moment: wait until what became of it is recorded",
    ),
    "left": (
        "已经发出（或可能发出）：只能等待回执，或联系口岸撤单",
        "it has left, or a byte of it may have: wait for its receipt, or ask the port to withdraw it",
    ),
    "unknown": (
        "去向不明：请先查询，或用 crossborder resolve 认定",
        "nobody knows whether it arrived: run crossborder submit again to ask, or decide with crossborder resolve",
    ),
    "ended": ("已经终结，无需处置", "it has ended: there is nothing to do"),
    "suspended": ("已经挂起", "it is suspended already"),
    "not_suspended": ("没有挂起", "it is not suspended"),
    "unsealed": (
        "批次尚未录入完毕：请重新提交同一文件",
        "its batch is not completely recorded: hand the same file in again first",
    ),
    "payload_damaged": (
        "存储的报文仍然损坏：请从备份恢复 payload/ 下的文件，或作废后重新制单",
        "its stored bytes are still damaged: restore the files under payload/, or void it and hand it in again",
    ),
    "older_stands": (
        "同一单号先前的申报仍然有效：请作废本次申报",
        "an older declaration of the same key stands after all: void this one",
    ),
    "later_part": (
        "同一舱单还有后续部分：请连同后续部分一起作废（--master）",
        "later parts of the same manifest stay: void them together (--master)",
    ),
}  # fmt: skip
"""Why a message is left alone: Chinese, English. Names are part of the public interface."""
_EXPECTED: Final[dict[Verb, frozenset[str]]] = {
    "suspend": frozenset({"suspended", "ended"}),
    "resume": frozenset({"not_suspended"}),
    "void": frozenset({"ended"}),
}
"""What is left alone as a matter of course where a whole batch is meant."""


@dataclass(frozen=True)
class Ruled:
    """What a verb did (dry run: would do) to each message: `done`, and `left` with the reason. Thread-safe."""

    verb: Verb
    rulings: Sequence[Ruling]
    dry_run: bool
    named: bool
    """Whether single waybills were named, of which each counts."""

    @property
    def done(self) -> list[Ruling]:
        """What was moved."""
        return [r for r in self.rulings if not r.why]

    @property
    def left(self) -> list[Ruling]:
        """What was left alone."""
        return [r for r in self.rulings if r.why]

    @property
    def waiting(self) -> int:
        """Declarations that wait for the manifests that were moved."""
        return sum(r.waiting for r in self.done)

    @property
    def needs_attention(self) -> bool:
        """Whether something was not done that somebody may have counted on."""
        expected = frozenset() if self.named else _EXPECTED[self.verb]
        return not self.done or any(r.why not in expected for r in self.left)

    def why(self, ruling: Ruling, lang: str) -> str:
        """Why a message was left alone, in words."""
        return WHY[ruling.why][0 if lang == "zh" else 1]

    def as_json(self) -> dict[str, Any]:
        """As `--json` shows it."""
        return {
            "format": FORMAT, "verb": self.verb, "dry_run": self.dry_run, "waiting": self.waiting,
            "done": list(map(_told, self.done)), "left": list(map(_told, self.left)),
        }  # fmt: skip


def _told(ruling: Ruling) -> dict[str, Any]:
    told = {
        "attempt": ruling.attempt_id, "kind": ruling.kind, "key": ruling.key, "batch": ruling.batch_id,
        "from": ruling.from_state, "to": ruling.to_state,
    }  # fmt: skip
    if ruling.kind == "manifest" and not ruling.why:
        told["waiting"] = ruling.waiting
    if ruling.why:
        zh, en = WHY[ruling.why]
        told |= {"why": ruling.why, "zh": zh, "en": en}
    return told


def rule(
    ledger: Ledger, settings: Settings, verb: Verb, which: Selection, reason: str, who: str, *, dry_run: bool
) -> Ruled:  # fmt: skip
    """Suspend, resume or void. Raises `NotFound`, `LedgerError` without selector or reason."""
    if not (which.waybills or which.masters or which.batches):
        raise LedgerError(
            f"{verb} what?", "未指明对象", fix_en="name waybills, --master or --batch", fix_zh="请给出运单号、--master 或 --batch"
        )  # fmt: skip
    now = china_time.now()
    if verb == "suspend":
        rulings = ledger.suspend(which, reason, who, now, dry_run=dry_run)
    elif verb == "void":
        rulings = ledger.void(which, reason, who, now, _holds, dry_run=dry_run)
    else:
        first: Mapping[str, bool] = {n: e.manifest_first for n, e in settings.endpoints.items()}
        rulings = ledger.resume(which, reason, who, now, first, dry_run=dry_run)
    return Ruled(verb, rulings, dry_run, named=bool(which.waybills))


def resolve(ledger: Ledger, waybill: str, as_: str, reason: str, who: str, *, dry_run: bool) -> Resolution:  # fmt: skip
    """Decide an unknown, or that what customs has ended may be filed again. Raises `NotFound`, `LedgerError`."""
    if as_ not in AS:
        raise LedgerError(
            f"--as {as_!r}: {', '.join(AS)}", f"--as {as_!r}：应为 {'、'.join(AS)}", place="--as"
        )
    now = china_time.now()
    if as_ == FILE_AGAIN:
        return ledger.free(waybill, _a_person_s, reason, who, now, dry_run=dry_run)
    return ledger.resolve(waybill, as_, reason, who, now, dry_run=dry_run)


def persons_codes() -> Iterator[tuple[str, str]]:
    """(message type of what was filed, code of its receipt) of every ending that leaves it to a person to file again."""
    for filed, receipt in RECEIPT_OF.items():
        for status in StatusTable.load().of_message(receipt):
            if status.terminal and status.fresh_attempt == "person":
                yield filed, status.code


def _a_person_s(message: str, code: str) -> bool:
    return (message, code) in set(persons_codes())


def _holds(message: str, code: str) -> bool:
    """Whether what customs has ended so still holds its key."""
    status = StatusTable.load().get(RECEIPT_OF.get(message, ""), code)
    return status is None or status.fresh_attempt != "yes"
