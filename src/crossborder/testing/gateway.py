"""A small gateway for tests: the packaged http dialect, in this process, remembering every arrival.

It judges nothing: it is no sandbox. It can be told to misbehave at the moments that matter.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

Fault = Literal[
    "",  # behave
    "drop_before",  # cut the connection, the message is not kept
    "drop_after",  # keep the message, cut the connection: the lost answer
    "error_before",  # 500, not kept
    "error_after",  # keep the message, 500
    "nonsense",  # keep the message, answer with a web page
]


@dataclass
class Taken:
    """What the gateway holds under one message id."""

    digest: str
    body: bytes
    arrivals: int = 1


@dataclass
class _State:
    taken: dict[str, Taken] = field(default_factory=dict)
    receipts: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    acknowledged: list[str] = field(default_factory=list)
    refusal: str = ""
    faults: Iterator[Fault] = field(default_factory=lambda: iter(()))
    lock: threading.Lock = field(default_factory=threading.Lock)


class Gateway:
    """A gateway on a free port of this host. `start`/`stop` may be repeated; what it holds stays.

    `taken` is message id → `Taken`; a repeated id with the same bytes counts up `arrivals`.
    """

    def __init__(self) -> None:
        self._state = _State()
        self._port = 0
        self._server: _Server | None = None
        self.start()

    @property
    def address(self) -> str:
        """The address that goes into the endpoint's settings."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def taken(self) -> dict[str, Taken]:
        """What has arrived, by message id."""
        with self._state.lock:
            return dict(self._state.taken)

    @property
    def acknowledged(self) -> list[str]:
        """Ids of receipts that were acknowledged, in order."""
        with self._state.lock:
            return list(self._state.acknowledged)

    def start(self) -> None:
        """Listen (again, on the same port)."""
        if self._server is None:
            self._server = _Server(("127.0.0.1", self._port), self._state)
            self._port = self._server.server_address[1]
            threading.Thread(
                target=self._server.serve_forever, args=(0.01,), name="gateway", daemon=True
            ).start()

    def stop(self) -> None:
        """Refuse connections from now on."""
        if self._server is not None:
            self._server.shutdown()
            self._server.drop_all()
            self._server.server_close()
            self._server = None

    def refuse_next(self, reason: str) -> None:
        """Decline the next message."""
        self._state.refusal = reason

    def misbehave(self, faults: Iterator[Fault]) -> None:
        """Use up one fault per message posted; behave when there is none left."""
        with self._state.lock:
            self._state.faults = faults

    def leave_receipt(self, name: str, data: bytes) -> None:
        """Let a receipt wait."""
        with self._state.lock:
            self._state.receipts[f"r{len(self._state.receipts)}-{name}"] = (name, data)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], state: _State) -> None:
        super().__init__(address, _Handler)
        self.state = state
        self._open: set[socket.socket] = set()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def drop_all(self) -> None:
        """Cut what is open."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is no error of the gateway; anything else is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.path == "/messages":
            self._message(body)
        elif self.path == "/receipts/ack":
            with self.server.state.lock:
                for ident in json.loads(body)["ids"]:
                    self.server.state.receipts.pop(ident, None)
                    self.server.state.acknowledged.append(ident)
            self._say(200, {"status": "ok"})
        else:
            self._say(404, {})

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/receipts":
            self._receipts(int(parse_qs(url.query)["limit"][0]))
        elif url.path.startswith("/messages/"):
            with self.server.state.lock:
                found = self.server.state.taken.get(unquote(url.path.removeprefix("/messages/")))
            if found is None:
                self._say(404, {"status": "not_received"})
            else:
                self._say(200, {"status": "received", "digest": found.digest})
        else:
            self._say(404, {})

    def log_message(self, *_: Any, **__: Any) -> None:
        """Silent."""

    def _message(self, body: bytes) -> None:
        state = self.server.state
        ident, digest = self.headers.get("X-Message-Id", ""), hashlib.sha256(body).hexdigest()
        answer: dict[str, str] = {"status": "received", "message_id": ident, "digest": digest}
        status = 202
        with state.lock:
            fault = next(state.faults, "")
            refusal, state.refusal = state.refusal, ""
            there = state.taken.get(ident)
            if refusal:
                status, answer = 422, {"status": "declined", "reason": refusal}
            elif fault in ("drop_before", "error_before"):
                pass
            elif there is None:
                state.taken[ident] = Taken(digest, body)
            else:
                there.arrivals += 1
                status, answer = 409, {**answer, "status": "duplicate", "digest": there.digest}
        if fault.startswith("drop"):
            self.close_connection = True
        elif fault == "nonsense":
            self._send(200, b"<html>welcome</html>", "text/html")
        elif fault.startswith("error"):
            self._say(500, {"status": "error"})
        else:
            self._say(status, answer)

    def _receipts(self, limit: int) -> None:
        with self.server.state.lock:
            page = list(self.server.state.receipts.items())[:limit]
        listed = [
            {"id": ident, "name": name, "body_base64": base64.b64encode(data).decode()}
            for ident, (name, data) in page
        ]
        self._say(200, {"receipts": listed})

    def _say(self, status: int, answer: dict[str, Any]) -> None:
        self._send(status, json.dumps(answer).encode(), "application/json")

    def _send(self, status: int, data: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
