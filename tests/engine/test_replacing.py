"""A manifest or a house waybill that the port refused can be corrected, and both messages then tell the same facts (P4).

Broken by: keeping a declaration that never left although its manifest is drawn anew from other weights, voiding one whose
content is the same or that has left, a moment at which a key has two live attempts, or a corrected hand-in that is given
up and takes the parcels with it.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from crossborder.engine import Engine, spool
from crossborder.ledger import Ledger
from crossborder.samples import Sample
from crossborder.sandbox import Faults
from crossborder.sandbox.faults import ManifestFault

from .crash_settings import SETTINGS
from .cutting import in_blocks
from .firm import Firm, changed, day, ending, firm, houses, put
from .test_crash import child

DAY = day(6)
MASTER = DAY.frames.shipments["master_waybill"][0]
MINE = [n for n, m in enumerate(DAY.frames.shipments["master_waybill"]) if m == MASTER]


def heavier(sample: Sample, ships: Sequence[int]) -> Sample:
    """The sample with more gross weight at some shipments, which is on both messages."""
    weights = sample.frames.shipments["gross_weight"]
    return changed(sample, "gross_weight", {n: format(Decimal(weights[n]) + 1, "f") for n in ships})


def weights(ledger: Ledger, message_type: str, node: str, house: str) -> dict[str, Decimal]:
    """House waybill → gross weight on the newest live messages of a type."""
    found: dict[str, Decimal] = {}
    for attempt in ledger.attempts_in():
        if attempt.message_type == message_type and attempt.live:
            document = etree.fromstring(ledger.peek(attempt.frozen or attempt.draft))
            for one in document.iter("{*}" + node):
                name = one.findtext("{*}" + house)
                found[str(name)] = Decimal(str(one.findtext("{*}GrossWt")))
    return found


def same_facts(ledger: Ledger) -> bool:
    """Whether every live declaration has the weight that stands on the newest live manifest of its house."""
    listed = weights(ledger, "EXP311", "ExpMftList", "AssBillNo")
    told = weights(ledger, "EXP301", "EntryHead", "AssBillNo")
    assert told
    return all(listed[house] == weight for house, weight in told.items())


def history(desk: Firm, house: str) -> list[tuple[int, str]]:
    """(number, state) of every attempt of a house waybill."""
    told = desk.engine.status(house)
    return [(one["number"], one["state"]) for one in told if one["number"]]


@pytest.mark.parametrize("fault", ["DN", "NN"])
@pytest.mark.parametrize("some", [MINE, MINE[:1]], ids=["all", "one"])
def test_a_refused_manifest_is_corrected_with_its_declarations(
    tmp_path: Path, fault: ManifestFault, some: list[int]
) -> None:
    faults: dict[str, ManifestFault] = {MASTER: fault}
    corrected = heavier(DAY, some)
    with firm(tmp_path, faults=Faults(manifests=faults)) as desk:
        first = desk.flow(DAY, wait=30)
        faults.clear()
        second = desk.prepare(corrected, who="Ms Wu")
        assert second.counts == {"already_filed": 6 - len(some), "prepared": len(some)}
        assert second.to_correct == 0
        assert same_facts(desk.engine.ledger)
        for n in MINE:
            told = [(1, "voided"), (2, "prepared")] if n in some else [(1, "awaiting_manifest")]
            assert history(desk, houses(DAY)[n]) == told
        (old, _) = desk.engine.ledger.attempts_of(houses(DAY)[some[0]])
        (event,) = [e for e in desk.engine.ledger.timeline(old.id) if e.verb == "replaced"]
        assert (event.who, event.from_state, event.to_state) == ("Ms Wu", "awaiting_manifest", "voided")  # fmt: skip
        assert "refused" in event.detail["reason"]
        desk.engine.submit([second.batch], wait=20)
        desk.settled()
        assert desk.lines(second.batch) == {"already_filed": 6 - len(some), "released": len(some)}
        assert desk.lines(first) == {
            "suspended_or_voided": len(some), "released": 6 - len(some),
        }  # fmt: skip
        assert desk.arrivals() == dict.fromkeys(houses(DAY), 1)
        assert same_facts(desk.engine.ledger)
        desk.balanced(first, second.batch)


def test_a_refused_house_is_corrected_on_an_appended_manifest(tmp_path: Path) -> None:
    sample = ending(DAY, {0: "SFNN"})
    with firm(tmp_path) as desk:
        first = desk.flow(sample, wait=30)
        second = desk.prepare(heavier(sample, [0]))
        assert second.counts == {"already_filed": 5, "prepared": 1}
        desk.engine.submit([second.batch], wait=20)
        desk.settled()
        assert history(desk, houses(sample)[0]) == [(1, "voided"), (2, "released")]
        assert same_facts(desk.engine.ledger)
        desk.balanced(first, second.batch)


def test_what_is_sent_again_already_is_not_replaced_once_more(tmp_path: Path) -> None:
    """The correction stands on a manifest that nobody has refused: that one would tell other facts."""
    faults: dict[str, ManifestFault] = {MASTER: "NN"}
    with firm(tmp_path, faults=Faults(manifests=faults)) as desk:
        desk.flow(DAY, wait=30)
        desk.prepare(heavier(DAY, MINE[:1]))
        third = desk.prepare(heavier(DAY, MINE))
        assert third.counts == {"already_filed": 7 - len(MINE), "rejected": len(MINE) - 1}
        assert same_facts(desk.engine.ledger)


def test_a_correction_that_is_faulty_itself_lets_nothing_go_with_the_old_facts(
    tmp_path: Path,
) -> None:
    faults: dict[str, ManifestFault] = {MASTER: "NN"}
    faulty = changed(heavier(DAY, MINE), "receiver_city", {0: "London"})
    with firm(tmp_path, faults=Faults(manifests=faults)) as desk:
        first = desk.flow(DAY, wait=30)
        faults.clear()
        second = desk.prepare(faulty)
        assert second.counts == {"already_filed": 3, "prepared": 2, "rejected": 1}
        assert not desk.findings(second, rule="INT-live-differs")
        desk.engine.submit([second.batch], wait=20)
        desk.settled()
        assert houses(DAY)[0] not in desk.arrivals()
        third = desk.prepare(heavier(DAY, MINE))
        assert third.counts == {"already_filed": 5, "prepared": 1}
        desk.engine.submit([third.batch], wait=20)
        desk.settled()
        assert desk.arrivals() == dict.fromkeys(houses(DAY), 1)
        desk.balanced(first, second.batch, third.batch)


def test_what_has_left_is_never_replaced(tmp_path: Path) -> None:
    with firm(tmp_path) as desk:
        desk.flow(DAY)
        again = desk.prepare(heavier(DAY, MINE))
        assert again.counts == {"already_filed": 3, "rejected": 3}
        assert all(number == 1 for n in MINE for number, _ in history(desk, houses(DAY)[n]))


# -- crashes


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the port has refused a manifest."""
    folder = tmp_path_factory.mktemp("refused")
    with firm(folder, faults=Faults(manifests={MASTER: "NN"})) as desk:
        desk.flow(DAY, wait=30)
    return folder / "home"


