"""Drive step functions with threads and a clock: the only place of filing that has either.

Each job opens its step in a thread of its own (a transport belongs to one thread), calls it, and rests until
the moment the step named, until another job got something done, or for `rest` seconds at most.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Literal, Protocol

from crossborder import china_time


class Step(Protocol):
    """One small piece of work, without threads, sleep, clock or randomness of its own."""

    def step(self, now: datetime) -> datetime | None:
        """Do what is due. The next wake-up: `now` if there is more at once, None if nothing is in sight."""


@dataclass(frozen=True)
class Job:
    """A step that lives in a thread of its own; `open` builds it there, and closes it there at the end."""

    name: str
    open: Callable[[], contextlib.AbstractContextManager[Step]]


Ended = Literal["finished", "deadline", "stopped"]
_NEWS_SECONDS = 0.05


@dataclass
class _Hall:
    """What the threads share: one asks the others to look again when it got something done."""

    stop: threading.Event
    clock: Callable[[], datetime]
    rest: float
    changed: threading.Condition = field(default_factory=threading.Condition)
    generation: int = 0
    idle: dict[str, int] = field(default_factory=dict)
    failure: BaseException | None = None

    def news(self) -> None:
        """Wake whoever rests."""
        with self.changed:
            self.generation += 1
            self.changed.notify_all()

    def nothing_left(self, names: Sequence[str]) -> bool:
        """Whether every job had nothing to do when it last looked, and nothing has happened since."""
        with self.changed:
            return all(self.idle.get(name) == self.generation for name in names)

    def fail(self, error: BaseException) -> None:
        """Keep the first failure and stop all."""
        with self.changed:
            self.failure = self.failure or error
            self.stop.set()
            self.changed.notify_all()

    def wait(self, until: Callable[[], bool], seconds: float) -> None:
        """Rest until `until` holds, the end is asked for, or `seconds` are over."""
        with self.changed:
            self.changed.wait_for(lambda: self.stop.is_set() or until(), seconds)

    def live(self, job: Job) -> None:
        """The life of one job's thread."""
        try:
            with job.open() as step:
                self._drive(job.name, step)
        except BaseException as error:
            self.fail(error)

    def _drive(self, name: str, step: Step) -> None:
        busy, told = False, 0.0
        while not self.stop.is_set():
            seen, now = self.generation, self.clock()
            wake = step.step(now)
            if wake is not None and wake <= now:
                busy = True
                if time.monotonic() - told > _NEWS_SECONDS:
                    told = time.monotonic()
                    self.news()
                continue
            if busy:  # what was done last may be what another waits for
                busy = False
                self.news()
                continue
            with self.changed:
                self.idle[name] = seen
                self.changed.notify_all()
            seconds = self.rest if wake is None else (wake - self.clock()) / timedelta(seconds=1)
            self.wait(partial(self._news_since, seen), min(max(seconds, 0.0), self.rest))

    def _news_since(self, generation: int) -> bool:
        return self.generation != generation


def drain(
    jobs: Sequence[Job],
    *,
    finished: Callable[[], bool] | None = None,
    until_idle: bool = False,
    deadline: datetime | None = None,
    stop: threading.Event | None = None,
    progress: Callable[[], None] | None = None,
    clock: Callable[[], datetime] = china_time.now,
    rest: float = 0.2,
) -> Ended:
    """Run the jobs until `finished()` says so, the deadline has passed, or `stop` is set from outside.

    With `until_idle` it is also finished when no job has anything to do at this moment (what rests until later,
    an endpoint that is down or an unknown not yet due, is not waited for). The names of jobs must differ.
    `finished` and `progress` are called from the calling thread, about every `rest` seconds. At the end, also
    after Ctrl-C, every job finishes the message it holds and is closed before this returns. The first exception
    of a job stops all of them and is raised here.
    """
    hall = _Hall(stop or threading.Event(), clock, rest)
    threads = [
        threading.Thread(target=hall.live, args=(job,), name=job.name, daemon=True) for job in jobs
    ]
    names = [job.name for job in jobs]

    def idle() -> bool:
        return until_idle and hall.nothing_left(names)

    for thread in threads:
        thread.start()
    ended: Ended = "stopped"
    try:
        while not hall.stop.is_set():
            if (finished is not None and finished()) or idle():
                ended = "finished"
                break
            if deadline is not None and clock() >= deadline:
                ended = "deadline"
                break
            if progress is not None:
                progress()
            hall.wait(idle, rest)
    finally:
        hall.stop.set()
        hall.news()
        for thread in threads:
            thread.join()
    if hall.failure is not None:
        raise hall.failure
    if progress is not None:
        progress()
    return ended
