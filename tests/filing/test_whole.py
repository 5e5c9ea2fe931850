"""All jobs together, with threads: queue, send, resolve, fetch, read; over a gateway that misbehaves."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from crossborder import china_time
from crossborder.filing import EndpointPolicy, Tally, drain, endpoint_jobs, queue_job, read_job
from crossborder.ledger import ReadLot, StoredLot, Unread
from crossborder.ledger.lots import NOTHING
from crossborder.settings import Endpoint, Secret
from crossborder.testing import Fault, Gateway, ImportClient
from crossborder.transport import say

from .office import Office, message_id, stamp


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    made = Gateway()
    yield made
    made.stop()


def endpoint(gateway: Gateway, **changed: object) -> Endpoint:
    settings = {
        "address": gateway.address, "workers": 3, "lot": 4, "settle_seconds": 0.01, "retry_seconds": 0.02,
        "poll_seconds": 0.05, "timeout_seconds": 20,
    }  # fmt: skip
    return Endpoint.model_validate(settings | changed)


def all_unreadable(items: StoredLot) -> ReadLot:
    return ReadLot(NOTHING, [Unread(item.id, None, "not read in this test") for item in items])


class Run:
    def __init__(self, office: Office, settings: Endpoint) -> None:
        self.office, self.stop, self.tally = office, threading.Event(), Tally()
        ledger, stop, tally = office.ledger, self.stop, self.tally
        self.jobs = [
            queue_job(ledger, stamp, message_id, stop=stop, tally=tally),
            read_job(ledger, all_unreadable, lambda now: 0, stop=stop, tally=tally),
            *endpoint_jobs(ledger, "hangzhou", settings, stop=stop, tally=tally),
        ]

    def all_sent(self) -> bool:
        return not any(self.office.ledger.pending(["hangzhou"]).values())


def test_every_message_once_however_the_gateway_behaves(office: Office, gateway: Gateway) -> None:
    draw = random.Random(20261123)
    kinds: list[Fault] = [
        "",
        "drop_before",
        "drop_after",
        "error_before",
        "error_after",
        "nonsense",
    ]
    gateway.misbehave(iter(draw.choices(kinds, weights=[5, 1, 1, 1, 1, 1], k=80)))
    office.prepare(60)
    for number in range(30):
        gateway.leave_receipt(f"{number:02}.xml", b"<Package>%d</Package>" % number)
    run = Run(office, endpoint(gateway))
    assert drain(run.jobs, finished=run.all_sent) == "finished"
    assert office.states() == {"sent": 60}
    taken = gateway.taken
    assert set(taken) == {row[0] for row in office.rows("message_id")}
    assert {t.arrivals for t in taken.values()} == {1}
    assert run.tally.counts["unknown"] >= 10
    assert run.tally.counts["looked_up"] >= run.tally.counts["unknown"]


def test_receipts_are_fetched_read_and_acknowledged(office: Office, gateway: Gateway) -> None:
    for number in range(450):
        gateway.leave_receipt(f"{number:03}.xml", b"<Package>%d</Package>" % number)
    run = Run(office, endpoint(gateway))
    assert drain(run.jobs, until_idle=True) == "finished"
    assert run.tally.counts["receipts"] == run.tally.counts["unreadable"] == 450
    assert len(gateway.acknowledged) == 450


def test_an_endpoint_that_is_down_ends_the_round_and_is_named(
    office: Office, gateway: Gateway
) -> None:
    office.prepare(5)
    run = Run(office, endpoint(gateway, retry_seconds=60))
    gateway.stop()
    assert drain(run.jobs, until_idle=True) == "finished"
    assert set(office.states()) <= {"queued", "not_received"}
    assert run.tally.troubles["hangzhou"].startswith("connect_failed")
    gateway.start()
    office.now = china_time.now()
    with office.ledger.write() as connection:
        connection.exec_driver_sql("UPDATE attempts SET retry_at = queued_at")  # a minute later
    again = Run(office, endpoint(gateway))
    assert drain(again.jobs, finished=again.all_sent) == "finished"
    assert {t.arrivals for t in gateway.taken.values()} == {1}
    assert len(gateway.taken) == 5


def test_ctrl_c_leaves_nothing_half_done(office: Office, gateway: Gateway) -> None:
    office.prepare(60)
    run = Run(office, endpoint(gateway, workers=2))

    def pressed() -> bool:
        if len(gateway.taken) >= 7:
            raise KeyboardInterrupt
        return False

    with pytest.raises(KeyboardInterrupt):
        drain(run.jobs, finished=pressed, rest=0.001)
    states = office.states()
    assert set(states) <= {"sent", "queued", "not_received", "prepared"}
    assert states["sent"] == len(gateway.taken)
    again = Run(office, endpoint(gateway))
    assert drain(again.jobs, finished=again.all_sent) == "finished"
    assert {t.arrivals for t in gateway.taken.values()} == {1}
    assert len(gateway.taken) == 60


def test_folders_too(office: Office, tmp_path: Path) -> None:
    client = ImportClient(tmp_path / "client")
    office.prepare(20)
    settings = Endpoint(transport="folder", address=str(client.folder), workers=2)
    run = Run(office, settings)
    client.leave_receipt("r.xml", b"<Package></Package>")
    assert drain(run.jobs, until_idle=True) == "finished"
    assert office.states() == {"sent": 20}
    assert len(client.take()) == 20
    assert [p.name for p in (client.folder / "InBox" / "done").iterdir()] == ["r.xml"]


def test_settings_that_cannot_work_are_a_trouble_and_what_they_hold_waits(office: Office) -> None:
    office.prepare(3)
    for broken, place in (
        (Endpoint(address="nonsense"), "endpoints.hangzhou.address"),
        (Endpoint(transport="folder", address="nowhere"), "endpoints.hangzhou.address"),
        (Endpoint(transport="carrier-pigeon"), "endpoints.hangzhou.transport"),
        (Endpoint(address="http://gateway.test", token=Secret(env="NOT_SET_ANYWHERE")), "NOT_SET_ANYWHERE"),
    ):  # fmt: skip
        run = Run(office, broken)
        assert drain(run.jobs, until_idle=True) == "finished"
        said = run.tally.troubles["hangzhou"]
        assert said.startswith("cannot_open: ")
        assert place in say(said, "zh")
        assert place in say(said, "en")
        assert say(said, "zh") != say(said, "en")
        assert set(office.states()) <= {"queued", "not_received"}


def test_a_folder_that_comes_back_is_opened_and_what_waited_goes(
    office: Office, tmp_path: Path
) -> None:
    office.prepare(4)
    late = tmp_path / "client"
    settings = Endpoint(
        transport="folder", address=str(late), retry_seconds=0.01, poll_seconds=0.01
    )
    run = Run(office, settings)

    def all_sent() -> bool:
        if "hangzhou" in run.tally.troubles:
            late.mkdir(exist_ok=True)
        return run.all_sent()

    assert drain(run.jobs, finished=all_sent, rest=0.01) == "finished"
    assert office.states() == {"sent": 4}
    assert len(list((late / "OutBox").glob("*.xml"))) == 4


def test_a_lease_is_always_longer_than_a_try() -> None:
    policy = EndpointPolicy.of(Endpoint(timeout_seconds=300, lease_seconds=1))
    assert policy.lease - policy.longest == timedelta(seconds=300)
    assert EndpointPolicy.of(Endpoint()).lease == timedelta(seconds=120)