Facts = list[tuple[str, str, int, bool, bool]]


def facts(engine: Engine) -> Facts:
    """Attempts that were not given up with a batch, and the newest content of each key."""
    return sorted(
        (a.kind, a.key, a.number, a.live, a.state == "voided")
        for a in engine.ledger.attempts_in(kind="declaration")
    )


@pytest.mark.parametrize(
    "size", [0, pytest.param(2, marks=pytest.mark.slow)], ids=["whole", "blocks"]
)
@pytest.mark.parametrize(
    "part",
    [
        pytest.param(0.2, marks=pytest.mark.slow),
        0.45,
        pytest.param(0.7, marks=pytest.mark.slow),
        0.95,
    ],
)
def test_killed_while_replacing_it_goes_on_as_if_nothing_had_been(
    tmp_path: Path, refused: Path, part: float, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = put(heavier(DAY, MINE[:2]), tmp_path / "corrected.csv")
    expected, points = _undisturbed(refused, tmp_path / "calm", file, size)
    home = tmp_path / "home"
    shutil.copytree(refused, home)
    assert child(home, file, max(2, round(points * part)), size).returncode == 9
    with Engine(SETTINGS, home=home) as engine:
        keys = [a.key for a in engine.ledger.attempts_in(kind="declaration") if a.live]
        assert len(keys) == len(set(keys)) == 6
        assert engine.reconcile(ask_endpoints=False).differences == []
    if size:
        in_blocks(monkeypatch, size)
        monkeypatch.setattr(spool, "LOT", 4)
        monkeypatch.setattr(spool, "MEMORY", 0)
    with Engine(SETTINGS, home=home) as engine:
        engine.prepare(file, mapping="elements")
        assert facts(engine) == expected
        assert same_facts(engine.ledger)
        assert engine.reconcile(ask_endpoints=False).differences == []


def _undisturbed(refused: Path, home: Path, file: Path, size: int) -> tuple[Facts, int]:
    """What a run that nobody kills leaves, and how many points it passes."""
    shutil.copytree(refused, home)
    done = child(home, file, 0, size)
    assert done.returncode == 0, done.stderr
    with Engine(SETTINGS, home=home) as engine:
        return facts(engine), int(done.stdout.split()[1])


def test_what_a_broken_off_correction_replaced_stands_again_when_it_is_given_up(
    tmp_path: Path, refused: Path
) -> None:
    """Another file brings the same master waybill: the first correction can never be filed."""
    home = tmp_path / "home"
    shutil.copytree(refused, home)
    file = put(heavier(DAY, MINE), tmp_path / "corrected.csv")
    with Engine(SETTINGS, home=home) as engine:
        before = facts(engine)
    _, points = _undisturbed(refused, tmp_path / "calm", file, 2)
    assert child(home, file, round(points * 0.7), 2).returncode == 9
    with Engine(SETTINGS, home=home) as engine:
        assert facts(engine) != before
        other = put(DAY, tmp_path / "as-before.csv")
        again = engine.prepare(other, mapping="elements")
        assert again.counts == {"already_filed": 6}
        live = [
            (a.number, a.state) for a in engine.ledger.attempts_in(kind="declaration") if a.live
        ]
        assert sorted(set(live)) == [(1, "awaiting_manifest"), (1, "released")]
        assert same_facts(engine.ledger)
        assert engine.reconcile(ask_endpoints=False).differences == []
