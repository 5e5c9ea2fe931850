"""Set ids and times into what may be queued now, and freeze the bytes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from crossborder.errors import NotFound, PayloadDamaged, SchemaError, SettingsError
from crossborder.filing.policy import Tally
from crossborder.ledger import Ledger
from crossborder.ledger.records import Draft, Frozen

LOT = 500


class Stamp(Protocol):
    """`messages.stamp`: set id and time into a composed document. Raises `SchemaError`."""

    def __call__(self, xml: bytes, *, message_id: str, at: datetime) -> bytes: ...


class Queuer:
    """Freezes what may be sent: a reserved serial, an id, the bytes; then it is queued, once and for all.

    `message_id(draft, at, serial)` composes an id, each its own (policy `unique`: one id per declaration). A
    draft that cannot be stamped, or whose endpoint or profile the settings no longer have, stays as it is, is
    counted as `unstamped`, and stops nobody else.
    """

    def __init__(
        self,
        ledger: Ledger,
        stamp: Stamp,
        message_id: Callable[[Draft, datetime, int], str],
        *,
        tally: Tally | None = None,
        stopping: Callable[[], bool] = lambda: False,
        lot: int = LOT,
    ) -> None:
        self._ledger, self._stamp, self._message_id = ledger, stamp, message_id
        self._tally = tally or Tally()
        self._stopping = stopping
        self._lot = lot
        self._left: set[int] = set()

    def step(self, now: datetime) -> datetime | None:
        """Queue one lot. `now` if there may be more."""
        if self._stopping():
            return None
        waiting = self._ledger.freezable(self._lot + len(self._left))
        drafts = [d for d in waiting if d.attempt_id not in self._left][: self._lot]
        if not drafts:
            return None
        serials = self._ledger.reserve_serials(len(drafts))
        frozen = [f for d, s in zip(drafts, serials, strict=True) if (f := self._freeze(d, s, now))]
        self._tally.add("queued", len(self._ledger.freeze(frozen, now)) if frozen else 0)
        return now

    def close(self, now: datetime) -> None:
        """Nothing is held."""

    def _freeze(self, draft: Draft, serial: int, now: datetime) -> Frozen | None:
        try:
            body = self._ledger.payload(draft.ref, now)
            ident = self._message_id(draft, now, serial)
            return Frozen(draft.attempt_id, ident, self._stamp(body, message_id=ident, at=now))
        except PayloadDamaged:  # the ledger has suspended and named it
            self._tally.add("damaged")
        except (SchemaError, SettingsError, NotFound):
            self._tally.add("unstamped")
            self._left.add(draft.attempt_id)
        return None
