"""The line between one worker and the port: a `Transport` on which everything goes wrong that the weather has."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from sqlalchemy import select

from crossborder.ledger import tables
from crossborder.ledger.states import DECLARATION
from crossborder.transport import Incoming, LookedUp, Outgoing, Submitted

from .port import Said
from .weather import ASKS, ON_THE_LINE, SENDS, pick

if TYPE_CHECKING:
    from .process import Process
    from .world import World


class Broken(Exception):
    """What a transport of somebody's may raise."""


class Line:
    """One worker's transport. While it waits for an answer, other workers take steps (`meanwhile`)."""

    def __init__(self, world: World, process: Process, owner: str) -> None:
        self._world, self._process, self._owner = world, process, owner
        self._port = world.port
        self.can_look_up = world.weather.look_up
        self.trouble = ""

    def submit(self, message: Outgoing) -> Submitted:
        """One try, whatever becomes of it."""
        world, port = self._world, self._port
        world.point(self._process, "send:before")
        what = pick(world.draw, world.mess, SENDS, world.weather.send)
        if what == "down":
            return Submitted("unknown", nothing_left=True, detail="connect_failed")
        self._refuse_unheld(message)
        filing = port.tried(message)
        world.trace.note("line", self._owner_part, filing.ident, what)
        try:
            world.meanwhile(self._process)
            if what in ("lost", "delayed", "conflict"):
                world.trace.note("does not arrive", filing.ident)
            elif what.startswith("declined"):
                port.decline(filing, keep=what == "declined_but_kept")
            else:
                port.arrive(filing)
            if what == "twice":
                port.arrive(filing, world.draw.random() * ON_THE_LINE)
            world.meanwhile(self._process)
            world.point(self._process, "send:after")
        finally:  # also when the sender dies here: what is on the line does not know
            if what == "delayed":
                port.arrive(filing, world.draw.random() * ON_THE_LINE)
        return self._answer(what)

    def look_up(self, key: str, message_id: str, digest: str) -> LookedUp:
        """What the port's index knows, if it answers."""
        world = self._world
        world.point(self._process, "ask:before")
        what = pick(world.draw, world.mess, ASKS, world.weather.ask)
        world.trace.note("asks", self._owner_part, message_id, what)
        if what == "raises":
            raise Broken
        if what == "nonsense":
            return cast("LookedUp", {"outcome": "not_received"})
        if what:
            return LookedUp("unknown", conflict=what == "conflict", detail=what)
        there, declined = self._port.look(message_id, world.step_now)
        world.meanwhile(self._process)
        world.point(self._process, "ask:after")
        return LookedUp("received") if there else LookedUp("not_received", declined=declined)

    def receipts(self) -> Iterator[Incoming]:
        """Some of what waits; now and then the line breaks."""
        world = self._world
        self.trouble = ""
        world.point(self._process, "fetch:before")
        world.meanwhile(self._process)
        for said in world.answers.batch():
            if world.draw.random() < 0.05 * world.mess:
                raise Broken
            world.answers.hand_out(said)
            yield Incoming(said.name, said.data, partial(self._acknowledge, said))
        world.point(self._process, "fetch:after")

    def close(self) -> None:
        """Nothing to close."""

    def _acknowledge(self, said: Said) -> None:
        world = self._world
        world.point(self._process, "ack:before")
        if world.draw.random() < 0.1 * world.mess:
            raise Broken
        world.answers.acknowledged(said)
        world.point(self._process, "ack:after")

    def _answer(self, what: str) -> Submitted:
        if what in ("", "twice"):
            return Submitted("received", detail="")
        if what in ("declined", "declined_but_kept"):
            return Submitted("declined", detail="declined")
        if what == "nonsense":
            return cast("Submitted", "received")
        if what == "raises":
            raise Broken
        return Submitted("unknown", conflict=what == "conflict", detail=what)

    @property
    def _owner_part(self) -> str:
        return f"{self._process.name}/{self._owner.rpartition('/')[2]}"

    def _refuse_unheld(self, message: Outgoing) -> None:
        """Promise P8 at the one moment that counts: whoever sends holds it, and a person has let it go.

        A manifest goes with its own batch, or with that of a declaration which stands on it.
        """
        a, b = tables.attempts.c, tables.batches.c
        stands, other = tables.attempts.alias(), tables.batches.alias()
        listed = tables.manifest_houses.c
        with_another = (
            select(listed.attempt_id)
            .join(stands, (stands.c.key == listed.declaration_key) & (stands.c.kind == DECLARATION))
            .join(other, other.c.id == stands.c.batch_id)
            .where(listed.attempt_id == a.id, other.c.submitted_at.is_not(None))
            .exists()
        )
        query = (
            select(a.state, a.owner, b.state, b.submitted_at.is_not(None) | with_another)
            .join(tables.batches, b.id == a.batch_id)
            .where(a.message_id == message.message_id)
        )
        with self._process.ledger.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            self._port.wrong(f"P4 {message.message_id} was sent before it was recorded")
        elif row[0] != "sending" or row[1] != self._owner:
            self._port.wrong(
                f"P8 {message.message_id} was sent by one who does not hold it ({row[0]})"
            )
        elif row[2] != "sealed" or not row[3]:
            self._port.wrong(
                f"{message.message_id} was sent though nobody let its batch go ({row[2]})"
            )
