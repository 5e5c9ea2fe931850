"""A transport that may still have to be opened: one endpoint that cannot be opened stops no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from crossborder.errors import SettingsError, TransportError
from crossborder.transport.closing import close_transport
from crossborder.transport.port import (
    Incoming,
    LookedUp,
    Outgoing,
    Refusal,
    Submitted,
    Transport,
    detail_in_both,
)


class LateTransport:
    """Stands in for a transport that cannot be opened yet, and passes everything on once it can.

    `connect` is tried when this is made, and again at each call until it succeeds. Until then nothing leaves the
    house, nothing can be asked, and why is said as any other trouble: it begins with `cannot_open`. Not
    thread-safe: an instance per worker thread.
    """

    def __init__(self, connect: Callable[[], Transport]) -> None:
        self._connect = connect
        self._opened: Transport | None = None
        self._trouble = ""
        self.can_look_up = True
        """As the transport says; one that is not open may be asked, and answers that it does not know."""
        self._open()

    @property
    def trouble(self) -> str:
        """As the transport says, or why there is none."""
        return self._trouble if self._opened is None else self._opened.trouble

    @trouble.setter
    def trouble(self, said: str) -> None:
        if self._opened is None:
            self._trouble = said
        else:
            self._opened.trouble = said

    def submit(self, message: Outgoing) -> Submitted:
        """Hand one message over, if there is somebody to hand it to."""
        opened = self._open()
        if opened is None:
            return Submitted("unknown", nothing_left=True, detail=self._trouble)
        return opened.submit(message)

    def look_up(self, key: str, message_id: str, digest: str) -> LookedUp:
        """Ask for one message, if there is somebody to ask."""
        opened = self._open()
        if opened is None:
            return LookedUp("unknown", detail=self._trouble)
        return opened.look_up(key, message_id, digest)

    def receipts(self) -> Iterator[Incoming]:
        """What the transport has; nothing while it cannot be opened."""
        opened = self._open()
        if opened is not None:
            yield from opened.receipts()

    def refusals(self) -> Iterator[Refusal]:
        """What the transport was refused afterwards, where it can tell."""
        told = getattr(self._open(), "refusals", None)
        if callable(told):
            yield from told()

    def close(self) -> None:
        """Close what was opened."""
        if self._opened is not None:
            close_transport(self._opened)

    def _open(self) -> Transport | None:
        if self._opened is None:
            try:
                self._opened = self._connect()
            except (TransportError, SettingsError) as error:
                self._trouble = detail_in_both("cannot_open", error.text("zh"), error.text("en"))
            else:
                self.can_look_up = self._opened.can_look_up
        return self._opened
