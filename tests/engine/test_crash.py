"""A crash while recording loses nothing and doubles nothing: the same file goes on in the same batch (promise P7).

Broken by: a block whose bytes and rows are not committed together, a second batch for the same file, or a batch
that can be submitted before it is sealed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import crossborder
from crossborder.engine import Engine, spool
from crossborder.errors import LedgerError
from crossborder.samples import Sample

from .crash_settings import SETTINGS
from .cutting import in_blocks
from .firm import changed, day, houses, put

CHILD = Path(__file__).with_name("crash_child.py")


def _twins() -> Sample:
    sample = changed(day(11), "gross_weight", {4: "abc"})
    for column in ("master_waybill", "house_waybill", "voyage"):
        sample = changed(sample, column, {9: sample.frames.shipments[column][1]})
    house = houses(sample)[9]
    return changed(sample, "house_waybill", {9: f"{house[:4]}-{house[4:]}"})


SAMPLE = _twins()
"""Shipment 4 is faulty, and 1 and 9 are the same house waybill: whoever sees 1 first prepares it."""
Whole = tuple[Path, dict[str, Any], int, int]


def child(home: Path, file: Path, at: int, size: int) -> subprocess.CompletedProcess[str]:
    """Prepare in a process of its own."""
    source = str(Path(crossborder.__file__).parents[1])
    return subprocess.run(
        [sys.executable, str(CHILD), str(home), str(file), str(at), str(size)],
        env={**os.environ, "PYTHONPATH": source}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def shape(engine: Engine) -> dict[str, Any]:
    """What must be the same however often recording was broken off."""
    ledger = engine.ledger
    attempts = ledger.attempts_in()
    return {
        "batches": [(b.state, b.recorded, b.rows, dict(b.counts)) for b in ledger.batches()],
        "shipments": [
            (s.position, s.shown_as, s.outcome, s.rows) for b in ledger.batches() for s in ledger.shipments_in(b.id)
        ],
        "attempts": sorted((a.kind, a.key, a.number, a.content_digest, a.live) for a in attempts),
        "houses": sorted((k, f.manifest_key) for k, f in ledger.manifested([a.key for a in attempts]).items()),
        "findings": sorted((f.rule, str(f.position)) for b in ledger.batches() for f in ledger.findings_of(b.id)),
        "not_manifested": [s.shown_as for s, _ in ledger.not_manifested([b.id for b in ledger.batches()])],
        "bytes": all(ledger.peek(a.draft) for a in attempts),
    }  # fmt: skip


@pytest.fixture(scope="module", params=[0, 3], ids=["whole", "blocks"])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """The file, what an undisturbed run leaves, how many points it passes, and the size of its blocks."""
    folder = tmp_path_factory.mktemp("whole")
    file = put(SAMPLE, folder / "day.csv")
    done = child(folder / "home", file, 0, request.param)
    assert done.returncode == 0, done.stderr
    with Engine(SETTINGS, home=folder / "home") as engine:
        found = shape(engine)
    assert found["bytes"]
    assert len(found["shipments"]) == 11
    assert found["batches"] == [
        ("sealed", 11, found["batches"][0][2], {"prepared": 8, "rejected": 3})
    ]
    return file, found, int(done.stdout.split()[1]), request.param


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(0.2, marks=pytest.mark.slow),
        0.5,
        pytest.param(0.75, marks=pytest.mark.slow),
        0.95,
    ],
)
def test_preparing_again_goes_on_in_the_same_batch(
    tmp_path: Path, whole: Whole, part: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, expected, points, size = whole
    home = tmp_path / "home"
    at = max(2, round(points * part))
    assert child(home, file, at, size).returncode == 9
    if size:
        in_blocks(monkeypatch, size)
        monkeypatch.setattr(spool, "LOT", 4)
        monkeypatch.setattr(spool, "MEMORY", 0)
    with Engine(SETTINGS, home=home) as engine:
        left = engine.ledger.batches()
        for batch in left:
            if batch.state == "recording":
                with pytest.raises(LedgerError):
                    engine.ledger.release([batch.id], "tester", _now(), {})
        done = engine.prepare(file, mapping="elements")
        found = shape(engine)
        names = [b.id for b in engine.ledger.batches()]
        assert engine.reconcile(ask_endpoints=False).differences == []
    assert not (home / "spool").exists()
    if len(names) == 1:
        assert found == expected
        assert not left or left[0].id == done.batch == names[0]
    else:  # it died after the seal: the second hand-in is one of what is already there
        assert left[0].state == "sealed"
        assert done.counts == {"already_filed": 8, "rejected": 3}
        assert live(found) == live(expected)


def live(found: dict[str, Any]) -> list[Any]:
    """Attempts that may be filed."""
    return [a for a in found["attempts"] if a[-1]]


@pytest.mark.slow
def test_at_every_single_point(tmp_path: Path, whole: Whole) -> None:
    file, expected, points, size = whole
    for at in range(1, points + 1):
        home = tmp_path / str(at)
        assert child(home, file, at, size).returncode == 9, at
        assert child(home, file, 0, size).returncode == 0, at
        with Engine(SETTINGS, home=home) as engine:
            found = shape(engine)
            proof = engine.reconcile(ask_endpoints=False)
        assert live(found) == live(expected), at
        assert found["houses"] == expected["houses"], at
        assert proof.differences == [], at
        assert len(found["batches"]) == 1 or found["batches"][0][0] == "sealed", at


def test_a_batch_half_recorded_is_not_waiting_to_be_filed(tmp_path: Path, whole: Whole) -> None:
    file, _, points, size = whole
    home = tmp_path / "home"
    assert child(home, file, points // 2, size).returncode == 9
    with Engine(SETTINGS, home=home) as engine:
        (batch,) = engine.ledger.batches()
        assert 0 < batch.recorded <= 11
        assert engine.waiting() == []
        account = engine.account()
        assert account["handed_in"][0] == sum(p[0] for n, p in account.items() if n != "handed_in")


def test_another_file_after_a_crash_is_a_batch_of_its_own_and_doubles_no_key(
    tmp_path: Path, whole: Whole
) -> None:
    file, _, points, size = whole
    home = tmp_path / "home"
    assert child(home, file, points // 2, size).returncode == 9
    other = put(changed(SAMPLE, "remarks", {8: "changed"}), tmp_path / "other.csv")
    with Engine(SETTINGS, home=home) as engine:
        done = engine.prepare(other, mapping="elements")
        keys = [a.key for a in engine.ledger.attempts_in(kind="declaration") if a.live]
        assert len(keys) == len(set(keys))
        assert sum(done.counts.values()) == 11
        first = engine.prepare(file, mapping="elements")
        assert first.batch != done.batch
        keys = [a.key for a in engine.ledger.attempts_in(kind="declaration") if a.live]
        assert len(keys) == len(set(keys)) == 8
        assert engine.reconcile(ask_endpoints=False).differences == []


def _now() -> Any:
    from crossborder import china_time

    return china_time.now()


def test_the_file_names_every_house(whole: Whole) -> None:
    assert [s[1] for s in whole[1]["shipments"]] == houses(SAMPLE)
