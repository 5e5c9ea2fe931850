"""Both transports against the simulated port itself: the dialect that is declared is the one it answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crossborder.sandbox import EndpointSpec, Sandbox
from crossborder.settings import Endpoint
from crossborder.testing import FarSide, message
from crossborder.testing import transport_contract as contract
from crossborder.transport import Transport, close_transport, open_transport, probe


class SandboxSide:
    """A far side without hands: the sandbox cannot be told to refuse one message, and writes its own receipts."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        spec = EndpointSpec("hangzhou", door="http" if kind == "http" else "folder")
        self.sandbox = Sandbox(folder, [spec], speed=0).start()

    @property
    def endpoint(self) -> Endpoint:
        boxes = self.sandbox.boxes("hangzhou")
        address = str(boxes) if boxes else self.sandbox.address("hangzhou")
        return Endpoint(transport=self.kind, address=address, timeout_seconds=20)

    def open(self) -> Transport:
        return open_transport(self.endpoint, "hangzhou")

    def bodies(self) -> list[bytes]:
        taken = [a for a in self.sandbox.arrivals("hangzhou") if a["outcome"] != "declined"]
        return [self.sandbox.received("hangzhou", a["message_id"]) or b"" for a in taken]

    def settle(self) -> None:
        assert self.sandbox.wait_idle()


@pytest.fixture(params=["http", "folder"])
def side(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SandboxSide]:
    made = SandboxSide(request.param, tmp_path / "sandbox")
    yield made
    made.sandbox.stop()
    assert made.sandbox.problems == []


@pytest.mark.parametrize(
    "check",
    [
        contract.a_message_arrives_once_and_whole,
        contract.a_large_message_arrives_whole,
        contract.what_was_never_sent_is_not_received,
        contract.a_try_repeated_does_no_harm,
    ],
    ids=lambda c: c.__name__,
)
def test_the_sandbox_is_a_far_side(check: Callable[[FarSide], None], side: FarSide) -> None:
    check(side)


def test_probe(side: SandboxSide) -> None:
    assert probe(side.endpoint, "hangzhou") == ""
    assert side.bodies() == []


def test_a_refusal(side: SandboxSide) -> None:
    transport, sent = side.open(), message(1, house="CB01SBW2")
    answer = transport.submit(sent)
    side.settle()
    if answer.outcome != "declined":
        found = transport.look_up(sent.key, sent.message_id, sent.digest)
        assert (found.outcome, found.declined) == ("not_received", True)
        assert "拒收" in found.detail
    close_transport(transport)


def test_receipts(side: SandboxSide) -> None:
    transport = side.open()
    transport.submit(message(1))
    side.settle()
    found: list[bytes] = []
    for _ in range(500):  # the sandbox lays out boxes by itself, in its own time
        for incoming in transport.receipts():
            found.append(incoming.data)
            incoming.acknowledge()
        if found:
            break
        time.sleep(0.01)
    assert b"<OpResult>D" in found[0]
    assert transport.trouble == ""
    close_transport(transport)


@pytest.mark.parametrize(
    ("ending", "submitted", "looked_up"),
    [
        ("SBW5", "unknown", "received"),
        ("SBW7", "unknown", "received"),
        ("SBW8", "unknown", "received"),
        ("SBW9", "unknown", "not_received"),
    ],
)
def test_lost_answers_are_found_again(
    tmp_path: Path, ending: str, submitted: str, looked_up: str
) -> None:
    side = SandboxSide("http", tmp_path)
    try:
        transport, sent = side.open(), message(1, house=f"CB01{ending}")
        answer = transport.submit(sent)
        assert (answer.outcome, answer.nothing_left) == (submitted, False)
        found = transport.look_up(sent.key, sent.message_id, sent.digest)
        assert found.outcome == looked_up
        close_transport(transport)
    finally:
        side.sandbox.stop()
