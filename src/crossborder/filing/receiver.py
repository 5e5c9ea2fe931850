"""Take receipts in: stored raw and on the disk first, acknowledged then, read and applied afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from crossborder.filing import safely
from crossborder.filing.policy import EndpointPolicy, Tally, resting
from crossborder.ledger import Ledger, ReadLot, StoredLot, Unread
from crossborder.ledger.lots import NOTHING
from crossborder.transport import Incoming, Transport

_GROUP = 20_000
_GROUP_BYTES = 16 * 1024**2
READ_LOT = 20_000
"""Receipts read in one step; a lot of large ones ends earlier."""
_APPLY_AGAIN = timedelta(seconds=5)


class ReceiptPoller:
    """Fetches receipts of one endpoint; a step takes what one call of the transport gives. Not thread-safe.

    `stored(now)` is called after each group that was stored and acknowledged, which may be many in one step.
    """

    def __init__(
        self,
        ledger: Ledger,
        endpoint: str,
        transport: Transport,
        policy: EndpointPolicy,
        *,
        tally: Tally | None = None,
        stopping: Callable[[], bool] = lambda: False,
        stored: Callable[[datetime], None] = lambda _: None,
    ) -> None:
        self._ledger, self._endpoint, self._transport = ledger, endpoint, transport
        self._policy, self._stored = policy, stored
        self._tally = tally or Tally()
        self._stopping = stopping
        self._failures = 0
        self._look_at: datetime | None = None
        self._refused: set[str] = set()

    def step(self, now: datetime) -> datetime | None:
        """Store and acknowledge one round. `now` if something new came, else when to look again."""
        if resting(self._look_at, now, max(self._policy.poll, self._policy.retry_most)):
            return self._look_at
        if self._stopping():
            return None
        fresh = 0
        for group in _groups(safely.receipts(self._transport)):
            fresh += self._store(group, now)
            self._stored(now)
            if self._stopping():
                break
        self._take_refusals(now)
        trouble = self._transport.trouble
        self._tally.trouble(self._endpoint, trouble)
        self._failures = self._failures + 1 if trouble else 0
        if fresh and not trouble:
            self._look_at = None
            return now
        rest = self._policy.backoff(self._failures) if trouble else self._policy.poll
        self._look_at = now + rest
        return self._look_at

    def close(self, now: datetime) -> None:
        """Nothing is held."""

    def _take_refusals(self, now: datetime) -> None:
        """What the far side refused after it had been handed over is declined, as if it had said so at once."""
        told = {
            r.digest: r.detail for r in safely.refusals(self._transport) if r.digest not in self._refused
        }  # fmt: skip
        if told:
            declined, settled = self._ledger.refuse_handed_over(self._endpoint, told, now)
            self._refused |= settled
            self._tally.add("declined", declined)

    def _store(self, group: _Group, now: datetime) -> int:
        """Keep a group in one transaction, then acknowledge each; how many were new."""
        fresh = self._ledger.take_receipts(self._endpoint, group.items, now)
        for acknowledge in group.acknowledgements:
            safely.acknowledge(acknowledge)
        self._tally.add("receipts", fresh)
        self._tally.add("repeated", len(group.items) - fresh)
        return fresh


class Reader:
    """Reads stored receipts and has them applied; a step reads one lot. Not thread-safe.

    `read` tells what a lot of stored receipts says; where it fails or leaves one out, that receipt is unreadable and
    named, and the others are read. `save(lot, now)` writes that down and answers how many lines it applied at once;
    without one, the ledger writes it down and nothing more. `apply(now)` moves states by what was left and answers how
    many lines it dealt with; it is called again while that is not 0, and now and then for lines left behind.
    """

    def __init__(
        self,
        ledger: Ledger,
        read: Callable[[StoredLot], ReadLot],
        apply: Callable[[datetime], int],
        *,
        save: Callable[[ReadLot, datetime], int] | None = None,
        tally: Tally | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._ledger, self._read, self._apply = ledger, read, apply
        self._save = save or self._only_save
        self._tally = tally or Tally()
        self._stopping = stopping
        self._apply_at: datetime | None = None

    def step(self, now: datetime) -> datetime | None:
        """Read one lot and apply what there is. `now` if there may be more."""
        if self._stopping():
            return None
        stored = self._ledger.unread_receipts(READ_LOT)
        applied = 0
        if stored:
            lot = self._read_all(stored)
            applied = self._save(lot, now)
            self._tally.add("read", lot.receipts_read)
            self._tally.add("unreadable", len(lot.problems))
        if stored or not resting(self._apply_at, now, _APPLY_AGAIN):
            applied += self._apply(now)
            self._tally.add("applied", applied)
            self._apply_at = None if applied else now + _APPLY_AGAIN
        return now if stored or applied else self._apply_at

    def close(self, now: datetime) -> None:
        """Nothing is held."""

    def _only_save(self, lot: ReadLot, now: datetime) -> int:
        self._ledger.save_lot(lot)
        return 0

    def _read_all(self, stored: StoredLot) -> ReadLot:
        try:
            return self._read(stored).complete(stored)
        except Exception as error:
            if len(stored) > 1:
                half = len(stored) // 2
                return ReadLot.together(map(self._read_all, (stored[:half], stored[half:])))
            reason = f"the reader failed: {type(error).__name__}"
            return ReadLot(NOTHING, [Unread(stored.ids[0], None, reason)])


@dataclass
class _Group:
    """Receipts for one transaction, as (name, bytes), and how each is acknowledged."""

    items: list[tuple[str, bytes]] = field(default_factory=list)
    acknowledgements: list[Callable[[], None]] = field(default_factory=list)
    size: int = 0


def _groups(incoming: Iterator[Incoming]) -> Iterator[_Group]:
    """Groups small enough for one transaction, so that no acknowledgement waits for the whole round."""
    group = _Group()
    for one in incoming:
        group.items.append((one.name, one.data))
        group.acknowledgements.append(one.acknowledge)
        group.size += len(one.data)
        if len(group.items) >= _GROUP or group.size >= _GROUP_BYTES:
            yield group
            group = _Group()
    if group.items:
        yield group
