"""One run: everything that a seed decides, driven step by step in one thread, then a quiet ending and the judgement."""

from __future__ import annotations

import errno
import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.exc import OperationalError

from crossborder.errors import LedgerError
from crossborder.filing import Filer
from crossborder.ledger import Ledger

from . import papers
from .answers import Answers
from .backend import Backend
from .clock import Clock, Trace
from .desk import Desk, File, Folder, suspended
from .judge import at_any_moment, judge
from .port import Port
from .process import Killed, Process, Worker
from .weather import CLOCK_WRONG, Weather

WORKING = ("queued", "sending", "not_received", "unknown", "ready")
"""What `Ledger.pending` counts that must come to an end when everybody behaves."""
_IDLE, _IDLE_WHEN_CALM = 1.5, 3.0
_REST, _REST_WHEN_CALM = 2.0, 20.0
"""Seconds after which a worker that sees nothing to do is called again, and one that rests at most: as `filing.run` does."""
_MOST_ROUNDS = 5000
"""Some rounds a second; a clock that was set back is waited out, at most `CLOCK_WRONG` seconds."""


@dataclass(frozen=True)
class Run:
    """What a seed led to: the digest of everything that happened, and everything that must not have."""

    seed: int
    trace: str
    wrongs: list[str]
    lines: list[str]
    points: int
    kills: int


def run(seed: int, home: Path, backend: Backend, *, keep: bool = False) -> Run:
    """Run one seed in a new home folder."""
    world = World(seed, home, backend, keep=keep)
    with backend.disk.watched():
        world.chaos()
        world.ending()
    return Run(
        seed, world.trace.digest, world.port.wrongs, world.trace.lines, world.points, world.kills
    )


