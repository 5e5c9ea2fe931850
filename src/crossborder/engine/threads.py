"""Work on the blocks of a hand-in in a few threads; results come in the order of the blocks."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
WORKERS = 2
AHEAD = 1
"""Blocks that may lie finished, or wait to be begun, beside those that are worked on."""


def in_order(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    workers: int = WORKERS,
    ahead: int = AHEAD,
) -> Iterator[Result]:
    """`map(work, items)`, with up to `workers + ahead` items in hand at a time.

    Items are taken, and results given, in the caller's thread. What `work` raises is raised in its turn; then, and
    when the caller stops early, nothing new is begun and what was begun is waited for.
    """
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers, "block") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                del item
                if len(waiting) >= workers + ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for left in waiting:
                left.cancel()
