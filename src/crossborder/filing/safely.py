"""A transport may be anybody's: what it raises or answers wrongly becomes `unknown`, never more."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from crossborder.transport import (
    Incoming,
    LookedUp,
    Outgoing,
    Refusal,
    Submitted,
    Transport,
    detail,
)


def submit(transport: Transport, message: Outgoing) -> Submitted:
    """`transport.submit`, with every failure of the transport itself as `unknown`."""
    try:
        answer = transport.submit(message)
    except Exception as error:
        return Submitted("unknown", detail=detail("transport_failed", type(error).__name__))
    if not isinstance(answer, Submitted) or answer.outcome not in (
        "received", "declined", "unknown",
    ):  # fmt: skip
        return Submitted("unknown", detail=detail("transport_failed", "no answer of the port"))
    return answer


def look_up(transport: Transport, key: str, message_id: str, digest: str) -> LookedUp:
    """`transport.look_up`, with every failure of the transport itself as `unknown`."""
    try:
        answer = transport.look_up(key, message_id, digest)
    except Exception as error:
        return LookedUp("unknown", detail=detail("transport_failed", type(error).__name__))
    if not isinstance(answer, LookedUp) or answer.outcome not in (
        "received", "not_received", "unknown",
    ):  # fmt: skip
        return LookedUp("unknown", detail=detail("transport_failed", "no answer of the port"))
    return answer


def receipts(transport: Transport) -> Iterator[Incoming]:
    """`transport.receipts`; a transport that fails ends the round and is named in its `trouble`."""
    try:
        yield from transport.receipts()
    except Exception as error:
        transport.trouble = detail("transport_failed", type(error).__name__)


def refusals(transport: Transport) -> list[Refusal]:
    """What was refused after it was handed over; nothing where the transport has no such thing, or fails."""
    told = getattr(transport, "refusals", None)
    if not callable(told):
        return []
    try:
        return list(told())
    except Exception as error:
        transport.trouble = transport.trouble or detail("transport_failed", type(error).__name__)
        return []


def acknowledge(say: Callable[[], None]) -> bool:
    """Say that a receipt is stored; False if that failed (it will come again and be known)."""
    try:
        say()
    except Exception:
        return False
    return True
