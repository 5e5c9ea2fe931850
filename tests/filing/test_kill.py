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
from tests.backends import URLS

from crossborder.sandbox import EndpointSpec, Faults, Sandbox

from .office import Office

MESSAGES = 60
KILLS = 5
PATIENCE = 120.0


class Children:
    """Filing processes, one after another; the next one gets ready while one is at work."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments
        self._next = self._start()

    def _start(self) -> subprocess.Popen[str]:
        root = Path(__file__).parents[2]
        path = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))
        return subprocess.Popen(
            [sys.executable, "-m", "tests.filing.submit_child", *self._arguments], cwd=root,
            stdin=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip

    @contextmanager
    def at_work(self) -> Iterator[subprocess.Popen[str]]:
        with self._next as process:
            self._next = self._start()
            try:
                assert process.stdin is not None
                process.stdin.write("file\n")
                process.stdin.flush()
                yield process
            finally:
                process.kill()

    def close(self) -> None:
        with self._next as process:
            process.kill()


def wait_for(count: Callable[[], int], target: int, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + PATIENCE
    while count() < target and process.poll() is None:
        assert time.monotonic() < until, "nothing arrives any more"
        time.sleep(0.002)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["http", "folder"])
def test_each_message_arrives_exactly_once(
    kind: str, office: Office, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
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

        children = Children(str(office.home), kind, address, *filter(None, [URLS.get(office.home)]))
        request.addfinalizer(children.close)
        target = 0
        for _ in range(KILLS):
            target = max(target, handed_over()) + draw.randint(1, 8)
            with children.at_work() as process:
                wait_for(handed_over, target, process)
                time.sleep(draw.uniform(0, 0.02))
                process.kill()
        with children.at_work() as process:
            assert process.wait(PATIENCE) == 0
        assert sandbox.wait_idle()
        arrivals = Counter(a["message_id"] for a in sandbox.arrivals("hangzhou"))
        bodies = {i: sandbox.received("hangzhou", i) for i in arrivals}
    assert office.states() == {"sent": MESSAGES}
    assert len(office.events("recovered")) >= 1, "no kill ever hit a message on its way"
    ids = [str(row[0]) for row in office.rows("message_id")]
    assert arrivals == dict.fromkeys(ids, 1)
    assert all(body is not None and i.encode() in body for i, body in bodies.items())
