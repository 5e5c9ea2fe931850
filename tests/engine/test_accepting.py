"""`accept`: what waits for a person passes when a person says so, with the document made when it was recorded (P3, P4).

Broken by: a shipment that passes although another rule still holds it, a document composed a second time, one that is
filed twice or never, a rejection that is let pass, or a decision of which nobody can say who took it.
"""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from crossborder import settings
from crossborder.engine import Engine
from crossborder.errors import LedgerError, NotFound, PayloadErased
from crossborder.reports import write_report
from crossborder.rules import model, registry
from crossborder.samples import Sample
from crossborder.settings import Profile, Settings

from .cutting import in_blocks
from .firm import Firm, changed, day, endpoints, firm, houses

REASON = "seen the order, own use"
GUN = "合金仿真枪"


def strict(desk: Firm, *, rules: Mapping[str, str] | None = None, **options: str) -> Firm:
    """The firm with other settings of the rules."""
    demo = settings.find_profile(Settings(), "demo").model_dump()
    changes = {"options": {**demo["options"], **options}, "rules": dict(rules or {})}
    profile = Profile(**demo | changes)
    served = {n: e.model_copy(update={"profile": "strict"}) for n, e in endpoints(desk.sandbox).items()}  # fmt: skip
    desk.engine.close()
    desk.settings = Settings(profile="strict", profiles={"strict": profile}, endpoints=served)
    desk.engine = Engine(desk.settings, home=desk.home)
    return desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Firm]:
    """A firm that files nothing."""
    made = Firm(tmp_path, None)
    yield made
    made.engine.close()


def named(sample: Sample, values: dict[int, str]) -> Sample:
    """The sample with other goods names at some shipments."""
    return changed(sample, "name", dict(values), frame="goods")


def armed() -> Sample:
    """Eight parcels; 0 and 2 (class B) tell of arms (PRO-01)."""
    return named(day(8), {0: GUN, 2: GUN})


def outcomes(desk: Firm, batch: str) -> list[str]:
    return [s.outcome for s in desk.engine.ledger.shipments_in(batch)]


def documents(desk: Firm, batch: str) -> dict[str, bytes]:
    """House waybill → draft of its live declaration."""
    made = desk.engine.ledger.attempts_in(batch_ids=[batch], kind="declaration")
    return {a.house_waybill or "": desk.engine.ledger.peek(a.draft) for a in made if a.live}


def test_what_waits_for_the_accepted_rule_alone_is_prepared_and_filed(tmp_path: Path) -> None:
    sample = armed()
    held = {houses(sample)[n] for n in (0, 2)}
    with firm(tmp_path) as desk:
        done = desk.prepare(sample)
        assert done.counts == {"on_hold": 2, "prepared": 6}
        assert done.held == {"PRO-01": 2}
        (tmp_path / "day-1.csv").unlink()  # the same file is not there any more
        said = desk.engine.accept("pro-01", done.batch, reason=REASON, who="Li")
        assert (said.rule, said.waiting, said.prepared, said.staying, said.by) == ("PRO-01", 2, 2, 0, {})  # fmt: skip
        assert desk.lines(done.batch) == {"prepared": 8}
        desk.balanced(done.batch)
        desk.engine.submit([done.batch], wait=20)
        desk.settled()
        assert desk.lines(done.batch) == {"released": 8}
        assert {h for h, n in desk.arrivals().items() if n == 1} == set(houses(sample)) >= held
        desk.balanced(done.batch)


def test_the_document_is_the_one_that_prepare_would_have_made(tmp_path: Path) -> None:
    """Two firms, the same file: one lets pass what is held, for the other nothing is."""
    sample = armed()
    made = {}
    for name, word in (("held", GUN), ("plain", "玩具")):
        folder = tmp_path / name
        folder.mkdir()
        desk = Firm(folder, None)
        with desk.engine:
            batch = desk.prepare(named(day(8), {0: word, 2: word})).batch
            if name == "held":
                desk.engine.accept("PRO-01", batch, reason=REASON)
            made[name] = {
                house: _timeless(xml).replace(GUN, "玩具") for house, xml in documents(desk, batch).items()
            }  # fmt: skip
            listed = desk.engine.ledger.manifested([a.key for a in desk.engine.ledger.attempts_in(batch_ids=[batch])])  # fmt: skip
            assert len(listed) == 8
    assert made["held"] == made["plain"]
    assert len(made["held"]) == len(houses(sample))


def _timeless(xml: bytes) -> str:
    """A draft without its moments and ids."""
    text = xml.decode("utf-8")
    return re.sub(r"<(\w*:?)(DDate|send_time|message_id|file_name)>[^<]*<", r"<\1\2><", text)


