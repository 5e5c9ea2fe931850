"""Whether a batch is settled, and what in it waits for a person: what a partner's program stops at.

Broken by: calling a batch settled while something of it moves, or never where only a person can move it.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crossborder import china_time
from crossborder.engine import outlook
from crossborder.sandbox import Faults

from .firm import HTTP, Firm, changed, day, ending, firm
from .test_endpoints import with_endpoint
from .test_holdups import lose_manifests, masters_of


def looked(desk: Firm, batch: str, minutes: float = 0) -> tuple[bool, dict[str, int]]:
    """`settled`, and what needs attention with its count, so many minutes from now."""
    found: dict[str, Any] = outlook.outlook(
        desk.engine.ledger, desk.engine.ledger.batch(batch), None, china_time.now() + timedelta(minutes=minutes)
    )  # fmt: skip
    for entry in found["needs_attention"]:
        assert entry["detail"] != entry["detail_zh"]
        assert batch not in entry["detail"]
    return found["settled"], {e["what"]: e["count"] for e in found["needs_attention"]}


def test_a_batch_is_settled_when_customs_has_decided_about_all_of_it(tmp_path: Path) -> None:
    with firm(tmp_path) as desk:
        batch = desk.prepare(day(6)).batch
        assert looked(desk, batch) == (True, {"not_submitted": 6 + len(set(masters_of()))})
        desk.engine.let_go(batch, "library")
        assert looked(desk, batch) == (False, {})
        desk.engine.submit([batch], wait=20)
        desk.settled()
        assert looked(desk, batch) == (True, {})
        told = desk.engine.batch(batch)
        assert (told["settled"], told["needs_attention"]) == (True, [])
        assert told["account"]["released"][0] == 6


def test_what_must_be_corrected_is_counted_and_does_not_keep_it_open(tmp_path: Path) -> None:
    sample = changed(ending(day(6), {0: "SF00", 1: "SBD1"}), "receiver_city", {5: "London"})
    with firm(tmp_path) as desk:
        batch = desk.flow(sample)
        assert looked(desk, batch) == (True, {"rejected": 1, "sent_back": 1, "platform_failed": 1})


def test_what_customs_has_not_decided_keeps_it_open(tmp_path: Path) -> None:
    with firm(tmp_path) as desk:
        batch = desk.flow(ending(day(4), {0: "SB05"}))
        assert looked(desk, batch) == (False, {"inspection": 1})


@pytest.mark.parametrize("fault", ["NN", "DN"])
def test_a_refused_manifest_waits_for_a_person(tmp_path: Path, fault: str) -> None:
    master = masters_of()[0]
    with firm(tmp_path, faults=Faults.parse(f"manifest:{master}={fault}")) as desk:
        batch = desk.flow(day(6), wait=30)
        assert looked(desk, batch) == (True, {"manifest_refused": masters_of().count(master)})


def test_a_manifest_that_is_never_answered_keeps_it_open(tmp_path: Path) -> None:
    with firm(tmp_path, faults=Faults.parse(f"manifest:{masters_of()[0]}=never")) as desk:
        batch = desk.prepare(day(6)).batch
        desk.engine.submit([batch], wait=1)
        assert looked(desk, batch) == (False, {})


def test_an_unknown_is_asked_for_before_it_waits_for_a_person(tmp_path: Path) -> None:
    with firm(tmp_path) as desk:
        batch = desk.prepare(day(6)).batch
        desk.engine.let_go(batch, "library")
        lose_manifests(desk)
        assert looked(desk, batch) == (False, {})
        assert looked(desk, batch, minutes=11) == (True, {"manifest_unknown": 6})


def test_an_endpoint_that_is_down_keeps_it_open(tmp_path: Path) -> None:
    with firm(tmp_path) as desk:
        batch = desk.prepare(day(4)).batch
        down = {"address": "http://127.0.0.1:9/nobody", "account": ""}
        with with_endpoint(desk, HTTP, down) as engine:
            engine.submit([batch], wait=0)
        assert looked(desk, batch, minutes=600) == (False, {})


def test_what_was_handed_in_before_and_never_filed_is_counted(tmp_path: Path) -> None:
    with firm(tmp_path) as desk:
        first, second = desk.prepare(day(4)).batch, desk.prepare(day(4)).batch
        assert looked(desk, second) == (True, {"already_filed_not_submitted": 4})
        assert desk.engine.batch(second)["already_filed_in"] == [
            {"batch": first, "submitted": False, "shipments": 4}
        ]
        desk.engine.submit([first], wait=20)
        assert looked(desk, second) == (True, {})
