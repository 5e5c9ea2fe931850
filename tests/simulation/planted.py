"""Faults planted in our own code: each must be found by the simulation, or the simulation proves nothing.

A fault is one small change that somebody could make in good faith. `FAULTS` names each with the function that makes it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, update

from crossborder import china_time
from crossborder.filing import Filer, Resolver, safely
from crossborder.ledger import Ledger, Outgoing, Sent, outbox, tables, verbs
from crossborder.ledger.base import Base
from crossborder.ledger.payloads import Segments
from crossborder.ledger.records import PayloadRef, Released
from crossborder.ledger.states import MANIFEST
from crossborder.reconcile import matching, order
from crossborder.transport import Incoming, LookedUp, Submitted, Transport
from crossborder.transport import Outgoing as Message

A = tables.attempts
Plant = Callable[[pytest.MonkeyPatch], None]
FAULTS: dict[str, Plant] = {}
_RECEIPTS = safely.receipts


def fault(plant: Plant) -> Plant:
    """A planted fault, by the name of its function."""
    FAULTS[plant.__name__] = plant
    return plant


# -- sending


@fault
def send_before_record(patch: pytest.MonkeyPatch) -> None:
    """The message goes first, that it is being sent is written down afterwards."""

    def claim(
        self: Ledger, endpoint: str, owner: str, limit: int, now: datetime, lease: timedelta
    ) -> list[Outgoing]:
        with self.read() as connection:
            due = outbox._due(connection, endpoint, limit, china_time.iso(now))
            return [outbox._outgoing(row, row["sends"] + 1) for row in due]

    patch.setattr(Ledger, "claim", claim)
    patch.setattr(Ledger, "holds", lambda self, attempt_id, owner: True)


@fault
def new_id_on_retry(patch: pytest.MonkeyPatch) -> None:
    """Whoever sends again gives the message a new number."""
    real = outbox._outgoing

    def outgoing(row: Any, sends: int) -> Outgoing:
        told = real(row, sends)
        return told._replace(message_id=f"{told.message_id[:-2]}{sends:02d}") if sends > 1 else told

    patch.setattr(outbox, "_outgoing", outgoing)


@fault
def lease_ignored_by_its_holder(patch: pytest.MonkeyPatch) -> None:
    """A sender goes on with what it once claimed, however long ago that was, and asks nobody."""
    patch.setattr(Ledger, "holds", lambda self, attempt_id, owner: True)
    patch.setattr(Filer, "_lease_holds", lambda self, now: True)


@fault
def lease_told_by_a_clock_only(patch: pytest.MonkeyPatch) -> None:
    """A sender believes its own clock, and does not ask the ledger whether the message is still its own."""
    patch.setattr(Ledger, "holds", lambda self, attempt_id, owner: True)


@fault
def claimed_while_it_is_being_sent(patch: pytest.MonkeyPatch) -> None:
    """The claim does not look at the state: what is being sent may be claimed once more."""
    real = outbox._due

    def due(connection: Connection, endpoint: str, limit: int, at: str) -> Sequence[Any]:
        query = A.select().where(A.c.state == "sending", A.c.endpoint == endpoint).limit(1)
        return real(connection, endpoint, limit, at) or connection.execute(query).mappings().all()

    patch.setattr(outbox, "_due", due)


@fault
def an_answer_counts_though_the_lease_was_lost(patch: pytest.MonkeyPatch) -> None:
    """What a sender says of a message moves it, whoever holds it by now."""

    def settle(
        self: Ledger,
        connection: Connection,
        row: Any,
        sent: Sent,
        now: datetime,
        owner: str,
        events: Any,
    ) -> str:
        return self._move(connection, row, sent, now, owner, "answered", events)

    patch.setattr(Ledger, "_settle", settle)


@fault
def other_digest_taken_as_received(patch: pytest.MonkeyPatch) -> None:
    """'There is something else under this id' is heard as 'it is there'."""
    real = safely.submit

    def submit(transport: Transport, message: Message) -> Submitted:
        answer = real(transport, message)
        return Submitted("received") if answer.conflict else answer

    patch.setattr(safely, "submit", submit)


@fault
def unsealed_batch_sent(patch: pytest.MonkeyPatch) -> None:
    """Letting a batch go does not ask whether it is complete."""

    def submit(connection: Connection, batch_id: str, who: str, now: datetime) -> bool:
        values = {"submitted_at": china_time.iso(now), "submitted_by": who}
        b = tables.batches
        connection.execute(update(b).where(b.c.id == batch_id).values(values))
        return True

    patch.setattr(outbox, "_submit", submit)


@fault
def manifest_goes_unasked(patch: pytest.MonkeyPatch) -> None:
    """A manifest is ready as soon as its batch is complete: nobody has let it go, nor what stands on it."""
    real = Ledger.seal

    def seal(self: Ledger, batch_id: str, *given: Any, **more: Any) -> Any:
        sealed = real(self, batch_id, *given, **more)
        with self.write() as connection:
            own = (A.c.batch_id == batch_id) & (A.c.kind == MANIFEST)
            connection.execute(update(A).where(own).values(ready=True))
        return sealed

    patch.setattr(Ledger, "seal", seal)


@fault
def manifest_not_waited_for(patch: pytest.MonkeyPatch) -> None:
    """Declarations go at once, whatever the port has said of their manifest."""
    real = Ledger.release

    def release(
        self: Ledger, batch_ids: Sequence[str], who: str, now: datetime, first: Mapping[str, bool]
    ) -> Released:
        return real(self, batch_ids, who, now, dict.fromkeys(first, False))

    patch.setattr(Ledger, "release", release)


# -- bytes


@fault
def payload_not_compared(patch: pytest.MonkeyPatch) -> None:
    """Bytes are read and sent as they lie on the disk."""

    def read(self: Segments, ref: PayloadRef) -> bytes:
        with (self._folder / ref.segment).open("rb") as file:
            file.seek(ref.offset)
            return file.read(ref.length)

    patch.setattr(Segments, "read", read)


@fault
def commit_before_flush(patch: pytest.MonkeyPatch) -> None:
    """The rows are committed first, the bytes are flushed to the disk afterwards."""
    write, transaction = Segments._write, Base.write

    def unflushed(self: Segments, *what: Any, **how: Any) -> None:
        real, os.fsync = os.fsync, lambda file: None
        try:
            write(self, *what, **how)
        finally:
            os.fsync = real

    @contextlib.contextmanager
    def flushing(self: Base, *hold: str) -> Iterator[Connection]:
        with transaction(self, *hold) as connection:
            yield connection
        _flush(self.home / "payload")

    patch.setattr(Segments, "_write", unflushed)
    patch.setattr(Base, "write", flushing)


def _flush(folder: Path) -> None:
    for path in [*folder.glob("*.seg"), *folder.parent.glob(folder.name)]:
        file = os.open(path, os.O_RDONLY)
        os.fsync(file)
        os.close(file)


# -- what is unknown


@fault
def unknown_sent_again_blindly(patch: pytest.MonkeyPatch) -> None:
    """No answer is taken for not received."""
    real = Filer._judge

    def judge(self: Filer, number: int, answer: Submitted, now: datetime) -> Sent:
        said = real(self, number, answer, now)
        return (
            Sent(number, "not_received", said.detail, retry_at=now)
            if said.outcome == "unknown"
            else said
        )

    patch.setattr(Filer, "_judge", judge)


@fault
def what_the_dead_held_is_sent_again(patch: pytest.MonkeyPatch) -> None:
    """What a dead process was sending goes back into the queue."""
    real = Ledger.recover

    def recover(self: Ledger, now: datetime, owner: str) -> int:
        count = real(self, now, owner)
        with self.write() as connection:
            fresh = (A.c.state == "unknown") & (A.c.unknown_since == china_time.iso(now))
            values = {"state": "not_received", "retry_at": china_time.iso(now)}
            connection.execute(update(A).where(fresh).values(values))
        return count

    patch.setattr(Ledger, "recover", recover)


@fault
def look_up_unknown_taken_for_not_received(patch: pytest.MonkeyPatch) -> None:
    """A look-up that fails is heard as 'it is not there'."""
    real = safely.look_up

    def look_up(transport: Transport, key: str, message_id: str, digest: str) -> LookedUp:
        answer = real(transport, key, message_id, digest)
        return LookedUp("not_received") if answer.outcome == "unknown" else answer

    patch.setattr(safely, "look_up", look_up)


@fault
def not_received_believed_at_the_first_word(patch: pytest.MonkeyPatch) -> None:
    """'It is not there' is believed at once, though the message may still be on its way."""

    def ask(self: Resolver, outgoing: Outgoing, now: datetime) -> None:
        answer = safely.look_up(self._transport, outgoing.key, outgoing.message_id, outgoing.digest)
        self._settle(outgoing, answer, now)

    patch.setattr(Resolver, "_ask", ask)


# -- receipts


@fault
def acknowledged_before_stored(patch: pytest.MonkeyPatch) -> None:
    """The port is told that a receipt is stored as soon as it was fetched."""

    def receipts(transport: Transport) -> Iterator[Incoming]:
        for incoming in _RECEIPTS(transport):
            with contextlib.suppress(Exception):
                incoming.acknowledge()
            yield incoming

    patch.setattr(safely, "receipts", receipts)


@fault
def applied_before_stored(patch: pytest.MonkeyPatch) -> None:
    """A receipt moves its declaration before it is stored."""

    def receipts(transport: Any) -> Iterator[Incoming]:
        for incoming in _RECEIPTS(transport):
            _apply_at_once(transport._process.ledger, incoming.data)
            yield incoming

    patch.setattr(safely, "receipts", receipts)


def _apply_at_once(ledger: Ledger, data: bytes) -> None:
    def text(name: bytes) -> str:
        return data.partition(b"<%s>" % name)[2].partition(b"</%s>" % name)[0].decode()

    if text(b"OpResult"):
        key = f"{text(b'BillNo')}|{text(b'AssBillNo')}|{text(b'IEFlag')}"
        with ledger.write() as connection:
            moved = update(A).where(A.c.key == key, A.c.first_sent_at.is_not(None))
            connection.execute(moved.values(last_code=text(b"OpResult")))


@fault
def unreadable_receipts_are_only_logged(patch: pytest.MonkeyPatch) -> None:
    """What cannot be read is not kept."""

    def receipts(transport: Transport) -> Iterator[Incoming]:
        for incoming in _RECEIPTS(transport):
            if incoming.data.endswith(b"</Package>"):
                yield incoming
            else:
                with contextlib.suppress(Exception):
                    incoming.acknowledge()

    patch.setattr(safely, "receipts", receipts)


@fault
def receipts_are_tidied_before_they_are_kept(patch: pytest.MonkeyPatch) -> None:
    """Receipts are kept with a line break at their end."""

    def receipts(transport: Transport) -> Iterator[Incoming]:
        for incoming in _RECEIPTS(transport):
            yield replace(incoming, data=incoming.data + b"\n")

    patch.setattr(safely, "receipts", receipts)


@fault
def moved_by_an_older_receipt(patch: pytest.MonkeyPatch) -> None:
    """What came last decides, not what was said last."""
    patch.setattr(order, "moment", lambda line: f"{line.id:017d}")


@fault
def repeated_receipt_applied_twice(patch: pytest.MonkeyPatch) -> None:
    """The same word said again moves the declaration again."""
    patch.setattr(order, "_identity", lambda line: (str(line.id), line.code, False))


@fault
def platform_overrules_customs(patch: pytest.MonkeyPatch) -> None:
    """Any later code moves the state, a platform's after one of customs too."""
    patch.setattr(order, "CUSTOMS", "nobody")


