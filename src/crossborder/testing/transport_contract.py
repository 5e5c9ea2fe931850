"""The contract of a transport, as checks that any test runner can call.

A test builds a `FarSide`, the endpoint under its control, and runs every check against it::

    @pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
    def test_contract(check, tmp_path):
        check(MyFarSide(tmp_path))

Each check wants a fresh far side and raises `AssertionError` saying which part of the contract is broken.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol
from xml.sax.saxutils import escape

from crossborder.china_time import CHINA
from crossborder.transport import (
    Incoming,
    LookedUp,
    Outgoing,
    Submitted,
    Transport,
    close_transport,
)

_START = datetime(2026, 11, 23, 18, 0, tzinfo=CHINA)
_MANY = 450
_MASTER = "99900000001"
_PACKAGE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<Package><EnvelopInfo><version>1.0</version>'
    "<message_id>{ident}</message_id><message_type>EXP301</message_type></EnvelopInfo>"
    "<DataInfo><SignedData><Data><EXP301><EntryHead><BillNo>{master}</BillNo><AssBillNo>{house}</AssBillNo>"
    "<IEFlag>I</IEFlag><Notes>分运单 {filler}</Notes></EntryHead></EXP301></Data>"
    "<HashSign></HashSign><SignerInfo></SignerInfo></SignedData></DataInfo></Package>"
)


class FarSide(Protocol):
    """The endpoint as the test controls it."""

    def open(self) -> Transport:
        """A new instance of the transport, as another worker would open it."""

    def bodies(self) -> list[bytes]:
        """The messages it took, each arrival once, refused ones left out."""

    def refuse_next(self, reason: str) -> None:
        """Have the next message refused."""

    def settle(self) -> None:
        """Let it work off what was handed over (take it, refuse it)."""

    def leave_receipt(self, name: str, data: bytes) -> None:
        """Let a receipt wait for us."""

    def go_down(self) -> None:
        """Be unreachable: nothing sent to it can arrive."""

    def come_back(self) -> None:
        """Be reachable again, with all it had."""


def message(
    number: int, body: bytes = b"", message_id: str = "", house: str = "", filler: str = ""
) -> Outgoing:
    """A composed message with a plain envelope, in no way a valid declaration; same arguments, same message."""
    ident = message_id or f"DXPENT0000000001E01000020261123180000{number:011d}"
    house = house or f"CB{number:08d}"
    data = (
        body
        or _PACKAGE.format(
            ident=escape(ident),
            master=_MASTER,
            house=house,
            filler=filler or random.Random(number).random(),
        ).encode()
    )
    return Outgoing(
        message_type="EXP301",
        key=f"{_MASTER}|{house}|I",
        message_id=ident,
        digest=hashlib.sha256(data).hexdigest(),
        body=data,
        created=_START + timedelta(milliseconds=number),
    )


def a_message_arrives_once_and_whole(far: FarSide) -> None:
    """received means: the far side has exactly these bytes, once, and says so when asked."""
    transport, sent = far.open(), message(1)
    answer = transport.submit(sent)
    _is(answer, Submitted, "submit")
    _must(answer.outcome == "received", f"a good message was {answer}")
    _asked(transport, sent, "received")
    far.settle()
    _asked(transport, sent, "received")
    _must(far.bodies() == [sent.body], "the far side must hold exactly the bytes that were sent")
    close_transport(transport)


def a_large_message_arrives_whole(far: FarSide) -> None:
    """Six MiB arrive unchanged, line ends and rare characters included."""
    transport, sent = far.open(), message(1, filler="𠮷\r\n\t回 执" * 400_000)
    _must(transport.submit(sent).outcome == "received", "a large message was not taken")
    far.settle()
    _must(far.bodies() == [sent.body], "the bytes were changed on the way")
    close_transport(transport)


def what_was_never_sent_is_not_received(far: FarSide) -> None:
    """Asked for a message that it never saw among others that it did, it says not_received."""
    transport = far.open()
    for number in range(1, 4):
        transport.submit(message(number))
    _asked(transport, message(99), "not_received")
    far.settle()
    _asked(transport, message(99), "not_received")
    close_transport(transport)


def a_try_repeated_does_no_harm(far: FarSide) -> None:
    """The same bytes again, by another worker: never declined, never 'nothing left', and still received."""
    first, second, sent = far.open(), far.open(), message(1)
    first.submit(sent)
    again = second.submit(sent)
    _must(again.outcome != "declined" and not again.nothing_left, f"a repeated try was {again}")
    far.settle()
    _asked(second, sent, "received")
    close_transport(first)
    close_transport(second)


def a_refusal_is_never_received(far: FarSide) -> None:
    """Refused at once, or seen to be refused when asked; the next message is not touched by it."""
    transport, refused, good = far.open(), message(1), message(2)
    far.refuse_next("no such receiver")
    answer = transport.submit(refused)
    far.settle()
    if answer.outcome != "declined":
        found = _asked(transport, refused, "not_received")
        _must(found is None or found.declined, "a refusal seen when asked must say declined")
    _must(transport.submit(good).outcome == "received", "one refusal stopped the next message")
    far.settle()
    _must(far.bodies() == [good.body], "a refused message counts as arrived")
    close_transport(transport)


def an_endpoint_that_is_down_is_data(far: FarSide) -> None:
    """Unreachable: unknown with nothing_left, look-up unknown (never not_received), trouble named, no exception."""
    transport, sent = far.open(), message(1)
    far.go_down()
    answer = transport.submit(sent)
    _must(answer.outcome == "unknown", f"submit to an endpoint that is down was {answer}")
    _must(answer.nothing_left, "nothing can have left: it must say so")
    _asked(transport, sent, "unknown")
    _must(list(transport.receipts()) == [], "receipts from an endpoint that is down")
    _must(bool(transport.trouble), "why no receipts came must stand in `trouble`")
    far.come_back()
    _asked(transport, sent, "not_received")
    _must(transport.submit(sent).outcome == "received", "the same bytes must be taken afterwards")
    far.settle()
    _must(far.bodies() == [sent.body], "it must have arrived once")
    close_transport(transport)


def receipts_come_again_until_acknowledged(far: FarSide) -> None:
    """Bytes unchanged, whatever they are; what was not acknowledged comes again, the rest does not."""
    left = {
        "a.xml": b"<Package><EXP302/></Package>",
        "b.xml": "<?xml version='1.0'?>\n<p:Package xmlns:p='x'>回执</p:Package>\n".encode(),
        "c.xml": b"\xff\xfe\x00 no xml at all \x00<",
    }
    for name, data in left.items():
        far.leave_receipt(name, data)
    transport = far.open()
    found = _fetch(transport, 3)
    _must(sorted(i.data for i in found) == sorted(left.values()), "the bytes of a receipt changed")
    next(i for i in found if i.data == left["b.xml"]).acknowledge()
    close_transport(transport)
    other = far.open()
    again = _fetch(other, 2)
    _must(
        sorted(i.data for i in again) == sorted((left["a.xml"], left["c.xml"])),
        "exactly the unacknowledged receipts come again",
    )
    for incoming in again:
        incoming.acknowledge()
    _must(_fetch(other, 1) == [], "an acknowledged receipt came again")
    close_transport(other)


def many_receipts_all_come(far: FarSide) -> None:
    """A call is bounded, and calls repeated bring everything once."""
    left = {f"R{n:05d}.xml": f"<Package><n>{n}</n></Package>".encode() for n in range(_MANY)}
    for name, data in left.items():
        far.leave_receipt(name, data)
    transport, got = far.open(), []
    for _ in range(_MANY):
        page = list(transport.receipts())
        if not page:
            break
        for incoming in page:
            got.append(incoming.data)
            incoming.acknowledge()
    _must(sorted(got) == sorted(left.values()), f"{len(got)} of {_MANY} receipts came")
    close_transport(transport)


def odd_ids_do_no_harm(far: FarSide) -> None:
    """Ids and keys that look like paths, markup or headers are answered, not obeyed."""
    transport = far.open()
    odd = ("../../escape", "a/b\\c", "报文 1", "x\r\nX-Evil: 1", "{digest}", "%2e%2e%2f", "")
    for number, text in enumerate(odd, start=1):
        sent = message(number, message_id=text)
        _is(transport.submit(sent), Submitted, f"submit with id {text!r}")
        _is(transport.look_up(text, text, sent.digest), LookedUp, f"look_up of {text!r}")
    far.settle()
    _must(len(far.bodies()) <= len(odd), "more arrivals than messages")
    close_transport(transport)


CHECKS: tuple[Callable[[FarSide], None], ...] = (
    a_message_arrives_once_and_whole,
    a_large_message_arrives_whole,
    what_was_never_sent_is_not_received,
    a_try_repeated_does_no_harm,
    a_refusal_is_never_received,
    an_endpoint_that_is_down_is_data,
    receipts_come_again_until_acknowledged,
    many_receipts_all_come,
    odd_ids_do_no_harm,
)
"""Every check; each takes a fresh `FarSide`."""


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise AssertionError(otherwise)


def _is(answer: object, kind: type, doing: str) -> None:
    _must(isinstance(answer, kind), f"{doing} must answer with {kind.__name__}, not {answer!r}")


def _asked(transport: Transport, sent: Outgoing, expected: str) -> LookedUp | None:
    """The answer to a look-up, None where the transport cannot ask (it must then say unknown)."""
    found = transport.look_up(sent.key, sent.message_id, sent.digest)
    _is(found, LookedUp, "look_up")
    if not transport.can_look_up:
        _must(found.outcome == "unknown", "a transport without look-up must say unknown")
        return None
    _must(found.outcome == expected, f"look_up must say {expected}, it said {found}")
    return found


def _fetch(transport: Transport, at_least: int) -> list[Incoming]:
    """Receipts that wait; the far side may need a moment to lay them out."""
    found: list[Incoming] = []
    for _ in range(4):
        found = list(transport.receipts())
        if len(found) >= at_least:
            break
    return found
