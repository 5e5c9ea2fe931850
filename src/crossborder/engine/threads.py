"""Work on the blocks of a hand-in in a few threads; results come in the order of the blocks."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from typing import Final, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
Other = TypeVar("Other")
WORKERS = 2
AHEAD = 1
"""Blocks that may lie finished, or wait to be begun, beside those that are worked on."""
_END: Final = object()


def in_order(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    workers: int = WORKERS,
    ahead: int = AHEAD,
) -> Iterator[Result]:
    """`map(work, items)` with `begun`, for a caller who has nothing else to do until the first result is there."""
    with begun(work, items, workers, ahead) as results:
        yield from results


@contextmanager
def begun(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    workers: int = WORKERS,
    ahead: int = AHEAD,
) -> Iterator[Iterator[Result]]:
    """`map(work, items)`, with up to `workers + ahead` items in hand at a time; it goes on while the caller does others.

    Each worker takes its own items, one worker at a time, so that the caller is free for what it does with results,
    which are given in the caller's thread. What taking or working raises is raised in its turn; then, and when the caller
    leaves early, nothing new is begun and what was begun is waited for.
    """
    following = iter(items)
    taking = threading.Lock()
    waiting: deque[Future[Result | object]] = deque()
    unfilled: deque[Future[Result | object]] = deque()

    def fill() -> None:
        """The next result, which is that of the next item."""
        with taking:
            if not unfilled:
                return
            result = unfilled.popleft()
            try:
                item = next(following)
            except BaseException as error:
                _end(result, error)
                while unfilled:
                    unfilled.popleft().set_result(_END)
                return
        try:
            result.set_result(work(item))
        except BaseException as error:
            result.set_exception(error)

    with ThreadPoolExecutor(workers, "block") as pool:

        def begin() -> None:
            result: Future[Result | object] = Future()
            waiting.append(result)
            unfilled.append(result)
            pool.submit(fill)

        def results() -> Iterator[Result]:
            while (done := waiting.popleft().result()) is not _END:
                yield done  # type: ignore[misc]  # whatever is not the end is a result
                del done
                begin()

        for _ in range(max(1, workers + ahead)):
            begin()
        try:
            yield results()
        finally:
            with taking:
                unfilled.clear()


def both(first: Callable[[], Result], second: Callable[[], Other]) -> tuple[Result, Other]:
    """What two pieces of work give, done at the same time where a thread is free for it, else one after the other.

    If both raise, it is what `first` raises. The thread is always the same one, because threads remember what they have
    compiled, and serves one caller at a time: where many call at once the processors are busy anyway.
    """
    if not _HELPER.acquire(blocking=False):
        return first(), second()
    try:
        other = _helper().submit(second)
        try:
            return first(), other.result()
        finally:
            wait([other])
    finally:
        _HELPER.release()


@cache
def _helper() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "beside")


def _forget_helper() -> None:
    """In a forked process: the thread has stayed with the parent."""
    global _HELPER
    _HELPER = threading.Lock()
    _helper.cache_clear()


_HELPER = threading.Lock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_helper)


def with_last(items: Iterable[Item]) -> Iterator[tuple[Item, bool]]:
    """Each item, and whether it is the last; one is kept back to know it."""
    following = iter(items)
    for item in following:
        for after in following:
            yield item, False
            item = after
        yield item, True


def _end(result: Future[Result | object], error: BaseException) -> None:
    if isinstance(error, StopIteration):
        result.set_result(_END)
    else:
        result.set_exception(error)
