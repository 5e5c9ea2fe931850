"""`crossborder prepare` and `receive` killed at random moments: run again they reach the same end (P3, P7)."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest

from crossborder import samples
from crossborder.engine import Engine
from crossborder.settings import load

from .house import PATIENCE, House, nowhere, port, wait_until


def ledger_of(house: House) -> dict[str, Any]:
    """What must not depend on how often it was killed."""
    with Engine(load(house.home / "crossborder.toml", house.home)) as engine:
        ledger = engine.ledger
        attempts = ledger.attempts_in()
        live = [a.key for a in attempts if a.live]
        assert len(live) == len(set(live)), "a business key is live twice"
        assert engine.reconcile(ask_endpoints=False).differences == []
        return {
            "batches": [(b.state, b.recorded, b.rows) for b in ledger.batches()],
            "attempts": sorted((a.kind, a.key, a.number, a.content_digest) for a in attempts),
            "shipments": sorted(
                (s.shown_as, s.rows) for b in ledger.batches() for s in ledger.shipments_in(b.id) if s.outcome != "already_filed"
            ),
            "findings": sorted(f.record for b in ledger.batches() for f in ledger.findings_of(b.id) if f.position is not None),
        }  # fmt: skip


def recorded(house: House) -> int:
    """Bytes of documents on the disk, which grow while a file is recorded."""
    return sum(p.stat().st_size for p in (house.home / "payload").glob("*.seg"))


def sealed(house: House) -> bool:
    """Whether a batch is recorded to its end."""
    with Engine(load(house.home / "crossborder.toml", house.home)) as engine:
        return any(b.state == "sealed" for b in engine.ledger.batches())


def kills(folder: Path, count: int, shipments: int, seed: str) -> int:
    """Kill `prepare` that often, run it to its end, compare with an undisturbed run; how many kills hit."""
    file = folder / "day.csv"
    samples.create(
        file, shipments=shipments, seed=5, dirty=0.1, mapping="elements", districts=("2901",)
    )
    whole, house = nowhere(folder / "whole"), nowhere(folder / "killed")
    whole.run("prepare", str(file), "--mapping", "elements", good=(1,))
    expected = ledger_of(whole)
    draw = random.Random(seed)
    most = recorded(whole) // (2 * count + 2)
    hits = 0
    while hits < count and not sealed(house):
        process = house.start("prepare", str(file), "--mapping", "elements")
        if draw.random() < 0.2:
            time.sleep(draw.uniform(0, 0.5))
        else:
            kill_at = recorded(house) + draw.randrange(most)
            while recorded(house) <= kill_at and process.poll() is None:
                time.sleep(0.001)
        process.kill()
        process.communicate(timeout=PATIENCE)
        hits += process.returncode == -9
    if not sealed(house):
        last = house.run("prepare", str(file), "--mapping", "elements", good=(1,))
        assert last["shipments"] == shipments
    assert ledger_of(house) == expected
    return hits


@pytest.mark.slow
def test_prepare_killed_twenty_times(tmp_path: Path) -> None:
    assert kills(tmp_path, 20, 400, "twenty") >= 12


def receive_killed(folder: Path, count: int, shipments: int, seed: str) -> None:
    """Kill `receive` that often while receipts come in; then every receipt is stored once and applied."""
    with port(folder / "port") as doors:
        house = House(folder, "http", doors["hangzhou"])
        file = folder / "day.csv"
        samples.create(file, shipments=shipments, seed=6, mapping="elements", districts=("2901",))
        with Engine(load(house.home / "crossborder.toml", house.home)) as engine:
            batch = engine.prepare(file, mapping="elements").batch
            engine.submit([batch])
        wait_until(house.silent, every=0.05)
        draw = random.Random(seed)
        for _ in range(count):
            process = house.start("receive")
            time.sleep(draw.uniform(0.3, 2.0))
            process.kill()
            process.communicate(timeout=PATIENCE)
        house.run("receive")
        with Engine(load(house.home / "crossborder.toml", house.home)) as engine:
            attempts = [a for a in engine.ledger.attempts_in() if a.kind == "declaration"]
            assert {a.state for a in attempts} == {"released"}
            told = [[r.code for r in engine.ledger.receipts_of(a.id)] for a in attempts]
            assert all(sorted(codes) == ["11", "D0", "D2", "Y"] for codes in told)
            assert engine.reconcile().differences == []


@pytest.mark.slow
def test_receive_killed_three_times(tmp_path: Path) -> None:
    receive_killed(tmp_path, 3, 40, "three")
