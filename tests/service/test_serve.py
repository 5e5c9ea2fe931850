"""`crossborder serve` as a process: posted parcels go the whole way to release, once, and it ends in order."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from tests.service.house import Parcel, parcels, port, settings_text, until

from crossborder import settings
from crossborder.cli import main
from crossborder.engine import Engine
from crossborder.sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[2]
RUN = "import sys; from crossborder.cli import main; sys.exit(main())"


@dataclass
class Served:
    """A running service and the port it files to."""

    address: str
    key: str
    home: Path
    sandbox: Sandbox
    process: subprocess.Popen[str]

    def client(self) -> httpx.Client:
        """A client with the partner's key."""
        return httpx.Client(
            base_url=self.address, headers={"Authorization": f"Bearer {self.key}"}, timeout=30, trust_env=False
        )  # fmt: skip

    def arrivals(self, message_type: str) -> list[int]:
        """How often each message of a type arrived at the port."""
        return [
            message["arrivals"]
            for name in ("hangzhou", "ningbo")
            for message in self.sandbox.account(name)["messages"]
            if message["message_type"] == message_type
        ]


@contextmanager
def serving(home: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address and the process of `crossborder serve` on a home."""
    env = os.environ | {"CROSSBORDER_HOME": str(home), "CROSSBORDER_LANG": "en"}
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, "serve", "--port", "0", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env=env,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert ready["ready"] is True
        yield ready["address"], process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=60)


@pytest.fixture
def served(tmp_path: Path, home: Path) -> Iterator[Served]:
    """A service with one partner, filing to a port with both doors."""
    with port(tmp_path / "port") as sandbox:
        (home / "crossborder.toml").write_text(settings_text(sandbox), encoding="utf-8")
        with Engine(settings.load(home=home)) as engine:
            key = engine.add_key("shop-one")
        with serving(home) as (address, process):
            yield Served(address, key, home, sandbox, process)


def of_one_master(count: int, seed: int) -> list[Parcel]:
    """Parcels of one flight, one master waybill and one port of declaration."""
    day = [p for p in parcels(4 * count, seed) if p["declaration_port"] == "2901"]
    flight = {name: day[0][name] for name in ("master_waybill", "voyage", "transport_name")}
    return [parcel | flight for parcel in day[:count]]


def released(client: httpx.Client, batch: Parcel) -> bool:
    """Whether every parcel of a batch is released."""
    account = client.get(batch["links"]["self"]).raise_for_status().json()["account"]
    return bool(account["released"] == account["handed_in"])


def test_posted_parcels_go_the_whole_way_and_the_same_key_files_once(served: Served) -> None:
    body = {"submit": True, "shipments": parcels(6, seed=11)}
    with served.client() as client:
        first = client.post("/v1/batches", json=body, headers={"Idempotency-Key": "day-1"})
        assert first.status_code == 202, first.text
        again = client.post("/v1/batches", json=body, headers={"Idempotency-Key": "day-1"})
        assert again.json()["id"] == first.json()["id"]
        assert until(lambda: released(client, first.json()))
        client.post("/v1/batches", json=body, headers={"Idempotency-Key": "day-1"})
        told = client.get(
            "/v1/shipments", params={"house_waybill": body["shipments"][0]["house_waybill"]}  # type: ignore[index]  # JSON
        ).json()["shipments"]  # fmt: skip
        assert [s["state"] for s in told] == ["released"]
        assert told[0]["receipts"][-1]["code"] == "11"
    assert served.arrivals("EXP301") == [1] * 6
    with Engine(settings.load(home=served.home)) as engine:
        assert engine.reconcile().differences == []


def test_parcels_of_one_master_waybill_may_come_one_by_one(served: Served) -> None:
    sent = of_one_master(5, seed=14)
    with served.client() as client:
        batches = []
        for parcel in sent:
            answer = client.post("/v1/batches", json={"submit": True, "shipments": [parcel]})
            assert answer.status_code == 202, answer.text
            batches.append(answer.json())
        assert until(lambda: all(released(client, batch) for batch in batches))
    assert served.arrivals("EXP301") == [1] * 5
    assert len(served.arrivals("EXP311")) == 5  # one that begins a manifest, others that add to it


def test_the_readme_script_sees_its_parcel_released(served: Served) -> None:
    script, parcel = ROOT / "fixtures/cli/post_a_parcel.py", ROOT / "fixtures/cli/parcel.json"
    done = subprocess.run(
        [sys.executable, str(script), served.address, served.key, str(parcel)], capture_output=True, text=True, check=False, timeout=90
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "released\n"), done.stderr
    assert served.arrivals("EXP301") == [1]


def test_it_ends_in_order_and_goes_on_after_a_restart(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    body = {"submit": True, "shipments": parcels(40, seed=12)}
    with served.client() as client:
        batch = client.post("/v1/batches", json=body, headers={"Idempotency-Key": "x"}).json()
    served.process.send_signal(signal.SIGTERM)
    _, errors = served.process.communicate(timeout=60)
    assert served.process.returncode == 0, errors
    assert errors == ""
    with Engine(settings.load(home=served.home)) as engine:
        assert "sending" not in engine.states([batch["id"]])
    with serving(served.home) as (address, _):
        served.address = address
        with served.client() as client:
            again = client.post("/v1/batches", json=body, headers={"Idempotency-Key": "x"})
            assert again.json()["id"] == batch["id"]
            assert until(lambda: released(client, batch))
    assert served.arrivals("EXP301") == [1] * 40


def test_the_desk_files_through_the_running_service(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    with Engine(settings.load(home=served.home)) as engine:
        batch = engine.prepare(parcels(3, seed=13), profile="demo").batch
        assert main(["submit", batch, "--yes", "--wait", "20", "--lang", "en"]) == 0
        shown = capsys.readouterr()
        assert "process that is running" in shown.err
        assert until(lambda: engine.states([batch]) == {"released": 3})
    assert served.arrivals("EXP301") == [1] * 3


def test_a_second_service_on_the_same_home_is_turned_away(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--port", "0", "--lang", "en"]) == 2
    said = capsys.readouterr().err
    assert "serve" in said
    assert str(served.process.pid) in said


def test_a_port_that_is_taken_is_one_clear_message(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["serve", "--port", str(taken.getsockname()[1]), "--lang", "zh"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "--port" in said[0]


@pytest.mark.parametrize("package", ["fastapi", "uvicorn"])
def test_a_missing_extra_is_one_line_naming_the_command(
    home: Path, package: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from importlib import util

    real = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name, *a: None if name == package else real(name, *a))  # fmt: skip
    assert main(["serve", "--lang", "en"]) == 2
    assert capsys.readouterr().err == f"this needs the package '{package}' → pip install 'crossborder[server]'\n"  # fmt: skip
