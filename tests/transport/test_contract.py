"""Both transports keep the contract; transports that break it are caught by it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from crossborder.settings import Endpoint
from crossborder.testing import CHECKS, FarSide, Gateway, ImportClient
from crossborder.testing import transport_contract as contract
from crossborder.transport import Incoming, LookedUp, Outgoing, Submitted, Transport, open_transport


class HttpFarSide(Gateway):
    def open(self) -> Transport:
        endpoint = Endpoint(transport="http", address=self.address, timeout_seconds=20)
        return open_transport(endpoint, "hangzhou")

    def bodies(self) -> list[bytes]:
        return [taken.body for taken in self.taken.values()]

    def settle(self) -> None:
        pass

    def go_down(self) -> None:
        self.stop()

    def come_back(self) -> None:
        self.start()


class FolderFarSide(ImportClient):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.arrived: list[bytes] = []

    def open(self) -> Transport:
        return open_transport(Endpoint(transport="folder", address=str(self.folder)), "ningbo")

    def bodies(self) -> list[bytes]:
        return self.arrived

    def settle(self) -> None:
        self.arrived += self.take()

    def go_down(self) -> None:
        self.folder.rename(self.folder.with_name("elsewhere"))

    def come_back(self) -> None:
        self.folder.with_name("elsewhere").rename(self.folder)


@pytest.fixture(params=["http", "folder"])
def far(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FarSide]:
    if request.param == "folder":
        yield FolderFarSide(tmp_path / "client")
        return
    side = HttpFarSide()
    yield side
    side.stop()


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
def test_contract(check: Callable[[FarSide], None], far: FarSide) -> None:
    check(far)


def test_every_check_is_listed() -> None:
    written = [
        v
        for k, v in vars(contract).items()
        if callable(v) and getattr(v, "__annotations__", {}).get("far") == "FarSide"
    ]
    assert set(written) == set(CHECKS)


class Perfect:
    """A transport in memory that keeps the contract; each class below breaks one clause of it."""

    can_look_up = True

    def __init__(self, side: MemoryFarSide) -> None:
        self.side = side
        self.trouble = ""

    def submit(self, message: Outgoing) -> Submitted:
        if self.side.down:
            return Submitted("unknown", nothing_left=True)
        if self.side.refusals:
            return Submitted("declined", detail=self.side.refusals.pop())
        self.side.held[message.digest] = message.body
        return Submitted("received")

    def look_up(self, key: str, message_id: str, digest: str) -> LookedUp:
        if self.side.down:
            return LookedUp("unknown")
        return LookedUp("received" if digest in self.side.held else "not_received")

    def receipts(self) -> Iterator[Incoming]:
        self.trouble = "down" if self.side.down else ""
        for name, data in list(self.side.waiting.items())[: 0 if self.side.down else 100]:
            yield Incoming(name, data, partial(self.side.taken_away, name))


class MemoryFarSide:
    def __init__(self, kind: Callable[[MemoryFarSide], Transport]) -> None:
        self.kind = kind
        self.held: dict[str, bytes] = {}
        self.waiting: dict[str, bytes] = {}
        self.refusals: list[str] = []
        self.down = False

    def open(self) -> Transport:
        return self.kind(self)

    def bodies(self) -> list[bytes]:
        return list(self.held.values())

    def refuse_next(self, reason: str) -> None:
        self.refusals.append(reason)

    def settle(self) -> None:
        pass

    def leave_receipt(self, name: str, data: bytes) -> None:
        self.waiting[name] = data

    def taken_away(self, name: str) -> None:
        del self.waiting[name]

    def go_down(self) -> None:
        self.down = True

    def come_back(self) -> None:
        self.down = False


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
def test_a_transport_in_memory_keeps_it(check: Callable[[FarSide], None]) -> None:
    check(MemoryFarSide(Perfect))


class Liar(Perfect):
    """Says received and keeps nothing."""

    def submit(self, message: Outgoing) -> Submitted:
        return Submitted("received")


class Trimmer(Perfect):
    """Changes the bytes."""

    def submit(self, message: Outgoing) -> Submitted:
        answer = super().submit(message)
        if message.digest in self.side.held:
            self.side.held[message.digest] = message.body.strip(b"<>\xff")[:1000]
        return answer


class Forgetful(Perfect):
    """Says not_received when it could not ask: the blind resend."""

    def look_up(self, key: str, message_id: str, digest: str) -> LookedUp:
        found = super().look_up(key, message_id, digest)
        return LookedUp("not_received") if found.outcome == "unknown" else found


class Hopeful(Perfect):
    """Takes a refusal for an arrival."""

    def submit(self, message: Outgoing) -> Submitted:
        answer = super().submit(message)
        return Submitted("received") if answer.outcome == "declined" else answer


class Vague(Perfect):
    """Does not know that nothing left."""

    def submit(self, message: Outgoing) -> Submitted:
        return Submitted(super().submit(message).outcome)


class Eager(Perfect):
    """Takes receipts away before they are stored."""

    def receipts(self) -> Iterator[Incoming]:
        for incoming in super().receipts():
            incoming.acknowledge()
            yield Incoming(incoming.name, incoming.data, lambda: None)


class Deaf(Perfect):
    """Never acknowledges."""

    def receipts(self) -> Iterator[Incoming]:
        for incoming in super().receipts():
            yield Incoming(incoming.name, incoming.data, lambda: None)


class Loud(Perfect):
    """Raises what it should answer."""

    def submit(self, message: Outgoing) -> Submitted:
        if self.side.down:
            raise ConnectionError
        return super().submit(message)


@pytest.mark.parametrize(
    ("kind", "caught_by"),
    [
        (Liar, contract.a_message_arrives_once_and_whole),
        (Trimmer, contract.a_large_message_arrives_whole),
        (Forgetful, contract.an_endpoint_that_is_down_is_data),
        (Vague, contract.an_endpoint_that_is_down_is_data),
        (Hopeful, contract.a_refusal_is_never_received),
        (Eager, contract.receipts_come_again_until_acknowledged),
        (Deaf, contract.receipts_come_again_until_acknowledged),
        (Deaf, contract.many_receipts_all_come),
    ],
)
def test_a_broken_transport_is_caught(
    kind: type[Perfect], caught_by: Callable[[FarSide], None]
) -> None:
    with pytest.raises(AssertionError):
        caught_by(MemoryFarSide(kind))


def test_an_exception_is_caught() -> None:
    with pytest.raises(ConnectionError):
        contract.an_endpoint_that_is_down_is_data(MemoryFarSide(Loud))
