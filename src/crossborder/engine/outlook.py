"""Whether a batch is settled, and what in it needs a person: what a partner's program can stop at."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from crossborder import china_time
from crossborder import reconcile as proving
from crossborder.ledger import BatchRecord, Ledger

ASKED_FOR = timedelta(minutes=10)
"""So long an unknown is being asked for before it counts as waiting for a person."""

_MOVING = ("queued", "sending", "not_received")
_HELD = {
    "unreadable": ("无法读取，请更正后再交", "cannot be read: correct them and hand them in again"),
    "rejected": ("校验未通过，请按 findings 更正后再交", "rejected: correct what the findings name and hand them in again"),
    "to_general": ("不属A、B、C类，须转一般货物报关", "fit no express class: to be declared as ordinary goods"),
    "not_evaluated": ("缺代码表或汇率，未能评估", "a code table or rate is missing: the operator must supply it"),
    "on_hold": ("待人工决定", "wait for a decision of the operator"),
}  # fmt: skip
"""Outcomes that become a declaration only after a person has done something."""

_REPAIR = (
    "refused", "platform_failed", "sent_back", "reclass", "transferred", "deleted", "not_approved", "papers_requested",
    "inspection", "detained", "to_be_amended", "amendment_after_inspection", "rectification", "quarantine",
    "pending_other",
)  # fmt: skip
"""States in which customs or the platform wants something of a person."""


def outlook(ledger: Ledger, batch: BatchRecord, partner: str | None, now: datetime) -> dict[str, Any]:  # fmt: skip
    """`account`, `settled`, `needs_attention`, `already_filed_in` of a batch, as its JSON shows them.

    `settled`: nothing of it moves any more unless a person does something (as far as the ledger knows).
    `needs_attention`: what, count, detail, detail_zh of everything that waits for one. `already_filed_in`: the
    batches of `partner` (None: of anybody) in which what is already filed stands.
    """
    found = proving.account(ledger, [batch.id])
    waits = [h for h in proving.holdups(ledger, [batch.id]) if _for_a_person(h, now)]
    elsewhere = already_filed_in(ledger, batch.id, partner)
    lines = {name: [count.shipments, count.rows] for name, count in found.lines.items()}
    return {
        "account": {"handed_in": list(found.handed_in), **lines},
        "settled": batch.state == "sealed" and _moving(found, waits, batch) == 0,
        "needs_attention": [*_outcomes(found), *map(_held_up, waits), *_to_repair(ledger, batch), *_unfiled(elsewhere)],
        "already_filed_in": elsewhere,
    }  # fmt: skip


def _for_a_person(holdup: proving.Holdup, now: datetime) -> bool:
    """Whether only a person moves it; an unknown is asked for first."""
    young = holdup.what in ("manifest_unknown", "declaration_unknown") and (
        holdup.since > china_time.iso(now - ASKED_FOR)
    )
    return holdup.person and not young


def _moving(found: proving.Account, waits: list[proving.Holdup], batch: BatchRecord) -> int:
    """Declarations that somebody or something still carries on without a person."""
    states = {state: count.shipments for state, count in found.states.items()}
    awaiting = states.get("awaiting_manifest", 0) - sum(h.waiting for h in waits)
    unknown = states.get("unknown", 0) - sum(
        h.messages for h in waits if h.what == "declaration_unknown"
    )
    late = sum(
        h.messages for h in waits if h.what == "not_submitted"
    )  # let pass after the batch was let go
    let_go = states.get("prepared", 0) - late if batch.submitted_at else 0
    sending = sum(states.get(state, 0) for state in _MOVING)
    return found.lines["in_flight"].shipments + awaiting + unknown + let_go + sending


def _outcomes(found: proving.Account) -> list[dict[str, Any]]:
    return [
        _entry(name, found.lines[name].shipments, words)
        for name, words in _HELD.items()
        if found.lines[name].shipments
    ]


def _held_up(holdup: proving.Holdup) -> dict[str, Any]:
    words = (holdup.cause("zh", named=False), holdup.cause("en", named=False))
    return _entry(holdup.what, holdup.waiting or holdup.messages, words)


def _to_repair(ledger: Ledger, batch: BatchRecord) -> list[dict[str, Any]]:
    """Declarations of which somebody wants something, by state and what is next."""
    made = ledger.attempts_in(batch_ids=[batch.id], kind="declaration", states=_REPAIR)
    counted = Counter((a.state, proving.advice(a.message_type, a.last_code, a.state)) for a in made)
    return [_entry(state, count, words) for (state, words), count in counted.items()]


def already_filed_in(ledger: Ledger, batch_id: str, partner: str | None) -> list[dict[str, Any]]:
    """`batch`, `submitted`, `shipments`: where what a batch brought again stands; other partners' are not named."""
    found = []
    for other_id, count in ledger.already_filed_in(batch_id).items():
        other = ledger.batch(other_id)
        named = other.id if other.brought_by(partner) else None
        found.append({"batch": named, "submitted": other.submitted_at is not None, "shipments": count})  # fmt: skip
    return found


def to_let_go(ledger: Ledger, batch_id: str, partner: str) -> list[str]:
    """The batch, and those of the same partner in which what it brought again stands; not let go yet, oldest first."""
    others = already_filed_in(ledger, batch_id, partner)
    waiting = [one["batch"] for one in others if one["batch"] and not one["submitted"]]
    own = [] if ledger.batch(batch_id).submitted_at else [batch_id]
    return [*waiting, *own]


def _unfiled(elsewhere: list[dict[str, Any]]) -> list[dict[str, Any]]:
    count = sum(one["shipments"] for one in elsewhere if not one["submitted"])
    words = (
        "此前已交入，其批次尚未申报",
        "handed in before, with a batch that is not filed yet",
    )
    return [_entry("already_filed_not_submitted", count, words)] if count else []


def _entry(what: str, count: int, words: tuple[str, str]) -> dict[str, Any]:
    return {"what": what, "count": count, "detail": words[1], "detail_zh": words[0]}
