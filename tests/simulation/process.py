"""A process of ours: one `Ledger` and the workers that it runs, as `filing.jobs` would, without the threads."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from crossborder import reconcile
from crossborder.engine.filing import read_stored
from crossborder.errors import LedgerError
from crossborder.filing import Filer, Queuer, Reader, ReceiptPoller, Resolver
from crossborder.filing.jobs import Work
from crossborder.ledger import Ledger, ReadLot

from . import papers
from .line import Line
from .weather import POLICY

if TYPE_CHECKING:
    from .world import World

APPLY_LOT = 50


class Killed(BaseException):
    """The process dies here; nothing in the house may catch this."""


@dataclass(eq=False)
class Worker:
    """One step function; `due` is when it is called again, and until `stalled_until` it gets no time (true seconds).

    `busy`: it had more to do at once when it was called last.
    """

    name: str
    work: Work
    due: float = 0.0
    stalled_until: float = 0.0
    busy: bool = True


@dataclass(eq=False)
class Process:
    """One process: alive while it has a ledger. `busy` is how many of its steps are on the stack."""

    world: World
    name: str
    opened: Ledger | None = None
    workers: list[Worker] = field(default_factory=list)
    up_at: float = 0.0
    busy: int = 0
    doomed: bool = False
    leaving: bool = False

    @property
    def alive(self) -> bool:
        return self.opened is not None

    @property
    def ledger(self) -> Ledger:
        assert self.opened is not None, f"{self.name} is dead"
        return self.opened

    def start(self) -> None:
        """Open the ledger and begin; a kill or a full disk may come in the middle of it."""
        self.doomed = self.leaving = False
        try:
            self.opened = self.world.backend.open(partial(self.world.point, self))
        except (Killed, LedgerError) as error:
            self.world.trace.note(self.name, "cannot start", type(error).__name__)
            self.world.backend.crash()
            self.rest()
            return
        self.workers = [Worker(name, work, self.world.clock.true) for name, work in self.make()]
        self.world.trace.note(self.name, "starts")
        self.world.look_around(self)

    def make(self) -> list[tuple[str, Work]]:
        """The workers of a filing process: as `filing.jobs.endpoint_jobs`, `queue_job`, `read_job`."""
        ledger, world, endpoint = self.ledger, self.world, papers.ENDPOINT

        def line(part: str) -> tuple[Line, str]:
            owner = f"{ledger.owner}/{endpoint}-{part}"
            return Line(world, self, owner), owner

        def filer(part: str) -> Filer:
            transport, owner = line(part)
            return Filer(ledger, endpoint, transport, POLICY, owner, stopping=self.stopping)

        asker, asking = line("resolver")
        fetcher, _ = line("poller")
        return [
            ("queuer", Queuer(ledger, papers.stamp, papers.message_id, lot=3, stopping=self.stopping)),
            ("filer-1", filer("1")),
            ("filer-2", filer("2")),
            ("resolver", Resolver(ledger, endpoint, asker, POLICY, asking, stopping=self.stopping)),
            ("poller", ReceiptPoller(ledger, endpoint, fetcher, POLICY, stopping=self.stopping)),
            ("reader", Reader(ledger, read_stored, self._apply, save=self._take, stopping=self.stopping)),
        ]  # fmt: skip

    def stopping(self) -> bool:
        return self.leaving

    def die(self) -> None:
        """Everything in memory is gone, and what was not flushed to the disk."""
        ledger, self.opened, self.workers = self.opened, None, []
        self.doomed = True
        if ledger is not None:
            ledger.close()
        self.world.backend.crash()
        self.world.trace.note(self.name, "dies")
        self.rest()

    def leave(self) -> None:
        """An orderly end: every worker gives back what it holds, as far as the ledger can be written."""
        self.leaving = True
        for worker in self.workers:
            try:
                worker.work.close(self.world.clock.now())
            except LedgerError:
                self.world.trace.note(self.name, worker.name, "cannot give back")
            except Killed:
                self.die()
                return
        self.ledger.close()
        self.opened, self.workers = None, []
        self.world.trace.note(self.name, "leaves")
        self.rest()

    def rest(self) -> None:
        """Somebody starts it again, soon or later."""
        wait = 0.0 if self.world.calm else self.world.draw.choice((0.0, 0.5, 10.0, 60.0))
        self.up_at = self.world.clock.true + wait

    def _apply(self, now: datetime) -> int:
        return reconcile.apply_receipts(self.ledger, APPLY_LOT, now).lines

    def _take(self, lot: ReadLot, now: datetime) -> int:
        return reconcile.take_in(self.ledger, lot, now)
