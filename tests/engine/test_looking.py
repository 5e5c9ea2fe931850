"""Where things stand: stories of parcels, batches, the day's report. Looking changes nothing.

Broken by: a time line out of order, a report that forgets a batch, or two counts of the same thing that disagree.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossborder import china_time
from crossborder.engine import Engine
from crossborder.errors import InputError, NotFound

from .firm import Firm, changed, day, ending, firm, houses, rows


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firm]:
    """A firm with one batch that went through the whole flow."""
    sample = ending(changed(day(6), "receiver_city", {5: "London"}), {0: "SB05", 1: "SFNX"})
    with firm(tmp_path_factory.mktemp("looking")) as made:
        made.flow(sample)
        yield made


SAMPLE = ending(changed(day(6), "receiver_city", {5: "London"}), {0: "SB05", 1: "SFNX"})
NAMES = houses(SAMPLE)


def only_batch(desk: Firm) -> str:
    """The one batch."""
    return str(desk.engine.batches()[0]["id"])


def test_a_story_is_told_in_order_and_ends_where_it_stands(desk: Firm) -> None:
    (story,) = desk.engine.status(NAMES[0])
    assert story["state"] == "inspection"
    assert [r["code"] for r in story["receipts"]] == ["D0", "D2", "Y", "05"]
    said = [line["what"] for line in story["timeline"]]
    moves = [w for w in said if w.startswith(("submitted", "queued", "claimed", "answered"))]
    verbs = [m.split(":")[0].removesuffix("_late") for m in moves]  # a receipt may be faster
    assert verbs == ["submitted", "queued", "claimed", "answered"]
    assert said[-1].endswith("→ inspection")
    assert story["next"]
    assert story["next_zh"]


def test_the_time_line_follows_the_ledger_even_where_a_clock_was_read_early(desk: Firm) -> None:
    ledger = desk.engine.ledger
    for name in NAMES[:5]:
        (story,) = desk.engine.status(name)
        verbs = [e.verb for e in ledger.timeline(story["attempt_id"])]
        said = [
            w["what"].split(":")[0] for w in story["timeline"] if not w["what"].startswith("EXP")
        ]
        assert said == verbs


def test_a_waybill_is_found_however_it_is_written(desk: Firm) -> None:
    name = NAMES[2]
    for spelled in (name.lower(), f" {name[:4]}-{name[4:]} ", name):
        assert desk.engine.status(spelled) == desk.engine.status(name)
    assert desk.engine.status("NOBODY") == []


def test_the_story_of_a_rejected_parcel_says_so(desk: Firm) -> None:
    (story,) = desk.engine.status(NAMES[5])
    assert (story["state"], story["message_type"]) == ("rejected", "")


def test_attempts_are_selected_by_state_master_and_batch(desk: Firm) -> None:
    master = SAMPLE.frames.shipments["master_waybill"][0]
    chosen = desk.engine.attempts(master=master, batches=[only_batch(desk)])
    assert {a["house_waybill"] for a in chosen if a["house_waybill"]} <= set(NAMES)
    assert [a["house_waybill"] for a in desk.engine.attempts(state="inspection")] == [NAMES[0]]
    assert desk.engine.attempts(state="detained") == []


def test_a_batch_is_listed_with_what_became_of_it(desk: Firm) -> None:
    batch = desk.engine.batch(only_batch(desk))
    assert (batch["state"], batch["rows"], batch["shipments"]) == ("sealed", rows(SAMPLE), 6)
    assert batch["counts"] == {"prepared": 5, "rejected": 1}
    assert batch["account"]["handed_in"] == [6, rows(SAMPLE)]
    assert batch["submitted_by"] == "library"
    assert desk.engine.batches(china_time.now().date().isoformat())
    assert desk.engine.batches("2001-01-01") == []
    with pytest.raises(InputError):
        desk.engine.batches("yesterday")
    with pytest.raises(NotFound):
        desk.engine.batch("20010101-01")


def test_findings_are_kept_with_the_batch_in_both_languages(desk: Firm) -> None:
    kept = desk.engine.findings(only_batch(desk))
    told = [f for f in kept if f["shipment"] == NAMES[5]]
    assert told
    assert all(f["zh"] and f["en"] and f["fix"] and f["fix_zh"] for f in told)
    assert desk.engine.findings(only_batch(desk), limit=1) == kept[:1]
    assert desk.engine.findings(only_batch(desk), after=1) == kept[1:]


def test_the_report_is_the_account_and_what_needs_a_person(desk: Firm) -> None:
    batch = only_batch(desk)
    report = desk.engine.report([batch])
    assert report.account == desk.engine.account([batch])
    assert report.sandbox
    assert {row["shipment"] for row in report.attention} == {NAMES[0], NAMES[1]}
    assert sum(m["declarations"] for m in report.masters) == 5
    assert sum(m["released"] for m in report.masters) == 3
    assert {m["manifest"] for m in report.masters} == {"accepted"}
    day_s = desk.engine.report(day=china_time.now().date().isoformat())
    assert day_s.account == report.account
    assert "EXP-25" in {f["rule"] for f in report.findings}


def test_states_and_account_count_the_same(desk: Firm) -> None:
    states = desk.engine.states([only_batch(desk)])
    assert states == {"released": 3, "inspection": 1, "refused": 1}
    assert desk.lines(only_batch(desk)) == {
        "rejected": 1,
        "in_flight": 1,
        "refused": 1,
        "released": 3,
    }


def test_json_answers_are_json(desk: Firm) -> None:
    batch = only_batch(desk)
    proof = desk.engine.reconcile([batch])
    for answer in (
        proof.as_json(),
        desk.engine.batch(batch),
        desk.engine.status(NAMES[0]),
        desk.engine.attempts(),
    ):
        json.dumps(answer)
    assert proof.as_json()["format"] == 1


def test_looking_changes_nothing(desk: Firm) -> None:
    def everything() -> list[object]:
        ledger = desk.engine.ledger
        return [
            ledger.attempts_in(),
            [ledger.timeline(a.id) for a in ledger.attempts_in()],
            ledger.batches(),
        ]

    before = everything()
    desk.engine.status(NAMES[0])
    desk.engine.report()
    desk.engine.reconcile()
    desk.engine.waiting()
    desk.engine.check(desk.file(SAMPLE), mapping="elements")
    assert everything() == before


def test_an_engine_may_be_closed_and_used_again(desk: Firm) -> None:
    with Engine(desk.settings, home=desk.home) as other:
        first = other.batches()
        other.close()
        assert other.batches() == first


def test_every_damaged_byte_is_found(tmp_path: Path) -> None:
    made = Firm(tmp_path, None)
    with made.engine as engine:
        batch = made.prepare(day(3)).batch
        assert engine.reconcile([batch], ask_endpoints=False).differences == []
        (segment,) = (made.home / "payload").glob("*.seg")
        raw = bytearray(segment.read_bytes())
        raw[len(raw) // 2] ^= 1
        segment.write_bytes(raw)
        differences = engine.reconcile([batch], ask_endpoints=False).differences
        assert [d["what"] for d in differences] == ["payload_damaged"]