def test_what_other_rules_hold_stays_and_the_answer_says_by_which(desk: Firm) -> None:
    strict(desk, resale_quantity="1")
    batch = desk.prepare(armed()).batch
    before = desk.engine.ledger.held_by([batch])[batch]
    assert before["CLS-17"] >= before["PRO-01"] == 2
    said = desk.engine.accept("PRO-01", batch, reason=REASON)
    assert (said.prepared, said.staying, said.by) == (0, 2, {"CLS-17": 2})
    assert [(shown, by) for shown, by in said.examples] == [(houses(armed())[n], ("CLS-17",)) for n in (0, 2)]  # fmt: skip
    assert outcomes(desk, batch).count("on_hold") == before["CLS-17"]
    then = desk.engine.accept("CLS-17", batch, reason="another reason", who="Wang")
    assert (then.prepared, then.staying) == (before["CLS-17"], 0)
    assert outcomes(desk, batch) == ["prepared"] * 8
    desk.balanced(batch)


def test_only_the_named_parcels_pass(desk: Firm) -> None:
    batch = desk.prepare(armed()).batch
    house = houses(armed())[2]
    said = desk.engine.accept("PRO-01", batch, waybills=[f" {house[:4]}-{house[4:]}".lower()], reason=REASON)  # fmt: skip
    assert (said.waiting, said.prepared) == (1, 1)
    assert [n for n, o in enumerate(outcomes(desk, batch)) if o == "on_hold"] == [0]
    with pytest.raises(NotFound, match="NOBODY"):
        desk.engine.accept("PRO-01", batch, waybills=["NOBODY"], reason=REASON)
    (told,) = desk.engine.acceptances([batch])
    assert told["shipments"] == [house]
    desk.balanced(batch)


def test_accepting_again_is_harmless(desk: Firm) -> None:
    batch = desk.prepare(armed()).batch
    desk.engine.accept("PRO-01", batch, reason=REASON)
    before, events = documents(desk, batch), desk.engine.ledger.high_water()
    again = desk.engine.accept("PRO-01", batch, reason="once more")
    assert (again.again, again.waiting, again.prepared, again.staying) == (True, 0, 0, 0)
    assert documents(desk, batch) == before
    assert desk.engine.ledger.high_water() == events
    assert [a["reason"] for a in desk.engine.acceptances([batch])] == [REASON]


def test_a_dry_run_changes_nothing(desk: Firm) -> None:
    batch = desk.prepare(armed()).batch
    events = desk.engine.ledger.high_water()
    said = desk.engine.accept("PRO-01", batch, reason=REASON, dry_run=True)
    assert (said.dry_run, said.waiting, said.prepared) == (True, 2, 2)
    assert outcomes(desk, batch).count("on_hold") == 2
    assert desk.engine.ledger.high_water() == events
    assert desk.engine.acceptances([batch]) == []


def test_a_rejection_is_never_accepted(desk: Firm) -> None:
    sample = changed(armed(), "gross_weight", {0: "0.001", 1: "0.001"})
    done = desk.prepare(sample)
    rejecting = next(f["rule"] for f in desk.findings(done, action="reject") if f["position"] == 1)
    with pytest.raises(LedgerError, match=f"{rejecting} rejects 2"):
        desk.engine.accept(rejecting, done.batch, reason=REASON)
    said = desk.engine.accept("PRO-01", done.batch, reason=REASON)
    assert (said.waiting, said.prepared) == (1, 1)  # shipment 0 is rejected beside
    assert [outcomes(desk, done.batch)[n] for n in (0, 1, 2)] == [
        "rejected",
        "rejected",
        "prepared",
    ]
    desk.balanced(done.batch)


@pytest.mark.parametrize(
    ("rule", "error", "words"),
    [("PRO-99", NotFound, "nearest: PRO-0"), ("CLS-17", LedgerError, r"no shipment waits for CLS-17.*PRO-01 \(2\)")],
)  # fmt: skip
def test_what_cannot_be_accepted_is_said(
    desk: Firm, rule: str, error: type[Exception], words: str
) -> None:
    batch = desk.prepare(armed()).batch
    with pytest.raises(error, match=words):
        desk.engine.accept(rule, batch, reason=REASON)
    with pytest.raises(LedgerError, match="reason"):
        desk.engine.accept("PRO-01", batch, reason="  ")
    with pytest.raises(NotFound, match="20990101-01"):
        desk.engine.accept("PRO-01", "20990101-01", reason=REASON)


