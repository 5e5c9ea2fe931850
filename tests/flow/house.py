"""The command line against a simulated port, each in processes of their own, as a desk runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PATIENCE = 240.0
"""Seconds after which a test gives up: never reached unless something hangs."""
COMMAND = Path(sys.executable).with_name("crossborder")
SETTINGS = """profile = "demo"
[ledger]
block = {block}
[endpoints.{name}]
districts = ["{district}"]
profile = "demo"
transport = "{transport}"
address = {address}
account = {account}
poll_seconds = 0.05
settle_seconds = 0.2
retry_seconds = 0.1
timeout_seconds = 20
lot = 5
"""
DISTRICT = {"http": ("hangzhou", "29"), "folder": ("ningbo", "31")}


class House:
    """A home folder with one endpoint, spoken to over `http` or `folder`, and the commands run in it."""

    def __init__(
        self, folder: Path, transport: str, doors: dict[str, str], block: int = 5000
    ) -> None:
        self.home = folder / "home"
        self.home.mkdir()
        self.folder, self.base = folder, doors["http"]
        self.name, district = DISTRICT[transport]
        self.boxes = Path(doors["folder"]) if transport == "folder" else None
        text = SETTINGS.format(
            name=self.name, district=district, transport=transport, block=block,
            address=json.dumps(doors[transport]), account=json.dumps(f"{self.base}/account"),
        )  # fmt: skip
        (self.home / "crossborder.toml").write_text(text, encoding="utf-8")

    def start(self, *args: str) -> subprocess.Popen[str]:
        """A command in a process of its own."""
        return subprocess.Popen(
            [str(COMMAND), *args], env=self.environment(), cwd=self.folder, text=True, encoding="utf-8",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *args: str, good: tuple[int, ...] = (0,)) -> Any:
        """A command with `--json`, to its end; its answer."""
        process = self.start(*args, "--json", "--lang", "en")
        out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode in good, (args, process.returncode, err[-2000:])
        return json.loads(out)

    def environment(self) -> dict[str, str]:
        """Nothing of the caller's but what a process needs."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("CROSSBORDER_")}
        return kept | {"CROSSBORDER_HOME": str(self.home)}

    def account(self) -> dict[str, Any]:
        """What the port says it received."""
        with urllib.request.urlopen(f"{self.base}/account", timeout=PATIENCE) as answer:
            return dict(json.load(answer))

    def handed_over(self) -> int:
        """How many messages have left the house so far, repeated ones counted."""
        if self.boxes is not None:
            return sum(len(list((self.boxes / b).glob("*.xml"))) for b in ("OutBox", "SentBox"))
        with urllib.request.urlopen(
            f"{self.base}/account?message_id=-", timeout=PATIENCE
        ) as answer:
            return int(json.load(answer)["arrivals"])

    def silent(self) -> bool:
        """Whether the port has said all it will say."""
        return self.account()["answers_to_come"] == 0

    def arrivals(self) -> Counter[str]:
        """Message id → times it was taken."""
        found: Counter[str] = Counter()
        for message in self.account()["messages"]:
            found[message["message_id"]] += message["arrivals"] - message["not_taken"]
        return found


def nowhere(folder: Path) -> House:
    """A house whose endpoint is not reachable; recording commits five shipments at a time."""
    folder.mkdir()
    doors = {"http": "http://127.0.0.1:9/hangzhou", "folder": str(folder)}
    return House(folder, "http", doors, block=5)


@contextmanager
def port(folder: Path, faults: str = "", speed: str = "0") -> Iterator[dict[str, dict[str, str]]]:
    """The sandbox as a process of its own with its own storage; endpoint → door → address."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable, "-m", "crossborder.sandbox", "--folder", str(folder), "--port", "0", "--speed", speed,
        "--endpoint", "hangzhou:both:29", "--endpoint", "ningbo:both:31", "--until-eof", "--faults", faults,
        "--mix", str(released(folder)),
    ]  # fmt: skip
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["endpoints"]
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, (folder / "log").read_text("utf-8")


def released(folder: Path) -> Path:
    """A mix that releases everything."""
    file = folder / "mix.toml"
    file.write_text("[shares]\n11 = 1\n", encoding="utf-8")
    return file


def wait_until(
    done: Callable[[], bool], process: subprocess.Popen[str] | None = None, every: float = 0.002
) -> None:
    """Look until `done`, or the process has ended."""
    until = time.monotonic() + PATIENCE
    while not done() and (process is None or process.poll() is None):
        assert time.monotonic() < until, "nothing moves any more"
        time.sleep(every)
