"""Against facades: a hole cut into the engine is seen by the simulated port, and a lost declaration by the account.

Broken by: a sandbox that believes what the engine believes, or a reconcile that does not ask the other side.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossborder import messages, schema
from crossborder.cli import demo
from crossborder.transport import HttpTransport, Outgoing, Submitted

from .firm import Firm, changed, day, firm, houses


@pytest.fixture
def blind_to(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """(element, need) of filling rules that the engine no longer knows; the port's own stay as they are."""
    forgotten: list[tuple[str, str]] = []
    known = schema.filling

    def filling(message: str) -> tuple[schema.FillingRow, ...]:
        return tuple(row for row in known(message) if (row.element, row.need) not in forgotten)

    monkeypatch.setattr(schema, "filling", filling)
    messages.compile_plan.cache_clear()
    yield forgotten
    messages.compile_plan.cache_clear()


# element, what the rule says of it, the column that breaks it, the class it concerns, the value
HOLES = [
    ("SendId", "R", "party_id", "B", None),
    ("SendIdType", "E", "party_id_type", "C", "1"),
    ("TradeCo", "R", "trading_company_code", "C", None),
    ("TransMode", "E", "delivery_terms", "B", "1"),
    ("TradeMode", "R", "supervision_mode", "C", None),
    ("VoyageNo", "R", "voyage", "B", None),
    ("ReceiveTelNo", "R", "receiver_phone", "C", None),
]


@pytest.mark.parametrize(
    ("element", "need", "column", "kind", "value"), HOLES, ids=[f"{h[0]}-{h[1]}" for h in HOLES]
)
def test_a_filling_rule_cut_out_of_the_engine_is_refused_by_the_port(
    tmp_path: Path, blind_to: list[tuple[str, str]], element: str, need: str, column: str, kind: str, value: str | None
) -> None:  # fmt: skip
    whole = day(12, seed=3)
    at = list(whole.frames.shipments["declaration_class"]).index(kind)
    sample = changed(whole, column, {at: value})
    house = houses(sample)[at]
    with firm(tmp_path, manifest=False, manifest_first=False) as desk:
        refused = desk.engine.check(desk.file(sample), mapping="elements")
        assert house in refused.rejected["house_waybill"], (
            "the rule is there as long as nobody cuts it out"
        )
        blind_to.append((element, need))
        messages.compile_plan.cache_clear()
        done = desk.prepare(sample)
        assert house not in desk.houses_that_are(done, "rejected"), "the hole is there"
        desk.engine.submit([done.batch], wait=20)
        desk.settled()
        states = desk.states(done.batch)
        assert states.pop(house) == "platform_failed"
        assert set(states.values()) == {"released"}
        (told,) = desk.engine.status(house)
        assert [r["code"] for r in told["receipts"]] == ["D1"]
        assert element in told["receipts"][0]["notes"]


class Dropping(HttpTransport):
    """Says `received` of one declaration and never sends it."""

    house = ""

    def submit(self, message: Outgoing) -> Submitted:
        """Everything but the one."""
        if message.message_type == "EXP301" and f"|{self.house}|" in message.key:
            return Submitted("received")
        return super().submit(message)


def test_a_declaration_lost_on_the_way_is_the_one_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = day(8)
    lost = houses(sample)[3]
    monkeypatch.setattr(Dropping, "house", lost)
    monkeypatch.setattr("crossborder.transport.open.HttpTransport", Dropping)
    with firm(tmp_path) as desk:
        batch = desk.flow(sample)
        assert desk.lines(batch) == {"released": 7, "in_flight": 1}
        (difference,) = desk.engine.reconcile([batch]).differences
        assert difference["what"] == "lost"
        assert lost in difference["where"]
        assert desk.arrivals() == {h: 1 for h in houses(sample) if h != lost}


def test_a_declaration_only_the_port_knows_is_a_difference(tmp_path: Path) -> None:
    with firm(tmp_path) as desk:
        batch = desk.flow(day(4))
        other = Firm(tmp_path / "second", desk.sandbox)
        other.folder.mkdir()
        with other.engine:
            other.engine.ledger.reserve_serials(1000)  # one sender in two homes: ids must differ
            mine = other.flow(day(3, seed=8))
            assert other.lines(mine) == {"released": 3}
        strange = desk.engine.reconcile([batch]).differences
        assert {d["what"] for d in strange} == {"not_ours"}
        assert len(strange) == 3 + len(set(day(3, seed=8).frames.shipments["master_waybill"]))


def test_a_second_arrival_is_a_difference(tmp_path: Path) -> None:
    class Twice(HttpTransport):
        """Sends one declaration twice."""

        def submit(self, message: Outgoing) -> Submitted:
            if f"|{houses(day(4))[0]}|" in message.key:
                super().submit(message)
            return super().submit(message)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("crossborder.transport.open.HttpTransport", Twice)
        with firm(tmp_path) as desk:
            batch = desk.flow(day(4))
            (difference,) = desk.engine.reconcile([batch]).differences
            assert difference["what"] == "arrived_twice"
            assert houses(day(4))[0] in difference["where"]


def test_the_demonstration_ends_with_1_if_a_declaration_was_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One declaration is dropped between ledger and port: `demo` says so, and only so."""
    dropped: list[str] = []

    class Losing(HttpTransport):
        def submit(self, message: Outgoing) -> Submitted:
            if message.message_type == "EXP301" and not dropped:
                dropped.append(message.key)
                return Submitted("received")
            return super().submit(message)

    monkeypatch.setattr("crossborder.transport.open.HttpTransport", Losing)
    assert demo.run_demo(40, 1, tmp_path / "demo", as_json=True) == 1
    answer = json.loads(capsys.readouterr().out)
    (difference,) = answer["differences"]
    assert difference["what"] == "lost"
    assert dropped[0] in difference["where"]


def test_the_demonstration_ends_with_0_if_nothing_was_dropped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert demo.run_demo(40, 1, tmp_path / "demo", as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["differences"] == []
