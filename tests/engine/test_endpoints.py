"""Where a declaration goes, and what never leaves the house (promise P12).

Broken by: choosing an endpoint by anything but the longest prefix of DeclPort, or sending before every refusal was
looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from crossborder.engine import Engine
from crossborder.errors import LedgerError, NotFound, SettingsError, TransportError
from crossborder.filing import filing_lock
from crossborder.settings import Endpoint
from crossborder.transport import say

from .firm import FOLDER, HTTP, Firm, changed, day, endpoints, firm, houses, only


def states(desk: Firm) -> dict[str, int]:
    """Every attempt of the ledger by state."""
    found: dict[str, int] = {}
    for attempt in desk.engine.ledger.attempts_in():
        found[attempt.state] = found.get(attempt.state, 0) + 1
    return found


def with_endpoint(desk: Firm, name: str, changes: Mapping[str, Any]) -> Engine:
    """The firm's engine after one endpoint was set otherwise."""
    served = endpoints(desk.sandbox)
    served[name] = served[name].model_copy(update=dict(changes))
    return Engine(desk.settings.model_copy(update={"endpoints": served}), home=desk.home)


def test_the_port_of_declaration_chooses_the_endpoint(tmp_path: Path) -> None:
    sample = changed(day(8), "declaration_port", dict.fromkeys(range(0, 8, 2), "3101"))
    with firm(tmp_path) as desk:
        batch = desk.prepare(sample).batch
        found = {
            a["house_waybill"]: a["endpoint"]
            for a in desk.engine.attempts(batches=[batch])
            if a["house_waybill"]
        }
        expected = {h: FOLDER if n % 2 == 0 else HTTP for n, h in enumerate(houses(sample))}
        assert found == expected
        waiting = {w.endpoint: w.declarations for w in desk.engine.waiting([batch])}
        assert waiting == {HTTP: 4, FOLDER: 4}


def test_the_manifest_of_a_master_is_whole_at_the_endpoint_of_most_of_its_houses(
    tmp_path: Path,
) -> None:
    whole = day(9)
    masters = list(whole.frames.shipments["master_waybill"])
    mine = [n for n, m in enumerate(masters) if m == masters[0]]
    assert len(mine) > 2
    sample = changed(whole, "declaration_port", {mine[0]: "3101"})
    with firm(tmp_path) as desk:
        first = desk.prepare(only(sample, [n for n in range(9) if n != mine[1]])).batch
        made = [
            a
            for a in desk.engine.ledger.attempts_in(kind="manifest")
            if a.master_waybill == masters[0]
        ]
        assert [(a.endpoint, len(mine) - 1) for a in made] == [(HTTP, len(mine) - 1)]
        desk.engine.submit([first], wait=20)
        later = changed(sample, "declaration_port", {mine[1]: "3101"})
        second = desk.prepare(later).batch
        made = [
            a
            for a in desk.engine.ledger.attempts_in(kind="manifest")
            if a.master_waybill == masters[0]
        ]
        assert [a.endpoint for a in made] == [HTTP, HTTP]
        desk.engine.submit([second], wait=20)
        desk.settled()
        assert desk.lines(first, second) == {"already_filed": 8, "released": 9}
        assert desk.sandbox is not None
        at_ningbo = {m["house"] for m in desk.sandbox.account(FOLDER)["messages"]}
        assert at_ningbo == {houses(sample)[n] for n in mine[:2]}
        desk.balanced(first, second)


def test_both_endpoints_of_one_batch_receive_their_own(tmp_path: Path) -> None:
    with firm(tmp_path) as desk:
        first, second = desk.prepare(day(5, port="2901")), desk.prepare(day(5, seed=8, port="3101"))
        desk.engine.submit([first.batch, second.batch], wait=20)
        desk.settled()
        assert desk.sandbox is not None
        for name, sample in ((HTTP, day(5, port="2901")), (FOLDER, day(5, seed=8, port="3101"))):
            there = {m["house"] for m in desk.sandbox.account(name)["messages"] if m["house"]}
            assert there == set(houses(sample))
        assert desk.lines() == {"released": 10}


