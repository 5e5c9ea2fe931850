"""The HTTP door: a small gateway dialect on loopback, spoken by the standard library's server.

::

    POST /ENDPOINT/messages        202 received | 409 duplicate | 400, 422 declined
    GET  /ENDPOINT/messages/ID     200 received | 404 not received
    GET  /ENDPOINT/receipts        what is waiting; the same again until it is acknowledged
    POST /ENDPOINT/receipts/ack    {"ids": [...]}
    GET  /ENDPOINT/account         what was received (also ?message_id=, ?master=, ?house=); /account for all
    GET  /health

Every answer is JSON, carries `Server: SANDBOX` and is bounded: sizes, times and numbers have limits.
"""

from __future__ import annotations

import base64
import json
import socket
import struct
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from crossborder.errors import InputError
from crossborder.sandbox.books import Books
from crossborder.sandbox.endings import Wire
from crossborder.sandbox.port import Claimed, Port, Taken

IDLE_SECONDS = 60.0
ACK_LIMIT = 1 << 20
RECEIPTS_DEFAULT, RECEIPTS_MOST, RECEIPTS_BYTES = 100, 1000, 8 << 20
REQUIRED = ("X-Message-Id", "X-Message-Type", "X-Content-SHA256")


class HttpDoor(ThreadingHTTPServer):
    """Listens at `address`; `hang_seconds` is how long a forced hang lasts."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    allow_reuse_address = sys.platform != "win32"

    def __init__(
        self,
        host: str,
        port: int,
        *,
        taker: Port,
        books: Books,
        endpoints: frozenset[str],
        body_limit: int,
        hang_seconds: float,
    ) -> None:
        super().__init__((host, port), Handler)
        self.taker, self.books, self.endpoints = taker, books, endpoints
        self.body_limit, self.hang_seconds = body_limit, hang_seconds
        self.stopping = threading.Event()
        self.problems: list[str] = []
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()

    @property
    def address(self) -> str:
        """`http://HOST:PORT` as it really is, also when port 0 was asked for."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection and remember it, so that stopping can close it."""
        connection, where = super().get_request()
        with self._guard:
            self._open.add(connection)
        return connection, where

    def shutdown_request(self, request: Any) -> None:
        """Close a connection; one that is to break is closed without a farewell."""
        with self._guard:
            self._open.discard(request)
        if request.fileno() >= 0 and _breaks(request):
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is normal; anything else is kept for whoever runs the sandbox."""
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError | TimeoutError) and not self.stopping.is_set():
            self.problems.append(f"{type(error).__name__} in the HTTP door")

    def stop(self) -> None:
        """Stop listening and close every connection."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        with self._guard:
            left = list(self._open)
        for connection in left:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class Handler(BaseHTTPRequestHandler):
    """One connection; requests follow each other on it."""

    server: HttpDoor
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    wbufsize = -1
    disable_nagle_algorithm = True
    error_content_type = "application/json"
    error_message_format = '{"status": "error", "service": "SANDBOX", "code": %(code)d}'

    def version_string(self) -> str:
        """The `Server` header."""
        return "SANDBOX"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - name given by the base class
        """Nothing: a request line may hold a waybill number."""

    def do_GET(self) -> None:
        """Look-ups, receipts, account, health."""
        parts, query = self._target()
        books = self.server.books
        if parts == ["health"]:
            self._json(HTTPStatus.OK, books.health())
        elif parts == ["account"]:
            self._json(HTTPStatus.OK, books.accounts())
        elif len(parts) == 3 and parts[1] == "messages" and self._known(parts[0]):
            self._look_up(parts[0], parts[2])
        elif len(parts) == 2 and parts[1] == "receipts" and self._known(parts[0]):
            self._receipts(parts[0], query)
        elif len(parts) == 2 and parts[1] == "account" and self._known(parts[0]):
            wanted = {k: query[k] for k in ("message_id", "master", "house") if k in query}
            self._json(HTTPStatus.OK, books.account(parts[0], **wanted))
        else:
            self._nothing_here()

    def do_POST(self) -> None:
        """Messages and acknowledgements."""
        parts, _ = self._target()
        if len(parts) == 2 and parts[1] == "messages" and self._known(parts[0]):
            self._message(parts[0])
        elif len(parts) == 3 and parts[1:] == ["receipts", "ack"] and self._known(parts[0]):
            self._acknowledge(parts[0])
        else:
            self.close_connection = True
            self._nothing_here()

    def _target(self) -> tuple[list[str], dict[str, str]]:
        split = urlsplit(self.path)
        parts = [unquote(part) for part in split.path.split("/") if part]
        return parts, {name: values[-1] for name, values in parse_qs(split.query).items()}

    def _known(self, endpoint: str) -> bool:
        return endpoint in self.server.endpoints

    def _nothing_here(self) -> None:
        self._json(HTTPStatus.NOT_FOUND, {"status": "error", "reason": "nothing here 此处无内容"})

    def _look_up(self, endpoint: str, message_id: str) -> None:
        digest = self.server.books.digest_of(endpoint, message_id)
        if digest is None:
            self._json(HTTPStatus.NOT_FOUND, {"status": "not_received", "message_id": message_id})
        else:
            found = {"status": "received", "message_id": message_id, "digest": digest}
            self._json(HTTPStatus.OK, found)

    def _receipts(self, endpoint: str, query: dict[str, str]) -> None:
        asked = query.get("limit", "")
        limit = int(asked) if asked.isascii() and asked.isdigit() else RECEIPTS_DEFAULT
        waiting = self.server.books.waiting(endpoint, "http", max(1, min(limit, RECEIPTS_MOST)))
        receipts: list[dict[str, str]] = []
        room = RECEIPTS_BYTES
        for number, name, body in waiting:
            room -= len(body)
            if room < 0 and receipts:
                break
            text = base64.b64encode(body).decode("ascii")
            receipts.append({"id": f"R{number:010d}", "name": name, "body_base64": text})
        self._json(HTTPStatus.OK, {"receipts": receipts})

    def _acknowledge(self, endpoint: str) -> None:
        body = self._body(ACK_LIMIT)
        try:
            ids = json.loads(body or b"")["ids"]
            numbers = [
                int(i[1:]) for i in ids if i[:1] == "R" and i[1:].isdecimal() and len(i) < 19
            ]
        except (ValueError, KeyError, TypeError, RecursionError):
            self._declined(HTTPStatus.BAD_REQUEST, '{"ids": [...]} is needed 缺少 ids')
            return
        count = self.server.books.picked_up(endpoint, numbers)
        self._json(HTTPStatus.OK, {"status": "ok", "acknowledged": count})

    def _message(self, endpoint: str) -> None:
        said = {name: self.headers.get(name, "").strip() for name in REQUIRED}
        body = self._body(self.server.body_limit)
        if body is not None and len(body) != self._length():
            self.close_connection = True  # the sender went away half-way: nothing has arrived
            return
        missing = [name for name, value in said.items() if not value]
        if body is None or missing:
            refusal = self._refusal(missing if body is not None else None)
            size = self._length() or 0
            message_id = said["X-Message-Id"][:61]
            self.server.taker.refuse(endpoint, "http", message_id, refusal, size=size)
            status = HTTPStatus.BAD_REQUEST if missing else HTTPStatus.UNPROCESSABLE_ENTITY
            self._declined(status, f"{refusal.zh} {refusal.en}")
            return
        claimed = Claimed(said["X-Message-Id"], said["X-Message-Type"], said["X-Content-SHA256"])
        self._answer(self.server.taker.take(endpoint, "http", body, claimed=claimed))

    def _refusal(self, missing: list[str] | None) -> InputError:
        if missing is not None:
            names = ", ".join(missing)
            return InputError(f"missing header: {names}", f"缺少请求头：{names}")
        if self._length() is None:
            return InputError("Content-Length is needed", "缺少 Content-Length")
        limit = self.server.body_limit
        return InputError(f"larger than {limit} bytes", f"报文超过 {limit} 字节")

    def _answer(self, taken: Taken) -> None:
        if taken.wait:
            self.server.stopping.wait(taken.wait)
        if taken.wire not in ("normal", "decline") and taken.outcome in ("received", "not_taken"):
            self._misbehave(taken.wire)
            return
        if taken.outcome == "received":
            self._json(HTTPStatus.ACCEPTED, _found("received", taken))
        elif taken.outcome in ("duplicate", "conflict"):
            self._json(HTTPStatus.CONFLICT, _found("duplicate", taken))
        else:
            self._declined(HTTPStatus.UNPROCESSABLE_ENTITY, f"{taken.reason_zh} {taken.reason_en}")

    def _misbehave(self, wire: Wire) -> None:
        self.close_connection = True
        if wire == "error_after":
            self._json(HTTPStatus.INTERNAL_SERVER_ERROR, {"status": "error"})
        elif wire == "not_taken_first":
            self._json(HTTPStatus.SERVICE_UNAVAILABLE, {"status": "error", "reason": "not taken"})
        elif wire == "nonsense_after":
            self._send(HTTPStatus.OK, "text/html", b"<html>SANDBOX: maintenance</html>")
        elif wire == "hang_after":
            self.server.stopping.wait(self.server.hang_seconds)
        else:
            form = "hh" if sys.platform == "win32" else "ii"
            linger = struct.pack(form, 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    def _length(self) -> int | None:
        said = self.headers.get("Content-Length", "")
        return int(said) if said.isascii() and said.isdigit() and len(said) < 16 else None

    def _body(self, limit: int) -> bytes | None:
        """The body, or None if its length is unknown or above `limit`; then the connection ends."""
        length = self._length()
        if length is None or length > limit:
            self.close_connection = True
            self._drain(min(length or 0, 4 * limit))
            return None
        return self.rfile.read(length)

    def _drain(self, length: int) -> None:
        """Read a bounded part of a body nobody wants, so that the sender hears the answer."""
        until = time.monotonic() + 5
        while length > 0 and time.monotonic() < until:
            chunk = self.rfile.read(min(length, 1 << 16))
            if not chunk:
                return
            length -= len(chunk)

    def _declined(self, status: HTTPStatus, reason: str) -> None:
        self._json(status, {"status": "declined", "reason": reason})

    def _json(self, status: HTTPStatus, answer: dict[str, Any]) -> None:
        body = json.dumps(answer, ensure_ascii=False).encode("utf-8")
        self._send(status, "application/json; charset=utf-8", body)

    def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


def _found(status: str, taken: Taken) -> dict[str, Any]:
    return {
        "status": status,
        "message_id": taken.message_id,
        "digest": taken.digest,
        "sandbox": True,
    }


def _breaks(connection: socket.socket) -> bool:
    size = struct.calcsize("hh" if sys.platform == "win32" else "ii")
    return connection.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, size)[:1] == b"\x01"
