"""Answers of the ledger half: what a command shows and a program reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crossborder.engine.brought import Brought
from crossborder.engine.results import FORMAT
from crossborder.engine.summary import Summary
from crossborder.errors import CrossborderError
from crossborder.reconcile import Holdup


@dataclass(frozen=True)
class Prepared:
    """A recorded batch. `summary`: what the check found, `counts`: shipments by outcome; `not_manifested`: shipments
    on no manifest; `elsewhere`: earlier batches that nobody has submitted → shipments of this one that are recorded
    there; `held`: rule → shipments that wait for a person because of it. The findings themselves are kept with the batch: `Engine.findings`.
    """

    batch: str
    summary: Summary
    counts: Mapping[str, int]
    manifests: int
    not_manifested: int
    elsewhere: Mapping[str, int] = field(default_factory=dict)
    held: Mapping[str, int] = field(default_factory=dict)

    @property
    def to_submit(self) -> list[str]:
        """The batches that must be submitted so that every shipment of this one is filed, oldest first."""
        own = self.counts.get("prepared", 0) + self.manifests
        return [*self.elsewhere, *([self.batch] if own or not self.elsewhere else [])]

    @property
    def shipments(self) -> int:
        """Shipments handed in."""
        return sum(self.counts.values())

    @property
    def to_correct(self) -> int:
        """Shipments that a person must correct or decide."""
        good = self.counts.get("prepared", 0) + self.counts.get("already_filed", 0)
        return self.shipments - good

    def as_json(self, findings: Iterable[Any] = ()) -> dict[str, Any]:
        """As `prepare --json` shows it, with whatever stands for the findings (`Engine.iter_findings`)."""
        return self.summary.as_json(findings) | {
            "batch": self.batch,
            "outcomes": dict(self.counts),
            "manifests": self.manifests,
            "not_manifested": self.not_manifested,
            "recorded_elsewhere": dict(self.elsewhere),
            "held_by": dict(self.held),
        }


@dataclass(frozen=True)
class Waiting:
    """What waits of one batch for one endpoint."""

    batch: str
    source: str
    endpoint: str
    kind: str
    declarant: str
    manifests: int
    declarations: int

    def as_json(self) -> dict[str, Any]:
        """As `submit --json` without batches shows it."""
        return {
            "batch": self.batch, "source": self.source, "endpoint": self.endpoint, "kind": self.kind,
            "declarant": self.declarant, "manifests": self.manifests, "declarations": self.declarations,
        }  # fmt: skip


@dataclass(frozen=True)
class Submitted:
    """States of the batches' declarations and manifests after filing; `troubles`: endpoint → why it cannot be
    spoken to (a detail that `crossborder.transport.say` puts into words); `holdups`: what still holds them up;
    `elsewhere`: batches that nobody has submitted → shipments of these that are recorded there; `brought`: as in
    `Received`, for receipts are taken in while filing.
    """

    states: Mapping[str, int]
    manifests: Mapping[str, int]
    troubles: Mapping[str, str] = field(default_factory=dict)
    holdups: Sequence[Holdup] = ()
    elsewhere: Mapping[str, int] = field(default_factory=dict)
    brought: Sequence[Brought] = ()

    @property
    def unknown(self) -> int:
        """Messages of which nobody knows whether they arrived."""
        return self.states.get("unknown", 0) + self.manifests.get("unknown", 0)

    @property
    def awaiting(self) -> int:
        """Declarations that wait until their manifest is accepted."""
        return self.states.get("awaiting_manifest", 0)

    @property
    def needs_attention(self) -> bool:
        """Whether a person must look before all is well."""
        late = sum(
            self.states.get(s, 0) for s in ("prepared", "queued", "not_received", "suspended")
        )
        failed = self.states.get("platform_failed", 0)
        stuck = self.troubles or self.elsewhere or any(holdup.person for holdup in self.holdups)
        return bool(self.unknown or self.awaiting or late or failed or stuck or self.brought)

    def as_json(self) -> dict[str, Any]:
        """As `submit --json` shows it."""
        return {
            "format": FORMAT,
            "declarations": dict(self.states),
            "manifests": dict(self.manifests),
            "troubles": dict(self.troubles),
            "holdups": [holdup.as_dict() for holdup in self.holdups],
            "recorded_elsewhere": dict(self.elsewhere),
            "brought": [one.as_dict() for one in self.brought],
        }


@dataclass(frozen=True)
class Received:
    """What one run of receiving did: receipts new, repeated, unreadable; lines by what became of them.

    `troubles` as in `Submitted`; `brought`: what this run brought that needs a person; `before`: receipt lines that
    could not be applied before it, and still are not, by outcome.
    """

    counts: Mapping[str, int]
    troubles: Mapping[str, str] = field(default_factory=dict)
    brought: Sequence[Brought] = ()
    before: Mapping[str, int] = field(default_factory=dict)

    @property
    def needs_attention(self) -> bool:
        """Whether this run brought something that a person must look at."""
        return bool(self.brought or self.counts.get("unreadable", 0) or self.troubles)

    def as_json(self, unreadable: Sequence[Mapping[str, str]] = ()) -> dict[str, Any]:
        """As `receive --json` shows it, with the receipts that could not be read."""
        return {
            "format": FORMAT,
            **self.counts,
            "troubles": dict(self.troubles),
            "brought": [one.as_dict() for one in self.brought],
            "before": dict(self.before),
            "unreadable_receipts": list(unreadable),
        }


@dataclass(frozen=True)
class Reconciled:
    """The account, every difference found, and what holds declarations up."""

    account: Mapping[str, tuple[int, int]]
    differences: list[dict[str, str]]
    holdups: Sequence[Holdup] = ()

    def as_json(self) -> dict[str, Any]:
        """As `reconcile --json` shows it."""
        return {
            "format": FORMAT,
            "account": {name: list(pair) for name, pair in self.account.items()},
            "differences": self.differences,
            "holdups": [holdup.as_dict() for holdup in self.holdups],
        }


@dataclass(frozen=True)
class Posted:
    """A partner's hand-in: the batch it made, now or the first time; `not_filed`: why it could not be let go;
    `let_go`: the batches that this post let go.
    """

    same_body: bool
    repeated: bool
    batch: dict[str, Any]
    not_filed: CrossborderError | None = None
    let_go: Sequence[str] = ()


@dataclass(frozen=True)
class Accepted:
    """What accepting a rule moved, or (dry run) would move.

    `waiting` shipments waited for the rule: `prepared` of them are declarations now and can be submitted,
    `already_filed` are filed with the same content since, `staying` still wait. `by`: what keeps how many of those, a
    rule or one of `STAYS`; `examples`: the first of them, each with what keeps it. `again`: it had been accepted before.
    """

    batch: str
    rule: str
    reason: str
    who: str
    dry_run: bool
    again: bool
    waiting: int
    prepared: int
    already_filed: int
    staying: int
    by: Mapping[str, int]
    examples: Sequence[tuple[str, tuple[str, ...]]]

    def as_json(self) -> dict[str, Any]:
        """As `accept --json` shows it."""
        said = {
            f: getattr(self, f) for f in self.__dataclass_fields__ if f not in ("by", "examples")
        }
        named = [{"shipment": shipment, "by": list(by)} for shipment, by in self.examples]
        return {"format": FORMAT, **said, "by": dict(self.by), "examples": named}


STAYS: dict[str, tuple[str, str]] = {
    "repeated": (
        "同一分运单在本批次中出现多次，请更正后重新提交",
        "its house waybill stands in the batch twice: correct it and hand it in again",
    ),
    "filed_otherwise": (
        "同一分运单已以其他内容申报",
        "its house waybill is filed with other content",
    ),
    "handed_in_later": (
        "之后的批次已交入其他内容，请在该批次中处理",
        "a later batch brought it with other content: decide there",
    ),
    "no_document": (
        "由旧版本录入，未保存报文：请重新提交同一文件，再在新批次中放过",
        "recorded by an earlier version, without its document: hand the same file in again and accept it there",
    ),
}
"""What keeps a shipment beside rules: (zh, en), with what to do."""
