"""Python's collector of reference cycles, while many rows pass."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def passing_over_what_is_there() -> Iterator[None]:
    """What was alive before is not looked through for cycles until this ends; what is made meanwhile is, as always.

    Rows as tuples make the collector look through every object of the process again and again, and what was imported and
    compiled is most of them. An application that has frozen its objects itself is left alone.
    """
    if gc.get_freeze_count():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
