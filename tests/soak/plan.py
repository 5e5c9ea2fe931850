"""What happens in a run, drawn from its seed: the day, the port's decisions and faults, the settings, the kills."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Transport = Literal["http", "folder"]
Backend = Literal["sqlite", "postgresql"]
COMBINATIONS: tuple[tuple[Transport, Backend], ...] = (
    ("http", "sqlite"), ("folder", "sqlite"), ("http", "postgresql"), ("folder", "postgresql"),
)  # fmt: skip
"""Seed modulo four chooses one."""
ENDPOINTS = {"hangzhou": "29", "ningbo": "31"}

_MIX = """[shares]
11 = 60
reviewed = 8
papers = 4
18 = 6
00 = 4
N = 4
D3 = 3
D1 = 2
02 = 2
20 = 2
reopened = 2
contradicted = 3
[delays]
D0 = [1, 4]
D2 = [2, 10]
Y = [5, 60]
DY = [1, 4]
NY = [5, 60]
customs = [10, 300]
"""
_SETTINGS = """profile = "demo"
[ledger]
block = {block}
encryption = "{encryption}"
{url}
"""
_KEYS = """[ledger.keys]
of_test = {{ file = {file} }}
"""
_ENDPOINT = """[endpoints.{name}]
kind = "sandbox"
districts = ["{district}"]
profile = "demo"
transport = "{transport}"
address = {address}
account = {account}
lot = {lot}
workers = 2
poll_seconds = 0.05
settle_seconds = 0.4
retry_seconds = 0.1
timeout_seconds = 20
"""


@dataclass(frozen=True)
class Plan:
    """One run."""

    seed: int
    transport: Transport
    backend: Backend
    hosts: int
    files: tuple[tuple[int, float], ...]
    """(shipments, share of them that is spoiled) of each file."""
    faults: str
    speed: float
    kills_of_prepare: int
    kills: int
    """Of `submit`; a few more may fall, for whatever was begun has its moment, and other commands have theirs."""
    block: int
    lot: int
    encryption: Literal["on", "off"]
    tables_made: bool
    """Whether the PostgreSQL database has its tables before the first process comes."""

    @property
    def name(self) -> str:
        """Transport and back end."""
        return f"{self.transport} {self.backend}"

    def draw(self, *what: object) -> random.Random:
        """Chance of its own for each thing, so that one does not depend on how long another took."""
        return random.Random(" ".join(map(str, (self.seed, *what))))


def plan(seed: int) -> Plan:
    """The run of a seed."""
    draw = random.Random(f"plan {seed}")
    transport, backend = COMBINATIONS[seed % len(COMBINATIONS)]
    hosts = 2 if backend == "postgresql" else 1
    files = tuple(
        (draw.randint(18, 36), draw.choice((0.0, 0.1, 0.2))) for _ in range(draw.randint(1, 2))
    )
    return Plan(
        seed, transport, backend, hosts, files,
        faults=_faults(draw, transport),
        speed=draw.choice((0.0, 300.0, 1500.0)),
        kills_of_prepare=draw.randint(0, 3),
        kills=draw.randint(2, 5) + hosts,
        block=draw.choice((3, 7, 20, 5000)),
        lot=draw.choice((1, 5, 20)),
        encryption=draw.choice(("on", "on", "off")),
        tables_made=draw.random() < 0.75,
    )  # fmt: skip


def _faults(draw: random.Random, transport: Transport) -> str:
    most = {"never_answered": 0.05, "answered_twice": 0.3}
    if transport == "http":
        most |= {
            "lost_answers": 0.12, "resets": 0.1, "nonsense": 0.06, "not_taken": 0.12, "hangs": 0.04,
            "delays": 1.0, "delay_seconds": 0.04,
        }  # fmt: skip
    told = [f"{name}={draw.uniform(0, share):.3f}" for name, share in most.items()]
    return ",".join([*told, "hang_seconds=0.3"])


def write_mix(folder: Path) -> Path:
    """The port's decisions: a port that is in a worse mood than most."""
    file = folder / "mix.toml"
    file.write_text(_MIX, encoding="utf-8")
    return file


def write_settings(
    home: Path, chosen: Plan, doors: dict[str, dict[str, str]], url: str | None
) -> None:
    """The settings of one host. Hosts that share a ledger share its key, which then lies outside of their homes."""
    home.mkdir()
    parts = [
        _SETTINGS.format(
            block=chosen.block, encryption=chosen.encryption, url=f"url = {json.dumps(url)}" if url else ""
        )
    ]  # fmt: skip
    if url:
        key = home.parent / "key"
        key.write_text("5a" * 32, encoding="ascii")
        parts.append(_KEYS.format(file=json.dumps(str(key))))
    for name, district in ENDPOINTS.items():
        parts.append(
            _ENDPOINT.format(
                name=name, district=district, transport=chosen.transport, lot=chosen.lot,
                address=json.dumps(doors[name][chosen.transport]), account=json.dumps(f"{doors[name]['http']}/account"),
            )
        )  # fmt: skip
    (home / "crossborder.toml").write_text("\n".join(parts), encoding="utf-8")