def test_who_accepted_what_and_why_is_told(desk: Firm, tmp_path: Path) -> None:
    sample = armed()
    batch = desk.prepare(sample).batch
    asked = [a for a in desk.engine.report([batch]).attention if a["what"] == "on_hold"]
    assert [a["shipment"] for a in asked] == [batch]
    assert "PRO-01" in asked[0]["en"]
    assert "crossborder accept PRO-01" in asked[0]["zh"]
    desk.engine.accept("PRO-01", batch, reason=REASON, who="Li")
    (story,) = desk.engine.status(houses(sample)[0])
    assert story["state"] == "prepared"
    (told,) = story["accepted"]
    assert (told["rule"], told["who"], told["reason"], told["batch"]) == ("PRO-01", "Li", REASON, batch)  # fmt: skip
    assert any(line["what"] == "passed: on_hold → prepared" for line in story["timeline"])
    assert desk.engine.status(houses(sample)[1])[0]["accepted"] == []
    report = desk.engine.report([batch])
    assert not any(a["what"] == "on_hold" for a in report.attention)
    assert [(a["rule"], a["who"], a["reason"], a["passed"]) for a in report.accepted] == [("PRO-01", "Li", REASON, 2)]  # fmt: skip
    for name in ("report.html", "report.json", "report.xlsx"):
        write_report(report, tmp_path / name, "zh")
    assert REASON in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["accepted"][0]["who"] == "Li"  # fmt: skip


def test_what_waits_for_a_rate_passes_too(desk: Firm) -> None:
    """LIM-12 is told once for many parcels, and accepted for each of them."""
    strict(desk)
    profile = desk.settings.profiles["strict"].model_copy(update={"demo": False})
    desk.settings = desk.settings.model_copy(update={"profiles": {"strict": profile}})
    desk.engine = Engine(desk.settings, home=desk.home)
    done = desk.prepare(day(8))
    waits = done.counts["not_evaluated"]
    assert waits > 1
    said = desk.engine.accept("LIM-12", done.batch, reason="rates of the bank")
    assert (said.waiting, said.prepared) == (waits, waits)
    assert outcomes(desk, done.batch) == ["prepared"] * 8
    desk.balanced(done.batch)


