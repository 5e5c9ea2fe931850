"""A hand-in comes to the same end however it is cut into blocks.

Broken by: a rule that compares only the shipments of one block, a manifest that is not whole, a count that is added up
twice, or a parcel that was prepared before its twin was seen and stays so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from lxml import etree

from crossborder import samples
from crossborder.engine import Engine
from crossborder.samples import Sample
from crossborder.settings import Settings

from .cutting import in_blocks
from .firm import changed, endpoints, put

SHIPMENTS = 160


def dirty_day(direction: str) -> Sample:
    """Every kind of dirt, and shipments that only together break a rule, far apart from each other."""
    sample = samples.compose(
        SHIPMENTS, 5, 0.5, direction, mapping="elements", districts=("2901", "3101")
    )
    party = sample.frames.shipments["party_id"].drop_nulls()[0]
    apart = dict.fromkeys(range(3, SHIPMENTS, 19), party)
    phones = dict.fromkeys(range(5, SHIPMENTS, 23), "13800138000")
    side = "receiver_phone" if direction == "I" else "sender_phone"
    sample = changed(changed(sample, "party_id", apart), side, phones)
    sample = changed(sample, "entry_exit_port", {30: "2233"})
    sample = changed(sample, "movement_date", {77: "20261124"})
    sample = changed(sample, "master_pieces", {80: "99999", 120: "1"})
    return changed(sample, "voyage", {60: None, 61: "ZZ 1"})


def recorded(engine: Engine, batch: str) -> dict[str, Any]:
    """What a hand-in came to, without ids, moments and what was voided on the way."""
    ledger = engine.ledger
    attempts = [a for a in ledger.attempts_in(batch_ids=[batch]) if a.live]
    bodies = {a.key: ledger.peek(a.draft) for a in attempts}
    return {
        "batch": (ledger.batch(batch).state, ledger.batch(batch).rows, dict(ledger.batch(batch).counts)),
        "shipments": [
            (s.position, s.key, s.shown_as, s.outcome, s.rows, s.direction, s.declaration_class)
            for s in ledger.shipments_in(batch)
        ],
        "findings": sorted(
            (f.position is None, f.position or 0, f.rule, f.severity, f.action, f.record)
            for f in ledger.findings_of(batch)
        ),
        "attempts": sorted((a.kind, a.key, a.number, a.endpoint, a.content_digest) for a in attempts),
        "documents": {key: data(body) for key, body in bodies.items()},
        "houses": sorted(
            (key, listed.manifest_key)
            for key, listed in ledger.manifested([a.key for a in attempts]).items()
        ),
        "left_out": sorted((s.position, why) for s, why in ledger.not_manifested([batch])),
    }  # fmt: skip


def data(body: bytes) -> bytes:
    """A document without its envelope and DDate."""
    (found,) = etree.fromstring(body).iterfind(".//{*}Data")
    for moment in found.iterfind(".//{*}DDate"):
        moment.text = ""
    return etree.tostring(found, method="c14n")


def hand_in(home: Path, file: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """(what was recorded, what was answered) of a hand-in in an empty ledger."""
    with Engine(Settings(profile="demo", endpoints=endpoints(None)), home=home) as engine:
        done = engine.prepare(file, mapping="elements")
        answer = done.as_json() | {"batch": None, "by_rule": by_rule(done.summary.by_rule)}
        found = recorded(engine, done.batch)
        assert engine.reconcile(ask_endpoints=False).differences == []
        account = engine.account([done.batch])
        assert account["handed_in"][0] == sum(p[0] for n, p in account.items() if n != "handed_in")
        assert account["suspended_or_voided"] == (0, 0)
    assert not list(home.glob("spool*"))
    return found, answer


def by_rule(frame: pl.DataFrame) -> set[tuple[Any, ...]]:
    """Findings by rule, without what depends on how they were counted."""
    return set(frame.select("what", "rule", "count").iter_rows())


@pytest.fixture(scope="module", params=["I", "E"])
def whole(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any], dict[str, Any]]:
    """A file and what it comes to in one piece."""
    folder = tmp_path_factory.mktemp("whole")
    file = put(dirty_day(request.param), folder / "day.csv")
    return file, *hand_in(folder / "home", file)


def test_the_day_has_what_only_the_whole_shows(
    whole: tuple[Path, dict[str, Any], dict[str, Any]],
) -> None:
    """Otherwise the next test would prove little."""
    _, found, answer = whole
    rules = {f[2] for f in found["findings"]}
    assert {"EXP-48", "CLS-17", "ID-07", "EXP-40", "EXP-36", "MFT-02"} <= rules
    assert any(f[0] and f[2].startswith("COD-") for f in found["findings"])
    assert min(answer["outcomes"][o] for o in ("prepared", "rejected")) > 0
    assert any(f[2:5] == ("CLS-17", "warn", "hold") for f in found["findings"])
    assert found["left_out"]


@pytest.mark.parametrize("size", [pytest.param(1, marks=pytest.mark.slow), 7, 50])
def test_the_end_does_not_depend_on_the_size_of_blocks(
    size: int, whole: tuple[Path, dict[str, Any], dict[str, Any]], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    file, expected, answer = whole
    in_blocks(monkeypatch, size)
    found, said = hand_in(tmp_path / "home", file)
    for name, value in expected.items():
        assert found[name] == value, name
    assert said == answer
