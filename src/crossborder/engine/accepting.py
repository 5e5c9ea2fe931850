"""`accept`: a person lets pass what waits for a rule. The rule is looked up here, the ledger moves the shipments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from crossborder.engine.answers import Accepted
from crossborder.engine.explaining import explain_rule
from crossborder.ledger import Acceptance, Ledger


def accept(
    ledger: Ledger, rule: str, batch: str, waybills: Sequence[str], reason: str, who: str, now: datetime, *, dry_run: bool
) -> Accepted:  # fmt: skip
    """Accept a rule, written in any case. Raises `NotFound` naming the nearest rule, else as `Ledger.accept`."""
    name = _named(ledger, rule, batch)
    done = ledger.accept(batch, name, reason, who, now, waybills=waybills, dry_run=dry_run)
    return Accepted(
        batch, name, reason, who, dry_run, done.again, done.waiting, done.prepared, done.already_filed, done.staying,
        done.by, done.examples,
    )  # fmt: skip


def _named(ledger: Ledger, rule: str, batch: str) -> str:
    """The rule as its findings name it; `ledger` may know ids that no rule of this version has."""
    for found in ledger.held_by([batch]).get(batch, {}):
        if found.casefold() == rule.casefold():
            return found
    return str(explain_rule(rule)["id"])


def as_dict(acceptance: Acceptance, shown: Sequence[str]) -> dict[str, Any]:
    """An acceptance as JSON shows it; `shown` are the shipments it was narrowed to, as written."""
    return {
        "batch": acceptance.batch_id, "rule": acceptance.rule, "who": acceptance.who, "at": acceptance.at,
        "reason": acceptance.reason, "shipments": list(shown), "passed": acceptance.passed,
    }  # fmt: skip


def acceptances(ledger: Ledger, batches: Sequence[str]) -> list[dict[str, Any]]:
    """What was accepted in some batches, in the order of time. `shipments` is empty for a whole batch."""
    return [as_dict(a, _shown(ledger, a)) for a in ledger.acceptances(batches)]


def of_shipment(ledger: Ledger, batch: str, position: int) -> list[dict[str, Any]]:
    """What was accepted of one shipment's rules."""
    told = {f.rule for f in ledger.findings_at(batch, position) if f.action == "hold"}
    return [
        as_dict(a, ())
        for a in ledger.acceptances([batch])
        if a.rule in told and a.holds_for(position)
    ]


def _shown(ledger: Ledger, acceptance: Acceptance) -> list[str]:
    if acceptance.positions is None:
        return []
    rows = (
        ledger.shipments_in(acceptance.batch_id, offset=position, limit=1)
        for position in sorted(acceptance.positions)
    )
    return [row.shown_as for found in rows for row in found]
