"""Threads around step functions: woken, bounded, stopped cleanly, failing loudly."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest

from crossborder import china_time
from crossborder.errors import LedgerError
from crossborder.filing.run import Job, Step, drain


class Works:
    """Calls `work` at each step; keeps what happened to it."""

    def __init__(self, work: Callable[[datetime], datetime | None]) -> None:
        self.work = work
        self.steps = 0
        self.closed = 0
        self.threads: set[str] = set()

    def step(self, now: datetime) -> datetime | None:
        self.steps += 1
        self.threads.add(threading.current_thread().name)
        return self.work(now)

    def job(self, name: str) -> Job:
        @contextlib.contextmanager
        def opened() -> Iterator[Step]:
            self.threads.add(threading.current_thread().name)
            yield self
            self.closed += 1

        return Job(name, opened)


def test_each_job_lives_in_its_own_thread_until_all_is_finished() -> None:
    left = {"a": 50, "b": 70}

    def worker(name: str) -> Works:
        def work(now: datetime) -> datetime | None:
            if not left[name]:
                return None
            left[name] -= 1
            return now

        return Works(work)

    a, b = worker("a"), worker("b")
    ended = drain([a.job("a"), b.job("b")], finished=lambda: not any(left.values()))
    assert ended == "finished"
    assert (a.threads, b.threads) == ({"a"}, {"b"})
    assert (a.closed, b.closed) == (1, 1)


def test_news_of_one_job_wakes_the_others() -> None:
    to_give, handed, done = [1, 2, 3], list[int](), list[int]()
    may_start = threading.Event()

    def give(now: datetime) -> datetime | None:
        if to_give and may_start.is_set():
            handed.append(to_give.pop())
            return now
        return None

    def take(now: datetime) -> datetime | None:
        may_start.set()
        if handed:
            done.append(handed.pop())
            return now
        return now + timedelta(hours=1)

    giver, taker = Works(give), Works(take)
    ended = drain(
        [taker.job("taker"), giver.job("giver")],
        finished=lambda: len(done) == 3 and not handed,
        rest=0.5,
    )
    assert ended == "finished"


def test_a_deadline_ends_it() -> None:
    moments = [china_time.now()]

    def clock() -> datetime:
        moments.append(moments[-1] + timedelta(seconds=1))
        return moments[-1]

    idle = Works(lambda now: None)
    ended = drain(
        [idle.job("idle")],
        finished=lambda: False,
        deadline=moments[0] + timedelta(seconds=30),
        clock=clock,
        rest=0.001,
    )
    assert ended == "deadline"
    assert idle.closed == 1


def test_stop_from_outside_ends_it() -> None:
    stop, steps = threading.Event(), []

    def work(now: datetime) -> datetime | None:
        steps.append(now)
        if len(steps) == 5:
            stop.set()
        return now

    worker = Works(work)
    assert drain([worker.job("w")], finished=lambda: False, stop=stop) == "stopped"
    assert len(steps) == 5
    assert worker.closed == 1


def test_a_failure_stops_all_and_is_raised() -> None:
    def fail(now: datetime) -> datetime | None:
        raise LedgerError("the disk is full")

    busy = Works(lambda now: now)
    with pytest.raises(LedgerError, match="disk is full"):
        drain([Works(fail).job("bad"), busy.job("busy")], finished=lambda: False)
    assert busy.closed == 1


def test_a_job_that_cannot_open_is_raised() -> None:
    @contextlib.contextmanager
    def opened() -> Iterator[Step]:
        raise LedgerError("no")
        yield Works(lambda now: None)

    with pytest.raises(LedgerError):
        drain([Job("bad", opened)], finished=lambda: False)


def test_ctrl_c_lets_every_job_finish_what_it_holds() -> None:
    held, finished_cleanly = threading.Event(), list[bool]()

    def work(now: datetime) -> datetime | None:
        held.set()
        stop.wait(20)  # in the middle of a message
        finished_cleanly.append(True)
        return now

    stop = threading.Event()
    worker = Works(work)

    def interrupted() -> bool:
        held.wait(20)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drain([worker.job("w")], finished=interrupted, stop=stop)
    assert finished_cleanly == [True]
    assert worker.closed == 1


def test_progress_is_told_from_the_calling_thread_and_at_the_end() -> None:
    told: list[str] = []
    drain(
        [Works(lambda now: None).job("w")],
        finished=lambda: len(told) >= 3,
        progress=lambda: told.append(threading.current_thread().name),
        rest=0.001,
    )
    assert len(told) == 4
    assert set(told) == {threading.current_thread().name}


def test_until_idle_waits_for_chains_of_work_and_not_for_later() -> None:
    """a hands to b, b hands to c; c rests until tomorrow."""
    boxes: dict[str, list[int]] = {"a": list(range(20)), "b": [], "c": []}

    def passes_on(source: str, target: str) -> Works:
        def work(now: datetime) -> datetime | None:
            if not boxes[source]:
                return None
            boxes[target].append(boxes[source].pop())
            return now

        return Works(work)

    resting = Works(lambda now: now + timedelta(days=1))
    jobs = [
        resting.job("c"),
        passes_on("b", "c").job("b"),
        passes_on("a", "b").job("a"),
    ]
    assert drain(jobs, until_idle=True, rest=5.0) == "finished"
    assert len(boxes["c"]) == 20
    assert resting.closed == 1
