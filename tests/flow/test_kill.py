"""Acceptance: `submit` is killed at random moments and run again; nothing arrives twice, nothing is forgotten.

A real `crossborder submit` process is ended by SIGKILL while it files to a sandbox in a process of its own. What
would break it: sending before the row says `sending`, a new id on a retry, a blind resend of an unknown.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from crossborder import samples
from crossborder.engine import Engine

SHIPMENTS = 60
COMMAND = Path(sys.executable).with_name("crossborder")


@contextmanager
def sandbox(folder: Path, seed: int) -> Iterator[Mapping[str, Any]]:
    """The simulated port, answering each post a little late so that a kill may fall into it."""
    folder.mkdir(parents=True)
    asked = [
        sys.executable, "-m", "crossborder.sandbox", "--folder", str(folder), "--port", "0", "--seed", str(seed),
        "--speed", "0", "--endpoint", "hangzhou:both:29", "--endpoint", "ningbo:both:31",
        "--faults", "delays=1,delay_seconds=0.03", "--until-eof",
    ]  # fmt: skip
    process = subprocess.Popen(
        asked, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.communicate(timeout=20)


def settle(home: Path, port: Mapping[str, Any], transport: str) -> None:
    """A home whose endpoints are the sandbox, spoken to by one transport."""
    home.mkdir()
    parts = ['profile = "demo"\n']
    for name, district in (("hangzhou", "29"), ("ningbo", "31")):
        doors = port["endpoints"][name]
        parts.append(
            f'[endpoints.{name}]\nkind = "sandbox"\ndistricts = ["{district}"]\ntransport = "{transport}"\n'
            f'address = {json.dumps(doors[transport])}\naccount = "{doors["http"]}/account"\n'
            "lot = 5\nsettle_seconds = 0.5\nretry_seconds = 0.3\npoll_seconds = 0.1\n\n"
        )
    (home / "crossborder.toml").write_text("".join(parts), encoding="utf-8")


def submit(home: Path, batch: str) -> subprocess.Popen[bytes]:
    env = {**os.environ, "CROSSBORDER_HOME": str(home), "CROSSBORDER_LANG": "en"}
    return subprocess.Popen(
        [str(COMMAND), "submit", batch, "--yes", "--json", "--wait", "15"], env=env,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def kill_and_run_again(home: Path, batch: str, kills: int, seed: int) -> int:
    """How many of the kills hit a living process; the last run is left alone."""
    chance = random.Random(seed)
    hit = 0
    for _ in range(kills):
        process = submit(home, batch)
        try:
            process.wait(timeout=chance.uniform(0.6, 2.2))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            hit += 1
        process.communicate(timeout=30)
    for _ in range(3):
        last = submit(home, batch)
        _, said = last.communicate(timeout=120)
        assert last.returncode in (0, 1), said.decode("utf-8")
        if last.returncode == 0:
            break
    return hit


def arrivals(port: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every message the sandbox says it received, at both endpoints."""
    return [
        message
        for doors in port["endpoints"].values()
        for message in httpx.get(f"{doors['http']}/account", trust_env=False).json()["messages"]
    ]


def prove(home: Path, port: Mapping[str, Any], batch: str) -> Counter[str]:
    """Exactly one arrival of each declaration, or it is unknown and says so; never a second one."""
    received = arrivals(port)
    assert all(message["arrivals"] == 1 for message in received), "a message arrived twice"
    keys = Counter((m["message_type"], m["master"], m["house"], m["direction"]) for m in received)
    assert all(count == 1 for count in keys.values()), "a declaration arrived under two ids"
    there = {message["message_id"] for message in received}
    with Engine(home=home) as engine:
        made = engine.ledger.attempts_in(batch_ids=[batch])
        for attempt in made:
            if attempt.message_id not in there:
                assert attempt.state == "unknown", (attempt.key, attempt.state)
        assert there <= {attempt.message_id for attempt in made}
        assert engine.reconcile([batch]).differences == []
        account = engine.account([batch])
        lines = [pair for name, pair in account.items() if name != "handed_in"]
        assert sum(pair[0] for pair in lines) == account["handed_in"][0] == SHIPMENTS
        return Counter(attempt.state for attempt in made)


def killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transport: str, kills: int, seed: int
) -> None:
    home = tmp_path / "home"
    with sandbox(tmp_path / "port", seed) as port:
        settle(home, port, transport)
        monkeypatch.setenv("CROSSBORDER_HOME", str(home))
        file = tmp_path / "day.csv"
        samples.create(file, shipments=SHIPMENTS, seed=seed, mapping="elements")
        with Engine(home=home) as engine:
            batch = engine.prepare(file, mapping="elements", profile="demo").batch
        hit = kill_and_run_again(home, batch, kills, seed)
        assert hit >= kills // 3, "the kills came too late to prove anything"
        time.sleep(0.5)
        states = prove(home, port, batch)
        assert states["queued"] == states["sending"] == states["prepared"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("transport", ["http", "folder"])
def test_submit_survives_twenty_kills(
    transport: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed(tmp_path, monkeypatch, transport, kills=20, seed=11)