def test_a_district_nobody_serves_is_a_finding_and_goes_nowhere(tmp_path: Path) -> None:
    sample = changed(day(5), "declaration_port", {1: "5301"})
    with firm(tmp_path) as desk:
        done = desk.prepare(sample)
        assert done.counts == {"prepared": 4, "rejected": 1}
        told = desk.findings(done, shipment=houses(sample)[1], severity="reject")
        assert {f["element"] for f in told} == {"DeclPort"}
        desk.engine.submit([done.batch], wait=20)
        desk.settled()
        assert desk.lines(done.batch) == {"rejected": 1, "released": 4}
        assert houses(sample)[1] not in desk.arrivals()
        desk.balanced(done.batch)


def test_the_longest_prefix_wins(tmp_path: Path) -> None:
    served = endpoints(None) | {"yiwu": Endpoint(districts=("2924",), profile="demo")}
    sample = changed(day(5), "declaration_port", {2: "2924"})
    desk = Firm(tmp_path, None)
    desk.engine = Engine(desk.settings.model_copy(update={"endpoints": served}), home=desk.home)
    with desk.engine:
        batch = desk.prepare(sample).batch
        found = {a["house_waybill"]: a["endpoint"] for a in desk.engine.attempts(batches=[batch])}
        assert found[houses(sample)[2]] == "yiwu"
        assert found[houses(sample)[1]] == HTTP


def test_a_demonstration_firm_never_files_to_a_live_endpoint(tmp_path: Path) -> None:
    with firm(tmp_path) as desk:
        batch = desk.prepare(day(4)).batch
        before = states(desk)
        with (
            with_endpoint(desk, HTTP, {"kind": "live"}) as engine,
            pytest.raises(SettingsError, match="demonstration"),
        ):
            engine.submit([batch])
        assert states(desk) == before
        assert not desk.arrivals() + desk.arrivals("EXP311")
        assert desk.engine.ledger.get_fact("endpoint_kind") is None


def test_a_ledger_keeps_the_kind_it_first_filed_to(tmp_path: Path) -> None:
    with firm(tmp_path) as desk:
        desk.flow(day(4))
        later = desk.prepare(day(4, seed=8)).batch
        before = states(desk)
        firm_of_its_own = {
            "profile": "real",
            "profiles": {"real": desk.engine.profile("demo")[1].model_copy(update={"demo": False})},
            "endpoints": {
                n: e.model_copy(update={"kind": "live", "profile": ""})
                for n, e in endpoints(desk.sandbox).items()
            },
        }
        with Engine(desk.settings.model_copy(update=firm_of_its_own), home=desk.home) as engine:
            mine = engine.prepare(
                desk.file(day(4, seed=9)), mapping="elements", profile="real"
            ).batch
            with pytest.raises(LedgerError, match="sandbox"):
                engine.submit([mine])
        assert {s: n for s, n in states(desk).items() if s != "prepared"} == {
            s: n for s, n in before.items() if s != "prepared"
        }
        assert later


def test_an_endpoint_without_address_is_named_and_nothing_changes(tmp_path: Path) -> None:
    desk = Firm(tmp_path, None)
    with desk.engine:
        batch = desk.prepare(day(4)).batch
        before = states(desk)
        with pytest.raises(SettingsError) as told:
            desk.engine.submit([batch])
        assert told.value.place == "endpoints.hangzhou.address"
        assert "crossborder.toml" in told.value.text("en")
        assert states(desk) == before
        assert desk.engine.batch(batch)["submitted_at"] is None


def test_an_endpoint_that_wants_another_profile_refuses(tmp_path: Path) -> None:
    with firm(tmp_path) as desk:
        batch = desk.prepare(day(4)).batch
        before = states(desk)
        with (
            with_endpoint(desk, HTTP, {"profile": "ourfirm"}) as engine,
            pytest.raises(SettingsError, match="ourfirm"),
        ):
            engine.submit([batch])
        assert states(desk) == before
        assert not desk.arrivals("EXP311")


def test_an_unknown_batch_changes_nothing(tmp_path: Path) -> None:
    with firm(tmp_path) as desk:
        batch = desk.prepare(day(4)).batch
        before = states(desk)
        with pytest.raises(NotFound):
            desk.engine.submit([batch, "20200101-99"])
        assert states(desk) == before


def test_only_one_process_files_from_a_home(tmp_path: Path) -> None:
    with firm(tmp_path) as desk:
        batch = desk.prepare(day(4)).batch
        with filing_lock(desk.home, "serve"), pytest.raises(LedgerError, match="serve"):
            desk.engine.submit([batch])
        assert not desk.arrivals("EXP311")