@pytest.mark.parametrize("size", [0, 1, 3])
def test_however_the_file_was_read(desk: Firm, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In blocks, parcels of one person are recorded first and found to wait when the whole is known."""
    if size:
        in_blocks(monkeypatch, size)
    strict(desk, repeat_parcels="2")
    same = day(8).frames.shipments["party_id"][0]
    batch = desk.prepare(changed(armed(), "party_id", {4: same})).batch
    assert outcomes(desk, batch) == ["on_hold" if n in (0, 2, 4) else "prepared" for n in range(8)]
    said = desk.engine.accept("CLS-17", batch, reason=REASON)
    assert (said.waiting, said.prepared, said.by) == (2, 1, {"PRO-01": 1})
    desk.balanced(batch)
    said = desk.engine.accept("PRO-01", batch, reason=REASON)
    assert (said.prepared, said.staying) == (2, 0)
    assert outcomes(desk, batch) == ["prepared"] * 8
    assert len(documents(desk, batch)) == 8
    desk.balanced(batch)


def test_after_the_batch_was_submitted_they_go_with_the_next_submit(tmp_path: Path) -> None:
    with firm(tmp_path) as desk:
        batch = desk.flow(armed())
        assert desk.lines(batch) == {"on_hold": 2, "released": 6}
        desk.engine.accept("PRO-01", batch, reason=REASON)
        waits = [h for h in desk.engine.holdups([batch]) if h.what == "not_submitted"]
        assert [(h.batch, h.messages) for h in waits] == [(batch, 2)]
        assert sum(w.declarations for w in desk.engine.waiting()) == 2
        assert desk.engine.batch(batch)["settled"]  # nothing moves unless a person submits
        desk.engine.submit([batch], wait=20)
        desk.settled()
        assert desk.lines(batch) == {"released": 8}
        assert set(desk.arrivals().values()) == {1}
        assert desk.engine.holdups([batch]) == []
        desk.balanced(batch)


def test_the_same_file_again_finds_them_filed(desk: Firm) -> None:
    first = desk.prepare(armed()).batch
    second = desk.prepare(armed()).batch
    assert outcomes(desk, second).count("on_hold") == 2
    desk.engine.accept("PRO-01", first, reason=REASON)
    said = desk.engine.accept("PRO-01", second, reason=REASON)
    assert (said.prepared, said.already_filed, said.staying) == (0, 2, 0)
    third = desk.prepare(armed())
    assert third.counts == {"already_filed": 8}
    desk.balanced(first, second, third.batch)


def test_what_was_handed_in_otherwise_since_is_not_filed_as_it_was(desk: Firm) -> None:
    first = desk.prepare(armed()).batch
    second = desk.prepare(named(day(8), {0: "玩具", 2: "合金仿真枪模型"})).batch
    assert outcomes(desk, second).count("on_hold") == 1
    assert desk.engine.held() == {second: {"PRO-01": 1}}  # there a person decides
    said = desk.engine.accept("PRO-01", first, reason=REASON)
    assert (said.prepared, said.by) == (0, {"filed_otherwise": 1, "handed_in_later": 1})
    keys = [a.key for a in desk.engine.ledger.attempts_in(kind="declaration") if a.live]
    assert len(keys) == len(set(keys)) == 7
    desk.balanced(first, second)


def test_a_house_waybill_twice_in_a_batch_does_not_pass(
    desk: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule about repeated house waybills is in force from a day on; that a key is live once holds always."""
    rule = next(r for r in registry() if r.id == "EXP-48")
    later = dataclasses.replace(rule, effective_from="2099-01-01")
    monkeypatch.setitem(model._REGISTRY, rule.id, later)
    sample = armed()
    for column in ("master_waybill", "voyage"):
        sample = changed(sample, column, {2: sample.frames.shipments[column][0]})
    house = houses(sample)[0]
    sample = changed(sample, "house_waybill", {2: f"{house[:4]}-{house[4:]}"})
    batch = desk.prepare(sample).batch
    assert [n for n, o in enumerate(outcomes(desk, batch)) if o == "on_hold"] == [0, 2]
    said = desk.engine.accept("PRO-01", batch, reason=REASON)
    assert (said.prepared, said.by) == (0, {"repeated": 2})
    first = desk.engine.accept("PRO-01", batch, waybills=[house], reason=REASON)
    assert (first.prepared, first.by) == (0, {"repeated": 2})
    desk.balanced(batch)


def test_the_audit_knows_what_passed_and_finds_what_was_changed_since(desk: Firm) -> None:
    """The chain tells which document became an attempt; a changed outcome, link or document is found (P9)."""
    batch = desk.prepare(armed()).batch
    desk.engine.accept("PRO-01", batch, reason=REASON, who="Li")
    assert desk.engine.audit_verify().audit.faults == []
    (first, other) = [s for s in desk.engine.ledger.shipments_in(batch) if s.position in (0, 2)]
    damage = {
        "outcomes_differ": ("UPDATE shipments SET outcome = 'on_hold' WHERE id = {}", first.id),
        "block_differs": ("UPDATE shipments SET attempt_id = 999 WHERE id = {}", other.id),
        "bytes_differ": ("UPDATE attempts SET draft_digest = 'other' WHERE id = {}", first.attempt_id),
        "not_recorded": ("UPDATE events SET detail = json_remove(detail, '$.moved') WHERE verb = 'rule_accepted'", 0),
    }  # fmt: skip
    for fault, (sql, number) in damage.items():
        copy = desk.home.parent / fault
        shutil.copytree(desk.home, copy)
        with closing(sqlite3.connect(copy / "ledger.sqlite3")) as connection:
            for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():  # fmt: skip
                connection.execute(f"DROP TRIGGER {trigger}")
            connection.execute(sql.format(number))
            connection.commit()
        with Engine(desk.settings, home=copy) as engine:
            assert fault in {f.what for f in engine.audit_verify().audit.faults}, fault


def test_a_document_kept_for_a_held_shipment_is_in_the_chain(desk: Firm) -> None:
    desk.prepare(armed())
    assert desk.engine.audit_verify().audit.faults == []
    desk.engine.close()
    with closing(sqlite3.connect(desk.home / "ledger.sqlite3")) as connection:
        connection.execute("UPDATE held_drafts SET draft_digest = 'other'")
        connection.commit()
    with Engine(desk.settings, home=desk.home) as engine:
        assert {f.what for f in engine.audit_verify().audit.faults} == {"block_differs"}


def test_what_was_erased_cannot_be_let_pass(desk: Firm) -> None:
    batch = desk.prepare(armed()).batch
    desk.engine.erase([batch], reason="the partner asked for it", who="Li", force=True)
    with pytest.raises(PayloadErased, match="erased on"):
        desk.engine.accept("PRO-01", batch, reason=REASON)
    assert desk.lines(batch)["on_hold"] == 2
    desk.balanced(batch)
