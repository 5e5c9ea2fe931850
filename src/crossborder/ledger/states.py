"""The states that are ours; every other state is a row of `codes/status_codes.csv`."""

from __future__ import annotations

PREPARED = "prepared"
SUSPENDED = "suspended"
VOIDED = "voided"
AWAITING_MANIFEST = "awaiting_manifest"
QUEUED = "queued"
SENDING = "sending"
SENT = "sent"
NOT_RECEIVED = "not_received"
UNKNOWN = "unknown"

OURS = (
    PREPARED,
    SUSPENDED,
    VOIDED,
    AWAITING_MANIFEST,
    QUEUED,
    SENDING,
    SENT,
    NOT_RECEIVED,
    UNKNOWN,
)

WAITING = (PREPARED, AWAITING_MANIFEST, QUEUED, NOT_RECEIVED)
"""Certainly not with the endpoint, and waiting to go there."""

PLATFORM_FAILED = "platform_failed"
ACCEPTED = "accepted"

STAGE_OURS = "ours"
STAGE_PLATFORM = "platform"
STAGE_CUSTOMS = "customs"

DECLARATION = "declaration"
MANIFEST = "manifest"

OUTCOMES = (
    "unreadable", "rejected", "to_general", "not_evaluated", "on_hold", "already_filed", "prepared",
)  # fmt: skip
"""What became of a shipment when it was handed in."""

SETTLED = ("rejected", "not_evaluated", "on_hold")
"""Outcomes, worst first, that a shipment may still be found to have when all of its hand-in is known."""

HELD = ("not_evaluated", "on_hold")
"""Outcomes of shipments that a person may let pass (`Ledger.accept`); their document is composed and kept."""

LISTED = "listed"
HOUSE_ACCEPTED = "accepted"
HOUSE_REFUSED = "refused"
