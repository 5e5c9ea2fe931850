"""Drive step functions with threads and a clock: the only place of filing that has either.

Each job opens its step in a thread of its own (a transport belongs to one thread), calls it, and rests until
the moment the step named, until another job got something done, or for `rest` seconds at most.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol

from crossborder import china_time


class Step(Protocol):
    """One small piece of work, without threads, sleep, clock or randomness of its own."""

    def step(self, now: datetime) -> datetime | None:
        """Do what is due. The next wake-up: `now` if there is more at once, None if nothing is in sight."""


@dataclass(frozen=True)
class Job:
    """A step that lives in a thread of its own; `open` builds it there and closes it there."""

    name: str
    open: Callable[[], contextlib.AbstractContextManager[Step]]


Ended = Literal["finished", "deadline", "stopped"]


@dataclass
class _Hall:
    """What the threads share."""

    stop: threading.Event
    changed: threading.Condition = field(default_factory=threading.Condition)
    generation: int = 0
    failure: BaseException | None = None

    def something_done(self) -> None:
        with self.changed:
            self.generation += 1
            self.changed.notify_all()

    def fail(self, error: BaseException) -> None:
        with self.changed:
            self.failure = self.failure or error
            self.stop.set()
            self.changed.notify_all()

    def rest(self, generation: int, seconds: float) -> int:
        """Rest until somebody got something done since `generation`, or for `seconds`."""
        with self.changed:
            self.changed.wait_for(
                lambda: self.stop.is_set() or self.generation != generation, seconds
            )
            return self.generation


def drain(
    jobs: Sequence[Job],
    *,
    finished: Callable[[], bool],
    deadline: datetime | None = None,
    stop: threading.Event | None = None,
    progress: Callable[[], None] | None = None,
    clock: Callable[[], datetime] = china_time.now,
    rest: float = 0.2,
) -> Ended:
    """Run the jobs until `finished()` says so, the deadline has passed, or `stop` is set.

    `finished` and `progress` are called from the calling thread, at most every `rest` seconds. At the end, also
    after Ctrl-C, every job finishes the message it holds and is closed before this returns. The first exception
    of a job stops all and is raised here.
    """
    hall = _Hall(stop or threading.Event())
    threads = [
        threading.Thread(target=_live, args=(job, hall, clock, rest), name=job.name, daemon=True)
        for job in jobs
    ]
    for thread in threads:
        thread.start()
    try:
        ended = _watch(hall, threads, finished, deadline, progress, clock, rest)
    finally:
        hall.stop.set()
        hall.something_done()
        for thread in threads:
            thread.join()
    if hall.failure is not None:
        raise hall.failure
    if progress is not None:
        progress()
    return ended


def _watch(
    hall: _Hall,
    threads: Sequence[threading.Thread],
    finished: Callable[[], bool],
    deadline: datetime | None,
    progress: Callable[[], None] | None,
    clock: Callable[[], datetime],
    rest: float,
) -> Ended:
    while True:
        if hall.stop.is_set():
            return "stopped"
        if finished():
            return "finished"
        if deadline is not None and clock() >= deadline:
            return "deadline"
        if progress is not None:
            progress()
        hall.stop.wait(rest)


def _live(job: Job, hall: _Hall, clock: Callable[[], datetime], rest: float) -> None:
    try:
        with job.open() as step:
            generation = hall.generation
            while not hall.stop.is_set():
                now = clock()
                wake = step.step(now)
                if wake is not None and wake <= now:
                    hall.something_done()
                    generation = hall.generation
                    continue
                seconds = rest if wake is None else (wake - clock()) / timedelta(seconds=1)
                generation = hall.rest(generation, min(max(seconds, 0.0), rest))
    except BaseException as error:
        hall.fail(error)