# -- what people decide


def _by_number_only(
    connection: Connection, rows: Sequence[Any], values: Mapping[str, Any]
) -> set[int]:
    """Move what was looked at, whoever holds it."""
    ids = {row.id for row in rows}
    connection.execute(update(A).where(A.c.id.in_(ids)).values(dict(values)))
    return ids


@fault
def void_ignores_an_open_lease(patch: pytest.MonkeyPatch) -> None:
    """What is being sent at this moment may be voided."""
    patch.setattr(verbs, "may_have_left", lambda connection, sends: set())
    patch.setattr(verbs, "_why_not_voided", lambda row, left: "ended" if row.final else "")
    patch.setattr(verbs, "_moved", _by_number_only)


@fault
def which_attempt_is_later_is_told_by_the_clock(patch: pytest.MonkeyPatch) -> None:
    """Attempts of a key are ordered by when they were sent, though the clock was set back between them."""
    patch.setattr(
        matching,
        "_in_order",
        lambda found: sorted((one.first_sent_at, one) for one in found),
    )


@fault
def suspend_takes_what_is_being_sent(patch: pytest.MonkeyPatch) -> None:
    """A message is suspended though a sender holds it."""
    real = verbs._why_not_suspended
    patch.setattr(
        verbs, "_why_not_suspended", lambda row: "" if row.state == "sending" else real(row)
    )
    patch.setattr(verbs, "_moved", _by_number_only)


@fault
def a_decision_without_an_entry(patch: pytest.MonkeyPatch) -> None:
    """A message is suspended and its history does not tell."""
    real = Ledger._record

    def record(self: Ledger, connection: Connection, events: Sequence[Any]) -> None:
        real(self, connection, [e for e in events if e[2] != "suspended"])

    patch.setattr(Ledger, "_record", record)
