"""The port's own truth about messages: what was tried, what arrived, in which bytes, and what it answered.

Nothing here is taken from the ledger: whatever the port sees that must never happen is written down at once.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from crossborder.transport import Outgoing

from . import papers
from .clock import Clock, Trace
from .weather import ON_THE_LINE, POLICY, Weather


@dataclass(eq=False)
class Said:
    """A receipt. `about` is the message id it answers, empty for one that answers none of ours."""

    name: str
    data: bytes
    about: str
    code: str
    op_time: str
    houses: tuple[tuple[str, str], ...] = ()
    kind: str = "plain"
    handed_out: int = 0
    acknowledged: bool = False


@dataclass(eq=False)
class Filing:
    """One message id as the port knows it.

    `doubt`: a try may have left the house, and nothing was answered since that says it did not arrive. `denials`: when
    (by our clock) look-ups said that it is not there, since the last try. `over`: a receipt that ends it was handed out.
    """

    ident: str
    key: str
    kind: str
    digest: str
    tries: int = 0
    arrivals: int = 0
    visible_at: float = 0.0
    declined: bool = False
    declined_and_kept: bool = False
    over: bool = False
    doubt: bool = False
    denials: list[datetime] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)


class Port:
    """One endpoint's far side. `answer` is told once of each message that arrived."""

    def __init__(self, draw: random.Random, clock: Clock, weather: Weather, trace: Trace) -> None:
        self.draw, self.clock, self.weather, self.trace = draw, clock, weather, trace
        self.filings: dict[str, Filing] = {}
        self.of_key: dict[str, list[Filing]] = {}
        self.accepted_houses: set[str] = set()
        self.wrongs: list[str] = []
        self.calm = False
        self.answer: Callable[[Filing], None] = lambda _: None
        self._coming: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count(1)
        self._on_the_line = 0

    def number(self) -> int:
        """A number that the port never gave before."""
        return next(self._numbers)

    def wrong(self, what: str) -> None:
        """Something that must never happen."""
        self.wrongs.append(what)
        self.trace.note("WRONG", what)

    # -- time

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something so many seconds from now."""
        heapq.heappush(self._coming, (self.clock.true + seconds, self.number(), action))

    def tick(self) -> None:
        """Everything that is due happens."""
        while self._coming and self._coming[0][0] <= self.clock.true:
            heapq.heappop(self._coming)[2]()

    @property
    def next_at(self) -> float | None:
        """When something happens next, in true seconds."""
        return self._coming[0][0] if self._coming else None

    @property
    def line_is_clear(self) -> bool:
        """Nothing is on its way to the port, and a look-up would see everything that arrived."""
        seen = all(f.visible_at <= self.clock.true for f in self.filings.values())
        return seen and not self._on_the_line

    # -- messages

    def tried(self, message: Outgoing) -> Filing:
        """Bytes leave the house: the first moment at which something can be wrong."""
        filing = self.filings.get(message.message_id)
        if filing is None:
            kind = "manifest" if message.message_type == "EXP311" else "declaration"
            filing = Filing(message.message_id, message.key, kind, message.digest)
            self._first_try(filing)
        if (filing.key, filing.digest) != (message.key, message.digest):
            self.wrong(f"P4 {message.message_id} was sent with other bytes, or for another parcel")
        if papers.digest(message.body) != message.digest:
            self.wrong(f"P4 {message.message_id} left the house damaged")
        if filing.arrivals or filing.declined:
            self.wrong(f"P5 {message.message_id} was sent again though the port had it")
        elif filing.doubt and not self._denied(filing):
            self.wrong(f"P5 {message.message_id} was sent again while its fate was unknown")
        filing.tries += 1
        filing.doubt = True
        filing.denials = []
        self.trace.note("leaves", filing.ident, filing.tries)
        return filing

    def arrive(self, filing: Filing, seconds: float = 0.0) -> None:
        """The message reaches the port, at once or that much later."""
        if not seconds:
            self._arrived(filing)
            return
        self._on_the_line += 1

        def action() -> None:
            self._on_the_line -= 1
            self._arrived(filing)

        self.later(seconds, action)

    def decline(self, filing: Filing, *, keep: bool) -> None:
        """The port refuses the message by its own word; `keep`: and has it all the same."""
        filing.declined = True
        filing.doubt = False
        if keep:
            filing.declined_and_kept = True
            self._arrived(filing)

    def look(self, ident: str, asked: datetime) -> tuple[bool, bool]:
        """Whether the message is there as far as the port's index knows, and whether it was declined."""
        filing = self.filings.get(ident)
        if filing is None:
            return False, False
        if filing.declined:
            return False, True
        if filing.arrivals and filing.visible_at <= self.clock.true:
            return True, False
        filing.denials.append(asked)
        return False, False

    def ring_up(self, ident: str) -> bool:
        """A person asks: is it there? If it is not, even because it was declined, they may let it go again."""
        filing = self.filings.get(ident)
        if filing is not None and not filing.arrivals:
            filing.doubt = filing.declined = False
        return filing is not None and filing.arrivals > 0

    def _first_try(self, filing: Filing) -> None:
        for old in self.of_key.get(filing.key, ()):
            if not (old.over or old.declined):
                self.wrong(f"P4 {filing.key} was declared again while {old.ident} was alive")
        declared = filing.kind == "declaration"
        if declared and self.weather.manifest_first and filing.key not in self.accepted_houses:
            self.wrong(f"{filing.key} was declared before its house was accepted")
        self.filings[filing.ident] = filing
        self.of_key.setdefault(filing.key, []).append(filing)

    def _denied(self, filing: Filing) -> bool:
        """Whether look-ups said twice, one rest apart, that the message is not there."""
        said = filing.denials
        return bool(said) and max(said) - min(said) >= POLICY.settle

    def _arrived(self, filing: Filing) -> None:
        filing.arrivals += 1
        self.trace.note("arrives", filing.ident, filing.arrivals)
        if filing.arrivals == 1:
            slow = not self.calm and self.draw.random() < 0.3
            filing.visible_at = self.clock.true + (slow and self.draw.random() * ON_THE_LINE)
            self.answer(filing)
