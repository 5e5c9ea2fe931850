"""What stands beside the account: what holds declarations up, why, and what to do.

Broken by: leaving out what became of a manifest, naming receipts that cannot come, or a batch that is not the one
to be submitted.
"""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from crossborder import china_time, messages
from crossborder.engine import Holdup, filing
from crossborder.filing import Tally, drain, queue_job
from crossborder.reconcile.causes import CAUSES
from crossborder.reports import LABELS
from crossborder.sandbox import Faults

from .firm import HTTP, Firm, day, ending, firm, only
from .test_endpoints import with_endpoint


def by_cause(desk: Firm, *batches: str) -> dict[str, Holdup]:
    """The hold-ups of batches, each cause once."""
    found = desk.engine.holdups(batches)
    named = {holdup.what: holdup for holdup in found}
    assert len(named) == len(found)
    return named


def masters_of(count: int = 6) -> list[str]:
    return list(day(count).frames.shipments["master_waybill"])


def segment(desk: Firm) -> Path:
    (found,) = (desk.home / "payload").glob("*.seg")
    return found


def test_a_batch_nobody_let_go_is_named_with_the_command(tmp_path: Path) -> None:
    with firm(tmp_path) as desk:
        batch = desk.prepare(day(6)).batch
        held = by_cause(desk)
        assert list(held) == ["not_submitted"]
        assert held["not_submitted"].messages == 6 + len(set(masters_of()))
        assert held["not_submitted"].remedy("en") == f"run crossborder submit {batch}"
        (row,) = desk.engine.report([batch]).attention
        assert (row["what"], row["shipment"]) == ("not_submitted", batch)
        assert f"crossborder submit {batch}" in row["zh"]
        desk.engine.submit([batch], wait=20)
        desk.settled()
        assert desk.engine.holdups() == []
        assert desk.engine.report([batch]).attention == []


def test_damaged_bytes_are_the_cause_and_putting_them_back_the_remedy(tmp_path: Path) -> None:
    with firm(tmp_path) as desk:
        batch = desk.prepare(day(6)).batch
        good = segment(desk).read_bytes()
        segment(desk).write_bytes(good[:10])
        done = desk.engine.submit([batch], wait=0)
        manifests = len(set(masters_of()))
        assert done.manifests == {"suspended": manifests}
        (held,) = done.holdups
        assert (held.what, held.messages, held.waiting) == ("manifest_damaged", manifests, 6)
        assert held.person
        assert done.needs_attention
        assert "bytes are damaged" in held.cause("en")
        assert "已损坏" in held.cause("zh")
        for lang in ("en", "zh"):
            assert "payload/" in held.remedy(lang)
            assert f"crossborder submit {batch}" in held.remedy(lang)
        rows = desk.engine.report([batch]).attention
        assert [r["what"] for r in rows] == ["manifest_damaged"] + ["suspended"] * manifests
        assert all("payload/" in r["en"] and "payload/" in r["zh"] for r in rows)
        assert "6 declarations wait" in rows[0]["en"]
        differences = desk.engine.reconcile([batch]).differences
        assert {d["what"] for d in differences} == {"payload_damaged"}

        segment(desk).write_bytes(good)
        desk.engine.submit([batch], wait=20)
        desk.settled()
        assert desk.lines(batch) == {"released": 6}
        assert set((desk.arrivals() + desk.arrivals("EXP311")).values()) == {1}
        assert desk.engine.holdups() == []
        desk.balanced(batch)


def test_what_became_of_manifests_stands_beside_the_account(tmp_path: Path) -> None:
    """An endpoint that takes manifests and never answers: no shipment is unknown, but every manifest is."""
    with firm(tmp_path, settle_seconds=600) as desk:
        batch = desk.prepare(day(6)).batch
        desk.engine.let_go(batch, "library")
        lose_manifests(desk)
        assert desk.lines(batch) == {"prepared": 6}
        (held,) = desk.engine.holdups([batch])
        assert (held.what, held.waiting, held.endpoint) == ("manifest_unknown", 6, HTTP)
        assert set(held.masters) == set(masters_of())
        proof = desk.engine.reconcile([batch], ask_endpoints=False)
        assert proof.holdups == [held]
        assert proof.as_json()["holdups"] == [held.as_dict()]
        assert "crossborder resolve" in held.remedy("zh")


