"""The sandbox as a process of its own: `crossborder sandbox`, `python -m crossborder.sandbox`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any, TextIO, get_args

from crossborder.errors import CrossborderError, SettingsError
from crossborder.sandbox.faults import Faults
from crossborder.sandbox.mix import Mix
from crossborder.sandbox.sandbox import BODY_LIMIT, DEFAULT_ENDPOINTS, Door, EndpointSpec, Sandbox

DOORS: tuple[Door, ...] = get_args(Door)


def parse_endpoint(text: str) -> EndpointSpec:
    """`NAME[:DOOR[:DISTRICTS[:FOLDER]]]`, e.g. `ningbo:folder:31`, districts separated by `+`.

    Raises `SettingsError` for another door.
    """
    name, _, rest = text.partition(":")
    door, _, rest = rest.partition(":")
    districts, _, folder = rest.partition(":")
    kind = next((d for d in DOORS if d == (door or "both")), None)
    if kind is None:
        raise SettingsError(f"unknown door {door!r}: {', '.join(DOORS)}", f"未知的通道 {door!r}")
    return EndpointSpec(
        name,
        kind,
        Path(folder) if folder else None,
        tuple(filter(None, districts.split("+"))),
    )


def announcement(sandbox: Sandbox) -> dict[str, Any]:
    """What the ready line says: addresses of all doors, and that this is a sandbox."""
    return {
        "format": 1,
        "sandbox": True,
        "ready": True,
        "pid": os.getpid(),
        "address": sandbox.base,
        "folder": str(sandbox.folder),
        "endpoints": {
            name: {"http": sandbox.address(name), "folder": str(sandbox.boxes(name) or "")}
            for name in sandbox.endpoints
        },
    }


def serve(
    sandbox: Sandbox, *, out: TextIO | None = None, until: threading.Event | None = None
) -> int:
    """Run `sandbox` until `until` is set or the process is asked to end; returns the exit code.

    One JSON line with the addresses goes to `out` (standard output) when messages can be left. In the main
    thread SIGINT and SIGTERM end it in order.
    """
    ending = until or threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ending.set()

    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {s: signal.signal(s, end) for s in (signal.SIGINT, signal.SIGTERM)}
    stream = out or sys.stdout
    try:
        with sandbox:
            stream.write(json.dumps(announcement(sandbox), ensure_ascii=True) + "\n")
            stream.flush()
            while not ending.wait(0.5):
                pass
            return 1 if sandbox.problems else 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="crossborder sandbox",
        description="模拟口岸（并非海关）。A simulated port for demos and tests; it is not customs.",
    )
    add = parser.add_argument
    add("--folder", type=Path, required=True, help="记忆与收发箱所在文件夹 / memory and boxes")
    add("--port", type=int, default=0, help="HTTP 端口，0 为自动 / HTTP port, 0 = a free one")
    add("--host", default="127.0.0.1", help="监听地址 / address to listen on")
    add("--seed", type=int, default=1, help="随机种子 / seed of all decisions")
    add("--speed", type=float, default=60.0, help="加速倍数，0 为最快 / speed, 0 = at once")
    add("--mix", type=Path, help="处理结果配置 / a TOML file laid over the packaged mix")
    add(
        "--endpoint",
        action="append",
        default=[],
        metavar="NAME[:DOOR[:DISTRICTS[:FOLDER]]]",
        help="端点，可重复 / an endpoint, repeatable; DOOR http, folder or both",
    )
    add("--faults", default="", help="故障，如 lost_answers=0.1 / faults on purpose")
    add("--no-manifest", action="store_true", help="不要求先报舱单 / declarations need no manifest")
    add(
        "--body-limit", type=int, default=BODY_LIMIT, help="报文字节上限 / largest message in bytes"
    )
    add(
        "--until-eof",
        action="store_true",
        help="标准输入关闭时结束 / end when standard input closes",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments, run, and return the exit code: 0 in order, 1 after trouble, 2 could not run."""
    asked = _parser().parse_args(argv)
    until = threading.Event()
    try:
        sandbox = Sandbox(
            asked.folder,
            [parse_endpoint(text) for text in asked.endpoint] or DEFAULT_ENDPOINTS,
            Mix.load(asked.mix),
            asked.seed,
            asked.speed,
            faults=Faults.parse(asked.faults),
            require_manifest=not asked.no_manifest,
            host=asked.host,
            port=asked.port,
            body_limit=asked.body_limit,
        )
        if asked.until_eof:
            threading.Thread(target=_wait_for_eof, args=(until,), daemon=True).start()
        return serve(sandbox, until=until)
    except CrossborderError as error:
        sys.stderr.write(f"{error.text('zh')}\n{error.text('en')}\n")
        return 2


def _wait_for_eof(until: threading.Event) -> None:
    """Not through the buffer of standard input: whoever waits there holds its lock, and the process ends badly."""
    number = sys.stdin.fileno()
    while os.read(number, 4096):
        pass
    until.set()
