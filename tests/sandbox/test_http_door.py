"""The gateway dialect over real HTTP: what is taken, what is declined, what is said about it."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from crossborder.sandbox import Faults

from .builder import Message, declaration, manifest, package
from .conftest import Desk, until


def test_a_message_is_received_with_its_digest_and_can_be_looked_up(free: Desk) -> None:
    message = declaration()
    answer = free.post(message)
    assert answer.status_code == 202
    assert answer.headers["Server"] == "SANDBOX"
    said = answer.json()
    assert (said["status"], said["message_id"], said["digest"]) == (
        "received",
        message.message_id,
        message.digest,
    )
    found = free.get(f"messages/{message.message_id}")
    assert (found.status_code, found.json()["digest"]) == (200, message.digest)
    lost = free.get("messages/NEVER-SENT")
    assert (lost.status_code, lost.json()["status"]) == (404, "not_received")
    assert free.sandbox.received("hangzhou", message.message_id) == message.body


def test_the_same_id_again_is_counted_but_not_filed_twice(free: Desk) -> None:
    message = declaration()
    other = declaration("DEMO000002", message_id=message.message_id)
    free.file(message)
    again, conflict = free.post(message), free.post(other)
    assert (again.status_code, again.json()["status"]) == (409, "duplicate")
    assert again.json()["digest"] == message.digest
    assert (conflict.status_code, conflict.json()["digest"]) == (409, message.digest)
    entry = free.entry(message)
    assert (entry["arrivals"], entry["conflicts"], entry["house"]) == (3, 1, "DEMO000001")
    assert free.codes("DEMO000001") == ["D0", "D2", "Y", "11"]
    assert free.codes("DEMO000002") == []
    outcomes = [arrival["outcome"] for arrival in free.sandbox.arrivals("hangzhou")]
    assert outcomes == ["received", "duplicate", "conflict"]


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-Content-SHA256", "0" * 64),
        ("X-Message-Id", "ANOTHER-ID"),
        ("X-Message-Type", "EXP311"),
    ],
)
def test_a_header_that_does_not_fit_the_body_is_declined(
    free: Desk, header: str, value: str
) -> None:
    message = declaration()
    answer = free.post(message, **{header: value})
    assert (answer.status_code, answer.json()["status"]) == (422, "declined")
    assert header in answer.json()["reason"]
    assert free.get(f"messages/{message.message_id}").status_code == 404
    assert free.post(message).status_code == 202


@pytest.mark.parametrize("header", ["X-Message-Id", "X-Message-Type", "X-Content-SHA256"])
def test_a_missing_header_is_declined(free: Desk, header: str) -> None:
    answer = free.post(declaration(), **{header: ""})
    assert (answer.status_code, answer.json()["status"]) == (400, "declined")
    assert header in answer.json()["reason"]


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE Package [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b"]><Package>&j;</Package>"
)
FILE_ENTITY = (
    b'<!DOCTYPE Package [<!ENTITY x SYSTEM "file:///etc/hostname">]><Package>&x;</Package>'
)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty"),
        (b"   \n", "empty"),
        (b"{}", "well-formed"),
        (b"<Package>", "well-formed"),
        (b"\xff\xfe<\x00P\x00", "UTF-8"),
        ("<Package>报文</Package>".encode("gb18030"), "UTF-8"),
        (b'<?xml version="1.0" encoding="GB18030"?><Package/>', "UTF-8"),
        (b'<?xml version="1.0" encoding="utf-16"?><Package/>', "UTF-8"),
        (BOMB, "entities"),
        (FILE_ENTITY, "entities"),
        (b"<Package>&undefined;</Package>", "well-formed"),
        (b"<html/>", "root"),
        (b"<Package/>", "one message"),
        (b"<a>" * 20_000, "well-formed"),
        (package("EXP302", "").body, "EXP301"),
        (package("EXP301", "").body.replace(b"EXP301<", b"EXP311<"), "envelope"),
    ],
    ids=lambda value: repr(value[:24]) if isinstance(value, bytes) else value,
)
def test_a_hostile_or_foreign_body_is_declined_with_its_reason(
    free: Desk, body: bytes, said: str
) -> None:
    message = Message("SOME-ID", "EXP301", body)
    answer = free.post(message)
    assert (answer.status_code, answer.json()["status"]) == (422, "declined")
    assert said in answer.json()["reason"]
    assert any("\u4e00" <= c <= "\u9fff" for c in answer.json()["reason"])
    account = free.sandbox.account("hangzhou")
    assert (account["messages"], account["arrivals"], len(account["declined"])) == ([], 1, 1)


def test_a_message_id_that_is_none_is_declined(free: Desk) -> None:
    for wrong in ("X" * 62, "A\u0085B"):
        message = declaration(message_id=wrong)
        answer = free.post(message, **{"X-Message-Id": "Y"})
        assert (answer.status_code, answer.json()["status"]) == (422, "declined")


def test_a_body_above_the_limit_is_declined_and_the_door_stays_open(
    run: Callable[..., Desk],
) -> None:
    desk = run(body_limit=20_000, require_manifest=False)
    huge = replace(declaration(), body=b"<Package>" + b" " * 70_000 + b"</Package>")
    answer = desk.post(huge)
    assert (answer.status_code, answer.json()["status"]) == (422, "declined")
    assert "20000" in answer.json()["reason"]
    assert desk.post(declaration()).status_code == 202


def test_a_length_that_is_a_lie_or_missing_does_not_hold_the_door(free: Desk) -> None:
    host, port = free.sandbox.base.removeprefix("http://").split(":")
    head = "".join(f"{k}: {v}\r\n" for k, v in declaration().headers.items())
    for length in ("Content-Length: 99999999999999\r\n", "Content-Length: -5\r\n", ""):
        with socket.create_connection((host, int(port)), timeout=10) as line:
            request = f"POST /hangzhou/messages HTTP/1.1\r\nHost: x\r\n{head}{length}\r\n"
            line.sendall(request.encode())
            line.shutdown(socket.SHUT_WR)
            answer = line.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 422 ")
        assert b'"declined"' in answer
    assert free.post(declaration()).status_code == 202


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_what_a_killed_sender_left_half_said_is_no_arrival(free: Desk, share: float) -> None:
    """A client writes headers and body apart: what it is killed between is neither taken nor declined."""
    message = declaration()
    host, _, port = free.sandbox.base.removeprefix("http://").rpartition(":")
    head = "".join(f"{k}: {v}\r\n" for k, v in message.headers.items())
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(
            f"POST /hangzhou/messages HTTP/1.1\r\nHost: here\r\n{head}"
            f"Content-Length: {len(message.body)}\r\n\r\n".encode()
            + message.body[: int(share * len(message.body))]
        )
        line.shutdown(socket.SHUT_WR)
        assert line.recv(1000) == b""  # the door has seen the end, and says nothing
    assert free.sandbox.arrivals("hangzhou") == []
    assert free.get(f"messages/{message.message_id}").status_code == 404
    free.file(message)
    assert free.entry(message)["arrivals"] == 1


def test_receipts_come_again_until_they_are_acknowledged(free: Desk) -> None:
    free.file(declaration())
    first = free.fetch()
    assert len(first) == 4
    assert free.fetch() == first
    assert [receipt["name"][:8] for receipt in first] == ["Receipt_"] * 4
    assert free.acknowledge(first[:3]) == 3
    assert free.fetch() == first[3:]
    assert free.acknowledge(first) == 1
    assert free.fetch() == []
    assert free.sandbox.account("hangzhou")["receipts_waiting"] == 0


def test_receipts_can_be_fetched_in_portions(free: Desk) -> None:
    free.file(declaration("DEMO000001"), declaration("DEMO000002"))
    assert len(free.fetch(3)) == 3
    assert len(free.fetch(0)) == 1
    assert len(free.get("receipts?limit=many").json()["receipts"]) == 8


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"ids": 5}', b'{"ids": [null]}', b"nonsense", b"[" * 5000]
)
def test_an_acknowledgement_that_is_none_is_declined(free: Desk, body: bytes) -> None:
    answer = free.client.post(f"{free.sandbox.address('hangzhou')}/receipts/ack", content=body)
    assert (answer.status_code, answer.json()["status"]) == (400, "declined")


def test_acknowledging_what_nobody_gave_does_nothing(free: Desk) -> None:
    free.file(declaration())
    url = f"{free.sandbox.address('hangzhou')}/receipts/ack"
    foreign = {"ids": ["R9999999999", "X1", "R", "R²", "R" + "9" * 40]}
    assert free.client.post(url, json=foreign).json()["acknowledged"] == 0
    assert len(free.fetch()) == 4


def test_unknown_addresses_are_not_found(free: Desk) -> None:
    base = free.sandbox.base
    for path in (
        "/",
        "/nowhere/receipts",
        "/nowhere/account",
        "/hangzhou",
        "/hangzhou/messages/a/b",
    ):
        answer = free.client.get(base + path)
        assert (answer.status_code, answer.json()["status"]) == (404, "error")
    assert free.client.post(base + "/nowhere/messages", content=b"x").status_code == 404
    assert free.client.put(base + "/hangzhou/messages", content=b"x").status_code == 501


def test_health_and_account_say_that_this_is_a_sandbox(free: Desk) -> None:
    health = free.client.get(free.sandbox.base + "/health").json()
    assert (health["service"], health["sandbox"], health["endpoints"]) == (
        "SANDBOX",
        True,
        ["hangzhou"],
    )
    message = declaration()
    free.file(message)
    account = free.get("account").json()
    assert account == json.loads(json.dumps(free.sandbox.account("hangzhou")))
    assert account["sandbox"] is True
    entry = account["messages"][0]
    expected = {
        "message_id": message.message_id,
        "message_type": "EXP301",
        "master": "99912345675",
        "house": "DEMO000001",
        "direction": "I",
        "voyage": "ZZ8801",
        "digest": message.digest,
        "arrivals": 1,
        "state": "11",
    }
    assert entry | expected == entry
    everything = free.client.get(free.sandbox.base + "/account").json()
    assert everything["endpoints"] == [account]


def test_the_account_can_be_asked_by_id_and_by_waybill(free: Desk) -> None:
    one, two = declaration("DEMO000001"), declaration("DEMO000002", BillNo="99900000001")
    free.file(one, two)

    def houses(query: str) -> list[str]:
        return [m["house"] for m in free.get(f"account?{query}").json()["messages"]]

    assert houses(f"message_id={two.message_id}") == ["DEMO000002"]
    assert houses("master=99912345675") == ["DEMO000001"]
    assert houses("house=DEMO000002&master=99900000001") == ["DEMO000002"]
    assert houses("house=NONE") == []


WIRE = [("lost_answers", 500), ("nonsense", 200)]


@pytest.mark.parametrize(("fault", "status"), WIRE)
def test_a_lost_answer_leaves_the_message_taken(
    run: Callable[..., Desk], fault: str, status: int
) -> None:
    desk = run(require_manifest=False, faults=Faults(**{fault: 1.0}))
    message = declaration()
    assert desk.post(message).status_code == status
    assert desk.get(f"messages/{message.message_id}").json()["digest"] == message.digest
    again = desk.post(message)
    assert (again.status_code, again.json()["status"]) == (409, "duplicate")
    assert desk.entry(message)["arrivals"] == 2


@pytest.mark.parametrize("fault", ["resets", "hangs"])
def test_a_broken_or_hanging_line_leaves_the_message_taken(
    run: Callable[..., Desk], fault: str
) -> None:
    options = {fault: 1.0, "hang_seconds": 0.3}
    desk = run(require_manifest=False, faults=Faults(**options))
    message = declaration()
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        desk.post(message)
    until(lambda: desk.get(f"messages/{message.message_id}").status_code == 200)
    assert desk.entry(message)["arrivals"] == 1


def test_a_client_that_will_not_wait_for_a_hanging_answer(run: Callable[..., Desk]) -> None:
    desk = run(require_manifest=False, faults=Faults(hangs=1.0, hang_seconds=60))
    desk.client.timeout = httpx.Timeout(0.2)
    message = declaration()
    with pytest.raises(httpx.ReadTimeout):
        desk.post(message)
    desk.client.timeout = httpx.Timeout(10)
    assert desk.get(f"messages/{message.message_id}").json()["status"] == "received"


def test_a_message_not_taken_at_first_is_taken_at_the_second_try(run: Callable[..., Desk]) -> None:
    desk = run(require_manifest=False, faults=Faults(not_taken=1.0))
    message = declaration()
    assert desk.post(message).status_code == 503
    assert desk.get(f"messages/{message.message_id}").json()["status"] == "not_received"
    assert desk.post(message).status_code == 202
    assert desk.entry(message)["arrivals"] == 2


def test_a_late_answer_still_comes(run: Callable[..., Desk]) -> None:
    desk = run(require_manifest=False, faults=Faults(delays=1.0, delay_seconds=0.15))
    answer = desk.post(declaration())
    assert answer.status_code == 202
    assert answer.elapsed.total_seconds() >= 0.15


def test_only_the_share_asked_for_meets_a_fault(run: Callable[..., Desk]) -> None:
    desk = run(require_manifest=False, faults=Faults(lost_answers=0.3), seed=7)
    statuses = [desk.post(declaration(f"DEMO{n:06d}")).status_code for n in range(100)]
    assert set(statuses) == {202, 500}
    assert 15 <= statuses.count(500) <= 45
    desk.settle()
    assert len(desk.sandbox.account("hangzhou")["messages"]) == 100


def test_a_manifest_of_many_house_waybills_is_taken(desk: Desk) -> None:
    houses = [f"DEMO{n:06d}" for n in range(9_999)]
    desk.listed(*houses)
    assert len(desk.bodies()) == 2
    assert desk.post(manifest(["DEMO000000"])).status_code == 202
