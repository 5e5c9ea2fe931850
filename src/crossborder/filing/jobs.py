"""The jobs of a filing run: senders, resolver and poller of each endpoint, each with a transport of its own."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from crossborder import china_time
from crossborder.filing.filer import Filer
from crossborder.filing.policy import EndpointPolicy, Tally
from crossborder.filing.queuer import Queuer, Stamp
from crossborder.filing.receiver import Reader, ReceiptPoller
from crossborder.filing.resolver import Resolver
from crossborder.filing.run import Job, Step
from crossborder.ledger import Draft, Ledger, ReadLot, StoredLot
from crossborder.settings import Endpoint
from crossborder.transport import Transport, close_transport, open_late

Clock = Callable[[], datetime]


class Work(Step, Protocol):
    """A step that may hold something."""

    def close(self, now: datetime) -> None:
        """Leave nothing half-done."""


def job(name: str, make: Callable[[], Work], clock: Clock = china_time.now) -> Job:
    """A job around a step that needs no transport."""

    @contextlib.contextmanager
    def opened() -> Iterator[Step]:
        work = make()
        try:
            yield work
        finally:
            work.close(clock())

    return Job(name, opened)


def transport_job(
    name: str,
    connect: Callable[[], Transport],
    make: Callable[[Transport], Work],
    clock: Clock = china_time.now,
) -> Job:
    """A job around a step with a transport of its own, opened and closed in the job's thread."""

    @contextlib.contextmanager
    def opened() -> Iterator[Step]:
        transport = connect()
        try:
            work = make(transport)
            try:
                yield work
            finally:
                work.close(clock())
        finally:
            close_transport(transport)

    return Job(name, opened)


def endpoint_jobs(
    ledger: Ledger,
    name: str,
    endpoint: Endpoint,
    *,
    stop: threading.Event,
    tally: Tally,
    send: bool = True,
    receive: bool = True,
    clock: Clock = china_time.now,
    folders: Sequence[Path] = (),
    connect: Callable[[], Transport] | None = None,
) -> list[Job]:
    """Everything one endpoint needs: `workers` senders and one resolver (`send`), one poller (`receive`).

    `folders` may hold gateway dialects. A transport that cannot be opened is a trouble of this endpoint: its rows
    wait, and it is tried again.
    """
    policy = EndpointPolicy.of(endpoint)
    open_one = connect or (lambda: open_late(endpoint, name, folders))

    def resolver(transport: Transport) -> Work:
        return Resolver(
            ledger, name, transport, policy, f"{ledger.owner}/{name}-resolver",
            tally=tally, stopping=stop.is_set,
        )  # fmt: skip

    def poller(transport: Transport) -> Work:
        return ReceiptPoller(
            ledger, name, transport, policy, tally=tally, stopping=stop.is_set
        )  # fmt: skip

    def sender(number: int) -> Callable[[Transport], Work]:
        return lambda transport: Filer(
            ledger, name, transport, policy, f"{ledger.owner}/{name}-{number}",
            tally=tally, stopping=stop.is_set,
        )  # fmt: skip

    jobs: list[Job] = []
    if send:
        jobs.append(transport_job(f"{name}-resolver", open_one, resolver, clock))
        jobs += [
            transport_job(f"{name}-{n}", open_one, sender(n), clock)
            for n in range(1, policy.workers + 1)
        ]
    if receive:
        jobs.append(transport_job(f"{name}-poller", open_one, poller, clock))
    return jobs


def queue_job(
    ledger: Ledger,
    stamp: Stamp,
    message_id: Callable[[Draft, datetime, int], str],
    *,
    stop: threading.Event,
    tally: Tally,
    clock: Clock = china_time.now,
) -> Job:
    """The one job that freezes what may be sent."""
    return job(
        "queuer",
        lambda: Queuer(ledger, stamp, message_id, tally=tally, stopping=stop.is_set),
        clock,
    )


def read_job(
    ledger: Ledger,
    read: Callable[[StoredLot], ReadLot],
    apply: Callable[[datetime], int],
    *,
    save: Callable[[ReadLot, datetime], int] | None = None,
    stop: threading.Event,
    tally: Tally,
    clock: Clock = china_time.now,
) -> Job:
    """The one job that reads stored receipts and has them applied."""
    return job(
        "reader",
        lambda: Reader(ledger, read, apply, save=save, tally=tally, stopping=stop.is_set),
        clock,
    )
