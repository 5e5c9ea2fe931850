"""How an endpoint is filed to, and a tally of what came of it."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from crossborder.settings import Endpoint


@dataclass(frozen=True)
class EndpointPolicy:
    """Limits and rests of one endpoint.

    `lot`: messages claimed in one transaction. `lease`: how long a claim holds. `longest`: the longest one try
    can take; nothing is sent when less than that is left of the lease. `settle`: how long an unknown rests
    before it is asked for. `retry`, `retry_most`: first and longest rest after a failure. `poll`: rest between
    looks for receipts. `patience`: unknown answers in a row before sending rests.
    """

    workers: int = 2
    lot: int = 20
    lease: timedelta = timedelta(seconds=120)
    longest: timedelta = timedelta(seconds=90)
    settle: timedelta = timedelta(seconds=2)
    retry: timedelta = timedelta(seconds=5)
    retry_most: timedelta = timedelta(seconds=300)
    poll: timedelta = timedelta(seconds=2)
    patience: int = 3

    @classmethod
    def of(cls, endpoint: Endpoint) -> Self:
        """From the settings; a lease is always longer than one try (connect, write and read time-outs)."""
        longest = 3 * endpoint.timeout_seconds
        return cls(
            workers=endpoint.workers,
            lot=endpoint.lot,
            lease=timedelta(seconds=max(endpoint.lease_seconds, 4 * endpoint.timeout_seconds)),
            longest=timedelta(seconds=longest),
            settle=timedelta(seconds=endpoint.settle_seconds),
            retry=timedelta(seconds=endpoint.retry_seconds),
            retry_most=timedelta(seconds=max(300.0, endpoint.retry_seconds)),
            poll=timedelta(seconds=endpoint.poll_seconds),
        )

    def backoff(self, failures: int) -> timedelta:
        """How long to rest after that many failures in a row: doubled each time, up to `retry_most`."""
        doubled = self.retry * (1 << min(max(failures - 1, 0), 20))
        return min(doubled, self.retry_most)

    def next_look(self, unknown_since: datetime, asked: datetime) -> datetime:
        """When to ask again for what was still unknown when `asked`: as long again as it has been unknown."""
        return asked + min(max(asked - unknown_since, self.retry), self.retry_most)


def resting(until: datetime | None, now: datetime, longest: timedelta) -> bool:
    """Whether a rest still goes on. No rest is longer than `longest`: one that seems to be was begun under a clock that
    has been set back since, and is over."""
    return until is not None and now < until <= now + longest


class Tally:
    """What a run did, counted by name, and the last trouble of each endpoint. Thread-safe.

    Names: `queued`, `received`, `declined`, `unknown`, `not_received` (tries), `looked_up`, `damaged`,
    `lost` (claims that were no longer this sender's), `unstamped`, `receipts`, `repeated` (receipts that were there already), `read`, `unreadable`, `applied`.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._troubles: dict[str, str] = {}

    def add(self, name: str, count: int = 1) -> None:
        """Count."""
        with self._guard:
            self._counts[name] += count

    def trouble(self, endpoint: str, detail: str) -> None:
        """Remember why an endpoint cannot be spoken to (`transport.say` takes it), an empty text: it can."""
        with self._guard:
            if detail:
                self._troubles[endpoint] = detail
            else:
                self._troubles.pop(endpoint, None)

    @property
    def counts(self) -> dict[str, int]:
        """What was counted so far."""
        with self._guard:
            return dict(self._counts)

    @property
    def troubles(self) -> dict[str, str]:
        """Endpoint → why it could not be spoken to when it was last tried."""
        with self._guard:
            return dict(self._troubles)
