"""`crossborder submit` killed while its messages are leaving, twenty times: each arrives exactly once (P4, P5, P7).

`test_kill` kills by the clock; here the moment is chosen by what has left the house, so that every kill meets a message.
The port is a process of its own with its own storage, and says itself what arrived how often. Broken by: sending
before id and bytes are on the disk, sending again what may have arrived, or forgetting what was let go.
"""

from __future__ import annotations

import random
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from crossborder import samples
from crossborder.engine import Engine
from crossborder.settings import load

from .house import PATIENCE, House, port, wait_until

WIDER = "delays=1.0,delay_seconds=0.01"
"""The port answers late, so that a kill hits the moment between taking and answering more often."""


@dataclass
class Killed:
    """What happened to the processes, for the report of a run."""

    kills: int = 0
    unharmed: int = 0
    unknown_after: Counter[int] = field(default_factory=Counter)


def states(house: House, batch: str) -> Counter[str]:
    """Attempts of the batch by state, looked at with the ledger opened anew."""
    with Engine(load(house.home / "crossborder.toml", house.home)) as engine:
        return Counter(a.state for a in engine.ledger.attempts_in(batch_ids=[batch]))


def kill_once(house: House, process: subprocess.Popen[str], draw: random.Random, most: int) -> bool:
    """Kill at a random moment: while messages leave, or (one in four) while it gets ready. Whether it hit."""
    if draw.random() < 0.25:
        time.sleep(draw.uniform(0, 1.0))
    else:
        target = house.handed_over() + draw.randint(1, most)
        wait_until(lambda: house.handed_over() >= target, process)
        time.sleep(draw.uniform(0, 0.03))
    process.kill()
    process.communicate(timeout=PATIENCE)
    return process.returncode == -9


def killed_until_done(house: House, batch: str, kills: int, most: int, seed: str) -> Killed:
    """Kill `submit` the given number of times, after at most `most` more messages each, then let it finish."""
    draw = random.Random(seed)
    story = Killed()
    while story.kills < kills:
        assert story.unharmed < 2, (
            "it ended before it could be killed: too few shipments for so many kills"
        )
        hit = kill_once(house, house.start("submit", batch, "--yes", "--wait", "30"), draw, most)
        story.kills += hit
        story.unharmed += not hit
        story.unknown_after[states(house, batch)["unknown"]] += 1
    house.run("submit", batch, "--yes", "--wait", "30")
    return story


def check_each_arrived_once(house: House, batch: str, count: int) -> None:
    """Exactly one arrival per message, one message per declaration; the ledger says the same."""
    wait_until(house.silent, every=0.05)
    house.run("receive")
    with Engine(load(house.home / "crossborder.toml", house.home)) as engine:
        attempts = engine.ledger.attempts_in(batch_ids=[batch])
        recovered = sum(
            e.verb == "recovered" for a in attempts for e in engine.ledger.timeline(a.id)
        )
    declarations = [a for a in attempts if a.kind == "declaration"]
    arrivals = house.arrivals()
    unknown = {a.message_id for a in attempts if a.state == "unknown"}
    assert {a.message_id: 1 for a in attempts if a.message_id not in unknown} == {
        i: n for i, n in arrivals.items() if i not in unknown
    }
    assert all(arrivals[i] <= 1 for i in unknown if i)
    assert len(declarations) == count
    houses = Counter(m["house"] for m in house.account()["messages"] if m["house"])
    assert houses == {a.house_waybill: 1 for a in declarations}
    assert Counter(a.state for a in declarations) == {"released": count}
    assert recovered, "no kill ever hit a message on its way"
    assert house.run("reconcile")["differences"] == []


def kill_run(folder: Path, transport: str, shipments: int, kills: int, seed: str) -> Killed:
    """The whole test for one transport."""
    with port(folder / "port", WIDER) as doors:
        name, district = {"http": ("hangzhou", "2901"), "folder": ("ningbo", "3101")}[transport]
        house = House(folder, transport, doors[name])
        file = folder / "day.csv"
        samples.create(file, shipments=shipments, seed=4, mapping="elements", districts=(district,))
        batch = house.run("prepare", str(file), "--mapping", "elements")["batch"]
        story = killed_until_done(house, batch, kills, shipments // kills // 2 + 2, seed)
        check_each_arrived_once(house, batch, shipments)
    return story


@pytest.mark.slow
@pytest.mark.parametrize("transport", ["http", "folder"])
def test_submit_killed_twenty_times(tmp_path: Path, transport: str) -> None:
    assert kill_run(tmp_path, transport, 240, 20, f"twenty {transport}").kills == 20
