"""The simulated port behind a transport in memory: its own rules and books, without its threads and sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from crossborder.sandbox import Faults, Mix
from crossborder.sandbox.books import Books
from crossborder.sandbox.port import Port
from crossborder.sandbox.storage import Store
from crossborder.settings import Endpoint
from crossborder.transport.port import Incoming, LookedUp, Outgoing, Submitted

NAME: Final = "hangzhou"
DISTRICTS: Final = ("29",)
_LOT: Final = 5


class Quay:
    """One port and its books. `line` is called around every word: others may come between, and words may be lost."""

    def __init__(self, folder: Path, line: Callable[[str], bool], *, look_up: bool) -> None:
        self.look_up, self.line = look_up, line
        self._store = Store(folder)
        self.books = Books(self._store, [NAME])
        self.port = Port(
            self._store, mix=Mix.load().with_shares(**{"11": 1}), faults=Faults(), seed=1, speed=0.0,
            require_manifest=True, districts={NAME: DISTRICTS}, wake=lambda: None,
        )  # fmt: skip

    def messages(self) -> list[dict[str, Any]]:
        """What the port has filed, as its account says it."""
        return list(self.books.account(NAME)["messages"])

    def close(self) -> None:
        """The port is gone."""
        self._store.close()


QUAYS: dict[str, Quay] = {}
"""Ports by the address that settings name."""


class Door:
    """A transport to the port at the endpoint's address."""

    trouble = ""

    def __init__(self, endpoint: Endpoint, name: str) -> None:
        self._quay = QUAYS[endpoint.address]
        self.can_look_up = self._quay.look_up

    def submit(self, message: Outgoing) -> Submitted:
        """See `Transport`."""
        if not self._quay.line("submit"):
            return Submitted("unknown", detail="no_answer")
        taken = self._quay.port.take(NAME, "http", message.body)
        answered = self._quay.line("answer")
        if taken.outcome == "not_taken":
            return Submitted("unknown", nothing_left=True, detail="given_back")
        if not answered or taken.wire not in ("normal", "decline"):
            return Submitted("unknown", detail="connection_lost")
        if taken.outcome == "declined":
            return Submitted("declined", detail="declined")
        if taken.outcome == "conflict":
            return Submitted("unknown", conflict=True, detail="other_digest")
        return Submitted("received", detail="")

    def look_up(self, key: str, message_id: str, digest: str) -> LookedUp:
        """See `Transport`."""
        if not self.can_look_up:
            return LookedUp("unknown", detail="cannot_ask")
        self._quay.line("look up")
        there = self._quay.books.digest_of(NAME, message_id)
        self._quay.line("found")
        if there is None:
            return LookedUp("not_received", detail="not_there")
        return LookedUp("received", conflict=there != digest)

    def receipts(self) -> Iterator[Incoming]:
        """See `Transport`."""
        self._quay.line("receipts")
        for number, name, body in self._quay.books.waiting(NAME, "http", _LOT):
            yield Incoming(name, body, partial(self._fetched, number))

    def _fetched(self, number: int) -> None:
        self._quay.line("acknowledge")
        self._quay.books.picked_up(NAME, [number])
