"""What the sandbox remembers, and that it counts exactly."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from crossborder.errors import SettingsError
from crossborder.sandbox import EndpointSpec, Faults, Mix, Sandbox

from .builder import declaration, manifest
from .conftest import Desk


def test_a_restart_forgets_nothing(run: Callable[..., Desk]) -> None:
    desk = run()
    listed, message = manifest(["DEMO1", "DEMO2"]), declaration("DEMO1")
    desk.file(listed, message)
    desk.acknowledge(desk.fetch()[:3])
    left = desk.fetch()
    before = desk.sandbox.account("hangzhou")
    desk.sandbox.stop()

    again = run()
    assert again.sandbox.account("hangzhou") == before
    assert again.fetch() == left
    assert again.post(message).status_code == 409
    assert again.sandbox.received("hangzhou", message.message_id) == message.body
    second, repeat = declaration("DEMO2"), declaration("DEMO1")
    again.file(second, repeat)
    assert again.codes("DEMO2") == ["D0", "D2", "Y", "11"]
    assert again.entry(repeat)["repeat_of"] == message.message_id
    assert again.entry(message)["arrivals"] == 2


def test_answers_not_yet_given_are_given_after_a_restart(run: Callable[..., Desk]) -> None:
    desk = run(require_manifest=False, speed=0.000_001)
    desk.post(declaration("DEMO1"))
    desk.sandbox.stop()
    waiting = run(require_manifest=False)
    assert waiting.sandbox.account("hangzhou")["answers_to_come"] == 1
    assert waiting.fetch() == []
    waiting.sandbox.stop()
    near = run("other", require_manifest=False, speed=40)
    near.post(declaration("DEMO1"))
    near.sandbox.stop()
    again = run("other", require_manifest=False)
    again.settle()
    assert again.codes("DEMO1") == ["D0", "D2", "Y", "11"]


def test_a_folder_belongs_to_one_sandbox_at_a_time(run: Callable[..., Desk]) -> None:
    desk = run()
    second = Sandbox(desk.sandbox.folder, [EndpointSpec("hangzhou", "http")])
    with pytest.raises(SettingsError, match="sandbox folder"):
        second.start()
    desk.sandbox.stop()
    with second:
        assert second.account("hangzhou")["messages"] == []


def test_counters_are_exact_under_eight_threads(run: Callable[..., Desk]) -> None:
    desk = run(faults=Faults(lost_answers=0.1, resets=0.1, nonsense=0.1))
    listed = manifest([f"DEMO{n:04d}" for n in range(120)])
    desk.post(listed)
    desk.settle()
    assert desk.state(listed) == "NY"
    messages = [declaration(f"DEMO{n:04d}") for n in range(120)]
    statuses: list[int] = []
    guard = threading.Lock()

    def post_all(start: int) -> None:
        mine = Desk(desk.sandbox)
        for n in range(len(messages)):
            message = messages[(n + start * 15) % len(messages)]
            try:
                status = mine.post(message).status_code
            except Exception as error:
                status = 0 if type(error).__name__ in ("RemoteProtocolError", "ReadError") else -1
            with guard:
                statuses.append(status)
        mine.client.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(post_all, range(8)))
    desk.settle()
    account = desk.sandbox.account("hangzhou")
    filed = [m for m in account["messages"] if m["message_type"] == "EXP301"]
    assert len(filed) == 120
    assert {m["arrivals"] for m in filed} == {8}
    assert {m["state"] for m in filed} == {"11"}
    assert {m["repeat_of"] for m in filed} == {None}
    assert account["arrivals"] == 1 + 8 * 120
    assert statuses.count(409) == 7 * 120
    first = [s for s in statuses if s != 409]
    assert len(first) == 120
    assert set(first) == {202, 500, 200, 0}


def test_one_key_under_eight_ids_at_once_has_one_live_declaration(free: Desk) -> None:
    messages = [declaration("DEMO1") for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda m: free.post(m).status_code, messages))
    assert answers == [202] * 8
    free.settle()
    account = free.sandbox.account("hangzhou")["messages"]
    live = [m for m in account if m["repeat_of"] is None]
    assert len(live) == 1
    assert live[0]["state"] == "11"
    assert {m["repeat_of"] for m in account if m is not live[0]} == {live[0]["message_id"]}


def test_a_fault_of_the_sandbox_itself_is_told(run: Callable[..., Desk], tmp_path: Path) -> None:
    with Sandbox(tmp_path / "x", [EndpointSpec("hangzhou", "http")], speed=0) as sandbox:
        assert sandbox.problems == []
        sandbox._opened().run("DROP TABLE houses")
        desk = Desk(sandbox)
        desk.post(manifest(["DEMO1"]))
        assert not sandbox.wait_idle(0.5)
        assert "while answering" in sandbox.problems[0]
        desk.client.close()


def test_settings_that_cannot_work_are_refused(tmp_path: Path) -> None:
    good = EndpointSpec("hangzhou", "http")
    for wrong in (
        {"endpoints": []},
        {"endpoints": [good, good]},
        {"endpoints": [EndpointSpec("a/b")]},
        {"endpoints": [EndpointSpec("health")]},
        {"endpoints": [good], "speed": -1},
        {"endpoints": [good], "speed": float("inf")},
        {"endpoints": [good], "speed": float("nan")},
    ):
        with pytest.raises(SettingsError):
            Sandbox(tmp_path, **wrong)  # type: ignore[arg-type] # wrong on purpose
    for text in (
        "lost_answers=2",
        "surprise=1",
        "resets=x",
        "manifest:1=ZZ",
        "hangs=0.6,resets=0.6",
    ):
        with pytest.raises(SettingsError):
            Faults.parse(text)
    with pytest.raises(SettingsError, match="not running"):
        Sandbox(tmp_path, [good], Mix.load()).account("hangzhou")
    blocked = tmp_path / "file"
    blocked.write_text("not a folder", encoding="utf-8")
    with pytest.raises(SettingsError, match="folder cannot be used"):
        Sandbox(blocked, [good]).start()


def test_a_port_that_is_taken_is_told_and_nothing_is_left_open(
    run: Callable[..., Desk], tmp_path: Path
) -> None:
    desk = run()
    port = int(desk.sandbox.base.rpartition(":")[2])
    second = Sandbox(tmp_path / "second", [EndpointSpec("hangzhou", "http")], port=port)
    with pytest.raises(SettingsError, match=f"cannot listen on 127.0.0.1:{port}"):
        second.start()
    with Sandbox(tmp_path / "second", [EndpointSpec("hangzhou", "http")]) as free:
        assert free.base != desk.sandbox.base
