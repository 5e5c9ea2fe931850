"""The simulated port of the demonstration: a process of its own, settings that name it, and what it says it has."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crossborder.settings import Loaded

Doors = Mapping[str, Mapping[str, str]]
"""Endpoint → `http`, `folder` → address."""

_ANSWER_SECONDS = 30.0


@contextmanager
def simulated_port(folder: Path, seed: int, speed: float) -> Iterator[Doors]:
    """The sandbox as a process of its own; it ends when we do, however we end. Raises `TransportError`."""
    from crossborder.errors import TransportError

    folder.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable, "-m", "crossborder.sandbox", "--folder", str(folder), "--port", "0", "--seed", str(seed),
        "--speed", str(speed), "--endpoint", "hangzhou:both:29", "--endpoint", "ningbo:both:31", "--until-eof",
    ]  # fmt: skip
    log = folder / "sandbox.log"
    with log.open("ab") as errors:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
        )
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline() or b"{}")
        if not ready.get("ready"):
            raise TransportError(
                "the sandbox did not start", "模拟口岸未能启动", place=str(log),
                fix_en="see that file", fix_zh="原因见该文件",
            )  # fmt: skip
        yield ready["endpoints"]
    finally:
        process.terminate()
        process.communicate(timeout=20)


def demo_settings(home: Path, doors: Doors) -> Loaded:
    """The demonstration's settings file with the addresses of its sandbox filled in."""
    from crossborder import resources, settings

    lines = []
    endpoint = ""
    for line in resources.text("fixtures/demo/crossborder.toml").splitlines():
        lines.append(line)
        if line.startswith("[endpoints."):
            endpoint = line.removeprefix("[endpoints.").removesuffix("]")
        if line.startswith("transport = "):
            kind = line.partition('"')[2].removesuffix('"')
            lines.append(f"address = {json.dumps(doors[endpoint][kind], ensure_ascii=False)}")
            lines.append(f"account = {json.dumps(doors[endpoint]['http'] + '/account')}")
    file = home / "crossborder.toml"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return settings.load(file, home=home)


def told(doors: Doors) -> dict[str, dict[str, Any]]:
    """What each endpoint of the sandbox says of itself: messages received, answers to come, receipts waiting."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    accounts = {}
    for name, address in doors.items():
        with direct.open(f"{address['http']}/account", timeout=_ANSWER_SECONDS) as answer:
            accounts[name] = json.load(answer)
    return accounts


def silent(doors: Doors) -> bool:
    """Whether the sandbox has nothing more to say: every answer given and picked up."""
    return not any(a["answers_to_come"] or a["receipts_waiting"] for a in told(doors).values())
