"""A running sandbox and a small client of its HTTP door."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import etree

from crossborder.sandbox import EndpointSpec, Mix, Sandbox

from .builder import Message, manifest


class Desk:
    """What a sender does: leave messages, fetch receipts, ask."""

    def __init__(self, sandbox: Sandbox, endpoint: str = "hangzhou") -> None:
        self.sandbox, self.endpoint = sandbox, endpoint
        self.client = httpx.Client(timeout=10, trust_env=False)

    def post(self, message: Message, **headers: str) -> httpx.Response:
        url = f"{self.sandbox.address(self.endpoint)}/messages"
        said = {k: v for k, v in (message.headers | headers).items() if v}
        return self.client.post(url, content=message.body, headers=said)

    def get(self, path: str) -> httpx.Response:
        return self.client.get(f"{self.sandbox.address(self.endpoint)}/{path}")

    def file(self, *messages: Message) -> None:
        """Leave messages that are taken, and wait until all answers are there."""
        for message in messages:
            assert self.post(message).status_code == 202
        self.settle()

    def settle(self) -> None:
        assert self.sandbox.wait_idle(20)

    def listed(self, *houses: str, **head: str) -> None:
        """Have a manifest of these house waybills accepted."""
        message = manifest(houses, **head)
        self.file(message)
        assert self.state(message) == "NY"

    def fetch(self, limit: int = 1000) -> list[dict[str, Any]]:
        answer = self.get(f"receipts?limit={limit}").json()
        return list(answer["receipts"])

    def acknowledge(self, receipts: list[dict[str, Any]]) -> int:
        url = f"{self.sandbox.address(self.endpoint)}/receipts/ack"
        ids = [receipt["id"] for receipt in receipts]
        return int(self.client.post(url, json={"ids": ids}).json()["acknowledged"])

    def bodies(self) -> list[bytes]:
        return [base64.b64decode(receipt["body_base64"]) for receipt in self.fetch()]

    def answers(self, house: str = "") -> list[dict[str, str]]:
        """Heads of all EXP302 waiting, in order, of one house waybill or of all."""
        heads = [head for body in self.bodies() for head in entry_heads(body)]
        return [head for head in heads if not house or head["AssBillNo"] == house]

    def codes(self, house: str) -> list[str]:
        return [head["OpResult"] for head in self.answers(house)]

    def entry(self, message: Message) -> dict[str, Any]:
        found = self.sandbox.account(self.endpoint, message_id=message.message_id)["messages"]
        assert len(found) == 1
        return dict(found[0])

    def state(self, message: Message) -> str:
        return str(self.entry(message)["state"])


def entry_heads(body: bytes) -> list[dict[str, str]]:
    """Fields of each EntryHead of a receipt by local name; nothing for another message."""
    root = etree.fromstring(body)
    return [fields_of(head) for head in root.iter("{*}EntryHead")]


def fields_of(element: Any) -> dict[str, str]:
    return {etree.QName(child).localname: child.text or "" for child in element}


def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait for a condition; fail if it does not come."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


@pytest.fixture(scope="session")
def plain_mix() -> Mix:
    """Releases everything and writes every receipt in the usual form."""
    return Mix.load().with_shares(**{"11": 1}).plain_receipts()


@pytest.fixture
def run(tmp_path: Path, plain_mix: Mix) -> Iterator[Callable[..., Desk]]:
    """Start sandboxes; each is stopped and found in good health at the end."""
    started: list[Desk] = []

    def start(folder: str = "port", **options: Any) -> Desk:
        options = {"mix": plain_mix, "speed": 0, **options}
        endpoints = options.pop("endpoints", [EndpointSpec("hangzhou", "http")])
        desk = Desk(Sandbox(tmp_path / folder, endpoints, **options).start(), endpoints[0].name)
        started.append(desk)
        return desk

    yield start
    for desk in started:
        desk.client.close()
        desk.sandbox.stop()
        assert desk.sandbox.problems == []


@pytest.fixture
def desk(run: Callable[..., Desk]) -> Desk:
    """A sandbox with manifests required, over HTTP."""
    return run()


@pytest.fixture
def free(run: Callable[..., Desk]) -> Desk:
    """A sandbox that asks for no manifest."""
    return run(require_manifest=False)
