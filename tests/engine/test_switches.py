"""Switches of inferred rules, from the settings file to the batch: however the file is read, and said once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from crossborder.errors import SettingsError
from crossborder.samples import Sample

from .cutting import in_blocks
from .firm import Firm, changed, day, houses
from .test_accepting import strict


def heavy() -> Sample:
    """Seven parcels; of two the net weight is above the gross one (EXP-13)."""
    return changed(day(7), "net_weight", {1: "99", 5: "99"})


@pytest.mark.parametrize("size", [0, pytest.param(1, marks=pytest.mark.slow), 3])
def test_a_switch_reaches_the_batch_and_is_told_once(
    tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if size:
        in_blocks(monkeypatch, size)
    for grade, outcome in (
        ("reject", "rejected"),
        ("hold", "on_hold"),
        ("note", "prepared"),
        ("off", "prepared"),
    ):
        folder = tmp_path / grade
        folder.mkdir()
        desk = strict(Firm(folder, None), rules={"EXP-13": grade})
        with desk.engine:
            done = desk.prepare(heavy())
            assert Counter(s.outcome for s in desk.engine.ledger.shipments_in(done.batch))[outcome] >= 2  # fmt: skip
            assert desk.engine.ledger.shipments_in(done.batch)[1].outcome == outcome
            told = desk.findings(done, rule="EXP-13")
            if grade == "off":
                assert [(f["position"], f["severity"], f["action"]) for f in told] == [(None, "not_evaluated", "mark")]  # fmt: skip
                assert "EXP-13" in set(done.summary.unevaluated["rule"])
            else:
                assert [(f["position"], f["action"]) for f in told] == [(1, grade), (5, grade)]
            desk.balanced(done.batch)


@pytest.mark.parametrize("size", [0, 3])
def test_a_value_too_long_for_the_manifest_may_be_let_go_and_then_heads_the_report(
    tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EXP-40 is of the manifest: without it the declaration is made, and its house stands on no manifest, which is said."""
    if size:
        in_blocks(monkeypatch, size)
    long = changed(day(7), "gross_weight", {2: "12345678901234"})
    for grade in ("reject", "hold", "off"):
        folder = tmp_path / grade
        folder.mkdir()
        desk = strict(Firm(folder, None), rules={"EXP-40": grade})
        with desk.engine:
            done = desk.prepare(long)
            told = {
                f["action"] for f in desk.findings(done, rule="EXP-40") if f["position"] is not None
            }
            assert told == ({grade} if grade != "off" else set())
            assert houses(long)[2] in [
                m["shipment"] for m in desk.engine.not_manifested([done.batch])
            ]
            desk.balanced(done.batch)


def test_a_wrong_switch_stops_before_anything_is_recorded(tmp_path: Path) -> None:
    desk = strict(Firm(tmp_path, None), rules={"EXP-130": "off"})
    with desk.engine, pytest.raises(SettingsError, match="nearest: EXP-13"):
        desk.prepare(day(3))
    assert desk.engine.ledger.batches() == []
    desk.engine.close()