def test_nothing_but_submit_sends(tmp_path: Path) -> None:
    with firm(tmp_path) as desk:
        batch = desk.prepare(day(4)).batch
        desk.engine.receive()
        desk.engine.waiting([batch])
        desk.engine.reconcile([batch])
        desk.engine.report([batch])
        desk.engine.export(batch, tmp_path / "out")
        assert not desk.arrivals() + desk.arrivals("EXP311")
        assert desk.lines(batch) == {"prepared": 4}


def test_submitting_again_sends_nothing_again(tmp_path: Path) -> None:
    with firm(tmp_path) as desk:
        batch = desk.flow(day(4))
        done = desk.engine.submit([batch], wait=1)
        assert done.states == {"released": 4}
        assert set((desk.arrivals() + desk.arrivals("EXP311")).values()) == {1}


def test_an_endpoint_that_is_down_leaves_its_rows_waiting_and_the_other_goes_on(
    tmp_path: Path,
) -> None:
    with firm(tmp_path) as desk:
        first, second = desk.prepare(day(5, port="2901")), desk.prepare(day(5, seed=8, port="3101"))
        with with_endpoint(
            desk, HTTP, {"address": "http://127.0.0.1:9/nobody", "account": ""}
        ) as engine:
            done = engine.submit([first.batch, second.batch], wait=2)
            assert done.needs_attention
        desk.settled()
        assert desk.lines(first.batch) == {"prepared": 5}
        assert desk.lines(second.batch) == {"released": 5}
        desk.engine.submit([first.batch], wait=20)
        desk.settled()
        assert desk.lines() == {"released": 10}
        assert set(desk.arrivals().values()) == {1}
        desk.balanced()


def test_an_endpoint_that_cannot_be_opened_stops_no_other(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    with firm(tmp_path) as desk:
        both = changed(day(6), "declaration_port", dict.fromkeys(range(0, 6, 2), "3101"))
        apart = [
            desk.prepare(day(4, port="2901", seed=9)),
            desk.prepare(day(5, seed=8, port="3101")),
        ]
        batches = [b.batch for b in (desk.prepare(both), *apart)]
        with with_endpoint(desk, FOLDER, {"address": str(gone), "account": ""}) as engine:
            done = engine.submit(batches, wait=1)
            assert done.needs_attention
            assert set(done.troubles) == {FOLDER}
            for lang, remedy in (("en", "create it"), ("zh", "请建立")):
                said = say(done.troubles[FOLDER], lang)
                assert all(part in said for part in ("endpoints.ningbo.address", str(gone), remedy))
            got = engine.receive()
            assert (got.counts["trouble"], set(got.troubles)) == (1, {FOLDER})
        desk.settled()
        assert desk.lines(batches[1]) == {"released": 4}
        assert desk.lines(batches[2]) == {"prepared": 5}
        desk.engine.submit(batches, wait=20)
        desk.settled()
        assert desk.lines() == {"released": 15}
        assert set((desk.arrivals() + desk.arrivals("EXP311")).values()) == {1}
        desk.balanced()


def test_where_no_endpoint_of_the_batches_can_be_opened_nothing_is_let_go(tmp_path: Path) -> None:
    gone = {"address": str(tmp_path / "gone"), "account": ""}
    with firm(tmp_path) as desk:
        near, far = desk.prepare(day(4)), desk.prepare(day(4, seed=8, port="3101"))
        before = states(desk)
        with with_endpoint(desk, FOLDER, gone) as engine:
            with pytest.raises(TransportError) as told:
                engine.submit([far.batch])
            assert told.value.place == "endpoints.ningbo.address"
            with pytest.raises(TransportError):
                engine.let_go(far.batch, "library")
        broken = endpoints(desk.sandbox)
        broken[FOLDER] = broken[FOLDER].model_copy(update=gone)
        broken[HTTP] = broken[HTTP].model_copy(update={"transport": "carrier-pigeon"})
        with Engine(
            desk.settings.model_copy(update={"endpoints": broken}), home=desk.home
        ) as engine:
            with pytest.raises(TransportError) as both:
                engine.submit([near.batch, far.batch])
            for place in ("endpoints.hangzhou.transport", "endpoints.ningbo.address"):
                assert place in both.value.text("en")
                assert place in both.value.text("zh")
        assert states(desk) == before
        assert desk.engine.batch(far.batch)["submitted_at"] is None
        assert desk.engine.ledger.get_fact("endpoint_kind") is None
        assert not desk.arrivals("EXP311")
