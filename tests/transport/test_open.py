"""Opening a transport by the name in the settings."""

from __future__ import annotations

import hashlib
import re
import sys
import types
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crossborder import transport
from crossborder.errors import TransportError
from crossborder.filing import safely
from crossborder.settings import Endpoint
from crossborder.transport import (
    SAYINGS,
    FolderTransport,
    HttpTransport,
    Incoming,
    LookedUp,
    Outgoing,
    Submitted,
    detail,
    open_late,
    open_transport,
    probe,
    say,
)


class Queue:
    can_look_up = False
    trouble = ""

    def __init__(self, endpoint: Endpoint, name: str) -> None:
        self.named = (endpoint.address, name)

    def submit(self, message: Outgoing) -> Submitted:
        return Submitted("received")

    def look_up(self, key: str, message_id: str, digest: str) -> LookedUp:
        return LookedUp("unknown")

    def receipts(self) -> Iterator[Incoming]:
        return iter(())


class Half:
    def __init__(self, endpoint: Endpoint, name: str) -> None:
        self.submit = print


class Broken:
    def __init__(self, endpoint: Endpoint, name: str) -> None:
        raise ZeroDivisionError("oh")


@pytest.fixture
def ourfirm(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("ourfirm_doors")
    module.__dict__.update(Queue=Queue, Half=Half, Broken=Broken)
    monkeypatch.setitem(sys.modules, "ourfirm_doors", module)


def test_by_name(tmp_path: Path) -> None:
    opened = open_transport(Endpoint(address="http://gateway.test"), "hangzhou")
    assert isinstance(opened, HttpTransport)
    opened.close()
    folder = Endpoint(transport="folder", address=str(tmp_path))
    assert isinstance(open_transport(folder, "ningbo"), FolderTransport)


def test_a_plug_in(ourfirm: None) -> None:
    endpoint = Endpoint(transport="ourfirm_doors:Queue", address="queue:7")
    opened = open_transport(endpoint, "ningbo")
    assert isinstance(opened, Queue)
    assert opened.named == ("queue:7", "ningbo")
    assert probe(endpoint, "ningbo") == ""


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("carrier-pigeon", "carrier-pigeon"),
        ("no_such_module:Class", "ModuleNotFoundError"),
        ("ourfirm_doors:Nothing", "AttributeError"),
        ("ourfirm_doors:Broken", "ZeroDivisionError: oh"),
        ("ourfirm_doors:Half", "lacks look_up, receipts, can_look_up, trouble"),
        (":", "ValueError"),
    ],
)
def test_what_cannot_be_opened_is_named(ourfirm: None, named: str, said: str) -> None:
    with pytest.raises(TransportError, match=re.escape(said)) as caught:
        open_transport(Endpoint(transport=named), "ningbo")
    assert caught.value.place == "endpoints.ningbo.transport"
    assert caught.value.zh != caught.value.en


def test_every_detail_can_be_said_in_both_languages() -> None:
    source = "".join(p.read_text("utf-8") for p in Path(transport.__file__).parent.glob("*.py"))
    used = set(re.findall(r'(?:detail|detail_in_both|_failed)\(\s*"([a-z_]+)"', source))
    assert used <= set(SAYINGS)
    assert say(detail("declined", "x"), "zh") == "对方拒收：x"
    assert say(detail("declined", "x")) == "declined: x"
    assert say("no_answer", "zh") == "在时限内未收到应答"
    assert say("something else: x") == "something else: x"


def test_what_cannot_be_opened_yet_is_a_trouble_until_it_can(tmp_path: Path) -> None:
    place = tmp_path / "client"
    late = open_late(Endpoint(transport="folder", address=str(place)), "ningbo")
    body = b"<Package></Package>"
    digest = hashlib.sha256(body).hexdigest()
    message = Outgoing("EXP311", "K", "ID-1", digest, body, datetime(2026, 11, 23, 8, tzinfo=UTC))
    answer = late.submit(message)
    assert (answer.outcome, answer.nothing_left) == ("unknown", True)
    assert late.look_up("K", "ID-1", digest).outcome == "unknown"
    assert list(late.receipts()) == []
    assert answer.detail == late.trouble
    assert say(late.trouble, "zh").startswith("端点无法打开：endpoints.ningbo.address")
    assert say(late.trouble, "en").startswith(
        "the endpoint cannot be opened: endpoints.ningbo.address"
    )
    place.mkdir()
    assert late.submit(message).outcome == "received"
    assert late.look_up("K", "ID-1", digest).outcome == "received"
    (place / "FailBox" / "no.xml").write_bytes(b"<No></No>")
    (place / "InBox" / "r.xml").write_bytes(body)
    assert [r.digest for r in safely.refusals(late)] == [hashlib.sha256(b"<No></No>").hexdigest()]
    assert [r.name for r in late.receipts()] == ["r.xml"]
    assert late.trouble == ""


def test_what_is_opened_late_is_what_it_stands_for(ourfirm: None) -> None:
    late = open_late(Endpoint(transport="ourfirm_doors:Queue", address="queue:7"), "ningbo")
    assert late.can_look_up is False
    late.trouble = "no_answer"
    assert late.trouble == "no_answer"
    assert safely.refusals(late) == []


def test_exported_names() -> None:
    assert sorted(transport.__all__) == [
        "Dialect", "FolderTransport", "HttpTransport", "Incoming", "LookedUp", "Outgoing", "Refusal", "SAYINGS",
        "Submitted", "Transport", "close_transport", "detail", "load_dialect", "open_late",
        "open_transport", "probe", "say", "shown",
    ]  # fmt: skip
