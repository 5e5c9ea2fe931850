"""Find out what became of unknown messages: only by asking, never by sending again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from crossborder.filing import safely
from crossborder.filing.policy import EndpointPolicy, Tally, resting
from crossborder.ledger import Ledger
from crossborder.ledger.records import Outgoing
from crossborder.transport import LookedUp, Transport

_AT_ONCE = 1000


class _Asked(NamedTuple):
    """The last answer about one unknown; `sends` tells one unknown from the next of the same attempt.

    `denied_at` is when it was first said not to be there, without a break since.
    """

    sends: int
    at: datetime
    said: str
    denied_at: datetime | None


class Resolver:
    """Asks one endpoint for its unknown messages; a step asks for at most one. Not thread-safe.

    'Received' is believed at once. 'Not received' is believed when it is said again, one rest (`settle`) later
    and two rests after the message became unknown: what a dead or hasty sender left on the line may still be
    on its way into the endpoint when it answers the first time.

    An answer counts for the try that it was asked about and for no later one, so several may ask at once (one is
    enough). Also takes back what dead processes hold, at the start and once per lease.
    """

    def __init__(
        self,
        ledger: Ledger,
        endpoint: str,
        transport: Transport,
        policy: EndpointPolicy,
        owner: str,
        *,
        tally: Tally | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._ledger, self._endpoint, self._transport = ledger, endpoint, transport
        self._policy, self._owner = policy, owner
        self._tally = tally or Tally()
        self._stopping = stopping
        self._recover_at: datetime | None = None
        self._todo: deque[Outgoing] = deque()
        self._asked: dict[int, _Asked] = {}

    def step(self, now: datetime) -> datetime | None:
        """Ask for one unknown that is due. `now` if more are due, else when the next one is."""
        if self._recover_at is None or not resting(self._recover_at, now, self._policy.lease):
            self._ledger.recover(now, self._owner)
            self._recover_at = now + self._policy.lease
        if not self._transport.can_look_up or self._stopping():
            return self._recover_at
        next_due = self._recover_at
        if not self._todo:
            next_due = self._fill(now)
        if not self._todo:
            return next_due
        self._ask(self._todo.popleft(), now)
        return now

    def close(self, now: datetime) -> None:
        """Nothing is held."""

    def _fill(self, now: datetime) -> datetime:
        """Put what is due into `todo`; when the next one is due."""
        found = self._ledger.unknowns(self._endpoint, now, self._policy.settle, _AT_ONCE)
        soonest = self._recover_at or now
        known = {o.attempt_id: o.sends for o in found}
        self._asked = {i: a for i, a in self._asked.items() if known.get(i) == a.sends}
        for outgoing in found:
            asked = self._asked.get(outgoing.attempt_id)
            due = self._due(outgoing, asked) if asked else now
            if due <= now:
                self._todo.append(outgoing)
            else:
                soonest = min(soonest, due)
        return soonest

    def _due(self, outgoing: Outgoing, asked: _Asked) -> datetime:
        if asked.denied_at is not None:
            return asked.denied_at + self._policy.settle
        return self._policy.next_look(outgoing.unknown_since or asked.at, asked.at)

    def _ask(self, outgoing: Outgoing, now: datetime) -> None:
        answer = safely.look_up(self._transport, outgoing.key, outgoing.message_id, outgoing.digest)
        self._tally.add("looked_up")
        number, before = outgoing.attempt_id, self._asked.get(outgoing.attempt_id)
        if before and before.sends != outgoing.sends:
            before = None  # it was sent again since
        denied = answer.outcome == "not_received" and not answer.declined
        first = before.denied_at if before else None
        denied_at = (first or now) if denied else None
        self._asked[number] = _Asked(outgoing.sends, now, answer.detail, denied_at)
        if denied and (first is None or now < first + self._policy.settle):
            return
        if answer.outcome == "unknown" and before and before.said == answer.detail:
            return  # nothing new: no entry for each time it is asked
        self._settle(outgoing, answer, now)

    def _settle(self, outgoing: Outgoing, answer: LookedUp, now: datetime) -> None:
        found: str = answer.outcome
        if answer.outcome == "not_received" and answer.declined:
            found = "declined"
        self._ledger.settle_unknown(
            outgoing.attempt_id,
            found,
            answer.detail,
            now,
            owner=self._owner,
            sends=outgoing.sends,
            attention="other_digest" if answer.conflict else None,
        )
