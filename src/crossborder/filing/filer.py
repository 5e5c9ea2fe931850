"""Send what is queued: claim a lot, one message per step, record what became of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from crossborder.errors import PayloadDamaged
from crossborder.filing import safely
from crossborder.filing.policy import EndpointPolicy, Tally, resting
from crossborder.ledger import Ledger
from crossborder.ledger.records import Outgoing, Sent
from crossborder.transport import Outgoing as Message
from crossborder.transport import Submitted, Transport

_KEEP_NEWS = timedelta(seconds=1)
_NEVER = datetime.min.replace(tzinfo=UTC)


class Filer:
    """One sender of one endpoint; a step sends at most one message. Not thread-safe.

    What is claimed and not sent, because the end is near (`stopping`), the endpoint is down or the lease runs
    out, goes back as certainly not received. What is sent and not recorded when the process dies is `unknown`
    afterwards, never sent again blindly. `owner` must be this sender's alone: `ledger.owner` and a part of its
    own. A transport that cannot look up gets lots of one, since every unknown of it needs a person.
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
        self._lot: deque[Outgoing] = deque()
        self._done: list[Sent] = []
        self._claimed_at = self._done_since = _NEVER
        self._pause_until: datetime | None = None
        self._failures = 0
        self._started = False

    def step(self, now: datetime) -> datetime | None:
        """Send one message, or record, or claim. `now` if there may be more at once."""
        if not self._started:
            self._ledger.recover(now, self._owner)
            self._started = True
        if not self._lot:
            self._record(now)
            if resting(self._pause_until, now, self._policy.retry_most):
                return self._pause_until
            if self._stopping() or not self._claim(now):
                return None
        if self._stopping() or not self._lease_holds(now):
            self._give_back(now, None)
            return now
        self._send(self._lot.popleft(), now)
        if not self._lot or now - self._done_since >= _KEEP_NEWS:
            self._record(now)
        return now

    def close(self, now: datetime) -> None:
        """Record what is known and give the rest back."""
        self._give_back(now, None)

    def _claim(self, now: datetime) -> bool:
        policy = self._policy
        size = policy.lot if self._transport.can_look_up else 1
        self._lot.extend(self._ledger.claim(self._endpoint, self._owner, size, now, policy.lease))
        self._claimed_at = now
        return bool(self._lot)

    def _lease_holds(self, now: datetime) -> bool:
        """Whether one more try fits into the lease; not when the clock has been set back."""
        ends = self._claimed_at + self._policy.lease - self._policy.longest
        return self._claimed_at <= now < ends

    def _send(self, outgoing: Outgoing, now: datetime) -> None:
        if not self._ledger.holds(outgoing.attempt_id, self._owner):
            self._tally.add("lost")  # the lease ended by a clock that has been set back since
            return
        try:
            body = self._ledger.payload(outgoing.ref, now)
        except PayloadDamaged:  # the ledger has suspended and named it
            self._tally.add("damaged")
            return
        message = Message(
            message_type=outgoing.message_type,
            key=outgoing.key,
            message_id=outgoing.message_id,
            digest=outgoing.digest,
            body=body,
            created=outgoing.created,
        )
        answer = safely.submit(self._transport, message)
        if not self._done:
            self._done_since = now
        self._done.append(self._judge(outgoing.attempt_id, answer, now))
        if resting(self._pause_until, now, self._policy.retry_most):
            self._give_back(now, self._pause_until)

    def _judge(self, number: int, answer: Submitted, now: datetime) -> Sent:
        said = answer.detail
        if answer.outcome != "unknown":
            self._failures = 0
            self._tally.add(answer.outcome)
            self._tally.trouble(self._endpoint, "")
            return Sent(number, answer.outcome, said)
        self._failures += 1
        self._tally.trouble(self._endpoint, said)
        if answer.nothing_left or self._failures >= self._policy.patience:
            self._pause_until = now + self._policy.backoff(self._failures)
        if answer.nothing_left:
            self._tally.add("not_received")
            return Sent(number, "not_received", said, retry_at=self._pause_until)
        self._tally.add("unknown")
        return Sent(number, "unknown", said, attention="other_digest" if answer.conflict else None)

    def _give_back(self, now: datetime, retry_at: datetime | None) -> None:
        """The rest of the lot was certainly not sent."""
        self._done += [
            Sent(o.attempt_id, "not_received", "given_back", retry_at=retry_at) for o in self._lot
        ]
        self._lot.clear()
        self._record(now)

    def _record(self, now: datetime) -> None:
        """What is known goes to the ledger; it stays here if the ledger cannot take it."""
        if self._done:
            self._ledger.record_outcomes(self._done, now, self._owner)
            self._done = []