def lose_manifests(desk: Firm) -> None:
    """Send what may go now, which are manifests, and lose every answer."""
    ledger, now = desk.engine.ledger, china_time.now()
    ids = filing._Ids(ledger, desk.settings)
    queued = queue_job(ledger, messages.stamp, ids, stop=threading.Event(), tally=Tally())
    drain([queued], until_idle=True)
    for out in ledger.claim(HTTP, ledger.owner, 100, now, timedelta(seconds=120)):
        assert out.message_type == "EXP311"
        ledger.record_outcome(out.attempt_id, "unknown", "no_answer", now, ledger.owner)


@pytest.mark.parametrize("fault", ["NN", "DN"])
def test_a_refused_manifest_is_named_until_it_is_repaired(tmp_path: Path, fault: str) -> None:
    sample, master = day(6), masters_of()[0]
    faults = Faults.parse(f"manifest:{master}={fault}")
    with firm(tmp_path, faults=faults) as desk:
        first = desk.flow(sample, wait=30)
        held = by_cause(desk, first)
        assert list(held) == ["manifest_refused"]
        assert held["manifest_refused"].masters == (master,)
        assert held["manifest_refused"].waiting == masters_of().count(master)
        assert f"crossborder status {master}" in held["manifest_refused"].remedy("en")
        faults.manifests.clear()
        second = desk.prepare(sample).batch
        desk.engine.submit([second], wait=20)
        desk.settled()
        assert desk.engine.holdups([first, second]) == []


def test_a_house_refused_on_an_accepted_manifest_is_named(tmp_path: Path) -> None:
    with firm(tmp_path) as desk:
        batch = desk.flow(ending(day(6), {0: "SBNN"}), wait=30)
        (held,) = desk.engine.holdups([batch])
        assert (held.what, held.messages, held.waiting) == ("house_refused", 1, 1)
        assert held.person


def test_the_batch_that_holds_the_part_before_is_to_be_submitted_first(tmp_path: Path) -> None:
    sample = day(6)
    mine = [n for n, m in enumerate(masters_of()) if m == masters_of()[0]]
    with firm(tmp_path) as desk:
        first = desk.prepare(only(sample, mine[:1])).batch
        second = desk.prepare(only(sample, mine)).batch
        done = desk.engine.submit([second], wait=0)
        assert done.awaiting == len(mine) - 1
        held = {holdup.what: holdup for holdup in done.holdups}["manifest_not_submitted"]
        assert (held.batch, held.waiting, held.waiting_in) == (first, len(mine) - 1, (second,))
        assert (
            held.remedy("en")
            == f"run crossborder submit {first} first, then crossborder submit {second}"
        )
        assert first in held.remedy("zh")
        desk.engine.submit([first], wait=20)
        desk.engine.submit([second], wait=20)
        desk.settled()
        assert desk.lines(first, second)["released"] == len(mine)
        assert desk.engine.holdups([first, second]) == []


def test_what_an_endpoint_does_not_take_waits_for_nobody_but_the_endpoint(tmp_path: Path) -> None:
    with firm(tmp_path) as desk:
        batch = desk.prepare(day(4)).batch
        down = {"address": "http://127.0.0.1:9/nobody", "account": ""}
        with with_endpoint(desk, HTTP, down) as engine:
            done = engine.submit([batch], wait=0)
        (held,) = done.holdups
        assert (held.what, held.person, held.waiting) == ("manifest_not_sent", False, 4)
        assert f"run crossborder submit {batch} again" in held.remedy("en")
        assert not [r for r in desk.engine.report([batch]).attention if r["what"] == held.what]


def test_every_cause_has_words_and_what_a_person_must_do_has_a_label() -> None:
    for name, cause in CAUSES.items():
        assert cause.zh != cause.en
        assert cause.fix_zh != cause.fix_en
        if cause.person and not name.startswith("declaration_"):
            assert name in LABELS
