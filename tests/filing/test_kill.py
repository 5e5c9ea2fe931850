"""Kill the filing process with SIGKILL at random moments and start it again: each message arrives exactly once."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from crossborder.sandbox import EndpointSpec, Faults, Sandbox

from .office import Office

MESSAGES = 60
KILLS = 6
PATIENCE = 120.0


@contextmanager
def filing(home: Path, kind: str, address: str) -> Iterator[subprocess.Popen[str]]:
    child = Path(__file__).with_name("submit_child.py")
    with subprocess.Popen(
        [sys.executable, str(child), str(home), kind, address],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "go\n"
            yield process
        finally:
            process.kill()


def wait_for(holds: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + PATIENCE
    while not holds() and process.poll() is None:
        assert time.monotonic() < until, "nothing arrives any more"
        time.sleep(0.002)


@pytest.mark.parametrize("kind", ["http", "folder"])
def test_each_message_arrives_exactly_once(kind: str, tmp_path: Path) -> None:
    office = Office(tmp_path / "home")
    office.prepare(MESSAGES)
    spec = EndpointSpec("hangzhou", door="http" if kind == "http" else "folder")
    late = Faults(delays=1.0, delay_seconds=0.01)  # widens the moment between taking and answering
    draw = random.Random(f"kill {kind}")
    with Sandbox(tmp_path / "sandbox", [spec], speed=0, faults=late) as sandbox:
        boxes = sandbox.boxes("hangzhou")
        address = str(boxes) if boxes else sandbox.address("hangzhou")

        def handed_over() -> int:
            if boxes is None:
                return len(sandbox.arrivals("hangzhou"))
            return sum(len(list((boxes / box).glob("*.xml"))) for box in ("OutBox", "SentBox"))

        target = 0
        for _ in range(KILLS):
            target = max(target, handed_over()) + draw.randint(1, 8)
            with filing(office.home, kind, address) as process:
                wait_for(lambda: handed_over() >= target, process)
                time.sleep(draw.uniform(0, 0.02))
                process.kill()
        with filing(office.home, kind, address) as process:
            assert process.wait(PATIENCE) == 0
        assert sandbox.wait_idle()
        arrivals = Counter(a["message_id"] for a in sandbox.arrivals("hangzhou"))
        bodies = {i: sandbox.received("hangzhou", i) for i in arrivals}
    assert office.states() == {"sent": MESSAGES}
    assert len(office.events("recovered")) >= 1, "no kill ever hit a message on its way"
    ids = [str(row[0]) for row in office.rows("message_id")]
    assert arrivals == dict.fromkeys(ids, 1)
    assert all(body is not None and i.encode() in body for i, body in bodies.items())
    office.ledger.close()
