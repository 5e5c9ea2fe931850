"""For tests: rows and drafts as the engine hands them in, with nobody's data in them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from crossborder.china_time import CHINA
from crossborder.ledger import (
    AttemptDraft,
    Attempts,
    BatchDraft,
    FindingRow,
    Frozen,
    HouseRow,
    Ledger,
    Outgoing,
    ShipmentRow,
)

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=CHINA)
MINUTE = timedelta(minutes=1)
MASTER = "99900000001"


def house(n: int) -> str:
    return f"TST{n:06d}"


def key(n: int) -> str:
    return f"{MASTER}|{house(n)}|I"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def source(name: str = "day.csv") -> BatchDraft:
    return BatchDraft(name, digest(name), "canonical", "demo")


def shipment(n: int, position: int | None = None, outcome: str = "prepared") -> ShipmentRow:
    at = n if position is None else position
    return ShipmentRow(at, key(n), MASTER, house(n), house(n), "I", "B", f"{2 * at + 2}-{2 * at + 3}", 2,
                       outcome, digest(f"content {n}"))  # fmt: skip


def declaration(
    n: int, position: int | None = None, endpoint: str = "hangzhou", content: str = ""
) -> AttemptDraft:
    body = f"<EXP301>{house(n)} {content}</EXP301>".encode() * 3
    return AttemptDraft("declaration", "EXP301", key(n), endpoint, MASTER, house(n), "CX123", "I",
                        digest(f"content {n} {content}"), body, n if position is None else position)  # fmt: skip


def manifest(numbers: Iterable[int], part: int = 1, endpoint: str = "hangzhou") -> AttemptDraft:
    houses = [HouseRow(key(n), house(n)) for n in numbers]
    body = "<EXP311>{}</EXP311>".format(" ".join(h.house_waybill for h in houses)).encode()
    return AttemptDraft("manifest", "EXP311", f"{MASTER}|CX123|I|{part}", endpoint, MASTER, None, "CX123",
                        "I", digest(body.decode()), body, None, houses)  # fmt: skip


def hand_in(
    ledger: Ledger,
    count: int,
    *,
    first: int = 0,
    listed: bool = True,
    name: str = "day.csv",
    now: datetime = NOW,
    endpoint: str = "hangzhou",
) -> str:
    """A sealed batch of `count` declarations and their manifest."""
    batch = ledger.begin_batch(source(name), now)
    numbers = range(first, first + count)
    rows = [shipment(n, i) for i, n in enumerate(numbers)]
    drafts = [declaration(n, i, endpoint) for i, n in enumerate(numbers)]
    drafts += [manifest(numbers, endpoint=endpoint)] if listed else []
    ledger.record_block(batch.id, rows, drafts, [], [], now)
    ledger.seal(batch.id, {"prepared": count}, now, rows=2 * count)
    return batch.id


def waits(position: int, rule: str = "PRO-01", action: str = "hold") -> FindingRow:
    """A finding that lets a shipment wait for a person."""
    return FindingRow(position, rule, "warn", action, "{}")


def held(ledger: Ledger, count: int, *, first: int = 0, name: str = "held.csv", rules: Sequence[str] = ("PRO-01",)) -> str:  # fmt: skip
    """A sealed batch of `count` shipments that wait for a person because of these rules, and their manifest."""
    batch = ledger.begin_batch(source(name), NOW)
    numbers = range(first, first + count)
    rows = [shipment(n, i, "on_hold") for i, n in enumerate(numbers)]
    kept = Attempts.of(declaration(n, i) for i, n in enumerate(numbers))
    findings = [waits(i, rule) for i in range(count) for rule in rules]
    ledger.record_block(batch.id, rows, [manifest(numbers)], findings, [], NOW, held=kept)
    ledger.seal(batch.id, {"on_hold": count}, NOW, rows=2 * count)
    return batch.id


def queue(ledger: Ledger, now: datetime = NOW) -> int:
    """Freeze whatever may be frozen."""
    drafts = ledger.freezable(10_000)
    numbers = ledger.reserve_serials(len(drafts))
    ledger.freeze(
        [Frozen(d.attempt_id, f"ID{n:011d}", b"<!-- %d -->" % n + ledger.payload(d.ref, now))
         for d, n in zip(drafts, numbers, strict=True)],
        now,
    )  # fmt: skip
    return len(drafts)


def ready(ledger: Ledger, count: int, now: datetime = NOW) -> str:
    """A batch whose declarations are queued, waiting for no manifest."""
    batch = hand_in(ledger, count, listed=False, now=now)
    ledger.release([batch], "tester", now, {"hangzhou": False})
    queue(ledger, now)
    return batch


def claim(ledger: Ledger, limit: int = 100, now: datetime = NOW, part: str = "w") -> list[Outgoing]:
    return ledger.claim("hangzhou", f"{ledger.owner}/{part}", limit, now, 2 * MINUTE)
