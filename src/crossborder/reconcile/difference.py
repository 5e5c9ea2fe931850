"""One thing that does not agree."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Difference(NamedTuple):
    """`what` is a stable name; `where` the batch, key, receipt or message; then what is wrong, in words."""

    what: str
    where: str
    detail: str
    detail_zh: str


WORST_FIRST = (
    "lost", "arrived_twice", "listed_twice", "filed_nowhere", "received_unrecorded", "digest_differs", "payload_damaged",
    "receipt_changed", "shipments_missing", "rows_differ", "counts_differ", "attempt_missing", "attempt_without_shipment",
    "document_left",
    "state_without_receipt", "state_differs", "state_impossible", "history_differs", "awaits_no_manifest", "manifest_empty",
    "receipt_line_loose", "receipt_silent", "receipt_doubled", "not_ours",
)  # fmt: skip
"""Every `what` in the order in which a person should look: first what may be filed twice or not at all."""


def worst_first(found: Iterable[Difference]) -> list[Difference]:
    """Those of one kind together, the worst kind first, else as they came."""
    return sorted(found, key=lambda difference: WORST_FIRST.index(difference.what))
