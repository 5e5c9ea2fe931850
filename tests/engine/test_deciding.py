"""Suspending, resuming, voiding, and letting be filed again, from a file to customs' decision; the account closes each time.

Broken by: sending what is suspended, leaving a key taken by what was voided, a manifest that nobody makes again, or freeing
a key that customs has not left to a person.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from crossborder import resources
from crossborder.engine import Ruled
from crossborder.engine.deciding import WHY, persons_codes
from crossborder.errors import LedgerError, NotFound
from crossborder.ledger import Ruling
from crossborder.ledger import verbs as of_ledger

from .firm import Firm, changed, day, ending, firm, houses

WHY_ = "the desk decided so"


def finished(desk: Firm, *batches: str) -> None:
    """Everything is accounted for, the port agrees, and the history is whole."""
    desk.balanced(*batches)
    assert desk.engine.audit_verify().intact


def filed(desk: Firm, batch: str) -> None:
    desk.engine.submit([batch], wait=20)
    desk.settled()


def test_what_is_suspended_stays_while_the_others_go_and_goes_afterwards(tmp_path: Path) -> None:
    sample = day(6)
    stays, *others = houses(sample)
    with firm(tmp_path) as desk:
        batch = desk.prepare(sample).batch
        done = desk.engine.suspend([stays], reason=WHY_, who="wang")
        assert [(r.key.split("|")[1], r.to_state) for r in done.done] == [(stays, "suspended")]
        assert not done.needs_attention
        filed(desk, batch)
        assert desk.arrivals() == dict.fromkeys(others, 1)
        assert desk.lines(batch) == {"suspended_or_voided": 1, "released": 5}
        (held,) = desk.engine.holdups([batch])
        assert (held.what, held.messages) == ("declaration_suspended", 1)
        assert "crossborder resume" in held.remedy("en")
        finished(desk, batch)
        desk.engine.resume([stays], reason=WHY_, who="wang")
        filed(desk, batch)
        assert desk.arrivals() == dict.fromkeys(houses(sample), 1)
        assert desk.lines(batch) == {"released": 6}
        finished(desk, batch)


def test_a_voided_declaration_is_handed_in_again(tmp_path: Path) -> None:
    sample = day(4)
    gone, *others = houses(sample)
    with firm(tmp_path) as desk:
        batch = desk.prepare(sample).batch
        desk.engine.void([gone], reason=WHY_)
        filed(desk, batch)
        assert desk.arrivals() == dict.fromkeys(others, 1)
        assert desk.engine.void(others, reason=WHY_).needs_attention
        finished(desk, batch)
        again = desk.prepare(sample)
        assert again.counts == {"already_filed": 3, "prepared": 1}
        filed(desk, again.batch)
        assert desk.arrivals() == dict.fromkeys(houses(sample), 1)
        finished(desk, batch, again.batch)


def test_a_voided_manifest_is_made_again_by_the_same_file(tmp_path: Path) -> None:
    sample = day(4)
    masters = sorted(set(sample.frames.shipments["master_waybill"]))
    with firm(tmp_path) as desk:
        batch = desk.prepare(sample).batch
        tried = desk.engine.void(masters, reason=WHY_, dry_run=True)
        done = desk.engine.void(masters, reason=WHY_)
        assert tried.rulings == done.rulings
        assert (len(done.done), done.waiting) == (len(masters), 4)
        desk.engine.submit([batch], wait=0)
        assert desk.arrivals() == {}
        (held,) = desk.engine.holdups([batch])
        assert (held.what, held.waiting, held.messages) == ("manifest_voided", 4, len(masters))
        assert "prepare" in held.remedy("en")
        finished(desk, batch)
        again = desk.prepare(sample)
        assert (again.counts, again.manifests) == ({"already_filed": 4}, len(masters))
        filed(desk, again.batch)
        assert desk.arrivals() == dict.fromkeys(houses(sample), 1)
        assert desk.engine.holdups([batch, again.batch]) == []
        finished(desk, batch, again.batch)


def test_all_under_a_master_waybill_or_a_batch(tmp_path: Path) -> None:
    sample = day(6)
    master = sample.frames.shipments["master_waybill"][0]
    own = sample.frames.shipments.filter(sample.frames.shipments["master_waybill"] == master).height
    with firm(tmp_path) as desk:
        batch = desk.prepare(sample).batch
        assert len(desk.engine.suspend(masters=[master], reason=WHY_).done) == own + 1
        whole = desk.engine.void(batches=[batch], reason=WHY_)
        assert len(whole.done) == desk.engine.ledger.batch(batch).recorded + len(
            set(sample.frames.shipments["master_waybill"])
        )
        assert desk.lines(batch) == {"suspended_or_voided": 6}
        filed(desk, batch)
        assert desk.arrivals() == {}
        finished(desk, batch)


def test_a_person_lets_what_was_deleted_be_filed_again(tmp_path: Path) -> None:
    sample = ending(day(4), {2: "SBDX", 3: "SB22"})
    _, _, deleted, reclass = houses(sample)
    corrected = changed(sample, "remarks", {2: "again", 3: "again"})
    with firm(tmp_path) as desk:
        first = desk.flow(sample)
        assert desk.prepare(corrected).counts == {"already_filed": 2, "rejected": 2}
        with pytest.raises(LedgerError, match="leaves it to a person"):
            desk.engine.resolve(houses(sample)[0], "file-again", reason=WHY_)
        told = desk.engine.resolve(deleted, "file-again", reason=WHY_, dry_run=True)
        assert (told["from"], told["to"], told["dry_run"]) == ("deleted", "deleted", True)
        for house in (deleted, reclass):
            desk.engine.resolve(house, "file-again", reason=WHY_)
        again = desk.prepare(corrected)
        assert again.counts == {"already_filed": 2, "prepared": 2}
        filed(desk, again.batch)
        assert desk.arrivals() == {**dict.fromkeys(houses(sample), 1), deleted: 2, reclass: 2}
        finished(desk, first, again.batch)


def test_which_codes_leave_it_to_a_person_is_told_by_the_facts() -> None:
    rows = csv.DictReader(io.StringIO(resources.text("codes/status_codes.csv")))
    told = {r["code"] for r in rows if r["message"] == "EXP302" and r["fresh_attempt"] == "person"}
    assert {code for filed, code in persons_codes() if filed == "EXP301"} == told == {"D", "22", "23", "43"}  # fmt: skip


def test_nothing_named_and_no_reason(tmp_path: Path) -> None:
    with firm(tmp_path) as desk:
        desk.prepare(day(2))
        for verb in (desk.engine.suspend, desk.engine.resume, desk.engine.void):
            with pytest.raises(LedgerError, match="what"):
                verb(reason=WHY_)
            with pytest.raises(LedgerError, match="reason"):
                verb(houses(day(2)), reason="  ")
            with pytest.raises(NotFound):
                verb(["NOBODY"], reason=WHY_)
        assert set(desk.states().values()) == {"prepared"}
        with pytest.raises(LedgerError, match="file-again"):
            desk.engine.resolve(houses(day(2))[0], "maybe", reason=WHY_)


def test_every_reason_has_its_words_in_both_languages() -> None:
    source = Path(of_ledger.__file__).read_text("utf-8")
    for name, (zh, en) in WHY.items():
        assert name in source or name.upper() in source or name == "payload_damaged"
        assert en.isascii()
        assert any("\u4e00" <= c <= "\u9fff" for c in zh)


@pytest.mark.parametrize(
    ("verb", "why", "named", "attention"),
    [
        ("suspend", "left", False, True), ("suspend", "ended", False, False), ("suspend", "ended", True, True),
        ("resume", "not_suspended", False, False), ("void", "left", False, True), ("void", "suspended", False, True),
    ],
)  # fmt: skip
def test_what_was_left_alone_counts(verb: str, why: str, named: bool, attention: bool) -> None:
    one = Ruling(1, "declaration", "K", "B", "queued", "suspended")
    ruled = Ruled(verb, [one, one._replace(why=why)], dry_run=False, named=named)  # type: ignore[arg-type]
    assert ruled.needs_attention is attention
    assert ruled.as_json()["left"][0]["why"] == why
    assert Ruled("void", [one._replace(why="ended")], dry_run=False, named=False).needs_attention