class World:
    """Two filing processes and a desk on one machine, the line, and the port."""

    def __init__(self, seed: int, home: Path, backend: Backend, *, keep: bool = False) -> None:
        self.draw = random.Random(seed)
        self.whim = random.Random(
            f"whims of {seed}"
        )  # the desk's: what else happens stays as it was
        self.meddling = self.whim.choice((0.0, 0.1, 0.3, 0.6))
        self.weather = Weather.of(self.draw)
        self.clock, self.trace = Clock(), Trace(keep=keep)
        self.trace.note(self.weather, self.meddling)
        self.backend = backend
        backend.begin(home)
        self.folder = Folder()
        self.port = Port(self.draw, self.clock, self.weather, self.trace)
        self.answers = Answers(self.port, self.folder.houses)
        self.processes: list[Process] = [Process(self, "A"), Process(self, "B"), Desk(self, "desk")]
        self.step_now: datetime = self.clock.now()
        self.calm = self.pressed = False
        self.points = self.kills = 0
        self.rotten: set[int] = set()
        self._depth = 0
        self._at_work: list[Worker] = []
        self._last: Worker | None = None
        self._back_at: tuple[float, float] | None = None
        self._ahead: float | None = None
        self._fill_folder()

    @property
    def mess(self) -> float:
        """The chance of trouble on the line."""
        return 0.0 if self.calm else self.weather.mess

    def _fill_folder(self) -> None:
        """One or two flights; a third file brings parcels of the first again."""
        number = 1
        for flight in range(1, self.draw.randint(2, 3)):
            parcels = dict.fromkeys(range(number, number + self.draw.randint(2, 4)), 1)
            number += len(parcels)
            listed = self.weather.manifest_first or self.draw.random() < 0.3
            self.folder.put(File(f"day-{flight}", flight, parcels, listed))
        if self.draw.random() < 0.3 and not self.weather.manifest_first:
            first = self.folder.files[0]
            self.folder.put(File("once-more", first.flight, dict(first.parcels), listed=False))

    # -- what may happen at any point

    def point(self, process: Process, name: str) -> None:
        """A numbered point, before or after something is written or sent: here a process may die, or a disk be full."""
        self.points += 1
        if process.doomed:
            raise Killed
        if self.calm:
            return
        chance = self.draw.random()
        if chance < self.weather.kill:
            self.kills += 1
            self.trace.note("kill", self.points, process.name, name)
            raise Killed
        if chance > 1 - self.weather.full and name in ("payload:half", "rows:written"):
            self.trace.note("full", self.points, process.name, name)
            if name == "payload:half":
                raise OSError(errno.ENOSPC, "No space left on device")
            raise OperationalError(
                "COMMIT", {}, sqlite3.OperationalError("database or disk is full")
            )

    def meanwhile(self, process: Process) -> None:
        """While a worker waits for the port, other workers take steps; time passes, but less than one try may take."""
        if self._depth > 1 or self.calm:
            return
        if self.meddling and self.whim.random() < self.meddling:
            for desk in [(p, w) for p, w in self._workers() if p.name == "desk"]:
                if desk[1] not in self._at_work:
                    self.pressed = True
                    self.step(*desk)
                    self.pressed = False
            if process.doomed:
                raise Killed
        if self.draw.random() >= self.weather.overlap:
            return
        for _ in range(self.draw.randint(1, 3)):
            self._pass(self.draw.choice((0.0, 0.1, 0.7)))
            waiting = [(p, w) for p, w in self._workers() if w not in self._at_work]
            if waiting:
                self.step(*self.draw.choice(waiting))
            if process.doomed:
                raise Killed

    def step(self, process: Process, worker: Worker) -> None:
        """One step of one worker, and whatever it leads to."""
        before, self.step_now = self.step_now, self.clock.now()
        now = self.step_now
        self._depth += 1
        self._at_work.append(worker)
        self._last = worker
        process.busy += 1
        try:
            wake = worker.work.step(now)
            idle, most = (_IDLE_WHEN_CALM, _REST_WHEN_CALM) if self.calm else (_IDLE, _REST)
            rest = idle if wake is None else (wake - self.clock.now()) / timedelta(seconds=1)
            worker.busy = rest <= 0
            worker.due = self.clock.true + min(max(rest, 0.0), most)
            self.trace.note(process.name, worker.name, now.isoformat(), wake and wake.isoformat())
        except Killed:
            self._dies(process)
        except LedgerError as error:
            self.trace.note(process.name, worker.name, "fails", error.en)
            process.leaving = True
        finally:
            process.busy -= 1
            self._depth -= 1
            self._at_work.remove(worker)
            self.step_now = before
        if process.leaving and process.alive and not process.busy:
            process.leave()

    def _dies(self, process: Process) -> None:
        if process.alive:
            process.die()
            if self.draw.random() < self.weather.cut:  # the machine, not the process
                for other in self.processes:
                    if other.alive:
                        other.die()

    def look_around(self, process: Process) -> None:
        """What must hold at any moment is looked at whenever a process starts."""
        for wrong in at_any_moment(process.ledger):
            self.port.wrong(wrong)

    # -- the two halves

    def chaos(self) -> None:
        """Everything the weather has."""
        for step in range(2 * self.weather.steps):
            if step >= self.weather.steps and self._back_at is None and self._ahead is None:
                break
            self._start_processes()
            self._trouble()
            workers = [(p, w) for p, w in self._workers() if w.stalled_until <= self.clock.true]
            due = [(p, w) for p, w in workers if w.due <= self.clock.true]
            if due:
                weights = [4 if w.busy else 1 for _, w in due]
                self.step(*self.draw.choices(due, weights)[0])
                self._pass(self.draw.choice((0.001, 0.001, 0.05, 0.6)))
            elif workers and self.draw.random() < 0.05:
                self.step(*self.draw.choice(workers))  # woken for nothing
            else:
                self._pass(self._until_something())

    def ending(self) -> None:
        """Nobody dies, nothing is lost any more: until nothing moves. Then everything is compared."""
        self.calm = self.port.calm = True
        self.trace.note("calm")
        for _ in range(_MOST_ROUNDS):
            self._start_processes(at_once=True)
            due = [(p, w) for p, w in self._workers() if w.due <= self.clock.true]
            for process, worker in due:
                if process.alive and worker in process.workers:
                    self.step(process, worker)
            if due:
                self._pass(0.001)
            elif self._finished():
                break
            else:
                self._pass(self._until_something())
        else:
            self.port.wrong(
                f"P7 it never comes to rest: {self._ledger().pending([papers.ENDPOINT])}"
            )
        self.port.wrongs += judge(self, self._ledger())
        for wrong in self.port.wrongs:
            self.trace.note(wrong)
        for process in self.processes:
            if process.alive:
                process.leave()

    # -- parts of the above

    def _workers(self) -> Iterator[tuple[Process, Worker]]:
        for process in self.processes:
            if process.alive and not process.leaving:
                yield from ((process, worker) for worker in process.workers)

    def _ledger(self) -> Ledger:
        return next(p.ledger for p in self.processes if p.alive)

    def _start_processes(self, *, at_once: bool = False) -> None:
        for process in self.processes:
            if not process.alive and (at_once or process.up_at <= self.clock.true):
                process.start()

    def _pass(self, seconds: float) -> None:
        self.clock.true += seconds
        self.port.tick()

    def _until_something(self) -> float:
        """Seconds until the next thing that is known to happen."""
        moments = [max(w.due, w.stalled_until) for _, w in self._workers()]
        moments += [p.up_at for p in self.processes if not p.alive]
        if self.port.next_at is not None:
            moments.append(self.port.next_at)
        return max(min((m - self.clock.true for m in moments), default=1.0), 0.001)

    def _trouble(self) -> None:
        """Between two steps: a clock is set, the machine sleeps, a worker gets no time, a process is stopped, a disk rots."""
        draw, weather = self.draw, self.weather
        self._clocks()
        if draw.random() < weather.stall:
            workers = [w for _, w in self._workers()]
            if workers and self._last not in workers:
                self._last = draw.choice(workers)
            if workers and self._last is not None:
                self._last.stalled_until = self.clock.true + draw.choice((1.0, 4.0, 12.0, 45.0))
        sender = self._last.work if self._last is not None else None
        if isinstance(sender, Filer) and sender._lot and draw.random() < weather.doze:
            self._doze(self._last)
        if draw.random() < weather.stop:
            alive = [p for p in self.processes if p.alive]
            if alive:
                draw.choice(alive).leave()
        if draw.random() < weather.rot:
            self._rot()

    def _clocks(self) -> None:
        """Our clock is set, perhaps only for a while; or both go on while nobody does anything: the machine sleeps."""
        draw, weather = self.draw, self.weather
        if self._ahead is not None and self.port.line_is_clear:
            self._back_at = (self.clock.true + 9.0, self.clock.offset)
            self._set_clock(self._ahead)
            self._ahead = None
        elif self._back_at is not None and self.clock.true >= self._back_at[0]:
            self._set_clock(self._back_at[1])
            self._back_at = None
        if self._back_at is not None or self._ahead is not None:
            return
        if draw.random() < weather.jump:
            if draw.random() < 0.5:
                self._back_at = (self.clock.true + draw.choice((1.0, 5.0)), self.clock.offset)
            self._set_clock(draw.uniform(-CLOCK_WRONG, CLOCK_WRONG))
        if draw.random() < weather.jump:
            self._pass(draw.choice((5.0, 40.0, 400.0)))

    def _doze(self, worker: Worker | None) -> None:
        """A sender sleeps with messages in hand, and the clock is wrong for long enough that others take them away."""
        wrong = self.clock.offset + self.draw.uniform(35, 60)
        if worker is not None and self._back_at is None and wrong < CLOCK_WRONG:
            worker.stalled_until = self.clock.true + 14.0
            self._ahead = wrong

    def _set_clock(self, offset: float) -> None:
        """Set forward only while nothing is on the line: the rests of the resolver are told by this clock."""
        if offset < self.clock.offset or self.port.line_is_clear:
            self.clock.offset = offset
            self.trace.note("clock", offset)

    def _rot(self) -> None:
        alive = [p for p in self.processes if p.alive]
        if not alive:
            return
        waiting = alive[0].ledger.attempts_in(
            states=["queued", "prepared", "awaiting_manifest", "not_received"]
        )
        if not waiting:
            return
        attempt = self.draw.choice(waiting)
        ref = attempt.frozen or attempt.draft
        self.backend.disk.rot(ref, self.draw.randrange(ref.length))
        self.rotten.add(attempt.id)
        self.trace.note("rot", attempt.id)

    def _finished(self) -> bool:
        ledger = self._ledger()
        open_ = [f for f in self.folder.files if f.wanted and not f.released]
        if open_ or self.answers.waiting or self.port.next_at is not None:
            return False
        if ledger.unread_count() or ledger.line_counts(["read"]) or suspended(ledger):
            return False
        pending = ledger.pending([papers.ENDPOINT])
        return not any(pending[name] for name in WORKING)
