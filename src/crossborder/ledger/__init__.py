"""The ledger: batches, attempts, payloads, outbox, inbox and the append-only history.

One `Ledger` per process, opened on a home folder. See `Ledger` for what its methods promise.
"""

from crossborder.ledger.accepted import Acceptance, Accepted
from crossborder.ledger.applying import Desk
from crossborder.ledger.auditing import Audit
from crossborder.ledger.bodies import Payload
from crossborder.ledger.book import Ledger
from crossborder.ledger.chain import Head
from crossborder.ledger.erasing import Erasure
from crossborder.ledger.keyring import KeyRing
from crossborder.ledger.lots import ReadLot, StoredLot, Unread
from crossborder.ledger.marks import HASHES, MARKS, Marked
from crossborder.ledger.posted import partner_source
from crossborder.ledger.records import (
    AttemptDraft,
    AttemptRecord,
    AttemptRow,
    Attempts,
    BatchDraft,
    BatchRecord,
    Candidate,
    Draft,
    Event,
    FindingRow,
    Frozen,
    HouseRow,
    Idempotent,
    KeyInUse,
    KeysTaken,
    Known,
    Listed,
    ManifestPart,
    Move,
    Outgoing,
    PayloadRef,
    PendingLine,
    Read,
    ReceiptLine,
    ReceiptRecord,
    ReceiptRef,
    Released,
    Resolution,
    Ruling,
    Selection,
    Sent,
    Settled,
    ShipmentRecord,
    ShipmentRow,
    Step,
    StoredReceipt,
)
from crossborder.ledger.rotating import RingState, Rotated, lookup_hashes
from crossborder.ledger.sealing import PassingKey

__all__ = [
    "HASHES",
    "MARKS",
    "Acceptance",
    "Accepted",
    "AttemptDraft",
    "AttemptRecord",
    "AttemptRow",
    "Attempts",
    "Audit",
    "BatchDraft",
    "BatchRecord",
    "Candidate",
    "Desk",
    "Draft",
    "Erasure",
    "Event",
    "FindingRow",
    "Frozen",
    "Head",
    "HouseRow",
    "Idempotent",
    "KeyInUse",
    "KeyRing",
    "KeysTaken",
    "Known",
    "Ledger",
    "Listed",
    "ManifestPart",
    "Marked",
    "Move",
    "Outgoing",
    "PassingKey",
    "Payload",
    "PayloadRef",
    "PendingLine",
    "Read",
    "ReadLot",
    "ReceiptLine",
    "ReceiptRecord",
    "ReceiptRef",
    "Released",
    "Resolution",
    "RingState",
    "Rotated",
    "Ruling",
    "Selection",
    "Sent",
    "Settled",
    "ShipmentRecord",
    "ShipmentRow",
    "Step",
    "StoredLot",
    "StoredReceipt",
    "Unread",
    "lookup_hashes",
    "partner_source",
]
