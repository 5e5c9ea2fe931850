"""A service for tests: a home folder, a simulated port with both doors, partners, and composed parcels."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from crossborder import china_time, samples
from crossborder.engine import Engine
from crossborder.sandbox import EndpointSpec, Mix, Sandbox
from crossborder.service import build_app

Parcel = dict[str, Any]
_KEYS = ("ship", "line", "doc", "sheet", "row", "rows", "unreadable")
RELEASED = Mix.load().with_shares(**{"11": 1})
WAIT = 120.0
"""Seconds after which a test gives up: never reached unless something hangs."""


@cache
def _composed(count: int, seed: int) -> str:
    """Nested canonical shipments of a composed day, as JSON: hangzhou and ningbo in turn."""
    day = china_time.now().date()
    frames = samples.compose(count, seed, day=day, districts=("2901", "3101")).frames
    lines: dict[int, list[Parcel]] = {}
    for line in frames.goods.to_dicts():
        lines.setdefault(line["ship"], []).append(_filled(line))
    parcels = [_filled(head) | {"goods": lines[head["ship"]]} for head in frames.shipments.to_dicts()]  # fmt: skip
    return json.dumps(parcels, ensure_ascii=False)


def parcels(count: int = 3, seed: int = 5) -> list[Parcel]:
    """Clean nested canonical shipments; each call gives its own copies."""
    made: list[Parcel] = json.loads(_composed(count, seed))
    return made


def _filled(row: Parcel) -> Parcel:
    return {k: v for k, v in row.items() if v is not None and k not in _KEYS}


def settings_text(sandbox: Sandbox | None, extra: str = "") -> str:
    """A settings file whose endpoints are this sandbox (or have no address)."""
    addresses = {"hangzhou": "", "ningbo": ""}
    if sandbox is not None:
        addresses = {"hangzhou": sandbox.address("hangzhou"), "ningbo": str(sandbox.boxes("ningbo"))}  # fmt: skip
    return f"""
profile = "demo"
[service]
profile = "demo"
{extra}
[endpoints.hangzhou]
districts = ["29"]
transport = "http"
address = '{addresses["hangzhou"]}'
poll_seconds = 0.1
settle_seconds = 0.2
[endpoints.ningbo]
districts = ["31"]
transport = "folder"
address = '{addresses["ningbo"]}'
poll_seconds = 0.1
settle_seconds = 0.2
"""


@contextmanager
def port(folder: Path) -> Iterator[Sandbox]:
    """A simulated port that releases everything."""
    doors = [
        EndpointSpec("hangzhou", "http", districts=("29",)),
        EndpointSpec("ningbo", "folder", districts=("31",)),
    ]
    with Sandbox(folder, doors, RELEASED, speed=0) as sandbox:
        yield sandbox
        assert sandbox.problems == []


class Partner:
    """One partner's client, in process; `post` hands parcels in."""

    def __init__(self, engine: Engine, name: str) -> None:
        self.name = name
        self.key = engine.add_key(name)
        self.app = build_app(engine)

    def ask(
        self, method: str, path: str, *, key: str | None = None, **asked: Any
    ) -> httpx.Response:
        """One request with this partner's key (or another one)."""
        headers = {"Authorization": f"Bearer {self.key if key is None else key}"}
        headers |= asked.pop("headers", {})

        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
                return await client.request(method, path, headers=headers, **asked)

        return asyncio.run(go())

    def post(self, body: Any, idempotency: str = "") -> httpx.Response:
        """POST /v1/batches with JSON."""
        headers = {"Idempotency-Key": idempotency} if idempotency else {}
        return self.ask("POST", "/v1/batches", json=body, headers=headers)

    def send(self, content: Any, kind: str, query: str = "") -> httpx.Response:
        """POST /v1/batches with a body of another kind."""
        return self.ask(
            "POST", f"/v1/batches{query}", content=content, headers={"Content-Type": kind}
        )

    def get(self, path: str) -> httpx.Response:
        """GET a path."""
        return self.ask("GET", path)


def until(what: Callable[[], bool], seconds: float = WAIT) -> bool:
    """Wait until something holds; whether it came to hold."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
