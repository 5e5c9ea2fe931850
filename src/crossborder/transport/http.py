"""Transport `http`: a gateway spoken to as its dialect says, over one connection per instance.

Nothing is retried here, no redirect is followed, no proxy or netrc of the environment is used, answers are
read up to a bound and a deadline, and whatever does not fit a pattern of the dialect is `unknown`.
"""

from __future__ import annotations

import base64
import binascii
import json
import ssl
import time
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx

from crossborder.errors import TransportError
from crossborder.settings import Secret
from crossborder.transport.dialect import Dialect, fill, judge, read_object
from crossborder.transport.port import Incoming, LookedUp, Outgoing, Submitted, detail, shown

_CONNECT_SECONDS = 10.0
_NOTHING_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class HttpSettings(Protocol):
    """The part of `settings.Endpoint` that this transport reads."""

    @property
    def address(self) -> str: ...
    @property
    def timeout_seconds(self) -> float: ...
    @property
    def token(self) -> Secret | None: ...


class _Failed(Exception):
    """A request that brought no readable answer; never leaves this module."""

    def __init__(self, detail: str, *, nothing_left: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.nothing_left = nothing_left


@cache
def _authorities() -> ssl.SSLContext:
    """Whom certificates are checked by, read once per process: as httpx would for each client."""
    return httpx.create_ssl_context(trust_env=False)


class HttpTransport:
    """Speaks to one gateway. Not thread-safe: an instance per worker thread.

    Raises `TransportError` when opened with an address that cannot be one; `SettingsError` when the token
    cannot be read.
    """

    def __init__(self, endpoint: HttpSettings, name: str, dialect: Dialect) -> None:
        self._address = _checked_address(endpoint.address, name)
        self._dialect = dialect
        self._seconds = endpoint.timeout_seconds
        self._token = endpoint.token.reveal() if endpoint.token else ""
        self._client = httpx.Client(
            timeout=httpx.Timeout(self._seconds, connect=min(self._seconds, _CONNECT_SECONDS)),
            limits=httpx.Limits(max_connections=1, keepalive_expiry=2.0),
            follow_redirects=False,
            verify=_authorities(),
            trust_env=False,
            headers={"Accept-Encoding": "identity", "User-Agent": "crossborder"},
        )
        self.can_look_up = dialect.look_up is not None
        self.trouble = ""
        self._page = dialect.receipts.limit if dialect.receipts else 0
        self._stored: list[str | int] = []

    def close(self) -> None:
        """Tell the gateway what is stored, as far as it listens, and close the connection."""
        self._acknowledge()
        self._client.close()

    def submit(self, message: Outgoing) -> Submitted:
        """Post the message once. Only a failure to connect says `nothing_left`."""
        part = self._dialect.submit
        values = _values(message.key, message.message_id, message.digest) | {
            "message_type": message.message_type
        }
        try:
            status, data = self._ask(part.method, part.path, part.headers, values, message.body)
        except _Failed as failed:
            return Submitted("unknown", nothing_left=failed.nothing_left, detail=failed.detail)
        outcome, conflict, said = judge(
            part.answers, status, read_object(data), message.message_id, message.digest
        )
        if outcome in ("received", "duplicate"):
            return Submitted("received", detail=said)
        if outcome == "declined":
            return Submitted("declined", detail=said)
        return Submitted("unknown", conflict=conflict, detail=said)

    def look_up(self, key: str, message_id: str, digest: str) -> LookedUp:
        """Ask for one message by its id; its digest must be ours to count as received."""
        part = self._dialect.look_up
        if part is None:
            return LookedUp("unknown", detail=detail("cannot_ask"))
        try:
            status, data = self._ask(
                part.method, part.path, part.headers, _values(key, message_id, digest)
            )
        except _Failed as failed:
            return LookedUp("unknown", detail=failed.detail)
        outcome, conflict, said = judge(part.answers, status, read_object(data), message_id, digest)
        if outcome == "received":
            return LookedUp("received", detail=said)
        if outcome in ("not_received", "declined"):
            return LookedUp("not_received", declined=outcome == "declined", detail=said)
        return LookedUp("unknown", conflict=conflict, detail=said)

    def receipts(self) -> Iterator[Incoming]:
        """One page of receipts. Those acknowledged are told to the gateway at the end of the page, at the next
        call, or on `close`, whichever comes first; until then it may send them again."""
        self.trouble = ""
        part = self._dialect.receipts
        if part is None or not self._acknowledge():
            return
        try:
            status, data = self._ask(
                part.method, part.path, part.headers, {"limit": str(self._page)},
                limit=self._dialect.max_receipts_bytes,
            )  # fmt: skip
        except _Failed as failed:
            self.trouble = failed.detail
            if failed.detail.startswith("too_large"):
                self._page = max(1, self._page // 2)
            return
        found = (read_object(data) or {}).get(part.list) if status in part.status else None
        if not isinstance(found, list):
            self.trouble = detail("bad_answer", f"HTTP {status}, no list of receipts")
            return
        self._page = min(part.limit, self._page * 2)
        for item in found[: part.limit]:
            yield self._incoming(item)
        self._acknowledge()

    def _incoming(self, item: Any) -> Incoming:
        """A receipt out of one item of the list; what cannot be decoded is handed on as it came."""
        part = self._dialect.receipts
        fields = item if isinstance(item, dict) else {}
        ident = fields.get(part.id) if part else None
        body = fields.get(part.body) if part else None
        data: bytes | None = None
        if part and isinstance(body, str):
            try:
                data = (
                    base64.b64decode(body, validate=True)
                    if part.encoding == "base64"
                    else body.encode()
                )
            except (binascii.Error, ValueError):
                data = None
        if data is None:
            data = json.dumps(item, ensure_ascii=True).encode()
        name = fields.get(part.receipt_name) if part else None
        called = shown(name if isinstance(name, str) and name else f"receipt {ident}", 120)

        def acknowledge() -> None:
            if isinstance(ident, (str, int)):
                self._stored.append(ident)

        return Incoming(called, data, acknowledge)

    def _acknowledge(self) -> bool:
        """Tell the gateway which receipts are stored; False, with `trouble` set, if it did not take that."""
        part = self._dialect.receipts
        if part is None or not self._stored:
            return True
        told = part.acknowledge
        body = json.dumps({told.ids: self._stored}).encode()
        headers = {"Content-Type": "application/json", **told.headers}
        try:
            status, _ = self._ask(told.method, told.path, headers, {}, body)
        except _Failed as failed:
            self.trouble = failed.detail
            return False
        if status not in told.status:
            self.trouble = detail("bad_answer", f"HTTP {status} to an acknowledgement")
            return False
        self._stored.clear()
        return True

    def _ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        values: Mapping[str, str],
        body: bytes | None = None,
        limit: int = 0,
    ) -> tuple[int, bytes]:
        """One request, one bounded answer. Raises `_Failed`."""
        limit = limit or self._dialect.max_answer_bytes
        known = {**values, "token": self._token}
        ends_at = time.monotonic() + self._seconds
        filled_path = fill(path, known, in_path=True)
        if filled_path is None:
            raise _Failed(detail("transport_failed", f"no value for {path}"), nothing_left=True)
        try:
            request = self._client.build_request(
                method,
                self._address + filled_path,
                headers=[
                    (k, filled)
                    for k, v in {**self._dialect.headers, **headers}.items()
                    if (filled := fill(v, known)) is not None
                ],
                content=body,
            )
        except (ValueError, httpx.InvalidURL) as error:
            raise _Failed(detail("transport_failed", str(error)), nothing_left=True) from error
        try:
            response = self._client.send(request, stream=True)
            try:
                return response.status_code, _read(response, limit, ends_at)
            finally:
                response.close()
        except _NOTHING_LEFT as error:
            raise _Failed(detail("connect_failed", str(error)), nothing_left=True) from error
        except httpx.TimeoutException as error:
            raise _Failed(detail("no_answer")) from error
        except httpx.ProtocolError as error:
            code = "connection_lost" if "disconnected" in str(error) else "bad_answer"
            raise _Failed(detail(code, str(error))) from error
        except (httpx.HTTPError, httpx.StreamError, OSError, ValueError) as error:
            raise _Failed(detail("connection_lost", type(error).__name__)) from error


def _read(response: httpx.Response, limit: int, ends_at: float) -> bytes:
    """The body, as sent, up to `limit` bytes and until `ends_at` (monotonic seconds)."""
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise _Failed(detail("bad_answer", "a compressed answer that was not asked for"))
    data = bytearray()
    for chunk in response.iter_raw():
        data += chunk
        if len(data) > limit:
            raise _Failed(detail("too_large", f"more than {limit} bytes"))
        if time.monotonic() > ends_at:
            raise _Failed(detail("no_answer"))
    return bytes(data)


def _values(key: str, message_id: str, digest: str) -> dict[str, str]:
    return {"key": key, "message_id": message_id, "digest": digest}


def _checked_address(address: str, name: str) -> str:
    place = f"endpoints.{name}.address"
    fix = {
        "fix_en": "write http://host:port/path or https://…",
        "fix_zh": "请写成 http://主机:端口/路径 或 https://…",
    }
    try:
        parts = urlsplit(address)
        port_ok = parts.port is None or parts.port > 0
        httpx.URL(address)
    except (ValueError, httpx.InvalidURL) as error:
        raise TransportError(
            f"not an address: {error}", f"地址无效：{error}", place=place, **fix
        ) from error
    if parts.username or parts.password:
        raise TransportError(
            "an address must not hold a password", "地址中不得包含口令", place=place,
            fix_en="use endpoints.NAME.token = {env=…}", fix_zh="请使用 endpoints.NAME.token = {env=…}",
        )  # fmt: skip
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_ok:
        raise TransportError(
            "no address of a gateway" if not address else f"not a gateway's address: {address}",
            "未设置网关地址" if not address else f"不是网关地址：{address}", place=place, **fix,
        )  # fmt: skip
    if parts.query or parts.fragment:
        raise TransportError("an address ends with its path", "地址应止于路径", place=place, **fix)
    return address.rstrip("/")
