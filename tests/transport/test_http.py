"""Answers of a gateway: what counts as received, and that everything odd is unknown."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import gzip
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from pytest_httpx import HTTPXMock

from crossborder.errors import TransportError
from crossborder.settings import Endpoint, Secret
from crossborder.testing import Gateway, message
from crossborder.transport import HttpTransport, Submitted, load_dialect, probe

SENT = message(1)
OTHER = "f" * 64
GOOD = {"status": "received", "message_id": SENT.message_id, "digest": SENT.digest}


def opened(address: str = "http://gateway.test/base", seconds: float = 20.0) -> HttpTransport:
    endpoint = Endpoint(transport="http", address=address, timeout_seconds=seconds)
    transport = HttpTransport(endpoint, "hangzhou", load_dialect("http-gateway"))
    _opened.append(transport)
    return transport


_opened: list[HttpTransport] = []


@pytest.fixture(autouse=True)
def _close_all() -> Iterator[None]:
    yield
    while _opened:
        _opened.pop().close()


SUBMIT_ANSWERS = [
    (202, GOOD, Submitted("received")),
    (409, GOOD | {"status": "duplicate"}, Submitted("received", detail="already_there")),
    (
        409, GOOD | {"status": "duplicate", "digest": OTHER},
        Submitted("unknown", conflict=True, detail=f"other_digest: {OTHER}"),
    ),
    (
        202, GOOD | {"digest": OTHER},
        Submitted("unknown", conflict=True, detail=f"other_digest: {OTHER}"),
    ),
    (422, {"status": "declined", "reason": "no sender"}, Submitted("declined", detail="declined: no sender")),
    (400, {"status": "declined"}, Submitted("declined", detail="declined")),
    (409, {"status": "duplicate", "message_id": SENT.message_id}, "no digest"),
    (202, {"status": "received"}, "another message id"),
    (202, GOOD | {"message_id": "another"}, "another message id"),
    (202, GOOD | {"digest": None}, "no digest"),
    (202, GOOD | {"digest": ["x"]}, "no digest"),
    (422, GOOD, "HTTP 422"),
    (409, GOOD, "HTTP 409"),
    (500, GOOD, "HTTP 500"),
    (404, {"status": "not_received"}, "HTTP 404"),
    (200, {"status": ["received"]}, "HTTP 200"),
    (202, [GOOD], "not a JSON object"),
    (202, "received", "not a JSON object"),
    (202, None, "not a JSON object"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "said", "expected"), SUBMIT_ANSWERS)
def test_submit_reads_answers(
    httpx_mock: HTTPXMock, status: int, said: object, expected: Submitted | str
) -> None:
    httpx_mock.add_response(status_code=status, json=said)
    answer = opened().submit(SENT)
    if isinstance(expected, Submitted):
        assert answer == expected
    else:
        assert (answer.outcome, answer.nothing_left, answer.conflict) == ("unknown", False, False)
        assert answer.detail.startswith("bad_answer: ")
        assert expected in answer.detail


@pytest.mark.parametrize(
    ("status", "said", "outcome", "conflict"),
    [
        (200, {"status": "received", "digest": SENT.digest}, "received", False),
        (200, {"status": "received", "digest": OTHER}, "unknown", True),
        (200, {"status": "received"}, "unknown", False),
        (404, {"status": "not_received"}, "not_received", False),
        (404, {"detail": "Not Found"}, "unknown", False),
        (404, None, "unknown", False),
        (200, {"status": "not_received"}, "unknown", False),
        (503, {"status": "not_received"}, "unknown", False),
    ],
)
def test_look_up_reads_answers(
    httpx_mock: HTTPXMock, status: int, said: object, outcome: str, conflict: bool
) -> None:
    httpx_mock.add_response(status_code=status, json=said)
    answer = opened().look_up(SENT.key, SENT.message_id, SENT.digest)
    assert (answer.outcome, answer.conflict) == (outcome, conflict)


@pytest.mark.parametrize(
    ("error", "nothing_left", "code"),
    [
        (httpx.ConnectError("refused"), True, "connect_failed"),
        (httpx.ConnectTimeout("slow"), True, "connect_failed"),
        (httpx.ReadTimeout("slow"), False, "no_answer"),
        (httpx.WriteTimeout("slow"), False, "no_answer"),
        (httpx.WriteError("broken"), False, "connection_lost"),
        (httpx.ReadError("reset"), False, "connection_lost"),
        (httpx.RemoteProtocolError("Server disconnected without …"), False, "connection_lost"),
        (httpx.RemoteProtocolError("illegal status line"), False, "bad_answer"),
        (OSError("odd"), False, "connection_lost"),
    ],
)
def test_failures_say_whether_anything_left(
    httpx_mock: HTTPXMock, error: Exception, nothing_left: bool, code: str
) -> None:
    httpx_mock.add_exception(error)
    answer = opened().submit(SENT)
    assert (answer.outcome, answer.nothing_left) == ("unknown", nothing_left)
    assert answer.detail.partition(":")[0] == code


def test_a_request_carries_what_the_dialect_says(
    httpx_mock: HTTPXMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_TOKEN", "s3cret")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.test:1")
    httpx_mock.add_response(status_code=202, json=GOOD)
    endpoint = Endpoint(address="https://gateway.test/base/", token=Secret(env="GATEWAY_TOKEN"))
    transport = HttpTransport(endpoint, "hangzhou", load_dialect("http-gateway"))
    transport.submit(SENT)
    request = httpx_mock.get_requests()[0]
    assert str(request.url) == "https://gateway.test/base/messages"
    assert request.read() == SENT.body
    wanted = {
        "X-Message-Id": SENT.message_id,
        "X-Message-Type": "EXP301",
        "X-Content-SHA256": SENT.digest,
        "Content-Type": "application/xml; charset=utf-8",
        "Authorization": "Bearer s3cret",
        "Accept-Encoding": "identity",
    }
    assert {k: request.headers[k] for k in wanted} == wanted


def test_without_a_token_there_is_no_authorization(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=202, json=GOOD)
    opened().submit(SENT)
    assert "Authorization" not in httpx_mock.get_requests()[0].headers


def test_an_id_in_a_path_is_one_path_segment(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=404, json={"status": "not_received"})
    opened().look_up("K", "a/../b?c#d", SENT.digest)
    assert httpx_mock.get_requests()[0].url.raw_path == b"/base/messages/a%2F..%2Fb%3Fc%23d"


def test_what_the_far_side_writes_is_bounded_and_masked(httpx_mock: HTTPXMock) -> None:
    reason = "收件人 13800138000 \x1b[31m\n" + "x" * 5000
    httpx_mock.add_response(status_code=422, json={"status": "declined", "reason": reason})
    said = opened().submit(SENT).detail
    assert said.startswith("declined: 收件人 *** [31m xxx")
    assert len(said) < 320


# ---- a far side of raw bytes: what no mock shows ----------------------------------------------------


@contextlib.contextmanager
def raw_server(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that reads each request whole and then does what `answer` does to the connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                data = b""
                while b"</Package>" not in data and b"GET " not in data:
                    data += connection.recv(65536)
                answer(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def _head(*lines: str) -> bytes:
    return "\r\n".join(("HTTP/1.1 202 Accepted", *lines, "", "")).encode()


def _drip(connection: socket.socket) -> None:
    connection.sendall(_head("Content-Length: 1000"))
    for _ in range(1000):
        connection.sendall(b" ")
        if _gone.wait(0.05):
            return


_gone = threading.Event()
_BODY = json.dumps(GOOD).encode()
_NESTED = b'{"status":' + b"[" * 30_000


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda c: None, "connection_lost"),
        (lambda c: c.sendall(b"\x16\x03\x01 no http at all\r\n\r\n"), "bad_answer"),
        (lambda c: c.sendall(_head("Content-Length: 400") + _BODY), "bad_answer"),
        (lambda c: c.sendall(_head("Content-Length: 99999999") + b"x" * 99_999), "too_large"),
        (lambda c: c.sendall(_head(f"Content-Length: {len(_NESTED)}") + _NESTED), "bad_answer"),
        (
            lambda c: c.sendall(
                _head("Content-Encoding: gzip", f"Content-Length: {len(gzip.compress(_BODY))}")
                + gzip.compress(_BODY)
            ),
            "bad_answer",
        ),
        (
            lambda c: c.sendall(
                b"HTTP/1.1 307 Elsewhere\r\nLocation: http://elsewhere.test/\r\nContent-Length: 0\r\n\r\n"
            ),
            "bad_answer",
        ),
        (lambda c: c.sendall(b"HTTP/1.1 302 Odd\r\nLocation: http://[\r\n\r\n"), "bad_answer"),
    ],
    ids=["cut", "no_http", "short", "endless", "nested", "gzip", "redirect", "bad_redirect"],
)
def test_nonsense_is_unknown(answer: Callable[[socket.socket], None], code: str) -> None:
    with raw_server(answer) as address:
        said = opened(address).submit(SENT)
    assert (said.outcome, said.nothing_left) == ("unknown", False)
    assert said.detail.partition(":")[0] == code


def test_a_reset_after_sending_is_unknown() -> None:
    linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"  # l_onoff 1, l_linger 0: close sends a reset

    def reset(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    with raw_server(reset) as address:
        said = opened(address).submit(SENT)
    assert (said.outcome, said.nothing_left, said.detail) == (
        "unknown", False, "connection_lost: ReadError",
    )  # fmt: skip


@pytest.mark.parametrize("answer", [lambda c: _gone.wait(20), _drip], ids=["hangs", "drips"])
def test_a_far_side_that_never_ends_is_left(answer: Callable[[socket.socket], None]) -> None:
    _gone.clear()
    with raw_server(answer) as address:
        try:
            said = opened(address, seconds=0.3).submit(SENT)
        finally:
            _gone.set()
    assert said == Submitted("unknown", detail="no_answer")


# ---- receipts ---------------------------------------------------------------------------------------


def test_receipts_that_cannot_be_decoded_are_handed_on_as_they_came(httpx_mock: HTTPXMock) -> None:
    odd = [
        {"id": "1", "name": "good.xml", "body_base64": base64.b64encode(b"<a/>").decode()},
        {"id": "2", "name": "bad.xml", "body_base64": "§§"},
        {"id": 3, "name": None, "body_base64": base64.b64encode(b"<b/>").decode()},
        {"name": "no id \x00", "body_base64": ""},
        "not even an object",
        {"id": {"x": 1}, "body_base64": 7},
    ]
    httpx_mock.add_response(json={"receipts": odd})
    httpx_mock.add_response(json={"status": "ok"}, url="http://gateway.test/base/receipts/ack")
    transport = opened()
    found = []
    for incoming in transport.receipts():
        found.append((incoming.name, incoming.data))
        incoming.acknowledge()
    assert found[0] == ("good.xml", b"<a/>")
    assert found[1][0] == "bad.xml"
    assert json.loads(found[1][1]) == odd[1]
    assert found[2] == ("receipt 3", b"<b/>")
    assert found[3] == ("no id", b"")
    assert json.loads(found[4][1]) == odd[4]
    assert json.loads(found[5][1]) == odd[5]
    assert json.loads(httpx_mock.get_requests()[-1].read()) == {"ids": ["1", "2", 3]}


@pytest.mark.parametrize(
    ("status", "said"), [(500, {"receipts": []}), (200, {"receipts": {}}), (200, []), (200, "x")]
)
def test_no_list_of_receipts_is_trouble(httpx_mock: HTTPXMock, status: int, said: object) -> None:
    httpx_mock.add_response(status_code=status, json=said)
    transport = opened()
    assert list(transport.receipts()) == []
    assert transport.trouble == f"bad_answer: HTTP {status}, no list of receipts"


def test_an_acknowledgement_not_taken_is_said_again_before_anything_is_fetched(
    httpx_mock: HTTPXMock,
) -> None:
    page = {"receipts": [{"id": "1", "name": "a", "body_base64": ""}]}
    httpx_mock.add_response(json=page)
    httpx_mock.add_response(status_code=500, json={})
    httpx_mock.add_response(status_code=500, json={})
    httpx_mock.add_response(status_code=200, json={})
    httpx_mock.add_response(json={"receipts": []})
    transport = opened()
    for incoming in transport.receipts():
        incoming.acknowledge()
    assert transport.trouble
    assert list(transport.receipts()) == []
    assert transport.trouble
    assert list(transport.receipts()) == []
    assert not transport.trouble
    assert [r.url.path.removeprefix("/base/receipts") for r in httpx_mock.get_requests()] == [
        "", "/ack", "/ack", "/ack", "",
    ]  # fmt: skip


def test_a_page_that_is_too_large_is_asked_for_in_smaller_ones() -> None:
    gateway = Gateway()
    try:
        for number in range(40):
            gateway.leave_receipt(f"{number:02}.xml", b"x" * 1000)
        endpoint = Endpoint(address=gateway.address)
        small = load_dialect("http-gateway").model_copy(update={"max_receipts_bytes": 16_000})
        transport = HttpTransport(endpoint, "hangzhou", small)
        _opened.append(transport)
        got, calls = 0, 0
        while got < 40 and calls < 50:
            calls += 1
            for incoming in transport.receipts():
                got += 1
                incoming.acknowledge()
        assert got == 40
        assert len(gateway.acknowledged) == 40
    finally:
        gateway.stop()


# ---- settings ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    ["", "gateway", "ftp://gateway.test", "http://", "http://gateway.test:99999", "http://[",
     "http://user:hunter2@gateway.test", "http://gateway.test/?a=1", "http://gateway.test/#x"],
)  # fmt: skip
def test_an_address_that_cannot_work_is_named(address: str) -> None:
    with pytest.raises(TransportError) as caught:
        opened(address)
    assert caught.value.place == "endpoints.hangzhou.address"
    assert "hunter2" not in str(caught.value)
    assert caught.value.fix_zh != caught.value.fix_en


def test_probe_asks_and_sends_nothing() -> None:
    gateway = Gateway()
    endpoint = Endpoint(address=gateway.address)
    assert probe(endpoint, "hangzhou") == ""
    assert gateway.taken == {}
    gateway.stop()
    assert probe(endpoint, "hangzhou").startswith("connect_failed")


# ---- dialects ---------------------------------------------------------------------------------------

OTHER_DIALECT = """
name = "queue"
[submit]
method = "PUT"
path = "/in/{message_type}/{message_id}"
[[submit.answers]]
status = [201]
outcome = "received"
"""


def test_another_gateway_is_another_file(tmp_path: Path, httpx_mock: HTTPXMock) -> None:
    (tmp_path / "queue.toml").write_text(OTHER_DIALECT, encoding="utf-8")
    httpx_mock.add_response(status_code=201, text="thanks")
    dialect = load_dialect("queue", [tmp_path])
    transport = HttpTransport(Endpoint(address="http://queue.test"), "ningbo", dialect)
    assert transport.submit(SENT) == Submitted("received")
    request = httpx_mock.get_requests()[0]
    assert (request.method, request.url.path) == ("PUT", f"/in/EXP301/{SENT.message_id}")
    assert not transport.can_look_up
    assert transport.look_up("k", "m", "d").outcome == "unknown"
    assert list(transport.receipts()) == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda t: t.replace("[submit]", "[submitt]"), "submit"),
        (lambda t: t + 'colour = "red"\n', "colour"),
        (lambda t: t.replace("{message_id}", "{messageid}"), "messageid"),
        (lambda t: t.replace("/in/", "in/"), "path"),
        (lambda t: t.replace("/in/", "/../"), "path"),
        (lambda t: t.replace("{message_id}", "{token}"), "token"),
        (lambda t: t.replace('"received"', '"not_received"'), "outcome"),
        (lambda t: t.replace('"received"', '"duplicate"'), "digest"),
        (lambda t: t.replace("[201]", "[]"), "status"),
        (lambda t: t + "[[", "queue.toml"),
    ],
)
def test_a_dialect_that_cannot_work_is_named(
    tmp_path: Path, change: Callable[[str], str], named: str
) -> None:
    (tmp_path / "queue.toml").write_text(change(OTHER_DIALECT), encoding="utf-8")
    with pytest.raises(TransportError) as caught:
        load_dialect("queue", [tmp_path])
    assert named in str(caught.value)
    assert caught.value.place == "queue.toml"


@pytest.mark.parametrize("name", ["nobody", "../http-gateway", ""])
def test_a_dialect_nobody_knows_names_those_there_are(name: str) -> None:
    with pytest.raises(TransportError, match="http-gateway"):
        load_dialect(name)


def test_messages_are_values() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        SENT.body = b""  # type: ignore[misc]  # that it cannot be set is the point
