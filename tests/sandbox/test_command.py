"""The sandbox as a process of its own, and as the independent judge it claims to be."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import crossborder.sandbox as room
from crossborder.errors import SettingsError
from crossborder.sandbox import main, parse_endpoint

from .builder import declaration
from .conftest import until

COMMAND = [sys.executable, "-m", "crossborder.sandbox", "--speed", "0", "--no-manifest"]


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def begin(
    processes: list[subprocess.Popen[bytes]], folder: Path, *more: str
) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    process = subprocess.Popen(
        [*COMMAND, "--folder", str(folder), *more],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    processes.append(process)
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())


def post(address: str, house: str) -> httpx.Response:
    message = declaration(house)
    with httpx.Client(trust_env=False) as client:
        return client.post(f"{address}/messages", content=message.body, headers=message.headers)


def test_one_line_tells_the_addresses_and_a_kill_loses_nothing(
    processes: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    process, said = begin(processes, tmp_path)
    assert (said["sandbox"], said["ready"], said["format"]) == (True, True, 1)
    assert set(said["endpoints"]) == {"hangzhou", "ningbo"}
    assert said["endpoints"]["ningbo"]["folder"] == str(tmp_path / "ningbo")
    address = said["endpoints"]["hangzhou"]["http"]
    assert address == said["address"] + "/hangzhou"
    assert post(address, "DEMO1").status_code == 202
    process.kill()
    process.wait(20)

    process, said = begin(processes, tmp_path)
    address = said["endpoints"]["hangzhou"]["http"]

    def state() -> str:
        return str(httpx.get(f"{address}/account").json()["messages"][0]["state"])

    until(lambda: len(httpx.get(f"{address}/receipts").json()["receipts"]) >= 4)
    assert state() != "received"
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def test_it_ends_with_standard_input_if_asked(
    processes: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    endpoint = "yiwu:http:29+33"
    process, said = begin(processes, tmp_path, "--until-eof", "--endpoint", endpoint)
    assert list(said["endpoints"]) == ["yiwu"]
    assert said["endpoints"]["yiwu"]["folder"] == ""
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(20) == 0


def test_it_ends_in_order_when_asked_to_while_standard_input_is_open(
    processes: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    for number in range(3):
        process, _ = begin(processes, tmp_path / str(number), "--until-eof")
        process.terminate()
        assert process.wait(20) == 0


def test_what_cannot_run_is_one_clear_message_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = str(tmp_path / "none.toml")
    assert main(["--folder", str(tmp_path), "--mix", missing]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert missing in said.err
    assert "无法读取" in said.err
    assert main(["--folder", str(tmp_path), "--faults", "surprise=1"]) == 2
    assert main(["--folder", str(tmp_path), "--endpoint", "x:window"]) == 2


def test_endpoints_are_written_in_one_word() -> None:
    spec = parse_endpoint("ningbo:folder:31+29:/boxes/ningbo")
    assert (spec.name, spec.door, spec.districts) == ("ningbo", "folder", ("31", "29"))
    assert spec.path == Path("/boxes/ningbo")
    plain = parse_endpoint("yiwu")
    assert (plain.door, plain.districts, plain.path) == ("both", (), None)
    with pytest.raises(SettingsError, match="unknown door"):
        parse_endpoint("x:window")


def imports(source: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_the_judge_is_independent_of_the_engine() -> None:
    own = ("crossborder.sandbox", "crossborder.errors.", "crossborder.resources")
    for file in Path(room.__file__).parent.glob("*.py"):
        for name in imports(file.read_text(encoding="utf-8")):
            first = name.partition(".")[0]
            allowed = first in sys.stdlib_module_names or first == "lxml" or name.startswith(own)
            assert allowed, f"{file.name} imports {name}"


def test_nobody_is_told_that_this_is_customs() -> None:
    for file in Path(room.__file__).parent.iterdir():
        if file.suffix in (".py", ".toml"):
            text = file.read_text(encoding="utf-8")
            assert "sandbox customs" not in text.lower()
            assert "模拟海关" not in text
