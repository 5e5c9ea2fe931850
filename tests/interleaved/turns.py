"""Actors take turns: each has a thread, one of them runs, and who goes on is drawn wherever one could be overtaken.

That is before every transaction of a ledger and before and after every word on the line; inside a transaction nobody is
overtaken, as the database sees to it. The same draws lead to the same run.
"""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import pytest

from crossborder.ledger.base import Base

PATIENCE = 120.0
"""Seconds after which an actor that does not come back hangs, e.g. on a lock that one who waits for a turn holds."""


class Killed(BaseException):
    """The process ends here: nothing of it may catch this, and it reaches no ledger and no line any more."""


class Over(BaseException):
    """Another actor has failed: there is nothing left to find out."""


class Stuck(RuntimeError):
    """An actor that has the turn does not come back."""


@dataclass(eq=False)
class Actor:
    """One thread of ours. `inside`: transactions it is in; `dead`: what it does meanwhile is no more."""

    name: str
    work: Callable[[], None]
    turn: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    inside: int = 0
    dead: bool = False
    done: bool = False
    error: BaseException | None = None


class Turns:
    """`linger` is how likely it is that nobody comes between; `passes` is told at each turn who takes it, where, and says
    whether it lives on."""

    def __init__(
        self, draw: random.Random, linger: float, passes: Callable[[str, str], bool]
    ) -> None:
        self._draw, self._linger, self._passes = draw, linger, passes
        self._back = threading.Semaphore(0)
        self._over = False
        self._here = threading.local()

    def run(self, works: Mapping[str, Callable[[], None]]) -> None:
        """Let all of them come to their ends. Raises what the first of them raised."""
        actors = [Actor(name, work) for name, work in works.items()]
        threads = [
            threading.Thread(target=self._live, args=(a,), name=a.name, daemon=True) for a in actors
        ]
        for thread in threads:
            thread.start()
        last = actors[0]
        while alive := [a for a in actors if not a.done]:
            if last.done or self._draw.random() >= self._linger:
                last = self._draw.choice(alive)
            last.turn.release()
            if not self._back.acquire(timeout=PATIENCE):
                raise Stuck(last.name)
            self._over = self._over or last.error is not None
        for thread in threads:
            thread.join(PATIENCE)
        for actor in actors:
            if actor.error is not None and not isinstance(actor.error, Over):
                raise actor.error

    def pause(self, where: str) -> None:
        """Here others may come between. Nothing for a thread that is no actor, or is in a transaction."""
        actor: Actor | None = getattr(self._here, "actor", None)
        if actor is None or actor.inside:
            return
        if actor.dead:
            raise Killed
        self._back.release()
        actor.turn.acquire()
        if self._over:
            raise Over
        if not self._passes(actor.name, where):
            actor.dead = True
            raise Killed

    def reborn(self) -> None:
        """The same is started again."""
        self._here.actor.dead = False

    @contextmanager
    def inside(self, where: str, entered: AbstractContextManager[Any]) -> Iterator[Any]:
        """A transaction: others may come between before it."""
        self.pause(where)
        actor: Actor | None = getattr(self._here, "actor", None)
        if actor is None:
            with entered as connection:
                yield connection
            return
        actor.inside += 1
        try:
            with entered as connection:
                yield connection
        finally:
            actor.inside -= 1

    def _live(self, actor: Actor) -> None:
        self._here.actor = actor
        actor.turn.acquire()
        try:
            actor.work()
        except BaseException as error:
            actor.error = error
        finally:
            actor.done = True
            self._back.release()


@contextmanager
def one_after_the_other(
    work: Callable[[Any], Any], items: Iterable[Any], workers: int = 2, ahead: int = 0
) -> Iterator[Iterator[Any]]:
    """In the place of `threads.begun`: works as far ahead, but in the caller's thread, where others may come between."""
    following = iter(items)

    def results() -> Iterator[Any]:
        done: deque[Any] = deque()
        while True:
            done += [work(item) for item in islice(following, workers + ahead - len(done))]
            if not done:
                return
            yield done.popleft()

    yield results()


def before_transactions(turns: Turns, patched: pytest.MonkeyPatch) -> None:
    """Every ledger of this process lets others come before each of its transactions."""
    for name in ("write", "_look"):
        plain = getattr(Base, name)

        def entered(self: Base, *asked: Any, _plain: Any = plain, _name: str = name) -> Any:
            return turns.inside(_name.strip("_"), _plain(self, *asked))

        patched.setattr(Base, name, entered)
